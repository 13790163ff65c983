"""Error bounds, errors in ulp of the exact result, and inputs that are likely to show the largest."""

import sys
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .reference import ACTIVATIONS, Formula, evaluate, mp

Array = NDArray[np.floating[Any]]
DType = np.dtype[Any]
Parameters = tuple[tuple[str, float], ...]

HALF = {"float16": 0.51, "bfloat16": 0.51}
FORWARD_BOUND = HALF | {"float32": 1.0, "float64": 2.0}  # in ulp
DERIVATIVE_BOUND = HALF | {"float32": 1.0, "float64": 4.0}  # backward with g = 1
GRADIENT_BOUND = {"float16": 1.0, "bfloat16": 1.0, "float32": 1.5, "float64": 4.5}  # backward with any g
AT_A_ROOT = {"float64": 2.0**-52}  # an absolute error of f' near its root that counts as none

_EXPONENT = np.uint64(0x7FF << 52)  # the exponent bits of a float64


def finfo(dtype: DType) -> Any:
    """Return what `np.finfo` returns, also for bfloat16."""
    return np.finfo(dtype) if np.issubdtype(dtype, np.floating) else import_module("ml_dtypes").finfo(dtype)


def ulp(values: Array, dtype: DType) -> NDArray[np.float64]:
    """Return the unit in the last place of each value; that of a subnormal value is the smallest number."""
    info = finfo(dtype)
    binades = (np.asarray(values, np.float64).view(np.uint64) & _EXPONENT).view(np.float64)
    ulps: NDArray[np.float64] = np.clip(binades, float(info.tiny), 2.0 ** (int(info.maxexp) - 1)) * float(
        info.eps
    )
    return ulps


