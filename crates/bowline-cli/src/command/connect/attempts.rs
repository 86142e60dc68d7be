//! Attempts to make a link, as they are told.

use std::time::Duration;

use bowline::managed::Failure;

use super::{notices::Notices, show::Show};

/// Tells that an attempt failed, and gives the event to write, if events are written.
pub(super) fn failed(failure: &Failure, notices: &Notices, show: &Show) -> Option<Vec<u8>> {
    notices.say(format_args!("no connection: {failure}"));
    show.event("failed", [("message", failure.to_string().into())])
}

/// Tells when the next attempt is made, and gives the event to write, if events are written.
pub(super) fn waiting(time: Duration, notices: &Notices, show: &Show) -> Option<Vec<u8>> {
    let seconds = time.as_secs_f64();
    notices.say(format_args!("the next attempt is in {seconds:.1} s"));
    show.event("waiting", [("seconds", seconds.into())])
}
