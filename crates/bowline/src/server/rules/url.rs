//! The path and query of a request, in the one form that patterns are compared with.

use thiserror::Error;

use super::escape::{EscapeError, decode, escaped, is_unreserved, push_escape};

/// A path and query that no spelling can disguise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NormalUrl {
    /// Decoded, without dot segments and without empty segments but the last.
    pub(super) path: String,
    /// Visible ASCII; escaped is what has a meaning when it is not.
    pub(super) query: Option<String>,
}

impl NormalUrl {
    pub(super) fn new(path: &str, query: Option<&str>) -> Result<Self, PathError> {
        Ok(Self {
            path: normal_path(path)?,
            query: query.map(normal_query),
        })
    }

    /// Reads a path with an optional query and fragment.
    pub(super) fn parse(resource: &str) -> Result<Self, PathError> {
        let resource = resource.split('#').next().unwrap_or_default();
        match resource.split_once('?') {
            Some((path, query)) => Self::new(path, Some(query)),
            None => Self::new(resource, None),
        }
    }
}

/// Says why the path of a request is compared with no pattern and answered with 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PathError {
    /// The target is not a path: it does not begin with `/`.
    #[error("the path does not begin with `/`")]
    NotAPath,
    /// The path cannot be decoded.
    #[error("the path cannot be decoded: {0}")]
    Escape(#[from] EscapeError),
    /// There is an escaped `/`, or a `\`, escaped or not: programs disagree on whether it
    /// separates.
    #[error("the path holds `%2F` or a backslash, which may or may not separate segments")]
    Separator,
    /// The path holds `#`, which no request may.
    #[error("the path holds `#`")]
    Fragment,
    /// `..` segments lead out of the root.
    #[error("the path leads out of the root by `..`")]
    AboveRoot,
}

/// Decodes a path once, merges slashes and resolves dot segments.
fn normal_path(raw: &str) -> Result<String, PathError> {
    if !raw.starts_with('/') {
        return Err(PathError::NotAPath);
    }
    if raw.contains('#') {
        return Err(PathError::Fragment);
    }
    let path = decode(raw)?;
    let slashes = |text: &str| text.bytes().filter(|byte| *byte == b'/').count();
    if path.contains('\\') || slashes(&path) != slashes(raw) {
        return Err(PathError::Separator);
    }
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop().ok_or(PathError::AboveRoot)?;
            }
            name => kept.push(name),
        }
    }
    let mut normal = String::with_capacity(path.len());
    for segment in &kept {
        normal.push('/');
        normal.push_str(segment);
    }
    let is_directory = matches!(path.rsplit('/').next(), Some("" | "." | ".."));
    if is_directory || kept.is_empty() {
        normal.push('/');
    }
    Ok(normal)
}

/// Writes each character of a query in one way.
///
/// `&`, `=`, `+` and `;` mean something else when escaped and are left as sent. Of the rest, what
/// may stand in a query is written as it is and everything else, `*` too, as an escape.
pub(super) fn normal_query(raw: &str) -> String {
    let mut normal = String::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let (value, was_escaped) = match byte {
            // A percent sign that begins no escape stands for itself.
            b'%' => match escaped(&mut ahead) {
                Some(value) => {
                    bytes = ahead;
                    (value, true)
                }
                None => (b'%', false),
            },
            other => (other, false),
        };
        let character = char::from(value);
        let delimits = matches!(character, '&' | '=' | '+' | ';');
        let stays = is_unreserved(character)
            || matches!(
                character,
                '!' | '\'' | '(' | ')' | ',' | ':' | '@' | '$' | '/' | '?'
            );
        if stays || delimits && !was_escaped {
            normal.push(character);
        } else {
            push_escape(&mut normal, value);
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_path_are_one() {
        for (raw, normal) in [
            ("/", "/"),
            ("//", "/"),
            ("/a", "/a"),
            ("/a/", "/a/"),
            ("/%61", "/a"),
            ("//a///b", "/a/b"),
            ("/./a/./b", "/a/b"),
            ("/a/%2e/b", "/a/b"),
            ("/x/../a", "/a"),
            ("/x/%2E./a", "/a"),
            ("/x//../a", "/a"),
            ("/a/b/..", "/a/"),
            ("/a/.", "/a/"),
            ("/a//", "/a/"),
            ("/...", "/..."),
            ("/a.", "/a."),
            ("/%252e%252e/a", "/%2e%2e/a"),
            ("/a%3Fb", "/a?b"),
            ("/%C4%8D", "/\u{10d}"),
            ("/a;x=1/b+c", "/a;x=1/b+c"),
        ] {
            assert_eq!(normal_path(raw).as_deref(), Ok(normal), "{raw}");
        }
    }

    #[test]
    fn paths_that_programs_read_differently_are_refused() {
        for (raw, error) in [
            ("", PathError::NotAPath),
            ("*", PathError::NotAPath),
            ("host:443", PathError::NotAPath),
            ("/a%2Fb", PathError::Separator),
            ("/a%2fb", PathError::Separator),
            ("/a\\b", PathError::Separator),
            ("/a%5Cb", PathError::Separator),
            ("/a#b", PathError::Fragment),
            ("/..", PathError::AboveRoot),
            ("/a/../../b", PathError::AboveRoot),
            ("/%", PathError::Escape(EscapeError::Incomplete)),
            ("/%4", PathError::Escape(EscapeError::Incomplete)),
            ("/%+1", PathError::Escape(EscapeError::Incomplete)),
            ("/%c0%ae%c0%ae/", PathError::Escape(EscapeError::NotUtf8)),
            ("/%00", PathError::Escape(EscapeError::Control)),
            ("/a%0d%0ab", PathError::Escape(EscapeError::Control)),
            ("/%7f", PathError::Escape(EscapeError::Control)),
            ("/%C2%85", PathError::Escape(EscapeError::Control)),
        ] {
            assert_eq!(normal_path(raw), Err(error), "{raw}");
        }
    }

    #[test]
    fn spellings_of_one_query_are_one_and_delimiters_stay_apart() {
        for (raw, normal) in [
            ("", ""),
            ("a=%62", "a=b"),
            ("%61=b", "a=b"),
            ("a=1&b=2", "a=1&b=2"),
            ("a=1%26b=2", "a=1%26b=2"),
            ("a%3d1", "a%3D1"),
            ("a+b%2bc", "a+b%2Bc"),
            ("u=http%3A%2F%2Fx/y", "u=http://x/y"),
            ("*%2a", "%2A%2A"),
            ("%", "%25"),
            ("%zz%4", "%25zz%254"),
            ("a%0d%0ab c", "a%0D%0Ab%20c"),
            ("\u{10d}", "%C4%8D"),
        ] {
            assert_eq!(normal_query(raw), normal, "{raw}");
            assert_eq!(normal_query(normal), normal, "{raw}");
        }
    }
}
