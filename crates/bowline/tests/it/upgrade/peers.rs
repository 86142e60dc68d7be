//! Clients of other implementations, served inside a handler of axum.

use std::{path::Path, process::Stdio, time::Duration};

use tokio::{process::Command, time::timeout};

use crate::{
    examples::Example,
    interop::tools::{node_modules, python},
};

/// Runs a client against the example's echo; it says whether everything came back.
async fn check(program: &Path, script: &str, further: &[&Path]) {
    let example = Example::start("in_handler_upgrade", &[]);
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/upgrade/peers");
    let client = Command::new(program)
        .arg(scripts.join(script))
        .arg(example.url("/"))
        .args(further)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = timeout(Duration::from_mins(1), client)
        .await
        .expect("the client ends in time")
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    assert_eq!(output.stdout, b"agreed\n");
}

#[tokio::test]
async fn websockets_is_served_inside_a_handler_of_axum() {
    check(&python(), "echo_client.py", &[]).await;
}

#[tokio::test]
async fn ws_is_served_inside_a_handler_of_axum() {
    check(Path::new("node"), "echo_client.mjs", &[&node_modules()]).await;
}
