"""Element-wise operators, QUANTIZE, DEQUANTIZE and CAST."""

import numpy as np

from .build import NONE, RELU, RELU6, RELU_N1_TO_1, ACTIVATIONS, TYPES, Model, every_code, rng_for
from .case import Case
from .refs import TFLITE, TFLM


def fit(values, zp=None, dtype="int8", share=0.04):
    """(scale, zero point) that saturate about `share` of some real values on either side."""
    info = np.iinfo(TYPES[dtype][1])
    lo, hi = np.quantile(values, [share, 1 - share])
    if zp is None:
        scale = max(hi - lo, 1e-9) / (info.max - info.min)
        zp = int(np.clip(np.rint(info.min - lo / scale), info.min, info.max))
    else:
        scale = max(hi / (info.max - zp) if info.max > zp else 0, lo / (info.min - zp) if info.min < zp else 0)
    return float(np.float32(scale)), zp


def codes(rng, dtype, n=4000):
    info = np.iinfo(TYPES[dtype][1])
    return rng.integers(info.min, info.max, n, endpoint=True)


PATTERNS = {
    "same": ([1, 4, 5, 3], [1, 4, 5, 3]),
    "same_2d": ([3, 33], [3, 33]),
    "scalar": ([1, 4, 5, 3], [1]),
    "scalar_0d": ([2, 7], []),
    "row": ([1, 4, 5, 17], [17]),
    "row_4d": ([1, 4, 5, 7], [1, 1, 1, 7]),
    "first": ([1, 1, 1, 5], [1, 4, 3, 5]),
    "column": ([1, 4, 5, 3], [1, 4, 1, 1]),
    "spatial": ([1, 4, 5, 3], [1, 4, 5, 1]),
    "channel_gate": ([1, 4, 5, 3], [1, 1, 1, 3]),
    "both": ([1, 4, 1, 3], [1, 1, 5, 1]),
    "batch": ([2, 3, 1, 5], [1, 3, 4, 5]),
    "rank": ([3, 1, 5], [4, 1]),
    "5d": ([2, 1, 3, 1, 5], [1, 2, 3, 4, 1]),
}


def out_shape(a, b):
    return list(np.broadcast_shapes(tuple(a), tuple(b)))


def binary(op, variant, a, b, f, options=None, dtype="int8", act=NONE, q1=(0.0471, 5), q2=(0.0213, -11), out_zp=None,
           const=None, same_q=False, **more):
    """One model of an op with two operands; `const` 0 or 1: that operand is a constant."""
    name = f"{op.lower()}_{variant}"
    m = Model(name)
    if dtype == "int16":
        q1, q2, out_zp = (q1[0] / 200, 0), (q2[0] / 200, 0), 0
    if same_q:
        q2 = q1
    rng = rng_for(name + " fit")
    x = (codes(rng, dtype) - q1[1]) * q1[0]
    y = (codes(rng, dtype) - q2[1]) * q2[0]
    r = f(x, y)
    if act:
        # Half is cut off by a relu: no zero point at an end of the range then.
        r = np.clip(r, {RELU: 0, RELU6: 0, RELU_N1_TO_1: -1}[act], {RELU: 1e9, RELU6: 6, RELU_N1_TO_1: 1}[act])
        out_zp = (-100 if act != RELU_N1_TO_1 else 7) if out_zp is None else out_zp
    q = q1 if same_q else fit(r, out_zp, dtype)
    t = []
    for i, (shape, (s, z)) in enumerate([(a, q1), (b, q2)]):
        if const == i:
            # A short constant keeps clear of the middle and the ends, so that it does not decide all by itself.
            values = codes(m.rng, dtype, int(np.prod(shape)))
            values = values if values.size > 9 else m.rng.integers(25, 90, values.size) * m.rng.choice([-1, 1], values.size)
            t.append(m.const(values.reshape(shape), dtype, s, z))
        else:
            t.append(m.input(shape, dtype, s, z))
    out = m.tensor(out_shape(a, b), dtype, *q)
    values = {}
    if options in ("AddOptions", "SubOptions", "MulOptions"):
        values["fusedActivationFunction"] = act
        if options != "MulOptions":
            values["potScaleInt16"] = False
    m.output(m.op(op, t, out, options, **values))
    described = {"shapes": f"{a} {b}", "activation": ACTIVATIONS[act]}
    if const is not None:
        described["constant"] = const
    return Case(op, m, described, **more)


