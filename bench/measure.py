"""Measures cells: reads a JSON list of them and writes a line of JSON for each, after one about the setting.

    echo '[["gelu", "forward", "float32", [4096], null, 2, "fresh", 1, "best"]]' | python bench/measure.py

A cell is a function, a pass, a type, a shape and more; peers.py plans them and reports. Within a cell the
libraries take turns and the least time of each counts: so the ratios hold on a busy machine.
"""

import argparse
import json
import math
import os
import platform
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from timeit import Timer
from typing import Any, NamedTuple

import fastact
import numpy as np
from fastact.command.bench import clock, least_times
from fastact.functions.registry import REQUIRED
from forms import into_out
from libraries import Library, load

ALIGNMENT = 64  # bytes
HELD = 1 << 30  # bytes
CHECKED = 1 << 16  # elements of each result
TOLERANCES = {"float16": (0.016, 0.016), "bfloat16": (0.125, 0.125)}  # 16 units in the last place
# Some operations have no form for out=, or none for half precision.
OPTIONAL = "out", "float16", "bfloat16"
MISSING = AttributeError, TypeError, RuntimeError  # what libraries raise then


class Cell(NamedTuple):
    function: str
    pass_: str
    dtype: str
    shape: tuple[int, ...]
    axis: int | None  # of functions of rows
    spread: float  # deviation of the inputs
    output: str  # fresh or out
    threads: int
    isa: str


@lru_cache(4)
def normal(shape: tuple[int, ...], seed: int) -> Any:
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def aligned(array: Any) -> Any:
    """Return a copy at a multiple of 64 bytes, where torch and JAX place each array and NumPy only some."""
    memory = np.empty(array.nbytes + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    copy = memory[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def inputs(cell: Cell, forward: str) -> dict[str, Any]:
    """Return the arrays by their names in expressions."""
    x = aligned((cell.spread * normal(cell.shape, 0)).astype(cell.dtype))
    each = [n if i == cell.axis else 1 for i, n in enumerate(cell.shape)]
    arrays = {"x": x, "weight": np.full(each, REQUIRED, cell.dtype)}
    arrays["bias"] = np.ones(each, cell.dtype)
    arrays["factor"] = aligned((cell.spread * normal(cell.shape, 2)).astype(cell.dtype))
    names = {"fastact": fastact, "axis": cell.axis}
    if cell.axis is not None:
        arrays["a"], arrays["b"] = np.array_split(x, 2, cell.axis)
        arrays["labels"] = x.argmax(cell.axis)
        arrays["indices"] = np.expand_dims(arrays["labels"], cell.axis)
    y = eval(forward, names | arrays)
    y = arrays["y"] = aligned(y[0] if isinstance(y, tuple) else y)
    arrays["g"] = aligned(normal(y.shape, 1).astype(cell.dtype))
    arrays["out"] = aligned(np.zeros_like(y if cell.pass_ == "forward" else x))
    return arrays


def some_values(library: Library, result: Any) -> list[Any]:
    results = result if isinstance(result, tuple) else (result,)
    return [library.values(part.reshape(-1)[:CHECKED]).copy() for part in results]


def agree(dtype: str, ours: Any, theirs: Any) -> bool:
    """Return whether nearly all elements agree; some lie at kinks, where conventions differ.

    Differences are judged by the usual size of elements, because sums over many rows lose digits to others.
    """
    relative, absolute = TOLERANCES.get(dtype, (1e-3, 1e-5))
    pairs = [(a, b, absolute * max(1, np.median(np.abs(a)))) for a, b in zip(ours, theirs, strict=True)]
    return all(np.isclose(b, a, relative, bound).mean() > 0.99 for a, b, bound in pairs)


def timers(libraries: Mapping[str, Library], cell: Cell) -> dict[str, Timer | None]:
    """Return a timer for each library that has such a function; None if its result is wrong."""
    found: dict[str, Timer | None] = {}
    forward = libraries["fastact"].write(cell.function, "forward", cell.dtype)
    assert forward
    arrays = inputs(cell, forward.expression)
    for name, library in libraries.items():
        written = library.write(cell.function, cell.pass_, cell.dtype)
        expression = written and written.expression
        if expression and cell.output == "out":
            expression = into_out(expression, "torch" if name == "torch" else "np")
        if not written or not expression:
            continue
        names = {key: library.array(array) for key, array in arrays.items()}
        names |= {**written.names, "axis": cell.axis}
        optional = name != "fastact" and (cell.output in OPTIONAL or cell.dtype in OPTIONAL)
        with suppress(*MISSING if optional else ()):
            result = eval(expression, names)
            values = some_values(library, names["out"] if cell.output == "out" else result)
            if not found:
                expected = values
            right = agree(cell.dtype, expected, values)
            found[name] = Timer(expression, timer=clock(cell.threads), globals=names) if right else None
    return found


def measure(libraries: Mapping[str, Library], cell: Cell, seconds: float) -> dict[str, Any]:
    found = timers(libraries, cell)
    sound = {name: timer for name, timer in found.items() if timer}
    times = least_times(sound, seconds, cell.threads)
    size = math.prod(cell.shape)
    return {
        **cell._asdict(),
        "ns_per_element": {name: time / size for name, time in times.items()},
        "wrong": sorted(found.keys() - sound.keys()),
    }


def processor() -> str:
    with suppress(OSError):
        if found := re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text()):
            return found[1]
    return platform.processor() or platform.machine()


def setting(libraries: Mapping[str, Library]) -> dict[str, str]:
    return {
        "processor": f"{processor()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        **{name: library.version for name, library in libraries.items()},
    }


def touch_memory() -> None:
    """Have glibc hold much memory, in large pages, from the start: its aligned blocks fragment the heap."""
    np.ones(HELD, np.uint8)


def pin(processors: int) -> None:
    """Limit the process to this many processors, because some libraries start more threads than allowed."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-processors:])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=0.4, metavar="S", help="for each cell")
    options = parser.parse_args()
    cells = [Cell(*values)._replace(shape=tuple(values[3])) for values in json.load(sys.stdin)]
    np.seterr(all="ignore")
    touch_memory()
    pin(max(cell.threads for cell in cells))
    libraries = load()
    print(json.dumps({"setting": setting(libraries)}), flush=True)
    for cell in cells:
        print(json.dumps(measure(libraries, cell, options.seconds)), flush=True)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
