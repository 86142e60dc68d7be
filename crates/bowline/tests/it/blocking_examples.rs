//! The examples for plain threads and for uploads, run as programs.

use std::{
    env,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    thread,
};

use bowline::{
    CloseCode, Fin, FrameCode, Message, MessageKind,
    blocking::{self, WebSocket},
};

/// A running example; ends with the value.
struct Example {
    child: Child,
    url: String,
}

impl Example {
    fn start(name: &str) -> Self {
        let tests = env::current_exe().unwrap();
        let folder = tests.parent().and_then(|folder| folder.parent()).unwrap();
        let program = folder.join("examples").join(name);
        let mut child = Command::new(&program)
            .args(["--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}: build examples", program.display()));
        let output = child.stdout.as_mut().unwrap();
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).unwrap();
        let url = line
            .trim()
            .strip_prefix("listening on ")
            .unwrap_or_else(|| panic!("{name} said {line:?}"))
            .to_owned();
        Self { child, url }
    }

    fn connect(&self) -> WebSocket {
        blocking::connect(&self.url).unwrap()
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn code(number: u8) -> FrameCode {
    FrameCode::from_code(number).unwrap()
}

#[test]
fn the_frame_level_example_answers_texts_with_their_length_under_the_same_code() {
    let example = Example::start("janus_style");
    let mut client = example.connect();
    client.send_frame(code(130), b"ignored").unwrap();
    for (number, payload, answer) in [
        (129, "knot\u{e9}", "6"),
        (129, "", "0"),
        (1, "abc", "3"),
        (0, "", "0"),
        (128, "d", "1"),
    ] {
        client.send_frame(code(number), payload.as_bytes()).unwrap();
        let (answered, payload) = client.recv_frame().unwrap().unwrap();
        assert_eq!(answered.code(), number);
        assert_eq!(*payload, *answer.as_bytes());
    }
    client.ping(b"p").unwrap();
    let (answered, payload) = client.recv_frame().unwrap().unwrap();
    assert_eq!((answered.code(), &*payload), (10, &b"p"[..]));
    assert!(client.close(CloseCode::NORMAL, "").unwrap().is_clean());
}

#[test]
fn the_upload_example_reports_progress() {
    let example = Example::start("upload_with_progress");
    let mut client = example.connect();
    for pieces in [0, 1, 5] {
        let mut upload = vec![vec![7; 700_000]; pieces];
        for piece in upload.drain(..) {
            client
                .send_fragment(MessageKind::Binary, piece, Fin::More)
                .unwrap();
        }
        client
            .send_fragment(MessageKind::Binary, b"end", Fin::Last)
            .unwrap();
        let mut reports = Vec::new();
        let done = loop {
            let message = client.recv().unwrap().unwrap();
            let text = message.as_text().unwrap().to_owned();
            match text.strip_prefix("done ") {
                Some(total) => break total.parse::<usize>().unwrap(),
                None => reports.push(text.parse::<usize>().unwrap()),
            }
        };
        let total = pieces * 700_000 + 3;
        assert_eq!(done, total);
        // No more than one report for each mebibyte, each behind the last.
        assert!(reports.is_sorted() && reports.len() <= total >> 20);
        assert_eq!(reports.is_empty(), total < 1 << 20, "{total}");
    }
}

// The peak memory of another process is known on Linux only.
#[cfg(target_os = "linux")]
#[test]
fn an_upload_of_64_mebibytes_in_one_frame_takes_no_memory() {
    const PIECE_LEN: usize = 64 << 10;
    const PIECES: usize = 1024;
    let example = Example::start("upload_with_progress");
    let mut client = example.connect();
    client.send(Message::binary(vec![1; 2 << 20])).unwrap();
    while client.recv().unwrap().unwrap() != Message::text("done 2097152") {}
    let before = peak_kilobytes(example.child.id());
    let (mut sender, mut receiver) = client.split();
    let upload = thread::spawn(move || {
        let len = (PIECE_LEN * PIECES) as u64;
        sender
            .begin_frame(MessageKind::Binary, len, Fin::Last)
            .unwrap();
        for _ in 0..PIECES {
            sender.send_frame_payload(vec![7; PIECE_LEN]).unwrap();
        }
        sender
    });
    let mut reports = 0;
    while receiver.recv().unwrap().unwrap() != Message::text("done 67108864") {
        reports += 1;
    }
    assert!((1..=64).contains(&reports), "{reports}");
    let grown = peak_kilobytes(example.child.id()) - before;
    assert!(grown < 1024, "{grown} KiB");
    drop(upload.join().unwrap());
}

/// Reads the most memory that a process ever had.
#[cfg(target_os = "linux")]
fn peak_kilobytes(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.unwrap().parse().unwrap()
}
