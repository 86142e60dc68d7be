//! How `bowline set` and `bowline get` talk to elements that run in another process: over a Unix
//! domain socket in the data folder, which only its owner can use.
//!
//! A request is one line of JSON; so is each reply. The last reply says `done` or `error`:
//!
//! ```text
//! > {"do":"set","element":"tank","parameter":"Reconnect Event Feed"}
//! < {"done":{"element":"tank","id":14,"name":"ReconnectEventFeed","text":"1"}}
//! > {"do":"get","element":"tank"}
//! < {"element":{"name":"tank","health":"ok","links":[...],"parameters":[...]}}
//! < {"done":null}
//! ```
//!
//! Whoever runs elements opens a [`Door`], which also keeps a second process out of the folder, and
//! gives it their handles.

mod client;
mod door;
mod error;
mod find;
mod folder;
mod protocol;
mod server;

pub(crate) use self::{
    client::ask,
    door::Door,
    error::ControlError,
    folder::data_folder,
    protocol::{ElementState, ParameterState, Request},
};
