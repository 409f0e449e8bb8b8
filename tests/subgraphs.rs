//! Variables, IF, WHILE and CALL_ONCE: what is refused, what ends, and what `reset` does.

use kinglet::{Error, Fault, Interpreter, Model, ModelError, Reason};
use kinglet_testmodel::{Model as Draft, Options, Subgraph, Tensor, Type, code};
use kinglet_tests::AlignedBytes;

fn value() -> Tensor {
    Tensor::int8(&[1, 4], 0.1, 3)
}

fn count() -> Tensor {
    Tensor::typed(Type::INT32, &[1])
}

fn number(value: i32) -> Tensor {
    count().constant(value.to_le_bytes().to_vec())
}

fn relu(graph: &mut Subgraph, input: i32) -> i32 {
    graph.op(code::RELU, Options::None, &[input], value())
}

/// A subgraph from a value to a value.
fn branch() -> Subgraph {
    let mut graph = Subgraph::default();
    let input = graph.input(value());
    let output = relu(&mut graph, input);
    graph.outputs.push(output);
    graph
}

fn model(subgraphs: Vec<Subgraph>) -> Draft {
    Draft { subgraphs, ..Draft::default() }
}

/// IF: condition 0, input 1, output 2; branches 1 and 2.
fn if_model() -> Draft {
    let mut graph = Subgraph::default();
    let condition = graph.input(Tensor::typed(Type::BOOL, &[1]));
    let input = graph.input(value());
    let output = graph.op(code::IF, Options::branches(1, 2), &[condition, input], value());
    graph.outputs.push(output);
    model(vec![graph, branch(), branch()])
}

/// WHILE: counter 0 and value 1 in, 2 and 3 out; condition 1, body 2. The counter goes up to `limit` by `step`.
fn while_model(limit: i32, step: i32) -> Draft {
    let mut graph = Subgraph::default();
    let inputs = [graph.input(count()), graph.input(value())];
    let outputs = [graph.tensor(count()), graph.tensor(value())];
    graph.op_on(code::WHILE, Options::repeat(1, 2), &inputs, &outputs);
    graph.outputs = outputs.to_vec();
    let mut condition = Subgraph::default();
    let at = condition.input(count());
    condition.input(value());
    let limit = condition.tensor(number(limit));
    let less = condition.op(code::LESS, Options::None, &[at, limit], Tensor::typed(Type::BOOL, &[1]));
    condition.outputs.push(less);
    let mut body = Subgraph::default();
    let inputs = [body.input(count()), body.input(value())];
    let step = body.tensor(number(step));
    let next = body.op(code::ADD, Options::Add { activation: 0 }, &[inputs[0], step], count());
    let output = relu(&mut body, inputs[1]);
    body.outputs = vec![next, output];
    model(vec![graph, condition, body])
}

/// Gives out what was assigned before. Main: input 0, handle 1, value read 2; initialised to 9 by subgraph 1.
fn delay() -> Draft {
    let mut graph = Subgraph::default();
    let input = graph.input(value());
    graph.op_on(code::CALL_ONCE, Options::call_once(1), &[], &[]);
    let handle = graph.handle(None, "v");
    let old = graph.op(code::READ_VARIABLE, Options::None, &[handle], value());
    graph.op_on(code::ASSIGN_VARIABLE, Options::None, &[handle, input], &[]);
    graph.outputs.push(old);
    let mut init = Subgraph::default();
    let handle = init.handle(None, "v");
    let first = init.tensor(value().constant(vec![9; 4]));
    init.op_on(code::ASSIGN_VARIABLE, Options::None, &[handle, first], &[]);
    model(vec![graph, init])
}

fn edit(mut draft: Draft, subgraph: usize, change: impl FnOnce(&mut Subgraph)) -> Draft {
    change(&mut draft.subgraphs[subgraph]);
    draft
}

fn refuse(draft: &Draft) -> Option<ModelError> {
    let file = AlignedBytes::new(&draft.to_bytes());
    let mut memory = AlignedBytes::filled(1 << 18, 0);
    let parsed = Model::parse(file.as_slice());
    let net: Result<Interpreter<'_>, Error> =
        parsed.map_err(Error::from).and_then(|model| Interpreter::new(&model, memory.as_mut_slice()));
    match net {
        Ok(_) => None,
        Err(Error::Model(error)) => Some(error),
        Err(error) => panic!("another error: {error}"),
    }
}

