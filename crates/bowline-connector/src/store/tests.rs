use bytes::Bytes;
use tempfile::TempDir;

use super::*;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn bytes(text: &'static str) -> Value {
    Value::Bytes(Bytes::from_static(text.as_bytes()))
}

#[tokio::test]
async fn values_come_back_as_they_were_by_element_and_parameter() {
    let folder = folder();
    let values = vec![
        (ParameterId(1), bytes("ws://device:8050")),
        (ParameterId(2), Value::Number(-0.1)),
        (
            ParameterId(3),
            Value::Bytes(Bytes::from_static(b"\0\xff\r\n")),
        ),
        (ParameterId(4), Value::Bytes(Bytes::new())),
    ];
    {
        let store = Store::open(&folder).unwrap();
        let one = store.element("one").unwrap();
        one.save(values.clone()).await.unwrap();
        let removed = vec![(ParameterId(5), bytes("x")), (ParameterId(5), Value::Empty)];
        one.save(removed).await.unwrap();
    }
    let store = Store::open(&folder).unwrap();
    assert_eq!(store.element("one").unwrap().load().unwrap(), values);
    assert_eq!(store.element("other").unwrap().load().unwrap(), []);
}

#[tokio::test]
async fn what_is_no_number_survives() {
    let store = Store::open(folder()).unwrap();
    let element = store.element("one").unwrap();
    let value = Value::Number(f64::NAN);
    element.save(vec![(ParameterId(1), value)]).await.unwrap();
    let loaded = element.load().unwrap();
    assert!(matches!(loaded[..], [(_, Value::Number(number))] if number.is_nan()));
}

#[test]
fn a_folder_is_used_once_and_so_is_an_element() {
    let folder = folder();
    let store = Store::open(&folder).unwrap();
    assert!(matches!(
        Store::open(&folder),
        Err(StoreError::InUse { .. })
    ));
    let first = store.element("one").unwrap();
    let second = store.element("one");
    assert!(matches!(second, Err(StoreError::ElementInUse { .. })));
    drop(first);
    assert!(store.element("one").is_ok());
}

#[tokio::test]
async fn a_damaged_file_is_refused_and_left_as_it_is() {
    let folder = folder();
    let path = folder.path().join(FILE);
    {
        let element = Store::open(&folder).unwrap().element("one").unwrap();
        let large = Value::Bytes(vec![7; 40_000].into());
        element.save(vec![(ParameterId(1), large)]).await.unwrap();
    }
    let good = fs::read(&path).unwrap();
    let mut scrambled = good.clone();
    scrambled[4096..8192].fill(0xa5);
    let damaged = [b"these are not the values".to_vec(), scrambled];
    for content in damaged {
        fs::write(&path, &content).unwrap();
        let error = Store::open(&folder).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
        assert_eq!(fs::read(&path).unwrap(), content);
    }
    fs::write(&path, &good).unwrap();
    assert_eq!(
        Store::open(&folder)
            .unwrap()
            .element("one")
            .unwrap()
            .load()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn a_file_of_a_newer_version_is_refused() {
    let folder = folder();
    drop(Store::open(&folder).unwrap());
    let connection = rusqlite::Connection::open(folder.path().join(FILE)).unwrap();
    connection.execute_batch("PRAGMA user_version = 2").unwrap();
    drop(connection);
    let error = Store::open(&folder).unwrap_err();
    assert!(
        matches!(error, StoreError::Version { version: 2, .. }),
        "{error}"
    );
}

#[test]
fn a_folder_that_is_a_file_is_refused() {
    let folder = folder();
    let path = folder.path().join("file");
    fs::write(&path, "").unwrap();
    assert!(matches!(Store::open(&path), Err(StoreError::Folder { .. })));
}

#[tokio::test]
async fn what_could_not_be_written_is_written_with_the_next() {
    let folder = folder();
    let store = Store::open(&folder).unwrap();
    let element = store.element("one").unwrap();
    locked(&store.shared.database).set_read_only("on");
    let (old, new) = (bytes("old"), bytes("new"));
    let first = vec![(ParameterId(1), old.clone()), (ParameterId(2), old.clone())];
    let error = element.save(first).await.unwrap_err();
    assert!(matches!(error, StoreError::Write { .. }), "{error}");
    locked(&store.shared.database).set_read_only("off");
    element
        .save(vec![(ParameterId(2), new.clone())])
        .await
        .unwrap();
    let expected = vec![(ParameterId(1), old), (ParameterId(2), new)];
    assert_eq!(element.load().unwrap(), expected);
}

#[cfg(unix)]
#[tokio::test]
async fn saved_values_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder();
    let store = Store::open(&folder).unwrap();
    let one = store.element("one").unwrap();
    one.save(vec![(ParameterId(1), bytes("secret"))])
        .await
        .unwrap();
    for entry in fs::read_dir(&folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        if name != LOCK {
            let mode = entry.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{name:?}");
        }
    }
}
