//! What waits for an application that takes its time, and how much of it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bowline::{
    CloseCode, Config, Ending, Keepalive, Message, Metrics, ReceiveLevel, ReceiveLimits,
    ReceiveMark, WebSocket,
    server::{
        Attributes, ConnectionGroup, ConnectionHandle, GroupOptions, GroupTable, GroupTableLimits,
        HandlerKind, Registry,
    },
};
use bowline_testkit::Frame;
use tokio::{sync::Semaphore, time::sleep};

use crate::{
    ends::{settle, soon, wired_server, wired_server_with},
    wire::{Far, Wire},
};

fn limits(warn: usize, stop: usize) -> ReceiveLimits {
    let mark = |messages| ReceiveMark {
        messages,
        bytes: 1 << 20,
    };
    ReceiveLimits {
        warn: mark(warn),
        stop: mark(stop),
    }
}

fn push_numbers(far: &Far, numbers: std::ops::Range<u32>) {
    for number in numbers {
        far.push_masked(Frame::new(Frame::TEXT, number.to_string()));
    }
}

/// A group whose handler needs a permit for each message.
struct Desk {
    group: ConnectionGroup,
    permits: Arc<Semaphore>,
    heard: Arc<Mutex<Vec<String>>>,
    metrics: Arc<Metrics>,
}

impl Desk {
    fn new(receive: ReceiveLimits) -> Self {
        let groups = GroupTable::new(Registry::new(), GroupTableLimits::default());
        let options = GroupOptions {
            receive,
            ..GroupOptions::default()
        };
        let desk = Self {
            group: groups.create("desk", options).unwrap(),
            permits: Arc::new(Semaphore::new(0)),
            heard: Arc::default(),
            metrics: Arc::default(),
        };
        let (permits, heard) = (Arc::clone(&desk.permits), Arc::clone(&desk.heard));
        desk.group.on_message(move |connection, message| {
            let (permits, heard) = (Arc::clone(&permits), Arc::clone(&heard));
            async move {
                assert_eq!(ConnectionHandle::current(), Some(connection));
                permits.acquire().await.unwrap().forget();
                note(&heard, message.as_text().unwrap_or("binary"));
            }
        });
        let heard = Arc::clone(&desk.heard);
        desk.group.on_disconnect(move |_, ending: &Ending| {
            note(&heard, &format!("over: {}", ending.code.0));
        });
        desk
    }

