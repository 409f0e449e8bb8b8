//! Random sound models run, and laying outputs over inputs changes no byte.

use kinglet_testmodel::random::{self, Choices};
use kinglet_tests::{Stage, exercise};
use proptest::prelude::*;

proptest! {
    #![proptest_config(crate::config(1000))]

    #[test]
    fn sound_models_run(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let model = random::model(&mut Choices::new(&bytes), 10);
        let file = model.to_bytes();
        let stage = exercise(&file);
        if stage < Stage::Planned {
            let file = kinglet_tests::AlignedBytes::new(&file);
            let parsed = kinglet::Model::parse(file.as_slice());
            let error = parsed.and_then(|parsed| {
                let graph = parsed.graph(0)?;
                graph.ops::<kinglet::AllOps>().try_for_each(|op| op.map(|_| ()))
            });
            panic!("{stage:?}: {error:?} {model:#?}");
        }
    }

    /// Each operator's output, right after the operator, is the same in a layout in which nothing lies over
    /// anything that is alive while it is written.
    #[test]
    fn overlap_changes_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let file = random::model(&mut Choices::new(&bytes), 10).to_bytes();
        let file = kinglet_tests::AlignedBytes::new(&file);
        let mut options = kinglet::Options::default();
        let over = outputs_of_ops(file.as_slice(), &options);
        options.overlap = false;
        prop_assert_eq!(over, outputs_of_ops(file.as_slice(), &options));
    }
}

/// The outputs of all operators, each taken right after the operator; `None` when it is too large to run.
fn outputs_of_ops(file: &[u8], options: &kinglet::Options) -> Option<Vec<Vec<u8>>> {
    let model = kinglet::Model::parse(file).unwrap();
    let mut memory = kinglet_tests::AlignedBytes::filled(1 << 18, 0x5a);
    let net = kinglet::Interpreter::with_options(&model, memory.as_mut_slice(), options);
    let mut net: kinglet::Interpreter<'_> = net.ok()?;
    let mut outputs = Vec::new();
    for invocation in 0..2u8 {
        for i in 0..net.input_count() {
            let bytes = net.input_bytes_mut(i).unwrap();
            for (k, byte) in bytes.iter_mut().enumerate() {
                *byte = (k as u8).wrapping_mul(97).wrapping_add(invocation).rotate_left(3);
            }
        }
        while let Some(done) = net.step().unwrap() {
            // Where an IF goes on behind its condition, its output is still to come.
            if done.op_done && !is_if(&model, done.op) {
                outputs.push(done.output.to_vec());
            }
        }
    }
    Some(outputs)
}

/// The operator of this number, counted through all subgraphs, is an IF.
fn is_if(model: &kinglet::Model<'_>, op: u32) -> bool {
    let nodes = (0..model.subgraph_count() as u32).flat_map(|index| model.graph(index).unwrap().nodes());
    nodes.map(Result::unwrap).nth(op as usize).is_some_and(|node| node.code.name() == Some("IF"))
}
