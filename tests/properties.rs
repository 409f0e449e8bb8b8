//! Random sound models run, and layouts keep what is alive apart.

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
}
