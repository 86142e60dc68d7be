//! Clown.Talk, line by line.

use bowline_bus::{
    Retain, TopicError, TopicLimits,
    dialect::clown_talk::{
        Device, EncodeError, Line, Malformed, Message, Options, ParseLimits, PayloadMode, Received,
        RetainPolicy, Session, StartMode, Window, WindowError, encode, is_state_topic, lines,
        parse,
    },
};
use proptest::prelude::*;

fn window(base: &str) -> Window {
    Window::new(base, &TopicLimits::default()).unwrap()
}

fn session(base: &str, options: Options) -> Session {
    Session::new(window(base), TopicLimits::default(), options)
}

fn published(received: Received) -> (String, String, Retain) {
    let Received::Publish {
        publication,
        retain,
    } = received
    else {
        panic!("expected a publication, got {received:?}");
    };
    let payload = String::from_utf8(publication.payload.to_vec()).unwrap();
    (publication.topic.to_string(), payload, retain)
}

#[test]
fn a_payload_keeps_its_exact_text() {
    for (line, topic, payload) in [
        (r#"["a/b", {"state": true}]"#, "a/b", r#"{"state": true}"#),
        (r#"["a",{"n":1.0e2,"n":1}]"#, "a", r#"{"n":1.0e2,"n":1}"#),
        ("[\"a\",  [1 ,2]  ]\r", "a", "[1 ,2]"),
        ("\t [\"a\", null ] ", "a", "null"),
        (r#"["\u0061\/b", "\u2103"]"#, "a/b", r#""\u2103""#),
        (
            r#"["a", 12345678901234567890123]"#,
            "a",
            "12345678901234567890123",
        ),
        ("[\"a\", \"\u{2103}\"]", "a", "\"\u{2103}\""),
    ] {
        let message = Message {
            topic: topic.to_owned(),
            payload,
        };
        assert_eq!(
            parse(line, &ParseLimits::default()),
            Ok(Line::Message(message)),
            "{line}"
        );
    }
}

#[test]
fn malformed_lines_are_told_apart() {
    let deep = format!("[\"a\", {}{}]", "[".repeat(65), "]".repeat(65));
    let long = format!("[\"a\", \"{}\"]", "x".repeat(1 << 20));
    for (line, malformed) in [
        ("nonsense", Malformed::NotJson { column: 2 }),
        ("[\"a\", {}", Malformed::NotJson { column: 8 }),
        ("[\"a\", {}] x", Malformed::NotJson { column: 11 }),
        ("[\"a\", {}][\"b\", {}]", Malformed::NotJson { column: 10 }),
        ("{}", Malformed::NotPair),
        ("[]", Malformed::NotPair),
        ("[\"a\"]", Malformed::NotPair),
        ("[\"a\", 1, 2]", Malformed::NotPair),
        ("[1, {}]", Malformed::NotPair),
        ("[null, {}]", Malformed::NotPair),
        (&deep, Malformed::TooDeep { max: 64 }),
        (
            &long,
            Malformed::TooLong {
                length: (1 << 20) + 9,
                max: 1 << 20,
            },
        ),
    ] {
        let short: String = line.chars().take(40).collect();
        assert_eq!(
            parse(line, &ParseLimits::default()),
            Err(malformed),
            "{short}"
        );
    }
}

#[test]
fn brackets_inside_strings_are_not_depth() {
    let limits = ParseLimits {
        depth_max: 2,
        ..ParseLimits::default()
    };
    for (line, fits) in [
        (r#"["a", [{"x": "[[[\"[[[{{{"}]]"#, true),
        (r#"["a", ["\\", [1]]]"#, true),
        (r#"["a", ["\\", [[1]]]]"#, false),
        (r#"["a", [[], [], {}]]"#, true),
    ] {
        assert_eq!(parse(line, &limits).is_ok(), fits, "{line}");
    }
}

#[test]
fn object_mode_refuses_other_payloads() {
    let limits = ParseLimits {
        payload: PayloadMode::Object,
        ..ParseLimits::default()
    };
    assert!(parse(r#"["a", {}]"#, &limits).is_ok());
    for payload in ["null", "1", "true", "[{}]", "\"{}\""] {
        let line = format!("[\"a\", {payload}]");
        assert_eq!(parse(&line, &limits), Err(Malformed::NotObject));
        assert!(parse(&line, &ParseLimits::default()).is_ok());
    }
}

#[test]
fn a_message_may_hold_several_lines_or_none() {
    let mut session = session("", Options::default());
    let text = "[\"a\", 1]\n\n# temperature: warm\r\nnonsense\n[\"b\", 2]\r\n\n";
    let received: Vec<_> = lines(text).map(|line| session.receive(line)).collect();
    let topics: Vec<_> = received
        .into_iter()
        .filter(|received| matches!(received, Received::Publish { .. }))
        .map(|received| published(received).0)
        .collect();
    assert_eq!(topics, ["a", "b"]);
    let counters = session.counters();
    assert_eq!(
        (counters.messages, counters.log_lines, counters.malformed),
        (2, 1, 1)
    );
    assert_eq!(lines("").count(), 0);
    assert_eq!(lines("\n").collect::<Vec<_>>(), [""]);
}

#[test]
fn malformed_input_leaves_the_session_working() {
    let mut session = session("x", Options::default());
    for (line, malformed) in [
        ("[", Malformed::NotJson { column: 1 }),
        (r#"["", 1]"#, Malformed::Topic(TopicError::Empty)),
        (r#"["a/#", 1]"#, Malformed::Topic(TopicError::Wildcard)),
        (r#"["a\u0000", 1]"#, Malformed::Topic(TopicError::Nul)),
    ] {
        assert_eq!(session.receive(line), Received::Malformed(malformed));
    }
    session.refuse(Malformed::NotUtf8);
    assert_eq!(session.counters().malformed, 5);
    assert_eq!(published(session.receive(r#"["a", 1]"#)).0, "x/a");
}

#[test]
fn the_init_message_is_answered_in_both_forms() {
    let device = Device {
        firmware_datetime: "2016-10-05T16:04:41Z".to_owned(),
        firmware_release: "1.2.3".to_owned(),
        ..Device::default()
    };
    let mut session = session(
        "nodes/bridge/0",
        Options {
            device,
            ..Options::default()
        },
    );
    let payload = "{\"ack\":false,\"device\":\"bridge\",\"capabilities\":1,\
        \"firmware-datetime\":\"2016-10-05T16:04:41Z\",\"firmware-release\":\"1.2.3\"}";
    for (init, topic) in [
        ("clown.talk/-/config/set", "clown.talk/-/config/ok"),
        ("$config/clown.talk/-/create", "$config/clown.talk/-"),
    ] {
        let reply = format!("[\"{topic}\", {payload}]\n");
        let received = session.receive(&format!("[\"{init}\", {{}}]"));
        assert_eq!(received, Received::Init { reply });
    }
    assert_eq!(session.counters().inits, 2);
}

#[test]
fn a_strict_session_is_silent_until_the_init_message() {
    let mut strict = session(
        "",
        Options {
            start: StartMode::Strict,
            ..Options::default()
        },
    );
    assert!(!strict.is_talking());
    let early = strict.receive(r#"["a", 1]"#);
    assert_eq!(early, Received::Malformed(Malformed::BeforeInit));
    strict.receive(r#"["clown.talk/-/config/set", {}]"#);
    assert!(strict.is_talking());
    assert_eq!(published(strict.receive(r#"["a", 1]"#)).0, "a");
    assert!(session("", Options::default()).is_talking());
}

#[test]
fn a_window_adds_its_base_inward_and_strips_it_outward() {
    let limits = TopicLimits::default();
    let nodes = window("nodes/bridge/0");
    let inside = nodes.inward("relay/i2c0-3b/set", &limits).unwrap();
    assert_eq!(inside.as_str(), "nodes/bridge/0/relay/i2c0-3b/set");
    assert_eq!(nodes.outward(&inside), Some("relay/i2c0-3b/set"));
    assert_eq!(nodes.filter().as_str(), "nodes/bridge/0/#");
    let whole = window("");
    assert_eq!(whole.filter().as_str(), "#");
    assert_eq!(whole.outward(&inside), Some(inside.as_str()));
    for outside in [
        "nodes/bridge/0",
        "nodes/bridge/00/a",
        "nodes/bridge",
        "nodes/bridge/0/",
    ] {
        let topic = whole.inward(outside, &limits).unwrap();
        assert_eq!(nodes.outward(&topic), None, "{outside}");
    }
}

#[test]
fn reserved_topics_are_out_of_reach() {
    let limits = TopicLimits::default();
    assert_eq!(Window::new("$SYS", &limits), Err(WindowError::Reserved));
    assert_eq!(
        window("").inward("$SYS/a", &limits),
        Err(WindowError::Reserved)
    );
    let received = session("", Options::default()).receive(r#"["$SYS/a", 1]"#);
    assert_eq!(received, Received::Malformed(Malformed::Reserved));
    let inside = window("n").inward("$a", &limits).unwrap();
    assert_eq!(inside.as_str(), "n/$a");
}

#[test]
fn names_in_urls_give_windows() {
    for (name, base) in [
        ("clown-talk-server_nodes_bridge_0", "nodes/bridge/0"),
        (
            "clown-talk-server_nodes_bridge_simulator",
            "nodes/bridge/simulator",
        ),
        ("clown-talk-server_x", "x"),
        ("clown-talk-server", ""),
        ("clown-talk-server_", ""),
    ] {
        let window = Window::from_program(name, &TopicLimits::default());
        assert_eq!(window.as_ref().map(Window::base), Ok(base), "{name}");
    }
    for (name, error) in [
        ("", WindowError::OtherProgram),
        ("clown-talk-serverx", WindowError::OtherProgram),
        ("clown-talk-client_nodes", WindowError::OtherProgram),
        ("clown-talk-server_$SYS", WindowError::Reserved),
        (
            "clown-talk-server_a_#",
            WindowError::Topic(TopicError::Wildcard),
        ),
    ] {
        assert_eq!(
            Window::from_program(name, &TopicLimits::default()),
            Err(error),
            "{name}"
        );
    }
}

#[test]
fn states_are_retained_and_verbs_are_not() {
    for topic in [
        "relay/i2c0-3b",
        "thermometer/i2c0-48",
        "a",
        "nodes/0/led/-",
        "config",
        "offset",
    ] {
        assert!(is_state_topic(topic), "{topic}");
    }
    for topic in [
        "relay/i2c0-3b/set",
        "relay/i2c0-3b/get",
        "thermometer/i2c0-48/config/update",
        "thermometer/i2c0-48/config/ok",
        "thermometer/i2c0-48/config/ok/x",
        "-/-/config/list",
        "-/-/config/list/ok",
        "get",
    ] {
        assert!(!is_state_topic(topic), "{topic}");
    }
    for (policy, topic, payload, retain) in [
        (RetainPolicy::State, "relay/x", "{}", Retain::Keep),
        (RetainPolicy::State, "relay/x", "null", Retain::Forget),
        (RetainPolicy::State, "relay/x/set", "null", Retain::No),
        (RetainPolicy::Never, "relay/x", "{}", Retain::No),
    ] {
        assert_eq!(policy.decide(topic, payload), retain, "{topic} {payload}");
    }
}

#[test]
fn the_base_does_not_decide_what_is_retained() {
    let mut session = session("nodes/config", Options::default());
    assert_eq!(
        published(session.receive(r#"["relay/x", 1]"#)).2,
        Retain::Keep
    );
}

#[test]
fn a_message_is_written_as_one_line() {
    for (topic, payload, line) in [
        ("a/b", "{\"x\": 1}", "[\"a/b\", {\"x\": 1}]\n"),
        ("a\"b\\", "null", "[\"a\\\"b\\\\\", null]\n"),
        (
            "a",
            " {\n  \"x\":\r\n 1\n}\n",
            "[\"a\", {   \"x\":   1 }]\n",
        ),
        ("a", "\"\\n\"", "[\"a\", \"\\n\"]\n"),
    ] {
        assert_eq!(encode(topic, payload.as_bytes()).as_deref(), Ok(line));
    }
    for payload in [&b""[..], b"x", b"{} {}", b"\"\xff\"", b"\"a\nb\""] {
        assert_eq!(
            encode("a", payload),
            Err(EncodeError::NotJson),
            "{payload:?}"
        );
    }
}

proptest! {
    #[test]
    fn no_text_makes_a_session_panic_and_every_line_is_counted(text in "\\PC{0,200}|[\\[\\]\"{},:#\na1\\\\ ]{0,80}") {
        let mut session = session("base", Options::default());
        let mut skipped = 0;
        let mut total = 0;
        for line in lines(&text) {
            total += 1;
            skipped += u64::from(session.receive(line) == Received::Skipped);
        }
        let counters = session.counters();
        prop_assert_eq!(
            counters.messages + counters.inits + counters.malformed + skipped,
            total
        );
    }

    #[test]
    fn what_is_written_can_be_read(topic in "[^+#\0]{1,40}", text in "\\PC{0,40}", number: i64) {
        let payload = format!("[{}, {number}]", serde_json::Value::from(text));
        let line = encode(&topic, payload.as_bytes()).unwrap();
        prop_assert_eq!(line.matches('\n').count(), 1);
        let message = Message { topic, payload: &payload };
        prop_assert_eq!(parse(&line, &ParseLimits::default()), Ok(Line::Message(message)));
    }

    #[test]
    fn outward_undoes_inward(base in "([a-z]{1,3}/){0,3}[a-z]{1,3}|", topic in "[a-z]{1,3}(/[a-z]{0,3}){0,3}") {
        let window = window(&base);
        let inside = window.inward(&topic, &TopicLimits::default()).unwrap();
        prop_assert!(window.filter().matches(&inside));
        prop_assert_eq!(window.outward(&inside), Some(topic.as_str()));
    }
}
