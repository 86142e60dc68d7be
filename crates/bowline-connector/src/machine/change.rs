//! Values change, and what follows from it, in order.

use bytes::Bytes;

use super::{
    Effect, Machine, Value, convert,
    matcher::VALUE_BYTES_MAX,
    task::{Assignment, Cause, Step, Task},
    values::is_literal,
};
use crate::plan::{MessageKind, Moment, ParameterId, ParameterVerb, Source, Subject};

impl Machine {
    /// Gives a parameter a value; what follows from a change is done next.
    pub(super) fn assign(&mut self, assignment: Assignment, task: &mut Task) {
        let Assignment {
            parameter: id,
            value,
            cause,
        } = assignment;
        if cause != Cause::Code && !self.values.differs(id, &value) {
            return;
        }
        self.values.put(id, value);
        let mut kind = None;
        if cause == Cause::Message
            && let Some(reading) = &mut task.reading
        {
            kind = Some(reading.kind);
            reading.changed.push(id);
        }
        task.push_deeper(self.consequences(id, kind));
    }

    /// Gives what follows from a change: triggers, endpoint, save, setter, code, distribution.
    fn consequences(&self, id: ParameterId, kind: Option<MessageKind>) -> Vec<Step> {
        let subject = Subject::Parameter(Some(id.0));
        let mut steps = vec![Step::Moment(subject, Moment::Change)];
        let Some(parameter) = self.plan.parameters.get(id) else {
            return steps;
        };
        if parameter.endpoint_of.is_some() {
            steps.push(Step::Endpoint(id));
        }
        if parameter.save {
            steps.push(Step::Save(id));
        }
        if parameter.setter {
            steps.push(Step::Setter(id));
        }
        steps.extend([Step::Hook(id, kind), Step::Tell(id)]);
        steps
    }

    /// Copies the value of a write parameter to the read parameter of its name.
    pub(super) fn run_setter(&mut self, id: ParameterId, task: &mut Task) {
        let Some(target) = self.setters.get(&id).copied() else {
            return;
        };
        match self.fitting(target, self.values.get(id).clone()) {
            Some(value) => self.assign(
                Assignment {
                    parameter: target,
                    value,
                    cause: Cause::Code,
                },
                task,
            ),
            None => self.counters.refused += 1,
        }
    }

    /// Asks for the code on a parameter; says whether it will run. Code that sets its own
    /// parameter is not run for that.
    pub(super) fn ask_for_code(
        &mut self,
        parameter: ParameterId,
        kind: Option<MessageKind>,
    ) -> bool {
        let mut below = self.suspended.iter();
        if below.any(|below| below.is_running && below.hook == parameter) {
            return false;
        }
        let code = self.hooks.get(&parameter).copied();
        self.emit(Effect::Hook {
            parameter,
            code,
            kind,
        });
        true
    }

