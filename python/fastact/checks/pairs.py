"""Errors of the elementwise functions of two arrays.

The reference is the definition, in mpmath. Errors are in ulp of the result or, for the gradient of a loss,
which is a difference, of its larger term.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..functions.registry import Function
from .accuracy import (
    DType,
    absolute_errors,
    every_exponent,
    excused,
    finfo,
    sample,
    to_exact,
    ulp,
    ulp_errors,
)
from .reference import ACTIVATIONS, Array, mp

HALF = {"float16": 0.51, "bfloat16": 0.51}
BOUNDS = {
    ("gate", ""): HALF | {"float32": 1.5, "float64": 4.5},
    ("gate", "_backward"): {"float16": 1.0, "bfloat16": 1.0, "float32": 2.0, "float64": 6.0},
    ("loss", ""): HALF | {"float32": 1.0, "float64": 2.0},
    ("loss", "_backward"): {"float16": 1.0, "bfloat16": 1.0, "float32": 1.5, "float64": 4.5},
}
Exact = NDArray[np.object_]
Terms = tuple[Exact, ...]


def bound(f: Function, dtype: DType) -> float:
    """Return the largest error allowed."""
    return BOUNDS[f.kind, f.suffix][dtype.name]


def arguments(f: Function, dtype: DType, size: int) -> list[Array]:
    """Return numbers, moderate and of every exponent, and targets from 0 to 1, many near 0 or 1."""
    rng, info = np.random.default_rng(0), finfo(dtype)
    activation = f.forward.removesuffix("_gate")
    some = sample(activation if activation in ACTIVATIONS else "softplus", dtype)

    def numbers() -> Array:
        kinds = [rng.normal(0, 2, size), rng.choice(every_exponent(dtype), size).astype(float)]
        return np.choose(rng.integers(2, size=size), kinds).astype(dtype)

    def targets() -> Array:
        tiny = 2.0 ** rng.uniform(float(np.log2(float(info.smallest_subnormal))), 0, size)
        kinds = [rng.uniform(size=size), rng.integers(2, size=size).astype(float), tiny, 1 - tiny]
        return np.choose(rng.integers(4, size=size), kinds).astype(dtype)

    made = {"b": numbers, "g": numbers, "t": targets}
    return [made[name]() if name in made else rng.choice(some, size) for name in f.inputs]


def terms(f: Function, arrays: Sequence[Array], pos_weight: float = 1.0) -> list[Terms]:
    """Return the terms whose sum each result is."""
    _, second, *rest = map(to_exact, arrays)
    g = rest[0] if rest else mp.one
    if f.kind == "gate":
        activation = ACTIVATIONS[f.forward.removesuffix("_gate")]
        value = to_exact(arrays[0], activation.exact)
        if not f.suffix:
            return [(value * second,)]
        return [(g * second * to_exact(arrays[0], activation.exact_derivative),), (g * value,)]
    weight = mp.mpf(float(np.promote_types(arrays[0].dtype, np.float32).type(pos_weight)))
    names = ("softplus", "exact") if not f.suffix else ("sigmoid", "exact")
    formula = getattr(ACTIVATIONS[names[0]], names[1])
    of_x, of_minus_x = to_exact(arrays[0], formula), to_exact(-arrays[0], formula)
    positives = weight * second * of_minus_x * g
    return [((1 - second) * of_x * g, -positives if f.suffix else positives)]


def errors(
    f: Function, results: Sequence[Array], arrays: Sequence[Array], **parameters: float
) -> list[Array]:
    """Return the errors of each result; those near a root of f' and those where g·b overflows count as 0."""
    found = []
    for k, (result, parts) in enumerate(zip(results, terms(f, arrays, **parameters), strict=True)):
        value = sum(parts[1:], parts[0])
        of = ulp_errors(result, value)
        if len(parts) > 1 and f.suffix:
            largest = np.array([float(max(map(abs, each))) for each in zip(*parts, strict=True)])
            unit = ulp(largest, result.dtype)
            of = np.minimum(of, absolute_errors(result, value) / unit)
        elif f.kind == "gate" and f.suffix and k == 0:
            _, b, g = (np.abs(array.astype(float)) for array in arrays)
            with np.errstate(over="ignore", under="ignore"):
                slack = excused(f.forward.removesuffix("_gate"), arrays[0]) * g * b
                overflows = g * b > float(finfo(result.dtype).max) / 4
            of = np.where(overflows | (absolute_errors(result, value) <= slack), 0, of)
        found.append(of)
    return found


def as_tuple(results: Any) -> tuple[Array, ...]:
    return results if isinstance(results, tuple) else (results,)
