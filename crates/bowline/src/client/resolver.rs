//! Finding the addresses of a name.

use std::{fmt, io, net::SocketAddr};

use futures_core::future::BoxFuture;
use tokio::net::lookup_host;

/// Finds the addresses of a name.
///
/// The default asks the operating system. Implement it to ask somebody else, or in a test.
pub trait Resolver: fmt::Debug + Send + Sync {
    /// Gives the addresses of `host`, the most wanted one first, each with `port`. `host` is never
    /// an IP address.
    ///
    /// At most [`ADDRESS_COUNT_MAX`] are tried. The future is dropped at the deadline.
    fn resolve<'a>(
        &'a self,
        host: &'a str,
        port: u16,
    ) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>>;
}

/// Asks the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve<'a>(
        &'a self,
        host: &'a str,
        port: u16,
    ) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok(lookup_host((host, port)).await?.collect()) })
    }
}

/// Orders addresses for a race: the families take turns, beginning with that of the first address
/// (RFC 8305 section 4), and what is over [`ADDRESS_COUNT_MAX`] is left out.
pub(super) fn interleave(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == first_is_v6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut ordered = Vec::new();
    while ordered.len() < ADDRESS_COUNT_MAX {
        let pair = [first.next(), second.next()];
        if pair == [None, None] {
            break;
        }
        ordered.extend(pair.into_iter().flatten());
    }
    ordered.truncate(ADDRESS_COUNT_MAX);
    ordered
}

/// How many addresses of a name are tried at most. Names of busy services have about eight of each
/// family.
pub const ADDRESS_COUNT_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(list: &[&str]) -> Vec<SocketAddr> {
        list.iter()
            .map(|address| SocketAddr::new(address.parse().unwrap(), 80))
            .collect()
    }

    #[test]
    fn families_take_turns_beginning_with_the_first() {
        let cases: [(&[&str], &[&str]); 5] = [
            (&[], &[]),
            (&["::1"], &["::1"]),
            (
                &["::1", "::2", "::3", "1.0.0.1", "1.0.0.2"],
                &["::1", "1.0.0.1", "::2", "1.0.0.2", "::3"],
            ),
            (
                &["1.0.0.1", "1.0.0.2", "::1"],
                &["1.0.0.1", "::1", "1.0.0.2"],
            ),
            (&["1.0.0.2", "1.0.0.1"], &["1.0.0.2", "1.0.0.1"]),
        ];
        for (given, expected) in cases {
            assert_eq!(interleave(addresses(given)), addresses(expected));
        }
    }

    #[test]
    fn a_name_with_very_many_addresses_is_cut() {
        let many = vec![addresses(&["::1"])[0]; 1000];
        assert_eq!(interleave(many).len(), ADDRESS_COUNT_MAX);
    }
}
