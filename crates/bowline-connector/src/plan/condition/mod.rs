//! The condition language: comparisons of parameters with values, joined by `AND` and `OR`.
//!
//! ```text
//! id:20 == 1 AND (id:43 != empty OR id:7 + 2 >= 10)
//! ```
//!
//! From the loosest to the tightest: `OR`, `AND`, then `==` and `!=`, then `<`, `>`, `<=` and `>=`,
//! then `|`, `^`, `&`, then `+` and `-`, then `*` and `/`; what binds alike goes from left to right.
//! Operands are `id:N`, `"text"`, numbers, `empty` (never set, or cleared) and `emptystring` (empty,
//! or a text without a character). Two texts compare as texts, byte by byte; otherwise both sides
//! are numbers, and a side that is none makes every comparison but `!=` false. `+` joins two texts.
//! The bitwise operators take the integers below their operands.

mod evaluate;
mod parse;

use std::fmt;

use thiserror::Error;

use super::ParameterId;
use crate::machine::Value;

/// A condition of a group, trigger, action, pair or timer.
#[derive(Clone, PartialEq)]
pub struct Condition {
    text: String,
    program: Vec<Step>,
}

/// Says where a condition is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct ConditionError {
    /// Where, in bytes from the beginning of the text.
    pub offset: usize,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl Condition {
    /// Reads a condition of at most [`CONDITION_BYTES_MAX`] bytes, its brackets at most
    /// [`CONDITION_DEPTH_MAX`] deep.
    ///
    /// # Errors
    /// [`ConditionError`] says where it is wrong and why.
    pub fn parse(text: &str) -> Result<Self, ConditionError> {
        let program = parse::program(text)?;
        Ok(Self {
            text: text.to_owned(),
            program,
        })
    }

    /// Gives the text it was read from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Goes through the parameters it looks at, each with its place in the text, in bytes.
    pub fn parameters(&self) -> impl Iterator<Item = (ParameterId, usize)> {
        self.program.iter().filter_map(|step| match step {
            Step::Parameter { id, offset } => Some((*id, *offset)),
            Step::Text(_) | Step::Number(_) | Step::Empty | Step::EmptyText | Step::Apply(_) => {
                None
            }
        })
    }

    /// Says whether it holds, by the values that `lookup` gives.
    pub fn holds<'v>(&'v self, lookup: impl Fn(ParameterId) -> &'v Value) -> bool {
        evaluate::holds(&self.program, lookup)
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Condition({})", self.text)
    }
}

/// One step of a condition in postfix order: operands go on a stack, operators take two from it.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    Parameter { id: ParameterId, offset: usize },
    Text(String),
    Number(f64),
    Empty,
    EmptyText,
    Apply(Operator),
}

/// An operator of two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Or,
    And,
    BitOr,
    BitXor,
    BitAnd,
    Equal,
    NotEqual,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// What an operator takes and gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    /// Conditions; gives a condition.
    Logic,
    /// Anything; gives a condition.
    Equality,
    /// Texts or numbers; gives a condition.
    Order,
    /// Texts or numbers; gives one.
    Sum,
    /// Numbers; gives one.
    Arithmetic,
}

impl Operator {
    fn binding(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Equal | Self::NotEqual => 3,
            Self::Less | Self::Greater | Self::LessOrEqual | Self::GreaterOrEqual => 4,
            Self::BitOr => 5,
            Self::BitXor => 6,
            Self::BitAnd => 7,
            Self::Add | Self::Subtract => 8,
            Self::Multiply | Self::Divide => 9,
        }
    }

    fn family(self) -> Family {
        match self {
            Self::Or | Self::And => Family::Logic,
            Self::Equal | Self::NotEqual => Family::Equality,
            Self::Less | Self::Greater | Self::LessOrEqual | Self::GreaterOrEqual => Family::Order,
            Self::Add => Family::Sum,
            Self::BitOr
            | Self::BitXor
            | Self::BitAnd
            | Self::Subtract
            | Self::Multiply
            | Self::Divide => Family::Arithmetic,
        }
    }
}

/// The longest condition: far more than people write, and little enough to read at once.
pub const CONDITION_BYTES_MAX: usize = 16 * 1024;

/// How deep brackets may be: reading them takes stack.
pub const CONDITION_DEPTH_MAX: usize = 64;
