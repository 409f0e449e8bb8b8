//! Static and loaded mode, `invoke` and `step`, one slice of memory and two: the same bytes.

use kinglet::{AllOps, Arena, Interpreter, Memory, Model, aligned_bytes};
use kinglet_testmodel::random::{self, Choices, Xorshift};
use kinglet_testmodel::{Options, Subgraph, Tensor, code};
use kinglet_tests::{AlignedBytes, model_file};
use proptest::prelude::*;

/// Random bytes into the inputs.
fn fill(net: &mut Interpreter<'_>, random: &mut Xorshift) {
    for i in 0..net.input_count() {
        net.input_bytes_mut(i).unwrap().iter_mut().for_each(|byte| *byte = random.next_word() as u8);
    }
}

fn outputs(net: &Interpreter<'_>) -> Vec<u8> {
    (0..net.output_count()).flat_map(|i| net.output_bytes(i).unwrap().to_vec()).collect()
}

/// Three invocations in a row, each from new inputs. `between` is called before each.
fn run(net: &mut Interpreter<'_>, mut between: impl FnMut(&mut Interpreter<'_>)) -> Vec<Vec<u8>> {
    let mut random = Xorshift(1);
    let invocations = (0..3).map(|_| {
        between(net);
        fill(net, &mut random);
        net.invoke().unwrap();
        outputs(net)
    });
    invocations.collect()
}

/// A network with two SVDF operators, of either kind of state.
fn stateful() -> AlignedBytes {
    let mut random = Xorshift(5);
    let mut graph = Subgraph::default();
    let mut input = graph.input(Tensor::int8(&[1, 200], 0.05, -3));
    for (units, memory, wide) in [(6, 4, false), (3, 7, true)] {
        let features = graph.tensors[input as usize].shape[1];
        let filters = units * 2;
        let data = random.int8((filters * features) as usize);
        let feature = graph.tensor(Tensor::weights(&[filters, features], &[0.01], 0, &data));
        let bytes = random.bytes((filters * memory) as usize * if wide { 2 } else { 1 });
        let kind = if wide { kinglet_testmodel::Type::INT16 } else { kinglet_testmodel::Type::INT8 };
        let time = Tensor::typed(kind, &[filters, memory]).quantized(if wide { 4e-5 } else { 0.01 }, 0);
        let time = graph.tensor(time.constant(bytes));
        let state = Tensor::typed(kind, &[1, filters * memory]);
        let state = state.quantized(if wide { 5e-4 } else { 0.4 }, if wide { 0 } else { 9 }).variable();
        let state = graph.tensor(state);
        let options = Options::Svdf { rank: 2, activation: 0 };
        let output = Tensor::int8(&[1, units], 0.1, 4);
        input = graph.op(code::SVDF, options, &[input, feature, time, -1, state], output);
    }
    graph.outputs.push(input);
    AlignedBytes::new(&kinglet_testmodel::Model::from(graph).to_bytes())
}

