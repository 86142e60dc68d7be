//! Links open, fail, close and are told.

use bowline_connector::{
    machine::{Answer, Effect, LinkPhase, Loss, LossClass, Value},
    plan::{
        ActionKind, Handshake, Link, LinkId, Moment, NotifyParameters, ParameterId, ParameterVerb,
        RequestPath, ResponseTargets, SessionId, Source, Subject,
    },
};
use bytes::Bytes;

use super::sketch::{
    Bench, Sketch, defaulted, endpoint, link, loss, number, saved, settings, text, told, words,
};

const OPEN: Effect = Effect::Open(LinkId(0));
const REOPEN: Effect = Effect::Reopen(LinkId(0));
const CLOSE: Effect = Effect::Close(LinkId(0));

/// Takes all effects and keeps those that open and close links.
fn asked(bench: &mut Bench) -> Vec<Effect> {
    let effects = bench.effects().into_iter();
    effects
        .filter(|effect| {
            matches!(
                effect,
                Effect::Open(_) | Effect::Close(_) | Effect::Reopen(_)
            )
        })
        .collect()
}

#[test]
fn the_notify_parameter_is_told_transitions_only_and_the_first_state_once() {
    let notify = NotifyParameters {
        connections: Some(ParameterId(1)),
        disconnections: Some(ParameterId(2)),
    };
    let declared = Link { notify, ..link() };
    let mut bench = Sketch::default()
        .link(0, declared)
        .number(1)
        .number(2)
        .start();
    assert_eq!(bench.value(1), &Value::Empty);
    bench.fail(0);
    assert_eq!(bench.changes(1), [Value::Number(0.0)]);
    bench.fail(0);
    bench.fail(0);
    assert_eq!(bench.changes(1), [], "failed attempts are no transitions");
    bench.open(0);
    assert_eq!(bench.changes(1), [Value::Number(1.0)]);
    assert_eq!(bench.value(2), &Value::Empty);
    bench.close(0, Some(1001));
    assert_eq!(bench.changes(1), [Value::Number(0.0)]);
    assert_eq!(bench.value(2), &Value::Number(1001.0));
    bench.open(0);
    bench.close(0, None);
    assert_eq!(
        bench.value(2),
        &Value::Number(1006.0),
        "there was no close frame"
    );
}

#[test]
fn a_saved_state_is_told_anew_after_a_restart() {
    let sketch = Sketch::default()
        .link(0, told(1))
        .parameter(1, saved(number()));
    let settings = settings(&sketch.0);
    let mut bench = sketch.start_with(settings, [(1, Value::Number(1.0))]);
    bench.effects();
    bench.open(0);
    assert_eq!(bench.changes(1), [Value::Number(1.0)]);
}

#[test]
fn a_set_endpoint_reopens_its_link_also_with_the_same_value() {
    let mut bench = Sketch::default()
        .link(0, link())
        .parameter(1, endpoint(0))
        .start();
    assert_eq!(asked(&mut bench), [OPEN]);
    bench.set(1, words("192.0.2.7:80"));
    assert_eq!(asked(&mut bench), [REOPEN]);
    assert_eq!(
        bench.machine.attempt(LinkId(0)).unwrap().url,
        "ws://192.0.2.7:80/"
    );
    bench.open(0);
    bench.set(1, words("192.0.2.7:80"));
    assert_eq!(asked(&mut bench), [REOPEN]);
    assert_eq!(
        bench.machine.link_phase(LinkId(0)),
        Some(LinkPhase::Opening)
    );
}

#[test]
fn an_empty_endpoint_closes_its_link_for_good() {
    let mut bench = Sketch::default()
        .link(0, link())
        .parameter(1, endpoint(0))
        .start();
    bench.open(0);
    bench.effects();
    bench.set(1, words(""));
    assert_eq!(asked(&mut bench), [CLOSE]);
    assert_eq!(bench.machine.link_phase(LinkId(0)), Some(LinkPhase::Closed));
    bench.close(0, Some(1000));
    bench.set(1, Value::Empty);
    bench.pass(100_000);
    assert_eq!(asked(&mut bench), []);
    bench.set(1, words("192.0.2.7:80"));
    assert_eq!(asked(&mut bench), [OPEN]);
}

#[test]
fn copy_clear_and_copy_back_reconnect_once() {
    let verb = |id, verb| ActionKind::Parameter(Some(ParameterId(id)), verb);
    let mut bench = Sketch::default()
        .link(0, link())
        .parameter(1, defaulted(endpoint(0), "192.0.2.7"))
        .text(2)
        .action(1, verb(2, ParameterVerb::Copy(ParameterId(1))))
        .action(2, verb(1, ParameterVerb::Clear))
        .action(3, verb(1, ParameterVerb::Copy(ParameterId(2))))
        .called(1, &[1, 2, 3])
        .called(2, &[1, 3])
        .start();
    assert_eq!(asked(&mut bench), [OPEN]);
    bench.fire(2);
    assert_eq!(asked(&mut bench), [], "the same value is no change");
    bench.fire(1);
    assert_eq!(asked(&mut bench), [REOPEN]);
}

#[test]
fn a_link_without_endpoint_is_told_unless_a_parameter_may_give_one() {
    for (is_dynamic, notices) in [(false, 1), (true, 0)] {
        let mut sketch = Sketch::default().link(0, link());
        if is_dynamic {
            sketch = sketch.parameter(1, endpoint(0));
        }
        let mut settings = settings(&sketch.0);
        settings.links.clear();
        let mut bench = sketch.start_with(settings, []);
        let effects = bench.effects();
        let told = effects
            .iter()
            .filter(|effect| matches!(effect, Effect::Notice(_)));
        assert_eq!(told.count(), notices);
        assert!(!effects.contains(&OPEN));
    }
}

