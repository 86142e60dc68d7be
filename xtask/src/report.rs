//! The only place where tasks write to the terminal.

#[expect(clippy::print_stdout, reason = "a task reports on standard output")]
pub(crate) fn line(text: &str) {
    println!("{text}");
}

#[expect(
    clippy::print_stderr,
    reason = "a task names problems on standard error"
)]
pub(crate) fn problem(text: &str) {
    eprintln!("xtask: {text}");
}
