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
    for code in 0..=11 {
        assert!(help.contains(&format!("\n  {code}  ")), "{help}");
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
        (&["nonsense"], "nonsense"),
        (&[], "Usage"),
    ] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(complaint(&output).contains(said), "{}", complaint(&output));
    }
}
