"""Operators that move data: padding, joining, splitting, slicing, gathering, resizing."""

import numpy as np

from .build import TYPES, Model
from .case import Case
from .refs import TFLITE, TFLM

Q = {"int8": (0.0471, 5), "int16": (0.0003, 0)}


def q(dtype):
    return Q.get(dtype, ())


def simple(op, variant, shape, out_shape, make_inputs, options=None, dtype="int8", described=None, q_in=None, q_out=None,
           follow="", why="", saturates="", **values):
    """One activation, then constants; `make_inputs(m, x)` gives the op's inputs."""
    name = f"{op.lower()}_{variant}" + ("" if dtype == "int8" else f"_{dtype}")
    m = Model(name)
    q_in = q(dtype) if q_in is None else q_in
    x = m.input(shape, dtype, *q_in)
    out = m.tensor(out_shape, dtype, *(q_in if q_out is None else q_out))
    m.output(m.op(op, make_inputs(m, x), out, options, **values))
    return Case(op, m, {"shape": str(shape), **(described or {})}, follow=follow, why=why, saturates=saturates)


def pads():
    shapes = {
        "hw": ([1, 4, 5, 3], [[0, 0], [1, 2], [2, 1], [0, 0]]), "channels": ([1, 4, 5, 3], [[0, 0], [0, 0], [0, 0], [1, 3]]),
        "all": ([2, 3, 3, 5], [[1, 0], [0, 1], [2, 2], [1, 1]]), "2d": ([3, 7], [[1, 1], [2, 0]]), "1d": ([5], [[2, 3]]),
        "3d": ([2, 5, 7], [[0, 0], [3, 1], [0, 2]]), "none": ([1, 3, 3, 2], [[0, 0]] * 4),
        "5d": ([1, 2, 3, 2, 3], [[0, 0], [1, 0], [0, 1], [1, 1], [0, 2]])}
    for v, (shape, pad) in shapes.items():
        out = [s + a + b for s, (a, b) in zip(shape, pad)]
        for dtype in ("int8", "int16", "float32", "int32") if v in ("hw", "2d") else ("int8",):
            yield simple("PAD", v, shape, out, lambda m, x: [x, m.const(pad)], "PadOptions", dtype, {"paddings": str(pad)})
        for value in (-128, 127, 9) if v in ("hw", "all") else (-77,):
            if v == "none":
                continue
            yield simple("PADV2", f"{v}_value_{'m' if value < 0 else 'p'}{abs(value)}", shape, out,
                         lambda m, x: [x, m.const(pad), m.const(value, "int8", *q("int8"))], "PadV2Options",
                         described={"paddings": str(pad), "value": value},
                         saturates="the padding is at the end of the range" if value in (-128, 127) else "")
    shape, pad = shapes["hw"]
    out = [s + a + b for s, (a, b) in zip(shape, pad)]
    yield simple("PADV2", "hw_value", shape, out, lambda m, x: [x, m.const(pad), m.const(1234, "int16", *q("int16"))],
                 "PadV2Options", "int16", {"paddings": str(pad)})
    yield simple("PADV2", "hw_value", shape, out, lambda m, x: [x, m.const(pad), m.const(1.25, "float32")],
                 "PadV2Options", "float32", {"paddings": str(pad)})
    for z in (-128, 127):
        yield simple("PAD", f"zero_point_{'m128' if z < 0 else 'p127'}", shape, out, lambda m, x: [x, m.const(pad)], "PadOptions",
                     q_in=(0.0235, z), saturates="the padding is at the end of the range")
    for v, shape, pad in (("hw", [1, 4, 5, 3], [[0, 0], [1, 2], [2, 1], [0, 0]]), ("2d", [3, 7], [[1, 1], [2, 1]]),
                          ("1d", [7], [[3, 2]]), ("large", [1, 4, 4, 2], [[0, 0], [3, 3], [3, 3], [0, 0]])):
        out = [s + a + b for s, (a, b) in zip(shape, pad)]
        for mode, k in (("reflect", 0), ("symmetric", 1)):
            for dtype in ("int8", "int16", "float32") if v == "hw" else ("int8",):
                yield simple("MIRROR_PAD", f"{v}_{mode}", shape, out, lambda m, x: [x, m.const(pad)], "MirrorPadOptions", dtype,
                             {"paddings": str(pad), "mode": mode}, mode=k)


