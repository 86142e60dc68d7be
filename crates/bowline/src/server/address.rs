//! Ranges of network addresses.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr},
    str::FromStr,
};

use ipnet::{IpNet, Ipv4Net};
use thiserror::Error;

/// A range of addresses of one family.
///
/// Written as one address, as a network (`10.0.0.0/8`, `10.0.0.0/255.0.0.0`, `2001:db8::/32`) or
/// as first and last address (`192.0.2.10-192.0.2.19`). IPv4 addresses that an IPv6 socket shows
/// as `::ffff:192.0.2.1` count as IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AddressRange(Form);

impl AddressRange {
    /// Makes a range of one address.
    pub const fn single(address: IpAddr) -> Self {
        Self(Form::Single(address.to_canonical()))
    }

    /// Makes a range of its first and last address.
    ///
    /// # Errors
    /// [`AddressError`] when the two are of different families or in the wrong order.
    pub fn between(first: IpAddr, last: IpAddr) -> Result<Self, AddressError> {
        let (first, last) = (first.to_canonical(), last.to_canonical());
        if first.is_ipv4() != last.is_ipv4() {
            Err(AddressError::Families)
        } else if first > last {
            Err(AddressError::Order)
        } else {
            Ok(Self(Form::Between(first, last)))
        }
    }

    /// Tells whether an address is in the range.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        match self.0 {
            Form::Single(single) => single == address,
            Form::Network(network) => network.contains(&address),
            Form::Between(first, last) => {
                first.is_ipv4() == address.is_ipv4() && (first..=last).contains(&address)
            }
        }
    }
}

impl FromStr for AddressRange {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let address = |text: &str| text.parse::<IpAddr>().map_err(|_| AddressError::Syntax);
        if let Some((first, last)) = text.split_once('-') {
            return Self::between(address(first)?, address(last)?);
        }
        if text.contains('/') {
            return Ok(Self(Form::Network(network(text)?)));
        }
        Ok(Self::single(address(text)?))
    }
}

/// The form that is read back as the same range.
impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Form::Single(address) => write!(f, "{address}"),
            Form::Network(network) => write!(f, "{network}"),
            Form::Between(first, last) => write!(f, "{first}-{last}"),
        }
    }
}

/// Says why a text is no range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AddressError {
    /// The text has none of the forms of a range.
    #[error(
        "write an address (192.0.2.1), a network (192.0.2.0/24) or first-last \
         (192.0.2.1-192.0.2.9), without blanks"
    )]
    Syntax,
    /// A network's address has bits beyond its prefix.
    #[error("the address has bits beyond the prefix: write {0} for the network")]
    HostBits(AddressRange),
    /// A network of IPv4 addresses is written as one of IPv6.
    #[error("write networks of IPv4 addresses in the form of IPv4")]
    Mapped,
    /// First and last address are of different families.
    #[error("first and last address are of different families")]
    Families,
    /// The first address comes after the last.
    #[error("the first address comes after the last")]
    Order,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Form {
    Single(IpAddr),
    Network(IpNet),
    Between(IpAddr, IpAddr),
}

fn network(text: &str) -> Result<IpNet, AddressError> {
    let (address, mask) = text.split_once('/').ok_or(AddressError::Syntax)?;
    let network = if let Ok(mask) = mask.parse::<Ipv4Addr>() {
        let address = address.parse().map_err(|_| AddressError::Syntax)?;
        Ipv4Net::with_netmask(address, mask)
            .map_err(|_| AddressError::Syntax)?
            .into()
    } else {
        text.parse::<IpNet>().map_err(|_| AddressError::Syntax)?
    };
    if network.addr() != network.network() {
        return Err(AddressError::HostBits(AddressRange(Form::Network(
            network.trunc(),
        ))));
    }
    if network.addr().to_canonical() != network.addr() {
        return Err(AddressError::Mapped);
    }
    Ok(network)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_their_addresses_and_no_others() {
        for (range, inside, outside) in [
            ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
            ("192.0.2.1", "::ffff:192.0.2.1", "::192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1", "::1"),
            ("10.0.0.0/8", "10.255.255.255", "11.0.0.0"),
            ("10.0.0.0/8", "::ffff:10.1.2.3", "::ffff:11.1.2.3"),
            ("10.0.0.0/255.0.0.0", "10.0.0.0", "9.255.255.255"),
            ("0.0.0.0/0", "255.255.255.255", "::"),
            ("::/0", "::1", "192.0.2.1"),
            ("2001:db8::/32", "2001:db8:ffff::", "2001:db9::"),
            ("192.0.2.10-192.0.2.19", "192.0.2.19", "192.0.2.20"),
            ("192.0.2.10-192.0.2.19", "192.0.2.10", "192.0.2.9"),
            ("::1-::5", "::3", "0.0.0.3"),
        ] {
            let parsed: AddressRange = range.parse().unwrap();
            assert!(parsed.contains(inside.parse().unwrap()), "{range} {inside}");
            assert!(
                !parsed.contains(outside.parse().unwrap()),
                "{range} {outside}"
            );
            assert_eq!(parsed.to_string().parse(), Ok(parsed));
        }
    }

    #[test]
    fn what_is_no_range_is_refused_with_the_reason() {
        for (text, error) in [
            ("", AddressError::Syntax),
            ("localhost", AddressError::Syntax),
            ("10.0.0", AddressError::Syntax),
            ("10.0.0.0/33", AddressError::Syntax),
            ("10.0.0.0/255.0.255.0", AddressError::Syntax),
            ("10.0.0.1 - 10.0.0.2", AddressError::Syntax),
            (
                "10.0.0.7/8",
                AddressError::HostBits("10.0.0.0/8".parse().unwrap()),
            ),
            ("::ffff:10.0.0.0/104", AddressError::Mapped),
            ("10.0.0.1-::1", AddressError::Families),
            ("10.0.0.2-10.0.0.1", AddressError::Order),
        ] {
            assert_eq!(text.parse::<AddressRange>(), Err(error), "{text}");
        }
    }
}
