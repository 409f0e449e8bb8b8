"""Makes everything in this folder that follows from the models: golden cases, the digit images, op_crcs.json,
manifest.json. `--check` writes nothing and fails where a committed file differs.

The contract is tflite-runtime 2.14 BUILTIN_REF. TFLM must agree with it on every invocation of every case and on
every op's output, or nothing is written. Where LiteRT 2.3 BUILTIN_REF differs (FULLY_CONNECTED requantises in float
since TensorFlow 2.20), its outputs go to CASE.litert_out0.bin and the manifest says so.
"""

import argparse
import collections
import hashlib
import importlib.metadata
import io
import json
import os
import sys
import zlib

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import ai_edge_litert.interpreter as litert
import numpy as np
import PIL.Image
import tflite_runtime.interpreter as tflite
from tflite_micro.python.tflite_micro import runtime as tflm
from tflite_micro.tensorflow.lite.tools import flatbuffer_utils

from common import DIGITS_TRAIN, MODELS, digits, xorshift32

NAMES = ["hello_sine", "digits"]


class TFLite:
    """One fresh interpreter of tflite-runtime or LiteRT, with the reference kernels."""

    def __init__(self, package, model):
        kind = package.OpResolverType.BUILTIN_REF
        self.it = package.Interpreter(model_content=model, experimental_op_resolver_type=kind, num_threads=1)
        self.it.allocate_tensors()

    def __call__(self, inputs):
        for detail, value in zip(self.it.get_input_details(), inputs, strict=True):
            self.it.set_tensor(detail["index"], value.reshape(detail["shape"]))
        self.it.invoke()
        return [self.it.get_tensor(detail["index"]) for detail in self.it.get_output_details()]


class TFLM:
    """One fresh TFLM interpreter (the wheel is built with the reference kernels)."""

    def __init__(self, model, outputs):
        self.it, self.outputs = tflm.Interpreter.from_bytes(model), outputs

    def __call__(self, inputs):
        for i, value in enumerate(inputs):
            self.it.set_input(value.reshape(self.it.get_input_details(i)["shape"]), i)
        self.it.invoke()
        return [self.it.get_output(i).copy() for i in range(self.outputs)]


def agreed(model, invocations, what):
    """Outputs of successive invocations on a fresh interpreter: tflite-runtime's, after TFLM has shown the same."""
    reference, micro = TFLite(tflite, model), None
    result = []
    for k, inputs in enumerate(invocations):
        out = reference(inputs)
        micro = micro or TFLM(model, len(out))
        for o, (a, b) in enumerate(zip(out, micro(inputs), strict=True)):
            if a.dtype != b.dtype or not np.array_equal(a, b):
                sys.exit(f"{what}: tflite-runtime and TFLM differ in output {o} of invocation {k}; nothing written")
        result.append(out)
    return result


def tensor(detail):
    p = detail["quantization_parameters"]
    return {
        "name": detail["name"],
        "shape": detail["shape"].tolist(),
        "dtype": np.dtype(detail["dtype"]).name,
        "scale": [float(s) for s in p["scales"]],
        "zero_point": p["zero_points"].tolist(),
    }


def concatenated(files, stem, per_invocation):
    for i in range(len(per_invocation[0])):
        files[f"{stem}{i}.bin"] = b"".join(values[i].tobytes() for values in per_invocation)


def cases(name, inputs):
    """{case: (invocations, more for its manifest entry)}; an invocation is a list of arrays."""
    types = [(d["shape"], np.dtype(d["dtype"])) for d in inputs]
    assert all(t == np.int8 for _, t in types)

    def filled(value):
        return [np.full(shape, value, t) for shape, t in types]

    result = {}
    for k in range(3):
        state, values = k + 1, []
        for shape, t in types:
            # The first bytes of small seeds are alike: drop 16.
            data, state = xorshift32(xorshift32(state, 16)[1], int(np.prod(shape)))
            values.append(np.frombuffer(data, t).reshape(shape))
        result[f"random{k}"] = [values], {"data": f"synthetic: xorshift32 seed {k + 1}, 16 bytes dropped"}
    result["min"] = [filled(-128)], {"data": "synthetic"}
    result["max"] = [filled(127)], {"data": "synthetic"}
    result["zp"] = [filled(inputs[0]["quantization_parameters"]["zero_points"][0])], {"data": "synthetic"}
    if name == "hello_sine":
        result["all256"] = [filled(v) for v in range(-128, 128)], {"data": "every input code, -128 first"}
    return result


