"""Makes the golden folders of `models/ops`: small models of one op (or op and what it needs), built by ops/build.py.

The golden is what tflite-runtime 2.14 BUILTIN_REF and TFLM give where they agree. Where only one of them runs, it is
that one's, and the manifest says who else gives the same. Where they differ, a model says itself whom it follows and
why (`follow`, `why`), or there is no golden. `--only WORD` makes the folders whose names hold WORD (others stay).
"""

import argparse
import hashlib
import importlib
import importlib.metadata
import json
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from common import MODELS
from ops import coverage, refs

GROUPS = ["elementwise", "shapes", "reductions", "convolutions", "stateful", "emitted", "networks"]
OPS = MODELS / "ops"
PACKAGES = ["tflite-runtime", "tflite-micro", "ai-edge-litert", "numpy", "flatbuffers"]


def saturated(outputs):
    """Share of int8, uint8 and int16 output values at the end of their type's range; None without such values."""
    values = [v.ravel() for out in outputs for v in out if v.dtype in (np.int8, np.uint8, np.int16)]
    if not values:
        return None
    return sum(int(np.isin(v, [np.iinfo(v.dtype).min, np.iinfo(v.dtype).max]).sum()) for v in values) / sum(v.size for v in values)


def judge(case, runs):
    """(golden outputs or None, fields for the manifest)."""
    out = {r: v for r, (v, _) in runs.items()}
    a, b = out[refs.TFLITE], out[refs.TFLM]
    entry = {}
    for r in (refs.TFLITE, refs.TFLM):
        if out[r] is None:
            entry.setdefault("refused", {})[r] = runs[r][1]
    if a is not None and b is not None:
        entry["largest_difference"] = refs.difference(a, b)
        if entry["largest_difference"] == 0:
            golden, entry["golden"] = a, "both"
        elif case.follow:
            golden, entry["golden"] = out[case.follow], case.follow
        else:
            return None, entry
    elif a is None and b is None:
        if not case.follow or out[case.follow] is None:
            return None, entry
        golden, entry["golden"] = out[case.follow], case.follow
    else:
        entry["golden"] = case.follow if case.follow and out[case.follow] is not None else refs.TFLM if a is None else refs.TFLITE
        golden = out[entry["golden"]]
    if case.why and (entry["golden"] == case.follow or entry.get("largest_difference", 0) != 0):
        entry["why"] = case.why
    for r in refs.REFERENCES:
        asked = r in (refs.LITERT, refs.OPTIMISED) or entry["golden"] in (refs.LITERT, refs.OPTIMISED)
        if out[r] is not None and r != entry["golden"] and asked:
            d = refs.difference(golden, out[r])
            entry.setdefault("others", {})[r] = "equal" if d == 0 else f"differs by {d}"
    return golden, entry


def twin_golden(case, data):
    twin = case.twin
    inputs = [[v.reshape(t.shape) for v, t in zip(values, twin.inputs, strict=True)] for values in data]
    out, why = refs.isolated(refs.TFLM, twin.bytes(), inputs, len(twin.outputs))
    assert out, why
    return [[v.reshape(t.shape) for v, t in zip(values, case.model.outputs, strict=True)] for values in out]


def make(case):
    name, m = case.model.name, case.model
    data = m.data(case.invocations)
    blob = m.bytes()
    runs = {r: refs.isolated(r, blob, data, len(m.outputs)) for r in refs.REFERENCES}
    golden, entry = judge(case, runs)
    if case.twin:
        golden = twin_golden(case, data)
        entry.update({"golden": f"{refs.TFLM} on the same values in another shape", "why": case.why, "others": {
            r: f"differs by {refs.difference(golden, runs[r][0])}" for r in refs.REFERENCES if runs[r][0] is not None}})
    head = {
        "name": name, "op": case.op, "types": case.types or types_of(m), "options": case.options,
        "size_bytes": len(blob), "sha256": hashlib.sha256(blob).hexdigest(), "invocations": case.invocations,
        "inputs": [describe(t) for t in m.inputs], "outputs": [describe(t) for t in m.outputs],
    }
    entry = {**head, **entry}
    if golden is None:
        return name, None, entry, runs
    share = saturated(golden)
    if share is not None:
        entry["saturated"] = round(share, 3)
    if case.saturates:
        entry["saturates"] = case.saturates
    files = {"model.tflite": blob}
    for i in range(len(m.inputs)):
        files[f"random.in{i}.bin"] = b"".join(np.ascontiguousarray(x[i]).tobytes() for x in data)
    for i in range(len(m.outputs)):
        files[f"random.out{i}.bin"] = b"".join(np.ascontiguousarray(x[i]).tobytes() for x in golden)
    other = runs[refs.LITERT][0]
    # LiteRT's own rounding is of interest, its faults are not.
    if case.litert and other is not None and 0 < (refs.difference(golden, other) or 0) <= 4:
        for i in range(len(m.outputs)):
            files[f"random.litert_out{i}.bin"] = b"".join(np.ascontiguousarray(x[i]).tobytes() for x in other)
    return name, files, entry, runs


