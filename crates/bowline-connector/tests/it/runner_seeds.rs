//! The connector of the use case with custom handshake and dynamic endpoint, in both spellings, from
//! XML to a device and back.

use std::{path::Path, time::Duration};

use bowline_connector::{
    Plan, Store,
    element::{ElementFile, LinkSettings, Reconnect},
    plan::ParameterId,
    read,
    runner::RunnerOptions,
};

use crate::{
    runner_device::{Device, Habits},
    runner_fixture::{Element, LINK, options, settings, to},
};

const STATE: ParameterId = ParameterId(7);

/// The fragments, as the two pages have them, in what has to be around them.
const NEWER: &str = r#"
<Protocol>
  <Connections>
<Connection id="1" name="WebSocket Connection">
   <Http>
   <CommunicationOptions>
      <WebSocket>true</WebSocket>
      <NotifyConnectionPIDs>
         <Connections>7</Connections>
      </NotifyConnectionPIDs>
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
  </Connections>
  <HTTP>
<Session id="25" name="WebSocket Handshake">
   <Connection id="1">
      <Request verb="GET" pid="8">
         <Headers>
            <Header key="Sec-WebSocket-Extensions" pid="9"></Header>
         </Headers>
      </Request>
      <Response statusCode="220">
         <Content pid="270" />
      </Response>
   </Connection>
</Session>
  </HTTP>
  <Params>
    <Param id="1" trending="false" save="true">
      <Name>Endpoint</Name><Description>Endpoint</Description>
      <Type options="dynamic ip 1">read</Type>
      <Interprete>
        <RawType>other</RawType><LengthType>next param</LengthType><Type>string</Type>
      </Interprete>
    </Param>
    <Param id="2" setter="true">
      <Name>Endpoint</Name><Description>Endpoint</Description>
      <Type>write</Type>
      <Interprete>
        <RawType>other</RawType><LengthType>next param</LengthType><Type>string</Type>
      </Interprete>
      <Display><RTDisplay>true</RTDisplay></Display>
      <Measurement><Type>string</Type></Measurement>
    </Param>
    <Param id="3">
      <Name>Reconnect</Name><Description>Reconnect</Description>
      <Type>write</Type>
      <Interprete>
        <RawType>numeric text</RawType><LengthType>next param</LengthType><Type>double</Type>
      </Interprete>
      <Display><RTDisplay>true</RTDisplay></Display>
      <Measurement>
        <Type>button</Type>
        <Discreets><Discreet><Display>Go</Display><Value>1</Value></Discreet></Discreets>
      </Measurement>
    </Param>
    <Param id="4">
      <Name>EndpointCopy</Name><Description>Endpoint Copy</Description>
      <Type>read</Type>
      <Interprete>
        <RawType>other</RawType><LengthType>next param</LengthType><Type>string</Type>
      </Interprete>
    </Param>
    <Param id="7" trending="false">
      <Name>Status</Name><Description>Connection Status</Description>
      <Type>read</Type>
      <Interprete>
        <RawType>numeric text</RawType><LengthType>next param</LengthType><Type>double</Type>
      </Interprete>
      <Display><RTDisplay>true</RTDisplay></Display>
      <Measurement>
        <Type>discreet</Type>
        <Discreets>
          <Discreet><Display>Closed</Display><Value>0</Value></Discreet>
          <Discreet><Display>Open</Display><Value>1</Value></Discreet>
        </Discreets>
      </Measurement>
    </Param>
<Param id="8" trending="false" save="true">
   <Name>WebsocketUrl</Name>
   <Description>Websocket URL</Description>
   <Type>read</Type>
   <Interprete>
      <RawType>other</RawType><LengthType>next param</LengthType><Type>string</Type>
      <DefaultValue>x-nmos/events/ws</DefaultValue>
   </Interprete>
</Param>
<Param id="9" trending="false">
   <Name>Header</Name>
   <Description>Header</Description>
   <Type>read</Type>
   <Interprete>
      <RawType>other</RawType><LengthType>next param</LengthType><Type>string</Type>
      <DefaultValue>permessage-deflate; client_max_window_bits</DefaultValue>
   </Interprete>
</Param>
  </Params>
  <Triggers>
    <Trigger id="1">
      <Name>Reconnect Pressed</Name>
      <On id="3">parameter</On><Time>change</Time><Type>action</Type>
      <Content><Id>1</Id><Id>2</Id><Id>3</Id></Content>
    </Trigger>
  </Triggers>
  <Actions>
    <Action id="1"><Name>Keep</Name><On id="4">parameter</On><Type id="1">copy</Type></Action>
    <Action id="2"><Name>Drop</Name><On id="1">parameter</On><Type>clear</Type></Action>
    <Action id="3"><Name>Again</Name><On id="1">parameter</On><Type id="4">copy</Type></Action>
  </Actions>
