//! Rule about `docs/features.md`: every feature has one row, and none is claimed without a proof that exists.

use super::Violations;
use super::tree::Tree;

/// How many features are in which state.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) done: usize,
    pub(super) partly: usize,
    pub(super) not_yet: usize,
}

pub(super) fn check(tree: &Tree, violations: &mut Violations) -> Counts {
    let mut counts = Counts::default();
    let mut seen = [0_usize; FEATURES];
    let text = tree.text(FILE).unwrap_or_default();
    for (index, line) in text.lines().enumerate() {
        let place = format!("{FILE}:{}", index + 1);
        let Some(row) = Row::parse(line) else {
            continue;
        };
        match row.number.checked_sub(1).and_then(|at| seen.get_mut(at)) {
            Some(count) => *count += 1,
            None => violations.add(&place, format!("there is no feature {}", row.number)),
        }
        row.check(tree, &place, violations);
        match row.state {
            "done" => counts.done += 1,
            "partly" => counts.partly += 1,
            _ => counts.not_yet += 1,
        }
    }
    for (index, count) in seen.iter().enumerate().filter(|(_, count)| **count != 1) {
        let number = index + 1;
        violations.add(
            FILE,
            format!("feature {number} has {count} rows instead of one"),
        );
    }
    counts
}

/// `| number | feature | state | proof |`
#[derive(Debug)]
struct Row<'a> {
    number: usize,
    words: &'a str,
    state: &'a str,
    proof: &'a str,
}

impl<'a> Row<'a> {
    /// A table row that begins with a number; other lines are not rows of features.
    fn parse(line: &'a str) -> Option<Self> {
        let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
        let mut cells = inner.splitn(4, '|').map(str::trim);
        Some(Self {
            number: cells.next()?.parse().ok()?,
            words: cells.next().unwrap_or_default(),
            state: cells.next().unwrap_or_default(),
            proof: cells.next().unwrap_or_default(),
        })
    }

    fn check(&self, tree: &Tree, place: &str, violations: &mut Violations) {
        if self.words.is_empty() {
            violations.add(place, "the feature has no words");
        }
        let proofs: Vec<&str> = self.proof.split('`').skip(1).step_by(2).collect();
        match (self.state, proofs.is_empty()) {
            ("done" | "partly", true) => violations.add(place, "claimed without a proof"),
            ("not yet", false) => violations.add(place, "has a proof, yet is `not yet`"),
            ("done" | "partly" | "not yet", _) => {}
            _ => violations.add(place, "the state is `done`, `partly` or `not yet`"),
        }
        for proof in proofs {
            check_proof(tree, place, proof, violations);
        }
    }
}

/// A proof is `path/to/file.rs::test_fn`, or the path of an example.
fn check_proof(tree: &Tree, place: &str, proof: &str, violations: &mut Violations) {
    let (file, function) = proof.split_once("::").unwrap_or((proof, ""));
    let Some(text) = tree.text(file) else {
        violations.add(place, format!("proof `{proof}`: there is no such file"));
        return;
    };
    if !function.is_empty() && !holds_test(text, function) {
        violations.add(place, format!("proof `{proof}`: the file has no such test"));
    }
}

/// Whether a function of this name stands below a test attribute or in a block of property tests.
fn holds_test(text: &str, function: &str) -> bool {
    let start = format!("fn {function}(");
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[") || line.starts_with("//") {
            is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        } else if is_test && line.contains(&start) {
            return true;
        } else if !line.ends_with(',') && !line.ends_with(")]") {
            is_test = false;
        }
    }
    false
}

const FILE: &str = "docs/features.md";
const FEATURES: usize = 161;

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "\
#[test]
fn plain() {}

/// Words.
#[tokio::test(flavor = \"current_thread\")]
async fn waiting() {}

fn helper() {}

proptest! {
    #[test]
    fn property(input in any::<u8>()) {}
}
";

    fn found(rows: &str) -> (Counts, String) {
        let mut violations = Violations::default();
        let files = [
            (FILE, rows),
            ("crates/a/tests/it/b.rs", SOURCE),
            ("examples/c.rs", ""),
        ];
        let counts = check(&Tree::of(&files), &mut violations);
        (counts, violations.text())
    }

    fn with_first(row: &str) -> String {
        let rest = (2..=FEATURES).map(|number| format!("| {number} | words | not yet | |\n"));
        found(&format!("{row}\n{}", rest.collect::<String>())).1
    }

    #[test]
    fn rows_with_proofs_that_exist_pass() {
        for proof in ["plain", "waiting", "property"] {
            let row = format!("| 1 | words | done | `crates/a/tests/it/b.rs::{proof}` |");
            assert_eq!(with_first(&row), "");
        }
        assert_eq!(with_first("| 1 | words | partly | `examples/c.rs` |"), "");
    }

    #[test]
    fn a_claim_needs_a_proof_that_exists() {
        assert!(with_first("| 1 | words | done | |").contains("without a proof"));
        assert!(with_first("| 1 | words | done | `no.rs::a` |").contains("no such file"));
        let row = "| 1 | words | done | `crates/a/tests/it/b.rs::helper` |";
        assert!(with_first(row).contains("no such test"));
        let row = "| 1 | words | not yet | `examples/c.rs` |";
        assert!(with_first(row).contains("has a proof"));
        assert!(with_first("| 1 | words | almost | |").contains("the state is"));
    }

    #[test]
    fn every_number_has_exactly_one_row() {
        let (counts, text) =
            found("| 1 | a | not yet | |\n| 1 | b | not yet | |\n| 162 | c | not yet | |\n");
        assert_eq!(
            counts,
            Counts {
                not_yet: 3,
                ..Counts::default()
            }
        );
        assert!(text.contains("feature 1 has 2 rows") && text.contains("feature 161 has 0 rows"));
        assert!(text.contains("there is no feature 162"));
    }
}
