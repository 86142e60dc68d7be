//! Code on parameters: when it runs, and where it ends.

use bowline_connector::{
    machine::Value,
    plan::{
        ActionKind, Moment, ParameterId, ParameterVerb, ResponseId, Source, Subject, TriggerId,
    },
};

use super::sketch::{Bench, Sketch, link, number, words};

fn clear(id: u32) -> ActionKind {
    ActionKind::Parameter(Some(ParameterId(id)), ParameterVerb::Clear)
}

/// Response 1 fills parameter 3; parameter 8 is for what code sees.
fn sketch() -> Sketch {
    Sketch::default()
        .link(0, link())
        .text(3)
        .text(8)
        .response(1, 0, &[3])
}

fn see(bench: &mut Bench, parameter: ParameterId) {
    if parameter == ParameterId(3) {
        let seen = bench.value(3).clone();
        bench
            .machine
            .set_by_code(ParameterId(8), seen, bench.now)
            .unwrap();
    }
}

#[test]
fn code_runs_before_the_triggers_behind_the_response_that_brought_its_value() {
    let mut bench = sketch()
        .action(1, clear(3))
        .on(1, (Subject::Response(Some(1)), Moment::After), &[1])
        .start();
    bench.code = see;
    bench.receive(0, "message");
    assert_eq!(bench.value(8), &words("message"));
    assert_eq!(bench.value(3), &Value::Empty);
}

#[test]
fn a_response_that_code_clears_while_its_message_is_handled_remembers_it_all_the_same() {
    fn clear_both(bench: &mut Bench, parameter: ParameterId) {
        if parameter == ParameterId(3) {
            bench.machine.fire(TriggerId(1), bench.now).unwrap();
        }
    }
    let mut bench = sketch()
        .action(1, clear(3))
        .action(2, ActionKind::ClearResponse(Some(ResponseId(1))))
        .called(1, &[1, 2])
        .start();
    bench.code = clear_both;
    bench.receive(0, "same");
    bench.receive(0, "same");
    assert_eq!(bench.hooks(), [3]);
    bench.fire(1);
    bench.receive(0, "same");
    assert_eq!(bench.hooks(), [3]);
}

#[test]
fn what_code_sets_is_told_before_what_it_was_run_for() {
    let mut bench = sketch().start();
    bench.code = see;
    bench.receive(0, "a");
    let told: Vec<_> = bench
        .effects()
        .into_iter()
        .filter_map(|effect| {
            if let bowline_connector::machine::Effect::Changed(parameter, _) = effect {
                Some(parameter.0)
            } else {
                None
            }
        })
        .collect();
    assert_eq!(told, [8, 3]);
}

#[test]
fn code_that_sets_its_own_parameter_is_not_run_for_that() {
    fn touch(bench: &mut Bench, parameter: ParameterId) {
        let other = ParameterId(if parameter == ParameterId(3) { 8 } else { 3 });
        for id in [parameter, other] {
            bench
                .machine
                .set_by_code(id, words("x"), bench.now)
                .unwrap();
        }
    }
    let mut bench = sketch().start();
    bench.code = touch;
    bench.receive(0, "a");
    assert_eq!(bench.hooks(), [3, 8]);
    assert_eq!(bench.value(3), &words("x"));
    bench.set(8, words("b"));
    assert_eq!(bench.hooks(), [8, 3]);
}

#[test]
fn code_that_sets_off_more_and_more_code_comes_to_an_end() {
    fn fan(bench: &mut Bench, parameter: ParameterId) {
        for id in (0..60).filter(|id| *id != parameter.0) {
            let one = Value::Number(1.0);
            bench
                .machine
                .set_by_code(ParameterId(id), one, bench.now)
                .unwrap();
        }
    }
    let mut sketch = Sketch::default();
    for id in 0..60 {
        sketch = sketch.number(id);
    }
    let mut bench = sketch.start();
    bench.code = fan;
    bench.set(0, Value::Number(1.0));
    let notices = bench.notices();
    assert_eq!(notices.len(), 1, "{notices:?}");
    bench.code = |_, _| {};
    bench.set(0, Value::Number(2.0));
    assert_eq!(bench.hooks(), [0], "it goes on working");
}

#[test]
fn the_queue_waits_for_code() {
    fn set(bench: &mut Bench, parameter: ParameterId) {
        if parameter == ParameterId(3) {
            bench
                .machine
                .set_by_code(ParameterId(8), words("first"), bench.now)
                .unwrap();
        }
    }
    use bowline_connector::plan::{GroupId, GroupKind, QueueVerb};
    let literal = |text: &str| Source::Literal(text.to_owned());
    let mut bench = sketch()
        .parameter(9, number())
        .action(
            1,
            ActionKind::Parameter(Some(ParameterId(3)), ParameterVerb::Set(literal("x"))),
        )
        .action(
            2,
            ActionKind::Parameter(
                Some(ParameterId(8)),
                ParameterVerb::Append(literal(" then")),
            ),
        )
        .group(
            1,
            super::sketch::group(GroupKind::PollAction, super::sketch::actions_of(&[1, 2])),
        )
        .action(
            3,
            ActionKind::Queue(vec![GroupId(1)], QueueVerb::AddToExecute),
        )
        .called(3, &[3])
        .start();
    bench.code = set;
    bench.fire(3);
    assert_eq!(bench.value(8), &words("first then"));
}

#[test]
fn a_queue_that_never_ends_leaves_the_runner_its_turn_also_with_code() {
    use bowline_connector::plan::{GroupId, GroupKind, QueueVerb};
    let one = Source::Literal("1".to_owned());
    let again = ActionKind::Queue(vec![GroupId(1)], QueueVerb::AddToExecute);
    let mut bench = sketch()
        .parameter(9, number())
        .action(
            1,
            ActionKind::Parameter(Some(ParameterId(9)), ParameterVerb::Increment(one)),
        )
        .action(2, again)
        .group(
            1,
            super::sketch::group(GroupKind::PollAction, super::sketch::actions_of(&[1, 2])),
        )
        .called(2, &[2])
        .start();
    bench.fire(2);
    let Value::Number(first) = *bench.value(9) else {
        panic!("it counts")
    };
    assert!(first < 10_000.0, "{first}");
    bench.pass(100);
    assert_ne!(bench.value(9), &Value::Number(first), "it goes on");
}
