"""Whole small networks, with random weights: converted by TensorFlow, or built here where the converter can't.

Weights are seeded, batch normalisation is not trivial, and the calibration data are as full-range as the inputs of the
cases. What is converted already is not converted again: the committed files count (delete one to make it anew).
"""

import contextlib
import io

import numpy as np

from common import MODELS, make_deterministic

from .build import TYPES, Tensor, random_fill, rng_for, schema
from .case import Case
from .convolutions import weighted
from .refs import TFLM
from .stateful import lstm


class Converted:
    """A converted file, in the shape that make_ops.py expects."""

    def __init__(self, name, blob):
        self.name, self.blob = name, blob
        m = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(bytearray(blob), 0))
        names = {v: k for k, v in vars(schema.BuiltinOperator).items() if not k.startswith("_")}
        g = m.subgraphs[0]
        self.ops = [names[max(c.builtinCode, c.deprecatedBuiltinCode)] for c in (m.operatorCodes[o.opcodeIndex] for o in g.operators)]
        self.inputs, self.outputs = ([self.tensor(g.tensors[i], i) for i in ids] for ids in (g.inputs, g.outputs))

    @staticmethod
    def tensor(t, index):
        dtype = next(k for k, (code, _) in TYPES.items() if code == t.type)
        return Tensor(index, [int(s) for s in t.shape], dtype, list(t.quantization.scale), list(t.quantization.zeroPoint), None)

    def data(self, invocations):
        rng = rng_for(self.name + " inputs")
        return [[random_fill(t)(rng, k) for t in self.inputs] for k in range(invocations)]

    def bytes(self):
        return self.blob


