//! The sample connector.

#[test]
fn try_it() {
    let reading = bowline_connector::read("acme-tank.xml", include_bytes!("../data/acme-tank.xml"));
    println!("{}", reading.diagnostics);
    println!("{:#?}", reading.plan);
}
