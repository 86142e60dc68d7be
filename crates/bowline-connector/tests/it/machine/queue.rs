//! The queue of groups, also against a naive one.

use std::{collections::VecDeque, time::Duration};

use bowline_connector::{
    machine::{Effect, QUEUE_GROUPS_MAX, Value},
    plan::{
        ActionId, ActionKind, Condition, GroupContent, GroupId, GroupKind, MessageKind, Moment,
        ParameterId, ParameterVerb, QueueVerb, Source, Subject, TimerId, TimerStart, TimerTime,
        TimerVerb, TriggerId,
    },
};
use proptest::prelude::*;

use super::sketch::{
    Bench, Sketch, actions_of, defaulted, group, link, pair, pairs_of, text, words,
};

const VERBS: [QueueVerb; 7] = [
    QueueVerb::AddToExecute,
    QueueVerb::Execute,
    QueueVerb::ExecuteNext,
    QueueVerb::ExecuteOne,
    QueueVerb::ExecuteOneNow,
    QueueVerb::ExecuteOneTop,
    QueueVerb::ForceExecute,
];

/// Groups 1 to 4, each of which appends its letters to parameter 9; trigger 100 * (verb + 1) + n
/// queues group n; timer n adds group n; trigger 1 sleeps for a second, which holds the queue.
fn sketch() -> Sketch {
    let letter = |text: String| {
        let text = Source::Literal(text);
        ActionKind::Parameter(Some(ParameterId(9)), ParameterVerb::Append(text))
    };
    let mut sketch = Sketch::default()
        .text(9)
        .action(1, ActionKind::Sleep(Duration::from_secs(1)))
        .called(1, &[1]);
    for id in 1..=4 {
        let every = TimerTime::Every(Duration::from_hours(1));
        sketch = sketch
            .action(10 + id, letter(id.to_string()))
            .group(id, group(GroupKind::PollAction, actions_of(&[10 + id])))
            .timer(id, every, TimerStart::Stopped, &[id])
            .action(
                20 + id,
                ActionKind::Timer(Some(TimerId(id)), TimerVerb::Restart),
            )
            .called(20 + id, &[20 + id]);
        for (verb, place) in VERBS.into_iter().zip(1_u32..) {
            let number = 100 * place + id;
            sketch = sketch
                .action(number, ActionKind::Queue(vec![GroupId(id)], verb))
                .called(number, &[number]);
        }
    }
    sketch
}

fn queued(bench: &Bench) -> Vec<u32> {
    bench.machine.queued().map(|group| group.0).collect()
}

fn done(bench: &Bench) -> String {
    bench.machine.text(ParameterId(9)).into_owned()
}

#[test]
fn verbs_put_groups_where_the_format_says() {
    for (verb, group, expected) in [
        (1, 3, [1, 2, 3].as_slice()),
        (1, 1, &[1, 2, 1]),
        (2, 3, &[1, 3, 2]),
        (2, 1, &[1, 1, 2]),
        (3, 3, &[3, 1, 2]),
        (3, 1, &[1, 1, 2]),
        (4, 3, &[1, 2, 3]),
        (4, 1, &[1, 2]),
        (5, 3, &[1, 3, 2]),
        (5, 2, &[1, 2]),
        (6, 3, &[3, 1, 2]),
        (6, 2, &[1, 2]),
        (7, 3, &[3, 1, 2]),
    ] {
        let mut bench = sketch().start();
        bench.fire(1);
        bench.fire(101);
        bench.fire(22);
        bench.machine.handle_timeout(bench.now);
        assert_eq!(
            queued(&bench),
            [1, 2],
            "group 1 of an action, group 2 of a timer"
        );
        bench.fire(100 * verb + group);
        assert_eq!(queued(&bench), expected, "verb {verb}, group {group}");
        assert_eq!(bench.machine.queue_len(), expected.len());
        bench.pass(1000);
        let order: String = expected.iter().map(u32::to_string).collect();
        assert_eq!(done(&bench), order);
    }
}

