//! One event as one line.

use std::time::SystemTime;

use bowline_connector::{
    Plan,
    machine::AlarmLevel,
    plan::MessageKind,
    runner::{Direction, ElementEvent, StreamMessage},
};
use jiff::{Timestamp, Unit};
use serde_json::{Map, Value as Json, json};

use crate::{
    conversation::element::to_json,
    elements::shown::{self, Shown},
};

/// Writes an event in words: time, element, what it is about, and more.
pub(super) fn plain(element: &str, plan: &Plan, event: &ElementEvent) -> String {
    let shown = Shown(plan);
    let (at, told) = match event {
        ElementEvent::Changed {
            at,
            parameter,
            value,
            alarm,
        } => {
            let (id, name) = (parameter.0, shown.name(*parameter));
            let text = one_line(&shown.display(*parameter, value));
            let units = shown.units(*parameter);
            let units = if units.is_empty() || text.is_empty() {
                String::new()
            } else {
                format!(" {units}")
            };
            let alarm = alarm.filter(|alarm| *alarm != AlarmLevel::Normal);
            let alarm =
                alarm.map_or_else(String::new, |alarm| format!(" [{}]", shown::alarm(alarm)));
            (at, format!("value {id} {name} {text}{units}{alarm}"))
        }
        ElementEvent::Link { at, link, state } => (at, format!("link {} {}", link.0, state.word())),
        ElementEvent::LinkLost {
            at,
            link,
            was_open,
            loss,
        } => {
            let (how, why) = (how_lost(*was_open), one_line(&loss.text));
            (at, format!("link {} {how}: {why}", link.0))
        }
        ElementEvent::Health { at, link, level } => {
            let of = link.map_or_else(String::new, |link| format!("link {} ", link.0));
            (at, format!("health {of}{}", shown::level(*level)))
        }
        ElementEvent::Message(message) => {
            let text = one_line(&shown::payload(&message.payload));
            let rest = rest_of(message);
            let (what, kind, link) = (word(message), kind(message), message.link.0);
            (&message.at, format!("{what} {link} {kind} {text}{rest}"))
        }
        ElementEvent::Notice { at, text } => (at, format!("notice {}", one_line(text))),
        ElementEvent::Lost(count) => {
            let told = format!("lost {count} events: they came faster than they are written");
            return format!("{} {element} {told}", time(SystemTime::now()));
        }
        // The library may learn of more.
        other => (&SystemTime::UNIX_EPOCH, format!("notice {other:?}")),
    };
    format!("{} {element} {}", time(*at), told.trim_end())
}

/// Writes an event as an object.
pub(super) fn object(element: &str, plan: &Plan, event: &ElementEvent) -> Json {
    let shown = Shown(plan);
    let (at, what, more) = match event {
        ElementEvent::Changed {
            at,
            parameter,
            value,
            alarm,
        } => {
            let more = json!({
                "parameter": parameter.0,
                "name": shown.name(*parameter),
                "value": to_json(value),
                "text": shown.display(*parameter, value),
                "label": shown.label(*parameter, value),
                "units": shown.units(*parameter),
                "alarm": alarm.map(shown::alarm),
            });
            (*at, "value", more)
        }
        ElementEvent::Link { at, link, state } => {
            (*at, "link", json!({"link": link.0, "state": state.word()}))
        }
        ElementEvent::LinkLost {
            at,
            link,
            was_open,
            loss,
        } => {
            let state = how_lost(*was_open);
            let more = json!({
                "link": link.0,
                "state": state,
                "code": loss.code,
                "reason": loss.text,
            });
            (*at, "link", more)
        }
        ElementEvent::Health { at, link, level } => {
            let link = link.map(|link| link.0);
            let health = json!({"link": link, "health": shown::level(*level)});
            (*at, "health", health)
        }
        ElementEvent::Message(message) => {
            let data = to_json(&message.payload.clone().into());
            let more = json!({
                "link": message.link.0,
                "kind": kind(message),
                "data": data,
                "length": message.length,
            });
            (message.at, word(message), more)
        }
        ElementEvent::Notice { at, text } => (*at, "notice", json!({"text": text})),
        ElementEvent::Lost(count) => (SystemTime::now(), "lost", json!({"count": count})),
        other => {
            let text = format!("{other:?}");
            (SystemTime::now(), "notice", json!({"text": text}))
        }
    };
    tagged(element, at, what, more)
}

/// Says how a link was lost.
const fn how_lost(was_open: bool) -> &'static str {
    if was_open { "ended" } else { "failed" }
}

/// Writes that an element began or ended.
pub(super) fn state(element: &str, what: &'static str, is_json: bool) -> String {
    let now = SystemTime::now();
    if is_json {
        return tagged(element, now, what, Json::Null).to_string();
    }
    format!("{} {element} {what}", time(now))
}

/// Says what an event is, in the order in which people look for it.
fn tagged(element: &str, at: SystemTime, what: &str, more: Json) -> Json {
    let mut object = Map::new();
    object.insert("time".to_owned(), time(at).into());
    object.insert("element".to_owned(), element.into());
    object.insert("what".to_owned(), what.into());
    if let Json::Object(more) = more {
        object.extend(more);
    }
    Json::Object(object)
}

/// Writes a time with milliseconds.
pub(super) fn time(at: SystemTime) -> String {
    let time = Timestamp::try_from(at).unwrap_or_default();
    let time = time.round(Unit::Millisecond).unwrap_or(time);
    format!("{time:.3}")
}

/// Gives one word for where a message went.
pub(super) const fn word(message: &StreamMessage) -> &'static str {
    match message.direction {
        Direction::In => "in",
        Direction::Out => "out",
        Direction::NotSent => "not-sent",
    }
}

/// Gives one word for the kind of a message.
pub(super) const fn kind(message: &StreamMessage) -> &'static str {
    match message.kind {
        MessageKind::Text => "text",
        MessageKind::Binary => "binary",
    }
}

/// Tells how long a message is of which only the beginning is there.
pub(super) fn rest_of(message: &StreamMessage) -> String {
    if message.payload.len() == message.length {
        String::new()
    } else {
        format!("... ({} bytes)", message.length)
    }
}

/// Keeps a text on one line, and from commanding the terminal.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => line.push_str("\\\\"),
            c if c.is_control() => line.extend(c.escape_default()),
            c => line.push(c),
        }
    }
    line
}
