//! Several tasks that accept, and a listener that is full.

use std::num::NonZeroUsize;

use bowline::server::{
    Listener, ListenerConfig,
    admission::{Admission, AdmissionReason},
    rules::{RuleSet, Rules},
};
use tokio::net::TcpListener;

use crate::front::{Front, refused_with, told};

const RULES: &str = "allow /*\nroute /* all websocket";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_workers_accept_on_one_port_and_all_of_them_stop() {
    let front = Front::start(RULES, |config| {
        config.workers = NonZeroUsize::new(4).unwrap();
    })
    .await;
    let mut open = Vec::new();
    for _ in 0..32 {
        let mut ws = bowline::connect(&front.url("/")).await.unwrap();
        told(&mut ws).await;
        open.push(ws);
    }
    assert_eq!(front.admission.counts().connection_count, 32);
    drop(front.stop);
    // Nobody is left at the port once the sockets are gone.
    while TcpListener::bind(front.address).await.is_err() {
        tokio::task::yield_now().await;
    }
    for ws in &mut open {
        ws.send("still here").await.unwrap();
        assert_eq!(told(ws).await, "still here");
    }
}

#[tokio::test]
async fn workers_share_a_socket_that_was_bound_before() {
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let rules = Rules::new(RuleSet::parse(RULES).unwrap());
    let mut config = ListenerConfig::new("one".parse().unwrap(), rules, Admission::default());
    config.workers = NonZeroUsize::new(3).unwrap();
    let listener = Listener::from_tcp(tcp, config).unwrap();
    let url = listener.url();
    tokio::spawn(listener.serve(async |_| (), std::future::pending()));
    // The handler drops what comes, so the client sees an end and no refusal.
    assert!(bowline::connect(&url).await.is_err());
}

#[tokio::test]
async fn listeners_that_share_an_admission_are_full_each_by_itself() {
    let admission = Admission::default();
    let small = |config: &mut ListenerConfig| config.connection_count_max = 1;
    let one = Front::start_with(admission.clone(), RULES, small).await;
    let other = Front::start_with(admission.clone(), RULES, small).await;
    let mut first = bowline::connect(&one.url("/")).await.unwrap();
    told(&mut first).await;
    assert_eq!(refused_with(bowline::connect(&one.url("/")).await), 503);
    let (status, answer) = one.get("/", "").await;
    assert_eq!(status, 503);
    assert!(answer.contains("\r\nRetry-After: "), "{answer}");
    assert!(bowline::connect(&other.url("/")).await.is_ok());
    let counters = admission.counters();
    assert_eq!(counters.refused_count(AdmissionReason::ConnectionCount), 2);
    drop(first);
    while one.get("/", "").await.0 != 200 {
        tokio::task::yield_now().await;
    }
}
