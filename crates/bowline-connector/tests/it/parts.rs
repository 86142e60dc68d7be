//! What single parts of a connector become.

use std::time::Duration;

use bowline_connector::{
    Plan,
    plan::{
        ActionId, ActionKind, BusAddress, GroupContent, GroupId, GroupKind, HandshakeCredentials,
        HandshakeProxy, LengthRule, LinkId, Moment, NotifyParameters, PairId, ParameterId,
        ParameterVerb, RequestPath, ResponseId, SessionId, SlowPoll, Source, Subject, TimerId,
        TimerStart, TimerTime, TriggerContent, TriggerId, ValueKind,
    },
    read,
};

fn plan_of(text: &str) -> Plan {
    let reading = read("part.xml", text.as_bytes());
    let said = reading.diagnostics.to_string();
    reading.plan.unwrap_or_else(|| panic!("{said}"))
}

/// A connection of the WebSocket kind.
fn connection(id: u32, options: &str, settings: &str) -> String {
    format!(
        "<Connection id='{id}' name='L'><Http>
           <CommunicationOptions><WebSocket>true</WebSocket>{options}</CommunicationOptions>
           <UserSettings>{settings}</UserSettings>
         </Http></Connection>"
    )
}

fn parameter(id: u32, inner: &str) -> String {
    format!("<Param id='{id}'><Name>P{id}</Name><Type>read</Type>{inner}</Param>")
}

fn parameters() -> String {
    (1..=9).map(|id| parameter(id, "")).collect()
}

#[test]
fn communication_options_are_understood_in_both_spellings() {
    for spelling in ["NotifyConnectionPIDs", "NotifyConnectionPID"] {
        let options = format!(
            "<{spelling}><Connections>1</Connections><Disconnections>2</Disconnections></{spelling}>
             <MakeCommandByProtocol>TRUE</MakeCommandByProtocol>
             <RedundantPolling>true</RedundantPolling>
             <WebSocketHandshake>4</WebSocketHandshake>"
        );
        let session = "<Session id='4'><Connection id='0'><Request/></Connection></Session>";
        let plan = plan_of(&(connection(3, &options, "") + parameters().as_str() + session));
        let link = plan.links.get(LinkId(3)).unwrap();
        assert_eq!(
            link.notify,
            NotifyParameters {
                connections: Some(ParameterId(1)),
                disconnections: Some(ParameterId(2)),
            }
        );
        assert!(link.is_composed_at_enqueue && link.is_redundant);
        assert_eq!(link.handshake, Some(SessionId(4)));
        let handshake = plan.handshakes.get(SessionId(4)).unwrap();
        assert_eq!(handshake.path, RequestPath::Endpoint);
    }
    let plain = plan_of(&connection(0, "", ""));
    let link = plain.links.get(LinkId(0)).unwrap();
    assert!(!link.is_composed_at_enqueue && !link.is_redundant);
    assert_eq!(
        (link.handshake, link.notify),
        (None, NotifyParameters::default())
    );
}

