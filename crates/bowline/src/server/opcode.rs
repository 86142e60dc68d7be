//! The frame code that carries the final flag: 128 is added to the opcode.

use std::fmt;

use bowline_proto::{Fin, Opcode};

/// Names a frame by one number: its opcode, plus 128 when it ends a text or binary message.
///
/// A whole text message is 129, a whole binary message 130, the last continuation 128; 0, 1 and 2
/// say that more follows. Control frames are 8, 9 and 10, without the flag, because they are never
/// fragmented (RFC 6455 section 5.5). Programs written for a frame-level interface compare such
/// numbers; [`kind`](Self::kind) is the number without the flag, for those that ignore it.
///
/// ```
/// use bowline::{Fin, FrameCode, FrameCodeError, proto::Opcode};
///
/// let code = FrameCode::new(Opcode::Text, Fin::Last)?;
/// assert_eq!((code.code(), code.kind()), (129, 1));
/// assert_eq!(FrameCode::from_code(131), Err(FrameCodeError::ReservedOpcode(3)));
/// # Ok::<_, FrameCodeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameCode {
    opcode: Opcode,
    fin: Fin,
}

impl FrameCode {
    /// Makes the code of a frame.
    ///
    /// # Errors
    /// [`FrameCodeError::FragmentedControl`] for a control frame that is not the last of its
    /// message (RFC 6455 section 5.5).
    pub const fn new(opcode: Opcode, fin: Fin) -> Result<Self, FrameCodeError> {
        match fin {
            Fin::More if opcode.is_control() => Err(FrameCodeError::FragmentedControl(opcode)),
            Fin::More | Fin::Last => Ok(Self { opcode, fin }),
        }
    }

    /// Reads a code. A control frame may be written with the flag or without.
    ///
    /// # Errors
    /// [`FrameCodeError::ReservedOpcode`] for 3 to 7 and 11 to 15, with the flag or without;
    /// [`FrameCodeError::OutOfRange`] for a number that is no opcode with an optional flag.
    pub const fn from_code(code: u8) -> Result<Self, FrameCodeError> {
        let kind = code & !FINAL_FLAG;
        if kind > OPCODE_MAX {
            return Err(FrameCodeError::OutOfRange(code));
        }
        let Some(opcode) = Opcode::from_bits(kind) else {
            return Err(FrameCodeError::ReservedOpcode(kind));
        };
        let is_last = code & FINAL_FLAG != 0 || opcode.is_control();
        let fin = if is_last { Fin::Last } else { Fin::More };
        Ok(Self { opcode, fin })
    }

    /// Gives the number with the flag.
    pub const fn code(self) -> u8 {
        match self.fin {
            Fin::Last if !self.opcode.is_control() => self.kind() | FINAL_FLAG,
            Fin::Last | Fin::More => self.kind(),
        }
    }

    /// Gives the number without the flag: the opcode's.
    pub const fn kind(self) -> u8 {
        self.opcode.bits()
    }

    /// Gives the opcode.
    pub const fn opcode(self) -> Opcode {
        self.opcode
    }

    /// Says whether the frame is the last of its message; a control frame always is.
    pub const fn fin(self) -> Fin {
        self.fin
    }
}

/// Shows the number with the flag.
impl fmt::Display for FrameCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.code().fmt(f)
    }
}

impl TryFrom<u8> for FrameCode {
    type Error = FrameCodeError;

    fn try_from(code: u8) -> Result<Self, FrameCodeError> {
        Self::from_code(code)
    }
}

impl TryFrom<(Opcode, Fin)> for FrameCode {
    type Error = FrameCodeError;

    fn try_from((opcode, fin): (Opcode, Fin)) -> Result<Self, FrameCodeError> {
        Self::new(opcode, fin)
    }
}

impl From<FrameCode> for u8 {
    fn from(code: FrameCode) -> Self {
        code.code()
    }
}

impl From<FrameCode> for (Opcode, Fin) {
    fn from(code: FrameCode) -> Self {
        (code.opcode(), code.fin())
    }
}

/// Says why a number, or an opcode and a final flag, name no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameCodeError {
    /// An opcode that RFC 6455 section 5.2 reserves: 3 to 7 or 11 to 15.
    #[error("opcode {0} is reserved")]
    ReservedOpcode(u8),
    /// No opcode, and no opcode plus 128.
    #[error("{0} is neither an opcode nor an opcode plus 128")]
    OutOfRange(u8),
    /// A control frame with more to follow (RFC 6455 section 5.5).
    #[error("a {0:?} frame cannot be fragmented")]
    FragmentedControl(Opcode),
}

/// What the last frame of a message adds to its opcode.
const FINAL_FLAG: u8 = 128;
/// The opcode has four bits (RFC 6455 section 5.2).
const OPCODE_MAX: u8 = 15;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn final_data_frames_add_128_and_control_frames_do_not() {
        for (opcode, fin, code, kind) in [
            (Opcode::Continuation, Fin::More, 0, 0),
            (Opcode::Text, Fin::More, 1, 1),
            (Opcode::Binary, Fin::More, 2, 2),
            (Opcode::Continuation, Fin::Last, 128, 0),
            (Opcode::Text, Fin::Last, 129, 1),
            (Opcode::Binary, Fin::Last, 130, 2),
            (Opcode::Close, Fin::Last, 8, 8),
            (Opcode::Ping, Fin::Last, 9, 9),
            (Opcode::Pong, Fin::Last, 10, 10),
        ] {
            let made = FrameCode::new(opcode, fin).unwrap();
            assert_eq!((made.code(), made.kind()), (code, kind), "{opcode:?}");
            assert_eq!(FrameCode::try_from(code), Ok(made));
            assert_eq!(<(Opcode, Fin)>::from(made), (opcode, fin));
        }
    }

    #[test]
    fn every_number_is_a_frame_or_a_named_error() {
        for code in 0..=u8::MAX {
            let read = FrameCode::from_code(code);
            match code & 127 {
                kind @ (3..=7 | 11..=15) => {
                    assert_eq!(read, Err(FrameCodeError::ReservedOpcode(kind)));
                }
                16.. => assert_eq!(read, Err(FrameCodeError::OutOfRange(code))),
                kind @ 8..=10 => assert_eq!(read.unwrap().code(), kind),
                kind => {
                    let read = read.unwrap();
                    assert_eq!((read.code(), read.kind()), (code, kind));
                }
            }
        }
    }

    // RFC 6455 section 5.5.
    #[test]
    fn control_frame_cannot_have_more_to_follow() {
        for opcode in [Opcode::Close, Opcode::Ping, Opcode::Pong] {
            assert_eq!(
                FrameCode::new(opcode, Fin::More),
                Err(FrameCodeError::FragmentedControl(opcode))
            );
        }
    }
}
