"""Figures of many errors, as ``python -m fastact verify`` prints them."""

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._accuracy import Array, DType

Errors = NDArray[np.float64]

FORWARD, DERIVATIVE, GRADIENT = "forward", "derivative", "any gradient"  # passes


@dataclass
class Figures:
    """The largest error at finite inputs and where it is; what breaks the bound at others; how many of all
    errors are at most 0.5 ulp, at most 1, and larger."""

    largest: float = -1.0
    at: dict[str, Any] = field(default_factory=dict)
    counts: list[int] = field(default_factory=lambda: [0, 0, 0])
    wrong: list[str] = field(default_factory=list)

    def add(self, errors: Errors, at: dict[str, Any], result: Array, bound: float) -> None:
        """Add the errors of results at inputs that are all finite or all not."""
        worst = int(errors.argmax())
        where = {name: float(np.broadcast_to(value, errors.shape)[worst]) for name, value in at.items()}
        if np.isfinite(where["x"]):
            self.count(errors, float(errors[worst]), where)
        else:
            self.count(errors)
            if not errors[worst] <= bound:
                self.merge(Figures(wrong=[f"{result[worst]!s} at {place(where, result.dtype)}"]))

    def count(self, errors: Errors, largest: float = -1.0, at: dict[str, Any] | None = None) -> None:
        half, one = int(np.count_nonzero(errors <= 0.5)), int(np.count_nonzero(errors <= 1))
        self.merge(Figures(largest, at or {}, [half, one - half, errors.size - one]))

    def merge(self, other: "Figures") -> None:
        if other.largest > self.largest:
            self.largest, self.at = other.largest, other.at
        self.counts = [a + b for a, b in zip(self.counts, other.counts, strict=True)]
        self.wrong += [text for text in other.wrong if text not in self.wrong]


Row = tuple[str, str, DType, Figures]


def percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.4f}" if part else "0"


def place(at: dict[str, Any], dtype: DType) -> str:
    """Each argument, a float in decimal and, unless it says the same, in hexadecimal."""

    def text(value: Any) -> str:
        if not isinstance(value, float):
            return str(value)
        exact = f" ({re.sub(r'[.]?0*p', 'p', value.hex())})" if np.isfinite(value) else ""
        return f"{dtype.type(value)!s}{exact}"

    return ", ".join(f"{name} = {text(value)}" for name, value in at.items())