    /// Does what an action says to a parameter.
    pub(super) fn change_parameter(
        &mut self,
        id: ParameterId,
        verb: &ParameterVerb,
        task: &mut Task,
    ) {
        let held = self.values.get(id);
        let (value, cause) = match verb {
            ParameterVerb::Set(source) => (self.sourced(id, source), Cause::Code),
            ParameterVerb::Copy(from) => {
                let value = self.values.get(*from).clone();
                (self.fitting(id, value), Cause::Data)
            }
            ParameterVerb::Increment(source) => {
                (self.computed(id, source, |a, b| a + b), Cause::Data)
            }
            ParameterVerb::Multiply(source) => {
                (self.computed(id, source, |a, b| a * b), Cause::Data)
            }
            ParameterVerb::Power(source) => (self.computed(id, source, f64::powf), Cause::Data),
            ParameterVerb::Append(source) => (self.appended(id, source), Cause::Data),
            ParameterVerb::Reverse => {
                let mut bytes = convert::text_bytes(held).into_owned();
                bytes.reverse();
                (
                    self.fitting(id, Value::Bytes(Bytes::from(bytes))),
                    Cause::Data,
                )
            }
            ParameterVerb::Clear => return self.clear(id),
            ParameterVerb::ClearOnDisplay => return self.emit(Effect::Changed(id, Value::Empty)),
            ParameterVerb::RunActions => {
                let subject = Subject::Parameter(Some(id.0));
                let moment = Step::Moment(subject, Moment::Change);
                return task.push_deeper([moment, Step::Hook(id, None)]);
            }
            ParameterVerb::Save => {
                let value = held.clone();
                return self.emit(Effect::Save(id, value));
            }
            ParameterVerb::Normalize(from) => {
                let value = self.values.get(from.unwrap_or(id)).clone();
                return self.values.set_normal(id, value);
            }
            ParameterVerb::ChangeLength(source) => return self.change_length(id, source),
        };
        match value {
            Some(value) => {
                let assignment = Assignment {
                    parameter: id,
                    value,
                    cause,
                };
                self.assign(assignment, task);
            }
            None => self.counters.refused += 1,
        }
    }

    /// Forgets a value, so that the next one counts as a change. Fixed ones are never empty.
    fn clear(&mut self, id: ParameterId) {
        let parameter = self.plan.parameters.get(id);
        if !parameter.is_some_and(|parameter| is_literal(parameter.kind)) {
            self.values.put(id, Value::Empty);
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be in range"
    )]
    fn change_length(&mut self, id: ParameterId, source: &Source) {
        let length = self.number_of(source);
        let length = length.filter(|length| (0.0..=FIXED_LENGTH_MAX).contains(length));
        match length {
            Some(length) => self.values.set_length(id, length as usize),
            None => self.counters.refused += 1,
        }
    }

    /// Makes a value fit for a parameter; none if its type forbids it.
    pub(super) fn fitting(&self, id: ParameterId, value: Value) -> Option<Value> {
        if let Value::Bytes(bytes) = &value
            && bytes.len() > VALUE_BYTES_MAX
        {
            return None;
        }
        let parameter = self.plan.parameters.get(id)?;
        convert::fit(&parameter.interpretation, value).ok()
    }

    fn sourced(&self, id: ParameterId, source: &Source) -> Option<Value> {
        match source {
            Source::Parameter(from) => self.fitting(id, self.values.get(*from).clone()),
            Source::Literal(text) => {
                let parameter = self.plan.parameters.get(id)?;
                convert::read_text(&parameter.interpretation, text).ok()
            }
        }
    }

    /// Gives the number that a source says.
    pub(super) fn number_of(&self, source: &Source) -> Option<f64> {
        match source {
            Source::Parameter(id) => convert::number(self.values.get(*id)),
            Source::Literal(text) => {
                let number: Option<f64> = text.trim().parse().ok();
                number.filter(|number| number.is_finite())
            }
        }
    }

    fn computed(
        &self,
        id: ParameterId,
        source: &Source,
        compute: impl Fn(f64, f64) -> f64,
    ) -> Option<Value> {
        let held = match self.values.get(id) {
            Value::Empty => 0.0,
            value @ (Value::Number(_) | Value::Bytes(_)) => convert::number(value)?,
        };
        let result = compute(held, self.number_of(source)?);
        self.fitting(id, Value::Number(result))
    }

    fn appended(&self, id: ParameterId, source: &Source) -> Option<Value> {
        let mut bytes = convert::text_bytes(self.values.get(id)).into_owned();
        let more = self.source(source);
        if bytes.len() + more.len() > VALUE_BYTES_MAX {
            return None;
        }
        bytes.extend_from_slice(&more);
        self.fitting(id, Value::Bytes(Bytes::from(bytes)))
    }
}

/// The greatest length an action gives a fixed parameter: 1 MiB.
const FIXED_LENGTH_MAX: f64 = 1_048_576.0;
