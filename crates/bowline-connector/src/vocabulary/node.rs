//! Elements that the table knows, with their values read.

use super::{Value, shape::Shape};
use crate::{
    diagnostic::Span,
    document::{Attribute, Element, Text},
};

/// An element the table knows. What is unknown, ignored or not readable is not in it.
#[derive(Debug)]
pub(crate) struct Node<'d> {
    pub(crate) shape: &'static Shape,
    /// The element; `None` of one that stands around excerpts only in thought.
    pub(crate) element: Option<&'d Element>,
    pub(crate) value: Value,
    pub(crate) attributes: Vec<Field<'d>>,
    pub(crate) children: Vec<Self>,
}

/// An attribute the table knows.
#[derive(Debug)]
pub(crate) struct Field<'d> {
    pub(crate) shape: &'static Shape,
    pub(crate) attribute: &'d Attribute,
    pub(crate) value: Value,
}

impl<'d> Node<'d> {
    /// Gives where the element is named.
    pub(crate) fn span(&self) -> Span {
        self.element
            .map_or_else(Span::default, |element| element.name_span)
    }

    /// Gives the text within.
    pub(crate) fn text(&self) -> Option<&'d Text> {
        self.element.map(|element| &element.text)
    }

    /// Gives where the value stands, or the element if there is none.
    pub(crate) fn value_span(&self) -> Span {
        match self.text() {
            Some(text) if !text.is_blank() => text.span(),
            Some(_) | None => self.span(),
        }
    }

    /// Finds an element within.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.shape.name == name)
    }

    /// Finds the elements of a name within.
    pub(crate) fn children<'n>(&'n self, name: &'n str) -> impl Iterator<Item = &'n Self> {
        self.children
            .iter()
            .filter(move |child| child.shape.name == name)
    }

    /// Finds an element by the names down to it.
    pub(crate) fn descendant(&self, path: &[&str]) -> Option<&Self> {
        let mut node = self;
        for name in path {
            node = node.child(name)?;
        }
        Some(node)
    }

    /// Finds an attribute.
    pub(crate) fn attribute(&self, name: &str) -> Option<&Field<'d>> {
        self.attributes
            .iter()
            .find(|field| field.shape.name == name)
    }

    /// Gives the text of an element within; empty if there is none.
    pub(crate) fn words_of(&self, name: &str) -> String {
        let text = self.child(name).and_then(Self::text);
        text.map(|text| text.trimmed().to_owned())
            .unwrap_or_default()
    }

    /// Gives the value of an attribute that is `true` or `false`.
    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        self.attribute(name)?.value.boolean()
    }
}

impl Field<'_> {
    /// Gives where the value stands, or the attribute if there is none.
    pub(crate) fn span(&self) -> Span {
        if self.attribute.value.is_blank() {
            self.attribute.name_span
        } else {
            self.attribute.value.span()
        }
    }

    /// Gives the text without blanks around it.
    pub(crate) fn text(&self) -> &str {
        self.attribute.value.trimmed()
    }
}
