//! The table itself, a file for each part of the format.

mod connections;
mod display;
mod exchanges;
mod http;
mod logic;
mod parameters;
mod protocol;

pub(crate) use parameters::LENGTH_MAX;

use super::row::Chapter;

/// Every element and attribute of the format, each once.
pub(super) const CHAPTERS: [&[Chapter]; 7] = [
    protocol::CHAPTERS,
    connections::CHAPTERS,
    http::CHAPTERS,
    parameters::CHAPTERS,
    display::CHAPTERS,
    exchanges::CHAPTERS,
    logic::CHAPTERS,
];
