"""CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV and FULLY_CONNECTED in int8, int16x8 and with int4 weights."""

import itertools

import numpy as np

from .build import ACTIVATIONS, NONE, RELU, RELU6, RELU_N1_TO_1, SAME, TYPES, VALID, Model
from .case import Case
from .refs import LITERT, TFLM


def rms(dtype, zp):
    half = 32768 if dtype == "int16" else 128
    return np.sqrt(half**2 / 3 + (zp + (dtype != "int16") * 0.5) ** 2)


def weighted(m, shape, qdim, terms, channels, act, zp_out, dtype="int8", q_in=(0.0471, 5), wtype="int8", per_channel=True, bias=True,
             bias_type=None):
    """(weights, bias, (scale, zero point) of the output): scales such that the outputs fill their range and few saturate.

    Without activation the spread is 2.2 sigma to either side of the middle; relu cuts off about an eighth; relu6 a twelfth
    above and below. The bias moves the mean to where that takes.
    """
    hi_w = 7 if wtype == "int4" else 127
    weights = m.rng.integers(-hi_w, hi_w, shape, endpoint=True)
    lo, hi = np.iinfo(TYPES[dtype][1]).min, np.iinfo(TYPES[dtype][1]).max
    sigma, mean = {NONE: (1.9, None), RELU: (1.9, 3.1), RELU6: (1.7, 3.0), RELU_N1_TO_1: (0.7, 0.0)}[act]
    if act == NONE:
        s_out = 4.8 * sigma / (hi - lo)
        mean = (0 - zp_out) * s_out * 0.97 if bias else 0
        if not bias:
            s_out = 2.2 * sigma / min(hi - zp_out, zp_out - lo)
    elif act == RELU:
        s_out = (mean + 2.2 * sigma) / (hi - zp_out)
    elif act == RELU6:
        s_out = 6.0 / (hi - zp_out)
    else:
        s_out = 1.15 / min(hi - zp_out, zp_out - lo)
    s_w = sigma / (q_in[0] * rms(dtype, q_in[1]) * np.sqrt(np.mean(weights.astype(float) ** 2)) * np.sqrt(terms))
    if per_channel:
        s_w = s_w * m.rng.uniform(0.55, 1.3, channels)
    s_w = np.float32(s_w)
    w = m.const(weights, wtype, s_w, 0, qdim if per_channel else 0)
    b = None
    if bias:
        s_b = np.float32(q_in[0]) * s_w
        values = np.rint((mean + m.rng.normal(0, 0.15 * sigma, channels)) / s_b).astype(np.int64)
        bias_type = bias_type or ("int64" if dtype == "int16" else "int32")
        b = m.const(values, bias_type, s_b, 0)
    return w, b, (float(np.float32(s_out)), zp_out)


