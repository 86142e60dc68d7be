//! Patterns of URLs and of user names.

use std::{fmt, str::FromStr};

use thiserror::Error;

use super::{
    escape::{EscapeError, decode, encode, is_plain},
    glob::Glob,
    url::{NormalUrl, PathError, normal_query},
};

/// Says which paths, and optionally queries, a rule is about.
///
/// A `*` stands for any run of characters, also for none and across `/`; everything else for
/// itself. A wildcard takes as few characters as the rest of the pattern allows, the last one what
/// is left. Upper and lower case differ, and so do `/a` and `/a/`.
///
/// `%` and two hexadecimal digits stand for that byte, so `%2A` is a star, `%3F` a question mark
/// in the path, `%20` a blank and `%25` a percent sign. What follows a `?` is compared with the
/// query; without one any query matches, and none. With one only requests that have a query match.
///
/// Patterns see the path of a request decoded once, with slashes merged and dot segments resolved,
/// so no spelling leads around a rule; [`PathError`] lists what is refused before any rule. In the
/// query only `&`, `=`, `+` and `;` stay as sent, because escaped they mean something else.
/// The order of the parameters is the client's choice: do not build access rules on it.
///
/// Matching takes time linear in the lengths of the pattern and of the URL.
///
/// ```
/// use bowline::server::rules::UrlPattern;
///
/// let pattern: UrlPattern = "/rooms/*/log.*".parse()?;
/// let captures = pattern.captures("/rooms/./a%20b/log.txt", None)?;
/// assert_eq!(captures, Some(vec!["a b".to_owned(), "txt".to_owned()]));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UrlPattern {
    path: Glob,
    query: Option<Glob>,
}

impl UrlPattern {
    /// Longest pattern, in bytes, as given and as written with escapes.
    pub const LENGTH_MAX: usize = 2048;
    /// Most wildcards in one pattern.
    pub const WILDCARDS_MAX: usize = 16;

    /// Compares the pattern with a path and query as sent; gives what each wildcard took.
    ///
    /// What comes from the path is decoded, what comes from the query is not.
    ///
    /// # Errors
    /// [`PathError`] when the path is not one that rules are compared with.
    pub fn captures(
        &self,
        path: &str,
        query: Option<&str>,
    ) -> Result<Option<Vec<String>>, PathError> {
        let url = NormalUrl::new(path, query)?;
        let captures = self.captures_of(&url);
        Ok(captures.map(|captures| captures.iter().map(|one| one.text.to_owned()).collect()))
    }

    /// Counts the wildcards.
    pub fn wildcards(&self) -> usize {
        self.path.wildcards() + self.query.as_ref().map_or(0, Glob::wildcards)
    }

    /// Tells whether the pattern names a query.
    pub(super) const fn has_query(&self) -> bool {
        self.query.is_some()
    }

    pub(super) fn captures_of<'u>(&self, url: &'u NormalUrl) -> Option<Vec<Capture<'u>>> {
        let mut captures = Vec::new();
        let mut matches = self.path.matches(&url.path, |text| {
            captures.push(Capture {
                text,
                part: Part::Path,
            });
        });
        if let Some(pattern) = &self.query {
            let query = url.query.as_deref();
            matches &= query.is_some_and(|query| {
                pattern.matches(query, |text| {
                    captures.push(Capture {
                        text,
                        part: Part::Query,
                    });
                })
            });
        }
        matches.then_some(captures)
    }

    pub(super) fn matches(&self, url: &NormalUrl) -> bool {
        let query_matches = |pattern: &Glob| {
            let query = url.query.as_deref();
            query.is_some_and(|query| pattern.matches(query, |_| {}))
        };
        self.path.matches(&url.path, |_| {}) && self.query.as_ref().is_none_or(query_matches)
    }

    /// Gives a URL that matches: each wildcard took an `x`.
    pub(super) fn example(&self) -> NormalUrl {
        let write = |out: &mut String, literal: &str| out.push_str(literal);
        let path = self.path.fill("x", write);
        NormalUrl {
            path: if path.starts_with('/') {
                path
            } else {
                format!("/{path}")
            },
            query: self.query.as_ref().map(|query| query.fill("x", write)),
        }
    }
}

impl FromStr for UrlPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        if text.len() > Self::LENGTH_MAX {
            return Err(PatternError::TooLong);
        }
        if !text.starts_with(['/', '*']) {
            return Err(PatternError::Start);
        }
        if text.contains('#') {
            return Err(PatternError::Fragment);
        }
        let (path, query) = match text.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (text, None),
        };
        check_segments(path)?;
        let pattern = Self {
            path: glob(path, path_literal)?,
            query: query
                .map(|query| {
                    glob(query, |literal| {
                        decode(literal)?;
                        Ok(normal_query(literal))
                    })
                })
                .transpose()?,
        };
        if pattern.wildcards() > Self::WILDCARDS_MAX {
            return Err(PatternError::TooManyWildcards);
        }
        check_length(&pattern)?;
        Ok(pattern)
    }
}

