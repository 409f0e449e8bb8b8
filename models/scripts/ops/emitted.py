"""What TFLite's converter leaves in fully quantised models beside the int8 operators: float32 functions between
DEQUANTIZE and QUANTIZE, functions by table, integers and truth values."""

import numpy as np

from .build import TYPES, Model, every_code
from .case import Case
from .refs import LITERT, OPTIMISED, TFLITE, TFLM


def between(op, q_in=(0.0471, 5), q_out=(0.02, -3), variant="", options=None, saturates="", **values):
    """DEQUANTIZE, a float32 function, QUANTIZE."""
    m = Model(f"{op.lower()}_between{variant}")
    shape = [1, 8, 8, 5]
    x = m.input(shape, "int8", *q_in)
    m.fills[0] = every_code(x)
    wide = m.op("DEQUANTIZE", [x], m.tensor(shape, "float32"), "DequantizeOptions", version=2)
    made = m.op(op, [wide], m.tensor(shape, "float32"), options, **values)
    m.output(m.op("QUANTIZE", [made], m.tensor(shape, "int8", *q_out), "QuantizeOptions"))
    return Case(op, m, {"between": "DEQUANTIZE and QUANTIZE"}, invocations=1, saturates=saturates)


def floats():
    yield between("SIN", q_out=(0.0079, 0))
    yield between("SIN", (3.1, 5), (0.0079, 0), "_wide")
    yield between("COS", q_out=(0.0079, 0))
    yield between("COS", (900.7, -128), (0.0079, 0), "_far")
    yield between("LOG", (0.02, -128), (0.04, 20))
    yield between("EXP", (0.02, 60), (0.03, -100))
    yield between("ELU", q_out=(0.03, -90))
    yield between("LOGISTIC", q_out=(0.0041, -128))
    yield between("TANH", (0.0131, 5), (0.0079, 0))
    yield between("SQRT", (0.02, -128), (0.01, -128))
    yield between("RSQRT", (0.02, -128), (0.02, -128))
    yield between("SIGN", q_out=(0.01, 0))
    yield between("SQUARE", q_out=(0.14, -128))
    yield between("NEG", q_out=(0.05, -5))
    yield between("FLOOR", q_out=(0.05, 5))
    yield between("CEIL", q_out=(0.05, 5))
    yield between("ROUND", q_out=(0.05, 5))


def tables():
    """int8 by table, which TFLM has not."""
    for v, op, q_in, q_out, options, values in (
            ("int8", "LOG", (0.02, -128), (0.04, 20), None, {}),
            ("int8_negative", "LOG", (0.05, -60), (0.03, 40), None, {}),
            ("exact", "GELU", (0.0471, 5), (0.025, -120), "GeluOptions", {"approximate": False}),
            ("tanh", "GELU", (0.0471, 5), (0.025, -120), "GeluOptions", {"approximate": True}),
            ("zp_m128", "GELU", (0.03, -128), (0.03, -128), "GeluOptions", {"approximate": False})):
        m = Model(f"{op.lower()}_{v}")
        x = m.input([1, 8, 8, 5], "int8", *q_in)
        m.fills[0] = every_code(x)
        m.output(m.op(op, [x], m.tensor([1, 8, 8, 5], "int8", *q_out), options, version=2 if op == "LOG" else 1, **values))
        yield Case(op, m, dict(values), invocations=1, follow=LITERT if op == "LOG" else "", saturates="no logarithm of what is not positive" if v == "int8_negative" else "")


