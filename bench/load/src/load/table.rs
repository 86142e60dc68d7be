//! `Samples`: what rounds gave, and the table of it.

use std::{
    fmt::{self, Write as _},
    time::Duration,
};

use crate::subject::Subject;

/// How often and how long each subject is measured.
#[derive(Clone, Copy, Debug)]
pub struct Round {
    pub count: usize,
    pub length: Duration,
    pub warm_up: Duration,
}

/// The rounds of one scenario, by subject; the floor is the first.
#[derive(Debug, Default)]
pub struct Samples {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    name: String,
    /// Messages per second of each round.
    rates: Vec<f64>,
    /// Processor time of the server for one message, in nanoseconds.
    costs: Vec<f64>,
    /// The same of its busiest thread; empty where that is not measured.
    busiest: Vec<f64>,
    /// What was agreed on, bytes on the wire for one message and bytes of the message; only where
    /// messages are compressed.
    wire: Option<(&'static str, f64, f64)>,
}

impl Samples {
    pub fn add(&mut self, subject: &Subject, messages: u64, wall: Duration, cpu: Duration) {
        let index = self.rows.iter().position(|row| row.name == subject.name);
        let index = index.unwrap_or_else(|| {
            self.rows.push(Row {
                name: subject.name.clone(),
                rates: Vec::new(),
                costs: Vec::new(),
                busiest: Vec::new(),
                wire: None,
            });
            self.rows.len() - 1
        });
        let row = &mut self.rows[index];
        row.rates.push(messages as f64 / wall.as_secs_f64());
        row.costs.push(cpu.as_nanos() as f64 / messages as f64);
    }

    /// Adds the processor time of a subject's busiest thread to the round that was added last.
    pub fn add_busiest(&mut self, subject: &Subject, messages: u64, cpu: Duration) {
        if let Some(row) = self.rows.iter_mut().find(|row| row.name == subject.name) {
            row.busiest.push(cpu.as_nanos() as f64 / messages as f64);
        }
    }

    /// Adds what a message takes on the wire to the subject's row.
    pub fn add_wire(&mut self, subject: &Subject, agreed: &'static str, wire: f64, plain: f64) {
        if let Some(row) = self.rows.iter_mut().find(|row| row.name == subject.name) {
            row.wire = Some((agreed, wire, plain));
        }
    }

    /// Writes what messages cost and take on the wire, beside ours.
    pub fn compressed(&self) -> String {
        let mut table = "| server | agreed | CPU each | spread | per second | on the wire | \
                         of plain | bowline's CPU to it |\n|---|---|--:|--:|--:|--:|--:|--:|\n"
            .to_owned();
        let ours = ["bowline", "bowline-fanout"];
        let ours = ours.iter().find_map(|name| self.row(name));
        for row in &self.rows {
            let Some((agreed, wire, plain)) = row.wire else {
                continue;
            };
            let of_ours = ours.map_or(f64::NAN, |ours| paired(&ours.costs, &row.costs));
            writeln!(
                table,
                "| {} | {agreed} | {} | {:.0} % | {} | {wire:.0} B | {:.3} | {of_ours:.2} |",
                row.name,
                time(median(&row.costs)),
                spread(&row.costs),
                grouped(median(&row.rates)),
                wire / plain,
            )
            .expect("a string takes everything");
        }
        table
    }

    /// Writes how far the work is divided among threads: what one does for a message, and how many
    /// times more they could do together, each on a core of its own, than the first one of `base`.
    pub fn scaling(&self, base: &str) -> String {
        let mut table = "| server | busiest thread's CPU | scaling |\n|---|--:|--:|\n".to_owned();
        let Some(base) = self.row(base) else {
            return table;
        };
        for row in self.rows.iter().filter(|row| row.name.starts_with("hub")) {
            let (name, cost) = (&row.name, time(median(&row.busiest)));
            let scaling = paired(&base.busiest, &row.busiest);
            writeln!(table, "| {name} | {cost} | {scaling:.2} |")
                .expect("a string takes everything");
        }
        table
    }

    fn row(&self, name: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.name == name)
    }
}

impl fmt::Display for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(floor) = self.rows.first() else {
            return Ok(());
        };
        let ours = ["bowline", "bowline-fanout", "hub"];
        let ours = ours.iter().find_map(|name| self.row(name));
        writeln!(
            f,
            "| server | per second | spread | rate to {first} | CPU each | spread | {first}'s CPU to it | bowline's CPU to it |",
            first = floor.name
        )?;
        writeln!(f, "|---|--:|--:|--:|--:|--:|--:|--:|")?;
        for row in &self.rows {
            let (rate, cost) = (median(&row.rates), median(&row.costs));
            let of_ours = ours.map_or(f64::NAN, |ours| paired(&ours.costs, &row.costs));
            writeln!(
                f,
                "| {} | {} | {:.0} % | {:.2} | {} | {:.0} % | {:.2} | {:.2} |",
                row.name,
                grouped(rate),
                spread(&row.rates),
                paired(&row.rates, &floor.rates),
                time(cost),
                spread(&row.costs),
                paired(&floor.costs, &row.costs),
                of_ours,
            )?;
        }
        Ok(())
    }
}

/// The median of the ratios round by round: what disturbs a round disturbs both.
fn paired(left: &[f64], right: &[f64]) -> f64 {
    let ratios: Vec<f64> = left.iter().zip(right).map(|(l, r)| l / r).collect();
    median(&ratios)
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        len if len % 2 == 0 => f64::midpoint(sorted[middle - 1], sorted[middle]),
        _ => sorted[middle],
    }
}

/// Half the way from the least to the greatest, in percent of the median.
fn spread(values: &[f64]) -> f64 {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (greatest - least) / 2.0 / median(values) * 100.0
}

fn time(nanoseconds: f64) -> String {
    if nanoseconds < 1000.0 {
        format!("{nanoseconds:.0} ns")
    } else {
        format!("{:.2} µs", nanoseconds / 1000.0)
    }
}

fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
