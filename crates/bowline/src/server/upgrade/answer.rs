//! The engine's answers in the types of the `http` crate.

use bowline_proto::handshake::{HandshakeMisuse, HeadLimits, HeadParser, ResponseHead};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};

/// Makes a response of an answer that the engine wrote.
///
/// The length of the body is left to the HTTP server, because a layer around the handler may
/// change the body.
///
/// # Errors
/// [`HandshakeMisuse::HeaderNameInvalid`] for a header name or a number of headers that the `http`
/// crate does not hold (more than 64 KiB and 32,768).
pub(super) fn response<B: From<Bytes>>(answer: &[u8]) -> Result<Response<B>, HandshakeMisuse> {
    let limits = HeadLimits {
        head_size_max: usize::MAX,
        header_count_max: usize::MAX,
    };
    let parsed = HeadParser::<ResponseHead>::new(limits)
        .handle_input(answer)
        .ok()
        .flatten()
        .expect("the engine writes whole and well-formed heads");
    let body = answer.get(parsed.consumed..).unwrap_or_default();
    let mut response = Response::new(Bytes::copy_from_slice(body).into());
    *response.status_mut() =
        StatusCode::from_u16(parsed.head.status()).map_err(|_| HandshakeMisuse::StatusInvalid)?;
    let headers = response.headers_mut();
    for (name, value) in parsed.head.headers().iter() {
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| HandshakeMisuse::HeaderNameInvalid)?;
        let value =
            HeaderValue::from_bytes(value).map_err(|_| HandshakeMisuse::HeaderValueInvalid)?;
        headers
            .try_append(name, value)
            .map_err(|_| HandshakeMisuse::HeaderNameInvalid)?;
    }
    headers.remove(header::CONTENT_LENGTH);
    Ok(response)
}
