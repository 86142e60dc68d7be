//! Numbers of connections: before, during and after, and of elsewhere.

use std::{collections::HashSet, sync::Mutex, thread};

use bowline::{
    Config,
    server::{Attributes, ConnectionId, GroupOptions, Registry, ReservedId},
};
use tokio::io::duplex;

use super::Hall;
use crate::ends::{server, soon};

#[tokio::test]
async fn a_stale_number_names_nothing_however_often_its_place_is_used_again() {
    let hall = Hall::new(GroupOptions::default());
    let mut stale = HashSet::new();
    for _ in 0..3000 {
        let (_client, handle) = hall.join(64);
        assert!(hall.registry.is_open(handle.id()));
        assert!(stale.insert(handle.id()), "no number is given twice");
        handle.abort();
        soon(hall.registry.until_empty()).await;
        assert!(!hall.registry.is_open(handle.id()));
    }
    let places: HashSet<_> = stale.iter().map(|id| place(*id)).collect();
    assert!(places.len() <= 100, "places are used again");
    let live: Vec<_> = (0..200).map(|_| hall.join(64)).collect();
    for id in &stale {
        assert!(hall.registry.get(*id).is_err());
    }
    for (_, handle) in &live {
        assert_eq!(hall.registry.get(handle.id()).as_ref(), Ok(handle));
    }
}

#[tokio::test]
async fn a_number_is_found_exactly_if_it_is_of_a_live_connection_of_this_registry() {
    let hall = Hall::new(GroupOptions::default());
    let connections: Vec<_> = (0..200).map(|_| hall.join(64)).collect();
    let live: HashSet<_> = connections.iter().map(|(_, handle)| handle.id()).collect();
    let check = |number: u64| {
        let id = ConnectionId::from_u64(number);
        assert_eq!(hall.registry.get(id).is_ok(), live.contains(&id), "{id}");
        assert_eq!(hall.registry.is_open(id), live.contains(&id), "{id}");
    };
    for id in &live {
        for bit in 0..64 {
            check(id.as_u64() ^ (1 << bit));
        }
    }
    // A walk over all numbers in steps of the golden ratio.
    for step in 0..100_000_u64 {
        check(step.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    }
    for number in [0, 1, u64::MAX, u64::MAX - 1, i64::MAX.cast_unsigned()] {
        check(number);
    }
}

#[tokio::test]
async fn registries_of_one_program_never_know_each_others_numbers() {
    let halls: Vec<_> = (0..300)
        .map(|_| Hall::new(GroupOptions::default()))
        .collect();
    let connections: Vec<_> = halls.iter().map(|hall| hall.join(64)).collect();
    for (at, hall) in halls.iter().enumerate() {
        for (owner, (_, handle)) in connections.iter().enumerate() {
            assert_eq!(hall.registry.is_open(handle.id()), at == owner);
        }
    }
}

#[tokio::test]
async fn a_reserved_number_is_the_later_connections_and_unknown_until_then() {
    let hall = Hall::new(GroupOptions::default());
    let reserved = hall.registry.reserve().unwrap();
    let id = reserved.id();
    assert!(hall.registry.get(id).is_err() && hall.registry.is_empty());
    let (near, _far) = duplex(64);
    let websocket = server(near, Config::default());
    let handle = hall
        .group
        .adopt_as(reserved, websocket, Attributes::default());
    assert_eq!(handle.id(), id);
    assert_eq!(hall.registry.get(id), Ok(handle));
}

#[test]
fn a_reservation_that_is_dropped_frees_its_place_and_spends_its_number() {
    let registry = Registry::new();
    let reserve = || (0..500).map(|_| registry.reserve().unwrap());
    let first: Vec<_> = reserve().collect();
    let numbers: HashSet<_> = first.iter().map(ReservedId::id).collect();
    let places: HashSet<_> = numbers.iter().map(|id| place(*id)).collect();
    assert_eq!((numbers.len(), places.len()), (500, 500));
    assert!(registry.is_empty(), "a reservation is no connection");
    drop(first);
    for _ in 0..50 {
        let again: Vec<_> = reserve().collect();
        assert!(
            again
                .iter()
                .all(|reserved| !numbers.contains(&reserved.id()))
        );
        let again: HashSet<_> = again.iter().map(|reserved| place(reserved.id())).collect();
        assert!(again.is_subset(&places) || again.len() == 500);
        assert!(again.difference(&places).count() <= 64 * 2);
    }
}

#[test]
fn threads_that_reserve_at_once_get_different_numbers() {
    let registry = Registry::new();
    let all = Mutex::new(HashSet::new());
    let reserve = || {
        for _ in 0..100 {
            let held: Vec<_> = (0..20).map(|_| registry.reserve().unwrap()).collect();
            let mut all = all.lock().unwrap();
            let mut ids = held.iter().map(ReservedId::id);
            assert!(ids.all(|id| all.insert(id)), "no number is given twice");
        }
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(reserve);
        }
    });
}

/// The shard and slot in a number.
fn place(id: ConnectionId) -> u64 {
    id.as_u64() & ((1 << 28) - 1)
}