def joins():
    def concat(v, shapes, axis, dtype="int8", qs=None, q_out=None, const=None, act=0):
        name = f"concatenation_{v}" + ("" if dtype == "int8" else f"_{dtype}")
        m = Model(name)
        ts = []
        for i, s in enumerate(shapes):
            qi = qs[i] if qs else q(dtype)
            ts.append(m.const(m.rng.integers(-128, 128, s), dtype, *qi) if const == i else m.input(s, dtype, *qi))
        out = list(shapes[0])
        out[axis] = sum(s[axis] for s in shapes)
        m.output(m.op("CONCATENATION", ts, m.tensor(out, dtype, *(q_out or q(dtype))), "ConcatenationOptions", axis=axis,
                      fusedActivationFunction=act))
        return Case("CONCATENATION", m, {"shapes": str(shapes), "axis": axis})

    for dtype in ("int8", "int16", "float32", "int32"):
        yield concat("channels", [[1, 3, 4, 3], [1, 3, 4, 5]], 3, dtype)
    yield concat("channels_negative_axis", [[1, 3, 4, 1], [1, 3, 4, 7], [1, 3, 4, 2]], -1)
    yield concat("height", [[1, 2, 4, 3], [1, 3, 4, 3]], 1)
    yield concat("width", [[1, 2, 4, 3], [1, 2, 1, 3]], 2)
    yield concat("batch", [[2, 2, 3], [1, 2, 3], [3, 2, 3]], 0)
    yield concat("1d", [[3], [5]], 0)
    yield concat("2d", [[3, 7], [3, 17]], 1)
    yield concat("five", [[1, 2, 2, k] for k in (1, 3, 5, 7, 17)], 3)
    yield concat("one", [[1, 2, 2, 3]], 3)
    yield concat("constant", [[1, 2, 2, 3], [1, 2, 2, 5]], 3, const=1)
    yield concat("same_input_types_5d", [[1, 2, 1, 2, 3], [1, 2, 2, 2, 3]], 2)
    yield concat("different_scales", [[1, 2, 2, 3], [1, 2, 2, 5]], 3, qs=[(0.0471, 5), (0.031, -7)], q_out=(0.05, 2))
    # The same tensor twice.
    m = Model("concatenation_same_tensor_twice")
    x = m.input([1, 3, 3, 5], "int8", *Q["int8"])
    m.output(m.op("CONCATENATION", [x, x], m.tensor([1, 3, 3, 10], "int8", *Q["int8"]), "ConcatenationOptions", axis=3))
    yield Case("CONCATENATION", m, {"axis": 3})
    for dtype in ("int8", "int16", "float32", "int32"):
        for v, shape, n, axis in (("first", [3, 5], 2, 0), ("middle", [3, 5], 3, 1), ("last", [2, 3, 5], 2, -1)):
            if dtype not in ("int8",) and v != "middle":
                continue
            m = Model(f"pack_{v}_{dtype}" if dtype != "int8" else f"pack_{v}")
            ts = [m.input(shape, dtype, *q(dtype)) for _ in range(n)]
            out = list(shape)
            out.insert(axis % (len(shape) + 1), n)
            m.output(m.op("PACK", ts, m.tensor(out, dtype, *q(dtype)), "PackOptions", valuesCount=n, axis=axis))
            yield Case("PACK", m, {"shape": str(shape), "count": n, "axis": axis})
        for v, shape, axis in (("first", [3, 2, 5], 0), ("middle", [2, 3, 5], 1), ("last", [2, 5, 3], -1)):
            if dtype not in ("int8",) and v != "middle":
                continue
            m = Model(f"unpack_{v}_{dtype}" if dtype != "int8" else f"unpack_{v}")
            x = m.input(shape, dtype, *q(dtype))
            out = list(shape)
            n = out.pop(axis)
            outs = [m.tensor(out, dtype, *q(dtype)) for _ in range(n)]
            m.op("UNPACK", [x], outs, "UnpackOptions", num=n, axis=axis)
            m.output(*outs)
            yield Case("UNPACK", m, {"shape": str(shape), "axis": axis})
    for dtype in ("int8", "int16", "float32", "int32"):
        for v, shape, n, axis in (("channels", [1, 3, 2, 6], 3, 3), ("height", [1, 6, 2, 5], 2, 1), ("negative_axis", [2, 9], 3, -1), ("batch", [4, 3], 4, 0)):
            if dtype != "int8" and v != "channels":
                continue
            m = Model(f"split_{v}" + ("" if dtype == "int8" else f"_{dtype}"))
            a = m.const(axis)
            x = m.input(shape, dtype, *q(dtype))
            out = list(shape)
            out[axis] //= n
            outs = [m.tensor(out, dtype, *q(dtype)) for _ in range(n)]
            m.op("SPLIT", [a, x], outs, "SplitOptions", version={"int8": 2, "int16": 4, "int32": 3}.get(dtype, 1), numSplits=n)
            m.output(*outs)
            yield Case("SPLIT", m, {"shape": str(shape), "axis": axis, "parts": n})
        for v, shape, sizes, axis in (("channels", [1, 3, 2, 17], [3, 1, 13], 3), ("width", [2, 2, 7, 3], [2, 5], 2),
                                      ("rest", [2, 9], [2, -1, 3], -1), ("batch", [4, 3], [1, 3], 0)):
            if dtype != "int8" and v != "channels":
                continue
            m = Model(f"split_v_{v}" + ("" if dtype == "int8" else f"_{dtype}"))
            x = m.input(shape, dtype, *q(dtype))
            full = [s if s >= 0 else shape[axis] - sum(t for t in sizes if t > 0) for s in sizes]
            outs = []
            for s in full:
                out = list(shape)
                out[axis] = s
                outs.append(m.tensor(out, dtype, *q(dtype)))
            m.op("SPLIT_V", [x, m.const(sizes), m.const(axis)], outs, "SplitVOptions", numSplits=len(sizes))
            m.output(*outs)
            yield Case("SPLIT_V", m, {"shape": str(shape), "axis": axis, "sizes": str(sizes)})


