//! Where a redirect leads.

use std::{fmt, str::FromStr};

use thiserror::Error;
use url::Url;

use super::{
    escape::{encode, is_unreserved},
    pattern::{Capture, Part},
};

/// Where a redirect sends a request: a path on the same host, or an absolute URL.
///
/// The first `*` receives what the first wildcard of the pattern took, and so on; there may be
/// fewer than in the pattern, not more. A star itself is written `%2A`.
///
/// The request's query goes along unless the pattern or the target has a `?`; a `?` at the end of
/// the target drops it.
///
/// What is received is escaped so that it stays in its place: it can neither end the header line,
/// nor begin a query, nor add a parameter. It cannot choose the host either: a `*` in the host is
/// refused, and a path never begins with two slashes, which browsers take for a host.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RedirectTarget {
    text: Box<str>,
}

impl RedirectTarget {
    /// Longest target, in bytes.
    pub const LENGTH_MAX: usize = 2048;

    /// Counts the wildcards.
    pub fn wildcards(&self) -> usize {
        self.text.split('*').count() - 1
    }

    /// Builds the URL for a request.
    ///
    /// `carried` is the request's query, if it is to go along.
    pub(super) fn location(&self, captures: &[Capture<'_>], carried: Option<&str>) -> String {
        let mut location = String::new();
        let mut captures = captures.iter();
        let mut place = Part::Path;
        for (index, literal) in self.text.split('*').enumerate() {
            if index > 0
                && let Some(capture) = captures.next()
            {
                receive(&mut location, capture, place);
            }
            location.push_str(literal);
            if literal.contains(['?', '#']) {
                place = Part::Query;
            }
        }
        if let Some(query) = carried
            && !self.text.contains('?')
        {
            let fragment = location.find('#').unwrap_or(location.len());
            location.insert_str(fragment, query);
            location.insert(fragment, '?');
        }
        let slashes = location.bytes().take_while(|byte| *byte == b'/').count();
        location.split_off(slashes.saturating_sub(1))
    }
}

impl FromStr for RedirectTarget {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        if text.len() > Self::LENGTH_MAX {
            return Err(TargetError::TooLong);
        }
        let allowed = |byte: u8| is_unreserved(byte.into()) || OTHERS.contains(&byte);
        if !text.bytes().all(allowed) {
            return Err(TargetError::Character);
        }
        if text.contains("**") {
            return Err(TargetError::DoubleWildcard);
        }
        let mut escapes = text.split('%');
        escapes.next();
        let is_escape = |digits: &str| {
            let mut digits = digits.bytes();
            super::escape::escaped(&mut digits).is_some()
        };
        if !escapes.all(is_escape) {
            return Err(TargetError::Escape);
        }
        check_form(text)?;
        Ok(Self { text: text.into() })
    }
}

/// The form that is read back as the same target.
impl fmt::Display for RedirectTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Says why a text is not the target of a redirect, and what to write instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TargetError {
    /// The text is longer than [`RedirectTarget::LENGTH_MAX`].
    #[error("a target has at most {} bytes", RedirectTarget::LENGTH_MAX)]
    TooLong,
    /// There is a character that cannot stand in a URL.
    #[error("a target holds only characters of URLs: write others as escapes, a blank as `%20`")]
    Character,
    /// A percent sign is not followed by two hexadecimal digits.
    #[error("two hexadecimal digits follow each `%`; write `%25` for a percent sign")]
    Escape,
    /// There are two wildcards in a row.
    #[error("two wildcards in a row cannot be told apart: put something between them")]
    DoubleWildcard,
    /// The text is neither a path nor an absolute URL.
    #[error("a target begins with one `/`, or with http://, https://, ws:// or wss:// and a host")]
    Form,
    /// A wildcard is in the host of an absolute URL.
    #[error("a `*` in the host would let the request choose where it leads: end the host with `/`")]
    WildcardInHost,
    /// An absolute URL holds a user name or password.
    #[error("a target holds no user name or password: everybody redirected would see them")]
    UserInformation,
}

