//! Where the publications for each session of a shard go.

use bowline::{
    PreparedBatch,
    server::{ConnectionHandle, SendError},
};
use bowline_bus::{Publication, SessionId, dialect::clown_talk::Window};
use tokio::{sync::OwnedSemaphorePermit, task::yield_now};

use crate::{
    fan_out::{Encoder, FanOut},
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

    /// Hands deliveries to their recipients, to each what it gets at once; every so often the other
    /// tasks of the worker have a turn.
    pub(crate) async fn deliver(&mut self, mut fan_out: FanOut) -> Failed {
        fan_out.sort();
        let mut encoder = Encoder::new(&fan_out);
        let mut failed = Failed::default();
        for (number, (session, due)) in (1_usize..).zip(fan_out.by_session()) {
            if number.is_multiple_of(SESSIONS_PER_TURN) {
                yield_now().await;
            }
            let given = match self.sink_mut(session) {
                None => continue,
                Some(Sink::Local(inbox)) => give_local(inbox, fan_out.publications(due)),
                Some(Sink::Talk(talk)) => talk.give(encoder.batch(due, &talk.window)),
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

impl Talk {
    /// Queues messages for the connection, which are written together.
    fn give(&mut self, batch: &PreparedBatch) -> Given {
        let Some(behind) = &self.behind else {
            return self.send(batch);
        };
        for (given, message) in batch.messages().iter().enumerate() {
            match behind.push(message) {
                Ok(()) => {}
                Err(Refused::TooSlow { lost }) => return Given::Failed { lost },
                Err(Refused::Gone) => return Given::Failed { lost: 0 },
                Err(Refused::CaughtUp) => {
                    self.behind = None;
                    let rest = batch.messages().iter().skip(given).cloned();
                    return self.send(&rest.collect());
                }
            }
        }
        Given::Taken
    }

    fn send(&self, batch: &PreparedBatch) -> Given {
        if batch.is_empty() {
            return Given::Taken;
        }
        match self.connection.try_send_batch(batch) {
            Ok(()) => Given::Taken,
            Err(SendError::TooSlow) => Given::Failed { lost: 1 },
            Err(_closed) => Given::Failed { lost: 0 },
        }
    }
}

/// What became of publications for one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Given {
    Taken,
    /// So many are lost, and the session goes on.
    Dropped(u64),
    /// The session is over, and so many messages are lost with it.
    Failed {
        lost: u64,
    },
}

fn give_local<'p>(inbox: &Inbox, publications: impl Iterator<Item = &'p Publication>) -> Given {
    let mut lost = 0;
    for publication in publications {
        match inbox.push(publication.clone()) {
            Ok(more) => lost += more,
            Err(_gone) => return Given::Failed { lost },
        }
    }
    match lost {
        0 => Given::Taken,
        lost => Given::Dropped(lost),
    }
}

/// Sessions that are told something in one turn: some milliseconds, as each takes a system call.
const SESSIONS_PER_TURN: usize = 512;
