//! Hooks of the three kinds at work.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bowline_connector::{
    element::{Extraction, LinkSettings},
    hooks::{HookCall, Hooks, Script},
    machine::Value,
    plan::{CodeHook, HookId, MessageKind, ParameterId},
    runner::RunnerOptions,
};
use serde_json::json;

use crate::{
    runner_device::{Device, Habits},
    runner_fixture::{
        EVENT, Element, LEVEL, NAME, SEND_TEXT, STATE, TEXT, changed, noticed, options, plan, put,
        settings, to,
    },
};

fn with(hooks: Hooks) -> RunnerOptions {
    RunnerOptions { hooks, ..options() }
}

fn script(source: &str) -> Script {
    Script::compile("test.rhai", source).unwrap()
}

fn extraction(path: &str, to: ParameterId) -> Extraction {
    Extraction {
        from: EVENT,
        path: path.into(),
        to,
    }
}

#[tokio::test]
async fn a_hook_in_rust_gets_the_raw_bytes_and_the_kind_of_the_message() {
    let mut device = Device::start(Habits::default()).await;
    let hooks = Hooks::new().on(EVENT, |call: &mut HookCall<'_>| {
        let bytes = call.bytes(call.parameter())?;
        let text = format!("{:?} {bytes:?}", call.kind());
        call.set(NAME, text)?;
        Ok(())
    });
    let mut element = Element::start(settings(to(device.url())), &with(hooks));
    element.becomes(STATE, 1.0).await;
    device
        .tell(json!({"do": "push_bytes", "hex": "ff00"}))
        .await;
    let binary = format!("{:?} [255, 0]", Some(MessageKind::Binary));
    element.becomes(NAME, binary).await;
    device.push("é").await;
    let text = format!("{:?} [195, 169]", Some(MessageKind::Text));
    element.becomes(NAME, text).await;
    element.shutdown().await;
}