fn check_form(text: &str) -> Result<(), TargetError> {
    if text.starts_with('/') {
        return if text.starts_with("//") {
            Err(TargetError::Form)
        } else {
            Ok(())
        };
    }
    let (scheme, rest) = text.split_once("://").ok_or(TargetError::Form)?;
    if !matches!(scheme, "http" | "https" | "ws" | "wss") {
        return Err(TargetError::Form);
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('*') {
        return Err(TargetError::WildcardInHost);
    }
    if authority.contains('@') {
        return Err(TargetError::UserInformation);
    }
    match Url::parse(&format!("{scheme}://{authority}/")) {
        Ok(url) if url.has_host() && !authority.is_empty() => Ok(()),
        Ok(_) | Err(_) => Err(TargetError::Form),
    }
}

/// Appends what a wildcard took, so that it means the same at its new place.
fn receive(location: &mut String, capture: &Capture<'_>, place: Part) {
    let text = capture.text;
    match (capture.part, place) {
        (Part::Path, Part::Path) => encode(location, text, |character| {
            is_unreserved(character) || "/!$&'()+,;=:@".contains(character)
        }),
        (Part::Path, Part::Query) => encode(location, text, |character| {
            is_unreserved(character) || character == '/'
        }),
        (Part::Query, Part::Path) => location.push_str(&text.replace('?', "%3F")),
        (Part::Query, Part::Query) => location.push_str(text),
    }
}

/// What may stand in a target besides letters, digits and `-._~` (RFC 3986 section 2.2).
const OTHERS: &[u8] = b":/?#[]@!$&'()*+,;=%";

#[cfg(test)]
mod tests {
    use super::*;

    fn location(target: &str, captures: &[(&str, Part)], carried: Option<&str>) -> String {
        let captures: Vec<_> = captures
            .iter()
            .map(|(text, part)| Capture { text, part: *part })
            .collect();
        let target: RedirectTarget = target.parse().unwrap();
        target.location(&captures, carried)
    }

    #[test]
    fn received_text_stays_in_its_place() {
        use Part::{Path, Query};
        for (target, captures, expected) in [
            ("/new/*", vec![("a b/\u{10d}", Path)], "/new/a%20b/%C4%8D"),
            ("/*/x/*", vec![("1", Path), ("2", Path)], "/1/x/2"),
            ("/x", vec![("1", Path)], "/x"),
            ("/*", vec![("/evil.example/", Path)], "/evil.example/"),
            ("/*", vec![("///evil", Path)], "/evil"),
            ("/a*", vec![("//b", Path)], "/a//b"),
            ("/a*", vec![("?b#c%d*", Path)], "/a%3Fb%23c%25d%2A"),
            ("/a?q=*", vec![("1&r=2+3", Path)], "/a?q=1%26r%3D2%2B3"),
            ("/a?*", vec![("q=1&r=%26", Query)], "/a?q=1&r=%26"),
            ("/a/*", vec![("q?r", Query)], "/a/q%3Fr"),
            ("/a#*", vec![("q", Path)], "/a#q"),
            (
                "https://h.example/*",
                vec![("/evil", Path)],
                "https://h.example//evil",
            ),
            (
                "https://h.example?*",
                vec![("@evil", Path)],
                "https://h.example?%40evil",
            ),
        ] {
            assert_eq!(location(target, &captures, None), expected, "{target}");
        }
    }

    #[test]
    fn query_goes_along_unless_the_target_has_one() {
        for (target, carried, expected) in [
            ("/a", Some("q=1"), "/a?q=1"),
            ("/a", Some(""), "/a?"),
            ("/a", None, "/a"),
            ("/a#f", Some("q"), "/a?q#f"),
            ("/a?", Some("q"), "/a?"),
            ("/a?b", Some("q"), "/a?b"),
        ] {
            assert_eq!(location(target, &[], carried), expected, "{target}");
        }
    }

    #[test]
    fn unsafe_targets_are_refused() {
        for (target, error) in [
            ("", TargetError::Form),
            ("a", TargetError::Form),
            ("*", TargetError::Form),
            ("//evil.example", TargetError::Form),
            ("/\\evil.example", TargetError::Character),
            ("javascript://x/%0aalert(1)", TargetError::Form),
            ("ftp://x/", TargetError::Form),
            ("https://", TargetError::Form),
            ("https:///x", TargetError::Form),
            ("https://a:b/", TargetError::Form),
            ("https://*/", TargetError::WildcardInHost),
            ("https://h.example*", TargetError::WildcardInHost),
            ("https://*.example/", TargetError::WildcardInHost),
            ("https://a:b@h.example/", TargetError::UserInformation),
            ("/a\r\nSet-Cookie:x", TargetError::Character),
            ("/a b", TargetError::Character),
            ("/\u{10d}", TargetError::Character),
            ("/%4", TargetError::Escape),
            ("/**", TargetError::DoubleWildcard),
        ] {
            assert_eq!(target.parse::<RedirectTarget>(), Err(error), "{target}");
        }
    }
}
