//! Tests of the lines of a conversation of an element.

use std::time::Duration;

use bowline_connector::{
    machine::{Answer, Attempt, AttemptError, Loss, LossClass, ProxyUse, Value},
    plan::{LinkId, MessageKind, ParameterId, TriggerId},
    record::{Happening, Input, Output},
};

use super::Line;

const AT: Duration = Duration::from_millis(1500);

fn written(happening: &Happening) -> Line {
    let line = Line::of(AT, happening).unwrap();
    let text = serde_json::to_string(&line).unwrap();
    let read: Line = serde_json::from_str(&text).unwrap();
    assert_eq!(read, line, "{text}");
    assert_eq!(read.at().unwrap(), AT);
    read
}

fn answer() -> Answer {
    Answer {
        status_line: "HTTP/1.1 403 Forbidden".into(),
        headers: vec![("X-Odd".into(), vec![b'a', 0xE9])],
        body: vec![0, 1].into(),
    }
}

#[test]
fn what_goes_in_is_read_as_it_was() {
    let peer = LinkId(1);
    let loss = |class, code| Loss {
        class,
        code,
        text: "why".into(),
    };
    let message = |kind, payload: &'static [u8]| Input::Message {
        link: peer,
        kind,
        payload: payload.into(),
    };
    let inputs = [
        Input::Opened {
            link: peer,
            answer: answer(),
        },
        Input::Failed {
            link: peer,
            loss: loss(LossClass::Refused, None),
            answer: Some(answer()),
        },
        Input::Failed {
            link: peer,
            loss: loss(LossClass::PingTimeout, None),
            answer: None,
        },
        Input::Closed {
            link: peer,
            loss: loss(LossClass::EndpointGone, Some(1001)),
        },
        message(MessageKind::Text, b"a\"\n"),
        message(MessageKind::Binary, b"\x00\xff"),
        Input::Set(ParameterId(3), "x".into()),
        Input::Assigned(ParameterId(3), Value::Number(0.5)),
        Input::Assigned(ParameterId(3), Value::Empty),
        Input::Fired(TriggerId(4)),
        Input::Reconnect(peer),
        Input::Tick,
        Input::End,
    ];
    for input in inputs {
        let line = written(&Happening::In(input.clone()));
        assert!(!line.is_output(), "{line:?}");
        assert_eq!(line.input().unwrap(), Some(input));
    }
}

#[test]
fn what_comes_out_is_no_input_but_for_attempts() {
    let peer = LinkId(1);
    let attempt = Attempt {
        url: "wss://user:pass@host:1/a?token=s3cret&b=c".into(),
        headers: vec![
            ("Authorization".into(), b"s3cret".to_vec()),
            ("X-Plain".into(), b"1".to_vec()),
        ],
        proxy: ProxyUse::Default,
        credentials: Some(("user".into(), "s3cret".into())),
    };
    let line = written(&Happening::Out(Output::Attempt(peer, Ok(attempt))));
    let text = serde_json::to_string(&line).unwrap();
    assert!(!text.contains("s3cret") && !text.contains("pass"), "{text}");
    assert_eq!(line.url.as_deref(), Some("/a?token=...&b=c"));
    assert_eq!(line.input().unwrap(), Some(Input::Attempt(peer)));
    let failed = Output::Attempt(peer, Err(AttemptError::NoEndpoint(peer)));
    let line = written(&Happening::Out(failed));
    assert!(
        line.error
            .is_some_and(|error| error.contains("no endpoint"))
    );
    let message = Output::Message {
        link: peer,
        kind: MessageKind::Binary,
        payload: vec![1].into(),
        is_sent: false,
    };
    let changed = Output::Changed(ParameterId(3), Value::from("x"));
    for output in [message, changed] {
        let line = written(&Happening::Out(output));
        assert!(line.is_output());
        assert_eq!(line.input().unwrap(), None);
    }
    assert_eq!(Line::of(AT, &Happening::In(Input::Attempt(peer))), None);
}
