//! Messages become values.

use bowline_connector::{
    machine::Value,
    plan::{
        ActionKind, LengthRule, LinkId, MessageKind, Moment, Parameter, ParameterId, ParameterKind,
        ParameterVerb, RawType, ResponseId, Source, Subject, ValueKind,
    },
};
use bytes::Bytes;

use super::sketch::{Bench, Sketch, link, number, settings, text, words};

/// Parameters 1 and 2 are "<" and ">", 3 and 4 hold text.
fn sketch() -> Sketch {
    Sketch::default()
        .link(0, link())
        .link(1, link())
        .fixed(1, b"<")
        .fixed(2, b">")
        .text(3)
        .text(4)
}

fn count(id: u32) -> ActionKind {
    let one = Source::Literal("1".to_owned());
    ActionKind::Parameter(Some(ParameterId(id)), ParameterVerb::Increment(one))
}

#[test]
fn a_response_takes_a_message_apart() {
    for (content, message, third, fourth) in [
        (&[3][..], "all of it", Some("all of it"), None),
        (&[1, 3, 2], "<a>", Some("a"), None),
        (&[1, 3, 2], "<>", Some(""), None),
        (&[1, 3, 2, 4], "<a>b>c", Some("a"), Some("b>c")),
        (&[3, 1, 4], "a<b", Some("a"), Some("b")),
    ] {
        let mut bench = sketch().response(1, 0, content).start();
        bench.receive(0, message);
        let told = |text: Option<&str>| text.map_or(Value::Empty, words);
        assert_eq!(bench.value(3), &told(third), "{content:?} {message}");
        assert_eq!(bench.value(4), &told(fourth), "{content:?} {message}");
        assert_eq!(bench.machine.counters().unmatched, 0);
    }
}

#[test]
fn length_rules_say_how_much_is_taken() {
    let ruled = |length: LengthRule| {
        let mut parameter = text();
        parameter.interpretation.length = length;
        parameter
    };
    let mut two_digits = number();
    two_digits.interpretation.length = LengthRule::Fixed(2);
    let by_number = LengthRule::OtherParameter {
        id: ParameterId(5),
        times: 2,
    };
    let mut bench = Sketch::default()
        .link(0, link())
        .fixed(1, b";")
        .parameter(5, two_digits)
        .parameter(6, ruled(by_number))
        .parameter(7, ruled(LengthRule::LastNextParameter))
        .parameter(8, ruled(LengthRule::Fixed(3)))
        .response(1, 0, &[5, 6, 7, 1, 8])
        .start();
    bench.receive(0, "03abcdefa;b;xyz");
    assert_eq!(bench.value(5), &Value::Number(3.0));
    assert_eq!(bench.value(6), &words("abcdef"));
    assert_eq!(bench.value(7), &words("a;b"));
    assert_eq!(bench.value(8), &words("xyz"));
}

#[test]
fn a_variable_parameter_that_fails_empties_all_a_fixed_one_leaves_what_was_filled() {
    let old = |bench: &mut Bench| {
        bench.set(3, words("old 3"));
        bench.set(4, words("old 4"));
    };
    // 3 does not find its end: all variable ones are emptied.
    let mut bench = sketch().response(1, 0, &[1, 4, 1, 3, 2]).start();
    old(&mut bench);
    bench.receive(0, "<a<b");
    assert_eq!(
        (bench.value(3), bench.value(4)),
        (&Value::Empty, &Value::Empty)
    );
    // The last fixed one is not where it should be: what was filled stays.
    let mut three = text();
    three.interpretation.length = LengthRule::Fixed(3);
    let mut bench = sketch()
        .parameter(5, three)
        .response(1, 0, &[1, 5, 2, 4])
        .start();
    old(&mut bench);
    bench.receive(0, "<abc!");
    assert_eq!(
        (bench.value(5), bench.value(4)),
        (&words("abc"), &words("old 4"))
    );
    // The first one fails: nothing was filled.
    let mut bench = sketch().response(1, 0, &[1, 3]).start();
    old(&mut bench);
    bench.receive(0, "abc");
    assert_eq!(bench.value(3), &words("old 3"));
    assert_eq!(bench.machine.counters().unmatched, 1);
}

#[test]
fn only_triggers_after_a_response_tell_a_full_match() {
    let mut bench = sketch()
        .number(8)
        .number(9)
        .response(1, 0, &[1, 3, 2])
        .action(8, count(8))
        .action(9, count(9))
        .action(51, ActionKind::Read(None))
        .on(8, (Subject::Response(Some(1)), Moment::Before), &[8, 51])
        .on(9, (Subject::Response(None), Moment::After), &[9])
        .start();
    bench.receive(0, "<a");
    bench.receive(0, "<a>b");
    assert_eq!(bench.value(8), &Value::Number(2.0));
    assert_eq!(bench.value(9), &Value::Empty);
    bench.receive(0, "<a>");
    assert_eq!(bench.value(9), &Value::Number(1.0));
}

