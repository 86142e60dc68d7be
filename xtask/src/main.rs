//! The project's own tasks, run as `cargo xtask <task>`.

mod failure;
mod instructions;
mod report;
mod step;
mod suite;
mod tidy;
mod tools;
mod workspace;

use std::process::ExitCode;

use failure::{Failure, Outcome};
use step::Step;
use suite::Advisories;
use workspace::Workspace;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            report::problem(&failure.to_string());
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Outcome<()> {
    if matches!(words, [] | ["help" | "--help" | "-h", ..]) {
        report::line(USAGE);
        return Ok(());
    }
    let workspace = Workspace::find()?;
    match words {
        ["test"] => suite::run(&workspace, Advisories::Skip),
        ["test", "--advisories"] => suite::run(&workspace, Advisories::Check),
        ["tidy"] => tidy::run(&workspace),
        ["tools"] => tools::prepare(&workspace).map(|_| ()),
        ["bench"] => bench(&workspace, None),
        ["bench", "instructions"] => instructions::run(&workspace, false),
        ["bench", "instructions", "--bless"] => instructions::run(&workspace, true),
        ["bench", "load", rest @ ..] => load(&workspace, rest),
        ["bench", scenario] => bench(&workspace, Some(scenario)),
        ["fuzz", target] => fuzz(&workspace, target, FUZZ_SECONDS_DEFAULT),
        ["fuzz", target, seconds] => fuzz(&workspace, target, seconds),
        _ => Err(Failure::new(format!(
            "unknown task: {}\n\n{USAGE}",
            words.join(" ")
        ))),
    }
}

/// Runs the benchmarks, all of them or those whose name contains `scenario`.
fn bench(workspace: &Workspace, scenario: Option<&str>) -> Outcome<()> {
    let mut words = vec![
        "bench",
        "--locked",
        "--manifest-path",
        "bench/Cargo.toml",
        "--",
    ];
    words.extend(scenario);
    Step::cargo("bench", &words)
        .with(&[workspace.target_variable()])
        .run(workspace)
}

/// Loads servers over TCP: ours, those of other libraries, and floors in C.
fn load(workspace: &Workspace, words: &[&str]) -> Outcome<()> {
    let modules = tools::node_modules(workspace)?;
    let target = workspace.target_variable();
    let ours = ["build", "--release", "--locked", "--package", "bowline-cli"];
    Step::cargo("program", &ours)
        .with(std::slice::from_ref(&target))
        .run(workspace)?;
    let manifest = ["--release", "--locked", "--manifest-path", LOAD_MANIFEST];
    let peers = [&["build", "--bins"], &manifest[..]].concat();
    Step::cargo("peers", &peers)
        .with(std::slice::from_ref(&target))
        .run(workspace)?;
    let run = [&["run"], &manifest[..], &["--bin", "load", "--"], words].concat();
    Step::cargo("load", &run)
        .with(&[target, ("BOWLINE_NODE_MODULES", modules.into_os_string())])
        .run(workspace)
}

/// Fuzzes one target for a number of seconds, on the stable compiler.
fn fuzz(workspace: &Workspace, target: &str, seconds: &str) -> Outcome<()> {
    if seconds.parse::<u32>().is_err() {
        return Err(Failure::new(format!("not a number of seconds: {seconds}")));
    }
    tools::prepare_fuzzing(workspace)?;
    let limit = format!("-max_total_time={seconds}");
    let words = ["fuzz", "run", "--sanitizer=none", target, "--", &limit];
    Step::cargo("fuzz", &words).run(workspace)
}

const FUZZ_SECONDS_DEFAULT: &str = "60";
const LOAD_MANIFEST: &str = "bench/load/Cargo.toml";

const USAGE: &str = "\
Usage: cargo xtask <task>

  test [--advisories]      every check and every test; installs the packages it needs when it may
  tidy                     the project's own rules about files, documents and dependencies
  tools                    only the packages that the tests need
  bench [scenario]         benchmarks of the engine, all or those whose name contains the scenario
  bench load [scenario]    servers over TCP, beside other libraries and floors in C
  bench instructions       what the plain loop executes; fails if it is more than recorded
  fuzz <target> [seconds]  one fuzz target, 60 seconds unless told";
