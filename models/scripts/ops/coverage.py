"""The coverage tables, from the manifest."""

import collections

ODD = [1, 3, 5, 7, 17, 33]
SPATIAL = ["CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "AVERAGE_POOL_2D", "MAX_POOL_2D", "FULLY_CONNECTED"]


def row(cells):
    return f"| {' | '.join(str(c) for c in cells)} |"


def channels(e):
    return e["inputs"][0]["shape"][-1] if e["inputs"][0]["shape"] else 1


def zero_point(tensors, value):
    return any(t.get("zero_point") == value for t in tensors if t["dtype"] in ("int8", "uint8"))


def counted(entries, test):
    return sum(bool(test(e)) for e in entries) or "**0**"


def kinds(entries):
    """Entries by activation and weight types: int8, int16x8, int8 with int4 weights."""
    result = collections.defaultdict(list)
    for e in entries:
        types = e["types"].split()
        if types[0] in ("int8", "int16"):
            result["int4 weights" if "int4" in types else "int16x8" if types[0] == "int16" and "int8" in types else types[0]].append(e)
    return sorted(result.items(), key=lambda k: ("int8", "int16", "int16x8", "int4 weights").index(k[0]))


def spatial(ops):
    acts = ["none", "relu", "relu6", "relu_n1_to_1"]
    heads = (["op", "type", "same", "valid", "stride 1", "2", "3", "dilation 1", "2", "3"] + [f"c {c}" if c == 1 else str(c) for c in ODD]
             + ["in zp -128", "127", "out zp -128", "127"] + acts + ["per tensor", "no bias", "batch"])
    lines = [row(heads), row(["---"] * len(heads))]
    for op in SPATIAL:
        for kind, entries in kinds(ops[op]):
            has = lambda key: any(key in e["options"] for e in entries)

            def option(key, *values):
                return counted(entries, lambda e: e["options"].get(key) in values) if has(key) else ""

            zeros = [counted(entries, lambda e: zero_point(e[side], z)) if kind in ("int8", "int4 weights") else ""
                     for side in ("inputs", "outputs") for z in (-128, 127)]
            lines.append(row(
                [op, kind, option("padding", "same"), option("padding", "valid")]
                + [counted(entries, lambda e: str(s) in e["options"]["stride"]) if has("stride") else "" for s in (1, 2, 3)]
                + [option("dilation", *(f"({a}, {b})" for a, b in ((d, d), (1, d), (d, 1)) if d > 1 or a == b)) for d in (1, 2, 3)]
                + [counted(entries, lambda e: channels(e) == c) for c in ODD] + zeros
                + [option("activation", a) for a in acts] + [option("per_channel", False), option("bias", False),
                   counted(entries, lambda e: e["inputs"][0]["shape"][0] > 1)]))
    return lines


def crossed(ops):
    lines = []
    for op in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        entries = dict(kinds(ops[op]))["int8"]
        lines += ["", f"{op}, int8: padding x stride x dilation (the same in both directions)", "",
                  row(["", *(f"stride {s} dilation {d}" for s in (1, 2, 3) for d in (1, 2, 3))]), row(["---"] * 10)]
        for p in ("same", "valid"):
            lines.append(row([p, *(counted(entries, lambda e: e["options"]["padding"] == p and e["options"]["stride"] == f"({s}, {s})"
                                           and e["options"]["dilation"] == f"({d}, {d})") for s in (1, 2, 3) for d in (1, 2, 3))]))
    for op in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
        entries = dict(kinds(ops[op]))["int8"]
        acts = ("none", "relu", "relu6", "relu_n1_to_1") if op != "FULLY_CONNECTED" else ("none", "relu")
        lines += ["", f"{op}, int8: channels x the input's zero point x activation", "",
                  row(["channels", *(f"{z} {a}" for z in ("-128", "127", "other") for a in acts)]), row(["---"] * (1 + 3 * len(acts)))]
        for c in ODD:
            lines.append(row([c, *(counted(entries, lambda e: channels(e) == c and e["options"]["activation"] == a and
                                           (zero_point(e["inputs"], z) if z else not zero_point(e["inputs"], -128) and not zero_point(e["inputs"], 127)))
                                   for z in (-128, 127, None) for a in acts)]))
    return lines


def general(ops):
    heads = ["op", "int8", "in zp -128", "in zp 127", "out zp -128", "out zp 127", "last dimensions", "int16", "float32", "other"]
    lines = [row(heads), row(["---"] * len(heads))]
    for op in sorted(ops):
        if op in SPATIAL:
            continue
        entries = ops[op]

        def typed(e):
            types = [t["dtype"] for t in e["inputs"] + e["outputs"]]
            return next((t for t in ("int8", "int16", "float32") if t in types), "other")

        int8 = [e for e in entries if typed(e) == "int8"]
        zeros = [sum(zero_point(e[side], z) for e in int8) for side in ("inputs", "outputs") for z in (-128, 127)] if int8 else [""] * 4
        dims = " ".join(str(c) for c in sorted({channels(e) for e in entries}))
        lines.append(row([op, len(int8), *zeros, dims, *(sum(typed(e) == t for e in entries) for t in ("int16", "float32", "other"))]))
    return lines


def disagreed(e):
    return "largest_difference" in e and e["largest_difference"] != 0


def table(manifest):
    ops = collections.defaultdict(list)
    for e in manifest["models"]:
        ops[e["op"]].append(e)
    v = manifest["versions"]
    n = len(manifest["models"])
    both = sum(e["golden"] == "both" for e in manifest["models"])
    lines = [
        "# What the golden folders here cover", "",
        "Made by `models/scripts/make_ops.py`; do not edit.", "",
        f"{n} folders. References: tflite-runtime {v['tflite-runtime']} BUILTIN_REF and TFLM (tflite-micro {v['tflite-micro']}). In {both} folders",
        "they agree byte for byte; in the others one of them does not run the model, or they differ and the manifest says which one the",
        "golden follows and why. Every folder has one case, `random`: several invocations on full-range random inputs. Numbers are folders.", "",
        "## Convolutions, pools, FULLY_CONNECTED", ""]
    lines += spatial(ops) + crossed(ops)
    lines += ["", "## All other operators", ""] + general(ops)
    lines += ["", "## By types", "", "*both*: the references agree. *one*: the other does not run it. *follows*: they differ.", "",
              "| op | types | folders | both | one | follows | variants |", "|---|---|---|---|---|---|---|"]
    for op in sorted(ops):
        by_type = collections.defaultdict(list)
        for e in ops[op]:
            by_type[e["types"]].append(e)
        for types, entries in sorted(by_type.items()):
            agree, follows = sum(e["golden"] == "both" for e in entries), sum(map(disagreed, entries))
            names = ", ".join(e["name"].removeprefix(op.lower() + "_") for e in entries)
            lines.append(row([op, types, len(entries), agree, len(entries) - agree - follows, follows, names]))
    lines += ["", "## Where the references differ", "", "| folder | golden | largest difference | why |", "|---|---|---|---|"]
    lines += [row([e["name"], e["golden"], e["largest_difference"], e.get("why", "")]) for e in manifest["models"] if disagreed(e)]
    lines += ["", "## What only one of them runs", "", "| folder | golden | what the other says | others |", "|---|---|---|---|"]
    for e in manifest["models"]:
        if e["golden"] != "both" and not disagreed(e):
            others = "; ".join(f"{r}: {t}" for r, t in e.get("others", {}).items())
            lines.append(row([e["name"], e["golden"], said(e), others]))
    if manifest["without_golden"]:
        lines += ["", "## Without golden", "", "Neither reference runs it, or they differ and neither is known to be right.", "",
                  "| model | types | largest difference | what they say |", "|---|---|---|---|"]
        lines += [row([e["name"], e["types"], e.get("largest_difference", ""), said(e)]) for e in manifest["without_golden"]]
    return "\n".join(lines) + "\n"


def said(e):
    why = "; ".join(f"{r}: {t}" for r, t in e.get("refused", {}).items())
    return " ".join(why.replace("|", "/").split())[:240]
