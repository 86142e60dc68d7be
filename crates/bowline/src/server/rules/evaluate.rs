//! The steps from a request to a decision.

use super::{
    decision::{Decision, Routed, RuleRefusal},
    explanation::{Mismatch, Step, Witness},
    facts::RequestFacts,
    list::RuleList,
    rule::{Access, Addresses, Redirect, Route, Rule, Users, WebSocketUse},
    set::RuleSet,
    url::NormalUrl,
};

/// Redirects, then access, then routes.
pub(super) fn evaluate(
    set: &RuleSet,
    facts: &RequestFacts<'_>,
    witness: &mut impl Witness,
) -> Decision {
    let Ok(url) = NormalUrl::new(facts.path, facts.query) else {
        return Decision::Refuse(RuleRefusal::PathMalformed);
    };
    witness.begin(Step::Redirect);
    if let Some(location) = redirect(set, facts.method, &url, witness) {
        return if ends(set, facts, &location) {
            Decision::Redirect(location)
        } else {
            Decision::Refuse(RuleRefusal::RedirectLoop)
        };
    }
    witness.begin(Step::Access);
    if let Err(refused) = admit(set, facts, &url, witness) {
        return refused;
    }
    witness.begin(Step::Route);
    match route(set, facts, url, witness) {
        Ok(routed) => Decision::Route(routed),
        Err(refusal) => Decision::Refuse(refusal),
    }
}

/// Tells whether a request made for a redirect rule is sent in a circle.
pub(super) fn loops(set: &RuleSet, rule: &Redirect) -> bool {
    let facts = RequestFacts {
        method: rule.methods.example(),
        path: "/",
        query: None,
        host: None,
        user: None,
        groups: &[],
        peer: None,
        is_upgrade: false,
        tls: false,
    };
    let location = redirect(set, facts.method, &rule.pattern.example(), &mut ());
    location.is_some_and(|location| !ends(set, &facts, &location))
}

/// Finds where the newest redirect rule that matches leads.
fn redirect(
    set: &RuleSet,
    method: &str,
    url: &NormalUrl,
    witness: &mut impl Witness,
) -> Option<String> {
    for (index, rule, redirect) in set.redirects() {
        if !redirect.methods.contains(method) {
            witness.pass_over(index, rule, Mismatch::Method);
            continue;
        }
        let Some(captures) = redirect.pattern.captures_of(url) else {
            witness.pass_over(index, rule, Mismatch::Url);
            continue;
        };
        witness.decide(index, rule);
        let target = redirect.target.as_ref()?;
        let carried = url.query.as_deref();
        let carried = carried.filter(|_| !redirect.pattern.has_query());
        return Some(target.location(&captures, carried));
    }
    None
}

/// Follows redirects on this host; tells whether they end soon enough.
fn ends(set: &RuleSet, facts: &RequestFacts<'_>, location: &str) -> bool {
    let mut next = here(facts, location);
    for _ in 0..RuleList::REDIRECTS_MAX {
        let Some(url) = next else {
            return true;
        };
        next =
            redirect(set, facts.method, &url, &mut ()).and_then(|location| here(facts, &location));
    }
    next.is_none()
}

