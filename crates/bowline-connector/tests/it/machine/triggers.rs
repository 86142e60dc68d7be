//! Triggers and actions, and where their loops end.

use std::time::Duration;

use bowline_connector::{
    machine::{Effect, SetError, Value},
    plan::{
        ActionId, ActionKind, GroupId, GroupKind, Moment, ParameterId, ParameterVerb, QueueVerb,
        Source, Subject, Trigger, TriggerContent, TriggerId,
    },
};

use super::sketch::{Bench, Sketch, actions_of, group, link, words};

/// Parameters 8 and 9; action n appends n to parameter 9, n being 1 to 5.
fn sketch() -> Sketch {
    let mut sketch = Sketch::default().text(8).text(9);
    for id in 1..=5_u32 {
        let text = Source::Literal(id.to_string());
        let append = ActionKind::Parameter(Some(ParameterId(9)), ParameterVerb::Append(text));
        sketch = sketch.action(id, append);
    }
    sketch
}

fn done(bench: &Bench) -> String {
    bench.machine.text(ParameterId(9)).into_owned()
}

fn change(id: u32) -> (Subject, Moment) {
    (Subject::Parameter(Some(id)), Moment::Change)
}

#[test]
fn triggers_fire_in_the_order_of_the_file_when_called_and_by_their_condition() {
    let mut bench = sketch()
        .on(20, change(8), &[2])
        .on(10, change(8), &[1, 3])
        .trigger(30, Some(change(8)), &[4], Some("id:8 == \"go\""))
        .trigger(40, None, &[5], Some("id:8 == \"go\""))
        .start();
    bench.set(8, words("stop"));
    assert_eq!(done(&bench), "213");
    bench.fire(40);
    assert_eq!(done(&bench), "213");
    bench.set(8, words("go"));
    bench.fire(40);
    assert_eq!(done(&bench), "21321345");
    let unknown = bench.machine.fire(TriggerId(99), bench.now);
    assert_eq!(unknown, Err(SetError::NoTrigger(TriggerId(99))));
}

#[test]
fn a_trigger_may_fire_triggers_and_so_may_an_action() {
    let mut sketch = sketch()
        .called(1, &[1])
        .called(2, &[2])
        .action(6, ActionKind::Fire(vec![TriggerId(2), TriggerId(1)]))
        .called(4, &[6, 3]);
    let trigger = Trigger {
        name: String::new(),
        on: None,
        condition: None,
        content: TriggerContent::Triggers(vec![TriggerId(1), TriggerId(4), TriggerId(2)]),
        otherwise: TriggerContent::default(),
    };
    sketch.0.triggers.insert(TriggerId(3), trigger).unwrap();
    let mut bench = sketch.start();
    bench.fire(3);
    assert_eq!(done(&bench), "12132");
}

#[test]
fn what_is_marked_else_runs_when_the_condition_does_not_hold() {
    let mut sketch = sketch().trigger(1, Some(change(8)), &[1, 2], Some("id:8 == \"go\""));
    let trigger = sketch.0.triggers.get_mut(TriggerId(1)).unwrap();
    trigger.otherwise = TriggerContent::Actions(vec![ActionId(3), ActionId(4)]);
    let mut bench = sketch.start();
    bench.set(8, words("stop"));
    assert_eq!(done(&bench), "34");
    bench.set(8, words("go"));
    assert_eq!(done(&bench), "3412");
}

#[test]
fn triggers_after_startup_fire_once() {
    let mut bench = sketch()
        .on(1, (Subject::Protocol, Moment::AfterStartup), &[1])
        .start();
    assert_eq!(done(&bench), "1");
    bench.machine.start(bench.now);
    bench.pass(1000);
    assert_eq!(done(&bench), "1");
}

#[test]
fn the_condition_of_an_action_counts_when_it_runs() {
    let go = ActionKind::Parameter(
        Some(ParameterId(8)),
        ParameterVerb::Set(Source::Literal("go".to_owned())),
    );
    let two = ActionKind::Parameter(
        Some(ParameterId(9)),
        ParameterVerb::Append(Source::Literal("x".to_owned())),
    );
    let mut bench = sketch()
        .conditional_action(10, two, Some("id:8 == \"go\""))
        .action(11, go)
        .called(1, &[10, 11, 10])
        .start();
    bench.fire(1);
    assert_eq!(done(&bench), "x");
}

