//! A name with its password.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use percent_encoding::percent_decode_str;
use url::Url;

/// A name and a password. Neither shows in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Login {
    pub(crate) name: Vec<u8>,
    pub(crate) password: Vec<u8>,
}

impl Login {
    pub(crate) fn new(name: &str, password: &str) -> Self {
        Self {
            name: name.into(),
            password: password.into(),
        }
    }

    /// Takes name and password out of a URL that has any.
    pub(crate) fn of_url(url: &Url) -> Option<Self> {
        if url.username().is_empty() && url.password().is_none() {
            return None;
        }
        Some(Self {
            name: percent_decode_str(url.username()).collect(),
            password: percent_decode_str(url.password().unwrap_or_default()).collect(),
        })
    }

    /// Makes the value of `Authorization` or `Proxy-Authorization` (RFC 7617 section 2).
    pub(crate) fn basic(&self) -> Vec<u8> {
        let joined = [&*self.name, b":", &*self.password].concat();
        format!("Basic {}", BASE64_STANDARD.encode(joined)).into_bytes()
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_are_those_of_the_rfc_and_stay_out_of_debug_output() {
        let login = Login::new("Aladdin", "open sesame");
        assert_eq!(login.basic(), b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(format!("{login:?}"), "Login(hidden)");
    }
}
