//! `bowline man`: the manual pages.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use clap::CommandFactory;
use clap_mangen::Man;

use crate::{
    args::{Args, ManArgs},
    exit::Failure,
};

/// Writes the page of the program to standard output, or all pages into a folder.
pub(crate) fn run(args: &ManArgs) -> Result<(), Failure> {
    match &args.folder {
        Some(folder) => write_pages(folder),
        None => write_page(&Args::command(), &mut io::stdout().lock()).map_err(|source| {
            Failure::System {
                what: "write to standard output",
                source,
            }
        }),
    }
}

fn write_pages(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(failed("make the folder", folder))?;
    // Building it fills in what the subcommands inherit.
    let mut program = Args::command().disable_help_subcommand(true);
    program.build();
    for command in program.get_subcommands().chain([&program]) {
        let path = folder.join(Man::new(command.clone()).get_filename());
        let mut page = Vec::new();
        let written = write_page(command, &mut page).and_then(|()| fs::write(&path, page));
        written.map_err(failed("write", &path))?;
    }
    Ok(())
}

fn write_page(command: &clap::Command, output: &mut impl Write) -> io::Result<()> {
    Man::new(command.clone()).render(output)
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Failure {
    move |source| Failure::Access {
        what,
        path: path.to_owned(),
        source,
    }
}
