//! The packages and programs that the tests drive: their pins, and how each is installed.
//!
//! Nothing is skipped when one is missing: it is installed where that is allowed, else named in an error.

mod debian;
mod program;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Outcome};
use crate::report;
use crate::workspace::Workspace;
use program::Program;

/// Makes every tool ready and gives the environment variables that tell the tests where they are.
///
/// # Errors
/// When a tool is missing and may not or cannot be installed.
pub(crate) fn prepare(workspace: &Workspace) -> Outcome<Vec<(&'static str, OsString)>> {
    rust_component("fmt", "rustfmt")?;
    rust_component("clippy", "clippy")?;
    debian::install(&missing_packages(workspace))?;
    let chromium = chromium();
    Program::new(&chromium).expect_success(&["--version"])?;
    let python = python(workspace)?;
    let modules = node_modules(workspace)?;
    cargo_program(workspace, "cargo-deny", CARGO_DENY_VERSION)?;
    Ok(vec![
        ("BOWLINE_CHROMIUM", chromium.into_os_string()),
        ("BOWLINE_PYTHON", python.into_os_string()),
        ("BOWLINE_NODE_MODULES", modules.into_os_string()),
    ])
}

/// Makes the fuzzing tools ready.
///
/// # Errors
/// When one is missing and may not or cannot be installed.
pub(crate) fn prepare_fuzzing(workspace: &Workspace) -> Outcome<()> {
    debian::install(&missing_packages(workspace))?;
    cargo_program(workspace, "cargo-fuzz", CARGO_FUZZ_VERSION)
}

/// Debian packages whose programs are not there yet.
fn missing_packages(workspace: &Workspace) -> Vec<&'static str> {
    let mut missing = Vec::new();
    let chromium_named = std::env::var_os("BOWLINE_CHROMIUM").is_some();
    if !chromium_named && !Path::new(CHROMIUM_DEFAULT).is_file() {
        missing.push("chromium");
    }
    // The fuzzing runtime is C++, and its build script runs for a mere check too.
    if workspace.root().join("fuzz/Cargo.toml").is_file()
        && !Program::new("g++").succeeds(&["--version"])
    {
        missing.push("g++");
    }
    // Debian splits the part of Python that makes virtual environments into a package of its own.
    if Program::new("python3").succeeds(&["--version"])
        && !Program::new("python3").succeeds(&["-c", "import ensurepip, venv"])
    {
        missing.push("python3-venv");
    }
    let proxies = [
        ("BOWLINE_TINYPROXY", TINYPROXY_DEFAULT, "tinyproxy-bin"),
        ("BOWLINE_MICROSOCKS", MICROSOCKS_DEFAULT, "microsocks"),
    ];
    for (variable, default, package) in proxies {
        if std::env::var_os(variable).is_none() && !Path::new(default).is_file() {
            missing.push(package);
        }
    }
    missing
}

fn rust_component(word: &str, component: &str) -> Outcome<()> {
    if Program::new("cargo").succeeds(&[word, "--version"]) {
        return Ok(());
    }
    Program::new("rustup").expect_success(&["component", "add", component])
}

fn chromium() -> PathBuf {
    std::env::var_os("BOWLINE_CHROMIUM").map_or_else(|| CHROMIUM_DEFAULT.into(), PathBuf::from)
}

/// A virtual environment with the pinned packages; gives its interpreter.
fn python(workspace: &Workspace) -> Outcome<PathBuf> {
    let minimum = format!("import sys; sys.exit(sys.version_info < {PYTHON_VERSION_MIN})");
    Program::new("python3")
        .expect_success(&["-c", &minimum])
        .map_err(|failure| Failure::new(format!("Python 3.11 or newer is needed: {failure}")))?;
    let folder = workspace.tools().join("python");
    let interpreter = folder.join("bin/python");
    let ready = || Program::new(&interpreter).succeeds(&["-c", "import websockets"]);
    if is_stamped(&folder, PYTHON_REQUIREMENTS) && ready() {
        return Ok(interpreter);
    }
    report::line("    installing the Python packages of xtask/tools/requirements.txt");
    Program::new("python3").expect_success(&["-m", "venv", "--clear", &text(&folder)?])?;
    let requirements = folder.join("requirements.txt");
    write(&requirements, PYTHON_REQUIREMENTS)?;
    Program::new(&interpreter).expect_success(&[
        "-m",
        "pip",
        "install",
        "--quiet",
        "--requirement",
        &text(&requirements)?,
    ])?;
    stamp(&folder, PYTHON_REQUIREMENTS)?;
    Ok(interpreter)
}