/// The form that is read back as the same pattern.
impl fmt::Display for UrlPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path.fill("*", write_literal))?;
        if let Some(query) = &self.query {
            let query = query.fill("*", String::push_str);
            write!(f, "?{query}")?;
        }
        Ok(())
    }
}

/// Says which users a rule is about, by name.
///
/// `*` and escapes are as in [`UrlPattern`]; `*` alone is every user that is known. Upper and
/// lower case differ.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UserPattern(Glob);

impl UserPattern {
    /// Tells whether a user's name matches.
    pub fn matches(&self, user: &str) -> bool {
        self.0.matches(user, |_| {})
    }
}

impl FromStr for UserPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err(PatternError::Empty);
        }
        if text.len() > UrlPattern::LENGTH_MAX {
            return Err(PatternError::TooLong);
        }
        let pattern = Self(glob(text, |literal| Ok(decode(literal)?))?);
        if pattern.0.wildcards() > UrlPattern::WILDCARDS_MAX {
            return Err(PatternError::TooManyWildcards);
        }
        check_length(&pattern)?;
        Ok(pattern)
    }
}

/// The form that is read back as the same pattern.
impl fmt::Display for UserPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.fill("*", write_literal))
    }
}

/// Says why a text is no pattern, and what to write instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PatternError {
    /// The text is empty.
    #[error("a pattern has at least one character")]
    Empty,
    /// The text begins neither a path nor with a wildcard.
    #[error("a URL pattern begins with `/` or `*` (a method before it is in capitals)")]
    Start,
    /// The text is longer than [`UrlPattern::LENGTH_MAX`].
    #[error("a pattern has at most {} bytes", UrlPattern::LENGTH_MAX)]
    TooLong,
    /// There are more wildcards than [`UrlPattern::WILDCARDS_MAX`].
    #[error("a pattern has at most {} wildcards", UrlPattern::WILDCARDS_MAX)]
    TooManyWildcards,
    /// There are two wildcards in a row.
    #[error("`**` says no more than `*`: write one, or `%2A` for a star itself")]
    DoubleWildcard,
    /// An escape is wrong, or there is a control character.
    #[error(transparent)]
    Escape(#[from] EscapeError),
    /// There is an escaped slash or a backslash, which requests cannot have.
    #[error("no request gets as far as the rules with `%2F` or a backslash in its path")]
    Separator,
    /// There is an empty or dot segment, which no request has when rules are compared with it.
    #[error("empty, `.` and `..` segments are resolved before rules are compared: leave them out")]
    Segment,
    /// There is a `#`.
    #[error("no request holds a fragment: write `%23` for the character `#`")]
    Fragment,
}

/// What one wildcard took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Capture<'u> {
    pub(super) text: &'u str,
    pub(super) part: Part,
}

/// Where a capture comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The path: decoded.
    Path,
    /// The query: as it can stand in one.
    Query,
}

fn glob(
    text: &str,
    literal: impl Fn(&str) -> Result<String, PatternError>,
) -> Result<Glob, PatternError> {
    if text.contains("**") {
        return Err(PatternError::DoubleWildcard);
    }
    let mut literals = text.split('*');
    let first = literal(literals.next().unwrap_or_default())?;
    Ok(Glob::new(
        first,
        literals.map(literal).collect::<Result<_, _>>()?,
    ))
}

/// Keeps the form that is written from being longer than the one that is read.
fn check_length(pattern: &impl fmt::Display) -> Result<(), PatternError> {
    if pattern.to_string().len() > UrlPattern::LENGTH_MAX {
        return Err(PatternError::TooLong);
    }
    Ok(())
}

fn path_literal(text: &str) -> Result<String, PatternError> {
    let literal = decode(text)?;
    let slashes = |text: &str| text.bytes().filter(|byte| *byte == b'/').count();
    if literal.contains('\\') || slashes(&literal) != slashes(text) {
        return Err(PatternError::Separator);
    }
    Ok(literal)
}

/// Refuses what could only match a path that is not normal.
fn check_segments(path: &str) -> Result<(), PatternError> {
    let mut segments = path.split('/').peekable();
    // Before the first slash is nothing, or a wildcard.
    segments.next();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        let resolved = match decode(segment)?.as_str() {
            "" => !is_last,
            "." | ".." => true,
            _ => false,
        };
        if resolved {
            return Err(PatternError::Segment);
        }
    }
    Ok(())
}

fn write_literal(out: &mut String, literal: &str) {
    encode(out, literal, |character| {
        is_plain(character) && !matches!(character, '*' | '?')
    });
}
