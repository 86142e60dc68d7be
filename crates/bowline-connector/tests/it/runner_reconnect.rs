//! Who makes the next link, and that there is never more than one.

use std::time::Duration;

use bowline_connector::{
    Plan,
    element::{LinkSettings, Reconnect},
    machine::LossClass,
    plan::{LinkId, NotifyParameters, ParameterId},
    runner::LinkState,
};
use tokio::time::sleep;

use crate::{
    runner_device::{Device, Habits, soon},
    runner_fixture::{
        BUTTON, ENDPOINT_WRITE, Element, LEVEL, LINK, LOSS, STATE, options, plan, put, reached,
        settings, to,
    },
    runner_server::{Answer, Server},
};

/// Waits for a state of the link.
async fn reaches(element: &mut Element, wanted: LinkState) {
    element
        .event(|event| reached(event).filter(|(_, state)| *state == wanted))
        .await;
}

#[tokio::test]
async fn by_hand_a_lost_link_stays_lost_until_the_endpoint_is_set_again() {
    let device = Device::start(Habits::default()).await;
    let url = device.url();
    let link = LinkSettings {
        reconnect: Reconnect::Manual,
        ..to("ws://127.0.0.1:1")
    };
    let mut element = Element::start(settings(link), &options());
    element.handle.set(ENDPOINT_WRITE, url).await.unwrap();
    element.becomes(STATE, 1.0).await;
    let port = device.kill().await;
    element.becomes(STATE, 0.0).await;
    let habits = Habits {
        port,
        ..Habits::default()
    };
    let mut device = Device::start(habits).await;
    let link = element.snapshot().await.link(LINK).unwrap().clone();
    assert_eq!((link.state, link.opened), (LinkState::Closed, 1));
    element.handle.press(BUTTON).await.unwrap();
    device.tells("opened").await;
    element.becomes(STATE, 1.0).await;
    element.shutdown().await;
}

#[tokio::test]
async fn by_hand_a_failed_attempt_is_the_only_one() {
    let server = Server::start(|_| Answer::status(503, "")).await;
    let link = LinkSettings {
        reconnect: Reconnect::Manual,
        ..to(server.url())
    };
    let mut element = Element::start(settings(link), &options());
    element.becomes(STATE, 0.0).await;
    element.handle.reconnect(LINK).await.unwrap();
    reaches(&mut element, LinkState::Connecting).await;
    reaches(&mut element, LinkState::Closed).await;
    assert_eq!(server.lines().len(), 2);
    element.shutdown().await;
}

#[tokio::test]
async fn an_empty_endpoint_closes_the_link_and_keeps_it_closed() {
    let server = Server::echo().await;
    let mut element = Element::start(settings(to("ws://127.0.0.1:1")), &options());
    let set = element.handle.set(ENDPOINT_WRITE, server.url()).await;
    set.unwrap();
    element.becomes(STATE, 1.0).await;
    element.handle.set(ENDPOINT_WRITE, "").await.unwrap();
    element.becomes(LOSS, 1000.0).await;
    element.becomes(STATE, 0.0).await;
    let link = element.snapshot().await.link(LINK).unwrap().clone();
    assert_eq!(link.state, LinkState::Closed);
    element.shutdown().await;
}

#[tokio::test]
async fn two_hundred_new_links_leave_no_socket_behind_and_are_never_two_at_once() {
    let server = Server::echo().await;
    let mut element = Element::start(settings(to(server.url())), &options());
    element.becomes(STATE, 1.0).await;
    for _ in 0..200 {
        element.handle.reconnect(LINK).await.unwrap();
        element.becomes(STATE, 0.0).await;
        element.becomes(STATE, 1.0).await;
    }
    assert_eq!(server.lines().len(), 201);
    assert_eq!(server.most(), 1);
    let sockets = |expected: usize| {
        let server = server.clone();
        soon(async move {
            while server.client_sockets() != expected {
                sleep(Duration::from_millis(1)).await;
            }
        })
    };
    sockets(1).await;
    element.shutdown().await;
    sockets(0).await;
}

