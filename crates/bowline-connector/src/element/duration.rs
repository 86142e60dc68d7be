//! Times such as `5s`.

use std::time::Duration;

/// Reads a whole number with a unit: `ms`, `s`, `min` or `m`, `h`, `d`.
pub(super) fn parse(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let number: u64 = number.parse().ok()?;
    let milliseconds: u64 = match unit.trim() {
        "ms" => 1,
        "s" => 1_000,
        "min" | "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    Some(Duration::from_millis(number.checked_mul(milliseconds)?))
}

/// Writes a time as it would be read.
pub(super) fn show(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    let units = [("h", 3_600_000), ("min", 60_000), ("s", 1_000)];
    for (unit, length) in units {
        if milliseconds > 0 && milliseconds.is_multiple_of(length) {
            return format!("{}{unit}", milliseconds / length);
        }
    }
    format!("{milliseconds}ms")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit() {
        let cases = [
            ("5s", Some(5_000)),
            ("250ms", Some(250)),
            ("2 min", Some(120_000)),
            ("2m", Some(120_000)),
            ("24h", Some(86_400_000)),
            ("1d", Some(86_400_000)),
            ("0s", Some(0)),
            ("5", None),
            ("s", None),
            ("-5s", None),
            ("1.5s", None),
            ("5 parsecs", None),
            ("99999999999999999999s", None),
            ("9999999999999999999h", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), expected.map(Duration::from_millis), "{text}");
        }
        for text in ["5s", "250ms", "2min", "24h", "0ms"] {
            assert_eq!(show(parse(text).unwrap()), text);
        }
    }
}
