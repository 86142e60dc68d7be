//! What a person learns from `--help` and from mistakes.

use crate::support::{complaint, run};

fn help(args: &[&str]) -> String {
    let output = run(args);
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_command_is_listed_and_explained_with_examples() {
    let overview = help(&["--help"]);
    for command in [
        "serve",
        "connect",
        "echo",
        "simulate",
        "replay",
        "completions",
        "man",
        "check",
    ] {
        assert!(overview.contains(&format!("\n  {command} ")), "{overview}");
        let help = help(&[command, "--help"]);
        assert!(help.contains("Example"), "{help}");
        assert!(help.contains(&format!("bowline {command} ")), "{help}");
        for line in help.lines() {
            assert!(line.chars().count() <= 100, "too long: {line}");
        }
    }
}

#[test]
fn the_stable_options_are_there() {
    for (command, options) in [
        ("serve", &["--listen", "--data"][..]),
        (
            "echo",
            &[
                "--listen",
                "--connect",
                "--no-deflate",
                "--no-limits",
                "--tls-cert",
                "--tls-key",
                "--workers",
                "--fanout",
            ],
        ),
        (
            "connect",
            &[
                "--header",
                "--subprotocol",
                "--origin",
                "--ca",
                "--after-eof",
                "--expect",
                "--wait-for",
                "--timeout",
                "--reconnect",
                "--record",
                "--json",
            ],
        ),
        ("simulate", &["--url"]),
        ("check", &["--format", "--deny"]),
    ] {
        let help = help(&[command, "--help"]);
        for option in options {
            assert!(help.contains(option), "{command} {option}");
        }
    }
}

#[test]
fn exit_codes_are_explained() {
    let help = help(&["connect", "--help"]);
    for code in 0..=12 {
        assert!(help.contains(&format!("\n  {code}  ")), "{help}");
    }
}

#[test]
fn the_guide_names_only_options_that_there_are_and_every_exit_code() {
    let guide = include_str!("../../../../docs/guide/command-line.md");
    let commands = ["connect", "replay", "run", "get", "set", "test"];
    let helps = commands.map(|command| help(&[command, "--help"])).concat();
    let words = guide.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let mut count = 0;
    for option in words.filter(|word| word.starts_with("--") && word.len() > 3) {
        assert!(helps.contains(option), "{option}");
        count += 1;
    }
    assert!(count > 40, "{count}");
    for line in help(&["connect", "--help"]).lines() {
        let Some((code, meaning)) = line.trim_start().split_once("  ") else {
            continue;
        };
        if code.parse::<u8>().is_ok() {
            let row = format!("| {code} | {}", meaning.split(';').next().unwrap());
            assert!(guide.replace('`', "").contains(&row), "{row}");
        }
    }
}

#[test]
fn a_wrong_command_line_is_a_usage_error_that_names_what_is_missing() {
    for (args, said) in [
        (&["echo"][..], "--listen"),
        (&["echo", "--listen", "nonsense"], "nonsense"),
        (
            &["echo", "--listen", "127.0.0.1:0", "--connect", "ws://a/"],
            "cannot be used with",
        ),
        (
            &["echo", "--listen", "127.0.0.1:0", "--tls-cert", "a"],
            "--tls-key",
        ),
        (
            &["echo", "--connect", "ws://a/", "--fanout"],
            "cannot be used with",
        ),
        (&["serve", "--listen", "8080"], "8080"),
        (&["connect"], "<URL>"),
        (&["connect", "-H", "no colon", "ws://a/"], "NAME: VALUE"),
        (&["connect", "--after-eof", "-1", "ws://a/"], "-1"),
        (&["connect", "--expect", "/(/", "ws://a/"], "unclosed group"),
        (
            &["connect", "--wait-for", "a=1", "ws://a/"],
            "begins with $",
        ),
        (&["connect", "--cert", "a", "ws://a/"], "--key"),
        (
            &["connect", "--resolve", "a:1", "ws://a/"],
            "HOST:PORT:ADDRESS",
        ),
        (
            &["connect", "--hex", "--binary", "ws://a/"],
            "cannot be used",
        ),
        (&["replay", "file"], "--listen"),
        (&["completions", "nonsense"], "nonsense"),
        (&["check"], "<FILE>"),
        (&["check", "--deny", "notes", "a.xml"], "warnings"),
        (&["nonsense"], "nonsense"),
        (&[], "Usage"),
    ] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(complaint(&output).contains(said), "{}", complaint(&output));
    }
}
