//! The bus against a naive one, under random transitions.

use std::collections::{BTreeMap, BTreeSet};

use bowline_bus::{
    Bus, BusError, Echo, Limits, Publication, PublishOptions, Retain, SessionId, Topic, TopicFilter,
};
use proptest::prelude::*;

/// One call of the bus; sessions are named by the order in which they were attached.
#[derive(Clone, Debug)]
enum Transition {
    Attach,
    Detach(usize),
    Subscribe(usize, String),
    Unsubscribe(usize, String),
    Publish {
        publisher: Option<usize>,
        topic: String,
        payload: String,
        retain: Retain,
        echo: Echo,
    },
    AskRetained(String),
}

/// The obvious bus: it looks at every subscription and every value.
#[derive(Default)]
struct NaiveBus {
    /// By order of attachment; none once detached.
    sessions: Vec<Option<BTreeSet<String>>>,
    retained: BTreeMap<String, String>,
}

impl NaiveBus {
    fn attach(&mut self) -> bool {
        let fits = self.sessions.iter().flatten().count() < LIMITS.sessions_max as usize;
        if fits {
            self.sessions.push(Some(BTreeSet::new()));
        }
        fits
    }

    fn filters(&mut self, session: usize) -> Result<&mut BTreeSet<String>, BusError> {
        let session = self.sessions.get_mut(session).and_then(Option::as_mut);
        session.ok_or(BusError::StaleSession)
    }

    fn subscribe(&mut self, session: usize, filter: &str) -> Result<bool, BusError> {
        let filters = self.filters(session)?;
        if filters.contains(filter) {
            return Ok(false);
        }
        let max = LIMITS.subscriptions_per_session_max;
        if filters.len() == max {
            return Err(BusError::SubscriptionsFull { max });
        }
        Ok(filters.insert(filter.to_owned()))
    }

    fn retain(&mut self, topic: &str, payload: &str, retain: Retain) {
        if retain == Retain::No {
            return;
        }
        self.retained.remove(topic);
        if retain == Retain::Forget {
            return;
        }
        self.retained.insert(topic.to_owned(), payload.to_owned());
        if self.retained.len() > LIMITS.retained_count_max
            || self.retained_bytes() > LIMITS.retained_bytes_max
        {
            self.retained.remove(topic);
        }
    }

    fn retained_bytes(&self) -> usize {
        self.retained.iter().map(|(t, p)| t.len() + p.len()).sum()
    }

    fn recipients(&self, topic: &str, publisher: Option<usize>, echo: Echo) -> BTreeSet<usize> {
        let subscribed = |filters: &BTreeSet<String>| filters.iter().any(|f| selects(f, topic));
        (0..self.sessions.len())
            .filter(|&session| self.sessions[session].as_ref().is_some_and(subscribed))
            .filter(|&session| echo == Echo::Yes || publisher != Some(session))
            .collect()
    }
}

/// The definition of matching, written once more and as plainly as possible.
fn selects(filter: &str, topic: &str) -> bool {
    fn levels_select(filter: &[&str], topic: &[&str]) -> bool {
        match (filter.split_first(), topic.split_first()) {
            (Some((&"#", _)), _) | (None, None) => true,
            (Some((first, filter)), Some((name, topic))) => {
                (*first == "+" || first == name) && levels_select(filter, topic)
            }
            (None, Some(_)) | (Some(_), None) => false,
        }
    }
    let filter: Vec<_> = filter.split('/').collect();
    let topic: Vec<_> = topic.split('/').collect();
    let hidden = topic[0].starts_with('$') && ["+", "#"].contains(&filter[0]);
    !hidden && levels_select(&filter, &topic)
}

/// Runs both and compares them after every transition.
fn run(transitions: &[Transition]) {
    let mut naive = NaiveBus::default();
    let mut bus = Bus::new(LIMITS);
    let mut ids: Vec<SessionId> = Vec::new();
    for transition in transitions {
        step(transition, &mut naive, &mut bus, &mut ids);
        let attached = naive.sessions.iter().flatten().count();
        assert_eq!(bus.session_count(), attached);
        assert_eq!(bus.retained_count(), naive.retained.len());
        assert_eq!(bus.retained_bytes(), naive.retained_bytes());
    }
}

