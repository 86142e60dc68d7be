//! `Poll`: waits until any of many sockets is ready.

use std::{io, os::fd::AsFd, time::Duration};

use rustix::{
    buffer::spare_capacity,
    event::{Timespec, epoll},
};

pub use rustix::event::epoll::EventFlags;

/// A set of sockets, each known by a number.
pub struct Poll {
    epoll: rustix::fd::OwnedFd,
    events: Vec<epoll::Event>,
}

impl Poll {
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            events: Vec::with_capacity(EVENTS_MAX),
        })
    }

    pub fn add(&self, socket: impl AsFd, number: usize, flags: EventFlags) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, socket, data(number), flags)?)
    }

    pub fn change(&self, socket: impl AsFd, number: usize, flags: EventFlags) -> io::Result<()> {
        Ok(epoll::modify(&self.epoll, socket, data(number), flags)?)
    }

    /// Waits and gives the numbers of the sockets that are ready, with what they are ready for.
    pub fn wait(&mut self, patience: Duration) -> io::Result<Vec<(usize, EventFlags)>> {
        self.events.clear();
        let patience = Timespec::try_from(patience).map_err(io::Error::other)?;
        match epoll::wait(
            &self.epoll,
            spare_capacity(&mut self.events),
            Some(&patience),
        ) {
            Err(rustix::io::Errno::INTR) => {}
            waited => drop(waited?),
        }
        let ready = self.events.iter();
        Ok(ready
            .map(|event| (event.data.u64() as usize, event.flags))
            .collect())
    }
}

fn data(number: usize) -> epoll::EventData {
    epoll::EventData::new_u64(number as u64)
}

const EVENTS_MAX: usize = 1024;
