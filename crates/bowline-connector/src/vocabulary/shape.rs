//! The table as a tree, to find what may stand inside what.

use std::sync::LazyLock;

use super::{
    row::{Chapter, Row},
    table::CHAPTERS,
};

/// An element or attribute with what may stand in it.
#[derive(Debug)]
pub(crate) struct Shape {
    /// Its own name.
    pub(crate) name: &'static str,
    /// Its full path.
    pub(crate) path: String,
    pub(crate) row: &'static Row,
    pub(crate) elements: Vec<Self>,
    pub(crate) attributes: Vec<Self>,
}

impl Shape {
    /// Gives the shape of `Protocol`.
    pub(crate) fn protocol() -> &'static Self {
        &PROTOCOL
    }

    /// Gives what messages call it: a name that stands in many places has the one around it.
    pub(crate) fn called(&self) -> String {
        let mut names = self.path.rsplit(['/', '@']);
        let around = names.nth(1).unwrap_or_default();
        match self.name {
            name if self.path.ends_with(&format!("@{name}")) => format!("`{around}@{name}`"),
            name @ ("DefaultValue" | "Disabled" | "Value") => format!("`{around}/{name}`"),
            name => format!("`{name}`"),
        }
    }

    /// Finds an element that may stand in this one.
    pub(crate) fn element(&self, name: &str) -> Option<&Self> {
        self.elements.iter().find(|shape| shape.name == name)
    }

    /// Gives an element that the table has in this one.
    pub(crate) fn inner(&self, name: &str) -> &Self {
        let found = self.element(name);
        found.expect("the caller names what the table has")
    }

    /// Finds an attribute that may stand at this element.
    pub(crate) fn attribute(&self, name: &str) -> Option<&Self> {
        self.attributes.iter().find(|shape| shape.name == name)
    }

    /// Finds where an element of a name may stand, anywhere below this one.
    pub(crate) fn find(&self, name: &str) -> Option<&Self> {
        let here = self.element(name);
        here.or_else(|| self.elements.iter().find_map(|inner| inner.find(name)))
    }

    fn new(name: &'static str, path: String, row: &'static Row) -> Self {
        Self {
            name,
            path,
            row,
            elements: Vec::new(),
            attributes: Vec::new(),
        }
    }

    /// Puts the rows of a chapter at their places below this one.
    fn add(&mut self, chapter: &'static Chapter) {
        for row in chapter.rows {
            let (elements, attribute) = row.path.split_once('@').unwrap_or((row.path, ""));
            let base = chapter.base.split('/').skip(1);
            let mut names: Vec<&'static str> = base.chain(elements.split('/')).collect();
            names.retain(|name| !name.is_empty());
            if attribute.is_empty() {
                let name = names.pop().unwrap_or_default();
                let place = self.descend(&names);
                let path = format!("{}/{name}", place.path);
                place.elements.push(Self::new(name, path, row));
            } else {
                let place = self.descend(&names);
                let path = format!("{}@{attribute}", place.path);
                place.attributes.push(Self::new(attribute, path, row));
            }
        }
    }

    fn descend(&mut self, names: &[&str]) -> &mut Self {
        let mut place = self;
        for name in names {
            let at = place.elements.iter().position(|shape| shape.name == *name);
            let at = at.expect("the table has the row of an element before those inside it");
            place = &mut place.elements[at];
        }
        place
    }
}

static PROTOCOL: LazyLock<Shape> = LazyLock::new(|| {
    let mut chapters = CHAPTERS.iter().flat_map(|part| part.iter());
    let first = chapters.next().and_then(|chapter| chapter.rows.first());
    let row = first.expect("the table begins with the connector");
    let mut root = Shape::new(row.path, row.path.to_owned(), row);
    for chapter in chapters {
        root.add(chapter);
    }
    root
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::row::{Kind, Support};

    fn walk(shape: &Shape, see: &mut impl FnMut(&Shape)) {
        see(shape);
        for inner in shape.attributes.iter().chain(&shape.elements) {
            walk(inner, see);
        }
    }

    #[test]
    fn every_row_stands_once_and_says_what_it_means() {
        let mut paths = Vec::new();
        walk(Shape::protocol(), &mut |shape| {
            paths.push(shape.path.clone());
            let meaning = shape.row.meaning;
            assert!(
                !meaning.is_empty() && !meaning.ends_with('.'),
                "{}",
                shape.path
            );
        });
        let rows = CHAPTERS.iter().flat_map(|part| part.iter());
        assert_eq!(
            paths.len(),
            rows.map(|chapter| chapter.rows.len()).sum::<usize>()
        );
        paths.sort_unstable();
        for pair in paths.windows(2) {
            assert_ne!(pair[0], pair[1]);
        }
    }

    #[test]
    fn nothing_stands_inside_what_is_not_looked_into() {
        walk(Shape::protocol(), &mut |shape| {
            let is_leaf = shape.elements.is_empty() && shape.attributes.is_empty();
            assert!(
                shape.row.support == Support::Supported || is_leaf,
                "{}",
                shape.path
            );
            if !matches!(shape.row.kind, Kind::Elements | Kind::Verbatim) {
                assert!(shape.elements.is_empty(), "{}", shape.path);
            }
        });
    }
}
