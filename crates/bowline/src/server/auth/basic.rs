//! A name and a password that come with a request.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bowline_proto::handshake::RequestHead;

use super::Secret;

/// A user's name and password, as sent by the Basic scheme (RFC 7617).
///
/// ```
/// use bowline::server::auth::{Credentials, Identity};
///
/// fn identify(credentials: &Credentials) -> Option<Identity> {
///     let Credentials::Basic(basic) = credentials else {
///         return None;
///     };
///     let is_anna = basic.user() == "anna" && basic.has_password("bowline on a bight");
///     is_anna.then(|| Identity::new("anna"))
/// }
/// ```
#[derive(Clone)]
pub struct BasicCredentials {
    user: String,
    password: Secret,
}

impl BasicCredentials {
    /// Takes the credentials from the header `Authorization`.
    ///
    /// `None` if it is not there, of another scheme, or malformed: not Base64, not UTF-8, without
    /// a colon.
    pub fn from_request(request: &RequestHead) -> Option<Self> {
        let (scheme, encoded) = request.headers().text("authorization")?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = BASE64_STANDARD.decode(encoded.trim()).ok()?;
        let text = String::from_utf8(decoded).ok()?;
        // The first colon ends the name: a name has none, a password may.
        let (user, password) = text.split_once(':')?;
        Some(Self {
            user: user.to_owned(),
            password: Secret::new(password),
        })
    }

    /// Gives the user's name, which the client claims.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Gives the password, to check it against a hash for instance.
    pub fn password(&self) -> &str {
        self.password.expose()
    }

    /// Compares the password in a time that tells nothing about where it differs.
    pub fn has_password(&self, expected: &str) -> bool {
        self.password.is(expected)
    }
}

/// Writes the value of `WWW-Authenticate` that asks for a name and a password in UTF-8 (RFC 7617
/// section 2.1).
///
/// What cannot stand in a header is left out of the realm.
///
/// ```
/// let challenge = bowline::server::auth::basic_challenge("the \"harbour\"");
/// assert_eq!(challenge, r#"Basic realm="the \"harbour\"", charset="UTF-8""#);
/// ```
pub fn basic_challenge(realm: &str) -> String {
    let mut challenge = String::from("Basic realm=\"");
    for character in realm.chars().filter(|one| !one.is_control()) {
        // RFC 9110 section 5.6.4.
        if matches!(character, '"' | '\\') {
            challenge.push('\\');
        }
        challenge.push(character);
    }
    challenge.push_str("\", charset=\"UTF-8\"");
    challenge
}

/// Leaves out the password.
impl fmt::Debug for BasicCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BasicCredentials")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use bowline_proto::handshake::{HeadLimits, HeadParser};

    use super::*;

    fn request(authorization: &str) -> RequestHead {
        let text = format!("GET / HTTP/1.1\r\nHost: a\r\nAuthorization: {authorization}\r\n\r\n");
        let mut parser = HeadParser::<RequestHead>::new(HeadLimits::default());
        parser.handle_input(text.as_bytes()).unwrap().unwrap().head
    }

    fn credentials(authorization: &str) -> Option<BasicCredentials> {
        BasicCredentials::from_request(&request(authorization))
    }

    fn basic(plain: &[u8]) -> String {
        format!("Basic {}", BASE64_STANDARD.encode(plain))
    }

    #[test]
    fn name_and_password_are_split_at_the_first_colon() {
        for (plain, user, password) in [
            ("anna:pw", "anna", "pw"),
            ("anna:a:b", "anna", "a:b"),
            (":", "", ""),
            ("\u{e4}nne:\u{20ac}", "\u{e4}nne", "\u{20ac}"),
        ] {
            let read = credentials(&basic(plain.as_bytes())).unwrap();
            assert_eq!((read.user(), read.password()), (user, password));
        }
        assert!(credentials("bASIC  YTpi").unwrap().has_password("b"));
    }

    #[test]
    fn what_is_malformed_or_of_another_scheme_names_nobody() {
        for authorization in [
            &*basic(b"no colon"),
            &basic(b"\xff:x"),
            "Basic",
            "Basic ",
            "Basic !",
            "Bearer YTpi",
            "",
        ] {
            assert!(credentials(authorization).is_none(), "{authorization:?}");
        }
    }

    #[test]
    fn only_the_whole_password_is_the_password() {
        let read = credentials(&basic(b"anna:secret")).unwrap();
        for (expected, is_it) in [
            ("secret", true),
            ("secre", false),
            ("secret ", false),
            ("Secret", false),
            ("", false),
        ] {
            assert_eq!(read.has_password(expected), is_it, "{expected}");
        }
        assert!(!format!("{read:?}").contains("secret"));
    }
}
