//! Where the programs and packages are that some tests drive.

use bowline_testkit::Tools;

pub(crate) const TOOLS: Tools = Tools::beside(env!("CARGO_TARGET_TMPDIR"));
