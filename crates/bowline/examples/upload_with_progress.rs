//! Takes uploads of any size in constant memory and tells the client how far it is.
//!
//! A message is an upload. For every mebibyte of it the client gets the number of bytes received so
//! far, and at its end `done` and the total.
//!
//! ```sh
//! cargo run --example upload_with_progress -- --listen 127.0.0.1:8080
//! ```

use std::{
    env,
    error::Error,
    io::{Write as _, stderr, stdout},
};

use bowline::WebSocket;
use tokio::net::{TcpListener, TcpStream};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(listen_address()).await?;
    writeln!(stdout(), "listening on ws://{}/", listener.local_addr()?)?;
    loop {
        let (stream, peer) = listener.accept().await?;
        tokio::spawn(async move {
            if let Err(error) = serve(stream).await {
                drop(writeln!(stderr(), "{peer}: {error}"));
            }
        });
    }
}

async fn serve(stream: TcpStream) -> Result<(), bowline::Error> {
    let mut ws = bowline::accept(stream).await?;
    while let Some(len) = upload(&mut ws).await? {
        ws.send(format!("done {len}")).await?;
    }
    Ok(())
}

/// Takes one upload in and gives its length; `None` when the connection is over.
async fn upload(ws: &mut WebSocket<TcpStream>) -> Result<Option<u64>, bowline::Error> {
    let mut received: u64 = 0;
    while let Some(piece) = ws.recv_fragment().await {
        let before = received;
        // Here a real server writes the piece to where it belongs.
        received += piece.payload.len() as u64;
        if received / PROGRESS_STEP > before / PROGRESS_STEP {
            ws.send(received.to_string()).await?;
        }
        if piece.message_end {
            return Ok(Some(received));
        }
    }
    Ok(None)
}

/// Reads `--listen address`; any free port of the loopback without it.
fn listen_address() -> String {
    let mut arguments = env::args().skip_while(|argument| argument != "--listen");
    let address = arguments.nth(1);
    address.unwrap_or_else(|| "127.0.0.1:0".to_owned())
}

/// How many bytes there are between two reports of progress.
const PROGRESS_STEP: u64 = 1 << 20;
