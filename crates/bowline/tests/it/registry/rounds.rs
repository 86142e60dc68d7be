//! What handlers broadcast: held back until the batch ends, and to be told from what is not by
//! nothing but the number of writes.

use std::sync::{Arc, Mutex};

use bowline::{
    CloseCode, Message, OutboxLimits, SlowPeer,
    server::{Attributes, Broadcast, ConnectionGroup, ConnectionHandle, GroupOptions},
};
use proptest::{collection::vec, prelude::*};

use super::{Client, Hall, join};
use crate::ends::soon;

/// What a handler does, with the number of a member.
#[derive(Clone, Copy, Debug)]
enum Act {
    Broadcast { len: usize },
    Except(usize),
    Tagged(u64),
    To(usize),
    Send(usize),
    Close(usize),
    Abort(usize),
    Look(usize),
    Join,
}

/// The members of a group whose streams hold so much.
struct Audience {
    hall: Hall,
    stream_len: usize,
    members: Mutex<Vec<(Client, ConnectionHandle)>>,
}

impl Audience {
    fn new(len: usize, stream_len: usize, policy: SlowPeer) -> Arc<Self> {
        let hall = Hall::new(GroupOptions {
            outbox: OutboxLimits {
                messages_max: 8,
                bytes_max: usize::MAX,
                policy,
            },
            ..GroupOptions::default()
        });
        let audience = Self {
            hall,
            stream_len,
            members: Mutex::default(),
        };
        (0..len).for_each(|_| audience.join());
        Arc::new(audience)
    }

    fn join(&self) {
        let member = self.hall.join(self.stream_len);
        let mut members = self.members.lock().unwrap();
        member.1.set_tag(members.len() as u64 % 2);
        members.push(member);
    }

    fn member(&self, number: usize) -> ConnectionHandle {
        let members = self.members.lock().unwrap();
        members[number % members.len()].1.clone()
    }

    /// Acts, with a message that tells of it by its number; says what became of it.
    fn act(&self, number: usize, act: Act) -> Broadcast {
        let group = &self.hall.group;
        let message = |len| Message::text(format!("{number:0len$}"));
        match act {
            Act::Broadcast { len } => return group.broadcast(message(len)),
            Act::Except(n) => return group.broadcast_except(&self.member(n), message(9)),
            Act::Tagged(tag) => return group.broadcast_tagged(tag, message(9)),
            Act::To(n) => {
                let wanted = self.member(n);
                return group.broadcast_to(message(9), |c| *c == wanted);
            }
            Act::Send(n) => self.member(n).post(message(9)),
            Act::Close(n) => self.member(n).close(CloseCode::NORMAL, "").unwrap(),
            Act::Abort(n) => self.member(n).abort(),
            Act::Look(n) => drop(self.member(n).backlog()),
            Act::Join => self.join(),
        }
        Broadcast::default()
    }

    /// Acts in a handler, some acts for each message of one read.
    async fn act_in_handler(
        self: &Arc<Self>,
        acts: Vec<Act>,
        per_message: usize,
    ) -> Vec<Broadcast> {
        let results = Arc::new(Mutex::new(Vec::new()));
        let publishers = self
            .hall
            .groups
            .create("publishers", GroupOptions::default());
        let publishers = publishers.unwrap();
        let (audience, told) = (Arc::clone(self), Arc::clone(&results));
        let messages = acts.len().div_ceil(per_message);
        publishers.on_text(move |connection, _| {
            let mut told = told.lock().unwrap();
            for _ in 0..per_message {
                let number = told.len();
                if let Some(act) = acts.get(number) {
                    told.push(audience.act(number, *act));
                }
            }
            connection.post("acted");
        });
        let (mut client, _) = join(&publishers, 64 << 10, Attributes::default());
        for _ in 0..messages {
            client.send("act").await.unwrap();
        }
        for _ in 0..messages {
            soon(client.recv()).await.unwrap();
        }
        results.lock().unwrap().clone()
    }

