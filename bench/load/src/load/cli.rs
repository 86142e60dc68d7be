//! The command line: `load [--rounds N] [--millis N] [--only NAME,NAME] [--before FILE] [scenario]`.

use std::time::Duration;

use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    thread::{CpuSet, sched_setaffinity},
};

use crate::{
    Outcome,
    echo::Echo,
    fanout::Fanout,
    handshake::Handshake,
    idle::Idle,
    latency::Latency,
    subject::{Kind, Subject, subjects},
    table::Round,
};

struct Settings {
    round: Round,
    /// Names of subjects; all if empty. The floor is always there.
    only: Vec<String>,
    /// Another build of `peer`, to be measured beside this one.
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
    Latency(Latency),
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
        let mut subjects = subjects(kind)?;
        let is_wanted = |name: &str| self.only.is_empty() || self.only.iter().any(|it| it == name);
        subjects.retain(|subject| subject.name == "floor" || is_wanted(&subject.name));
        if let Some(before) = &self.before {
            let ours = subjects.iter().filter(|it| it.name.starts_with("bowline"));
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
            Self::Idle(idle) => {
                println!("| server | bytes each |\n|---|--:|");
                let mut subjects = settings.subjects(Kind::Echo)?;
                subjects.extend(settings.subjects(Kind::HubTopics)?.into_iter().take(1));
                for (name, bytes) in idle.run(&subjects)? {
                    println!("| {name} | {bytes:.0} |");
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

fn scenarios() -> Vec<(&'static str, Scenario)> {
    let echo = |len, connections, in_flight| {
        Scenario::Echo(Echo {
            len,
            connections,
            in_flight,
        })
    };
    let fanout = |burst| Fanout {
        len: 128,
        topics: 1,
        subscribers: 1000,
        burst,
    };
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
        ("hub-fanout-128B-1000x1", Scenario::Hub(fanout(1))),
        ("hub-fanout-128B-1000x16", Scenario::Hub(fanout(16))),
        // So little of it is the load's that two workers and the load have room on two cores.
        ("hub-fanout-128B-1000x256", Scenario::Hub(fanout(256))),
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

const LOAD_PROCESSOR: usize = 1;
/// Only the superuser gets that many.
const FILES: u64 = 1 << 18;
