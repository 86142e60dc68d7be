//! Tells a recorder what goes into an element and what comes out.

use std::{sync::Arc, time::Instant};

use super::task::now;
use crate::record::{Happening, Input, Output, Recorder};

/// Tells a recorder, if there is one.
#[derive(Debug)]
pub(super) struct Tape {
    recorder: Option<Arc<dyn Recorder>>,
    start: Instant,
}

impl Tape {
    pub(super) fn new(recorder: Option<Arc<dyn Recorder>>) -> Self {
        let start = now();
        Self { recorder, start }
    }

    /// Takes down what goes in. `input` is only asked if there is a recorder.
    pub(super) fn take(&self, input: impl FnOnce() -> Input) {
        self.note(|| Happening::In(input()));
    }

    /// Takes down what comes out.
    pub(super) fn give(&self, output: impl FnOnce() -> Output) {
        self.note(|| Happening::Out(output()));
    }

    fn note(&self, happening: impl FnOnce() -> Happening) {
        if let Some(recorder) = &self.recorder {
            recorder.note(now().saturating_duration_since(self.start), &happening());
        }
    }
}
