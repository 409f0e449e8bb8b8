//! `kinglet diff` on dumps of layers.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use crate::{DIGITS, folder, line, root, write};

/// Made by models/scripts/dump_layers.py with tflite-runtime 2.14: two cases, three invocations.
const LAYERS: &str = "models/digits/layers.npz";

/// Copies the dump, with the entries that `change` lets through and changes.
fn copy(to: &Path, change: impl Fn(&str, &mut Vec<u8>) -> bool) -> String {
    let file = File::open(root().join(LAYERS)).expect("the dump is there");
    let mut from = ZipArchive::new(file).expect("it is an .npz file");
    let mut copy = ZipWriter::new(File::create(to).expect("the file can be made"));
    for i in 0..from.len() {
        let mut entry = from.by_index(i).expect("the entry is there");
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).expect("it can be read");
        if change(entry.name(), &mut bytes) {
            copy.start_file(entry.name(), SimpleFileOptions::default()).expect("it can be written");
            copy.write_all(&bytes).expect("it can be written");
        }
    }
    copy.finish().expect("it can be written");
    to.to_str().expect("the path is UTF-8").to_owned()
}

fn diff(layers: &str, how: &str) -> crate::Outcome {
    line(&format!("diff {DIGITS} models/digits --layers {layers} {how}"))
}

#[test]
fn layers_are_those_of_tflite() {
    for how in ["", "--mode loaded", "--target cortex-m4"] {
        let json = diff(LAYERS, &format!("{how} --json")).assert_fine().json();
        assert_eq!(json["equal"], true);
        assert_eq!(json["layers_compared"], 10);
        assert_eq!(json["layers_different"], 0);
        assert!(json["first"].is_null());
        assert_eq!(json["not_in_dump"], serde_json::json!([]));
        // Three invocations of 8x8x12.
        assert_eq!(json["layers"][0]["values"], 3 * 768);
    }
    assert!(diff(LAYERS, "").assert_fine().stdout.contains("all 10 layers are the same"));
}

#[test]
fn the_first_layer_to_differ_is_found() {
    let folder = folder("layers");
    // Tensor 14 is what operator 2 makes, 16 what operator 4 makes; the data come last.
    let bad = copy(&folder.join("bad.npz"), |name, bytes| {
        let end = bytes.len();
        match name {
            "heldout/1/14.npy" => bytes[end - 768 + 96] ^= 3,
            "random0/0/14.npy" => bytes[end - 1] ^= 0x80,
            "random0/0/16.npy" => bytes[end - 1] ^= 1,
            _ => {}
        }
        true
    });
    let outcome = diff(&bad, "--json");
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    assert_eq!(outcome.stderr, "");
    let json = outcome.json();
    assert_eq!(json["equal"], false);
    assert_eq!(json["layers_different"], 2);
    let first = &json["first"];
    assert_eq!(first["op"], 2);
    assert_eq!(first["name"], "CONV_2D");
    assert_eq!(first["tensor"], 14);
    assert_eq!(first["different"], 2);
    assert_eq!(first["max_abs_diff"], 128.0);
    assert_eq!(first["positions"][0]["case"], "heldout");
    assert_eq!(first["positions"][0]["invocation"], 1);
    assert_eq!(first["positions"][0]["index"], serde_json::json!([0, 1, 0, 0]));
    assert_eq!(first["positions"][1]["index"], serde_json::json!([0, 7, 7, 11]));
    assert_eq!(json["layers"][4]["different"], 1);
    let text = diff(&bad, "");
    assert!(text.stdout.contains("first to differ: op 2 CONV_2D"), "{}", text.stdout);
    assert!(text.stdout.contains("2 of 10 layers differ"), "{}", text.stdout);
}

#[test]
fn dumps_that_do_not_fit_are_refused() {
    let folder = folder("layers_refused");
    let file = |name: &str| folder.join(name);
    let part = copy(&file("part.npz"), |name, _| !name.ends_with("/14.npy"));
    let json = diff(&part, "--json").assert_fine().json();
    assert_eq!(json["layers_compared"], 9);
    assert_eq!(json["not_in_dump"].as_array().map(Vec::len), Some(1));

    let other = copy(&file("other.npz"), |name, bytes| {
        if name == "model_crc32.npy"
            && let Some(last) = bytes.last_mut()
        {
            *last ^= 1;
        }
        true
    });
    diff(&other, "").assert_error(1, &["other.npz", "made of another file"]);
    let short = copy(&file("short.npz"), |_, bytes| bytes.pop().is_some());
    diff(&short, "").assert_error(1, &["short.npz"]);
    let none = copy(&file("none.npz"), |name, _| name == "model_crc32.npy");
    diff(&none, "").assert_error(1, &["none.npz", "no entries CASE/INVOCATION/TENSOR"]);
    let renamed = copy(&file("case.npz"), |name, _| !name.starts_with("heldout"));
    line(&format!("diff {DIGITS} models/hello_sine --layers {renamed}"))
        .assert_error(1, &["random0.in0.bin"]);
    diff(&write(&file("no.npz"), b"hello"), "").assert_error(1, &["no.npz", "no .npz file"]);
    diff("nosuch.npz", "").assert_error(1, &["nosuch.npz"]);
    line(&format!("diff {DIGITS} models/digits")).assert_error(2, &["--layers"]);
}
