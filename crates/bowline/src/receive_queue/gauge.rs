//! How much waits, and which marks that has crossed.

use super::ReceiveLimits;

/// Says how full a queue of received messages is, see [`ReceiveLimits`](super::ReceiveLimits).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReceiveLevel {
    /// The first mark is not reached.
    #[default]
    Low,
    /// The first mark was reached; there was not less since.
    Warned,
    /// The second mark was reached; nothing more is read until there is less than the first.
    Stopped,
}

/// Says what waits in a queue of received messages, and what it came to so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// The messages that wait.
    pub messages: usize,
    /// Their payload in bytes.
    pub bytes: usize,
    /// How full the queue is.
    pub level: ReceiveLevel,
    /// How often the first mark was crossed upwards.
    pub warnings: u64,
    /// How often the second mark was crossed upwards, and reading stopped.
    pub stops: u64,
}

/// Counts what waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gauge {
    limits: ReceiveLimits,
    waiting: Waiting,
}

/// Tells that marks were crossed upwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Crossed {
    pub(crate) warns: bool,
    pub(crate) stops: bool,
    /// Whether this mark was never crossed before.
    pub(crate) is_first: bool,
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
}

impl Gauge {
    pub(crate) fn new(limits: ReceiveLimits) -> Self {
        Self {
            limits,
            waiting: Waiting::default(),
        }
    }

    pub(crate) const fn waiting(&self) -> Waiting {
        self.waiting
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.waiting.level == ReceiveLevel::Stopped
    }

    /// Counts a message in; tells if that crosses a mark.
    pub(crate) fn add(&mut self, len: usize) -> Option<Crossed> {
        let waiting = &mut self.waiting;
        waiting.messages += 1;
        waiting.bytes += len;
        let before = waiting.level;
        waiting.level = before.max(reached(&self.limits, waiting));
        if waiting.level == before {
            return None;
        }
        let warns = before == ReceiveLevel::Low;
        let stops = waiting.level == ReceiveLevel::Stopped;
        let crossed = Crossed {
            warns,
            stops,
            is_first: (warns && waiting.warnings == 0) || (stops && waiting.stops == 0),
            messages: waiting.messages,
            bytes: waiting.bytes,
        };
        waiting.warnings += u64::from(crossed.warns);
        waiting.stops += u64::from(crossed.stops);
        Some(crossed)
    }

    /// Counts a message out.
    pub(crate) fn remove(&mut self, len: usize) {
        let waiting = &mut self.waiting;
        debug_assert!(waiting.messages > 0 && waiting.bytes >= len, "it was added");
        waiting.messages -= 1;
        waiting.bytes -= len;
        if reached(&self.limits, waiting) == ReceiveLevel::Low {
            waiting.level = ReceiveLevel::Low;
        }
    }

    /// Counts everything out.
    pub(crate) fn clear(&mut self) {
        let waiting = &mut self.waiting;
        waiting.messages = 0;
        waiting.bytes = 0;
        waiting.level = ReceiveLevel::Low;
    }
}

fn reached(limits: &ReceiveLimits, waiting: &Waiting) -> ReceiveLevel {
    let Waiting {
        messages, bytes, ..
    } = *waiting;
    if limits.stop.is_reached(messages, bytes) {
        ReceiveLevel::Stopped
    } else if limits.warn.is_reached(messages, bytes) {
        ReceiveLevel::Warned
    } else {
        ReceiveLevel::Low
    }
}

#[cfg(test)]
mod tests {
    use super::{super::ReceiveMark, *};

    fn gauge(warn: usize, stop: usize) -> Gauge {
        let mark = |messages| ReceiveMark {
            messages,
            bytes: messages * 10,
        };
        Gauge::new(ReceiveLimits {
            warn: mark(warn),
            stop: mark(stop),
        })
    }

    fn crossed(gauge: &mut Gauge, len: usize) -> Option<(bool, bool)> {
        gauge.add(len).map(|crossed| (crossed.warns, crossed.stops))
    }

    #[test]
    fn each_mark_is_crossed_once_until_there_is_less_than_the_first() {
        let mut gauge = gauge(2, 4);
        let levels: Vec<_> = (0..6).map(|_| crossed(&mut gauge, 1)).collect();
        let (warns, stops) = (Some((true, false)), Some((false, true)));
        assert_eq!(levels, [None, warns, None, stops, None, None]);
        for left in [5, 4, 3, 2] {
            gauge.remove(1);
            assert!(gauge.is_stopped(), "{left} are not less than two");
        }
        gauge.remove(1);
        assert_eq!(gauge.waiting().level, ReceiveLevel::Low);
        assert_eq!(crossed(&mut gauge, 1), warns);
        assert_eq!((gauge.waiting().warnings, gauge.waiting().stops), (2, 1));
    }

    #[test]
    fn bytes_count_as_messages_do_and_one_message_may_cross_both() {
        let mut gauge = gauge(2, 4);
        assert_eq!(crossed(&mut gauge, 39), Some((true, false)));
        assert_eq!(crossed(&mut gauge, 1), Some((false, true)));
        gauge.clear();
        assert_eq!(crossed(&mut gauge, 1000), Some((true, true)));
        gauge.remove(1000);
        assert!(!gauge.is_stopped());
    }

    #[test]
    fn an_empty_queue_is_below_every_mark() {
        let mut gauge = gauge(0, 0);
        assert_eq!(crossed(&mut gauge, 0), Some((true, true)));
        gauge.remove(0);
        assert!(!gauge.is_stopped());
    }

    #[test]
    fn only_the_first_crossing_of_a_mark_is_the_first() {
        let mut gauge = gauge(1, 2);
        let mut crossings = || {
            let firsts = [gauge.add(1), gauge.add(1)].map(|crossed| crossed.unwrap().is_first);
            gauge.clear();
            firsts
        };
        assert_eq!(crossings(), [true, true]);
        assert_eq!(crossings(), [false, false]);
    }
}
