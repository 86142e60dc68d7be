//! Completions and the manual.

use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
};

use crate::support::{complaint, run};

/// Gives what a program writes when this is its standard input.
fn pipe_through(program: &str, args: &[&str], input: &[u8]) -> String {
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    pipe.write_all(input).unwrap();
    drop(pipe);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", complaint(&output));
    assert_eq!(complaint(&output), "");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn bash_offers_commands_and_options() {
    let output = run(&["completions", "bash"]);
    assert_eq!(output.status.code(), Some(0));
    let asks = b"
        COMP_WORDS=(bowline connect --after); COMP_CWORD=2
        _bowline bowline --after connect
        echo \"${COMPREPLY[@]}\"
        COMP_WORDS=(bowline con); COMP_CWORD=1
        _bowline bowline con bowline
        echo \"${COMPREPLY[@]}\"
    ";
    let script = [&*output.stdout, asks].concat();
    let offered = pipe_through("bash", &["--norc", "-eu"], &script);
    assert_eq!(offered, "--after-eof\nconnect\n");
}

#[test]
fn every_shell_has_completions() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = run(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0));
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(script.contains("after-eof"), "{shell}");
    }
}

#[test]
fn the_manual_has_a_page_for_each_command_with_options_and_exit_codes() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(&["man", folder.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
    for command in ["serve", "connect", "echo", "simulate", "replay"] {
        let page = folder.path().join(format!("bowline-{command}.1"));
        let page = fs::read_to_string(page).unwrap();
        for heading in [".SH NAME", ".SH SYNOPSIS", ".SH OPTIONS"] {
            assert!(page.contains(heading), "{command} {heading}");
        }
        assert!(page.contains(&format!("bowline\\-{command}")), "{page}");
    }
    let page = fs::read_to_string(folder.path().join("bowline-connect.1")).unwrap();
    for part in [
        "after\\-eof",
        "Exit codes:",
        "11  the server broke the rules",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let overview = String::from_utf8(run(&["man"]).stdout).unwrap();
    assert!(overview.starts_with(".ie"), "{overview}");
    assert!(overview.contains("bowline\\-connect(1)"), "{overview}");
}
