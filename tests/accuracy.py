"""Errors against the exact result, in ulp, and inputs that are likely to show the largest."""

from functools import cache
from typing import Any

import numpy as np
from fastact._reference import ACTIVATIONS, Formula, evaluate, mp
from functions import BACKWARD, FORWARD, FROM_OUTPUT, Array, Function, every_exponent
from numpy.typing import NDArray

Parameters = tuple[tuple[str, float], ...]


def parameter_samples(f: Function) -> list[Parameters]:
    """The defaults, then those of the reference; but from an output only where y tells the sign of x."""
    samples = [(), *(tuple(p.items()) for p in ACTIVATIONS[f.activation].parameters)]
    return [p for p in samples if f.suffix != FROM_OUTPUT or min(dict(p).values(), default=1) >= 0]


def numpy_formula(f: Function) -> Any:
    a = ACTIVATIONS[f.activation]
    return {FORWARD: a.forward, BACKWARD: a.derivative, FROM_OUTPUT: a.from_output}[f.suffix]


def exact_formula(f: Function) -> Any:
    a = ACTIVATIONS[f.activation]
    return {FORWARD: a.exact, BACKWARD: a.exact_derivative, FROM_OUTPUT: a.exact_from_output}[f.suffix]


def ulp(values: Array, dtype: np.dtype[Any]) -> NDArray[np.float64]:
    """The ulp of each value's binade; below the normal range, of the smallest normal binade."""
    info = np.finfo(dtype)
    exponents = np.where(values == 0, info.minexp, np.frexp(np.clip(values, -info.max, info.max))[1] - 1)
    return np.asarray(np.ldexp(1.0, np.maximum(exponents, info.minexp) - info.nmant))


def ulp_errors(result: Array, exact: NDArray[np.object_]) -> NDArray[np.float64]:
    """Errors in ulp of the exact result.

    Infinity counts as the float after the largest one, also where the exact result is beyond it.
    """
    info = np.finfo(result.dtype)
    beyond = mp.ldexp(1, int(info.maxexp))

    def error(r: float, e: Any) -> float:
        value, e = max(-beyond, min(beyond, mp.mpf(r))), max(-beyond, min(beyond, e))
        exponent = max(int(info.minexp), min(int(info.maxexp), mp.frexp(e)[1]) - 1)
        return float(mp.ldexp(abs(value - e), int(info.nmant) - exponent))

    errors = np.array([error(float(r), e) for r, e in zip(result, exact, strict=True)])
    return np.where(np.isnan(result), np.inf, errors)


def absolute_errors(result: Array, exact: NDArray[np.object_]) -> NDArray[np.float64]:
    return np.array([float(abs(mp.mpf(float(r)) - e)) for r, e in zip(result, exact, strict=True)])


def beside_root(f: Function, x: Array) -> NDArray[np.bool_]:
    """Whether f' all but vanishes at x though f is not flat there."""
    beside = np.zeros(x.shape, bool)
    if f.suffix == BACKWARD:
        for root in ACTIVATIONS[f.activation].roots:
            beside |= np.abs(x - root) < 0.25
    return beside


def lost_in_output(f: Function, y: Array) -> NDArray[np.float64]:
    """What a rounded y no longer tells of f', as where y + alpha cancels or y is subnormal."""
    info = np.finfo(y.dtype)
    lost: NDArray[np.float64] = np.maximum(float(info.smallest_subnormal), -y * float(info.eps))
    return lost * (f.suffix == FROM_OUTPUT)


def reference_error(f: Function, x: Array, value: Array) -> NDArray[np.float64]:
    """How far reference.py's NumPy form, whose value at x this is, may be from the exact result."""
    return 4e-13 * np.abs(value) + 1e-15 * beside_root(f, x) + 4e-323


def neighbours(centre: float, dtype: np.dtype[Any]) -> Array:
    """The floats nearest to the centre, then others at distances that double."""
    c = dtype.type(centre)
    steps = np.spacing(c) * np.concatenate([np.arange(1, 20), 2.0 ** np.arange(5, np.finfo(dtype).nmant)])
    return np.concatenate([[c], c + steps, c - steps]).astype(dtype)


@cache
def sample(name: str, dtype: np.dtype[Any], parameters: Parameters = ()) -> Array:
    """Finite inputs of the named activation."""
    activation, info = ACTIVATIONS[name], np.finfo(dtype)
    rng = np.random.default_rng(0)
    tail = rng.uniform(-1, 1, 100_000) * -1.1 * np.log(float(info.smallest_subnormal))
    tail = tail.astype(dtype).astype(float)
    subnormal = [
        tail[(values != 0) & (np.abs(values) < info.tiny)][:100]
        for formula in (activation.forward, activation.derivative)
        for values in [evaluate(formula, tail, **dict(parameters))]
    ]
    roots = [float(mp.findroot(activation.exact_derivative, near)) for near in activation.roots]
    ends = [0.0, info.smallest_subnormal, info.tiny, info.max, np.nextafter(info.max, dtype.type(0))]
    parts = [
        every_exponent(dtype, 4 if dtype == np.float32 else 1),
        [*ends, *np.negative(ends)],
        tail[:500],
        *subnormal,
        rng.normal(0, 1, 500),
        rng.normal(0, 8, 500),
        *(neighbours(centre, dtype) for centre in (*activation.kinks, *roots)),
    ]
    return np.concatenate([np.asarray(part, dtype) for part in parts])[:: 4 if parameters else 1]


@cache
def inputs(f: Function, dtype: np.dtype[Any], parameters: Parameters = ()) -> Array:
    """The sample of x, or where f takes an output the distinct finite values of y there."""
    x = sample(f.activation, dtype, parameters)
    if f.suffix != FROM_OUTPUT:
        return x
    with np.errstate(all="ignore"):
        y = evaluate(ACTIVATIONS[f.activation].forward, x, **dict(parameters)).astype(dtype)
    return np.unique(y[np.isfinite(y)])


@cache
def exact(f: Function, dtype: np.dtype[Any], parameters: Parameters = ()) -> NDArray[np.object_]:
    """The exact value of f or f' at each of the inputs, whose precision the parameters are rounded to."""
    formula = exact_formula(f)
    keywords = {key: mp.mpf(float(dtype.type(value))) for key, value in parameters}
    return to_exact(inputs(f, dtype, parameters), lambda x: formula(x, **keywords))


def to_exact(values: Array, formula: Formula = lambda x: x) -> NDArray[np.object_]:
    """The formula's value, or the number itself, for each of the values."""
    results = np.empty(values.shape, object)
    results[:] = [mp.mpf(formula(mp.mpf(float(value)))) for value in values]
    return results


def gradients(dtype: np.dtype[Any], size: int) -> Array:
    """Upstream gradients in turn ordinary, of any exponent, huge, and subnormal."""
    rng = np.random.default_rng(1)
    info = np.finfo(dtype)
    kinds = [
        rng.normal(size=size),
        rng.choice(every_exponent(dtype), size).astype(float),
        info.max * rng.uniform(-1, 1, size),
        info.tiny * rng.uniform(-1, 1, size),
    ]
    return np.choose(np.arange(size) % len(kinds), kinds).astype(dtype)
