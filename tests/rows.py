"""Every function of rows, as test parameters."""

from dataclasses import dataclass
from typing import Any

import fastact
import numpy as np
import pytest
from fastact.checks.accuracy import DType, finfo
from fastact.checks.row_accuracy import arguments, sums
from fastact.checks.row_reference import ROWS
from fastact.functions import registry
from fastact.functions.registry import GATES, Function, split_name

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class RowFunction:
    name: str

    @property
    def core(self) -> Any:
        return self.described.ufunc

    @property
    def described(self) -> Function:
        return registry.FUNCTIONS[self.name]

    @property
    def inputs(self) -> list[str]:
        """Return inputs, given the core shape of each: "n" or "m" elements, or "" for one."""
        return [operand.core for operand in self.described.operands]

    @property
    def output(self) -> str:
        return self.described.results[0]

    @property
    def labelled(self) -> bool:
        return self.described.labels is not None

    @property
    def sums(self) -> bool:
        return sums(self.name)

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        return getattr(fastact, self.name)(*args, **keywords)

    def arguments(self, x: Array) -> tuple[Array, ...]:
        return arguments(self.name, x)

    def moved(self, args: tuple[Array, ...], others: tuple[int, ...], axis: int) -> tuple[Array, ...]:
        """Return arguments for this many rows, with the rows along another axis."""
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
each_gated = pytest.mark.parametrize(
    "f", [f for f in FUNCTIONS if split_name(f.name)[0] in GATES], ids=lambda f: f.name
)
each_of_rows_and_gradients = pytest.mark.parametrize(
    "f", [f for f in FUNCTIONS if f.inputs[1:2] == ["n"]], ids=lambda f: f.name
)
each_learned = pytest.mark.parametrize(("name", "p"), LEARNED.items())


def numbers(dtype: DType, count: int, n: int) -> Array:
    """Return rows of moderate numbers of several spreads, some with infinite, NaN, equal or huge elements."""
    rng = np.random.default_rng(n)
    x = rng.normal(size=(count, n)) * rng.choice([0.1, 1, 10, 100], (count, 1))
    x[rng.uniform(size=x.shape) < 0.02] = -np.inf
    x[4::9] = x[4::9, :1]
    x[5::9] = rng.uniform(-1, 1, x[5::9].shape) * float(finfo(dtype).max)
    x[6::18, n // 2] = np.inf
    x[7::18, -1] = np.nan
    values: Array = x.astype(dtype)
    return values
