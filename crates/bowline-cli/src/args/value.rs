//! Values of options.

use std::{fmt, net::IpAddr, str::FromStr, time::Duration};

/// A header for the request.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl FromStr for Header {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, value) = text
            .split_once(':')
            .ok_or("write NAME: VALUE, for example 'Cookie: a=b'")?;
        Ok(Self {
            name: name.trim().to_owned(),
            value: value.trim().to_owned(),
        })
    }
}

/// A header may hold a password, so its value is not shown.
impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ...", self.name)
    }
}

/// A cookie for the request.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Cookie {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl FromStr for Cookie {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
        Ok(Self {
            name: name.to_owned(),
            value: value.to_owned(),
        })
    }
}

/// Only the name is shown.
impl fmt::Debug for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=...", self.name)
    }
}

/// A name and password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Login {
    pub(crate) name: String,
    pub(crate) password: String,
}

impl FromStr for Login {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, password) = text.split_once(':').ok_or("write NAME:PASSWORD")?;
        Ok(Self {
            name: name.to_owned(),
            password: password.to_owned(),
        })
    }
}

/// The password is not shown.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:...", self.name)
    }
}

/// Where a host is, whatever its name resolves to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resolved {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) address: IpAddr,
}

impl FromStr for Resolved {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Option<(&str, u16, IpAddr)> = (|| {
            let (host, rest) = text.split_once(':')?;
            let (port, address) = rest.split_once(':')?;
            let bare = address.trim_start_matches('[').trim_end_matches(']');
            Some((host, port.parse().ok()?, bare.parse().ok()?))
        })();
        let (host, port, address) =
            parts.ok_or("write HOST:PORT:ADDRESS, for example example.com:443:127.0.0.1")?;
        Ok(Self {
            host: host.to_ascii_lowercase(),
            port,
            address,
        })
    }
}

/// A text that is sent again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Heartbeat {
    pub(crate) interval: Duration,
    pub(crate) text: String,
}

impl FromStr for Heartbeat {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once('=');
        let parts = parts.and_then(|(time, text)| Some((positive_duration(time).ok()?, text)));
        let (interval, text) = parts.ok_or("write TIME=TEXT, for example 30s=ping")?;
        Ok(Self {
            interval,
            text: text.to_owned(),
        })
    }
}

/// What happens after the end of standard input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AfterEof {
    /// The connection is closed.
    Close,
    /// Messages are received until the peer closes.
    Wait,
    /// Messages are received this long.
    For(Duration),
    /// Messages are received until none came for this long.
    Idle(Duration),
}

impl FromStr for AfterEof {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = match text {
            "close" => Some(Self::Close),
            "wait" | "forever" => Some(Self::Wait),
            _ => match text.strip_prefix("idle:") {
                Some(time) => duration(time).map(Self::Idle),
                None => duration(text).map(Self::For),
            },
        };
        parsed.ok_or("write close, wait, a time such as 2s, or idle:2s")
    }
}

/// Reads a time that is not zero.
pub(super) fn positive_duration(text: &str) -> Result<Duration, &'static str> {
    duration(text)
        .filter(|time| !time.is_zero())
        .ok_or("write a time greater than 0, such as 10, 0.5, 500ms, 10s or 2m")
}

/// Reads a time in seconds, or with the unit `ms`, `s`, `m` or `h`; at most a year.
fn duration(text: &str) -> Option<Duration> {
    let units = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];
    let with_unit = units
        .iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)));
    let (number, factor) = with_unit.unwrap_or((text, &1.0));
    let seconds = number.parse::<f64>().ok()? * factor;
    if !(0.0..=SECONDS_MAX).contains(&seconds) {
        return None;
    }
    Some(Duration::from_secs_f64(seconds))
}