/// Installs the pinned npm packages; gives their `node_modules`.
///
/// # Errors
/// When Node is missing or the packages cannot be installed.
pub(crate) fn node_modules(workspace: &Workspace) -> Outcome<PathBuf> {
    let minimum =
        format!("process.exit(parseInt(process.versions.node) < {NODE_VERSION_MIN} ? 1 : 0)");
    Program::new("node")
        .expect_success(&["-e", &minimum])
        .map_err(|failure| {
            let need = format!("Node {NODE_VERSION_MIN} or newer is needed");
            Failure::new(format!("{need}: {failure}"))
        })?;
    let folder = workspace.tools().join("node");
    let modules = folder.join("node_modules");
    if is_stamped(&folder, NODE_LOCK) && modules.join("ws/package.json").is_file() {
        return Ok(modules);
    }
    report::line("    installing the npm packages of xtask/tools/package.json");
    create(&folder)?;
    write(&folder.join("package.json"), NODE_PACKAGE)?;
    write(&folder.join("package-lock.json"), NODE_LOCK)?;
    Program::new("npm")
        .in_folder(&folder)
        .with("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")
        .expect_success(&["ci", "--ignore-scripts", "--no-audit", "--no-fund"])?;
    stamp(&folder, NODE_LOCK)?;
    Ok(modules)
}

/// A cargo subcommand in its pinned version, kept where cargo keeps programs.
fn cargo_program(workspace: &Workspace, name: &str, version: &str) -> Outcome<()> {
    let installed = Program::new(name).output(&["--version"]);
    let wanted = format!("{name} {version}");
    if installed.is_some_and(|line| line.trim() == wanted) {
        return Ok(());
    }
    report::line(&format!("    installing {wanted}; this takes minutes"));
    // A build folder of its own keeps the workspace's profile and artefacts out of it.
    Program::new("cargo")
        .with("CARGO_TARGET_DIR", workspace.tools().join("cargo"))
        .expect_success(&["install", "--quiet", "--locked", name, "--version", version])
}

/// Whether an earlier run finished installing exactly these pins here.
fn is_stamped(folder: &Path, pins: &str) -> bool {
    fs::read_to_string(folder.join(STAMP)).is_ok_and(|found| found == pins)
}

fn stamp(folder: &Path, pins: &str) -> Outcome<()> {
    write(&folder.join(STAMP), pins)
}

fn create(folder: &Path) -> Outcome<()> {
    fs::create_dir_all(folder)
        .map_err(|error| Failure::new(format!("{}: {error}", folder.display())))
}

fn write(file: &Path, content: &str) -> Outcome<()> {
    fs::write(file, content).map_err(|error| Failure::new(format!("{}: {error}", file.display())))
}

fn text(path: &Path) -> Outcome<String> {
    path.to_str()
        .map(str::to_owned)
        .ok_or_else(|| Failure::new(format!("{} is not UTF-8", path.display())))
}

const CARGO_DENY_VERSION: &str = "0.20.2";
const CARGO_FUZZ_VERSION: &str = "0.13.2";
const NODE_VERSION_MIN: u32 = 20;
/// A Python tuple.
const PYTHON_VERSION_MIN: &str = "(3, 11)";
const CHROMIUM_DEFAULT: &str = "/usr/bin/chromium";
const TINYPROXY_DEFAULT: &str = "/usr/bin/tinyproxy";
const MICROSOCKS_DEFAULT: &str = "/usr/bin/microsocks";
const PYTHON_REQUIREMENTS: &str = include_str!("../../tools/requirements.txt");
const NODE_PACKAGE: &str = include_str!("../../tools/package.json");
const NODE_LOCK: &str = include_str!("../../tools/package-lock.json");
/// Written last, so that an interrupted installation is not taken for a whole one.
const STAMP: &str = "installed-pins";
