//! Bytes become values, and values bytes.

use std::borrow::Cow;

use bytes::Bytes;

use super::Value;
use crate::plan::{Interpretation, LengthRule, RawType, ValueKind};

/// Says that bytes are not what the parameter lets in; its value stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Forbidden;

/// Reads the bytes of a message as a value.
pub(super) fn read(rules: &Interpretation, bytes: &Bytes) -> Result<Value, Forbidden> {
    if !admits(rules, bytes) {
        return Err(Forbidden);
    }
    match rules.kind {
        ValueKind::Text => Ok(Value::Bytes(bytes.clone())),
        ValueKind::HighNibble => Ok(bytes
            .first()
            .map_or(Value::Empty, |byte| Value::Number(f64::from(byte >> 4)))),
        ValueKind::Double if bytes.is_empty() => Ok(Value::Empty),
        ValueKind::Double => match rules.raw {
            RawType::Unsigned => unsigned(rules, bytes),
            RawType::Signed => signed(rules, bytes),
            RawType::Double => float(rules, bytes),
            RawType::Other | RawType::Text | RawType::NumericText => {
                number_of_text(rules, bytes).map(Value::Number)
            }
        },
    }
}

/// Reads what a person or a file says as a value.
pub(super) fn read_text(rules: &Interpretation, text: &str) -> Result<Value, Forbidden> {
    match rules.kind {
        ValueKind::Text => read(rules, &Bytes::copy_from_slice(text.as_bytes())),
        ValueKind::Double | ValueKind::HighNibble if text.trim().is_empty() => Ok(Value::Empty),
        ValueKind::Double | ValueKind::HighNibble => {
            number_of_text(rules, text.as_bytes()).map(Value::Number)
        }
    }
}

/// Makes a value fit for its parameter: texts become numbers where numbers are kept.
pub(super) fn fit(rules: &Interpretation, value: Value) -> Result<Value, Forbidden> {
    match (&value, rules.kind) {
        (Value::Number(number), _) if !number.is_finite() => Err(Forbidden),
        (Value::Number(number), ValueKind::Text) => {
            Ok(Value::Bytes(Bytes::from(number_text(rules, *number))))
        }
        (Value::Bytes(bytes), ValueKind::Text) if !admits(rules, bytes) => Err(Forbidden),
        (Value::Bytes(bytes), ValueKind::Double | ValueKind::HighNibble) => {
            if bytes.is_empty() {
                return Ok(Value::Empty);
            }
            number_of_text(rules, bytes).map(Value::Number)
        }
        _ => Ok(value),
    }
}

/// Writes a value as it stands in a command, in the length the parameter has there.
pub(super) fn write(rules: &Interpretation, length: Option<usize>, value: &Value) -> Vec<u8> {
    let mut bytes = match value {
        Value::Empty => Vec::new(),
        Value::Bytes(bytes) => bytes.to_vec(),
        Value::Number(number) => write_number(rules, length, *number),
    };
    if let Some(length) = length {
        fill(rules, length, &mut bytes);
    }
    bytes
}

/// Gives the length that a rule fixes.
pub(super) fn fixed_length(rules: &Interpretation) -> Option<usize> {
    match rules.length {
        LengthRule::Fixed(length) => Some(length),
        LengthRule::NextParameter
        | LengthRule::LastNextParameter
        | LengthRule::OtherParameter { .. } => None,
    }
}

/// Gives the bytes of a value as text has them.
pub(super) fn text_bytes(value: &Value) -> Cow<'_, [u8]> {
    match value {
        Value::Empty => Cow::Borrowed(&[]),
        Value::Bytes(bytes) => Cow::Borrowed(bytes),
        Value::Number(number) => Cow::Owned(number.to_string().into_bytes()),
    }
}

/// Gives the number a value is, or says in decimal digits.
pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Empty => None,
        Value::Number(number) => Some(*number),
        Value::Bytes(bytes) => decimal(std::str::from_utf8(bytes).ok()?),
    }
}

fn admits(rules: &Interpretation, bytes: &[u8]) -> bool {
    match rules.raw {
        RawType::Other => true,
        RawType::Text => bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-.;,?! ".contains(byte)),
        RawType::NumericText => bytes.iter().all(|byte| {
            byte.is_ascii_digit()
                || b"+-.,eE ".contains(byte)
                || rules.is_hexadecimal && byte.is_ascii_hexdigit()
        }),
        RawType::Unsigned | RawType::Signed => {
            rules.kind == ValueKind::Text || bytes.len() <= size_of::<u64>()
        }
        RawType::Double => rules.kind == ValueKind::Text || matches!(bytes.len(), 0 | 4 | 8),
    }
}

