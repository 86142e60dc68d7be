//! Texts with wildcards: the matcher behind every pattern.

/// A literal, then any number of times a wildcard and a literal.
///
/// A wildcard takes as few characters as the rest allows, the last one what is left. Each literal
/// is looked for once, from where the one before ended: an earlier place leaves more text to what
/// follows, so no other place need be tried and the work is linear in pattern and text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Glob {
    first: Box<str>,
    /// The literal after each wildcard.
    rest: Box<[Box<str>]>,
}

impl Glob {
    /// Takes the literals around the wildcards; one more than there are wildcards.
    pub(super) fn new(first: String, rest: Vec<String>) -> Self {
        Self {
            first: first.into(),
            rest: rest.into_iter().map(String::into_boxed_str).collect(),
        }
    }

    /// Counts the wildcards.
    pub(super) const fn wildcards(&self) -> usize {
        self.rest.len()
    }

    /// Tells whether the whole text matches; `capture` gets what each wildcard took, in order.
    ///
    /// What it got means nothing when the answer is `false`.
    pub(super) fn matches<'t>(&self, text: &'t str, mut capture: impl FnMut(&'t str)) -> bool {
        let Some(mut text) = text.strip_prefix(&*self.first) else {
            return false;
        };
        let Some((last, inner)) = self.rest.split_last() else {
            return text.is_empty();
        };
        for literal in inner {
            let Some((taken, after)) = text.split_once(&**literal) else {
                return false;
            };
            capture(taken);
            text = after;
        }
        match text.strip_suffix(&**last) {
            Some(taken) => {
                capture(taken);
                true
            }
            None => false,
        }
    }

    /// Writes the literals, each by `write`, with `wildcard` between them.
    pub(super) fn fill(&self, wildcard: &str, write: impl Fn(&mut String, &str)) -> String {
        let mut text = String::new();
        write(&mut text, &self.first);
        for literal in &self.rest {
            text.push_str(wildcard);
            write(&mut text, literal);
        }
        text
    }
}
