"""Writes what every layer of a model gives elsewhere, for `kinglet diff MODEL FOLDER --layers FILE`.

    python dump_layers.py GOLDEN_FOLDER -o layers.npz [--case K] [--invocations N] [--reference tflm]

The file is NumPy's .npz (`numpy.load`). An entry `CASE/INVOCATION/TENSOR` is an operator's output, the tensor with that
number in the first subgraph, with its own type and shape, as that invocation of that case left it; each case on a fresh
interpreter, with the inputs of the golden folder. `model_crc32`: a uint32, the CRC-32 of the file model.tflite. Anything
that runs the model may write such a file; tensors that are not in it are not compared.

References: tflite-runtime 2.14 with its reference kernels (`tflite`, the contract), TFLM (`tflm`) and LiteRT (`litert`).
Keeping all tensors (`experimental_preserve_all_tensors`) is not enough: TFLite's ADD and others overwrite their inputs
nevertheless. So every operator's output becomes an output of the model, which no other may overwrite.
"""

import argparse
import importlib
import os
import pathlib
import sys
import zlib

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
from tflite_micro.tensorflow.lite.python import schema_py_generated as schema
from tflite_micro.tensorflow.lite.tools import flatbuffer_utils

PACKAGES = {
    "tflite": "tflite_runtime.interpreter",
    "litert": "ai_edge_litert.interpreter",
    "tflm": "tflite_micro.python.tflite_micro.runtime",
}


class TFLite:
    """A fresh interpreter of tflite-runtime or LiteRT, with the reference kernels."""

    def __init__(self, package, model):
        self.it = package.Interpreter(
            model_content=model,
            experimental_op_resolver_type=package.OpResolverType.BUILTIN_REF,
            experimental_preserve_all_tensors=True,
            num_threads=1,
        )
        self.it.allocate_tensors()
        self.inputs = self.it.get_input_details()

    def __call__(self, inputs):
        for detail, value in zip(self.inputs, inputs, strict=True):
            self.it.set_tensor(detail["index"], value)
        self.it.invoke()

    def output(self, _, tensor):
        return self.it.get_tensor(tensor)


class TFLM:
    """A fresh interpreter of TFLM (the wheel is built with the reference kernels)."""

    def __init__(self, package, model):
        self.it = package.Interpreter.from_bytes(model)
        count = len(flatbuffer_utils.convert_bytearray_to_object(bytearray(model)).subgraphs[0].inputs)
        self.inputs = [self.it.get_input_details(i) for i in range(count)]

    def __call__(self, inputs):
        for i, value in enumerate(inputs):
            self.it.set_input(value, i)
        self.it.invoke()

    def output(self, number, _):
        return self.it.get_output(number).copy()


def cases(folder):
    return sorted(p.name.removesuffix(".in0.bin") for p in folder.glob("*.in0.bin"))


def inputs_of(folder, case, details, invocations):
    """The first invocations of a case: a list of arrays each."""
    columns = []
    for i, detail in enumerate(details):
        data = np.fromfile(folder / f"{case}.in{i}.bin", np.uint8)
        one = int(np.prod(detail["shape"])) * np.dtype(detail["dtype"]).itemsize
        if not data.size or data.size % one:
            sys.exit(f"{case}.in{i}.bin: {data.size} bytes are no multiple of the tensor's {one}")
        columns.append(data.reshape(-1, one)[:invocations])
    for row in zip(*columns, strict=True):
        yield [r.view(d["dtype"]).reshape(d["shape"]) for r, d in zip(row, details)]


def with_all_outputs(model):
    """The model with every operator's output as an output, and their numbers."""
    changed = flatbuffer_utils.convert_bytearray_to_object(bytearray(model))
    graph = changed.subgraphs[0]
    # Handles of variables are no data.
    outputs = sorted({
        int(i) for op in graph.operators for i in op.outputs
        if i >= 0 and graph.tensors[i].type != schema.TensorType.RESOURCE
    })
    graph.outputs = outputs
    changed.signatureDefs = None
    return bytes(flatbuffer_utils.convert_object_to_bytearray(changed)), outputs


def dump(folder, names, invocations, reference):
    package = importlib.import_module(PACKAGES[reference])
    kind = TFLM if reference == "tflm" else TFLite
    model = (folder / "model.tflite").read_bytes()
    entries = {"model_crc32": np.uint32(zlib.crc32(model))}
    model, outputs = with_all_outputs(model)
    for case in names:
        interpreter = kind(package, model)
        for k, inputs in enumerate(inputs_of(folder, case, interpreter.inputs, invocations)):
            interpreter(inputs)
            for number, tensor in enumerate(outputs):
                entries[f"{case}/{k}/{tensor}"] = interpreter.output(number, tensor)
    return entries


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=pathlib.Path, help="a golden folder")
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True, help="the .npz file to write")
    parser.add_argument("--case", action="append", help="only this case; may be repeated")
    parser.add_argument("--invocations", type=int, default=4, help="at most so many of each case (default 4)")
    parser.add_argument("--reference", choices=PACKAGES, default="tflite")
    args = parser.parse_args()
    names = args.case or cases(args.folder)
    if not names:
        sys.exit(f"{args.folder} has no cases (CASE.in0.bin)")
    entries = dump(args.folder, names, args.invocations, args.reference)
    part = args.output.with_name(f".{args.output.name}.part.npz")
    np.savez_compressed(part, **entries)
    part.replace(args.output)
    print(f"{args.output}: {len(entries) - 1} tensors of {len(names)} cases")


if __name__ == "__main__":
    main()
