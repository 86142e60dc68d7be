//! `bowline run`: connectors that run, side by side.

mod elements;
mod line;
mod lines;
mod record;
mod table;

use std::io::{self, IsTerminal};

use self::elements::Running;
use crate::{
    args::RunArgs,
    command::current_thread,
    control::{Door, data_folder},
    elements::load,
    exit::Failure,
    signals::stop_requested,
};

/// Runs elements until a signal or a person ends it.
pub(crate) fn run(args: &RunArgs) -> Result<(), Failure> {
    let loaded = load(&args.elements)?;
    let folder = data_folder(args.data.data.as_deref())?;
    let view = &args.view;
    let has_table = !view.plain && !view.json && io::stdout().is_terminal();
    current_thread()?.block_on(async {
        let stop = stop_requested()?;
        let door = Door::open(&folder)?;
        let mut running = Running::start(args, &folder, loaded)?;
        let handles = running.handles().cloned().collect();
        let serving = tokio::spawn(door.serve(handles));
        let shown = if has_table {
            table::show(&mut running, stop).await
        } else {
            lines::show(&mut running, view, stop).await
        };
        running.stop().await;
        serving.abort();
        // It only ends by being told to.
        drop(serving.await);
        shown
    })
}
