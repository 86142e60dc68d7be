//! The inside of start tags: attributes and namespaces.

use super::{
    Attribute, Text,
    characters::{check_characters, decode_text, name},
    namespace,
    parser::{Outcome, Parser, syntax, too_large, unclosed},
};
use crate::diagnostic::{Code, Diagnostic, Span};

impl Parser<'_> {
    /// Takes the attributes of a tag as they are written.
    pub(super) fn attributes(&mut self, tag: Span) -> Outcome<Vec<Attribute>> {
        let mut attributes: Vec<Attribute> = Vec::new();
        loop {
            let is_apart = self.skip_blanks();
            let attribute = name(self.rest());
            let name_span = Span::new(self.at, self.at + attribute.len());
            if attribute.is_empty() {
                return Ok(attributes);
            }
            if !is_apart {
                return Err(syntax(name_span, "no blank before an attribute").into());
            }
            if attributes.len() >= self.limits.attribute_count_max {
                let max = self.limits.attribute_count_max;
                return Err(too_large(tag, format!("more than {max} attributes")).into());
            }
            if let Some(first) = attributes.iter().find(|one| one.name == attribute) {
                return Err(syntax(
                    name_span,
                    format!("the attribute `{attribute}` stands twice"),
                )
                .related(first.name_span, "first here")
                .into());
            }
            self.at = name_span.end;
            let value = self.attribute_value(attribute, name_span)?;
            attributes.push(Attribute {
                name: attribute.to_owned(),
                name_span,
                value,
            });
        }
    }

    fn attribute_value(&mut self, attribute: &str, name_span: Span) -> Outcome<Text> {
        self.skip_blanks();
        if !self.skip("=") {
            return Err(syntax(
                name_span,
                format!("the attribute `{attribute}` has no value"),
            )
            .help(format!("write {attribute}=\"...\""))
            .into());
        }
        self.skip_blanks();
        let quote = if self.skip("\"") {
            "\""
        } else if self.skip("'") {
            "'"
        } else {
            return Err(syntax(
                name_span,
                format!("the value of `{attribute}` is not in quotes"),
            )
            .help(format!("write {attribute}=\"...\""))
            .into());
        };
        let start = self.at;
        let Some(raw) = self.until(quote) else {
            return Err(unclosed(&format!("the value of `{attribute}`"), name_span, quote).into());
        };
        if let Some(at) = raw.find('<') {
            let span = Span::new(start + at, start + at + 1);
            return Err(syntax(span, format!("`<` in the value of `{attribute}`"))
                .label("is the closing quote missing?")
                .help("write `&lt;` for the character")
                .into());
        }
        check_characters(raw, start)?;
        let mut value = Text::empty(start);
        decode_text(&mut value, raw, start)?;
        Ok(value)
    }

    /// Declares what is declared and gives the attributes that are the format's.
    pub(super) fn resolve_attributes(
        &mut self,
        written: Vec<Attribute>,
    ) -> Outcome<Vec<Attribute>> {
        let mut kept = Vec::new();
        let mut prefixed = Vec::new();
        for attribute in written {
            let declared = match attribute.name.split_once(':') {
                None if attribute.name == "xmlns" => "",
                Some(("xmlns", prefix)) => prefix,
                Some(_) => {
                    prefixed.push(attribute);
                    continue;
                }
                None => {
                    kept.push(attribute);
                    continue;
                }
            };
            if !self.namespaces.declare(declared, attribute.value.trimmed()) {
                let max = namespace::IN_SCOPE_MAX;
                let span = attribute.name_span;
                return Err(
                    too_large(span, format!("more than {max} namespaces at one place")).into(),
                );
            }
        }
        for attribute in prefixed {
            let prefix = attribute.name.split(':').next().unwrap_or_default();
            if self.namespaces.find(prefix).is_none() {
                return Err(undeclared(prefix, attribute.name_span).into());
            }
        }
        Ok(kept)
    }

    /// Splits a tag name and gives its namespace if it is another one than the format's.
    pub(super) fn resolve_name<'t>(
        &self,
        tag: &'t str,
        span: Span,
    ) -> Outcome<(&'t str, Option<String>)> {
        let (prefix, local) = tag.split_once(':').unwrap_or(("", tag));
        if local.is_empty() || local.contains(':') {
            return Err(syntax(span, format!("`{tag}` is not a name with one prefix")).into());
        }
        match self.namespaces.find(prefix) {
            Some("" | namespace::FORMAT) => Ok((local, None)),
            Some(other) => Ok((local, Some(other.to_owned()))),
            None => Err(undeclared(prefix, span).into()),
        }
    }
}

fn undeclared(prefix: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        Code::XmlNamespace,
        span,
        format!("the prefix `{prefix}` is not declared"),
    )
    .help(format!(
        "add xmlns:{prefix}=\"{}\", or leave the prefix out",
        namespace::FORMAT
    ))
}
