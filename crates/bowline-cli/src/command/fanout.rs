//! `bowline echo --fanout`: what arrives on `/pub` goes to all on `/sub`.
//!
//! Every worker has a group: the subscribers among its connections. A publisher gives each message
//! to all groups in turn, so that its messages reach every subscriber once and in their order.
//! Nothing is left out: while one subscriber's queue is full its group waits, and with it the
//! publishers. A subscriber that takes nothing is closed, so that the others go on.

use std::{
    collections::BTreeMap,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bowline::{CloseCode, Message, Offer, PreparedMessage, Sender, Stream, WebSocket};
use tokio::{
    sync::{
        OwnedSemaphorePermit, Semaphore,
        mpsc::{self, error::TrySendError},
        watch,
    },
    time::timeout,
};
use tracing::debug;

/// Reaches the groups of all workers.
#[derive(Clone)]
pub(crate) struct Fanout {
    groups: Arc<[mpsc::Sender<Published>]>,
    /// A permit for each byte under way.
    memory: Arc<Semaphore>,
}

/// The group of one worker, before it is started.
pub(crate) struct Group {
    published: mpsc::Receiver<Published>,
}

/// The subscribers of one worker.
#[derive(Clone, Default)]
pub(crate) struct LocalGroup(Arc<Mutex<Subscribers>>);

/// One connection of the fan-out.
pub(crate) enum Member {
    Publisher(WebSocket, Fanout),
    Subscriber(Subscription, WebSocket),
}

/// A message under way to all subscribers.
#[derive(Clone)]
struct Published {
    message: Message,
    /// The same, encoded once for all compressed connections.
    prepared: PreparedMessage,
    /// Given back when the last subscriber has it.
    _memory: Arc<OwnedSemaphorePermit>,
}

/// Makes the groups of `count` workers.
pub(crate) fn groups(count: usize) -> (Fanout, Vec<Group>) {
    let (senders, groups): (Vec<_>, _) = (0..count)
        .map(|_| {
            let (sender, published) = mpsc::channel(GROUP_MESSAGES_MAX);
            (sender, Group { published })
        })
        .unzip();
    let fanout = Fanout {
        groups: senders.into(),
        memory: Arc::new(Semaphore::new(MEMORY_BYTES_MAX as usize)),
    };
    (fanout, groups)
}

/// Accepts a publisher or a subscriber; a subscriber belongs to the group before it is answered.
pub(crate) async fn open(
    offer: Offer<Stream>,
    fanout: Fanout,
    group: &LocalGroup,
) -> Result<Option<Member>, bowline::Error> {
    match offer.request().path() {
        "/pub" => Ok(Some(Member::Publisher(offer.accept().await?, fanout))),
        "/sub" => {
            let subscription = group.join();
            Ok(Some(Member::Subscriber(
                subscription,
                offer.accept().await?,
            )))
        }
        _ => {
            let body = "Publish on /pub and subscribe on /sub.\n";
            offer.refuse(404, body).await?;
            Ok(None)
        }
    }
}

impl Fanout {
    /// Gives a message to every group; waits while they are behind.
    async fn publish(&self, message: Message) {
        let bytes = u32::try_from(message.len())
            .map_or(MEMORY_BYTES_MAX, |length| length.clamp(1, MEMORY_BYTES_MAX));
        let memory = Arc::clone(&self.memory);
        let Ok(permit) = memory.acquire_many_owned(bytes).await else {
            return;
        };
        let published = Published {
            prepared: PreparedMessage::new(message.clone()),
            message,
            _memory: Arc::new(permit),
        };
        for group in &*self.groups {
            // A group that is gone belongs to a worker that stops.
            drop(group.send(published.clone()).await);
        }
    }
}

impl Group {
    /// Gives the subscribers, and the future that hands messages to them.
    pub(crate) fn start(self) -> (LocalGroup, impl Future<Output = ()> + Send + 'static) {
        let local = LocalGroup::default();
        let subscribers = local.clone();
        let mut published = self.published;
        let dispatch = async move {
            while let Some(published) = published.recv().await {
                for waiting in subscribers.offer(&published) {
                    // A closed queue belongs to a subscriber that left.
                    drop(waiting.send(published.clone()).await);
                }
            }
        };
        (local, dispatch)
    }
}

impl LocalGroup {
    fn join(&self) -> Subscription {
        let (queue, published) = mpsc::channel(SUBSCRIBER_MESSAGES_MAX);
        let mut subscribers = self.lock();
        let number = subscribers.next;
        subscribers.next += 1;
        subscribers.queues.insert(number, queue);
        drop(subscribers);
        Subscription {
            number,
            published: Some(published),
            group: self.clone(),
        }
    }

    /// Queues a message for all that have room; gives the queues that have none.
    fn offer(&self, published: &Published) -> Vec<mpsc::Sender<Published>> {
        let mut full = Vec::new();
        for queue in self.lock().queues.values() {
            if let Err(TrySendError::Full(_)) = queue.try_send(published.clone()) {
                full.push(queue.clone());
            }
        }
        full
    }

    fn lock(&self) -> MutexGuard<'_, Subscribers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Default)]
struct Subscribers {
    next: u64,
    queues: BTreeMap<u64, mpsc::Sender<Published>>,
}

/// A place in a group; dropping it leaves the group.
pub(crate) struct Subscription {
    number: u64,
    /// `None` once nothing more is wanted.
    published: Option<mpsc::Receiver<Published>>,
    group: LocalGroup,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.group.lock().queues.remove(&self.number);
    }
}

impl Member {
    /// Serves the connection until it is over, or closes it with 1001 when the server stops.
    pub(crate) async fn run(self, mut stop: watch::Receiver<bool>) -> Result<(), bowline::Error> {
        match self {
            Self::Publisher(mut ws, fanout) => {
                let publishing = async {
                    while let Some(message) = ws.recv().await {
                        fanout.publish(message).await;
                    }
                };
                tokio::select! {
                    () = publishing => return Ok(()),
                    _ = stop.wait_for(|stopped| *stopped) => {}
                }
                ws.close(CloseCode::GOING_AWAY, STOPPING).await.map(drop)
            }
            Self::Subscriber(subscription, ws) => subscription.run(ws, stop).await,
        }
    }
}

impl Subscription {
    async fn run(
        mut self,
        ws: WebSocket,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), bowline::Error> {
        let Some(published) = self.published.take() else {
            return Ok(());
        };
        let is_compressed = ws.is_compressed();
        let (mut sender, mut receiver) = ws.split();
        let reading = async { while receiver.recv().await.is_some() {} };
        let mut reading = pin!(reading);
        let (code, reason) = tokio::select! {
            () = &mut reading => return Ok(()),
            () = pump(&mut sender, published, is_compressed) => (CloseCode::TRY_AGAIN_LATER, "too slow"),
            _ = stop.wait_for(|stopped| *stopped) => (CloseCode::GOING_AWAY, STOPPING),
        };
        drop(self);
        sender.close(code, reason).await?;
        reading.await;
        Ok(())
    }
}

/// Sends what is published until the peer takes nothing any more or is gone.
async fn pump(sender: &mut Sender, mut published: mpsc::Receiver<Published>, is_compressed: bool) {
    let mut batch = Vec::new();
    while published
        .recv_many(&mut batch, SUBSCRIBER_MESSAGES_MAX)
        .await
        > 0
    {
        let bytes: u64 = batch.iter().map(|each| each.message.len() as u64).sum();
        let patience = SUBSCRIBER_TIMEOUT + Duration::from_secs(bytes / SUBSCRIBER_RATE_MIN);
        match timeout(patience, send(sender, &mut batch, is_compressed)).await {
            Ok(Ok(())) => {}
            // The reading side sees the end too.
            Ok(Err(_)) => std::future::pending().await,
            Err(_) => {
                debug!("a subscriber takes nothing");
                return;
            }
        }
    }
}

/// Sends messages that came together, with as few writes as they need.
async fn send(
    sender: &mut Sender,
    batch: &mut Vec<Published>,
    is_compressed: bool,
) -> Result<(), bowline::Error> {
    for Published {
        message, prepared, ..
    } in batch.drain(..)
    {
        if is_compressed {
            sender.send_prepared(&prepared).await?;
        } else {
            sender.feed(message).await?;
        }
    }
    sender.flush().await
}

const STOPPING: &str = "the server stops";

/// Messages that wait for the subscribers of one worker; then publishers wait.
const GROUP_MESSAGES_MAX: usize = 64;

/// Messages that wait for one subscriber; then its group waits.
const SUBSCRIBER_MESSAGES_MAX: usize = 64;

/// Bytes of all messages under way; then publishers wait. A longer message goes alone.
const MEMORY_BYTES_MAX: u32 = 64 << 20;

/// How long a subscriber may take for a message, besides the time its length gives.
const SUBSCRIBER_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes a second that a subscriber takes at least.
const SUBSCRIBER_RATE_MIN: u64 = 64 << 10;
