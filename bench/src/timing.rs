//! `Timing`: measures routines with criterion and remembers what was measured.

use std::{path::PathBuf, time::SystemTime};

use criterion::{BenchmarkId, Criterion, Throughput};

use crate::{clock::ThreadClock, table::Table};

/// The measurements of one invocation.
pub struct Timing {
    criterion: Criterion<ThreadClock>,
    results: PathBuf,
    began: SystemTime,
    table: Table,
}

/// What one routine measures.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The group of scenarios.
    pub group: &'a str,
    /// The scenario within the group.
    pub scenario: &'a str,
    /// Who does the work.
    pub library: &'static str,
    /// How often one call of the routine does it.
    pub count: usize,
    /// The payload bytes of one time.
    pub bytes: usize,
}

impl Timing {
    /// Takes the command line of `cargo bench`; criterion writes below `results`.
    pub fn new(criterion: Criterion<ThreadClock>, results: PathBuf) -> Self {
        Self {
            criterion: criterion
                .without_plots()
                .output_directory(&results)
                .configure_from_args(),
            results,
            began: SystemTime::now(),
            table: Table::default(),
        }
    }

    /// Measures the routine that `build` makes, unless the command line leaves it out.
    pub fn measure<R: FnMut()>(&mut self, subject: Subject<'_>, build: impl FnOnce() -> R) {
        let mut build = Some(build);
        let mut routine = None;
        let bytes = (subject.bytes * subject.count) as u64;
        let mut group = self.criterion.benchmark_group(subject.group);
        if bytes > 0 {
            group.throughput(Throughput::Bytes(bytes));
        }
        group.bench_function(
            BenchmarkId::new(subject.scenario, subject.library),
            |bencher| {
                if let Some(build) = build.take() {
                    routine = Some(build());
                }
                let routine = routine.as_mut().expect("it is built at the first call");
                bencher.iter(routine);
            },
        );
        group.finish();
        let estimates = self
            .results
            .join(subject.group)
            .join(subject.scenario)
            .join(subject.library)
            .join("new/estimates.json");
        self.table.add(&subject, &estimates, self.began);
    }

    /// Ends criterion's work and gives the table.
    pub fn finish(self) -> Table {
        self.criterion.final_summary();
        self.table
    }
}
