//! What a simulated device does, as its file says.

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use super::template::Template;
use crate::exit::Failure;

/// A script.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Script {
    /// The path that is served; any if absent.
    pub(crate) path: Option<String>,
    /// The subprotocol to agree on, when offered.
    pub(crate) subprotocol: Option<String>,
    /// Who is refused.
    refuse: Option<Refuse>,
    /// What happens when a link opens or a message arrives; the first rule that fits.
    #[serde(default)]
    pub(crate) on: Vec<On>,
    /// What happens again and again.
    #[serde(default)]
    pub(crate) every: Vec<Every>,
    #[serde(skip)]
    refused: AtomicU32,
}

/// Refuses opening handshakes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refuse {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The body.
    #[serde(default)]
    pub(crate) body: String,
    /// How many; all if absent.
    pub(crate) first: Option<u32>,
}

/// A rule for what arrives.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct On {
    /// When the link opens.
    #[serde(default)]
    pub(crate) open: bool,
    /// A message that is exactly this text.
    pub(crate) text: Option<String>,
    /// A message with this text in it.
    pub(crate) contains: Option<String>,
    /// A JSON message that has at least these values.
    pub(crate) json: Option<Value>,
    /// What is done.
    #[serde(flatten)]
    pub(crate) does: Does,
}

/// A rule of time.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Every {
    /// How often.
    #[serde(deserialize_with = "time")]
    pub(crate) interval: Duration,
    /// The messages, one each time, in turn.
    pub(crate) send: Vec<Template>,
}

/// What a rule does.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Does {
    /// How long it waits first.
    #[serde(default, deserialize_with = "time")]
    pub(crate) after: Duration,
    /// The messages it sends, all of them.
    #[serde(default)]
    pub(crate) send: Vec<Template>,
    /// The code it closes with; 1006 drops the connection without a word.
    pub(crate) close: Option<u16>,
}

impl Script {
    /// Reads and checks a script.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let wrong = |what: String| Failure::File {
            path: path.to_owned(),
            what,
        };
        let text = read_bounded(path).map_err(|error| wrong(error.to_string()))?;
        let script: Self = toml::from_str(&text).map_err(|error| wrong(placed(&text, &error)))?;
        script.check().map_err(wrong)?;
        Ok(script)
    }

    fn check(&self) -> Result<(), String> {
        if let Some(path) = &self.path
            && !path.starts_with('/')
        {
            return Err(format!("the path {path:?} must begin with a slash"));
        }
        for (index, on) in self.on.iter().enumerate() {
            let conditions = [
                on.open,
                on.text.is_some(),
                on.contains.is_some(),
                on.json.is_some(),
            ];
            if conditions.iter().filter(|given| **given).count() != 1 {
                let n = index + 1;
                return Err(format!(
                    "rule {n} of [[on]] needs one of open = true, text, contains and json"
                ));
            }
            if let Some(code) = on.does.close
                && code != DROPPED
                && bowline::Close::new(bowline::CloseCode(code), "").is_err()
            {
                return Err(format!("{code} is not a close code that can be sent"));
            }
        }
        for (index, every) in self.every.iter().enumerate() {
            if every.send.is_empty() || every.interval.is_zero() {
                let n = index + 1;
                return Err(format!(
                    "rule {n} of [[every]] needs an interval and messages"
                ));
            }
        }
        Ok(())
    }

    /// Says how the next opening handshake is refused, if it is.
    pub(crate) fn take_refusal(&self) -> Option<&Refuse> {
        let refuse = self.refuse.as_ref()?;
        let before = self.refused.fetch_add(1, Ordering::Relaxed);
        refuse
            .first
            .is_none_or(|first| before < first)
            .then_some(refuse)
    }
}

impl On {
    /// Says whether the rule is for this message.
    pub(crate) fn fits(&self, text: &str, json: Option<&Value>) -> bool {
        if let Some(wanted) = &self.text {
            return text == wanted;
        }
        if let Some(part) = &self.contains {
            return text.contains(part.as_str());
        }
        match (&self.json, json) {
            (Some(wanted), Some(json)) => is_within(wanted, json),
            (_, None) | (None, _) => false,
        }
    }
}

/// Says whether `whole` has every value of `part`.
fn is_within(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => part
            .iter()
            .all(|(key, value)| whole.get(key).is_some_and(|found| is_within(value, found))),
        (part, whole) => part == whole,
    }
}

/// Reads a file, and no more than its bound of what is none: a device has no length.
fn read_bounded(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let mut file = File::open(path)?.take(SCRIPT_LEN_MAX + 1);
    file.read_to_string(&mut text)?;
    if text.len() as u64 > SCRIPT_LEN_MAX {
        let what = format!("the file is longer than {SCRIPT_LEN_MAX} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
    }
    Ok(text)
}

/// Says what is wrong, and in which line and column.
fn placed(text: &str, error: &toml::de::Error) -> String {
    let message = error.message();
    let Some(before) = error.span().and_then(|span| text.get(..span.start)) else {
        return message.to_owned();
    };
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    format!("line {line}, column {column}: {message}")
}

/// Reads a time such as `250ms`, `5s` or `1.5s`.
fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    struct Text;
    impl de::Visitor<'_> for Text {
        type Value = Duration;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a time such as \"250ms\" or \"5s\"")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Duration, E> {
            let seconds = match text.strip_suffix("ms") {
                Some(number) => number.trim().parse::<f64>().map(|ms| ms / 1000.0),
                None => text.strip_suffix('s').unwrap_or_default().trim().parse(),
            };
            match seconds {
                Ok(seconds) if (0.0..=TIME_MAX).contains(&seconds) => {
                    Ok(Duration::from_secs_f64(seconds))
                }
                Ok(_) | Err(_) => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
            }
        }
    }
    deserializer.deserialize_str(Text)
}

/// The close code that stands for a connection that broke.
pub(crate) const DROPPED: u16 = 1006;
const SCRIPT_LEN_MAX: u64 = 1 << 20;
const TIME_MAX: f64 = 86_400.0;
