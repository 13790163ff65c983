"""The measurements of ``fastact bench``: the time of functions next to that of NumPy expressions."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from time import perf_counter, process_time, sleep
from timeit import Timer
from typing import Any, NamedTuple

import numpy as np

import fastact

from ..facts.expressions import CONSTANTS, NUMPY, by_pass
from ..facts.rows import FAMILIES
from ..functions.by_name import get
from ..functions.registry import FUNCTIONS

TURN = 3e-4  # seconds: far above the clock's resolution, far below the periods in which other work disturbs
FEW = 3  # turns that even a slow timer gets
TURNS = 20  # consecutive turns after a rest, with several threads
REST = 20e-3  # seconds, after which the threads of other libraries no longer wait actively
ROW = 64  # elements in a row


def clock(threads: int) -> Callable[[], float]:
    """Return the clock; for one thread it is the processor time, which excludes other work on the machine."""
    return process_time if threads == 1 else perf_counter


def least_times(timers: Mapping[str, Timer], seconds: float, threads: int = 1) -> dict[str, float]:
    """Return the shortest time of a call in nanoseconds.

    The timers take turns. Each gets a share of the seconds in proportion to its speed, because the
    comparison with the fastest is what counts.
    """
    calls = {
        name: next(n for n in (1 << k for k in range(40)) if timer.timeit(n) > TURN)
        for name, timer in timers.items()
    }
    turns, share = TURNS if threads > 1 else 1, seconds / len(timers)
    least, spent, taken = (dict.fromkeys(timers, start) for start in (math.inf, 0.0, 0))

    def progress(name: str) -> float:
        return -1 if taken[name] < FEW else spent[name] * least[name] / min(least.values())

    while progress(name := min(timers, key=progress)) < share:
        if threads > 1:
            sleep(REST)
            timers[name].timeit(2)  # wakes the threads of this library
        for _ in range(turns):
            time = timers[name].timeit(calls[name])
            least[name] = min(least[name], time / calls[name])
            spent[name] += time
            taken[name] += 1
            if progress(name) >= share:
                break
    return {name: 1e9 * time for name, time in least.items()}


class Times(NamedTuple):
    """Nanoseconds per element; those of NumPy are NaN if its expression needs SciPy and SciPy is missing."""

    function: str
    pass_: str
    numpy: float
    fastact: float


def compare(names: Sequence[str], size: int, dtype: str, seconds: float) -> Iterator[Times]:
    """Time both passes of each function, each for the given number of seconds."""
    scope: dict[str, Any] = {"np": np, "axis": -1, **CONSTANTS}
    with suppress(ModuleNotFoundError):
        from scipy import special

        scope |= {"special": special, "erf": special.erf}
    rng = np.random.default_rng(0)
    threads = fastact.get_num_threads()
    for name in names:
        f = get(name)
        shape = (-(-size // ROW), ROW) if name in FAMILIES else (size,)
        x = (2 * rng.standard_normal(shape)).astype(dtype)
        g = rng.standard_normal(f(x).shape).astype(dtype)
        scope |= {"x": x, "g": g, "a": x[..., : ROW // 2], "b": x[..., ROW // 2 :]}
        given = FUNCTIONS[name].required | {parameter: f.parameters[parameter] for parameter in f.learnable}
        expressions = by_pass(*NUMPY[name])
        for pass_, suffix, arrays in ("forward", "", (x,)), ("backward", "_backward", (x, g)):
            if not (expression := expressions.get(pass_)):
                continue
            call = partial(getattr(fastact, name + suffix), *arrays, **given)
            timers = {"fastact": Timer(call, timer=clock(threads))}
            if {"special", "erf"}.isdisjoint(compile(expression, "", "eval").co_names) or "erf" in scope:
                timers["numpy"] = Timer(expression, timer=clock(threads), globals=scope)
            with np.errstate(all="ignore"):
                times = least_times(timers, seconds, threads)
            yield Times(name, pass_, times.get("numpy", math.nan) / x.size, times["fastact"] / x.size)