def extent(size, k, stride, dilation, padding):
    span = (k - 1) * dilation + 1
    return -(-size // stride) if padding == SAME else (size - span) // stride + 1


def conv(variant, h=5, w=6, cin=3, cout=5, k=(3, 3), stride=(1, 1), dilation=(1, 1), padding=SAME, act=NONE, q_in=(0.0471, 5), zp_out=-4, batch=1,
         groups=1, dtype="int8", wtype="int8", per_channel=True, bias=True, bias_type=None, version=None, **more):
    m = Model(f"conv_2d_{variant}")
    if dtype == "int16":
        q_in, zp_out = (0.0002, 0), 0
    x = m.input([batch, h, w, cin], dtype, *q_in)
    shape = [cout, *k, cin // groups]
    wt, b, q = weighted(m, shape, 0, int(np.prod(shape[1:])), cout, act, zp_out, dtype, q_in, wtype, per_channel, bias, bias_type)
    oh, ow = (extent(n, kk, s, d, padding) for n, kk, s, d in zip((h, w), k, stride, dilation))
    out = m.tensor([batch, oh, ow, cout], dtype, *q)
    m.output(m.op("CONV_2D", [x, wt, b] if bias else [x, wt], out, "Conv2DOptions", version, padding=padding, strideH=stride[0], strideW=stride[1],
                  dilationHFactor=dilation[0], dilationWFactor=dilation[1], fusedActivationFunction=act))
    return Case("CONV_2D", m, {
        "input": str([batch, h, w, cin]), "kernel": str(k), "out_channels": cout, "stride": str(stride), "dilation": str(dilation),
        "padding": "same" if padding == SAME else "valid", "activation": ACTIVATIONS[act], "groups": groups, "per_channel": per_channel,
        "bias": bias}, f"{dtype} {wtype} {b.dtype if b else '-'} -> {dtype}", **more)


def depthwise(variant, h=5, w=6, cin=3, mult=1, k=(3, 3), stride=(1, 1), dilation=(1, 1), padding=SAME, act=NONE, q_in=(0.0471, 5), zp_out=-4, batch=1,
              dtype="int8", wtype="int8", per_channel=True, bias=True, bias_type=None, version=None, **more):
    m = Model(f"depthwise_conv_2d_{variant}")
    if dtype == "int16":
        q_in, zp_out = (0.0002, 0), 0
    cout = cin * mult
    x = m.input([batch, h, w, cin], dtype, *q_in)
    wt, b, q = weighted(m, [1, *k, cout], 3, k[0] * k[1], cout, act, zp_out, dtype, q_in, wtype, per_channel, bias, bias_type)
    oh, ow = (extent(n, kk, s, d, padding) for n, kk, s, d in zip((h, w), k, stride, dilation))
    out = m.tensor([batch, oh, ow, cout], dtype, *q)
    m.output(m.op("DEPTHWISE_CONV_2D", [x, wt, b] if bias else [x, wt], out, "DepthwiseConv2DOptions", version, padding=padding, strideH=stride[0],
                  strideW=stride[1], dilationHFactor=dilation[0], dilationWFactor=dilation[1], depthMultiplier=mult, fusedActivationFunction=act))
    return Case("DEPTHWISE_CONV_2D", m, {
        "input": str([batch, h, w, cin]), "kernel": str(k), "multiplier": mult, "stride": str(stride), "dilation": str(dilation),
        "padding": "same" if padding == SAME else "valid", "activation": ACTIVATIONS[act], "per_channel": per_channel, "bias": bias},
        f"{dtype} {wtype} {b.dtype if b else '-'} -> {dtype}", **more)


def transpose_conv(variant, h=3, w=4, cin=3, cout=5, k=(3, 3), stride=(2, 2), padding=SAME, act=NONE, q_in=(0.0471, 5), zp_out=-4, batch=1,
                   dtype="int8", per_channel=True, bias=True, bias_type=None, version=None, **more):
    m = Model(f"transpose_conv_{variant}")
    if dtype == "int16":
        q_in, zp_out = (0.0002, 0), 0
    shape = [cout, *k, cin]
    oh, ow = ((n * s if padding == SAME else (n - 1) * s + kk) for n, kk, s in zip((h, w), k, stride))
    sizes = m.const([batch, oh, ow, cout])
    terms = max(1.0, np.prod(k) / np.prod(stride)) * cin
    wt, b, q = weighted(m, shape, 0, terms, cout, act, zp_out, dtype, q_in, "int8", per_channel, bias, bias_type)
    x = m.input([batch, h, w, cin], dtype, *q_in)
    out = m.tensor([batch, oh, ow, cout], dtype, *q)
    version = version or (4 if act else 3 if bias else 2)
    m.output(m.op("TRANSPOSE_CONV", [sizes, wt, x, b] if bias else [sizes, wt, x], out, "TransposeConvOptions", version, padding=padding, strideH=stride[0],
                  strideW=stride[1], fusedActivationFunction=act))
    return Case("TRANSPOSE_CONV", m, {
        "input": str([batch, h, w, cin]), "kernel": str(k), "out_channels": cout, "stride": str(stride), "padding": "same" if padding == SAME else "valid",
        "activation": ACTIVATIONS[act], "per_channel": per_channel, "bias": bias}, f"{dtype} int8 {b.dtype if b else '-'} -> {dtype}", **more)


def fully(variant, shape=(1, 17), n=7, act=NONE, q_in=(0.0471, 5), zp_out=-4, dtype="int8", wtype="int8", per_channel=False, bias=True, bias_type=None,
          keep=False, version=None, **more):
    m = Model(f"fully_connected_{variant}")
    if dtype == "int16":
        q_in, zp_out = (0.0002, 0), 0
    depth = shape[-1] if keep else more.pop("depth", shape[-1])
    x = m.input(list(shape), dtype, *q_in)
    wt, b, q = weighted(m, [n, depth], 0, depth, n, act, zp_out, dtype, q_in, wtype, per_channel, bias, bias_type)
    rows = int(np.prod(shape)) // depth
    out = m.tensor([*shape[:-1], n] if keep else [rows, n], dtype, *q)
    version = version or (7 if dtype == "int16" else 5 if keep else 6 if not bias else 4)
    m.output(m.op("FULLY_CONNECTED", [x, wt, b] if bias else [x, wt, None], out, "FullyConnectedOptions", version, fusedActivationFunction=act, keepNumDims=keep))
    return Case("FULLY_CONNECTED", m, {
        "input": str(list(shape)), "units": n, "activation": ACTIVATIONS[act], "per_channel": per_channel, "bias": bias, "keep_num_dims": keep},
        f"{dtype} {wtype} {b.dtype if b else '-'} -> {dtype}", 12 if n * rows < 24 else 3, **more)


ODD = [1, 3, 5, 7, 17, 33]
ACTS = [RELU, RELU6, RELU_N1_TO_1]
ZPS = [(-128, -128), (127, 127), (-128, 127), (127, -128), (0, 0)]


def crossed():
    """Odd channel counts x zero points x activations; the output's zero point is one that the activation can have."""
    for c, zi, act in itertools.product(ODD, (-128, 127, -3), (NONE, RELU, RELU6, RELU_N1_TO_1)):
        yield c, (zi, {NONE: -zi if zi != -128 else 127, RELU: -128 if zi != 127 else -100, RELU6: -128 if zi != 127 else -100, RELU_N1_TO_1: 9}[act]), act


def z(v):
    return f"m{-v}" if v < 0 else f"p{v}"


def conv_cases():
    # padding x stride x dilation, channels and activations in turn
    turn = itertools.cycle(itertools.product(ODD, [NONE, RELU, RELU6]))
    for padding, stride, dilation in itertools.product((SAME, VALID), (1, 2, 3), (1, 2, 3)):
        c, act = next(turn)
        p = "same" if padding == SAME else "valid"
        yield conv(f"s{stride}_d{dilation}_c{c}_{p}_{ACTIVATIONS[act]}", h=8, w=9, cin=c if c < 17 else 3, cout=5 if c < 17 else c, stride=(stride, stride),
                   dilation=(dilation, dilation), padding=padding, act=act, zp_out=-128 if act else 3)
    for a in ODD:
        for b in ODD:
            if (a, b) in ((33, 33), (17, 33), (33, 17)):
                yield conv(f"1x1_c{a}_c{b}", h=2, w=2, cin=a, cout=b, k=(1, 1))
                continue
            yield conv(f"1x1_c{a}_c{b}", h=3, w=3, cin=a, cout=b, k=(1, 1))
    for c in ODD:
        yield conv(f"3x3_c{c}_c{c}", h=3, w=4, cin=c, cout=min(c, 17))
    for act in ACTS:
        for padding in (SAME, VALID):
            yield conv(f"3x3_{ACTIVATIONS[act]}_{'same' if padding == SAME else 'valid'}", act=act, padding=padding, zp_out=-128 if act != RELU_N1_TO_1 else 7)
    for c, (zi, zo), act in crossed():
        yield conv(f"c{c}_zp_{z(zi)}_{ACTIVATIONS[act]}", h=2, w=3, cin=c, cout=min(c, 7), k=(2, 2), q_in=(0.0235, zi), zp_out=zo, act=act)
    for zi, zo in ZPS:
        yield conv(f"zp_{z(zi)}_{z(zo)}", q_in=(0.0235, zi), zp_out=zo)
        yield conv(f"1x1_zp_{z(zi)}_{z(zo)}", q_in=(0.0235, zi), zp_out=zo, k=(1, 1), cin=17)
    for k in ((1, 3), (3, 1), (5, 5), (2, 2), (7, 1), (1, 7), (4, 2)):
        yield conv(f"{k[0]}x{k[1]}_same", h=7, w=8, cin=2, cout=3, k=k)
        yield conv(f"{k[0]}x{k[1]}_valid", h=7, w=8, cin=2, cout=3, k=k, padding=VALID)
    yield conv("s1x2", stride=(1, 2))
    yield conv("s2x1", stride=(2, 1))
    yield conv("d1x2", h=7, w=8, dilation=(1, 2))
    yield conv("d3x1_valid", h=9, w=5, dilation=(3, 1), padding=VALID)
    yield conv("s2_even_input_same", h=6, w=8, stride=(2, 2))
    yield conv("1x1_s2", h=5, w=6, k=(1, 1), stride=(2, 2), cin=7)
    yield conv("1x1_s2_valid", h=6, w=6, k=(1, 1), stride=(2, 2), cin=4, cout=8, padding=VALID)
    yield conv("batch2", batch=2)
    yield conv("batch3_s2", batch=3, stride=(2, 2))
    yield conv("per_tensor", per_channel=False)
    yield conv("per_tensor_1x1_relu", per_channel=False, k=(1, 1), cin=8, cout=8, act=RELU, zp_out=-128)
    yield conv("no_bias", bias=False)
    yield conv("kernel_as_input", h=4, w=3, k=(4, 3), padding=VALID, cout=17)
    yield conv("kernel_beyond_input", h=2, w=2, k=(5, 5))
    yield conv("c4_c8", cin=4, cout=8)
    yield conv("c8_c16_s2", h=6, w=6, cin=8, cout=16, stride=(2, 2))
    yield conv("c16_c4_1x1", cin=16, cout=4, k=(1, 1))
    yield conv("1d", h=1, w=20, cin=5, cout=7, k=(1, 3))
    yield conv("1d_dilated_causal", h=1, w=20, cin=3, cout=5, k=(1, 3), dilation=(1, 4), padding=VALID)
    for g, cin, cout in ((2, 4, 6), (3, 3, 9), (2, 10, 2), (4, 8, 4)):
        yield conv(f"groups{g}_c{cin}_c{cout}", cin=cin, cout=cout, groups=g, version=6)
    yield conv("groups2_valid_s2_relu6", h=7, w=7, cin=6, cout=4, groups=2, stride=(2, 2), padding=VALID, act=RELU6, zp_out=-128, version=6)
    for v, o in (("3x3", {}), ("1x1_c17", {"k": (1, 1), "cin": 17}), ("s2_valid", {"stride": (2, 2), "padding": VALID}), ("d2", {"h": 8, "w": 8, "dilation": (2, 2)}),
                 ("relu", {"act": RELU}), ("relu6", {"act": RELU6}), ("relu_n1_to_1", {"act": RELU_N1_TO_1}),
                 ("s3_d1_valid", {"h": 8, "stride": (3, 3), "padding": VALID}), ("d3_valid", {"h": 9, "w": 9, "dilation": (3, 3), "padding": VALID}),
                 *((f"1x1_c{c}", {"k": (1, 1), "h": 2, "w": 3, "cin": c, "cout": c}) for c in ODD if c != 17),
                 ("bias_int32", {"bias_type": "int32"}), ("no_bias", {"bias": False}), ("batch2", {"batch": 2}),
                 ("per_tensor", {"per_channel": False})):
        yield conv(f"int16_{v}", dtype="int16", **o)
    for v, o in (("3x3", {}), ("odd_elements", {"cin": 1, "cout": 3}), ("1x1_c17_c7", {"k": (1, 1), "cin": 17, "cout": 7}), ("s2_valid_relu", {"stride": (2, 2), "padding": VALID, "act": RELU, "zp_out": -128}),
                 ("d2", {"h": 8, "w": 8, "dilation": (2, 2)}), ("zp_m128", {"q_in": (0.0235, -128)}), ("zp_p127", {"q_in": (0.0235, 127), "zp_out": -128}), ("per_tensor", {"per_channel": False}),
                 ("s3", {"h": 8, "stride": (3, 3)}), ("d3_valid", {"h": 9, "w": 9, "dilation": (3, 3), "padding": VALID}), ("batch2", {"batch": 2}),
                 ("relu6", {"act": RELU6, "zp_out": -128}), ("relu_n1_to_1", {"act": RELU_N1_TO_1, "zp_out": 9}),
                 *((f"1x1_c{c}", {"k": (1, 1), "h": 2, "w": 3, "cin": c, "cout": c}) for c in ODD)):
        yield conv(f"int4_{v}", wtype="int4", version=7, **o)
    yield conv("int4_zp_m128_p127", wtype="int4", version=7, q_in=(0.0235, -128), zp_out=127)
    yield conv("int4_no_bias", wtype="int4", version=7, bias=False)


def depthwise_cases():
    turn = itertools.cycle(itertools.product(ODD, [NONE, RELU, RELU6]))
    for padding, stride, dilation in itertools.product((SAME, VALID), (1, 2, 3), (1, 2, 3)):
        c, act = next(turn)
        p = "same" if padding == SAME else "valid"
        yield depthwise(f"s{stride}_d{dilation}_c{c}_{p}_{ACTIVATIONS[act]}", h=8, w=9, cin=c, stride=(stride, stride), dilation=(dilation, dilation),
                        padding=padding, act=act, zp_out=-128 if act else 3)
    for c in ODD + [2, 4, 8, 16]:
        yield depthwise(f"3x3_c{c}", h=4, w=5, cin=c)
    for c, mult in ((1, 3), (1, 8), (3, 2), (5, 3), (4, 4), (7, 2), (1, 33)):
        yield depthwise(f"multiplier{mult}_c{c}", cin=c, mult=mult)
    yield depthwise("multiplier2_s2_valid_relu6", h=7, cin=3, mult=2, stride=(2, 2), padding=VALID, act=RELU6, zp_out=-128)
    yield depthwise("multiplier2_d2", h=8, w=8, cin=3, mult=2, dilation=(2, 2))
    for act in ACTS:
        for padding in (SAME, VALID):
            yield depthwise(f"3x3_{ACTIVATIONS[act]}_{'same' if padding == SAME else 'valid'}", act=act, padding=padding, cin=5, zp_out=-128 if act != RELU_N1_TO_1 else 7)
    for c, (zi, zo), act in crossed():
        yield depthwise(f"c{c}_zp_{z(zi)}_{ACTIVATIONS[act]}", h=3, w=3, cin=c, k=(2, 2), q_in=(0.0235, zi), zp_out=zo, act=act)
    for zi, zo in ZPS:
        yield depthwise(f"zp_{z(zi)}_{z(zo)}", q_in=(0.0235, zi), zp_out=zo, cin=5)
    for k in ((1, 3), (3, 1), (5, 5), (2, 2), (7, 1), (1, 9), (4, 2), (1, 1)):
        yield depthwise(f"{k[0]}x{k[1]}_same", h=7, w=9, k=k)
        yield depthwise(f"{k[0]}x{k[1]}_valid", h=7, w=9, k=k, padding=VALID)
    yield depthwise("s1x2", stride=(1, 2))
    yield depthwise("s2x1", stride=(2, 1))
    yield depthwise("d1x2", h=7, w=8, dilation=(1, 2))
    yield depthwise("s2_even_input_same", h=6, w=8, stride=(2, 2), cin=8)
    yield depthwise("batch2", batch=2)
    yield depthwise("per_tensor", per_channel=False)
    yield depthwise("per_tensor_multiplier", per_channel=False, mult=3)
    yield depthwise("no_bias", bias=False)
    yield depthwise("kernel_as_input", h=4, w=5, cin=17, k=(4, 5), padding=VALID)
    yield depthwise("kernel_beyond_input", h=2, w=2, k=(5, 5))
    yield depthwise("1d_dilated_causal", h=1, w=20, cin=7, k=(1, 3), dilation=(1, 4), padding=VALID)
    for v, o in (("3x3", {}), ("multiplier2", {"mult": 2}), ("s2_valid", {"stride": (2, 2), "padding": VALID}), ("d2", {"h": 8, "w": 8, "dilation": (2, 2)}), ("relu", {"act": RELU}),
                 ("relu6", {"act": RELU6}), ("relu_n1_to_1", {"act": RELU_N1_TO_1}), ("s3", {"h": 8, "stride": (3, 3)}),
                 ("d3_valid", {"h": 9, "w": 9, "dilation": (3, 3), "padding": VALID}), ("batch2", {"batch": 2}),
                 *((f"c{c}", {"h": 3, "w": 3, "cin": c}) for c in ODD), ("bias_int32", {"bias_type": "int32"}), ("no_bias", {"bias": False}), ("per_tensor", {"per_channel": False})):
        yield depthwise(f"int16_{v}", dtype="int16", **o)
    for v, o in (("3x3", {}), ("c1", {"cin": 1}), ("multiplier2_c5", {"mult": 2, "cin": 5}), ("s2_valid_relu", {"stride": (2, 2), "padding": VALID, "act": RELU, "zp_out": -128}),
                 ("zp_m128", {"q_in": (0.0235, -128)}), ("zp_p127", {"q_in": (0.0235, 127), "zp_out": -128}), ("s3", {"h": 8, "stride": (3, 3)}),
                 ("d2", {"h": 7, "w": 7, "dilation": (2, 2)}), ("d3_valid", {"h": 9, "w": 9, "dilation": (3, 3), "padding": VALID}), ("batch2", {"batch": 2}),
                 ("relu6", {"act": RELU6, "zp_out": -128}), ("relu_n1_to_1", {"act": RELU_N1_TO_1, "zp_out": 9}),
                 *((f"c{c}", {"h": 3, "w": 3, "cin": c}) for c in ODD if c > 1), ("per_tensor", {"per_channel": False})):
        yield depthwise(f"int4_{v}", wtype="int4", version=7, **o)
    yield depthwise("int4_zp_m128_p127", wtype="int4", version=7, q_in=(0.0235, -128), zp_out=127)
    yield depthwise("int4_no_bias", wtype="int4", version=7, bias=False)


def transpose_cases():
    for padding, stride, k in itertools.product((SAME, VALID), (1, 2, 3), ((3, 3), (2, 2), (1, 1), (4, 4))):
        yield transpose_conv(f"{k[0]}x{k[1]}_s{stride}_{'same' if padding == SAME else 'valid'}", k=k, stride=(stride, stride), padding=padding)
    for a, b in ((1, 1), (1, 7), (7, 1), (5, 3), (17, 2), (3, 17), (33, 1), (1, 33), (8, 8)):
        yield transpose_conv(f"c{a}_c{b}", cin=a, cout=b)
    for zi, zo in ZPS:
        yield transpose_conv(f"zp_{z(zi)}_{z(zo)}", q_in=(0.0235, zi), zp_out=zo)
    yield transpose_conv("s1x2", stride=(1, 2))
    yield transpose_conv("5x3_s2x1_valid", k=(5, 3), stride=(2, 1), padding=VALID)
    yield transpose_conv("no_bias", bias=False)
    yield transpose_conv("per_tensor", per_channel=False)
    yield transpose_conv("batch2", batch=2)
    for act in ACTS:
        yield transpose_conv(ACTIVATIONS[act], act=act, zp_out=9 if act == RELU_N1_TO_1 else -128, follow=LITERT,
                             why="TFLM ignores the fused activation; LiteRT 2.3 and the optimised kernel of 2.14 agree")
        yield transpose_conv(f"int16_{ACTIVATIONS[act]}", act=act, dtype="int16", follow=LITERT,
                             why="TFLM ignores the fused activation; LiteRT 2.3 and the optimised kernel of 2.14 agree")
    yield transpose_conv("int16_s3", stride=(3, 3), dtype="int16")
    yield transpose_conv("int16_batch2", batch=2, dtype="int16")
    yield transpose_conv("int16_per_tensor", per_channel=False, dtype="int16")
    for c in ODD:
        yield transpose_conv(f"int16_c{c}", h=2, w=2, cin=c, cout=min(c, 7), dtype="int16")
    for v, o in (("3x3_s2", {}), ("no_bias", {"bias": False}), ("valid_s1", {"stride": (1, 1), "padding": VALID}), ("bias_int32", {"bias_type": "int32"})):
        if v == "no_bias":
            o = {**o, "follow": TFLM, "why": "tflite-runtime 2.14 rounds int16 without bias differently; LiteRT 2.3 agrees with TFLM"}
        yield transpose_conv(f"int16_{v}", dtype="int16", **o)


def fully_cases():
    for a in ODD:
        for b in (1, 3, 5, 7, 17, 33) if a in (5, 17) else (1, 3, 7, 17):
            yield fully(f"c{a}_c{b}", (1, a), b)
    for c, (zi, zo), act in crossed():
        if act in (NONE, RELU) or c == 7:
            yield fully(f"c{c}_zp_{z(zi)}_{ACTIVATIONS[act]}", (2, c), 7, q_in=(0.0235, zi), zp_out=zo, act=act, per_channel=c in (5, 17))
    for act in ACTS:
        for pc in (False, True):
            yield fully(f"{ACTIVATIONS[act]}" + ("_per_channel" if pc else ""), act=act, zp_out=-128 if act != RELU_N1_TO_1 else 7, per_channel=pc)
    for zi, zo in ZPS:
        yield fully(f"zp_{z(zi)}_{z(zo)}", (2, 17), 5, q_in=(0.0235, zi), zp_out=zo)
    for pc in (False, True):
        t = "_per_channel" if pc else ""
        wrong = dict(follow=TFLM, why="tflite-runtime 2.14's per-channel FULLY_CONNECTED on more than two dimensions is wrong") if pc else {}
        yield fully("batch3" + t, (3, 17), 5, per_channel=pc)
        yield fully("no_bias" + t, (2, 17), 5, per_channel=pc, bias=False)
        yield fully("3d_keep" + t, (2, 3, 17), 5, per_channel=pc, keep=True, **wrong)
        yield fully("4d_keep" + t, (1, 2, 3, 7), 5, per_channel=pc, keep=True, **wrong)
        yield fully("3d" + t, (2, 3, 17), 5, per_channel=pc, **wrong)
        yield fully("4d_flattened" + t, (1, 3, 2, 5), 5, per_channel=pc, depth=30, **wrong)
        yield fully("c64_c16" + t, (1, 64), 16, per_channel=pc)
        yield fully("c300_c2" + t, (1, 300), 2, per_channel=pc)
    yield fully("wide_scales", (1, 17), 5, q_in=(1.7, 3))
    for v, o in (("1d", {}), ("batch3", {"shape": (3, 17)}), ("relu", {"act": RELU}), ("bias_int32", {"bias_type": "int32"}), ("no_bias", {"bias": False}),
                 ("3d_keep", {"shape": (2, 3, 17), "keep": True}), ("per_channel", {"per_channel": True}), ("c33_c17", {"shape": (1, 33), "n": 17}),
                 ("relu6", {"act": RELU6}), ("relu_n1_to_1", {"act": RELU_N1_TO_1}), *((f"c{c}", {"shape": (2, c)}) for c in ODD)):
        yield fully(f"int16_{v}", dtype="int16", **o)
    for v, o in (("c17_c7", {}), ("c33_c3", {"shape": (1, 33), "n": 3}), ("c16_c8_batch2", {"shape": (2, 16), "n": 8}), ("relu", {"act": RELU, "zp_out": -128}),
                 ("per_channel", {"per_channel": True}), ("zp_m128", {"q_in": (0.0235, -128)}),
                 ("relu6", {"act": RELU6, "zp_out": -128}), ("relu_n1_to_1", {"act": RELU_N1_TO_1, "zp_out": 9}), ("zp_p127", {"q_in": (0.0235, 127), "zp_out": -128}),
                 *((f"c{c}", {"shape": (2, c)}) for c in ODD)):
        yield fully(f"int4_{v}", wtype="int4", version=10, **o)
    yield fully("int4_zp_m128_p127", (4, 17), wtype="int4", version=10, q_in=(0.0235, -128), zp_out=127)
    yield fully("int4_no_bias", (4, 17), wtype="int4", version=10, bias=False)


def cases():
    yield from conv_cases()
    yield from depthwise_cases()
    yield from transpose_cases()
    yield from fully_cases()
