//! Text as a reader of XML sees it, with the place of each of its bytes.

use crate::diagnostic::Span;

/// Decoded text: references are characters, CDATA is its content, comments are not there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text {
    value: String,
    /// Where pieces begin: byte of the value, byte of the file. In order; the first is for byte 0.
    pieces: Vec<(usize, usize)>,
    /// Where the text ends in the file.
    end: usize,
}

impl Text {
    /// Begins an empty text at a place of the file.
    pub(super) fn empty(place: usize) -> Self {
        Self {
            value: String::new(),
            pieces: vec![(0, place)],
            end: place,
        }
    }

    /// Adds a piece that stands in the file as it is here.
    pub(super) fn push(&mut self, piece: &str, place: usize) {
        self.push_decoded(piece, Span::new(place, place + piece.len()));
    }

    /// Adds a piece that is written in another way in the file.
    pub(super) fn push_decoded(&mut self, piece: &str, span: Span) {
        if piece.is_empty() {
            return;
        }
        let at = self.value.len();
        match self.pieces.last_mut() {
            Some(last) if last.0 == at => *last = (at, span.start),
            Some(last) if last.1 + (at - last.0) == span.start => {}
            Some(_) | None => self.pieces.push((at, span.start)),
        }
        self.value.push_str(piece);
        self.end = span.end;
    }

    /// Gives the text.
    pub(crate) fn as_str(&self) -> &str {
        &self.value
    }

    /// Gives the text without blanks around it.
    pub(crate) fn trimmed(&self) -> &str {
        self.value.trim()
    }

    /// Says whether there is nothing but blanks.
    pub(crate) fn is_blank(&self) -> bool {
        self.trimmed().is_empty()
    }

    /// Gives the place in the file of a byte of the text.
    pub(crate) fn place(&self, byte: usize) -> usize {
        if byte >= self.value.len() {
            return self.end;
        }
        let after = self.pieces.partition_point(|(at, _)| *at <= byte);
        let piece = after
            .checked_sub(1)
            .and_then(|index| self.pieces.get(index));
        let (at, place) = piece.copied().unwrap_or_default();
        (place + (byte - at)).min(self.end)
    }

    /// Gives the place in the file of a part of the text, such as one of a list.
    pub(crate) fn span_of(&self, part: &str) -> Span {
        let start = (part.as_ptr() as usize).wrapping_sub(self.value.as_ptr() as usize);
        let start = start.min(self.value.len());
        let end = (start + part.len()).min(self.value.len());
        match end.checked_sub(1) {
            Some(last) if last >= start => {
                let last = self.value.floor_char_boundary(last);
                let after = self.place_after(last, end);
                Span::new(self.place(start), after.max(self.place(start)))
            }
            Some(_) | None => Span::at(self.place(start)),
        }
    }

    /// Gives the place in the file of the text without blanks around it.
    pub(crate) fn span(&self) -> Span {
        self.span_of(self.trimmed())
    }

    /// The place after the character that ends at `end`.
    fn place_after(&self, last: usize, end: usize) -> usize {
        if end >= self.value.len() {
            return self.end;
        }
        // Within a piece characters follow each other; the next piece may be far off.
        let begins_piece = self
            .pieces
            .binary_search_by_key(&end, |(at, _)| *at)
            .is_ok();
        if begins_piece {
            self.place(last) + (end - last)
        } else {
            self.place(end)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_the_file_behind_references_and_between_pieces() {
        // a&lt;b<!-- -->cd
        let mut text = Text::empty(0);
        text.push("a", 0);
        text.push_decoded("<", Span::new(1, 5));
        text.push("b", 5);
        text.push("cd", 14);
        assert_eq!(text.as_str(), "a<bcd");
        let places: Vec<_> = (0..=5).map(|byte| text.place(byte)).collect();
        assert_eq!(places, [0, 1, 5, 14, 15, 16]);
        let part = text.as_str().get(1..3).unwrap();
        assert_eq!(text.span_of(part), Span::new(1, 6));
        let part = text.as_str().get(3..4).unwrap();
        assert_eq!(text.span_of(part), Span::new(14, 15));
        assert_eq!(text.span(), Span::new(0, 16));
    }
}
