//! The number that names a connection for good.

use std::{fmt, num::ParseIntError, str::FromStr};

/// Names one connection, from before it is accepted until long after it is gone.
///
/// It is a `u64` to the application: store it, send it to another thread, write it to a database.
/// Inside it names the registry's shard and slot, how often the slot was used before, and the
/// registry itself, so that the number of a connection that is gone, or of another registry, is an
/// error and never another connection. So is a number of an earlier run of the program, but for a
/// chance of one in billions. It is never zero.
///
/// ```text
///   63        48 47            28 27            6 5     0
///  +------------+----------------+---------------+-------+
///  |   epoch    |   generation   |     slot      | shard |
///  +------------+----------------+---------------+-------+
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(u64);

impl ConnectionId {
    /// Reads a number that was stored. Whether it names a connection, the registry tells.
    pub const fn from_u64(number: u64) -> Self {
        Self(number)
    }

    /// Gives the number.
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    pub(super) fn new(place: Place, epoch: u16) -> Self {
        debug_assert!(epoch != 0, "an epoch is never zero, so no id is");
        debug_assert!(
            place.generation <= GENERATION_MAX,
            "a worn slot is not used again"
        );
        let Place {
            shard,
            slot,
            generation,
        } = place;
        Self(
            u64::from(epoch) << EPOCH_AT
                | u64::from(generation) << GENERATION_AT
                | u64::from(slot) << SLOT_AT
                | u64::from(shard),
        )
    }

    pub(super) const fn epoch(self) -> u16 {
        (self.0 >> EPOCH_AT) as u16
    }

    /// Orders connections as they came, but for places that were free again.
    pub(super) const fn arrival(self) -> u64 {
        self.0 & ((1 << GENERATION_AT) - 1)
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "the parts are cut out of the number"
    )]
    pub(super) const fn place(self) -> Place {
        Place {
            shard: (self.0 & SHARD_MASK) as u8,
            slot: (self.0 >> SLOT_AT) as u32 & SLOTS_MAX,
            generation: (self.0 >> GENERATION_AT) as u32 & GENERATION_MAX,
        }
    }
}

/// Where in a registry a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) shard: u8,
    pub(super) slot: u32,
    pub(super) generation: u32,
}

impl From<ConnectionId> for u64 {
    fn from(id: ConnectionId) -> Self {
        id.0
    }
}

impl fmt::Display for ConnectionId {
    /// Writes sixteen hexadecimal digits, which [`FromStr`] reads.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConnectionId({self})")
    }
}

impl FromStr for ConnectionId {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        u64::from_str_radix(text, 16).map(Self)
    }
}

const SLOT_AT: u32 = 6;
const GENERATION_AT: u32 = 28;
const EPOCH_AT: u32 = 48;
const SHARD_MASK: u64 = (1 << SLOT_AT) - 1;

/// The shards of a registry.
pub(super) const SHARDS: usize = 1 << SLOT_AT;
/// The most slots a shard can have: four million.
pub(super) const SLOTS_MAX: u32 = (1 << (GENERATION_AT - SLOT_AT)) - 1;
/// The last use of a slot, after which it is worn: a million times, or half as often at least.
pub(super) const GENERATION_MAX: u32 = (1 << (EPOCH_AT - GENERATION_AT)) - 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_comes_back_out_of_the_number() {
        for (shard, slot, generation, epoch) in [
            (0, 0, 0, 1),
            (63, SLOTS_MAX, GENERATION_MAX, u16::MAX),
            (5, 77, 3, 0x8001),
        ] {
            let place = Place {
                shard,
                slot,
                generation,
            };
            let id = ConnectionId::new(place, epoch);
            assert_eq!((id.place(), id.epoch()), (place, epoch));
            assert_ne!(id.as_u64(), 0);
            assert_eq!(ConnectionId::from_u64(id.as_u64()), id);
            assert_eq!(id.to_string().parse(), Ok(id));
        }
    }
}
