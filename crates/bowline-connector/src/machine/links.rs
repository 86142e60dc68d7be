//! Links open, fail and close.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;

use super::{
    Answer, Effect, Level, Loss, Machine, Value,
    task::{Assignment, Cause, Step, Task},
};
use crate::plan::{LinkId, Moment, ParameterId, Subject};

/// What is known of a link.
#[derive(Debug)]
pub(super) struct LinkState {
    wire: Wire,
    /// Whether it is to be open: not before there is an endpoint, nor after it was closed.
    pub(super) is_wanted: bool,
    /// Whether it was told that it takes no commands.
    pub(super) is_unsent_told: bool,
    /// What its notify parameter was told last.
    told: Option<bool>,
    /// Which endpoint of the element the next attempt takes, counted on without end.
    pub(super) endpoint: usize,
    /// Since when it does not answer.
    pub(super) silent_since: Option<Instant>,
    pub(super) level: Level,
}

/// Where a link is between two losses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wire {
    Down,
    Up,
    /// Up, but asked to close: it takes no more messages.
    Closing,
}

/// Whether a link is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinkPhase {
    /// Closed, and nobody asked for it.
    Closed,
    /// Closed, and to be opened.
    Opening,
    /// Open.
    Open,
}

impl LinkState {
    pub(super) fn new() -> Self {
        Self {
            wire: Wire::Down,
            is_wanted: false,
            is_unsent_told: false,
            told: None,
            endpoint: 0,
            silent_since: None,
            level: Level::Unknown,
        }
    }

    fn begin_closing(&mut self) {
        if self.wire == Wire::Up {
            self.wire = Wire::Closing;
        }
    }
}

impl Machine {
    /// Says whether a link takes messages.
    pub(super) fn takes_messages(&self, link: LinkId) -> bool {
        self.link_phase(link) == Some(LinkPhase::Open)
    }

    /// Says whether a link is open; none if the connector has no such link.
    pub fn link_phase(&self, link: LinkId) -> Option<LinkPhase> {
        let state = self.links.get(&link)?;
        Some(if state.wire == Wire::Up {
            LinkPhase::Open
        } else if state.is_wanted {
            LinkPhase::Opening
        } else {
            LinkPhase::Closed
        })
    }

    /// Asks for the links that have an endpoint.
    pub(super) fn open_first(&mut self) {
        let links: Vec<LinkId> = self.links.keys().copied().collect();
        for link in links {
            if self.endpoint_text(link).is_some() {
                self.open_link(link);
            } else if self.endpoint_parameter(link).is_none() {
                self.notice(format!(
                    "{link} has no endpoint: give one in the element's settings"
                ));
            }
        }
    }

    /// Asks for a link.
    pub(super) fn open_link(&mut self, link: LinkId) {
        let now = self.now();
        let Some(state) = self.links.get_mut(&link).filter(|state| !state.is_wanted) else {
            return;
        };
        state.is_wanted = true;
        state.silent_since = Some(now);
        self.emit(Effect::Open(link));
    }

    /// Closes a link for good.
    pub(super) fn close_link(&mut self, link: LinkId) {
        let Some(state) = self.links.get_mut(&link).filter(|state| state.is_wanted) else {
            return;
        };
        state.is_wanted = false;
        state.begin_closing();
        self.emit(Effect::Close(link));
    }

    /// Closes a link and asks for it anew.
    pub(super) fn reopen_link(&mut self, link: LinkId) {
        match self.links.get_mut(&link) {
            Some(state) if state.is_wanted => {
                state.begin_closing();
                self.emit(Effect::Reopen(link));
            }
            _ => self.open_link(link),
        }
    }

    /// Lets the value of a dynamic parameter take effect.
    pub(super) fn apply_endpoint(&mut self, parameter: ParameterId) {
        let declared = self.plan.parameters.get(parameter);
        let Some(link) = declared.and_then(|declared| declared.endpoint_of) else {
            return;
        };
        if !self.is_started {
            return;
        }
        if self.values.get(parameter).text().trim().is_empty() {
            self.close_link(link);
        } else {
            if let Some(state) = self.links.get_mut(&link) {
                state.endpoint = 0;
            }
            self.reopen_link(link);
        }
    }

    /// Begins what follows when a link opened.
    pub(super) fn link_opened(&mut self, link: LinkId, answer: &Answer) -> Task {
        let Some(state) = self.links.get_mut(&link) else {
            return Task::default();
        };
        state.is_unsent_told = false;
        state.wire = if state.is_wanted {
            Wire::Up
        } else {
            Wire::Closing
        };
        self.hear(link);
        let mut steps = self.steps_of_answer(link, answer);
        steps.extend(self.tell_link(link, true));
        if let Some(session) = self.plan.links.get(link).and_then(|link| link.handshake) {
            let subject = Subject::Session(Some(session.0));
            steps.push(Step::Moment(subject, Moment::After));
        }
        Task::new(steps)
    }

    /// Begins what follows when an attempt failed.
    pub(super) fn link_failed(
        &mut self,
        link: LinkId,
        loss: &Loss,
        answer: Option<&Answer>,
    ) -> Task {
        let Some(state) = self.links.get_mut(&link) else {
            return Task::default();
        };
        state.wire = Wire::Down;
        state.endpoint = state.endpoint.wrapping_add(1);
        let mut steps = Vec::new();
        if let Some(answer) = answer {
            steps = self.steps_of_answer(link, answer);
        }
        steps.extend(self.tell_link(link, false));
        steps.push(error_step(link, loss));
        Task::new(steps)
    }

