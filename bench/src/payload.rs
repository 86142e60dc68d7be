//! `Kind` and `Size`: what the measured messages carry.

use bytes::Bytes;

/// What a payload consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Random bytes, in a binary message.
    Binary,
    /// JSON of a thermometer, in a text message.
    Ascii,
    /// Words of several scripts, in a text message.
    Multibyte,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Binary, Self::Ascii, Self::Multibyte];

    /// Gives the name used in scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Binary => "binary",
            Self::Ascii => "ascii",
            Self::Multibyte => "multibyte",
        }
    }

    /// Says whether the message is a text message.
    pub const fn is_text(self) -> bool {
        !matches!(self, Self::Binary)
    }

    /// Makes a payload of exactly `size` bytes, the same one every time.
    pub fn payload(self, size: Size) -> Bytes {
        let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15);
        let mut payload = Vec::with_capacity(size.0 + 64);
        while payload.len() < size.0 {
            match self {
                Self::Binary => payload.extend_from_slice(&numbers.next().to_le_bytes()),
                Self::Ascii => payload.extend_from_slice(reading(&mut numbers).as_bytes()),
                Self::Multibyte => payload.extend_from_slice(word(&mut numbers).as_bytes()),
            }
        }
        payload.truncate(size.0);
        if let Some(error) = self
            .is_text()
            .then(|| std::str::from_utf8(&payload).err())
            .flatten()
        {
            // The cut went through a character.
            payload.truncate(error.valid_up_to());
            payload.resize(size.0, b'.');
        }
        payload.into()
    }
}

/// The length of a payload in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub usize);

impl Size {
    /// Every size.
    pub const ALL: [Self; 5] = [
        Self(16),
        Self(125),
        Self(1 << 10),
        Self(16 << 10),
        Self(1 << 20),
    ];

    /// Gives the name used in scenarios.
    pub fn name(self) -> String {
        match self.0 {
            bytes if bytes >= 1 << 20 => format!("{}MiB", bytes >> 20),
            bytes if bytes >= 1 << 10 => format!("{}KiB", bytes >> 10),
            bytes => format!("{bytes}B"),
        }
    }

    /// Gives how many messages one burst holds: about one read of a socket's worth.
    pub fn burst(self) -> usize {
        (BURST_LEN / self.0).clamp(1, BURST_COUNT_MAX)
    }
}

/// A fixed sequence of numbers (xorshift).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

fn reading(numbers: &mut Numbers) -> String {
    format!(
        "[\"node/{}/thermometer/0:{}/temperature\", {}.{:02}]\n",
        numbers.below(40),
        numbers.below(2),
        numbers.below(35),
        numbers.below(100),
    )
}

fn word(numbers: &mut Numbers) -> &'static str {
    WORDS[usize::try_from(numbers.below(WORDS.len() as u64)).expect("there are few words")]
}

const WORDS: [&str; 12] = [
    "θερμοκρασία",
    "температура",
    "温度",
    "気温",
    "온도",
    "درجة",
    "теплота",
    "žluťoučký",
    "größe",
    "🌡️",
    " ",
    "🔌",
];

/// Payload bytes of a burst.
const BURST_LEN: usize = 48 << 10;
/// The most messages of a burst.
const BURST_COUNT_MAX: usize = 1024;
