"""Print what more threads gain, and how concurrent callers slow each other down, as Markdown tables."""

import argparse
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import perf_counter
from timeit import Timer

import fastact
import numpy as np
from fastact.command.bench import least_times
from fastact.command.markdown import heading, line

FUNCTIONS = ("relu", "hard_swish", "softsign", "sigmoid", "gelu", "mish", "softmax")
SIZES = tuple(1 << k for k in range(10, 21))
ELEMENTS = 1 << 24  # of the calls that follow one another, as in a loop
CALLS = 64  # shared by the callers
ROW = 64

Call = Callable[[], object]


def call(function: Callable[..., object], size: int) -> Call:
    x = np.random.default_rng(0).normal(0, 2, (size // ROW, ROW)).astype(np.float32)
    return partial(function, x, out=np.empty_like(x))


def repeat(one: Call, count: int) -> None:
    for _ in range(count):
        one()


def gain(function: Callable[..., object], size: int, threads: int, seconds: float) -> float:
    """Return how many times faster calls are with this many threads than with one."""
    calls = partial(repeat, call(function, size), ELEMENTS // size)
    timers = {str(n): Timer(calls, partial(fastact.set_num_threads, n), perf_counter) for n in (1, threads)}
    alone, together = least_times(timers, seconds, threads).values()
    return alone / together


def slowdown(function: Callable[..., object], size: int, callers: int, seconds: float) -> float:
    """Return how many times longer the same calls take from several Python threads than from one."""

    def repeat_some(some: Sequence[Call]) -> None:
        for one in some:
            repeat(one, CALLS // callers)

    def from_callers(n: int) -> None:
        list(pool.map(repeat_some, (calls[i::n] for i in range(n))))

    calls = [call(function, size) for _ in range(callers)]
    with ThreadPoolExecutor(callers) as pool:
        timers = {str(n): Timer(partial(from_callers, n), timer=perf_counter) for n in (1, callers)}
        one, many = least_times(timers, seconds, callers).values()
    return many / one


def table(title: str, figure: Callable[..., float], functions: Iterable[Callable[..., object]]) -> None:
    columns = [title, *(f"{size >> 10} Ki" for size in SIZES)]
    print("\n" + heading(columns, (name != title for name in columns)))
    for function in functions:
        figures = (f"{figure(function, size):.2f}" for size in SIZES)
        print(line([function.__name__, *figures]), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--threads", type=int, default=os.cpu_count(), metavar="N", help="default: %(default)s"
    )
    parser.add_argument("--seconds", type=float, default=0.5, metavar="S", help="for each figure")
    options = parser.parse_args()
    threads, seconds = options.threads, options.seconds
    functions = [getattr(fastact, name) for name in FUNCTIONS]
    print(f"float32, deviation 2, rows of {ROW}, `out=`; a column for each number of elements.")
    table(
        f"times faster with {threads} threads than with one",
        partial(gain, threads=threads, seconds=seconds),
        functions,
    )
    fastact.set_num_threads(threads)
    for callers in (2 * threads, 8 * threads):
        table(
            f"times slower from {callers} callers than from one",
            partial(slowdown, callers=callers, seconds=seconds),
            [np.exp, *functions],
        )


if __name__ == "__main__":
    main()