#[tokio::test]
async fn a_hundred_wishes_at_once_end_in_one_link() {
    let server = Server::echo().await;
    let mut element = Element::start(settings(to(server.url())), &options());
    element.becomes(STATE, 1.0).await;
    for _ in 0..100 {
        element.handle.reconnect(LINK).await.unwrap();
    }
    element.becomes(STATE, 0.0).await;
    element.becomes(STATE, 1.0).await;
    assert_eq!(server.most(), 1);
    element.shutdown().await;
}

#[tokio::test]
async fn a_server_that_does_not_answer_pings_is_given_up() {
    let server = Server::start(|_| Answer::Silence).await;
    let pause = Duration::from_millis(50);
    let link = LinkSettings {
        keepalive: Some((pause, pause)),
        reconnect: Reconnect::Manual,
        ..to(server.url())
    };
    let mut element = Element::start(settings(link), &options());
    element.becomes(STATE, 1.0).await;
    element.becomes(STATE, 0.0).await;
    let link = element.snapshot().await.link(LINK).unwrap().clone();
    assert_eq!(link.last_loss.unwrap().class, LossClass::PingTimeout);
    element.shutdown().await;
}

#[tokio::test]
async fn the_next_endpoint_is_tried_when_one_fails() {
    let server = Server::echo().await;
    let link = LinkSettings {
        endpoints: vec!["ws://127.0.0.1:1".into(), server.url()],
        ..LinkSettings::default()
    };
    let mut element = Element::start(settings(link), &options());
    element.becomes(STATE, 0.0).await;
    element.becomes(STATE, 1.0).await;
    element.shutdown().await;
}

/// The second link of the connector below.
const OTHER: LinkId = LinkId(0);

fn plan_of_two() -> Plan {
    let mut plan = plan();
    let mut link = plan.links.get(LINK).unwrap().clone();
    link.handshake = None;
    link.notify = NotifyParameters {
        connections: Some(LEVEL),
        disconnections: None,
    };
    put(&mut plan.links, OTHER, link);
    plan
}

#[tokio::test]
async fn two_links_of_one_element_live_side_by_side() {
    let (one, two) = (Server::echo().await, Server::echo().await);
    let mut settings = settings(to(one.url()));
    settings.links.insert(OTHER, to(two.url()));
    let mut element = Element::of(plan_of_two(), settings, &options());
    let mut is_open = [false; 2];
    while is_open != [true; 2] {
        let (id, _) = element
            .event(|event| reached(event).filter(|(_, state)| *state == LinkState::Open))
            .await;
        is_open[usize::from(id == OTHER)] = true;
    }
    assert_eq!(one.lines(), ["GET /x-nmos/events/ws HTTP/1.1"]);
    assert_eq!(two.lines(), ["GET / HTTP/1.1"]);
    element.handle.reconnect(OTHER).await.unwrap();
    element.becomes(LEVEL, 0.0).await;
    element.becomes(LEVEL, 1.0).await;
    assert_eq!(element.text(STATE).await, "1", "the other link stays");
    assert_eq!((one.lines().len(), two.lines().len()), (1, 2));
    element.shutdown().await;
}

#[tokio::test]
async fn elements_run_side_by_side() {
    let server = Server::echo().await;
    let mut elements = Vec::new();
    for number in 0..20 {
        let mut settings = settings(to(server.url()));
        settings.name = format!("device-{number}");
        elements.push(Element::start(settings, &options()));
    }
    for element in &mut elements {
        element.becomes(STATE, 1.0).await;
    }
    assert_eq!(server.client_sockets(), 20);
    let unknown = elements[0].handle.assign(ParameterId(999), 1.0).await;
    assert!(unknown.unwrap_err().to_string().contains("parameter 999"));
    for element in elements {
        element.shutdown().await;
    }
}
