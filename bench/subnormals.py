"""What subnormal numbers, and inputs far out, cost each activation, as a Markdown table."""

import argparse
from functools import partial
from timeit import Timer
from typing import Any

import fastact
import numpy as np
from expressions import EXPRESSIONS
from fastact._bench import clock, least_times

SIZE = 1 << 14
SUFFIXES = "", "_backward", "_backward_from_output"
LEARNED = {"prelu", "swish"}  # whose backward pass sums


def times(name: str, dtype: np.dtype[Any], seconds: float) -> dict[str, float]:
    """Of a call in nanoseconds, by the inputs."""
    rng = np.random.default_rng(0)
    gradients = name.partition("_backward")[1] != ""
    x, g = (deviation * rng.standard_normal(SIZE) for deviation in (2.0, 1.0))
    tiny = float(np.finfo(dtype).tiny) * rng.uniform(-1, 1, SIZE)
    inputs = {"ordinary": (x, g), "x subnormal": (tiny, g)}
    if gradients:
        inputs |= {"g subnormal": (x, tiny), "both": (tiny, tiny)}
    inputs["deviation 10"] = (5 * x, g)
    arrays = {what: [a.astype(dtype) for a in given[: 1 + gradients]] for what, given in inputs.items()}
    function, out = getattr(fastact, name), np.empty(SIZE, dtype)
    timers = {
        what: Timer(partial(function, *given, out=out), timer=clock(1)) for what, given in arrays.items()
    }
    return least_times(timers, seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dtype", type=np.dtype, default="float32", help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=0.2, metavar="S", help="for each activation")
    options = parser.parse_args()
    fastact.set_num_threads(1)
    columns = "x subnormal", "g subnormal", "both", "deviation 10"
    print(
        f"{options.dtype}, {SIZE} elements, `out=`, one thread; times over that for inputs of deviation 2.\n"
    )
    print("| function | ns/element |", " | ".join(columns), "|")
    print("|---|--:|" + "--:|" * len(columns))
    passes = (name + suffix for name in EXPRESSIONS.keys() - LEARNED for suffix in SUFFIXES)
    for name in filter(partial(hasattr, fastact), sorted(passes)):
        least = times(name, options.dtype, options.seconds)
        ordinary = least["ordinary"]
        ratios = (f"{least[what] / ordinary:.2f}" if what in least else "" for what in columns)
        print(f"| {name} | {ordinary / SIZE:.3f} |", " | ".join(ratios), "|", flush=True)


if __name__ == "__main__":
    main()
