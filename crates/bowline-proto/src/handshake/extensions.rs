//! The grammar of `Sec-WebSocket-Extensions` (RFC 6455 section 9.1).

use std::borrow::Cow;

use thiserror::Error;

use super::field::{is_token, is_token_byte};

/// Largest number of extensions in one head. Browsers offer one; a fallback costs one more.
pub const EXTENSION_COUNT_MAX: usize = 16;

/// Largest number of parameters of one extension. RFC 7692 defines four.
pub const PARAMETER_COUNT_MAX: usize = 16;

/// One extension of an offer or an answer, with its parameters in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension<'h> {
    /// The registered name, a token.
    pub name: &'h str,
    /// The parameters; a name may come twice, what that means is up to the extension.
    pub parameters: Vec<Parameter<'h>>,
}

/// One parameter of an extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter<'h> {
    /// The name, a token.
    pub name: &'h str,
    /// The value after quotes are removed, a token; `None` when there is no equals sign.
    pub value: Option<Cow<'h, str>>,
}

/// Why a `Sec-WebSocket-Extensions` value is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ExtensionError {
    /// The value does not follow the grammar, or names no extension.
    #[error("the Sec-WebSocket-Extensions header is malformed")]
    Malformed,
    /// More than [`EXTENSION_COUNT_MAX`] extensions or [`PARAMETER_COUNT_MAX`] parameters.
    #[error("the Sec-WebSocket-Extensions header names too many extensions or parameters")]
    TooMany,
}

/// Parses the values of all `Sec-WebSocket-Extensions` fields of a head as one list
/// (RFC 6455 section 9.1).
///
/// The result is empty only when there is no field. Time is linear in the length of the values.
///
/// # Errors
///
/// [`ExtensionError`] when a value does not follow the grammar or a bound is passed.
pub fn parse_extensions<'h>(
    values: impl IntoIterator<Item = &'h [u8]>,
) -> Result<Vec<Extension<'h>>, ExtensionError> {
    let mut list = Vec::new();
    for value in values {
        let count_before = list.len();
        parse_value(Cursor { rest: value }, &mut list)?;
        if list.len() == count_before {
            return Err(ExtensionError::Malformed);
        }
    }
    Ok(list)
}

/// Parses one field value: a list in which empty elements are skipped.
fn parse_value<'h>(
    mut cursor: Cursor<'h>,
    list: &mut Vec<Extension<'h>>,
) -> Result<(), ExtensionError> {
    loop {
        cursor.skip_blanks();
        if cursor.take(b',') {
            continue;
        }
        if cursor.rest.is_empty() {
            return Ok(());
        }
        if list.len() == EXTENSION_COUNT_MAX {
            return Err(ExtensionError::TooMany);
        }
        list.push(parse_extension(&mut cursor)?);
        if !cursor.rest.is_empty() && !cursor.take(b',') {
            return Err(ExtensionError::Malformed);
        }
    }
}

/// Parses a name and its parameters, and the blanks after them.
fn parse_extension<'h>(cursor: &mut Cursor<'h>) -> Result<Extension<'h>, ExtensionError> {
    let name = cursor.token()?;
    let mut parameters = Vec::new();
    loop {
        cursor.skip_blanks();
        if !cursor.take(b';') {
            return Ok(Extension { name, parameters });
        }
        if parameters.len() == PARAMETER_COUNT_MAX {
            return Err(ExtensionError::TooMany);
        }
        cursor.skip_blanks();
        let name = cursor.token()?;
        cursor.skip_blanks();
        let value = if cursor.take(b'=') {
            cursor.skip_blanks();
            Some(cursor.value()?)
        } else {
            None
        };
        parameters.push(Parameter { name, value });
    }
}

/// What is left of a value; each step takes bytes off its front.
struct Cursor<'h> {
    rest: &'h [u8],
}

impl<'h> Cursor<'h> {
    fn skip_blanks(&mut self) {
        while self.take(b' ') || self.take(b'\t') {}
    }

