"""Operators with state, control flow, and what needs more than one subgraph."""

import numpy as np

from .build import NONE, RELU, VALID, Model
from .case import Case
from .convolutions import rms, weighted
from .refs import TFLM


def svdf(variant, features=5, units=3, rank=1, memory=4, batch=1, act=NONE, q_in=(0.0471, 5), zp_out=-4, state="int16", bias=True, invocations=12, **more):
    m = Model(f"svdf_{variant}")
    filters = units * rank
    x = m.input([batch, features], "int8", *q_in)
    wf = m.rng.integers(-127, 128, [filters, features])
    hi = 32767 if state == "int16" else 127
    wt = m.rng.integers(-hi, hi + 1, [filters, memory])
    # The state's spread is a third of its range, the output's 2.1 sigma to either side.
    s_f = 0.011
    s_state = q_in[0] * s_f * rms("int8", q_in[1]) * 74 * np.sqrt(features) * 3 / hi
    s_t = 0.31 / hi
    sigma = s_state * hi / 3 * s_t * hi / np.sqrt(3) * np.sqrt(memory * rank)
    lo = 0 if act else -2.4
    mean = 1.15 * sigma if act else 0
    s_out = (mean + (2.4 - lo) * sigma) / 255 if act == NONE else (mean + 2.4 * sigma) / (127 - zp_out)
    if act == NONE:
        mean = -zp_out * s_out * 0.97
    t_f = m.const(wf, "int8", s_f)
    t_t = m.const(wt, state, s_t)
    s_b = float(np.float32(s_state)) * float(np.float32(s_t))
    t_b = m.const(np.rint((mean + m.rng.normal(0, 0.2 * sigma, units)) / s_b), "int32", s_b) if bias else None
    var = m.tensor([batch, memory * filters], state, s_state, 0, variable=True)
    out = m.tensor([batch, units], "int8", s_out, zp_out)
    m.output(m.op("SVDF", [x, t_f, t_t, t_b, var], out, "SVDFOptions", rank=rank, fusedActivationFunction=act))
    return Case("SVDF", m, {"rank": rank, "units": units, "memory": memory, "state": state, "batch": batch}, f"int8 int8 {state} state {state} -> int8", invocations, **more)


def lstm(variant, features=5, units=3, steps=4, batch=1, q_in=(0.0471, 5), q_hidden=(1 / 128, 0), time_major=False, dtype="int8", invocations=4, clip=0.0, **more):
    m = Model(f"unidirectional_sequence_lstm_{variant}")
    if dtype == "int16":
        q_in, q_hidden = (0.0002, 0), (1 / 32768, 0)
    first = [steps, batch] if time_major else [batch, steps]
    x = m.input([*first, features], dtype, *q_in)
    s_w = 1.1 / (q_in[0] * rms(dtype, q_in[1]) * 74 * np.sqrt(features))
    s_r = 0.9 / (0.4 * 74 * np.sqrt(units))
    w = [m.const(m.rng.integers(-127, 128, [units, features]), "int8", s_w * f) for f in (1.0, 0.8, 1.2, 0.9)]
    r = [m.const(m.rng.integers(-127, 128, [units, units]), "int8", s_r * f) for f in (0.9, 1.1, 1.0, 0.8)]
    b = [m.const(np.rint(m.rng.normal(mean, 0.3, units) / (q_in[0] * s_w * f)), "int64" if dtype == "int16" else "int32", q_in[0] * s_w * f)
         for f, mean in ((1.0, 0), (0.8, 1), (1.2, 0), (0.9, 0))]
    hidden = m.tensor([batch, units], dtype, *q_hidden, variable=True)
    cell = m.tensor([batch, units], "int16", 2.0**-12, 0, variable=True)
    inter = [m.tensor([0], "int16", 2.0**-12, 0) for _ in range(4)] + [m.tensor([0], dtype, *q_hidden)]
    out = m.tensor([*first, units], dtype, *q_hidden)
    inputs = [x, *w, *r, None, None, None, *b, None, None, hidden, cell, None, None, None, None]
    m.output(m.op("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, out, "UnidirectionalSequenceLSTMOptions", 5 if dtype == "int16" else 1, inter,
                  fusedActivationFunction=4, timeMajor=time_major, cellClip=clip, projClip=0.0))
    return Case("UNIDIRECTIONAL_SEQUENCE_LSTM", m, {"units": units, "features": features, "steps": steps, "batch": batch, "time_major": time_major},
                f"{dtype} int8 {b[0].dtype} -> {dtype}", invocations, **more)


