"""Every public function of the activations compiled into fastact, as test parameters."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from fastact.checks.accuracy import every_exponent, finfo
from fastact.functions.registry import BACKWARD as BACKWARD
from fastact.functions.registry import ELEMENTWISE
from fastact.functions.registry import FORWARD as FORWARD
from fastact.functions.registry import FROM_OUTPUT as FROM_OUTPUT
from fastact.functions.registry import Function as Function
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]

FUNCTIONS = ELEMENTWISE
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
    """Return zero, the ends of the dtype's normal and subnormal ranges, infinity and NaN, with both signs."""
    info = finfo(dtype)
    least, tiny = float(info.smallest_subnormal), float(info.tiny)
    ends = [0, least, 3 * least, tiny - least, tiny, 1, float(info.max), np.inf, np.nan]
    return np.array([*ends, *np.negative(ends)], dtype)


def arguments(f: Function, dtype: np.dtype[Any]) -> tuple[Array, ...]:
    """Return some thousand inputs: all combinations of extremes, every exponent, then moderate numbers."""
    rng = np.random.default_rng(0)
    special = extremes(dtype)
    exponents = every_exponent(dtype)
    moderate = rng.normal(0, rng.choice([1.0, 10.0, 100.0], 2000)).astype(dtype)
    first = np.concatenate([np.repeat(special, special.size), exponents, moderate])
    second = np.concatenate([np.tile(special, special.size), rng.permutation(exponents), moderate[::-1]])
    return (first, second)[: len(f.inputs)]


def bits(result: Array) -> bytes:
    """Return what "the same bits" compares: everything except NaN payloads, in which processors differ."""
    return np.where(np.isnan(result), result.dtype.type(np.nan), result).tobytes()
