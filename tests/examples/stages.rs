//! How far the files of fuzzing corpora get: `stages bytes DIR`, `stages graphs DIR`.

use std::collections::BTreeMap;
use std::path::Path;

use kinglet_tests::{Stage, exercise, exercise_graph};

fn main() {
    let mut args = std::env::args().skip(1);
    let (Some(target), Some(folder)) = (args.next(), args.next()) else {
        eprintln!("usage: stages bytes|graphs FOLDER");
        std::process::exit(2);
    };
    let run: fn(&[u8]) -> Stage = if target == "graphs" { exercise_graph } else { exercise };
    let mut counts: BTreeMap<Stage, usize> = BTreeMap::new();
    for entry in Path::new(&folder).read_dir().expect("a folder") {
        let bytes = std::fs::read(entry.expect("an entry").path()).expect("a file");
        *counts.entry(run(&bytes)).or_default() += 1;
    }
    let all: usize = counts.values().sum();
    let planner: usize =
        counts.iter().filter(|(stage, _)| **stage >= Stage::Checked).map(|(_, count)| count).sum();
    println!(
        "{all} files: {counts:?}; {:.0} % reach the planner",
        100.0 * planner as f64 / all.max(1) as f64
    );
}
