//! Servers under TLS: our own, another library over `tokio-rustls`, and `rustls` alone.

use std::{future::poll_fn, pin::Pin, sync::Arc};

use bowline::ServerTls;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::{
    io::{AsyncRead, AsyncWriteExt, ReadBuf},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::{Outcome, stream_peers};

/// Echoes on connections whose certificate and key are in these files.
pub async fn serve(listener: TcpListener, name: &str, files: [String; 2]) -> Outcome {
    let [certificate, key] = files;
    let ours = ServerTls::from_files(&certificate, &key)?;
    let theirs = acceptor(&certificate, &key)?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        match name {
            "bowline-tls" => drop(tokio::spawn(bowline(ours.clone(), stream))),
            "tungstenite-tls" => drop(tokio::spawn(tungstenite(theirs.clone(), stream))),
            _ => drop(tokio::spawn(bare(theirs.clone(), stream))),
        }
    }
}

async fn bowline(tls: ServerTls, stream: TcpStream) -> Outcome {
    let stream = tls.accept(stream).await?;
    drop(tls);
    let mut ws = bowline::accept(stream).await?;
    while let Some(message) = ws.recv().await {
        ws.send(message).await?;
    }
    Ok(())
}

async fn tungstenite(acceptor: TlsAcceptor, stream: TcpStream) -> Outcome {
    let stream = Box::pin(acceptor.accept(stream)).await?;
    stream_peers::tungstenite(Box::new(stream)).await
}

/// No WebSocket and no buffer of its own: what a task with a stream costs.
async fn bare(acceptor: TlsAcceptor, stream: TcpStream) -> Outcome {
    let mut stream = Box::new(Box::pin(acceptor.accept(stream)).await?);
    drop(acceptor);
    loop {
        let received = receive(&mut stream).await?;
        if received.is_empty() {
            return Ok(());
        }
        stream.write_all(&received).await?;
        stream.flush().await?;
    }
}

async fn receive(stream: &mut TlsStream<TcpStream>) -> std::io::Result<Vec<u8>> {
    poll_fn(|cx| {
        let mut buffer = [0; 4096];
        let mut buffer = ReadBuf::new(&mut buffer);
        let read = Pin::new(&mut *stream).poll_read(cx, &mut buffer);
        read.map_ok(|()| buffer.filled().to_vec())
    })
    .await
}

fn acceptor(
    certificate: &str,
    key: &str,
) -> Result<TlsAcceptor, Box<dyn std::error::Error + Send + Sync>> {
    let certificates = CertificateDer::pem_file_iter(certificate)?.collect::<Result<_, _>>()?;
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(certificates, PrivateKeyDer::from_pem_file(key)?)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
