//! `bowline check`: says what is wrong with connector and element files.

use std::{
    fs::{self, File},
    io::{self, IsTerminal, Read},
    path::{Path, PathBuf},
};

use bowline_connector::{
    ReadLimits, Reading,
    diagnostic::{Renderer, Severity},
    read,
};

use serde_json::json;

use crate::{
    args::{CheckArgs, CheckFormat},
    elements,
    exit::{Failure, Findings},
    output,
};

/// Reads every file and writes what there is to say of it.
pub(crate) fn run(args: &CheckArgs) -> Result<(), Failure> {
    let mut findings = Findings::default();
    for path in files(&args.files)? {
        findings.files += 1;
        if elements::is_element(&path) {
            check_element(&path, args.format, &mut findings)?;
            continue;
        }
        let (name, bytes) = contents(&path)?;
        let reading = read(&name, &bytes);
        match args.format {
            CheckFormat::Text => write_text(&reading)?,
            CheckFormat::Json => output::line(format_args!("{}", reading.diagnostics.to_json()))?,
        }
        findings.errors += reading.diagnostics.count(Severity::Error);
        findings.warnings += reading.diagnostics.count(Severity::Warning);
        findings.notes += reading.diagnostics.count(Severity::Note);
    }
    if findings.errors > 0 || (args.deny.is_some() && findings.warnings > 0) {
        return Err(Failure::Connector(findings));
    }
    output::status(format_args!("{findings}"));
    Ok(())
}

/// Checks an element file, and its connector as far as the element needs it.
fn check_element(path: &Path, format: CheckFormat, findings: &mut Findings) -> Result<(), Failure> {
    let Some(problems) = elements::check(path)? else {
        findings.errors += 1;
        return Ok(());
    };
    let errors = problems.iter().filter(|one| one.is_error).count();
    let warnings = problems.len() - errors;
    findings.errors += errors;
    findings.warnings += warnings;
    if format == CheckFormat::Json {
        let list = problems.iter().map(|one| {
            json!({
                "severity": if one.is_error { "error" } else { "warning" },
                "message": one.message,
                "help": one.help,
                "line": one.line,
                "column": one.column,
            })
        });
        let object = json!({
            "file": path.display().to_string(),
            "errors": errors,
            "warnings": warnings,
            "notes": 0,
            "left_out": 0,
            "diagnostics": list.collect::<Vec<_>>(),
        });
        return output::line(format_args!("{object}"));
    }
    for problem in problems {
        output::line(format_args!("{problem}\n"))?;
    }
    Ok(())
}

/// Gives the files to check: those of a folder that end in `.xml`, by name.
fn files(given: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in given {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let failure = |source: io::Error| failure(path, &source);
        let mut within = Vec::new();
        for entry in fs::read_dir(path).map_err(failure)? {
            let file = entry.map_err(failure)?.path();
            let is_xml = file
                .extension()
                .is_some_and(|end| end.eq_ignore_ascii_case("xml"));
            if is_xml && file.is_file() {
                within.push(file);
            }
        }
        within.sort();
        files.extend(within);
    }
    Ok(files)
}

/// Reads a file, or standard input, as far as a connector may be long, and one byte more.
fn contents(path: &Path) -> Result<(String, Vec<u8>), Failure> {
    let limit = u64::try_from(ReadLimits::default().size_max).unwrap_or(u64::MAX);
    let limit = limit.saturating_add(1);
    let mut bytes = Vec::new();
    let is_input = path == Path::new("-");
    let read = if is_input {
        io::stdin().take(limit).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    };
    read.map_err(|source: io::Error| failure(path, &source))?;
    let name = if is_input {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    };
    Ok((name, bytes))
}

fn failure(path: &Path, source: &io::Error) -> Failure {
    Failure::File {
        path: path.to_owned(),
        what: format!("cannot be read: {source}"),
    }
}

fn write_text(reading: &Reading) -> Result<(), Failure> {
    let has_colours = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let renderer = if has_colours {
        Renderer::coloured()
    } else {
        Renderer::plain()
    };
    let text = renderer.render_all(&reading.diagnostics);
    if text.is_empty() {
        return Ok(());
    }
    output::line(format_args!("{}", text.trim_end_matches('\n')))?;
    output::line(format_args!(""))
}
