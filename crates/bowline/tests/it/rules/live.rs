//! Replacing rules while they are used.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use bowline::server::rules::{RuleSet, Rules, StaleRules};

use super::{decided, get, rules};

#[test]
fn rules_are_replaced_and_each_set_has_its_generation() {
    let live = Rules::default();
    assert_eq!(live.active().generation, 1);
    assert_eq!(live.dump(), "websocket off\n");
    assert_eq!(live.replace_text("allow /*\nroute /* a"), Ok(2));
    let old = live.active();
    let other_handle = live.clone();
    assert_eq!(other_handle.replace(rules("deny /*")), 3);
    assert_eq!(decided(&live.active().set, &get("/")), "403.202");
    // Whoever began with a set ends with it.
    assert_eq!(decided(&old.set, &get("/")), "a");
    assert_eq!(live.dump(), "websocket off\ndeny /*\n");
}

#[test]
fn a_text_with_one_wrong_rule_changes_nothing() {
    let live = Rules::new(rules("allow /a\nroute /a a"));
    let before = live.dump();
    for wrong in [
        "deny /*\nallow nothing",
        "deny /*\nallow /a address-group x",
    ] {
        let error = live.replace_text(wrong).unwrap_err();
        assert!(error.to_string().starts_with("line 2, "), "{error}");
        assert_eq!((live.dump(), live.active().generation), (before.clone(), 1));
    }
}

#[test]
fn of_two_changes_to_one_generation_one_is_told_that_it_is_late() {
    let live = Rules::default();
    let read = live.active();
    assert_eq!(live.replace_at(read.generation, rules("allow /a")), Ok(2));
    let late = live.replace_at(read.generation, rules("allow /b"));
    assert_eq!(
        late,
        Err(StaleRules {
            expected: 1,
            active: 2
        })
    );
    assert_eq!(live.dump(), "websocket off\nallow /a\n");
}

#[test]
fn a_decision_is_made_by_one_set_while_sets_change() {
    let sets: [RuleSet; 2] = [rules("allow /*\nroute /* a"), rules("deny /*\nroute /* b")];
    let live = Rules::new(sets[0].clone());
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..2000 {
                live.replace(sets[round % 2].clone());
            }
            done.store(true, Ordering::Release);
        });
        let mut last = 0;
        while !done.load(Ordering::Acquire) {
            let active = live.active();
            assert!(active.generation >= last);
            last = active.generation;
            let decision = decided(&active.set, &get("/"));
            assert!(decision == "a" || decision == "403.202", "{decision}");
        }
    });
    assert_eq!(live.active().generation, 2001);
}