def arithmetic():
    ops = {"ADD": ("AddOptions", np.add), "SUB": ("SubOptions", np.subtract), "MUL": ("MulOptions", np.multiply),
           "SQUARED_DIFFERENCE": ("SquaredDifferenceOptions", lambda x, y: (x - y) ** 2)}
    for op, (options, f) in ops.items():
        for p, (a, b) in PATTERNS.items():
            yield binary(op, p if p.startswith("same") else "broadcast_" + p, a, b, f, options)
        a, b = PATTERNS["same"]
        for c in (0, 1):
            yield binary(op, f"constant{c}", a, b, f, options, const=c)
            yield binary(op, f"constant{c}_row", *((a, [3]) if c else ([3], a)), f, options, const=c)
            yield binary(op, f"constant{c}_scalar", *((a, []) if c else ([], a)), f, options, const=c)
        for z1, z2, zo in ((-128, 127, None), (127, -128, None), (-128, -128, None), (127, 127, None), (0, 0, 0)):
            tag = "_".join("m%d" % -z if z < 0 else "p%d" % z for z in (z1, z2))
            yield binary(op, f"zero_points_{tag}", [2, 33], [2, 33], f, options, q1=(0.031, z1), q2=(0.0177, z2), out_zp=zo)
        if op != "SQUARED_DIFFERENCE":
            for act in (RELU, RELU6, RELU_N1_TO_1):
                yield binary(op, ACTIVATIONS[act], a, b, f, options, act=act,
                             saturates="clamped by the activation" if act == RELU_N1_TO_1 else "")
            yield binary(op, "relu_broadcast", *PATTERNS["both"], f, options, act=RELU)
        yield binary(op, "scales_far_apart", [2, 33], [2, 33], f, options, q1=(0.9, 3), q2=(0.0007, -7))
        yield binary(op, "scales_powers_of_two", [2, 33], [2, 33], f, options, q1=(2**-5, 0), q2=(2**-4, 0))
        yield binary(op, "int16_same", a, b, f, options, dtype="int16", types="int16 int16 -> int16")
        yield binary(op, "int16_broadcast_row", *PATTERNS["row"], f, options, dtype="int16", types="int16 int16 -> int16")
        yield binary(op, "int16_broadcast_both", *PATTERNS["both"], f, options, dtype="int16", types="int16 int16 -> int16")
        if op != "SQUARED_DIFFERENCE":
            yield binary(op, "int16_relu", a, b, f, options, dtype="int16", act=RELU)
    for op, f in (("MAXIMUM", np.maximum), ("MINIMUM", np.minimum)):
        for p, (a, b) in PATTERNS.items():
            yield binary(op, p if p.startswith("same") else "broadcast_" + p, a, b, f, "MaximumMinimumOptions", same_q=True)
        yield binary(op, "constant1_scalar", [1, 4, 5, 3], [], f, "MaximumMinimumOptions", same_q=True, const=1)
        yield binary(op, "constant1_row", [1, 4, 5, 3], [3], f, "MaximumMinimumOptions", same_q=True, const=1)
        yield binary(op, "int16_same", *PATTERNS["same"], f, "MaximumMinimumOptions", dtype="int16", same_q=True)
        yield binary(op, "int16_broadcast_row", *PATTERNS["row"], f, "MaximumMinimumOptions", dtype="int16", same_q=True)


