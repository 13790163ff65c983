"""Figures of many errors, as ``python -m fastact verify`` and `fastact.accuracy` print them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .accuracy import DType

Errors = NDArray[np.float64]

# The names of the passes measured: f(x), g·f'(x) with g = 1, g·f'(x) with any g, and g·f'(x) from y = f(x).
FORWARD, DERIVATIVE, GRADIENT, FROM_OUTPUT = "forward", "derivative", "any gradient", "from output"

_BORDERS = [2.0**k for k in (-126, -10, -3, *range(8), 10)]
BORDERS = np.array([-np.inf, *(-border for border in reversed(_BORDERS)), 0.0, *_BORDERS, np.inf])


def _text(border: float) -> str:
    mantissa, exponent = np.frexp(border)
    return f"{'-' * bool(mantissa < 0)}2^{exponent - 1}" if 0 < abs(border) < 0.1 else f"{border:g}"


RANGES = [f"{_text(low)} to {_text(high)}" for low, high in pairwise(BORDERS)]


class Range(NamedTuple):
    """The errors at inputs in a range, which includes its lower end, or of rows of one length."""

    range: str
    inputs: int
    above_1_ulp: int
    largest: float


@dataclass
class Figures:
    """Figures of the errors of one function.

    They are the largest error at finite inputs, with its place and the result there; the wrong results at
    other inputs; how many errors are at most 0.5 ulp, at most 1 ulp, and larger; and for each range of finite
    inputs the number of inputs, how many of them have an error above 1 ulp, and the largest error.
    """

    largest: float = -1.0
    at: dict[str, Any] = field(default_factory=dict)
    result: float = 0.0
    counts: list[int] = field(default_factory=lambda: [0, 0, 0])
    wrong: list[str] = field(default_factory=list)
    ranges: dict[str, list[Any]] = field(default_factory=dict)

    def add(self, errors: Errors, at: dict[str, Any], result: NDArray[Any], bound: float) -> None:
        """Add the errors of results at inputs, the first of which determines the range."""
        given = {name: np.broadcast_to(value, errors.shape).astype(float) for name, value in at.items()}
        x = next(iter(given.values()))
        finite = np.logical_and.reduce([np.isfinite(values) for values in given.values()])

        def worst_of(chosen: Any) -> tuple[float, dict[str, float], Any]:
            numbers = np.flatnonzero(chosen)
            worst = numbers[errors[numbers].argmax()]
            where = {name: float(values[worst]) for name, values in given.items()}
            return float(errors[worst]), where, result[worst]

        if finite.any():
            largest, where, value = worst_of(finite)
            self.merge(Figures(largest, where, float(value)))
            self.count(errors[finite], x[finite])
        if finite.all():
            return
        for chosen in (x == -np.inf, x == np.inf, np.isnan(x), np.isfinite(x)):
            if (chosen & ~finite).any():
                largest, where, value = worst_of(chosen & ~finite)
                wrong = [] if largest <= bound else [f"{value!s} at {place(where, result.dtype)}"]
                self.merge(Figures(wrong=wrong))
        self.count(errors[~finite])

    def count(self, errors: Errors, x: Errors | None = None, label: str = "") -> None:
        """Count errors in the ranges of x or, without x, all of them in the range with this label."""
        half, one = int(np.count_nonzero(errors <= 0.5)), int(np.count_nonzero(errors <= 1))
        ranges = {}
        parts = [(label, errors)] if label else [] if x is None else by_range(errors, x)
        for name, part in parts:
            ranges[name] = [part.size, int(np.count_nonzero(~(part <= 1))), float(part.max())]
        self.merge(Figures(counts=[half, one - half, errors.size - one], ranges=ranges))

    def merge(self, other: "Figures") -> None:
        if other.largest > self.largest:
            self.largest, self.at, self.result = other.largest, other.at, other.result
        self.counts = [a + b for a, b in zip(self.counts, other.counts, strict=True)]
        self.wrong += [text for text in other.wrong if text not in self.wrong]
        for name, (inputs, above, largest) in other.ranges.items():
            before = self.ranges.get(name, [0, 0, 0.0])
            self.ranges[name] = [before[0] + inputs, before[1] + above, max(before[2], largest)]

    def table(self) -> list[Range]:
        """Return the ranges in order."""
        known = [name for name in RANGES if name in self.ranges]
        others = [name for name in self.ranges if name not in RANGES]
        return [Range(name, *self.ranges[name]) for name in known + others]


def by_range(errors: Errors, x: Errors) -> Iterator[tuple[str, Errors]]:
    """Yield each range with the errors at the finite numbers x in it."""
    first, last = np.searchsorted(BORDERS, [x.min(), x.max()], side="right") - 1
    if first == last:  # as is the case where all floats are measured in order
        yield RANGES[first], errors
        return
    indices = np.searchsorted(BORDERS, x, side="right") - 1
    for index in np.unique(indices):
        yield RANGES[index], errors[indices == index]


Row = tuple[str, str, DType, Figures]


def percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.4f}" if part else "0"


def place(at: dict[str, Any], dtype: DType) -> str:
    """Return the arguments as text; floats are in decimal and, where that is rounded, also in hexadecimal."""

    def text(value: Any) -> str:
        if not isinstance(value, float):
            return str(value)
        exact = f" ({re.sub(r'[.]?0*p', 'p', value.hex())})" if np.isfinite(value) else ""
        return f"{dtype.type(value)!s}{exact}"

    return ", ".join(f"{name} = {text(value)}" for name, value in at.items())
