//! The command line: `load [--rounds N] [--millis N] [--only NAME,NAME] [--before FILE] [scenario]`.

use std::time::Duration;

use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    thread::{CpuSet, sched_setaffinity},
};

use crate::{
    Outcome,
    compress::{Compress, Pattern},
    crowd::Crowd,
    deflated::{Agreed, Content},
    echo::Echo,
    fanout::Fanout,
    handshake::Handshake,
    idle::{Idle, IdleTls},
    latency::Latency,
    subject::{Kind, Subject, compressing, subjects},
    table::Round,
    tls::Certificate,
};

struct Settings {
    round: Round,
    /// Names of subjects; all if empty. The floor is always there.
    only: Vec<String>,
    /// Another build of `peer` or `bowline`, to be measured beside this one.
    before: Option<String>,
    /// A word that the scenario's name contains.
    wanted: String,
}

enum Scenario {
    Echo(Echo),
    Fanout(Fanout),
    Hub(Fanout),
    Handshake(Handshake),
    Idle(Idle),
    Crowd(Crowd),
    IdleTls(IdleTls),
    Latency(Latency),
    Compress(Compress),
    CompressIdle(Compress),
}

/// Runs the scenarios whose name contains the word.
pub fn run() -> Outcome<()> {
    let settings = Settings::read()?;
    raise_file_limit()?;
    let mut processor = CpuSet::new();
    processor.set(LOAD_PROCESSOR);
    sched_setaffinity(None, &processor)?;
    for (name, scenario) in scenarios() {
        if name.contains(&settings.wanted) {
            println!("\n### {name}\n");
            scenario.run(&settings)?;
        }
    }
    Ok(())
}

impl Settings {
    fn read() -> Outcome<Self> {
        let mut settings = Self {
            round: Round {
                count: 5,
                length: Duration::from_millis(500),
                warm_up: Duration::from_millis(200),
            },
            only: Vec::new(),
            before: None,
            wanted: String::new(),
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} needs a value"));
            match word.as_str() {
                "--rounds" => settings.round.count = value()?.parse()?,
                "--millis" => settings.round.length = Duration::from_millis(value()?.parse()?),
                "--only" => settings.only = value()?.split(',').map(str::to_owned).collect(),
                "--before" => settings.before = Some(value()?),
                _ => settings.wanted = word,
            }
        }
        Ok(settings)
    }

    fn subjects(&self, kind: Kind) -> Outcome<Vec<Subject>> {
        self.choose(subjects(kind)?)
    }

    fn compressing(&self, compress: Compress) -> Outcome<Vec<Subject>> {
        self.choose(compressing(
            compress.wanted,
            compress.pattern == Pattern::Fanout,
        )?)
    }

    fn choose(&self, mut subjects: Vec<Subject>) -> Outcome<Vec<Subject>> {
        let is_wanted = |name: &str| self.only.is_empty() || self.only.iter().any(|it| it == name);
        subjects.retain(|subject| subject.name == "floor" || is_wanted(&subject.name));
        if let Some(before) = &self.before {
            let is_ours = |name: &str| name.starts_with("bowline") || name == "hub";
            let ours = subjects.iter().filter(|it| is_ours(&it.name));
            let others: Vec<_> = ours.filter_map(|it| it.built_as(before)).collect();
            subjects.extend(others);
        }
        Ok(subjects)
    }
}

