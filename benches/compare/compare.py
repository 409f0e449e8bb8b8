"""Times kinglet beside other runtimes, in interleaved rounds. See README.md."""

import argparse
import ctypes
import functools
import json
import statistics
import struct
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PEERS = ["xnn", "xnn -amx", "optimised", "reference", "tflm"]
ROUND_NS = 20_000_000
BATCH_NS = 20_000


def refuse_amx():
    """Has the kernel refuse arch_prctl(ARCH_REQ_XCOMP_PERM): then nobody may use AMX."""
    ld, jeq, ret = 0x20, 0x15, 0x06
    program = [
        (ld, 0, 0, 0),  # number of the system call
        (jeq, 0, 3, 158),  # arch_prctl
        (ld, 0, 0, 16),  # its first argument
        (jeq, 0, 1, 0x1023),  # ARCH_REQ_XCOMP_PERM
        (ret, 0, 0, 0x00050001),  # EPERM
        (ret, 0, 0, 0x7FFF0000),  # allowed
    ]
    code = b"".join(struct.pack("HBBI", *step) for step in program)
    buffer = ctypes.create_string_buffer(code)
    filters = struct.pack("HxxxxxxP", len(program), ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.c_char_p(filters), 0, 0):
        raise OSError(ctypes.get_errno(), "AMX can't be refused")


def litert(model, kind):
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    resolver = {
        "optimised": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        "reference": OpResolverType.BUILTIN_REF,
    }.get(kind, OpResolverType.AUTO)
    interpreter = Interpreter(str(model), num_threads=1, experimental_op_resolver_type=resolver)
    interpreter.allocate_tensors()
    raw = interpreter._interpreter
    return interpreter, raw.Invoke, functools.partial(raw.NumTensors, 0)


def tflm(model, _):
    from tflite_micro.python.tflite_micro import runtime

    interpreter = runtime.Interpreter.from_file(str(model))
    raw = interpreter._interpreter
    return interpreter, raw.Invoke, raw.__hash__


def timed(call, times):
    start = time.perf_counter_ns()
    for _ in range(times):
        call()
    return (time.perf_counter_ns() - start) / times


def worker(kind, model):
    """Answers each line with the nanoseconds of one invoke."""
    if kind == "xnn -amx":
        refuse_amx()
    keep, invoke, nothing = (tflm if kind == "tflm" else litert)(model, kind)
    invoke()
    # As kinglet bench does: the median of many short batches, so that a machine that is shared does not show.
    once = max(timed(invoke, 3), 1)
    times = max(1, int(BATCH_NS / once))
    batches = max(3, int(ROUND_NS / (once * times)))
    print("ready", flush=True)
    for _ in sys.stdin:
        cost = statistics.median(timed(nothing, times) for _ in range(batches)) if times > 1 else 0.0
        print(f"{max(statistics.median(timed(invoke, times) for _ in range(batches)) - cost, 1.0):.3f}", flush=True)
    del keep


