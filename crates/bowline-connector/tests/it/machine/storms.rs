//! Anything may happen at any time: what always holds.

use std::collections::BTreeMap;

use bowline_connector::{
    machine::{Effect, QUEUE_GROUPS_MAX, Value},
    plan::{LinkId, MessageKind, ParameterId, Plan, TriggerId},
};
use proptest::prelude::*;

use super::sketch::{Bench, settings, words};

/// Something that happens to an element.
#[derive(Clone, Debug)]
enum Event {
    Open(u32),
    Close(u32, Option<u16>),
    Fail(u32),
    Message(u32, String),
    Set(u32, Option<String>),
    Person(u32, String),
    Fire(u32),
    Reconnect(u32),
    Pass(u64),
}

fn event() -> impl Strategy<Value = Event> {
    let link = 0_u32..3;
    let text = prop::sample::select(vec!["", "a", "1", "ws://192.0.2.9:1", "Reconnect", "ü{}"]);
    let parameter = prop::sample::select(vec![10_u32, 11, 12, 13, 14, 20, 22, 30, 40, 42, 43, 44]);
    let trigger = prop::sample::select(vec![50_u32, 51, 52, 53, 54, 55, 56, 57]);
    let text = text.prop_map(str::to_owned);
    prop_oneof![
        3 => link.clone().prop_map(Event::Open),
        2 => (link.clone(), prop::option::of(1000_u16..1012))
            .prop_map(|(link, code)| Event::Close(link, code)),
        1 => link.clone().prop_map(Event::Fail),
        4 => (link.clone(), text.clone()).prop_map(|(link, text)| Event::Message(link, text)),
        4 => (parameter.clone(), prop::option::of(text.clone()))
            .prop_map(|(parameter, text)| Event::Set(parameter, text)),
        2 => (parameter, text).prop_map(|(parameter, text)| Event::Person(parameter, text)),
        3 => trigger.prop_map(Event::Fire),
        1 => link.prop_map(Event::Reconnect),
        4 => (0_u64..20_000).prop_map(Event::Pass),
    ]
}

fn start() -> Bench {
    let file = include_bytes!("../../data/acme-tank.xml");
    let plan: Plan = bowline_connector::read("acme-tank.xml", file).plan.unwrap();
    let settings = settings(&plan);
    let mut bench = Bench::new(plan, settings, []);
    bench.code = |bench, parameter| {
        if parameter == ParameterId(43) {
            bench.machine.fire(TriggerId(53), bench.now).unwrap();
        }
    };
    bench.machine.start(bench.now);
    bench
}

fn happen(bench: &mut Bench, event: Event) {
    match event {
        Event::Open(link) => bench.open(link),
        Event::Close(link, code) => bench.close(link, code),
        Event::Fail(link) => bench.fail(link),
        Event::Message(link, text) => bench.receive(link, &text),
        Event::Set(parameter, text) => {
            let value = text.map_or(Value::Empty, |text| words(&text));
            // What is refused changes nothing.
            bench
                .machine
                .set_by_code(ParameterId(parameter), value, bench.now)
                .ok();
        }
        Event::Person(parameter, text) => {
            bench
                .machine
                .set_by_person(ParameterId(parameter), &text, bench.now)
                .ok();
        }
        Event::Fire(trigger) => {
            bench.machine.fire(TriggerId(trigger), bench.now).ok();
        }
        Event::Reconnect(link) => bench.machine.reconnect(LinkId(link), bench.now),
        Event::Pass(milliseconds) => bench.pass(milliseconds),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_states_sends_and_saves_stay_true(
        events in prop::collection::vec(event(), 0..60)
    ) {
        let mut bench = start();
        let mut is_open: BTreeMap<u32, bool> = BTreeMap::new();
        for event in events {
            let before = is_open.clone();
            if let Event::Open(link) = &event {
                is_open.insert(*link, true);
            } else if let Event::Close(link, _) | Event::Fail(link) = &event {
                is_open.insert(*link, false);
            }
            happen(&mut bench, event.clone());
            for effect in bench.effects() {
                if let Effect::Send { link, payload, kind } = &effect {
                    let was_open = [&before, &is_open].map(|states| states.get(&link.0));
                    prop_assert!(was_open.contains(&Some(&true)), "{event:?} sends");
                    let is_text = *kind == MessageKind::Text;
                    prop_assert!(!is_text || std::str::from_utf8(payload).is_ok());
                }
                if let Effect::Save(parameter, _) = &effect {
                    prop_assert!([10, 11, 30].contains(&parameter.0), "{parameter} is saved");
                }
            }
            if let Some(is_open) = is_open.get(&1) {
                let told = Value::Number(f64::from(u8::from(*is_open)));
                prop_assert_eq!(bench.value(21), &told, "{:?}", event);
            }
            prop_assert!(bench.machine.queue_len() <= QUEUE_GROUPS_MAX);
            prop_assert_eq!(bench.machine.link_phase(LinkId(2)), None);
            if let Event::Pass(_) = event {
                let due = bench.machine.poll_timeout();
                prop_assert!(due.is_none_or(|due| due > bench.now), "something is left due");
            }
        }
    }
}
