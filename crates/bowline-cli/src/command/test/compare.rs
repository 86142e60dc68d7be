//! What came out, compared with a record.

use std::collections::BTreeMap;

use bowline_connector::{Plan, plan::ParameterId};

use super::alike::Alike;
use crate::{
    command::hex,
    conversation::element::{Kind, Line, Record},
    elements::shown,
    exit::printable,
};

/// What came of a comparison.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    /// In the order of the record.
    pub(super) differences: Vec<Difference>,
    messages: u64,
    values: u64,
    /// From when on a record that was cut off does not say everything.
    cut_off: Option<f64>,
}

/// Something that is not as recorded.
#[derive(Debug)]
pub(super) struct Difference {
    /// The line in the record: that of what was expected, or the one before what came.
    pub(super) line: u64,
    pub(super) expected: Option<Line>,
    pub(super) got: Option<Line>,
}

type Numbered<'l> = (u64, &'l Line);

impl Comparison {
    /// Compares what went out on each link, and the values at the end.
    pub(super) fn of(record: &Record, played: &[Line], alike: &Alike<'_>) -> Self {
        let mut comparison = Self {
            cut_off: cut_off(record),
            ..Self::default()
        };
        let mut expected: BTreeMap<u32, Vec<Numbered<'_>>> = BTreeMap::new();
        let mut values: BTreeMap<u32, (Option<Numbered<'_>>, Option<&Line>)> = BTreeMap::new();
        for (number, line) in &record.lines {
            match (line.is_output(), line.link, line.parameter) {
                (true, Some(link), _) => expected.entry(link).or_default().push((*number, line)),
                (true, None, Some(parameter)) => {
                    values.entry(parameter).or_default().0 = Some((*number, line));
                }
                (_, _, _) => {}
            }
        }
        let mut got: BTreeMap<u32, Vec<&Line>> = BTreeMap::new();
        for line in played {
            match (line.link, line.parameter) {
                (Some(link), _) => got.entry(link).or_default().push(line),
                (None, Some(parameter)) => values.entry(parameter).or_default().1 = Some(line),
                (None, None) => {}
            }
        }
        let links: Vec<u32> = expected.keys().chain(got.keys()).copied().collect();
        for link in links {
            let expected = expected.remove(&link).unwrap_or_default();
            let got = got.remove(&link).unwrap_or_default();
            comparison.compare_link(&expected, &got, alike);
        }
        for (expected, got) in values.into_values() {
            comparison.compare_value((expected, got), record, alike);
        }
        let key = |difference: &Difference| (difference.line, difference.got.is_some());
        comparison.differences.sort_by_key(key);
        comparison
    }

    /// Tells how much was as recorded.
    pub(super) fn alike_told(&self) -> String {
        format!("{} messages and {} values", self.messages, self.values)
    }

    /// Goes through what was recorded and what came side by side; after a difference it looks for the
    /// next place where they are alike.
    fn compare_link(&mut self, expected: &[Numbered<'_>], got: &[&Line], alike: &Alike<'_>) {
        let wanted: Vec<Line> = expected.iter().map(|(_, line)| alike.key(line)).collect();
        let came: Vec<Line> = got.iter().map(|line| alike.key(line)).collect();
        let (mut at_wanted, mut at_came) = (0, 0);
        while at_wanted < wanted.len() || at_came < came.len() {
            let rest_wanted = wanted.get(at_wanted..).unwrap_or_default();
            let rest_came = came.get(at_came..).unwrap_or_default();
            let (missing, added) = resync(rest_wanted, rest_came);
            if (missing, added) == (0, 0) {
                self.messages += 1;
                at_wanted += 1;
                at_came += 1;
                continue;
            }
            let last = at_wanted.saturating_sub(1);
            let last = expected.get(last).map_or(1, |(number, _)| *number);
            for index in 0..missing.max(added) {
                let wanted = expected.get(at_wanted + index).filter(|_| index < missing);
                let came = got.get(at_came + index).filter(|_| index < added);
                if wanted.is_none() && came.is_some_and(|line| self.is_unsaid(line)) {
                    continue;
                }
                self.differences.push(Difference {
                    line: wanted.map_or(last, |(number, _)| *number),
                    expected: wanted.map(|(_, line)| (*line).clone()),
                    got: came.map(|line| (*line).clone()),
                });
            }
            at_wanted += missing;
            at_came += added;
        }
    }

    fn compare_value(
        &mut self,
        (expected, got): (Option<Numbered<'_>>, Option<&Line>),
        record: &Record,
        alike: &Alike<'_>,
    ) {
        let wanted = expected.map(|(_, line)| alike.key(line).value);
        let came = got.map(|line| alike.key(line).value);
        let is_unsaid = got.is_some_and(|line| self.is_unsaid(line));
        if is_unsaid || wanted.flatten() == came.flatten() {
            self.values += 1;
            return;
        }
        let end = record.lines.last().map_or(1, |(number, _)| *number);
        self.differences.push(Difference {
            line: expected.map_or(end, |(number, _)| number),
            expected: expected.map(|(_, line)| line.clone()),
            got: got.cloned(),
        });
    }
}

impl Comparison {
    /// Says whether the record ends before it could say this.
    fn is_unsaid(&self, got: &Line) -> bool {
        self.cut_off.is_some_and(|cut_off| got.t >= cut_off)
    }
}

/// Gives the time of the last input of a record that has no end.
fn cut_off(record: &Record) -> Option<f64> {
    let mut lines = record.lines.iter().rev().map(|(_, line)| line);
    let last = lines.find(|line| !line.is_output() || line.kind == Kind::Attempt)?;
    (last.kind != Kind::End).then_some(last.t)
}

impl Difference {
    /// Says what it is about, and when.
    pub(super) fn about(&self, plan: &Plan) -> String {
        let line = self.expected.as_ref().or(self.got.as_ref());
        let Some(line) = line else {
            return String::new();
        };
        let what = match (line.link, line.parameter) {
            (Some(number), _) => format!("connection {number}"),
            (None, Some(parameter)) => {
                let name = shown::Shown(plan).name(ParameterId(parameter));
                format!("parameter {parameter} ({name}) at the end")
            }
            (None, None) => String::new(),
        };
        let how = match (&self.expected, &self.got) {
            (Some(_), Some(_)) => "is different",
            (Some(_), None) => "is missing",
            (None, _) => "is new",
        };
        format!("{:.3} s, {what}: {how}", line.t)
    }
}

/// Shows a line.
pub(super) fn shown(line: &Line) -> String {
    let told = match line.kind {
        Kind::Text => format!("text {}", line.data.as_deref().unwrap_or_default()),
        Kind::Binary => format!("binary {}", bytes(line)),
        Kind::Attempt => match (&line.url, &line.error) {
            (Some(url), _) => {
                let headers = line.headers.iter().flatten();
                let headers: Vec<_> = headers
                    .map(|(name, value)| format!("{name}: {value}"))
                    .collect();
                format!("attempt {url} {}", headers.join(", "))
            }
            (None, error) => format!("attempt {}", error.as_deref().unwrap_or_default()),
        },
        Kind::Value
        | Kind::Open
        | Kind::Failed
        | Kind::Close
        | Kind::Set
        | Kind::Assign
        | Kind::Fire
        | Kind::Reconnect
        | Kind::Tick
        | Kind::End => match &line.value {
            Some(value) => value.to_string(),
            None => "empty".to_owned(),
        },
    };
    cut(printable(told.trim_end()))
}

fn bytes(line: &Line) -> String {
    use base64::{Engine, prelude::BASE64_STANDARD};
    let data = line.data.as_deref().unwrap_or_default();
    BASE64_STANDARD
        .decode(data)
        .map_or_else(|_| data.to_owned(), |data| hex(&data))
}

fn cut(text: String) -> String {
    if text.chars().count() <= SHOWN_MAX {
        return text;
    }
    let start: String = text.chars().take(SHOWN_MAX).collect();
    format!("{start}... ({} characters)", text.chars().count())
}

/// Finds the nearest place where both go on alike: how much to leave out on either side.
fn resync(wanted: &[Line], came: &[Line]) -> (usize, usize) {
    let most = wanted.len() + came.len();
    for sum in 0..most.min(RESYNC_MAX) {
        // What is changed is more likely than what is left out: begin with equal parts.
        let mut pairs: Vec<_> = (0..=sum).map(|missing| (missing, sum - missing)).collect();
        pairs.sort_by_key(|(missing, added)| missing.abs_diff(*added));
        for (missing, added) in pairs {
            if let (Some(one), Some(other)) = (wanted.get(missing), came.get(added))
                && one == other
            {
                return (missing, added);
            }
        }
    }
    if most < RESYNC_MAX {
        return (wanted.len(), came.len());
    }
    (wanted.len().min(1), came.len().min(1))
}

/// How far apart messages that are alike are looked for.
const RESYNC_MAX: usize = 64;
/// Characters that are shown of a message.
const SHOWN_MAX: usize = 300;
