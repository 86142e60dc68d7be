//! Messages become values: the parameters of a response take the bytes one after the other.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{
    Value, compose, convert,
    values::{Values, is_literal},
};
use crate::plan::{LengthRule, ParameterId, ParameterKind, Plan, Response};

/// What a message gives to the parameters of a response.
#[derive(Debug)]
pub(super) struct Match {
    /// The bytes of each parameter, in order; none empties it.
    pub(super) fields: Vec<(ParameterId, Option<Bytes>)>,
    /// Whether every parameter found its bytes and none are left.
    pub(super) is_full: bool,
}

/// Tries a message against a response.
///
/// Where a variable parameter fails, all variable ones are emptied; where a fixed one fails, those
/// before it keep what they got.
pub(super) fn try_response(
    plan: &Plan,
    values: &Values,
    response: &Response,
    message: &Bytes,
) -> Match {
    let mut attempt = Attempt {
        plan,
        values,
        message,
        offset: 0,
        fields: Vec::new(),
        lengths: BTreeMap::new(),
    };
    let mut failure = None;
    for (place, id) in response.content.iter().enumerate() {
        let next = response.content.get(place + 1).copied();
        let taken = attempt.take(*id, next);
        if taken.is_none() && !response.optional.contains(id) {
            failure = Some(*id);
            break;
        }
    }
    if failure.is_none() && attempt.offset < message.len() {
        failure = response.content.last().copied();
    }
    let Some(failed) = failure else {
        return Match {
            fields: attempt.fields,
            is_full: true,
        };
    };
    let fields = if attempt.is_literal(failed) {
        attempt.fields
    } else {
        let variable = response.content.iter().copied();
        variable
            .filter(|id| !attempt.is_literal(*id))
            .map(|id| (id, None))
            .collect()
    };
    Match {
        fields,
        is_full: false,
    }
}

/// Says whether every length in a message that matched is what it counts.
pub(super) fn lengths_are_right(
    plan: &Plan,
    values: &Values,
    response: &Response,
    message: &Bytes,
) -> bool {
    let found = try_response(plan, values, response, message);
    let mut fields = found.fields.iter().peekable();
    let mut sizes = Vec::with_capacity(response.content.len());
    let mut said = Vec::new();
    for id in &response.content {
        let Some(parameter) = plan.parameters.get(*id) else {
            continue;
        };
        if is_literal(parameter.kind) {
            sizes.push((*id, values.bytes(*id, parameter).len()));
            continue;
        }
        // One that may be absent, and is, has no bytes.
        let bytes = fields.next_if(|(field, _)| field == id);
        let bytes = bytes.and_then(|(_, bytes)| bytes.as_ref());
        sizes.push((*id, bytes.map_or(0, Bytes::len)));
        if let Some(bytes) = bytes.filter(|_| parameter.kind == ParameterKind::Length) {
            said.push((*id, convert::read(&parameter.interpretation, bytes)));
        }
    }
    said.into_iter().all(|(id, said)| {
        let said = said.ok().as_ref().and_then(convert::number);
        said == Some(compose::counted(plan, id, &sizes))
    })
}

struct Attempt<'a> {
    plan: &'a Plan,
    values: &'a Values,
    message: &'a Bytes,
    offset: usize,
    fields: Vec<(ParameterId, Option<Bytes>)>,
    /// Numbers of this message, for lengths that other parameters say.
    lengths: BTreeMap<ParameterId, f64>,
}