    /// Begins what follows when a link was lost. What was not sent is dropped.
    pub(super) fn link_closed(&mut self, link: LinkId, loss: &Loss) -> Task {
        let now = self.now();
        let Some(state) = self.links.get_mut(&link) else {
            return Task::default();
        };
        let was_open = std::mem::replace(&mut state.wire, Wire::Down) != Wire::Down;
        state.endpoint = 0;
        if state.is_wanted {
            state.silent_since.get_or_insert(now);
        } else {
            state.silent_since = None;
            self.set_level(link, Level::Unknown);
        }
        self.drop_unsent(link);
        let mut steps = Vec::new();
        let notify = self.plan.links.get(link).map(|link| link.notify);
        if was_open && let Some(parameter) = notify.and_then(|notify| notify.disconnections) {
            let code = loss.code.unwrap_or(CODE_WITHOUT_CLOSE_FRAME);
            steps.extend(self.state_step(parameter, f64::from(code)));
        }
        steps.extend(self.tell_link(link, false));
        steps.push(error_step(link, loss));
        Task::new(steps)
    }

    /// Gives the other half of a redundant pair if the element moved there.
    pub(super) fn active_half(&self, link: LinkId) -> LinkId {
        let is_redundant = |link| {
            self.plan
                .links
                .get(link)
                .is_some_and(|link| link.is_redundant)
        };
        match self.active {
            Some(active) if is_redundant(link) => active,
            _ => link,
        }
    }

    /// Moves the element to the other half of a redundant pair.
    pub(super) fn fail_over(&mut self, link: LinkId) {
        let plan = Arc::clone(&self.plan);
        let halves = plan
            .links
            .iter()
            .filter(|(_, declared)| declared.is_redundant);
        let halves: Vec<LinkId> = halves.map(|(id, _)| id).collect();
        let Some(place) = halves.iter().position(|half| *half == link) else {
            return;
        };
        let next = halves.get(place + 1).or_else(|| halves.first()).copied();
        if let Some(next) = next.filter(|next| *next != link) {
            self.active = Some(next);
            self.notice(format!("{link} does not answer: going on over {next}"));
        }
    }

    fn drop_unsent(&mut self, lost: LinkId) {
        let before = self.effects.len();
        self.effects
            .retain(|effect| !matches!(effect, Effect::Send { link, .. } if *link == lost));
        self.counters.unsent += (before - self.effects.len()) as u64;
    }

    /// Tells the notify parameter of a link, transitions only; the first state is told once.
    fn tell_link(&mut self, link: LinkId, is_open: bool) -> Option<Step> {
        let state = self.links.get_mut(&link)?;
        if state.told.replace(is_open) == Some(is_open) {
            return None;
        }
        let parameter = self.plan.links.get(link)?.notify.connections?;
        self.state_step(parameter, f64::from(u8::from(is_open)))
    }

    fn state_step(&self, parameter: ParameterId, number: f64) -> Option<Step> {
        let value = self.fitting(parameter, Value::Number(number))?;
        Some(Step::Assign(Assignment {
            parameter,
            value,
            cause: Cause::Code,
        }))
    }

    /// Stores parts of the answer where the session wants them.
    fn steps_of_answer(&mut self, link: LinkId, answer: &Answer) -> Vec<Step> {
        let plan = Arc::clone(&self.plan);
        let session = plan.links.get(link).and_then(|link| link.handshake);
        let Some(handshake) = session.and_then(|id| plan.handshakes.get(id)) else {
            return Vec::new();
        };
        let targets = &handshake.targets;
        let mut parts: Vec<(ParameterId, Bytes)> = Vec::new();
        if let Some(parameter) = targets.status_line {
            parts.push((
                parameter,
                Bytes::copy_from_slice(answer.status_line.as_bytes()),
            ));
        }
        for (name, parameter) in &targets.headers {
            parts.push((*parameter, header_of(answer, name)));
        }
        if let Some(parameter) = targets.body {
            parts.push((parameter, answer.body.clone()));
        }
        let mut steps = Vec::new();
        for (parameter, bytes) in parts {
            match self.fitting(parameter, Value::Bytes(bytes)) {
                Some(value) => steps.push(Step::Assign(Assignment {
                    parameter,
                    value,
                    cause: Cause::Data,
                })),
                // Targets that the connector does not declare were warned of when it was read.
                None if plan.parameters.contains(parameter) => self.counters.refused += 1,
                None => {}
            }
        }
        steps
    }
}

/// Gives the value of a header; repeated ones are joined by CR LF.
fn header_of(answer: &Answer, name: &str) -> Bytes {
    let mut joined = Vec::new();
    for (found, value) in &answer.headers {
        if found.eq_ignore_ascii_case(name) {
            if !joined.is_empty() {
                joined.extend_from_slice(b"\r\n");
            }
            joined.extend_from_slice(value);
        }
    }
    Bytes::from(joined)
}

fn error_step(link: LinkId, loss: &Loss) -> Step {
    let subject = Subject::Communication(Some(link.0));
    Step::Moment(subject, Moment::Error(loss.text.clone()))
}

/// What stands for the close code of a link that ended without a close frame (RFC 6455, section
/// 7.1.5).
const CODE_WITHOUT_CLOSE_FRAME: u16 = 1006;
