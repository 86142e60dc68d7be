//! What the table shows.

use std::{collections::BTreeMap, time::Instant};

use bowline_connector::runner::{ElementEvent, ElementHandle};
use tokio::sync::mpsc;

use super::{
    rows::{Element, Row},
    stream::Stream,
};
use crate::elements::shown::Shown;

/// Everything that is shown, and what is chosen.
#[derive(Debug)]
pub(super) struct App {
    pub(super) elements: Vec<Element>,
    pub(super) rows: Vec<Row>,
    /// The row that is chosen.
    pub(super) chosen: usize,
    pub(super) view: View,
    pub(super) stream: Stream,
    /// How many messages lie below those that are shown.
    pub(super) stream_above: usize,
    /// The last thing to know.
    pub(super) note: String,
    pub(super) shows_all: bool,
    notes: mpsc::Sender<String>,
}

/// What the keys are for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum View {
    /// Choosing parameters.
    #[default]
    Table,
    /// Looking at messages.
    Stream,
    /// Typing a value for the chosen parameter.
    Edit {
        text: String,
        /// Which label was offered last.
        label: Option<usize>,
    },
}

impl App {
    pub(super) async fn new(handles: Vec<ElementHandle>, notes: mpsc::Sender<String>) -> Self {
        let mut stream = Stream::default();
        for handle in &handles {
            for message in handle.messages().await.unwrap_or_default() {
                stream.add(&handle.settings().name, &message);
            }
        }
        let elements = handles.into_iter().map(|handle| Element {
            handle,
            snapshot: None,
            changes: BTreeMap::new(),
            is_stale: true,
        });
        Self {
            elements: elements.collect(),
            rows: Vec::new(),
            chosen: 0,
            view: View::Table,
            stream,
            stream_above: 0,
            note: String::new(),
            shows_all: false,
            notes,
        }
    }

    /// Takes in what happened.
    pub(super) fn take(&mut self, index: usize, event: ElementEvent) {
        let Some(element) = self.elements.get_mut(index) else {
            return;
        };
        element.is_stale = true;
        let name = &element.handle.settings().name;
        match event {
            ElementEvent::Changed { parameter, .. } => {
                element.changes.insert(parameter, Instant::now());
            }
            ElementEvent::Message(message) => {
                self.stream.add(name, &message);
                if self.stream_above > 0 {
                    let most = self.stream.len();
                    self.stream_above = (self.stream_above + 1).min(most);
                }
            }
            ElementEvent::Notice { text, .. } => self.note = format!("{name}: {text}"),
            ElementEvent::Lost(count) => self.note = format!("{name}: {count} events were lost"),
            // States come with the next snapshot.
            ElementEvent::Link { .. } | ElementEvent::Health { .. } | _ => {}
        }
    }

    pub(super) fn note(&mut self, text: String) {
        self.note = text;
    }

    /// Asks the elements of which something happened how they are.
    pub(super) async fn refresh(&mut self) {
        for element in &mut self.elements {
            if std::mem::take(&mut element.is_stale)
                && let Ok(snapshot) = element.handle.snapshot().await
            {
                element.snapshot = Some(snapshot);
            }
        }
        self.lay_out();
    }

    pub(super) fn lay_out(&mut self) {
        let elements = self.elements.iter().enumerate();
        let rows = elements.flat_map(|(index, element)| element.rows(index, self.shows_all));
        self.rows = rows.collect();
        self.chosen = self.chosen.min(self.rows.len().saturating_sub(1));
    }

    pub(super) fn chosen_row(&self) -> Option<&Row> {
        self.rows.get(self.chosen)
    }

    /// Sets the chosen parameter, or presses it.
    pub(super) fn set(&self, text: Option<String>) {
        let Some(row) = self.chosen_row().cloned() else {
            return;
        };
        let Some(element) = self.elements.get(row.element) else {
            return;
        };
        let (handle, notes) = (element.handle.clone(), self.notes.clone());
        drop(tokio::spawn(async move {
            let done = match text {
                Some(text) => handle.set(row.id, text).await,
                None => handle.press(row.id).await,
            };
            let told = match done {
                Ok(()) => format!("{} is set", row.name),
                Err(error) => format!("{}: {}", row.name, Shown(handle.plan()).refusal(&error)),
            };
            // Nobody looks any more if it cannot be told.
            drop(notes.send(told).await);
        }));
    }

    /// Makes the links of the chosen element anew.
    pub(super) fn reconnect(&mut self) {
        let index = self.chosen_row().map_or(0, |row| row.element);
        let Some(element) = self.elements.get(index) else {
            return;
        };
        let handle = element.handle.clone();
        let name = handle.settings().name.clone();
        self.note = format!("{name}: its links are made anew");
        let links: Vec<_> = handle.plan().links.iter().map(|(id, _)| id).collect();
        let notes = self.notes.clone();
        drop(tokio::spawn(async move {
            for link in links {
                if let Err(error) = handle.reconnect(link).await {
                    drop(notes.send(format!("{name}: {error}")).await);
                }
            }
        }));
    }
}
