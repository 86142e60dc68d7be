//! The task where all sessions meet.

use bowline::PreparedMessage;
use bowline_bus::{
    Bus, BusError, Delivery, Publication, PublishOptions, Retain, Retention, SessionId, Topic,
    dialect::clown_talk::{Window, encode},
};
use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use tracing::{debug, info};

use crate::{
    config::Limits,
    outbox::{Outbox, OutboxSender, Refused, outbox},
};

/// What a connection wants of the bus.
#[derive(Debug)]
pub(crate) enum Command {
    /// Attaches a session; a listening one is subscribed and told the retained values at once.
    Join {
        window: Window,
        presence: Presence,
        joined: oneshot::Sender<Result<Joined, BusError>>,
    },
    /// Subscribes a session that was silent.
    Listen { session: SessionId },
    /// Publishes a value in the name of a session.
    Publish {
        session: SessionId,
        publication: Publication,
        retain: Retain,
    },
    /// Removes a session.
    Leave { session: SessionId },
    /// Asks for all retained values, if they changed since `revision`.
    Save {
        revision: u64,
        saved: oneshot::Sender<Option<Retained>>,
    },
}

/// Says whether a session hears publications from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    Listening,
    Silent,
}

/// What a session gets when it is attached.
#[derive(Debug)]
pub(crate) struct Joined {
    pub(crate) session: SessionId,
    pub(crate) sender: OutboxSender,
    pub(crate) outbox: Outbox,
}

/// All retained values at one moment.
#[derive(Debug)]
pub(crate) struct Retained {
    pub(crate) revision: u64,
    pub(crate) values: Vec<(Topic, Bytes)>,
}

/// Owns the bus, and carries out the commands of all connections in their order.
#[derive(Debug)]
pub(crate) struct Shard {
    bus: Bus,
    limits: Limits,
    /// Sees every topic.
    everything: Window,
    /// By the slot of the session.
    members: Vec<Option<Member>>,
    /// Grows whenever a retained value changes.
    revision: u64,
}

#[derive(Debug)]
struct Member {
    session: SessionId,
    window: Window,
    outbox: OutboxSender,
}

impl Shard {
    /// Begins with the values retained by an earlier run.
    pub(crate) fn new(limits: Limits, retained: Vec<Publication>) -> Self {
        let mut bus = Bus::new(limits.bus);
        for publication in retained {
            let options = PublishOptions {
                retain: Retain::Keep,
                ..PublishOptions::default()
            };
            let topic = publication.topic.clone();
            let kept = bus
                .publish(publication, options)
                .is_ok_and(|delivery| delivery.retention == Retention::Kept);
            if !kept {
                info!(%topic, "a stored value exceeds the limits and is not restored");
            }
        }
        Self {
            bus,
            limits,
            everything: Window::new("", &limits.bus.topic)
                .expect("the filter # is within any limits"),
            members: Vec::new(),
            revision: 0,
        }
    }

    /// Carries out commands until nobody can send any more, then gives the retained values.
    pub(crate) async fn run(mut self, mut commands: mpsc::Receiver<Command>) -> Retained {
        while let Some(command) = commands.recv().await {
            self.carry_out(command);
        }
        let counters = self.bus.counters();
        info!(
            published = counters.published,
            delivered = counters.delivered,
            dropped = counters.dropped,
            refused = counters.refused,
            "the bus stopped"
        );
        self.retained()
    }

    fn carry_out(&mut self, command: Command) {
        match command {
            Command::Join {
                window,
                presence,
                joined,
            } => {
                // A connection that does not wait for the answer is found gone at the first push.
                drop(joined.send(self.join(window, presence)));
            }
            Command::Listen { session } => self.listen(session),
            Command::Publish {
                session,
                publication,
                retain,
            } => self.publish(session, publication, retain),
            Command::Leave { session } => self.leave(session),
            Command::Save { revision, saved } => {
                let changed = (revision != self.revision).then(|| self.retained());
                drop(saved.send(changed));
            }
        }
    }

