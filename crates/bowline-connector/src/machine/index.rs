//! The triggers of each moment.

use std::collections::BTreeMap;

use crate::plan::{Moment, Plan, Subject, TriggerId};

/// Finds the triggers on a moment, in the order of the file.
#[derive(Debug, Default)]
pub(super) struct TriggerIndex {
    rows: BTreeMap<(Subject, Moment), Vec<TriggerId>>,
}

impl TriggerIndex {
    pub(super) fn of(plan: &Plan) -> Self {
        let mut index = Self::default();
        for (id, trigger) in plan.triggers.iter() {
            if let Some((subject, moment)) = &trigger.on {
                let row = index.rows.entry((*subject, moment.clone()));
                row.or_default().push(id);
            }
        }
        index
    }

    /// Finds those on a moment of a subject: its own, or if it has none those on each.
    pub(super) fn find(&self, subject: Subject, moment: &Moment) -> &[TriggerId] {
        let own = self.rows.get(&(subject, moment.clone()));
        own.or_else(|| self.rows.get(&(each(subject), moment.clone())))
            .map_or(&[], Vec::as_slice)
    }
}

/// Gives the subject "each" of the same kind.
fn each(subject: Subject) -> Subject {
    match subject {
        Subject::Command(_) => Subject::Command(None),
        Subject::Communication(_) => Subject::Communication(None),
        Subject::Group(_) => Subject::Group(None),
        Subject::Pair(_) => Subject::Pair(None),
        Subject::Parameter(_) => Subject::Parameter(None),
        Subject::Protocol => Subject::Protocol,
        Subject::Response(_) => Subject::Response(None),
        Subject::Session(_) => Subject::Session(None),
        Subject::Timer(_) => Subject::Timer(None),
    }
}
