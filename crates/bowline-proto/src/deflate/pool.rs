//! A shared stock of idle zlib contexts.

use std::fmt;
use std::mem::size_of;
use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use zlib_rs::{Deflate, DeflateConfig, Inflate};

use super::{Level, MemLevel, WindowBits, window::Window};

/// A bounded stock of zlib contexts that many connections share, from any number of threads.
///
/// A context is taken for the time of one message and comes back by itself. The pool never waits
/// and never refuses: with none idle it makes a new context, with too many idle it frees the one
/// that was idle longest.
#[derive(Default)]
pub struct ContextPool {
    limits: PoolLimits,
    idle: Mutex<Idle>,
    /// The number of the next ticket.
    tickets: AtomicU64,
    compressions: AtomicU64,
}

/// How many idle contexts a [`ContextPool`] keeps; contexts in use are not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolLimits {
    /// The number of idle inflate contexts, about 48 KB each; the default is 32.
    pub idle_inflaters_max: usize,
    /// The number of idle deflate contexts of all sizes, at most 380 KB each with the default
    /// memory level; the default is 16.
    pub idle_deflaters_max: usize,
}

impl PoolLimits {
    /// The default of [`PoolLimits::idle_inflaters_max`]: about 2.5 MB when all are idle.
    pub const IDLE_INFLATERS_DEFAULT: usize = 32;

    /// The default of [`PoolLimits::idle_deflaters_max`]: about 6 MB when all are idle.
    pub const IDLE_DEFLATERS_DEFAULT: usize = 16;
}

impl Default for PoolLimits {
    fn default() -> Self {
        Self {
            idle_inflaters_max: Self::IDLE_INFLATERS_DEFAULT,
            idle_deflaters_max: Self::IDLE_DEFLATERS_DEFAULT,
        }
    }
}

impl ContextPool {
    /// Creates an empty pool.
    pub fn new(limits: PoolLimits) -> Self {
        Self {
            limits,
            idle: Mutex::default(),
            tickets: AtomicU64::new(0),
            compressions: AtomicU64::new(0),
        }
    }

    /// Returns the number of inflate contexts waiting for a message.
    pub fn idle_inflaters(&self) -> usize {
        self.lock().inflaters.len()
    }

    /// Returns the number of deflate contexts waiting for a message.
    pub fn idle_deflaters(&self) -> usize {
        self.lock().deflaters.len()
    }

    /// Returns how many messages were compressed with it so far, counting those that were then
    /// sent as they are. A message in fragments counts once.
    pub fn compressions(&self) -> u64 {
        self.compressions.load(Ordering::Relaxed)
    }

    /// Counts a message that is compressed without a context.
    pub(super) fn count_compression(&self) {
        self.compressions.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes an inflate context that knows nothing of earlier streams.
    pub(super) fn take_inflate(&self) -> Box<InflateContext> {
        let idle = self.lock().inflaters.pop();
        if let Some(mut context) = idle {
            context.stream.reset(EXPECT_ZLIB_HEADER);
            return context;
        }
        Box::new(InflateContext {
            stream: Inflate::new(EXPECT_ZLIB_HEADER, WindowBits::MAX.get()),
            history: Window::default(),
            at_stream_start: true,
        })
    }

    pub(super) fn put_inflate(&self, context: Box<InflateContext>) {
        let freed = push_bounded(
            &mut self.lock().inflaters,
            context,
            self.limits.idle_inflaters_max,
        );
        drop(freed);
    }

    /// Takes the deflate context that was put back with this ticket, which still knows what it
    /// compressed before, if nobody else had it since.
    pub(super) fn take_warm_deflate(&self, ticket: Ticket) -> Option<Box<DeflateContext>> {
        let mut idle = self.lock();
        let context = idle.take_deflater(|deflater| deflater.ticket == Some(ticket))?;
        drop(idle);
        self.count_compression();
        Some(context)
    }

    /// Takes a deflate context that knows nothing of earlier streams.
    pub(super) fn take_deflate(&self, key: DeflateKey) -> Box<DeflateContext> {
        self.count_compression();
        let idle = self
            .lock()
            .take_cold_deflater(key, self.limits.idle_deflaters_max);
        if let Some(mut context) = idle {
            context.stream.reset();
            return context;
        }
        Box::new(DeflateContext {
            key,
            stream: Deflate::new_with_config(key.config()),
        })
    }

    /// Puts a context back together with what it knows; gives the ticket to take it again.
    pub(super) fn put_warm_deflate(&self, context: Box<DeflateContext>) -> Ticket {
        let ticket = Ticket(self.tickets.fetch_add(1, Ordering::Relaxed));
        self.put(context, Some(ticket));
        ticket
    }

    /// Puts a context back for anybody.
    pub(super) fn put_deflate(&self, context: Box<DeflateContext>) {
        self.put(context, None);
    }

    fn put(&self, context: Box<DeflateContext>, ticket: Option<Ticket>) {
        let deflater = IdleDeflater {
            key: context.key,
            ticket,
            context,
        };
        let freed = push_bounded(
            &mut self.lock().deflaters,
            deflater,
            self.limits.idle_deflaters_max,
        );
        drop(freed);
    }

    fn lock(&self) -> MutexGuard<'_, Idle> {
        // The lists hold whole contexts at every step, a panic elsewhere cannot tear them.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for ContextPool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ContextPool")
            .field("limits", &self.limits)
            .field("idle_inflaters", &self.idle_inflaters())
            .field("idle_deflaters", &self.idle_deflaters())
            .finish_non_exhaustive()
    }
}

