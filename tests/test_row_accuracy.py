"""Functions of rows and gradients of parameters, compared with exact results."""

import os
from typing import Any

import fastact
import numpy as np
import pytest
from fastact.checks.accuracy import DType, finfo
from fastact.checks.reference import mp
from fastact.checks.row_accuracy import LONG_LENGTHS, bound, errors, gated_rows, rows, samples, slack
from fastact.checks.row_reference import GATES, exact, expected, expected_and_magnitude, parameter_gradient
from functions import DTYPES, each_dtype
from rows import FUNCTIONS, RowFunction, each_gated, each_learned, each_row_function

FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)
TINY = 2.0**-1074
HAS_LONG_DOUBLE = np.finfo(np.longdouble).nmant > np.finfo(np.float64).nmant

each_summed_dtype = pytest.mark.parametrize(
    "dtype",
    [
        pytest.param(
            dtype,
            marks=pytest.mark.skipif(
                dtype == FLOAT64 and not HAS_LONG_DOUBLE, reason="needs a long double wider than double"
            ),
        )
        for dtype in DTYPES
    ],
    ids=str,
)


def measure(f: RowFunction, what: str, x: Any) -> None:
    args = f.arguments(x)
    result = f(*args)
    assert result.dtype == x.dtype
    found = errors(f.name, result, *args)
    worst = np.unravel_index(found.argmax(), found.shape)
    assert found[worst] <= bound(f.name, x.dtype), (what, worst, result[worst])


@each_summed_dtype
@each_row_function
def test_bounds(f: RowFunction, dtype: DType) -> None:
    for what, x in samples(f.name, dtype):
        measure(f, what, x)


@each_summed_dtype
@pytest.mark.parametrize("f", [f for f in FUNCTIONS if f.sums], ids=lambda f: f.name)
def test_small_terms_beside_a_large_one(f: RowFunction, dtype: DType) -> None:
    """The rounding errors of a hundred additions to a large term do not add up."""
    rng = np.random.default_rng(0)
    x = rng.normal(0, 3, (2000, 300))
    x[:, 0] += rng.uniform(3, 12, 2000)
    measure(f, "one 3 to 12 above others of deviation 3", x.astype(dtype))


each_gradient = pytest.mark.parametrize(
    "f", [f for f in FUNCTIONS if "_backward" in f.name], ids=lambda f: f.name
)


@each_gradient
def test_tiny_gradients(f: RowFunction) -> None:
    """The low parts of products, and many of the products, are subnormal."""
    for what, x in samples(f.name, FLOAT32):
        *rest, g = f.arguments(x)
        tiny = np.ldexp(g, -100)
        found = errors(f.name, f(*rest, tiny), *rest, tiny)
        assert found.max() <= bound(f.name, FLOAT32), what


@each_gradient
@pytest.mark.parametrize("exponent", [50, 80, 110])
def test_large_gradients(f: RowFunction, exponent: int) -> None:
    """Intermediate results would overflow unless multiplied by a power of two."""
    *rest, g = f.arguments(np.random.default_rng(0).normal(0, 3, (40, 50)).astype(FLOAT32))
    large = np.ldexp(g, exponent)
    found = errors(f.name, f(*rest, large), *rest, large)
    assert found.max() <= bound(f.name, FLOAT32)


@each_summed_dtype
@each_gated
def test_subnormal_inputs_of_gated_units(f: RowFunction, dtype: DType) -> None:
    """Some of the inputs, in all combinations, are subnormal."""
    rng, least = np.random.default_rng(0), finfo(dtype).smallest_normal
    args = tuple(a.copy() for a in f.arguments(rng.normal(0, 2, (8, 200)).astype(dtype)))
    args[0][1::2, :100] *= least
    args[0][[2, 3, 6, 7], 100:] *= least
    if len(args) > 1:
        args[1][4:] *= least
    found = errors(f.name, f(*args), *args)
    assert found.max() <= bound(f.name, dtype)