def views():
    for dtype in ("int8", "int16", "float32", "int32"):
        yield simple("RESHAPE", "4d_to_2d", [1, 3, 2, 5], [1, 30], lambda m, x: [x, m.const([1, 30])], "ReshapeOptions", dtype, newShape=[1, 30])
    yield simple("RESHAPE", "minus_one", [2, 3, 5], [6, 5], lambda m, x: [x, m.const([-1, 5])], "ReshapeOptions", newShape=[-1, 5])
    yield simple("RESHAPE", "to_5d", [6, 10], [2, 3, 1, 5, 2], lambda m, x: [x, m.const([2, 3, 1, 5, 2])], "ReshapeOptions", newShape=[2, 3, 1, 5, 2])
    yield simple("RESHAPE", "no_shape_input", [2, 3, 5], [6, 5], lambda m, x: [x], "ReshapeOptions", newShape=[6, 5])
    yield simple("RESHAPE", "flat", [2, 3, 5], [30], lambda m, x: [x, m.const([-1])], "ReshapeOptions", newShape=[-1])
    yield simple("SQUEEZE", "two", [1, 3, 1, 5], [3, 5], lambda m, x: [x], "SqueezeOptions", squeezeDims=[0, 2])
    yield simple("SQUEEZE", "negative", [1, 3, 5, 1], [1, 3, 5], lambda m, x: [x], "SqueezeOptions", squeezeDims=[-1])
    yield simple("SQUEEZE", "all", [1, 3, 1, 5, 1], [3, 5], lambda m, x: [x], "SqueezeOptions", squeezeDims=[])
    yield simple("SQUEEZE", "two", [1, 3, 1, 5], [3, 5], lambda m, x: [x], "SqueezeOptions", "int16", squeezeDims=[0, 2])
    yield simple("SQUEEZE", "two", [1, 3, 1, 5], [3, 5], lambda m, x: [x], "SqueezeOptions", "float32", squeezeDims=[0, 2])
    for axis, out in ((0, [1, 3, 5]), (1, [3, 1, 5]), (-1, [3, 5, 1]), (-2, [3, 1, 5])):
        t = f"axis_{'m' if axis < 0 else ''}{abs(axis)}"
        yield simple("EXPAND_DIMS", t, [3, 5], out, lambda m, x: [x, m.const(axis)], "ExpandDimsOptions", described={"axis": axis})
    yield simple("EXPAND_DIMS", "axis_1", [3, 5], [3, 1, 5], lambda m, x: [x, m.const([1])], "ExpandDimsOptions", "int16")
    yield simple("EXPAND_DIMS", "axis_1", [3, 5], [3, 1, 5], lambda m, x: [x, m.const([1])], "ExpandDimsOptions", "float32")
    for shape, perm in (([3, 5], [1, 0]), ([2, 3, 5], [2, 0, 1]), ([2, 3, 5], [0, 2, 1]), ([2, 3, 5], [1, 0, 2]), ([2, 3, 4, 5], [0, 3, 1, 2]),
                        ([2, 3, 4, 5], [0, 2, 3, 1]), ([2, 3, 4, 5], [3, 2, 1, 0]), ([1, 3, 4, 7], [0, 2, 1, 3]), ([2, 3, 4, 5], [0, 1, 2, 3]),
                        ([1, 2, 3, 2, 3], [0, 4, 2, 1, 3]), ([1, 2, 1, 3, 2, 2], [5, 3, 1, 0, 2, 4])):
        out = [shape[p] for p in perm]
        for dtype in ("int8", "int16", "float32", "int32") if perm == [0, 3, 1, 2] else ("int8",):
            yield simple("TRANSPOSE", "".join(map(str, perm)), shape, out, lambda m, x: [x, m.const(perm)], "TransposeOptions", dtype, {"perm": str(perm)})
    for v, shape, begin, size in (("hw", [1, 5, 6, 3], [0, 1, 2, 0], [1, 3, 2, 3]), ("to_end", [2, 5, 7], [1, 0, 3], [-1, -1, -1]),
                                  ("channels", [1, 3, 3, 17], [0, 0, 0, 5], [1, 3, 3, 7]), ("1d", [9], [2], [5]), ("5d", [1, 2, 3, 2, 5], [0, 1, 0, 0, 1], [1, 1, 2, 2, 3])):
        out = [s if s >= 0 else d - b for s, b, d in zip(size, begin, shape)]
        for dtype in ("int8", "int16", "float32", "int32") if v == "hw" else ("int8",):
            yield simple("SLICE", v, shape, out, lambda m, x: [x, m.const(begin), m.const(size)], "SliceOptions", dtype, {"begin": str(begin), "size": str(size)})
    m = Model("slice_int64_indices")
    x = m.input([2, 7], "int8", *Q["int8"])
    m.output(m.op("SLICE", [x, m.const([0, 2], "int64"), m.const([2, 3], "int64")], m.tensor([2, 3], "int8", *Q["int8"]), "SliceOptions"))
    yield Case("SLICE", m)
    for v, shape, b, e, s, masks in (
            ("plain", [1, 5, 6, 3], [0, 1, 2, 0], [1, 4, 5, 3], [1, 1, 1, 1], {}),
            ("stride2", [1, 5, 6, 3], [0, 0, 1, 0], [1, 5, 6, 3], [1, 2, 2, 1], {}),
            ("stride3_channels", [1, 2, 3, 17], [0, 0, 0, 1], [1, 2, 3, 17], [1, 1, 1, 3], {}),
            ("negative_stride", [2, 5, 3], [1, 4, 2], [-3, -6, -4], [-1, -1, -1], {}),
            ("negative_stride2", [7, 3], [-1, 0], [-8, 3], [-2, 1], {}),
            ("negative_indices", [2, 5, 7], [0, -4, -5], [2, -1, -2], [1, 1, 1], {}),
            ("begin_mask", [4, 5, 3], [2, 1, 1], [4, 4, 3], [1, 1, 1], {"beginMask": 5}),
            ("end_mask", [4, 5, 3], [1, 1, 1], [2, 2, 2], [1, 1, 1], {"endMask": 3}),
            ("both_masks", [4, 5, 3], [1, 1, 1], [2, 2, 2], [1, 2, 1], {"beginMask": 6, "endMask": 7}),
            ("masks_negative_stride", [4, 5], [0, 2], [1, 0], [-1, -2], {"beginMask": 3, "endMask": 3}),
            ("shrink_first", [4, 5, 3], [2, 0, 0], [3, 5, 3], [1, 1, 1], {"shrinkAxisMask": 1}),
            ("shrink_middle", [4, 5, 3], [0, -2, 0], [4, -1, 3], [1, 1, 1], {"shrinkAxisMask": 2}),
            ("shrink_last_with_masks", [4, 5, 3], [0, 0, 1], [0, 0, 2], [1, 1, 1], {"shrinkAxisMask": 4, "beginMask": 3, "endMask": 3}),
            ("ends_beyond", [4, 5], [-9, 1], [99, 100], [1, 2], {}),
            ("1d", [9], [1], [8], [3], {}),
            ("5d", [1, 2, 3, 4, 3], [0, 0, 1, 0, 0], [1, 2, 3, 4, 3], [1, 1, 1, 2, 2], {}),
            ("ellipsis", [2, 3, 4, 5], [0, 1], [0, 3], [1, 1], {"ellipsisMask": 1}),
            ("new_axis", [4, 5], [0, 0, 1], [4, 0, 4], [1, 1, 1], {"newAxisMask": 2})):
        out = sliced(shape, b, e, s, masks)
        for dtype in ("int8", "int16", "float32", "int32") if v in ("stride2", "shrink_first") else ("int8",):
            yield simple("STRIDED_SLICE", v, shape, out, lambda m, x: [x, m.const(b), m.const(e), m.const(s)], "StridedSliceOptions", dtype,
                         {"begin": str(b), "end": str(e), "strides": str(s), **masks}, **masks)


