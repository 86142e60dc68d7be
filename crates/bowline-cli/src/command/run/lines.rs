//! Elements as lines on standard output.

use std::pin::pin;

use bowline_connector::runner::ElementEvent;

use super::{elements::Running, line};
use crate::{args::ViewArgs, exit::Failure, output};

/// Writes what happens until it is to stop, and until everything has stopped.
pub(super) async fn show(
    running: &mut Running,
    view: &ViewArgs,
    stop: impl Future<Output = ()>,
) -> Result<(), Failure> {
    let mut stop = pin!(stop);
    for element in running.handles() {
        let name = &element.settings().name;
        output::line(format_args!("{}", line::state(name, "started", view.json)))?;
    }
    let mut is_stopping = false;
    loop {
        tokio::select! {
            event = running.recv() => match event {
                Some((index, event)) => write(running, view, index, &event)?,
                None => break,
            },
            () = &mut stop, if !is_stopping => {
                is_stopping = true;
                running.begin_stop();
            }
        }
    }
    for element in running.handles() {
        let name = &element.settings().name;
        output::line(format_args!("{}", line::state(name, "stopped", view.json)))?;
    }
    Ok(())
}

fn write(
    running: &Running,
    view: &ViewArgs,
    index: usize,
    event: &ElementEvent,
) -> Result<(), Failure> {
    if matches!(event, ElementEvent::Message(_)) && !view.stream {
        return Ok(());
    }
    let (name, plan) = (running.name(index), running.plan(index));
    if view.json {
        output::line(format_args!("{}", line::object(name, plan, event)))
    } else {
        output::line(format_args!("{}", line::plain(name, plan, event)))
    }
}
