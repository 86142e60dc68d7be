//! `bowline connect` that is told to stop while something is in its way.

use std::{
    io::Write,
    process::{ChildStdin, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use crate::{
    client::Client,
    server::serve_one,
    support::{Bowline, command, complaint},
};

/// Writes lines to a program until it takes no more, and goes on in the background.
fn clog(mut input: ChildStdin) {
    let written = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&written);
    thread::spawn(move || {
        let line = "x".repeat(999) + "\n";
        while input.write_all(line.as_bytes()).is_ok() {
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    let mut before = 0;
    loop {
        // Nothing tells that a pipe is full but that nothing more goes in.
        thread::sleep(Duration::from_millis(500));
        let now = written.load(Ordering::SeqCst);
        if now > 0 && now == before {
            return;
        }
        before = now;
    }
}

#[test]
fn it_stops_although_neither_side_reads_and_warns_of_nothing() {
    for more in [&[][..], &["--reconnect"]] {
        let (_server, url) = Bowline::echo(&["--no-deflate"]);
        let mut client = command(&[&["connect", "--no-deflate", &url], more].concat())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        clog(client.stdin.take().unwrap());
        assert!(interrupt(&client.id().to_string()).status().is_ok());
        drop(client.stdout.take());
        let output = client.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{more:?}");
        let told = complaint(&output);
        assert!(told.contains("messages could not be sent"), "{told}");
        assert!(!told.contains("WARN"), "{told}");
    }
}

#[test]
fn a_second_signal_does_not_wait_for_the_server() {
    let url = serve_one(async |stream| {
        let mut ws = bowline::accept(stream).await.unwrap();
        ws.send("hello").await.unwrap();
        // It never reads, so it never answers a close.
        std::future::pending::<()>().await;
    });
    let mut client = Client::spawn(command(&["connect", &url]));
    assert_eq!(client.line(), "hello");
    let id = client.child.id().to_string();
    let stopped = thread::spawn(move || {
        client.says("stopped before the connection was closed in order");
        client.child.wait().unwrap().code()
    });
    while !stopped.is_finished() {
        // Of signals that come together only one counts.
        let sent = interrupt(&id).status();
        assert!(sent.is_ok());
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(stopped.join().unwrap(), Some(5));
}

fn interrupt(id: &str) -> Command {
    let mut command = Command::new("kill");
    command.args(["-s", "INT", id]).stderr(Stdio::null());
    command
}
