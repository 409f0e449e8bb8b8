//! Layouts are sound, and the checker knows one that is not.
//!
//! What the checker guards: the order of steps, kernels, places, strides, rings, sizes, tables, inputs,
//! outputs and state. It demands that a plan is what kinglet writes for the places that the plan names, so
//! arithmetic (multipliers, zero points, limits) is guarded as well.

use kinglet::{AllOps, Interpreter, Model, Options, Plan};
use kinglet_kernels::{Place, Region, Word};
use kinglet_plan::{InFile, Planner, check};
use kinglet_testmodel::Model as Draft;
use kinglet_testmodel::random::{self, Choices, Xorshift};
use kinglet_tests::{AlignedBytes, model_file, work};
use kinglet_tflite::{Graph, Storage};
use proptest::prelude::*;

/// A model and the plan that the planner makes for it.
struct Planned {
    file: AlignedBytes,
    words: Vec<u32>,
}

impl Planned {
    fn new(file: &[u8]) -> Self {
        let file = AlignedBytes::new(file);
        let graph = Model::parse(file.as_slice()).unwrap().graph(0).unwrap();
        let mut words = vec![0; 1 << 16];
        let planner = Planner::new::<AllOps>(graph, Options::default(), &mut words).unwrap();
        let len = planner.write::<AllOps>(&mut InFile::new(file.as_slice().len() as u32, &mut [])).unwrap();
        words.truncate(len);
        Self { file, words }
    }

    fn graph(&self) -> Graph<'_> {
        Model::parse(self.file.as_slice()).unwrap().graph(0).unwrap()
    }

    fn is_accepted(&self, words: &[u32]) -> bool {
        let Ok(plan) = Plan::new(words) else { return false };
        let mut constants = InFile::new(self.file.as_slice().len() as u32, &mut []);
        check::check::<AllOps>(&plan, &self.graph(), &Options::default(), &mut constants).is_ok()
    }

    /// Outputs of two invocations in a row; `None` when they stop. What the arena holds before is `fill`.
    fn run(&self, words: &[u32], fill: u8) -> Option<Vec<u8>> {
        let plan: &[u8] = bytemuck::cast_slice(words);
        let sizes = Plan::new(words).ok()?;
        let len = sizes.state_bytes().next_multiple_of(16) + sizes.arena_bytes();
        let mut memory = AlignedBytes::filled(len, fill);
        let mut net: Interpreter<'_> =
            Interpreter::from_plan(plan, self.file.as_slice(), memory.as_mut_slice()).ok()?;
        net.set_max_iterations(200);
        let mut random = Xorshift(1);
        let mut outputs = Vec::new();
        for _ in 0..2 {
            for i in 0..net.input_count() {
                net.input_bytes_mut(i)?.iter_mut().for_each(|byte| *byte = random.next_word() as u8);
            }
            net.invoke().ok()?;
            for i in 0..net.output_count() {
                outputs.extend(net.output_bytes(i)?);
            }
        }
        Some(outputs)
    }

    /// A plan that the checker accepts gives the outputs of the planner's own.
    fn assert_sound(&self, words: &[u32], what: &str) {
        // A plan may ask for more memory than it needs: as much as there is not, or is not here.
        let small = |plan: Plan<'_>| plan.arena_bytes().max(plan.state_bytes()) < 1 << 22;
        if self.is_accepted(words) && Plan::new(words).is_ok_and(small) {
            assert_eq!(self.run(words, 0x3c), self.run(&self.words, 0xa5), "accepted: {what}");
        }
    }
}

fn drawn(bytes: &[u8]) -> Draft {
    random::model(&mut Choices::new(bytes), 8)
}

/// When a tensor is alive, counted in operators: from the one that writes it to the last that reads it.
struct Life {
    tensor: u32,
    first: usize,
    last: usize,
    place: Place,
    bytes: u32,
}

/// Lifetimes found by looking at every operator for every tensor. A reshape lives as its input does.
fn lives(planned: &Planned) -> Vec<Life> {
    let graph = planned.graph();
    let plan = Plan::new(&planned.words).unwrap();
    let end = graph.op_count() as usize + 1;
    let is = |id: u32| move |other: Option<u32>| other == Some(id);
    let mut lives = Vec::new();
    for id in 0..graph.tensor_count() {
        let tensor = graph.tensor(id).unwrap();
        if !matches!(tensor.storage, Storage::Activation) || !tensor.has_size() {
            continue;
        }
        let writer = graph.nodes().position(|node| node.unwrap().outputs.iter().any(is(id)));
        let input = graph.inputs().iter().position(is(id));
        let (first, place) = match (writer, input) {
            (Some(op), _) => {
                let number = graph.node(op as u32).unwrap().outputs.iter().position(is(id)).unwrap();
                let steps = plan.steps().filter(|step| usize::from(step.op) == op);
                // The steps of one output come in a row.
                let mut places: Vec<Place> = steps.map(|step| step.output).collect();
                places.dedup();
                (op + 1, places[number])
            }
            (None, Some(input)) => (0, plan.input(input).unwrap().place),
            (None, None) => continue,
        };
        let readers = graph.nodes().enumerate().filter(|(_, node)| {
            let node = node.as_ref().unwrap();
            node.inputs.iter().any(is(id))
        });
        let mut last = readers.map(|(op, _)| op + 1).max().unwrap_or(first);
        if graph.outputs().iter().any(is(id)) {
            last = end;
        }
        lives.push(Life { tensor: id, first, last, place, bytes: tensor.byte_len() });
    }
    lives
}

