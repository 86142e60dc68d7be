//! Rules that are replaced while a listener runs.

use std::sync::{Arc, PoisonError, RwLock};

use thiserror::Error;

use super::{
    decision::Decision, error::RuleError, explanation::Explanation, facts::RequestFacts,
    set::RuleSet,
};

/// A handle on the rules of a running listener.
///
/// Clones are handles on the same rules. Rules are replaced all or nothing: a set is checked
/// before it gets here, each decision is made by one set, and a decision under way is finished by
/// the set that began it. Nothing here waits for longer than it takes to copy a pointer.
#[derive(Clone, Debug)]
pub struct Rules {
    active: Arc<RwLock<ActiveRules>>,
}

impl Rules {
    /// Makes a handle on a set, as its generation 1.
    pub fn new(set: RuleSet) -> Self {
        Self {
            active: Arc::new(RwLock::new(ActiveRules {
                generation: 1,
                set: Arc::new(set),
            })),
        }
    }

    /// Gives the set that is active now, with its generation.
    pub fn active(&self) -> ActiveRules {
        // A pointer is replaced whole, so a panic elsewhere leaves nothing half done.
        let active = self.active.read().unwrap_or_else(PoisonError::into_inner);
        active.clone()
    }

    /// Decides on a request.
    pub fn decide(&self, facts: &RequestFacts<'_>) -> Decision {
        self.active().set.decide(facts)
    }

    /// Decides on a request and tells how.
    pub fn explain(&self, facts: &RequestFacts<'_>) -> Explanation {
        self.active().set.explain(facts)
    }

    /// Gives the text form of the active rules, which [`replace_text`](Self::replace_text) reads.
    pub fn dump(&self) -> String {
        self.active().set.to_string()
    }

    /// Replaces all rules; gives the new generation.
    pub fn replace(&self, set: RuleSet) -> u64 {
        let set = Arc::new(set);
        let mut active = self.active.write().unwrap_or_else(PoisonError::into_inner);
        active.generation += 1;
        active.set = set;
        active.generation
    }

    /// Replaces all rules by those of a text; gives the new generation.
    ///
    /// # Errors
    /// [`RuleError`] with line and column when the text is wrong. Nothing has changed then.
    pub fn replace_text(&self, text: &str) -> Result<u64, RuleError> {
        Ok(self.replace(RuleSet::parse(text)?))
    }

    /// Replaces all rules unless somebody else did so since `generation`; gives the new one.
    ///
    /// To change rules, take [`active`](Self::active), change a copy of its list, and replace it
    /// by this.
    ///
    /// # Errors
    /// [`StaleRules`] when another generation is active. Nothing has changed then.
    pub fn replace_at(&self, generation: u64, set: RuleSet) -> Result<u64, StaleRules> {
        let set = Arc::new(set);
        let mut active = self.active.write().unwrap_or_else(PoisonError::into_inner);
        if active.generation != generation {
            return Err(StaleRules {
                expected: generation,
                active: active.generation,
            });
        }
        active.generation += 1;
        active.set = set;
        Ok(active.generation)
    }
}

/// No rules, which deny everything.
impl Default for Rules {
    fn default() -> Self {
        Self::new(RuleSet::default())
    }
}

/// The rules that were active at one moment.
#[derive(Clone, Debug)]
pub struct ActiveRules {
    /// Counts the sets, from 1.
    pub generation: u64,
    /// The rules.
    pub set: Arc<RuleSet>,
}

/// Somebody else has replaced the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the rules are at generation {active}, not {expected}: read them again and repeat")]
pub struct StaleRules {
    /// The generation that was to be replaced.
    pub expected: u64,
    /// The generation that is active.
    pub active: u64,
}