def integers():
    few = lambda shape, dtype, low=-9, high=10: lambda rng, _: rng.integers(low, high, shape).astype(TYPES[dtype][1])
    nonzero = lambda shape, dtype: lambda rng, _: (rng.integers(1, 9, shape) * rng.choice([-1, 1], shape)).astype(TYPES[dtype][1])
    for op, options in (("DIV", "DivOptions"), ("FLOOR_DIV", "FloorDivOptions"), ("FLOOR_MOD", "FloorModOptions")):
        m = Model(f"{op.lower()}_int32_row")
        t = [m.input([2, 3, 7], "int32", fill=few([2, 3, 7], "int32", -99, 100)), m.input([7], "int32", fill=nonzero([7], "int32"))]
        m.output(m.op(op, t, m.tensor([2, 3, 7], "int32"), options))
        yield Case(op, m, {"shapes": "[2, 3, 7] [7]"})
    m = Model("div_int8_row")
    x = m.input([2, 3, 7], "int8", 0.0471, 5)
    y = m.input([7], "int8", 0.02, 3, fill=lambda rng, _: (3 + rng.integers(20, 120, [7]) * rng.choice([-1, 1], [7])).astype(np.int8))
    m.output(m.op("DIV", [x, y], m.tensor([2, 3, 7], "int8", 0.06, 2), "DivOptions", version=2))
    yield Case("DIV", m, {"shapes": "[2, 3, 7] [7]"})
    for op in ("EQUAL", "GREATER", "LESS_EQUAL"):
        options = "".join(w.capitalize() for w in op.split("_")) + "Options"
        m = Model(f"{op.lower()}_int64_row")
        t = [m.input([2, 3, 7], "int64", fill=few([2, 3, 7], "int64", -2, 3)), m.input([7], "int64", fill=few([7], "int64", -2, 3))]
        m.output(m.op(op, t, m.tensor([2, 3, 7], "bool"), options))
        yield Case(op, m, {"shapes": "[2, 3, 7] [7]"})
    for op in ("EQUAL", "NOT_EQUAL"):
        options = "".join(w.capitalize() for w in op.split("_")) + "Options"
        m = Model(f"{op.lower()}_bool")
        t = [m.input([2, 3, 7], "bool"), m.input([7], "bool")]
        m.output(m.op(op, t, m.tensor([2, 3, 7], "bool"), options, version=3))
        yield Case(op, m, {"shapes": "[2, 3, 7] [7]"})
    for op in ("LOGICAL_AND", "LOGICAL_OR"):
        m = Model(f"{op.lower()}_row")
        t = [m.input([2, 3, 7], "bool"), m.input([7], "bool")]
        m.output(m.op(op, t, m.tensor([2, 3, 7], "bool"), "LogicalAndOptions" if op == "LOGICAL_AND" else "LogicalOrOptions"))
        yield Case(op, m, {"shapes": "[2, 3, 7] [7]"})
    for dtype, q in (("int8", (0.05, 3)), ("float32", ()), ("int32", ())):
        m = Model(f"select_{dtype}_same")
        t = [m.input([2, 3, 5], "bool"), m.input([2, 3, 5], dtype, *q), m.input([2, 3, 5], dtype, *q)]
        m.output(m.op("SELECT", t, m.tensor([2, 3, 5], dtype, *q), "SelectOptions"))
        yield Case("SELECT", m)
    m = Model("select_v2_int8_scalar")
    t = [m.input([2, 3, 5], "bool"), m.input([2, 3, 5], "int8", 0.05, 3), m.const([-40], "int8", 0.05, 3)]
    m.output(m.op("SELECT_V2", t, m.tensor([2, 3, 5], "int8", 0.05, 3), "SelectV2Options"))
    yield Case("SELECT_V2", m, {"constant": 2})
    for op, dtype in (("REDUCE_ANY", "bool"), ("REDUCE_ALL", "bool"), ("REDUCE_PROD", "float32"), ("REDUCE_PROD", "int32")):
        for axes in ([1, 2], [-1]):
            m = Model(f"{op.lower()}_{dtype}_axes_{'_'.join(str(a % 4) for a in axes)}")
            x = m.input([2, 3, 4, 5], dtype, fill={
                "bool": lambda rng, _: (rng.random([2, 3, 4, 5]) < (0.1 if op == "REDUCE_ANY" else 0.9)),
                "int32": few([2, 3, 4, 5], "int32", -3, 4), "float32": None}[dtype])
            shape = [s for d, s in enumerate([2, 3, 4, 5]) if d not in [a % 4 for a in axes]]
            m.output(m.op(op, [x, m.const(np.array(axes, np.int32))], m.tensor(shape, dtype), "ReducerOptions", keepDims=False))
            yield Case(op, m, {"axes": str(axes)})
    for dtype in ("int32", "int64"):
        m = Model(f"arg_max_float32_to_{dtype}")
        x = m.input([2, 3, 7], "float32")
        m.output(m.op("ARG_MAX", [x, m.const(np.array([1], np.int32))], m.tensor([2, 7], dtype), "ArgMaxOptions", outputType=TYPES[dtype][0]))
        yield Case("ARG_MAX", m)
    for dtype in ("int32", "int64"):
        m = Model(f"one_hot_{dtype}")
        x = m.input([2, 3], dtype, fill=few([2, 3], dtype, -1, 6))
        t = [x, m.const(np.int32(5)), m.const(np.float32(1.5), "float32"), m.const(np.float32(-0.5), "float32")]
        m.output(m.op("ONE_HOT", t, m.tensor([2, 3, 5], "float32"), "OneHotOptions", axis=-1))
        yield Case("ONE_HOT", m)
    m = Model("one_hot_axis1_int8")
    x = m.input([2, 3], "int32", fill=few([2, 3], "int32", 0, 4))
    t = [x, m.const(np.int32(4)), m.const(np.int8(100), "int8", 0.01, 0), m.const(np.int8(0), "int8", 0.01, 0)]
    m.output(m.op("ONE_HOT", t, m.tensor([2, 4, 3], "int8", 0.01, 0), "OneHotOptions", axis=1))
    yield Case("ONE_HOT", m)
    m = Model("cumsum_int32")
    x = m.input([2, 3, 5], "int32", fill=few([2, 3, 5], "int32"))
    m.output(m.op("CUMSUM", [x, m.const(np.int32(1))], m.tensor([2, 3, 5], "int32"), "CumsumOptions", exclusive=False, reverse=True))
    yield Case("CUMSUM", m, follow=OPTIMISED)
    m = Model("add_n_int32")
    t = [m.input([2, 7], "int32", fill=few([2, 7], "int32")) for _ in range(4)]
    m.output(m.op("ADD_N", t, m.tensor([2, 7], "int32")))
    yield Case("ADD_N", m)