#[test]
fn an_optional_parameter_may_be_absent() {
    let mut bench = sketch().response_with_optional(1, 0, &[1, 3], &[1]).start();
    bench.receive(0, "<a");
    assert_eq!(bench.value(3), &words("a"));
    bench.receive(0, "b");
    assert_eq!(bench.value(3), &words("b"));
}

#[test]
fn a_response_that_has_triggers_before_it_is_read_by_them_alone() {
    let mut bench = sketch()
        .number(9)
        .response(1, 0, &[3])
        .action(51, ActionKind::Read(None))
        .trigger(
            51,
            Some((Subject::Response(None), Moment::Before)),
            &[51],
            Some("id:9 == 1"),
        )
        .start();
    bench.receive(0, "a");
    assert_eq!(bench.value(3), &Value::Empty);
    assert_eq!(bench.machine.counters().unmatched, 1);
    bench.set(9, Value::Number(1.0));
    bench.receive(0, "a");
    assert_eq!(bench.value(3), &words("a"));
}

#[test]
fn messages_go_to_the_responses_of_their_link_in_order_and_a_catch_all_wins() {
    let mut bench = sketch()
        .response(1, 1, &[4])
        .response(2, 0, &[1, 3])
        .response(3, 0, &[4])
        .start();
    bench.receive(0, "<a");
    assert_eq!(
        (bench.value(3), bench.value(4)),
        (&words("a"), &Value::Empty)
    );
    bench.receive(0, "b");
    assert_eq!(bench.value(4), &words("b"));
    bench.receive(1, "<c");
    assert_eq!(
        (bench.value(3), bench.value(4)),
        (&words("a"), &words("<c"))
    );
}

#[test]
fn a_repeated_message_passes_two_memories() {
    let clear_parameter = ActionKind::Parameter(Some(ParameterId(3)), ParameterVerb::Clear);
    let clear_response = ActionKind::ClearResponse(Some(ResponseId(1)));
    for (clears_parameter, clears_response, expected) in [
        (false, false, 1),
        (true, false, 1),
        (false, true, 1),
        (true, true, 2),
    ] {
        let mut bench = sketch()
            .response(1, 0, &[3])
            .action(1, clear_parameter.clone())
            .action(2, clear_response.clone())
            .called(1, &[1])
            .trigger(
                2,
                Some((Subject::Response(Some(1)), Moment::After)),
                if clears_response { &[2] } else { &[] },
                None,
            )
            .start();
        let mut seen = 0;
        for _ in 0..2 {
            bench.receive(0, "same");
            seen += bench.hooks().len();
            if clears_parameter {
                bench.fire(1);
            }
        }
        assert_eq!(seen, expected, "{clears_parameter} {clears_response}");
    }
}

#[test]
fn a_response_cleared_while_its_message_is_handled_remembers_it_all_the_same() {
    let clear_response = ActionKind::ClearResponse(Some(ResponseId(1)));
    let mut bench = sketch()
        .response(1, 0, &[3])
        .action(2, clear_response)
        .on(2, (Subject::Parameter(Some(3)), Moment::Change), &[2])
        .start();
    bench.receive(0, "same");
    bench.receive(0, "same");
    assert_eq!(bench.machine.counters().repeated, 1);
}

#[test]
fn an_element_may_ask_for_repeated_messages() {
    let sketch = sketch()
        .number(9)
        .response(1, 0, &[3])
        .action(9, count(9))
        .on(9, (Subject::Response(Some(1)), Moment::After), &[9]);
    let mut settings = settings(&sketch.0);
    settings.delivers_duplicates = true;
    let mut bench = sketch.start_with(settings, []);
    bench.receive(0, "same");
    bench.receive(0, "same");
    assert_eq!(bench.value(9), &Value::Number(2.0));
    assert_eq!(bench.machine.counters().repeated, 0);
}