def float_errors(result: Array, expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the errors in ulp of the expected values, which float64 represents with enough digits.

    Infinity counts as the float after the largest one if the expected value is within 2 ulp of that float,
    and as infinitely far from smaller values. Where the expected value is larger, only infinity is right.
    Where it is NaN, only NaN is right.
    """
    beyond = min(2 * 2.0 ** (int(finfo(result.dtype).maxexp) - 1), sys.float_info.max)
    values = result.astype(float)
    with np.errstate(invalid="ignore", over="ignore"):
        distances = np.clip(values, -beyond, beyond) - np.clip(expected, -beyond, beyond)
        errors: NDArray[np.float64] = np.abs(distances) / ulp(expected, result.dtype)
    nan, nan_expected = np.isnan(values), np.isnan(expected)
    infinite = np.isinf(values)
    lost = np.where(np.abs(expected) >= beyond, ~infinite, infinite & (errors > 2))
    errors[(nan != nan_expected) | lost] = np.inf
    errors[nan & nan_expected] = 0
    return errors


def ulp_errors(result: Array, exact: NDArray[np.object_]) -> NDArray[np.float64]:
    """Return the errors in ulp of the exact result.

    Infinity counts as the float after the largest one, even if the exact result is larger.
    """
    info = finfo(result.dtype)
    beyond = mp.ldexp(1, int(info.maxexp))

    def error(r: float, e: Any) -> float:
        value, e = max(-beyond, min(beyond, mp.mpf(r))), max(-beyond, min(beyond, e))
        exponent = max(int(info.minexp), min(int(info.maxexp), mp.frexp(e)[1]) - 1)
        return float(mp.ldexp(abs(value - e), int(info.nmant) - exponent))

    errors = np.array([error(float(r), e) for r, e in zip(result, exact, strict=True)])
    return np.where(np.isnan(result), np.inf, errors)


def absolute_errors(result: Array, exact: NDArray[np.object_]) -> NDArray[np.float64]:
    return np.array([float(abs(mp.mpf(float(r)) - e)) for r, e in zip(result, exact, strict=True)])


def to_exact(values: Array, formula: Formula = lambda x: x) -> NDArray[np.object_]:
    """Return the formula of each value, by default the value itself, in mpmath."""
    results = np.empty(values.shape, object)
    results[:] = [mp.mpf(formula(mp.mpf(float(value)))) for value in values]
    return results


def rounded(parameters: Parameters, dtype: DType) -> dict[str, float]:
    """Return the parameters rounded as for a kernel of the dtype; a default such as 1/6 is not rounded."""
    kernel = np.promote_types(dtype, np.float32).type
    return {name: float(kernel(value)) for name, value in parameters}


def exact_values(
    name: str, forward: bool, x: Array, parameters: Parameters = (), from_output: bool = False
) -> NDArray[np.object_]:
    """Return f or f' at each x in mpmath, or f' from outputs x; parameters are rounded to the dtype of x."""
    activation = ACTIVATIONS[name]
    formula = activation.exact if forward else activation.exact_derivative
    if from_output:
        assert activation.exact_from_output
        formula = activation.exact_from_output
    given = {key: mp.mpf(value) for key, value in rounded(parameters, x.dtype).items()}
    return to_exact(x, lambda at: formula(at, **given))


def beside_root(name: str, x: Array) -> NDArray[np.bool_]:
    """Return whether x is near a root of f', but not where f is constant."""
    beside = np.zeros(x.shape, bool)
    for root in ACTIVATIONS[name].roots:
        beside |= np.abs(x - root) < 0.25
    return beside


def excused(name: str, x: Array, parameters: Parameters = ()) -> NDArray[np.float64]:
    """Return the absolute error of f' that counts as none; swish' has its root where silu'(beta·x) has it."""
    with np.errstate(over="ignore"):
        scaled = x * dict(parameters).get("beta", 1.0)
    return np.where(beside_root(name, scaled), AT_A_ROOT.get(x.dtype.name, 0.0), 0.0)


def gradient_errors(
    g: Array, result: Array, exact: NDArray[np.object_], bound: float, slack: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the errors of backward in ulp; those above the bound but within the slack for f' count as 0."""
    errors = ulp_errors(result, exact)
    large = np.flatnonzero(errors > bound)
    allowed = (slack * np.abs(g) + ulp(result, result.dtype) / 2 * (slack > 0))[large]
    errors[large[absolute_errors(result[large], exact[large]) <= allowed]] = 0
    return errors


@cache
def every_exponent(dtype: DType, count: int = 1) -> Array:
    """Return `count` numbers of each sign and exponent, subnormal ones included, as a read-only array."""
    info = finfo(dtype)
    exponents = np.repeat(np.arange(info.minexp - info.nmant, info.maxexp), 2 * count)
    mantissas = np.random.default_rng(0).uniform(1, 2, exponents.size)
    mantissas[::2] *= -1
    values: Array = np.ldexp(mantissas, exponents).astype(dtype)
    values.flags.writeable = False
    return values


def neighbours(centre: float, dtype: DType) -> Array:
    """Return the floats nearest to the centre, and others whose distances from it double."""
    c = dtype.type(centre)
    steps = np.spacing(c) * np.concatenate([np.arange(1, 20), 2.0 ** np.arange(5, finfo(dtype).nmant)])
    return np.concatenate([[c], c + steps, c - steps]).astype(dtype)


@cache
def exact_roots(name: str) -> tuple[Any, ...]:
    """Return the roots of f', in mpmath."""
    activation = ACTIVATIONS[name]
    return tuple(mp.findroot(activation.exact_derivative, near) for near in activation.roots)


def sample(name: str, dtype: DType, parameters: Parameters = (), density: int = 1) -> Array:
    """Return finite inputs for the activation: some thousands, multiplied by the density."""
    activation, info = ACTIVATIONS[name], finfo(dtype)
    rng = np.random.default_rng(0)
    tail = rng.uniform(-1, 1, 100_000) * -1.1 * np.log(float(info.smallest_subnormal))
    tail = tail.astype(dtype).astype(float)
    subnormal = [
        tail[(values != 0) & (np.abs(values) < float(info.tiny))][: 100 * density]
        for formula in (activation.forward, activation.derivative)
        for values in [evaluate(formula, tail, **rounded(parameters, dtype))]
    ]
    ends = [dtype.type(0), info.smallest_subnormal, info.tiny, info.max]
    ends.append(np.nextafter(info.max, ends[0]))
    parts = [
        every_exponent(dtype, density * (4 if dtype == np.float32 else 1)),
        [*ends, *np.negative(ends)],
        tail[: 500 * density],
        *subnormal,
        rng.normal(0, 1, 500 * density),
        rng.normal(0, 8, 500 * density),
        *(neighbours(float(c), dtype) for c in (*activation.kinks, *exact_roots(name))),
    ]
    return np.concatenate([np.asarray(part, dtype) for part in parts])[:: 4 if parameters else 1]


def gradients(dtype: DType, size: int) -> Array:
    """Return upstream gradients that are by turns ordinary, of any exponent, huge, and subnormal."""
    rng = np.random.default_rng(1)
    info = finfo(dtype)
    kinds = [
        rng.normal(size=size),
        rng.choice(every_exponent(dtype), size).astype(float),
        info.max * rng.uniform(-1, 1, size),
        info.tiny * rng.uniform(-1, 1, size),
    ]
    return np.choose(np.arange(size) % len(kinds), kinds).astype(dtype)
