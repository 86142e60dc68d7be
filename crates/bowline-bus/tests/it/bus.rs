//! The bus, one behaviour at a time.

use bowline_bus::{
    Bus, BusError, Echo, Limits, Publication, PublishOptions, Retain, Retention, SessionId, Topic,
    TopicFilter, TopicLimits,
};
use bytes::Bytes;

fn filter(text: &str) -> TopicFilter {
    TopicFilter::parse(text, &TopicLimits::default()).unwrap()
}

fn publication(topic: &str, payload: &str) -> Publication {
    Publication {
        topic: Topic::parse(topic, &TopicLimits::default()).unwrap(),
        payload: payload.to_owned().into(),
    }
}

fn publish(bus: &mut Bus, topic: &str, options: PublishOptions) -> Vec<SessionId> {
    bus.publish(publication(topic, "1"), options)
        .unwrap()
        .recipients
        .to_vec()
}

fn keep(bus: &mut Bus, topic: &str, payload: &str) -> Retention {
    let options = PublishOptions {
        retain: Retain::Keep,
        ..PublishOptions::default()
    };
    bus.publish(publication(topic, payload), options)
        .unwrap()
        .retention
}

fn retained(bus: &Bus, text: &str) -> Vec<(String, Bytes)> {
    bus.retained(&filter(text))
        .map(|(topic, payload)| (topic.to_string(), payload.clone()))
        .collect()
}

#[test]
fn a_session_with_several_matching_filters_receives_once() {
    let mut bus = Bus::new(Limits::default());
    let [one, two] = [bus.attach().unwrap(), bus.attach().unwrap()];
    for text in ["#", "a/#", "a/+", "+/b", "a/b"] {
        bus.subscribe(one, filter(text)).unwrap();
    }
    bus.subscribe(two, filter("a/b")).unwrap();
    let recipients = publish(&mut bus, "a/b", PublishOptions::default());
    assert_eq!(recipients, [one, two]);
    assert_eq!(bus.counters().delivered, 2);
}

#[test]
fn a_publisher_hears_itself_only_when_it_asks() {
    let mut bus = Bus::new(Limits::default());
    let [one, two] = [bus.attach().unwrap(), bus.attach().unwrap()];
    for session in [one, two] {
        bus.subscribe(session, filter("#")).unwrap();
    }
    for (echo, recipients) in [(Echo::No, &[two][..]), (Echo::Yes, &[one, two])] {
        let options = PublishOptions {
            publisher: Some(one),
            echo,
            ..PublishOptions::default()
        };
        assert_eq!(publish(&mut bus, "a", options), recipients);
    }
}

#[test]
fn the_payload_is_shared_and_not_copied() {
    let mut bus = Bus::new(Limits::default());
    let publication = publication("a", "[1, 2]");
    let place = publication.payload.as_ptr();
    let delivery = bus.publish(publication, PublishOptions::default()).unwrap();
    assert_eq!(delivery.publication.payload.as_ptr(), place);
}

#[test]
fn a_detached_session_is_gone_and_its_id_stays_stale() {
    let mut bus = Bus::new(Limits::default());
    let old = bus.attach().unwrap();
    bus.subscribe(old, filter("#")).unwrap();
    bus.detach(old).unwrap();
    let new = bus.attach().unwrap();
    assert_ne!(old, new);
    assert_eq!(publish(&mut bus, "a", PublishOptions::default()), []);
    assert_eq!(bus.detach(old), Err(BusError::StaleSession));
    assert_eq!(bus.subscribe(old, filter("a")), Err(BusError::StaleSession));
    assert_eq!(
        bus.unsubscribe(old, &filter("#")),
        Err(BusError::StaleSession)
    );
    let options = PublishOptions {
        publisher: Some(old),
        ..PublishOptions::default()
    };
    assert_eq!(
        bus.publish(publication("a", "1"), options),
        Err(BusError::StaleSession)
    );
    assert_eq!(bus.counters().refused, 1);
}

#[test]
fn subscribing_twice_counts_once() {
    let mut bus = Bus::new(Limits::default());
    let session = bus.attach().unwrap();
    assert_eq!(bus.subscribe(session, filter("a/#")), Ok(true));
    assert_eq!(bus.subscribe(session, filter("a/#")), Ok(false));
    assert_eq!(bus.unsubscribe(session, &filter("a/#")), Ok(true));
    assert_eq!(bus.unsubscribe(session, &filter("a/#")), Ok(false));
    assert_eq!(publish(&mut bus, "a/b", PublishOptions::default()), []);
}

