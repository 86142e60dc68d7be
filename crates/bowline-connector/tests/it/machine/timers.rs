//! Timers in virtual time.

use std::time::Duration;

use bowline_connector::{
    machine::TIMER_PERIOD_MAX,
    plan::{
        ActionKind, Condition, GroupKind, MessageKind, Moment, ParameterId, ParameterVerb, Source,
        Subject, Timer, TimerId, TimerStart, TimerTime, TimerVerb,
    },
};

use super::sketch::{
    Bench, Sketch, actions_of, defaulted, group, link, pair, pairs_of, text, words,
};

const SECOND: TimerTime = TimerTime::Every(Duration::from_secs(1));

/// Group n appends n to parameter 9, n being 1 to 3.
fn sketch() -> Sketch {
    let mut sketch = Sketch::default().text(9);
    for id in 1..=3 {
        let text = Source::Literal(id.to_string());
        let append = ActionKind::Parameter(Some(ParameterId(9)), ParameterVerb::Append(text));
        sketch = sketch
            .action(10 + id, append)
            .group(id, group(GroupKind::PollAction, actions_of(&[10 + id])));
    }
    sketch
}

fn done(bench: &Bench) -> String {
    bench.machine.text(ParameterId(9)).into_owned()
}

fn adjusted(mut sketch: Sketch, adjust: impl Fn(&mut Timer)) -> Sketch {
    let timers = std::mem::take(&mut sketch.0.timers);
    for (id, timer) in timers.iter() {
        let mut timer = timer.clone();
        adjust(&mut timer);
        sketch.0.timers.insert(id, timer).unwrap();
    }
    sketch
}

#[test]
fn a_timer_fires_at_start_and_then_at_its_pace() {
    let mut bench = sketch()
        .timer(1, SECOND, TimerStart::AtOnce, &[1, 2])
        .start();
    assert_eq!(done(&bench), "12");
    bench.pass(999);
    assert_eq!(done(&bench), "12");
    bench.pass(1);
    assert_eq!(done(&bench), "1212");
    bench.pass(3000);
    assert_eq!(done(&bench), "1212121212");
}

#[test]
fn beats_that_were_missed_are_left_out_and_the_pace_is_kept() {
    let mut bench = sketch().timer(1, SECOND, TimerStart::AtOnce, &[1]).start();
    bench.now += Duration::from_millis(5500);
    bench.machine.handle_timeout(bench.now);
    assert_eq!(done(&bench), "11");
    bench.pass(499);
    assert_eq!(done(&bench), "11");
    bench.pass(1);
    assert_eq!(done(&bench), "111");
}

#[test]
fn a_timer_may_wait_for_an_action_or_for_a_random_time() {
    let mut bench = sketch()
        .timer(1, SECOND, TimerStart::Stopped, &[1])
        .action(1, ActionKind::Timer(Some(TimerId(1)), TimerVerb::Start))
        .called(1, &[1])
        .start();
    bench.pass(10_000);
    assert_eq!(done(&bench), "");
    bench.fire(1);
    bench.pass(0);
    assert_eq!(done(&bench), "1");

    let random = TimerStart::Random(Duration::from_secs(2), Duration::from_secs(4));
    let mut bench = sketch().timer(1, SECOND, random, &[1]).start();
    let first = bench.machine.poll_timeout().unwrap() - bench.now;
    assert!((2000..=4000).contains(&first.as_millis()), "{first:?}");
    let again = sketch().timer(1, SECOND, random, &[1]).start();
    let due = again.machine.poll_timeout().unwrap() - again.now;
    assert_eq!(due, first, "the same seed gives the same start");
    bench.pass(4000);
    assert_ne!(done(&bench), "");
}

#[test]
fn groups_of_a_timer_are_not_doubled_in_the_queue() {
    let mut bench = sketch()
        .timer(1, SECOND, TimerStart::AtOnce, &[1, 2])
        .action(1, ActionKind::Sleep(Duration::from_millis(3500)))
        .called(1, &[1])
        .start();
    bench.fire(1);
    bench.pass(3499);
    assert_eq!(bench.machine.queue_len(), 2);
    bench.pass(1);
    assert_eq!(done(&bench), "1212");
}

