//! What one turn of a shard means for its sessions.

use bowline::PreparedMessage;
use bowline_bus::{
    Delivery, Publication, SessionId,
    dialect::clown_talk::{Window, encode},
};

/// The deliveries of one turn, for each session together.
#[derive(Debug, Default)]
pub(crate) struct FanOut {
    publications: Vec<Publication>,
    due: Vec<Due>,
}

/// Who gets which publication, by its place in the turn.
pub(crate) type Due = (SessionId, usize);

impl FanOut {
    pub(crate) fn add(&mut self, delivery: Delivery<'_>) {
        if delivery.recipients.is_empty() {
            return;
        }
        let place = self.publications.len();
        let due = delivery.recipients.iter().map(|session| (*session, place));
        self.due.extend(due);
        self.publications.push(delivery.publication);
    }

    /// Counts the deliveries.
    pub(crate) fn len(&self) -> usize {
        self.due.len()
    }

    /// Brings together what each session gets, in the order of the publications.
    pub(crate) fn sort(&mut self) {
        // The recipients of each publication are sorted, which makes this a merge.
        self.due.sort();
    }

    /// Gives each session with what it gets, once it is [sorted](Self::sort).
    pub(crate) fn by_session(&self) -> impl Iterator<Item = (SessionId, &[Due])> {
        let sessions = self.due.chunk_by(|one, other| one.0 == other.0);
        sessions.filter_map(|due| Some((due.first()?.0, due)))
    }

    pub(crate) fn publications(&self, due: &[Due]) -> impl Iterator<Item = &Publication> {
        due.iter()
            .filter_map(|(_, place)| self.publications.get(*place))
    }
}

/// Encodes the publications of a turn, each once for all sessions with the same window.
#[derive(Debug)]
pub(crate) struct Encoder<'f> {
    publications: &'f [Publication],
    /// By place; then by the length of the window's base. The windows that show one topic have
    /// bases of different lengths, so the length tells them apart, and there are no more of them
    /// than the topic has levels.
    encoded: Vec<Vec<(usize, Option<PreparedMessage>)>>,
    /// What the last session got, which the next one usually gets too.
    last: (usize, &'f [Due]),
    messages: Vec<PreparedMessage>,
}

impl<'f> Encoder<'f> {
    pub(crate) fn new(fan_out: &'f FanOut) -> Self {
        Self {
            encoded: vec![Vec::new(); fan_out.publications.len()],
            publications: &fan_out.publications,
            last: (0, &[]),
            messages: Vec::new(),
        }
    }

    /// Tells what is due in the words of a window; what it does not show is left out.
    pub(crate) fn messages(&mut self, due: &'f [Due], window: &Window) -> &[PreparedMessage] {
        let base_length = window.base().len();
        let places = || due.iter().map(|(_, place)| *place);
        let (last_length, last_due) = self.last;
        let is_same = base_length == last_length
            && due.len() == last_due.len()
            && places().eq(last_due.iter().map(|(_, place)| *place));
        if !is_same {
            self.messages.clear();
            for place in places() {
                let message = self.message(place, base_length, window);
                self.messages.extend(message);
            }
            self.last = (base_length, due);
        }
        &self.messages
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
        let message = encode_for(window, self.publications.get(place)?);
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