def moves():
    m = Model("gather_int64_indices")
    x, i = m.input([5, 3], "int8", 0.05, 3), m.const(np.array([4, 0, 0, 2]), "int64")
    m.output(m.op("GATHER", [x, i], m.tensor([4, 3], "int8", 0.05, 3), "GatherOptions", axis=0))
    yield Case("GATHER", m)
    m = Model("gather_nd_int64_indices")
    x, i = m.input([5, 3, 2], "int8", 0.05, 3), m.const(np.array([[4, 0], [1, 2]]), "int64")
    m.output(m.op("GATHER_ND", [x, i], m.tensor([2, 2], "int8", 0.05, 3), "GatherNdOptions"))
    yield Case("GATHER_ND", m)
    m = Model("gather_nd_indices_at_run_time")
    x = m.input([5, 3, 2], "int8", 0.05, 3)
    i = m.input([4, 2], "int32", fill=lambda rng, _: rng.integers(0, [5, 3], [4, 2]).astype(np.int32))
    m.output(m.op("GATHER_ND", [x, i], m.tensor([4, 2], "int8", 0.05, 3), "GatherNdOptions"))
    yield Case("GATHER_ND", m)
    for v, start in (("inside", [0, 1, 2]), ("clamped", [9, -4, 3])):
        m = Model(f"dynamic_update_slice_{v}")
        t = [m.input([3, 4, 5], "int8", 0.05, 3), m.input([2, 2, 3], "int8", 0.05, 3),
             m.input([3], "int32", fill=lambda rng, _, start=start: np.array(start, np.int32))]
        m.output(m.op("DYNAMIC_UPDATE_SLICE", t, m.tensor([3, 4, 5], "int8", 0.05, 3), "DynamicUpdateSliceOptions"))
        yield Case("DYNAMIC_UPDATE_SLICE", m, {"start": str(start)})
    for v, multiples in (("outer", [3, 1, 1, 1]), ("channels", [1, 1, 1, 4]), ("none", [1, 1, 1, 1])):
        m = Model(f"tile_{v}_int8")
        shape = [1, 3, 2, 5]
        x = m.input(shape, "int8", 0.05, 3)
        m.output(m.op("TILE", [x, m.const(np.array(multiples, np.int32))],
                      m.tensor([s * k for s, k in zip(shape, multiples)], "int8", 0.05, 3), "TileOptions"))
        yield Case("TILE", m, {"multiples": str(multiples)}, follow=TFLITE)
    for v, dtype, axes in (("int8", "int8", [2]), ("int16", "int16", [0]), ("two", "int8", [1, 2])):
        m = Model(f"reverse_v2_axes_{v}")
        q = {"int8": (0.05, 3), "int16": (0.001, 0)}[dtype]
        x = m.input([2, 3, 5], dtype, *q)
        m.output(m.op("REVERSE_V2", [x, m.const(np.array(axes, np.int32))], m.tensor([2, 3, 5], dtype, *q), "ReverseV2Options"))
        yield Case("REVERSE_V2", m, {"axes": str(axes)}, follow=TFLM if v == "two" else "",
                   why="tflite-runtime 2.14 reverses the first axis only; LiteRT has it right" if v == "two" else "")
    m = Model("strided_slice_ellipsis_shrink")
    x = m.input([2, 3, 4, 5], "int8", 0.05, 3)
    ints = lambda v: m.const(np.array(v, np.int32))
    m.output(m.op("STRIDED_SLICE", [x, ints([0, 0, 2]), ints([1, 0, 3]), ints([1, 1, 1])], m.tensor([3, 4], "int8", 0.05, 3),
                  "StridedSliceOptions", ellipsisMask=2, shrinkAxisMask=5))
    yield Case("STRIDED_SLICE", m, {"ellipsis_mask": 2, "shrink_axis_mask": 5})


def cases():
    yield from floats()
    yield from tables()
    yield from integers()
    yield from moves()
