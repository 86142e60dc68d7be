//! Rules about documents: decision records are listed and whole, the changelog is unambiguous.

use super::Violations;
use super::tree::Tree;

pub(super) fn check(tree: &Tree, violations: &mut Violations) {
    for path in REQUIRED.iter().filter(|path| tree.text(path).is_none()) {
        violations.add(path, "is missing");
    }
    check_decisions(tree, violations);
    check_changelog(tree, violations);
}

fn check_decisions(tree: &Tree, violations: &mut Violations) {
    let list = tree.text(DECISIONS_LIST).unwrap_or_default();
    let mut numbers = Vec::new();
    for (path, text) in tree.files() {
        let Some(name) = path
            .strip_prefix(DECISIONS)
            .filter(|name| *name != "README.md")
        else {
            continue;
        };
        numbers.push(name.split('-').next().unwrap_or_default().to_owned());
        if !list.contains(&format!("]({name})")) {
            violations.add(path, format!("is not listed in {DECISIONS_LIST}"));
        }
        for heading in DECISION_HEADINGS {
            if !text.lines().any(|line| line == heading) {
                violations.add(path, format!("lacks the heading `{heading}`"));
            }
        }
    }
    let expected = (1..=numbers.len()).map(|number| format!("{number:04}"));
    if !expected.eq(numbers) {
        violations.add(
            DECISIONS,
            "records are numbered 0001, 0002 and so on, each once",
        );
    }
}

/// One section collects what is not released yet; every released version has one of its own.
fn check_changelog(tree: &Tree, violations: &mut Violations) {
    let text = tree.text(CHANGELOG).unwrap_or_default();
    let headings: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("## ["))
        .collect();
    let named = |name: &str| {
        let start = format!("## [{name}]");
        headings
            .iter()
            .filter(|line| line.starts_with(&start))
            .count()
    };
    if named("Unreleased") != 1 {
        violations.add(CHANGELOG, "needs exactly one heading `## [Unreleased]`");
    }
    for (index, heading) in headings.iter().enumerate() {
        if headings
            .iter()
            .take(index)
            .any(|earlier| earlier == heading)
        {
            violations.add(CHANGELOG, format!("`{heading}` stands twice"));
        }
    }
    let version = workspace_version(tree);
    if named(version) > 1 {
        violations.add(
            CHANGELOG,
            format!("version {version} has more than one heading"),
        );
    }
}

fn workspace_version(tree: &Tree) -> &str {
    tree.text("Cargo.toml")
        .unwrap_or_default()
        .lines()
        .find_map(|line| line.strip_prefix("version = "))
        .unwrap_or_default()
        .trim_matches('"')
}

const CHANGELOG: &str = "CHANGELOG.md";
const DECISIONS: &str = "docs/adr/";
const DECISIONS_LIST: &str = "docs/adr/README.md";
const DECISION_HEADINGS: [&str; 4] = ["## Context", "## Decision", "## Cost", "## When to revisit"];
const REQUIRED: [&str; 9] = [
    "ARCHITECTURE.md",
    CHANGELOG,
    "CONTRIBUTING.md",
    DECISIONS_LIST,
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "SECURITY.md",
    "deny.toml",
];

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "# 0001\n## Context\n## Decision\n## Cost\n## When to revisit\n";

    fn decisions(files: &[(&str, &str)]) -> String {
        let mut violations = Violations::default();
        check_decisions(&Tree::of(files), &mut violations);
        violations.text()
    }

    fn changelog(text: &str) -> String {
        let mut violations = Violations::default();
        let manifest = "[workspace.package]\nversion = \"0.2.0\"\n";
        let tree = Tree::of(&[("CHANGELOG.md", text), ("Cargo.toml", manifest)]);
        check_changelog(&tree, &mut violations);
        violations.text()
    }

    #[test]
    fn a_decision_must_be_listed_whole_and_numbered() {
        let list = (DECISIONS_LIST, "- [one](0001-one.md)");
        assert_eq!(decisions(&[list, ("docs/adr/0001-one.md", WHOLE)]), "");
        let unlisted = [list, ("docs/adr/0001-other.md", WHOLE)];
        assert!(decisions(&unlisted).contains("is not listed"));
        assert!(decisions(&[list, ("docs/adr/0001-one.md", "")]).contains("lacks the heading"));
        assert!(decisions(&[list, ("docs/adr/0002-one.md", WHOLE)]).contains("numbered"));
    }

    #[test]
    fn the_changelog_has_one_heading_for_each_version() {
        assert_eq!(changelog("## [Unreleased]\n## [0.2.0] - 2026-01-01\n"), "");
        assert!(changelog("## [0.2.0]\n").contains("Unreleased"));
        assert!(changelog("## [Unreleased]\n## [Unreleased]\n").contains("Unreleased"));
        let twice = "## [Unreleased]\n## [0.2.0] - a\n## [0.2.0] - b\n";
        assert!(changelog(twice).contains("version 0.2.0 has more than one"));
        let older = "## [Unreleased]\n## [0.1.0]\n## [0.1.0]\n";
        assert!(changelog(older).contains("`## [0.1.0]` stands twice"));
    }
}