#[test]
fn several_groups_of_one_action_keep_their_order() {
    for verb in VERBS {
        let groups = vec![GroupId(1), GroupId(2), GroupId(3)];
        let mut bench = sketch()
            .action(900, ActionKind::Queue(groups, verb))
            .called(900, &[900])
            .start();
        bench.fire(1);
        bench.fire(900);
        assert_eq!(queued(&bench), [1, 2, 3], "{verb:?}");
    }
}

#[test]
fn a_forced_group_runs_after_the_present_item_and_then_the_other_goes_on() {
    let force = |id: u32| ActionKind::Queue(vec![GroupId(id)], QueueVerb::ForceExecute);
    let mut bench = sketch()
        .action(901, force(1))
        .action(902, force(2))
        .group(5, group(GroupKind::PollAction, actions_of(&[13, 902, 13])))
        .group(6, group(GroupKind::PollAction, actions_of(&[14, 901, 14])))
        .action(
            903,
            ActionKind::Queue(vec![GroupId(5)], QueueVerb::AddToExecute),
        )
        .action(
            904,
            ActionKind::Queue(vec![GroupId(6)], QueueVerb::AddToExecute),
        )
        .group(7, group(GroupKind::PollAction, actions_of(&[905, 13])))
        .action(
            905,
            ActionKind::Queue(vec![GroupId(6), GroupId(2)], QueueVerb::ForceExecute),
        )
        .action(
            906,
            ActionKind::Queue(vec![GroupId(7)], QueueVerb::AddToExecute),
        )
        .called(903, &[903, 904])
        .called(906, &[906])
        .start();
    bench.fire(903);
    assert_eq!(done(&bench), "323414");
    bench.set(9, Value::Empty);
    bench.fire(906);
    assert_eq!(
        done(&bench),
        "44213",
        "each forced one runs whole, the first one first"
    );
}

#[test]
fn a_running_group_is_not_in_the_queue() {
    let again = ActionKind::Queue(vec![GroupId(5)], QueueVerb::ExecuteOneTop);
    let mut bench = sketch()
        .conditional_action(900, again.clone(), Some("id:9 == \"1\""))
        .group(5, group(GroupKind::PollAction, actions_of(&[11, 900])))
        .action(901, again)
        .called(901, &[901])
        .start();
    bench.fire(901);
    assert_eq!(done(&bench), "11");
}

#[test]
fn what_an_item_sets_off_is_done_before_the_next_item() {
    let mut bench = sketch()
        .group(5, group(GroupKind::PollAction, actions_of(&[900, 12])))
        .text(8)
        .action(
            900,
            ActionKind::Parameter(
                Some(ParameterId(8)),
                ParameterVerb::Set(Source::Literal("x".to_owned())),
            ),
        )
        .action(
            901,
            ActionKind::Queue(vec![GroupId(5)], QueueVerb::AddToExecute),
        )
        .called(901, &[901])
        .on(902, (Subject::Parameter(Some(8)), Moment::Change), &[1, 11])
        .start();
    bench.fire(901);
    assert_eq!(done(&bench), "", "the sleep holds the queue");
    bench.pass(1000);
    assert_eq!(done(&bench), "12");
}

#[test]
fn conditions_of_groups_are_looked_at_when_their_turn_comes() {
    let mut conditional = group(GroupKind::PollAction, actions_of(&[11]));
    conditional.condition = Some(Condition::parse("id:8 == \"go\"").unwrap());
    let mut bench = sketch()
        .text(8)
        .group(5, conditional)
        .action(
            900,
            ActionKind::Queue(vec![GroupId(5)], QueueVerb::AddToExecute),
        )
        .called(900, &[900])
        .on(901, (Subject::Group(Some(5)), Moment::Before), &[12])
        .on(902, (Subject::Group(Some(5)), Moment::After), &[13])
        .start();
    bench.fire(900);
    assert_eq!(done(&bench), "", "neither the group nor its triggers");
    bench.fire(1);
    bench.fire(900);
    bench.set(8, words("go"));
    bench.pass(1000);
    assert_eq!(done(&bench), "213");
}

