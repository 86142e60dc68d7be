//! `bowline replay`: a recorded conversation, played again.

use std::{fs, path::PathBuf};

use tempfile::TempDir;

use crate::support::{Bowline, complaint, run, run_with_input};

const HEADING: &str = "{\"conversation\":1}\n";

/// A recording in a folder of its own.
struct Recording {
    _folder: TempDir,
    path: PathBuf,
}

impl Recording {
    fn new(lines: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("talk.jsonl");
        fs::write(&path, HEADING.to_owned() + &lines.join("\n")).unwrap();
        Self {
            _folder: folder,
            path,
        }
    }

    fn path(&self) -> &str {
        self.path.to_str().unwrap()
    }
}

#[test]
fn what_was_recorded_with_a_server_is_played_again_with_it() {
    let (_server, url) = Bowline::echo(&[]);
    let recording = Recording::new(&[]);
    let args = ["connect", "--record", recording.path(), &url];
    let output = run_with_input(&args, "hello\n\u{e4}\n".as_bytes());
    assert_eq!(output.status.code(), Some(0));
    let output = run(&["replay", recording.path(), "--connect", &url]);
    assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
    assert!(output.stdout.is_empty());
    assert!(complaint(&output).contains("2 messages came as recorded, 0 differences"));
}

#[test]
fn differences_are_shown_with_their_lines() {
    let (_server, url) = Bowline::echo(&[]);
    let recording = Recording::new(&[
        r#"{"t":0,"dir":"out","kind":"text","data":"hello"}"#,
        r#"{"t":0.1,"dir":"in","kind":"text","data":"hullo"}"#,
        r#"{"t":0.2,"dir":"out","kind":"binary","data":"AP8="}"#,
        r#"{"t":0.3,"dir":"in","kind":"binary","data":"AP8="}"#,
        r#"{"t":60,"dir":"in","kind":"text","data":"never"}"#,
        r#"{"t":60,"dir":"out","kind":"text","data":"more"}"#,
    ]);
    let args = [
        "replay",
        recording.path(),
        "--connect",
        &url,
        "--no-wait",
        "--timeout",
        "200ms",
    ];
    let output = run(&args);
    assert_eq!(output.status.code(), Some(1));
    let shown = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<_> = shown.lines().collect();
    assert_eq!(
        lines[..2],
        [
            r#"line 3: expected text "hullo", got text "hello""#,
            r#"line 6: expected text "never", got nothing for 0.2 s"#,
        ]
    );
    assert!(complaint(&output).contains("1 messages came as recorded"));
}

#[test]
fn a_client_meets_the_server_that_was_recorded() {
    let recording = Recording::new(&[
        r#"{"t":0,"dir":"in","kind":"text","data":"welcome"}"#,
        r#"{"t":0.1,"dir":"out","kind":"text","data":"one"}"#,
        r#"{"t":0.1,"dir":"out","kind":"close","code":1000,"reason":""}"#,
        r#"{"t":0.2,"dir":"in","kind":"binary","data":"AP8="}"#,
        r#"{"t":0.3,"dir":"in","kind":"close","code":1000,"reason":""}"#,
    ]);
    let serve = |more: &[&str]| {
        let args = [
            "replay",
            recording.path(),
            "--listen",
            "127.0.0.1:0",
            "--speed",
            "100",
        ];
        Bowline::serve(&[&args, more].concat())
    };
    let (mut server, url) = serve(&["--once"]);
    let output = run_with_input(&["connect", "--count", "2", &url], b"one\n");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "welcome\n00ff\n");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(server.rest(), "");
    assert_eq!(server.wait().code(), Some(0));

    let (mut server, url) = serve(&["--once"]);
    let output = run_with_input(&["connect", "--count", "2", &url], b"two\n");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        server.rest(),
        "line 3: expected text \"one\", got text \"two\"\n"
    );
    assert_eq!(server.wait().code(), Some(1));

    let (server, url) = serve(&[]);
    for _ in 0..3 {
        let output = run_with_input(&["connect", "--count", "2", &url], b"one\n");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "welcome\n00ff\n");
    }
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn an_end_that_comes_too_early_is_a_difference() {
    let recording = Recording::new(&[
        r#"{"t":0,"dir":"out","kind":"text","data":"one"}"#,
        r#"{"t":0,"dir":"out","kind":"text","data":"two"}"#,
    ]);
    let args = [
        "replay",
        recording.path(),
        "--listen",
        "127.0.0.1:0",
        "--once",
    ];
    let (mut server, url) = Bowline::serve(&args);
    let output = run_with_input(&["connect", &url], b"one\n");
    assert_eq!(output.status.code(), Some(0));
    let shown = server.rest();
    assert!(
        shown.starts_with("line 3: expected text \"two\", got the end"),
        "{shown}"
    );
    assert_eq!(server.wait().code(), Some(1));
}

#[test]
fn a_file_that_is_no_recording_is_refused_with_the_place() {
    let recording = Recording::new(&[r#"{"t":0,"dir":"up","kind":"text","data":"one"}"#]);
    let output = run(&["replay", recording.path(), "--connect", "ws://127.0.0.1:1/"]);
    assert_eq!(output.status.code(), Some(1));
    let said = complaint(&output);
    assert!(
        said.contains("talk.jsonl: line 2, column 17: unknown variant"),
        "{said}"
    );
    let output = run(&[
        "replay",
        "/nonexistent/file",
        "--connect",
        "ws://127.0.0.1:1/",
    ]);
    assert!(complaint(&output).contains("cannot read /nonexistent/file"));
    let output = run(&[
        "replay",
        Recording::new(&[]).path(),
        "--connect",
        "ws://127.0.0.1:1/",
    ]);
    assert_eq!(output.status.code(), Some(3));
}
