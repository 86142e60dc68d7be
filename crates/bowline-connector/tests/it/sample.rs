//! The sample connector: two links, of which one has a handshake of its own.

use std::time::Duration;

use bowline_connector::{
    Plan,
    diagnostic::{Code, Severity},
    plan::{
        ActionId, ActionKind, Alarm, BusAddress, Command, CommandId, Discreet, GroupContent,
        GroupId, GroupKind, GroupLink, HookId, LengthRule, LinkId, Measurement, MessageKind,
        Moment, NotifyParameters, PairId, ParameterId, ParameterKind, ParameterVerb, QueueVerb,
        RawType, RequestPath, Response, ResponseId, SessionId, Source, Subject, TimerId,
        TimerStart, TimerTime, TriggerContent, TriggerId, ValueKind,
    },
    read,
};

const SAMPLE: &[u8] = include_bytes!("../data/acme-tank.xml");

fn plan() -> Plan {
    read("acme-tank.xml", SAMPLE).plan.unwrap()
}

#[test]
fn nothing_is_said_of_the_sample_but_that_its_code_is_not_run() {
    let reading = read("acme-tank.xml", SAMPLE);
    let said: Vec<_> = reading
        .diagnostics
        .iter()
        .map(|one| (one.severity, one.code))
        .collect();
    assert_eq!(said, [(Severity::Note, Code::CodeNotRun)]);
}

#[test]
fn the_connector_says_who_it_is() {
    let plan = plan();
    assert_eq!(plan.name, "Acme Tank Telemetry");
    assert_eq!(plan.version, "1.0.0.1");
    assert_eq!(plan.vendor, "Example");
    assert!(plan.description.starts_with("Two WebSocket links"));
}

#[test]
fn links_have_their_options_and_settings() {
    let plan = plan();
    assert_eq!(plan.links.len(), 2);
    let command = plan.links.get(LinkId(0)).unwrap();
    assert_eq!(command.name, "Command Link");
    assert_eq!(
        command.notify,
        NotifyParameters {
            connections: Some(ParameterId(20)),
            disconnections: None,
        }
    );
    assert!(command.is_composed_at_enqueue);
    assert_eq!(command.handshake, None);
    assert!(BusAddress::bypasses_proxy(
        command.bus_address.default.as_deref().unwrap()
    ));
    assert_eq!(command.port, Some(9001));
    assert_eq!(command.timeout, Some(Duration::from_millis(2500)));
    assert_eq!(command.retries, Some(2));
    assert!(!command.port_fixed && !command.is_redundant && !command.is_unverified);

    let feed = plan.links.get(LinkId(1)).unwrap();
    assert_eq!(feed.notify.connections, Some(ParameterId(21)));
    assert_eq!(feed.notify.disconnections, Some(ParameterId(22)));
    assert_eq!(feed.handshake, Some(SessionId(7)));
    assert_eq!(feed.retries, Some(0));
}

#[test]
fn the_handshake_takes_and_stores_parameters() {
    let plan = plan();
    let handshake = plan.handshakes.get(SessionId(7)).unwrap();
    let parameter = |id| Source::Parameter(ParameterId(id));
    assert_eq!(handshake.path, RequestPath::From(parameter(30)));
    assert_eq!(
        handshake.headers,
        [
            ("Sec-WebSocket-Extensions".to_owned(), parameter(31)),
            ("Authorization".to_owned(), parameter(32)),
        ]
    );
    assert_eq!(handshake.targets.status_line, Some(ParameterId(33)));
    assert_eq!(handshake.targets.body, Some(ParameterId(35)));
    let stored = ("Sec-WebSocket-Accept".to_owned(), ParameterId(34));
    assert_eq!(handshake.targets.headers, [stored]);
    assert_eq!(handshake.timeout, None);
}