/// A chain of `depth` subgraphs, each of which calls the next.
fn chain(depth: i32) -> Draft {
    let mut subgraphs = Vec::new();
    for index in 0..depth {
        let mut graph = branch();
        graph.ops.clear();
        graph.tensors.truncate(1);
        let yes = graph.tensor(Tensor::typed(Type::BOOL, &[1]).constant(vec![1]));
        let options = Options::branches(index + 1, index + 1);
        let output = graph.op(code::IF, options, &[yes, 0], value());
        graph.outputs = vec![output];
        subgraphs.push(graph);
    }
    subgraphs.push(branch());
    model(subgraphs)
}

#[test]
fn the_drafts_are_sound() {
    for (i, draft) in [if_model(), while_model(3, 1), delay(), chain(8)].iter().enumerate() {
        assert_eq!(refuse(draft), None, "draft {i}");
    }
}

#[test]
#[rustfmt::skip]
fn malformed() {
    use Reason as R;
    let bool_of = |shape: &[i32]| Tensor::typed(Type::BOOL, shape);
    let rows: Vec<(&str, Draft, Reason)> = vec![
        ("if: no such subgraph", edit(if_model(), 0, |g| g.ops[0].options = Options::branches(1, 3)), R::BadIndex),
        ("if: a negative subgraph", edit(if_model(), 0, |g| g.ops[0].options = Options::branches(-1, 2)), R::BadIndex),
        ("if: the first subgraph", edit(if_model(), 0, |g| g.ops[0].options = Options::branches(0, 2)), R::BadIndex),
        ("if: no options", edit(if_model(), 0, |g| g.ops[0].options = Options::None), R::MissingOptions),
        ("if: the options of WHILE", edit(if_model(), 0, |g| g.ops[0].options = Options::repeat(1, 2)), R::WrongOptions),
        ("if: no inputs", edit(if_model(), 0, |g| g.ops[0].inputs.clear()), R::WrongArity),
        ("if: an input too few", edit(if_model(), 0, |g| { g.ops[0].inputs.pop(); }), R::WrongArity),
        ("if: an absent input", edit(if_model(), 0, |g| g.ops[0].inputs[1] = -1), R::MissingInput),
        ("if: an absent condition", edit(if_model(), 0, |g| g.ops[0].inputs[0] = -1), R::MissingInput),
        ("if: a branch with an input more", edit(if_model(), 2, |g| { g.input(value()); }), R::WrongArity),
        ("if: a branch without outputs", edit(if_model(), 2, |g| g.outputs.clear()), R::WrongArity),
        ("if: a condition of int8", edit(if_model(), 0, |g| g.tensors[0] = value()), R::WrongType),
        ("if: two conditions", edit(if_model(), 0, |g| g.tensors[0] = bool_of(&[2])), R::ShapeMismatch),
        ("if: a branch's input of another length", edit(if_model(), 1, |g| g.tensors[0].shape = vec![1, 5]), R::ShapeMismatch),
        ("if: a branch's output of another type", edit(if_model(), 1, |g| g.tensors[1].dtype = Type::INT16), R::WrongType),
        ("if: a branch's input is a constant", edit(if_model(), 1, |g| g.tensors[0].data = Some(vec![0; 4])), R::ConstantInput),
        ("if: a branch's input is a variable", edit(if_model(), 1, |g| g.tensors[0].variable = true), R::ConstantInput),
        ("if: an output is a constant", edit(if_model(), 0, |g| g.tensors[2].data = Some(vec![0; 4])), R::ConstantWritten),
        ("if: an output that is an input", edit(if_model(), 0, |g| { g.ops[0].outputs[0] = 1; g.outputs[0] = 1 }), R::WrittenTwice),
        ("if: a branch writes its input", edit(if_model(), 1, |g| g.ops[0].outputs[0] = 0), R::WrittenTwice),
        ("if: a branch's output is never written", edit(if_model(), 1, |g| g.ops.clear()), R::NotProduced),
        ("if: one tensor is two inputs", edit(edit(if_model(), 0, |g| { let x = g.ops[0].inputs[1]; g.ops[0].inputs.push(x) }), 1, |g| g.inputs.push(0)), R::WrittenTwice),
        ("if: calls itself", edit(if_model(), 1, |g| { let yes = g.tensor(bool_of(&[1]).constant(vec![1])); g.ops[0].code = code::IF; g.ops[0].options = Options::branches(1, 1); g.ops[0].inputs.insert(0, yes) }), R::NestedTooDeep),
        ("if: 9 deep", chain(9), R::NestedTooDeep),
        ("if: state of its own in a branch", edit(if_model(), 1, |g| { g.tensors[1].variable = true; g.ops.clear() }), R::VariableInSubgraph),
        ("if: an operator that kinglet does not have", edit(if_model(), 2, |g| g.ops[0].code = 48), R::UnsupportedOp),

        ("while: no such subgraph", edit(while_model(3, 1), 0, |g| g.ops[0].options = Options::repeat(9, 2)), R::BadIndex),
        ("while: an output too few", edit(while_model(3, 1), 0, |g| { g.ops[0].outputs.pop(); g.outputs.pop(); }), R::WrongArity),
        ("while: the body gives one output", edit(while_model(3, 1), 2, |g| { g.outputs.pop(); }), R::WrongArity),
        ("while: the condition takes one input", edit(while_model(3, 1), 1, |g| { g.inputs.pop(); }), R::WrongArity),
        ("while: the condition gives nothing", edit(while_model(3, 1), 1, |g| g.outputs.clear()), R::WrongArity),
        ("while: the condition gives a counter", edit(while_model(3, 1), 1, |g| g.outputs[0] = 0), R::WrongType),
        ("while: the body swaps types", edit(while_model(3, 1), 2, |g| g.outputs.reverse()), R::WrongType),
        ("while: an output of another length", edit(while_model(3, 1), 0, |g| g.tensors[3].shape = vec![1, 8]), R::ShapeMismatch),
        ("while: the body calls the loop's caller", edit(while_model(3, 1), 2, |g| { g.ops[1].code = code::CALL_ONCE; g.ops[1].options = Options::call_once(0); g.ops[1].inputs.clear() }), R::BadIndex),
        ("while: the body calls itself", edit(while_model(3, 1), 2, |g| { g.ops[1].code = code::WHILE; g.ops[1].options = Options::repeat(1, 2); g.ops[1].inputs = vec![0, 1]; let n = g.tensor(count()); g.ops[1].outputs.insert(0, n) }), R::NestedTooDeep),

        ("once: no such subgraph", edit(delay(), 0, |g| g.ops[0].options = Options::call_once(2)), R::BadIndex),
        ("once: an input", edit(delay(), 0, |g| g.ops[0].inputs.push(0)), R::WrongArity),
        ("once: a subgraph with inputs", edit(delay(), 1, |g| { g.input(value()); }), R::WrongArity),
        ("once: calls itself", edit(delay(), 1, |g| g.op_on(code::CALL_ONCE, Options::call_once(1), &[], &[])), R::NestedTooDeep),

        ("read: nothing assigns", edit(edit(delay(), 0, |g| drop(g.ops.pop())), 1, |g| drop(g.ops.pop())), R::NeverAssigned),
        ("read: another length", edit(delay(), 0, |g| g.tensors[2].shape = vec![1, 5]), R::VariableDiffers),
        ("read: another type", edit(delay(), 0, |g| g.tensors[2].dtype = Type::UINT8), R::VariableDiffers),
        ("read: no handle", edit(delay(), 0, |g| g.ops[2].inputs[0] = 0), R::WrongType),
        ("read: a handle from nowhere", edit(delay(), 0, |g| { let h = g.tensor(Tensor::typed(Type::RESOURCE, &[])); g.ops[2].inputs[0] = h }), R::UnknownHandle),
        ("read: no input", edit(delay(), 0, |g| g.ops[2].inputs.clear()), R::WrongArity),
        ("read: into an input", edit(delay(), 0, |g| g.ops[2].outputs[0] = 0), R::WrittenTwice),
        ("assign: another length", edit(delay(), 1, |g| { g.tensors[1].shape = vec![1, 5]; g.tensors[1].data = Some(vec![0; 5]) }), R::VariableDiffers),
        ("assign: another type", edit(delay(), 1, |g| g.tensors[1].dtype = Type::UINT8), R::VariableDiffers),
        ("assign: an output", edit(delay(), 0, |g| g.ops[3].outputs.push(2)), R::WrongArity),
        ("assign: no value", edit(delay(), 0, |g| { g.ops[3].inputs.pop(); }), R::WrongArity),
        ("assign: an absent value", edit(delay(), 0, |g| g.ops[3].inputs[1] = -1), R::MissingInput),
        ("assign: a handle", edit(delay(), 0, |g| g.ops[3].inputs[1] = 1), R::UnsupportedType),
        ("handle: no options", edit(delay(), 0, |g| g.ops[1].options = Options::None), R::MissingOptions),
        ("handle: a value", edit(delay(), 0, |g| g.tensors[1] = value()), R::WrongType),
        ("handle: an input", edit(delay(), 0, |g| g.ops[1].inputs.push(0)), R::WrongArity),
        ("handle: an input of the model", edit(delay(), 0, |g| { g.inputs.push(1); g.ops.remove(1); }), R::UnknownHandle),
        ("handle: an output of the model", edit(delay(), 0, |g| g.outputs.push(1)), R::UnsupportedType),
    ];
    for (name, draft, reason) in rows {
        let error = refuse(&draft).unwrap_or_else(|| panic!("{name}: accepted"));
        assert_eq!(error.reason, reason, "{name}: {error}");
        let text = error.to_string();
        assert!(text.contains(reason.text()) && !text.contains('\n'), "{name}: {text}");
    }
}

