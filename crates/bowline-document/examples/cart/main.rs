//! A shopping cart for browsers: each visitor's is a JSON document, on the server and in the page.
//!
//! The page sends patches of its cart; the server computes the total, and a thread of its own
//! changes every cart now and then. A cookie keeps the cart over a reload.
//!
//! ```sh
//! cargo run -p bowline-document --example cart -- --listen 127.0.0.1:8080
//! ```

use std::{env, error::Error, io::Write as _, thread, time::Duration};

use bowline::{
    SetCookie,
    server::{
        Arrival, ConnectionGroup, ConnectionHandle, GroupOptions, HttpArrival, Listener,
        ListenerConfig, Registry, SessionOptions, Sessions, WebSocketArrival,
        admission::Admission,
        rules::{RuleSet, Rules},
    },
};
use bowline_document::{Document, Policy, serve};
use serde::{Deserialize, Serialize};

/// What the page shows.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cart {
    items: Vec<Item>,
    total_cents: u64,
    open_minutes: u64,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    name: String,
    count: u32,
}

#[derive(Clone)]
struct Shop {
    registry: Registry,
    group: ConnectionGroup,
    sessions: Sessions<Document<Cart>>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let shop = Shop::open();
    let rules = Rules::new(RuleSet::parse(RULES)?);
    let config = ListenerConfig::new("shop".parse()?, rules, Admission::default());
    let address = argument("--listen").unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let listener = Listener::bind(address, config).await?;
    let url = format!("http://{}/", listener.local_addr());
    writeln!(std::io::stdout(), "listening on {url}")?;
    let watched = shop.clone();
    let minute = argument("--minute-ms").map_or(Ok(60_000), |minute| minute.parse())?;
    thread::spawn(move || watched.count_minutes(Duration::from_millis(minute)));
    let serve = move |arrival| handle(arrival, shop.clone());
    listener.serve(serve, std::future::pending()).await;
    Ok(())
}

impl Shop {
    fn open() -> Self {
        let registry = Registry::new();
        let group = ConnectionGroup::new("carts", registry.clone(), GroupOptions::default());
        serve(&group, cart_of);
        Self {
            registry,
            group,
            sessions: Sessions::new(SessionOptions::default()),
        }
    }

    /// Accepts a page with the cart of its cookie, or with a new one.
    async fn let_in(&self, mut arrival: WebSocketArrival) -> Result<(), Box<dyn Error>> {
        let session = if let Some(known) = self.sessions.resolve(arrival.offer().request()) {
            known
        } else {
            let policy = Policy::new()
                .with_read_only("/open_minutes")?
                .with_check(|_, cart| price(cart));
            let session = self
                .sessions
                .create(Document::new(Cart::default(), policy)?)?;
            let cookie = SetCookie::new("session", session.id())?;
            let cookie = cookie.with("HttpOnly")?.with("SameSite=Strict")?;
            arrival = arrival.map_offer(|offer| offer.with_cookie(&cookie));
            session
        };
        let reserved = self.registry.reserve()?;
        let session = Some(session.attach());
        arrival.accept_into(&self.group, reserved, session).await?;
        Ok(())
    }

    /// Changes every cart that is shown, from an ordinary thread.
    fn count_minutes(&self, minute: Duration) -> ! {
        loop {
            thread::sleep(minute);
            self.group.for_each(|connection| {
                if let Some(cart) = cart_of(connection) {
                    let counted = cart.update(|cart| cart.open_minutes += 1);
                    debug_assert!(counted.is_ok(), "a number does not grow much");
                }
            });
        }
    }
}

/// Gives the cart of a connection's session.
fn cart_of(connection: &ConnectionHandle) -> Option<Document<Cart>> {
    Some(connection.session::<Document<Cart>>()?.data().clone())
}

/// Decides about a visitor's change, and computes what follows from it.
fn price(cart: &mut Cart) -> Result<(), Box<str>> {
    cart.total_cents = 0;
    for Item { name, count } in &cart.items {
        let known = PRICES_CENTS.iter().find(|(known, _)| known == name);
        let (_, price) = known.ok_or_else(|| format!("there is no {name} here"))?;
        cart.total_cents += price * u64::from(*count);
    }
    Ok(())
}

async fn handle(arrival: Arrival, shop: Shop) {
    let handled = match arrival {
        Arrival::WebSocket(visitor) => shop.let_in(visitor).await,
        Arrival::Http(request) => serve_file(request).await.map_err(Into::into),
    };
    if let Err(error) = handled {
        drop(writeln!(std::io::stderr(), "{error}"));
    }
}

async fn serve_file(request: HttpArrival) -> Result<(), bowline::Error> {
    let (content_type, file) = match request.routed().name.as_str() {
        "script" => ("text/javascript", include_str!("cart.js")),
        "link" => ("text/javascript", LINK),
        "patch" => ("text/javascript", PATCH),
        _ => ("text/html; charset=utf-8", include_str!("cart.html")),
    };
    let headers: [(&str, &[u8]); 3] = [
        ("Content-Type", content_type.as_bytes()),
        (
            "Content-Security-Policy",
            b"default-src 'self'; img-src data:",
        ),
        ("X-Content-Type-Options", b"nosniff"),
    ];
    request.answer(200, &headers, file.as_bytes()).await
}

/// Reads the argument behind `name`.
fn argument(name: &str) -> Option<String> {
    env::args().skip_while(|argument| argument != name).nth(1)
}

const PRICES_CENTS: [(&str, u64); 3] = [("tea", 250), ("cake", 400), ("plum", 60)];
const LINK: &str = include_str!("../../../../packages/bowline-js/bowline.js");
const PATCH: &str = include_str!("../../../../packages/bowline-js/json-patch.js");
const RULES: &str = "
allow GET /*
route /                page
route /cart.js         script
route /bowline.js      link
route /json-patch.js   patch
route /cart            cart    websocket-only
";
