//! The `bowline` command.

#![forbid(unsafe_code)]

mod args;
mod command;
mod connectors;
mod control;
mod conversation;
mod elements;
mod exit;
mod output;
mod signals;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};

fn main() -> ExitCode {
    let args = Args::parse();
    output::start_log(args.log.as_deref(), args.command.log_default());
    let done = match args.command {
        Command::Serve(args) => command::serve::run(args),
        Command::Connect(args) => command::connect::run(&args),
        Command::Check(args) => command::check::run(&args),
        Command::Echo(args) => command::echo::run(&args),
        Command::Simulate(args) => command::simulate::run(args),
        Command::Run(args) => command::run::run(&args),
        Command::Set(args) => command::set::run(args),
        Command::Get(args) => command::get::run(args),
        Command::Test(args) => command::test::run(&args),
        Command::Replay(args) => command::replay::run(*args),
        Command::Completions(args) => command::completions::run(&args),
        Command::Man(args) => command::man::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::status(format_args!("bowline: {failure}"));
            failure.exit_code()
        }
    }
}
