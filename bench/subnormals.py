"""What subnormal numbers, and inputs far out, cost each function, as a Markdown table."""

import argparse
import math
from functools import partial
from timeit import Timer
from typing import Any

import fastact
import numpy as np
from expressions import EXPRESSIONS
from fastact._bench import clock, least_times
from fastact._row_accuracy import signature, split_name
from fastact._row_reference import ROWS

SHAPE = 64, 256
SUFFIXES = "", "_backward", "_backward_from_output"
LEARNED = {"prelu", "swish"}  # whose backward pass sums


def arguments(name: str, x: Any, g: Any) -> tuple[Any, ...]:
    """What goes with x or, for the gradient from the output, with an output that subnormal numbers may be."""
    forward, suffix = split_name(name)
    if forward not in ROWS:
        return (x, g) if suffix else (x,)
    if suffix == "_backward_from_output" and np.abs(x).max() > 1:
        x = getattr(fastact, forward)(x)
    rest = [{"n": g, "m": g[:, : SHAPE[1] // 2], "": g[:, 0]}[size] for size in signature(name)[1:]]
    if "cross_entropy" in name:
        rest[0] = np.arange(SHAPE[0])
    return (x, *rest)


def times(name: str, dtype: np.dtype[Any], seconds: float) -> dict[str, float]:
    """Of a call in nanoseconds, by the inputs."""
    rng = np.random.default_rng(0)
    gradients = "_backward" in name
    x, g = (deviation * rng.standard_normal(SHAPE) for deviation in (2.0, 1.0))
    tiny = float(np.finfo(dtype).tiny) * rng.uniform(-1, 1, SHAPE)
    inputs = {"ordinary": (x, g), "x subnormal": (tiny, g)}
    if gradients:
        inputs |= {"g subnormal": (x, tiny), "both": (tiny, tiny)}
    inputs |= {"deviation 10": (5 * x, g), "deviation 30": (15 * x, g)}
    function, timers = getattr(fastact, name), {}
    for what, given in inputs.items():
        args = arguments(name, *(a.astype(dtype) for a in given))
        timers[what] = Timer(partial(function, *args, out=function(*args)), timer=clock(1))
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
    print("| function | ns/element |", " | ".join(columns), "|")
    print("|---|--:|" + "--:|" * len(columns))
    passes = (name + suffix for name in EXPRESSIONS.keys() - LEARNED for suffix in SUFFIXES)
    for name in filter(partial(hasattr, fastact), sorted({*passes, *ROWS})):
        least = times(name, options.dtype, options.seconds)
        ordinary = least["ordinary"]
        ratios = (f"{least[what] / ordinary:.2f}" if what in least else "" for what in columns)
        print(f"| {name} | {ordinary / size:.3f} |", " | ".join(ratios), "|", flush=True)


if __name__ == "__main__":
    main()
