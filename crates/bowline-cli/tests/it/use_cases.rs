//! The four use cases in `examples/connectors/`, with a device on Python's `websockets`.

use std::{fs, path::Path, process::Command};

use serde_json::{Value, json};

use crate::{
    browser::Page,
    connectors::{Bench, Element, said},
    support::{Bowline, address_of},
    tools::TOOLS,
};

/// The device of the examples, while it runs.
struct Device {
    program: Bowline,
    /// Host and port.
    address: String,
}

impl Device {
    fn start(port: &str) -> Self {
        let mut command = Command::new(TOOLS.python());
        command.arg(examples().join("device.py"));
        // Not the address whose ports others take meanwhile.
        command.args(["--host", "127.0.42.1", "--port", port, "--interval", "0.05"]);
        let mut program = Bowline::spawn(command);
        let line = program.line();
        let url = line.strip_prefix("listening on ").expect("it listens");
        let address = address_of(url).to_owned();
        Self { program, address }
    }

    /// Kills it, and starts another one where it was.
    fn replace(self) -> Self {
        let address = self.address.clone();
        drop(self);
        let (_, port) = address.split_once(':').unwrap();
        Self::start(port)
    }
}

fn examples() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/connectors")
}

/// Writes the element of a use case, for this device, and gives its path.
fn element(bench: &Bench, case: &str, device: &str) -> String {
    let read = |ending| fs::read_to_string(examples().join(format!("{case}.{ending}"))).unwrap();
    bench.write(&format!("{case}.xml"), &read("xml"));
    let settings = read("toml").replace("127.0.0.1:8050", device);
    assert!(settings.contains(device), "{settings}");
    bench.write(&format!("{case}.toml"), &settings)
}

fn start(bench: &Bench, case: &str, device: &Device) -> Element {
    let element = element(bench, case, &device.address);
    bench.run_with(&[&element, "--plain"])
}

#[test]
fn use_case_1_a_plain_link_to_an_endpoint_that_the_element_names() {
    let bench = Bench::new();
    let mut device = Device::start("0");
    let mut element = start(&bench, "plain-link", &device);
    element.until("plain-link value 7 LinkState Open");
    device.program.line_with("open /x-nmos/events/ws ");
    element.until("plain-link value 31 Temperature 20.5 \u{b0}C");
    element.until("plain-link value 31 Temperature 30.0 \u{b0}C [warning]");
    element.until("plain-link value 31 Temperature 40.0 \u{b0}C [critical]");
    let device = device.replace();
    element.until("plain-link value 7 LinkState Closed [critical]");
    element.until("plain-link value 7 LinkState Open");
    drop(device);
    element.stop();
}

#[test]
fn use_case_2_an_endpoint_that_is_set_and_a_button_that_reconnects() {
    let bench = Bench::new();
    let (first, mut second) = (Device::start("0"), Device::start("0"));
    let mut element = start(&bench, "dynamic-endpoint", &first);
    element.until("dynamic-endpoint value 7 LinkState Open");
    let mut first = first.replace();
    element.until("dynamic-endpoint value 7 LinkState Closed [critical]");
    bench.said(&["set", "dynamic-endpoint", "Reconnect"]);
    element.until("dynamic-endpoint value 7 LinkState Open");
    first.program.line_with("open /x-nmos/events/ws ");
    let url = format!("ws://{}/x-nmos/events/ws", second.address);
    bench.said(&["set", "dynamic-endpoint", "Endpoint", &url]);
    element.until("dynamic-endpoint value 7 LinkState Closed [critical]");
    element.until("dynamic-endpoint value 7 LinkState Open");
    first.program.line_with("closed 1000");
    second.program.line_with("open /x-nmos/events/ws ");
    element.stop();
}

#[test]
fn use_case_3_an_opening_handshake_of_parameters() {
    let bench = Bench::new();
    let mut device = Device::start("0");
    let mut element = start(&bench, "custom-handshake", &device);
    element.until("custom-handshake value 220 StatusLine HTTP/1.1 101 Switching Protocols");
    element.until("custom-handshake value 7 LinkState Open");
    device
        .program
        .line_with("open /x-nmos/events/ws compressed");
    element.until("custom-handshake value 31 Temperature 20.5 \u{b0}C");
    element.stop();
}

#[test]
fn use_case_4_a_saved_path_a_refusal_and_a_link_made_anew() {
    let bench = Bench::new();
    let device = Device::start("0");
    let case = "handshake-and-endpoint";
    let mut element = start(&bench, case, &device);
    element.until("handshake-and-endpoint value 7 LinkState Open");
    bench.said(&["set", case, "Path", "x-nmos/other"]);
    element.stop();
    let mut element = start(&bench, case, &device);
    element.until("handshake-and-endpoint value 220 StatusLine HTTP/1.1 404 Not Found");
    let refusal = bench.said(&["get", case, "RefusalBody"]);
    assert_eq!(refusal.trim(), "The events are at /x-nmos/events/ws.");
    bench.said(&["set", case, "Path", "x-nmos/events/ws"]);
    bench.said(&["set", case, "Reconnect", "Reconnect"]);
    element.until("handshake-and-endpoint value 7 LinkState Open");
    element.stop();
}