    /// Closes everybody and gives what each has heard.
    async fn heard(&self) -> Vec<Vec<String>> {
        let close = |group: &ConnectionGroup| {
            group
                .disconnect_each(CloseCode::NORMAL, "", |_| true)
                .unwrap();
        };
        close(&self.hall.group);
        let members = std::mem::take(&mut *self.members.lock().unwrap());
        let mut heard = Vec::new();
        for (mut client, _) in members {
            let mut words = Vec::new();
            while let Some(message) = soon(client.recv()).await {
                words.push(
                    message
                        .as_text()
                        .unwrap()
                        .trim_start_matches('0')
                        .to_owned(),
                );
            }
            heard.push(words);
        }
        heard
    }
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        6 => (1..200_usize).prop_map(|len| Act::Broadcast { len }),
        1 => (1000..50_000_usize).prop_map(|len| Act::Broadcast { len }),
        3 => (0..6_usize).prop_map(Act::Except),
        1 => (0..3_u64).prop_map(Act::Tagged),
        1 => (0..6_usize).prop_map(Act::To),
        3 => (0..6_usize).prop_map(Act::Send),
        1 => (0..6_usize).prop_map(Act::Close),
        1 => (0..6_usize).prop_map(Act::Abort),
        1 => (0..6_usize).prop_map(Act::Look),
        1 => Just(Act::Join),
    ];
    vec(act, 1..40)
}

fn run<F: Future>(work: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(work)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_handler_is_told_the_same_and_its_peers_hear_the_same_as_without_a_batch(
        acts in acts(),
        per_message in 1..5_usize,
    ) {
        let aborted = acts.iter().any(|act| matches!(act, Act::Abort(_)));
        let expected = run(async {
            let audience = Audience::new(5, 4 << 20, SlowPeer::Wait);
            let counts: Vec<_> = (0..).zip(&acts).map(|(n, act)| audience.act(n, *act)).collect();
            (counts, audience.heard().await)
        });
        let got = run(async {
            let audience = Audience::new(5, 4 << 20, SlowPeer::Wait);
            let counts = audience.act_in_handler(acts.clone(), per_message).await;
            (counts, audience.heard().await)
        });
        prop_assert_eq!(got.0, expected.0);
        // What is aborted before the batch ends has not left yet.
        if !aborted {
            prop_assert_eq!(got.1, expected.1);
        }
    }

    #[test]
    fn what_a_handler_is_told_of_slow_peers_is_what_they_hear(
        acts in acts(),
        per_message in 1..5_usize,
        waits: bool,
    ) {
        let is_told = |act: &Act| !matches!(act, Act::Send(_) | Act::Abort(_));
        let acts: Vec<_> = acts.into_iter().filter(is_told).collect();
        run(async {
            let policy = if waits { SlowPeer::Wait } else { SlowPeer::DropNewest };
            let audience = Audience::new(5, 100, policy);
            let counts = audience.act_in_handler(acts, per_message).await;
            let sent: usize = counts.iter().map(|count| count.sent).sum();
            let heard = audience.heard().await;
            assert_eq!(heard.iter().map(Vec::len).sum::<usize>(), sent);
            for words in heard {
                let numbers = words.iter().map(|word| word.parse::<usize>().unwrap_or_default());
                assert!(numbers.is_sorted(), "{words:?}");
            }
        });
    }
}

#[tokio::test]
async fn broadcasts_of_a_handler_leave_in_one_write_for_each_connection() {
    let hall = Hall::new(GroupOptions::default());
    let (near, far) = crate::wire::wire();
    let websocket = crate::ends::server(near, bowline::Config::default());
    hall.group.adopt(websocket, Attributes::default()).unwrap();
    let publishers = hall.groups.create("publishers", GroupOptions::default());
    let (publishers, group) = (publishers.unwrap(), hall.group.clone());
    publishers.on_text(move |connection, text| {
        assert_eq!(group.broadcast(text.to_owned()).sent, 1);
        connection.post("broadcast");
    });
    let (mut client, _) = join(&publishers, 4 << 10, Attributes::default());
    for word in ["one", "two", "three"] {
        client.send(word).await.unwrap();
    }
    soon(client.recv()).await.unwrap();
    assert_eq!(far.write_count(), 1);
    assert_eq!(far.written(), b"\x81\x03one\x81\x03two\x81\x05three");
}
