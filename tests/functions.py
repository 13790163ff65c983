"""Every public function of the activations compiled into fastact, as test parameters."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import fastact
import numpy as np
import pytest
from fastact._accuracy import every_exponent, finfo
from fastact._core import activations, learnable
from fastact._documentation import REQUIRED
from numpy.typing import NDArray

FORWARD, BACKWARD, FROM_OUTPUT = "", "_backward", "_backward_from_output"

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Function:
    activation: str
    suffix: str
    parameters: tuple[tuple[str, float | None], ...]

    @property
    def name(self) -> str:
        return self.activation + self.suffix

    @property
    def inputs(self) -> tuple[str, ...]:
        return {FORWARD: ("x",), BACKWARD: ("x", "g"), FROM_OUTPUT: ("y", "g")}[self.suffix]

    @property
    def function(self) -> Any:
        return getattr(fastact, self.name)

    @property
    def required(self) -> dict[str, float]:
        return {name: REQUIRED for name, value in self.parameters if value is None}

    @property
    def defaults(self) -> tuple[tuple[str, float], ...]:
        """What a call uses where it gives no parameters."""
        return tuple((name, REQUIRED if value is None else value) for name, value in self.parameters)

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        required = {} if len(args) > len(self.inputs) else self.required
        return self.function(*args, **(required | keywords))

    def sibling(self, suffix: str) -> "Function":
        return replace(self, suffix=suffix)


FUNCTIONS = [
    Function(name, suffix, parameters)
    for name, parameters, has_from_output in activations
    for suffix in (FORWARD, BACKWARD, *[FROM_OUTPUT] * has_from_output)
] + [Function(name, FORWARD, parameters) for name, parameters, _ in learnable]
BFLOAT16 = [import_module("ml_dtypes").bfloat16] if find_spec("ml_dtypes") else []
HALF_PRECISION: list[np.dtype[Any]] = [np.dtype(t) for t in (np.float16, *BFLOAT16)]
DTYPES = [*HALF_PRECISION, np.dtype(np.float32), np.dtype(np.float64)]


def each(choose: Callable[[Function], Any] = lambda f: True) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("f", [f for f in FUNCTIONS if choose(f)], ids=lambda f: f.name)


each_function = each()
each_forward = each(lambda f: f.suffix == FORWARD)
each_backward = each(lambda f: f.suffix == BACKWARD)
each_from_output = each(lambda f: f.suffix == FROM_OUTPUT)
each_gradient = each(lambda f: f.suffix != FORWARD)
each_with_parameters = each(lambda f: f.defaults)
each_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=str)


def extremes(dtype: np.dtype[Any]) -> Array:
    """Zero, the ends of the dtype's range and of its subnormal range, infinity, and NaN, with both signs."""
    info = finfo(dtype)
    least, tiny = float(info.smallest_subnormal), float(info.tiny)
    ends = [0, least, 3 * least, tiny - least, tiny, 1, float(info.max), np.inf, np.nan]
    return np.array([*ends, *np.negative(ends)], dtype)


def arguments(f: Function, dtype: np.dtype[Any]) -> tuple[Array, ...]:
    """Some thousand inputs: the extremes in every combination, then every exponent, then moderate ones."""
    rng = np.random.default_rng(0)
    special = extremes(dtype)
    exponents = every_exponent(dtype)
    moderate = rng.normal(0, rng.choice([1.0, 10.0, 100.0], 2000)).astype(dtype)
    first = np.concatenate([np.repeat(special, special.size), exponents, moderate])
    second = np.concatenate([np.tile(special, special.size), rng.permutation(exponents), moderate[::-1]])
    return (first, second)[: len(f.inputs)]


def bits(result: Array) -> bytes:
    """What "the same bits" compares: all but which NaN a NaN is, in which processors and compilers differ."""
    return np.where(np.isnan(result), result.dtype.type(np.nan), result).tobytes()