impl Attempt<'_> {
    /// Takes the bytes of one parameter; none if it fails.
    fn take(&mut self, id: ParameterId, next: Option<ParameterId>) -> Option<()> {
        let rest = self.message.get(self.offset..)?;
        let parameter = self.plan.parameters.get(id)?;
        if let Some(literal) = self.literal(id) {
            rest.starts_with(&literal).then_some(())?;
            self.offset += literal.len();
            return Some(());
        }
        let length = match parameter.interpretation.length {
            LengthRule::Fixed(_) => self.values.length(id, parameter)?,
            LengthRule::NextParameter => match next.and_then(|next| self.literal(next)) {
                Some(literal) => find_first(rest, &literal)?,
                None => rest.len(),
            },
            LengthRule::LastNextParameter => match next.and_then(|next| self.literal(next)) {
                Some(literal) => find_last(rest, &literal)?,
                None => rest.len(),
            },
            LengthRule::OtherParameter { id, times } => self.length_said_by(id, times)?,
        };
        let end = self.offset.checked_add(length)?;
        if end > self.message.len() {
            return None;
        }
        let bytes = self.slice(end);
        if let Ok(value) = convert::read(&parameter.interpretation, &bytes)
            && let Some(number) = convert::number(&value)
        {
            self.lengths.insert(id, number);
        }
        self.offset = end;
        self.fields.push((id, Some(bytes)));
        Some(())
    }

    /// Gives the bytes up to an end; a small part does not keep the whole message alive.
    fn slice(&self, end: usize) -> Bytes {
        let bytes = self.message.slice(self.offset..end);
        if bytes.len() < self.message.len() / 2 {
            Bytes::copy_from_slice(&bytes)
        } else {
            bytes
        }
    }

    fn is_literal(&self, id: ParameterId) -> bool {
        let parameter = self.plan.parameters.get(id);
        parameter.is_some_and(|parameter| is_literal(parameter.kind))
    }

    fn literal(&self, id: ParameterId) -> Option<Vec<u8>> {
        let parameter = self.plan.parameters.get(id)?;
        is_literal(parameter.kind).then(|| self.values.bytes(id, parameter))
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "what is no length stops at the ends of the range"
    )]
    fn length_said_by(&self, id: ParameterId, times: u32) -> Option<usize> {
        let said = match self.lengths.get(&id) {
            Some(number) => *number,
            None => convert::number(self.values.get(id))?,
        };
        (said >= 0.0).then_some(())?;
        (said as usize).checked_mul(times as usize)
    }
}

/// Finds where a pattern begins for the first time, in linear time.
fn find_first(text: &[u8], pattern: &[u8]) -> Option<usize> {
    let end = end_of_first(text.iter(), pattern)?;
    Some(end - pattern.len())
}

/// Finds where a pattern begins for the last time, in linear time.
fn find_last(text: &[u8], pattern: &[u8]) -> Option<usize> {
    let reversed: Vec<u8> = pattern.iter().rev().copied().collect();
    let end = end_of_first(text.iter().rev(), &reversed)?;
    Some(text.len() - end)
}

/// Gives how much of a text there is when a pattern was seen for the first time (the algorithm of
/// Knuth, Morris and Pratt).
fn end_of_first<'t>(text: impl Iterator<Item = &'t u8>, pattern: &[u8]) -> Option<usize> {
    if pattern.is_empty() {
        return Some(0);
    }
    let mut borders = vec![0];
    for byte in pattern.iter().skip(1) {
        let border = longer_border(&borders, pattern, *borders.last()?, *byte);
        borders.push(border);
    }
    let mut matched = 0;
    for (place, byte) in text.enumerate() {
        matched = longer_border(&borders, pattern, matched, *byte);
        if matched == pattern.len() {
            return Some(place + 1);
        }
    }
    None
}

fn longer_border(borders: &[usize], pattern: &[u8], mut matched: usize, byte: u8) -> usize {
    while matched > 0 && pattern.get(matched) != Some(&byte) {
        matched = borders.get(matched - 1).copied().unwrap_or(0);
    }
    if pattern.get(matched) == Some(&byte) {
        matched + 1
    } else {
        matched
    }
}

/// The longest value that code, people and actions give a parameter. A message may bring a longer one.
pub const VALUE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Reads a field as the value of its parameter.
pub(super) fn field_value(
    plan: &Plan,
    id: ParameterId,
    field: Option<&Bytes>,
) -> Result<Value, convert::Forbidden> {
    match (plan.parameters.get(id), field) {
        (Some(parameter), Some(bytes)) => convert::read(&parameter.interpretation, bytes),
        _ => Ok(Value::Empty),
    }
}
