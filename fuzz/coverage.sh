#!/bin/sh
# Line coverage of what stands between a file and its plan, by the corpora and seeds.
set -eu
cd "$(dirname "$0")/.."
out=target/coverage
mkdir -p "$out"
LLVM_PROFILE_FILE=/dev/null RUSTFLAGS=-Cinstrument-coverage cargo build --quiet --package kinglet-tests --example stages --target-dir "$out"
rm -f "$out"/*.profraw
for target in bytes graphs; do
    for folder in fuzz/seeds/$target fuzz/corpus/$target; do
        if [ -d "$folder" ]; then
            LLVM_PROFILE_FILE="$out/$target-%p.profraw" "$out/debug/examples/stages" "$target" "$folder"
        fi
    done
done
"llvm-profdata${LLVM_SUFFIX:-}" merge -sparse "$out"/*.profraw -o "$out/stages.profdata"
"llvm-cov${LLVM_SUFFIX:-}" report "$out/debug/examples/stages" -instr-profile="$out/stages.profdata" \
    --show-region-summary=false --show-branch-summary=false \
    crates/kinglet-tflite/src crates/kinglet-plan/src