/// The tensor whose bytes these are: an operator that only changes the shape leaves its input where it is.
fn origin(graph: &Graph<'_>, mut id: u32) -> u32 {
    let reshape_of = |id: u32| {
        graph.nodes().flatten().find(|node| {
            matches!(node.code.name(), Some("RESHAPE" | "EXPAND_DIMS" | "SQUEEZE"))
                && node.outputs.get(0) == Some(id)
        })
    };
    while let Some(node) = reshape_of(id) {
        let input = node.inputs.get(0).unwrap();
        if !matches!(graph.tensor(input).unwrap().storage, Storage::Activation) {
            break;
        }
        id = input;
    }
    id
}

fn check_layout_by_force(planned: &Planned) {
    let graph = planned.graph();
    // What runs in other subgraphs is not among the lifetimes here.
    if graph.model().subgraph_count() > 1 {
        return;
    }
    let plan = Plan::new(&planned.words).unwrap();
    let lives = lives(planned);
    for a in &lives {
        assert_eq!(a.place.region(), Some(Region::Arena));
        let (a_start, a_end) = (a.place.offset(), a.place.offset() + a.bytes as usize);
        assert!(a_end <= plan.arena_bytes());
        for b in lives.iter().filter(|b| b.tensor < a.tensor) {
            let (b_start, b_end) = (b.place.offset(), b.place.offset() + b.bytes as usize);
            let together = a.first <= b.last && b.first <= a.last;
            let overlap = a_start < b_end && b_start < a_end;
            let same = origin(&graph, a.tensor) == origin(&graph, b.tensor);
            // Whether bytes survive where one is written over the other as that dies, `properties.rs` tests.
            let last = |life: &Life| {
                let origin_of = |other: &&Life| origin(&graph, other.tensor) == origin(&graph, life.tensor);
                lives.iter().filter(origin_of).map(|other| other.last).max()
            };
            let over = last(a) == Some(b.first) || last(b) == Some(a.first);
            assert!(!(together && overlap) || same || over, "tensors {} and {} overlap", a.tensor, b.tensor);
            if same {
                assert_eq!(a.place, b.place);
            }
        }
    }
    // No smaller than what outlives a step, and no larger than everything side by side.
    let rounded = |bytes: u32| bytes.next_multiple_of(4) as usize;
    let own = |life: &&Life| origin(&graph, life.tensor) == life.tensor;
    let all: usize = lives.iter().filter(own).map(|life| rounded(life.bytes)).sum();
    let widest = (0..=graph.op_count() as usize + 1).map(|time| {
        let alive = lives.iter().filter(own).filter(|life| life.first <= time && time < life.last);
        alive.map(|life| life.bytes as usize).sum::<usize>()
    });
    let widest = widest.max().unwrap();
    assert!((widest..=all).contains(&plan.arena_bytes()), "{widest} {} {all}", plan.arena_bytes());
}

/// Another value for word `at`: a bit, a step, another word of the plan.
fn mutate(words: &mut [u32], at: usize, choices: &mut Choices<'_>) {
    let word = words[at];
    let other = words[choices.word() as usize % words.len()];
    words[at] = match choices.pick(0, 9) {
        0 => word ^ 1 << choices.pick(0, 31),
        1 => word.wrapping_add(1),
        2 => word.wrapping_sub(1),
        3 => word.wrapping_add(4),
        4 => word.wrapping_sub(4),
        5 => word.rotate_left(16),
        6 => 0,
        7 => word.wrapping_mul(2),
        8 => word / 2,
        _ => other,
    };
}

/// All words that name the place of an activation name another: a layout of its own, sound or not.
fn move_tensor(words: &mut [u32], choices: &mut Choices<'_>) {
    let plan = Plan::new(words).unwrap();
    let (arena, steps) = (plan.arena_bytes() as u32, plan.step_count() as u32);
    let Some(step) = plan.step((choices.word() % steps.max(1)) as usize) else { return };
    let from = step.output.to_word();
    let to = Place::new(Region::Arena, (choices.word() % arena.max(1)) & !3).unwrap().to_word();
    // Places of 0 look like other words.
    if from != 0 {
        words.iter_mut().filter(|word| **word == from).for_each(|word| *word = to);
    }
}

