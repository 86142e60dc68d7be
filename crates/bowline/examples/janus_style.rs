//! A frame-level server in straight-line code: accept, receive a frame, look at its opcode, answer.
//!
//! Every frame of a text is answered with the number of its bytes, under the same code. Pings are
//! answered by the library, and so is a close frame.
//!
//! ```sh
//! cargo run --example janus_style -- --listen 127.0.0.1:8080
//! ```

use std::{
    env,
    error::Error,
    io::{Write as _, stderr, stdout},
    thread,
    time::Duration,
};

use bowline::{
    blocking::{Incoming, Listener, RecvError},
    proto::Opcode,
};

fn main() -> Result<(), Box<dyn Error>> {
    let listener = Listener::bind(listen_address())?;
    writeln!(stdout(), "listening on ws://{}/", listener.local_addr()?)?;
    loop {
        let incoming = listener.incoming()?;
        let peer = incoming.peer_addr();
        thread::spawn(move || {
            if let Err(error) = serve(incoming) {
                drop(writeln!(stderr(), "{peer}: {error}"));
            }
        });
    }
}

/// Serves one connection, in the thread that calls.
fn serve(incoming: Incoming) -> Result<(), bowline::Error> {
    let mut socket = incoming.accept()?;
    socket.set_receive_timeout(Some(PATIENCE));
    let mut is_text = false;
    loop {
        let (code, payload) = match socket.recv_frame() {
            Ok(Some(frame)) => frame,
            Ok(None) => return Ok(()),
            Err(RecvError::TimedOut) => {
                socket.ping(b"still there?")?;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        match code.opcode() {
            Opcode::Text => is_text = true,
            Opcode::Binary => is_text = false,
            // It goes on with what was begun.
            Opcode::Continuation => {}
            Opcode::Close | Opcode::Ping | Opcode::Pong => continue,
        }
        if is_text {
            socket.send_frame(code, payload.len().to_string().into_bytes())?;
        }
    }
}

/// Reads `--listen address`; any free port of the loopback without it.
fn listen_address() -> String {
    let mut arguments = env::args().skip_while(|argument| argument != "--listen");
    let address = arguments.nth(1);
    address.unwrap_or_else(|| "127.0.0.1:0".to_owned())
}

/// How long a silent client is waited for before it is asked for a sign of life.
const PATIENCE: Duration = Duration::from_secs(30);
