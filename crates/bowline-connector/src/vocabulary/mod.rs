//! What the connector format can say: one table of every element and attribute.
//!
//! The reader takes names, kinds of values, words and references from the table, and so does the
//! [reference page](reference_page), so nothing is said twice.

mod check;
mod node;
mod page;
mod row;
mod shape;
mod suggest;
mod table;
mod value;

pub use page::reference_page;

pub(crate) use check::check;
pub(crate) use node::{Field, Node};
pub(crate) use row::{Kind, PARAMETER_ID_MAX, Part};
pub(crate) use suggest::nearest;
pub(crate) use table::LENGTH_MAX;
pub(crate) use value::{Value, number_in};

/// Gives the words of an element that Bowline follows.
#[cfg(test)]
pub(crate) fn followed_words(path: &[&str]) -> Vec<&'static str> {
    let shape = path
        .iter()
        .fold(shape::Shape::protocol(), |shape, name| shape.inner(name));
    let Kind::Words(words) = shape.row.kind else {
        return Vec::new();
    };
    let followed = words
        .iter()
        .filter(|word| word.support == row::Support::Supported);
    followed.map(|word| word.text).collect()
}
