//! The room: a group of connections whose visitors have names.

use std::{
    error::Error,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use bowline::{
    CloseCode, OutboxLimits, SetCookie, SlowPeer,
    server::{
        ConnectionGroup, ConnectionHandle, GroupError, GroupOptions, GroupTable, GroupTableLimits,
        Registry, Session, SessionOptions, SessionSource, Sessions, WebSocketArrival,
    },
};
use serde_json::json;

use crate::names::Names;

#[derive(Clone)]
pub(crate) struct Room {
    registry: Registry,
    group: ConnectionGroup,
    sessions: Sessions<Visitor>,
    /// Held while notices are queued, so that everybody gets them in one order.
    names: Arc<Mutex<Names>>,
}

/// What is remembered of a visitor between connections.
#[derive(Default)]
struct Visitor {
    name: OnceLock<Arc<str>>,
}

impl Room {
    pub(crate) fn new(registry: &Registry) -> Result<Self, GroupError> {
        let groups = GroupTable::new(registry.clone(), GroupTableLimits::default());
        let options = GroupOptions {
            outbox: OutboxLimits {
                policy: SlowPeer::Close(CloseCode::TRY_AGAIN_LATER, "too slow".into()),
                ..OutboxLimits::default()
            },
            ..GroupOptions::default()
        };
        let room = Self {
            registry: registry.clone(),
            group: groups.create("room", options)?,
            sessions: Sessions::new(SessionOptions {
                sources: vec![SessionSource::Cookie(COOKIE.into())],
                ..SessionOptions::default()
            }),
            names: Arc::default(),
        };
        let (opened, heard, gone) = (room.clone(), room.clone(), room.clone());
        room.group
            .on_open(move |connection| opened.greet(connection))
            .on_text(move |connection, text| heard.hear(connection, text))
            .on_disconnect(move |connection, _| gone.say_goodbye(connection));
        Ok(room)
    }

    /// Accepts a WebSocket with the visitor's session, or with a new one.
    pub(crate) async fn let_in(
        &self,
        mut arrival: WebSocketArrival,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        let known = self.sessions.resolve(arrival.offer().request());
        let session = if let Some(known) = known {
            known
        } else {
            let session = self.sessions.create(Visitor::default())?;
            let cookie = SetCookie::new(COOKIE, session.id())?;
            let cookie = cookie.with("HttpOnly")?.with("SameSite=Strict")?;
            arrival = arrival.map_offer(|offer| offer.with_cookie(&cookie));
            session
        };
        let reserved = self.registry.reserve()?;
        let session = Some(session.attach());
        arrival.accept_into(&self.group, reserved, session).await?;
        Ok(())
    }

    pub(crate) fn forget_idle_visitors(&self) -> impl Future<Output = ()> + Send + use<> {
        self.sessions.sweep_for_ever()
    }

    /// Asks who it is, unless the session knows.
    fn greet(&self, connection: &ConnectionHandle) {
        match name(connection) {
            Some(name) => self.join(connection, &name),
            None => connection.post(json!({"type": "who"}).to_string()),
        }
    }

    /// Takes the first text for a name, and what follows for something to say.
    fn hear(&self, connection: &ConnectionHandle, text: &str) {
        let Some(name) = name(connection) else {
            return self.name(connection, text);
        };
        if connection.tag() != PRESENT {
            // Another connection of the session has chosen the name meanwhile.
            return self.join(connection, &name);
        }
        let said = json!({"type": "said", "name": &*name, "text": text});
        let _in_order = self.names();
        self.group.broadcast_tagged(PRESENT, said.to_string());
    }

    fn name(&self, connection: &ConnectionHandle, wish: &str) {
        let Some(session) = connection.session::<Visitor>() else {
            return;
        };
        let taken = self.names().take(wish);
        match taken {
            Ok(name) => {
                let kept = Arc::clone(session.data().name.get_or_init(|| Arc::clone(&name)));
                if !Arc::ptr_eq(&kept, &name) {
                    self.names().free(&name);
                }
                self.free_with(&session, &kept);
                self.join(connection, &kept);
            }
            Err(why) => connection.post(json!({"type": "refused", "why": why}).to_string()),
        }
    }

    /// Has a name given free when the session that took it is over.
    fn free_with(&self, session: &Session<Visitor>, name: &Arc<str>) {
        let (names, name) = (Arc::clone(&self.names), Arc::clone(name));
        session.on_destroy(move |_| lock(&names).free(&name));
    }

    fn join(&self, connection: &ConnectionHandle, name: &Arc<str>) {
        let mut names = self.names();
        if names.enter(name) {
            let joined = json!({"type": "joined", "name": &**name});
            self.group.broadcast_tagged(PRESENT, joined.to_string());
        }
        let people = names.present();
        let welcome = json!({"type": "welcome", "name": &**name, "people": people});
        connection.post(welcome.to_string());
        connection.set_tag(PRESENT);
    }

    fn say_goodbye(&self, connection: &ConnectionHandle) {
        let Some(name) = name(connection).filter(|_| connection.tag() == PRESENT) else {
            return;
        };
        let mut names = self.names();
        if names.leave(&name) {
            let left = json!({"type": "left", "name": &*name});
            self.group.broadcast_tagged(PRESENT, left.to_string());
        }
        let is_over = connection
            .session::<Visitor>()
            .is_none_or(|session| !session.is_alive());
        if is_over {
            names.free(&name);
        }
    }

    fn names(&self) -> MutexGuard<'_, Names> {
        lock(&self.names)
    }
}

fn name(connection: &ConnectionHandle) -> Option<Arc<str>> {
    let session = connection.session::<Visitor>()?;
    session.data().name.get().map(Arc::clone)
}

fn lock(names: &Mutex<Names>) -> MutexGuard<'_, Names> {
    names.lock().unwrap_or_else(PoisonError::into_inner)
}

const COOKIE: &str = "chat";
/// The tag of connections whose visitor has a name.
const PRESENT: u64 = 1;
