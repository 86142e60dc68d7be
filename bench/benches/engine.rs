//! Measures the engine and, where they can do the same in memory, other libraries.

use std::{hint::black_box, path::PathBuf, time::Duration};

use bowline_bench::{
    clock::ThreadClock,
    payload::{Kind, Size},
    peer::{
        Compression, Library, Role, bowline::Bowline, fastwebsockets::Fastwebsockets,
        sockudo::Sockudo, tokio_websockets::TokioWebsockets, tungstenite::Tungstenite, yawc::Yawc,
    },
    primitives::{MASKS, Mask, UTF8S, write_header},
    timing::{Subject, Timing},
    wire::{burst, check_receive, check_send},
};
use bytes::{Bytes, BytesMut};
use criterion::Criterion;

fn main() {
    let criterion = Criterion::default()
        .with_measurement(ThreadClock)
        .sample_size(20)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(300));
    let mut timing = Timing::new(criterion, results());
    for role in [Role::Server, Role::Client] {
        receive_all(&mut timing, "decode", role, Compression::Off);
    }
    for role in [Role::Server, Role::Client] {
        send_all(&mut timing, "encode", role, Compression::Off);
    }
    header(&mut timing);
    mask(&mut timing);
    utf8(&mut timing);
    send_all(
        &mut timing,
        "deflate",
        Role::Server,
        Compression::NoTakeover,
    );
    receive_all(
        &mut timing,
        "inflate",
        Role::Client,
        Compression::NoTakeover,
    );
    send_all(
        &mut timing,
        "deflate-takeover",
        Role::Server,
        Compression::Takeover,
    );
    receive_all(
        &mut timing,
        "inflate-takeover",
        Role::Client,
        Compression::Takeover,
    );
    let table = timing.finish();
    if !table.is_empty() {
        println!("\n{table}");
    }
}

/// Where criterion keeps its results: below the target directory this program was built in.
fn results() -> PathBuf {
    let program = std::env::current_exe().expect("the program has a path");
    let target = program.ancestors().nth(3).expect("target/release/deps");
    target.join("criterion")
}

fn receive_all(timing: &mut Timing, name: &str, role: Role, compression: Compression) {
    for kind in Kind::ALL {
        for size in Size::ALL {
            if compression != Compression::Off && !is_compressed(kind, size) {
                continue;
            }
            let case = Case::new(name, role, compression, kind, size);
            case.receive::<Bowline>(timing);
            case.receive::<Tungstenite>(timing);
            case.receive::<Fastwebsockets>(timing);
            case.receive::<TokioWebsockets>(timing);
            case.receive::<Yawc>(timing);
            case.receive::<Sockudo>(timing);
        }
    }
}

/// Says whether such a message becomes shorter; if not, it is sent as it is, by every library.
fn is_compressed(kind: Kind, size: Size) -> bool {
    kind.is_text() && size.0 > 16
}

fn send_all(timing: &mut Timing, name: &str, role: Role, compression: Compression) {
    for kind in Kind::ALL {
        for size in Size::ALL {
            let case = Case::new(name, role, compression, kind, size);
            case.send::<Bowline>(timing);
            case.send::<Tungstenite>(timing);
            case.send::<Fastwebsockets>(timing);
            case.send::<TokioWebsockets>(timing);
            case.send::<Yawc>(timing);
            case.send::<Sockudo>(timing);
        }
    }
}

/// One line of the table.
struct Case {
    group: String,
    scenario: String,
    role: Role,
    compression: Compression,
    kind: Kind,
    size: Size,
}

impl Case {
    fn new(name: &str, role: Role, compression: Compression, kind: Kind, size: Size) -> Self {
        let group = match compression {
            Compression::Off => format!("{name}-{}", role.name()),
            Compression::NoTakeover | Compression::Takeover => name.to_owned(),
        };
        let scenario = format!("{}-{}", kind.name(), size.name());
        Self {
            group,
            scenario,
            role,
            compression,
            kind,
            size,
        }
    }

    fn subject(&self, library: &'static str) -> Subject<'_> {
        Subject {
            group: &self.group,
            scenario: &self.scenario,
            library,
            count: self.size.burst(),
            bytes: self.size.0,
        }
    }

    fn receive<L: Library>(&self, timing: &mut Timing) {
        let Some(mut library) = L::new(self.role, self.compression) else {
            return;
        };
        timing.measure(self.subject(L::NAME), || {
            let wire = burst(self.role, self.kind, self.size, self.compression);
            check_receive(&mut library, &wire, self.kind, self.size);
            let count = self.size.burst();
            move || {
                library.receive(&wire, count, |is_text, payload| {
                    black_box((is_text, payload));
                });
            }
        });
    }

    fn send<L: Library>(&self, timing: &mut Timing) {
        let Some(mut library) = L::new(self.role, self.compression) else {
            return;
        };
        timing.measure(self.subject(L::NAME), || {
            check_send(
                &mut library,
                self.role,
                self.compression,
                self.kind,
                self.size,
            );
            // A fresh connection: the check moved the window of the first one.
            let mut library = L::new(self.role, self.compression).expect("it was there");
            let message = L::prepare(self.kind, &self.kind.payload(self.size));
            let count = self.size.burst();
            move || library.send(black_box(&message), count)
        });
    }
}

fn header(timing: &mut Timing) {
    for size in Size::ALL {
        let count = 1024;
        let scenario = format!("write-{}", size.name());
        let subject = Subject {
            group: "header",
            scenario: &scenario,
            library: Bowline::NAME,
            count,
            bytes: 0,
        };
        timing.measure(subject, || {
            let mut out = BytesMut::with_capacity(64 << 10);
            move || {
                out.clear();
                for _ in 0..count {
                    write_header(black_box(size.0), &mut out);
                }
                black_box(&out);
            }
        });
    }
}

fn mask(timing: &mut Timing) {
    for size in Size::ALL {
        for (library, mask) in MASKS {
            let subject = Subject {
                group: "mask",
                scenario: &size.name(),
                library,
                count: size.burst(),
                bytes: size.0,
            };
            timing.measure(subject, || mask_burst(mask, size));
        }
    }
}

fn mask_burst(mask: Mask, size: Size) -> impl FnMut() {
    let mut payloads = Kind::Binary.payload(size).repeat(size.burst());
    check_mask(mask, &payloads);
    move || {
        for payload in payloads.chunks_exact_mut(size.0) {
            mask(black_box(payload));
        }
    }
}

/// Masking twice gives the payload back, masking once does not.
fn check_mask(mask: Mask, payload: &[u8]) {
    let mut masked = payload.to_vec();
    mask(&mut masked);
    assert_ne!(masked, payload);
    mask(&mut masked);
    assert_eq!(masked, payload);
}

fn utf8(timing: &mut Timing) {
    for kind in [Kind::Ascii, Kind::Multibyte] {
        for size in Size::ALL {
            utf8_of(timing, kind, size);
        }
    }
}

fn utf8_of(timing: &mut Timing, kind: Kind, size: Size) {
    for (library, is_utf8) in UTF8S {
        let subject = Subject {
            group: "utf8",
            scenario: &format!("{}-{}", kind.name(), size.name()),
            library,
            count: size.burst(),
            bytes: size.0,
        };
        timing.measure(subject, || {
            let text = kind.payload(size);
            assert!(is_utf8(&text));
            assert!(!is_utf8(&Bytes::from_static(b"\xff")));
            move || {
                for _ in 0..size.burst() {
                    black_box(is_utf8(black_box(&text)));
                }
            }
        });
    }
}