    fn join(&mut self, window: Window, presence: Presence) -> Result<Joined, BusError> {
        let session = self.bus.attach()?;
        let (sender, outbox) = outbox(&self.limits);
        let slot = session.slot() as usize;
        if self.members.len() <= slot {
            self.members.resize_with(slot + 1, || None);
        }
        if let Some(place) = self.members.get_mut(slot) {
            *place = Some(Member {
                session,
                window,
                outbox: sender.clone(),
            });
        }
        if presence == Presence::Listening {
            self.listen(session);
        }
        Ok(Joined {
            session,
            sender,
            outbox,
        })
    }

    fn listen(&mut self, session: SessionId) {
        let Some(member) = member(&self.members, session) else {
            return;
        };
        let filter = member.window.filter();
        match self.bus.subscribe(session, filter.clone()) {
            Ok(true) => {
                let values: Vec<_> = self
                    .bus
                    .retained(filter)
                    .map(|(topic, payload)| (topic.clone(), payload.clone()))
                    .collect();
                member.outbox.push_retained(values);
            }
            Ok(false) => {}
            Err(error) => debug!(session = session.as_u64(), %error, "not subscribed"),
        }
    }

    fn publish(&mut self, session: SessionId, publication: Publication, retain: Retain) {
        let options = PublishOptions {
            publisher: Some(session),
            retain,
            ..PublishOptions::default()
        };
        let delivery = match self.bus.publish(publication, options) {
            Ok(delivery) => delivery,
            Err(error) => {
                debug!(session = session.as_u64(), %error, "not published");
                return;
            }
        };
        match delivery.retention {
            Retention::Kept | Retention::Forgotten => self.revision += 1,
            Retention::Refused => {
                self.revision += 1;
                info!(topic = %delivery.publication.topic, "no room to retain this value");
            }
            Retention::Unchanged => {}
        }
        let (failed, lost) = fan_out(&self.members, &delivery);
        self.bus.record_dropped(lost);
        for session in failed {
            self.leave(session);
        }
    }

    fn leave(&mut self, session: SessionId) {
        if member(&self.members, session).is_none() {
            return;
        }
        if let Some(place) = self.members.get_mut(session.slot() as usize) {
            *place = None;
        }
        if let Err(error) = self.bus.detach(session) {
            debug!(session = session.as_u64(), %error, "not detached");
        }
    }

    fn retained(&self) -> Retained {
        let all = self.bus.retained(self.everything.filter());
        Retained {
            revision: self.revision,
            values: all
                .map(|(topic, payload)| (topic.clone(), payload.clone()))
                .collect(),
        }
    }
}

/// Queues a delivery for its recipients, encoded once for each window; gives the sessions that
/// cannot take it and the number of messages lost with them.
fn fan_out(members: &[Option<Member>], delivery: &Delivery<'_>) -> (Vec<SessionId>, u64) {
    let Publication { topic, payload } = &delivery.publication;
    // The windows that show one topic have bases of different lengths, so the length tells them
    // apart, and there are no more of them than the topic has levels.
    let mut encoded: Vec<(usize, PreparedMessage)> = Vec::new();
    let mut failed = Vec::new();
    let mut lost = 0;
    for &session in delivery.recipients {
        let Some(member) = member(members, session) else {
            continue;
        };
        let base_length = member.window.base().len();
        let message = match encoded.iter().find(|(length, _)| *length == base_length) {
            Some((_, message)) => message.clone(),
            None => match encode_for(&member.window, topic, payload) {
                Some(message) => {
                    encoded.push((base_length, message.clone()));
                    message
                }
                None => continue,
            },
        };
        match member.outbox.push(message) {
            Ok(()) => {}
            Err(Refused::Gone) => failed.push(session),
            Err(Refused::TooSlow { lost: more }) => {
                lost += more;
                failed.push(session);
            }
        }
    }
    (failed, lost)
}

fn member(members: &[Option<Member>], session: SessionId) -> Option<&Member> {
    members
        .get(session.slot() as usize)?
        .as_ref()
        .filter(|member| member.session == session)
}

/// Tells a value in the words of one window; `None` if it does not show the topic.
fn encode_for(window: &Window, topic: &Topic, payload: &[u8]) -> Option<PreparedMessage> {
    let text = encode(window.outward(topic)?, payload).ok()?;
    Some(PreparedMessage::new(text.into()))
}