def plain():
    """Unquantised types: what converters leave at the edges of a graph and in arithmetic on shapes."""
    for op, options in (("ADD", "AddOptions"), ("SUB", "SubOptions"), ("MUL", "MulOptions"),
                        ("MAXIMUM", "MaximumMinimumOptions"), ("MINIMUM", "MaximumMinimumOptions")):
        for dtype in ("float32", "int32", "int64"):
            for p in ("same", "row"):
                a, b = PATTERNS[p]
                m = Model(f"{op.lower()}_{dtype}_{p}")
                # Small int32 values: an overflow would be undefined in the references.
                small = {"int32": lambda t: lambda rng, _: rng.integers(-30000, 30001, t).astype(np.int32),
                         "int64": lambda t: lambda rng, _: rng.integers(-30000, 30001, t).astype(np.int64)}.get(dtype, lambda t: None)
                t = [m.input(a, dtype, fill=small(a)), m.input(b, dtype, fill=small(b))]
                m.output(m.op(op, t, m.tensor(out_shape(a, b), dtype), options))
                yield Case(op, m, {"shapes": f"{a} {b}"})


def unary(op, variant, q_in, q_out, dtype="int8", options=None, shape=(1, 8, 8, 5), fill=True, described=None,
          saturates="", follow="", why="", **values):
    m = Model(f"{op.lower()}_{variant}")
    x = m.input(shape, dtype, *q_in)
    if dtype == "int8" and fill:
        m.fills[0] = every_code(x)
    m.output(m.op(op, [x], m.tensor(shape, dtype, *q_out), options, **values))
    return Case(op, m, described or {}, invocations=1 if dtype == "int8" else 2, saturates=saturates, follow=follow, why=why)


def tag(z):
    return f"m{-z}" if z < 0 else f"p{z}"