/// Everything that a file can be run by gives the same.
fn check_modes(file: &[u8]) {
    let model = Model::parse(file).unwrap();
    let mut memory = AlignedBytes::filled(1 << 19, 0xa5);
    let mut net: Interpreter<'_> = Interpreter::new(&model, memory.as_mut_slice()).unwrap();
    let usage = net.usage();
    let expected = run(&mut net, |_| {});

    // After a reset it all begins again.
    net.reset();
    assert_eq!(run(&mut net, |_| {}), expected);

    // Step by step; what the steps have left to do is done by `reset`.
    net.step().unwrap();
    net.reset();
    let mut random = Xorshift(1);
    for expected in &expected {
        fill(&mut net, &mut random);
        let mut ops = Vec::new();
        while let Some(done) = net.step().unwrap() {
            ops.push(done.op);
        }
        let graph = model.graph(0).unwrap();
        // Operators of other subgraphs come in between, and handles take no step.
        ops.retain(|&op| op < graph.op_count());
        ops.dedup();
        let takes_steps = |op: &u32| graph.node(*op).unwrap().code.name() != Some("VAR_HANDLE");
        let expected_ops: Vec<u32> = (0..graph.op_count()).filter(takes_steps).collect();
        if model.subgraph_count() == 1 {
            assert_eq!(ops, expected_ops);
        }
        assert!(ops.is_sorted() && expected_ops.iter().all(|op| ops.contains(op)));
        assert_eq!(outputs(&net), *expected);
    }

    // Arena and state apart; what is in the arena between invocations does not matter.
    let mut arena = AlignedBytes::filled(1 << 18, 0x11);
    let mut state = AlignedBytes::filled(1 << 18, 0x22);
    let slices = Memory::new(arena.as_mut_slice(), state.as_mut_slice());
    let mut net: Interpreter<'_> = Interpreter::new(&model, slices).unwrap();
    assert_eq!(
        (net.usage().arena_bytes, net.usage().state_bytes, net.usage().plan_bytes),
        (usage.arena_bytes, usage.state_bytes, usage.plan_bytes)
    );
    let mut garbage = Xorshift(3);
    let scribble = |net: &mut Interpreter<'_>| {
        let arena = net.arena_mut();
        arena.copy_from_slice(&garbage.bytes(arena.len()));
    };
    assert_eq!(run(&mut net, scribble), expected);

    // Static mode: planned before, constants gathered.
    let mut arguments = kinglet_build::Arguments::default();
    // As loaded mode plans: the file as it is, for kernels that read its constants as they are.
    (arguments.slim, arguments.target) = (false, Some(kinglet::Target::Portable));
    let compiled = kinglet_build::plan(file, &arguments).unwrap();
    let [plan, constants] = [&compiled.plan, &compiled.constants].map(|bytes| AlignedBytes::new(bytes));
    assert_eq!((compiled.arena_bytes, compiled.state_bytes), (usage.arena_bytes, usage.state_bytes));
    let memory = memory.as_mut_slice();
    let mut net: Interpreter<'_> =
        Interpreter::from_plan(plan.as_slice(), constants.as_slice(), memory).unwrap();
    assert_eq!(net.usage().arena_bytes, usage.arena_bytes);
    assert_eq!(run(&mut net, |_| {}), expected);
}

#[test]
fn modes_agree() {
    for name in ["digits", "hello_sine"] {
        check_modes(model_file(&format!("{name}/model.tflite")).as_slice());
    }
    check_modes(stateful().as_slice());
}

proptest! {
    #![proptest_config(crate::config(200))]

    #[test]
    fn modes_agree_on_random_models(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let file = random::model(&mut Choices::new(&bytes), 8).to_bytes();
        check_modes(AlignedBytes::new(&file).as_slice());
    }
}

/// The state is what makes two invocations differ, and `reset` makes them equal again.
#[test]
fn state_survives_and_resets() {
    let file = stateful();
    let model = Model::parse(file.as_slice()).unwrap();
    let mut memory = AlignedBytes::filled(1 << 14, 0);
    let mut net: Interpreter<'_> = Interpreter::new(&model, memory.as_mut_slice()).unwrap();
    assert_eq!(net.usage().state_bytes, 12 * 4 + 6 * 7 * 2);
    let mut once = || {
        fill(&mut net, &mut Xorshift(1));
        net.invoke().unwrap();
        let first = outputs(&net);
        fill(&mut net, &mut Xorshift(1));
        net.invoke().unwrap();
        let second = outputs(&net);
        net.reset();
        (first, second)
    };
    let (first, second) = once();
    assert_ne!(first, second);
    assert_eq!(once(), (first, second));
}

