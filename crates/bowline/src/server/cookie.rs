//! A cookie that goes with an answer.

use bowline_proto::handshake::HandshakeMisuse;

/// A cookie to set with the answer to an opening handshake (RFC 6265 section 4.1).
///
/// ```
/// # fn main() -> Result<(), bowline::proto::handshake::HandshakeMisuse> {
/// let cookie = bowline::SetCookie::new("session", "31d4d96e407aad42")?
///     .with("Path=/")?
///     .with("HttpOnly")?;
/// assert_eq!(cookie.as_str(), "session=31d4d96e407aad42; Path=/; HttpOnly");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct SetCookie(String);

impl SetCookie {
    /// Names a cookie and gives it a value.
    ///
    /// # Errors
    /// [`HandshakeMisuse::HeaderNameInvalid`] for a name that is not a token,
    /// [`HandshakeMisuse::HeaderValueInvalid`] for a value with a blank, a quote, a comma, a
    /// semicolon, a backslash, a control byte or anything beyond ASCII: such a value could add an
    /// attribute or another cookie (RFC 6265 section 4.1.1). Encode it first.
    pub fn new(name: &str, value: &str) -> Result<Self, HandshakeMisuse> {
        let is_name_byte =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_name_byte) {
            return Err(HandshakeMisuse::HeaderNameInvalid);
        }
        let is_value_byte = |byte: u8| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte);
        if !value.bytes().all(is_value_byte) {
            return Err(HandshakeMisuse::HeaderValueInvalid);
        }
        Ok(Self(format!("{name}={value}")))
    }

    /// Adds one attribute, `Path=/` or `HttpOnly` for instance.
    ///
    /// # Errors
    /// [`HandshakeMisuse::HeaderValueInvalid`] for an empty attribute, and for one with a
    /// semicolon, a control byte, an outer blank or anything beyond ASCII.
    pub fn with(mut self, attribute: &str) -> Result<Self, HandshakeMisuse> {
        let is_attribute_byte =
            |byte: u8| (byte.is_ascii_graphic() || byte == b' ') && byte != b';';
        if attribute.is_empty()
            || attribute.trim().len() != attribute.len()
            || !attribute.bytes().all(is_attribute_byte)
        {
            return Err(HandshakeMisuse::HeaderValueInvalid);
        }
        self.0.push_str("; ");
        self.0.push_str(attribute);
        Ok(self)
    }

    /// Gives the value of the `Set-Cookie` header.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Leaves out the value, which logs must not hold.
impl std::fmt::Debug for SetCookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.0.split('=').next().unwrap_or_default();
        f.debug_tuple("SetCookie").field(&name).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_can_be_smuggled_into_a_cookie() {
        use HandshakeMisuse::{HeaderNameInvalid, HeaderValueInvalid};
        for (name, value, fault) in [
            ("", "1", HeaderNameInvalid),
            ("a b", "1", HeaderNameInvalid),
            ("a=b", "1", HeaderNameInvalid),
            ("a;b", "1", HeaderNameInvalid),
            ("a\r\nB", "1", HeaderNameInvalid),
            ("a", "1; Domain=evil", HeaderValueInvalid),
            ("a", "1\r\nX: 2", HeaderValueInvalid),
            ("a", "1 2", HeaderValueInvalid),
            ("a", "\u{e9}", HeaderValueInvalid),
        ] {
            assert_eq!(
                SetCookie::new(name, value).unwrap_err(),
                fault,
                "{name} {value}"
            );
        }
        let cookie = SetCookie::new("a", "").unwrap();
        assert_eq!(cookie.as_str(), "a=");
        for attribute in [
            "",
            " Path=/",
            "Path=/; Secure",
            "Path=/\r\nX: 1",
            "Path=/\n",
        ] {
            let refused = cookie.clone().with(attribute).unwrap_err();
            assert_eq!(refused, HeaderValueInvalid, "{attribute:?}");
        }
        let expires = cookie
            .with("Expires=Wed, 09 Jun 2027 10:18:14 GMT")
            .unwrap();
        assert_eq!(
            expires.as_str(),
            "a=; Expires=Wed, 09 Jun 2027 10:18:14 GMT"
        );
    }

    #[test]
    fn debug_output_hides_the_value() {
        let cookie = SetCookie::new("session", "s3cret").unwrap();
        assert_eq!(format!("{cookie:?}"), "SetCookie(\"session\")");
    }
}
