//! How links and the element do, and slow polling.

use std::time::Duration;

use bowline_connector::{
    machine::{Effect, Level},
    plan::{
        ActionKind, GroupId, GroupKind, Link, LinkId, MessageKind, Pair, PairId, QueueVerb,
        SlowPoll,
    },
};

use super::sketch::{Bench, Sketch, defaulted, group, link, pair, pairs_of, settings, text, words};

/// Trigger n queues group n, which sends parameter n and awaits a reply on link 0 unless n is 3.
fn sketch(main: Link) -> Sketch {
    let ask = |command| Pair {
        retries: Some(0),
        timeout: Some(Duration::from_secs(1)),
        ..pair(command, &[1])
    };
    let mut sketch = Sketch::default().link(0, main).link(1, link()).text(9);
    for (id, words) in [(1, "ask"), (2, "ping"), (3, "push")] {
        let queue = ActionKind::Queue(vec![GroupId(id)], QueueVerb::AddToExecute);
        let sent = if id == 3 { pair(3, &[]) } else { ask(id) };
        sketch = sketch
            .parameter(id, defaulted(text(), words))
            .command(id, MessageKind::Text, &[id])
            .pair(id, sent)
            .group(id, group(GroupKind::Poll, pairs_of(&[id])))
            .action(id, queue)
            .called(id, &[id]);
    }
    sketch.response(1, 0, &[9])
}

fn levels(bench: &Bench) -> [Level; 3] {
    let machine = &bench.machine;
    [
        machine.health(),
        machine.link_health(LinkId(0)),
        machine.link_health(LinkId(1)),
    ]
}

use Level::{Ok as Good, Timeout, Unknown};

#[test]
fn an_element_is_in_timeout_when_an_included_link_is_silent_too_long() {
    let mut bench = sketch(link()).start();
    assert_eq!(levels(&bench), [Unknown, Unknown, Unknown]);
    bench.open(0);
    bench.open(1);
    assert_eq!(levels(&bench), [Good, Good, Good]);
    bench.effects();
    bench.pass(3_600_000);
    assert_eq!(
        levels(&bench),
        [Good, Good, Good],
        "a link without traffic is no silent one"
    );
    bench.close(1, None);
    assert_eq!(levels(&bench), [Good, Good, Good]);
    bench.pass(29_999);
    assert_eq!(bench.effects(), []);
    bench.pass(1);
    assert_eq!(levels(&bench), [Timeout, Good, Timeout]);
    assert_eq!(
        bench.effects(),
        [
            Effect::Health {
                link: Some(LinkId(1)),
                level: Timeout
            },
            Effect::Health {
                link: None,
                level: Timeout
            },
        ]
    );
    bench.open(1);
    assert_eq!(levels(&bench), [Good, Good, Good]);
}

#[test]
fn a_device_that_does_not_answer_is_silent_since_the_first_command() {
    let mut bench = sketch(link()).start();
    bench.open(0);
    bench.open(1);
    bench.fire(1);
    bench.pass(1000);
    bench.pass(20_000);
    bench.fire(1);
    bench.pass(8_999);
    assert_eq!(levels(&bench)[0], Good);
    bench.pass(1);
    assert_eq!(levels(&bench), [Timeout, Timeout, Good]);
    bench.receive(0, "there");
    assert_eq!(levels(&bench), [Good, Good, Good]);
}

#[test]
fn the_connector_says_how_long_a_link_may_be_silent_and_the_element_over_it() {
    for (connector, element, seconds) in
        [(None, None, 30), (Some(5), None, 5), (Some(5), Some(8), 8)]
    {
        let mut sketch = sketch(link());
        sketch.0.timeout = connector.map(Duration::from_secs);
        let mut settings = settings(&sketch.0);
        settings.timeout = element.map(Duration::from_secs);
        let mut bench = sketch.start_with(settings, []);
        bench.pass(seconds * 1000 - 1);
        assert_eq!(levels(&bench)[0], Unknown);
        bench.pass(1);
        assert_eq!(levels(&bench)[0], Timeout);
    }
}

#[test]
fn links_and_pairs_that_do_not_count_say_nothing_about_the_element() {
    let mut excluded = sketch(link());
    let mut pair = excluded.0.pairs.get(PairId(1)).unwrap().clone();
    pair.ignores_timeout = true;
    excluded.0.pairs.insert(PairId(11), pair).unwrap();
    let queue = ActionKind::Queue(vec![GroupId(11)], QueueVerb::AddToExecute);
    let excluded = excluded
        .group(11, group(GroupKind::Poll, pairs_of(&[11])))
        .action(11, queue)
        .called(11, &[11]);
    let mut settings = settings(&excluded.0);
    settings.links.get_mut(&LinkId(1)).unwrap().include_timeout = false;
    let mut bench = excluded.start_with(settings, []);
    bench.open(0);
    bench.pass(60_000);
    assert_eq!(levels(&bench), [Good, Good, Timeout]);
    bench.fire(11);
    bench.pass(60_000);
    assert_eq!(levels(&bench), [Good, Good, Timeout]);
}

#[test]
fn a_link_that_was_closed_on_purpose_is_not_silent() {
    let mut bench = sketch(link())
        .parameter(20, super::sketch::endpoint(1))
        .start();
    bench.open(0);
    bench.open(1);
    bench.set(20, words(""));
    bench.close(1, Some(1000));
    bench.pass(60_000);
    assert_eq!(levels(&bench), [Good, Good, Unknown]);
}

#[test]
fn a_silent_device_is_only_pinged_until_it_answers() {
    let slow = |ping_group, ping_pair| SlowPoll {
        after_timeouts: 2,
        after: None,
        interval: Duration::from_secs(10),
        ping_group,
        ping_pair,
    };
    for slow_poll in [slow(Some(GroupId(2)), None), slow(None, Some(PairId(2)))] {
        let main = Link {
            slow_poll: Some(slow_poll),
            ..link()
        };
        let mut bench = sketch(main).start();
        bench.open(0);
        bench.effects();
        bench.fire(1);
        bench.fire(1);
        bench.pass(1999);
        assert_eq!(bench.payloads(), ["ask", "ask"]);
        bench.pass(1);
        assert!(bench.machine.is_polling_slowly());
        bench.fire(1);
        bench.fire(3);
        bench.pass(9_999);
        assert_eq!(
            bench.payloads(),
            Vec::<String>::new(),
            "the main link is not polled"
        );
        bench.pass(1);
        assert_eq!(bench.payloads(), ["ping"]);
        bench.pass(10_000);
        assert_eq!(bench.payloads(), ["ping"]);
        bench.receive(0, "pong");
        assert!(!bench.machine.is_polling_slowly());
        bench.fire(1);
        assert_eq!(bench.payloads(), ["ask"]);
    }
}

#[test]
fn slow_polling_may_begin_after_a_time_without_an_answer() {
    let main = Link {
        slow_poll: Some(SlowPoll {
            after_timeouts: 0,
            after: Some(Duration::from_secs(5)),
            interval: Duration::from_secs(1),
            ping_group: Some(GroupId(2)),
            ping_pair: None,
        }),
        ..link()
    };
    let mut bench = sketch(main).start();
    bench.open(0);
    bench.effects();
    bench.fire(1);
    bench.pass(4_999);
    assert!(!bench.machine.is_polling_slowly());
    bench.pass(1);
    assert!(bench.machine.is_polling_slowly());
    bench.pass(1_000);
    assert_eq!(bench.payloads(), ["ask", "ping"]);
}