class Peer:
    def __init__(self, kind, model):
        command = [sys.executable, __file__, "--worker", kind, str(model)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.alive = self.line() == "ready"

    def line(self):
        # Runtimes may print lines of their own.
        for line in self.process.stdout:
            text = line.strip()
            if text == "ready" or text.replace(".", "", 1).isdigit():
                return text
        return ""

    def round(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self.line())

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


class Kinglet:
    def __init__(self, binary, model, isa):
        self.command = [binary, "bench", str(model), "--slim", "off", "--json"] + (["--isa", isa] if isa else [])
        self.runs, self.peak, self.isa = 20, 0, "?"
        self.runs = max(5, min(1000, int(ROUND_NS / max(self.round(), 20_000))))

    def round(self):
        answer = subprocess.run(
            self.command + ["--runs", str(self.runs)], capture_output=True, text=True, check=True
        )
        report = json.loads(answer.stdout)
        self.peak, self.isa = max(self.peak, report["peak_macs_per_second"] or 0), report["isa"]
        self.macs, self.load = report["macs"], report["load_ns"]
        return report["median_ns"]


def compare(binary, model, rounds, isa):
    kinglet = Kinglet(binary, model, isa)
    peers = {kind: Peer(kind, model) for kind in PEERS}
    times = {"kinglet": []} | {kind: [] for kind, peer in peers.items() if peer.alive}
    for _ in range(rounds):
        for kind, list_of_times in times.items():
            list_of_times.append(kinglet.round() if kind == "kinglet" else peers[kind].round())
    for peer in peers.values():
        peer.stop()
    result = {kind: statistics.median(values) for kind, values in times.items()}
    best = min((result[kind] for kind in ("xnn", "xnn -amx") if kind in result), default=None)
    name = model.parent.name if model.name == "model.tflite" else model.stem
    return {
        "model": name,
        "macs": kinglet.macs,
        "isa": kinglet.isa,
        "median_ns": result,
        "ratio": result["kinglet"] / best if best else None,
        "peak_macs_per_second": kinglet.peak,
        "share": kinglet.macs / result["kinglet"] * 1e9 / kinglet.peak if kinglet.peak else None,
    }


def picture(results):
    """Ratios to the better XNNPACK as bars."""
    rows, width = [], 600
    for i, result in enumerate(r for r in results if r["ratio"]):
        y, length = 40 + 26 * i, width * min(result["ratio"], 1.5) / 1.5
        rows.append(f'<text x="190" y="{y + 14}" text-anchor="end">{result["model"]}</text>')
        rows.append(f'<rect x="200" y="{y}" width="{length:.1f}" height="18" fill="#3b7dd8"/>')
        rows.append(f'<text x="{206 + length:.1f}" y="{y + 14}">{result["ratio"]:.2f}</text>')
    one = 200 + width / 1.5
    height = 60 + 26 * len(results)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="880" height="{height}" font-family="sans-serif" '
        f'font-size="13"><text x="200" y="20">time of kinglet / time of the better XNNPACK</text>'
        f'<line x1="{one}" x2="{one}" y1="28" y2="{height - 10}" stroke="#888" stroke-dasharray="4"/>'
        + "".join(rows)
        + "</svg>\n"
    )


def main():
    if len(sys.argv) == 4 and sys.argv[1] == "--worker":
        worker(sys.argv[2], Path(sys.argv[3]))
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="+", type=Path)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--kinglet", default=str(ROOT / "target/release/kinglet"), help="its binary")
    parser.add_argument("--isa", help="instruction set of kinglet, instead of the machine's best")
    parser.add_argument("--json", type=Path, help="write all figures into this file")
    parser.add_argument("--svg", type=Path, help="draw the ratios into this file")
    args = parser.parse_args()
    print("microseconds an invoke, one thread; ratio: kinglet / the better of xnn and xnn -amx")
    print(f"{'model':<24}{'kinglet':>10}" + "".join(f"{kind:>11}" for kind in PEERS) + f"{'ratio':>8}{'share':>8}")
    results = []
    for model in args.models:
        result = compare(args.kinglet, model, args.rounds, args.isa)
        results.append(result)
        times = result["median_ns"]
        cells = "".join(f"{times[kind] / 1e3:>11.2f}" if kind in times else f"{'-':>11}" for kind in PEERS)
        ratio = f"{result['ratio']:.2f}" if result["ratio"] else "-"
        share = f"{result['share']:.0%}" if result["share"] else "-"
        print(f"{result['model']:<24}{times['kinglet'] / 1e3:>10.2f}{cells}{ratio:>8}{share:>8}", flush=True)
    if results and results[0]["peak_macs_per_second"]:
        peak = max(result["peak_macs_per_second"] for result in results)
        print(f"peak of {results[0]['isa']} in registers: {peak / 1e9:.0f} billion multiply-accumulates a second")
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + "\n")
    if args.svg:
        args.svg.write_text(picture(results))


if __name__ == "__main__":
    main()
