//! A range of IP addresses.

use std::{fmt, net::IpAddr, str::FromStr};

/// A range of IP addresses that share their first bits, written `10.0.0.0/8` or `fd00::/8`.
///
/// A single address is a range too. IPv4 addresses in IPv6 form (`::ffff:10.0.0.1`) count as
/// IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AddressRange {
    address: IpAddr,
    prefix_len: u8,
}

impl AddressRange {
    /// Creates the range of all addresses that share their first `prefix_len` bits with an
    /// address. A length beyond the address's own is taken for the whole address.
    pub fn of(address: IpAddr, prefix_len: u8) -> Self {
        let address = address.to_canonical();
        let prefix_len = prefix_len.min(bit_count(address));
        Self {
            address: mask(address, prefix_len),
            prefix_len,
        }
    }

    /// Returns the first address of the range.
    pub const fn address(self) -> IpAddr {
        self.address
    }

    /// Returns how many bits the addresses share.
    pub const fn prefix_len(self) -> u8 {
        self.prefix_len
    }

    /// Tells whether an address is in the range.
    pub fn contains(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4()
            && mask(address, self.prefix_len) == self.address
    }
}

impl From<IpAddr> for AddressRange {
    fn from(address: IpAddr) -> Self {
        Self::of(address, u8::MAX)
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix_len)
    }
}

impl FromStr for AddressRange {
    type Err = AddressRangeError;

    fn from_str(text: &str) -> Result<Self, AddressRangeError> {
        let (address, len) = match text.split_once('/') {
            Some((address, len)) => (address, Some(len)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| AddressRangeError::Address)?;
        let Some(len) = len else {
            return Ok(address.into());
        };
        let is_number = !len.is_empty() && len.bytes().all(|byte| byte.is_ascii_digit());
        let len: u8 = len.parse().map_err(|_| AddressRangeError::PrefixLen)?;
        if !is_number || len > bit_count(address) {
            return Err(AddressRangeError::PrefixLen);
        }
        // An IPv4 address in IPv6 form has 96 bits before it.
        let is_mapped = address.is_ipv6() && address.to_canonical().is_ipv4();
        let len = match (is_mapped, len.checked_sub(MAPPED_LEN)) {
            (false, _) => len,
            (true, Some(len)) => len,
            (true, None) => return Err(AddressRangeError::PrefixLen),
        };
        let range = Self::of(address, len);
        if range.address == address.to_canonical() {
            Ok(range)
        } else {
            Err(AddressRangeError::HostBits(range))
        }
    }
}

/// Says why a text is no range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressRangeError {
    /// The part before the slash is no IP address.
    #[error("a range begins with an IP address")]
    Address,
    /// The part after the slash is no number of bits that fits the address.
    #[error("a range ends with a number of bits: at most 32 for IPv4, 128 for IPv6")]
    PrefixLen,
    /// The address has bits set after the prefix, which is most likely a mistake.
    #[error("the address has bits beyond the prefix: write {0} for the whole range")]
    HostBits(AddressRange),
}

const fn bit_count(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// Clears the bits after the prefix.
fn mask(address: IpAddr, prefix_len: u8) -> IpAddr {
    let shift = u32::from(bit_count(address).saturating_sub(prefix_len));
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(shift).unwrap_or(0);
            IpAddr::V4((v4.to_bits() & mask).into())
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(shift).unwrap_or(0);
            IpAddr::V6((v6.to_bits() & mask).into())
        }
    }
}

/// The bits before the IPv4 address in its IPv6 form.
const MAPPED_LEN: u8 = 96;
