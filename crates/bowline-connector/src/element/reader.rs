//! Reads tables of TOML: every key is asked for once, and what nobody asks for is refused.

use std::{borrow::Cow, collections::BTreeMap, ops::Range, time::Duration};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    duration,
    problem::{Problem, Source},
};

/// What is known about a file while it is read.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) source: Source,
    pub(super) problems: Vec<Problem>,
    /// Where things stand, by their full name, such as `links.1.port`.
    pub(super) places: BTreeMap<String, Range<usize>>,
}

/// One table, and the keys that were asked for.
pub(super) struct Section<'t> {
    name: String,
    pub(super) place: Range<usize>,
    table: &'t DeTable<'t>,
    known: Vec<&'static str>,
}

type Item<'t> = &'t Spanned<DeValue<'t>>;

impl Reader {
    pub(super) fn error(&mut self, at: Range<usize>, message: impl Into<String>, help: &str) {
        let problem = self.source.error(at, message.into(), help);
        self.problems.push(problem);
    }

    /// Takes a value that ought to be a table.
    pub(super) fn section<'t>(&mut self, name: String, item: Item<'t>) -> Option<Section<'t>> {
        if let Some(table) = item.get_ref().as_table() {
            return Some(Section::new(name, item.span(), table));
        }
        let message = format!("{name} is {}, not a table", item.get_ref().type_str());
        let help = format!("write [{name}] above its settings");
        self.error(item.span(), message, &help);
        None
    }

    /// Takes the number a key stands for.
    pub(super) fn number_of_key(&mut self, key: &Spanned<Cow<'_, str>>, what: &str) -> Option<u32> {
        let number = key.get_ref().parse();
        if number.is_err() {
            let message = format!("{} is not the number of a {what}", key.get_ref());
            self.error(
                key.span(),
                message,
                &format!("use the id the {what} has in the connector"),
            );
        }
        number.ok()
    }
}

impl<'t> Section<'t> {
    pub(super) const fn new(name: String, place: Range<usize>, table: &'t DeTable<'t>) -> Self {
        Self {
            name,
            place,
            table,
            known: Vec::new(),
        }
    }

    /// Gives the full name of a key.
    pub(super) fn name_of(&self, key: &str) -> String {
        if self.name.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.name)
        }
    }

    /// Goes through all keys, which all are known then.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'t Spanned<Cow<'t, str>>, Item<'t>)> {
        self.table.iter()
    }

    /// Takes a value of any kind.
    pub(super) fn item(&mut self, reader: &mut Reader, key: &'static str) -> Option<Item<'t>> {
        self.known.push(key);
        let item = self.table.get(key)?;
        reader.places.insert(self.name_of(key), item.span());
        Some(item)
    }

    pub(super) fn text(&mut self, reader: &mut Reader, key: &'static str) -> Option<String> {
        let item = self.item(reader, key)?;
        let text = item.get_ref().as_str();
        if text.is_none() {
            self.misfit(reader, key, item, "text in quotes");
        }
        text.map(str::to_owned)
    }

    pub(super) fn texts(&mut self, reader: &mut Reader, key: &'static str) -> Vec<String> {
        let Some(item) = self.item(reader, key) else {
            return Vec::new();
        };
        let Some(items) = item.get_ref().as_array() else {
            self.misfit(reader, key, item, "a list of texts");
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in items {
            match item.get_ref().as_str() {
                Some(text) => texts.push(text.to_owned()),
                None => self.misfit(reader, key, item, "a list of texts"),
            }
        }
        texts
    }

    pub(super) fn flag(&mut self, reader: &mut Reader, key: &'static str) -> Option<bool> {
        let item = self.item(reader, key)?;
        let flag = item.get_ref().as_bool();
        if flag.is_none() {
            self.misfit(reader, key, item, "true or false");
        }
        flag
    }

    pub(super) fn integer(
        &mut self,
        reader: &mut Reader,
        key: &'static str,
        (least, most): (u32, u32),
    ) -> Option<u32> {
        let item = self.item(reader, key)?;
        let Some(integer) = item.get_ref().as_integer() else {
            self.misfit(reader, key, item, "a whole number");
            return None;
        };
        let number = u32::from_str_radix(integer.as_str(), integer.radix()).ok();
        let number = number.filter(|number| (least..=most).contains(number));
        if number.is_none() {
            let message = format!("{} is out of range", self.name_of(key));
            reader.error(
                item.span(),
                message,
                &format!("give a number from {least} to {most}"),
            );
        }
        number
    }

    pub(super) fn duration(
        &mut self,
        reader: &mut Reader,
        key: &'static str,
        (least, most): (Duration, Duration),
    ) -> Option<Duration> {
        let item = self.item(reader, key)?;
        let duration = item.get_ref().as_str().and_then(duration::parse);
        let in_range = duration.filter(|duration| (least..=most).contains(duration));
        if in_range.is_none() {
            let message = match duration {
                Some(_) => format!("{} is out of range", self.name_of(key)),
                None => format!("{} is not a time", self.name_of(key)),
            };
            let help = format!(
                "give a text such as \"5s\", \"250ms\" or \"2min\", from {} to {}",
                duration::show(least),
                duration::show(most)
            );
            reader.error(item.span(), message, &help);
        }
        in_range
    }

    /// Refuses every key that nobody asked for.
    pub(super) fn finish(self, reader: &mut Reader) {
        for (key, _) in self.table {
            let name = key.get_ref();
            if self.known.iter().any(|known| known == name) {
                continue;
            }
            let help = match nearest(name, &self.known) {
                Some(known) => format!("did you mean {known}?"),
                None => format!("known here: {}", self.known.join(", ")),
            };
            let message = format!("{} is not a setting", self.name_of(name));
            reader.error(key.span(), message, &help);
        }
    }

    fn misfit(&self, reader: &mut Reader, key: &str, item: Item<'_>, wanted: &str) {
        let message = format!("{} is {}", self.name_of(key), item.get_ref().type_str());
        reader.error(item.span(), message, &format!("give {wanted}"));
    }
}

/// Finds the known name that was probably meant.
fn nearest(name: &str, known: &[&'static str]) -> Option<&'static str> {
    let distances = known.iter().map(|known| (distance(name, known), *known));
    let (distance, known) = distances.min()?;
    (distance * 2 <= name.chars().count().max(known.len())).then_some(known)
}

/// Counts the edits between two names, upper and lower case being the same.
fn distance(one: &str, other: &str) -> usize {
    let (one, other) = (one.to_ascii_lowercase(), other.to_ascii_lowercase());
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, here) in one.chars().take(NAME_MAX).enumerate() {
        let mut diagonal = line;
        let mut left = line + 1;
        for (cell, there) in row.iter_mut().skip(1).zip(&other) {
            let above = *cell;
            let swapped = diagonal + usize::from(here != *there);
            diagonal = above;
            left = swapped.min(above + 1).min(left + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = line + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

/// Longer names are compared by their beginning.
const NAME_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested_if_it_is_near() {
        let known = ["endpoints", "port", "proxy"];
        assert_eq!(nearest("endpoint", &known), Some("endpoints"));
        assert_eq!(nearest("Prot", &known), Some("port"));
        assert_eq!(nearest("PORT", &known), Some("port"));
        assert_eq!(nearest("prox", &known), Some("proxy"));
        assert_eq!(nearest("something", &known), None);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