def convert(name, shape, network, int16=False):
    path = MODELS / "ops" / name / "model.tflite"
    if path.exists():
        return Converted(name, path.read_bytes())
    import keras
    import tensorflow as tf

    seed = int(rng_for(name).integers(1 << 30))
    make_deterministic(seed)
    x = keras.Input(shape, batch_size=1, name="input")
    model = keras.Model(x, network(keras.layers, x))
    rng = rng_for(name + " weights")
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            n = layer.gamma.shape[0]
            layer.set_weights([rng.uniform(0.6, 1.4, n), rng.normal(0, 0.3, n), rng.normal(0, 0.1, n), rng.uniform(0.2, 0.9, n)])
        elif layer.get_weights():
            layer.set_weights([w if w.ndim > 1 else rng.normal(w.mean() if w.size else 0, 0.1, w.shape) for w in layer.get_weights()])
    samples = [rng.uniform(-1, 1, (1, *shape)).astype(np.float32) for _ in range(64)]
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([s] for s in samples)
    ops = tf.lite.OpsSet
    converter.target_spec.supported_ops = [
        ops.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8 if int16 else ops.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int16 if int16 else tf.int8
    with contextlib.redirect_stdout(io.StringIO()):
        return Converted(name, converter.convert())


def conv_bn(L, x, n, k=3, s=1, d=1, act="relu6", padding="same"):
    x = L.Conv2D(n, k, strides=s, dilation_rate=d, padding=padding, use_bias=False)(x)
    x = L.BatchNormalization()(x)
    return L.Activation(act)(x) if act else x


def dw_bn(L, x, k=3, s=1, act="relu6", d=1):
    x = L.DepthwiseConv2D(k, strides=s, dilation_rate=d, padding="same", use_bias=False)(x)
    x = L.BatchNormalization()(x)
    return L.Activation(act)(x) if act else x


def classes(L, x, n, gain=16):
    """FULLY_CONNECTED and SOFTMAX; weights so large that random inputs give different classes."""
    from keras.initializers import VarianceScaling

    return L.Softmax()(L.Dense(n, kernel_initializer=VarianceScaling(gain**2))(x))


def mobilenet_v1(L, x):
    x = conv_bn(L, x, 8, s=2)
    for n, s in ((11, 1), (16, 2), (17, 1)):
        x = conv_bn(L, dw_bn(L, x, s=s), n, 1)
    x = L.GlobalAveragePooling2D()(x)
    return classes(L, x, 7)


def inverted(L, x, n, expand, s=1, act="relu6", squeeze=False, k=3):
    y = conv_bn(L, x, x.shape[-1] * expand, 1, act=act)
    y = dw_bn(L, y, k, s, act)
    if squeeze:
        z = L.GlobalAveragePooling2D(keepdims=True)(y)
        z = L.Conv2D(5, 1, activation="relu")(z)
        z = L.Conv2D(y.shape[-1], 1, activation="hard_sigmoid" if act == "hard_silu" else "sigmoid")(z)
        y = L.Multiply()([y, z])
    y = conv_bn(L, y, n, 1, act=None)
    return L.Add()([x, y]) if s == 1 and x.shape[-1] == n else y


def mobilenet_v2(L, x):
    x = conv_bn(L, x, 5, s=2)
    for n, s in ((7, 1), (7, 1), (9, 2), (9, 1)):
        x = inverted(L, x, n, 3, s)
    return L.Dense(7)(L.GlobalAveragePooling2D()(conv_bn(L, x, 17, 1)))


def mobilenet_v3(L, x):
    x = conv_bn(L, x, 6, s=2, act="hard_silu")
    for n, s, act, squeeze, k in ((6, 1, "relu", True, 3), (8, 2, "relu", False, 3), (8, 1, "hard_silu", True, 5), (8, 1, "hard_silu", False, 3)):
        x = inverted(L, x, n, 3, s, act, squeeze, k)
    x = conv_bn(L, x, 17, 1, act="hard_silu")
    return classes(L, L.GlobalAveragePooling2D()(x), 7, 5)


def squeeze_excite(L, x):
    x = conv_bn(L, x, 8)
    return inverted(L, x, 8, 2, squeeze=True)


def unet(L, x):
    a = conv_bn(L, x, 5, act="relu")
    b = conv_bn(L, L.MaxPooling2D()(a), 8, act="relu")
    c = conv_bn(L, L.MaxPooling2D()(b), 11, act="relu")
    y = L.UpSampling2D(interpolation="bilinear")(c)
    y = conv_bn(L, L.Concatenate()([y, b]), 7, act="relu")
    y = L.Resizing(*a.shape[1:3], interpolation="nearest")(y)
    y = conv_bn(L, L.Concatenate()([y, a]), 5, act="relu")
    return L.Activation("sigmoid")(L.Conv2D(1, 1)(y))


def unet_transposed(L, x):
    a = conv_bn(L, x, 4, act="relu")
    b = conv_bn(L, L.MaxPooling2D()(a), 8, act="relu")
    y = L.Conv2DTranspose(4, 2, strides=2)(b)
    y = L.Concatenate()([y, a])
    return L.Conv2D(3, 3, padding="same", activation="tanh")(y)


def ds_cnn(L, x):
    x = L.ZeroPadding2D(((4, 4), (1, 1)))(x)
    x = conv_bn(L, x, 12, (10, 4), s=2, act="relu", padding="valid")
    for _ in range(2):
        x = conv_bn(L, dw_bn(L, x, act="relu"), 12, 1, act="relu")
    x = L.AveragePooling2D(x.shape[1:3])(x)
    return classes(L, L.Flatten()(x), 5)


def tcn(L, x):
    for d in (1, 2, 4):
        y = L.Conv1D(7, 3, dilation_rate=d, padding="causal", activation="relu")(x)
        x = L.Add()([y, L.Conv1D(7, 1)(x) if x.shape[-1] != 7 else x])
        x = L.ReLU()(x)
    return L.Dense(4)(L.GlobalAveragePooling1D()(x))


def resnet(L, x):
    x = conv_bn(L, x, 8, act="relu")
    for n, s in ((8, 1), (13, 2)):
        y = conv_bn(L, x, n, s=s, act="relu")
        y = conv_bn(L, y, n, act=None)
        x = x if s == 1 else conv_bn(L, x, n, 1, s=s, act=None)
        x = L.ReLU()(L.Add()([x, y]))
    return L.Dense(5)(L.Flatten()(L.MaxPooling2D()(x)))


def preact_resnet(L, x):
    x = L.Conv2D(6, 3, padding="same")(x)
    for _ in range(2):
        y = L.ReLU()(L.BatchNormalization()(x))
        y = L.Conv2D(6, 3, padding="same")(y)
        x = L.Add()([x, y])
    return L.Dense(5)(L.GlobalMaxPooling2D()(x))


def autoencoder(L, x):
    for n in (24, 9, 3, 9, 24):
        x = L.ReLU()(L.BatchNormalization()(L.Dense(n)(x)))
    return L.Dense(33)(x)


def conv_autoencoder(L, x):
    x = L.Conv2D(5, 3, strides=2, padding="same", activation="elu")(x)
    x = L.Conv2D(7, 3, strides=2, padding="same", activation="tanh")(x)
    x = L.Conv2DTranspose(5, 3, strides=2, padding="same", activation="relu")(x)
    return L.Conv2DTranspose(1, 3, strides=2, padding="same")(x)


def leaky(L, x):
    x = L.LeakyReLU(negative_slope=0.1)(L.Conv2D(7, 3, strides=2)(x))
    x = L.PReLU(shared_axes=[1, 2], alpha_initializer="glorot_uniform")(L.Conv2D(9, 3)(x))
    return classes(L, L.Flatten()(x), 4, 4)


def inception(L, x):
    a = L.Conv2D(3, 1, activation="relu")(x)
    b = L.Conv2D(5, 3, padding="same", activation="relu6")(L.Conv2D(3, 1)(x))
    c = L.Conv2D(2, 5, padding="same", activation="relu")(x)
    d = L.Conv2D(2, 1)(L.MaxPooling2D(3, 1, "same")(x))
    x = L.Concatenate()([a, b, c, d])
    return L.Dense(5)(L.GlobalAveragePooling2D()(x))


def dilated(L, x):
    for d in (1, 2, 3):
        x = conv_bn(L, x, 5, d=d, act="relu")
    return L.Conv2D(2, 1)(dw_bn(L, x, d=2))


def grouped(L, x):
    x = L.Conv2D(8, 3, padding="same", activation="relu")(x)
    x = L.Conv2D(8, 3, padding="same", groups=4, activation="relu")(x)
    x = L.Reshape((6, 6, 2, 4))(x)
    x = L.Permute((1, 2, 4, 3))(x)
    x = L.Reshape((6, 6, 8))(x)
    return L.Dense(5)(L.GlobalAveragePooling2D()(L.Conv2D(6, 1, groups=2)(x)))


def attention(L, x):
    y = L.MultiHeadAttention(2, 4)(x, x)
    x = L.LayerNormalization()(L.Add()([x, y]))
    y = L.Dense(8)(L.Dense(16, activation="relu")(x))
    x = L.LayerNormalization()(L.Add()([x, y]))
    return L.Dense(4)(L.GlobalAveragePooling1D()(x))


def attention_plain(L, x):
    """Single-head attention without layer normalisation."""
    q, k, v = (L.Dense(8)(x) for _ in range(3))
    s = L.Softmax()(L.Dot((2, 2))([q, k]))
    return L.Dense(4)(L.Add()([x, L.Dot((2, 1))([s, v])]))


def gates(L, x):
    a, b = L.Dense(7, activation="tanh")(x), L.Dense(7, activation="sigmoid")(x)
    y = L.Multiply()([a, b])
    y = L.Subtract()([y, L.Dense(7)(x)])
    y = L.Maximum()([y, L.Minimum()([a, b])])
    return L.Average()([y, a])


def lstm_classifier():
    """LSTM, its last step, FULLY_CONNECTED, SOFTMAX: built here."""
    case = lstm("classifier", features=9, units=11, steps=6)
    m = case.model
    m.name = "network_lstm_classifier"
    h = m.outputs.pop()
    m.g.outputs.pop()
    last = m.tensor([1, 11], "int8", h.scale, h.zp)
    m.op("STRIDED_SLICE", [h, m.const([0, -1, 0]), m.const([0, 0, 11]), m.const([1, 1, 1])], last, "StridedSliceOptions",
         beginMask=5, endMask=5, shrinkAxisMask=2)
    w, b, q = weighted(m, [5, 11], 0, 11, 5, 0, 3, q_in=(h.scale / 3, 0), per_channel=False)
    logits = m.tensor([1, 5], "int8", *q)
    m.g.tensors[w.index].quantization.scale /= 3
    m.op("FULLY_CONNECTED", [last, w, b], logits, "FullyConnectedOptions")
    m.output(m.op("SOFTMAX", [logits], m.tensor([1, 5], "int8", 1 / 256, -128), "SoftmaxOptions", beta=1.0))
    return m


NETWORKS = {
    "mobilenet_v1": ([16, 16, 3], mobilenet_v1), "mobilenet_v2": ([16, 16, 3], mobilenet_v2), "mobilenet_v3": ([16, 16, 3], mobilenet_v3),
    "squeeze_excite": ([8, 8, 3], squeeze_excite), "unet": ([8, 8, 3], unet), "unet_transposed": ([8, 8, 1], unet_transposed), "ds_cnn": ([25, 10, 1], ds_cnn),
    "tcn": ([16, 5], tcn), "resnet": ([8, 8, 3], resnet), "preact_resnet": ([6, 6, 3], preact_resnet), "autoencoder": ([33], autoencoder),
    "conv_autoencoder": ([8, 8, 1], conv_autoencoder), "leaky": ([9, 9, 2], leaky), "inception": ([6, 6, 4], inception), "dilated": ([9, 9, 3], dilated),
    "grouped": ([6, 6, 4], grouped), "attention": ([6, 8], attention), "attention_plain": ([6, 8], attention_plain), "gates": ([1, 9], gates),
}


def cases():
    for name, (shape, network) in NETWORKS.items():
        m = convert(f"network_{name}", shape, network)
        follow = dict(follow=TFLM, why="tflite-runtime 2.14's per-channel FULLY_CONNECTED on more than two dimensions is wrong; LiteRT 2.3 is "
                      "within 1 of TFLM") if name in ("attention", "attention_plain", "gates") else {}
        yield Case("network", m, {"ops": dict(sorted((o, m.ops.count(o)) for o in set(m.ops)))}, invocations=3, **follow)
    for name in ("mobilenet_v1", "resnet", "autoencoder", "ds_cnn"):
        m = convert(f"network_{name}_int16", *NETWORKS[name], int16=True)
        yield Case("network", m, {"ops": dict(sorted((o, m.ops.count(o)) for o in set(m.ops)))}, invocations=3)
    m = lstm_classifier()
    yield Case("network", m, {"ops": {o: 1 for o in m.ops}}, "int8 -> int8", invocations=6, follow=TFLM, why="TFLM and TFLite round the LSTM's gates differently")
