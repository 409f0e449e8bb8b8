"""Builds .tflite files tensor by tensor, so that every shape, scale and zero point is chosen here and not by a converter."""

import zlib

import flatbuffers
import numpy as np
from tflite_micro.tensorflow.lite.python import schema_py_generated as schema

TYPES = {
    "float32": (schema.TensorType.FLOAT32, np.float32),
    "int8": (schema.TensorType.INT8, np.int8),
    "int16": (schema.TensorType.INT16, np.int16),
    "int32": (schema.TensorType.INT32, np.int32),
    "int64": (schema.TensorType.INT64, np.int64),
    "uint8": (schema.TensorType.UINT8, np.uint8),
    "bool": (schema.TensorType.BOOL, np.bool_),
    "int4": (schema.TensorType.INT4, np.int8),
    "resource": (schema.TensorType.RESOURCE, np.int32),
}
NONE, RELU, RELU_N1_TO_1, RELU6 = 0, 1, 2, 3
ACTIVATIONS = {NONE: "none", RELU: "relu", RELU_N1_TO_1: "relu_n1_to_1", RELU6: "relu6"}
SAME, VALID = 0, 1

# Versions as TFLite's versioning tool gives them, by the first activation's type; what is not here is version 1.
VERSIONS = {
    "CONV_2D": {"int8": 3, "int16": 4},
    "DEPTHWISE_CONV_2D": {"int8": 3, "int16": 5},
    "FULLY_CONNECTED": {"int8": 4, "int16": 7},
    "SVDF": {"int8": 3},
    "SUB": {"int8": 2, "int16": 5},
    "MUL": {"int8": 2, "int16": 4},
    "MAXIMUM": {"int8": 2, "int16": 4},
    "MINIMUM": {"int8": 2, "int16": 4},
    "TRANSPOSE": {"int8": 2, "int16": 5},
    "SPLIT": {"int8": 2, "int16": 4, "int32": 3},
    "SPLIT_V": {"int8": 2},
    "SLICE": {"int8": 2, "int16": 4},
    "STRIDED_SLICE": {"int8": 2},
    "GATHER": {"int8": 2, "int16": 4},
    "UNPACK": {"int8": 2, "int16": 4},
    "DEQUANTIZE": {"int8": 2, "int16": 3},
    "RESIZE_BILINEAR": {"int8": 2, "int16": 4},
    "RESIZE_NEAREST_NEIGHBOR": {"int8": 2, "int16": 4},
    "LEAKY_RELU": {"int16": 2},
    "L2_NORMALIZATION": {"int8": 2},
    "LOG_SOFTMAX": {"int8": 2},
    "TRANSPOSE_CONV": {"int8": 3, "int16": 3},
    "SUM": {"int8": 2, "int16": 2},
    "SQUARED_DIFFERENCE": {"int8": 2},
    "ARG_MAX": {"int8": 2},
    "ARG_MIN": {"int8": 2},
    "SPACE_TO_DEPTH": {"int8": 2},
    "DEPTH_TO_SPACE": {"int8": 2},
    **{op: {"int8": 2, "int16": 3} for op in [
        "ADD", "ABS", "RELU", "RELU6", "TANH", "LOGISTIC", "AVERAGE_POOL_2D", "MAX_POOL_2D", "PACK", "BATCH_MATMUL",
        "PAD", "PADV2", "CONCATENATION", "SOFTMAX", "MEAN", "MIRROR_PAD", "REDUCE_MAX", "REDUCE_MIN",
        "SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND"]},
}


class Builder(flatbuffers.Builder):
    """Aligns buffers to 16 bytes, as the schema's force_align asks and the Python packer forgets."""

    def CreateNumpyVector(self, x):
        if x.dtype != np.uint8:
            return super().CreateNumpyVector(x)
        self.StartVector(1, x.size, 16)
        self.head = self.head - x.size
        self.Bytes[self.head:self.head + x.size] = x.tobytes()
        self.vectorNumElems = x.size
        return self.EndVector()


class Tensor:
    def __init__(self, index, shape, dtype, scale, zp, data):
        self.index, self.shape, self.dtype, self.scale, self.zp, self.data = index, shape, dtype, scale, zp, data


def rng_for(name):
    """A generator of random numbers that only depends on a name."""
    return np.random.Generator(np.random.PCG64(zlib.crc32(name.encode())))