def variable(m, name, container=""):
    h = m.tensor([], "resource")
    m.op("VAR_HANDLE", [], h, "VarHandleOptions", container=container.encode(), sharedName=name.encode())
    return h


def read(m, h, shape, dtype="int8", *q):
    t = m.tensor(shape, dtype, *q)
    m.op("READ_VARIABLE", [h], t, "ReadVariableOptions")
    return t


def assign(m, h, value):
    m.op("ASSIGN_VARIABLE", [h, value], [], "AssignVariableOptions")


def once(m, g):
    m.op("CALL_ONCE", [], [], "CallOnceOptions", initSubgraphIndex=g)


def reshaped(m, t, q=()):
    """RESHAPE, so that an output is a tensor of its own."""
    return m.op("RESHAPE", [t, m.const(t.shape)], m.tensor(t.shape, t.dtype, *q), "ReshapeOptions", newShape=list(t.shape))


UNASSIGNED = dict(follow=TFLM, why="TFLite refuses to read a variable that nothing has been assigned to; in TFLM it holds its zero point")


def init(m, name, shape, dtype, q, value):
    """A subgraph that gives a variable its first value."""
    g = m.subgraph(f"init_{name}")
    h = variable(m, name)
    m.op("ASSIGN_VARIABLE", [h, m.const(np.full(shape, value), dtype, *q)], [], "AssignVariableOptions")
    m.main()
    return g


def variables():
    q = (0.0471, 5)
    for dtype, qq in (("int8", q), ("int16", (0.0003, 0)), ("float32", ())):
        # The output is the input of the invocation before; at first 5 throughout.
        m = Model(f"variable_delay_{dtype}")
        x = m.input([1, 7], dtype, *qq)
        m.op("CALL_ONCE", [], [], "CallOnceOptions", initSubgraphIndex=init(m, "s", [1, 7], dtype, qq, 5))
        h = variable(m, "s")
        old = m.tensor([1, 7], dtype, *qq)
        m.op("READ_VARIABLE", [h], old, "ReadVariableOptions")
        m.op("ASSIGN_VARIABLE", [h, x], [], "AssignVariableOptions")
        out = m.tensor([1, 7], dtype, *qq)
        # RESHAPE so that the output is a tensor of its own.
        m.output(m.op("RESHAPE", [old, m.const([1, 7])], out, "ReshapeOptions", newShape=[1, 7]))
        yield Case("READ_VARIABLE", m, {"also": "VAR_HANDLE ASSIGN_VARIABLE CALL_ONCE"}, invocations=5)
    # Two variables, one of them accumulating.
    m = Model("variable_two_accumulate")
    x = m.input([1, 7], "int8", 0.011, 3)
    m.op("CALL_ONCE", [], [], "CallOnceOptions", initSubgraphIndex=init(m, "sum", [1, 7], "int8", (0.05, -1), -1))
    m.op("CALL_ONCE", [], [], "CallOnceOptions", initSubgraphIndex=init(m, "last", [1, 7], "int8", (0.011, 3), 9))
    h1, h2 = variable(m, "sum"), variable(m, "last")
    a, b, c = m.tensor([1, 7], "int8", 0.05, -1), m.tensor([1, 7], "int8", 0.011, 3), m.tensor([1, 7], "int8", 0.05, -1)
    m.op("READ_VARIABLE", [h1], a, "ReadVariableOptions")
    m.op("READ_VARIABLE", [h2], b, "ReadVariableOptions")
    m.op("ADD", [a, b], c, "AddOptions")
    m.op("ASSIGN_VARIABLE", [h1, c], [], "AssignVariableOptions")
    m.op("ASSIGN_VARIABLE", [h2, x], [], "AssignVariableOptions")
    m.output(c)
    yield Case("ASSIGN_VARIABLE", m, {"also": "ADD CALL_ONCE"}, invocations=6)
    # A streaming convolution over time: the last frames are kept, one frame comes in.
    for name, frames, dilation in (("streaming_conv", 2, 1), ("streaming_conv_dilated", 4, 2)):
        m = Model(f"variable_{name}")
        c = 5
        x = m.input([1, 1, 1, c], "int8", *q)
        m.op("CALL_ONCE", [], [], "CallOnceOptions", initSubgraphIndex=init(m, "frames", [1, frames, 1, c], "int8", q, q[1]))
        h = variable(m, "frames")
        old = m.tensor([1, frames, 1, c], "int8", *q)
        m.op("READ_VARIABLE", [h], old, "ReadVariableOptions")
        both = m.tensor([1, frames + 1, 1, c], "int8", *q)
        m.op("CONCATENATION", [old, x], both, "ConcatenationOptions", axis=1)
        keep = m.tensor([1, frames, 1, c], "int8", *q)
        m.op("STRIDED_SLICE", [both, m.const([0, 1, 0, 0]), m.const([1, frames + 1, 1, c]), m.const([1, 1, 1, 1])], keep, "StridedSliceOptions")
        m.op("ASSIGN_VARIABLE", [h, keep], [], "AssignVariableOptions")
        w, b, qo = weighted(m, [7, 3, 1, c], 0, 3 * c, 7, RELU, -128, q_in=q)
        out = m.tensor([1, 1, 1, 7], "int8", *qo)
        m.output(m.op("CONV_2D", [both, w, b], out, "Conv2DOptions", padding=VALID, strideH=1, strideW=1, dilationHFactor=dilation, fusedActivationFunction=RELU))
        yield Case("READ_VARIABLE", m, {"also": "CONCATENATION STRIDED_SLICE CONV_2D ASSIGN_VARIABLE"}, invocations=8)


