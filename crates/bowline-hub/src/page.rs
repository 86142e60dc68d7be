//! The page, embedded in the program.

use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash, Hasher},
    sync::OnceLock,
};

use bytes::Bytes;

/// One file of the page.
#[derive(Clone, Debug)]
pub(crate) struct Asset {
    pub(crate) path: &'static str,
    pub(crate) media_type: &'static str,
    pub(crate) body: Bytes,
    /// A quoted strong entity tag (RFC 9110 section 8.8.3).
    pub(crate) etag: String,
}

impl Asset {
    fn new((path, media_type, body): &(&'static str, &'static str, &'static [u8])) -> Self {
        // The tag only has to change with the file, not to be hard to guess.
        let mut hasher = DefaultHasher::new();
        body.hash(&mut hasher);
        Self {
            path,
            media_type,
            body: Bytes::from_static(body),
            etag: format!("\"{:016x}\"", hasher.finish()),
        }
    }
}

/// Finds the file at a path.
pub(crate) fn find(path: &str) -> Option<&'static Asset> {
    static ASSETS: OnceLock<Vec<Asset>> = OnceLock::new();
    let assets = ASSETS.get_or_init(|| FILES.iter().map(Asset::new).collect());
    let path = if path == "/" { "/index.html" } else { path };
    assets.iter().find(|asset| asset.path == path)
}

macro_rules! files {
    ($($name:literal: $media_type:expr;)*) => {
        [$((
            concat!("/", $name),
            $media_type,
            include_bytes!(concat!("../assets/", $name)).as_slice(),
        )),*]
    };
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

const FILES: [(&str, &str, &[u8]); 14] = files! {
    "index.html": HTML;
    "style.css": CSS;
    "icon.svg": SVG;
    "app.js": JAVASCRIPT;
    "bowline.js": JAVASCRIPT;
    "clown-talk.js": JAVASCRIPT;
    "elements.js": JAVASCRIPT;
    "form.js": JAVASCRIPT;
    "log.js": JAVASCRIPT;
    "relays.js": JAVASCRIPT;
    "table.js": JAVASCRIPT;
    "talk.js": JAVASCRIPT;
    "tiles.js": JAVASCRIPT;
    "values.js": JAVASCRIPT;
};

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    #[test]
    fn every_file_in_the_folder_is_served() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
        let found: BTreeSet<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| format!("/{}", entry.unwrap().file_name().display()))
            .collect();
        let served: BTreeSet<_> = FILES.iter().map(|(path, ..)| (*path).to_owned()).collect();
        assert_eq!(found, served);
    }

    #[test]
    fn tags_differ_between_files() {
        assert_ne!(find("/app.js").unwrap().etag, find("/").unwrap().etag);
        assert!(find("/nothing").is_none());
    }
}
