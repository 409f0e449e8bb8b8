//! The golden folders of single operators and small networks: every one is exact, or refused with a reason.

use std::path::Path;
use std::process::Command;

/// Folders that passed when this was last changed. More is better; fewer is a regression.
const PASSED: usize = 1_647;

#[test]
fn operators_are_exact_or_refused() {
    let ops = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/ops");
    let mut folders: Vec<_> = std::fs::read_dir(&ops)
        .expect("the repository has models/ops")
        .map(|entry| entry.expect("its entries can be read").path())
        .filter(|path| path.join("model.tflite").is_file())
        .collect();
    folders.sort();
    let output = Command::new(env!("CARGO_BIN_EXE_kinglet"))
        .args(["verify", "--json"])
        .args(&folders)
        .output()
        .expect("kinglet starts");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    let models = report["models"].as_array().expect("a list of models");
    assert_eq!(models.len(), folders.len());
    for model in models {
        let name = &model["name"];
        match model["error"].as_str() {
            // Refused: the reason is that kinglet lacks something, not that the file is wrong.
            Some(error) => assert!(is_refusal(error), "{name}: {error}"),
            None => assert_eq!(model["mismatched_bytes"], 0, "{name} is not exact"),
        }
    }
    let passed = report["passed"].as_u64().expect("a number") as usize;
    assert!(passed >= PASSED, "{passed} passed, {PASSED} did before");
}

/// The words of the reasons of kind "unsupported".
fn is_refusal(error: &str) -> bool {
    use kinglet::{ErrorKind, Reason};
    let reasons = [
        Reason::UnsupportedOp,
        Reason::UnsupportedType,
        Reason::UnsupportedOption,
        Reason::UnsupportedWeights,
        Reason::UnsupportedActivation,
        Reason::NotConstant,
        Reason::ConstantActivation,
        Reason::FloatModel,
        Reason::FloatFunction,
        Reason::DynamicRange,
        Reason::ScaleRatio,
        Reason::ScalesDiffer,
        Reason::OutputScale,
        Reason::AsymmetricWeights,
    ];
    reasons.iter().any(|reason| reason.kind() == ErrorKind::Unsupported && error.contains(reason.text()))
}
