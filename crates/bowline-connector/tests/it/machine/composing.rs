//! Commands become messages.

use bowline_connector::{
    machine::Value,
    plan::{
        ActionId, ActionKind, CommandId, GroupId, LengthRule, Link, MessageKind, Moment, Parameter,
        ParameterId, ParameterKind, QueueVerb, RawType, Source, Subject, TimerStart, TimerTime,
        TriggerContent, TriggerId,
    },
};

use super::sketch::{Sketch, defaulted, link, number, pair, text, words};

fn queue(group: u32) -> ActionKind {
    ActionKind::Queue(vec![GroupId(group)], QueueVerb::AddToExecute)
}

#[test]
fn a_command_is_the_bytes_of_its_parameters_one_after_the_other() {
    for (parameter, value, expected) in [
        (text(), words("{}"), &b"{}"[..]),
        (text(), Value::Empty, b""),
        (number(), Value::Number(1.0), b"1"),
        (number(), Value::Number(-0.5), b"-0.5"),
        (hexadecimal(), Value::Number(255.0), b"FF"),
        (long(text(), 4), words("ab"), b"ab  "),
        (long(text(), 4), words("abcde"), b"abcd"),
        (long(number(), 4), Value::Number(7.0), b"0007"),
        (long(number(), 4), Value::Number(-7.0), b"-007"),
        (long(number(), 3), Value::Empty, b"000"),
        (
            raw(RawType::Unsigned, 2, true),
            Value::Number(258.0),
            &[1, 2],
        ),
        (
            raw(RawType::Unsigned, 2, false),
            Value::Number(258.0),
            &[2, 1],
        ),
        (
            raw(RawType::Signed, 2, true),
            Value::Number(-2.0),
            &[0xFF, 0xFE],
        ),
        (
            raw(RawType::Double, 4, true),
            Value::Number(1.0),
            &[0x3F, 0x80, 0, 0],
        ),
        (
            raw(RawType::Double, 8, false),
            Value::Number(1.0),
            &[0, 0, 0, 0, 0, 0, 0xF0, 0x3F],
        ),
    ] {
        assert_eq!(bytes(parameter, value.clone()), expected, "{value:?}");
    }
}

#[test]
fn a_length_parameter_counts_all_other_parts_or_those_it_names() {
    let length = || {
        let mut length = long(number(), 3);
        length.kind = ParameterKind::Length;
        length
    };
    let mut sketch = Sketch::default()
        .link(0, link())
        .fixed(1, b"<")
        .parameter(2, length())
        .parameter(3, length())
        .parameter(4, defaulted(text(), "twelve bytes"))
        .command(1, MessageKind::Text, &[1, 2, 3, 4])
        .action(5, ActionKind::Make(Some(CommandId(1))))
        .action(6, ActionKind::MakeWithLength(Some(CommandId(1))))
        .on(50, (Subject::Command(None), Moment::Before), &[5])
        .pair(1, pair(1, &[]))
        .poll(1, &[1])
        .action(1, queue(1))
        .called(1, &[1]);
    sketch.0.counted = [(ParameterId(3), vec![1, 3, 99])].into();
    let mut bench = sketch.clone().start();
    bench.open(0);
    bench.fire(1);
    assert_eq!(bench.payloads(), ["<013015twelve bytes"]);
    bench.set(2, Value::Number(7.0));
    bench.fire(1);
    assert_eq!(bench.payloads(), ["<007015twelve bytes"]);

    let before = sketch.0.triggers.get_mut(TriggerId(50)).unwrap();
    before.content = TriggerContent::Actions(vec![ActionId(5), ActionId(6)]);
    let mut bench = sketch.start();
    bench.open(0);
    bench.set(2, Value::Number(7.0));
    bench.fire(1);
    assert_eq!(bench.payloads(), ["<013015twelve bytes"]);
}

#[test]
fn a_command_is_composed_when_its_turn_comes_unless_the_link_says_otherwise() {
    for (is_composed_at_enqueue, expected) in [(false, "after"), (true, "before")] {
        let declared = Link {
            is_composed_at_enqueue,
            ..link()
        };
        let mut bench = blocked(declared)
            .action(50, ActionKind::Make(None))
            .on(50, (Subject::Command(None), Moment::Before), &[50])
            .start();
        bench.open(0);
        bench.effects();
        bench.set(2, words("before"));
        bench.fire(9);
        bench.fire(1);
        bench.set(2, words("after"));
        assert_eq!(bench.payloads(), Vec::<String>::new());
        bench.pass(100);
        assert_eq!(bench.payloads(), [expected]);
    }
}

#[test]
fn what_composed_at_enqueue_is_made_by_itself_where_the_connector_has_no_trigger_for_it() {
    let declared = Link {
        is_composed_at_enqueue: true,
        ..link()
    };
    let mut bench = blocked(declared).start();
    bench.open(0);
    bench.set(2, words("before"));
    bench.fire(9);
    bench.fire(1);
    bench.set(2, words("after"));
    bench.pass(100);
    assert_eq!(bench.payloads(), ["before"]);
}

