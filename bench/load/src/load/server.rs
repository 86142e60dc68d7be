//! `Server`: a program that is measured.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::Outcome;

/// A running server, ended when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    pub address: SocketAddr,
}

impl Server {
    /// Starts a command on the servers' processor and waits until it listens.
    pub fn start(words: &[String]) -> Outcome<Self> {
        Self::start_on(SERVER_PROCESSOR, words)
    }

    /// Starts a command on some processors, a list such as `0,1`, and waits until it listens.
    pub fn start_on(processors: &str, words: &[String]) -> Outcome<Self> {
        let mut child = Command::new("taskset")
            .args(["-c", processors])
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().ok_or("the server has no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line.trim().trim_end_matches('/').rsplit([' ', '/']).next();
        let address = address.and_then(|address| address.parse().ok());
        let address = address.ok_or_else(|| format!("{words:?} does not listen: {line:?}"))?;
        Ok(Self { child, address })
    }

    /// Gives the processor time of all its threads.
    pub fn processor_time(&self) -> Outcome<Duration> {
        Ok(self.thread_times()?.values().sum())
    }

    /// Gives the processor time of each thread, by its number.
    pub fn thread_times(&self) -> Outcome<BTreeMap<OsString, Duration>> {
        let mut times = BTreeMap::new();
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let task = task?;
            let stat = fs::read_to_string(task.path().join("schedstat"))?;
            let spent = stat.split(' ').next().ok_or("an empty schedstat")?;
            times.insert(task.file_name(), Duration::from_nanos(spent.parse()?));
        }
        Ok(times)
    }

    /// Gives the bytes of memory that belong to it alone.
    pub fn memory(&self) -> Outcome<u64> {
        let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.child.id()))?;
        let kilobytes = rollup
            .lines()
            .filter(|line| line.starts_with("Private_"))
            .filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok())
            .sum::<u64>();
        Ok(kilobytes << 10)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that is gone already cannot be killed; waiting collects it.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

pub const SERVER_PROCESSOR: &str = "0";
