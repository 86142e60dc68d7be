//! Which lines are alike.

use std::borrow::Cow;

use regex::Regex;
use serde_json::Value as Json;

use crate::conversation::element::Line;

/// Says which lines are alike: same in all but time, and in what is to be ignored.
#[derive(Clone, Copy, Debug)]
pub(super) struct Alike<'p> {
    ignored: &'p [Regex],
}

impl<'p> Alike<'p> {
    pub(super) const fn new(ignored: &'p [Regex]) -> Self {
        Self { ignored }
    }

    /// Gives what of a line counts.
    pub(super) fn key(self, line: &Line) -> Line {
        let mut key = line.clone();
        key.t = 0.0;
        key.sent = None;
        key.data = key.data.as_deref().map(|data| self.without(data));
        key.url = key.url.as_deref().map(|url| self.without(url));
        for (_, header) in key.headers.iter_mut().flatten() {
            *header = self.without(header);
        }
        if let Some(Json::String(text)) = &mut key.value {
            *text = self.without(text);
        }
        // 1 and 1.0 are one number.
        if let Some(number) = key.value.as_ref().and_then(Json::as_f64) {
            key.value = Some(number.into());
        }
        key
    }

    fn without(self, text: &str) -> String {
        let mut text = Cow::Borrowed(text);
        for ignored in self.ignored {
            if let Cow::Owned(replaced) = ignored.replace_all(&text, IGNORED) {
                text = Cow::Owned(replaced);
            }
        }
        text.into_owned()
    }
}

/// Stands for what is ignored; nothing else is like it.
const IGNORED: &str = "\u{0}";
