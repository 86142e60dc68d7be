//! `cargo xtask test`: everything that must hold before a change is merged, in order of price.

use std::ffi::OsString;
use std::time::Instant;

use crate::failure::Outcome;
use crate::report;
use crate::step::{Step, timed};
use crate::tidy;
use crate::tools;
use crate::workspace::Workspace;

/// Whether the advisory database is asked; that needs the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Advisories {
    /// Leave them out.
    Skip,
    /// Fetch the database and check the lock file against it.
    Check,
}

/// Runs the whole suite and stops at the first step that fails.
///
/// # Errors
/// The failure of that step.
pub(crate) fn run(workspace: &Workspace, advisories: Advisories) -> Outcome<()> {
    let start = Instant::now();
    let variables = timed("tools", "packages and programs for the tests", || {
        tools::prepare(workspace)
    })?;
    for step in static_steps(workspace) {
        step.run(workspace)?;
    }
    timed("tidy", "the project's own rules", || tidy::run(workspace))?;
    for step in deny_steps(advisories)
        .into_iter()
        .chain(test_steps(&variables))
    {
        step.run(workspace)?;
    }
    let seconds = start.elapsed().as_secs();
    report::line(&format!(
        "all steps passed after {} min {} s",
        seconds / 60,
        seconds % 60
    ));
    Ok(())
}

fn static_steps(workspace: &Workspace) -> Vec<Step> {
    let mut steps = vec![
        Step::cargo("fetch", &["fetch", "--locked"]),
        Step::cargo("format", &["fmt", "--all", "--check"]),
        Step::cargo(
            "clippy",
            &[
                "clippy",
                "--workspace",
                "--all-targets",
                "--locked",
                "--",
                "-D",
                "warnings",
            ],
        ),
        Step::cargo(
            "clippy of the library without features",
            &[
                "clippy", "-p", "bowline", "--lib", "--locked", "--", "-D", "warnings",
            ],
        ),
    ];
    for folder in SEPARATE_MANIFESTS {
        let manifest = format!("{folder}/Cargo.toml");
        if !workspace.root().join(&manifest).is_file() {
            continue;
        }
        let path = ["--manifest-path", manifest.as_str()];
        let format = [&["fmt", "--check"], &path[..]].concat();
        steps.push(Step::cargo(&format!("format of {folder}"), &format));
        let clippy = [
            &["clippy", "--all-targets", "--locked"],
            &path[..],
            &["--", "-D", "warnings"],
        ]
        .concat();
        let clippy = Step::cargo(&format!("clippy of {folder}"), &clippy);
        steps.push(clippy.with(&[workspace.target_variable()]));
    }
    steps
}

fn deny_steps(advisories: Advisories) -> Vec<Step> {
    let offline = ["deny", "--offline", "check", "licenses", "bans", "sources"];
    let mut steps = vec![Step::cargo("dependencies", &offline)];
    if advisories == Advisories::Check {
        steps.push(Step::cargo("advisories", &["deny", "check", "advisories"]));
    }
    steps
}

fn test_steps(variables: &[(&'static str, OsString)]) -> Vec<Step> {
    let tests = [
        "test",
        "--workspace",
        "--all-targets",
        "--locked",
        "--no-fail-fast",
    ];
    // Tests run the examples as programs; among all targets they are built as tests only.
    let examples = ["build", "--workspace", "--examples", "--locked"];
    let documents = ["doc", "--workspace", "--no-deps", "--lib", "--locked"];
    let strict = [("RUSTDOCFLAGS", OsString::from("-D warnings"))];
    vec![
        Step::cargo("examples", &examples),
        Step::cargo("tests", &tests).with(variables),
        Step::cargo("doc tests", &["test", "--doc", "--workspace", "--locked"]).with(variables),
        Step::cargo("documents", &documents).with(&strict),
    ]
}

/// Crates with a lock file of their own, so that their dependencies stay out of the product's.
const SEPARATE_MANIFESTS: [&str; 3] = ["bench", "bench/load", "fuzz"];