def activations():
    # Scale so small that the input covers both flanks without most of it lying on them.
    for op, q_out in (("LOGISTIC", (1 / 256, -128)), ("TANH", (1 / 128, 0))):
        for s, z in ((0.02, 0), (0.0471, 5), (0.011, -128), (0.0131, 127), (0.031, -100), (0.5, 0)):
            k = 1 if op == "LOGISTIC" else 2
            yield unary(op, f"scale_{s}_zp_{tag(z)}".replace(".", "_"), (s * 0.8 / k, z), q_out,
                        saturates="the function's own flanks" if s == 0.5 else "")
        for v, s in (("2em12", 2**-12), ("2em13", 2**-13), ("a", 1e-4), ("b", 1.7e-4)):
            yield unary(op, f"int16_scale_{v}", (s, 0), (2**-15, 0), "int16", shape=(2, 257))
        yield unary(op, "int16_scale_wide", (2**-10, 0), (2**-15, 0), "int16", shape=(2, 257), saturates="the function's own flanks")
        yield unary(op, "float32", (), (), "float32", shape=(2, 33))
    for q_in, q_out, v in (
            ((0.0471, 5), (0.0301, -115), "a"), ((0.0235, -128), (0.0236, -128), "zp_m128"),
            ((0.0471, 0), (0.0471, 0), "same"), ((0.0131, 127), (0.0031, 100), "zp_p127"), ((0.1, -20), (0.06, -120), "wide")):
        yield unary("HARD_SWISH", v, q_in, q_out)
    yield unary("HARD_SWISH", "float32", (), (), "float32", shape=(2, 33))
    for alpha in (0.1, 0.3, 0.01, 1.5, -0.2):
        t = f"alpha_{alpha}".replace(".", "_").replace("-", "m")
        # Output scale to suit both flanks.
        q_out = (0.0471 * 1.05, 0) if abs(alpha) <= 1 else (128 * 0.0471 * 1.5 / 120, 0)
        yield unary("LEAKY_RELU", t, (0.0471, 0), q_out, options="LeakyReluOptions", alpha=alpha, described={"alpha": alpha})
    yield unary("LEAKY_RELU", "zp_m128", (0.02, -128), (0.021, -128), options="LeakyReluOptions", alpha=0.2, described={"alpha": 0.2})
    yield unary("LEAKY_RELU", "zp_p127", (0.02, 127), (0.006, 127), options="LeakyReluOptions", alpha=0.2, described={"alpha": 0.2})
    yield unary("LEAKY_RELU", "zp_m40", (0.02, 20), (0.0131, -40), options="LeakyReluOptions", alpha=0.3, described={"alpha": 0.3})
    yield unary("LEAKY_RELU", "int16", (0.0002, 0), (0.00021, 0), "int16", options="LeakyReluOptions", alpha=0.2, described={"alpha": 0.2})
    yield unary("LEAKY_RELU", "float32", (), (), "float32", options="LeakyReluOptions", alpha=0.2, described={"alpha": 0.2})
    for op in ("RELU", "RELU6", "RELU_N1_TO_1"):
        sat = "clamped by the activation" if op == "RELU_N1_TO_1" else ""
        s = 0.0131 if op == "RELU_N1_TO_1" else 0.0471
        yield unary(op, "same_scale", (s, 3), (s, 3), saturates=sat)
        yield unary(op, "same_scale_zp_m128", (0.0235, -128), (0.0235, -128), saturates=sat)
        yield unary(op, "rescaled", (s, 3), (s * 0.73, -100), saturates=sat,
                    follow=TFLITE if op == "RELU6" else "",
                    why="TFLM's RELU6 does not rescale between different scales" if op == "RELU6" else "")
        yield unary(op, "rescaled_up", (s, -60), (s * 1.7, -40), saturates=sat,
                    follow=TFLITE if op == "RELU6" else "",
                    why="TFLM's RELU6 does not rescale between different scales" if op == "RELU6" else "")
        yield unary(op, "float32", (), (), "float32", shape=(2, 33))
        yield unary(op, "int16", (0.0003, 0), (0.0003, 0), "int16", shape=(2, 257), saturates=sat)
    for v, shape_a, q_in, q_a, q_out in (
            ("channel", [1, 1, 5], (0.0471, 5), (0.0021, -30), (0.0373, -20)),
            ("shared", [1, 1, 1], (0.0471, 5), (0.0021, -30), (0.0373, -20)),
            ("full", [8, 8, 5], (0.0471, 5), (0.0021, -30), (0.0373, -20)),
            ("zp_m128", [1, 1, 5], (0.0471, -128), (0.0021, -128), (0.047, -128)),
            ("zp_p127", [1, 1, 5], (0.0471, 127), (0.0021, 127), (0.0302, -10)),
            ("zp_m128_b", [1, 1, 5], (0.0461, -128), (0.0021, -127), (0.0472, -128)),
            ("spatial", [8, 8, 1], (0.0471, 5), (0.0041, 0), (0.0373, -20))):
        m = Model(f"prelu_{v}")
        x = m.input([1, 8, 8, 5], "int8", *q_in)
        alpha = m.const(m.rng.integers(-128, 127, shape_a, endpoint=True), "int8", *q_a)
        m.output(m.op("PRELU", [x, alpha], m.tensor([1, 8, 8, 5], "int8", *q_out)))
        yield Case("PRELU", m, {"alpha": str(shape_a)})
    m = Model("prelu_float32")
    x = m.input([1, 3, 3, 5], "float32")
    alpha = m.const(m.rng.integers(-100, 100, [1, 1, 5]) / np.float32(64), "float32")
    m.output(m.op("PRELU", [x, alpha], m.tensor([1, 3, 3, 5], "float32")))
    yield Case("PRELU", m, {"alpha": "[1, 1, 5]"})
    for v, q_in, q_out in (("same", (0.0471, 0), (0.0471, 0)), ("rescaled", (0.0471, 5), (0.0261, -120)),
                           ("zp_m128", (0.03, -128), (0.031, -128)), ("zp_p127", (0.03, 127), (0.031, -128))):
        yield unary("ABS", v, q_in, q_out, options="AbsOptions")
    yield unary("ABS", "int16", (0.0003, 0), (0.00031, 0), "int16", options="AbsOptions")
    yield unary("ABS", "float32", (), (), "float32", shape=(2, 33), options="AbsOptions")
    yield unary("NEG", "same", (0.0471, 0), (0.0471, 0), options="NegOptions")
    yield unary("NEG", "float32", (), (), "float32", shape=(2, 33), options="NegOptions")
    m = Model("neg_int32")
    x = m.input([2, 33], "int32", fill=lambda rng, _: rng.integers(-2**30, 2**30, [2, 33]).astype(np.int32))
    m.output(m.op("NEG", [x], m.tensor([2, 33], "int32"), "NegOptions"))
    yield Case("NEG", m)
    for v, q_in, q_out in (("a", (0.0471, 5), (0.0251, -80)), ("b", (0.0471, 15), (0.0271, -90)), ("same", (0.02, 0), (0.02, 0)), ("zp_m128", (0.03, -128), (0.031, -128)),
                           ("zp_p127", (0.03, 127), (0.004, 127))):
        yield unary("ELU", v, q_in, q_out)
    yield unary("ELU", "float32", (), (), "float32", shape=(2, 33))
    for op in ("EXP", "SQRT", "RSQRT", "LOG", "SIN", "COS", "SQUARE", "FLOOR", "CEIL", "ROUND"):
        m = Model(f"{op.lower()}_float32")
        positive = lambda rng, _: (rng.integers(1, 2**20, [2, 33]) / np.float32(2**17)).astype(np.float32)
        x = m.input([2, 33], "float32", fill=positive if op in ("SQRT", "RSQRT", "LOG") else None)
        m.output(m.op(op, [x], m.tensor([2, 33], "float32")))
        yield Case(op, m)
    yield unary("EXP", "int8", (0.02, 90), (0.01, -128))
    yield unary("EXP", "int16", (0.0001, 0), (0.001, 0), "int16", shape=(2, 257))
    yield unary("RSQRT", "int8", (0.02, -128), (0.02, -128), fill=False)
    m = Model("div_float32")
    x, y = m.input([2, 33], "float32"), m.input([33], "float32", fill=lambda rng, _: (rng.integers(1, 2**20, [33]) / np.float32(2**17)).astype(np.float32))
    m.output(m.op("DIV", [x, y], m.tensor([2, 33], "float32"), "DivOptions"))
    yield Case("DIV", m)
    m = Model("div_int8_same")
    x = m.input([2, 33], "int8", 0.0471, 5)
    y = m.input([2, 33], "int8", 0.02, -128, fill=lambda rng, _: rng.integers(-60, 128, [2, 33]).astype(np.int8))
    m.output(m.op("DIV", [x, y], m.tensor([2, 33], "int8", 0.03, 2), "DivOptions", version=2))
    yield Case("DIV", m)


