//! Answers requests.

use std::{io, sync::Arc, time::Duration};

use bowline_connector::{plan::LinkId, runner::ElementHandle};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream, unix::OwnedWriteHalf},
    sync::Semaphore,
    task::JoinSet,
    time::timeout,
};
use tracing::debug;

use super::{
    find::{self, Purpose},
    protocol::{ElementState, ParameterState, REQUEST_LEN_MAX, Reply, Request},
};
use crate::elements::shown::Shown;

/// Answers everyone who connects, a bounded number at the same time.
#[expect(clippy::infinite_loop, reason = "it ends with the task it runs on")]
pub(super) async fn serve(listener: &UnixListener, elements: &[ElementHandle]) {
    let elements: Arc<[ElementHandle]> = elements.into();
    let places = Arc::new(Semaphore::new(CLIENTS_MAX));
    let mut clients = JoinSet::new();
    loop {
        let place = Arc::clone(&places).acquire_owned().await;
        match listener.accept().await {
            Ok((stream, _)) => {
                let elements = Arc::clone(&elements);
                clients.spawn(async move {
                    if let Err(error) = talk(stream, &elements).await {
                        debug!(%error, "a client of the control socket is gone");
                    }
                    drop(place);
                });
            }
            Err(error) => {
                debug!(%error, "a client of the control socket was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
        while clients.try_join_next().is_some() {}
    }
}

/// Answers one client, request by request.
async fn talk(stream: UnixStream, elements: &[ElementHandle]) -> io::Result<()> {
    let (input, mut output) = stream.into_split();
    let mut input = BufReader::new(input);
    loop {
        let mut line = Vec::new();
        let mut bounded = (&mut input).take(REQUEST_LEN_MAX + 1);
        let read = bounded.read_until(b'\n', &mut line);
        timeout(REQUEST_TIMEOUT, read).await??;
        if line.is_empty() {
            return Ok(());
        }
        if line.len() as u64 > REQUEST_LEN_MAX {
            let told = format!("a request has more than {REQUEST_LEN_MAX} bytes");
            return send(&mut output, &Reply::Error(told)).await;
        }
        let last = match serde_json::from_slice(&line) {
            Ok(request) => match answer(request, elements, &mut output).await? {
                Ok(parameter) => Reply::Done(parameter.map(Box::new)),
                Err(told) => Reply::Error(told),
            },
            Err(error) => Reply::Error(format!("this is no request: {error}")),
        };
        send(&mut output, &last).await?;
    }
}

/// Does what is asked for; the inner error is for the person who asked.
async fn answer(
    request: Request,
    elements: &[ElementHandle],
    output: &mut OwnedWriteHalf,
) -> io::Result<Result<Option<ParameterState>, String>> {
    match request {
        Request::Set {
            element,
            parameter,
            value,
        } => Ok(set(elements, (&element, &parameter), value).await.map(Some)),
        Request::Reconnect { element, link } => {
            Ok(reconnect(elements, &element, link).await.map(|()| None))
        }
        Request::Get { element, parameter } => {
            let chosen = match &element {
                Some(name) => find::element(elements, name).map(std::slice::from_ref),
                None => Ok(elements),
            };
            match chosen {
                Ok(chosen) => get(chosen, parameter.as_deref(), output).await,
                Err(told) => Ok(Err(told)),
            }
        }
    }
}

async fn set(
    elements: &[ElementHandle],
    (element, parameter): (&str, &str),
    value: Option<String>,
) -> Result<ParameterState, String> {
    let element = find::element(elements, element)?;
    let plan = element.plan();
    let id = find::parameter(plan, parameter, Purpose::Setting)?;
    let done = if let Some(value) = value {
        element.set(id, value).await
    } else {
        find::check_button(plan, id)?;
        element.press(id).await
    };
    done.map_err(|error| Shown(plan).refusal(&error))?;
    let snapshot = element.snapshot().await;
    let snapshot = snapshot.map_err(|error| error.to_string())?;
    let status = snapshot.parameter(id);
    let status = status.ok_or_else(|| format!("there is no {id}"))?;
    Ok(ParameterState::of(&snapshot.name, status, Shown(plan)))
}

async fn reconnect(elements: &[ElementHandle], element: &str, link: u32) -> Result<(), String> {
    let element = find::element(elements, element)?;
    let done = element.reconnect(LinkId(link)).await;
    done.map_err(|error| error.to_string())
}

async fn get(
    elements: &[ElementHandle],
    parameter: Option<&str>,
    output: &mut OwnedWriteHalf,
) -> io::Result<Result<Option<ParameterState>, String>> {
    for element in elements {
        let plan = element.plan();
        let only = parameter.map(|text| find::parameter(plan, text, Purpose::Reading));
        let only = match only.transpose() {
            Ok(only) => only,
            Err(told) => return Ok(Err(told)),
        };
        let snapshot = match element.snapshot().await {
            Ok(snapshot) => snapshot,
            Err(error) => return Ok(Err(error.to_string())),
        };
        if let Some(status) = only.and_then(|id| snapshot.parameter(id)) {
            let state = ParameterState::of(&snapshot.name, status, Shown(plan));
            return Ok(Ok(Some(state)));
        }
        let state = ElementState::of(&snapshot, Shown(plan));
        send(output, &Reply::Element(Box::new(state))).await?;
    }
    Ok(Ok(None))
}

async fn send(output: &mut OwnedWriteHalf, reply: &Reply) -> io::Result<()> {
    let mut line = serde_json::to_vec(reply)?;
    line.push(b'\n');
    timeout(REPLY_TIMEOUT, output.write_all(&line)).await?
}

/// How many are answered at the same time.
const CLIENTS_MAX: usize = 32;
const REQUEST_TIMEOUT: Duration = Duration::from_mins(1);
const REPLY_TIMEOUT: Duration = Duration::from_mins(1);
/// After an error of the system, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