/// A second model runs in the first one's arena between its invocations.
#[test]
fn an_arena_is_lent() {
    let (file, guest_file) = (stateful(), model_file("hello_sine/model.tflite"));
    let model = Model::parse(file.as_slice()).unwrap();
    let mut memory = AlignedBytes::filled(1 << 14, 0);
    let mut net: Interpreter<'_> = Interpreter::new(&model, memory.as_mut_slice()).unwrap();
    let expected = run(&mut net, |_| {});

    let compiled = kinglet_build::plan(guest_file.as_slice(), &Default::default()).unwrap();
    let [plan, constants] = [&compiled.plan, &compiled.constants].map(|bytes| AlignedBytes::new(bytes));
    let [mut arena, mut state] = [0, 0].map(|fill| AlignedBytes::filled(1 << 14, fill));
    let memory = Memory::new(arena.as_mut_slice(), state.as_mut_slice());
    let mut net: Interpreter<'_> = Interpreter::new(&model, memory).unwrap();
    let lend = |net: &mut Interpreter<'_>| {
        let memory = Memory::new(net.arena_mut(), &mut []);
        let mut guest: Interpreter<'_> =
            Interpreter::from_plan(plan.as_slice(), constants.as_slice(), memory).unwrap();
        fill(&mut guest, &mut Xorshift(9));
        guest.invoke().unwrap();
    };
    assert_eq!(run(&mut net, lend), expected);
}

/// Planning once walked all of the memory for each tensor.
#[test]
fn large_memory_is_not_walked() {
    let file = model_file("digits/model.tflite");
    let model = Model::parse(file.as_slice()).unwrap();
    for len in [1 << 20, (1 << 20) + 4, 1 << 26] {
        let mut memory = AlignedBytes::filled(len, 0);
        let started = std::time::Instant::now();
        let net: Interpreter<'_> = Interpreter::new(&model, memory.as_mut_slice()).unwrap();
        assert!(net.usage().total_bytes < 16 * 1024);
        assert!(started.elapsed().as_secs() < 5, "{len}: {:?}", started.elapsed());
    }
}

/// The smallest program for a host: a file is loaded, and one sine is computed.
#[test]
fn host_example() {
    fn example() -> Result<f32, Box<dyn std::error::Error>> {
        let file = aligned_bytes!("../models/hello_sine/model.tflite");
        let model = Model::parse(file)?;
        let mut memory = Arena::<2048>::new();
        let mut net: Interpreter<'_> = Interpreter::new(&model, &mut memory)?;
        net.quantize_input(0, &[1.57])?;
        net.invoke()?;
        let mut sine = [0.0];
        net.dequantize_output(0, &mut sine)?;
        Ok(sine[0])
    }
    assert!((example().unwrap() - 1.0).abs() < 0.05);
}

kinglet::include_model!("../models/digits/model.tflite", name = Digits);

/// The same for a model that is planned when the program is compiled.
#[test]
fn static_example() {
    let mut memory = Arena::<{ Digits::MEMORY_BYTES }>::new();
    let mut net = Digits::interpreter(&mut memory).unwrap();
    let image = &model_file("digits/heldout.in0.bin").as_slice()[..64].to_vec();
    net.input_bytes_mut(0).unwrap().copy_from_slice(image);
    net.invoke().unwrap();
    let scores: &[i8] = net.output(0).unwrap();
    let expected = &model_file("digits/heldout.out0.bin").as_slice()[..10].to_vec();
    assert_eq!(bytemuck::cast_slice::<i8, u8>(scores), expected);
    assert_eq!(net.usage().arena_bytes, Digits::ARENA_BYTES);
}

#[test]
fn names_of_inputs_and_outputs() {
    let file = stateful();
    let model = Model::parse(file.as_slice()).unwrap();
    let mut memory = AlignedBytes::filled(1 << 14, 0);
    let net: Interpreter<'_, AllOps> = Interpreter::new(&model, memory.as_mut_slice()).unwrap();
    assert_eq!((net.input_named("t0"), net.input_named("t1")), (Some(0), None));
    let output = net.output_info(0).unwrap();
    assert_eq!(net.output_named(std::str::from_utf8(output.name).unwrap()), Some(0));
    assert_eq!((output.scale, output.zero_point, output.bytes), (0.1, 4, 3));
    assert_eq!((net.input_info(1), net.output_info(1)), (None, None));
}