#[test]
fn user_settings_have_defaults_fixed_ones_ranges_and_lists() {
    let plan = plan_of(&connection(
        0,
        "",
        "<BusAddress>
           <DefaultValue>ByPassProxy</DefaultValue>
           <Values><Value>slot 1</Value><Value>slot 2</Value></Values>
           <Range><From>1</From><To>20</To></Range>
         </BusAddress>
         <IPport><DefaultValue>443</DefaultValue><Disabled>true</Disabled></IPport>
         <TimeoutTime><DefaultValue>10</DefaultValue><Disabled>true</Disabled></TimeoutTime>
         <Retries><DefaultValue>10</DefaultValue></Retries>",
    ));
    let link = plan.links.get(LinkId(0)).unwrap();
    assert_eq!((link.port, link.port_fixed), (Some(443), true));
    assert_eq!(link.timeout, Some(Duration::from_millis(10)));
    assert_eq!(link.retries, Some(10));
    let address = &link.bus_address;
    assert!(BusAddress::bypasses_proxy(
        address.default.as_deref().unwrap()
    ));
    for (text, is_allowed) in [
        ("slot 1", true),
        ("slot 3", false),
        ("9", true),
        ("20", true),
        ("21", false),
        ("bypassproxy", true),
    ] {
        assert_eq!(address.allows(text), is_allowed, "{text}");
    }

    let fixed = "<BusAddress><DefaultValue>a</DefaultValue><Disabled>true</Disabled></BusAddress>";
    let plan = plan_of(&connection(0, "", fixed));
    let address = &plan.links.get(LinkId(0)).unwrap().bus_address;
    assert!(address.is_fixed && address.allows("a"));
    assert!(!address.allows("b") && !address.allows("bypassProxy"));

    let none = "<BusAddress><DefaultValue>false</DefaultValue></BusAddress>";
    let plan = plan_of(&connection(0, "", none));
    let address = &plan.links.get(LinkId(0)).unwrap().bus_address;
    assert_eq!(address.default, None);
    assert!(address.allows("anything"));
}

#[test]
fn the_older_place_of_settings_counts_for_the_main_connection_where_the_newer_is_silent() {
    let settings = "<IPport><DefaultValue>1</DefaultValue></IPport>";
    let plan = plan_of(&format!(
        "<Connections>{}{}</Connections>
         <PortSettings name='a'>
           <IPport><DefaultValue>2</DefaultValue></IPport>
           <Retries><DefaultValue>4</DefaultValue></Retries>
           <SkipCertificateVerification><DefaultValue>true</DefaultValue></SkipCertificateVerification>
           <SlowPoll><DefaultValue>5</DefaultValue></SlowPoll>
           <PingInterval><DefaultValue>20000</DefaultValue></PingInterval>
         </PortSettings>
         <Command id='1'><Content><Param>1</Param></Content></Command>
         <Pair id='6' ping='true'><Content><Command>1</Command></Content></Pair>
         <Group id='7' ping='true'><Content><Pair>6</Pair></Content></Group>{}",
        connection(0, "", settings),
        connection(1, "", ""),
        parameters(),
    ));
    let main = plan.links.get(LinkId(0)).unwrap();
    assert_eq!(
        (main.port, main.retries, main.is_unverified),
        (Some(1), Some(4), true)
    );
    assert_eq!(
        main.slow_poll,
        Some(SlowPoll {
            after_timeouts: 5,
            after: None,
            interval: Duration::from_secs(20),
            ping_group: Some(GroupId(7)),
            ping_pair: Some(PairId(6)),
        })
    );
    let other = plan.links.get(LinkId(1)).unwrap();
    assert_eq!(
        (other.port, other.retries, other.is_unverified),
        (None, None, false)
    );
    assert_eq!(other.slow_poll, None);
}

#[test]
fn a_session_takes_literals_and_parameters() {
    let plan = plan_of(
        &("<Session id='1' name='S' timeout='700' userName='1' password='secret'
             proxyServer='proxy:3128' proxyUser='2' proxyPassword='3'>
           <Connection id='0' timeout='900'>
             <Request verb='get' url='wss://other/x?y=1'>
               <Headers><Header key='X-A'> words </Header><Header key='Host' pid='4'/></Headers>
               <Parameters><Parameter key='q'>1</Parameter><Parameter key='r' pid='5'/></Parameters>
             </Request>
           </Connection>
         </Session>"
            .to_owned()
            + parameters().as_str()),
    );
    let handshake = plan.handshakes.get(SessionId(1)).unwrap();
    let from = |id| Source::Parameter(ParameterId(id));
    let literal = |text: &str| Source::Literal(text.to_owned());
    assert_eq!(handshake.timeout, Some(Duration::from_millis(900)));
    assert_eq!(
        handshake.path,
        RequestPath::From(literal("wss://other/x?y=1"))
    );
    let headers = [
        ("X-A".to_owned(), literal("words")),
        ("Host".to_owned(), from(4)),
    ];
    assert_eq!(handshake.headers, headers);
    let query = [("q".to_owned(), literal("1")), ("r".to_owned(), from(5))];
    assert_eq!(handshake.query, query);
    assert_eq!(
        handshake.credentials,
        Some(HandshakeCredentials {
            user: from(1),
            password: literal("secret"),
        })
    );
    assert_eq!(
        handshake.proxy,
        Some(HandshakeProxy {
            server: literal("proxy:3128"),
            user: Some(from(2)),
            password: Some(from(3)),
        })
    );
}

