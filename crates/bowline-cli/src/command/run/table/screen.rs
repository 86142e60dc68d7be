//! The terminal: what is drawn on it and what is typed.

use std::{io, thread, time::Duration};

use ratatui::{
    DefaultTerminal,
    crossterm::event::{self, Event},
};
use tokio::sync::mpsc;

use super::{app::App, draw};
use crate::exit::Failure;

/// A terminal that shows a table. When it is dropped, or the program panics, the terminal is as it
/// was.
#[derive(Debug)]
pub(super) struct Screen {
    terminal: DefaultTerminal,
}

impl Screen {
    /// Takes the terminal over, and gives what is typed.
    pub(super) fn open() -> Result<(Self, mpsc::Receiver<Event>), Failure> {
        let terminal = ratatui::try_init().map_err(failure("use the terminal"))?;
        let screen = Self { terminal };
        let (sender, typed) = mpsc::channel(TYPED_MAX);
        // It ends by itself once nobody asks any more.
        drop(thread::spawn(move || read(&sender)));
        Ok((screen, typed))
    }

    pub(super) fn draw(&mut self, app: &App) -> Result<(), Failure> {
        let drawn = self.terminal.draw(|frame| draw::draw(frame, app));
        drawn.map(drop).map_err(failure("write to the terminal"))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // Nothing is left to be told on.
        drop(ratatui::try_restore());
    }
}

fn read(to: &mpsc::Sender<Event>) {
    while !to.is_closed() {
        match event::poll(PATIENCE) {
            Ok(false) => {}
            Ok(true) => match event::read() {
                Ok(event) => {
                    if to.blocking_send(event).is_err() {
                        return;
                    }
                }
                Err(_) => return,
            },
            Err(_) => return,
        }
    }
}

fn failure(what: &'static str) -> impl FnOnce(io::Error) -> Failure {
    move |source| Failure::System { what, source }
}

/// How long nobody notices that nobody asks.
const PATIENCE: Duration = Duration::from_millis(100);
const TYPED_MAX: usize = 64;
