//! What the file says of a silent device.

use std::time::Duration;

use super::Builder;
use crate::{
    plan::{GroupLink, LinkId, SlowPoll},
    vocabulary::Node,
};

impl Builder<'_, '_> {
    /// Takes how long the element may be silent.
    pub(super) fn element_timeout(&mut self) {
        let setting = self.element_setting("TimeoutTimeElement");
        self.plan.timeout = setting.and_then(|node| node.value.time());
    }

    /// Takes the settings of slow polling, which are the main link's, once groups and pairs are
    /// known.
    pub(super) fn slow_poll(&mut self) {
        let setting = |name| self.element_setting(name);
        let Some(after) = setting("SlowPoll").and_then(|node| node.value.number()) else {
            return;
        };
        let is_time = setting("SlowPollBase").and_then(|node| node.value.word()) == Some("time");
        let interval = setting("PingInterval").and_then(|node| node.value.time());
        let main = LinkId(0);
        let mut groups = self.plan.groups.iter();
        let group = groups.find(|(_, group)| group.is_ping && group.link == GroupLink::Fixed(main));
        let ping_group = group.map(|(id, _)| id);
        let ping_pair = self
            .plan
            .pairs
            .iter()
            .find(|(_, pair)| pair.is_ping)
            .map(|(id, _)| id);
        let slow_poll = SlowPoll {
            after_timeouts: if is_time { 0 } else { after },
            after: is_time.then(|| Duration::from_millis(after.into())),
            interval: interval.unwrap_or(PING_INTERVAL_DEFAULT),
            ping_group,
            ping_pair,
        };
        if let Some(link) = self.plan.links.get_mut(main) {
            link.slow_poll = Some(slow_poll);
        }
    }

    /// Finds the default of a setting of the whole element.
    fn element_setting(&self, name: &str) -> Option<&Node<'_>> {
        let options = self.root.descendant(&["ElementOptions", "UserSettings"]);
        let places = [options, self.root.child("PortSettings")];
        let mut found = places
            .into_iter()
            .filter_map(|place| place?.descendant(&[name, "DefaultValue"]));
        found.next()
    }
}

/// How often a silent device is pinged where nothing is said.
const PING_INTERVAL_DEFAULT: Duration = Duration::from_secs(30);
