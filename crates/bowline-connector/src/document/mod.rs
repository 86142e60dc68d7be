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
