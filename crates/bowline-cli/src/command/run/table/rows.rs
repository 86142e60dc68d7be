//! The rows of the table.

use std::{collections::BTreeMap, time::Instant};

use bowline_connector::{
    machine::AlarmLevel,
    plan::{Measurement, ParameterId, ParameterKind},
    runner::{ElementHandle, ParameterStatus, Snapshot},
};

use super::super::line::one_line;
use crate::elements::shown::Shown;

/// An element and what is known of it.
#[derive(Debug)]
pub(super) struct Element {
    pub(super) handle: ElementHandle,
    pub(super) snapshot: Option<Snapshot>,
    /// When values changed last.
    pub(super) changes: BTreeMap<ParameterId, Instant>,
    /// Whether something happened since the snapshot was made.
    pub(super) is_stale: bool,
}

/// One parameter of one element.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) element: usize,
    pub(super) id: ParameterId,
    pub(super) name: String,
    pub(super) value: String,
    pub(super) alarm: Option<AlarmLevel>,
    pub(super) changed: Option<Instant>,
    pub(super) is_write: bool,
    pub(super) is_button: bool,
    /// The labels to choose from.
    pub(super) labels: Vec<String>,
}

impl Element {
    /// Gives its rows: what the connector displays, or all.
    pub(super) fn rows(&self, index: usize, shows_all: bool) -> Vec<Row> {
        let Some(snapshot) = &self.snapshot else {
            return Vec::new();
        };
        let displays = snapshot.parameters.iter().any(|one| one.is_displayed);
        let is_shown = |status: &&ParameterStatus| shows_all || !displays || status.is_displayed;
        let parameters = snapshot.parameters.iter().filter(is_shown);
        parameters.map(|status| self.row(index, status)).collect()
    }

    fn row(&self, element: usize, status: &ParameterStatus) -> Row {
        let name = if status.description.is_empty() {
            &status.name
        } else {
            &status.description
        };
        let is_write = status.kind == ParameterKind::Write;
        let is_button = status.measurement == Measurement::Button;
        let labels = status.discreets.iter();
        let labels: Vec<_> = labels.map(|discreet| discreet.display.clone()).collect();
        let value = if is_button {
            format!("[{}]", labels.join("] ["))
        } else {
            let shown = Shown(self.handle.plan()).display(status.id, &status.value);
            let shown = one_line(&cut(&shown));
            format!("{shown} {}", status.units).trim_end().to_owned()
        };
        Row {
            element,
            id: status.id,
            name: name.clone(),
            value,
            alarm: status.alarm,
            changed: self.changes.get(&status.id).copied(),
            is_write,
            is_button,
            labels,
        }
    }
}

/// No screen is wider.
fn cut(text: &str) -> String {
    text.chars().take(VALUE_SHOWN_MAX).collect()
}

const VALUE_SHOWN_MAX: usize = 500;