/// An inflate context with the history a message needs when no window is kept between messages.
pub(super) struct InflateContext {
    pub(super) stream: Inflate,
    /// The plain bytes a stream that follows a final block may refer to.
    pub(super) history: Window,
    /// Whether no byte was consumed since the stream began.
    pub(super) at_stream_start: bool,
}

impl fmt::Debug for InflateContext {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("InflateContext")
            .finish_non_exhaustive()
    }
}

/// A deflate context with what it was made for.
pub(super) struct DeflateContext {
    key: DeflateKey,
    pub(super) stream: Deflate,
}

/// A deflate context that waits, beside what a search looks at: contexts are far apart in memory.
struct IdleDeflater {
    key: DeflateKey,
    /// Names the one compressor whose messages the context has seen, and how many of them.
    ticket: Option<Ticket>,
    context: Box<DeflateContext>,
}

/// Names a context together with what it knows. No two are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket(u64);

impl fmt::Debug for DeflateContext {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DeflateContext")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// What two deflate contexts must share to stand in for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DeflateKey {
    window_bits: WindowBits,
    level: Level,
    mem_level: MemLevel,
}

impl DeflateKey {
    pub(super) const fn new(window_bits: WindowBits, level: Level, mem_level: MemLevel) -> Self {
        Self {
            window_bits: window_bits.for_context(),
            level,
            mem_level,
        }
    }

    fn config(self) -> DeflateConfig {
        DeflateConfig {
            // A negative number asks for a raw stream.
            window_bits: -i32::from(self.window_bits.get()),
            level: i32::from(self.level.get()),
            mem_level: i32::from(self.mem_level.get()),
            ..DeflateConfig::default()
        }
    }
}

/// Idle contexts, the one used last at the end.
#[expect(
    clippy::vec_box,
    reason = "connections hold boxes, which come and go without allocating"
)]
#[derive(Default)]
struct Idle {
    inflaters: Vec<Box<InflateContext>>,
    deflaters: Vec<IdleDeflater>,
}

impl Idle {
    /// Takes the context used last of those that `wanted` picks.
    fn take_deflater(
        &mut self,
        wanted: impl Fn(&IdleDeflater) -> bool,
    ) -> Option<Box<DeflateContext>> {
        let place = self.deflaters.iter().rposition(wanted)?;
        Some(self.deflaters.remove(place).context)
    }

    /// Takes a context that nobody wants back, or, with as many idle as may be, the one that was
    /// wanted back for longest.
    fn take_cold_deflater(
        &mut self,
        key: DeflateKey,
        idle_max: usize,
    ) -> Option<Box<DeflateContext>> {
        let cold = self.take_deflater(|deflater| deflater.key == key && deflater.ticket.is_none());
        if cold.is_some() || self.deflaters.len() < idle_max {
            return cold;
        }
        let mut deflaters = self.deflaters.iter();
        let place = deflaters.position(|deflater| deflater.key == key)?;
        Some(self.deflaters.remove(place).context)
    }
}

/// Adds an idle context and returns the one to free; the caller does so after unlocking.
fn push_bounded<T>(idle: &mut Vec<T>, context: T, idle_max: usize) -> Option<T> {
    if idle_max == 0 {
        return Some(context);
    }
    let freed = (idle.len() >= idle_max).then(|| idle.remove(0));
    idle.push(context);
    freed
}

/// Returns how far one of zlib's byte counters moved during a call.
pub(super) fn distance(before: u64, after: u64) -> usize {
    usize::try_from(after - before).expect("a call moves within the slices it was given")
}

/// The streams of RFC 7692 are raw.
pub(super) const EXPECT_ZLIB_HEADER: bool = false;

const _: () = assert!(size_of::<DeflateKey>() <= 4);
