//! What two ends agreed on about compression.

use bowline_proto::deflate::DeflateParams;

/// Makes the parameters with the same window bits, 8 to 15, and takeover for both directions.
pub fn deflate_params(window_bits: u8, takeover: Takeover) -> DeflateParams {
    let fresh = takeover == Takeover::No;
    DeflateParams {
        server_no_context_takeover: fresh,
        client_no_context_takeover: fresh,
        server_max_window_bits: window_bits,
        client_max_window_bits: window_bits,
    }
}

/// Says whether a message may refer to earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takeover {
    /// It may.
    Yes,
    /// Each message stands alone.
    No,
}