</Protocol>
"#;

/// Both spellings, and the parameter that holds the path in each.
fn spellings() -> [(String, ParameterId); 2] {
    let older = NEWER
        .replace("verb=\"GET\" pid=\"8\"", "verb=\"GET\" url=\"50\"")
        .replace("<Param id=\"8\"", "<Param id=\"50\"")
        .replace("pid=\"9\"", "pid=\"15\"")
        .replace("<Param id=\"9\"", "<Param id=\"15\"");
    [(NEWER.to_owned(), ParameterId(8)), (older, ParameterId(50))]
}

fn plan(xml: &str) -> Plan {
    let reading = read("device.xml", xml.as_bytes());
    let diagnostics = format!("{:?}", reading.diagnostics);
    reading.plan.expect(&diagnostics)
}

fn saving(folder: &Path) -> RunnerOptions {
    RunnerOptions {
        store: Some(Store::open(folder).unwrap()),
        ..options()
    }
}

#[tokio::test]
async fn both_spellings_open_the_link_tell_its_state_and_come_back() {
    for (xml, path) in spellings() {
        let mut device = Device::start(Habits::default()).await;
        let link = LinkSettings {
            reconnect: Reconnect::Manual,
            ..to("ws://127.0.0.1:1")
        };
        let mut element = Element::of(plan(&xml), settings(link), &options());
        element.becomes(STATE, 0.0).await;
        element
            .handle
            .set(ParameterId(2), device.url())
            .await
            .unwrap();
        let opened = device.tells("opened").await;
        assert_eq!(opened["opened"], "/x-nmos/events/ws", "{path}");
        assert_eq!(opened["extensions"][0], "PerMessageDeflate", "{path}");
        element.becomes(STATE, 1.0).await;
        let snapshot = element.snapshot().await;
        let label = snapshot.parameter(STATE).unwrap().label.as_deref();
        assert_eq!(label, Some("Open"));

        let port = device.kill().await;
        element.becomes(STATE, 0.0).await;
        let habits = Habits {
            port,
            ..Habits::default()
        };
        let mut device = Device::start(habits).await;
        element.handle.press(ParameterId(3)).await.unwrap();
        device.tells("opened").await;
        element.becomes(STATE, 1.0).await;
        element
            .handle
            .set(ParameterId(2), device.url())
            .await
            .unwrap();
        device.tells("opened").await;
        element.becomes(STATE, 0.0).await;
        element.becomes(STATE, 1.0).await;
        element.shutdown().await;
    }
}

#[tokio::test]
async fn a_saved_path_survives_a_restart_in_both_spellings() {
    for (xml, path) in spellings() {
        let folder = tempfile::tempdir().unwrap();
        let habits = Habits {
            path: "/other",
            ..Habits::default()
        };
        let mut device = Device::start(habits).await;
        let options = saving(folder.path());
        let mut element = Element::of(plan(&xml), settings(to(device.url())), &options);
        element.becomes(STATE, 0.0).await;
        element.handle.assign(path, "other").await.unwrap();
        element.becomes(STATE, 1.0).await;
        element.shutdown().await;
        device.tells("closed").await;
        drop(options);

        let options = saving(folder.path());
        let mut element = Element::of(plan(&xml), settings(to(device.url())), &options);
        element.becomes(STATE, 1.0).await;
        assert_eq!(device.tells("opened").await["opened"], "/other");
        element.shutdown().await;
    }
}

#[tokio::test]
async fn an_element_file_runs_a_connector_file() {
    let mut device = Device::start(Habits::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("element.toml");
    let text = format!(
        "connector = \"device.xml\"\nname = \"bench\"\n\n[links.1]\nendpoints = [\"127.0.0.1\"]\nport = {}\n",
        device.port
    );
    std::fs::write(&path, text).unwrap();
    std::fs::write(folder.path().join("device.xml"), NEWER).unwrap();
    let file = ElementFile::read(&path).unwrap();
    let plan = plan(&std::fs::read_to_string(file.connector()).unwrap());
    assert_eq!(file.check(&plan), []);
    let options = RunnerOptions {
        hooks: file.hooks().unwrap(),
        ..options()
    };
    let mut element = Element::of(plan, file.settings().clone(), &options);
    device.tells("opened").await;
    element.becomes(STATE, 1.0).await;
    let snapshot = element.snapshot().await;
    assert_eq!(snapshot.name, "bench");
    let endpoint = snapshot.link(LINK).unwrap().endpoint.clone().unwrap();
    let expected = format!("ws://127.0.0.1:{}/x-nmos/events/ws", device.port);
    assert_eq!(endpoint, expected);
    assert!(
        file.settings()
            .timeout
            .is_none_or(|timeout| timeout > Duration::ZERO)
    );
    element.shutdown().await;
}
