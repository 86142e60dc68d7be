//! Draws the table.

use std::time::{Duration, Instant};

use bowline_connector::{
    machine::{AlarmLevel, Level},
    runner::{LinkState, LinkStatus},
};
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Color, Modifier, Style},
    text::{Line, Span},
    widgets::{Cell, Paragraph, Row as TableRow, Table, TableState},
};

use super::{
    app::{App, View},
    rows::{Element, Row},
};
use crate::{command::run::line::one_line, elements::shown};

/// Draws everything.
pub(super) fn draw(frame: &mut Frame<'_>, app: &App) {
    let heads = heads(app);
    let height = u16::try_from(heads.len()).unwrap_or(u16::MAX);
    let height = height.min(frame.area().height / 2);
    let parts = Layout::vertical([
        Constraint::Length(height),
        Constraint::Min(1),
        Constraint::Length(1),
        Constraint::Length(1),
    ]);
    let [top, middle, note, foot] = parts.areas(frame.area());
    frame.render_widget(Paragraph::new(heads), top);
    if app.view == View::Stream {
        draw_stream(frame, app, middle);
    } else {
        draw_table(frame, app, middle);
    }
    frame.render_widget(Paragraph::new(one_line(&app.note)), note);
    let keys = Paragraph::new(foot_of(app)).style(Style::new().add_modifier(Modifier::REVERSED));
    frame.render_widget(keys, foot);
}

/// Gives a line for each element and each of its links.
fn heads(app: &App) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for element in &app.elements {
        let Some(snapshot) = &element.snapshot else {
            continue;
        };
        let name = Span::styled(
            snapshot.name.clone(),
            Style::new().add_modifier(Modifier::BOLD),
        );
        lines.push(Line::from(vec![name, " ".into(), health(snapshot.health)]));
        lines.extend(snapshot.links.iter().map(link));
    }
    lines
}

fn link(link: &LinkStatus) -> Line<'static> {
    let color = match link.state {
        LinkState::Open => Color::Green,
        LinkState::Connecting | LinkState::Waiting => Color::Yellow,
        LinkState::Closed => Color::Red,
    };
    let state = Span::styled(link.state.word(), Style::new().fg(color));
    let endpoint = link.endpoint.as_deref().unwrap_or_default();
    let loss = link
        .last_loss
        .as_ref()
        .filter(|_| link.state != LinkState::Open);
    let loss = loss.map_or_else(String::new, |loss| format!(" ({})", loss.text));
    Line::from(vec![
        format!("  link {} {} ", link.id.0, one_line(&link.name)).into(),
        state,
        " ".into(),
        health(link.health),
        one_line(&format!(" {endpoint}{loss}")).into(),
    ])
}

fn health(level: Level) -> Span<'static> {
    let color = match level {
        Level::Unknown => Color::DarkGray,
        Level::Ok => Color::Green,
        Level::Timeout => Color::Red,
    };
    Span::styled(shown::level(level), Style::new().fg(color))
}

fn draw_table(frame: &mut Frame<'_>, app: &App, area: Rect) {
    let has_names = app.elements.len() > 1;
    let now = Instant::now();
    let rows = app
        .rows
        .iter()
        .map(|row| table_row(row, &app.elements, has_names, now));
    let names = if has_names { 16 } else { 0 };
    let widths = [
        Constraint::Length(names),
        Constraint::Length(6),
        Constraint::Percentage(35),
        Constraint::Fill(1),
        Constraint::Length(8),
        Constraint::Length(5),
    ];
    let first = if has_names { "element" } else { "" };
    let head = [first, "id", "name", "value", "alarm", "age"];
    let head = TableRow::new(head).style(Style::new().add_modifier(Modifier::UNDERLINED));
    let table = Table::new(rows, widths)
        .header(head)
        .row_highlight_style(Style::new().add_modifier(Modifier::REVERSED));
    let mut state = TableState::new().with_selected(Some(app.chosen));
    frame.render_stateful_widget(table, area, &mut state);
}

fn table_row(row: &Row, elements: &[Element], has_names: bool, now: Instant) -> TableRow<'static> {
    let element = elements.get(row.element).filter(|_| has_names);
    let element = element.map_or("", |element| element.handle.settings().name.as_str());
    let age = row
        .changed
        .map_or_else(String::new, |changed| age(now - changed));
    let alarm = row.alarm.filter(|alarm| *alarm != AlarmLevel::Normal);
    let word = alarm.map_or("", shown::alarm);
    let style = row.alarm.map_or_else(Style::new, color_of);
    let mark = if row.is_write { "> " } else { "" };
    TableRow::new([
        Cell::from(element.to_owned()),
        Cell::from(row.id.0.to_string()),
        Cell::from(one_line(&row.name)),
        Cell::from(format!("{mark}{}", row.value)).style(style),
        Cell::from(word).style(style),
        Cell::from(age),
    ])
}

fn draw_stream(frame: &mut Frame<'_>, app: &App, area: Rect) {
    let height = usize::from(area.height);
    let lines = app.stream.window(height, app.stream_above);
    let lines: Vec<_> = lines.map(|line| Line::from(line.to_owned())).collect();
    frame.render_widget(Paragraph::new(lines), area);
}

fn foot_of(app: &App) -> String {
    match &app.view {
        View::Table => {
            "arrows choose  Enter set or press  s messages  r reconnect  a all  q quit".to_owned()
        }
        View::Stream => "arrows scroll  s table  r reconnect  q quit".to_owned(),
        View::Edit { text, .. } => {
            let row = app.chosen_row();
            let name = row.map_or("", |row| row.name.as_str());
            let choices = row.filter(|row| !row.labels.is_empty());
            let choices = choices.map_or_else(String::new, |row| {
                format!("  (Tab: {})", row.labels.join(", "))
            });
            one_line(&format!("{name} = {text}_{choices}"))
        }
    }
}

fn color_of(alarm: AlarmLevel) -> Style {
    let color = match alarm {
        AlarmLevel::Normal => Color::Green,
        AlarmLevel::Warning => Color::LightBlue,
        AlarmLevel::Minor => Color::Yellow,
        AlarmLevel::Major => Color::LightRed,
        AlarmLevel::Critical => Color::Red,
    };
    Style::new().fg(color)
}

/// Writes an age in one unit.
fn age(age: Duration) -> String {
    let seconds = age.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} m", seconds / 60),
        3600..86_400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_the_unit_that_suits_them() {
        for (seconds, told) in [(0, "0 s"), (59, "59 s"), (60, "1 m"), (7200, "2 h")] {
            assert_eq!(age(Duration::from_secs(seconds)), told);
        }
        assert_eq!(age(Duration::from_hours(72)), "3 d");
    }
}