fn number_of_text(rules: &Interpretation, bytes: &[u8]) -> Result<f64, Forbidden> {
    let text = std::str::from_utf8(bytes).map_err(|_| Forbidden)?.trim();
    if rules.is_hexadecimal {
        #[expect(
            clippy::cast_precision_loss,
            reason = "numbers of the format are floats; large ones are rounded"
        )]
        return u64::from_str_radix(text, 16)
            .map(|number| number as f64)
            .map_err(|_| Forbidden);
    }
    decimal(text).ok_or(Forbidden)
}

fn decimal(text: &str) -> Option<f64> {
    let text = text.trim();
    let parsed = if text.contains(',') {
        text.replace(',', ".").parse()
    } else {
        text.parse()
    };
    parsed.ok().filter(|number: &f64| number.is_finite())
}

/// Gives up to eight bytes as the greatest first.
fn big_endian(rules: &Interpretation, bytes: &[u8], filler: u8) -> [u8; 8] {
    let mut wide = [filler; 8];
    let ordered: Vec<u8> = if rules.is_big_endian {
        bytes.to_vec()
    } else {
        bytes.iter().rev().copied().collect()
    };
    for (place, byte) in wide.iter_mut().rev().zip(ordered.iter().rev()) {
        *place = *byte;
    }
    wide
}

#[expect(
    clippy::unnecessary_wraps,
    clippy::cast_precision_loss,
    reason = "all readers of numbers look alike; large numbers are rounded"
)]
fn unsigned(rules: &Interpretation, bytes: &[u8]) -> Result<Value, Forbidden> {
    let number = u64::from_be_bytes(big_endian(rules, bytes, 0));
    Ok(Value::Number(number as f64))
}

#[expect(
    clippy::unnecessary_wraps,
    clippy::cast_precision_loss,
    reason = "all readers of numbers look alike; large numbers are rounded"
)]
fn signed(rules: &Interpretation, bytes: &[u8]) -> Result<Value, Forbidden> {
    let greatest = if rules.is_big_endian {
        bytes.first()
    } else {
        bytes.last()
    };
    let filler = if greatest.is_some_and(|byte| byte & 0x80 != 0) {
        0xFF
    } else {
        0
    };
    let number = i64::from_be_bytes(big_endian(rules, bytes, filler));
    Ok(Value::Number(number as f64))
}

fn float(rules: &Interpretation, bytes: &[u8]) -> Result<Value, Forbidden> {
    let wide = big_endian(rules, bytes, 0);
    let number = if let (4, Some(narrow)) = (bytes.len(), wide.last_chunk::<4>()) {
        f64::from(f32::from_be_bytes(*narrow))
    } else {
        f64::from_be_bytes(wide)
    };
    if number.is_finite() {
        Ok(Value::Number(number))
    } else {
        Err(Forbidden)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what does not fit on the wire stops at the ends of its range"
)]
fn write_number(rules: &Interpretation, length: Option<usize>, number: f64) -> Vec<u8> {
    if rules.kind == ValueKind::HighNibble {
        return vec![(number as u8) << 4];
    }
    let wide = match rules.raw {
        RawType::Unsigned => (number as u64).to_be_bytes().to_vec(),
        RawType::Signed => (number as i64).to_be_bytes().to_vec(),
        RawType::Double if length == Some(4) => (number as f32).to_be_bytes().to_vec(),
        RawType::Double => number.to_be_bytes().to_vec(),
        RawType::Other | RawType::Text | RawType::NumericText => {
            return number_text(rules, number).into_bytes();
        }
    };
    let length = length.unwrap_or(wide.len()).min(wide.len());
    let mut bytes = wide.get(wide.len() - length..).unwrap_or_default().to_vec();
    if !rules.is_big_endian {
        bytes.reverse();
    }
    bytes
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "hexadecimal numbers are whole and not negative"
)]
fn number_text(rules: &Interpretation, number: f64) -> String {
    if rules.is_hexadecimal {
        format!("{:X}", number as u64)
    } else {
        number.to_string()
    }
}

/// Fills bytes up to a length, or cuts them to it.
fn fill(rules: &Interpretation, length: usize, bytes: &mut Vec<u8>) {
    let missing = length.saturating_sub(bytes.len());
    let is_signed = bytes.first().is_some_and(|byte| b"+-".contains(byte));
    match rules.raw {
        RawType::NumericText => {
            let place = usize::from(is_signed);
            bytes.splice(place..place, std::iter::repeat_n(b'0', missing));
        }
        RawType::Other | RawType::Text => bytes.extend(std::iter::repeat_n(b' ', missing)),
        RawType::Unsigned | RawType::Signed | RawType::Double if rules.is_big_endian => {
            bytes.splice(..0, std::iter::repeat_n(0, missing));
        }
        RawType::Unsigned | RawType::Signed | RawType::Double => {
            bytes.extend(std::iter::repeat_n(0, missing));
        }
    }
    bytes.truncate(length);
}
