//! Saved values over restarts, also after the process is killed.

use std::{env, io::Write, path::Path, process::Stdio, sync::Arc};

use bowline_connector::{
    Runner, Store,
    element::LinkSettings,
    runner::{ElementError, RunnerOptions, StartError},
    store::StoreError,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

use crate::{
    runner_device::soon,
    runner_fixture::{ENDPOINT, Element, PATH, STATE, TEXT, options, plan, settings, to},
    runner_server::Server,
};

fn saving(folder: &Path) -> RunnerOptions {
    RunnerOptions {
        store: Some(Store::open(folder).unwrap()),
        ..options()
    }
}

#[tokio::test]
async fn a_saved_path_survives_a_restart_and_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::echo().await;
    let mut element = Element::start(settings(to(server.url())), &saving(folder.path()));
    element.becomes(STATE, 1.0).await;
    element.handle.assign(PATH, "other/path").await.unwrap();
    element.handle.assign(TEXT, "not saved").await.unwrap();
    element.shutdown().await;

    let mut element = Element::start(settings(to(server.url())), &saving(folder.path()));
    element.becomes(STATE, 1.0).await;
    let expected = ["GET /x-nmos/events/ws HTTP/1.1", "GET /other/path HTTP/1.1"];
    assert_eq!(server.lines(), expected);
    assert_eq!(element.text(PATH).await, "other/path");
    assert_eq!(element.text(TEXT).await, "");
    element.shutdown().await;
}

#[tokio::test]
async fn a_saved_value_wins_over_the_settings_and_they_over_the_default() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(LinkSettings::default());
    let element = Element::start(settings.clone(), &saving(folder.path()));
    assert_eq!(element.text(PATH).await, "x-nmos/events/ws");
    element.shutdown().await;
    settings.parameters.insert(PATH, "by/settings".into());
    let element = Element::start(settings.clone(), &saving(folder.path()));
    assert_eq!(element.text(PATH).await, "by/settings");
    element.handle.assign(PATH, "by/code").await.unwrap();
    element.shutdown().await;
    let element = Element::start(settings, &saving(folder.path()));
    assert_eq!(element.text(PATH).await, "by/code");
    element.shutdown().await;
}

#[tokio::test]
async fn who_sets_a_value_is_told_that_it_could_not_be_saved() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(LinkSettings::default());
    let element = Element::start(settings, &saving(folder.path()));
    element.handle.assign(PATH, "kept").await.unwrap();
    let file = rusqlite::Connection::open(folder.path().join("parameters.db")).unwrap();
    file.execute_batch("ALTER TABLE value RENAME TO gone")
        .unwrap();
    let error = element.handle.assign(PATH, "lost").await.unwrap_err();
    assert!(matches!(error, ElementError::NotSaved(_)), "{error}");
    element.holds(PATH, "lost").await;
    file.execute_batch("ALTER TABLE gone RENAME TO value")
        .unwrap();
    element.handle.assign(PATH, "kept again").await.unwrap();
    element.shutdown().await;
}

#[tokio::test]
async fn two_elements_of_one_name_do_not_share_values() {
    let folder = tempfile::tempdir().unwrap();
    let options = saving(folder.path());
    let first = Element::start(settings(LinkSettings::default()), &options);
    let settings = Arc::new(settings(LinkSettings::default()));
    let second = Runner::start(Arc::new(plan()), settings, &options);
    let error = second.unwrap_err();
    let is_it = matches!(error, StartError::Store(StoreError::ElementInUse { .. }));
    assert!(is_it, "{error}");
    first.shutdown().await;
}

/// Where the child of the test below keeps its values.
const FOLDER: &str = "BOWLINE_TEST_SAVING_FOLDER";

/// The child of the test below: sets a value, and tells, without end.
#[tokio::test]
async fn child_that_saves_without_end() {
    let Some(folder) = env::var_os(FOLDER) else {
        return;
    };
    let element = Element::start(
        settings(LinkSettings::default()),
        &saving(Path::new(&folder)),
    );
    for count in 1.. {
        let value = format!("ws://127.0.0.1:1/{count}");
        element.handle.assign(ENDPOINT, value).await.unwrap();
        let mut out = std::io::stdout().lock();
        writeln!(out, "saved {count}").unwrap();
        out.flush().unwrap();
    }
}

#[tokio::test]
async fn what_was_set_is_there_after_the_process_was_killed_right_after() {
    let folder = tempfile::tempdir().unwrap();
    let mut least = 0;
    for lines in [1, 2, 7, 20] {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "runner_saved::child_that_saves_without_end"])
            .arg("--nocapture")
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut told = 0;
        while told < lines {
            let line = soon(out.next_line())
                .await
                .unwrap()
                .expect("the child ended");
            if let Some((_, count)) = line.split_once("saved ") {
                told = count.parse().unwrap();
            }
        }
        child.kill().await.unwrap();
        least = told;
        let store = Store::open(folder.path()).unwrap();
        let saved = store.element("device-1").unwrap().load().unwrap();
        let [(ENDPOINT, value)] = &saved[..] else {
            panic!("{saved:?}");
        };
        let bowline_connector::machine::Value::Bytes(text) = value else {
            panic!("{value:?}");
        };
        let text = std::str::from_utf8(text).unwrap();
        let count: u32 = text.rsplit('/').next().unwrap().parse().unwrap();
        assert!(count >= told, "{text} after {told}");
    }
    assert!(least > 0);
}
