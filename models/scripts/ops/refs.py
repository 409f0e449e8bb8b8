"""Runs a model in each reference, every run in a process of its own: some of them crash on what they can't do."""

import os
import pickle
import signal
import tempfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import ai_edge_litert.interpreter as litert
import numpy as np
import tflite_runtime.interpreter as tflite
from tflite_micro.python.tflite_micro import runtime as tflm


def run_tflite(package, kind, model, invocations):
    it = package.Interpreter(
        model_content=model, experimental_op_resolver_type=getattr(package.OpResolverType, kind), num_threads=1)
    it.allocate_tensors()
    result = []
    for inputs in invocations:
        for detail, value in zip(it.get_input_details(), inputs, strict=True):
            it.set_tensor(detail["index"], value)
        it.invoke()
        result.append([np.array(it.get_tensor(detail["index"])) for detail in it.get_output_details()])
    return result


def run_tflm(model, invocations, outputs):
    it = tflm.Interpreter.from_bytes(model, arena_size=4 << 20)
    result = []
    for inputs in invocations:
        for i, value in enumerate(inputs):
            it.set_input(value, i)
        it.invoke()
        result.append([np.array(it.get_output(i)) for i in range(outputs)])
    return result


REFERENCES = {
    "tflite-runtime 2.14 BUILTIN_REF": lambda m, i, n: run_tflite(tflite, "BUILTIN_REF", m, i),
    "TFLM": run_tflm,
    "LiteRT 2.3 BUILTIN_REF": lambda m, i, n: run_tflite(litert, "BUILTIN_REF", m, i),
    "tflite-runtime 2.14 optimised": lambda m, i, n: run_tflite(tflite, "BUILTIN_WITHOUT_DEFAULT_DELEGATES", m, i),
}
TFLITE, TFLM, LITERT, OPTIMISED = REFERENCES


def isolated(reference, model, invocations, outputs, seconds=60):
    """(outputs of each invocation, None) or (None, why it did not run)."""
    log = tempfile.TemporaryFile()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(read)
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
            signal.alarm(seconds)
            try:
                answer = REFERENCES[reference](model, invocations, outputs), None
            except Exception as e:
                answer = None, str(e)
            with os.fdopen(write, "wb") as pipe:
                pickle.dump(answer, pipe)
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        data = pipe.read()
    status = os.waitpid(child, 0)[1]
    log.seek(0)
    text = [line for line in log.read().decode(errors="replace").splitlines()
            if line.strip() and "resource variables" not in line and not line.startswith("INFO")]
    if not data:
        return None, f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"crash: {' '.join(text)[:200]}"
    values, why = pickle.loads(data)
    return values, why and " ".join(text + [why])[:300]


def difference(a, b):
    """Largest difference between two runs; None where shapes or types differ."""
    worst = 0
    for x, y in zip(a, b, strict=True):
        if len(x) != len(y):
            return None
        for u, v in zip(x, y):
            if u.dtype != v.dtype or u.size != v.size:
                return None
            if u.dtype == np.float32:
                if u.tobytes() != v.tobytes():
                    worst = max(worst, float(np.nanmax(np.abs(u.ravel() - v.ravel()))) or 1e-45)
            elif u.size:
                worst = max(worst, int(np.abs(u.ravel().astype(np.int64) - v.ravel().astype(np.int64)).max()))
    return worst
