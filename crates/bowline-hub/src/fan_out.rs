//! What one turn of a shard means for its sessions.

use std::ops::Range;

use bowline::{PreparedBatch, PreparedMessage};
use bowline_bus::{
    Delivery, Publication, SessionId,
    dialect::clown_talk::{Window, encode},
};

/// The deliveries of one turn, for each session together.
#[derive(Debug, Default)]
pub(crate) struct FanOut {
    publications: Vec<Publication>,
    /// Publications in a row that have the same recipients.
    runs: Vec<Range<usize>>,
    due: Vec<Due>,
    /// Where the recipients of the last run begin in `due`.
    last_run: usize,
}

/// Who gets which run of publications.
pub(crate) type Due = (SessionId, usize);

impl FanOut {
    pub(crate) fn add(&mut self, delivery: Delivery<'_>) {
        if delivery.recipients.is_empty() {
            return;
        }
        let place = self.publications.len();
        self.publications.push(delivery.publication);
        let last = self.due.get(self.last_run..).unwrap_or_default();
        let is_same = last.len() == delivery.recipients.len()
            && last
                .iter()
                .zip(delivery.recipients)
                .all(|(due, recipient)| due.0 == *recipient);
        if is_same && let Some(run) = self.runs.last_mut() {
            run.end = place + 1;
            return;
        }
        self.last_run = self.due.len();
        let run = self.runs.len();
        let due = delivery.recipients.iter().map(|session| (*session, run));
        self.due.extend(due);
        self.runs.push(place..place + 1);
    }

    /// Counts what is collected.
    pub(crate) fn len(&self) -> usize {
        self.due.len()
    }

    /// Brings together what each session gets, in the order of the publications.
    pub(crate) fn sort(&mut self) {
        // The recipients of each run are sorted, which makes this a merge.
        self.due.sort();
    }

    /// Gives each session with what it gets, once it is [sorted](Self::sort).
    pub(crate) fn by_session(&self) -> impl Iterator<Item = (SessionId, &[Due])> {
        let sessions = self.due.chunk_by(|one, other| one.0 == other.0);
        sessions.filter_map(|due| Some((due.first()?.0, due)))
    }

    pub(crate) fn publications(&self, due: &[Due]) -> impl Iterator<Item = &Publication> {
        let places = due.iter().flat_map(|(_, run)| self.places(*run));
        places.filter_map(|place| self.publications.get(place))
    }

    fn places(&self, run: usize) -> Range<usize> {
        self.runs.get(run).cloned().unwrap_or_default()
    }
}

/// Encodes the publications of a turn, each once for all sessions with the same window.
#[derive(Debug)]
pub(crate) struct Encoder<'f> {
    fan_out: &'f FanOut,
    /// By publication; then by the length of the window's base. The windows that show one topic have
    /// bases of different lengths, so the length tells them apart, and there are no more of them
    /// than the topic has levels.
    encoded: Vec<Vec<(usize, Option<PreparedMessage>)>>,
    /// What the last session got, which the next one usually gets too.
    last: (usize, &'f [Due]),
    batch: PreparedBatch,
}

impl<'f> Encoder<'f> {
    pub(crate) fn new(fan_out: &'f FanOut) -> Self {
        Self {
            encoded: vec![Vec::new(); fan_out.publications.len()],
            fan_out,
            last: (0, &[]),
            batch: PreparedBatch::default(),
        }
    }

    /// Tells what is due in the words of a window; what it does not show is left out.
    pub(crate) fn batch(&mut self, due: &'f [Due], window: &Window) -> &PreparedBatch {
        let base_length = window.base().len();
        let runs = || due.iter().map(|(_, run)| *run);
        let (last_length, last_due) = self.last;
        let is_same = base_length == last_length && runs().eq(last_due.iter().map(|(_, run)| *run));
        if !is_same {
            let fan_out = self.fan_out;
            let places = runs().flat_map(|run| fan_out.places(run));
            let messages = places.filter_map(|place| self.message(place, base_length, window));
            self.batch = messages.collect();
            self.last = (base_length, due);
        }
        &self.batch
    }

    fn message(
        &mut self,
        place: usize,
        base_length: usize,
        window: &Window,
    ) -> Option<PreparedMessage> {
        let encoded = self.encoded.get_mut(place)?;
        if let Some((_, message)) = encoded.iter().find(|(length, _)| *length == base_length) {
            return message.clone();
        }
        let message = encode_for(window, self.fan_out.publications.get(place)?);
        encoded.push((base_length, message.clone()));
        message
    }
}

/// Tells a value in the words of one window; `None` if it does not show the topic.
fn encode_for(window: &Window, publication: &Publication) -> Option<PreparedMessage> {
    let relative = window.outward(&publication.topic)?;
    let text = encode(relative, &publication.payload).ok()?;
    Some(PreparedMessage::new(text.into()))
}
