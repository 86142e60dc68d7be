//! Messages of JSON as devices send them: alike, and no two the same.

use std::fmt::Write as _;

use crate::frames::Random;

/// Makes messages of about `len` bytes, one after the other.
#[derive(Debug)]
pub struct Json {
    len: usize,
    random: Random,
    sequence: u64,
    /// Since midnight, in milliseconds.
    clock: u64,
    /// In thousandths; each sensor wanders by itself.
    values: [i64; SENSORS],
}

impl Json {
    pub fn new(len: usize) -> Self {
        Self {
            len,
            random: Random::default(),
            sequence: 48_213,
            clock: 67_926_123,
            values: std::array::from_fn(|sensor| 18_000 + 731 * sensor as i64),
        }
    }

    /// One reading, or a batch of as many as fit.
    pub fn message(&mut self) -> Vec<u8> {
        let mut text = String::with_capacity(self.len + 128);
        if self.len <= 2 * READING {
            self.reading(&mut text);
            return text.into_bytes();
        }
        let id = self.number();
        write!(
            text,
            r#"{{"batch":"{id:016x}","gateway":"north-2","readings":["#
        )
        .expect("a string takes everything");
        while text.len() + READING < self.len {
            self.reading(&mut text);
            text.push(',');
        }
        self.reading(&mut text);
        text.push_str("]}");
        text.into_bytes()
    }

    fn reading(&mut self, text: &mut String) {
        let number = self.number();
        let sensor = (number % SENSORS as u64) as usize;
        self.sequence += 1;
        self.clock += number >> 8 & 0xff;
        self.values[sensor] += (number >> 16 & 0x1ff) as i64 - 255;
        let value = self.values[sensor] as f64 / 1000.0;
        let (hour, minute) = (self.clock / 3_600_000 % 24, self.clock / 60_000 % 60);
        let (second, milli) = (self.clock / 1000 % 60, self.clock % 1000);
        let is_good = number >> 32 & 0x1f != 0;
        write!(
            text,
            r#"{{"sensor":"hall-{}/press-{sensor}","seq":{},"at":"2026-11-20T{hour:02}:{minute:02}:{second:02}.{milli:03}Z","value":{value:.3},"good":{is_good}}}"#,
            sensor % 4,
            self.sequence,
        )
        .expect("a string takes everything");
    }

    fn number(&mut self) -> u64 {
        u64::from_le_bytes(std::array::from_fn(|_| self.random.byte()))
    }
}

const SENSORS: usize = 40;
/// What a reading takes, in bytes, and no less.
const READING: usize = 108;