def more_variables():
    q = (0.0471, 5)
    for dtype, qq in (("int8", q), ("int8", (0.0235, -128)), ("int16", (0.0003, 0)), ("int32", ()), ("float32", ())):
        # Read before anything is assigned.
        name = dtype + ("_m128" if qq and qq[1] == -128 else "")
        m = Model(f"variable_no_init_{name}")
        x = m.input([1, 7], dtype, *qq)
        h = variable(m, "s")
        old = read(m, h, [1, 7], dtype, *qq)
        assign(m, h, x)
        m.output(reshaped(m, old, qq))
        yield Case("READ_VARIABLE", m, {"also": "no initial value"}, invocations=4, saturates="it starts at the zero point", **UNASSIGNED)
    # Every use has a handle of its own; two containers hold a variable of the same name; assigned twice.
    m = Model("variable_many_handles")
    x = m.input([1, 7], "int8", *q)
    g = m.subgraph("init")
    for container, value in (("a", 20), ("b", -30)):
        assign(m, variable(m, "s", container), m.const(np.full([1, 7], value), "int8", *q))
    m.main()
    once(m, g)
    a, b = read(m, variable(m, "s", "a"), [1, 7], "int8", *q), read(m, variable(m, "s", "b"), [1, 7], "int8", *q)
    both = m.op("ADD", [a, b], m.tensor([1, 7], "int8", 0.09, 1), "AddOptions")
    assign(m, variable(m, "s", "a"), x)
    assign(m, variable(m, "s", "b"), x)
    less = m.op("MINIMUM", [read(m, variable(m, "s", "a"), [1, 7], "int8", *q), a], m.tensor([1, 7], "int8", *q), "MaximumMinimumOptions")
    assign(m, variable(m, "s", "b"), less)
    m.output(both)
    yield Case("ASSIGN_VARIABLE", m, {"also": "two containers, several handles"}, invocations=6)
    # The first value is computed.
    m = Model("variable_init_computed")
    x = m.input([1, 7], "int8", *q)
    g = m.subgraph("init")
    c = m.const(m.rng.integers(-100, 100, [1, 7]), "int8", *q)
    k = m.const(m.rng.integers(-100, 100, [7]), "int8", *q)
    assign(m, variable(m, "s"), m.op("MAXIMUM", [m.op("ADD", [c, k], m.tensor([1, 7], "int8", *q), "AddOptions"), k], m.tensor([1, 7], "int8", *q), "MaximumMinimumOptions"))
    m.main()
    once(m, g)
    h = variable(m, "s")
    mean = m.op("ADD", [read(m, h, [1, 7], "int8", *q), x], m.tensor([1, 7], "int8", 0.09, 2), "AddOptions")
    assign(m, h, m.op("QUANTIZE", [mean], m.tensor([1, 7], "int8", *q), "QuantizeOptions"))
    m.output(mean)
    yield Case("CALL_ONCE", m, {"also": "ADD MAXIMUM"}, invocations=5)
    # A ring of frames for two dilated convolutions in a row, each with its own state, both initialised by one subgraph.
    m = Model("variable_streaming_tcn")
    c = 5
    x = m.input([1, 1, 1, c], "int8", *q)
    w1, b1, q1 = weighted(m, [7, 2, 1, c], 0, 2 * c, 7, RELU, -128, q_in=q)
    g = m.subgraph("init")
    assign(m, variable(m, "one"), m.const(np.full([1, 2, 1, c], q[1]), "int8", *q))
    assign(m, variable(m, "two"), m.const(np.full([1, 4, 1, 7], -128), "int8", *q1))
    m.main()
    once(m, g)

    def layer(x, name, frames, dilation, q_in, w, b, q_out):
        h = variable(m, name)
        d = x.shape[3]
        both = m.op("CONCATENATION", [read(m, h, [1, frames, 1, d], "int8", *q_in), x], m.tensor([1, frames + 1, 1, d], "int8", *q_in), "ConcatenationOptions", axis=1)
        keep = m.tensor([1, frames, 1, d], "int8", *q_in)
        m.op("STRIDED_SLICE", [both, m.const([0, 1, 0, 0]), m.const([1, frames + 1, 1, d]), m.const([1, 1, 1, 1])], keep, "StridedSliceOptions")
        assign(m, h, keep)
        return m.op("CONV_2D", [both, w, b], m.tensor([1, 1, 1, 7], "int8", *q_out), "Conv2DOptions", padding=VALID, strideH=1, strideW=1,
                    dilationHFactor=dilation, fusedActivationFunction=RELU)

    y = layer(x, "one", 2, 2, q, w1, b1, q1)
    w2, b2, q2 = weighted(m, [7, 3, 1, 7], 0, 21, 7, RELU, -128, q_in=q1)
    m.output(layer(y, "two", 4, 2, q1, w2, b2, q2))
    yield Case("READ_VARIABLE", m, {"also": "two layers, one initialisation"}, invocations=10, saturates="relu on relu")


