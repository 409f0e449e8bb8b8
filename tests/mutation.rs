//! Damaged files: whatever the bytes are, the answer is a value or an error, and what is accepted runs.

use kinglet_testmodel::random::{self, Choices, Xorshift};
use kinglet_tests::{Stage, drawn_graph, exercise, exercise_graph, model_file};
use proptest::prelude::*;

fn files() -> Vec<Vec<u8>> {
    let mut files: Vec<Vec<u8>> = ["digits", "hello_sine"]
        .map(|name| model_file(&format!("{name}/model.tflite")).as_slice().to_vec())
        .into();
    let mut random = Xorshift(11);
    files.extend((0..12).map(|_| random::model(&mut Choices::new(&random.bytes(150)), 8).to_bytes()));
    files
}

/// Up to six edits: bits, bytes, and words that often are offsets, lengths or indices.
fn damage(file: &mut [u8], random: &mut Xorshift) {
    let words = [0, 1, 2, 3, 4, 8, 0x7fff_ffff, 0x8000_0000, u32::MAX, u32::MAX - 1, 1 << 16, 1 << 30];
    for _ in 0..=random.next_word() % 6 {
        let at = random.next_word() as usize % file.len();
        match random.next_word() % 4 {
            0 => file[at] ^= 1 << (random.next_word() % 8),
            1 => file[at] = random.next_word() as u8,
            kind => {
                let at = at & !3;
                let Some(slot) = file.get_mut(at..at + 4) else { continue };
                let old = u32::from_le_bytes([slot[0], slot[1], slot[2], slot[3]]);
                let new = if kind == 2 {
                    words[random.next_word() as usize % words.len()]
                } else {
                    old.wrapping_add(random.next_word() % 17).wrapping_sub(8)
                };
                slot.copy_from_slice(&new.to_le_bytes());
            }
        }
    }
}

#[test]
fn damaged_files() {
    let mut random = Xorshift(23);
    let mut stages = std::collections::BTreeMap::new();
    for file in files() {
        for _ in 0..1_500 {
            let mut file = file.clone();
            damage(&mut file, &mut random);
            *stages.entry(exercise(&file)).or_insert(0) += 1;
        }
    }
    // All ways to end are met.
    for stage in [Stage::Refused, Stage::Read, Stage::Run] {
        assert!(stages.get(&stage).is_some_and(|&count| count > 100), "{stages:?}");
    }
}

#[test]
fn every_bit_of_a_file() {
    let file = model_file("hello_sine/model.tflite").as_slice().to_vec();
    for at in 0..file.len() {
        for bit in 0..8 {
            let mut file = file.clone();
            file[at] ^= 1 << bit;
            exercise(&file);
        }
    }
}

#[test]
fn truncated_files() {
    // The two models of `models` are cut at every length in `bad_input`.
    for file in &files()[2..] {
        for len in 0..file.len() {
            exercise(&file[..len]);
        }
    }
}

proptest! {
    #![proptest_config(crate::config(1500))]

    /// Models with some things changed, as the fuzz target `graphs` makes them.
    #[test]
    fn changed_models(bytes in proptest::collection::vec(any::<u8>(), 1..300)) {
        exercise_graph(&bytes);
    }

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        let mut file = vec![16, 0, 0, 0];
        file.extend(b"TFL3");
        file.extend(bytes);
        exercise(&file);
    }
}

/// What the generator says is changed is not always unsound, and not always sound.
#[test]
fn changed_models_are_of_all_kinds() {
    let mut random = Xorshift(3);
    let stages: Vec<Stage> =
        (0..300).map(|_| exercise(&drawn_graph(&random.bytes(200)).to_bytes())).collect();
    for stage in [Stage::Read, Stage::Run] {
        assert!(stages.iter().filter(|&&other| other == stage).count() >= 50, "{stage:?}");
    }
}
