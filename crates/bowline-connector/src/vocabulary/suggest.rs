//! The word that was meant.

/// Gives the word that is closest to a misspelt one, if any is close.
pub(crate) fn nearest<'a>(word: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > LENGTH_MAX {
        return None;
    }
    let lower = word.to_ascii_lowercase();
    let far = (word.chars().count() / 3).max(1);
    words
        .map(|candidate| (distance(&lower, &candidate.to_ascii_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= far)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many letters have to be added, left out, changed or swapped with the next.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    let mut previous = None;
    for (row, letter) in from.chars().enumerate() {
        let mut next = Vec::with_capacity(last.len());
        next.push(row + 1);
        for (column, other) in to.iter().enumerate() {
            let at = |line: &[usize], index: usize| line.get(index).copied().unwrap_or(usize::MAX);
            let changed = at(&last, column) + usize::from(letter != *other);
            let mut steps = changed.min(at(&last, column + 1) + 1);
            steps = steps.min(at(&next, column) + 1);
            let swapped = column.checked_sub(1).and_then(|index| to.get(index)) == Some(&letter);
            if swapped && previous == Some(*other) {
                steps = steps.min(at(&before_last, column - 1).saturating_add(1));
            }
            next.push(steps);
        }
        before_last = std::mem::replace(&mut last, next);
        previous = Some(letter);
    }
    last.last().copied().unwrap_or_default()
}

/// Longer words are nobody's misspelling.
const LENGTH_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_word_is_given_and_none_that_is_far() {
        let words = ["Connections", "Connection", "Commands", "Content"];
        let nearest = |word| nearest(word, words.into_iter());
        assert_eq!(nearest("Conection"), Some("Connection"));
        assert_eq!(nearest("connections"), Some("Connections"));
        assert_eq!(nearest("Contnet"), Some("Content"));
        assert_eq!(nearest("Wheel"), None);
        assert_eq!(distance("abcd", "acbd"), 1);
        assert_eq!(distance("", "abc"), 3);
    }
}
