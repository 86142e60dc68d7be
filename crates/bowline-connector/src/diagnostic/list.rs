//! All there is to say about one connector file.

use std::{fmt, sync::Arc};

use serde_json::{Value, json};

use super::{Code, Diagnostic, Renderer, Severity, Source, Span};

/// The diagnostics of one file, with its text, in the order of their places.
#[derive(Clone, Debug)]
pub struct Diagnostics {
    source: Arc<Source>,
    list: Vec<Diagnostic>,
    /// How many were left out, by severity.
    dropped: [usize; 3],
    /// Whether an error may still take the place of something less bad.
    has_lesser: bool,
}

impl Diagnostics {
    /// How many are kept; of the rest only the number is told.
    pub const COUNT_MAX: usize = 500;

    /// Begins an empty list.
    pub fn new(source: Arc<Source>) -> Self {
        Self {
            source,
            list: Vec::new(),
            dropped: [0; 3],
            has_lesser: true,
        }
    }

    /// Gives the file.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// Goes through them, by place.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.list.iter()
    }

    /// Says whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Gives the number of those of a severity, with those that were left out.
    pub fn count(&self, severity: Severity) -> usize {
        let kept = self.list.iter().filter(|one| one.severity == severity);
        kept.count() + self.dropped.get(severity as usize).copied().unwrap_or(0)
    }

    /// Gives the number of those that were left out.
    pub fn dropped(&self) -> usize {
        self.dropped.iter().sum()
    }

    /// Gives them as JSON: file, line, column, byte range, severity, code, slug, message, label,
    /// help and related places.
    pub fn to_json(&self) -> Value {
        let list = self.list.iter().map(|one| self.one_to_json(one));
        json!({
            "file": self.source.name(),
            "errors": self.count(Severity::Error),
            "warnings": self.count(Severity::Warning),
            "notes": self.count(Severity::Note),
            "left_out": self.dropped(),
            "diagnostics": list.collect::<Vec<_>>(),
        })
    }

    /// Adds one. If the list is full, an error takes the place of something less bad.
    pub(crate) fn add(&mut self, diagnostic: Diagnostic) {
        let mut left_out = diagnostic;
        if self.list.len() < Self::COUNT_MAX {
            self.list.push(left_out);
            return;
        }
        if left_out.severity == Severity::Error && self.has_lesser {
            let kept = self.list.iter_mut().rev();
            let lesser = kept.max_by_key(|one| one.severity);
            match lesser.filter(|one| one.severity > Severity::Error) {
                Some(lesser) => std::mem::swap(lesser, &mut left_out),
                None => self.has_lesser = false,
            }
        }
        if let Some(count) = self.dropped.get_mut(left_out.severity as usize) {
            *count += 1;
        }
    }

    /// Says whether more are only counted, so that what costs time may be left out of them.
    pub(crate) const fn is_full(&self) -> bool {
        self.list.len() >= Self::COUNT_MAX
    }

    /// Finds one by its rule and place.
    pub(crate) fn find_mut(&mut self, code: Code, span: Span) -> Option<&mut Diagnostic> {
        let mut all = self.list.iter_mut();
        all.find(|one| one.code == code && one.span == span)
    }

    /// Sorts by place; what is said of one place keeps its order.
    pub(crate) fn sort(&mut self) {
        self.list.sort_by_key(|one| (one.span.start, one.severity));
    }

    fn one_to_json(&self, one: &Diagnostic) -> Value {
        let related = one.related.iter().map(|other| {
            let mut place = self.place_to_json(other.span);
            if let Value::Object(place) = &mut place {
                place.insert("label".to_owned(), json!(other.label));
            }
            place
        });
        let mut object = json!({
            "severity": one.severity.word(),
            "code": one.code.to_string(),
            "slug": one.code.slug(),
            "message": one.message,
            "label": one.label,
            "help": one.help,
            "related": related.collect::<Vec<_>>(),
        });
        if let (Value::Object(object), Value::Object(place)) =
            (&mut object, self.place_to_json(one.span))
        {
            object.extend(place);
        }
        object
    }

    fn place_to_json(&self, span: Span) -> Value {
        let position = self.source.position(span.start);
        json!({
            "line": position.line,
            "column": position.column,
            "start": span.start,
            "end": span.end,
        })
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// All of them as text without colours.
impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Renderer::plain().render_all(self))
    }
}
