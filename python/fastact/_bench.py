"""How long functions take, beside NumPy expressions: ``fastact bench``."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from time import perf_counter, process_time, sleep
from timeit import Timer
from typing import Any, NamedTuple

import numpy as np

import fastact

from ._choose import get
from ._expressions import CONSTANTS, NUMPY
from ._row_documentation import FAMILIES

TURN = 3e-4  # seconds: long beside the clock's resolution, short beside the spells of a busy machine
REST = 4e-3  # seconds for which threads of the library before may still be waiting busily
ROW = 64  # elements


def clock(threads: int) -> Callable[[], float]:
    """With one thread, the time that the processor spends on it: other work on the machine does not count."""
    return process_time if threads == 1 else perf_counter


def least_times(timers: Mapping[str, Timer], seconds: float, threads: int = 1) -> dict[str, float]:
    """The least time of a call in nanoseconds, over turns that share so many seconds evenly."""
    now = clock(threads)
    calls = {
        name: next(n for n in (1 << k for k in range(40)) if timer.timeit(n) > TURN)
        for name, timer in timers.items()
    }
    least, spent = dict.fromkeys(timers, math.inf), dict.fromkeys(timers, 0.0)
    while sum(spent.values()) < seconds or math.inf in least.values():
        name = min(spent, key=spent.__getitem__)
        start = now()
        if threads > 1:
            sleep(REST)
            timers[name].timeit(1)  # wakes its threads
        least[name] = min(least[name], timers[name].timeit(calls[name]) / calls[name])
        spent[name] += now() - start
    return {name: 1e9 * time for name, time in least.items()}


class Times(NamedTuple):
    """Nanoseconds an element; NumPy's are NaN where its expression needs SciPy and that is not installed."""

    function: str
    pass_: str
    numpy: float
    fastact: float


def compare(names: Sequence[str], size: int, dtype: str, seconds: float) -> Iterator[Times]:
    """Time both passes of each function, for so many seconds each."""
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
        y = f(x)
        g = rng.standard_normal(y.shape).astype(dtype)
        scope |= {"x": x, "y": y, "g": g, "a": x[..., : ROW // 2], "b": x[..., ROW // 2 :]}
        learned = {parameter: f.parameters[parameter] for parameter in f.learnable}
        passes = ("forward", "", (x,)), ("backward", "_backward", (x, g))
        for (pass_, suffix, arrays), expression in zip(passes, NUMPY[name], strict=False):
            call = partial(getattr(fastact, name + suffix), *arrays, **learned)
            timers = {"fastact": Timer(call, timer=clock(threads))}
            if {"special", "erf"}.isdisjoint(compile(expression, "", "eval").co_names) or "erf" in scope:
                timers["numpy"] = Timer(expression, timer=clock(threads), globals=scope)
            with np.errstate(all="ignore"):
                times = least_times(timers, seconds, threads)
            yield Times(name, pass_, times.get("numpy", math.nan) / x.size, times["fastact"] / x.size)