def digit_cases():
    grey, labels = digits()
    # The images: from the first held-out digit on, until all ten classes have occurred.
    last, seen = DIGITS_TRAIN, set()
    while len(seen) < 10:
        seen.add(labels[last])
        last += 1
    chosen = range(DIGITS_TRAIN, last)
    names = [f"{i:04}_is_{labels[i]}.png" for i in chosen]

    def invocations(which):
        return [[(grey[i].astype(np.int16) - 128).astype(np.int8)[None, ..., None]] for i in which]

    heldout = range(len(grey) - 32, len(grey))
    extra = {
        "heldout": (invocations(heldout), {
            "data": f"held-out digits {heldout[0]}..{heldout[-1]} (the last 32)",
            "labels": [int(labels[i]) for i in heldout]}),
        "images": (invocations(chosen), {
            "data": "images/*.png in the order of their names",
            "files": [f"images/{n}" for n in names],
            "labels": [int(labels[i]) for i in chosen]}),
    }
    files = {}
    for i, n in zip(chosen, names):
        png = io.BytesIO()
        PIL.Image.fromarray(grey[i], "L").save(png, "png")
        assert np.array_equal(np.asarray(PIL.Image.open(png)), grey[i])
        files[f"digits/images/{n}"] = png.getvalue()
    return extra, files


def accuracy(name, model):
    """What the int8 model is worth, by tflite-runtime BUILTIN_REF."""
    run = TFLite(tflite, model)
    inp, out = tensor(run.it.get_input_details()[0]), tensor(run.it.get_output_details()[0])
    if name == "hello_sine":
        codes = np.arange(-128, 128)
        y = np.array([run([np.array([[c]], np.int8)])[0].item() for c in codes])
        x = (codes - inp["zero_point"][0]) * inp["scale"][0]
        error = np.abs((y - out["zero_point"][0]) * out["scale"][0] - np.sin(x))
        return {"int8_mean_abs_error": round(error.mean(), 5), "int8_max_abs_error": round(error.max(), 5)}
    grey, labels = digits()
    held_out = range(DIGITS_TRAIN, len(grey))
    answers = [run([(grey[i].astype(np.int16) - 128).astype(np.int8)[None, ..., None]])[0].argmax() for i in held_out]
    wrong = [int(i) for i, a in zip(held_out, answers) if a != labels[i]]
    return {"int8_held_out_correct": len(answers) - len(wrong), "int8_wrong": wrong}


def op_crcs(name, model):
    """CRC-32 of every op's first output right after the op, on xorshift32 seed 1.

    Reading intermediate tensors after invoke is not enough, whatever is preserved: ADD runs in place and overwrites
    its input. So the model is cut off after each op in turn, with that op's first output as the model's output.
    """
    result = []
    run = TFLite(tflite, model)
    state, inputs = 1, []
    for d in run.it.get_input_details():
        data, state = xorshift32(state, int(np.prod(d["shape"])) * np.dtype(d["dtype"]).itemsize)
        inputs.append(np.frombuffer(data, d["dtype"]).reshape(d["shape"]))
    for k, op in enumerate(run.it._get_ops_details()):
        part = flatbuffer_utils.convert_bytearray_to_object(bytearray(model))
        graph = part.subgraphs[0]
        graph.operators = graph.operators[: k + 1]
        graph.outputs = [graph.operators[k].outputs[0]]
        part.signatureDefs = None
        part = bytes(flatbuffer_utils.convert_object_to_bytearray(part))
        value = agreed(part, [inputs], f"{name}, op {k} {op['op_name']}")[0][0].tobytes()
        result.append({"op": op["op_name"], "bytes": len(value), "crc32": f"{zlib.crc32(value):08x}"})
    return result


