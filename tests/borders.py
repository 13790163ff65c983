"""Calls every function on arrays next to inaccessible pages, so that any stray access crashes."""

import ctypes
import mmap
import sys
from collections.abc import Iterator
from itertools import product
from typing import Any

import fastact
import numpy as np
from fastact._core import set_streaming_threshold
from functions import DTYPES, FUNCTIONS, arguments, bits
from rows import FUNCTIONS as ROW_FUNCTIONS
from rows import LEARNED, numbers

Array = np.ndarray[Any, Any]
PAGE, PAGES, NO_ACCESS = mmap.PAGESIZE, 64, 0
PROTECT = ctypes.CDLL(None, use_errno=True).mprotect


class Fenced:
    """Memory between two pages that can be neither read nor written."""

    def __init__(self) -> None:
        self.memory = np.frombuffer(mmap.mmap(-1, (PAGES + 2) * PAGE), np.uint8)
        start = self.memory.ctypes.data
        for page in (start, start + (PAGES + 1) * PAGE):
            if PROTECT(ctypes.c_void_p(page), ctypes.c_size_t(PAGE), NO_ACCESS):
                raise OSError(ctypes.get_errno(), "mprotect")

    def put(self, array: Array, at_end: bool) -> Array:
        """Return a copy of the array that touches one border or the other."""
        inner = self.memory[PAGE:-PAGE]
        begin = inner.size - array.nbytes if at_end else 0
        copy = inner[begin : begin + array.nbytes].view(array.dtype).reshape(array.shape)
        copy[...] = array
        return copy


AT_END = (False, True)
FENCED = [Fenced() for _ in range(6)]


def check(function: Any, args: tuple[Array, ...], **keywords: Any) -> int:
    """Call the function with arrays at either border; return the number of calls."""
    expected = function(*args, **keywords)
    outputs = expected if isinstance(expected, tuple) else (np.asarray(expected),)
    for at_end in AT_END:
        places = iter(FENCED)
        fenced = [next(places).put(np.asarray(a), at_end) for a in args]
        out = tuple(next(places).put(np.zeros_like(y), at_end) for y in outputs)
        function(*fenced, out=out if len(out) > 1 else out[0], **keywords)
        assert [bits(y) for y in out] == [bits(y) for y in outputs], function
    return len(AT_END)


def calls() -> Iterator[tuple[Any, tuple[Array, ...], dict[str, Any]]]:
    """Yield functions, arguments and keywords."""
    for threshold in (sys.maxsize, 1):  # stores through the caches, and past them
        set_streaming_threshold(threshold)
        for f, dtype in product(FUNCTIONS, DTYPES):
            spread = [a[-3000:] for a in arguments(f, dtype)]
            for n in (*range(131), *range(1020, 1030), 2100):
                part = tuple(a[:n] for a in spread)
                yield f, part, {}
            yield f, (*part, *(np.full(n, value, dtype) for _, value in f.defaults)), {}
        for n, dtype, offset in product((*range(131), 1024, 2100), DTYPES, (0, 3)):
            yield fastact.dropout, (np.ones(n, dtype),), {"rate": 0.5, "seed": 1, "offset": offset}
    shapes = (*product((1, 3, 40), (1, 2, 3, 10, 31, 32, 33, 64, 129)), (2, 1000), (300, 2))
    for shape, dtype in product(shapes, DTYPES):
        count, n = shape
        for row_function in ROW_FUNCTIONS:
            if n % 2 and row_function.described.needs_even_rows:
                continue
            args = row_function.arguments(numbers(dtype, count, n))
            yield row_function, args, {}
            yield row_function, row_function.moved(args, (count,), 0), {"axis": 0}
        for name, p in LEARNED.items():
            x, g = np.random.default_rng(0).normal(0, 10, (2, count, n)).astype(dtype)
            for parameter in ((), n, (count, 1)):
                yield getattr(fastact, name), (x, g, np.full(parameter, p, dtype)), {}


def main() -> None:
    count = sum(check(function, args, **keywords) for function, args, keywords in calls())
    print(f"{count:,} calls")


if __name__ == "__main__":
    main()
