//! `bowline connect` until something arrives, or does not.

use std::time::Duration;

use bowline::{CloseCode, Message};

use crate::{
    server::{serve_messages, serve_one},
    support::{Bowline, complaint, run, run_with_input},
};

/// Sends these texts, then stays until the client closes.
fn serve_and_stay(texts: &'static [&'static str]) -> String {
    serve_one(async move |stream| {
        let mut ws = bowline::accept(stream).await.unwrap();
        for text in texts {
            ws.send(*text).await.unwrap();
        }
        while ws.recv().await.is_some() {}
    })
}

#[test]
fn it_is_over_as_soon_as_everything_came_that_was_waited_for() {
    let texts = &["one", "two", r#"["relay", {"state": true}]"#];
    for goals in [
        &["--expect", "two"][..],
        &["--expect", "/^t.o$/"],
        &["--wait-for", "$[1].state=true"],
        &["--wait-for", "$[0]=relay", "--expect", "one"],
        &["--count", "3"],
    ] {
        let url = serve_and_stay(texts);
        let output = run(&[&["connect"], goals, &[&url]].concat());
        assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
        assert!(output.stdout.starts_with(b"one\ntwo\n"), "{goals:?}");
    }
}

#[test]
fn input_need_not_end_for_it_to_be_over() {
    let (_server, url) = Bowline::echo(&[]);
    let mut client = Bowline::start(&["connect", "--expect", "two", &url]);
    for line in ["one", "two"] {
        client.type_line(line);
        assert_eq!(client.line(), line);
    }
    assert_eq!(client.wait().code(), Some(0));
}

#[test]
fn what_did_not_come_is_named_and_has_its_own_exit_code() {
    for (goals, told) in [
        (&["--expect", "three"][..], "no message had three"),
        (&["--wait-for", "$.a=1"], "no message had $.a=1"),
        (&["--count", "3"], "1 messages fewer"),
        (
            &["--expect", "two", "--expect", "/x/"],
            "no message had /x/",
        ),
    ] {
        let messages = vec![Message::text("one"), Message::text("two")];
        let url = serve_messages(messages, 1000);
        let output = run(&[&["connect"], goals, &[&url]].concat());
        assert_eq!(output.status.code(), Some(10), "{goals:?}");
        assert!(complaint(&output).contains(told), "{}", complaint(&output));
    }
}

#[test]
fn a_time_that_is_over_fails_with_or_without_goals() {
    let url = serve_and_stay(&["one"]);
    let output = run(&["connect", "--after-eof", "wait", "--timeout", "300ms", &url]);
    assert_eq!(output.status.code(), Some(9), "{}", complaint(&output));
    let url = serve_and_stay(&["one"]);
    let output = run(&["connect", "--expect", "two", "--timeout", "300ms", &url]);
    assert_eq!(output.status.code(), Some(10));
    let complaint = complaint(&output);
    assert!(complaint.contains("not over after 0.3 s"), "{complaint}");
}

#[test]
fn it_waits_until_nothing_came_for_a_while() {
    let url = serve_one(async |stream| {
        let mut ws = bowline::accept(stream).await.unwrap();
        let question = ws.recv().await.unwrap();
        for _ in 0..3 {
            ws.send(question.clone()).await.unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        while ws.recv().await.is_some() {}
        assert_eq!(ws.ending().unwrap().code, CloseCode::NORMAL);
    });
    let args = ["connect", "--after-eof", "idle:2s", &url];
    let output = run_with_input(&args, b"again\n");
    assert_eq!(output.stdout, b"again\nagain\nagain\n");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn hello_comes_first_and_the_heartbeat_goes_on_after_the_end_of_the_input() {
    let (_server, url) = Bowline::echo(&[]);
    let args = ["connect", "--hello", "hi", "--heartbeat", "50ms=beat"];
    let goals = ["--expect", "line", "--expect", "beat", &url];
    let output = run_with_input(&[&args[..], &goals].concat(), b"line\n");
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(shown.starts_with("hi\n"), "{shown}");
    assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
}

#[test]
fn the_older_name_of_after_eof_still_works() {
    let url = serve_messages(vec![Message::text("one")], 1000);
    let output = run(&["connect", "--wait", "forever", &url]);
    assert_eq!(output.stdout, b"one\n");
    assert_eq!(output.status.code(), Some(0));
}
