//! A crowd of idle connections that the server keeps alive with pings.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use crate::{Outcome, holder::Holder, server::Server, subject::Subject};

/// How many connections, and how many of them a process may have.
#[derive(Clone, Copy, Debug)]
pub struct Crowd {
    pub connections: usize,
    pub per_process_max: usize,
}

/// What a subject took.
#[derive(Debug)]
pub struct Row {
    pub name: String,
    /// Bytes of memory for each connection.
    pub memory: f64,
    /// Processor time of all servers for each second.
    pub share: f64,
    /// Pings answered each second.
    pub pings: f64,
    pub servers: usize,
}

impl Crowd {
    /// Opens them, lets each be pinged once, and measures over two more pings.
    pub fn run(self, subject: &Subject) -> Outcome<Row> {
        let count = self.connections.div_ceil(self.per_process_max);
        let start = |_| Server::start(&subject.command);
        let servers = (0..count).map(start).collect::<Outcome<Vec<_>>>()?;
        let each = self.connections / count;
        let before = total(&servers, Server::memory)?;
        let hold = |(number, server): (usize, &Server)| {
            Holder::start(number, server.address, subject.dialect, each)
        };
        let holders = servers.iter().enumerate().map(hold);
        let mut holders = holders.collect::<Outcome<Vec<_>>>()?;
        for holder in &mut holders {
            holder.opened()?;
        }
        sleep(INTERVAL);
        let began = Instant::now();
        let spent = total(&servers, Server::processor_time)?;
        let pings = answered(&mut holders)?;
        sleep(INTERVAL * 2);
        let pings = answered(&mut holders)? - pings;
        let spent = total(&servers, Server::processor_time)? - spent;
        let seconds = began.elapsed().as_secs_f64();
        let memory = total(&servers, Server::memory)? - before;
        Ok(Row {
            name: subject.name.clone(),
            memory: memory as f64 / (each * count) as f64,
            share: spent.as_secs_f64() / seconds,
            pings: pings as f64 / seconds,
            servers: count,
        })
    }
}

fn total<T: std::iter::Sum>(servers: &[Server], of: impl Fn(&Server) -> Outcome<T>) -> Outcome<T> {
    servers.iter().map(of).sum()
}

fn answered(holders: &mut [Holder]) -> Outcome<u64> {
    holders.iter_mut().map(Holder::pings).sum()
}

/// After so much silence the servers send a ping.
const INTERVAL: Duration = Duration::from_secs(30);
