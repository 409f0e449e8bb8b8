"""Reductions, normalisations, pools and BATCH_MATMUL."""

import numpy as np

from .build import ACTIVATIONS, NONE, RELU, RELU6, RELU_N1_TO_1, SAME, TYPES, VALID, Model
from .case import Case
from .refs import TFLM

Q = {"int8": (0.0471, 5), "int16": (0.0003, 0)}


def reduced(shape, axes, keep):
    axes = {a % len(shape) for a in axes}
    return [1 if i in axes else s for i, s in enumerate(shape) if keep or i not in axes]


AXES = {
    "hw": ([1, 4, 5, 3], [1, 2]), "hw_keep": ([1, 4, 5, 7], [1, 2]), "channels": ([1, 2, 3, 17], [3]), "last": ([3, 33], [-1]),
    "first": ([5, 7], [0]), "middle_keep": ([2, 5, 3], [1]), "all": ([2, 3, 5], [0, 1, 2]), "outer": ([2, 3, 4, 5], [0, 3]),
    "width": ([1, 3, 7, 5], [2]), "batch2_hw": ([2, 3, 3, 5], [1, 2]), "5d": ([1, 2, 3, 2, 5], [1, 3]), "unit": ([1, 1, 1, 9], [1, 2]),
    "reversed_order": ([1, 4, 5, 3], [2, 1]), "one_d": ([9], [0]), "large": ([1, 24, 20, 2], [1, 2])}


def reduce_ops():
    for op in ("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN"):
        for v, (shape, axes) in AXES.items():
            if op != "MEAN" and v in ("reversed_order", "large"):
                continue
            keep = "keep" in v
            n = int(np.prod([shape[a] for a in axes]))
            for dtype in ("int8", "int16", "float32", "int32") if v in ("hw", "last") else ("int8",):
                same = op.startswith("REDUCE") or dtype in ("float32", "int32")
                for kind in ("same", "rescaled") if v in ("hw", "channels", "hw_keep") and not same else ("",):
                    name = f"{op.lower()}_{v}" + ("" if kind in ("", "same") else "_" + kind) + ("" if dtype == "int8" else f"_{dtype}")
                    m = Model(name)
                    q = Q.get(dtype, ())
                    fill = (lambda s: lambda rng, _: rng.integers(-10**6, 10**6, s).astype(np.int32))(shape) if dtype == "int32" else None
                    x = m.input(shape, dtype, *q, fill=fill)
                    q_out = q
                    if op == "SUM" and not same:
                        # A sum of n values spreads by sqrt(n), and by n times the distance of the zero point from the middle.
                        q_out = (q[0] * max(1.0, 1.6 * np.sqrt(n)), 0 if dtype == "int16" else -3)
                    elif op == "MEAN" and not same and kind != "same":
                        q_out = (q[0] * max(0.1, 1.3 / np.sqrt(n)), 0 if dtype == "int16" else -9)
                    out = m.tensor(reduced(shape, axes, keep), dtype, *q_out)
                    m.output(m.op(op, [x, m.const(axes)], out, "ReducerOptions", keepDims=keep))
                    follow, why = ("", "")
                    if op == "SUM" and dtype == "int8":
                        follow, why = TFLM, "int8 SUM of tflite-runtime's BUILTIN_REF is wrong by many steps; its optimised kernel is within 1 of TFLM"
                    twin = None
                    if op == "SUM" and dtype == "int8" and len(axes) > 2:
                        assert len(axes) == len(shape)
                        why = "int8 SUM over three axes is wrong in TFLM too; over one axis of the flattened tensor it is right"
                        twin = Model(name + "_flat")
                        flat = twin.input([int(np.prod(shape))], dtype, *q)
                        twin.output(twin.op(op, [flat, twin.const([0])], twin.tensor([], dtype, *q_out), "ReducerOptions", keepDims=False))
                    yield Case(op, m, {"shape": str(shape), "axes": str(axes), "keep_dims": keep}, invocations=3, follow=follow, why=why, twin=twin,
                               saturates="minimum or maximum of many values" if op.startswith("REDUCE") else "")
    for z_in, z_out in ((-128, -128), (127, 127), (-128, 20)):
        for op in ("MEAN",):
            m = Model(f"{op.lower()}_hw_zp_{'m' if z_in < 0 else 'p'}{abs(z_in)}_{'m' if z_out < 0 else 'p'}{abs(z_out)}")
            x = m.input([1, 4, 5, 33], "int8", 0.02, z_in)
            m.output(m.op(op, [x, m.const([1, 2])], m.tensor([1, 33], "int8", 0.0113 if z_in == z_out else 0.0317, z_out), "ReducerOptions", keepDims=False))
            yield Case(op, m, {"axes": "[1, 2]"})
    for axis in ([1, 2], [3]):
        m = Model(f"reduce_all_axis{axis[0]}")
        x = m.input([1, 2, 3, 5], "bool", fill=lambda rng, _: rng.integers(0, 8, [1, 2, 3, 5]) > 0)
        m.output(m.op("REDUCE_ALL", [x, m.const(axis)], m.tensor(reduced([1, 2, 3, 5], axis, False), "bool"), "ReducerOptions", keepDims=False))
        yield Case("REDUCE_ALL", m, {"axes": str(axis)}, invocations=4)
    for op in ("ARG_MAX", "ARG_MIN"):
        for v, shape, axis in (("last", [3, 33], -1), ("channels", [1, 3, 4, 17], 3), ("first", [7, 5], 0), ("height", [1, 5, 3, 2], 1), ("1d", [9], 0)):
            for dtype in ("int8", "float32", "int16") if v == "last" else ("int8",):
                for to in ("int32", "int64") if v == "channels" else ("int32",):
                    m = Model(f"{op.lower()}_{v}" + ("" if dtype == "int8" else f"_{dtype}") + ("" if to == "int32" else "_to_int64"))
                    # Few different values, so that ties decide.
                    fill = (lambda s: lambda rng, _: rng.integers(-9, 10, s).astype(np.int8))(shape) if v == "height" else None
                    x = m.input(shape, dtype, *Q.get(dtype, ()), fill=fill)
                    out = m.tensor(reduced(shape, [axis], False), to)
                    m.output(m.op(op, [x, m.const(axis)], out, op.title().replace("_", "") + "Options", outputType=TYPES[to][0]))
                    yield Case(op, m, {"shape": str(shape), "axis": axis}, invocations=4)


