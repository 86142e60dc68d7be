//! Diagnostics as text, with the lines of the file they are about.

use std::fmt::{self, Write as _};

use super::{Diagnostic, Diagnostics, Related, Severity, Source, Span};

/// Turns diagnostics into text: place, source line, what is wrong, what to do.
#[derive(Clone, Copy, Debug)]
pub struct Renderer {
    has_colours: bool,
}

impl Renderer {
    /// Makes one that writes plain text.
    pub const fn plain() -> Self {
        Self { has_colours: false }
    }

    /// Makes one that writes colours, as escape sequences of terminals.
    pub const fn coloured() -> Self {
        Self { has_colours: true }
    }

    /// Writes all of a list, with a blank line after each.
    pub fn render_all(self, list: &Diagnostics) -> String {
        let mut out = String::new();
        for one in list {
            out += &self.render(list.source(), one);
            out.push('\n');
        }
        if list.dropped() > 0 {
            put(
                &mut out,
                format_args!("... and {} more, not shown\n", list.dropped()),
            );
        }
        out
    }

    /// Writes one.
    pub fn render(self, source: &Source, one: &Diagnostic) -> String {
        let mut out = String::new();
        let word = one.severity.word();
        let head = format!("{word}[{}: {}]", one.code, one.code.slug());
        let colour = colour_of(one.severity);
        out += &self.painted(&head, colour);
        out += &self.painted(&format!(": {}\n", printable(&one.message)), BOLD);
        let places = std::iter::once((one.span, '^', one.label.as_str(), colour));
        let related = one.related.iter();
        let places = places.chain(related.map(|Related { span, label }| {
            let mark = if span.start == span.end { '^' } else { '-' };
            (*span, mark, label.as_str(), BLUE)
        }));
        let places: Vec<_> = places.collect();
        let last = places
            .iter()
            .map(|(span, ..)| source.position(span.start).line);
        let gutter = last.max().unwrap_or(1).to_string().len();
        for (index, (span, mark, label, colour)) in places.into_iter().enumerate() {
            let arrow = if index == 0 { "-->" } else { ":::" };
            let lines = Excerpt::of(source, span, mark, label);
            self.excerpt(&mut out, (gutter, arrow, colour), source, &lines);
        }
        if let Some(help) = &one.help {
            let indent = " ".repeat(gutter + 1);
            for (index, line) in printable(help).lines().enumerate() {
                let lead = if index == 0 { "= help: " } else { "        " };
                put(
                    &mut out,
                    format_args!("{indent}{}{line}\n", self.painted(lead, BLUE)),
                );
            }
        }
        out
    }

    /// Writes a place and its line, marked.
    pub(crate) fn excerpt_of(self, source: &Source, span: Span) -> String {
        let lines = Excerpt::of(source, span, '^', "");
        let mut out = String::new();
        let gutter = lines.line.to_string().len();
        self.excerpt(&mut out, (gutter, "-->", BLUE), source, &lines);
        out
    }

    fn excerpt(
        self,
        out: &mut String,
        (gutter, arrow, colour): (usize, &str, &str),
        source: &Source,
        lines: &Excerpt,
    ) {
        let pad = " ".repeat(gutter);
        let Excerpt { line, column, .. } = lines;
        let arrow = self.painted(arrow, BLUE);
        let bar = self.painted("|", BLUE);
        let name = printable(source.name());
        let number = self.painted(&format!("{line:>gutter$}"), BLUE);
        let marks = self.painted(&lines.marks, colour);
        put(out, format_args!("{pad}{arrow} {name}:{line}:{column}\n"));
        put(out, format_args!("{pad} {bar}\n"));
        out.push_str(format!("{number} {bar} {}", lines.text).trim_end());
        out.push('\n');
        put(out, format_args!("{pad} {bar} {}{marks}\n", lines.indent));
    }

    fn painted(self, text: &str, colour: &str) -> String {
        if self.has_colours {
            format!("{colour}{text}{RESET}")
        } else {
            text.to_owned()
        }
    }
}

/// One line of the file with marks below it.
struct Excerpt {
    line: usize,
    column: usize,
    text: String,
    indent: String,
    marks: String,
}