#[test]
fn triggers_before_a_command_fire_when_it_is_queued_or_when_its_turn_comes() {
    let append = |text: &str| {
        ActionKind::Parameter(
            Some(ParameterId(3)),
            bowline_connector::plan::ParameterVerb::Append(Source::Literal(text.to_owned())),
        )
    };
    for (is_composed_at_enqueue, expected) in [(false, "gc"), (true, "cg")] {
        let declared = Link {
            is_composed_at_enqueue,
            ..link()
        };
        let mut bench = blocked(declared)
            .text(3)
            .action(50, append("c"))
            .action(51, append("g"))
            .action(52, ActionKind::Make(None))
            .on(50, (Subject::Command(None), Moment::Before), &[50, 52])
            .on(51, (Subject::Group(Some(1)), Moment::Before), &[51])
            .start();
        bench.open(0);
        bench.fire(1);
        assert_eq!(bench.value(3), &words(expected));
    }
}

#[test]
fn a_text_command_that_is_no_utf8_is_not_sent() {
    let mut bench = Sketch::default()
        .link(0, link())
        .fixed(1, &[0xFF])
        .number(2)
        .command(1, MessageKind::Text, &[1])
        .command(2, MessageKind::Binary, &[1])
        .pair(1, pair(1, &[]))
        .pair(2, pair(2, &[]))
        .poll(1, &[1, 2])
        .action(1, queue(1))
        .action(
            2,
            ActionKind::Parameter(
                Some(ParameterId(2)),
                bowline_connector::plan::ParameterVerb::Increment(Source::Literal("1".to_owned())),
            ),
        )
        .called(1, &[1])
        .on(
            2,
            (
                Subject::Communication(None),
                Moment::Error(bowline_connector::machine::ERROR_NOT_UTF8.to_owned()),
            ),
            &[2],
        )
        .start();
    bench.open(0);
    bench.effects();
    bench.fire(1);
    assert_eq!(
        bench.value(2),
        &Value::Number(1.0),
        "the trigger on the error fired"
    );
    let effects = bench.effects();
    let notices = effects.iter().filter(|effect| {
        matches!(effect, bowline_connector::machine::Effect::Notice(text) if text.contains("UTF-8"))
    });
    assert_eq!(notices.count(), 1, "{effects:?}");
    let sent: Vec<_> = effects
        .iter()
        .filter(|effect| matches!(effect, bowline_connector::machine::Effect::Send { .. }))
        .collect();
    assert_eq!(sent.len(), 1, "the binary one is sent: {sent:?}");
}

/// A plan in which group 1 sends parameter 2, and trigger 9 holds the queue for 100 ms.
fn blocked(declared: Link) -> Sketch {
    Sketch::default()
        .link(0, declared)
        .text(2)
        .command(1, MessageKind::Text, &[2])
        .pair(1, pair(1, &[]))
        .poll(1, &[1])
        .action(1, queue(1))
        .called(1, &[1])
        .action(9, ActionKind::Sleep(std::time::Duration::from_millis(100)))
        .called(9, &[9])
        .timer(1, TimerTime::Loop, TimerStart::Stopped, &[])
}

/// Gives what a value becomes between two fixed parameters of a command.
fn bytes(parameter: Parameter, value: Value) -> Vec<u8> {
    let mut bench = Sketch::default()
        .link(0, link())
        .fixed(1, &[1, 2, 0x7F])
        .parameter(2, parameter)
        .command(1, MessageKind::Binary, &[1, 2, 1])
        .pair(1, pair(1, &[]))
        .poll(1, &[1])
        .action(1, queue(1))
        .called(1, &[1])
        .start();
    bench.open(0);
    bench.set(2, value);
    bench.effects();
    bench.fire(1);
    let sent = bench.sent();
    let [(0, MessageKind::Binary, payload)] = sent.as_slice() else {
        panic!("{sent:?}")
    };
    let inner = payload.strip_prefix(&[1, 2, 0x7F]).unwrap();
    inner.strip_suffix(&[1, 2, 0x7F]).unwrap().to_vec()
}

fn raw(raw: RawType, length: usize, is_big_endian: bool) -> Parameter {
    let mut parameter = long(number(), length);
    parameter.interpretation.raw = raw;
    parameter.interpretation.is_big_endian = is_big_endian;
    parameter
}

fn long(mut parameter: Parameter, length: usize) -> Parameter {
    parameter.interpretation.length = LengthRule::Fixed(length);
    parameter
}

fn hexadecimal() -> Parameter {
    let mut parameter = number();
    parameter.interpretation.is_hexadecimal = true;
    parameter
}
