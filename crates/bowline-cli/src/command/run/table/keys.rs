//! What keys do.

use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::app::{App, View};

/// What a person wants of the program as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    GoOn,
    Quit,
}

/// Does what a key asks for. The screen is drawn anew in any case, at its new size too.
pub(super) fn take(app: &mut App, event: &Event) -> Wish {
    let Event::Key(key) = event else {
        return Wish::GoOn;
    };
    if key.kind == KeyEventKind::Release {
        return Wish::GoOn;
    }
    if key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('c') {
        return Wish::Quit;
    }
    match &app.view {
        View::Edit { .. } => edit(app, key),
        View::Stream => return look(app, key.code),
        View::Table => return choose(app, key.code),
    }
    Wish::GoOn
}

#[expect(clippy::wildcard_enum_match_arm, reason = "most keys do nothing")]
fn choose(app: &mut App, key: KeyCode) -> Wish {
    let last = app.rows.len().saturating_sub(1);
    match key {
        KeyCode::Char('q') => return Wish::Quit,
        KeyCode::Char('s') => app.view = View::Stream,
        KeyCode::Char('r') => app.reconnect(),
        KeyCode::Char('a') => {
            app.shows_all = !app.shows_all;
            app.lay_out();
        }
        KeyCode::Up => app.chosen = app.chosen.saturating_sub(1),
        KeyCode::Down => app.chosen = (app.chosen + 1).min(last),
        KeyCode::PageUp => app.chosen = app.chosen.saturating_sub(PAGE),
        KeyCode::PageDown => app.chosen = (app.chosen + PAGE).min(last),
        KeyCode::Home => app.chosen = 0,
        KeyCode::End => app.chosen = last,
        KeyCode::Enter => begin(app),
        _ => {}
    }
    Wish::GoOn
}

#[expect(clippy::wildcard_enum_match_arm, reason = "most keys do nothing")]
fn look(app: &mut App, key: KeyCode) -> Wish {
    let most = app.stream.len();
    match key {
        KeyCode::Char('q') => return Wish::Quit,
        KeyCode::Char('s') | KeyCode::Esc => app.view = View::Table,
        KeyCode::Char('r') => app.reconnect(),
        KeyCode::Up => app.stream_above = (app.stream_above + 1).min(most),
        KeyCode::Down => app.stream_above = app.stream_above.saturating_sub(1),
        KeyCode::PageUp => app.stream_above = (app.stream_above + PAGE).min(most),
        KeyCode::PageDown => app.stream_above = app.stream_above.saturating_sub(PAGE),
        KeyCode::Home => app.stream_above = most,
        KeyCode::End => app.stream_above = 0,
        _ => {}
    }
    Wish::GoOn
}

/// Presses the chosen button, or begins to ask for a value.
fn begin(app: &mut App) {
    let Some(row) = app.chosen_row() else {
        return;
    };
    if !row.is_write {
        app.note = format!("{} is the device's own: nobody sets it", row.name);
    } else if row.is_button && row.labels.len() <= 1 {
        app.set(None);
    } else {
        app.view = View::Edit {
            text: String::new(),
            label: None,
        };
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "most keys do nothing")]
fn edit(app: &mut App, key: &KeyEvent) {
    let labels = app.chosen_row().map(|row| row.labels.clone());
    let labels = labels.unwrap_or_default();
    let View::Edit { text, label } = &mut app.view else {
        return;
    };
    match key.code {
        KeyCode::Esc => app.view = View::Table,
        KeyCode::Enter => {
            let text = std::mem::take(text);
            app.view = View::Table;
            app.set(Some(text));
        }
        KeyCode::Backspace => {
            text.pop();
        }
        KeyCode::Tab | KeyCode::Down | KeyCode::Up if !labels.is_empty() => {
            let step = if key.code == KeyCode::Up {
                labels.len() - 1
            } else {
                1
            };
            let next = label.map_or(0, |label| (label + step) % labels.len());
            *label = Some(next);
            *text = labels.get(next).cloned().unwrap_or_default();
        }
        KeyCode::Char(c)
            if !key.modifiers.contains(KeyModifiers::CONTROL) && text.len() < TEXT_MAX =>
        {
            text.push(c);
        }
        _ => {}
    }
}

const PAGE: usize = 10;
/// Bytes that can be typed.
const TEXT_MAX: usize = 4096;