@pytest.mark.slow
@each_summed_dtype
@pytest.mark.parametrize("f", [f for f in FUNCTIONS if f.sums], ids=lambda f: f.name)
def test_long_rows(f: RowFunction, dtype: DType) -> None:
    """All lengths up to 2^20 with HYPOTHESIS_PROFILE=thorough, in a quarter of an hour."""
    thorough = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
    for what, x in rows(dtype, LONG_LENGTHS if thorough else (1000, 32768)):
        measure(f, what, x)


@each_summed_dtype
@pytest.mark.parametrize("f", [f for f in FUNCTIONS if f.sums], ids=lambda f: f.name)
def test_roundings_of_one_direction(f: RowFunction, dtype: DType) -> None:
    """Equal terms are rounded alike, so that the errors of a plain sum of them would add up."""
    for gap in (0.5, 5, 11, 14, 17.3, 36):
        x = np.full((1, 1 << 18), -gap, dtype)
        x[0, 1000] = 0
        measure(f, f"one {gap} above equal others", x)


@pytest.mark.slow
@pytest.mark.skipif(not HAS_LONG_DOUBLE, reason="needs a long double wider than double")
@each_row_function
def test_numpy_form_agrees_with_the_exact_one(f: RowFunction) -> None:
    """The forms agree to 1/16 of float64's epsilon, for gated units to the precision needed for float32."""
    gated = f.name.removesuffix("_backward") in GATES
    precision = 2.0**-40 if gated else 2.0**-57
    for what, x in gated_rows(FLOAT64, 30) if gated else rows(FLOAT64, (1, 3, 17)):
        args = f.arguments(x if gated else x[:2])
        (value, largest), right = expected_and_magnitude(f.name, *args), exact(f.name, *args).ravel()
        shape, value = value.shape, value.ravel()
        with np.errstate(invalid="ignore"):
            high = np.asarray(value, float)
            low = np.nan_to_num(np.asarray(value - high, float))
        spared = np.broadcast_to(slack(f.name, value.reshape(shape), *args), shape).ravel()
        scale = np.asarray(np.abs(largest), float).ravel()
        for h, rest, r, allowed in zip(high, low, right, precision * scale + spared + TINY, strict=True):
            if np.isfinite(h):
                assert abs(mp.mpf(h) + mp.mpf(rest) - r) <= allowed, (what, h, r)
            else:
                assert h == r or abs(r) > np.finfo(float).max, (what, h, r)


def near_zero(dtype: DType, n: int) -> Any:
    """Return rows whose largest element is adjusted to bring log Σ e^x as near to zero as possible."""
    rng = np.random.default_rng(n)
    count = 20_000 // n
    z = rng.normal(size=(count, n)) * np.geomspace(1e-3, 10, count)[:, None]
    x = expected("log_softmax", z).astype(dtype)
    x += (np.geomspace(1e-13, 0.2, count) * rng.choice([-1, 1], count)).astype(dtype)[:, None]
    half, largest = np.arange(0, count, 2), x.argmax(-1)[::2]
    for _ in range(3):
        share = expected("softmax", x)[half, largest]
        x[half, largest] -= (expected("logsumexp", x)[::2] / share).astype(dtype)
    return x


@each_summed_dtype
@pytest.mark.parametrize("n", [2, 3, 17, 1000])
def test_logsumexp_near_zero(n: int, dtype: DType) -> None:
    measure(RowFunction("logsumexp"), "near zero", near_zero(dtype, n))


@each_dtype
@each_learned
def test_parameter_gradient(name: str, p: float, dtype: DType) -> None:
    """Errors of the terms average out, and rounding to the type of the parameter comes last."""
    rng = np.random.default_rng(0)
    kernel = np.promote_types(dtype, np.float32)
    term_error = float(np.finfo(kernel).eps) / 4
    for shape, p_shape in (((40, 1000), (40, 1)), ((1000, 40), (40,)), ((200_000,), ())):
        x, g = (rng.normal(0, 4, shape).astype(dtype) for _ in range(2))
        for parameter in (np.full(p_shape, p, dtype), np.full(p_shape, p)):
            _, result = getattr(fastact, name)(x, g, parameter)
            total, magnitude = parameter_gradient(name.removesuffix("_backward"), x, g, parameter)
            rounding = float(finfo(parameter.dtype).eps) / 2 * np.abs(total)
            assert (np.abs(result - total) <= term_error * magnitude + rounding).all()
