//! The managed client on plain threads.

use std::{
    thread,
    time::{Duration, Instant},
};

use bowline::{
    CloseCode, Error, Message,
    blocking::{Client, Listener, RecvError},
    managed::{self, ClientEvent, DeliveryStatus},
};

const LONG: Duration = Duration::from_secs(30);

#[test]
fn a_plain_thread_keeps_a_link_over_a_restart_and_knows_what_was_sent() {
    let listener = Listener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let serving = thread::spawn(move || {
        let mut first = listener.accept().unwrap();
        assert_eq!(first.recv().unwrap(), Some(Message::text("one")));
        first.abort();
        let mut second = listener.accept().unwrap();
        while let Some(message) = second.recv().unwrap() {
            second.send(message).unwrap();
        }
        second.ending().unwrap().is_clean()
    });
    let builder = managed::Client::builder(&url).unwrap();
    let mut client = Client::start(builder.with_policy(super::at_once())).unwrap();
    client.opened_within(LONG).unwrap().unwrap();
    let mut one = client.send("one");
    assert_eq!(client.fate_within(LONG, &mut one), Ok(DeliveryStatus::Sent));
    let mut log = Vec::new();
    while !matches!(log.last(), Some(ClientEvent::LinkClosed(_))) {
        log.extend(client.recv_timeout(LONG).unwrap());
    }
    assert!(matches!(log[0], ClientEvent::Open(_)), "{log:?}");
    client.opened_within(LONG).unwrap().unwrap();
    drop(client.send_with_room("two").unwrap());
    let message = loop {
        if let Some(ClientEvent::Message(message)) = client.recv().unwrap() {
            break message;
        }
    };
    assert_eq!(message, Message::text("two"));
    let quiet = Instant::now();
    let nothing = client.recv_timeout(Duration::from_millis(20));
    assert_eq!(nothing.unwrap_err(), RecvError::TimedOut);
    assert!(quiet.elapsed() >= Duration::from_millis(20));
    client.close(CloseCode::NORMAL, "").unwrap();
    assert!(serving.join().unwrap());
    while client.recv_timeout(LONG).unwrap().is_some() {}
    assert!(client.state().is_closed());
}

#[tokio::test]
async fn inside_of_a_runtime_a_call_that_waits_says_so() {
    let builder = managed::Client::builder("ws://127.0.0.1:9/").unwrap();
    let mut client = Client::start(builder).unwrap();
    assert_eq!(client.recv().unwrap_err(), RecvError::InsideRuntime);
    let close = client.close(CloseCode::NORMAL, "");
    assert!(matches!(close, Err(Error::InsideRuntime)));
}
