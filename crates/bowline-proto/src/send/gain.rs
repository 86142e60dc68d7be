//! `Gain`: whether compressing was worth its time lately.

/// Decides for the messages of one kind, on one connection, whether compressing them is tried.
///
/// A message gains if compressing saves at least a sixteenth of it. As long as messages gain, all
/// are tried, and two in a row that do not gain change nothing. From the third on, messages are
/// sent as they are before the next is tried: 1, then 3, 7, 15, 31 and at most 63. One that gains
/// ends this at once. So a stream that cannot be compressed costs one attempt for 64 messages, and
/// a stream that can be again is noticed within 64.
///
/// It depends on the messages alone: the same ones in the same order are treated alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Gain {
    /// Attempts in a row that did not gain, up to [`MISSES_MAX`].
    misses: u8,
    /// Messages to send as they are before the next attempt.
    rest: u8,
}

impl Gain {
    /// Says whether the next message is to be tried; counts it as sent if not.
    pub(super) fn is_due(&mut self) -> bool {
        let is_due = self.rest == 0;
        self.rest = self.rest.saturating_sub(1);
        is_due
    }

    /// Takes note of an attempt: what was compressed, and what it became, in bytes.
    pub(super) fn note(&mut self, plain: usize, compressed: usize) {
        let saved = plain.saturating_sub(compressed);
        if saved > 0 && saved >= plain / WORTHWHILE {
            *self = Self::default();
            return;
        }
        self.misses = (self.misses + 1).min(MISSES_MAX);
        self.rest = match self.misses.checked_sub(MISSES_FREE) {
            None => 0,
            Some(excess) => (1 << excess) - 1,
        };
    }
}

/// Saving less than one part of so many is no gain.
const WORTHWHILE: usize = 16;

/// So many attempts in a row may fail without consequence.
const MISSES_FREE: u8 = 2;

/// Bounds the messages between attempts to 2^6 - 1.
const MISSES_MAX: u8 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends so many messages of 1,600 bytes and gives the places of those that were tried.
    fn tried(gain: &mut Gain, count: usize, compressed: usize) -> Vec<usize> {
        let mut tried = Vec::new();
        for place in 0..count {
            if gain.is_due() {
                gain.note(1600, compressed);
                tried.push(place);
            }
        }
        tried
    }

    #[test]
    fn attempts_that_gain_nothing_become_rare_at_growing_intervals() {
        let mut gain = Gain::default();
        let places = tried(&mut gain, 400, 1600);
        assert_eq!(places, [0, 1, 2, 4, 8, 16, 32, 64, 128, 192, 256, 320, 384]);
    }

    #[test]
    fn everything_is_tried_again_after_one_attempt_that_gains() {
        let mut gain = Gain::default();
        tried(&mut gain, 1000, 1600);
        let places = tried(&mut gain, 164, 1500);
        let first = places[0];
        assert!(first < 64, "{first}");
        assert_eq!(places, (first..164).collect::<Vec<_>>());
    }

    #[test]
    fn a_gain_is_a_sixteenth_and_two_misses_in_a_row_are_forgiven() {
        for (compressed, count) in [(1500, 50), (1501, 7)] {
            assert_eq!(tried(&mut Gain::default(), 50, compressed).len(), count);
        }
        let mut gain = Gain::default();
        for turn in 0..100 {
            assert!(gain.is_due(), "{turn}");
            gain.note(1600, if turn % 3 == 2 { 100 } else { 1600 });
        }
    }
}
