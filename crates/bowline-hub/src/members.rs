//! Where the publications for each session of a shard go.

use bowline::{
    PreparedMessage,
    server::{ConnectionHandle, SendError},
};
use bowline_bus::{
    Delivery, Publication, SessionId, Topic,
    dialect::clown_talk::{Window, encode},
};
use tokio::sync::OwnedSemaphorePermit;

use crate::{
    outbox::{OutboxSender, Refused},
    participant::Inbox,
};

/// The sessions of a shard, by their slots.
#[derive(Debug, Default)]
pub(crate) struct Members {
    slots: Vec<Option<Member>>,
}

#[derive(Debug)]
struct Member {
    session: SessionId,
    sink: Sink,
    /// Its place among the sessions of all workers.
    _place: OwnedSemaphorePermit,
}

/// Where the publications for a session go.
#[derive(Debug)]
pub(crate) enum Sink {
    /// To a connection, seen through its window.
    Talk(Box<Talk>),
    /// To a part of the program.
    Local(Inbox),
}

/// A connection as the shard sees it.
#[derive(Debug)]
pub(crate) struct Talk {
    pub(crate) window: Window,
    pub(crate) connection: ConnectionHandle,
    /// Where publications wait while the connection is told the retained values.
    pub(crate) behind: Option<OutboxSender>,
}

/// The sessions that could not be given a publication, and how many messages are lost with them.
#[derive(Debug, Default)]
pub(crate) struct Failed {
    pub(crate) sessions: Vec<SessionId>,
    pub(crate) lost: u64,
}

impl Members {
    pub(crate) fn add(&mut self, session: SessionId, sink: Sink, place: OwnedSemaphorePermit) {
        let slot = session.slot() as usize;
        if self.slots.len() <= slot {
            self.slots.resize_with(slot + 1, || None);
        }
        if let Some(free) = self.slots.get_mut(slot) {
            *free = Some(Member {
                session,
                sink,
                _place: place,
            });
        }
    }

    /// Takes a session out and says whether it was there.
    pub(crate) fn remove(&mut self, session: SessionId) -> bool {
        let slot = self.slots.get_mut(session.slot() as usize);
        let is_it = |member: &mut Member| member.session == session;
        slot.and_then(|slot| slot.take_if(is_it)).is_some()
    }

    pub(crate) fn talk_mut(&mut self, session: SessionId) -> Option<&mut Talk> {
        match self.sink_mut(session)? {
            Sink::Talk(talk) => Some(talk),
            Sink::Local(_) => None,
        }
    }

    /// Hands a delivery to its recipients, encoded once for each window.
    pub(crate) fn deliver(&mut self, delivery: &Delivery<'_>) -> Failed {
        let Publication { topic, payload } = &delivery.publication;
        // The windows that show one topic have bases of different lengths, so the length tells them
        // apart, and there are no more of them than the topic has levels.
        let mut encoded: Vec<(usize, PreparedMessage)> = Vec::new();
        let mut failed = Failed::default();
        for &session in delivery.recipients {
            let given = match self.sink_mut(session) {
                None => continue,
                Some(Sink::Local(inbox)) => give_local(inbox, &delivery.publication),
                Some(Sink::Talk(talk)) => {
                    let base_length = talk.window.base().len();
                    let known = encoded.iter().find(|(length, _)| *length == base_length);
                    if let Some((_, message)) = known {
                        give(talk, message)
                    } else if let Some(message) = encode_for(&talk.window, topic, payload) {
                        let given = give(talk, &message);
                        encoded.push((base_length, message));
                        given
                    } else {
                        continue;
                    }
                }
            };
            match given {
                Given::Taken => {}
                Given::Dropped(lost) => failed.lost += lost,
                Given::Failed { lost } => {
                    failed.lost += lost;
                    failed.sessions.push(session);
                }
            }
        }
        failed
    }

    fn sink_mut(&mut self, session: SessionId) -> Option<&mut Sink> {
        let member = self.slots.get_mut(session.slot() as usize)?.as_mut()?;
        (member.session == session).then_some(&mut member.sink)
    }
}

/// What became of a publication for one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Given {
    Taken,
    /// So many publications are lost, and the session goes on.
    Dropped(u64),
    /// The session is over, and so many messages are lost with it.
    Failed {
        lost: u64,
    },
}

fn give(talk: &mut Talk, message: &PreparedMessage) -> Given {
    match talk.behind.as_ref().map(|behind| behind.push(message)) {
        Some(Ok(())) => return Given::Taken,
        Some(Err(Refused::TooSlow { lost })) => return Given::Failed { lost },
        Some(Err(Refused::Gone)) => return Given::Failed { lost: 0 },
        Some(Err(Refused::CaughtUp)) => talk.behind = None,
        None => {}
    }
    match talk.connection.try_send_prepared(message) {
        Ok(_) => Given::Taken,
        Err(SendError::TooSlow) => Given::Failed { lost: 1 },
        Err(_closed) => Given::Failed { lost: 0 },
    }
}

fn give_local(inbox: &Inbox, publication: &Publication) -> Given {
    match inbox.push(publication.clone()) {
        Ok(0) => Given::Taken,
        Ok(lost) => Given::Dropped(lost),
        Err(_gone) => Given::Failed { lost: 0 },
    }
}

/// Tells a value in the words of one window; `None` if it does not show the topic.
fn encode_for(window: &Window, topic: &Topic, payload: &[u8]) -> Option<PreparedMessage> {
    let text = encode(window.outward(topic)?, payload).ok()?;
    Some(PreparedMessage::new(text.into()))
}
