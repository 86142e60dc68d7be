//! Filters of a listener.

use std::sync::{Arc, Mutex};

use bowline::{
    Error,
    server::{
        Answer, FilteredRequest, Filters, ListenerConfig, Refused,
        admission::{Admission, AdmissionLimits, AdmissionOptions, Verdict},
        auth::Identity,
    },
};

use crate::front::{Front, Tenant, refused_with, told};

const RULES: &str = "
allow /*
deny  /closed*
allow /anna* user anna
route /*      all websocket
route /refuse refuse websocket
";

/// Takes the tenant and the user from headers of a gateway, and keeps the wicked out.
fn gateway(request: &mut FilteredRequest<'_>) -> Verdict {
    let headers = request.head.headers();
    if headers.text("x-tenant") == Some("evil") {
        let kind = if request.is_upgrade { "ws" } else { "http" };
        return Answer::new(451)
            .with_header("X-Kind", kind)
            .with_body("not you\n")
            .into();
    }
    if headers.text("x-tenant") == Some("north") {
        request.values.insert(Tenant("north"));
    }
    if let Some(user) = headers.text("x-user") {
        request.identity = Some(Identity::new(user));
    }
    Verdict::Admit
}

#[tokio::test]
async fn request_filters_refuse_or_say_what_goes_with_the_connection() {
    let second = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&second);
    let front = Front::start(RULES, |config| {
        config.filters = Filters::default().with_request(gateway).with_request(
            move |_: &mut FilteredRequest<'_>| {
                *counted.lock().unwrap() += 1;
                Verdict::Admit
            },
        );
    })
    .await;
    let (status, answer) = front.get("/", "X-Tenant: evil\r\n").await;
    assert_eq!(status, 451);
    assert!(answer.contains("\r\nX-Kind: http\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nnot you\n"), "{answer}");
    assert_eq!(*second.lock().unwrap(), 0, "the first refusal ends it");

    let dial = |name: &str, value: &str| bowline::Connector::default().with_header(name, value);
    let url = front.url("/anna");
    let refused = dial("X-Tenant", "evil").connect(&url).await;
    match refused {
        Err(Error::Refused(refused)) => {
            assert_eq!(refused.response.status(), 451);
            assert_eq!(refused.response.headers().text("x-kind"), Some("ws"));
        }
        other => panic!("not refused: {other:?}"),
    }
    let mut ws = dial("X-User", "anna")
        .with_header("X-Tenant", "north")
        .connect(&url)
        .await
        .unwrap();
    assert_eq!(
        told(&mut ws).await,
        "user anna, certificate none, tenant north"
    );
    let (_, answer) = front.get("/", "X-Tenant: north\r\n").await;
    assert!(answer.contains("tenant north"), "{answer}");
    assert_eq!(*second.lock().unwrap(), 2);
}

#[tokio::test]
async fn response_filters_change_refusals_of_every_kind_and_nothing_else() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    let front = Front::start(RULES, |config| {
        let note = move |refused: &Refused<'_>, answer: &mut Answer| {
            let path = refused.head.map(|head| head.path().to_owned());
            noted.lock().unwrap().push((path, refused.code));
            assert!(refused.peer.ip().is_loopback());
            answer.headers.push(("X-Filtered".into(), b"1".to_vec()));
        };
        let hide = |_: &Refused<'_>, answer: &mut Answer| {
            if answer.status == 403 {
                *answer = Answer {
                    status: 404,
                    body: "nothing here\n".to_owned(),
                    ..answer.clone()
                };
            }
        };
        config.filters = Filters::default()
            .with_request(gateway)
            .with_response(note)
            .with_response(hide);
    })
    .await;
    let (status, answer) = front.get("/closed", "").await;
    assert_eq!(status, 404);
    assert!(answer.contains("\r\nX-Filtered: 1\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nnothing here\n"), "{answer}");
    assert_eq!(
        refused_with(bowline::connect(&front.url("/closed")).await),
        404
    );
    assert_eq!(
        refused_with(bowline::connect(&front.url("/refuse")).await),
        409
    );
    let (status, answer) = front.get("/", "X-Tenant: evil\r\n").await;
    assert_eq!(status, 451);
    assert!(answer.contains("\r\nX-Filtered: 1\r\n"), "{answer}");
    let (status, answer) = front.get("/", "").await;
    assert_eq!(status, 200);
    assert!(!answer.contains("X-Filtered"), "{answer}");
    let path = |path: &str| Some(path.to_owned());
    assert_eq!(
        *seen.lock().unwrap(),
        [
            (path("/closed"), 202),
            (path("/closed"), 202),
            (path("/refuse"), 0),
            (path("/"), 150)
        ]
    );
}

#[tokio::test]
async fn a_refusal_at_the_door_is_filtered_and_one_that_cannot_be_sent_is_a_500() {
    let full = Admission::new(AdmissionOptions {
        limits: AdmissionLimits {
            connection_count_max: 0,
            ..AdmissionLimits::default()
        },
        ..AdmissionOptions::default()
    });
    let with_response = |filter: fn(&Refused<'_>, &mut Answer)| {
        move |config: &mut ListenerConfig| {
            config.filters = Filters::default().with_response(filter);
        }
    };
    let front = Front::start_with(
        full,
        RULES,
        with_response(|refused, answer| {
            assert!(refused.head.is_none());
            answer.body = format!("come back, {}\n", refused.code);
        }),
    )
    .await;
    let (status, answer) = front.get("/", "").await;
    assert_eq!(status, 503);
    assert!(answer.contains("\r\nRetry-After: "), "{answer}");
    assert!(answer.ends_with("\r\n\r\ncome back, 110\n"), "{answer}");

    for broken in [
        (|_, answer| answer.status = 101) as fn(&Refused<'_>, &mut Answer),
        |_, answer| answer.headers.push(("A\r\nB".into(), Vec::new())),
        |_, answer| answer.headers.push(("A".into(), b"1\r\nB: 2".to_vec())),
    ] {
        let front = Front::start(RULES, with_response(broken)).await;
        let (status, answer) = front.get("/closed", "").await;
        assert_eq!(status, 500, "{answer}");
        assert!(!answer.contains("B: 2"), "{answer}");
        assert_eq!(
            refused_with(bowline::connect(&front.url("/closed")).await),
            500
        );
    }
}
