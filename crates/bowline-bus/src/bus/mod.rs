//! The bus: who listens to what, and what was said last.

mod counters;
mod publication;
mod retained;
mod session;
mod subscriptions;

use bytes::Bytes;

pub use counters::Counters;
pub use publication::{Delivery, Echo, Publication, PublishOptions, Retain, Retention, Storage};
pub use session::SessionId;

use crate::{
    bus::{retained::RetainedValues, session::Sessions, subscriptions::Subscriptions},
    error::BusError,
    filter::TopicFilter,
    limits::Limits,
    topic::Topic,
};

/// Joins sessions through topics.
///
/// The bus delivers at most once and in the order of the calls. It queues nothing: what
/// [`publish`](Self::publish) returns is the caller's to encode, queue and send.
#[derive(Debug)]
pub struct Bus {
    limits: Limits,
    sessions: Sessions,
    subscriptions: Subscriptions,
    retained: RetainedValues,
    counters: Counters,
    recipients: Vec<SessionId>,
}

impl Bus {
    /// Makes an empty bus with these bounds.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            sessions: Sessions::new(limits.sessions_max),
            subscriptions: Subscriptions::default(),
            retained: RetainedValues::new(limits.retained_count_max, limits.retained_bytes_max),
            counters: Counters::default(),
            recipients: Vec::new(),
        }
    }

    /// Returns the bounds the bus was made with.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Returns what the bus has counted since it was made.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Returns the number of attached sessions.
    pub fn session_count(&self) -> usize {
        self.sessions.len()
    }

    /// Returns the number of topics with a retained value.
    pub fn retained_count(&self) -> usize {
        self.retained.len()
    }

    /// Returns the bytes of all retained topics and payloads.
    pub fn retained_bytes(&self) -> usize {
        self.retained.bytes()
    }

    /// Adds a session without subscriptions and names it.
    ///
    /// # Errors
    ///
    /// [`BusError::SessionsFull`] at [`Limits::sessions_max`].
    pub fn attach(&mut self) -> Result<SessionId, BusError> {
        self.sessions.attach()
    }

    /// Says whether a session is attached.
    pub fn is_attached(&self, session: SessionId) -> bool {
        self.sessions.is_attached(session)
    }

    /// Removes a session and all its subscriptions; its id is never given out again.
    ///
    /// # Errors
    ///
    /// [`BusError::StaleSession`] when the session is not attached.
    pub fn detach(&mut self, session: SessionId) -> Result<(), BusError> {
        for filter in self.sessions.detach(session)?.iter() {
            self.subscriptions.remove(filter, session);
        }
        Ok(())
    }

    /// Subscribes a session to a filter and says whether it was new to the session.
    ///
    /// The caller then usually sends what [`retained`](Self::retained) gives for the same filter.
    ///
    /// # Errors
    ///
    /// [`BusError::StaleSession`] when the session is not attached,
    /// [`BusError::SubscriptionsFull`] at [`Limits::subscriptions_per_session_max`].
    pub fn subscribe(&mut self, session: SessionId, filter: TopicFilter) -> Result<bool, BusError> {
        let max = self.limits.subscriptions_per_session_max;
        let filters = self.sessions.filters_mut(session)?;
        if filters.contains(&filter) {
            return Ok(false);
        }
        if filters.len() >= max {
            return Err(BusError::SubscriptionsFull { max });
        }
        self.subscriptions.insert(&filter, session);
        filters.insert(filter);
        Ok(true)
    }

    /// Takes a filter from a session and says whether the session held it.
    ///
    /// # Errors
    ///
    /// [`BusError::StaleSession`] when the session is not attached.
    pub fn unsubscribe(
        &mut self,
        session: SessionId,
        filter: &TopicFilter,
    ) -> Result<bool, BusError> {
        let held = self.sessions.filters_mut(session)?.remove(filter);
        if held {
            self.subscriptions.remove(filter, session);
        }
        Ok(held)
    }

    /// Returns the retained values a filter selects, in the order of their topics.
    ///
    /// The cost is that of the values whose topics start with the text before the first wildcard.
    pub fn retained(&self, filter: &TopicFilter) -> impl Iterator<Item = (&Topic, &Bytes)> {
        self.retained.select(filter)
    }

    /// Publishes a value and returns it with the sessions it goes to, each once.
    ///
    /// The recipients are held by the bus until the next call, so that a fan-out allocates nothing.
    ///
    /// # Errors
    ///
    /// [`BusError::StaleSession`] when the publisher is not attached,
    /// [`BusError::PayloadTooLong`] over [`Limits::payload_size_max`].
    pub fn publish(
        &mut self,
        publication: Publication,
        options: PublishOptions,
    ) -> Result<Delivery<'_>, BusError> {
        let size = publication.payload.len();
        let max = self.limits.payload_size_max;
        if size > max {
            self.counters.refused += 1;
            return Err(BusError::PayloadTooLong { size, max });
        }
        if let Some(publisher) = options.publisher
            && !self.sessions.is_attached(publisher)
        {
            self.counters.refused += 1;
            return Err(BusError::StaleSession);
        }
        let retention = self.retain(&publication, &options);
        self.find_recipients(&publication.topic, &options);
        self.counters.published += 1;
        self.counters.delivered += self.recipients.len() as u64;
        Ok(Delivery {
            publication,
            recipients: &self.recipients,
            retention,
        })
    }

    /// Counts deliveries that the caller could not queue for their sessions.
    pub fn record_dropped(&mut self, deliveries: u64) {
        self.counters.dropped += deliveries;
    }

    /// Follows the publisher's wish about the retained value of the topic.
    fn retain(&mut self, publication: &Publication, options: &PublishOptions) -> Retention {
        let Publication { topic, payload } = publication;
        match options.retain {
            Retain::No => Retention::Unchanged,
            Retain::Forget => {
                self.retained.forget(topic);
                Retention::Forgotten
            }
            Retain::Keep => {
                if self.retained.keep(topic, payload, options.storage) {
                    Retention::Kept
                } else {
                    self.counters.retain_refused += 1;
                    Retention::Refused
                }
            }
        }
    }

    /// Fills `recipients` with the sessions subscribed to `topic`, each once.
    fn find_recipients(&mut self, topic: &Topic, options: &PublishOptions) {
        self.recipients.clear();
        let visited = self.subscriptions.find(topic, &mut self.recipients);
        self.counters.nodes_visited += visited;
        if let (Some(publisher), Echo::No) = (options.publisher, options.echo)
            && let Ok(place) = self.recipients.binary_search(&publisher)
        {
            self.recipients.remove(place);
        }
    }
}