#[test]
fn groups_of_the_kinds_that_do_not_wait_run_at_once() {
    let triggers =
        |ids: &[u32]| GroupContent::Triggers(ids.iter().copied().map(TriggerId).collect());
    let queue = |id: u32| ActionKind::Queue(vec![GroupId(id)], QueueVerb::AddToExecute);
    let mut bench = sketch()
        .called(900, &[11])
        .called(901, &[12])
        .group(5, group(GroupKind::Action, actions_of(&[13])))
        .group(6, group(GroupKind::Trigger, triggers(&[900])))
        .group(7, group(GroupKind::PollTrigger, triggers(&[901])))
        .action(902, queue(5))
        .action(903, queue(6))
        .action(904, queue(7))
        .called(905, &[904, 902, 903])
        .start();
    bench.fire(1);
    bench.fire(905);
    assert_eq!(done(&bench), "31");
    bench.pass(1000);
    assert_eq!(done(&bench), "312");
}

#[test]
fn a_running_group_can_be_ended() {
    let mut bench = sketch()
        .group(6, group(GroupKind::PollAction, actions_of(&[11, 901, 12])))
        .action(901, ActionKind::StopGroup)
        .action(
            902,
            ActionKind::Queue(vec![GroupId(6)], QueueVerb::AddToExecute),
        )
        .called(901, &[902])
        .start();
    bench.fire(901);
    assert_eq!(done(&bench), "1");
}

#[test]
fn items_have_pauses_of_their_own_which_an_action_may_set() {
    let mut paused = group(GroupKind::Poll, pairs_of(&[1, 2, 3]));
    paused.pauses = [(0, Duration::from_secs(2)), (2, Duration::from_secs(3))].into();
    let set = ActionKind::ItemPause(vec![1, 7], Source::Parameter(ParameterId(6)));
    let mut bench = sketch()
        .link(0, link())
        .number(6)
        .parameter(3, defaulted(text(), "a"))
        .parameter(4, defaulted(text(), "b"))
        .parameter(5, defaulted(text(), "c"))
        .command(1, MessageKind::Text, &[3])
        .command(2, MessageKind::Text, &[4])
        .command(3, MessageKind::Text, &[5])
        .pair(1, pair(1, &[]))
        .pair(2, pair(2, &[]))
        .pair(3, pair(3, &[]))
        .group(5, paused)
        .poll(6, &[1])
        .action(900, set)
        .on(900, (Subject::Group(Some(5)), Moment::Before), &[900])
        .action(
            902,
            ActionKind::Queue(vec![GroupId(5), GroupId(6)], QueueVerb::AddToExecute),
        )
        .called(901, &[902])
        .start();
    bench.open(0);
    bench.set(6, Value::Number(1000.0));
    bench.fire(901);
    let mut times = Vec::new();
    for second in 0..8 {
        times.extend(bench.payloads().into_iter().map(|text| (second, text)));
        bench.pass(1000);
    }
    let expected = [(0, "a"), (2, "b"), (3, "c"), (6, "a")];
    assert_eq!(times, expected.map(|(at, text)| (at, text.to_owned())));
}

#[test]
fn the_queue_is_bounded_and_tells_once_when_it_is_full() {
    let mut bench = sketch().start();
    bench.fire(1);
    for _ in 0..QUEUE_GROUPS_MAX + 5 {
        bench.fire(101);
    }
    assert_eq!(bench.machine.queue_len(), QUEUE_GROUPS_MAX);
    assert_eq!(bench.machine.counters().groups_dropped, 5);
    let effects = bench.effects();
    let notices = effects
        .iter()
        .filter(|effect| matches!(effect, Effect::Notice(_)));
    assert_eq!(notices.count(), 1);
}

