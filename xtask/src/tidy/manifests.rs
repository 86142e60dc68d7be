//! Rules about crates: shared lints, the bans of the pure crates, and dependencies that point down only.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Violations;
use super::tree::Tree;

pub(super) fn check(tree: &Tree, metadata: &Value, violations: &mut Violations) {
    check_lint_tables(tree, violations);
    for folder in PURE_CRATES {
        check_clippy_table(tree, folder, violations);
        check_unsafe_ban(tree, folder, violations);
    }
    let graph = Graph::of(metadata);
    graph.check_direction(violations);
    graph.check_purity(violations);
}

fn check_lint_tables(tree: &Tree, violations: &mut Violations) {
    for (path, text) in tree.files() {
        let is_member = path.starts_with("crates/") || path.starts_with("xtask/");
        if is_member && path.ends_with("/Cargo.toml") && !text.contains("[lints]\nworkspace = true")
        {
            violations.add(path, "does not take the workspace's lints");
        }
    }
}

/// The nearest `clippy.toml` replaces the one at the root, so the thresholds stand twice.
fn check_clippy_table(tree: &Tree, folder: &str, violations: &mut Violations) {
    let path = format!("{folder}/clippy.toml");
    let text = tree.text(&path).unwrap_or_default();
    let lines: BTreeSet<&str> = text.lines().map(str::trim).collect();
    let root = tree.text("clippy.toml").unwrap_or_default();
    for threshold in root.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if !threshold.starts_with('#') && !lines.contains(threshold) {
            violations.add(&path, format!("lacks `{threshold}` of the root's table"));
        }
    }
    for table in ["disallowed-methods", "disallowed-types"] {
        if !text.contains(table) {
            violations.add(
                &path,
                format!("lacks `{table}`: a pure crate bans I/O and clocks"),
            );
        }
    }
}

fn check_unsafe_ban(tree: &Tree, folder: &str, violations: &mut Violations) {
    let path = format!("{folder}/src/lib.rs");
    let text = tree.text(&path).unwrap_or_default();
    if !text.contains("#![forbid(unsafe_code)]") {
        violations.add(&path, "a pure crate says `#![forbid(unsafe_code)]`");
    }
}

/// Who depends on whom in the product; dependencies of tests are left out.
#[derive(Debug, Default)]
struct Graph {
    /// Package names and the names of what they need, for every package of the lock file.
    needs: BTreeMap<String, BTreeSet<String>>,
    members: BTreeSet<String>,
}

impl Graph {
    fn of(metadata: &Value) -> Self {
        let members: BTreeSet<&str> = strings(&metadata["workspace_members"]).collect();
        let mut graph = Self::default();
        let mut names = BTreeMap::new();
        for package in array(&metadata["packages"]) {
            let (id, name) = (text(&package["id"]), text(&package["name"]));
            names.insert(id, name);
            if members.contains(id) {
                graph.members.insert(name.to_owned());
            }
        }
        for node in array(&metadata["resolve"]["nodes"]) {
            let name = names.get(text(&node["id"])).copied().unwrap_or_default();
            let needs = graph.needs.entry(name.to_owned()).or_default();
            for dependency in array(&node["deps"]).iter().filter(|node| is_product(node)) {
                let name = names.get(text(&dependency["pkg"])).copied();
                needs.extend(name.map(str::to_owned));
            }
        }
        graph
    }

    fn check_direction(&self, violations: &mut Violations) {
        for member in &self.members {
            let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| name == member) else {
                violations.add(member, "has no row in the table of allowed dependencies");
                continue;
            };
            for need in self.needs.get(member).into_iter().flatten() {
                if self.members.contains(need) && !allowed.contains(&need.as_str()) {
                    violations.add(member, format!("must not depend on `{need}`"));
                }
            }
        }
    }

    fn check_purity(&self, violations: &mut Violations) {
        for folder in PURE_CRATES {
            let name = folder.trim_start_matches("crates/");
            for need in self.reachable(name) {
                if IMPURE.contains(&need) {
                    violations.add(name, format!("is pure, yet `{need}` is below it"));
                }
            }
        }
    }

    fn reachable<'a>(&'a self, name: &'a str) -> BTreeSet<&'a str> {
        let mut found = BTreeSet::new();
        let mut waiting = vec![name];
        while let Some(name) = waiting.pop() {
            if found.insert(name) {
                let needs = self.needs.get(name).into_iter().flatten();
                waiting.extend(needs.map(String::as_str));
            }
        }
        found
    }
}