#[test]
fn parameters_are_described() {
    let plan = plan();
    let get = |id| plan.parameters.get(ParameterId(id)).unwrap();
    let endpoint = get(11);
    assert_eq!(endpoint.name, "EventFeedEndpoint");
    assert_eq!(endpoint.description, "Event Feed Endpoint");
    assert_eq!(endpoint.kind, ParameterKind::Read);
    assert!(endpoint.save && !endpoint.trending && endpoint.is_displayed);
    assert_eq!(endpoint.endpoint_of, Some(LinkId(1)));
    assert_eq!(endpoint.measurement, Measurement::Text);
    let within = &endpoint.interpretation;
    assert_eq!(within.raw, RawType::Other);
    assert_eq!(within.length, LengthRule::NextParameter);
    assert_eq!(within.kind, ValueKind::Text);
    assert_eq!(within.default.as_deref(), Some("ws://192.0.2.40:9002"));
    assert_eq!(get(10).endpoint_of, Some(LinkId(0)));

    let write = get(12);
    assert_eq!(write.kind, ParameterKind::Write);
    assert!(write.setter && write.trending);
    assert!(!get(13).is_displayed);

    let button = get(14);
    assert_eq!(button.measurement, Measurement::Button);
    assert_eq!(button.discreets, [discreet("Reconnect", "1")]);

    let state = get(20);
    assert_eq!(state.subtext, "0 means closed, 1 means open.");
    assert_eq!(state.interpretation.raw, RawType::NumericText);
    assert_eq!(state.interpretation.kind, ValueKind::Double);
    assert_eq!(
        state.discreets,
        [discreet("Closed", "0"), discreet("Open", "1")]
    );
    assert_eq!(
        state.alarm,
        Some(Alarm {
            is_monitored: true,
            normal: Some("1".to_owned()),
            low: [None, None, None, None],
            high: [Some("0".to_owned()), None, None, None],
        })
    );
    assert_eq!(
        get(40).interpretation.default.as_deref(),
        Some(r#"{"op":"level","tank":3}"#)
    );

    let wake = get(44);
    assert_eq!(wake.kind, ParameterKind::Fixed);
    assert_eq!(wake.interpretation.length, LengthRule::Fixed(3));
    assert_eq!(
        wake.interpretation.value.as_deref(),
        Some(&[0x01, 0x02, 0x7f][..])
    );
}

#[test]
fn exchanges_have_their_kinds_links_and_times() {
    let plan = plan();
    assert_eq!(
        plan.commands.get(CommandId(1)),
        Some(&Command {
            name: "Ask Level".to_owned(),
            kind: MessageKind::Text,
            content: vec![ParameterId(40)],
        })
    );
    assert_eq!(
        plan.commands.get(CommandId(3)).unwrap().kind,
        MessageKind::Binary
    );
    assert_eq!(
        plan.responses.get(ResponseId(2)),
        Some(&Response {
            name: "Feed Event".to_owned(),
            link: Some(LinkId(1)),
            content: vec![ParameterId(43)],
            optional: Vec::new(),
        })
    );
    let ask = plan.pairs.get(PairId(1)).unwrap();
    assert_eq!((ask.command, ask.link), (CommandId(1), Some(LinkId(0))));
    assert_eq!(ask.responses, [ResponseId(1)]);
    assert_eq!(
        (ask.retries, ask.timeout),
        (Some(1), Some(Duration::from_secs(3)))
    );
    let push = plan.pairs.get(PairId(2)).unwrap();
    assert!(push.responses.is_empty() && !push.ignores_timeout);
    assert!(plan.pairs.get(PairId(3)).unwrap().ignores_timeout);
}

#[test]
fn logic_is_what_it_says_and_in_the_order_of_the_file() {
    let plan = plan();
    let group = plan.groups.get(GroupId(1)).unwrap();
    assert_eq!(group.link, GroupLink::Fixed(LinkId(0)));
    assert_eq!(group.kind, GroupKind::Poll);
    assert!(group.condition.is_some());
    assert_eq!(group.content, GroupContent::Pairs(vec![PairId(1)]));

    let order: Vec<_> = plan.triggers.iter().map(|(id, _)| id.0).collect();
    assert_eq!(order, [50, 51, 52, 53, 56, 54, 55]);
    let on = |id| plan.triggers.get(TriggerId(id)).unwrap().on.clone();
    assert_eq!(on(50), Some((Subject::Command(None), Moment::Before)));
    assert_eq!(on(51), Some((Subject::Response(None), Moment::Before)));
    assert_eq!(on(52), Some((Subject::Parameter(Some(21)), Moment::Change)));
    assert_eq!(on(53), None);
    assert_eq!(on(56), Some((Subject::Response(Some(2)), Moment::After)));
    assert_eq!(
        on(55),
        Some((Subject::Pair(Some(1)), Moment::TimeoutAfterRetries))
    );
    let pressed = &plan.triggers.get(TriggerId(54)).unwrap().content;
    let actions = [55, 56, 57].map(ActionId).to_vec();
    assert_eq!(*pressed, TriggerContent::Actions(actions));

    let parameter = |id, verb| ActionKind::Parameter(Some(ParameterId(id)), verb);
    for (id, kind) in [
        (50, ActionKind::Make(None)),
        (51, ActionKind::Read(None)),
        (
            52,
            ActionKind::Queue(vec![GroupId(2)], QueueVerb::ExecuteOneTop),
        ),
        (53, parameter(43, ParameterVerb::Clear)),
        (54, ActionKind::ClearResponse(Some(ResponseId(2)))),
        (55, parameter(13, ParameterVerb::Copy(ParameterId(11)))),
        (56, parameter(11, ParameterVerb::Clear)),
        (57, parameter(11, ParameterVerb::Copy(ParameterId(13)))),
        (
            58,
            ActionKind::Queue(vec![GroupId(1)], QueueVerb::AddToExecute),
        ),
    ] {
        assert_eq!(plan.actions.get(ActionId(id)).unwrap().kind, kind, "{id}");
    }

    let timer = plan.timers.get(TimerId(1)).unwrap();
    assert_eq!(timer.time, TimerTime::Every(Duration::from_secs(10)));
    assert_eq!(timer.start, TimerStart::AtOnce);
    assert_eq!(timer.interval, Duration::from_millis(75));
    assert_eq!(timer.groups, [GroupId(1)]);
}

#[test]
fn code_is_kept() {
    let plan = plan();
    let hook = plan.hooks.get(HookId(1)).unwrap();
    assert_eq!(hook.language, "csharp");
    assert_eq!(
        (&hook.triggers[..], &hook.inputs[..]),
        (&[ParameterId(43)][..], &[ParameterId(43)][..])
    );
    assert!(hook.is_binary);
    assert!(hook.text.starts_with("/* decode"));
}

#[test]
fn namespace_prefix_order_and_encoding_make_no_difference() {
    let text = std::str::from_utf8(SAMPLE).unwrap();
    let plan = plan();
    let bare = text.replace(r#" xmlns="http://www.skyline.be/protocol""#, "");
    assert_eq!(read("a.xml", bare.as_bytes()).plan.as_ref(), Some(&plan));

    let prefixed = text
        .replace("xmlns=", "xmlns:p=")
        .replace('<', "<p:")
        .replace("<p:/", "</p:");
    let prefixed = prefixed.replace("<p:!", "<!").replace("<p:?", "<?");
    assert_eq!(
        read("a.xml", prefixed.as_bytes()).plan.as_ref(),
        Some(&plan)
    );

    let crlf = text.replace('\n', "\r\n");
    assert_eq!(read("a.xml", crlf.as_bytes()).plan.as_ref(), Some(&plan));

    let declared = text.replacen("utf-8", "utf-16", 1);
    let units = std::iter::once(0xfeff).chain(declared.encode_utf16());
    let bytes: Vec<u8> = units.flat_map(u16::to_le_bytes).collect();
    assert_eq!(read("a.xml", &bytes).plan.as_ref(), Some(&plan));

    let (first, rest) = text.split_once("  <Commands>").unwrap();
    let (commands, last) = rest.split_once("</Commands>").unwrap();
    let (head, tail) = first.split_once("  <Connections>").unwrap();
    let moved = format!("{head}<Commands>{commands}</Commands><Connections>{tail}{last}");
    assert_eq!(read("a.xml", moved.as_bytes()).plan.as_ref(), Some(&plan));
}

fn discreet(display: &str, value: &str) -> Discreet {
    Discreet {
        display: display.to_owned(),
        value: value.to_owned(),
    }
}
