"""Time calls on four elements, with masks and of integers, beside what the contract compares them with."""

import argparse
import json
from pathlib import Path
from timeit import Timer
from typing import Any

import fastact
import numpy as np
import report
from fastact.command.bench import clock, least_times
from fastact.functions.registry import DROPOUT, FUNCTIONS, NORMS, Function, Norm

EXP = "np.exp(x)"
MASKS = ["some", "rows", "columns", "backwards", "transposed"]
INTEGERS = ["bool", "int8", "uint16", "int64"]
# How a call names each operand: by its role, or by the number of elements that belong to a row of x.
OPERANDS = {"labels": "label", "output": "y", "parameter": "0.25", "n": "x", "m": "half", "": "one"}
LABEL_OPTIONS = ["ignore_label=0", "label_smoothing=0.1", "weights=weights"]


def call(f: Function | Norm) -> str:
    """A call with as few arguments as it takes, or of a norm with all its arrays."""
    if isinstance(f, Norm):
        return f"fastact.{f}({', '.join(['x'] * f.rows + ['weights'] * (len(f.arguments) - f.rows))})"
    needed = [o for o in f.operands if o.role != "parameter" or o.default is None]
    by_row = f.kind in ("rows", "fused")
    arguments = [OPERANDS.get(o.role) or OPERANDS[o.core if by_row else "n"] for o in needed]
    return f"fastact.{f}({', '.join(arguments)})"


def with_options(f: Function) -> list[str]:
    """The calls of a cross-entropy with each of its options, and with probabilities."""
    labels = call(f)
    options = [f"{labels.removesuffix(')')}, {option})" for option in LABEL_OPTIONS]
    return [*options, labels.replace(OPERANDS["labels"], "y")]


def allowed(f: Function | Norm) -> float:
    """The most that a call may take, relative to np.exp."""
    if len(f.results) > 1:
        return 6.0
    if isinstance(f, Norm):
        return 4.0
    return 4.0 if f.kind == "rows" else 1.5 if f.parameters else 1.0


def comparisons() -> dict[str, tuple[str, float]]:
    """Return what each call is compared with, and the most that it may take relative to that."""
    functions: list[Function | Norm] = [*FUNCTIONS.values(), *NORMS.values()]
    found = {EXP: (EXP, 1.0)} | {call(f): (EXP, allowed(f)) for f in functions}
    for f in FUNCTIONS.values():
        if f.labels is not None:
            found |= dict.fromkeys(with_options(f), (EXP, allowed(f)))
    found |= {f"fastact.{name}(x, 0.25, 1)": (EXP, 1.5) for name in DROPOUT}
    for mask in MASKS:
        options = f"(many, where={mask}, out=out)"
        found[f"fastact.exponential{options}"] = f"np.exp{options}", 1.5
    for name in INTEGERS:
        for numbers in (f"few_{name}", f"many_{name}"):
            found[f"fastact.relu({numbers})"] = f"fastact.relu({numbers}.astype(type_{name}))", 1.3
    return found


def operands() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    x = np.linspace(-1, 1, 4, dtype=np.float32)
    many = rng.normal(size=(400, 250)).astype(np.float32)
    names = {"x": x, "y": abs(x) / 4, "half": x[:2], "one": x[0], "label": np.int64(1), "weights": abs(x)}
    some = many > 0
    layouts = (some, some[:, :1], some[0], some[::-1, ::-1], np.asfortranarray(some))
    names |= {"many": many, "out": np.zeros_like(many)} | dict(zip(MASKS, layouts, strict=True))
    for name in INTEGERS:
        few = names[f"few_{name}"] = (x > 0).astype(name)
        names |= {f"many_{name}": some.astype(name), f"type_{name}": np.exp(few).dtype}
    return {"np": np, "fastact": fastact} | names


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=0.4, metavar="S", help="for each call")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the times to FILE")
    options = parser.parse_args()
    names, found = operands(), comparisons()
    written = [*found, *(of for of, _ in found.values())]
    timers = {call: Timer(call, timer=clock(1), globals=names) for call in written}
    times = least_times(timers, len(timers) * options.seconds)
    rows = [
        [call, f"{times[call]:.0f}", f"{times[call] / times[of]:.2f}", f"{most:.1f}", of]
        for call, (of, most) in found.items()
    ]
    print(report.text([["call", "ns", "relative", "allowed", "to"], *rows]))
    if options.json:
        options.json.write_text(json.dumps({"ns_per_call": times}, indent=1) + "\n")


if __name__ == "__main__":
    main()
