//! What the tests and the fuzz targets share.
#![forbid(unsafe_code)]

/// The guide's Rust code, compiled and run as documentation tests.
#[doc = include_str!("../docs/migrating-from-tflm.md")]
#[cfg(doctest)]
pub struct MigratingFromTflm;

use kinglet::{AllOps, Error, Fault, Interpreter, Limits, Model, Options};
use kinglet_plan::{InFile, check};
use kinglet_testmodel::random::{self, Choices, Xorshift};
use kinglet_tflite::{Graph, Op};

/// Bytes at an address that is a multiple of 16.
#[derive(Clone, Debug, Default)]
pub struct AlignedBytes {
    blocks: Vec<u128>,
    len: usize,
}

impl AlignedBytes {
    /// `len` bytes, all `fill`.
    pub fn filled(len: usize, fill: u8) -> Self {
        let block = u128::from_le_bytes([fill; 16]);
        Self { blocks: vec![block; len.div_ceil(16)], len }
    }

    /// A copy of `bytes`.
    pub fn new(bytes: &[u8]) -> Self {
        let mut copy = Self::filled(bytes.len(), 0);
        copy.as_mut_slice().copy_from_slice(bytes);
        copy
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.blocks)[..self.len]
    }

    /// The bytes.
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.blocks)[..self.len]
    }
}

/// A file in the repository's `models`.
pub fn model_file(name: &str) -> AlignedBytes {
    let path = format!("{}/../models/{name}", env!("CARGO_MANIFEST_DIR"));
    AlignedBytes::new(&std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}")))
}

/// How far a file gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// It can't be read.
    Refused,
    /// It can be read, but an operator is refused.
    Read,
    /// All operators are sound, but it can't be planned in the memory given.
    Checked,
    /// It is planned, but too much work to run here.
    Planned,
    /// It has been run.
    Run,
}

/// Memory that [`exercise`] gives to a model.
const MEMORY: usize = 256 * 1024;
/// Multiply-accumulates, or elements moved, that [`exercise`] lets a model have.
const MAX_WORK: u64 = 1_000_000;

/// Takes any bytes as far as they get: reads everything that there is to be read, checks, plans, and runs
/// what is not too large.
///
/// # Panics
/// When something happens that no file may cause: the planner's own plan is refused, or a model that has
/// been planned does not run.
pub fn exercise(bytes: &[u8]) -> Stage {
    let file = AlignedBytes::new(bytes);
    // Small, so that each input takes little time.
    let mut limits = Limits::default();
    (limits.subgraphs, limits.ops, limits.tensors, limits.indices) = (8, 64, 256, 512);
    let model = match Model::parse_with(file.as_slice(), &limits) {
        Ok(model) => model,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return Stage::Refused;
        }
    };
    for metadata in model.metadata() {
        assert!(metadata.bytes.len() <= bytes.len());
    }
    for index in 0..model.subgraph_count() {
        // Parsing has read every subgraph.
        read_all(&model.graph(index as u32).expect("a subgraph"));
    }
    let graph = model.graph(0).expect("a subgraph");
    if graph.ops::<AllOps>().any(|op| op.is_err()) {
        return Stage::Read;
    }

    let mut memory = AlignedBytes::filled(MEMORY, 0xa5);
    let net: Result<Interpreter<'_>, Error> = Interpreter::new(&model, memory.as_mut_slice());
    let mut net = match net {
        Ok(net) => net,
        Err(Error::Plan(error)) => panic!("the checker refuses the planner's plan: {error}"),
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return Stage::Checked;
        }
    };
    let mut constants = InFile::new(bytes.len() as u32, &mut []);
    let checked = check::check::<AllOps>(&net.plan(), &graph, &Options::default(), &mut constants);
    checked.expect("the planner's plan is what the checker expects");
    if work(&graph) > MAX_WORK {
        return Stage::Planned;
    }
    let mut random = Xorshift(1);
    for i in 0..net.input_count() {
        for byte in net.input_bytes_mut(i).expect("an input") {
            *byte = random.next_word() as u8;
        }
    }
    net.set_max_iterations(100);
    match net.invoke().map_err(|error| error.fault) {
        // What only the values at run time show; and whether loops end.
        Ok(()) | Err(Fault::IndexOutOfRange | Fault::DivisionByZero | Fault::IterationLimit) => {}
        Err(fault) => panic!("what has been planned does not run: {fault}"),
    }
    for i in 0..net.output_count() {
        net.output_bytes(i).expect("an output");
    }
    Stage::Run
}