#[test]
fn bytes_become_values_by_their_type() {
    let old = Value::Empty;
    for (parameter, bytes, expected) in [
        (
            numeric(RawType::NumericText),
            &b"-1.5e3"[..],
            Value::Number(-1500.0),
        ),
        (numeric(RawType::NumericText), b" 2,5 ", Value::Number(2.5)),
        (numeric(RawType::NumericText), b"2.5 m", old.clone()),
        (numeric(RawType::NumericText), b"ff", old.clone()),
        (
            hexadecimal(numeric(RawType::NumericText)),
            b"fF",
            Value::Number(255.0),
        ),
        (numeric(RawType::Unsigned), &[1, 2], Value::Number(258.0)),
        (
            little(numeric(RawType::Unsigned)),
            &[1, 2],
            Value::Number(513.0),
        ),
        (numeric(RawType::Signed), &[0xFF, 0xFE], Value::Number(-2.0)),
        (
            little(numeric(RawType::Signed)),
            &[0xFE, 0xFF],
            Value::Number(-2.0),
        ),
        (numeric(RawType::Unsigned), &[0; 9], old.clone()),
        (
            numeric(RawType::Double),
            &[0x3F, 0x80, 0, 0],
            Value::Number(1.0),
        ),
        (numeric(RawType::Double), &[0x3F, 0x80, 0], old.clone()),
        (
            ruled(RawType::Other, ValueKind::HighNibble),
            &[0xA7],
            Value::Number(10.0),
        ),
        (
            ruled(RawType::Text, ValueKind::Text),
            b"a-Z;0 ?",
            words("a-Z;0 ?"),
        ),
        (ruled(RawType::Text, ValueKind::Text), b"{}", old),
        (
            ruled(RawType::Other, ValueKind::Text),
            &[0xFF, 0],
            Value::Bytes(Bytes::from_static(&[0xFF, 0])),
        ),
    ] {
        let mut bench = Sketch::default()
            .link(0, link())
            .parameter(1, parameter.clone())
            .response(1, 0, &[1])
            .start();
        let payload = Bytes::copy_from_slice(bytes);
        let kind = MessageKind::Binary;
        bench
            .machine
            .handle_message(LinkId(0), kind, payload, bench.now);
        assert_eq!(
            bench.value(1),
            &expected,
            "{bytes:?} {:?}",
            parameter.interpretation
        );
        let refused = u64::from(expected == Value::Empty);
        assert_eq!(bench.machine.counters().refused, refused);
    }
}

#[test]
fn code_is_told_the_kind_of_the_message_and_gets_its_raw_bytes() {
    let mut bench = sketch().response(1, 0, &[3]).start();
    let payload = Bytes::from_static(&[0xFF, 0xC3, 0xBC]);
    bench
        .machine
        .handle_message(LinkId(0), MessageKind::Binary, payload.clone(), bench.now);
    let kinds: Vec<_> = bench
        .effects()
        .into_iter()
        .filter_map(|effect| {
            if let bowline_connector::machine::Effect::Hook { kind, .. } = effect {
                Some(kind)
            } else {
                None
            }
        })
        .collect();
    assert_eq!(kinds, [Some(MessageKind::Binary)]);
    assert_eq!(bench.value(3), &Value::Bytes(payload));
}

#[test]
fn change_after_response_fires_when_all_parameters_have_their_values() {
    let keep = ActionKind::Parameter(Some(ParameterId(9)), ParameterVerb::Copy(ParameterId(4)));
    for (moment, expected) in [
        (Moment::Change, Value::Empty),
        (Moment::ChangeAfterResponse, words("b")),
    ] {
        let mut bench = sketch()
            .text(9)
            .response(1, 0, &[3, 1, 4])
            .action(1, keep.clone())
            .on(1, (Subject::Parameter(Some(3)), moment.clone()), &[1])
            .start();
        bench.receive(0, "a<b");
        assert_eq!(bench.value(9), &expected, "{moment:?}");
    }
}

#[test]
fn patterns_that_nearly_repeat_are_found_in_linear_time() {
    let mut bench = Sketch::default()
        .link(0, link())
        .fixed(1, format!("{}b", "a".repeat(5000)).as_bytes())
        .text(3)
        .response(1, 0, &[3, 1])
        .start();
    let long = "a".repeat(2_000_000);
    bench.receive(0, &long);
    assert_eq!(bench.value(3), &Value::Empty);
    bench.receive(0, &format!("{long}b"));
    let Value::Bytes(found) = bench.value(3) else {
        panic!("it holds text")
    };
    assert_eq!(found.len(), 2_000_000 - 5000);
}

fn ruled(raw: RawType, kind: ValueKind) -> Parameter {
    let mut parameter = text();
    parameter.interpretation.raw = raw;
    parameter.interpretation.kind = kind;
    parameter
}

fn numeric(raw: RawType) -> Parameter {
    ruled(raw, ValueKind::Double)
}

fn little(mut parameter: Parameter) -> Parameter {
    parameter.interpretation.is_big_endian = false;
    parameter
}

fn hexadecimal(mut parameter: Parameter) -> Parameter {
    parameter.interpretation.is_hexadecimal = true;
    parameter
}

#[test]
fn a_message_with_a_wrong_length_in_it_is_not_taken_where_lengths_are_checked() {
    let mut length = number();
    length.kind = ParameterKind::Length;
    length.interpretation.length = LengthRule::Fixed(2);
    let mut bench = Sketch::default()
        .link(0, link())
        .fixed(1, b"<")
        .parameter(2, length)
        .text(3)
        .text(4)
        .response(1, 0, &[1, 2, 3])
        .response(2, 0, &[4])
        .action(1, ActionKind::Read(None))
        .action(2, ActionKind::CheckLength(None))
        .on(1, (Subject::Response(None), Moment::Before), &[1, 2])
        .start();
    bench.open(0);
    bench.receive(0, "<04abc");
    assert_eq!(bench.value(3), &words("abc"));
    assert_eq!(bench.value(4), &Value::Empty);
    bench.receive(0, "<09abc");
    assert_eq!(bench.value(4), &words("<09abc"));
}
