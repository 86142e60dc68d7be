//! A text that proves something to those who know it.

use std::fmt;

/// A secret that came with a request: a password, a token, the value of a cookie.
///
/// It is compared in a time that tells nothing about where it differs, and `Debug` does not show
/// it.
#[derive(Clone)]
pub struct Secret(Box<str>);

impl Secret {
    /// Takes a text.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// Gives the text, to look it up or to compare a hash of it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Compares it with what is expected; the time depends on the lengths only.
    pub fn is(&self, expected: &str) -> bool {
        is_same(self.0.as_bytes(), expected.as_bytes())
    }
}

/// Leaves it out.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

/// Compares bytes in a time that depends on the lengths only.
pub(super) fn is_same(given: &[u8], expected: &[u8]) -> bool {
    let pairs = given.iter().zip(expected);
    let difference = pairs.fold(0, |difference, (a, b)| difference | (a ^ b));
    given.len() == expected.len() && std::hint::black_box(difference) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_secret_is_it_and_it_is_not_shown() {
        let secret = Secret::new("bowline");
        for (expected, is_it) in [
            ("bowline", true),
            ("bowlin", false),
            ("bowline ", false),
            ("Bowline", false),
            ("", false),
        ] {
            assert_eq!(secret.is(expected), is_it, "{expected}");
        }
        assert_eq!(format!("{secret:?}"), "Secret(hidden)");
    }
}
