//! The header fields of a parsed head.

use std::fmt;

use bytes::Bytes;

use super::field::{elements, trim_blanks};

/// An ordered multi-map of header fields that shares the bytes of the head it was parsed from.
///
/// Names are compared without regard to ASCII case (RFC 9110 section 5.1). Values have no blanks
/// at their ends and no control byte but the tab; they need not be UTF-8.
#[derive(Clone, Default)]
pub struct Headers {
    bytes: Bytes,
    entries: Vec<Entry>,
}

impl Headers {
    /// Returns the number of fields.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Tells whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns every field as name and value, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.entries
            .iter()
            .map(|entry| (entry.name.text(&self.bytes), entry.value.of(&self.bytes)))
    }

    /// Returns every value under a name, in the order in which they came.
    pub fn all<'h>(&'h self, name: &str) -> impl Iterator<Item = &'h [u8]> {
        self.entries
            .iter()
            .filter(move |entry| {
                entry
                    .name
                    .of(&self.bytes)
                    .eq_ignore_ascii_case(name.as_bytes())
            })
            .map(|entry| entry.value.of(&self.bytes))
    }

    /// Returns the first value under a name.
    pub fn first(&self, name: &str) -> Option<&[u8]> {
        self.all(name).next()
    }

    /// Returns the first value under a name as text, if it is UTF-8.
    pub fn text(&self, name: &str) -> Option<&str> {
        str::from_utf8(self.first(name)?).ok()
    }

    /// Returns the elements of a comma-separated list that may span several fields
    /// (RFC 9110 section 5.6.1).
    ///
    /// Do not use it for fields that may hold quoted strings or dates.
    pub fn elements<'h>(&'h self, name: &str) -> impl Iterator<Item = &'h [u8]> {
        self.all(name).flat_map(elements)
    }

    /// Tells whether a comma-separated list holds a token, without regard to ASCII case.
    pub fn contains_token(&self, name: &str, token: &str) -> bool {
        self.elements(name)
            .any(|element| element.eq_ignore_ascii_case(token.as_bytes()))
    }

    /// Returns the name and value pairs of the `Cookie` fields of a request
    /// (RFC 6265 section 5.4).
    ///
    /// Values are as sent: quotes stay and nothing is decoded.
    pub fn cookies(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.all("cookie")
            .flat_map(|line| line.split(|byte| *byte == b';'))
            .filter_map(|pair| {
                let at = pair.iter().position(|byte| *byte == b'=')?;
                let (name, rest) = pair.split_at_checked(at)?;
                let (_, value) = rest.split_first()?;
                Some((trim_blanks(name), trim_blanks(value)))
            })
    }

    /// Returns the values of the `Set-Cookie` fields of a response, one cookie each.
    pub fn set_cookies(&self) -> impl Iterator<Item = &[u8]> {
        self.all("set-cookie")
    }

    /// Builds the map from what the HTTP parser found in `bytes`.
    pub(crate) fn locate(bytes: &Bytes, fields: &[httparse::Header<'_>]) -> Self {
        let entries = fields
            .iter()
            .map(|field| Entry {
                name: Span::locate(field.name.as_bytes(), bytes),
                value: Span::locate(field.value, bytes),
            })
            .collect();
        Self {
            bytes: bytes.clone(),
            entries,
        }
    }

    /// Returns the only value under a name, `None` when there is none.
    ///
    /// # Errors
    ///
    /// [`Repeated`] when there are several.
    pub(crate) fn at_most_one(&self, name: &str) -> Result<Option<&[u8]>, Repeated> {
        let mut values = self.all(name);
        let first = values.next();
        if values.next().is_some() {
            Err(Repeated)
        } else {
            Ok(first)
        }
    }

    /// Returns the bytes of the head.
    pub(crate) const fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (name, value) in self.iter() {
            if SECRET
                .iter()
                .any(|secret| name.eq_ignore_ascii_case(secret))
            {
                map.entry(&name, &format_args!("(hidden)"));
            } else {
                map.entry(&name, &format_args!("\"{}\"", value.escape_ascii()));
            }
        }
        map.finish()
    }
}

/// More than one field where only one is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Repeated;

/// A place in the bytes of a head.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    start: usize,
    end: usize,
}

impl Span {
    /// Finds the place of `part`, which is a slice of `whole`.
    pub(crate) fn locate(part: &[u8], whole: &[u8]) -> Self {
        if part.is_empty() {
            return Self::default();
        }
        let start = part.as_ptr().addr().wrapping_sub(whole.as_ptr().addr());
        let end = start.wrapping_add(part.len());
        debug_assert!(
            whole.get(start..end).is_some(),
            "the part lies outside the head"
        );
        Self { start, end }
    }

    /// Returns the bytes at this place.
    pub(crate) fn of(self, whole: &[u8]) -> &[u8] {
        whole.get(self.start..self.end).unwrap_or_default()
    }

    /// Returns the bytes at this place, known to be ASCII, as text.
    pub(crate) fn text(self, whole: &[u8]) -> &str {
        let text = str::from_utf8(self.of(whole));
        debug_assert!(text.is_ok(), "a place read as text was checked before");
        text.unwrap_or_default()
    }
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    name: Span,
    value: Span,
}

/// Fields whose values `Debug` hides, because logs must not hold them. Pages, which can set no
/// other field, put tokens among the subprotocols.
const SECRET: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "sec-websocket-protocol",
    "x-session",
];

#[cfg(test)]
mod tests {
    use super::super::{HeadLimits, HttpVersion, RequestHead};

    fn head(fields: &[(&str, &str)]) -> RequestHead {
        let fields = fields.iter().map(|(name, value)| (*name, value.as_bytes()));
        RequestHead::from_parts(
            "GET",
            "/",
            HttpVersion::Http11,
            fields,
            HeadLimits::default(),
        )
        .unwrap()
    }

    #[test]
    fn names_are_found_in_any_case_and_all_values_kept_in_order() {
        let head = head(&[("Host", "a"), ("X-A", "1"), ("x-a", ""), ("X-a", "3")]);
        let headers = head.headers();
        assert_eq!(headers.len(), 4);
        assert_eq!(
            headers.all("X-A").collect::<Vec<_>>(),
            [&b"1"[..], b"", b"3"]
        );
        assert_eq!(headers.text("HOST"), Some("a"));
        assert_eq!(headers.first("none"), None);
    }

    #[test]
    fn token_list_spans_lines() {
        let head = head(&[("Connection", "keep-alive"), ("connection", "x , UPGRADE")]);
        assert!(head.headers().contains_token("Connection", "upgrade"));
        assert!(!head.headers().contains_token("Connection", "up"));
    }

    #[test]
    fn cookies_are_pairs() {
        let head = head(&[("Cookie", "a=1; b = \"x=y\";bare"), ("Cookie", "c=")]);
        let cookies: Vec<_> = head.headers().cookies().collect();
        assert_eq!(
            cookies,
            [(&b"a"[..], &b"1"[..]), (b"b", b"\"x=y\""), (b"c", b"")]
        );
    }

    #[test]
    fn debug_output_hides_secrets() {
        let shown = format!(
            "{:?}",
            head(&[
                ("Cookie", "id=s3cret"),
                ("Sec-WebSocket-Protocol", "token.s3cret"),
                ("X", "seen")
            ])
            .headers()
        );
        assert!(
            shown.contains("seen") && !shown.contains("s3cret"),
            "{shown}"
        );
    }
}