#[test]
fn a_group_that_queues_itself_for_ever_leaves_others_their_turn() {
    let again = ActionKind::Queue(vec![GroupId(5)], QueueVerb::AddToExecute);
    let mut bench = sketch()
        .group(5, group(GroupKind::PollAction, actions_of(&[900])))
        .action(900, again)
        .called(900, &[900])
        .start();
    bench.fire(900);
    assert!(
        bench
            .machine
            .poll_timeout()
            .is_some_and(|due| due > bench.now)
    );
    bench.pass(100);
    bench.fire(101);
    bench.pass(100);
    assert_eq!(done(&bench), "1");
}

/// The obvious queue.
#[derive(Default)]
struct NaiveQueue(VecDeque<(u32, bool, bool)>);

impl NaiveQueue {
    fn add(&mut self, verb: QueueVerb, group: u32) {
        let is_there = self.0.iter().any(|(id, ..)| *id == group);
        let end = self.0.len();
        let before_timers = self
            .0
            .iter()
            .position(|(_, timer, _)| *timer)
            .unwrap_or(end);
        let behind_forced = self.0.iter().take_while(|(_, _, forced)| *forced).count();
        let place = match verb {
            QueueVerb::AddToExecute => end,
            QueueVerb::Execute => before_timers,
            QueueVerb::ExecuteNext => 0,
            QueueVerb::ExecuteOne if !is_there => end,
            QueueVerb::ExecuteOneNow if !is_there => before_timers,
            QueueVerb::ExecuteOneTop if !is_there => 0,
            QueueVerb::ForceExecute => behind_forced,
            QueueVerb::ExecuteOne | QueueVerb::ExecuteOneNow | QueueVerb::ExecuteOneTop => return,
        };
        let is_forced = verb == QueueVerb::ForceExecute;
        self.0.insert(place, (group, false, is_forced));
    }

    fn add_of_timer(&mut self, group: u32) {
        if self.0.iter().all(|(id, ..)| *id != group) {
            self.0.push_back((group, true, false));
        }
    }

    fn groups(&self) -> Vec<u32> {
        self.0.iter().map(|(id, ..)| *id).collect()
    }
}

#[derive(Clone, Copy, Debug)]
enum Addition {
    Verb(usize, u32),
    Timer(u32),
}

fn addition() -> impl Strategy<Value = Addition> {
    prop_oneof![
        3 => (0_usize..7, 1_u32..5).prop_map(|(verb, group)| Addition::Verb(verb, group)),
        1 => (1_u32..5).prop_map(Addition::Timer),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_additions_leave_the_queue_as_the_naive_one_has_it(
        additions in prop::collection::vec(addition(), 0..40)
    ) {
        let mut bench = sketch().start();
        let mut naive = NaiveQueue::default();
        bench.fire(1);
        for addition in additions {
            match addition {
                Addition::Verb(verb, group) => {
                    naive.add(VERBS[verb], group);
                    bench.fire(100 * (u32::try_from(verb).unwrap() + 1) + group);
                }
                Addition::Timer(group) => {
                    naive.add_of_timer(group);
                    bench.fire(20 + group);
                    bench.machine.handle_timeout(bench.now);
                }
            }
            prop_assert_eq!(queued(&bench), naive.groups());
        }
        let order: String = naive.groups().iter().map(u32::to_string).collect();
        bench.pass(1000);
        prop_assert_eq!(done(&bench), order);
    }
}

#[test]
fn actions_of_a_group_are_found_by_their_number() {
    let mut bench = sketch()
        .group(
            5,
            group(
                GroupKind::PollAction,
                GroupContent::Actions(vec![ActionId(999), ActionId(11)]),
            ),
        )
        .action(
            900,
            ActionKind::Queue(vec![GroupId(5), GroupId(99)], QueueVerb::AddToExecute),
        )
        .called(900, &[900])
        .start();
    bench.fire(900);
    assert_eq!(done(&bench), "1", "what is not there is passed over");
}