def make(name):
    """(files, manifest entry) of one model."""
    model = (MODELS / name / "model.tflite").read_bytes()
    run = TFLite(tflite, model)
    inputs, outputs = run.it.get_input_details(), run.it.get_output_details()
    all_cases, files = cases(name, inputs), {}
    if name == "digits":
        extra, files = digit_cases()
        all_cases.update(extra)
    entries, litert_differs = [], 0
    for case, (invocations, more) in all_cases.items():
        stem = f"{name}/{case}."
        out = agreed(model, invocations, f"{name}, case {case}")
        concatenated(files, stem + "in", invocations)
        concatenated(files, stem + "out", out)
        other = TFLite(litert, model)
        other = [other(i) for i in invocations]
        if not all(np.array_equal(a, b) for x, y in zip(out, other) for a, b in zip(x, y)):
            concatenated(files, stem + "litert_out", other)
            worst = max(int(np.abs(a.astype(int) - b).max()) for x, y in zip(out, other) for a, b in zip(x, y))
            litert_differs = max(litert_differs, worst)
        entries.append({"name": case, "invocations": len(invocations), **more})
    golden = "tflite-runtime 2.14 BUILTIN_REF = TFLM"
    golden += f"; litert_out files: LiteRT 2.3 BUILTIN_REF, by up to {litert_differs}" if litert_differs else " = LiteRT 2.3 BUILTIN_REF"
    ops = collections.Counter(op["op_name"] for op in run.it._get_ops_details())
    training = json.loads((MODELS / name / "training.json").read_text())
    return files, {
        "name": name,
        "source": training.pop("script"),
        "licence": "MIT OR Apache-2.0" + ("; data CC BY 4.0 (see README.md)" if name == "digits" else ""),
        "golden": golden,
        "size_bytes": len(model),
        "sha256": hashlib.sha256(model).hexdigest(),
        "subgraphs": 1,
        "ops": dict(sorted(ops.items())),
        "inputs": [tensor(d) for d in inputs],
        "outputs": [tensor(d) for d in outputs],
        "stateful": False,
        "training": {**training, **accuracy(name, model)},
        "cases": entries,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a committed file differs")
    parser.add_argument("--crcs-of", metavar="FOLDER", help="print the op CRCs of another golden folder's model, no more")
    args = parser.parse_args()
    if args.crcs_of:
        model = open(os.path.join(args.crcs_of, "model.tflite"), "rb").read()
        print(json.dumps(op_crcs(args.crcs_of, model)))
        return

    files, manifest, crcs = {}, [], []
    for name in NAMES:
        made, entry = make(name)
        files.update(made)
        manifest.append(json.dumps(entry))
        model = (MODELS / name / "model.tflite").read_bytes()
        crcs.append(f'"{name}": {json.dumps(op_crcs(name, model))}')
    packages = ["tflite-runtime", "tflite-micro", "ai-edge-litert", "numpy", "scikit-learn", "pillow"]
    versions = json.dumps({p: importlib.metadata.version(p) for p in packages})
    files["manifest.json"] = ('{"versions": %s,\n"models":[\n%s\n]}\n' % (versions, ",\n".join(manifest))).encode()
    files["op_crcs.json"] = ("{\n%s\n}\n" % ",\n".join(crcs)).encode()

    old = {str(p.relative_to(MODELS)) for pattern in ("*/*.bin", "*/images/*") for p in MODELS.glob(pattern)}
    if args.check:
        wrong = sorted(old - files.keys()) + [
            f for f, data in files.items() if not (MODELS / f).is_file() or (MODELS / f).read_bytes() != data]
        print(*(f"differs: {f}" for f in wrong), sep="\n") if wrong else print(f"{len(files)} files as committed")
        sys.exit(bool(wrong))
    for f in old - files.keys():
        (MODELS / f).unlink()
    for f, data in files.items():
        (MODELS / f).parent.mkdir(exist_ok=True)
        (MODELS / f).write_bytes(data)
    print(f"{len(files)} files written")


main()
