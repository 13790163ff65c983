"""The contract's error bounds, against mpmath on hard inputs and against NumPy on many random ones."""

from typing import Any

import numpy as np
import pytest
from accuracy import (
    Parameters,
    absolute_errors,
    beside_root,
    exact,
    gradients,
    inputs,
    lost_in_output,
    numpy_formula,
    parameter_samples,
    reference_error,
    to_exact,
    ulp,
    ulp_errors,
)
from fastact._reference import ACTIVATIONS, evaluate
from functions import (
    BACKWARD,
    FORWARD,
    FROM_OUTPUT,
    Array,
    Function,
    each_backward,
    each_dtype,
    each_forward,
    each_function,
    each_gradient,
)

BOUNDS = {  # in ulp
    FORWARD: {"float32": 1, "float64": 2},
    BACKWARD: {"float32": 1, "float64": 4},  # with g = 1
    FROM_OUTPUT: {"float32": 2, "float64": 4},  # of the formula in y, plainly evaluated
}
ANY_GRADIENT = 0.5  # more, for the product
AT_A_ROOT = {"float32": 0, "float64": 2.0**-52}  # an absolute error of f' that counts as none


@pytest.mark.slow
@each_dtype
@each_forward
def test_forward(f: Function, dtype: np.dtype[Any]) -> None:
    for parameters in parameter_samples(f):
        x = inputs(f, dtype, parameters)
        y = f(x, **dict(parameters))
        errors = ulp_errors(y, exact(f, dtype, parameters))
        check(errors, BOUNDS[FORWARD][dtype.name], f, parameters, x, y)


@pytest.mark.slow
@each_dtype
@each_backward
def test_derivative(f: Function, dtype: np.dtype[Any]) -> None:
    for parameters in parameter_samples(f):
        g = np.ones_like(inputs(f, dtype, parameters))
        check_gradient(f, parameters, g, BOUNDS[BACKWARD][dtype.name])


@pytest.mark.slow
@each_dtype
@each_gradient
def test_any_gradient(f: Function, dtype: np.dtype[Any]) -> None:
    for parameters in parameter_samples(f):
        for shift in range(4):
            g = gradients(dtype, inputs(f, dtype, parameters).size + shift)[shift:]
            check_gradient(f, parameters, g, BOUNDS[f.suffix][dtype.name] + ANY_GRADIENT)


def check_gradient(f: Function, parameters: Parameters, g: Array, bound: float) -> None:
    first = inputs(f, g.dtype, parameters)
    result = f(first, g, **dict(parameters))
    expected = exact(f, g.dtype, parameters) * to_exact(g)
    errors = ulp_errors(result, expected)
    large = np.flatnonzero(errors > bound)
    excused = beside_root(f, first) * AT_A_ROOT[g.dtype.name] + lost_in_output(f, first)
    allowed = (excused * np.abs(g) + np.spacing(np.abs(result)) / 2 * (excused > 0))[large]
    errors[large[absolute_errors(result[large], expected[large]) <= allowed]] = 0
    check(errors, bound, f, parameters, first, g, result)


def check(errors: Array, bound: float, f: Function, parameters: Parameters, *columns: Array) -> None:
    worst = np.argsort(errors)[:-6:-1]
    rows = zip(*(column[worst].tolist() for column in (*columns, errors)), strict=True)
    table = "\n".join(map(str, rows))
    assert errors.max() <= bound, f"{f.name} {dict(parameters)}: inputs, result, ulp, worst first\n{table}"


@each_dtype
@each_function
def test_many_random_inputs(f: Function, dtype: np.dtype[Any]) -> None:
    x, largest = any_floats(dtype, 200_000), float(np.finfo(dtype).max)
    if f.suffix == FROM_OUTPUT:
        x = evaluate(ACTIVATIONS[f.activation].forward, x).clip(-largest, largest).astype(dtype)
    expected = evaluate(numpy_formula(f), x)
    result = f(*[x, np.ones_like(x)][: len(f.inputs)])
    assert not np.isnan(result).any()
    error = np.abs(result.astype(float).clip(-largest, largest) - expected.clip(-largest, largest))
    excused = beside_root(f, x) * AT_A_ROOT[dtype.name] + lost_in_output(f, x)
    allowed = np.maximum(BOUNDS[f.suffix][dtype.name] * ulp(expected, dtype), excused)
    allowed += reference_error(f, x, expected)
    excess = error / allowed
    worst = np.argmax(excess)
    assert excess[worst] <= 1, (x[worst], result[worst], expected[worst], excess[worst])


def any_floats(dtype: np.dtype[Any], size: int) -> Array:
    """Finite numbers, half of any bit pattern and half of a moderate size."""
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 256, size // 2 * dtype.itemsize, np.uint8).view(dtype)
    return np.concatenate([bits[np.isfinite(bits)], rng.normal(0, 4, size // 2).astype(dtype)])
