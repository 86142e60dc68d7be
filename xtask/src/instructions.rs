//! `cargo xtask bench instructions`: what the plain loop executes, beside what is recorded.

use std::{fmt::Write as _, path::Path, process::Command};

use crate::{
    failure::{Failure, Outcome},
    report,
    step::{Step, timed},
    workspace::Workspace,
};

/// Counts the instructions of the plain loop for each recorded case, and fails if one takes more
/// than it did; `bless` records the new counts.
///
/// # Errors
/// Without valgrind, or if a case takes more.
pub(crate) fn run(workspace: &Workspace, bless: bool) -> Outcome<()> {
    let target = workspace.target_variable();
    let program = Path::new(&target.1).join("release/spin");
    let words = ["build", "--release", "--locked", "--bin", "spin"];
    let words = [&words[..], &["--manifest-path", "bench/load/Cargo.toml"]].concat();
    Step::cargo("spin", &words)
        .with(std::slice::from_ref(&target))
        .run(workspace)?;
    let path = workspace.root().join(RECORD);
    let record = std::fs::read_to_string(&path)
        .map_err(|error| Failure::new(format!("{RECORD}: {error}")))?;
    let cases = record.lines().filter(|line| !line.starts_with('#'));
    let cases = cases.map(Case::parse).collect::<Outcome<Vec<_>>>()?;
    let counted = timed("instructions", "valgrind --tool=callgrind spin", || {
        let count = |case: &Case| Ok((*case, case.count(&program)?));
        cases.iter().map(count).collect::<Outcome<Vec<_>>>()
    })?;
    if bless {
        let text = write(&record, &counted);
        return std::fs::write(&path, text)
            .map_err(|error| Failure::new(format!("{RECORD}: {error}")));
    }
    compare(&counted)
}

/// One way the messages come, and what each took when it was recorded.
#[derive(Clone, Copy, Debug)]
struct Case {
    len: u32,
    together: u32,
    recorded: u32,
}

impl Case {
    fn parse(line: &str) -> Outcome<Self> {
        let numbers: Vec<u32> = line.split_whitespace().flat_map(str::parse).collect();
        match numbers[..] {
            [len, together, recorded] => Ok(Self {
                len,
                together,
                recorded,
            }),
            _ => Err(Failure::new(format!("{RECORD}: not three numbers: {line}"))),
        }
    }

    /// Gives the instructions for one message; what the program does once is left out.
    fn count(&self, program: &Path) -> Outcome<u32> {
        let [few, many] = BURSTS;
        let more = self.total(program, many)? - self.total(program, few)?;
        let messages = u64::from(many - few) * u64::from(self.together);
        u32::try_from(more / messages).map_err(|error| Failure::new(error.to_string()))
    }

    fn total(&self, program: &Path, bursts: u32) -> Outcome<u64> {
        let numbers = [bursts, self.together, self.len].map(|number| number.to_string());
        let output = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(program)
            .args(numbers)
            .output()
            .map_err(|error| Failure::new(format!("valgrind: {error}; install it")))?;
        let told = String::from_utf8_lossy(&output.stderr);
        let collected = told
            .lines()
            .find_map(|line| line.split_once("Collected : "));
        collected
            .and_then(|(_, count)| count.trim().parse().ok())
            .ok_or_else(|| Failure::new(format!("valgrind gave no count:\n{told}")))
    }
}

fn compare(counted: &[(Case, u32)]) -> Outcome<()> {
    let mut more = Vec::new();
    for (case, now) in counted {
        let Case {
            len,
            together,
            recorded,
        } = case;
        let name = format!("{len} B, {together} together");
        report::line(&format!("{name}: {now} instructions, recorded {recorded}"));
        if u64::from(*now) * 100 > u64::from(*recorded) * (100 + TOLERANCE) {
            more.push(name);
        }
    }
    if more.is_empty() {
        return Ok(());
    }
    let more = more.join("; ");
    Err(Failure::new(format!(
        "more instructions than recorded: {more}. Find out why, or record them with --bless."
    )))
}

fn write(record: &str, counted: &[(Case, u32)]) -> String {
    let comments = record.lines().filter(|line| line.starts_with('#'));
    let mut text: String = comments.flat_map(|line| [line, "\n"]).collect();
    for (case, now) in counted {
        writeln!(text, "{} {} {now}", case.len, case.together).expect("a string takes everything");
    }
    text
}

/// Where the counts are kept.
const RECORD: &str = "bench/load/instructions.txt";
/// Compilers and their libraries differ by as many per cent.
const TOLERANCE: u64 = 3;
/// Two numbers of bursts, whose difference counts.
const BURSTS: [u32; 2] = [500, 2500];
