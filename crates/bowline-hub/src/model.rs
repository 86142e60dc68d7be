//! The shards of several workers against one bus, under random transitions.

use std::{collections::BTreeMap, sync::Arc};

use bowline_bus::{Publication, Retain, SessionId, Topic, TopicFilter, TopicLimits};
use proptest::prelude::*;
use tokio::{
    runtime::Builder,
    sync::{Semaphore, mpsc, oneshot},
    task::{JoinHandle, yield_now},
};

use crate::{
    command::{Command, Order, Retained},
    config::Limits,
    exchange::{Entry, exchange},
    participant::{Inbox, inbox},
    shard::Shard,
};

/// Something that happens at one worker.
#[derive(Clone, Debug)]
enum Transition {
    /// A session is attached and subscribed to one filter.
    Subscribe(usize, &'static str),
    /// The program publishes; payloads are numbered for each worker.
    Publish(usize, &'static str, Retain),
    /// The session that was attached as this one publishes at its worker.
    PublishAs(usize, &'static str, Retain),
    /// The workers go on for a while.
    Turns(u8),
}

/// One thing heard: topic and payload.
type Value = (String, String);

/// A publication in the order in which all shards carried it out.
#[derive(Clone, Debug)]
struct Carried {
    value: Value,
    retain: Retain,
    publisher: Option<usize>,
}

struct Subscriber {
    filter: &'static str,
    session: SessionId,
    worker: usize,
    heard: mpsc::Receiver<Publication>,
}

struct Workers {
    commands: Vec<mpsc::Sender<Command>>,
    running: Vec<JoinHandle<Retained>>,
    subscribers: Vec<Subscriber>,
    /// What was published, by payload, which is unique.
    published: BTreeMap<String, Carried>,
    /// Publications of each worker so far.
    counts: Vec<u32>,
}

impl Workers {
    fn start(count: usize) -> Self {
        let mut workers = Self {
            commands: Vec::new(),
            running: Vec::new(),
            subscribers: Vec::new(),
            published: BTreeMap::new(),
            counts: vec![0; count],
        };
        let sessions = Arc::new(Semaphore::new(64));
        for seat in exchange(count, &limits()) {
            let (commands, queue) = mpsc::channel(limits().commands_max);
            let shard = Shard::new(limits(), &[], seat, Arc::clone(&sessions));
            workers.commands.push(commands);
            workers.running.push(tokio::spawn(shard.run(queue)));
        }
        workers
    }

    async fn step(&mut self, transition: &Transition) {
        match *transition {
            Transition::Subscribe(worker, filter) => self.subscribe(worker, filter).await,
            Transition::Publish(worker, topic, retain) => {
                self.publish(worker, topic, retain, None).await;
            }
            Transition::PublishAs(number, topic, retain) => {
                let number = number % self.subscribers.len();
                let worker = self.subscribers[number].worker;
                self.publish(worker, topic, retain, Some(number)).await;
            }
            Transition::Turns(count) => {
                for _ in 0..count {
                    yield_now().await;
                }
            }
        }
    }

    async fn subscribe(&mut self, worker: usize, filter: &'static str) {
        let (joined, answer) = oneshot::channel();
        let (inbox, heard): (Inbox, _) = inbox();
        let order = Order::Hear {
            filter: TopicFilter::parse(filter, &TopicLimits::default()).unwrap(),
            inbox,
            joined,
        };
        self.commands[worker].send(order.into()).await.unwrap();
        self.subscribers.push(Subscriber {
            filter,
            session: answer.await.unwrap().unwrap(),
            worker,
            heard,
        });
    }

    async fn publish(
        &mut self,
        worker: usize,
        topic: &'static str,
        retain: Retain,
        publisher: Option<usize>,
    ) {
        let payload = format!("{worker}.{:04}", self.counts[worker]);
        self.counts[worker] += 1;
        let entry = Entry {
            publisher: publisher.map(|number| self.subscribers[number].session),
            publication: Publication {
                topic: Topic::parse(topic, &TopicLimits::default()).unwrap(),
                payload: payload.clone().into(),
            },
            retain,
        };
        let value = (topic.to_owned(), payload.clone());
        let carried = Carried {
            value,
            retain,
            publisher,
        };
        self.published.insert(payload, carried);
        let command = Command::Publish(entry);
        self.commands[worker].send(command).await.unwrap();
    }

    /// Lets the workers come to rest, and compares them with one bus.
    async fn finish_and_check(self) {
        let mut heard = Vec::new();
        drop(self.commands);
        let mut retained = Vec::new();
        for running in self.running {
            retained.push(values(running.await.unwrap()));
        }
        for mut subscriber in self.subscribers {
            let mut values = Vec::new();
            while let Some(publication) = subscriber.heard.recv().await {
                values.push(value(&publication));
            }
            heard.push((subscriber.filter, values));
        }
        // The first subscriber hears everything from the beginning, and never publishes.
        let order: Vec<Carried> = heard[0]
            .1
            .iter()
            .map(|(_, payload)| self.published[payload].clone())
            .collect();
        assert_eq!(order.len(), self.published.len(), "each is heard once");
        for worker in 0..self.counts.len() {
            let own = format!("{worker}.");
            let payloads = order.iter().map(|carried| &carried.value.1);
            let of_one: Vec<_> = payloads.filter(|p| p.starts_with(&own)).collect();
            assert!(of_one.is_sorted(), "the order of one publisher: {of_one:?}");
        }
        let last = retained_after(&order);
        for of_shard in retained {
            assert_eq!(of_shard, last, "all shards retain the same");
        }
        for (number, (filter, values)) in heard.iter().enumerate() {
            let is_possible =
                (0..=order.len()).any(|joined| expected(&order, joined, filter, number) == *values);
            assert!(is_possible, "{filter} heard {values:?} of {order:?}");
        }
    }
}

/// What one bus tells a session that joins after the first publications: the retained values, then
/// what follows.
fn expected(order: &[Carried], joined: usize, filter: &str, number: usize) -> Vec<Value> {
    let filter = TopicFilter::parse(filter, &TopicLimits::default()).unwrap();
    let matches = |value: &Value| {
        let topic = Topic::parse(&value.0, &TopicLimits::default()).unwrap();
        filter.matches(&topic)
    };
    let (before, after) = order.split_at(joined);
    let retained = retained_after(before).into_iter().filter(matches);
    let later = after
        .iter()
        .filter(|carried| carried.publisher != Some(number))
        .map(|carried| carried.value.clone());
    retained.chain(later.filter(matches)).collect()
}

/// What one bus retains, which has room for two values.
fn retained_after(order: &[Carried]) -> BTreeMap<String, String> {
    let mut retained = BTreeMap::new();
    for carried in order {
        let (topic, payload) = carried.value.clone();
        if carried.retain == Retain::No {
            continue;
        }
        retained.remove(&topic);
        if carried.retain == Retain::Keep && retained.len() < RETAINED_MAX {
            retained.insert(topic, payload);
        }
    }
    retained
}

fn values(retained: Retained) -> BTreeMap<String, String> {
    let publication = |(topic, payload)| value(&Publication { topic, payload });
    retained.values.into_iter().map(publication).collect()
}

fn value(publication: &Publication) -> Value {
    let payload = String::from_utf8_lossy(&publication.payload).into_owned();
    (publication.topic.as_str().to_owned(), payload)
}

/// Bounds so small that workers often wait for each other.
fn limits() -> Limits {
    let mut limits = Limits {
        commands_max: 3,
        forwarded_publications_max: 2,
        ..Limits::default()
    };
    limits.bus.retained_count_max = RETAINED_MAX;
    limits
}

fn transition(workers: usize) -> impl Strategy<Value = Transition> {
    let topic = || prop::sample::select(vec!["a", "b", "a/b"]);
    let filter = prop::sample::select(vec!["#", "a", "a/#", "+", "c"]);
    let retain = || prop::sample::select(vec![Retain::No, Retain::Keep, Retain::Forget]);
    prop_oneof![
        2 => (0..workers, filter).prop_map(|(w, f)| Transition::Subscribe(w, f)),
        8 => (0..workers, topic(), retain()).prop_map(|(w, t, r)| Transition::Publish(w, t, r)),
        4 => (1..8_usize, topic(), retain()).prop_map(|(s, t, r)| Transition::PublishAs(s, t, r)),
        4 => (1..8_u8).prop_map(Transition::Turns),
    ]
}

fn script() -> impl Strategy<Value = (usize, Vec<Transition>)> {
    (1..4_usize).prop_flat_map(|workers| {
        let transitions = prop::collection::vec(transition(workers), 0..60);
        (Just(workers), transitions)
    })
}

/// Runs a script; the first subscriber is a witness, who hears everything and publishes nothing.
async fn run(workers: usize, transitions: &[Transition]) {
    let mut workers = Workers::start(workers);
    workers.subscribe(0, "#").await;
    for transition in transitions {
        let is_witness = |number: usize| number.is_multiple_of(workers.subscribers.len());
        if !matches!(transition, Transition::PublishAs(number, ..) if is_witness(*number)) {
            workers.step(transition).await;
        }
    }
    workers.finish_and_check().await;
}

proptest! {
    #[test]
    fn several_workers_do_what_one_bus_does((workers, transitions) in script()) {
        let runtime = Builder::new_current_thread().build().unwrap();
        runtime.block_on(run(workers, &transitions));
    }

    #[test]
    fn several_threads_do_what_one_bus_does((workers, transitions) in script()) {
        let runtime = Builder::new_multi_thread().worker_threads(3).build().unwrap();
        runtime.block_on(run(workers, &transitions));
    }
}

const RETAINED_MAX: usize = 2;
