//! Whether a condition holds.

use std::borrow::Cow;

use super::{Operator, ParameterId, Step};
use crate::machine::Value;

/// Runs a program. It was checked when it was read, so that operands never lack.
pub(super) fn holds<'v>(program: &'v [Step], lookup: impl Fn(ParameterId) -> &'v Value) -> bool {
    let mut stack: Vec<Operand<'v>> = Vec::new();
    for step in program {
        let operand = match step {
            Step::Parameter { id, .. } => Operand::of(lookup(*id)),
            Step::Text(text) => Operand::Text(Cow::Borrowed(text.as_bytes())),
            Step::Number(number) => Operand::Number(*number),
            Step::Empty => Operand::Empty,
            Step::EmptyText => Operand::EmptyText,
            Step::Apply(operator) => {
                let right = stack.pop().unwrap_or(Operand::Empty);
                let left = stack.pop().unwrap_or(Operand::Empty);
                apply(*operator, left, right)
            }
        };
        stack.push(operand);
    }
    matches!(stack.pop(), Some(Operand::Truth(true)))
}

/// What stands on the stack.
enum Operand<'v> {
    Truth(bool),
    Number(f64),
    Text(Cow<'v, [u8]>),
    /// Never set, cleared, or what arithmetic makes of what is no number.
    Empty,
    EmptyText,
}

impl<'v> Operand<'v> {
    fn of(value: &'v Value) -> Self {
        match value {
            Value::Empty => Self::Empty,
            Value::Number(number) => Self::Number(*number),
            Value::Bytes(bytes) => Self::Text(Cow::Borrowed(bytes)),
        }
    }

    fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => std::str::from_utf8(text).ok()?.trim().parse().ok(),
            Self::Truth(_) | Self::Empty | Self::EmptyText => None,
        }
    }

    fn is_empty_text(&self) -> bool {
        match self {
            Self::Empty | Self::EmptyText => true,
            Self::Text(text) => text.is_empty(),
            Self::Truth(_) | Self::Number(_) => false,
        }
    }
}

fn apply<'v>(operator: Operator, left: Operand<'v>, right: Operand<'v>) -> Operand<'v> {
    match operator {
        Operator::Or => Operand::Truth(is_true(&left) || is_true(&right)),
        Operator::And => Operand::Truth(is_true(&left) && is_true(&right)),
        Operator::Equal => Operand::Truth(is_equal(&left, &right)),
        Operator::NotEqual => Operand::Truth(!is_equal(&left, &right)),
        Operator::Less => ordered(&left, &right, std::cmp::Ordering::is_lt),
        Operator::Greater => ordered(&left, &right, std::cmp::Ordering::is_gt),
        Operator::LessOrEqual => ordered(&left, &right, std::cmp::Ordering::is_le),
        Operator::GreaterOrEqual => ordered(&left, &right, std::cmp::Ordering::is_ge),
        Operator::Add => add(left, right),
        Operator::Subtract => computed(&left, &right, |a, b| a - b),
        Operator::Multiply => computed(&left, &right, |a, b| a * b),
        Operator::Divide => computed(&left, &right, |a, b| a / b),
        Operator::BitOr => computed(&left, &right, |a, b| bitwise(a, b, |a, b| a | b)),
        Operator::BitXor => computed(&left, &right, |a, b| bitwise(a, b, |a, b| a ^ b)),
        Operator::BitAnd => computed(&left, &right, |a, b| bitwise(a, b, |a, b| a & b)),
    }
}

fn is_true(operand: &Operand<'_>) -> bool {
    matches!(operand, Operand::Truth(true))
}

fn is_equal(left: &Operand<'_>, right: &Operand<'_>) -> bool {
    match (left, right) {
        (Operand::EmptyText, other) | (other, Operand::EmptyText) => other.is_empty_text(),
        (Operand::Empty, other) | (other, Operand::Empty) => matches!(other, Operand::Empty),
        (Operand::Text(left), Operand::Text(right)) => left == right,
        _ => match (left.number(), right.number()) {
            #[expect(clippy::float_cmp, reason = "the format compares exactly")]
            (Some(left), Some(right)) => left == right,
            _ => false,
        },
    }
}

fn ordered<'v>(
    left: &Operand<'_>,
    right: &Operand<'_>,
    fits: impl Fn(std::cmp::Ordering) -> bool,
) -> Operand<'v> {
    let ordering = match (left, right) {
        (Operand::Text(left), Operand::Text(right)) => Some(left.as_ref().cmp(right.as_ref())),
        _ => match (left.number(), right.number()) {
            (Some(left), Some(right)) => left.partial_cmp(&right),
            _ => None,
        },
    };
    Operand::Truth(ordering.is_some_and(fits))
}

fn add<'v>(left: Operand<'v>, right: Operand<'v>) -> Operand<'v> {
    match (left, right) {
        (Operand::Text(left), Operand::Text(right)) => {
            let mut text = left.into_owned();
            text.extend_from_slice(&right);
            Operand::Text(Cow::Owned(text))
        }
        (left, right) => computed(&left, &right, |a, b| a + b),
    }
}

fn computed<'v>(
    left: &Operand<'_>,
    right: &Operand<'_>,
    compute: impl Fn(f64, f64) -> f64,
) -> Operand<'v> {
    match (left.number(), right.number()) {
        (Some(left), Some(right)) => Operand::Number(compute(left, right)),
        _ => Operand::Empty,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a float as an integer stops at the ends of its range, which is what is wanted"
)]
fn bitwise(left: f64, right: f64, combine: impl Fn(i64, i64) -> i64) -> f64 {
    combine(left.floor() as i64, right.floor() as i64) as f64
}
