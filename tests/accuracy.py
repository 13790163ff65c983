"""Inputs and exact values of each public function, from those of its activation."""

from functools import cache
from typing import Any

import numpy as np
from fastact.checks.accuracy import (
    Parameters,
    beside_root,
    excused,
    finfo,
    gradient_errors,
    rounded,
    sample,
    to_exact,
    ulp_errors,
)
from fastact.checks.reference import ACTIVATIONS, evaluate, mp
from functions import BACKWARD, FORWARD, FROM_OUTPUT, Array, Function
from numpy.typing import NDArray


def parameter_samples(f: Function) -> list[Parameters]:
    """Return the defaults, then those of the reference; from an output, only if y determines x's sign."""
    samples = [(), *(tuple(p.items()) for p in ACTIVATIONS[f.forward].parameters)]
    return [p for p in samples if f.suffix != FROM_OUTPUT or min(dict(p).values(), default=1) >= 0]


def numpy_formula(f: Function) -> Any:
    a = ACTIVATIONS[f.forward]
    return {FORWARD: a.forward, BACKWARD: a.derivative, FROM_OUTPUT: a.from_output}[f.suffix]


def exact_formula(f: Function) -> Any:
    a = ACTIVATIONS[f.forward]
    return {FORWARD: a.exact, BACKWARD: a.exact_derivative, FROM_OUTPUT: a.exact_from_output}[f.suffix]


def lost_in_output(f: Function, y: Array) -> NDArray[np.float64]:
    """Return how much of f' a rounded y has lost, as where y + alpha cancels or y is subnormal."""
    info = finfo(y.dtype)
    lost: NDArray[np.float64] = np.maximum(float(info.smallest_subnormal), -y.astype(float) * float(info.eps))
    return lost * (f.suffix == FROM_OUTPUT)


def slack(f: Function, first: Array) -> NDArray[np.float64]:
    """Return the absolute error of f' that does not count as an error."""
    return lost_in_output(f, first) + (f.suffix == BACKWARD) * excused(f.forward, first)


def reference_error(f: Function, x: Array, value: Array) -> NDArray[np.float64]:
    """Return how far reference.py's NumPy form, with this value at x, may be from the exact result."""
    return 4e-13 * np.abs(value) + 1e-15 * (f.suffix == BACKWARD) * beside_root(f.forward, x) + 4e-323


@cache
def inputs(f: Function, dtype: np.dtype[Any], parameters: Parameters = ()) -> Array:
    """Return the sample of x or, if f takes an output, the distinct finite values of y on it."""
    x = sample(f.forward, dtype, parameters)
    if f.suffix != FROM_OUTPUT:
        return x
    with np.errstate(all="ignore"):
        y = evaluate(ACTIVATIONS[f.forward].forward, x, **dict(parameters)).astype(dtype)
    return np.unique(y[np.isfinite(y)])


@cache
def exact(f: Function, dtype: np.dtype[Any], parameters: Parameters = ()) -> NDArray[np.object_]:
    """Return the exact values of f or f' at the inputs, to whose precision the parameters are rounded."""
    formula = exact_formula(f)
    given = {key: mp.mpf(value) for key, value in rounded(parameters, dtype).items()}
    return to_exact(inputs(f, dtype, parameters), lambda x: formula(x, **given))


@cache
def exact_in_long_double(
    f: Function, dtype: np.dtype[Any], parameters: Parameters = ()
) -> NDArray[np.longdouble]:
    """Return the exact values, rounded at most twice."""
    parts = [mp.frexp(value) for value in exact(f, dtype, parameters)]
    high = [float(mantissa) for mantissa, _ in parts]
    low = [float(mantissa - h) for (mantissa, _), h in zip(parts, high, strict=True)]
    exponents = np.clip([int(exponent) for _, exponent in parts], -16000, 16000).astype(np.intc)
    return np.ldexp(np.add(high, low, dtype=np.longdouble), exponents)


def errors(
    f: Function, parameters: Parameters, result: Array, g: Array | None, bound: float
) -> NDArray[np.float64]:
    """Return the errors in ulp of the exact values, times g if there is one.

    Long double, which is hundreds of times as fast as mpmath, tells which errors are surely within the bound;
    mpmath measures the others.
    """
    dtype, info = result.dtype, finfo(result.dtype)
    value = exact_in_long_double(f, dtype, parameters)
    if g is not None:
        with np.errstate(over="ignore"):
            value = value * g.astype(np.longdouble)
    beyond = np.ldexp(np.longdouble(1), int(info.maxexp))
    value, rounded_value = (
        np.clip(value, -beyond, beyond),
        np.clip(result.astype(np.longdouble), -beyond, beyond),
    )
    _, exponents = np.frexp(np.nextafter(value, np.longdouble(0)))
    ulps = np.ldexp(np.longdouble(1), np.clip(exponents - 1, info.minexp, info.maxexp - 1) - int(info.nmant))
    found: NDArray[np.float64] = (np.abs(rounded_value - value) / ulps).astype(float)
    doubtful = np.flatnonzero(~(found <= bound - 0.01))
    right = exact(f, dtype, parameters)[doubtful]
    if g is None:
        found[doubtful] = ulp_errors(result[doubtful], right)
    else:
        first, some = inputs(f, dtype, parameters)[doubtful], g[doubtful]
        spared = slack(f, first)
        found[doubtful] = gradient_errors(some, result[doubtful], right * to_exact(some), bound, spared)
    return found