def more_control():
    q = (0.0471, 5)
    t = lambda m: m.tensor([1, 7], "int8", *q)

    def value(m):
        return m.input([1, 7], "int8", *q)

    def branch(m, name, ops, inputs=1):
        """A subgraph: operators of two inputs, one after the other, each on the result so far and the last input."""
        g = m.subgraph(name)
        xs = [value(m) for _ in range(inputs)]
        y = xs[0]
        for op in ops:
            y = m.op(op, [y, xs[-1]], t(m), {"ADD": "AddOptions", "SUB": "SubOptions"}.get(op, "MaximumMinimumOptions"))
        m.output(y)
        m.main()
        return g

    def branches(m, condition, inputs, outputs, a, b):
        m.op("IF", [condition, *inputs], outputs, "IfOptions", thenSubgraphIndex=a, elseSubgraphIndex=b)
        return outputs

    # One branch hands its input on, the other gives a constant.
    m = Model("if_passes_on")
    c, x, y = m.input([1], "bool"), value(m), value(m)
    a = m.subgraph("swaps")
    u, v = value(m), value(m)
    m.output(v, u)
    b = m.subgraph("constants")
    u, v = value(m), value(m)
    m.output(m.const(np.arange(7).reshape([1, 7]), "int8", *q), u)
    m.main()
    m.output(*branches(m, c, [x, y], [t(m), t(m)], a, b))
    yield Case("IF", m, {"also": "branches without operators"}, invocations=6)
    # Both branches are the same subgraph; the condition is computed; a second IF uses the first one's result.
    m = Model("if_in_a_row")
    n, x, y = m.input([1], "int32", fill=lambda rng, k: np.array([k % 3], np.int32)), value(m), value(m)
    add, low = branch(m, "add", ["ADD"], 2), branch(m, "low", ["MINIMUM", "ADD"], 2)
    is_one = m.op("EQUAL", [n, m.const([1])], m.tensor([1], "bool"), "EqualOptions")
    first = t(m)
    branches(m, is_one, [x, y], [first], add, low)
    is_two = m.op("EQUAL", [n, m.const([2])], m.tensor([1], "bool"), "EqualOptions")
    second = t(m)
    branches(m, is_two, [first, y], [second], add, add)
    m.output(m.op("MAXIMUM", [first, second], t(m), "MaximumMinimumOptions"), second)
    yield Case("IF", m, {"also": "EQUAL, a subgraph called from several places"}, invocations=9, saturates="sums of full-range values")
    # An IF in a branch of an IF.
    m = Model("if_nested")
    c, d, x = m.input([1], "bool"), m.input([1], "bool"), value(m)
    add, low = branch(m, "add", ["ADD"]), branch(m, "sub", ["SUB"])
    outer = m.subgraph("outer")
    e, u = m.input([1], "bool"), value(m)
    inner = t(m)
    branches(m, e, [u], [inner], add, low)
    m.output(m.op("ADD", [inner, m.const(np.full([1, 7], 9), "int8", *q)], t(m), "AddOptions"))
    keep = m.subgraph("keep")
    _, u = m.input([1], "bool"), value(m)
    m.output(u)
    m.main()
    m.output(*branches(m, c, [d, x], [t(m)], outer, keep))
    yield Case("IF", m, {"also": "nested"}, invocations=10)
    # Branches without inputs, which change a variable.
    m = Model("if_assigns")
    c, x = m.input([1], "bool"), value(m)
    g = m.subgraph("init")
    assign(m, variable(m, "s"), m.const(np.full([1, 7], 5), "int8", *q))
    a = m.subgraph("grow")
    h = variable(m, "s")
    assign(m, h, m.op("ADD", [read(m, h, [1, 7], "int8", *q), m.const(np.full([1, 7], 20), "int8", *q)], t(m), "AddOptions"))
    b = m.subgraph("shrink")
    h = variable(m, "s")
    assign(m, h, m.op("SUB", [read(m, h, [1, 7], "int8", *q), m.const(np.full([1, 7], 25), "int8", *q)], t(m), "SubOptions"))
    m.main()
    once(m, g)
    h = variable(m, "s")
    branches(m, c, [], [], a, b)
    m.output(m.op("ADD", [read(m, h, [1, 7], "int8", *q), x], t(m), "AddOptions"))
    yield Case("IF", m, {"also": "variables"}, invocations=10)

    def less(m, limit):
        """A condition: the counter, the first of `n` inputs of these kinds, is below a limit."""
        def build(kinds):
            g = m.subgraph("condition")
            i = m.input([1], "int32")
            for kind in kinds:
                kind()
            m.output(m.op("LESS", [i, m.const([limit])], m.tensor([1], "bool"), "LessOptions"))
            m.main()
            return g
        return build

    def step(m, i):
        return m.op("ADD", [i, m.const([1])], m.tensor([1], "int32"), "AddOptions")

    def loop(m, inputs, outputs, cond, body):
        m.op("WHILE", inputs, outputs, "WhileOptions", condSubgraphIndex=cond, bodySubgraphIndex=body)
        return outputs

    counter = lambda m: m.input([1], "int32", fill=lambda rng, k: np.array([k], np.int32))
    # The loop swaps two tensors.
    m = Model("while_swaps")
    n, x, y = counter(m), value(m), value(m)
    cond = less(m, 5)([lambda: value(m), lambda: value(m)])
    body = m.subgraph("body")
    i, u, v = m.input([1], "int32"), value(m), value(m)
    m.output(step(m, i), v, m.op("ADD", [u, m.const(np.full([1, 7], 9), "int8", *q)], t(m), "AddOptions"))
    m.main()
    m.output(*loop(m, [n, x, y], [m.tensor([1], "int32"), t(m), t(m)], cond, body))
    yield Case("WHILE", m, {"also": "swaps"}, invocations=7)
    # A constant starts the counter; a convolution in the body.
    m = Model("while_convolution")
    x = m.input([1, 5, 5, 3], "int8", *q)
    image = lambda: m.input([1, 5, 5, 3], "int8", *q)
    cond = less(m, 3)([image])
    body = m.subgraph("body")
    i, u = m.input([1], "int32"), image()
    w, b, _ = weighted(m, [3, 3, 3, 3], 0, 27, 3, NONE, 5, q_in=q)
    m.output(step(m, i), m.op("CONV_2D", [u, w, b], m.tensor([1, 5, 5, 3], "int8", 0.3, 5), "Conv2DOptions", padding=0, strideH=1, strideW=1))
    m.g.tensors[m.g.outputs[1]].quantization.scale[0] = q[0]
    m.main()
    outs = loop(m, [m.const([0]), x], [m.tensor([1], "int32"), m.tensor([1, 5, 5, 3], "int8", *q)], cond, body)
    m.output(*outs)
    yield Case("WHILE", m, {"also": "CONV_2D"}, invocations=3, saturates="the loop amplifies")
    # A loop in a loop, and an IF in the inner one.
    m = Model("while_nested")
    n, x = counter(m), value(m)
    cond = less(m, 3)([lambda: value(m)])
    grow, shrink = branch(m, "grow", ["ADD"]), branch(m, "shrink", ["SUB"])
    inner = m.subgraph("inner")
    i, u = m.input([1], "int32"), value(m)
    odd = m.op("EQUAL", [i, m.const([1])], m.tensor([1], "bool"), "EqualOptions")
    y = t(m)
    branches(m, odd, [u], [y], grow, shrink)
    m.output(step(m, i), m.op("ADD", [y, m.const(np.full([1, 7], 7), "int8", *q)], t(m), "AddOptions"))
    outer = m.subgraph("outer")
    i, u = m.input([1], "int32"), value(m)
    _, y = loop(m, [m.const([0]), u], [m.tensor([1], "int32"), t(m)], cond, inner)
    m.output(step(m, i), m.op("MINIMUM", [y, u], t(m), "MaximumMinimumOptions"))
    m.main()
    m.output(*loop(m, [n, x], [m.tensor([1], "int32"), t(m)], cond, outer))
    yield Case("WHILE", m, {"also": "WHILE IF in its body"}, invocations=5)
    # The handle of a variable goes through the loop.
    m = Model("while_variable")
    n, x = counter(m), value(m)
    g = init(m, "s", [1, 7], "int8", q, 3)
    cond = m.subgraph("condition")
    i, _ = m.input([1], "int32"), m.input([], "resource")
    m.output(m.op("LESS", [i, m.const([4])], m.tensor([1], "bool"), "LessOptions"))
    body = m.subgraph("body")
    i, h = m.input([1], "int32"), m.input([], "resource")
    assign(m, h, m.op("ADD", [read(m, h, [1, 7], "int8", *q), m.const(np.full([1, 7], 11), "int8", *q)], t(m), "AddOptions"))
    m.output(step(m, i), h)
    m.main()
    once(m, g)
    h = variable(m, "s")
    i, _ = loop(m, [n, h], [m.tensor([1], "int32"), m.tensor([], "resource")], cond, body)
    m.output(i, m.op("ADD", [read(m, h, [1, 7], "int8", *q), x], t(m), "AddOptions"))
    yield Case("WHILE", m, {"also": "a handle as loop variable"}, invocations=6, saturates="the variable grows")