#[test]
fn url_counts_where_pid_is_given_too() {
    let session =
        "<Session id='1'><Connection id='0'><Request pid='1' url='2'/></Connection></Session>";
    let plan = plan_of(&(session.to_owned() + parameters().as_str()));
    let path = &plan.handshakes.get(SessionId(1)).unwrap().path;
    assert_eq!(*path, RequestPath::From(Source::Parameter(ParameterId(2))));
}

#[test]
fn lengths_and_fixed_values_are_filled_by_their_type() {
    for (inner, length, value) in [
        ("", LengthRule::NextParameter, None),
        (
            "<LengthType>last next param</LengthType>",
            LengthRule::LastNextParameter,
            None,
        ),
        (
            "<LengthType id='1' times='2'>other param</LengthType>",
            LengthRule::OtherParameter {
                id: ParameterId(1),
                times: 2,
            },
            None,
        ),
        (
            "<LengthType>fixed</LengthType><Length>2</Length>",
            LengthRule::Fixed(2),
            Some(&b"  "[..]),
        ),
        (
            "<RawType>text</RawType><LengthType>fixed</LengthType><Length>4</Length><Value>ab</Value>",
            LengthRule::Fixed(4),
            Some(b"ab  "),
        ),
        (
            "<RawType>numeric text</RawType><LengthType>fixed</LengthType><Length>3</Length>",
            LengthRule::Fixed(3),
            Some(b"000"),
        ),
        (
            "<RawType>unsigned number</RawType><LengthType>fixed</LengthType><Length>2</Length><Value>0x01</Value>",
            LengthRule::Fixed(2),
            Some(b"\x01\0"),
        ),
        (
            "<LengthType>fixed</LengthType><Value>0x0D0x0A</Value>",
            LengthRule::Fixed(2),
            Some(b"\r\n"),
        ),
    ] {
        let text =
            parameters() + parameter(20, &format!("<Interprete>{inner}</Interprete>")).as_str();
        let plan = plan_of(&text);
        let within = &plan.parameters.get(ParameterId(20)).unwrap().interpretation;
        assert_eq!(within.length, length, "{inner}");
        assert_eq!(within.value.as_deref(), value, "{inner}");
    }
}

#[test]
fn numbers_and_displays_are_read() {
    let plan = plan_of(&parameter(
        1,
        "<Interprete>
           <RawType>numeric text</RawType><Base>16</Base><Endian>big</Endian>
           <DefaultValue>FF</DefaultValue>
         </Interprete>
         <Display>
           <RTDisplay>true</RTDisplay><Units>m</Units><Decimals>2</Decimals>
           <Range><Low>-1.5</Low><High>20</High></Range>
         </Display>",
    ));
    let parameter = plan.parameters.get(ParameterId(1)).unwrap();
    assert!(parameter.interpretation.is_hexadecimal && parameter.interpretation.is_big_endian);
    assert_eq!(parameter.interpretation.kind, ValueKind::Double);
    assert_eq!(parameter.interpretation.default.as_deref(), Some("FF"));
    assert_eq!(parameter.range, (Some(-1.5), Some(20.0)));
    assert_eq!(
        (parameter.units.as_str(), parameter.decimals),
        ("m", Some(2))
    );
    assert!(parameter.is_displayed && parameter.trending);
}