def normalisations():
    for v, shape, q, beta in (("2d", [3, 10], (0.0471, 5), 1.0), ("one_row", [1, 33], (0.0131, -128), 1.0), ("4d", [1, 2, 3, 7], (0.0271, 0), 1.0),
                              ("beta", [2, 17], (0.0371, 0), 0.5), ("beta_large", [2, 17], (0.0071, 0), 3.0), ("3d", [2, 3, 5], (0.0471, 127), 1.0),
                              ("1d", [9], (0.0471, 5), 1.0), ("large_scale", [4, 17], (0.31, 5), 1.0), ("two", [4, 2], (0.0171, 3), 1.0), ("one", [4, 1], (0.0171, 3), 1.0),
                              ("small_scale", [4, 17], (0.001, 5), 1.0), ("many", [1, 300], (0.05, 0), 1.0)):
        wide = ("the function's own flank: most values are far from the largest" if v in ("large_scale", "one", "many", "2d", "one_row", "4d", "3d", "1d", "beta", "beta_large") else "")
        for to in ("int8", "int16"):
            m = Model(f"softmax_{v}" + ("" if to == "int8" else "_to_int16"))
            x = m.input(shape, "int8", *q)
            m.output(m.op("SOFTMAX", [x], m.tensor(shape, to, *((1 / 256, -128) if to == "int8" else (1 / 65536, -32768))), "SoftmaxOptions", beta=beta))
            yield Case("SOFTMAX", m, {"shape": str(shape), "beta": beta}, invocations=4, saturates=wide)
    for v, shape, s, beta in (("2d", [3, 10], 0.0001, 1.0), ("4d", [1, 2, 3, 7], 0.0002, 1.0), ("beta", [2, 17], 0.0002, 0.5), ("wide", [2, 17], 0.0005, 1.0), ("narrow", [2, 17], 2**-15, 1.0)):
        m = Model(f"softmax_{v}_int16")
        x = m.input(shape, "int16", s, 0)
        m.output(m.op("SOFTMAX", [x], m.tensor(shape, "int16", 1 / 32768, 0), "SoftmaxOptions", beta=beta))
        yield Case("SOFTMAX", m, {"shape": str(shape), "beta": beta}, invocations=4)
    m = Model("softmax_2d_float32")
    m.output(m.op("SOFTMAX", [m.input([3, 10], "float32")], m.tensor([3, 10], "float32"), "SoftmaxOptions", beta=1.0))
    yield Case("SOFTMAX", m, {"shape": "[3, 10]", "beta": 1.0})
    for v, shape, q in (("2d", [3, 10], (0.0471, 5)), ("4d", [1, 2, 3, 7], (0.0271, -128)), ("narrow", [2, 17], (0.0071, 0)), ("wide", [2, 17], (0.1, 127)), ("one_row", [1, 33], (0.02, 0))):
        m = Model(f"log_softmax_{v}")
        m.output(m.op("LOG_SOFTMAX", [m.input(shape, "int8", *q)], m.tensor(shape, "int8", 16 / 256, 127), "LogSoftmaxOptions"))
        yield Case("LOG_SOFTMAX", m, {"shape": str(shape)}, invocations=4,
                   saturates="the function's own flank" if v == "wide" else "")
    m = Model("log_softmax_2d_float32")
    m.output(m.op("LOG_SOFTMAX", [m.input([3, 10], "float32")], m.tensor([3, 10], "float32"), "LogSoftmaxOptions"))
    yield Case("LOG_SOFTMAX", m, {"shape": "[3, 10]"})
    for v, shape, z in (("2d", [3, 10], 5), ("4d", [1, 2, 3, 7], 0), ("zp_m128", [2, 17], -128), ("zp_p127", [2, 17], 127), ("long", [1, 300], 3), ("two", [9, 2], 1), ("3", [9, 3], -40)):
        m = Model(f"l2_normalization_{v}")
        m.output(m.op("L2_NORMALIZATION", [m.input(shape, "int8", 0.0471, z)], m.tensor(shape, "int8", 1 / 128, 0), "L2NormOptions"))
        yield Case("L2_NORMALIZATION", m, {"shape": str(shape)}, invocations=3)
    m = Model("l2_normalization_2d_float32")
    m.output(m.op("L2_NORMALIZATION", [m.input([3, 10], "float32")], m.tensor([3, 10], "float32"), "L2NormOptions"))
    yield Case("L2_NORMALIZATION", m, {"shape": "[3, 10]"})


