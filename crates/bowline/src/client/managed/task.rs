//! The task that owns a client's links.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use bowline_proto::{Close, CloseCode};
use tokio::time::{Instant, sleep_until, timeout};

use super::{
    control::{Plan, Wish},
    core::Core,
    dialer::AnyDialer,
    event::ClientEvent,
    failure::Failure,
    heartbeat::Heartbeat,
    open_link::OpenLink,
    policy::{ReconnectPolicy, bounded},
    session::{Session, close_gracefully, end},
    state::{ClientState, ClosedWhy},
    verdict::Verdict,
};

/// Owns the links of one client, one at a time.
pub(super) struct Task {
    pub(super) core: Arc<Core>,
    pub(super) dialer: Box<dyn AnyDialer>,
    pub(super) policy: ReconnectPolicy,
    pub(super) hooks: Hooks,
    pub(super) heartbeat: Option<Heartbeat>,
}

/// What the application wants to do itself.
pub(super) struct Hooks {
    pub(super) on_open: Option<OnOpen>,
    pub(super) on_open_timeout: Duration,
    pub(super) classify: Option<Classify>,
}

pub(super) type OnOpen = Box<dyn Fn(OpenLink) -> Greeting + Send + Sync>;
pub(super) type Greeting = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>>;
pub(super) type Classify = Box<dyn Fn(&Failure) -> Option<Verdict> + Send + Sync>;

impl Task {
    /// Runs until the client is stopped for good.
    pub(super) async fn run(self) {
        let _stopping = Stopping(Arc::clone(&self.core));
        tokio::select! {
            () = self.keep() => {}
            never = self.core.outbox.expire() => never,
        }
    }

    async fn keep(&self) {
        loop {
            let plan = self.core.control.plan();
            let generation = plan.generation;
            match plan.wish {
                Wish::Up => Attempts::new(self, plan).run().await,
                Wish::Down(_) => self.core.close(generation, ClosedWhy::Asked),
                Wish::Stop => return,
            }
            self.core.control.superseded(generation).await;
        }
    }
}

/// Ends the client also when the runtime ends the task, or a hook panics.
struct Stopping(Arc<Core>);

impl Drop for Stopping {
    fn drop(&mut self) {
        if let Some(link) = self.0.link() {
            link.give_up();
        }
        self.0.stop();
    }
}

/// The attempts of one generation.
struct Attempts<'a> {
    task: &'a Task,
    core: &'a Core,
    plan: Plan,
    /// Failed attempts since the last stable link.
    failures: u32,
    /// Waits since the last stable link.
    waits: u32,
    /// Of those, the last ones that were fatal.
    fatal_count: usize,
    /// Which endpoint is next.
    next: usize,
}

/// What follows a failure.
enum Next {
    Wait(Duration),
    Close(ClosedWhy),
}

impl<'a> Attempts<'a> {
    fn new(task: &'a Task, plan: Plan) -> Self {
        Self {
            task,
            core: &task.core,
            plan,
            failures: 0,
            waits: 0,
            fatal_count: 0,
            next: 0,
        }
    }

    /// Keeps a link until the generation is over, or closed.
    async fn run(mut self) {
        loop {
            let attempt = self.failures.saturating_add(1);
            self.publish(ClientState::Connecting { attempt });
            let Some(failure) = self.attempt(attempt).await else {
                return;
            };
            match self.judge(&failure) {
                Next::Close(why) => return self.core.close(self.plan.generation, why),
                Next::Wait(time) => {
                    if !self.wait(time).await {
                        return;
                    }
                }
            }
        }
    }

    /// Makes a link and lives with it; `None` once the generation is over.
    async fn attempt(&mut self, attempt: u32) -> Option<Arc<Failure>> {
        let endpoints = Arc::clone(&self.plan.endpoints);
        let endpoint = endpoints.get(self.next)?;
        let dialled = tokio::select! {
            biased;
            () = self.core.control.superseded(self.plan.generation) => return None,
            dialled = self.task.dialer.dial_any(endpoint, attempt) => dialled,
        };
        let opened = match dialled {
            Ok(link) => self.greet(link).await?,
            Err(error) => Err(Failure::Connect(error)),
        };
        match opened {
            Ok(link) => self.live(&link).await,
            Err(failure) => {
                let failure = Arc::new(failure);
                self.count(Duration::ZERO);
                self.core
                    .events
                    .push(ClientEvent::Failed(Arc::clone(&failure)));
                Some(failure)
            }
        }
    }