    fn take(&mut self, wanted: u8) -> bool {
        match self.rest.split_first() {
            Some((byte, rest)) if *byte == wanted => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// Takes the bytes before the first that `belongs` refuses.
    fn take_while(&mut self, belongs: impl Fn(u8) -> bool) -> &'h [u8] {
        let end = self
            .rest
            .iter()
            .position(|byte| !belongs(*byte))
            .unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, &[]));
        self.rest = rest;
        taken
    }

    fn token(&mut self) -> Result<&'h str, ExtensionError> {
        let token = self.take_while(is_token_byte);
        match str::from_utf8(token) {
            Ok(text) if !text.is_empty() => Ok(text),
            _ => Err(ExtensionError::Malformed),
        }
    }

    /// Takes a token, or a quoted string that holds a token.
    fn value(&mut self) -> Result<Cow<'h, str>, ExtensionError> {
        if !self.take(b'"') {
            return self.token().map(Cow::Borrowed);
        }
        let is_plain = |byte: u8| byte != b'"' && byte != b'\\';
        let first = str::from_utf8(self.take_while(is_plain));
        let mut value = Cow::Borrowed(first.map_err(|_| ExtensionError::Malformed)?);
        while !self.take(b'"') {
            // A backslash, and the byte it quotes, or the end of the value.
            let escaped = self.rest.get(1).copied().ok_or(ExtensionError::Malformed)?;
            self.rest = self.rest.get(2..).unwrap_or_default();
            let plain = str::from_utf8(self.take_while(is_plain));
            let text = value.to_mut();
            text.push(char::from(escaped));
            text.push_str(plain.map_err(|_| ExtensionError::Malformed)?);
        }
        if is_token(value.as_bytes()) {
            Ok(value)
        } else {
            Err(ExtensionError::Malformed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(values: &[&str]) -> Result<String, ExtensionError> {
        let list = parse_extensions(values.iter().map(|value| value.as_bytes()))?;
        let shown = list.iter().map(|extension| {
            let parameters = extension
                .parameters
                .iter()
                .map(|parameter| match &parameter.value {
                    Some(value) => format!("; {}={value}", parameter.name),
                    None => format!("; {}", parameter.name),
                });
            format!("{}{}", extension.name, parameters.collect::<String>())
        });
        Ok(shown.collect::<Vec<_>>().join(", "))
    }

    // RFC 6455 section 9.1.
    #[test]
    fn lists_follow_the_grammar() {
        for (values, expected) in [
            (&["foo"][..], Some("foo")),
            (&["foo,bar; baz=2"], Some("foo, bar; baz=2")),
            (&["foo ;\ta ; b = c , bar"], Some("foo; a; b=c, bar")),
            (&["foo", "bar;x"], Some("foo, bar; x")),
            (&[", foo,, bar ,"], Some("foo, bar")),
            (&[r#"foo; a="10""#], Some("foo; a=10")),
            (&[r#"foo; a="1\0""#], Some("foo; a=10")),
            (&[r#"foo; a="\1\0";b"#], Some("foo; a=10; b")),
            (&["foo; a; a=1"], Some("foo; a; a=1")),
            (&[], Some("")),
            (&[""], None),
            (&[","], None),
            (&["foo", ""], None),
            (&["foo bar"], None),
            (&["foo;"], None),
            (&["foo; ,bar"], None),
            (&["foo; a="], None),
            (&["foo; =1"], None),
            (&["foo; a=1 2"], None),
            (&[r#"foo; a="""#], None),
            (&[r#"foo; a="1"#], None),
            (&[r#"foo; a="1\"#], None),
            (&[r#"foo; a="1\""#], None),
            (&[r#"foo; a="1 0""#], None),
            (&[r#"foo; a="1\,0""#], None),
            (&[r#"foo; a="1"2"#], None),
            (&["foo; a=\u{e9}"], None),
            (&["foo; a=\"\u{e9}\""], None),
            (&["f\u{e9}"], None),
            (&["foo=1"], None),
        ] {
            assert_eq!(shown(values).ok().as_deref(), expected, "{values:?}");
        }
    }

    #[test]
    fn counts_are_bounded() {
        let names = |count: usize| vec!["a"; count].join(",");
        assert!(shown(&[&names(EXTENSION_COUNT_MAX)]).is_ok());
        assert_eq!(
            shown(&[&names(EXTENSION_COUNT_MAX + 1)]),
            Err(ExtensionError::TooMany)
        );
        let parameters = |count: usize| format!("a{}", "; b".repeat(count));
        assert!(shown(&[&parameters(PARAMETER_COUNT_MAX)]).is_ok());
        assert_eq!(
            shown(&[&parameters(PARAMETER_COUNT_MAX + 1)]),
            Err(ExtensionError::TooMany)
        );
    }
}
