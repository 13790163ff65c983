"""Limits, signed zeros, NaN, flat ranges, results far from 0, and absence of warnings."""

import itertools
from fractions import Fraction
from typing import Any

import fastact
import numpy as np
import pytest
from accuracy import parameter_samples
from fastact.checks.accuracy import finfo, float_errors
from fastact.checks.reference import ACTIVATIONS, evaluate
from functions import (
    FORWARD,
    FROM_OUTPUT,
    Function,
    arguments,
    each_backward,
    each_dtype,
    each_forward,
    each_function,
    each_gradient,
)


@each_dtype
@each_forward
def test_limits(f: Function, dtype: np.dtype[Any]) -> None:
    infinity = np.array([-np.inf, np.inf], dtype)
    limits, y = np.array(ACTIVATIONS[f.forward].limits[:2], dtype).astype(float), f(infinity)
    assert (float_errors(y, limits) <= 1).all()
    np.testing.assert_array_equal(np.signbit(y), np.signbit(limits))


@each_dtype
@each_backward
def test_limits_of_derivatives(f: Function, dtype: np.dtype[Any]) -> None:
    infinity = np.array([-np.inf, np.inf], dtype)
    limits = np.array(ACTIVATIONS[f.forward].limits[2:], dtype).astype(float)
    assert (float_errors(f(infinity, np.ones(2, dtype)), limits) <= 1).all()


@each_dtype
@each_forward
def test_signs_of_zeros(f: Function, dtype: np.dtype[Any]) -> None:
    """The signs of results at zero, and where the result underflows to zero."""
    x = np.array([-0.0, 0.0, -1e4, finfo(dtype).min], dtype)
    expected = evaluate(ACTIVATIONS[f.forward].forward, x)
    np.testing.assert_array_equal(np.signbit(f(x)), np.signbit(expected))


@each_dtype
@each_function
def test_nan(f: Function, dtype: np.dtype[Any]) -> None:
    """The result is NaN exactly where an input is NaN, except for a NaN in g where f' is 0 by definition."""
    x = np.linspace(-10, 10, 100, dtype=dtype)
    args = [x.copy(), x[::-1].copy()][: len(f.inputs)]
    args[0][::3] = np.nan
    expected = np.isnan(args[0])
    if len(args) == 2:
        args[1][::4] = np.nan
        expected |= np.isnan(args[1]) & ~np.asarray(ACTIVATIONS[f.forward].flat(args[0].astype(float)), bool)
    np.testing.assert_array_equal(np.isnan(f(*args)), expected)
    for special in (0, np.inf, np.nan):
        assert np.isnan(f(*[dtype.type(np.nan), dtype.type(special)][: len(args)]))


@each_dtype
@each_gradient
def test_flat_pieces_stop_any_gradient(f: Function, dtype: np.dtype[Any]) -> None:
    ends = [finfo(dtype).smallest_subnormal, finfo(dtype).max, np.inf]
    x = np.array([*ends, *np.negative(ends), -7, -0.0, 0.0, 3, 6, 7], dtype)
    if f.suffix == FROM_OUTPUT:
        x = f.sibling(FORWARD)(x)
    flat = np.asarray(ACTIVATIONS[f.forward].flat(x), bool)
    for g in (np.nan, np.inf, -np.inf, finfo(dtype).max, 0):
        assert (f(x, dtype.type(g))[flat] == 0).all(), g


@each_dtype
@each_backward
def test_infinite_gradient_stays_infinite(f: Function, dtype: np.dtype[Any]) -> None:
    x = np.linspace(-5.1, 5.1, 52, dtype=dtype)
    slope = f(x, np.ones_like(x))
    x, slope = x[slope != 0], slope[slope != 0]
    for g in (np.inf, -np.inf):
        np.testing.assert_array_equal(f(x, dtype.type(g)), g * np.sign(slope))


@each_dtype
@each_function
def test_silence(f: Function, dtype: np.dtype[Any]) -> None:
    args, info = arguments(f, dtype), finfo(dtype)
    with np.errstate(all="raise"):
        f(*args)
        f(*(a[::-2] for a in args))
        for row in itertools.islice(zip(*args, strict=True), 400):
            f(*row)
        for parameters in parameter_samples(f):
            f(*args, **dict(parameters))
        if f.defaults:
            for extreme in (info.smallest_subnormal, info.tiny, info.max, np.inf):
                f(*args, *[extreme] * len(f.defaults))


def test_tails_are_not_flushed_to_zero() -> None:
    def single(x: float) -> np.float32:
        return np.float32(x)

    assert fastact.sigmoid(single(-100)) == pytest.approx(3.8e-44, rel=0.02)
    assert fastact.gelu(single(-13)) == pytest.approx(-7.95e-38, rel=0.001)
    assert fastact.tanh_backward(single(20), single(1)) == pytest.approx(4 * np.exp(-40.0), rel=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_hard_sigmoid_slopes_strictly_inside(dtype: type[np.floating[Any]]) -> None:
    """This also holds where slope x underflows, and where offset - 1 is not a float."""
    info = np.finfo(dtype)
    ends = [info.smallest_subnormal, info.tiny, 1 - info.epsneg, info.max]
    positive = np.array([*map(float, ends), 1e-30, 0.1, 0.2, 0.5, 0.9, 1, 3], dtype)
    x = np.concatenate([-positive, np.zeros(1, dtype), positive])
    offsets = np.array([-1, -0.1, -1e-20, 0, 1e-20, 0.1, 0.9, 1, 2], dtype)
    for slope, offset in itertools.product(x, offsets):
        line = [Fraction(float(slope)) * Fraction(float(at)) + Fraction(float(offset)) for at in x]
        expected = np.array([slope if 0 < y < 1 else 0 for y in line], dtype)
        dx = fastact.hard_sigmoid_backward(x, dtype(1), slope=slope, offset=offset)
        np.testing.assert_array_equal(dx, expected, f"{slope=} {offset=}")