/// Reads a number of bytes, plain or with the unit `k`, `M` or `G` of 1024 and its powers.
pub(super) fn byte_count(text: &str) -> Result<u64, &'static str> {
    let units = [("k", 10), ("K", 10), ("M", 20), ("G", 30)];
    let with_unit = units
        .iter()
        .find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, shift)));
    let (number, shift) = with_unit.unwrap_or((text, &0));
    let number = number.parse::<u64>().ok().filter(|number| *number > 0);
    number
        .and_then(|number| number.checked_mul(1 << shift))
        .ok_or("write a number of bytes greater than 0, such as 65536, 64k or 16M")
}

/// Reads how many times as fast as recorded something goes.
pub(super) fn speed(text: &str) -> Result<f64, &'static str> {
    let speed = text.parse().ok();
    speed
        .filter(|speed| (SPEED_MIN..=SPEED_MAX).contains(speed))
        .ok_or("write a number between 0.001 and 1000, such as 2 for twice as fast")
}

const SECONDS_MAX: f64 = 366.0 * 86_400.0;
const SPEED_MIN: f64 = 0.001;
const SPEED_MAX: f64 = 1000.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units_and_are_seconds_without() {
        let cases = [
            ("2", Some(2000)),
            ("0.5", Some(500)),
            ("250ms", Some(250)),
            ("10s", Some(10_000)),
            ("2m", Some(120_000)),
            ("1h", Some(3_600_000)),
            ("-1", None),
            ("1d", None),
            ("", None),
            ("s", None),
            ("NaN", None),
            ("1e300", None),
        ];
        for (text, millis) in cases {
            assert_eq!(duration(text), millis.map(Duration::from_millis), "{text}");
        }
    }

    #[test]
    fn the_end_of_the_input_closes_waits_or_runs_a_clock() {
        let two = Duration::from_secs(2);
        let cases = [
            ("close", Ok(AfterEof::Close)),
            ("wait", Ok(AfterEof::Wait)),
            ("forever", Ok(AfterEof::Wait)),
            ("2", Ok(AfterEof::For(two))),
            ("2s", Ok(AfterEof::For(two))),
            ("idle:2s", Ok(AfterEof::Idle(two))),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<AfterEof>(), expected, "{text}");
        }
        assert!("later".parse::<AfterEof>().is_err());
    }

    #[test]
    fn addresses_of_hosts_may_be_of_both_families() {
        for (text, address) in [
            ("Example.com:443:127.0.0.1", "127.0.0.1"),
            ("example.com:443:[::1]", "::1"),
            ("example.com:443:::1", "::1"),
        ] {
            let resolved: Resolved = text.parse().unwrap();
            assert_eq!((&*resolved.host, resolved.port), ("example.com", 443));
            assert_eq!(resolved.address, address.parse::<IpAddr>().unwrap());
        }
        for text in ["example.com", "a:b:127.0.0.1", "a:1:b", "a:70000:::1"] {
            assert!(text.parse::<Resolved>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_heartbeat_has_a_time_and_a_text() {
        let heartbeat = "30s={\"a\"=1}".parse::<Heartbeat>().unwrap();
        assert_eq!(heartbeat.interval, Duration::from_secs(30));
        assert_eq!(heartbeat.text, "{\"a\"=1}");
        for text in ["ping", "0=ping", "soon=ping"] {
            assert!(text.parse::<Heartbeat>().is_err(), "{text}");
        }
    }

    #[test]
    fn byte_counts_have_units() {
        for (text, count) in [("1", 1), ("64k", 65_536), ("16M", 1 << 24), ("1G", 1 << 30)] {
            assert_eq!(byte_count(text), Ok(count));
        }
        for text in ["0", "-1", "k", "1T", "99999999999999G"] {
            assert!(byte_count(text).is_err(), "{text}");
        }
    }

    #[test]
    fn nothing_secret_shows_in_debug_output() {
        let header: Header = "Authorization: s3cret".parse().unwrap();
        let cookie: Cookie = "id=s3cret".parse().unwrap();
        let login: Login = "me:s3cret".parse().unwrap();
        let shown = format!("{header:?} {cookie:?} {login:?}");
        assert_eq!(shown, "Authorization: ... id=... me:...");
    }
}