    fn adopt(&self, ws: WebSocket<Wire>) -> ConnectionHandle {
        let ws = ws.with_metrics(&self.metrics);
        self.group.adopt(ws, Attributes::default()).unwrap()
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    async fn handle(&self, count: usize) {
        self.permits.add_permits(count);
        settle().await;
    }
}

fn note(heard: &Mutex<Vec<String>>, what: &str) {
    heard.lock().unwrap().push(what.to_owned());
}

#[tokio::test(start_paused = true)]
async fn a_queue_stops_reading_at_its_mark_and_loses_nothing() {
    let metrics = Arc::new(Metrics::new());
    let (ws, far) = wired_server();
    let (_sender, receiver) = ws.with_metrics(&metrics).split();
    let mut queue = receiver.queued(limits(3, 6));
    push_numbers(&far, 0..100);
    settle().await;
    let waiting = queue.waiting();
    assert_eq!((waiting.messages, waiting.bytes), (6, 6));
    assert_eq!(waiting.level, ReceiveLevel::Stopped);
    assert_eq!((waiting.warnings, waiting.stops), (1, 1));
    let counted = metrics.snapshot();
    assert_eq!((counted.receive_warnings, counted.receive_stops), (1, 1));

    let reads = far.read_count();
    push_numbers(&far, 100..110);
    settle().await;
    assert_eq!(far.read_count(), reads, "nothing is read");
    for number in 0..3 {
        assert_eq!(queue.try_recv(), Some(Message::text(number.to_string())));
        settle().await;
        assert_eq!(queue.waiting().stops, 1, "three are not less than three");
    }
    for number in 3..110 {
        let message = soon(queue.recv()).await;
        assert_eq!(message, Some(Message::text(number.to_string())));
    }
    far.push_masked(Frame::close(1000, ""));
    far.end();
    assert_eq!(soon(queue.recv()).await, None);
    assert_eq!(queue.ending().unwrap().code, CloseCode::NORMAL);
    assert!(far.is_dropped());
}

#[tokio::test(start_paused = true)]
async fn a_queue_answers_pings_while_nobody_takes_messages() {
    let (ws, far) = wired_server();
    let (_sender, receiver) = ws.split();
    let queue = receiver.queued(ReceiveLimits::default());
    push_numbers(&far, 0..5);
    far.push_masked(Frame::new(Frame::PING, "there?"));
    settle().await;
    assert_eq!(far.frames()[0].payload, b"there?");
    assert_eq!(queue.waiting().messages, 5);
    drop(queue);
    settle().await;
    assert!(!far.is_dropped(), "the sending half is left");
}

#[tokio::test(start_paused = true)]
async fn dropping_a_queue_and_the_sender_lets_go_of_the_stream() {
    let (ws, far) = wired_server();
    let (sender, receiver) = ws.split();
    let queue = receiver.queued(limits(1, 1));
    push_numbers(&far, 0..5);
    settle().await;
    drop((queue, sender));
    settle().await;
    assert!(far.is_dropped());
}

#[tokio::test(start_paused = true)]
async fn messages_wait_for_a_handler_and_reading_stops_until_there_is_less() {
    let desk = Desk::new(limits(4, 8));
    let (ws, far) = wired_server();
    desk.adopt(ws);
    push_numbers(&far, 0..50);
    settle().await;
    // They came in one read, of which the rest was left.
    assert_eq!(desk.metrics.snapshot().messages_in, 8);
    let reads = far.read_count();
    push_numbers(&far, 50..60);
    desk.handle(3).await;
    assert_eq!(far.read_count(), reads, "four are not less than four");
    desk.handle(1).await;
    let counted = desk.metrics.snapshot();
    assert_eq!((counted.receive_warnings, counted.receive_stops), (2, 2));
    far.push_masked(Frame::close(1000, ""));
    far.end();
    desk.handle(55).await;
    let last = desk.heard().len();
    assert_eq!(last, 59, "disconnect waits for the last message");
    desk.handle(1).await;
    let numbers = (0..60).map(|number| number.to_string());
    let all: Vec<_> = numbers.chain(["over: 1000".to_owned()]).collect();
    assert_eq!(desk.heard(), all);
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_leaves_while_nothing_is_read() {
    let desk = Desk::new(limits(1, 2));
    let keepalive = Keepalive {
        interval: Duration::from_secs(1),
        timeout: Duration::from_secs(1),
    };
    let config = Config {
        keepalive: Some(keepalive),
        ..Config::default()
    };
    let (ws, far) = wired_server_with(config);
    let handle = desk.adopt(ws);
    push_numbers(&far, 0..10);
    settle().await;
    far.limit(0);
    for _ in 0..3 {
        handle.try_send(vec![7; 100_000]).unwrap();
    }
    settle().await;
    far.unlimit();
    sleep(Duration::from_mins(1)).await;
    assert_eq!(far.payloads().concat(), vec![7; 300_000]);
    assert!(handle.is_open(), "whoever is not read is not silent");
    desk.handle(10).await;
    assert_eq!(desk.heard().len(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_not_read_can_be_closed_and_aborted() {
    for aborts in [true, false] {
        let desk = Desk::new(limits(1, 2));
        let (ws, far) = wired_server();
        let handle = desk.adopt(ws);
        push_numbers(&far, 0..10);
        settle().await;
        if aborts {
            handle.abort();
            settle().await;
            assert_eq!(desk.heard(), ["over: 1006"]);
        } else {
            handle.close(CloseCode::NORMAL, "enough").unwrap();
            sleep(Duration::from_secs(6)).await;
            assert!(far.is_dropped(), "the peer had 5 s for its close frame");
            desk.handle(3).await;
            assert_eq!(desk.heard(), ["0", "1", "over: 1006"]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn no_message_overtakes_one_that_is_being_handled_whatever_its_handler() {
    let desk = Desk::new(ReceiveLimits::default());
    let heard = Arc::clone(&desk.heard);
    desk.group
        .on_binary(move |_, payload| note(&heard, &format!("binary {payload:?}")));
    let (ws, far) = wired_server();
    desk.adopt(ws);
    far.push_masked(Frame::new(Frame::BINARY, [0]));
    push_numbers(&far, 1..2);
    far.push_masked(Frame::new(Frame::BINARY, [2]));
    push_numbers(&far, 3..4);
    settle().await;
    assert_eq!(desk.heard(), ["binary [0]"]);
    desk.handle(1).await;
    assert_eq!(desk.heard(), ["binary [0]", "1", "binary [2]"]);
    // A message that waits meets the handlers of the time when it is handled.
    push_numbers(&far, 4..5);
    settle().await;
    let heard = Arc::clone(&desk.heard);
    desk.group.on_text(move |_, _| note(&heard, "text"));
    desk.group.remove_handler(HandlerKind::Message);
    desk.handle(1).await;
    assert_eq!(desk.heard()[3..], ["3", "text"]);
}

#[test]
fn a_queue_whose_runtime_is_gone_gives_what_it_has_and_ends() {
    let runtime = || tokio::runtime::Builder::new_current_thread().build();
    let first = runtime().unwrap();
    let (mut queue, far) = first.block_on(async {
        let (ws, far) = wired_server();
        let (_sender, receiver) = ws.split();
        let queue = receiver.queued(ReceiveLimits::default());
        push_numbers(&far, 0..1);
        while queue.waiting().messages == 0 {
            tokio::task::yield_now().await;
        }
        (queue, far)
    });
    drop(first);
    runtime().unwrap().block_on(async {
        assert_eq!(queue.recv().await, Some(Message::text("0")));
        assert_eq!(queue.recv().await, None);
    });
    drop(far);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_panics_while_it_waits_closes_with_1011() {
    let desk = Desk::new(ReceiveLimits::default());
    desk.group.on_message(|_, _| async {
        tokio::task::yield_now().await;
        panic!("on purpose");
    });
    let (ws, far) = wired_server();
    desk.adopt(ws);
    push_numbers(&far, 0..3);
    settle().await;
    assert_eq!(far.frames()[0].payload[..2], 1011_u16.to_be_bytes());
    far.push_masked(Frame::close(1011, ""));
    far.end();
    settle().await;
    assert_eq!(desk.heard(), ["over: 1011"]);
}
