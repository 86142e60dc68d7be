//! Masking keys that a test can predict.

use bowline_proto::{MaskingKey, MaskingKeySource};

/// Gives the keys 1, 2, 3 and so on, as four bytes each. Not for use outside of tests.
#[derive(Clone, Debug, Default)]
pub struct CountingMasks(u32);

impl MaskingKeySource for CountingMasks {
    fn masking_key(&mut self) -> MaskingKey {
        self.0 = self.0.wrapping_add(1);
        MaskingKey(self.0.to_be_bytes())
    }
}
