//! Pairs: a command and its reply.

use std::time::Duration;

use bowline_connector::{
    machine::{ERROR_LINK_CLOSED, Effect, Value},
    plan::{
        ActionKind, Condition, GroupId, GroupKind, GroupLink, Link, LinkId, MessageKind, Moment,
        Pair, PairId, ParameterId, ParameterVerb, QueueVerb, ResponseId, Source, Subject,
        TriggerId,
    },
};

use super::sketch::{Bench, Sketch, defaulted, link, number, pair, settings, text, words};

/// Parameter 9 collects what fires: s(ucceeded), t(imeout), r(etries over), a(fter the pair).
fn sketch(declared: Link, asked: Pair) -> Sketch {
    let letter = |text: &str| {
        let text = Source::Literal(text.to_owned());
        ActionKind::Parameter(Some(ParameterId(9)), ParameterVerb::Append(text))
    };
    let moment = |moment| (Subject::Pair(Some(1)), moment);
    Sketch::default()
        .link(0, declared)
        .parameter(1, defaulted(text(), "ask"))
        .parameter(2, defaulted(text(), "next"))
        .text(3)
        .text(9)
        .command(1, MessageKind::Text, &[1])
        .command(2, MessageKind::Text, &[2])
        .response(1, 0, &[3])
        .pair(1, asked)
        .pair(2, pair(2, &[]))
        .poll(1, &[1, 2])
        .action(
            1,
            ActionKind::Queue(vec![GroupId(1)], QueueVerb::AddToExecute),
        )
        .called(1, &[1])
        .action(11, letter("s"))
        .action(12, letter("t"))
        .action(13, letter("r"))
        .action(14, letter("a"))
        .on(11, moment(Moment::Succeeded), &[11])
        .on(12, moment(Moment::Timeout), &[12])
        .on(13, moment(Moment::TimeoutAfterRetries), &[13])
        .on(14, moment(Moment::After), &[14])
}

fn asked() -> Pair {
    Pair {
        retries: Some(1),
        timeout: Some(Duration::from_secs(3)),
        ..pair(1, &[1])
    }
}

fn fired(bench: &Bench) -> String {
    bench.machine.text(ParameterId(9)).into_owned()
}

#[test]
fn a_reply_ends_the_wait_at_once() {
    let mut bench = sketch(link(), asked()).start();
    bench.open(0);
    bench.effects();
    bench.fire(1);
    assert_eq!(bench.payloads(), ["ask"]);
    bench.pass(2999);
    assert_eq!(bench.payloads(), Vec::<String>::new());
    bench.receive(0, "answer");
    assert_eq!(bench.payloads(), ["next"]);
    assert_eq!(bench.value(3), &words("answer"));
    assert_eq!(fired(&bench), "sa");
    bench.pass(10_000);
    assert_eq!(bench.machine.counters().timeouts, 0);
}

#[test]
fn a_command_without_a_reply_is_sent_again_and_then_given_up() {
    let mut bench = sketch(link(), asked()).start();
    bench.open(0);
    bench.effects();
    bench.fire(1);
    assert_eq!(bench.payloads(), ["ask"]);
    bench.pass(3000);
    assert_eq!(bench.payloads(), ["ask"]);
    assert_eq!(fired(&bench), "t");
    bench.pass(2999);
    assert_eq!(bench.payloads(), Vec::<String>::new());
    bench.pass(1);
    assert_eq!(bench.payloads(), ["next"]);
    assert_eq!(fired(&bench), "ttra");
    assert_eq!(bench.machine.counters().timeouts, 2);
}

#[test]
fn a_reply_to_the_second_try_counts() {
    let mut bench = sketch(link(), asked()).start();
    bench.open(0);
    bench.fire(1);
    bench.pass(4000);
    bench.receive(0, "late");
    assert_eq!(fired(&bench), "tsa");
}

#[test]
fn a_reply_equal_to_the_last_one_ends_the_wait_too() {
    let mut bench = sketch(link(), asked()).start();
    bench.open(0);
    for expected in ["sa", "sasa"] {
        bench.fire(1);
        bench.receive(0, "same");
        assert_eq!(fired(&bench), expected);
    }
    assert_eq!(bench.machine.counters().repeated, 1);
}

