//! Admission: limits of the server, of addresses and of prefixes, and the decision on a request.

use std::{
    net::IpAddr,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use bowline::proto::handshake::{HeadLimits, HttpVersion, RequestHead};
use bowline::server::admission::{
    Admission, AdmissionLimits, AdmissionOptions, AdmissionReason, AdmissionRefusal, Counts,
    Permit, Rate,
};

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn with_limits(limits: AdmissionLimits) -> Admission {
    Admission::new(AdmissionOptions {
        limits,
        ..AdmissionOptions::default()
    })
}

/// Limits that nothing in these tests reaches.
pub(crate) fn wide() -> AdmissionLimits {
    AdmissionLimits {
        connection_count_max: u32::MAX,
        handshake_count_max: u32::MAX,
        address_connection_count_max: u32::MAX,
        prefix_connection_count_max: u32::MAX,
        address_rate: Rate::UNLIMITED,
        prefix_rate: Rate::UNLIMITED,
        ..AdmissionLimits::default()
    }
}

fn reason(admitted: Result<Permit, AdmissionRefusal>) -> Option<AdmissionReason> {
    admitted.err().map(|refusal| refusal.reason())
}

pub(crate) fn head(fields: &[(&str, &str)]) -> RequestHead {
    let fields = fields.iter().map(|(name, value)| (*name, value.as_bytes()));
    RequestHead::from_parts(
        "GET",
        "/chat?room=1",
        HttpVersion::Http11,
        fields,
        HeadLimits::default(),
    )
    .unwrap()
}

#[test]
fn connections_and_handshakes_of_the_server_are_bounded() {
    let now = Instant::now();
    let admission = with_limits(AdmissionLimits {
        connection_count_max: 3,
        handshake_count_max: 2,
        ..wide()
    });
    let mut first = admission.admit(ip("192.0.2.1"), now).unwrap();
    let second = admission.admit(ip("192.0.2.2"), now).unwrap();
    let busy = admission.admit(ip("192.0.2.3"), now);
    assert_eq!(reason(busy), Some(AdmissionReason::HandshakeCount));
    first.end_handshake();
    first.end_handshake();
    let third = admission.admit(ip("192.0.2.3"), now).unwrap();
    drop(second);
    assert_eq!(admission.counts().connection_count, 2);
    let fourth = admission.admit(ip("192.0.2.4"), now).unwrap();
    let full = admission.admit(ip("192.0.2.5"), now).unwrap_err();
    assert_eq!(full.reason(), AdmissionReason::ConnectionCount);
    // The client refused before has the first place, one second from now.
    assert_eq!((full.status(), full.retry_after_secs()), (503, Some(2)));
    drop((first, third, fourth));
    assert_eq!(admission.counts(), Counts::default());
}

#[test]
fn connections_of_addresses_and_prefixes_are_bounded() {
    use AdmissionReason::{AddressConnectionCount, PrefixConnectionCount};
    let now = Instant::now();
    let admission = with_limits(AdmissionLimits {
        address_connection_count_max: 2,
        prefix_connection_count_max: 3,
        ..wide()
    });
    let mut permits = Vec::new();
    for (address, refused) in [
        ("192.0.2.1", None),
        ("192.0.2.1", None),
        ("192.0.2.1", Some(AddressConnectionCount)),
        ("::ffff:192.0.2.1", Some(AddressConnectionCount)),
        ("192.0.2.255", None),
        ("192.0.2.9", Some(PrefixConnectionCount)),
        ("192.0.3.9", None),
        ("2001:db8::1", None),
        ("2001:db8::2", None),
        ("2001:db8::ffff:0:0:1", None),
        ("2001:db8::3", Some(PrefixConnectionCount)),
        ("2001:db8:0:1::3", None),
    ] {
        let admitted = admission.admit(ip(address), now);
        match refused {
            None => permits.push(admitted.unwrap()),
            Some(_) => assert_eq!(reason(admitted), refused, "{address}"),
        }
    }
    let counts = admission.counts_of(ip("192.0.2.1"), now);
    assert_eq!(
        (
            counts.address_connection_count,
            counts.prefix_connection_count
        ),
        (2, 3)
    );
    permits.clear();
    assert_eq!(admission.counts_of(ip("192.0.2.1"), now), Counts::default());
    let counters = admission.counters();
    assert_eq!(counters.admitted_count(), 8);
    assert_eq!(counters.refused_count(AddressConnectionCount), 2);
    assert_eq!(counters.refused_count(PrefixConnectionCount), 2);
    assert_eq!(counters.refused_count(AdmissionReason::AddressRate), 0);
}

#[test]
fn rate_has_a_burst_and_tells_when_to_come_back() {
    let start = Instant::now();
    let admission = with_limits(AdmissionLimits {
        address_rate: Rate {
            interval: Duration::from_secs(10),
            burst: 3,
        },
        ..wide()
    });
    // Seconds from the start, and the seconds to wait where it is refused.
    for (at, wait) in [
        (0, None),
        (0, None),
        (0, None),
        (0, Some(10)),
        (4, Some(6)),
        (10, None),
        (10, Some(10)),
        (19, Some(1)),
        (20, None),
        (3_600, None),
        (3_600, None),
        (3_600, None),
        (3_601, Some(9)),
    ] {
        let now = start + Duration::from_secs(at);
        match (admission.admit(ip("192.0.2.1"), now), wait) {
            (Ok(_), None) => {}
            (Err(refusal), Some(wait)) => {
                assert_eq!(refusal.reason(), AdmissionReason::AddressRate);
                assert_eq!(
                    (refusal.status(), refusal.retry_after_secs()),
                    (429, Some(wait)),
                    "at {at}"
                );
            }
            (admitted, _) => panic!("at {at}: {admitted:?}"),
        }
    }
    assert!(admission.admit(ip("192.0.2.2"), start).is_ok());
}

#[test]
fn rate_of_a_prefix_binds_its_addresses_together() {
    let now = Instant::now();
    let admission = with_limits(AdmissionLimits {
        prefix_rate: Rate::per_second(2, 2),
        ..wide()
    });
    assert!(admission.admit(ip("2001:db8::1"), now).is_ok());
    assert!(admission.admit(ip("2001:db8::2"), now).is_ok());
    let refusal = admission.admit(ip("2001:db8::3"), now).unwrap_err();
    assert_eq!(refusal.reason(), AdmissionReason::PrefixRate);
    // Half a second, rounded up to the unit of the field.
    assert_eq!(refusal.retry_after_secs(), Some(1));
    assert!(admission.admit(ip("2001:db8:0:1::1"), now).is_ok());
    let later = now + Duration::from_millis(500);
    assert!(admission.admit(ip("2001:db8::3"), later).is_ok());
}

#[test]
fn time_that_goes_back_and_extreme_rates_do_no_harm() {
    let now = Instant::now() + Duration::from_secs(1_000);
    for rate in [
        Rate::UNLIMITED,
        Rate::per_second(0, 0),
        Rate::per_minute(u32::MAX, u32::MAX),
        Rate {
            interval: Duration::MAX,
            burst: u32::MAX,
        },
        Rate {
            interval: Duration::MAX,
            burst: 0,
        },
    ] {
        let admission = with_limits(AdmissionLimits {
            address_rate: rate,
            ..wide()
        });
        assert!(admission.admit(ip("192.0.2.1"), now).is_ok(), "{rate:?}");
        let before = now.checked_sub(Duration::from_mins(15)).unwrap();
        let again = admission.admit(ip("192.0.2.1"), before);
        assert!(again.is_ok() || rate != Rate::UNLIMITED);
        drop(again);
        assert_eq!(admission.counts(), Counts::default());
    }
}

#[test]
fn full_server_spreads_the_times_at_which_clients_come_back() {
    let now = Instant::now();
    let admission = with_limits(AdmissionLimits {
        connection_count_max: 0,
        ..wide()
    });
    let wait = |now| {
        let refusal = admission.admit(ip("192.0.2.1"), now).unwrap_err();
        refusal.retry_after().unwrap()
    };
    let millis: Vec<_> = (0..3).map(|_| wait(now).as_millis()).collect();
    assert_eq!(millis, [1_000, 1_010, 1_020]);
    for _ in 0..10_000 {
        wait(now);
    }
    assert_eq!(wait(now), Duration::from_mins(1));
    assert_eq!(wait(now + Duration::from_mins(2)), Duration::from_secs(1));
}

#[test]
fn flood_of_addresses_does_not_reset_the_limits_of_anyone() {
    let now = Instant::now();
    let limits = AdmissionLimits {
        tracked_count_max: 64,
        address_rate: Rate {
            interval: Duration::from_hours(1),
            burst: 2,
        },
        ..wide()
    };
    let admission = with_limits(limits);
    let victim = ip("192.0.2.1");
    assert!(admission.admit(victim, now).is_ok());
    assert!(admission.admit(victim, now).is_ok());
    for number in 0..10_000u32 {
        drop(admission.admit(IpAddr::from((0x0A00_0000 | number).to_be_bytes()), now));
    }
    // Whoever used up the rate is still remembered, and in no account is there more than a burst.
    assert_eq!(
        reason(admission.admit(victim, now)),
        Some(AdmissionReason::AddressRate)
    );
    let admitted = admission.counters().admitted_count();
    assert!(admitted <= 2 * (64 + 1_024), "{admitted}");
    // Once all is rested, newcomers have places of their own again.
    let later = now + Duration::from_hours(3);
    for number in 0..10_000u32 {
        let address = IpAddr::from((0x0B00_0000 | number).to_be_bytes());
        let later = later + Duration::from_hours(3) * number;
        assert!(admission.admit(address, later).is_ok());
        assert!(admission.admit(address, later).is_ok());
        assert!(admission.admit(address, later).is_err());
    }
}

#[test]
fn open_connections_keep_their_place_in_a_full_table() {
    let now = Instant::now();
    let admission = with_limits(AdmissionLimits {
        tracked_count_max: 4,
        address_connection_count_max: 1,
        ..wide()
    });
    let addresses: Vec<_> = (1..=200u8)
        .map(|last| IpAddr::from([10, 0, last, 1]))
        .collect();
    let permits: Vec<_> = addresses
        .iter()
        .filter_map(|address| admission.admit(*address, now).ok())
        .collect();
    for permit in &permits {
        let address = permit.address().unwrap();
        let refused = reason(admission.admit(address, now));
        assert_eq!(refused, Some(AdmissionReason::AddressConnectionCount));
    }
    drop(permits);
    assert_eq!(admission.counts(), Counts::default());
    for address in addresses {
        let counts = admission.counts_of(address, now);
        assert_eq!(counts, Counts::default(), "{address}");
        assert!(admission.admit(address, now).is_ok());
    }
}

#[test]
fn place_given_to_another_address_is_not_shared_with_the_old_one() {
    let now = Instant::now();
    let admission = with_limits(AdmissionLimits {
        tracked_count_max: 1,
        address_connection_count_max: 1,
        ..wide()
    });
    assert!(admission.admit(ip("192.0.2.1"), now).is_ok());
    let other = admission.admit(ip("198.51.100.1"), now).unwrap();
    let first = admission.admit(ip("192.0.2.1"), now).unwrap();
    let refusal = admission.admit(ip("192.0.2.1"), now).unwrap_err();
    assert_eq!(refusal.reason(), AdmissionReason::AddressConnectionCount);
    assert_eq!(refusal.retry_after_secs(), Some(1));
    drop((first, other));
}

#[test]
fn place_that_becomes_free_does_not_double_a_limit() {
    let now = Instant::now();
    let admission = with_limits(AdmissionLimits {
        tracked_count_max: 1,
        address_connection_count_max: 1,
        ..wide()
    });
    let first = admission.admit(ip("192.0.2.1"), now).unwrap();
    let second = admission.admit(ip("198.51.100.1"), now).unwrap();
    drop(first);
    assert_eq!(
        reason(admission.admit(ip("198.51.100.1"), now)),
        Some(AdmissionReason::AddressConnectionCount)
    );
    drop(second);
    assert!(admission.admit(ip("198.51.100.1"), now).is_ok());
}

#[test]
fn no_table_at_all_still_bounds_everyone() {
    let now = Instant::now();
    let admission = with_limits(AdmissionLimits {
        tracked_count_max: 0,
        address_connection_count_max: 1,
        ..wide()
    });
    let permit = admission.admit(ip("192.0.2.1"), now).unwrap();
    assert!(admission.admit(ip("192.0.2.1"), now).is_err());
    drop(permit);
    assert!(admission.admit(ip("192.0.2.1"), now).is_ok());
}

#[test]
fn exempt_addresses_have_the_limits_of_the_server_only() {
    let now = Instant::now();
    let admission = with_limits(AdmissionLimits {
        connection_count_max: 3,
        address_connection_count_max: 1,
        exempt_ranges: vec!["127.0.0.0/8".parse().unwrap()],
        ..wide()
    });
    let permits: Vec<_> = (0..3)
        .map(|_| admission.admit(ip("127.0.0.1"), now).unwrap())
        .collect();
    assert_eq!(
        reason(admission.admit(ip("127.0.0.1"), now)),
        Some(AdmissionReason::ConnectionCount)
    );
    drop(permits);
    assert_eq!(admission.counts(), Counts::default());
}

#[test]
fn permits_give_back_what_they_count_from_any_thread() {
    let admission = with_limits(wide());
    let now = Instant::now();
    let (give, take) = mpsc::channel::<Permit>();
    let dropping = thread::spawn(move || take.into_iter().count());
    let admitting: Vec<_> = (0..4u8)
        .map(|thread| {
            let (admission, give) = (admission.clone(), give.clone());
            thread::spawn(move || {
                for last in 0..=u8::MAX {
                    let address = IpAddr::from([192, 0, thread % 2, last]);
                    let mut permit = admission.admit(address, now).unwrap();
                    permit.end_handshake();
                    give.send(permit).unwrap();
                }
            })
        })
        .collect();
    for thread in admitting {
        thread.join().unwrap();
    }
    drop(give);
    assert_eq!(dropping.join().unwrap(), 1_024);
    assert_eq!(admission.counts(), Counts::default());
    assert_eq!(admission.counters().admitted_count(), 1_024);
}

#[test]
fn refusals_are_whole_answers() {
    let now = Instant::now();
    let admission = with_limits(AdmissionLimits {
        connection_count_max: 0,
        ..wide()
    });
    let refusal = admission.admit(ip("192.0.2.1"), now).unwrap_err();
    let mut answer = bytes::BytesMut::new();
    refusal.write(&mut answer);
    assert_eq!(
        str::from_utf8(&answer).unwrap(),
        "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Length: 19\r\n\r\nthe server is full\n"
    );
}

#[test]
fn reasons_have_numbers_and_statuses_that_stay() {
    let listed: Vec<_> = AdmissionReason::ALL
        .iter()
        .map(|reason| (reason.code(), reason.status()))
        .collect();
    assert_eq!(
        listed,
        [
            (110, 503),
            (111, 503),
            (120, 429),
            (121, 429),
            (122, 429),
            (123, 429),
            (124, 429),
            (125, 429),
            (130, 403),
            (131, 400),
            (140, 403),
            (141, 500)
        ]
    );
    assert!(size_of::<AdmissionRefusal>() <= 32);
}
