//! Rules of a listener, as tables: what they decide on which request.

mod decisions;
mod live;
mod properties;
mod text;

use bowline::server::rules::{Decision, RequestFacts, RuleSet};

/// A plain GET without user and address.
fn get(path: &str) -> RequestFacts<'_> {
    RequestFacts {
        method: "GET",
        path,
        query: None,
        host: None,
        user: None,
        groups: &[],
        peer: None,
        is_upgrade: false,
        tls: false,
    }
}

fn rules(text: &str) -> RuleSet {
    RuleSet::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// What a set decides, in a few words: `/new`, `chat`, or `403.201`.
fn decided(rules: &RuleSet, facts: &RequestFacts<'_>) -> String {
    let decision = rules.decide(facts);
    assert_eq!(rules.explain(facts).decision, decision);
    match decision {
        Decision::Redirect(location) => location,
        Decision::Refuse(refusal) => format!("{}.{}", refusal.status(), refusal.code()),
        Decision::Challenge(realm) => format!("401 {}", realm.as_str()),
        Decision::Route(routed) => routed.name.to_string(),
    }
}