#[test]
fn a_message_of_another_link_does_not_end_the_wait() {
    let mut bench = sketch(link(), asked())
        .link(1, link())
        .text(6)
        .response(2, 1, &[6])
        .start();
    bench.open(0);
    bench.open(1);
    bench.fire(1);
    bench.receive(1, "from elsewhere");
    assert_eq!(bench.value(6), &words("from elsewhere"));
    assert_eq!(fired(&bench), "");
    bench.receive(0, "answer");
    assert_eq!(fired(&bench), "sa");
}

#[test]
fn a_push_between_command_and_reply_lands_in_its_own_response() {
    let mut bench = Sketch::default()
        .link(0, link())
        .parameter(1, defaulted(text(), "ask"))
        .fixed(4, b"reply:")
        .fixed(5, b"push:")
        .text(6)
        .text(7)
        .command(1, MessageKind::Text, &[1])
        .response(1, 0, &[5, 6])
        .response(2, 0, &[4, 7])
        .pair(1, pair(1, &[2]))
        .pair(2, pair(1, &[]))
        .poll(1, &[1, 2])
        .action(
            1,
            ActionKind::Queue(vec![GroupId(1)], QueueVerb::AddToExecute),
        )
        .called(1, &[1])
        .start();
    bench.open(0);
    bench.fire(1);
    bench.receive(0, "push:a");
    assert_eq!(bench.value(6), &words("a"));
    assert_eq!(bench.payloads(), ["ask"], "the reply is still awaited");
    bench.receive(0, "reply:b");
    assert_eq!(bench.value(7), &words("b"));
    assert_eq!(bench.payloads(), ["ask"], "the next pair is sent");
}

#[test]
fn a_response_on_a_bad_command_ends_the_pair_without_success() {
    let bad = Pair {
        responses: vec![ResponseId(2)],
        bad_responses: vec![ResponseId(1)],
        ..asked()
    };
    let mut bench = sketch(link(), bad)
        .fixed(5, b"ok")
        .response(2, 0, &[5])
        .start();
    bench.open(0);
    bench.fire(1);
    bench.receive(0, "error");
    assert_eq!(fired(&bench), "a");
    assert_eq!(bench.payloads(), ["ask", "next"]);
}

#[test]
fn nothing_is_sent_before_a_link_is_open_and_that_is_told() {
    let one = Source::Literal("1".to_owned());
    let mut bench = sketch(link(), asked())
        .number(8)
        .action(
            8,
            ActionKind::Parameter(Some(ParameterId(8)), ParameterVerb::Increment(one)),
        )
        .on(
            8,
            (
                Subject::Communication(Some(0)),
                Moment::Error(ERROR_LINK_CLOSED.to_owned()),
            ),
            &[8],
        )
        .start();
    bench.effects();
    bench.fire(1);
    let notices = bench.notices();
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert_eq!(bench.value(8), &Value::Number(1.0));
    bench.pass(2000);
    assert_eq!(bench.payloads(), Vec::<String>::new());
    bench.open(0);
    bench.pass(1000);
    assert_eq!(
        bench.payloads(),
        ["ask"],
        "the second try finds the link open"
    );
    bench.receive(0, "answer");
    assert_eq!(fired(&bench), "tsa");
}

#[test]
fn a_closed_link_that_takes_no_commands_is_told_once_until_it_opens() {
    let mut bench = Sketch::default()
        .link(0, link())
        .parameter(1, defaulted(text(), "push"))
        .command(1, MessageKind::Text, &[1])
        .pair(1, pair(1, &[]))
        .poll(1, &[1])
        .action(
            1,
            ActionKind::Queue(vec![GroupId(1)], QueueVerb::AddToExecute),
        )
        .called(1, &[1])
        .start();
    for expected in [1, 0, 0] {
        bench.fire(1);
        assert_eq!(bench.notices().len(), expected);
    }
    assert_eq!(bench.machine.counters().unsent, 3);
    bench.open(0);
    bench.close(0, None);
    bench.fire(1);
    assert_eq!(bench.notices().len(), 1);
}

#[test]
fn what_was_not_yet_taken_is_dropped_when_its_link_closes() {
    let mut bench = sketch(link(), asked()).start();
    bench.open(0);
    bench.effects();
    bench.machine.fire(TriggerId(1), bench.now).unwrap();
    bench.close(0, None);
    assert_eq!(bench.payloads(), Vec::<String>::new());
    assert_eq!(bench.machine.counters().unsent, 1);
    bench.open(0);
    assert_eq!(bench.payloads(), Vec::<String>::new());
}