def matmuls():
    for v, a, b, adj_x, adj_y in (
            ("2d", [3, 5], [5, 7], False, False), ("3d", [2, 3, 17], [2, 17, 5], False, False), ("4d", [1, 2, 3, 7], [1, 2, 7, 5], False, False),
            ("adj_x", [2, 5, 3], [2, 5, 7], True, False), ("adj_y", [2, 3, 5], [2, 7, 5], False, True), ("adj_both", [2, 5, 3], [2, 7, 5], True, True),
            ("broadcast", [2, 3, 5], [1, 5, 7], False, False), ("broadcast_rank", [2, 2, 3, 5], [5, 7], False, False), ("broadcast_left", [1, 3, 5], [3, 5, 2], False, False),
            ("vector", [1, 33], [33, 1], False, False), ("constant", [2, 3, 5], [2, 5, 7], False, False), ("constant_adj_y", [1, 3, 33], [1, 7, 33], False, True),
            ("constant_left", [3, 5], [5, 7], False, False), ("zp_m128", [3, 17], [17, 3], False, False), ("zp_p127", [3, 17], [17, 3], False, False)):
        for dtype in ("int8", "int16", "float32") if v in ("3d", "adj_y", "constant") else ("int8",):
            m = Model(f"batch_matmul_{v}" + ("" if dtype == "int8" else f"_{dtype}"))
            za, zb = {"zp_m128": (-128, -128), "zp_p127": (127, 127)}.get(v, (5, -11))
            if dtype != "int8":
                za = zb = 0
            sa, sb = (0.0471, 0.0213) if dtype == "int8" else (0.0002, 0.0001)
            k = a[-2] if adj_x else a[-1]
            rows, cols = a[-1] if adj_x else a[-2], b[-2] if adj_y else b[-1]
            out = list(np.broadcast_shapes(tuple(a[:-2]), tuple(b[:-2]))) + [rows, cols]
            half = 128 if dtype == "int8" else 32768
            rms = lambda z: np.sqrt(half**2 / 3 + z * z)
            spread = sa * sb * rms(za) * rms(zb) * np.sqrt(k)
            z_out, mean = 0, 0
            if za and abs(za) > 100:
                mean = sa * sb * 127.5**2 * k
                z_out = -128
            s_out = (mean + 2.2 * spread / 2) / 255 if mean else 2.2 * spread / half
            qs = (((sa, za), (sb, zb), (s_out, z_out if dtype == "int8" else 0)) if dtype != "float32" else ((), (), ()))
            t = [m.const(m.rng.integers(1 - half, half, s), dtype, *q) if v.startswith("constant") and (i == 1) != (v == "constant_left") else m.input(s, dtype, *q)
                 for i, (s, q) in enumerate(((a, qs[0]), (b, qs[1])))]
            m.output(m.op("BATCH_MATMUL", t, m.tensor(out, dtype, *qs[2]), "BatchMatMulOptions", adjX=adj_x, adjY=adj_y))
            yield Case("BATCH_MATMUL", m, {"shapes": f"{a} {b}", "adj_x": adj_x, "adj_y": adj_y}, invocations=3)