impl Scenario {
    fn run(self, settings: &Settings) -> Outcome<()> {
        let round = settings.round;
        match self {
            Self::Echo(echo) => {
                print!("{}", echo.run(&settings.subjects(Kind::Echo)?, round)?);
            }
            Self::Fanout(fanout) => {
                print!("{}", fanout.run(&settings.subjects(Kind::Fanout)?, round)?);
            }
            Self::Hub(fanout) => {
                let kind = match fanout.topics {
                    1 => Kind::Hub,
                    _ => Kind::HubTopics,
                };
                let samples = fanout.run(&settings.subjects(kind)?, round)?;
                print!("{samples}\n{}", samples.scaling("hub"));
            }
            Self::Handshake(handshake) => {
                let kind = match handshake {
                    Handshake::Accepted => Kind::Handshake,
                    Handshake::Refused => Kind::Refusal,
                };
                let mut subjects = settings.subjects(kind)?;
                if handshake == Handshake::Refused {
                    subjects.retain(|subject| subject.name != "floor");
                }
                print!("{}", handshake.run(&subjects, round)?);
            }
            Self::Compress(compress) => {
                let subjects = settings.compressing(compress)?;
                print!("{}", compress.run(&subjects, round)?.compressed());
            }
            Self::CompressIdle(compress) => {
                println!("| server | bytes each |\n|---|--:|");
                for subject in settings.compressing(compress)? {
                    let bytes = compress.idle(&subject);
                    let bytes = bytes.map_err(|error| format!("{}: {error}", subject.name))?;
                    println!("| {} | {bytes:.0} |", subject.name);
                }
            }
            Self::Idle(idle) => {
                println!("| server | bytes each |\n|---|--:|");
                let mut subjects = settings.subjects(Kind::Echo)?;
                subjects.extend(settings.subjects(Kind::HubTopics)?.into_iter().take(1));
                for (name, bytes) in idle.run(&subjects)? {
                    println!("| {name} | {bytes:.0} |");
                }
            }
            Self::IdleTls(idle) => {
                println!("| server | bytes each |\n|---|--:|");
                let certificate = Certificate::new()?;
                for subject in settings.subjects(Kind::Tls)? {
                    let bytes = idle.measure(&subject, &certificate)?;
                    println!("| {} | {bytes:.0} |", subject.name);
                }
            }
            Self::Crowd(crowd) => {
                println!("| server | processes | bytes each | pings/s | CPU share |");
                println!("|---|--:|--:|--:|--:|");
                for subject in settings.subjects(Kind::Crowd)? {
                    let row = crowd.run(&subject)?;
                    let (name, servers, share) = (row.name, row.servers, row.share * 100.0);
                    let (memory, pings) = (row.memory, row.pings);
                    println!("| {name} | {servers} | {memory:.0} | {pings:.0} | {share:.1} % |");
                }
            }
            Self::Latency(latency) => {
                println!("| server | 50 % | 99 % | 99.9 % |\n|---|--:|--:|--:|");
                for row in latency.run(&settings.subjects(Kind::Echo)?, round)? {
                    let [half, most, nearly_all] = row.values;
                    let name = row.name;
                    println!("| {name} | {half:.1?} | {most:.1?} | {nearly_all:.1?} |");
                }
            }
        }
        Ok(())
    }
}

fn scenarios() -> Vec<(String, Scenario)> {
    let plain = plain_scenarios().into_iter();
    plain
        .map(|(name, scenario)| (name.to_owned(), scenario))
        .chain(compress_scenarios())
        .collect()
}

/// With permessage-deflate, without and with context takeover.
fn compress_scenarios() -> Vec<(String, Scenario)> {
    use Agreed::{Deflate, Takeover};

    let echo = |wanted, len, connections, in_flight| Compress {
        wanted,
        content: Content::Json,
        len,
        connections,
        in_flight,
        pattern: Pattern::Echo,
    };
    let noise = |wanted| Compress {
        content: Content::Noise,
        ..echo(wanted, 16 << 10, 20, 4)
    };
    let fanout = |wanted| Compress {
        pattern: Pattern::Fanout,
        ..echo(wanted, 1 << 10, 1000, 1)
    };
    let mut scenarios = Vec::new();
    for (name, wanted) in [("deflate", Deflate), ("takeover", Takeover)] {
        for (size, len, connections, in_flight) in COMPRESSED {
            let compress = echo(wanted, len, connections, in_flight);
            let name = format!("compress-{name}-{size}-{connections}x{in_flight}");
            scenarios.push((name, Scenario::Compress(compress)));
        }
        let name = |what: &str| format!("compress-{name}-{what}");
        scenarios.push((name("noise-16KiB-20x4"), Scenario::Compress(noise(wanted))));
        scenarios.push((name("fanout-1KiB-1000"), Scenario::Compress(fanout(wanted))));
        let idle = Scenario::CompressIdle(echo(wanted, 1 << 10, 2000, 1));
        scenarios.push((name("idle-2000"), idle));
    }
    scenarios
}

