//! Elements played from a record, in its own time.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bowline_connector::{
    ElementSettings, Plan,
    element::LinkSettings,
    hooks::{HookCall, Hooks},
    machine::{Answer, Value},
    plan::{LinkId, MessageKind, ParameterId},
    read,
    record::{Input, Output},
    replay::{Replay, ReplayError},
};

fn plan() -> Arc<Plan> {
    let sample = include_bytes!("../data/acme-tank.xml");
    Arc::new(read("acme-tank.xml", sample).plan.unwrap())
}

fn settings() -> Arc<ElementSettings> {
    let link = LinkSettings {
        endpoints: vec!["ws://192.0.2.1:9001".into()],
        ..LinkSettings::default()
    };
    Arc::new(ElementSettings {
        name: "tank".into(),
        id: 1,
        links: BTreeMap::from([(LinkId(0), link)]),
        timeout: Some(Duration::from_mins(10)),
        parameters: BTreeMap::new(),
        delivers_duplicates: false,
        extractions: Vec::new(),
    })
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn opened(link: u32) -> Input {
    Input::Opened {
        link: LinkId(link),
        answer: Answer::default(),
    }
}

fn message(link: u32, text: &'static str) -> Input {
    Input::Message {
        link: LinkId(link),
        kind: MessageKind::Text,
        payload: text.into(),
    }
}

fn played(hooks: &Hooks, inputs: &[(f64, Input)]) -> Replay {
    let mut replay = Replay::start(plan(), settings(), hooks, (Vec::new(), 7)).unwrap();
    let inputs = inputs.iter().map(|(at, input)| (seconds(*at), input));
    replay.play(inputs).unwrap();
    replay
}

/// When messages went out on the command link.
fn sent(replay: &Replay) -> Vec<f64> {
    let outputs = replay.outputs().iter();
    let times = outputs.filter_map(|(at, output)| match output {
        Output::Message { link, .. } if *link == LinkId(0) => Some(at.as_secs_f64()),
        Output::Message { .. } | Output::Attempt(..) | Output::Changed(..) => None,
    });
    times.collect()
}

#[test]
fn timers_and_timeouts_run_between_what_was_recorded() {
    let inputs = [(0.1, opened(0)), (17.0, Input::End)];
    // Asked by the timer, asked again after 3 s, given up and asked anew after the timer's interval.
    assert_eq!(sent(&played(&Hooks::new(), &inputs)), [10.0, 13.0, 16.075]);
    let answered = [
        (0.1, opened(0)),
        (10.5, message(0, "{}")),
        (29.0, Input::End),
    ];
    let replay = played(&Hooks::new(), &answered);
    assert_eq!(sent(&replay)[..2], [10.0, 20.0]);
    assert_eq!(replay.value(ParameterId(41)), &Value::from("{}"));
}

#[test]
fn what_was_due_is_done_when_the_record_says_so() {
    let inputs = [
        (0.1, opened(0)),
        (10.01, opened(1)),
        (10.05, Input::Tick),
        (12.0, Input::End),
    ];
    let replay = played(&Hooks::new(), &inputs);
    assert_eq!(sent(&replay), [10.05]);
    // A record of long ago had a tick that is too late to be this one.
    let inputs = [(0.1, opened(0)), (12.0, Input::Tick), (12.5, Input::End)];
    assert_eq!(sent(&played(&Hooks::new(), &inputs)), [10.0]);
}

#[test]
fn hooks_run_and_their_complaints_are_kept() {
    let hooks = Hooks::new().on(ParameterId(43), |call: &mut HookCall<'_>| {
        let text = call.text(ParameterId(43))?;
        call.set(ParameterId(41), text.to_uppercase())?;
        if text == "bad" {
            return Err("not this".into());
        }
        Ok(())
    });
    let inputs = [
        (0.1, opened(1)),
        (0.2, message(1, "good")),
        (0.3, message(1, "bad")),
    ];
    let replay = played(&hooks, &inputs);
    assert_eq!(replay.value(ParameterId(41)), &Value::from("GOOD"));
    let told = replay.notices().iter().map(|(_, text)| text.as_str());
    assert!(
        told.clone().any(|text| text.contains("not this")),
        "{told:?}"
    );
}

#[test]
fn what_an_attempt_is_made_of_comes_out() {
    let inputs = [(0.1, Input::Attempt(LinkId(1)))];
    let replay = played(&Hooks::new(), &inputs);
    let attempts = replay
        .outputs()
        .iter()
        .filter_map(|(_, output)| match output {
            Output::Attempt(_, attempt) => Some(attempt.as_ref().unwrap().url.as_str()),
            Output::Message { .. } | Output::Changed(..) => None,
        });
    let expected = ["ws://192.0.2.40:9002/feed/v1/tanks"];
    assert_eq!(attempts.collect::<Vec<_>>(), expected);
}

#[test]
fn a_record_that_spans_too_much_is_refused() {
    let mut replay = Replay::start(plan(), settings(), &Hooks::new(), (Vec::new(), 7)).unwrap();
    let end = Input::End;
    let too_long = replay.play([(Duration::from_hours(24 * 400), &end)].into_iter());
    assert_eq!(too_long, Err(ReplayError::TooLong(Replay::DURATION_MAX)));
}