impl Excerpt {
    fn of(source: &Source, span: Span, mark: char, label: &str) -> Self {
        let position = source.position(span.start);
        let line = source.line(position.line);
        let start = source.line_start(position.line);
        let within = |byte: usize| byte.saturating_sub(start).min(line.len());
        let (from, to) = (within(span.start), within(span.end.max(span.start)));
        let first = line.floor_char_boundary(from.saturating_sub(WINDOW));
        let last = line.floor_char_boundary(to.min(from + WINDOW));
        let before = line.get(first..from).unwrap_or_default();
        let marked = line.get(from..last).unwrap_or_default();
        let after = line.get(last..line.floor_char_boundary(last + WINDOW));
        let after = after.unwrap_or_default();

        let (before, cut) = last_columns(&shown(before), BEFORE_MAX);
        let (marked, marked_cut) = first_columns(&shown(marked), MARKED_MAX);
        let room = if marked_cut { 0 } else { AFTER_MAX };
        let (after, after_cut) = first_columns(&shown(after), room);
        let lead = if cut { "..." } else { "" };
        let tail = if marked_cut || after_cut { "..." } else { "" };
        let indent = " ".repeat(lead.len() + width(&before));
        let mut marks = mark.to_string().repeat(width(&marked).max(1));
        if !label.is_empty() {
            put(&mut marks, format_args!(" {}", printable(label)));
        }
        Self {
            line: position.line,
            column: position.column,
            text: format!("{lead}{before}{marked}{after}{tail}"),
            indent,
            marks,
        }
    }
}

fn put(out: &mut String, text: fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _written = out.write_fmt(text);
}

/// Gives the last characters that fit, and whether some did not.
fn last_columns(text: &str, columns: usize) -> (String, bool) {
    let mut room = columns;
    let kept = text.chars().rev().take_while(|&c| fits(&mut room, c));
    let mut kept: Vec<char> = kept.collect();
    kept.reverse();
    let is_cut = kept.len() < text.chars().count();
    (kept.into_iter().collect(), is_cut)
}

/// Gives the first characters that fit, and whether some did not.
fn first_columns(text: &str, columns: usize) -> (String, bool) {
    let mut room = columns;
    let kept: String = text.chars().take_while(|&c| fits(&mut room, c)).collect();
    let is_cut = kept.len() < text.len();
    (kept, is_cut)
}

fn fits(room: &mut usize, c: char) -> bool {
    let columns = columns_of(c);
    let is_room = columns <= *room;
    *room = room.saturating_sub(columns);
    is_room
}

/// A piece of a line as it is shown: a tab is four blanks, other controls a replacement.
fn shown(text: &str) -> String {
    printable(&text.replace('\t', "    "))
}

/// Keeps what a file holds from commanding the terminal.
fn printable(text: &str) -> String {
    let bad = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let replaced = text.chars().map(|c| {
        if bad(c) {
            char::REPLACEMENT_CHARACTER
        } else {
            c
        }
    });
    replaced.collect()
}

fn width(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

/// How many columns of a terminal a character takes, close enough to put marks below it.
const fn columns_of(c: char) -> usize {
    match c as u32 {
        0x0300..=0x036f | 0x200b..=0x200f | 0xfe00..=0xfe0f | 0xfeff => 0,
        0x1100..=0x115f
        | 0x2e80..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1faff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

const fn colour_of(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "\u{1b}[1;31m",
        Severity::Warning => "\u{1b}[1;33m",
        Severity::Note => "\u{1b}[1;36m",
    }
}

const BOLD: &str = "\u{1b}[1m";
const BLUE: &str = "\u{1b}[1;34m";
const RESET: &str = "\u{1b}[0m";

/// Columns that are shown before, of and after the place; longer lines are cut.
const BEFORE_MAX: usize = 60;
const MARKED_MAX: usize = 80;
const AFTER_MAX: usize = 60;

/// Bytes of a line that are looked at on each side of a place, so that a file of one long line
/// costs no more than others.
const WINDOW: usize = 400;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Code;

    fn rendered(text: &str, marked: &str) -> String {
        let source = Source::new("a.xml", text);
        let start = text.find(marked).unwrap();
        let span = Span::new(start, start + marked.len());
        let one = Diagnostic::error(Code::Empty, span, "wrong").label("here");
        Renderer::plain().render(&source, &one)
    }

    #[test]
    fn marks_stand_below_their_place_behind_tabs_and_wide_characters() {
        let text = rendered("x\n\t\u{65e5}\u{672c}<Name/>\n", "<Name/>");
        assert_eq!(
            text,
            "error[BC0017: empty]: wrong\n --> a.xml:2:4\n  |\n\
             2 |     \u{65e5}\u{672c}<Name/>\n  |         ^^^^^^^ here\n"
        );
    }

    #[test]
    fn long_lines_are_cut_around_the_place() {
        let text = rendered(
            &format!("{}<A/>{}", "x".repeat(500), "y".repeat(500)),
            "<A/>",
        );
        let lines: Vec<_> = text.lines().collect();
        let shown = format!("1 | ...{}<A/>{}...", "x".repeat(60), "y".repeat(60));
        assert_eq!(lines[3], shown);
        assert_eq!(lines[4], format!("  | {}^^^^ here", " ".repeat(63)));
    }

    #[test]
    fn what_a_file_holds_does_not_command_the_terminal() {
        let text = rendered("\u{1b}[31m<A/>", "<A/>");
        assert!(!text.contains('\u{1b}'), "{text}");
    }
}