#[tokio::test]
async fn a_script_answers_the_device() {
    let mut device = Device::start(Habits::default()).await;
    let source = "
        let push = parse_json(text(parameter));
        set(40, push.level);
        set(30, to_json(#{ ack: push.id }));
        fire(60);
    ";
    let hooks = Hooks::new().on(EVENT, script(source));
    let mut element = Element::start(settings(to(device.url())), &with(hooks));
    element.becomes(STATE, 1.0).await;
    device.push(r#"{"id":7,"level":81.5}"#).await;
    element.becomes(LEVEL, 81.5).await;
    assert_eq!(device.tells("text").await["text"], r#"{"ack":7}"#);
    element.shutdown().await;
}

#[tokio::test]
async fn extractions_make_a_json_device_need_no_code() {
    let habits = Habits {
        heartbeat: Some(0.02),
        ..Habits::default()
    };
    let mut device = Device::start(habits).await;
    let mut settings = settings(to(device.url()));
    settings.extractions = vec![
        extraction("$.heartbeat", LEVEL),
        extraction("$.tanks[-1]['name']", NAME),
    ];
    let mut element = Element::start(settings, &options());
    element.becomes(LEVEL, 1.0).await;
    element.becomes(LEVEL, 2.0).await;
    device
        .push(r#"{"tanks":[{"name":"A"},{"name":"B"}]}"#)
        .await;
    element.becomes(NAME, "B").await;
    element.shutdown().await;
}

#[tokio::test]
async fn text_that_is_no_json_is_complained_of_once() {
    let mut device = Device::start(Habits::default()).await;
    let mut settings = settings(to(device.url()));
    settings.extractions = vec![extraction("$.level", LEVEL)];
    let mut element = Element::start(settings, &options());
    element.becomes(STATE, 1.0).await;
    for text in [
        "{bad",
        "{worse",
        r#"{"other":1}"#,
        r#"{"level":null}"#,
        "{bad again",
    ] {
        device.push(text).await;
    }
    device.push(r#"{"level":5}"#).await;
    let mut complaints = Vec::new();
    element
        .event(|event| {
            complaints.extend(noticed(event));
            changed(event).filter(|(parameter, _)| *parameter == LEVEL)
        })
        .await;
    assert_eq!(complaints.len(), 1, "{complaints:?}");
    assert!(complaints[0].contains("parameter 20"), "{complaints:?}");
    element.holds(LEVEL, "5").await;
    element.shutdown().await;
}

#[tokio::test]
async fn a_failing_script_is_complained_of_with_its_line_and_changes_nothing() {
    let hooks = Hooks::new().on(TEXT, script("set(40, 1);\nset(40, nothing);"));
    let mut element = Element::start(settings(LinkSettings::default()), &with(hooks));
    element.handle.assign(TEXT, "a").await.unwrap();
    let notice = element.notice("test.rhai").await;
    assert!(
        notice.contains("parameter 30") && notice.contains("line 2"),
        "{notice}"
    );
    assert_eq!(element.text(LEVEL).await, "");
    element.handle.assign(TEXT, "b").await.unwrap();
    element.handle.fire(SEND_TEXT).await.unwrap();
    element.shutdown().await;
}

#[tokio::test]
async fn hooks_run_in_order_extraction_then_rust_then_script() {
    let append = |call: &mut HookCall<'_>| {
        let text = call.text(NAME)?;
        call.set(NAME, text + "rust ")?;
        Ok(())
    };
    let hooks = Hooks::new()
        .on(EVENT, append)
        .on(EVENT, script("set(41, text(41) + \"script\")"));
    let mut settings = settings(LinkSettings::default());
    settings.extractions = vec![extraction("$", NAME)];
    let mut element = Element::start(settings, &with(hooks));
    element.handle.assign(EVENT, "\"json \"").await.unwrap();
    element.becomes(NAME, "json rust script").await;
    element.shutdown().await;
}

#[tokio::test]
async fn a_hook_that_sets_its_own_parameter_runs_once() {
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let trim = move |call: &mut HookCall<'_>| {
        counted.fetch_add(1, Ordering::SeqCst);
        let text = call.text(TEXT)?;
        call.set(TEXT, text.trim().to_owned())?;
        Ok(())
    };
    let hooks = Hooks::new().on(TEXT, trim);
    let element = Element::start(settings(LinkSettings::default()), &with(hooks));
    element.handle.assign(TEXT, " a ").await.unwrap();
    assert_eq!(element.text(TEXT).await, "a");
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    element.shutdown().await;
}

#[tokio::test]
async fn hooks_that_set_off_each_other_come_to_an_end() {
    let hooks = Hooks::new()
        .on(TEXT, script("set(41, text(30) + \"1\")"))
        .on(NAME, script("set(20, text(41) + \"2\")"))
        .on(EVENT, script("set(30, text(20) + \"3\")"));
    let element = Element::start(settings(LinkSettings::default()), &with(hooks));
    element.handle.assign(TEXT, "0").await.unwrap();
    assert_eq!(element.text(TEXT).await, "0123");
    element.shutdown().await;
}

#[tokio::test]
async fn code_of_the_connector_that_nothing_replaces_is_told() {
    let mut plan = plan();
    for (number, parameter) in [(1, EVENT), (2, TEXT)] {
        let code = CodeHook {
            name: format!("Handle {number}"),
            language: "csharp".into(),
            triggers: vec![parameter],
            inputs: Vec::new(),
            is_binary: true,
            text: "/* */".into(),
        };
        put(&mut plan.hooks, HookId(number), code);
    }
    let hooks = Hooks::new().on(EVENT, |_: &mut HookCall<'_>| Ok(()));
    let mut element = Element::of(plan, settings(LinkSettings::default()), &with(hooks));
    let notice = element.notice("csharp").await;
    assert!(
        notice.contains("QAction 2") && notice.contains("Handle 2"),
        "{notice}"
    );
    element
        .handle
        .assign(LEVEL, Value::Number(1.0))
        .await
        .unwrap();
    element.shutdown().await;
}

#[tokio::test]
async fn a_hook_that_panics_has_failed_and_the_element_goes_on() {
    let hooks = Hooks::new().on(TEXT, |call: &mut HookCall<'_>| {
        assert_ne!(call.text(TEXT)?, "bad", "as the test wants it");
        call.set(NAME, "good")?;
        Ok(())
    });
    let mut element = Element::start(settings(LinkSettings::default()), &with(hooks));
    element.handle.assign(TEXT, "bad").await.unwrap();
    element.notice("panicked").await;
    element.handle.assign(TEXT, "well").await.unwrap();
    element.becomes(NAME, "good").await;
    element.shutdown().await;
}
