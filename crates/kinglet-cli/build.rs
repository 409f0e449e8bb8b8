//! Lists the digit images, so that the binary carries them and works from any directory.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let variable = |name| env::var_os(name).ok_or_else(|| io::Error::other(name));
    let manifest = variable("CARGO_MANIFEST_DIR")?;
    let images = Path::new(&manifest).join("demo/images");
    println!("cargo::rerun-if-changed={}", images.display());

    let mut names = Vec::new();
    for entry in fs::read_dir(&images)? {
        let name = entry?.file_name();
        if let Some(name) = name.to_str().filter(|name| name.ends_with(".png")) {
            names.push(name.to_owned());
        }
    }
    names.sort();

    let mut source = String::from("&[\n");
    for name in names {
        let path = images.join(&name);
        // Writing to a String does not fail.
        let _ = writeln!(source, "    ({name:?}, include_bytes!({path:?})),");
    }
    source.push_str("]\n");
    fs::write(Path::new(&variable("OUT_DIR")?).join("digits.rs"), source)
}
