//! The task where all sessions meet.

use bowline::PreparedMessage;
use bowline_bus::{
    Bus, BusError, Delivery, Publication, PublishOptions, Retain, Retention, SessionId, Topic,
    TopicFilter,
    dialect::clown_talk::{Window, encode},
};
use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use tracing::{debug, info};

use crate::{
    config::Limits,
    outbox::{Outbox, OutboxSender, Refused, outbox},
    participant::Inbox,
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
    /// Attaches a session of the program itself, and tells it the retained values at once.
    Hear {
        filter: TopicFilter,
        inbox: Inbox,
        joined: oneshot::Sender<Result<SessionId, BusError>>,
    },
    /// Subscribes a session that was silent.
    Listen { session: SessionId },
    /// Publishes a value, in the name of a session or of the program.
    Publish {
        publisher: Option<SessionId>,
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
    sink: Sink,
}

/// Where the publications for a session go.
#[derive(Debug)]
enum Sink {
    /// To a connection, seen through its window.
    Talk {
        window: Window,
        outbox: OutboxSender,
    },
    /// To a part of the program.
    Local(Inbox),
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
            Command::Hear {
                filter,
                inbox,
                joined,
            } => {
                let heard = self.hear(filter, inbox);
                if let Err(Ok(session)) = joined.send(heard) {
                    self.leave(session);
                }
            }
            Command::Listen { session } => self.listen(session),
            Command::Publish {
                publisher,
                publication,
                retain,
            } => self.publish(publisher, publication, retain),
            Command::Leave { session } => self.leave(session),
            Command::Save { revision, saved } => {
                let changed = (revision != self.revision).then(|| self.retained());
                drop(saved.send(changed));
            }
        }
    }

    fn join(&mut self, window: Window, presence: Presence) -> Result<Joined, BusError> {
        let (sender, outbox) = outbox(&self.limits);
        let session = self.attach(Sink::Talk {
            window,
            outbox: sender.clone(),
        })?;
        if presence == Presence::Listening {
            self.listen(session);
        }
        Ok(Joined {
            session,
            sender,
            outbox,
        })
    }

    fn hear(&mut self, filter: TopicFilter, inbox: Inbox) -> Result<SessionId, BusError> {
        for (topic, payload) in self.bus.retained(&filter) {
            let (topic, payload) = (topic.clone(), payload.clone());
            // One that is gone already is noticed when its answer cannot be given.
            drop(inbox.push(Publication { topic, payload }));
        }
        let session = self.attach(Sink::Local(inbox))?;
        if let Err(error) = self.bus.subscribe(session, filter) {
            self.leave(session);
            return Err(error);
        }
        Ok(session)
    }

    fn attach(&mut self, sink: Sink) -> Result<SessionId, BusError> {
        let session = self.bus.attach()?;
        let slot = session.slot() as usize;
        if self.members.len() <= slot {
            self.members.resize_with(slot + 1, || None);
        }
        if let Some(place) = self.members.get_mut(slot) {
            *place = Some(Member { session, sink });
        }
        Ok(session)
    }

    fn listen(&mut self, session: SessionId) {
        let Some(Sink::Talk { window, outbox }) = sink(&self.members, session) else {
            return;
        };
        let filter = window.filter();
        match self.bus.subscribe(session, filter.clone()) {
            Ok(true) => {
                let values: Vec<_> = self
                    .bus
                    .retained(filter)
                    .map(|(topic, payload)| (topic.clone(), payload.clone()))
                    .collect();
                outbox.push_retained(values);
            }
            Ok(false) => {}
            Err(error) => debug!(session = session.as_u64(), %error, "not subscribed"),
        }
    }

    fn publish(&mut self, publisher: Option<SessionId>, publication: Publication, retain: Retain) {
        let options = PublishOptions {
            publisher,
            retain,
            ..PublishOptions::default()
        };
        let delivery = match self.bus.publish(publication, options) {
            Ok(delivery) => delivery,
            Err(error) => {
                let session = publisher.map(SessionId::as_u64);
                debug!(session, %error, "not published");
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
        if sink(&self.members, session).is_none() {
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
        let (window, outbox) = match sink(members, session) {
            Some(Sink::Talk { window, outbox }) => (window, outbox),
            Some(Sink::Local(inbox)) => {
                match inbox.push(delivery.publication.clone()) {
                    Ok(more) => lost += more,
                    Err(_gone) => failed.push(session),
                }
                continue;
            }
            None => continue,
        };
        let base_length = window.base().len();
        let message = match encoded.iter().find(|(length, _)| *length == base_length) {
            Some((_, message)) => message.clone(),
            None => match encode_for(window, topic, payload) {
                Some(message) => {
                    encoded.push((base_length, message.clone()));
                    message
                }
                None => continue,
            },
        };
        match outbox.push(message) {
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

fn sink(members: &[Option<Member>], session: SessionId) -> Option<&Sink> {
    let member = members.get(session.slot() as usize)?.as_ref()?;
    (member.session == session).then_some(&member.sink)
}

/// Tells a value in the words of one window; `None` if it does not show the topic.
fn encode_for(window: &Window, topic: &Topic, payload: &[u8]) -> Option<PreparedMessage> {
    let text = encode(window.outward(topic)?, payload).ok()?;
    Some(PreparedMessage::new(text.into()))
}
