//! Two ends joined by streams.

use std::time::Duration;

use bowline_proto::{
    Config, Role,
    deflate::{ContextPool, Deflate, DeflateParams},
};

use crate::End;

/// Joins a client and a server and carries bytes, and the end of the streams, between them.
#[derive(Debug)]
pub struct Pair {
    /// The end that opened the connection.
    pub client: End,
    /// The end that accepted it.
    pub server: End,
    /// The bytes the client wrote.
    pub upstream: Vec<u8>,
    /// The bytes the server wrote.
    pub downstream: Vec<u8>,
    /// Whether the client and the server ended their streams.
    pub eof: [bool; 2],
}

impl Pair {
    /// Makes a pair without compression.
    pub fn new(config: &Config) -> Self {
        Self::join(
            End::new(Role::Client, config.clone(), None),
            End::new(Role::Server, config.clone(), None),
        )
    }

    /// Makes a pair that negotiated compression; each end has a pool of its own.
    pub fn compressed(config: &Config, params: DeflateParams) -> Self {
        let deflate = || Some(Deflate::new(params, ContextPool::default().into()));
        Self::join(
            End::new(Role::Client, config.clone(), deflate()),
            End::new(Role::Server, config.clone(), deflate()),
        )
    }

    /// Joins two ends.
    pub fn join(client: End, server: End) -> Self {
        Self {
            client,
            server,
            upstream: Vec::new(),
            downstream: Vec::new(),
            eof: [false; 2],
        }
    }

    /// Carries bytes both ways until nothing moves.
    pub fn run(&mut self) {
        loop {
            let up = self.client.write();
            self.server.read(&up);
            let down = self.server.write();
            self.client.read(&down);
            let [client_eof, server_eof] = &mut self.eof;
            let mut moved = !up.is_empty() || !down.is_empty();
            moved |= pass_eof(&self.client, &mut self.server, client_eof);
            moved |= pass_eof(&self.server, &mut self.client, server_eof);
            self.upstream.extend_from_slice(&up);
            self.downstream.extend_from_slice(&down);
            if !moved {
                return;
            }
        }
    }

    /// Moves both clocks and carries what comes of it.
    pub fn pass(&mut self, time: Duration) {
        self.client.pass(time);
        self.server.pass(time);
        self.run();
    }
}

/// Ends the stream from an end that is done sending, once.
fn pass_eof(from: &End, to: &mut End, passed: &mut bool) -> bool {
    if *passed || !from.connection.is_done_sending() {
        return false;
    }
    *passed = true;
    to.eof();
    true
}
