//! Timers.

use std::time::Duration;

use super::{Builder, exchanges::condition_of, own_id};
use crate::{
    diagnostic::{Code, Diagnostic},
    plan::{GroupId, Timer, TimerId, TimerStart, TimerTime},
    vocabulary::{Field, Node, Part, number_in},
};

impl<'d> Builder<'_, 'd> {
    pub(super) fn timers(&mut self) {
        for node in self.parts("Timers", "Timer") {
            let Some(id) = own_id(node).map(TimerId) else {
                continue;
            };
            if let Some(timer) = self.timer(node) {
                let _taken = self.plan.timers.insert(id, timer);
            }
        }
    }

    fn timer(&mut self, node: &Node<'d>) -> Option<Timer> {
        let time = node.child("Time")?;
        let initial = time.attribute("initial");
        let start = initial.map(|field| self.start(field)).unwrap_or_default();
        let pace = match time.value.word() {
            Some(_) => TimerTime::Loop,
            None => TimerTime::Every(time.value.time()?),
        };
        let content = node.child("Content")?;
        if content.children("Group").next().is_none() {
            let diagnostic = Diagnostic::warning(
                Code::EmptyContent,
                content.span(),
                "the timer has no groups",
            );
            self.said
                .add(diagnostic.label("needs `<Group>` with the id of a group"));
        }
        let groups = content
            .children("Group")
            .filter_map(|node| self.id_in(node, Part::Group));
        let interval = node
            .child("Interval")
            .and_then(|interval| interval.value.time());
        Some(Timer {
            name: node.words_of("Name"),
            time: pace,
            start,
            interval: interval.unwrap_or_default(),
            condition: condition_of(node),
            groups: groups.map(GroupId).collect(),
        })
    }

    fn start(&mut self, field: &Field<'d>) -> TimerStart {
        let text = field.text();
        if text.eq_ignore_ascii_case("true") {
            return TimerStart::AtOnce;
        }
        if text.eq_ignore_ascii_case("false") {
            return TimerStart::Stopped;
        }
        let seconds = text.strip_prefix("random=").and_then(|range| {
            let (least, most) = range.split_once(':')?;
            let least = number_in(least.trim(), 0, RANDOM_MAX)?;
            let most = number_in(most.trim(), least, RANDOM_MAX)?;
            Some((least, most))
        });
        if let Some((least, most)) = seconds {
            let time = |seconds: u32| Duration::from_secs(seconds.into());
            return TimerStart::Random(time(least), time(most));
        }
        let message = format!("a timer cannot begin at `{text}`");
        self.said.add(
            Diagnostic::error(Code::UnknownWord, field.span(), message)
                .help("write `true`, `false`, or `random=0:300`, in seconds"),
        );
        TimerStart::AtOnce
    }
}

/// Longest random start, in seconds: 24 days.
const RANDOM_MAX: u32 = 2_073_600;
