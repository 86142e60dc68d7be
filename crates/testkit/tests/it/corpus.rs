//! Every committed fuzz input, through the body of its target.

use std::{fs, path::PathBuf};

use bowline_testkit::fuzz;

pub(crate) fn folder(target: &str) -> PathBuf {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus");
    [root, target].iter().collect()
}

fn replay(target: &str, body: fn(&[u8])) {
    let mut count = 0;
    for entry in fs::read_dir(folder(target)).expect("the corpus is committed") {
        let path = entry.expect("a file of the corpus").path();
        let data = fs::read(&path).expect("a file of the corpus");
        let replayed = std::panic::catch_unwind(|| body(&data));
        assert!(replayed.is_ok(), "{} breaks a promise", path.display());
        count += 1;
    }
    assert!(count >= 12, "{target} has {count} inputs");
}

#[test]
fn frames_keep_their_promises() {
    replay("frames", fuzz::frames);
}

#[test]
fn heads_keep_their_promises() {
    replay("heads", fuzz::heads);
}

#[test]
fn inflate_keeps_its_promises() {
    replay("inflate", fuzz::inflate);
}

#[test]
fn the_engine_keeps_its_promises() {
    replay("engine", fuzz::engine);
}