#[test]
fn an_error_says_in_which_subgraph() {
    let draft = edit(if_model(), 2, |g| g.ops[0].code = 48);
    let error = refuse(&draft).unwrap();
    assert_eq!((error.subgraph(), error.op()), (2, Some(0)));
    assert!(error.to_string().starts_with("subgraph 2, op 0 ("), "{error}");
}

/// Calls that double at every level are counted before they are planned.
#[test]
fn calls_do_not_multiply_without_end() {
    let mut draft = chain(8);
    for graph in &mut draft.subgraphs[..8] {
        let call = graph.ops[0].clone();
        for _ in 0..6 {
            let output = graph.tensor(value());
            graph.ops.push(kinglet_testmodel::Op { outputs: vec![output], ..call.clone() });
        }
    }
    assert_eq!(refuse(&draft).map(|error| error.reason), Some(Reason::TooManyCalls));
}

#[test]
fn loops_come_to_an_end() {
    let file = AlignedBytes::new(&while_model(i32::MAX, 0).to_bytes());
    let model = Model::parse(file.as_slice()).unwrap();
    let mut memory = AlignedBytes::filled(1 << 14, 0);
    let mut net: Interpreter<'_> = Interpreter::new(&model, memory.as_mut_slice()).unwrap();
    for limit in [1 << 20, 0, 1, 100] {
        if limit < 1 << 20 {
            net.set_max_iterations(limit);
        }
        let error = net.invoke().unwrap_err();
        assert_eq!((error.fault, error.op), (Fault::IterationLimit, 0));
    }
    net.reset();
    let mut steps = 0;
    let error = loop {
        match net.step() {
            Ok(done) => assert!(done.is_some()),
            Err(error) => break error,
        }
        steps += 1;
    };
    assert_eq!(error.fault, Fault::IterationLimit);
    assert!((1_100..1_200).contains(&steps), "{steps}");

    // A loop that ends may run just so often.
    let file = AlignedBytes::new(&while_model(7, 1).to_bytes());
    let model = Model::parse(file.as_slice()).unwrap();
    let mut memory = AlignedBytes::filled(1 << 14, 0);
    let mut net: Interpreter<'_> = Interpreter::new(&model, memory.as_mut_slice()).unwrap();
    for (limit, fits) in [(6, false), (7, true)] {
        net.set_max_iterations(limit);
        net.input::<i32>(0).unwrap()[0] = 0;
        net.input::<i8>(1).unwrap().fill(50);
        assert_eq!(net.invoke().is_ok(), fits);
    }
    assert_eq!(net.output::<i32>(0).unwrap(), [7]);
}