/// The model that bytes stand for: a sound one, then up to three changes.
pub fn drawn_graph(bytes: &[u8]) -> kinglet_testmodel::Model {
    let mut choices = Choices::new(bytes);
    // Most stay sound: what is refused at once shows little.
    let changes = choices.one_of(&[0, 0, 0, 0, 1, 1, 2, 3]);
    let mut model = random::model(&mut choices, 6);
    for _ in 0..changes {
        random::mutate(&mut model, &mut choices);
    }
    model
}

/// As [`exercise`], with the model that bytes stand for.
pub fn exercise_graph(bytes: &[u8]) -> Stage {
    exercise(&drawn_graph(bytes).to_bytes())
}

/// Asks a subgraph for all that it can be asked for.
fn read_all(graph: &Graph<'_>) {
    for id in 0..graph.tensor_count() {
        if let Ok(tensor) = graph.tensor(id) {
            let _ = format!("{tensor:?} {:?}", tensor.per_tensor());
        }
    }
    for node in graph.nodes().flatten() {
        let _ = format!("{}", node.code);
        if let Err(error) = graph.op::<AllOps>(node.index) {
            assert_eq!(error.op(), Some(node.index));
            assert!(!error.to_string().is_empty());
        }
    }
}

/// About how many steps an inference takes, when loops run once: multiply-accumulates, or elements moved.
pub fn work(graph: &Graph<'_>) -> u64 {
    let ops = graph.ops::<AllOps>().flatten();
    let called = |index: u32| graph.sibling(index).map_or(0, |callee| work(&callee));
    ops.fold(0, |sum: u64, op| {
        let work = match op {
            Op::If(op) => op.branches.map(called).into_iter().max().unwrap_or(0),
            Op::While(op) => called(op.condition).saturating_add(called(op.body)),
            Op::CallOnce(op) => called(op.init),
            op => op_work(&op),
        };
        sum.saturating_add(work)
    })
}

fn op_work(op: &Op<'_>) -> u64 {
    let product = |sizes: &[u64]| sizes.iter().fold(1u64, |product, &size| product.saturating_mul(size));
    let len = |shape: &kinglet::Shape| u64::from(shape.len());
    match op {
        Op::Conv2d(op) => {
            let taps = len(&op.filter.shape) / u64::from(op.filter.shape.dims()[0]);
            product(&[len(&op.output.shape), taps.max(1)])
        }
        Op::DepthwiseConv2d(op) => {
            let (h, w) = op.window.kernel;
            product(&[len(&op.output.shape), h.into(), w.into()])
        }
        Op::Pool2d(op) => {
            let (h, w) = op.window.kernel;
            product(&[len(&op.output.shape), h.into(), w.into()])
        }
        Op::FullyConnected(op) => product(&[op.batch.into(), len(&op.weights.shape)]),
        Op::Lstm(op) => {
            let vectors = u64::from(op.batch) * u64::from(op.steps);
            4 * vectors * u64::from(op.units) * (u64::from(op.features) + u64::from(op.units))
        }
        Op::Svdf(op) => {
            product(&[op.batch.into(), op.filters.into(), u64::from(op.features) + 2 * u64::from(op.memory)])
        }
        Op::TransposeConv(op) => {
            let taps = len(&op.filter.shape) / u64::from(op.filter.shape.dims()[0]);
            product(&[len(&op.output.shape), taps.max(1)])
        }
        Op::BatchMatmul(op) => {
            let [_, _, depth] = op.size;
            product(&[len(&op.output.shape), depth.into()])
        }
        Op::AddN(op) => product(&[len(&op.output.shape), op.input_count() as u64]),
        Op::Cumsum(op) => len(&op.output.shape),
        Op::DynamicUpdateSlice(op) => len(&op.output.shape),
        Op::Gather(op) => len(&op.output.shape),
        Op::GatherNd(op) => len(&op.output.shape),
        Op::Normalize(op) => len(&op.output.shape),
        Op::OneHot(op) => len(&op.output.shape),
        Op::Relation(op) => len(&op.output.shape),
        Op::Select(op) => len(&op.output.shape),
        Op::Binary(op) => len(&op.output.shape),
        Op::Cast(op) => len(&op.output.shape),
        Op::Unary(op) => len(&op.output.shape),
        Op::Reduce(op) => len(&op.input.shape),
        Op::Resize(op) => len(&op.output.shape),
        Op::Rescale(op) => len(&op.output.shape),
        Op::Reshape(op) => len(&op.output.shape),
        Op::Softmax(op) => len(&op.output.shape),
        Op::Movement(op) => {
            let pieces = (0..op.piece_count()).filter_map(|i| op.piece(i).ok().flatten());
            let moved: u64 = pieces.map(|piece| len(&piece.input.shape).max(len(&piece.output.shape))).sum();
            let filled = op.fill.and_then(|_| op.output().ok()).map_or(0, |output| len(&output.shape));
            moved + filled
        }
        _ => 0,
    }
}
