//! How a decision came about.

use std::fmt;

use super::{
    decision::Decision,
    facts::RequestFacts,
    rule::Rule,
    url::{NormalUrl, PathError},
};

/// Tells which rule decided on a request and what each step before it did.
///
/// Its `Display` is for people: some lines, without queries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The request: method, path as sent, client, user and kind.
    pub request: String,
    /// The path that patterns were compared with.
    pub path: Result<String, PathError>,
    /// The steps that were taken, in order; the last one decided.
    pub steps: Vec<ExplainedStep>,
    /// What was decided.
    pub decision: Decision,
}

impl Explanation {
    /// Gives the rule that decided; `None` when a default did.
    pub fn decided_by(&self) -> Option<&ExplainedRule> {
        self.steps.last()?.decided_by.as_ref()
    }

    pub(super) fn new(facts: &RequestFacts<'_>, witness: StepList, decision: Decision) -> Self {
        let peer = facts.peer.map(|peer| peer.to_canonical().to_string());
        let kind = if facts.is_upgrade {
            "opening handshake"
        } else {
            "plain HTTP"
        };
        let request = format!(
            "{} {} from {}, {}, {kind}",
            facts.method.escape_debug(),
            facts.path.escape_debug(),
            peer.as_deref().unwrap_or("an unknown address"),
            match facts.user {
                Some(user) => format!("user {user:?}"),
                None => "no user".to_owned(),
            },
        );
        Self {
            request,
            path: NormalUrl::new(facts.path, None).map(|url| url.path),
            steps: witness.0,
            decision,
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.request)?;
        match &self.path {
            Ok(path) => writeln!(f, "path: compared as {path}")?,
            Err(error) => writeln!(f, "path: {error}")?,
        }
        for step in &self.steps {
            match &step.decided_by {
                Some(rule) => writeln!(f, "{}: {rule}", step.step)?,
                None => writeln!(f, "{}: {}", step.step, step.step.by_default())?,
            }
            for (rule, mismatch) in &step.passed_over {
                writeln!(f, "    not {rule}: {mismatch}")?;
            }
        }
        write!(f, "answer: {}", self.decision)
    }
}

/// One step of a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedStep {
    /// Which one.
    pub step: Step,
    /// The rules that did not match, as they were looked at: newest first.
    pub passed_over: Vec<(ExplainedRule, Mismatch)>,
    /// The rule that matched.
    pub decided_by: Option<ExplainedRule>,
}

/// A rule as explanations show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedRule {
    /// Its place in the list, from 1 for the oldest.
    pub number: usize,
    /// Its text form.
    pub text: String,
}

impl fmt::Display for ExplainedRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule {} `{}`", self.number, self.text)
    }
}

/// A step of the evaluation. They are taken in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Redirect rules.
    Redirect,
    /// Allow and deny rules.
    Access,
    /// Route rules, and their switches for WebSocket connections.
    Route,
}

impl Step {
    const fn by_default(self) -> &'static str {
        match self {
            Self::Redirect => "no rule matches, the request stays",
            Self::Access => "no rule matches, denied by default",
            Self::Route => "no rule matches",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Redirect => "redirect",
            Self::Access => "access",
            Self::Route => "route",
        })
    }
}

/// The first thing of a rule that did not apply to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mismatch {
    /// Its methods.
    Method,
    /// Its pattern of URLs.
    Url,
    /// Its addresses.
    Address,
    /// Its users.
    User,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Method => "other method",
            Self::Url => "other URL",
            Self::Address => "other address",
            Self::User => "other user",
        })
    }
}

/// Watches an evaluation.
pub(super) trait Witness {
    fn begin(&mut self, step: Step);
    fn pass_over(&mut self, index: usize, rule: &Rule, mismatch: Mismatch);
    fn decide(&mut self, index: usize, rule: &Rule);
}

/// Nobody watches.
impl Witness for () {
    fn begin(&mut self, _: Step) {}
    fn pass_over(&mut self, _: usize, _: &Rule, _: Mismatch) {}
    fn decide(&mut self, _: usize, _: &Rule) {}
}

/// Writes all of it down.
#[derive(Default)]
pub(super) struct StepList(Vec<ExplainedStep>);

impl Witness for StepList {
    fn begin(&mut self, step: Step) {
        self.0.push(ExplainedStep {
            step,
            passed_over: Vec::new(),
            decided_by: None,
        });
    }

    fn pass_over(&mut self, index: usize, rule: &Rule, mismatch: Mismatch) {
        if let Some(step) = self.0.last_mut() {
            step.passed_over.push((explained(index, rule), mismatch));
        }
    }

    fn decide(&mut self, index: usize, rule: &Rule) {
        if let Some(step) = self.0.last_mut() {
            step.decided_by = Some(explained(index, rule));
        }
    }
}

fn explained(index: usize, rule: &Rule) -> ExplainedRule {
    ExplainedRule {
        number: index + 1,
        text: rule.to_string(),
    }
}
