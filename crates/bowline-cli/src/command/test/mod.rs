//! `bowline test`: a conversation played to a connector, without its device.

mod alike;
mod compare;

use std::{path::Path, sync::Arc};

use bowline_connector::{
    record::{Happening, Input},
    replay::Replay,
};

use self::{
    alike::Alike,
    compare::{Comparison, Difference},
};
use crate::{
    args::TestArgs,
    conversation::element::{Kind, Line, Record},
    elements::{Loaded, load_for},
    exit::Failure,
    output::line,
};

/// Plays every conversation.
pub(crate) fn run(args: &TestArgs) -> Result<(), Failure> {
    let alike = Alike::new(&args.ignore);
    let mut differences = 0;
    for path in &args.conversation {
        let record = Record::read(path)?;
        let loaded = load_for(&args.file, &record.heading.settings)?;
        let played = play(path, &loaded, &record)?;
        if args.bless {
            bless(path, &record, &played)?;
        } else {
            differences += compare(path, (&loaded, &record), (&played, &alike))?;
        }
    }
    match differences {
        0 => Ok(()),
        count => Err(Failure::Differences(count)),
    }
}

/// Plays a conversation and gives what came out.
fn play(path: &Path, loaded: &Loaded, record: &Record) -> Result<Vec<Line>, Failure> {
    let heading = &record.heading;
    let begun = Replay::start(
        Arc::clone(&loaded.plan),
        Arc::clone(&loaded.settings),
        &loaded.hooks,
        (heading.saved.clone(), heading.seed),
    );
    let mut replay = begun.map_err(|error| Failure::StartElement {
        name: heading.name.clone(),
        error,
    })?;
    let inputs: Vec<_> = inputs_of(record).collect();
    let played = replay.play(inputs.iter().map(|(at, input)| (*at, input)));
    played.map_err(|error| Failure::Play {
        path: path.to_owned(),
        error,
    })?;
    let outputs = replay.outputs().iter();
    let lines = outputs.filter_map(|(at, output)| Line::of(*at, &Happening::Out(output.clone())));
    Ok(lines.collect())
}

/// Gives what went in. Lines were checked when they were read.
fn inputs_of(record: &Record) -> impl Iterator<Item = (std::time::Duration, Input)> {
    let lines = record.lines.iter();
    lines.filter_map(|(_, line)| Some((line.at().ok()?, line.input().ok()??)))
}

/// Shows what is different, and gives the number of differences.
fn compare(
    path: &Path,
    (loaded, record): (&Loaded, &Record),
    (played, alike): (&[Line], &Alike<'_>),
) -> Result<u64, Failure> {
    let comparison = Comparison::of(record, played, alike);
    let file = path.display();
    for difference in &comparison.differences {
        let Difference { line: number, .. } = difference;
        line(format_args!(
            "{file}:{number}: {}",
            difference.about(&loaded.plan)
        ))?;
        if let Some(expected) = &difference.expected {
            line(format_args!("- {}", compare::shown(expected)))?;
        }
        if let Some(got) = &difference.got {
            line(format_args!("+ {}", compare::shown(got)))?;
        }
    }
    let count = comparison.differences.len() as u64;
    line(format_args!(
        "{file}: {}: {} as recorded, {count} differences",
        loaded.settings.name,
        comparison.alike_told()
    ))?;
    Ok(count)
}

/// Puts what came out in the place of what came out then.
fn bless(path: &Path, record: &Record, played: &[Line]) -> Result<(), Failure> {
    let inputs = record.lines.iter().map(|(_, line)| line);
    let inputs = inputs.filter(|line| !line.is_output());
    let mut lines: Vec<&Line> = inputs.chain(played).collect();
    // Stable: what came out at the time of an input came after it.
    lines.sort_by(|one, other| {
        let is_end = |line: &Line| line.kind == Kind::End;
        let order = one.t.total_cmp(&other.t);
        order.then(is_end(one).cmp(&is_end(other)))
    });
    Record::write(path, &record.heading, lines.into_iter())?;
    let file = path.display();
    line(format_args!(
        "{file}: written, with {} messages and values",
        played.len()
    ))
}
