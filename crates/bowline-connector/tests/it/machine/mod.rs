//! The machine of an element, driven through virtual time.

mod acme;
mod alarms;
mod attempts;
mod changes;
mod code;
mod composing;
mod exchanges;
mod links;
mod matching;
mod queue;
mod silence;
mod sketch;
mod storms;
mod timers;
mod triggers;