fn is_product(dependency: &Value) -> bool {
    array(&dependency["dep_kinds"])
        .iter()
        .any(|kind| kind["kind"].is_null())
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn strings(value: &Value) -> impl Iterator<Item = &str> {
    array(value).iter().map(text)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

const PURE_CRATES: [&str; 2] = ["crates/bowline-proto", "crates/bowline-bus"];

/// What each member may use of the workspace; the layers of ARCHITECTURE.md.
const ALLOWED: [(&str, &[&str]); 9] = [
    ("bowline-proto", &[]),
    ("bowline-bus", &[]),
    ("bowline", &["bowline-proto"]),
    ("bowline-hub", &["bowline", "bowline-bus"]),
    ("bowline-document", &["bowline"]),
    ("bowline-connector", &["bowline"]),
    (
        "bowline-cli",
        &["bowline", "bowline-bus", "bowline-connector", "bowline-hub"],
    ),
    ("bowline-testkit", &["bowline-proto"]),
    ("xtask", &[]),
];

/// Runtimes, sockets and random sources; none may be below a pure crate.
const IMPURE: [&str; 14] = [
    "async-std",
    "getrandom",
    "h2",
    "hyper",
    "mio",
    "quinn",
    "rand",
    "rand_core",
    "rustls",
    "smol",
    "socket2",
    "tokio",
    "tokio-util",
    "tracing-subscriber",
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn graph(needs: &[(&str, &[&str])], members: &[&str]) -> Graph {
        let own = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let needs = needs
            .iter()
            .map(|(name, needs)| ((*name).to_owned(), own(needs)));
        Graph {
            needs: needs.collect(),
            members: own(members),
        }
    }

    #[test]
    fn a_dependency_that_points_up_is_refused() {
        let mut violations = Violations::default();
        let members = ["bowline", "bowline-hub", "bowline-proto"];
        let needs: [(&str, &[&str]); 2] = [
            ("bowline", &["bowline-proto"]),
            ("bowline-proto", &["bowline"]),
        ];
        graph(&needs, &members).check_direction(&mut violations);
        assert_eq!(
            violations.text(),
            "bowline-proto: must not depend on `bowline`"
        );
    }

    #[test]
    fn an_unknown_member_must_be_placed_in_a_layer() {
        let mut violations = Violations::default();
        graph(&[], &["bowline-new"]).check_direction(&mut violations);
        assert!(violations.text().starts_with("bowline-new: has no row"));
    }

    #[test]
    fn a_runtime_below_a_pure_crate_is_found_through_others() {
        let mut violations = Violations::default();
        let needs: [(&str, &[&str]); 2] = [
            ("bowline-bus", &["bytes", "between"]),
            ("between", &["tokio"]),
        ];
        graph(&needs, &[]).check_purity(&mut violations);
        assert_eq!(
            violations.text(),
            "bowline-bus: is pure, yet `tokio` is below it"
        );
    }

    #[test]
    fn dependencies_of_tests_do_not_count() {
        let metadata = json!({
            "workspace_members": ["a 1"],
            "packages": [{"id": "a 1", "name": "a"}, {"id": "b 1", "name": "b"}, {"id": "c 1", "name": "c"}],
            "resolve": {"nodes": [{"id": "a 1", "deps": [
                {"pkg": "b 1", "dep_kinds": [{"kind": "dev"}]},
                {"pkg": "c 1", "dep_kinds": [{"kind": "dev"}, {"kind": null}]},
            ]}]},
        });
        let graph = Graph::of(&metadata);
        assert_eq!(graph.needs["a"], BTreeSet::from(["c".to_owned()]));
        assert_eq!(graph.members, BTreeSet::from(["a".to_owned()]));
    }

    #[test]
    fn a_pure_crate_repeats_the_thresholds_and_bans_input_and_output() {
        let tree = Tree::of(&[
            ("clippy.toml", "too-many-lines-threshold = 70\n"),
            (
                "crates/a/clippy.toml",
                "too-many-lines-threshold = 90\ndisallowed-methods = []\n",
            ),
        ]);
        let mut violations = Violations::default();
        check_clippy_table(&tree, "crates/a", &mut violations);
        assert_eq!(violations.lines.len(), 2);
        assert!(
            violations
                .text()
                .contains("lacks `too-many-lines-threshold = 70`")
        );
        assert!(violations.text().contains("lacks `disallowed-types`"));
    }

    #[test]
    fn a_crate_without_the_shared_lints_is_refused() {
        let tree = Tree::of(&[
            (
                "crates/a/Cargo.toml",
                "[package]\n\n[lints]\nworkspace = true\n",
            ),
            ("crates/b/Cargo.toml", "[package]\n"),
        ]);
        let mut violations = Violations::default();
        check_lint_tables(&tree, &mut violations);
        assert_eq!(violations.lines.len(), 1);
        assert!(violations.text().starts_with("crates/b/Cargo.toml"));
    }
}
