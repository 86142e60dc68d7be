//! Parts of connectors without what stands around them, as pages print them.

use bowline_connector::{
    Plan,
    diagnostic::{Code, Severity},
    plan::{LinkId, ParameterId, RequestPath, SessionId, Source},
    read,
};

/// Connection, session and parameters in a row; the path is where `request` says.
fn excerpt(request: &str, path: u32, header: u32) -> String {
    format!(
        r#"
        <Connection id="1" name="Events">
           <Http>
           <CommunicationOptions>
              <WebSocket>true</WebSocket>
              <NotifyConnectionPIDs><Connections>7</Connections></NotifyConnectionPIDs>
              <MakeCommandByProtocol>true</MakeCommandByProtocol>
              <WebSocketHandshake>25</WebSocketHandshake>
           </CommunicationOptions>
           <UserSettings>
              <BusAddress><DefaultValue>byPassProxy</DefaultValue></BusAddress>
              <IPport><DefaultValue>8050</DefaultValue></IPport>
              <TimeoutTime><DefaultValue>5000</DefaultValue></TimeoutTime>
           </UserSettings>
           </Http>
        </Connection>
        <Session id="25" name="Opening">
           <Connection id="1">
              <Request verb="GET" {request}>
                 <Headers><Header key="Sec-WebSocket-Extensions" pid="{header}"></Header></Headers>
              </Request>
              <Response statusCode="220"><Content pid="270" /></Response>
           </Connection>
        </Session>
        <Param id="{path}" trending="false" save="true">
           <Name>Path</Name>
           <Type>read</Type>
           <Interprete>
              <RawType>other</RawType>
              <LengthType>next param</LengthType>
              <Type>string</Type>
              <DefaultValue>x-nmos/events/ws</DefaultValue>
           </Interprete>
        </Param>
        <Param id="{header}" trending="false">
           <Name>Offer</Name>
           <Type>read</Type>
           <Interprete>
              <DefaultValue>permessage-deflate; client_max_window_bits</DefaultValue>
           </Interprete>
        </Param>"#
    )
}

fn plan_of(text: &str) -> Plan {
    let reading = read("excerpt.xml", text.as_bytes());
    let said = reading
        .diagnostics
        .iter()
        .map(|one| (one.severity, one.code));
    let expected = [(Severity::Warning, Code::NoSuchPart); 3];
    // Parameters 7, 220 and 270 are elsewhere.
    assert_eq!(
        said.collect::<Vec<_>>(),
        expected,
        "{}",
        reading.diagnostics
    );
    reading.plan.unwrap()
}

#[test]
fn both_spellings_of_the_path_name_a_parameter() {
    for (request, path, header) in [(r#"pid="8""#, 8, 9), (r#"url="50""#, 50, 15)] {
        let plan = plan_of(&excerpt(request, path, header));
        let handshake = plan.handshakes.get(SessionId(25)).unwrap();
        let source = |id| Source::Parameter(ParameterId(id));
        assert_eq!(handshake.path, RequestPath::From(source(path)));
        let offer = ("Sec-WebSocket-Extensions".to_owned(), source(header));
        assert_eq!(handshake.headers, [offer]);
        let link = plan.links.get(LinkId(1)).unwrap();
        assert_eq!(link.handshake, Some(SessionId(25)));
        assert_eq!(link.port, Some(8050));
        let parameter = plan.parameters.get(ParameterId(path)).unwrap();
        assert!(parameter.save);
        assert_eq!(
            parameter.interpretation.default.as_deref(),
            Some("x-nmos/events/ws")
        );
    }
}

#[test]
fn targets_of_the_answer_that_are_nowhere_are_left_out() {
    let plan = plan_of(&excerpt(r#"pid="8""#, 8, 9));
    let targets = &plan.handshakes.get(SessionId(25)).unwrap().targets;
    assert_eq!((targets.status_line, targets.body), (None, None));
}

#[test]
fn a_part_alone_is_read_and_positions_are_those_of_the_file() {
    let text = "\n<Param id=\"8\">\n  <Name>Path</Name>\n  <Type>reed</Type>\n</Param>\n";
    let reading = read("excerpt.xml", text.as_bytes());
    let places: Vec<_> = reading
        .diagnostics
        .iter()
        .map(|one| reading.diagnostics.source().position(one.span.start))
        .map(|position| (position.line, position.column))
        .collect();
    assert_eq!(places, [(4, 9)]);
    let right = text.replace("reed", "read");
    let plan = read("excerpt.xml", right.as_bytes()).plan.unwrap();
    assert!(plan.parameters.contains(ParameterId(8)));
}

#[test]
fn parts_and_containers_may_be_mixed() {
    let text = r#"
        <Params><Param id="1"><Name>a</Name><Type>read</Type></Param></Params>
        <Param id="2"><Name>b</Name><Type>read</Type></Param>
        <Name>Lamp</Name>"#;
    let plan = read("excerpt.xml", text.as_bytes()).plan.unwrap();
    assert_eq!(plan.name, "Lamp");
    assert_eq!(plan.parameters.len(), 2);
}
