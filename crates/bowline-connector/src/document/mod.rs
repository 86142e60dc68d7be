//! A connector file as elements and attributes, each with its place in the text.
//!
//! The reader is our own because it has to give what libraries do not give together: the place of
//! every piece of a text, also across CDATA and references; several elements in a row without one
//! around them, as in excerpts of connectors; one bound for each thing a file can have many of;
//! and linear time. It knows the XML that connectors are written in, without document types: no
//! entity is ever expanded. A test compares what it lets in with another reader.

mod characters;
mod encoding;
mod namespace;
mod parser;
mod tag;
mod text;

pub(crate) use encoding::decode;
pub(crate) use text::Text;

use crate::diagnostic::{Diagnostic, Source, Span};

/// A connector file as a tree.
#[derive(Debug, Default)]
pub(crate) struct Document {
    /// The outermost elements; a whole connector has one.
    pub(crate) roots: Vec<Element>,
}

/// An element.
#[derive(Debug)]
pub(crate) struct Element {
    /// The name without its prefix.
    pub(crate) name: String,
    /// Where the name stands in the start tag, with its prefix.
    pub(crate) name_span: Span,
    /// The namespace, if it is not the connector format's and not none.
    pub(crate) foreign: Option<String>,
    /// The attributes; declarations of namespaces and attributes with a prefix are not here.
    pub(crate) attributes: Vec<Attribute>,
    /// The elements within.
    pub(crate) children: Vec<Self>,
    /// The text within, without that of the elements within.
    pub(crate) text: Text,
    /// Where the element ends.
    pub(crate) end: usize,
}

/// An attribute.
#[derive(Debug)]
pub(crate) struct Attribute {
    /// The name.
    pub(crate) name: String,
    /// Where the name stands.
    pub(crate) name_span: Span,
    /// The value.
    pub(crate) value: Text,
}

/// Bounds of a connector file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadLimits {
    /// Most bytes. Default 16 MiB.
    pub size_max: usize,
    /// Most elements inside each other. Default 64.
    pub depth_max: usize,
    /// Most elements. Default 200,000.
    pub element_count_max: usize,
    /// Most attributes of one element. Default 256.
    pub attribute_count_max: usize,
}

impl Default for ReadLimits {
    fn default() -> Self {
        Self {
            size_max: 16 << 20,
            depth_max: 64,
            element_count_max: 200_000,
            attribute_count_max: 256,
        }
    }
}

impl Document {
    /// Reads a text.
    ///
    /// # Errors
    /// What is wrong first.
    pub(crate) fn parse(source: &Source, limits: &ReadLimits) -> Result<Self, Box<Diagnostic>> {
        parser::parse(source.text(), limits).map(|roots| Self { roots })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Gives elements as a reader sees them: name, attributes and text, in order.
    fn seen(text: &str) -> Option<Vec<String>> {
        fn add(element: &Element, out: &mut Vec<String>) {
            let attributes = element.attributes.iter();
            let attributes = attributes.map(|one| (one.name.as_str(), one.value.as_str()));
            let attributes: Vec<_> = attributes.collect();
            out.push(format!(
                "{} {attributes:?} {:?}",
                element.name,
                element.text.as_str()
            ));
            for child in &element.children {
                add(child, out);
            }
        }
        let document = Document::parse(&Source::new("a", text), &ReadLimits::default()).ok()?;
        let mut out = Vec::new();
        for root in &document.roots {
            add(root, &mut out);
        }
        Some(out)
    }

    /// The same by another reader of XML.
    fn seen_by_other(text: &str) -> Option<Vec<String>> {
        let document = roxmltree::Document::parse(text).ok()?;
        let elements = document.descendants().filter(roxmltree::Node::is_element);
        let elements = elements.map(|element| {
            let attributes: Vec<_> = element
                .attributes()
                .map(|one| (one.name(), one.value()))
                .collect();
            let texts = element
                .children()
                .filter_map(|child| child.text().filter(|_| child.is_text()));
            let text: String = texts.collect();
            format!("{} {attributes:?} {text:?}", element.tag_name().name())
        });
        Some(elements.collect())
    }

    fn piece() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec![
            "<a>",
            "</a>",
            "<b x='1'>",
            "</b>",
            "<c/>",
            "<d y=\"&lt;&#x41;\" z=''/>",
            "</d >",
            "<n xmlns='http://www.skyline.be/protocol'/>",
            "<p:q xmlns:p='urn:p'/>",
            "<e",
            "/>",
            ">",
            "<",
            " x='2'",
            " w = \"'\"",
            "text",
            " ",
            "\n",
            "&lt;",
            "&#65;",
            "&amp;",
            "&",
            "&no;",
            "&#0;",
            "&#xD;",
            "<![CDATA[",
            "]]>",
            "<![CDATA[<c>&amp;]]>",
            "<!-- c -->",
            "<!--",
            "--",
            "-->",
            "<?pi x?>",
            "<?pi ",
            "?>",
            "<?xml version='1.0'?>",
            "<!DOCTYPE a>",
            "\u{e9}",
            "\u{1f6a2}",
            "\u{1}",
            "\u{fffe}",
            ":",
            "'",
            "\"",
            "=",
        ])
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn another_reader_of_xml_sees_the_same(pieces in prop::collection::vec(piece(), 0..12)) {
            let text = format!("<r>{}</r>", pieces.concat());
            prop_assert_eq!(seen(&text), seen_by_other(&text), "{}", text);
        }
    }
}