#[test]
fn reset_initialises_again() {
    let file = AlignedBytes::new(&delay().to_bytes());
    let model = Model::parse(file.as_slice()).unwrap();
    let mut memory = AlignedBytes::filled(1 << 14, 0x77);
    let mut net: Interpreter<'_> = Interpreter::new(&model, memory.as_mut_slice()).unwrap();
    for _ in 0..2 {
        for (input, expected) in [(1, 9), (2, 1), (3, 2)] {
            net.input::<i8>(0).unwrap().fill(input);
            net.invoke().unwrap();
            assert_eq!(net.output::<i8>(0).unwrap(), [expected; 4]);
        }
        net.reset();
    }
}

/// The hook sees every run of steps of one operator begin and end.
#[test]
fn profile_hook() {
    use kinglet::Phase;
    let file = AlignedBytes::new(&while_model(2, 1).to_bytes());
    let model = Model::parse(file.as_slice()).unwrap();
    let mut memory = AlignedBytes::filled(1 << 14, 0);
    let mut net: Interpreter<'_> = Interpreter::new(&model, memory.as_mut_slice()).unwrap();
    let mut seen = Vec::new();
    net.invoke_with(|op, phase| seen.push((op, phase))).unwrap();
    assert!(seen.chunks(2).all(|pair| pair == [(pair[0].0, Phase::Start), (pair[0].0, Phase::End)]));
    let ops: Vec<u32> = seen.iter().step_by(2).map(|&(op, _)| op).collect();
    // WHILE is 0, LESS 1, ADD 2, RELU 3.
    assert_eq!(ops, [0, 1, 0, 2, 3, 0, 1, 0, 2, 3, 0, 1, 0]);
}