def pools():
    for op in ("AVERAGE_POOL_2D", "MAX_POOL_2D"):
        for v, shape, filt, stride, padding, act, q in (
                ("2x2_s2_valid", [1, 6, 8, 3], (2, 2), (2, 2), VALID, NONE, (0.0471, 5)), ("3x3_s1_same", [1, 5, 6, 5], (3, 3), (1, 1), SAME, NONE, (0.0471, 5)),
                ("3x3_s2_same", [1, 7, 6, 7], (3, 3), (2, 2), SAME, NONE, (0.0471, -128)), ("2x3_s1x2_valid", [1, 5, 7, 1], (2, 3), (1, 2), VALID, NONE, (0.0471, 127)),
                ("global", [1, 5, 7, 17], (5, 7), (1, 1), VALID, NONE, (0.0471, 5)), ("batch2", [2, 4, 4, 3], (2, 2), (2, 2), VALID, NONE, (0.0471, 5)),
                ("5x1_s3x1_same", [1, 11, 3, 3], (5, 1), (3, 1), SAME, NONE, (0.0471, 5)), ("c33", [1, 4, 4, 33], (2, 2), (2, 2), SAME, NONE, (0.0471, 5)),
                ("relu", [1, 6, 6, 5], (2, 2), (1, 1), VALID, RELU, (0.0471, -20)), ("relu6", [1, 6, 6, 5], (2, 2), (1, 1), VALID, RELU6, (0.0771, -20)),
                ("relu_n1_to_1", [1, 6, 6, 5], (2, 2), (1, 1), SAME, RELU_N1_TO_1, (0.0471, 0)), ("wider_than_input", [1, 3, 3, 2], (5, 5), (1, 1), SAME, NONE, (0.0471, 5)),
                ("1x1_s2", [1, 5, 5, 3], (1, 1), (2, 2), SAME, NONE, (0.0471, 5))):
            for dtype in ("int8", "int16", "float32") if v in ("2x2_s2_valid", "3x3_s1_same", "relu") else ("int8", "int16"):
                n, h, w, c = shape
                if padding == SAME:
                    oh, ow = -(-h // stride[0]), -(-w // stride[1])
                else:
                    oh, ow = (h - filt[0]) // stride[0] + 1, (w - filt[1]) // stride[1] + 1
                m = Model(f"{op.lower()}_{v}" + ("" if dtype == "int8" else f"_{dtype}"))
                qq = q if dtype == "int8" else (0.0001, 0) if dtype == "int16" and act == RELU_N1_TO_1 else Q.get(dtype, ())
                x = m.input(shape, dtype, *qq)
                m.output(m.op(op, [x], m.tensor([n, oh, ow, c], dtype, *qq), "Pool2DOptions", padding=padding, strideH=stride[0], strideW=stride[1],
                              filterHeight=filt[0], filterWidth=filt[1], fusedActivationFunction=act))
                yield Case(op, m, {"shape": str(shape), "filter": str(filt), "stride": str(stride), "padding": "same" if padding == SAME else "valid",
                                   "activation": ACTIVATIONS[act]}, invocations=3)
    m = Model("l2_pool_2d_float32")
    m.output(m.op("L2_POOL_2D", [m.input([1, 5, 6, 3], "float32")], m.tensor([1, 3, 3, 3], "float32"), "Pool2DOptions", padding=SAME, strideH=2, strideW=2,
                  filterHeight=3, filterWidth=3))
    yield Case("L2_POOL_2D", m)


def cases():
    yield from reduce_ops()
    yield from normalisations()
    yield from matmuls()
    yield from pools()
