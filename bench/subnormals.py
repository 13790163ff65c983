"""Print how much subnormal numbers, and inputs far from 0, slow down each function, as a Markdown table."""

import argparse
import math
from functools import partial
from timeit import Timer
from typing import Any

import fastact
import numpy as np
from fastact.command.bench import clock, least_times
from fastact.command.markdown import heading, line
from fastact.functions.registry import ELEMENTWISE, FORWARD, LEARNABLE, OF_ROWS, Function

SHAPE = 64, 256


def arguments(f: Function, x: Any, g: Any) -> tuple[Any, ...]:
    """Return the arguments that go with x or, for a gradient from the output, with an output."""
    first, *others = f.operands
    if f.kind == "rows" and first.role == "output":
        y = getattr(fastact, f.forward)(x)
        x = y if np.abs(x).max() > 1 else np.copysign(x, y)
    sizes = {"n": g, "m": g[:, : SHAPE[1] // 2], "": g if f.kind == "elements" else g[:, 0]}
    labels = np.arange(SHAPE[0])
    rest = (labels if o.role == "labels" else sizes[o.core] for o in others if o.role != "parameter")
    return (x, *rest)


def times(f: Function, dtype: np.dtype[Any], seconds: float) -> dict[str, float]:
    """Return the time of a call in nanoseconds, by kind of input."""
    rng = np.random.default_rng(0)
    gradients = f.suffix != FORWARD
    x, g = (deviation * rng.standard_normal(SHAPE) for deviation in (2.0, 1.0))
    tiny = float(np.finfo(dtype).tiny) * rng.uniform(-1, 1, SHAPE)
    inputs = {"ordinary": (x, g), "x subnormal": (tiny, g)}
    if gradients:
        inputs |= {"g subnormal": (x, tiny), "both": (tiny, tiny)}
    inputs |= {"deviation 10": (5 * x, g), "deviation 30": (15 * x, g)}
    timers = {}
    for what, given in inputs.items():
        args = arguments(f, *(a.astype(dtype) for a in given))
        timers[what] = Timer(partial(f, *args, out=f(*args)), timer=clock(1))
    return least_times(timers, seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dtype", type=np.dtype, default="float32", help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=0.2, metavar="S", help="for each activation")
    options = parser.parse_args()
    fastact.set_num_threads(1)
    columns = "x subnormal", "g subnormal", "both", "deviation 10", "deviation 30"
    size = math.prod(SHAPE)
    print(f"{options.dtype}, {SHAPE[0]} rows of {SHAPE[1]}, `out=`, one thread;")
    print("times over that for inputs of deviation 2.\n")
    print(heading(["function", "ns/element", *columns], [False, *[True] * (1 + len(columns))]))
    learnable = {f.forward for f in LEARNABLE}
    for f in sorted(ELEMENTWISE + OF_ROWS, key=str):
        if f.forward in learnable:  # their backward passes sum
            continue
        least = times(f, options.dtype, options.seconds)
        ordinary = least["ordinary"]
        ratios = (f"{least[what] / ordinary:.2f}" if what in least else "" for what in columns)
        print(line([f, f"{ordinary / size:.3f}", *ratios]), flush=True)


if __name__ == "__main__":
    main()