def casts():
    quantised = {"int8": (0.0471, 5), "int16": (0.0003, 0), "uint8": (0.0473, 133), "float32": (), "int32": (0.0001, 0)}

    def case(op, v, d_in, q_in, d_out, q_out, shape=(3, 7, 17), options=None, fill=None, **values):
        m = Model(f"{op.lower()}_{v}")
        x = m.input(list(shape), d_in, *q_in, fill=fill)
        if d_in in ("int8", "uint8") and np.prod(shape) >= 256:
            m.fills[0] = every_code(x)
        m.output(m.op(op, [x], m.tensor(list(shape), d_out, *q_out), options, **values))
        return Case(op, m, {"to": d_out}, invocations=1)

    within = lambda s: lambda rng, _: (rng.integers(-2**20, 2**20, (3, 7, 17)) / np.float32(2**20) * np.float32(s)).astype(np.float32)
    for d, (s, z) in (("int8", (0.0471, 5)), ("int8", (0.02, -128)), ("int8", (0.02, 127)), ("uint8", (0.0473, 133)), ("int16", (0.0003, 0))):
        half = s * (128 if d != "int16" else 32768)
        t = f"float32_to_{d}_zp_{tag(z)}"
        if d == "int8" and z == -128:
            fill = lambda rng, _: (rng.integers(-2**17, 2**20, (3, 7, 17)) / np.float32(2**20) * np.float32(5.2)).astype(np.float32)
        elif z == 127:
            fill = lambda rng, _: (rng.integers(-2**20, 2**17, (3, 7, 17)) / np.float32(2**20) * np.float32(5.2)).astype(np.float32)
        else:
            fill = within(half * 1.08)
        yield case("QUANTIZE", t, "float32", (), d, (s, z), options="QuantizeOptions", fill=fill)
    # Halves: where rounding away from zero and to even differ.
    yield case("QUANTIZE", "float32_to_int8_halves", "float32", (), "int8", (0.5, 0), options="QuantizeOptions",
               fill=lambda rng, _: (rng.integers(-260, 260, (3, 7, 17)) / np.float32(4)).astype(np.float32))
    for a, qa, b, qb in (
            ("int8", (0.0471, 5), "int8", (0.0531, -7)), ("int8", (0.0471, -128), "int8", (0.0971, 0)),
            ("int8", (0.0471, 127), "int8", (0.0631, 90)), ("int8", (0.0471, 5), "int8", (0.0471, -5)),
            ("int8", (0.0471, 5), "int16", (0.0003, 0)), ("int16", (0.0003, 0), "int8", (0.0771, 5)),
            ("int16", (0.0003, 0), "int8", (0.0771, -20)), ("int16", (0.0003, 0), "int16", (0.00033, 0)),
            ("uint8", (0.0473, 133), "int8", (0.0473, 5)), ("int8", (0.0473, 5), "uint8", (0.0473, 133)),
            ("uint8", (0.0473, 133), "int8", (0.0573, -5)), ("int8", (0.0473, 5), "uint8", (0.0673, 120)),
            ("int8", (0.0471, 5), "int32", (0.0001, 0)), ("int16", (0.0003, 0), "int32", (0.0001, 0)),
            ("int32", (0.000000002, 0), "int8", (0.0371, -3)), ("int32", (0.000000002, 0), "int16", (0.00014, 0)),
            ("uint8", (0.0473, 133), "int16", (0.0003, 0)), ("int16", (0.0003, 0), "uint8", (0.0771, 120))):
        c = case("QUANTIZE", f"{a}_to_{b}_zp_{tag(qa[1])}_{tag(qb[1])}_scale_{qb[0]:.3g}".replace(".", "_").replace("-0", "m"),
                 a, qa, b, qb, options="QuantizeOptions")
        yield c
    for d in ("int8", "uint8", "int16", "int32"):
        yield case("DEQUANTIZE", f"{d}_to_float32", d, quantised[d], "float32", (), options="DequantizeOptions")
    yield case("DEQUANTIZE", "int8_to_float32_zp_m128", "int8", (0.0235, -128), "float32", (), options="DequantizeOptions")
    yield case("DEQUANTIZE", "int8_to_float32_zp_p127", "int8", (0.0235, 127), "float32", (), options="DequantizeOptions")
    for a, b in (("float32", "int8"), ("float32", "int16"), ("float32", "int32"), ("float32", "uint8"), ("float32", "bool"), ("float32", "int64"),
                 ("int8", "float32"), ("int8", "int16"), ("int8", "int32"), ("int8", "bool"), ("int8", "uint8"), ("int8", "int64"),
                 ("uint8", "float32"), ("uint8", "int8"), ("uint8", "int32"), ("int16", "float32"), ("int16", "int8"), ("int16", "int32"),
                 ("int32", "float32"), ("int32", "int8"), ("int32", "int16"), ("int32", "int64"), ("int64", "int32"), ("int64", "float32"),
                 ("bool", "float32"), ("bool", "int8"), ("bool", "int32")):
        # Floats only where the conversion is defined.
        fill = (lambda rng, _: (rng.integers(0, 2**20, (3, 7)) / np.float32(2**14)).astype(np.float32)) if a == "float32" else None
        c = case("CAST", f"{a}_to_{b}", a, (), b, (), shape=(3, 7), options="CastOptions", fill=fill,
                 inDataType=TYPES[a][0], outDataType=TYPES[b][0])
        yield c


