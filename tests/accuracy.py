"""Inputs and exact values of each public function, from those of its activation."""

from functools import cache
from typing import Any

import numpy as np
from fastact._accuracy import Parameters, beside_root, excused, finfo, rounded, sample, to_exact
from fastact._reference import ACTIVATIONS, evaluate, mp
from functions import BACKWARD, FORWARD, FROM_OUTPUT, Array, Function
from numpy.typing import NDArray


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


def lost_in_output(f: Function, y: Array) -> NDArray[np.float64]:
    """What a rounded y no longer tells of f', as where y + alpha cancels or y is subnormal."""
    info = finfo(y.dtype)
    lost: NDArray[np.float64] = np.maximum(float(info.smallest_subnormal), -y.astype(float) * float(info.eps))
    return lost * (f.suffix == FROM_OUTPUT)


def slack(f: Function, first: Array) -> NDArray[np.float64]:
    """The absolute error of f' that counts as none."""
    return lost_in_output(f, first) + (f.suffix == BACKWARD) * excused(f.activation, first)


def reference_error(f: Function, x: Array, value: Array) -> NDArray[np.float64]:
    """How far reference.py's NumPy form, whose value at x this is, may be from the exact result."""
    return 4e-13 * np.abs(value) + 1e-15 * (f.suffix == BACKWARD) * beside_root(f.activation, x) + 4e-323


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
    given = {key: mp.mpf(value) for key, value in rounded(parameters, dtype).items()}
    return to_exact(inputs(f, dtype, parameters), lambda x: formula(x, **given))