class Model:
    """A model under construction. `rng` makes the weights; input data come from a generator of their own."""

    def __init__(self, name):
        self.name, self.rng = name, rng_for(name)
        self.buffers, self.codes = [b""], []
        self.graphs = [schema.SubGraphT()]
        for g in self.graphs:
            g.tensors, g.operators, g.inputs, g.outputs, g.name = [], [], [], [], b"main"
        self.g = self.graphs[0]
        self.ops, self.inputs, self.outputs, self.fills = [], [], [], []

    def subgraph(self, name):
        """Adds a subgraph and builds in it from now on; returns its index."""
        g = schema.SubGraphT()
        g.tensors, g.operators, g.inputs, g.outputs, g.name = [], [], [], [], name.encode()
        self.graphs.append(g)
        self.g = g
        return len(self.graphs) - 1

    def main(self):
        self.g = self.graphs[0]

    def tensor(self, shape, dtype="int8", scale=None, zp=0, data=None, qdim=0, variable=False):
        t = schema.TensorT()
        t.shape = np.array(shape, np.int32)
        t.type = TYPES[dtype][0]
        t.name = f"t{len(self.g.tensors)}".encode()
        t.isVariable = variable
        t.hasRank = True
        if scale is not None:
            q = t.quantization = schema.QuantizationParametersT()
            q.scale = np.atleast_1d(np.asarray(scale, np.float32))
            q.zeroPoint = np.broadcast_to(np.asarray(zp, np.int64), q.scale.shape).copy()
            q.quantizedDimension = qdim
        else:
            t.quantization = schema.QuantizationParametersT()
        if data is not None:
            data = np.array(data, TYPES[dtype][1], order="C")
            assert list(data.shape) == list(shape), (data.shape, shape)
            raw = data.tobytes()
            if dtype == "int4":
                flat = data.reshape(-1).astype(np.uint8) & 15
                flat = np.append(flat, 0) if flat.size % 2 else flat
                raw = (flat[0::2] | flat[1::2] << 4).astype(np.uint8).tobytes()
            self.buffers.append(raw)
            t.buffer = len(self.buffers) - 1
        self.g.tensors.append(t)
        return Tensor(len(self.g.tensors) - 1, list(shape), dtype, scale, zp, data)

    def input(self, shape, dtype="int8", scale=None, zp=0, fill=None):
        """`fill(rng, invocation)` gives the values of one invocation; full-range random ones where it is absent."""
        t = self.tensor(shape, dtype, scale, zp)
        self.g.inputs.append(t.index)
        if self.g is self.graphs[0]:
            self.inputs.append(t)
            self.fills.append(fill)
        return t

    def const(self, data, dtype="int32", scale=None, zp=0, qdim=0):
        data = np.asarray(data)
        return self.tensor(data.shape, dtype, scale, zp, data, qdim)

    def op(self, name, inputs, outputs, options=None, version=None, intermediates=None, **values):
        """Adds an operator; `options` is its options table in the schema, `values` what it holds."""
        outputs = outputs if isinstance(outputs, list) else [outputs]
        if version is None:
            types = [t.dtype for t in inputs if t is not None]
            data = [t for t in types if t in ("int8", "int16")]
            version = VERSIONS.get(name, {}).get(data[0] if data else types[0] if types else "", 1)
        key = (getattr(schema.BuiltinOperator, name), version)
        if key not in self.codes:
            self.codes.append(key)
        o = schema.OperatorT()
        o.opcodeIndex = self.codes.index(key)
        o.inputs = np.array([-1 if t is None else t.index for t in inputs], np.int32)
        o.outputs = np.array([t.index for t in outputs], np.int32)
        if intermediates:
            o.intermediates = np.array([t.index for t in intermediates], np.int32)
        if options:
            o.builtinOptionsType = getattr(schema.BuiltinOptions, options)
            o.builtinOptions = getattr(schema, options + "T")()
            for k, v in values.items():
                assert hasattr(o.builtinOptions, k), (options, k)
                setattr(o.builtinOptions, k, v)
        else:
            assert not values
        self.g.operators.append(o)
        self.ops.append(name)
        return outputs[0] if len(outputs) == 1 else outputs

    def output(self, *tensors):
        for t in tensors:
            self.g.outputs.append(t.index)
            if self.g is self.graphs[0]:
                self.outputs.append(t)

    def data(self, invocations):
        """Input values of successive invocations."""
        rng = rng_for(self.name + " inputs")
        return [[(fill or random_fill(t))(rng, k) for t, fill in zip(self.inputs, self.fills)] for k in range(invocations)]

    def bytes(self):
        m = schema.ModelT()
        m.version = 3
        m.description = b"kinglet ops"
        m.operatorCodes = []
        for code, version in self.codes:
            c = schema.OperatorCodeT()
            c.builtinCode, c.deprecatedBuiltinCode, c.version = code, min(code, 127), version
            m.operatorCodes.append(c)
        for g in self.graphs:
            g.inputs, g.outputs = np.array(g.inputs, np.int32), np.array(g.outputs, np.int32)
        m.subgraphs = self.graphs
        m.buffers = []
        for raw in self.buffers:
            b = schema.BufferT()
            b.data = np.frombuffer(raw, np.uint8) if raw else None
            m.buffers.append(b)
        builder = Builder(1024)
        builder.Finish(m.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def random_fill(t):
    """Full-range values of a tensor's type."""
    kind = np.dtype(TYPES[t.dtype][1])

    def fill(rng, _):
        n = int(np.prod(t.shape))
        if kind == np.float32:
            return (rng.integers(-2**20, 2**20, n) / np.float32(2**17)).astype(np.float32).reshape(t.shape)
        if kind == np.bool_:
            return rng.integers(0, 2, n).astype(np.bool_).reshape(t.shape)
        info = np.iinfo(kind)
        return rng.integers(info.min, info.max, n, kind, endpoint=True).reshape(t.shape)

    return fill


def every_code(t):
    """All codes of an int8 or uint8 tensor, in random order, as often as they fit (at least 256 elements)."""
    info = np.iinfo(TYPES[t.dtype][1])

    def fill(rng, _):
        codes = np.arange(info.min, info.max + 1)
        many = np.concatenate([codes, rng.choice(codes, int(np.prod(t.shape)) - 256)])
        return rng.permutation(many).astype(TYPES[t.dtype][1]).reshape(t.shape)

    return fill
