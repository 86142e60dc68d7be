//! A round of broadcasts from the side of the batch that makes it.

use std::sync::Arc;

use bowline_proto::PreparedMessage;

use super::{Broadcast, Inner};
use crate::{
    link::Link,
    outbox::Outgoing,
    round::{Place, Round},
    server::handle::ConnectionHandle,
};

/// Messages to all connections of a group that leave together. Dropping it has them written.
pub(crate) struct OpenRound {
    group: Arc<Inner>,
    round: Arc<Round>,
    /// The members' version that `rows` are of.
    version: usize,
    /// The members; places are counted through all rows.
    rows: Vec<Arc<[ConnectionHandle]>>,
    /// Those who took part, also if they left.
    links: Vec<Arc<dyn Link>>,
    /// How many members take part.
    joined: usize,
    /// The members that do not: each message is pushed to them.
    others: Vec<ConnectionHandle>,
    /// The bytes of the messages.
    len: usize,
}

impl OpenRound {
    /// Begins a round with no message.
    pub(super) fn new(group: &Arc<Inner>) -> Self {
        // First: who joins behind it makes the rows outdated.
        let version = group.members.version();
        Self {
            group: Arc::clone(group),
            round: Arc::default(),
            version,
            rows: group.members.rows().collect(),
            links: Vec::with_capacity(group.members.len()),
            joined: 0,
            others: Vec::new(),
            len: 0,
        }
    }

    /// Says whether a message can go into a round at all.
    pub(super) fn is_small(message: &PreparedMessage) -> bool {
        needed(message) <= LEN_MAX
    }

    /// Says whether the round is of this group.
    pub(super) fn is_of(&self, group: &Arc<Inner>) -> bool {
        Arc::ptr_eq(&self.group, group)
    }

    /// Says whether the message can go into this round.
    pub(super) fn takes(&self, message: &PreparedMessage) -> bool {
        self.version == self.group.members.version() && self.len + needed(message) <= LEN_MAX
    }

    /// Sends a message to all members but one.
    pub(super) fn send(
        &mut self,
        message: &PreparedMessage,
        except: Option<&ConnectionHandle>,
    ) -> Broadcast {
        if let Some(except) = except {
            // It is then among those who left.
            except.leave_round();
        }
        self.len += needed(message);
        let (number, left) = self.round.add(message.clone());
        self.joined -= left.len();
        let mut sending = Sending {
            message: Outgoing::Prepared(message.clone()),
            number,
            except,
            result: Broadcast {
                sent: self.joined,
                ..Broadcast::default()
            },
        };
        for other in &self.others {
            sending.push(other);
        }
        let rows = std::mem::take(&mut self.rows);
        if number == 0 {
            let members = rows.iter().flat_map(|row| row.iter());
            for (place, member) in (0..).zip(members) {
                self.ask(member, place, &mut sending);
            }
        } else {
            for place in left {
                if let Some(member) = member(&rows, place) {
                    self.ask(member, place, &mut sending);
                }
            }
        }
        self.rows = rows;
        sending.result
    }

    /// Asks a member to take part from this message on, or else pushes it.
    fn ask(&mut self, member: &ConnectionHandle, place: Place, sending: &mut Sending<'_>) {
        let is_wanted = sending.is_for(member);
        let first = sending.number + usize::from(!is_wanted);
        if let Some(link) = member.join_round(&self.round, place, first) {
            // One that left is among them already.
            if sending.number == 0 {
                self.links.push(link);
            }
            self.joined += 1;
            sending.result.sent += usize::from(is_wanted);
        } else {
            sending.push(member);
            self.others.push(member.clone());
        }
    }
}

impl Drop for OpenRound {
    fn drop(&mut self) {
        let shares = self.round.end();
        for link in self.links.drain(..) {
            link.end_round(&self.round, &shares);
        }
    }
}

/// A message on its way to the members.
struct Sending<'m> {
    message: Outgoing,
    /// Its number in the round.
    number: usize,
    except: Option<&'m ConnectionHandle>,
    result: Broadcast,
}

impl Sending<'_> {
    fn is_for(&self, member: &ConnectionHandle) -> bool {
        self.except != Some(member)
    }

    fn push(&mut self, member: &ConnectionHandle) {
        if self.is_for(member) {
            let pushed = member.push(&self.message, None);
            self.result.count(pushed.ok());
        }
    }
}

fn member(rows: &[Arc<[ConnectionHandle]>], place: Place) -> Option<&ConnectionHandle> {
    let mut place = place as usize;
    for row in rows {
        match row.get(place) {
            None => place -= row.len(),
            found => return found,
        }
    }
    None
}

/// What a message takes up, with the longest header of a server.
fn needed(message: &PreparedMessage) -> usize {
    message.len() + HEADER_LEN_MAX
}

const HEADER_LEN_MAX: usize = 10;
/// The most bytes that a round holds back; its frames are laid together up to there.
const LEN_MAX: usize = 32 << 10;
