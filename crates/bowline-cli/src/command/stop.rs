//! Telling the connections of a server that it stops.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use pin_project_lite::pin_project;
use tokio::sync::{Notify, futures::Notified};

/// Whether a server stops, shared by all its connections.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop(Arc<State>);

#[derive(Debug, Default)]
struct State {
    is_requested: AtomicBool,
    told: Notify,
}

impl Stop {
    /// Has everything stop that waits.
    pub(crate) fn request(&self) {
        self.0.is_requested.store(true, Ordering::SeqCst);
        self.0.told.notify_waiters();
    }

    /// Does some work until it is done, or gives `None` when the server stops.
    ///
    /// The task asks to be told once; whenever it is woken for its work, it only looks at a flag.
    pub(crate) fn cut<F: Future>(&self, work: F) -> Cut<'_, F> {
        Cut {
            work,
            told: self.0.told.notified(),
            is_asked: false,
            state: &self.0,
        }
    }
}

pin_project! {
    /// Some work that ends when the server stops. Written by hand, because it is most of what an
    /// idle connection is, and an async function would hold its work twice.
    #[derive(Debug)]
    pub(crate) struct Cut<'a, F> {
        #[pin]
        work: F,
        #[pin]
        told: Notified<'a>,
        is_asked: bool,
        state: &'a State,
    }
}

impl<F: Future> Future for Cut<'_, F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(done) = this.work.poll(cx) {
            return Poll::Ready(Some(done));
        }
        let is_told = !std::mem::replace(this.is_asked, true) && this.told.poll(cx).is_ready();
        if is_told || this.state.is_requested.load(Ordering::SeqCst) {
            return Poll::Ready(None);
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::task::yield_now;

    use super::*;

    #[tokio::test]
    async fn work_is_cut_whether_it_began_before_or_after_the_request() {
        let stop = Stop::default();
        let early = tokio::spawn({
            let stop = stop.clone();
            async move { stop.cut(pending::<()>()).await }
        });
        yield_now().await;
        assert_eq!(stop.cut(async { 7 }).await, Some(7));
        stop.request();
        assert_eq!(early.await.unwrap(), None);
        assert_eq!(stop.cut(pending::<()>()).await, None);
    }
}