/// The TOML blocks of the guide page, in its order.
fn guide() -> Vec<&'static str> {
    let blocks = include_str!("../../../../docs/guide/connectors.md").split("```toml\n");
    let blocks = blocks.skip(1);
    blocks
        .map(|rest| rest.split("```").next().unwrap())
        .collect()
}

#[test]
fn the_device_and_the_element_of_the_guide_work_as_they_are_printed() {
    let bench = Bench::new();
    let script = bench.write("device.toml", guide()[0]);
    let (_device, url) =
        Bowline::serve(&["simulate", "--script", &script, "--listen", "127.0.0.1:0"]);
    let connector = examples().join("handshake-and-endpoint.xml");
    let connector = fs::read_to_string(connector).unwrap();
    let connector = bench.write("handshake-and-endpoint.xml", &connector);
    assert_eq!(said(&["check", &connector]), "");
    let settings = guide()[1].replace("127.0.0.1:8050", address_of(&url));
    let settings = bench.write("my-device.toml", &settings);
    let record = bench.text_path("day-one.jsonl");
    let mut element = bench.run_with(&[&settings, "--plain", "--record", &record]);
    element.until("my-device value 31 Temperature 20.5 \u{b0}C");
    element.until("my-device value 31 Temperature 31.0 \u{b0}C [warning]");
    assert_eq!(
        bench.said(&["get", "my-device", "LinkState"]).trim(),
        "Open"
    );
    bench.said(&["set", "my-device", "Reconnect"]);
    element.until("my-device value 7 LinkState Closed [critical]");
    element.until("my-device value 7 LinkState Open");
    element.stop();
    said(&["test", &settings, "--conversation", &record]);
}

/// A hub that runs the fourth use case, and the URL of its WebSocket.
fn hub(bench: &Bench, device: &Device) -> (Bowline, String) {
    let element = element(bench, "handshake-and-endpoint", &device.address);
    Bowline::hub(&["--data", &bench.data(), "--connectors", &element])
}

#[tokio::test]
async fn a_hub_has_the_parameters_on_topics_and_takes_orders() {
    let bench = Bench::new();
    let device = Device::start("0");
    let (hub, url) = hub(&bench, &device);
    let url = format!("{url}_connectors_handshake-and-endpoint");
    let mut page = bowline::connect(&url).await.unwrap();
    let mut told = async |topic: &str, payload: Value| {
        loop {
            let message = page.recv().await.expect("the hub talks");
            let line: (String, Value) = serde_json::from_str(message.as_text().unwrap()).unwrap();
            if line == (topic.to_owned(), payload.clone()) {
                return;
            }
        }
    };
    told("LinkState", json!(1)).await;
    told("Temperature", json!(30)).await;
    told("Temperature/alarm", json!("warning")).await;
    let device = device.replace();
    told("LinkState/alarm", json!("critical")).await;
    told("LinkState", json!(0)).await;
    let mut person = bowline::connect(&url).await.unwrap();
    person.send(r#"["Reconnect/set", true]"#).await.unwrap();
    told("LinkState", json!(1)).await;
    person.send(r#"["Path/set", [1]]"#).await.unwrap();
    let error = json!({
        "topic": "connectors/handshake-and-endpoint/Path/set",
        "error": "the payload must be a text or a number",
    });
    told("-/error", error).await;
    let state = bench.said(&["get", "handshake-and-endpoint", "LinkState"]);
    assert_eq!(state.trim(), "Open");
    drop(device);
    assert_eq!(hub.terminate(), Some(0));
}

#[test]
fn the_page_shows_a_connector_with_its_alarms_and_its_buttons() {
    let bench = Bench::new();
    let device = Device::start("0");
    let (_hub, url) = hub(&bench, &device);
    let mut page = Page::open(&format!("http://{}/", address_of(&url)));
    let value = |name: &str| format!("tr[data-parameter='{name}'] .parameter-value");
    page.wait_for(&value("LinkState"), "Open");
    page.wait_for_attribute("tr[data-parameter='Temperature']", "data-alarm", "warning");
    page.wait_for_attribute("tr[data-parameter='Temperature']", "data-alarm", "critical");
    let device = device.replace();
    page.wait_for(&value("LinkState"), "Closed");
    page.wait_for_attribute(".element-links li", "data-state", "closed");
    page.click("tr[data-parameter='Reconnect'] button");
    page.wait_for(&value("LinkState"), "Open");
    page.fill("tr[data-parameter='Path'] input", "x-nmos/other");
    page.click("tr[data-parameter='Path'] button");
    page.wait_for(&value("Path"), "x-nmos/other");
    page.click("tr[data-parameter='Reconnect'] button");
    page.wait_for(
        &value("RefusalBody"),
        "The events are at /x-nmos/events/ws.",
    );
    page.assert_clean();
    drop(device);
}
