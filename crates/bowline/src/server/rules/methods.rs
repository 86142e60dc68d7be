//! The HTTP methods that a rule is about.

use std::{fmt, str::FromStr};

use thiserror::Error;

/// Says which HTTP methods a rule is about.
///
/// HEAD counts as GET, whose answer it announces (RFC 9110 section 9.3.2). Handshakes are GET.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Methods(Kind);

impl Methods {
    /// GET and POST: what a rule without a method is about.
    pub const ASSUMED: Self = Self(Kind::Assumed);
    /// Every method, `ANY` in the text form.
    pub const ANY: Self = Self(Kind::Any);

    /// Tells whether a request's method is one of these. Methods differ by case.
    pub fn contains(&self, method: &str) -> bool {
        let method = if method == "HEAD" { "GET" } else { method };
        match &self.0 {
            Kind::Assumed => matches!(method, "GET" | "POST"),
            Kind::Any => true,
            Kind::One(one) => **one == *method,
        }
    }

    /// Tells whether there is a method here that [`ASSUMED`](Self::ASSUMED) has not.
    pub(super) fn exceeds_assumed(&self) -> bool {
        match &self.0 {
            Kind::Assumed => false,
            Kind::Any => true,
            Kind::One(one) => !Self::ASSUMED.contains(one),
        }
    }

    pub(super) const fn is_any(&self) -> bool {
        matches!(self.0, Kind::Any)
    }

    /// Gives one of the methods.
    pub(super) fn example(&self) -> &str {
        match &self.0 {
            Kind::Assumed | Kind::Any => "GET",
            Kind::One(one) => one,
        }
    }
}

/// Reads `ANY` or one method, in capitals.
impl FromStr for Methods {
    type Err = MethodError;

    fn from_str(text: &str) -> Result<Self, MethodError> {
        let allowed = |byte: u8| {
            byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_')
        };
        let begins = text.starts_with(|first: char| first.is_ascii_uppercase());
        if !begins || text.len() > LENGTH_MAX || !text.bytes().all(allowed) {
            return Err(MethodError);
        }
        Ok(Self(match text {
            "ANY" => Kind::Any,
            // Neither is ever meant without the other.
            "HEAD" => Kind::One("GET".into()),
            one => Kind::One(one.into()),
        }))
    }
}

/// The form that is read back; nothing for those assumed.
impl fmt::Display for Methods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Kind::Assumed => "",
            Kind::Any => "ANY",
            Kind::One(one) => one,
        })
    }
}

/// The text is no method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "a method is ANY, or one name of at most {LENGTH_MAX} capitals, digits, `-` and `_` such as PUT"
)]
pub struct MethodError;

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
enum Kind {
    #[default]
    Assumed,
    Any,
    One(Box<str>),
}

/// Longest name of a method, in bytes. Registered ones have at most 17.
const LENGTH_MAX: usize = 32;
