//! Values as people see them.

use bowline_connector::{
    machine::AlarmLevel,
    plan::{Alarm, Discreet, Measurement, Parameter, ParameterId},
};

use super::sketch::{Sketch, defaulted, number, text};

#[test]
fn alarms_come_from_levels_and_the_normal_value() {
    let levels = |low: [&str; 4], high: [&str; 4], normal: &str| {
        let told = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Alarm {
            is_monitored: true,
            normal: told(normal),
            low: low.map(told),
            high: high.map(told),
        }
    };
    let none = ["", "", "", ""];
    let level = || levels(["1", "2", "3", "4"], ["90", "80", "70", "60"], "50");
    let state = || levels(none, ["0", "", "", ""], "1");
    let off = || Alarm {
        is_monitored: false,
        ..level()
    };
    for (alarm, parameter, value, expected) in [
        (level(), number(), "50", Some(AlarmLevel::Normal)),
        (level(), number(), "59.9", Some(AlarmLevel::Normal)),
        (level(), number(), "60", Some(AlarmLevel::Warning)),
        (level(), number(), "75", Some(AlarmLevel::Minor)),
        (level(), number(), "80", Some(AlarmLevel::Major)),
        (level(), number(), "1000", Some(AlarmLevel::Critical)),
        (level(), number(), "3.5", Some(AlarmLevel::Warning)),
        (level(), number(), "-1", Some(AlarmLevel::Critical)),
        (level(), number(), "", None),
        (off(), number(), "1000", None),
        (state(), discreet(), "0", Some(AlarmLevel::Critical)),
        (state(), discreet(), "1", Some(AlarmLevel::Normal)),
        (state(), discreet(), "2", Some(AlarmLevel::Normal)),
        (
            levels(none, ["bad", "", "", ""], ""),
            text(),
            "bad",
            Some(AlarmLevel::Critical),
        ),
        (
            levels(none, ["bad", "", "", ""], ""),
            text(),
            "good",
            Some(AlarmLevel::Normal),
        ),
    ] {
        let mut parameter = defaulted(parameter, value);
        parameter.alarm = Some(alarm.clone());
        let bench = Sketch::default().parameter(1, parameter).start();
        assert_eq!(
            bench.machine.alarm(ParameterId(1)),
            expected,
            "{value} {alarm:?}"
        );
    }
}

#[test]
fn a_value_is_shown_by_its_label_or_with_its_decimals() {
    let mut rounded = number();
    rounded.decimals = Some(2);
    for (parameter, value, shown) in [
        (discreet(), "1", "Open"),
        (discreet(), "7", "7"),
        (rounded.clone(), "3.14159", "3.14"),
        (rounded, "", ""),
        (number(), "3.5", "3.5"),
        (text(), "grün", "grün"),
    ] {
        let bench = Sketch::default()
            .parameter(1, defaulted(parameter, value))
            .start();
        assert_eq!(bench.machine.display(ParameterId(1)), shown);
    }
}

fn discreet() -> Parameter {
    let mut parameter = number();
    parameter.measurement = Measurement::Discreet;
    parameter.discreets = vec![
        Discreet {
            display: "Closed".to_owned(),
            value: "0".to_owned(),
        },
        Discreet {
            display: "Open".to_owned(),
            value: "1".to_owned(),
        },
    ];
    parameter
}