def compare():
    """Comparisons and logic between quantised tensors; SELECT_V2."""
    for op in ("EQUAL", "NOT_EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL"):
        options = "".join(w.capitalize() for w in op.split("_")) + "Options"
        for dtype, q in (("int8", [(0.0471, 5), (0.0213, -11)]), ("float32", [(), ()]), ("int32", [(), ()])):
            for p in ("same", "row"):
                a, b = PATTERNS[p]
                m = Model(f"{op.lower()}_{dtype}_{p}")
                few = lambda s, d=dtype: None if d == "int8" else lambda rng, _: rng.integers(-3, 4, s).astype(TYPES[d][1])
                t = [m.input(a, dtype, *q[0], fill=few(a)), m.input(b, dtype, *q[1], fill=few(b))]
                m.output(m.op(op, t, m.tensor(out_shape(a, b), "bool"), options, version=2 if dtype == "int8" else 1))
                yield Case(op, m, {"shapes": f"{a} {b}"})
    for op in ("LOGICAL_AND", "LOGICAL_OR"):
        m = Model(f"{op.lower()}_same")
        t = [m.input([2, 7], "bool"), m.input([2, 7], "bool")]
        m.output(m.op(op, t, m.tensor([2, 7], "bool"), "LogicalAndOptions" if op == "LOGICAL_AND" else "LogicalOrOptions"))
        yield Case(op, m)
    m = Model("logical_not_same")
    m.output(m.op("LOGICAL_NOT", [m.input([2, 7], "bool")], m.tensor([2, 7], "bool"), "LogicalNotOptions"))
    yield Case("LOGICAL_NOT", m)
    for dtype in ("int8", "int16", "float32", "int32"):
        for v, shapes in (("same", ([2, 3, 5],) * 3), ("broadcast", ([2, 1, 5], [1, 3, 5], [2, 1, 1]))):
            m = Model(f"select_v2_{dtype}_{v}")
            q = {"int8": (0.05, 3), "int16": (0.001, 0)}.get(dtype, ())
            t = [m.input(shapes[0], "bool"), m.input(shapes[1], dtype, *q), m.input(shapes[2], dtype, *q)]
            m.output(m.op("SELECT_V2", t, m.tensor([2, 3, 5], dtype, *q), "SelectV2Options"))
            yield Case("SELECT_V2", m, {"shapes": str(shapes)})
    for op in ("FLOOR_DIV", "FLOOR_MOD"):
        m = Model(f"{op.lower()}_float32")
        y = lambda rng, _: (rng.integers(1, 2**10, [33]) / np.float32(2**7) * rng.choice([-1, 1], 33)).astype(np.float32)
        t = [m.input([2, 33], "float32"), m.input([33], "float32", fill=y)]
        m.output(m.op(op, t, m.tensor([2, 33], "float32"), op.title().replace("_", "") + "Options", version=2 if op == "FLOOR_DIV" else 1))
        yield Case(op, m)
    for dtype, q in (("int8", (0.05, 3)), ("float32", ())):
        m = Model(f"add_n_{dtype}")
        t = [m.input([2, 7], dtype, *q) for _ in range(3)]
        m.output(m.op("ADD_N", t, m.tensor([2, 7], dtype, *((0.09, 2) if q else ()))))
        yield Case("ADD_N", m)


def cases():
    yield from arithmetic()
    yield from plain()
    yield from activations()
    yield from casts()
    yield from compare()
