"""The contract's error bounds, against mpmath on hard inputs and against NumPy on many random ones."""

from typing import Any

import numpy as np
import pytest
from accuracy import errors, inputs, numpy_formula, parameter_samples, reference_error, slack
from fastact.checks.accuracy import (
    DERIVATIVE_BOUND,
    FORWARD_BOUND,
    GRADIENT_BOUND,
    Parameters,
    finfo,
    gradients,
    ulp,
)
from fastact.checks.reference import ACTIVATIONS, evaluate
from functions import (
    BACKWARD,
    FORWARD,
    FROM_OUTPUT,
    Array,
    Function,
    each_dtype,
    each_forward,
    each_function,
    each_gradient,
)

BOUNDS = {
    FORWARD: FORWARD_BOUND,
    BACKWARD: DERIVATIVE_BOUND,
    FROM_OUTPUT: DERIVATIVE_BOUND | {"float32": 2.0},  # of the formula in y, plainly evaluated
}
ANY_GRADIENT = {BACKWARD: GRADIENT_BOUND, FROM_OUTPUT: GRADIENT_BOUND | {"float32": 2.5}}


@pytest.mark.slow
@each_dtype
@each_forward
def test_forward(f: Function, dtype: np.dtype[Any]) -> None:
    bound = BOUNDS[FORWARD][dtype.name]
    for parameters in parameter_samples(f):
        x = inputs(f, dtype, parameters)
        y = f(x, **dict(parameters))
        check(errors(f, parameters, y, None, bound), bound, f, parameters, x, y)


@pytest.mark.slow
@each_dtype
@each_gradient
def test_gradient(f: Function, dtype: np.dtype[Any]) -> None:
    """Check the derivative with g = 1, and the gradient with g of every size, in turn at each input."""
    for parameters in parameter_samples(f):
        size = inputs(f, dtype, parameters).size
        if f.suffix == BACKWARD:
            check_gradient(f, parameters, np.ones(size, dtype), BOUNDS[BACKWARD][dtype.name])
        for shift in range(4):
            g = gradients(dtype, size + shift)[shift:]
            check_gradient(f, parameters, g, ANY_GRADIENT[f.suffix][dtype.name])


def check_gradient(f: Function, parameters: Parameters, g: Array, bound: float) -> None:
    first = inputs(f, g.dtype, parameters)
    result = f(first, g, **dict(parameters))
    check(errors(f, parameters, result, g, bound), bound, f, parameters, first, g, result)


def check(found: Array, bound: float, f: Function, parameters: Parameters, *columns: Array) -> None:
    worst = np.argsort(found)[:-6:-1]
    rows = zip(*(column[worst].tolist() for column in (*columns, found)), strict=True)
    table = "\n".join(map(str, rows))
    assert found.max(initial=0) <= bound, (
        f"{f.name} {dict(parameters)}: inputs, result, ulp, worst first\n{table}"
    )


@each_dtype
@each_function
def test_many_random_inputs(f: Function, dtype: np.dtype[Any]) -> None:
    x, largest = any_floats(dtype, 200_000), float(finfo(dtype).max)
    if f.suffix == FROM_OUTPUT:
        x = evaluate(ACTIVATIONS[f.forward].forward, x).clip(-largest, largest).astype(dtype)
    expected = evaluate(numpy_formula(f), x)
    result = f(*[x, np.ones_like(x)][: len(f.inputs)])
    assert not np.isnan(result).any()
    error = np.abs(result.astype(float).clip(-largest, largest) - expected.clip(-largest, largest))
    allowed = np.maximum(BOUNDS[f.suffix][dtype.name] * ulp(expected, dtype), slack(f, x))
    allowed += reference_error(f, x, expected)
    excess = error / allowed
    worst = np.argmax(excess)
    assert excess[worst] <= 1, (x[worst], result[worst], expected[worst], excess[worst])


def any_floats(dtype: np.dtype[Any], size: int) -> Array:
    """Finite numbers, half of them with any bit pattern and half of moderate size."""
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 256, size // 2 * dtype.itemsize, np.uint8).view(dtype)
    with np.errstate(invalid="ignore"):  # bfloat16 says of a signalling NaN
        bits = bits[np.isfinite(bits)]
    return np.concatenate([bits, rng.normal(0, 4, size // 2).astype(dtype)])