#[test]
fn every_bound_is_a_typed_refusal() {
    let mut bus = Bus::new(Limits {
        sessions_max: 1,
        subscriptions_per_session_max: 1,
        payload_size_max: 3,
        ..Limits::default()
    });
    let session = bus.attach().unwrap();
    assert_eq!(bus.attach(), Err(BusError::SessionsFull { max: 1 }));
    assert_eq!(bus.subscribe(session, filter("a")), Ok(true));
    assert_eq!(
        bus.subscribe(session, filter("b")),
        Err(BusError::SubscriptionsFull { max: 1 })
    );
    assert_eq!(bus.subscribe(session, filter("a")), Ok(false));
    assert_eq!(
        bus.publish(publication("a", "1234"), PublishOptions::default()),
        Err(BusError::PayloadTooLong { size: 4, max: 3 })
    );
    bus.detach(session).unwrap();
    assert!(bus.attach().is_ok());
}

#[test]
fn the_last_retained_value_waits_for_those_who_come_later() {
    let mut bus = Bus::new(Limits::default());
    assert_eq!(keep(&mut bus, "a/t", "20"), Retention::Kept);
    assert_eq!(keep(&mut bus, "a/t", "21"), Retention::Kept);
    assert_eq!(keep(&mut bus, "a", "0"), Retention::Kept);
    assert_eq!(keep(&mut bus, "ab/t", "5"), Retention::Kept);
    assert_eq!(keep(&mut bus, "$SYS/t", "9"), Retention::Kept);
    let pair = |topic: &str, payload: &'static str| (topic.to_owned(), Bytes::from(payload));
    assert_eq!(retained(&bus, "a/#"), [pair("a", "0"), pair("a/t", "21")]);
    assert_eq!(
        retained(&bus, "+/t"),
        [pair("a/t", "21"), pair("ab/t", "5")]
    );
    assert_eq!(retained(&bus, "ab/t"), [pair("ab/t", "5")]);
    assert_eq!(retained(&bus, "#").len(), 3);
    assert_eq!(retained(&bus, "$SYS/#"), [pair("$SYS/t", "9")]);
}

#[test]
fn a_forgotten_value_frees_its_place() {
    let mut bus = Bus::new(Limits::default());
    keep(&mut bus, "a", "1");
    let options = PublishOptions {
        retain: Retain::Forget,
        ..PublishOptions::default()
    };
    let delivery = bus.publish(publication("a", "null"), options).unwrap();
    assert_eq!(delivery.retention, Retention::Forgotten);
    assert_eq!((bus.retained_count(), bus.retained_bytes()), (0, 0));
}

#[test]
fn a_full_store_refuses_and_never_tells_an_old_value_as_the_last() {
    let mut bus = Bus::new(Limits {
        retained_count_max: 2,
        retained_bytes_max: 8,
        ..Limits::default()
    });
    assert_eq!(keep(&mut bus, "a", "1"), Retention::Kept);
    assert_eq!(keep(&mut bus, "b", "1"), Retention::Kept);
    assert_eq!(keep(&mut bus, "c", "1"), Retention::Refused);
    assert_eq!(keep(&mut bus, "a", "2"), Retention::Kept);
    assert_eq!(keep(&mut bus, "a", "12345"), Retention::Kept);
    assert_eq!(bus.retained_bytes(), 8);
    assert_eq!(keep(&mut bus, "a", "123456"), Retention::Refused);
    assert_eq!(retained(&bus, "#"), [("b".to_owned(), Bytes::from("1"))]);
    assert_eq!(bus.counters().retain_refused, 2);
}

#[test]
fn a_retained_value_does_not_hold_on_to_a_larger_buffer() {
    let mut bus = Bus::new(Limits::default());
    let buffer = Bytes::from(vec![b'1'; 4096]);
    let value = Publication {
        topic: Topic::parse("a", &TopicLimits::default()).unwrap(),
        payload: buffer.slice(..1),
    };
    let options = PublishOptions {
        retain: Retain::Keep,
        ..PublishOptions::default()
    };
    drop(bus.publish(value, options).unwrap());
    assert!(buffer.is_unique());
}

#[test]
fn publishing_does_not_walk_over_unrelated_subscriptions() {
    let mut bus = Bus::new(Limits::default());
    let mut visited = Vec::new();
    for _ in 0..100 {
        let session = bus.attach().unwrap();
        for leaf in 0..100 {
            let text = format!("nodes/{}/sensor/{leaf}", session.slot());
            bus.subscribe(session, filter(&text)).unwrap();
            bus.subscribe(session, filter(&format!("other/+/{leaf}")))
                .unwrap();
        }
        let before = bus.counters().nodes_visited;
        assert_eq!(
            publish(&mut bus, "nodes/0/sensor/7", PublishOptions::default()).len(),
            1
        );
        visited.push(bus.counters().nodes_visited - before);
    }
    assert_eq!(visited, [5; 100]);
}

#[test]
fn dropped_deliveries_are_counted() {
    let mut bus = Bus::new(Limits::default());
    bus.record_dropped(3);
    assert_eq!(bus.counters().dropped, 3);
}