#[test]
fn actions_and_callers_open_and_close_links() {
    let mut bench = Sketch::default()
        .link(0, link())
        .link(1, link())
        .action(1, ActionKind::CloseLink(None))
        .action(2, ActionKind::OpenLink(Some(LinkId(0))))
        .called(1, &[1])
        .called(2, &[2])
        .start();
    bench.effects();
    bench.fire(1);
    bench.fire(1);
    assert_eq!(asked(&mut bench), [CLOSE, Effect::Close(LinkId(1))]);
    bench.fire(2);
    bench.fire(2);
    assert_eq!(asked(&mut bench), [OPEN]);
    bench.machine.reconnect(LinkId(0), bench.now);
    bench.machine.reconnect(LinkId(1), bench.now);
    assert_eq!(asked(&mut bench), [REOPEN, Effect::Open(LinkId(1))]);
}

#[test]
fn an_answer_fills_the_parameters_of_the_session_before_the_state_is_told() {
    let targets = ResponseTargets {
        status_line: Some(ParameterId(2)),
        body: Some(ParameterId(3)),
        headers: vec![
            ("Set-Cookie".to_owned(), ParameterId(4)),
            ("Server".to_owned(), ParameterId(99)),
        ],
    };
    let mut sketch = Sketch::default()
        .link(
            0,
            Link {
                handshake: Some(SessionId(7)),
                ..told(1)
            },
        )
        .number(1)
        .text(2)
        .text(3)
        .text(4)
        .text(5)
        .action(
            1,
            ActionKind::Parameter(Some(ParameterId(5)), ParameterVerb::Copy(ParameterId(2))),
        )
        .on(1, (Subject::Parameter(Some(1)), Moment::Change), &[1]);
    let handshake = Handshake {
        name: String::new(),
        timeout: None,
        path: RequestPath::Endpoint,
        headers: Vec::new(),
        query: Vec::new(),
        targets,
        credentials: None,
        proxy: None,
    };
    sketch.0.handshakes.insert(SessionId(7), handshake).unwrap();
    let mut bench = sketch.start();
    let refusal = Answer {
        status_line: "HTTP/1.1 403 Forbidden".to_owned(),
        headers: vec![
            ("set-cookie".to_owned(), b"a=1".to_vec()),
            ("Set-Cookie".to_owned(), b"b=2".to_vec()),
            ("Server".to_owned(), b"tank".to_vec()),
        ],
        body: Bytes::from_static(b"no"),
    };
    let lost = loss(None);
    bench
        .machine
        .handle_failed(LinkId(0), &lost, Some(&refusal), bench.now);
    bench.settle();
    assert_eq!(bench.value(2), &words("HTTP/1.1 403 Forbidden"));
    assert_eq!(bench.value(3), &words("no"));
    assert_eq!(bench.value(4), &words("a=1\r\nb=2"));
    assert_eq!(bench.value(5), &words("HTTP/1.1 403 Forbidden"));
    let answer = Answer {
        status_line: "HTTP/1.1 101 Switching Protocols".to_owned(),
        ..Answer::default()
    };
    bench.machine.handle_opened(LinkId(0), &answer, bench.now);
    bench.settle();
    assert_eq!(bench.value(5), &words("HTTP/1.1 101 Switching Protocols"));
    assert_eq!(bench.value(3), &words(""));
}

#[test]
fn a_failed_attempt_takes_the_next_endpoint_and_a_loss_the_preferred_one() {
    let sketch = Sketch::default().link(0, link());
    let mut settings = settings(&sketch.0);
    let link = settings.links.get_mut(&LinkId(0)).unwrap();
    link.endpoints = vec!["a.example".to_owned(), "b.example".to_owned()];
    let mut bench = sketch.start_with(settings, []);
    let url = |bench: &Bench| bench.machine.attempt(LinkId(0)).unwrap().url;
    assert_eq!(url(&bench), "ws://a.example/");
    bench.fail(0);
    assert_eq!(url(&bench), "ws://b.example/");
    bench.fail(0);
    assert_eq!(url(&bench), "ws://a.example/");
    bench.fail(0);
    bench.open(0);
    bench.close(0, None);
    assert_eq!(url(&bench), "ws://a.example/");
}

#[test]
fn triggers_on_communication_fire_by_the_text_of_the_loss() {
    let one = Source::Literal("1".to_owned());
    let error = |text: &str| Moment::Error(text.to_owned());
    let mut bench = Sketch::default()
        .link(0, link())
        .number(1)
        .action(
            1,
            ActionKind::Parameter(Some(ParameterId(1)), ParameterVerb::Increment(one)),
        )
        .on(
            1,
            (Subject::Communication(None), error("the link is gone")),
            &[1],
        )
        .on(
            2,
            (Subject::Communication(None), error("something else")),
            &[1],
        )
        .start();
    bench.open(0);
    bench.close(0, None);
    assert_eq!(bench.value(1), &Value::Number(1.0));
    let other = Loss {
        class: LossClass::Network,
        code: None,
        text: "no route".to_owned(),
    };
    bench
        .machine
        .handle_failed(LinkId(0), &other, None, bench.now);
    assert_eq!(bench.value(1), &Value::Number(1.0));
}

#[test]
fn what_is_told_of_links_the_connector_does_not_have_is_ignored() {
    let mut bench = Sketch::default()
        .link(0, link())
        .parameter(1, text())
        .start();
    bench.effects();
    bench.open(5);
    bench.close(5, None);
    bench.fail(5);
    bench.machine.reconnect(LinkId(5), bench.now);
    assert_eq!(bench.effects(), []);
    assert_eq!(bench.machine.link_phase(LinkId(5)), None);
}
