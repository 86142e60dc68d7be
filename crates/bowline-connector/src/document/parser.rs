//! XML text to elements, in one pass.

use super::{
    Element, ReadLimits, Text,
    characters::{check_characters, decode_text, is_blank, name, push_lines},
    namespace::Namespaces,
};
use crate::diagnostic::{Code, Diagnostic, Span};

/// Reads the outermost elements of a text.
pub(super) fn parse(text: &str, limits: &ReadLimits) -> Outcome<Vec<Element>> {
    let mut parser = Parser {
        text,
        at: 0,
        limits,
        open: Vec::new(),
        roots: Vec::new(),
        namespaces: Namespaces::default(),
        element_count: 0,
    };
    parser.skip_declaration()?;
    while parser.at < text.len() {
        parser.step()?;
    }
    parser.finish()
}

pub(super) type Outcome<T> = Result<T, Box<Diagnostic>>;

pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    pub(super) limits: &'a ReadLimits,
    /// Elements whose end tag has not come, the innermost last.
    open: Vec<Open>,
    roots: Vec<Element>,
    pub(super) namespaces: Namespaces,
    element_count: usize,
}

struct Open {
    element: Element,
    /// The name with its prefix, as the end tag has to say it.
    tag: String,
    namespace_count: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Takes what is up to a mark, and the mark.
    pub(super) fn until(&mut self, mark: &str) -> Option<&'a str> {
        let (before, _) = self.rest().split_once(mark)?;
        self.at += before.len() + mark.len();
        Some(before)
    }

    pub(super) fn skip(&mut self, mark: &str) -> bool {
        let is_there = self.rest().starts_with(mark);
        if is_there {
            self.at += mark.len();
        }
        is_there
    }

    /// Skips blanks and says whether there were any.
    pub(super) fn skip_blanks(&mut self) -> bool {
        let rest = self.rest();
        let blanks = rest.len() - rest.trim_start_matches(is_blank).len();
        self.at += blanks;
        blanks > 0
    }

    /// Takes one piece: text, a tag, or what is skipped.
    fn step(&mut self) -> Outcome<()> {
        let start = self.at;
        if !self.rest().starts_with('<') {
            return self.text_piece();
        }
        if self.skip("<!--") {
            self.comment(start)
        } else if self.skip("<![CDATA[") {
            self.cdata(start)
        } else if self.rest().starts_with("<!") {
            Err(self.doctype().into())
        } else if self.skip("<?") {
            self.instruction(start)
        } else if self.skip("</") {
            self.end_tag(start)
        } else {
            self.at += 1;
            self.start_tag(start)
        }
    }

    fn skip_declaration(&mut self) -> Outcome<()> {
        let is_declaration = self.rest().starts_with("<?xml") && !self.rest().starts_with("<?xml-");
        if is_declaration && self.until("?>").is_none() {
            return Err(unclosed("the XML declaration", Span::new(0, 5), "?>").into());
        }
        Ok(())
    }

    fn comment(&mut self, start: usize) -> Outcome<()> {
        let open = Span::new(start, self.at);
        let Some(text) = self.until("-->") else {
            return Err(unclosed("a comment", open, "-->").into());
        };
        let at = open.end;
        if let Some(dashes) = text.find("--") {
            return Err(
                syntax(Span::new(at + dashes, at + dashes + 2), "`--` in a comment")
                    .help("a comment ends at `-->` and has no `--` before")
                    .into(),
            );
        }
        if text.ends_with('-') {
            let span = Span::new(at + text.len() - 1, at + text.len() + 3);
            return Err(syntax(span, "a comment ends with `--->`")
                .help("write `-->`")
                .into());
        }
        check_characters(text, at)
    }

    fn cdata(&mut self, start: usize) -> Outcome<()> {
        let open = Span::new(start, self.at);
        let Some(text) = self.until("]]>") else {
            return Err(unclosed("a CDATA section", open, "]]>").into());
        };
        check_characters(text, open.end)?;
        let Some(within) = self.open.last_mut() else {
            return Err(outside(Span::new(start, self.at)).into());
        };
        push_lines(&mut within.element.text, text, open.end);
        Ok(())
    }

    fn instruction(&mut self, start: usize) -> Outcome<()> {
        let open = Span::new(start, self.at);
        let target = name(self.rest());
        if target.is_empty() {
            return Err(syntax(open, "`<?` without a name").into());
        }
        if target.eq_ignore_ascii_case("xml") {
            let span = Span::new(start, self.at + target.len());
            return Err(
                syntax(span, "an XML declaration that is not at the beginning")
                    .help("nothing, not even a blank, may come before it")
                    .into(),
            );
        }
        let Some(text) = self.until("?>") else {
            return Err(unclosed("a processing instruction", open, "?>").into());
        };
        let after = text.get(target.len()..).unwrap_or_default();
        if !(after.is_empty() || after.starts_with(is_blank)) {
            return Err(syntax(open, "a processing instruction without a proper name").into());
        }
        check_characters(text, open.end)
    }

    fn doctype(&self) -> Diagnostic {
        let word = name(self.rest().strip_prefix("<!").unwrap_or_default());
        let span = Span::new(self.at, self.at + 2 + word.len());
        if self.rest().starts_with("<!DOCTYPE") {
            Diagnostic::error(Code::XmlDoctype, span, "the file has a document type")
                .label("not read, and no entity is expanded")
                .help("leave the `<!DOCTYPE ...>` out and write values in full")
        } else {
            syntax(span, "`<!` begins neither a comment nor CDATA")
        }
    }

    fn end_tag(&mut self, start: usize) -> Outcome<()> {
        let tag = name(self.rest());
        self.at += tag.len();
        let span = Span::new(start, self.at);
        self.skip_blanks();
        if !self.skip(">") {
            return Err(syntax(span, format!("`</{tag}` is not ended by `>`")).into());
        }
        let Some(mut open) = self.open.pop() else {
            return Err(Diagnostic::error(
                Code::XmlUnclosed,
                span,
                format!("`</{tag}>` ends nothing"),
            )
            .label("no element is open here")
            .into());
        };
        if open.tag != tag {
            return Err(Diagnostic::error(
                Code::XmlUnclosed,
                span,
                format!("`<{}>` is ended by `</{tag}>`", open.tag),
            )
            .label(format!("`</{}>` has to come first", open.tag))
            .related(open.element.name_span, "opened here")
            .into());
        }
        open.element.end = self.at;
        self.namespaces.truncate(open.namespace_count);
        self.close(open.element);
        Ok(())
    }

    fn close(&mut self, element: Element) {
        match self.open.last_mut() {
            Some(outer) => outer.element.children.push(element),
            None => self.roots.push(element),
        }
    }

    fn text_piece(&mut self) -> Outcome<()> {
        let start = self.at;
        let rest = self.rest();
        let piece = rest.split_once('<').map_or(rest, |(before, _)| before);
        self.at += piece.len();
        check_characters(piece, start)?;
        let Some(within) = self.open.last_mut() else {
            let blanks = piece.len() - piece.trim_start_matches(is_blank).len();
            let text = piece.trim_matches(is_blank);
            if text.is_empty() {
                return Ok(());
            }
            let begin = start + blanks;
            return Err(outside(Span::new(begin, begin + text.len())).into());
        };
        if let Some(at) = piece.find("]]>") {
            let span = Span::new(start + at, start + at + 3);
            return Err(syntax(span, "`]]>` outside of CDATA")
                .help("write `]]&gt;`")
                .into());
        }
        decode_text(&mut within.element.text, piece, start)
    }

    fn start_tag(&mut self, start: usize) -> Outcome<()> {
        let tag = name(self.rest());
        let name_span = Span::new(self.at, self.at + tag.len());
        if tag.is_empty() {
            return Err(
                syntax(Span::new(start, start + 1), "`<` does not begin a tag")
                    .label("no name follows")
                    .help("write `&lt;` for the character")
                    .into(),
            );
        }
        self.at += tag.len();
        self.element_count += 1;
        if self.element_count > self.limits.element_count_max {
            let max = self.limits.element_count_max;
            return Err(too_large(name_span, format!("more than {max} elements")).into());
        }
        if self.open.len() >= self.limits.depth_max {
            let max = self.limits.depth_max;
            return Err(
                too_large(name_span, format!("more than {max} elements in each other")).into(),
            );
        }
        let namespace_count = self.namespaces.len();
        let attributes = self.attributes(name_span)?;
        let is_empty = self.skip("/");
        if !self.skip(">") {
            let span = Span::new(start, name_span.end);
            return Err(unclosed(&format!("the tag `<{tag}`"), span, ">").into());
        }
        let attributes = self.resolve_attributes(attributes)?;
        let (local, foreign) = self.resolve_name(tag, name_span)?;
        let element = Element {
            name: local.to_owned(),
            name_span,
            foreign,
            attributes,
            children: Vec::new(),
            text: Text::empty(self.at),
            end: self.at,
        };
        if is_empty {
            self.namespaces.truncate(namespace_count);
            self.close(element);
        } else {
            self.open.push(Open {
                element,
                tag: tag.to_owned(),
                namespace_count,
            });
        }
        Ok(())
    }

    fn finish(mut self) -> Outcome<Vec<Element>> {
        match self.open.pop() {
            None => Ok(self.roots),
            Some(open) => Err(Diagnostic::error(
                Code::XmlUnclosed,
                open.element.name_span,
                format!("`<{}>` is never closed", open.tag),
            )
            .label("opened here")
            .help(format!("add `</{}>`", open.tag))
            .into()),
        }
    }
}

pub(super) fn syntax(span: Span, message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(Code::XmlSyntax, span, message)
}

fn outside(span: Span) -> Diagnostic {
    syntax(span, "text outside of any element")
        .help("a connector file begins with an element such as `<Protocol>`")
}

pub(super) fn unclosed(what: &str, span: Span, end: &str) -> Diagnostic {
    Diagnostic::error(
        Code::XmlUnclosed,
        span,
        format!("{what} is not ended by `{end}`"),
    )
    .label("begins here")
}

pub(super) fn too_large(span: Span, message: String) -> Diagnostic {
    Diagnostic::error(Code::TooLarge, span, message).label("one too many")
}
