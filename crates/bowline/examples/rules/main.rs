//! A port that is closed except for what a file of rules allows; the file can be changed while the
//! program runs.
//!
//! The rules route to two handlers: `pages` answers with a line of text, `echo` sends back what it
//! receives. On SIGHUP the file is read again: all of it counts, or, if anything is wrong with it,
//! nothing. With `-v` each refusal is explained.
//!
//! ```sh
//! cargo run --example rules -- --rules crates/bowline/examples/rules/harbour.rules -v
//! ```

use std::{
    env,
    error::Error,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use bowline::server::{
    Arrival, HttpArrival, Listener, ListenerConfig, WebSocketArrival,
    admission::Admission,
    auth::{Authenticator, Identity, PasswordList},
    rules::{Rule, RuleSet, Rules},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = argument("--listen").unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let path = PathBuf::from(argument("--rules").ok_or("say --rules FILE")?);
    let rules = Rules::new(read(&path)?);

    let mut config = ListenerConfig::new("harbour".parse()?, rules.clone(), Admission::default());
    config.authenticator = Some(Authenticator::new(users()));
    // Who could be let in if known is asked for name and password, in the realm the rule names or
    // else in this one.
    config.realm = Some("harbour".into());
    if env::args().any(|argument| argument == "-v") {
        config.on_refused = Some(Arc::new(|explanation| {
            drop(writeln!(io::stderr(), "{explanation}"));
        }));
    }
    let replacing = replace_on_hangup(&path, &rules)?;
    let listener = Listener::bind(address, config).await?;
    let url = format!("http://{}/", listener.local_addr());
    writeln!(io::stdout(), "listening on {url}")?;
    tokio::select! {
        () = listener.serve(handle, std::future::pending()) => Ok(()),
        failed = replacing => failed,
    }
}

/// Reads the rules anew with each SIGHUP, which is caught from the call on.
#[cfg(unix)]
fn replace_on_hangup(
    path: &Path,
    rules: &Rules,
) -> io::Result<impl Future<Output = Result<(), Box<dyn Error>>>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        while hangup.recv().await.is_some() {
            match read(path) {
                Ok(set) => {
                    let generation = rules.replace(set);
                    writeln!(io::stdout(), "the rules are at generation {generation}")?;
                }
                Err(error) => writeln!(io::stderr(), "the rules stay as they are: {error}")?,
            }
        }
        Ok(())
    })
}

#[cfg(not(unix))]
fn replace_on_hangup(
    _: &Path,
    _: &Rules,
) -> io::Result<impl Future<Output = Result<(), Box<dyn Error>>>> {
    Ok(std::future::pending())
}

/// Reads and checks a file of rules.
fn read(path: &Path) -> Result<RuleSet, Box<dyn Error>> {
    let in_file = |error: &dyn Error| format!("{}: {error}", path.display());
    let text = fs::read_to_string(path).map_err(|error| in_file(&error))?;
    let set = RuleSet::parse(&text).map_err(|error| in_file(&error))?;
    for rule in &set.list().rules {
        if let Rule::Route(route) = rule
            && !["pages", "echo"].contains(&route.name.as_str())
        {
            return Err(format!("{}: there is no handler {}", path.display(), route.name).into());
        }
    }
    for warning in set.warnings() {
        writeln!(io::stderr(), "{}: {warning}", path.display())?;
    }
    Ok(set)
}

/// Who may prove to be known. A real program would do this over TLS only.
fn users() -> PasswordList {
    PasswordList::new()
        .with(
            Identity::new("anna").with_group("crew"),
            "bowline on a bight",
        )
        .with(Identity::new("ben").with_group("guests"), "sheet bend")
}

async fn handle(arrival: Arrival) {
    let handled = match arrival {
        Arrival::WebSocket(arrival) => echo(arrival).await,
        Arrival::Http(arrival) => page(arrival).await,
    };
    if let Err(error) = handled {
        drop(writeln!(io::stderr(), "{error}"));
    }
}

/// Sends back what it receives. The rules let nobody in who should not be.
async fn echo(arrival: WebSocketArrival) -> Result<(), bowline::Error> {
    if arrival.routed().name.as_str() != "echo" {
        return arrival.refuse(404, "This is a page.\n").await;
    }
    // The connection counts for its address as long as it has its place.
    let (mut ws, _place) = arrival.accept().await?;
    while let Some(message) = ws.recv().await {
        ws.send(message).await?;
    }
    Ok(())
}

async fn page(arrival: HttpArrival) -> Result<(), bowline::Error> {
    let user = arrival
        .identity()
        .map_or("nobody known", |identity| &*identity.user);
    let routed = arrival.routed();
    let text = format!("{} {} for {user}\n", routed.name, routed.path);
    let headers: [(&str, &[u8]); 1] = [("Content-Type", b"text/plain; charset=utf-8")];
    arrival.answer(200, &headers, text.as_bytes()).await
}

fn argument(name: &str) -> Option<String> {
    env::args().skip_while(|argument| argument != name).nth(1)
}
