//! Elements as a table at a terminal.

mod app;
mod draw;
mod keys;
mod rows;
mod screen;
mod stream;

use std::{pin::pin, time::Duration};

use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};

use self::{app::App, keys::Wish, screen::Screen};
use super::elements::Running;
use crate::exit::Failure;

/// Shows elements until a person quits or it is to stop. The terminal is as it was then.
pub(super) async fn show(
    running: &mut Running,
    stop: impl Future<Output = ()>,
) -> Result<(), Failure> {
    let mut stop = pin!(stop);
    let (notes, mut told) = mpsc::channel(NOTES_MAX);
    let mut app = App::new(running.handles().cloned().collect(), notes).await;
    let (mut screen, mut typed) = Screen::open()?;
    let mut frames = interval(FRAME);
    frames.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = &mut stop => return Ok(()),
            key = typed.recv() => match key {
                Some(event) if keys::take(&mut app, &event) == Wish::Quit => return Ok(()),
                Some(_) => {}
                None => return Ok(()),
            },
            Some(note) = told.recv() => app.note(note),
            event = running.recv() => match event {
                Some((index, event)) => app.take(index, event),
                None => return Ok(()),
            },
            _ = frames.tick() => {
                app.refresh().await;
                screen.draw(&app)?;
            }
        }
    }
}

/// How often the screen is drawn.
const FRAME: Duration = Duration::from_millis(100);
const NOTES_MAX: usize = 16;
