//! The cart example with the helper of `packages/bowline-js`, in Node.

use std::{
    env,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use bowline_testkit::Tools;

/// The running example; it is killed with the value.
struct Shop {
    child: Child,
    url: String,
}

impl Shop {
    fn open() -> Self {
        let tests = env::current_exe().unwrap();
        let folder = tests.parent().and_then(Path::parent).unwrap();
        let program = folder.join("examples/cart");
        let mut child = Command::new(&program)
            .args(["--minute-ms", "20"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}: build examples", program.display()));
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").unwrap();
        let url = format!("ws://{address}cart");
        Self { child, url }
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let killed = self.child.kill().and_then(|()| self.child.wait());
        assert!(killed.is_ok());
    }
}

#[test]
fn node_shows_the_cart_and_changes_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packages/bowline-js/test");
    for kind in ["ws", "native"] {
        let shop = Shop::open();
        let output = Command::new("node")
            .args(["--no-warnings", "--experimental-websocket"])
            .arg(folder.join("node.mjs"))
            .args([kind, "shop", &shop.url])
            .env(
                "BOWLINE_NODE_MODULES",
                Tools::beside(env!("CARGO_TARGET_TMPDIR")).node_modules(),
            )
            .output()
            .expect("node starts: run `cargo xtask tools`");
        let said = String::from_utf8_lossy(&output.stdout);
        let complained = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{kind}: {said}\n{complained}");
    }
}
