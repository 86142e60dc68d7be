//! Names, characters and references of XML.

use super::{
    Text,
    parser::{Outcome, syntax},
};
use crate::diagnostic::{Code, Diagnostic, Span};

/// Takes the name at the beginning of a text; empty if there is none.
pub(super) fn name(text: &str) -> &str {
    let mut letters = text.char_indices();
    match letters.next() {
        Some((_, first)) if is_name_start(first) => {}
        Some(_) | None => return "",
    }
    let end = letters
        .find(|(_, c)| !is_name(*c))
        .map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or_default()
}

const fn is_name_start(c: char) -> bool {
    matches!(c, 'A'..='Z' | 'a'..='z' | '_' | ':' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}'
        | '\u{f8}'..='\u{2ff}' | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}'
        | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}'
        | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}'
        | '\u{10000}'..='\u{effff}')
}

const fn is_name(c: char) -> bool {
    is_name_start(c)
        || matches!(c, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}'
            | '\u{203f}'..='\u{2040}')
}

pub(super) const fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

const fn is_character(c: char) -> bool {
    !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

/// Refuses characters that XML does not have.
pub(super) fn check_characters(text: &str, start: usize) -> Outcome<()> {
    let Some((at, c)) = text.char_indices().find(|(_, c)| !is_character(*c)) else {
        return Ok(());
    };
    let span = Span::new(start + at, start + at + c.len_utf8());
    Err(syntax(
        span,
        format!("the character U+{:04X} cannot stand in XML", u32::from(c)),
    )
    .into())
}

/// Adds text with references decoded.
pub(super) fn decode_text(out: &mut Text, text: &str, start: usize) -> Outcome<()> {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        let at = start + (text.len() - rest.len()) + before.len();
        push_lines(out, before, at - before.len());
        let (c, length) = reference(after, at)?;
        let mut buffer = [0; 4];
        let span = Span::new(at, at + 1 + length);
        out.push_decoded(c.encode_utf8(&mut buffer), span);
        rest = after.get(length..).unwrap_or_default();
    }
    push_lines(out, rest, start + (text.len() - rest.len()));
    Ok(())
}

/// Adds text as it is, ends of lines as line feeds.
pub(super) fn push_lines(out: &mut Text, text: &str, start: usize) {
    let mut at = start;
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\r') {
        out.push(before, at);
        at += before.len();
        let length = if after.starts_with('\n') { 2 } else { 1 };
        out.push_decoded("\n", Span::new(at, at + length));
        at += length;
        rest = after.strip_prefix('\n').unwrap_or(after);
    }
    out.push(rest, at);
}

/// Reads a reference after its `&`; gives the character and the length with the semicolon.
fn reference(after: &str, at: usize) -> Outcome<(char, usize)> {
    let window = after
        .get(..after.floor_char_boundary(REFERENCE_MAX))
        .unwrap_or(after);
    let Some((word, _)) = window.split_once(';') else {
        return Err(Diagnostic::error(
            Code::XmlEntity,
            Span::new(at, at + 1),
            "`&` begins no reference",
        )
        .label("no `;` follows")
        .help("write `&amp;` for the character")
        .into());
    };
    let c = match word {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => numbered(word).filter(|c| is_character(*c)),
    };
    let length = word.len() + 1;
    c.map(|c| (c, length)).ok_or_else(|| {
        let span = Span::new(at, at + 1 + length);
        Diagnostic::error(
            Code::XmlEntity,
            span,
            format!("`&{word};` is no known reference"),
        )
        .help("write `&lt;`, `&gt;`, `&amp;`, `&quot;`, `&apos;`, or `&amp;` for the character `&`")
        .into()
    })
}

fn numbered(word: &str) -> Option<char> {
    let digits = word.strip_prefix('#')?;
    let number = match digits.strip_prefix('x') {
        Some(hex) if hex.bytes().all(|b| b.is_ascii_hexdigit()) => u32::from_str_radix(hex, 16),
        None if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse(),
        Some(_) | None => return None,
    };
    char::from_u32(number.ok()?)
}

/// Longest reference, with its semicolon.
const REFERENCE_MAX: usize = 32;