def types_of(m):
    return " ".join([t.dtype for t in m.inputs] + ["->"] + [t.dtype for t in m.outputs])


def describe(t):
    d = {"shape": [int(s) for s in t.shape], "dtype": t.dtype}
    if t.scale is not None:
        d["scale"], d["zero_point"] = [float(np.float32(s)) for s in np.atleast_1d(t.scale)], int(np.atleast_1d(t.zp)[0])
    return d


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", metavar="WORD", default="", help="make only the folders whose names hold WORD")
    parser.add_argument("--group", help="only this group")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a committed file differs")
    args = parser.parse_args()

    cases, seen = [], set()
    for group in [args.group] if args.group else GROUPS:
        try:
            module = importlib.import_module(f"ops.{group}")
        except ModuleNotFoundError:
            continue
        for case in module.cases():
            assert case.model.name not in seen, case.model.name
            seen.add(case.model.name)
            if args.only in case.model.name:
                cases.append(case)

    OPS.mkdir(exist_ok=True)
    path = OPS / "manifest.json"
    old = json.loads(path.read_text()) if path.exists() else {"models": [], "without_golden": []}
    partial = bool(args.only or args.group)
    done = {e["name"]: e for e in old["models"]} if partial else {}
    without = {e["name"]: e for e in old["without_golden"]} if partial else {}
    wrong = []
    with ThreadPoolExecutor(2) as pool:
        for case, (name, files, entry, runs) in zip(cases, pool.map(make, cases)):
            done.pop(name, None), without.pop(name, None)
            if files is None:
                without[name] = entry
                print(f"NO GOLDEN {name}: {entry.get('largest_difference', 'does not run')}",
                      {r: (refs.difference(runs[refs.TFLM][0], v) if v and runs[refs.TFLM][0] else w) for r, (v, w) in runs.items()})
                continue
            done[name] = entry
            if entry.get("saturated", 0) > 0.2 and not case.saturates:
                print(f"SATURATED {name}: {entry['saturated']}")
                wrong.append(name)
            if entry["golden"] != "both" or any(v != "equal" for v in entry.get("others", {}).values()):
                print(name, entry["golden"], entry.get("largest_difference"), entry.get("refused"), entry.get("others"))
            for f, blob in files.items():
                p = OPS / name / f
                if args.check:
                    if not p.exists() or p.read_bytes() != blob:
                        wrong.append(f"{name}/{f}")
                    continue
                p.parent.mkdir(exist_ok=True)
                p.write_bytes(blob)
    if args.check:
        print(*(f"differs: {w}" for w in wrong) if wrong else ["as committed"], sep="\n")
        sys.exit(bool(wrong))
    for p in OPS.iterdir():
        if p.is_dir() and p.name not in done:
            shutil.rmtree(p)
    versions = {p: importlib.metadata.version(p) for p in PACKAGES}
    text = '{"versions": %s,\n"models": [\n%s\n],\n"without_golden": [\n%s\n]}\n' % (
        json.dumps(versions),
        ",\n".join(json.dumps(e) for _, e in sorted(done.items())),
        ",\n".join(json.dumps(e) for _, e in sorted(without.items())))
    path.write_text(text)
    (OPS / "COVERAGE.md").write_text(coverage.table(json.loads(text)))
    size = sum(p.stat().st_size for p in OPS.rglob("*") if p.is_file())
    print(f"{len(done)} folders, {len(without)} without golden, {size} bytes; {len(wrong)} saturated")


main()
