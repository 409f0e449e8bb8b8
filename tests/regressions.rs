//! What fuzzing has found stays fixed: each file in `fuzz/regressions` was once a finding.

use kinglet_tests::exercise;

fn files(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder = format!("{}/../fuzz/{folder}", env!("CARGO_MANIFEST_DIR"));
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.map(|path| (path.display().to_string(), std::fs::read(path).unwrap())).collect()
}

#[test]
fn findings_stay_fixed() {
    let findings = files("regressions");
    assert!(!findings.is_empty());
    for (name, bytes) in findings {
        println!("{name}: {:?}", exercise(&bytes));
    }
}

#[test]
fn seeds_run() {
    let seeds = files("seeds/bytes");
    assert!(!seeds.is_empty());
    for (name, bytes) in seeds {
        assert_eq!(exercise(&bytes), kinglet_tests::Stage::Run, "{name}");
    }
}