fn step(transition: &Transition, naive: &mut NaiveBus, bus: &mut Bus, ids: &mut Vec<SessionId>) {
    match transition {
        Transition::Attach => {
            let id = bus.attach();
            assert_eq!(id.is_ok(), naive.attach());
            ids.extend(id);
        }
        Transition::Detach(session) => {
            let Some(&id) = ids.get(*session) else { return };
            let expected = naive.filters(*session).map(|_| ());
            assert_eq!(bus.detach(id), expected);
            naive.sessions[*session] = None;
        }
        Transition::Subscribe(session, text) => {
            let Some(&id) = ids.get(*session) else { return };
            assert_eq!(
                bus.subscribe(id, filter(text)),
                naive.subscribe(*session, text)
            );
        }
        Transition::Unsubscribe(session, text) => {
            let Some(&id) = ids.get(*session) else { return };
            let expected = naive.filters(*session).map(|filters| filters.remove(text));
            assert_eq!(bus.unsubscribe(id, &filter(text)), expected);
        }
        Transition::Publish { .. } => publish(transition, naive, bus, ids),
        Transition::AskRetained(text) => {
            let expected: Vec<_> = naive
                .retained
                .iter()
                .filter(|(topic, _)| selects(text, topic))
                .map(|(topic, payload)| (topic.as_str(), payload.as_bytes()))
                .collect();
            let filter = filter(text);
            let found: Vec<_> = bus
                .retained(&filter)
                .map(|(topic, payload)| (topic.as_str(), payload.as_ref()))
                .collect();
            assert_eq!(found, expected);
        }
    }
}

fn publish(transition: &Transition, naive: &mut NaiveBus, bus: &mut Bus, ids: &[SessionId]) {
    let Transition::Publish {
        publisher,
        topic,
        payload,
        retain,
        echo,
    } = transition
    else {
        unreachable!("the caller has a Publish");
    };
    let publisher = publisher.filter(|session| *session < ids.len());
    let publication = Publication {
        topic: Topic::parse(topic, &LIMITS.topic).unwrap(),
        payload: payload.clone().into(),
    };
    let options = PublishOptions {
        publisher: publisher.map(|session| ids[session]),
        retain: *retain,
        echo: *echo,
        ..PublishOptions::default()
    };
    let result = bus.publish(publication, options);
    if payload.len() > LIMITS.payload_size_max {
        assert!(matches!(result, Err(BusError::PayloadTooLong { .. })));
        return;
    }
    if publisher.is_some_and(|session| naive.sessions[session].is_none()) {
        assert_eq!(result, Err(BusError::StaleSession));
        return;
    }
    naive.retain(topic, payload, *retain);
    let delivery = result.unwrap();
    assert!(delivery.recipients.is_sorted());
    let mut expected: Vec<_> = naive
        .recipients(topic, publisher, *echo)
        .into_iter()
        .map(|session| ids[session])
        .collect();
    expected.sort();
    assert_eq!(delivery.recipients, expected);
}

fn filter(text: &str) -> TopicFilter {
    TopicFilter::parse(text, &LIMITS.topic).unwrap()
}

/// Few names and small bounds, so that transitions meet each other.
fn topic_text() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(vec!["a", "b", "", "$s"]), 1..5)
        .prop_map(|levels| levels.join("/"))
        .prop_filter("a topic is not empty", |text| !text.is_empty())
}

fn filter_text() -> impl Strategy<Value = String> {
    let level = prop::sample::select(vec!["a", "b", "", "$s", "+", "+"]);
    (prop::collection::vec(level, 0..4), any::<bool>())
        .prop_map(|(mut levels, rest)| {
            levels.extend(rest.then_some("#"));
            levels.join("/")
        })
        .prop_filter("a filter is not empty", |text| !text.is_empty())
}

fn transition() -> impl Strategy<Value = Transition> {
    let session = 0..8_usize;
    let publish = (
        prop::option::of(session.clone()),
        topic_text(),
        "x{0,6}",
        prop::sample::select(vec![Retain::No, Retain::Keep, Retain::Keep, Retain::Forget]),
        prop::sample::select(vec![Echo::No, Echo::Yes]),
    );
    prop_oneof![
        2 => Just(Transition::Attach),
        1 => session.clone().prop_map(Transition::Detach),
        6 => (session.clone(), filter_text()).prop_map(|(s, f)| Transition::Subscribe(s, f)),
        2 => (session, filter_text()).prop_map(|(s, f)| Transition::Unsubscribe(s, f)),
        8 => publish.prop_map(|(publisher, topic, payload, retain, echo)| Transition::Publish {
            publisher, topic, payload, retain, echo,
        }),
        2 => filter_text().prop_map(Transition::AskRetained),
    ]
}

proptest! {
    #[test]
    fn the_bus_does_what_a_naive_one_does(
        transitions in prop::collection::vec(transition(), 0..120),
    ) {
        run(&transitions);
    }

    #[test]
    fn matching_is_as_defined(filter_text in filter_text(), topic_text in topic_text()) {
        let topic = Topic::parse(&topic_text, &LIMITS.topic).unwrap();
        prop_assert_eq!(filter(&filter_text).matches(&topic), selects(&filter_text, &topic_text));
    }
}

const LIMITS: Limits = Limits {
    topic: bowline_bus::TopicLimits {
        length_max: 64,
        level_length_max: 8,
        levels_max: 8,
    },
    sessions_max: 4,
    subscriptions_per_session_max: 3,
    payload_size_max: 5,
    retained_count_max: 4,
    retained_bytes_max: 24,
};