/// Reads a location that leads to the host of the request.
fn here(facts: &RequestFacts<'_>, location: &str) -> Option<NormalUrl> {
    if location.starts_with('/') {
        return NormalUrl::parse(location).ok();
    }
    let (scheme, rest) = location.split_once("://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, resource) = rest.split_at(end);
    if !facts.is_same_host(scheme, authority) {
        return None;
    }
    let slash = if resource.starts_with('/') { "" } else { "/" };
    NormalUrl::parse(&format!("{slash}{resource}")).ok()
}

/// Asks the allow and deny rules.
fn admit(
    set: &RuleSet,
    facts: &RequestFacts<'_>,
    url: &NormalUrl,
    witness: &mut impl Witness,
) -> Result<(), Decision> {
    let mut refusal = RuleRefusal::NotAllowed;
    // The newest rule that a user would do for says in which realm to ask.
    let mut for_user: Option<&Access> = None;
    for (index, rule, access) in set.access() {
        let is_allow = matches!(rule, Rule::Allow(_));
        let unknown = if is_allow {
            UnknownAddress::IsOutside
        } else {
            UnknownAddress::IsInside
        };
        if let Some(mismatch) = mismatch(set, access, (facts, url), unknown) {
            if is_allow && mismatch == Mismatch::User && facts.user.is_none() {
                for_user = for_user.or(Some(access));
            }
            witness.pass_over(index, rule, mismatch);
            continue;
        }
        witness.decide(index, rule);
        if is_allow {
            return Ok(());
        }
        refusal = RuleRefusal::Denied;
        break;
    }
    Err(match for_user {
        None => Decision::Refuse(refusal),
        Some(Access { realm: None, .. }) => Decision::Refuse(RuleRefusal::UserRequired),
        Some(Access {
            realm: Some(realm), ..
        }) => Decision::Challenge(realm.clone()),
    })
}

/// How a client whose address is not known counts.
#[derive(Clone, Copy)]
enum UnknownAddress {
    IsInside,
    IsOutside,
}

/// Finds the first thing of an access rule that does not apply; the user is looked at last.
fn mismatch(
    set: &RuleSet,
    access: &Access,
    (facts, url): (&RequestFacts<'_>, &NormalUrl),
    unknown: UnknownAddress,
) -> Option<Mismatch> {
    if !access.methods.contains(facts.method) {
        return Some(Mismatch::Method);
    }
    if !access.pattern.matches(url) {
        return Some(Mismatch::Url);
    }
    let ranges = match &access.addresses {
        Addresses::Anywhere => None,
        Addresses::Ranges(ranges) => Some(ranges),
        // The list was checked: the group is there.
        Addresses::Group(name) => set.list().address_groups.get(name),
    };
    let is_inside = match (ranges, facts.peer) {
        (None, _) => true,
        (Some(ranges), Some(peer)) => ranges.iter().any(|range| range.contains(peer)),
        (Some(_), None) => matches!(unknown, UnknownAddress::IsInside),
    };
    if !is_inside {
        return Some(Mismatch::Address);
    }
    let is_meant = match &access.users {
        Users::Anyone => true,
        Users::Named(pattern) => facts.user.is_some_and(|user| pattern.matches(user)),
        Users::Group(name) => facts.groups.iter().any(|group| group == name.as_str()),
    };
    (!is_meant).then_some(Mismatch::User)
}

/// Finds the handler.
fn route(
    set: &RuleSet,
    facts: &RequestFacts<'_>,
    url: NormalUrl,
    witness: &mut impl Witness,
) -> Result<Routed, RuleRefusal> {
    for (index, rule, route) in set.routes() {
        if !route.methods.contains(facts.method) {
            witness.pass_over(index, rule, Mismatch::Method);
            continue;
        }
        let Some(captures) = route.pattern.captures_of(&url) else {
            witness.pass_over(index, rule, Mismatch::Url);
            continue;
        };
        witness.decide(index, rule);
        check_kind(set, facts, route)?;
        return Ok(Routed {
            name: route.name.clone(),
            captures: captures.iter().map(|one| one.text.to_owned()).collect(),
            path: url.path,
            websocket: facts.is_upgrade,
        });
    }
    Err(RuleRefusal::NoRoute)
}

/// Compares what the route takes with what the request is.
const fn check_kind(
    set: &RuleSet,
    facts: &RequestFacts<'_>,
    route: &Route,
) -> Result<(), RuleRefusal> {
    let (takes_websocket, takes_http) = match route.websocket {
        WebSocketUse::Inherit => (set.list().websocket, true),
        WebSocketUse::Allow => (true, true),
        WebSocketUse::Deny => (false, true),
        WebSocketUse::Only => (true, false),
    };
    if facts.is_upgrade && !takes_websocket {
        Err(RuleRefusal::WebSocketForbidden)
    } else if !facts.is_upgrade && !takes_http {
        Err(RuleRefusal::WebSocketRequired)
    } else {
        Ok(())
    }
}