fn plain_scenarios() -> Vec<(&'static str, Scenario)> {
    let echo = |len, connections, in_flight| {
        Scenario::Echo(Echo {
            len,
            connections,
            in_flight,
        })
    };
    let fanout_to = |subscribers, burst| Fanout {
        len: 128,
        topics: 1,
        subscribers,
        burst,
    };
    let fanout = |burst| fanout_to(1000, burst);
    let topics = |burst| Fanout {
        topics: 100,
        subscribers: 10,
        ..fanout(burst)
    };
    vec![
        ("echo-16B-100x1", echo(16, 100, 1)),
        ("echo-16B-100x16", echo(16, 100, 16)),
        ("echo-1KiB-1000x16", echo(1 << 10, 1000, 16)),
        ("echo-64KiB-100x16", echo(64 << 10, 100, 16)),
        ("echo-1MB-10x2", echo(1_000_000, 10, 2)),
        ("fanout-128B-1000x1", Scenario::Fanout(fanout(1))),
        ("fanout-128B-1000x16", Scenario::Fanout(fanout(16))),
        (
            "fanout-128B-10000x1",
            Scenario::Fanout(fanout_to(10_000, 1)),
        ),
        (
            "fanout-128B-10000x16",
            Scenario::Fanout(fanout_to(10_000, 16)),
        ),
        ("hub-fanout-128B-1000x1", Scenario::Hub(fanout(1))),
        ("hub-fanout-128B-1000x16", Scenario::Hub(fanout(16))),
        // So little of it is the load's that two workers and the load have room on two cores.
        ("hub-fanout-128B-1000x256", Scenario::Hub(fanout(256))),
        (
            "hub-fanout-128B-10000x1",
            Scenario::Hub(fanout_to(10_000, 1)),
        ),
        (
            "hub-fanout-128B-10000x16",
            Scenario::Hub(fanout_to(10_000, 16)),
        ),
        ("hub-topics-128B-100x10x1", Scenario::Hub(topics(1))),
        ("hub-topics-128B-100x10x16", Scenario::Hub(topics(16))),
        ("handshakes", Scenario::Handshake(Handshake::Accepted)),
        (
            "handshakes-refused",
            Scenario::Handshake(Handshake::Refused),
        ),
        (
            "latency-1KiB-100",
            Scenario::Latency(Latency {
                len: 1 << 10,
                connections: 100,
                rate: 20_000,
            }),
        ),
        (
            "idle-10000",
            Scenario::Idle(Idle {
                connections: 10_000,
            }),
        ),
        (
            "idle-tls-2000",
            Scenario::IdleTls(IdleTls { connections: 2000 }),
        ),
        (
            "idle-100k",
            Scenario::Crowd(Crowd {
                connections: 100_000,
                per_process_max: files_max().saturating_sub(FILES_SPARE),
            }),
        ),
    ]
}

/// Servers inherit the limit.
fn raise_file_limit() -> Outcome<()> {
    let enough = Rlimit {
        current: Some(FILES),
        maximum: Some(FILES),
    };
    if setrlimit(Resource::Nofile, enough).is_ok() {
        return Ok(());
    }
    let maximum = getrlimit(Resource::Nofile).maximum;
    let limit = Rlimit {
        current: maximum,
        maximum,
    };
    Ok(setrlimit(Resource::Nofile, limit)?)
}

/// Name, length, connections and messages in flight on each.
const COMPRESSED: [(&str, usize, usize, usize); 5] = [
    ("100B", 100, 100, 1),
    ("100B", 100, 100, 16),
    ("1KiB", 1 << 10, 100, 1),
    ("1KiB", 1 << 10, 100, 16),
    ("64KiB", 64 << 10, 20, 4),
];
/// How many files a process may have.
fn files_max() -> usize {
    let maximum = getrlimit(Resource::Nofile).current;
    maximum.map_or(usize::MAX, |maximum| maximum as usize)
}

const LOAD_PROCESSOR: usize = 1;
/// Only the superuser gets that many.
const FILES: u64 = 1 << 18;
/// What a process needs beside its connections.
const FILES_SPARE: usize = 500;