#[test]
fn a_loop_fires_again_when_what_it_added_is_done() {
    let sketch = Sketch::default()
        .link(0, link())
        .parameter(1, defaulted(text(), "ask"))
        .text(2)
        .command(1, MessageKind::Text, &[1])
        .response(1, 0, &[2])
        .pair(1, pair(1, &[1]))
        .group(1, group(GroupKind::Poll, pairs_of(&[1])))
        .timer(1, TimerTime::Loop, TimerStart::AtOnce, &[1]);
    let mut bench = adjusted(sketch, |timer| timer.interval = Duration::from_millis(200)).start();
    bench.open(0);
    bench.effects();
    bench.pass(100);
    // The first command found the link closed; its second try does not.
    bench.pass(1400);
    assert_eq!(bench.payloads(), ["ask"]);
    bench.receive(0, "a");
    bench.pass(199);
    assert_eq!(bench.payloads(), Vec::<String>::new());
    bench.pass(1000);
    assert_eq!(bench.payloads(), ["ask"]);
    bench.receive(0, "b");
    bench.pass(1000);
    assert_eq!(bench.payloads(), ["ask"]);
}

#[test]
fn the_interval_lies_between_groups_and_between_pairs() {
    let sketch = Sketch::default()
        .link(0, link())
        .parameter(1, defaulted(text(), "a"))
        .parameter(2, defaulted(text(), "b"))
        .parameter(3, defaulted(text(), "c"))
        .command(1, MessageKind::Text, &[1])
        .command(2, MessageKind::Text, &[2])
        .command(3, MessageKind::Text, &[3])
        .pair(1, pair(1, &[]))
        .pair(2, pair(2, &[]))
        .pair(3, pair(3, &[]))
        .poll(1, &[1, 2])
        .poll(2, &[3])
        .timer(
            1,
            TimerTime::Every(Duration::from_mins(1)),
            TimerStart::Stopped,
            &[1, 2],
        )
        .action(1, ActionKind::Timer(Some(TimerId(1)), TimerVerb::Start))
        .called(1, &[1]);
    let mut bench = adjusted(sketch, |timer| timer.interval = Duration::from_millis(75)).start();
    bench.open(0);
    bench.effects();
    bench.fire(1);
    bench.pass(0);
    assert_eq!(bench.payloads(), ["a"]);
    bench.pass(74);
    assert_eq!(bench.payloads(), Vec::<String>::new());
    bench.pass(1);
    assert_eq!(bench.payloads(), ["b"]);
    bench.pass(75);
    assert_eq!(bench.payloads(), ["c"]);
}

#[test]
fn actions_stop_start_restart_and_reschedule_timers() {
    let verb = |verb| ActionKind::Timer(Some(TimerId(1)), verb);
    let make = || {
        sketch()
            .timer(1, SECOND, TimerStart::AtOnce, &[1])
            .action(1, verb(TimerVerb::Start))
            .action(2, verb(TimerVerb::Stop))
            .action(3, verb(TimerVerb::Restart))
            .action(4, verb(TimerVerb::Reschedule))
            .called(1, &[1])
            .called(2, &[2])
            .called(3, &[3])
            .called(4, &[4])
            .start()
    };
    for (calls, after_half_a_second, after_another_second) in [
        (&[2][..], "1", "1"),
        (&[2, 4], "1", "1"),
        (&[2, 1], "11", "111"),
        (&[1], "1", "11"),
        (&[3], "11", "111"),
        (&[4], "1", "11"),
    ] {
        let mut bench = make();
        bench.pass(250);
        for call in calls {
            bench.fire(*call);
        }
        bench.pass(500);
        assert_eq!(done(&bench), after_half_a_second, "{calls:?}");
        bench.pass(1000);
        assert_eq!(done(&bench), after_another_second, "{calls:?}");
    }
    let mut bench = make();
    bench.pass(700);
    bench.fire(4);
    bench.pass(600);
    assert_eq!(done(&bench), "1", "it counts anew from the call");
    bench.pass(400);
    assert_eq!(done(&bench), "11");
}

#[test]
fn the_condition_and_the_triggers_of_a_timer_count() {
    let sketch = sketch()
        .text(8)
        .timer(1, SECOND, TimerStart::AtOnce, &[1])
        .on(1, (Subject::Timer(Some(1)), Moment::Before), &[12])
        .on(2, (Subject::Timer(Some(1)), Moment::After), &[13]);
    let condition = Condition::parse("id:8 == \"go\"").unwrap();
    let mut bench = adjusted(sketch, |timer| timer.condition = Some(condition.clone())).start();
    bench.pass(1000);
    assert_eq!(done(&bench), "");
    bench.set(8, words("go"));
    bench.pass(1000);
    assert_eq!(
        done(&bench),
        "231",
        "its group waits until the triggers are done"
    );
}

#[test]
fn the_longest_time_is_24_days() {
    let mut bench = sketch()
        .timer(1, TimerTime::Every(Duration::MAX), TimerStart::AtOnce, &[1])
        .start();
    assert_eq!(
        bench.machine.poll_timeout(),
        Some(bench.now + TIMER_PERIOD_MAX)
    );
    bench.pass(2_073_600_000);
    assert_eq!(done(&bench), "11");
}