def sliced(shape, b, e, s, masks):
    """The shape that numpy gives the same slice."""
    index = []
    for i in range(len(b)):
        bit = 1 << i
        if masks.get("ellipsisMask", 0) & bit:
            index.append(Ellipsis)
        elif masks.get("newAxisMask", 0) & bit:
            index.append(None)
        elif masks.get("shrinkAxisMask", 0) & bit:
            index.append(b[i])
        else:
            index.append(slice(None if masks.get("beginMask", 0) & bit else b[i], None if masks.get("endMask", 0) & bit else e[i], s[i]))
    return list(np.empty(shape)[tuple(index)].shape)


def gathers():
    for v, shape, ids, axis, batch in (
            ("axis0", [5, 3], [4, 0, 2, 4], 0, 0), ("axis1", [2, 7, 3], [6, 1, 1], 1, 0), ("last", [2, 3, 5], [0, 4, 2], -1, 0),
            ("2d_indices", [5, 3], [[4, 0], [2, 1]], 0, 0), ("scalar", [5, 3], 3, 0, 0), ("batch_dims", [2, 5, 3], [[4, 0], [2, 1]], 1, 1),
            ("channels", [1, 2, 2, 17], [16, 3, 5, 0, 7], 3, 0)):
        ids = np.array(ids)
        out = list(np.empty(shape).shape)
        axis_ = axis % len(shape)
        out = shape[:axis_] + list(ids.shape[batch:]) + shape[axis_ + 1:]
        for dtype in ("int8", "int16", "float32") if v == "axis1" else ("int8",):
            c = simple("GATHER", v, shape, out, lambda m, x: [x, m.const(ids)], "GatherOptions", dtype, {"axis": axis, "batch_dims": batch}, axis=axis, batchDims=batch)
            yield c
    m = Model("gather_indices_at_run_time")
    x = m.input([9, 5], "int8", *Q["int8"])
    i = m.input([4], "int32", fill=lambda rng, _: rng.integers(0, 9, 4).astype(np.int32))
    m.output(m.op("GATHER", [x, i], m.tensor([4, 5], "int8", *Q["int8"]), "GatherOptions"))
    yield Case("GATHER", m, {"axis": 0}, invocations=4)
    m = Model("gather_constant_table")
    i = m.input([7], "int32", fill=lambda rng, _: rng.integers(0, 9, 7).astype(np.int32))
    x = m.const(m.rng.integers(-128, 128, [9, 5]), "int8", *Q["int8"])
    m.output(m.op("GATHER", [x, i], m.tensor([7, 5], "int8", *Q["int8"]), "GatherOptions"))
    yield Case("GATHER", m, {"axis": 0}, invocations=4)
    for v, shape, ids, out in (("rows", [4, 5], [[3], [0], [3]], [3, 5]), ("elements", [4, 5], [[3, 1], [0, 4]], [2]), ("3d", [2, 3, 5], [[[1, 2], [0, 0]]], [1, 2, 5])):
        for dtype in ("int8", "float32") if v == "rows" else ("int8",):
            yield simple("GATHER_ND", v, shape, out, lambda m, x: [x, m.const(ids)], "GatherNdOptions", dtype, {"indices": str(ids)})
    for v, shape, axes in (("last", [2, 3, 5], [2]), ("first", [4, 3], [0]), ("middle", [2, 5, 3], [1])):
        yield simple("REVERSE_V2", v, shape, shape, lambda m, x: [x, m.const(axes)], "ReverseV2Options", described={"axes": str(axes)})
    yield simple("REVERSE_V2", "last", [2, 3, 5], [2, 3, 5], lambda m, x: [x, m.const([2])], "ReverseV2Options", "float32")
    for v, shape, mult in (("hw", [1, 2, 3, 5], [1, 2, 3, 1]), ("1d", [5], [3])):
        yield simple("TILE", v, shape, [a * b for a, b in zip(shape, mult)], lambda m, x: [x, m.const(mult)], "TileOptions", described={"multiples": str(mult)})
    for v, shape, to in (("rows", [1, 5], [4, 5]), ("4d", [1, 3, 1, 5], [2, 3, 4, 5]), ("rank", [5], [2, 3, 5])):
        for dtype in ("int8", "int16", "float32") if v == "rows" else ("int8",):
            c = simple("BROADCAST_TO", v, shape, to, lambda m, x: [x, m.const(to)], "BroadcastToOptions", dtype, {"to": str(to)})
            c.model.codes = [(code, 2) for code, _ in c.model.codes]
            yield c
    for dtype in ("int8", "int16", "float32", "int32"):
        m = Model(f"shape_{dtype}")
        x = m.input([2, 3, 1, 7], dtype, *q(dtype))
        m.output(m.op("SHAPE", [x], m.tensor([4], "int32"), "ShapeOptions", outType=TYPES["int32"][0]))
        yield Case("SHAPE", m, invocations=1)
    for dtype in ("int8", "float32"):
        m = Model(f"embedding_lookup_{dtype}")
        i = m.input([4], "int32", fill=lambda rng, _: rng.integers(0, 9, 4).astype(np.int32))
        table = m.const(m.rng.integers(-128, 128, [9, 5]), dtype, *q(dtype))
        m.output(m.op("EMBEDDING_LOOKUP", [i, table], m.tensor([4, 5], dtype, *q(dtype))))
        yield Case("EMBEDDING_LOOKUP", m, invocations=4)
    m = Model("zeros_like_float32")
    m.output(m.op("ZEROS_LIKE", [m.input([2, 7], "float32")], m.tensor([2, 7], "float32"), "ZerosLikeOptions"))
    yield Case("ZEROS_LIKE", m, invocations=1)
    m = Model("zeros_like_int8")
    m.output(m.op("ZEROS_LIKE", [m.input([2, 7], "int8", *Q["int8"])], m.tensor([2, 7], "int8", *Q["int8"]), "ZerosLikeOptions"))
    yield Case("ZEROS_LIKE", m, invocations=1)
    for dtype in ("int8", "float32", "int32"):
        m = Model(f"fill_{dtype}")
        x = m.input([], dtype, *q(dtype))
        m.output(m.op("FILL", [m.const([3, 5]), x], m.tensor([3, 5], dtype, *q(dtype)), "FillOptions", version={"int8": 3}.get(dtype, 1)))
        yield Case("FILL", m)
    for dtype in ("float32", "int8"):
        for v, exclusive, reverse, axis in (("plain", False, False, 1), ("exclusive", True, False, -1), ("reverse", False, True, 0), ("exclusive_reverse", True, True, 1)):
            m = Model(f"cumsum_{v}_{dtype}")
            x = m.input([3, 5, 2], dtype, *(() if dtype == "float32" else (0.0471, 5)))
            m.output(m.op("CUMSUM", [x, m.const(axis)], m.tensor([3, 5, 2], dtype, *(() if dtype == "float32" else (0.13, -7))), "CumsumOptions", exclusive=exclusive, reverse=reverse))
            yield Case("CUMSUM", m, {"axis": axis})
    m = Model("dynamic_update_slice_int8")
    x, u = m.input([4, 5], "int8", *Q["int8"]), m.input([2, 3], "int8", *Q["int8"])
    i = m.input([2], "int32", fill=lambda rng, _: rng.integers(-1, 5, 2).astype(np.int32))
    m.output(m.op("DYNAMIC_UPDATE_SLICE", [x, u, i], m.tensor([4, 5], "int8", *Q["int8"]), "DynamicUpdateSliceOptions"))
    yield Case("DYNAMIC_UPDATE_SLICE", m, invocations=4)


