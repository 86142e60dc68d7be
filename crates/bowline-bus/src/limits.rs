//! Bounds of the bus, each with a name and a default.

/// Bounds of one [`Bus`](crate::Bus).
///
/// Every queue and table of the bus is held by one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bounds of topics and topic filters.
    pub topic: TopicLimits,
    /// Sessions attached at the same time; further ones are refused. Default 1,048,576.
    pub sessions_max: u32,
    /// Filters one session may hold; further ones are refused. Default 1,024.
    pub subscriptions_per_session_max: usize,
    /// Bytes of one payload; longer publications are refused. Default 1 MiB.
    pub payload_size_max: usize,
    /// Topics with a retained value; values of further topics are not kept. Default 65,536.
    pub retained_count_max: usize,
    /// Bytes of all retained topics and payloads together; values beyond are not kept.
    /// Default 64 MiB.
    pub retained_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            topic: TopicLimits::default(),
            sessions_max: 1 << 20,
            subscriptions_per_session_max: 1024,
            payload_size_max: 1 << 20,
            retained_count_max: 1 << 16,
            retained_bytes_max: 64 << 20,
        }
    }
}

/// Bounds of one topic or topic filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicLimits {
    /// Bytes of the whole text. Default 1,024.
    pub length_max: usize,
    /// Bytes of one level. Default 128.
    pub level_length_max: usize,
    /// Levels; the type keeps every walk over levels shallow. Default 32.
    pub levels_max: u8,
}

impl Default for TopicLimits {
    fn default() -> Self {
        Self {
            length_max: 1024,
            level_length_max: 128,
            levels_max: 32,
        }
    }
}
