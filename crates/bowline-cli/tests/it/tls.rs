//! TLS with a certificate of our own.

use std::{fs, path::PathBuf};

use tempfile::TempDir;

use crate::support::{Bowline, complaint, numbered_lines, run, run_with_input};

struct Files {
    _folder: TempDir,
    certificate: PathBuf,
    key: PathBuf,
}

impl Files {
    fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let certificate = folder.path().join("cert.pem");
        let key = folder.path().join("key.pem");
        fs::write(&certificate, made.cert.pem()).unwrap();
        fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        Self {
            _folder: folder,
            certificate,
            key,
        }
    }

    fn serve(&self, more: &[&str]) -> (Bowline, String) {
        let args = [
            "--tls-cert",
            self.certificate.to_str().unwrap(),
            "--tls-key",
            self.key.to_str().unwrap(),
        ];
        let (server, url) = Bowline::echo(&[&args, more].concat());
        assert!(url.starts_with("wss://127.0.0.1:"), "{url}");
        (server, url.replace("127.0.0.1", "localhost"))
    }
}

#[test]
fn lines_pass_through_tls_to_a_server_whose_certificate_is_trusted() {
    let files = Files::new();
    let (server, url) = files.serve(&[]);
    let roots = files.certificate.to_str().unwrap();
    let lines = numbered_lines(2000, "");
    let output = run_with_input(&["connect", "--ca", roots, &url], lines.as_bytes());
    assert_eq!(String::from_utf8_lossy(&output.stdout), lines);
    assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn a_certificate_that_is_not_trusted_is_refused_with_a_hint() {
    let files = Files::new();
    let (_server, url) = files.serve(&[]);
    let output = run(&["connect", &url]);
    assert_eq!(output.status.code(), Some(7));
    assert!(
        complaint(&output).contains("--ca"),
        "{}",
        complaint(&output)
    );
    let other = Files::new();
    let roots = other.certificate.to_str().unwrap();
    let output = run(&["connect", "--ca", roots, &url]);
    assert_eq!(output.status.code(), Some(7));
}

#[test]
fn a_certificate_is_for_its_own_name_only() {
    let files = Files::new();
    let (_server, url) = files.serve(&[]);
    let roots = files.certificate.to_str().unwrap();
    let output = run(&[
        "connect",
        "--ca",
        roots,
        &url.replace("localhost", "127.0.0.1"),
    ]);
    assert_eq!(output.status.code(), Some(7));
}

#[test]
fn tls_and_plain_do_not_mix() {
    let files = Files::new();
    let (_server, url) = files.serve(&[]);
    let output = run(&["connect", &url.replace("wss:", "ws:")]);
    assert_ne!(output.status.code(), Some(0));
    let (_server, url) = Bowline::echo(&[]);
    let output = run(&["connect", &url.replace("ws:", "wss:")]);
    assert_eq!(output.status.code(), Some(7));
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let files = Files::new();
    let output = run(&[
        "echo",
        "--listen",
        "127.0.0.1:0",
        "--tls-cert",
        "/nonexistent/cert.pem",
        "--tls-key",
        files.key.to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(1));
    assert!(complaint(&output).contains("/nonexistent/cert.pem"));
}

#[test]
fn another_name_or_no_check_at_all_can_be_asked_for() {
    let files = Files::new();
    let (_server, url) = files.serve(&[]);
    let url = url.replace("localhost", "127.0.0.1");
    let roots = files.certificate.to_str().unwrap();
    let args = ["connect", "--ca", roots, "--sni", "localhost", &url];
    let output = run_with_input(&args, b"one\n");
    assert_eq!(output.stdout, b"one\n", "{}", complaint(&output));
    let output = run_with_input(&["connect", "--dangerously-trust-anyone", &url], b"one\n");
    assert_eq!(output.stdout, b"one\n", "{}", complaint(&output));
    assert!(complaint(&output).contains("is not checked"));
}

#[test]
fn a_client_certificate_that_cannot_be_read_is_named() {
    let files = Files::new();
    let certificate = files.certificate.to_str().unwrap();
    let args = [
        "connect",
        "--cert",
        certificate,
        "--key",
        "/nonexistent/key.pem",
    ];
    let output = run(&[&args[..], &["wss://127.0.0.1:1/"]].concat());
    assert_eq!(output.status.code(), Some(1));
    assert!(complaint(&output).contains("/nonexistent/key.pem"));
}
