"""The coverage table, from the manifest."""

import collections


def table(manifest):
    ops = collections.defaultdict(list)
    for e in manifest["models"]:
        ops[e["op"]].append(e)
    v = manifest["versions"]
    lines = [
        "# What the golden folders here cover", "",
        "Made by `models/scripts/make_ops.py`; do not edit.", "",
        f"References: tflite-runtime {v['tflite-runtime']} BUILTIN_REF and TFLM (tflite-micro {v['tflite-micro']}). *both*: they",
        "agree byte for byte. *one*: the other does not run the model; *follows*: they differ, and the manifest says which",
        "one the golden follows and why. Every folder has one case, `random`, of full-range random inputs.", "",
        "| op | types | folders | both | one | follows | variants |", "|---|---|---|---|---|---|---|",
    ]
    for op in sorted(ops):
        by_type = collections.defaultdict(list)
        for e in ops[op]:
            by_type[e["types"]].append(e)
        for types in sorted(by_type):
            entries = by_type[types]
            both = sum(e["golden"] == "both" for e in entries)
            follows = sum(bool(e.get("largest_difference")) or "largest_difference" in e and e["largest_difference"] is None for e in entries)
            names = ", ".join(e["name"].removeprefix(op.lower() + "_") for e in entries)
            lines.append(f"| {op} | {types} | {len(entries)} | {both} | {len(entries) - both - follows} | {follows} | {names} |")
    rest = [e for e in manifest["models"] if e["golden"] != "both"]
    lines += ["", f"{len(manifest['models'])} folders. Those whose golden is not both references':", "",
              "| folder | golden | largest difference | why, or what the other reference says |", "|---|---|---|---|"]
    for e in rest:
        why = e.get("why") or "; ".join(f"{r}: {t}" for r, t in e.get("refused", {}).items())
        lines.append(f"| {e['name']} | {e['golden']} | {e.get('largest_difference', '')} | {' '.join(why.replace('|', '/').split())[:200]} |")
    if manifest["without_golden"]:
        lines += ["", "No golden: neither reference runs it, or they differ and neither is known to be right.", "",
                  "| model | types | largest difference | what they say |", "|---|---|---|---|"]
        for e in manifest["without_golden"]:
            why = "; ".join(f"{r}: {t}" for r, t in e.get("refused", {}).items())
            lines.append(f"| {e['name']} | {e['types']} | {e.get('largest_difference', '')} | {' '.join(why.replace('|', '/').split())[:200]} |")
    return "\n".join(lines) + "\n"
