//! A checked, immutable set of rules.

use std::fmt;

use super::{
    decision::Decision,
    error::{RuleError, RuleFault, RulePlace},
    evaluate::{evaluate, loops},
    explanation::{Explanation, StepList},
    facts::RequestFacts,
    list::RuleList,
    rule::{Access, Redirect, Route, Rule},
    text,
};

/// The checked rules of a listener: they decide what is done with a request.
///
/// First redirects, then allow and deny rules, then routes. Within each the newest rule that
/// matches counts, so general rules come first and exceptions after them. What no rule allows is
/// denied, over TLS too; what is allowed but has no route is not found. The default set has no
/// rules: it denies everything.
///
/// ```
/// use bowline::server::rules::{Decision, RequestFacts, RuleSet};
///
/// let rules = RuleSet::parse("
///     allow /*
///     deny  /admin/*
///     allow /admin/* user-group admins
///     route /chat/*  chat websocket-only
/// ")?;
/// let facts = RequestFacts {
///     method: "GET",
///     path: "/chat/blue",
///     query: None,
///     host: None,
///     user: None,
///     groups: &[],
///     peer: None,
///     is_upgrade: true,
///     tls: false,
/// };
/// let Decision::Route(routed) = rules.decide(&facts) else { panic!() };
/// assert_eq!(routed.name.as_str(), "chat");
/// assert_eq!(routed.captures, ["blue"]);
/// # Ok::<_, bowline::server::rules::RuleError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    list: RuleList,
    /// Places in the list, newest first.
    redirects: Vec<usize>,
    access: Vec<usize>,
    routes: Vec<usize>,
}

impl RuleSet {
    /// Checks a list of rules.
    ///
    /// # Errors
    /// [`RuleError`] with the number of the first rule that is wrong, and why: a bound of
    /// [`RuleList`] is passed, a group of addresses is not defined or empty, a redirect has too
    /// many wildcards or leads in a circle.
    pub fn new(list: RuleList) -> Result<Self, RuleError> {
        list.check()?;
        let newest = |is_kind: fn(&Rule) -> bool| {
            let places = list.rules.iter().enumerate().rev();
            let places = places.filter(|(_, rule)| is_kind(rule));
            places.map(|(index, _)| index).collect()
        };
        let set = Self {
            redirects: newest(|rule| matches!(rule, Rule::Redirect(_))),
            access: newest(|rule| matches!(rule, Rule::Allow(_) | Rule::Deny(_))),
            routes: newest(|rule| matches!(rule, Rule::Route(_))),
            list,
        };
        for (index, rule) in set.list.rules.iter().enumerate() {
            if let Rule::Redirect(redirect) = rule
                && loops(&set, redirect)
            {
                return Err(RuleError {
                    place: RulePlace::Rule(index + 1),
                    fault: RuleFault::RedirectLoop,
                });
            }
        }
        Ok(set)
    }

    /// Reads the text form and checks it.
    ///
    /// # Errors
    /// [`RuleError`] with line and column of the first fault; as [`RuleList::parse`] and
    /// [`new`](Self::new).
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        let mut read = text::read(text)?;
        let list = std::mem::take(&mut read.list);
        Self::new(list).map_err(|error| read.place(error))
    }

    /// Decides on a request.
    pub fn decide(&self, facts: &RequestFacts<'_>) -> Decision {
        evaluate(self, facts, &mut ())
    }

    /// Decides on a request and tells how.
    pub fn explain(&self, facts: &RequestFacts<'_>) -> Explanation {
        let mut steps = StepList::default();
        let decision = evaluate(self, facts, &mut steps);
        Explanation::new(facts, steps, decision)
    }

    /// Gives the rules as they were written.
    pub const fn list(&self) -> &RuleList {
        &self.list
    }

    /// Finds rules that do less than they seem to; they are no errors.
    pub fn warnings(&self) -> Vec<RuleWarning> {
        let mut other_methods_allowed = false;
        let mut warnings = Vec::new();
        for (index, rule) in self.list.rules.iter().enumerate() {
            match rule {
                Rule::Allow(access) => other_methods_allowed |= access.methods.exceeds_assumed(),
                Rule::Deny(access) if other_methods_allowed && !access.methods.is_any() => {
                    warnings.push(RuleWarning { rule: index + 1 });
                }
                Rule::Redirect(_) | Rule::Deny(_) | Rule::Route(_) => {}
            }
        }
        warnings
    }

    pub(super) fn redirects(&self) -> impl Iterator<Item = (usize, &Rule, &Redirect)> {
        self.of_kind(&self.redirects, |rule| match rule {
            Rule::Redirect(redirect) => Some(redirect),
            Rule::Allow(_) | Rule::Deny(_) | Rule::Route(_) => None,
        })
    }

    pub(super) fn access(&self) -> impl Iterator<Item = (usize, &Rule, &Access)> {
        self.of_kind(&self.access, |rule| match rule {
            Rule::Allow(access) | Rule::Deny(access) => Some(access),
            Rule::Redirect(_) | Rule::Route(_) => None,
        })
    }

    pub(super) fn routes(&self) -> impl Iterator<Item = (usize, &Rule, &Route)> {
        self.of_kind(&self.routes, |rule| match rule {
            Rule::Route(route) => Some(route),
            Rule::Redirect(_) | Rule::Allow(_) | Rule::Deny(_) => None,
        })
    }

    fn of_kind<'s, K: 's>(
        &'s self,
        places: &'s [usize],
        kind: impl Fn(&'s Rule) -> Option<&'s K>,
    ) -> impl Iterator<Item = (usize, &'s Rule, &'s K)> {
        places.iter().filter_map(move |index| {
            let rule = self.list.rules.get(*index)?;
            Some((*index, rule, kind(rule)?))
        })
    }
}

/// The text form of the rules.
impl fmt::Display for RuleSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.list.fmt(f)
    }
}

/// A deny rule about some methods only, where an older rule allows others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuleWarning {
    /// The deny rule, counted from 1 for the oldest.
    pub rule: usize,
}

impl fmt::Display for RuleWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "rule {}: it denies some methods only, and an older rule allows others: \
             write `deny ANY` if it is to deny all",
            self.rule
        )
    }
}