#[test]
fn timeouts_and_retries_come_from_the_pair_then_actions_then_the_element_then_the_link() {
    let declared = Link {
        timeout: Some(Duration::from_millis(400)),
        retries: Some(2),
        ..link()
    };
    let give_up = |element: Option<(u64, u32)>, action: bool, own: Option<(u64, u32)>| {
        let asked = Pair {
            timeout: own.map(|(timeout, _)| Duration::from_millis(timeout)),
            retries: own.map(|(_, retries)| retries),
            ..pair(1, &[1])
        };
        let sketch = sketch(declared.clone(), asked)
            .parameter(8, defaulted(number(), "100"))
            .action(
                8,
                ActionKind::PairTimeout(Some(PairId(1)), Source::Parameter(ParameterId(8))),
            )
            .called(8, &[8]);
        let mut settings = settings(&sketch.0);
        if let Some((timeout, retries)) = element {
            let link = settings.links.get_mut(&LinkId(0)).unwrap();
            link.timeout = Some(Duration::from_millis(timeout));
            link.retries = Some(retries);
        }
        let mut bench = sketch.start_with(settings, []);
        bench.open(0);
        if action {
            bench.fire(8);
        }
        let begin = bench.now;
        bench.fire(1);
        while !fired(&bench).contains('r') {
            bench.pass(10);
        }
        (bench.now - begin).as_millis()
    };
    assert_eq!(give_up(None, false, None), 1200);
    assert_eq!(give_up(Some((200, 1)), false, None), 400);
    assert_eq!(give_up(Some((200, 1)), true, None), 200);
    assert_eq!(give_up(Some((200, 1)), true, Some((300, 0))), 300);
}

#[test]
fn a_pair_whose_condition_does_not_hold_is_left_out() {
    let conditional = Pair {
        condition: Some(Condition::parse("id:3 == \"go\"").unwrap()),
        ..asked()
    };
    let mut bench = sketch(link(), conditional).start();
    bench.open(0);
    bench.fire(1);
    assert_eq!(bench.payloads(), ["next"]);
    assert_eq!(fired(&bench), "");
    bench.set(3, words("go"));
    bench.fire(1);
    assert_eq!(bench.payloads(), ["ask"]);
}

#[test]
fn the_link_of_a_group_may_come_from_a_parameter() {
    let mut sketch = sketch(link(), pair(1, &[])).link(1, link()).number(4);
    let mut group = super::sketch::group(GroupKind::Poll, super::sketch::pairs_of(&[1]));
    group.link = GroupLink::From(ParameterId(4));
    sketch = sketch
        .group(2, group)
        .action(
            2,
            ActionKind::Queue(vec![GroupId(2)], QueueVerb::AddToExecute),
        )
        .called(2, &[2]);
    let mut bench = sketch.start();
    bench.open(0);
    bench.open(1);
    bench.effects();
    for link in [1, 0] {
        bench.set(4, Value::Number(f64::from(link)));
        bench.effects();
        bench.fire(2);
        let links: Vec<u32> = bench.sent().iter().map(|(link, ..)| *link).collect();
        assert_eq!(links, [link]);
    }
    for strange in [Value::Empty, Value::Number(7.0), Value::Number(0.5)] {
        bench.set(4, strange);
        bench.effects();
        bench.fire(2);
        let effects = bench.effects();
        assert!(
            matches!(effects.as_slice(), [Effect::Notice(_)]),
            "{effects:?}"
        );
    }
}

#[test]
fn an_element_moves_to_the_other_half_of_a_redundant_pair() {
    let half = || Link {
        is_redundant: true,
        ..link()
    };
    let once = Pair {
        retries: Some(0),
        ..asked()
    };
    let mut bench = sketch(half(), once).link(1, half()).start();
    bench.open(0);
    bench.open(1);
    bench.effects();
    bench.fire(1);
    bench.pass(3000);
    bench.fire(1);
    bench.pass(3000);
    bench.fire(1);
    let links: Vec<_> = bench
        .sent()
        .iter()
        .filter(|(_, _, payload)| payload == "ask")
        .map(|(link, ..)| *link)
        .collect();
    assert_eq!(links, [0, 1, 0]);
}
