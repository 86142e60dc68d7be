//! Parts of the program that publish and subscribe without a connection.

use bowline::{
    Connector, Endpoint,
    server::{Attributes, ConnectionGroup, GroupOptions, Registry},
};
use bowline_hub::{Heard, ParticipantError, Retain, Subscription};

use super::support::{Hub, settle, text};

async fn heard(subscription: &mut Subscription) -> (String, String) {
    match subscription.recv().await {
        Some(Heard::Publication(publication)) => (
            publication.topic.as_str().to_owned(),
            String::from_utf8_lossy(&publication.payload).into_owned(),
        ),
        other => panic!("{other:?}"),
    }
}

fn pair(topic: &str, payload: &str) -> (String, String) {
    (topic.to_owned(), payload.to_owned())
}

#[tokio::test]
async fn what_the_program_publishes_connections_hear_and_find_again() {
    let hub = Hub::start().await;
    let mut listener = hub.join("").await;
    settle(&mut listener).await;
    hub.participant
        .publish("tank/level", "21.5", Retain::Keep)
        .await
        .unwrap();
    assert_eq!(text(&mut listener).await, "[\"tank/level\", 21.5]\n");
    let mut late = hub.join("tank").await;
    assert_eq!(text(&mut late).await, "[\"level\", 21.5]\n");
}

#[tokio::test]
async fn the_program_hears_what_its_filter_matches_and_the_last_values_first() {
    let hub = Hub::start().await;
    let participant = &hub.participant;
    for (topic, level) in [("tank/1/level", "1"), ("tank/2/level", "2")] {
        participant
            .publish(topic, level, Retain::Keep)
            .await
            .unwrap();
    }
    let mut levels = participant.subscribe("tank/+/level").await.unwrap();
    let mut found = [heard(&mut levels).await, heard(&mut levels).await];
    found.sort();
    assert_eq!(
        found,
        [pair("tank/1/level", "1"), pair("tank/2/level", "2")]
    );
    let mut page = hub.join("").await;
    page.send(r#"["tank/1/name", "a"]"#).await.unwrap();
    page.send(r#"["tank/1/level", 3]"#).await.unwrap();
    assert_eq!(heard(&mut levels).await, pair("tank/1/level", "3"));
}

#[tokio::test]
async fn a_subscriber_that_does_not_listen_is_told_how_much_it_lost() {
    let hub = Hub::start().await;
    let mut slow = hub.participant.subscribe("n").await.unwrap();
    let beyond = 5;
    for n in 0..Subscription::WAITING_MAX + beyond {
        let published = hub.participant.publish("n", n.to_string(), Retain::No);
        published.await.unwrap();
    }
    // The bus carries commands out in order, so that one answered now comes after all of them.
    drop(hub.participant.subscribe("other").await.unwrap());
    assert_eq!(slow.recv().await, Some(Heard::Lost(beyond as u64)));
    for n in 0..Subscription::WAITING_MAX {
        assert_eq!(heard(&mut slow).await, pair("n", &n.to_string()));
    }
}

#[tokio::test]
async fn a_subscription_that_is_dropped_leaves_room_for_others() {
    let mut config = bowline_hub::Config::default();
    config.limits.bus.sessions_max = 1;
    let hub = Hub::start_with(config).await;
    for _ in 0..3 {
        let subscription = hub.participant.subscribe("#").await.unwrap();
        let second = hub.participant.subscribe("#").await;
        assert!(
            matches!(second, Err(ParticipantError::Bus(_))),
            "{second:?}"
        );
        drop(subscription);
    }
}

#[tokio::test]
async fn a_call_to_subscribe_that_is_dropped_with_its_answer_leaves_room_for_others() {
    let mut config = bowline_hub::Config::default();
    config.limits.bus.sessions_max = 1;
    let hub = Hub::start_with(config).await;
    let mut asked = Box::pin(hub.participant.subscribe("#"));
    // It may be answered at once.
    let early = tokio::select! {
        biased;
        early = &mut asked => Some(early),
        () = async {} => None,
    };
    // It is asked after the other one, which has the only place.
    let second = hub.participant.subscribe("#").await;
    assert!(
        matches!(second, Err(ParticipantError::Bus(_))),
        "{second:?}"
    );
    drop((asked, early));
    hub.participant.subscribe("#").await.unwrap();
}

#[tokio::test]
async fn a_payload_that_is_too_long_is_an_error() {
    let mut config = bowline_hub::Config::default();
    config.limits.bus.payload_size_max = 4;
    let hub = Hub::start_with(config).await;
    let publish = |payload| hub.participant.publish("a", payload, Retain::No);
    assert_eq!(publish("1234").await, Ok(()));
    let error = publish("12345").await.unwrap_err();
    assert_eq!(error.to_string(), "the payload has 5 bytes; the limit is 4");
}

#[tokio::test]
async fn bad_topics_and_a_stopped_hub_are_errors() {
    let hub = Hub::start().await;
    let participant = hub.participant.clone();
    let error = participant
        .publish("a/#", "1", Retain::No)
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("\"a/#\" cannot be used here: "),
        "{error}"
    );
    assert!(matches!(
        participant.subscribe("a/#/b").await,
        Err(ParticipantError::Topic { .. })
    ));
    let mut subscription = participant.subscribe("#").await.unwrap();
    hub.stop().await;
    assert_eq!(subscription.recv().await, None);
    let late = participant.publish("a", "1", Retain::No).await;
    assert_eq!(late, Err(ParticipantError::Stopped));
}

#[tokio::test]
async fn what_pages_publish_reaches_a_group_of_the_program() {
    let hub = Hub::start().await;
    let group = ConnectionGroup::new("screens", Registry::new(), GroupOptions::default());
    let (near, far) = tokio::io::duplex(1 << 16);
    let (mut screen, accepted) = tokio::join!(
        async {
            let endpoint = Endpoint::parse("ws://screens/").unwrap();
            let connector = Connector::default();
            connector.connect_on(&endpoint, near).await.unwrap()
        },
        async { bowline::accept(far).await.unwrap() },
    );
    group.adopt(accepted, Attributes::default()).unwrap();
    let participant = hub.participant.clone();
    let broadcasting = tokio::spawn(async move { participant.broadcast("news/#", &group).await });
    let mut page = hub.join("").await;
    page.send(r#"["news/first", {"n": 1}]"#).await.unwrap();
    let told = screen.recv().await.unwrap();
    assert_eq!(told.as_text(), Some(r#"{"n": 1}"#));
    drop((page, screen));
    hub.stop().await;
    assert_eq!(broadcasting.await.unwrap(), Ok(()));
}
