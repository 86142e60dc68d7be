//! What counts as a change, and what follows from one.

use bowline_connector::{
    machine::{Effect, SetError, Value},
    plan::{
        ActionKind, Discreet, LinkId, Measurement, Moment, ParameterId, ParameterVerb, Source,
        Subject,
    },
};

use super::sketch::{
    Sketch, defaulted, endpoint, fixed, link, number, saved, settings, text, words, write,
};

const CHANGE: Moment = Moment::Change;

fn on(id: u32) -> (Subject, Moment) {
    (Subject::Parameter(Some(id)), CHANGE)
}

fn verb(id: u32, verb: ParameterVerb) -> ActionKind {
    ActionKind::Parameter(Some(ParameterId(id)), verb)
}

#[test]
fn code_always_changes_a_value_and_a_copy_only_when_it_differs() {
    let mut bench = Sketch::default()
        .text(1)
        .text(2)
        .action(1, verb(2, ParameterVerb::Copy(ParameterId(1))))
        .called(1, &[1])
        .start();
    for _ in 0..2 {
        bench.set(1, words("a"));
        assert_eq!(bench.changes(1), [words("a")]);
    }
    bench.fire(1);
    assert_eq!(bench.changes(2), [words("a")]);
    bench.fire(1);
    assert_eq!(bench.changes(2), []);
    bench.set(1, words("b"));
    bench.fire(1);
    assert_eq!(bench.changes(2), [words("b")]);
}

#[test]
fn what_was_cleared_takes_the_same_value_as_a_change_and_is_not_told_as_empty() {
    let mut bench = Sketch::default()
        .text(1)
        .text(2)
        .fixed(3, b"!")
        .action(1, verb(2, ParameterVerb::Copy(ParameterId(1))))
        .action(2, verb(2, ParameterVerb::Clear))
        .action(3, verb(3, ParameterVerb::Clear))
        .action(4, verb(2, ParameterVerb::ClearOnDisplay))
        .called(1, &[1])
        .called(2, &[2, 3])
        .called(4, &[4])
        .start();
    bench.set(1, words("a"));
    bench.fire(1);
    assert_eq!(bench.changes(2), [words("a")]);
    bench.fire(2);
    assert_eq!(bench.effects(), []);
    assert_eq!(bench.value(2), &Value::Empty);
    assert_eq!(bench.value(3), &words("!"), "fixed bytes are never empty");
    bench.fire(1);
    assert_eq!(bench.changes(2), [words("a")]);
    bench.fire(4);
    assert_eq!(
        bench.effects(),
        [Effect::Changed(ParameterId(2), Value::Empty)]
    );
    assert_eq!(bench.value(2), &words("a"), "what is stored stays");
}

#[test]
fn a_change_has_its_effects_in_the_order_of_the_format() {
    let mut source = write(saved(endpoint(0)), "level");
    source.setter = true;
    let mut target = text();
    "level".clone_into(&mut target.name);
    let mut bench = Sketch::default()
        .link(0, link())
        .parameter(1, source)
        .parameter(2, target)
        .text(3)
        .action(
            1,
            verb(3, ParameterVerb::Set(Source::Literal("x".to_owned()))),
        )
        .on(1, on(1), &[1])
        .start();
    bench.effects();
    bench.set(1, words("192.0.2.9"));
    let hook = |id| Effect::Hook {
        parameter: ParameterId(id),
        code: None,
        kind: None,
    };
    assert_eq!(
        bench.effects(),
        [
            hook(3),
            Effect::Changed(ParameterId(3), words("x")),
            Effect::Reopen(LinkId(0)),
            Effect::Save(ParameterId(1), words("192.0.2.9")),
            hook(2),
            Effect::Changed(ParameterId(2), words("192.0.2.9")),
            hook(1),
            Effect::Changed(ParameterId(1), words("192.0.2.9")),
        ]
    );
}