proptest! {
    #![proptest_config(crate::config(300))]

    /// The planner has every plan checked for its layout; here the whole checker looks, and a third party.
    #[test]
    fn planner_against_checker(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let planned = Planned::new(&drawn(&bytes).to_bytes());
        prop_assert!(planned.is_accepted(&planned.words));
        check_layout_by_force(&planned);
    }

    #[test]
    fn mutated_plans_are_refused_or_harmless(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        draws in proptest::collection::vec(any::<u8>(), 1000),
    ) {
        let planned = Planned::new(&drawn(&bytes).to_bytes());
        prop_assume!(work(&planned.graph()) < 200_000);
        let mut choices = Choices::new(&draws);
        while choices.any_left() {
            let mut words = planned.words.clone();
            match choices.pick(0, 3) {
                0 => move_tensor(&mut words, &mut choices),
                // One word, or two.
                count => for _ in 0..count.min(2) {
                    let at = choices.word() as usize % words.len();
                    mutate(&mut words, at, &mut choices);
                },
            }
            planned.assert_sound(&words, "a mutated plan");
        }
    }
}

/// Every word of a plan, changed in several ways; and what the checker refuses does matter.
#[test]
fn every_word_of_a_plan_is_guarded() {
    for file in ["digits", "hello_sine"] {
        let planned = Planned::new(model_file(&format!("{file}/model.tflite")).as_slice());
        let expected = planned.run(&planned.words, 0xa5);
        let (mut refused, mut wrong) = (0, 0);
        for at in 0..planned.words.len() {
            for bit in 0..32 {
                let mut words = planned.words.clone();
                words[at] ^= 1 << bit;
                if planned.is_accepted(&words) {
                    planned.assert_sound(&words, &format!("word {at}, bit {bit}"));
                    continue;
                }
                refused += 1;
                // Small numbers stay small, so that this does not run for long.
                if at > 4 && bit < 2 && words[at] < 1 << 12 {
                    wrong += usize::from(planned.run(&words, 0x3c) != expected);
                }
            }
        }
        assert!(refused > planned.words.len() * 31, "{file}: {refused} refused");
        assert!(wrong > planned.words.len() / 4, "{file}: {wrong} of the refused give something else");
    }
}

/// Plans with jumps, with every word changed: whatever is accepted computes the same, and whatever is run
/// comes to an end.
#[test]
fn jumps_are_guarded() {
    let names = [
        "if_assigns",
        "if_in_a_row",
        "if_nested",
        "if_passes_on",
        "variable_many_handles",
        "variable_two_accumulate",
        "while_nested",
        "while_swaps",
        "while_variable",
    ];
    for name in names {
        let planned = Planned::new(model_file(&format!("ops/{name}/model.tflite")).as_slice());
        assert!(planned.is_accepted(&planned.words), "{name}");
        let mut random = Xorshift(5);
        let (mut refused, mut ended) = (0, 0);
        for at in 0..planned.words.len() {
            for edit in 0..6 {
                let mut words = planned.words.clone();
                match edit {
                    0 => words[at] ^= 1 << (random.next_word() % 32),
                    1 => words[at] = words[at].wrapping_add(1),
                    2 => words[at] = words[at].wrapping_sub(1),
                    3 => words[at] = 0,
                    4 => words[at] = words[random.next_word() as usize % words.len()],
                    _ => words[at] = random.next_word() % 64,
                }
                if words == planned.words {
                    continue;
                }
                if planned.is_accepted(&words) {
                    planned.assert_sound(&words, &format!("{name}, word {at}"));
                } else {
                    refused += 1;
                    if words[at] < 1 << 12 {
                        planned.run(&words, 0x3c);
                        ended += 1;
                    }
                }
            }
        }
        assert!(
            refused > planned.words.len() && ended > planned.words.len() / 2,
            "{name}: {refused}, {ended}"
        );
    }
}

/// Layouts that are not the planner's pass when they are sound, and only then.
#[test]
fn other_layouts_pass_when_they_are_sound() {
    let planned = Planned::new(model_file("digits/model.tflite").as_slice());
    let (mut accepted, mut refused) = (0, 0);
    let mut random = Xorshift(7);
    for _ in 0..2_000 {
        let draws = random.bytes(8);
        let mut words = planned.words.clone();
        // Room for tensors to move about in.
        words[2] += 512;
        move_tensor(&mut words, &mut Choices::new(&draws));
        if planned.is_accepted(&words) {
            accepted += 1;
            planned.assert_sound(&words, "a moved tensor");
        } else {
            refused += 1;
        }
    }
    assert!(accepted > 100 && refused > 100, "{accepted} accepted, {refused} refused");
}