#[test]
fn responses_know_what_may_be_absent() {
    let text = "<Response id='3'><Content optional='1;2;'>
        <Param>1</Param><Param>2</Param><Param>3</Param></Content></Response>";
    let plan = plan_of(&(text.to_owned() + parameters().as_str()));
    let response = plan.responses.get(ResponseId(3)).unwrap();
    assert_eq!(response.optional, [ParameterId(2), ParameterId(3)]);
    assert_eq!(response.link, None);
}

#[test]
fn an_action_on_several_parts_is_run_for_each_where_it_is_named() {
    let text = "<Action id='5'><On id='1;2;3'>parameter</On><Type>clear</Type></Action>
        <Action id='6'><On>protocol</On><Type>sleep</Type></Action>
        <Trigger id='1'><Content><Id>6</Id><Id>5</Id><Id>6</Id></Content></Trigger>
        <Group id='1'><Content><Action>5</Action></Content></Group>";
    let plan = plan_of(&(text.to_owned() + parameters().as_str()));
    let TriggerContent::Actions(run) = &plan.triggers.get(TriggerId(1)).unwrap().content else {
        panic!("the trigger runs actions");
    };
    let kinds: Vec<_> = run
        .iter()
        .map(|id| plan.actions.get(*id).unwrap().kind.clone())
        .collect();
    let sleep = || ActionKind::Sleep(Duration::from_secs(5));
    let clear = |id| ActionKind::Parameter(Some(ParameterId(id)), ParameterVerb::Clear);
    assert_eq!(kinds, [sleep(), clear(1), clear(2), clear(3), sleep()]);
    let group = plan.groups.get(GroupId(1)).unwrap();
    assert_eq!(group.kind, GroupKind::PollAction);
    assert_eq!(group.content, GroupContent::Actions(run[1..4].to_vec()));
}

#[test]
fn pauses_lie_behind_the_items_that_name_them() {
    let text = "<Action id='5'><On id='1;2'>parameter</On><Type>clear</Type></Action>
        <Action id='6'><On nr='1;3'>pair</On><Type value='750'>set next</Type></Action>
        <Group id='1'><Content><Action next='250'>5</Action><Action>6</Action></Content></Group>";
    let plan = plan_of(&(text.to_owned() + parameters().as_str()));
    let group = plan.groups.get(GroupId(1)).unwrap();
    assert_eq!(group.content.len(), 3);
    assert_eq!(group.pauses, [(1, Duration::from_millis(250))].into());
    let set = &plan.actions.get(ActionId(6)).unwrap().kind;
    let pause = Source::Literal("750".to_owned());
    assert_eq!(*set, ActionKind::ItemPause(vec![0, 2], pause));
}

#[test]
fn what_is_marked_else_is_kept_apart() {
    let text = "<Action id='5'><On id='1;2'>parameter</On><Type>clear</Type></Action>
        <Action id='6'><On>protocol</On><Type>sleep</Type></Action>
        <Trigger id='1'><Condition><![CDATA[id:1 == 1]]></Condition>
          <Content><Id else='true'>6</Id><Id>5</Id><Id else='false'>6</Id></Content></Trigger>";
    let plan = plan_of(&(text.to_owned() + parameters().as_str()));
    let trigger = plan.triggers.get(TriggerId(1)).unwrap();
    let TriggerContent::Actions(run) = &trigger.content else {
        panic!("the trigger runs actions");
    };
    assert_eq!(run.len(), 3);
    let other = TriggerContent::Actions(vec![ActionId(6)]);
    assert_eq!(trigger.otherwise, other);
}

#[test]
fn the_connector_says_how_long_an_element_may_be_silent() {
    let setting = "<TimeoutTimeElement><DefaultValue>45000</DefaultValue></TimeoutTimeElement>";
    let time = Some(Duration::from_secs(45));
    let newer = format!("<ElementOptions><UserSettings>{setting}</UserSettings></ElementOptions>");
    let older = format!("<PortSettings>{setting}</PortSettings>");
    assert_eq!(plan_of(&(newer + parameters().as_str())).timeout, time);
    assert_eq!(plan_of(&(older + parameters().as_str())).timeout, time);
    assert_eq!(plan_of(&parameters()).timeout, None);
}