#[test]
fn triggers_on_each_parameter_fire_for_those_without_their_own() {
    let set = |id, text: &str| verb(id, ParameterVerb::Set(Source::Literal(text.to_owned())));
    let mut bench = Sketch::default()
        .text(1)
        .text(2)
        .fixed(9, b"")
        .action(1, set(9, "own"))
        .action(2, set(9, "each"))
        .on(1, on(1), &[1])
        .on(2, on(9), &[])
        .on(3, (Subject::Parameter(None), CHANGE), &[2])
        .start();
    bench.effects();
    bench.set(1, words("a"));
    assert_eq!(bench.changes(9), [words("own")]);
    bench.set(2, words("a"));
    assert_eq!(bench.changes(9), [words("each")]);
}

#[test]
fn first_values_are_the_saved_ones_then_the_elements_then_defaults() {
    let sketch = Sketch::default()
        .parameter(1, saved(defaulted(text(), "default")))
        .parameter(2, saved(defaulted(text(), "default")))
        .parameter(3, defaulted(number(), "3"))
        .parameter(4, defaulted(text(), "default"))
        .parameter(5, saved(defaulted(number(), "none")));
    let mut settings = settings(&sketch.0);
    for (id, text) in [(1, "settings"), (2, "settings")] {
        settings.parameters.insert(ParameterId(id), text.to_owned());
    }
    let saved = [
        (1, words("saved")),
        (4, words("saved")),
        (5, words("seven")),
    ];
    let mut bench = sketch.start_with(settings, saved);
    assert_eq!(bench.value(1), &words("saved"));
    assert_eq!(bench.value(2), &words("settings"));
    assert_eq!(bench.value(3), &Value::Number(3.0));
    assert_eq!(
        bench.value(4),
        &words("default"),
        "it is not a saved parameter"
    );
    assert_eq!(bench.value(5), &Value::Empty);
    assert_eq!(
        bench.machine.counters().refused,
        2,
        "saved and default text for a number"
    );
    let told = bench.effects();
    assert!(
        told.contains(&Effect::Changed(ParameterId(1), words("saved"))),
        "{told:?}"
    );
    let stored = told
        .iter()
        .filter(|effect| matches!(effect, Effect::Save(..)));
    assert_eq!(stored.count(), 0, "first values are no changes");
}

#[test]
fn a_value_its_type_forbids_leaves_the_old_one() {
    let mut bench = Sketch::default().number(1).text(2).start();
    bench.set(1, words(" 2,5 "));
    assert_eq!(bench.value(1), &Value::Number(2.5));
    for value in [words("much"), Value::Number(f64::NAN), words("inf")] {
        let refused = bench.machine.set_by_code(ParameterId(1), value, bench.now);
        assert_eq!(refused, Err(SetError::Forbidden(ParameterId(1))));
    }
    let unknown = bench
        .machine
        .set_by_code(ParameterId(5), Value::Empty, bench.now);
    assert_eq!(unknown, Err(SetError::NoParameter(ParameterId(5))));
    assert_eq!(bench.value(1), &Value::Number(2.5));
    bench.set(2, Value::Number(7.0));
    assert_eq!(bench.value(2), &words("7"));
}

#[test]
fn people_set_write_parameters_by_label_by_value_and_in_range() {
    let mut mode = write(number(), "mode");
    mode.measurement = Measurement::Discreet;
    mode.discreets = vec![choice("Off", "0"), choice("On", "1")];
    let mut level = write(number(), "level");
    level.range = (Some(0.0), Some(10.0));
    let mut bench = Sketch::default()
        .parameter(1, mode)
        .parameter(2, level)
        .text(3)
        .start();
    let id = ParameterId;
    for (parameter, typed, expected) in [
        (1, "On", Ok(Value::Number(1.0))),
        (1, "0", Ok(Value::Number(0.0))),
        (1, "2", Err(SetError::NotAChoice(id(1)))),
        (1, "on", Err(SetError::NotAChoice(id(1)))),
        (2, "10", Ok(Value::Number(10.0))),
        (2, "much", Err(SetError::Forbidden(id(2)))),
        (3, "a", Err(SetError::NotWritable(id(3)))),
        (4, "a", Err(SetError::NoParameter(id(4)))),
        (
            2,
            "10.5",
            Err(SetError::OutOfRange {
                parameter: id(2),
                least: 0.0,
                greatest: 10.0,
            }),
        ),
    ] {
        let done = bench.machine.set_by_person(id(parameter), typed, bench.now);
        let value = done.map(|()| bench.value(parameter).clone());
        assert_eq!(value, expected, "{parameter} {typed}");
    }
}

