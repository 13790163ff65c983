"""Every function of rows, as test parameters."""

from dataclasses import dataclass
from typing import Any

import fastact
import numpy as np
import pytest
from fastact import _core
from fastact._accuracy import DType, finfo
from fastact._row_accuracy import arguments, signature
from fastact._row_reference import ROWS

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class RowFunction:
    name: str

    @property
    def core(self) -> Any:
        return getattr(_core, self.name)

    @property
    def inputs(self) -> list[str]:
        """For each what it has for a row: "n" or "m" numbers, or, where "", one."""
        return signature(self.name)

    @property
    def output(self) -> str:
        dimensions: str = self.core.signature.split("->")[1]
        return dimensions.strip("()")

    @property
    def labelled(self) -> bool:
        return "cross_entropy" in self.name

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        return getattr(fastact, self.name)(*args, **keywords)

    def arguments(self, x: Array) -> tuple[Array, ...]:
        return arguments(self.name, x)

    def moved(self, args: tuple[Array, ...], others: tuple[int, ...], axis: int) -> tuple[Array, ...]:
        """The arguments of so many rows, with the rows along another axis among the others."""
        return tuple(
            np.moveaxis(a.reshape(*others, -1), -1, axis) if size else a.reshape(others)
            for a, size in zip(args, self.inputs, strict=True)
        )

    def as_rows(self, result: Array, axis: int) -> Array:
        if not self.output:
            return result.ravel()
        return np.ascontiguousarray(np.moveaxis(result, axis, -1)).reshape(-1, result.shape[axis])


FUNCTIONS = [RowFunction(name) for name in ROWS]
LEARNED = {"prelu_backward": 0.25, "swish_backward": 1.5}

each_row_function = pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.name)
each_of_rows_and_gradients = pytest.mark.parametrize(
    "f", [f for f in FUNCTIONS if f.inputs[1:2] == ["n"]], ids=lambda f: f.name
)
each_learned = pytest.mark.parametrize(("name", "p"), LEARNED.items())


def numbers(dtype: DType, count: int, n: int) -> Array:
    """Rows of ordinary numbers of several spreads, some with an infinity, NaN, equal or huge elements."""
    rng = np.random.default_rng(n)
    x = rng.normal(size=(count, n)) * rng.choice([0.1, 1, 10, 100], (count, 1))
    x[rng.uniform(size=x.shape) < 0.02] = -np.inf
    x[4::9] = x[4::9, :1]
    x[5::9] = rng.uniform(-1, 1, x[5::9].shape) * float(finfo(dtype).max)
    x[6::18, n // 2] = np.inf
    x[7::18, -1] = np.nan
    values: Array = x.astype(dtype)
    return values