def control():
    q = (0.0471, 5)
    m = Model("if_int8")
    c = m.input([], "bool")
    x, y = m.input([1, 7], "int8", *q), m.input([1, 7], "int8", *q)
    branches = []
    for op, options in (("MAXIMUM", "MaximumMinimumOptions"), ("MINIMUM", "MaximumMinimumOptions")):
        branches.append(m.subgraph(op.lower()))
        a, b = m.input([1, 7], "int8", *q), m.input([1, 7], "int8", *q)
        m.output(m.op(op, [a, b], m.tensor([1, 7], "int8", *q), options))
    m.main()
    m.output(m.op("IF", [c, x, y], m.tensor([1, 7], "int8", *q), "IfOptions", thenSubgraphIndex=branches[0], elseSubgraphIndex=branches[1]))
    yield Case("IF", m, invocations=6)
    m = Model("while_int8")
    n = m.input([1], "int32", fill=lambda rng, k: np.array([k], np.int32))
    x = m.input([1, 7], "int8", 0.02, 3)
    cond = m.subgraph("condition")
    i, _ = m.input([1], "int32"), m.input([1, 7], "int8", 0.02, 3)
    m.output(m.op("LESS", [i, m.const([4])], m.tensor([1], "bool"), "LessOptions"))
    body = m.subgraph("body")
    i, a = m.input([1], "int32"), m.input([1, 7], "int8", 0.02, 3)
    m.output(m.op("ADD", [i, m.const([1])], m.tensor([1], "int32"), "AddOptions"),
             m.op("MUL", [a, m.const(np.full([1, 7], 100), "int8", 0.007, 0)], m.tensor([1, 7], "int8", 0.02, 3), "MulOptions"))
    m.main()
    outs = [m.tensor([1], "int32"), m.tensor([1, 7], "int8", 0.02, 3)]
    m.op("WHILE", [n, x], outs, "WhileOptions", condSubgraphIndex=cond, bodySubgraphIndex=body)
    m.output(*outs)
    yield Case("WHILE", m, invocations=6)


