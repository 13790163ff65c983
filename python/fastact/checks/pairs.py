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
    Array,
    DType,
    absolute_errors,
    every_exponent,
    excused,
    finfo,
    float_errors,
    sample,
    to_exact,
    ulp,
    ulp_errors,
)
from .reference import ACTIVATIONS, evaluate, mp

HALF = {"float16": 0.51, "bfloat16": 0.51}
BOUNDS = {
    ("gate", ""): HALF | {"float32": 1.5, "float64": 4.5},
    ("gate", "_backward"): {"float16": 1.0, "bfloat16": 1.0, "float32": 2.0, "float64": 6.0},
    ("loss", ""): HALF | {"float32": 1.0, "float64": 2.0},
    ("loss", "_backward"): {"float16": 1.0, "bfloat16": 1.0, "float32": 1.5, "float64": 4.5},
}
GRADIENTS = "da", "db"  # the results of a gate's backward pass
Exact = NDArray[np.object_]
Errors = NDArray[np.float64]
Terms = tuple[Exact, ...]


def bound(f: Function, dtype: DType) -> float:
    """Return the largest error allowed."""
    return BOUNDS[f.kind, f.suffix][dtype.name]


def arguments(f: Function, dtype: DType, size: int) -> list[Array]:
    """Return numbers near 1 and of every exponent, and targets from 0 to 1, many of them near 0 or 1."""
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


def terms(f: Function, arrays: Sequence[Array], part: int = 0, pos_weight: float = 1.0) -> Terms:
    """Return the terms whose sum is the result with this index, for finite numbers."""
    _, second, *rest = map(to_exact, arrays)
    g = rest[0] if rest else mp.one
    if f.kind == "gate":
        activation = ACTIVATIONS[f.forward.removesuffix("_gate")]
        if f.suffix and part == 0:
            return (g * second * to_exact(arrays[0], activation.exact_derivative),)
        return (to_exact(arrays[0], activation.exact) * (g if f.suffix else second),)
    weight = mp.mpf(float(np.promote_types(arrays[0].dtype, np.float32).type(pos_weight)))
    names = ("softplus", "exact") if not f.suffix else ("sigmoid", "exact")
    formula = getattr(ACTIVATIONS[names[0]], names[1])
    of_x, of_minus_x = to_exact(arrays[0], formula), to_exact(-arrays[0], formula)
    positives = weight * second * of_minus_x * g
    return (1 - second) * of_x * g, -positives if f.suffix else positives


def limits(f: Function, arrays: Sequence[Array], part: int = 0, pos_weight: float = 1.0) -> Errors:
    """Return the result with this index in float64, for arguments some of which are infinite or NaN."""
    x, second, *rest = (array.astype(float) for array in arrays)
    g = rest[0] if rest else 1.0
    with np.errstate(all="ignore"):
        if f.kind == "gate":
            activation = ACTIVATIONS[f.forward.removesuffix("_gate")]
            if f.suffix and part == 0:
                slope = evaluate(activation.derivative, x)
                return np.where(activation.flat(x), 0.0, g * second * slope)
            return evaluate(activation.forward, x) * (g if f.suffix else second)
        signs = (1.0, -1.0) if f.suffix else (1.0, 1.0)
        formula = ACTIVATIONS["sigmoid" if f.suffix else "softplus"].forward
        both = zip(signs, (1 - second, pos_weight * second), (x, -x), strict=True)
        parts = [
            np.where(weight == 0, 0 * np.isnan(z), sign * weight * evaluate(formula, z))
            for sign, weight, z in both
        ]
        return np.where(np.isnan(x), x, g * (parts[0] + parts[1]))


def exact(f: Function, arrays: Sequence[Array], part: int = 0, **parameters: float) -> Exact:
    """Return the result with this index in mpmath."""
    finite = np.logical_and.reduce([np.isfinite(a) for a in arrays])
    values = np.empty(finite.shape, object)
    first, *others = terms(f, [a[finite] for a in arrays], part, **parameters)
    values[finite] = sum(others, first)
    values[~finite] = [mp.mpf(v) for v in limits(f, [a[~finite] for a in arrays], part, **parameters)]
    return values


def part_errors(
    f: Function, result: Array, arrays: Sequence[Array], part: int = 0, **parameters: float
) -> Errors:
    """Return the errors of the result with this index."""
    finite = np.logical_and.reduce([np.isfinite(a) for a in arrays])
    found = np.empty(finite.shape)
    special = limits(f, [a[~finite] for a in arrays], part, **parameters)
    used = arrays if part == 0 else (arrays[0], arrays[2])  # db does not depend on b
    is_nan = np.logical_or.reduce([np.isnan(a[~finite]) for a in used])
    has_value = is_nan | ~np.isnan(special)  # false for 0·inf
    found[~finite] = np.where(has_value, float_errors(result[~finite], special), 0)
    result, arrays = result[finite], [a[finite] for a in arrays]
    parts = terms(f, arrays, part, **parameters)
    value = sum(parts[1:], parts[0])
    of = ulp_errors(result, value)
    if len(parts) > 1 and f.suffix:
        largest = np.array([float(max(map(abs, each))) for each in zip(*parts, strict=True)])
        of = np.minimum(of, absolute_errors(result, value) / ulp(largest, result.dtype))
    elif f.kind == "gate" and f.suffix and part == 0:
        _, b, g = (np.abs(array.astype(float)) for array in arrays)
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):  # 0·inf where g·b overflows
            slack = excused(f.forward.removesuffix("_gate"), arrays[0]) * (g * b)
            overflows = g * b > float(finfo(result.dtype).max) / 4
        of = np.where(overflows | (absolute_errors(result, value) <= slack), 0, of)
    found[finite] = of
    return found


def errors(
    f: Function, results: Sequence[Array], arrays: Sequence[Array], **parameters: float
) -> list[Errors]:
    """Return the errors of each result; those near a root of f' and those where g·b overflows count as 0."""
    return [part_errors(f, result, arrays, k, **parameters) for k, result in enumerate(results)]


def as_tuple(results: Any) -> tuple[Array, ...]:
    return results if isinstance(results, tuple) else (results,)