    /// Lets the application say hello; `None` once the generation is over.
    async fn greet(&self, link: OpenLink) -> Option<Result<OpenLink, Failure>> {
        let Some(on_open) = &self.task.hooks.on_open else {
            return Some(Ok(link));
        };
        let (wire, info) = (Arc::clone(&link.wire), Arc::clone(&link.info));
        let is_over = Arc::clone(&link.is_over);
        let patience = bounded(self.task.hooks.on_open_timeout);
        let greeted = tokio::select! {
            biased;
            () = self.core.control.superseded(self.plan.generation) => None,
            greeted = timeout(patience, on_open(link)) => Some(greeted),
        };
        is_over.store(true, Ordering::SeqCst);
        let failure = match greeted {
            Some(Ok(Ok(()))) => {
                let link = OpenLink {
                    wire,
                    info,
                    is_over,
                };
                return Some(Ok(link));
            }
            None => None,
            Some(Ok(Err(failure))) => Some(failure),
            Some(Err(_)) => Some(Failure::HookTimeout),
        };
        let failure = match (failure, wire.ending()) {
            (Some(_), Some(ending)) => Some(Failure::EndedInHook(ending)),
            (failure, _) => failure,
        };
        let close = Close::new(CloseCode::NORMAL, "").ok();
        let discarding = async { while wire.message().await.is_some() {} };
        close_gracefully(wire.as_ref(), close, discarding).await;
        end(wire.as_ref());
        failure.map(Err)
    }

    /// Lives with an open link until it is over; `None` once the generation is.
    async fn live(&mut self, link: &OpenLink) -> Option<Arc<Failure>> {
        let opened_at = Instant::now();
        self.core
            .events
            .push(ClientEvent::Open(Arc::clone(&link.info)));
        self.core.link_up(&link.wire);
        self.publish(ClientState::Open);
        let session = Session {
            core: self.core,
            wire: &link.wire,
            generation: self.plan.generation,
            heartbeat: self.task.heartbeat.as_ref(),
        };
        let ending = session.run().await;
        self.core
            .events
            .push(ClientEvent::LinkClosed(ending.clone()));
        if self.core.control.plan().generation != self.plan.generation {
            return None;
        }
        self.count(opened_at.elapsed());
        Some(Arc::new(Failure::Ended(ending)))
    }

    /// Counts a failure after a link that was open for so long.
    fn count(&mut self, open_for: Duration) {
        let is_stable = match &self.task.policy {
            ReconnectPolicy::Manual => false,
            ReconnectPolicy::Automatic(backoff) => {
                open_for > Duration::ZERO && open_for >= backoff.stable_after
            }
        };
        if open_for > Duration::ZERO {
            self.fatal_count = 0;
        }
        if is_stable {
            self.failures = 0;
            self.waits = 0;
            self.next = 0;
        } else {
            self.failures = self.failures.saturating_add(1);
            self.next = (self.next + 1) % self.plan.endpoints.len();
        }
    }

    /// Decides what follows a failure that was counted.
    fn judge(&mut self, failure: &Arc<Failure>) -> Next {
        let ReconnectPolicy::Automatic(backoff) = &self.task.policy else {
            return Next::Close(ClosedWhy::Manual(Arc::clone(failure)));
        };
        let asked = self.task.hooks.classify.as_ref();
        let verdict = asked
            .and_then(|classify| classify(failure))
            .unwrap_or_else(|| Verdict::of(failure));
        if verdict == Verdict::Fatal {
            self.fatal_count += 1;
        } else {
            self.fatal_count = 0;
        }
        if self.fatal_count >= self.plan.endpoints.len() {
            return Next::Close(ClosedWhy::Fatal(Arc::clone(failure)));
        }
        if backoff.attempts_max.is_some_and(|max| self.failures >= max) {
            return Next::Close(ClosedWhy::AttemptsUsedUp(Arc::clone(failure)));
        }
        self.waits = self.waits.saturating_add(1);
        Next::Wait(backoff.draw(self.waits, verdict))
    }

    /// Waits for the next attempt; false once the generation is over.
    async fn wait(&self, time: Duration) -> bool {
        if !time.is_zero() {
            let until = Instant::now() + time;
            self.core.events.push(ClientEvent::Waiting { until });
            self.publish(ClientState::Waiting { until });
            tokio::select! {
                biased;
                () = self.core.control.superseded(self.plan.generation) => return false,
                () = sleep_until(until) => {}
            }
        }
        true
    }

    fn publish(&self, state: ClientState) {
        self.core.control.publish(self.plan.generation, state);
    }
}