def cases():
    yield svdf("rank1")
    yield svdf("rank2", rank=2, units=5)
    yield svdf("relu", act=RELU, zp_out=-128)
    yield svdf("memory10_c17", features=17, units=7, memory=10)
    yield svdf("batch2", batch=2)
    yield svdf("no_bias_relu", bias=False, act=RELU, zp_out=-128, saturates="relu without bias")
    # TFLite only knows SVDF with relu.
    for v, o in (("rank2", {"rank": 2, "units": 5}), ("memory10_c17", {"features": 17, "units": 7, "memory": 10}), ("batch2", {"batch": 2}),
                 ("zp_m128", {"q_in": (0.0235, -128)}), ("zp_p127", {"q_in": (0.0235, 127)}), ("c33_rank3", {"features": 33, "rank": 3})):
        yield svdf(v + "_relu", act=RELU, zp_out=-128, **o)
    yield svdf("zp_m128", q_in=(0.0235, -128))
    yield svdf("zp_p127", q_in=(0.0235, 127))
    yield svdf("int8_state", state="int8")
    yield svdf("int8_state_rank2_relu", state="int8", rank=2, act=RELU, zp_out=-128, follow=TFLM, why="TFLite reads an int8 state as int16")
    one = dict(follow=TFLM, why="one step apart: TFLM and TFLite round the LSTM's gates differently")
    yield lstm("u3", **one)
    yield lstm("u17_f7", units=17, features=7, steps=6, **one)
    yield lstm("batch2", batch=2, **one)
    yield lstm("time_major", time_major=True, batch=2, **one)
    yield lstm("one_step", steps=1, invocations=8, **one)
    yield lstm("hidden_zp", q_hidden=(0.0071, -13), **one)
    yield lstm("input_zp_m128", q_in=(0.0235, -128), **one)
    yield lstm("cell_clip", clip=1.0, **one)
    yield lstm("int16_u3", dtype="int16")
    yield lstm("int16_u7_batch2", dtype="int16", units=7, batch=2, steps=6)
    yield from variables()
    yield from more_variables()
    yield from control()
    yield from more_control()