#[test]
fn a_button_pressed_twice_triggers_twice() {
    let mut button = write(number(), "reconnect");
    button.measurement = Measurement::Button;
    button.discreets = vec![choice("Reconnect", "1")];
    let one = Source::Literal("1".to_owned());
    let mut bench = Sketch::default()
        .parameter(1, button)
        .number(2)
        .action(1, verb(2, ParameterVerb::Increment(one)))
        .on(1, on(1), &[1])
        .start();
    for typed in ["Reconnect", "1"] {
        bench
            .machine
            .set_by_person(ParameterId(1), typed, bench.now)
            .unwrap();
    }
    assert_eq!(bench.value(2), &Value::Number(2.0));
}

#[test]
fn actions_compute_values() {
    let literal = |text: &str| Source::Literal(text.to_owned());
    for (first, action, expected) in [
        ("4", ParameterVerb::Increment(literal("-1.5")), "2.5"),
        ("", ParameterVerb::Increment(literal("2")), "2"),
        ("4", ParameterVerb::Multiply(literal("2")), "8"),
        ("2", ParameterVerb::Power(literal("10")), "1024"),
        ("4", ParameterVerb::Multiply(literal("much")), "4"),
        ("1", ParameterVerb::Append(literal("2")), "12"),
        ("12", ParameterVerb::Reverse, "21"),
        (
            "4",
            ParameterVerb::Set(Source::Parameter(ParameterId(2))),
            "7",
        ),
        ("9", ParameterVerb::Power(literal("1e9")), "9"),
    ] {
        let mut bench = Sketch::default()
            .parameter(1, defaulted(number(), first))
            .parameter(2, defaulted(text(), "7"))
            .action(1, verb(1, action.clone()))
            .called(1, &[1])
            .start();
        bench.fire(1);
        assert_eq!(
            bench.machine.text(ParameterId(1)),
            expected,
            "{first} {action:?}"
        );
    }
}

#[test]
fn run_actions_sets_off_triggers_and_code_without_a_change() {
    let one = Source::Literal("1".to_owned());
    let mut bench = Sketch::default()
        .text(1)
        .number(2)
        .action(1, verb(1, ParameterVerb::RunActions))
        .action(2, verb(2, ParameterVerb::Increment(one)))
        .called(1, &[1])
        .on(2, on(1), &[2])
        .start();
    bench.fire(1);
    assert_eq!(bench.value(2), &Value::Number(1.0));
    assert_eq!(bench.hooks(), [2, 1]);
    assert_eq!(bench.value(1), &Value::Empty);
}

#[test]
fn save_stores_a_value_now() {
    let mut bench = Sketch::default()
        .parameter(1, defaulted(text(), "a"))
        .action(1, verb(1, ParameterVerb::Save))
        .called(1, &[1])
        .start();
    bench.effects();
    bench.fire(1);
    assert_eq!(bench.effects(), [Effect::Save(ParameterId(1), words("a"))]);
}

#[test]
fn a_fixed_parameter_may_be_given_other_bytes_of_another_length() {
    let literal = |text: &str| Source::Literal(text.to_owned());
    let mut bench = Sketch::default()
        .parameter(1, fixed(b"GET"))
        .action(1, verb(1, ParameterVerb::ChangeLength(literal("4"))))
        .action(2, verb(1, ParameterVerb::Set(literal("POST"))))
        .called(1, &[1, 2])
        .start();
    bench.fire(1);
    assert_eq!(bench.value(1), &words("POST"));
}

fn choice(display: &str, value: &str) -> Discreet {
    Discreet {
        display: display.to_owned(),
        value: value.to_owned(),
    }
}