#[test]
fn a_copy_without_a_source_is_of_the_parameter_its_trigger_watches() {
    let text = "<Action id='5'><On id='1'>parameter</On><Type>copy</Type></Action>
        <Trigger id='1'><On id='2'>parameter</On><Time>change</Time>
          <Content><Id>5</Id></Content></Trigger>";
    let plan = plan_of(&(text.to_owned() + parameters().as_str()));
    let copy = ParameterVerb::Copy(ParameterId(2));
    assert_eq!(
        plan.actions.get(ActionId(5)).unwrap().kind,
        ActionKind::Parameter(Some(ParameterId(1)), copy)
    );
}

#[test]
fn an_error_text_may_be_written_in_hex() {
    for (time, text) in [
        ("CONNECTION LOST", "CONNECTION LOST"),
        ("434C4F534544", "CLOSED"),
    ] {
        let plan = plan_of(&format!(
            "<Trigger id='1'><On>communication</On><Time>{time}</Time>
               <Content><Id>1</Id></Content></Trigger>
             <Action id='1'><On>protocol</On><Type>open</Type></Action>"
        ));
        let on = plan.triggers.get(TriggerId(1)).unwrap().on.clone();
        let moment = Moment::Error(text.to_owned());
        assert_eq!(on, Some((Subject::Communication(None), moment)));
    }
}

#[test]
fn timers_begin_as_they_say() {
    let second = Duration::from_secs(1);
    for (time, pace, start) in [
        (
            "<Time>1000</Time>",
            TimerTime::Every(second),
            TimerStart::AtOnce,
        ),
        (
            "<Time initial='true'>1000</Time>",
            TimerTime::Every(second),
            TimerStart::AtOnce,
        ),
        (
            "<Time initial='false'>loop</Time>",
            TimerTime::Loop,
            TimerStart::Stopped,
        ),
        (
            "<Time initial='random=0:300'>1000</Time>",
            TimerTime::Every(second),
            TimerStart::Random(Duration::ZERO, second * 300),
        ),
    ] {
        let plan = plan_of(&format!(
            "<Timer id='1'>{time}<Content><Group>1</Group></Content></Timer>
             <Group id='1'><Content><Action>1</Action></Content></Group>
             <Action id='1'><On>protocol</On><Type>close</Type></Action>"
        ));
        let timer = plan.timers.get(TimerId(1)).unwrap();
        assert_eq!((timer.time, timer.start), (pace, start), "{time}");
        assert_eq!(timer.groups, [GroupId(1)]);
    }
}

#[test]
fn lengths_know_what_they_count_and_who_makes_and_checks_them() {
    let length = |id, counted: &str| {
        format!(
            "<Param id='{id}'><Name>L{id}</Name><Type>length</Type><Interprete>
               <RawType>numeric text</RawType><LengthType>fixed</LengthType><Length>2</Length>
               <Type>double</Type></Interprete>{counted}</Param>"
        )
    };
    let counted = "<Length><Content><Param>3</Param><Param>0</Param></Content></Length>";
    let actions = "<Action id='5'><On>command</On><Type>length</Type></Action>
        <Action id='6'><On>response</On><Type>length</Type></Action>";
    let text = [length(11, ""), length(12, counted), actions.to_owned()].concat();
    let plan = plan_of(&text);
    assert_eq!(plan.counted, [(ParameterId(12), vec![3, 0])].into());
    let kind = |id| plan.actions.get(ActionId(id)).unwrap().kind.clone();
    assert_eq!(kind(5), ActionKind::MakeWithLength(None));
    assert_eq!(kind(6), ActionKind::CheckLength(None));
}
