//! Rule about documents: a link to a file of the repository leads to a file, a link to a heading to a heading.

use super::Violations;
use super::tree::{Tree, is_ending};

pub(super) fn check(tree: &Tree, violations: &mut Violations) {
    for (path, text) in tree.files().filter(|(path, _)| is_ending(path, "md")) {
        for target in links(text) {
            check_link(tree, path, target, violations);
        }
    }
}

fn check_link(tree: &Tree, path: &str, target: &str, violations: &mut Violations) {
    if target.contains("://") || target.starts_with("mailto:") {
        return;
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let Some(file) = resolve(path, file) else {
        violations.add(path, format!("`{target}` leads out of the repository"));
        return;
    };
    if !tree.holds(&file) {
        violations.add(path, format!("`{target}` leads nowhere"));
        return;
    }
    let text = tree.text(&file).unwrap_or_default();
    if !anchor.is_empty() && !headings(text).any(|heading| heading == anchor) {
        violations.add(path, format!("`{target}` names no heading of {file}"));
    }
}

/// The targets of inline links outside code.
fn links(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for line in prose(text) {
        let mut rest = line;
        while let Some((_, after)) = rest.split_once("](") {
            let Some((target, next)) = after.split_once(')') else {
                break;
            };
            found.push(target);
            rest = next;
        }
    }
    found
}

/// Lines that are not inside a fenced block.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        fenced ^= is_fence;
        !fenced && !is_fence
    })
}

/// Headings as the anchors that they are shown under.
fn headings(text: &str) -> impl Iterator<Item = String> {
    prose(text)
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            line.trim_start_matches('#')
                .trim()
                .to_lowercase()
                .chars()
                .filter(|&letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'))
                .map(|letter| if letter == ' ' { '-' } else { letter })
                .collect()
        })
}

/// A link's file from the root; `None` above the root. No file means the document itself.
fn resolve(document: &str, file: &str) -> Option<String> {
    if file.is_empty() {
        return Some(document.to_owned());
    }
    let mut parts: Vec<&str> = document.split('/').collect();
    parts.pop();
    for part in file.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> String {
        let mut violations = Violations::default();
        let files = [
            ("docs/a.md", text),
            ("b.md", "# Two words"),
            ("docs/adr/c.md", ""),
        ];
        check(&Tree::of(&files), &mut violations);
        violations.text()
    }

    #[test]
    fn links_that_lead_somewhere_pass() {
        let good = "# Here\n[b](../b.md) [b](../b.md#two-words) [c](adr/c.md) [d](adr/) [h](#here) \
                    [w](https://example.com/x)\n```\n[not](a-link)\n```\n";
        assert_eq!(found(good), "");
    }

    #[test]
    fn links_that_lead_nowhere_are_refused() {
        assert!(found("[b](b.md)").contains("leads nowhere"));
        assert!(found("[b](../../b.md)").contains("out of the repository"));
        assert!(found("[b](../b.md#other)").contains("names no heading"));
    }
}
