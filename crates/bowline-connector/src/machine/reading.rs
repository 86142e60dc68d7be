//! Messages arrive.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    Machine, matcher,
    task::{Assignment, Cause, Outcome, Reading, Step, Task},
};
use crate::plan::{LinkId, MessageKind, Moment, ResponseId, Subject};

impl Machine {
    /// Begins to handle a message: the responses of the pair in flight are tried first, then those
    /// of the link in the order of the file.
    pub(super) fn receive(&self, link: LinkId, kind: MessageKind, payload: Bytes) -> Task {
        let mut candidates: Vec<ResponseId> = Vec::new();
        let awaited = self.exchange.as_ref();
        let awaited = awaited.filter(|exchange| exchange.link == link);
        if let Some(pair) = awaited.and_then(|exchange| self.plan.pairs.get(exchange.pair)) {
            candidates.extend(pair.responses.iter().chain(&pair.bad_responses));
        }
        for (id, response) in self.plan.responses.iter() {
            if response.link.is_none_or(|only| only == link) && !candidates.contains(&id) {
                candidates.push(id);
            }
        }
        let mut task = Task::new([Step::Try(0)]);
        task.reading = Some(Reading {
            link,
            kind,
            payload,
            candidates,
            outcome: None,
            changed: Vec::new(),
        });
        task
    }

    /// Tries the message against a candidate.
    pub(super) fn try_candidate(&mut self, place: usize, task: &mut Task) {
        let Some(reading) = &mut task.reading else {
            return;
        };
        let Some(response) = reading.candidates.get(place).copied() else {
            self.counters.unmatched += 1;
            return;
        };
        reading.outcome = None;
        reading.changed.clear();
        let (link, payload) = (reading.link, &reading.payload);
        let is_repeated = self.memory.get(&response) == Some(payload);
        if is_repeated && !self.settings.delivers_duplicates {
            self.counters.repeated += 1;
            if self.stop_waiting(link, response) {
                task.push([Step::Answer(response)]);
            }
            return;
        }
        let subject = Subject::Response(Some(response.0));
        task.push([Step::Moment(subject, Moment::Before), Step::Settle(place)]);
    }

    /// Reads the message unless a trigger did, and goes on by the result. A response that has
    /// triggers before it is read by them alone.
    pub(super) fn settle(&mut self, place: usize, task: &mut Task) {
        let Some(reading) = &task.reading else {
            return;
        };
        let Some(response) = reading.candidates.get(place).copied() else {
            return;
        };
        let (link, outcome) = (reading.link, reading.outcome);
        let subject = Subject::Response(Some(response.0));
        match outcome {
            None if self.index.find(subject, &Moment::Before).is_empty() => {
                task.push([Step::Settle(place)]);
                self.read(response, task);
            }
            Some(Outcome::Full) => {
                self.stop_waiting(link, response);
                task.push([Step::Remember(response)]);
            }
            None | Some(Outcome::Partial) => task.push([Step::Try(place + 1)]),
        }
    }

    /// Reads the message into the parameters of a response.
    pub(super) fn read(&mut self, response: ResponseId, task: &mut Task) {
        let plan = Arc::clone(&self.plan);
        let Some(declared) = plan.responses.get(response) else {
            return;
        };
        let Some(reading) = &mut task.reading else {
            self.notice(format!(
                "{response} was not read: no message is being handled"
            ));
            return;
        };
        let found = matcher::try_response(&plan, &self.values, declared, &reading.payload);
        reading.outcome = Some(if found.is_full {
            Outcome::Full
        } else {
            Outcome::Partial
        });
        let mut steps = Vec::with_capacity(found.fields.len());
        for (parameter, field) in found.fields {
            match matcher::field_value(&plan, parameter, field.as_ref()) {
                Ok(value) => steps.push(Step::Assign(Assignment {
                    parameter,
                    value,
                    cause: Cause::Message,
                })),
                Err(_) => self.counters.refused += 1,
            }
        }
        task.push(steps);
    }

    /// Takes a match back where a length in the message is not right.
    pub(super) fn check_length(&self, response: ResponseId, task: &mut Task) {
        let (Some(reading), Some(declared)) =
            (&mut task.reading, self.plan.responses.get(response))
        else {
            return;
        };
        if reading.outcome == Some(Outcome::Full)
            && !matcher::lengths_are_right(&self.plan, &self.values, declared, &reading.payload)
        {
            reading.outcome = Some(Outcome::Partial);
        }
    }

    /// Stores the message as what the response had last, after its parameters were handled: what
    /// was cleared before has no effect.
    pub(super) fn remember(&mut self, response: ResponseId, task: &mut Task) {
        let Some(reading) = &mut task.reading else {
            return;
        };
        self.memory.insert(response, reading.payload.clone());
        let mut steps = Vec::new();
        for parameter in reading.changed.drain(..) {
            let subject = Subject::Parameter(Some(parameter.0));
            steps.push(Step::Moment(subject, Moment::ChangeAfterResponse));
        }
        let subject = Subject::Response(Some(response.0));
        steps.push(Step::Moment(subject, Moment::After));
        let link = reading.link;
        if self.stop_waiting(link, response) {
            steps.push(Step::Answer(response));
        }
        task.push(steps);
    }

    /// Forgets what a response had last.
    pub(super) fn forget(&mut self, response: ResponseId) {
        self.memory.remove(&response);
    }
}