def blocks():
    fault = "TFLM pads SPACE_TO_BATCH_ND with 0 instead of the zero point"
    for v, shape, block, pad in (("2x2", [1, 4, 6, 3], [2, 2], [[0, 0], [0, 0]]), ("padded", [1, 5, 5, 3], [2, 2], [[1, 2], [0, 1]]),
                                 ("3x2", [2, 3, 4, 5], [3, 2], [[1, 2], [1, 1]]), ("dilation", [1, 1, 8, 5], [1, 4], [[0, 0], [4, 4]]),
                                 ("3d", [1, 7, 5], [3], [[2, 0]])):
        out = [shape[0] * int(np.prod(block))] + [(s + a + b) // k for s, (a, b), k in zip(shape[1:], pad, block)] + shape[1 + len(block):]
        padded = any(sum(p, []) for p in [pad]) and np.any(pad)
        for z in (0, -128, 5) if padded else (5,):
            yield simple("SPACE_TO_BATCH_ND", f"{v}_zp_{'m' if z < 0 else 'p'}{abs(z)}", shape, out, lambda m, x: [x, m.const(block), m.const(pad)],
                         "SpaceToBatchNDOptions", q_in=(0.0471, z), described={"block": str(block), "paddings": str(pad)},
                         follow=TFLITE if padded and z else "", why=fault if padded and z else "",
                         saturates="the padding is at the end of the range" if z == -128 else "")
        yield simple("SPACE_TO_BATCH_ND", v, shape, out, lambda m, x: [x, m.const(block), m.const(pad)], "SpaceToBatchNDOptions", "float32")
        yield simple("BATCH_TO_SPACE_ND", v, out, shape, lambda m, x: [x, m.const(block), m.const(pad)], "BatchToSpaceNDOptions",
                     described={"block": str(block), "crops": str(pad)})
        if v == "padded":
            yield simple("SPACE_TO_BATCH_ND", v, shape, out, lambda m, x: [x, m.const(block), m.const(pad)], "SpaceToBatchNDOptions", "int16")
            yield simple("BATCH_TO_SPACE_ND", v, out, shape, lambda m, x: [x, m.const(block), m.const(pad)], "BatchToSpaceNDOptions", "int16")
            yield simple("BATCH_TO_SPACE_ND", v, out, shape, lambda m, x: [x, m.const(block), m.const(pad)], "BatchToSpaceNDOptions", "float32")
    for k, shape in ((2, [1, 4, 6, 3]), (3, [2, 3, 6, 1]), (2, [1, 2, 2, 5]), (4, [1, 4, 8, 1])):
        out = [shape[0], shape[1] // k, shape[2] // k, shape[3] * k * k]
        t = f"block{k}_c{shape[3]}"
        for dtype in ("int8", "int16", "float32") if t == "block2_c3" else ("int8",):
            yield simple("SPACE_TO_DEPTH", t, shape, out, lambda m, x: [x], "SpaceToDepthOptions", dtype, blockSize=k)
            yield simple("DEPTH_TO_SPACE", t, out, shape, lambda m, x: [x], "DepthToSpaceOptions", dtype, blockSize=k)


def resizes():
    sizes = {"up2": ([1, 3, 4, 3], [6, 8]), "up_odd": ([1, 3, 4, 5], [7, 9]), "down": ([1, 8, 9, 3], [3, 4]), "same": ([1, 4, 4, 2], [4, 4]),
             "to_one": ([1, 5, 5, 3], [1, 1]), "from_one": ([1, 1, 1, 7], [3, 2]), "batch": ([2, 3, 2, 1], [5, 3]), "mixed": ([1, 7, 3, 17], [4, 5])}
    for op in ("RESIZE_NEAREST_NEIGHBOR", "RESIZE_BILINEAR"):
        options = "ResizeBilinearOptions" if op == "RESIZE_BILINEAR" else "ResizeNearestNeighborOptions"
        for v, (shape, size) in sizes.items():
            for mode, values in (("", {}), ("_align_corners", {"alignCorners": True}), ("_half_pixel", {"halfPixelCenters": True})):
                out = [shape[0], *size, shape[3]]
                for dtype in ("int8", "int16", "float32") if v == "up_odd" else ("int8",):
                    yield simple(op, v + mode, shape, out, lambda m, x: [x, m.const(size)], options, dtype, {"size": str(size), **values}, **values,
                                 **({"follow": TFLITE, "why": "TFLM's RESIZE_NEAREST_NEIGHBOR ignores half_pixel_centers"}
                                    if mode == "_half_pixel" and op == "RESIZE_NEAREST_NEIGHBOR" else {}))


def cases():
    yield from pads()
    yield from joins()
    yield from views()
    yield from gathers()
    yield from blocks()
    yield from resizes()