#[test]
fn an_action_without_subject_is_about_what_its_trigger_is_about() {
    let clear = ActionKind::Parameter(None, ParameterVerb::Clear);
    let mut bench = sketch()
        .action(10, clear)
        .on(1, (Subject::Parameter(None), Moment::Change), &[10])
        .start();
    bench.set(8, words("a"));
    assert_eq!(bench.value(8), &Value::Empty);
}

#[test]
fn triggers_that_set_off_each_other_for_ever_are_stopped_and_told() {
    let set = |id| {
        ActionKind::Parameter(
            Some(ParameterId(id)),
            ParameterVerb::Set(Source::Literal("x".to_owned())),
        )
    };
    let fan = ActionKind::Fire(vec![TriggerId(3); 10]);
    let mut bench = sketch()
        .action(10, set(8))
        .action(11, set(9))
        .action(12, fan)
        .on(1, change(8), &[11])
        .on(2, change(9), &[10])
        .called(3, &[12])
        .start();
    for action in 0..2 {
        if action == 0 {
            bench.set(8, words("a"));
        } else {
            bench.fire(3);
        }
        let notices = bench.notices();
        assert_eq!(notices.len(), 1, "{notices:?}");
        assert!(
            notices.iter().all(|notice| notice.contains("stopped")),
            "{notices:?}"
        );
    }
    bench.fire(2);
    let told = bench.effects();
    assert!(!told.is_empty(), "it goes on working");
}

#[test]
fn a_wide_fan_of_triggers_ends_after_a_bounded_number_of_steps() {
    let mut sketch = sketch();
    for level in 0..8_u32 {
        let next = ActionKind::Fire(vec![TriggerId(100 + level + 1); 10]);
        sketch = sketch
            .action(100 + level, next)
            .called(100 + level, &[100 + level]);
    }
    let mut bench = sketch.called(108, &[1]).start();
    bench.fire(100);
    let notices = bench.notices();
    assert_eq!(notices.len(), 1);
    assert!(done(&bench).len() < 20_000);
}

#[test]
fn a_sleep_holds_what_follows_and_the_queue_but_neither_messages_nor_sets() {
    let queue = ActionKind::Queue(vec![GroupId(1)], QueueVerb::AddToExecute);
    let mut bench = sketch()
        .link(0, link())
        .response(1, 0, &[8])
        .action(10, ActionKind::Sleep(Duration::from_millis(1)))
        .action(11, ActionKind::Sleep(Duration::from_secs(5)))
        .action(12, queue)
        .group(1, group(GroupKind::PollAction, actions_of(&[3])))
        .called(1, &[1, 10, 2])
        .called(2, &[12, 11, 4])
        .start();
    bench.fire(1);
    assert_eq!(done(&bench), "1");
    bench.pass(14);
    assert_eq!(done(&bench), "1", "the least sleep is 15 ms");
    bench.pass(1);
    assert_eq!(done(&bench), "12");
    bench.fire(2);
    bench.receive(0, "message");
    assert_eq!(bench.value(8), &words("message"));
    bench.pass(4999);
    assert_eq!(done(&bench), "12");
    bench.pass(1);
    assert_eq!(done(&bench), "1243");
}

#[test]
fn groups_have_triggers_before_and_after() {
    let queue = ActionKind::Queue(vec![GroupId(1)], QueueVerb::AddToExecute);
    let mut bench = sketch()
        .action(12, queue)
        .group(1, group(GroupKind::PollAction, actions_of(&[3])))
        .called(1, &[12])
        .on(2, (Subject::Group(None), Moment::Before), &[1])
        .on(3, (Subject::Group(Some(1)), Moment::After), &[5])
        .start();
    bench.fire(1);
    assert_eq!(done(&bench), "135");
}

#[test]
fn code_runs_for_every_change_with_the_first_piece_of_code_on_the_parameter() {
    let mut sketch = sketch();
    for id in [4, 5] {
        let hook = bowline_connector::plan::CodeHook {
            name: String::new(),
            language: "csharp".to_owned(),
            triggers: vec![ParameterId(8)],
            inputs: Vec::new(),
            is_binary: true,
            text: String::new(),
        };
        sketch
            .0
            .hooks
            .insert(bowline_connector::plan::HookId(id), hook)
            .unwrap();
    }
    let mut bench = sketch.start();
    bench.set(8, words("a"));
    let effects = bench.effects();
    let [Effect::Hook { code, .. }, Effect::Changed(..)] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!(*code, Some(bowline_connector::plan::HookId(4)));
}
