"""Parameters of any size: the error bounds hold near the ends of the range, the limits at infinity."""

from collections.abc import Callable
from math import inf
from typing import Any

import fastact
import numpy as np
import pytest
from fastact.checks.accuracy import (
    DERIVATIVE_BOUND,
    FORWARD_BOUND,
    GRADIENT_BOUND,
    every_exponent,
    exact_values,
    excused,
    gradient_errors,
    to_exact,
    ulp_errors,
)
from fastact.checks.reference import mp
from functions import FORWARD, FUNCTIONS, HALF_PRECISION, Array

PARAMETERS = [(f.forward, name) for f in FUNCTIONS if f.suffix == FORWARD for name, _ in f.parameters]
each_parameter = pytest.mark.parametrize(("name", "parameter"), PARAMETERS, ids=str)
FLOATS: list[np.dtype[Any]] = [np.dtype(np.float32), np.dtype(np.float64)]
REQUIRED = {f.forward: f.required for f in FUNCTIONS}


def forward(name: str, x: Any, **parameters: Any) -> Array:
    y: Array = getattr(fastact, name)(x, **(REQUIRED[name] | parameters))
    return y


def derivative(name: str, x: Array, g: Any = 1.0, **parameters: Any) -> Array:
    g = np.broadcast_to(np.asarray(g, x.dtype), x.shape)
    result = getattr(fastact, f"{name}_backward")(x, g, **(REQUIRED[name] | parameters))
    dx: Array = result[0] if isinstance(result, tuple) else result
    return dx


def ends(dtype: np.dtype[Any]) -> list[float]:
    info = np.finfo(dtype)
    least, tiny, most = float(info.smallest_subnormal), float(info.tiny), float(info.max)
    sizes = [
        least,
        tiny / 8,
        1.7 * tiny,
        1.3 * tiny**0.5,
        1.3e-6,
        0.37,
        1.3e6,
        most**0.5 / 1.7,
        most / 5.3,
        most,
    ]
    return [float(dtype.type(sign * size)) for size in sizes for sign in (1, -1)]


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@each_parameter
def test_ends(name: str, parameter: str, dtype: np.dtype[Any]) -> None:
    rng, info = np.random.default_rng(0), np.finfo(dtype)
    limits = np.array([0.0, info.smallest_subnormal, info.tiny, info.max, np.inf], dtype)
    for value in ends(dtype):
        with np.errstate(over="ignore"):
            about = (rng.normal(0, 3, 8) / value).astype(dtype), (rng.normal(0, 30, 8) * value).astype(dtype)
        some = rng.choice(every_exponent(dtype), 16)
        x = np.concatenate([limits, -limits, some, rng.normal(0, 3, 8).astype(dtype), *about])
        try:
            y = forward(name, x, **{parameter: value})
        except ValueError as refusal:
            assert "required" in str(refusal)
            continue
        dy = derivative(name, x, **{parameter: value})
        assert not np.isnan(y).any() and not np.isnan(dy).any()
        given = ((parameter, value), *((p, v) for p, v in REQUIRED[name].items() if p != parameter))
        finite = np.isfinite(x)
        errors = ulp_errors(y[finite], exact_values(name, True, x[finite], given))
        assert errors.max() <= FORWARD_BOUND[dtype.name], (value, x[finite][errors.argmax()])
        bound, exact = DERIVATIVE_BOUND[dtype.name], exact_values(name, False, x[finite], given)
        ones = np.ones_like(x[finite])
        errors = gradient_errors(ones, dy[finite], exact, bound, excused(name, x[finite], given))
        assert errors.max() <= bound, (value, x[finite][errors.argmax()])


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("share", [0.2, 0.5, 0.99])
def test_elu_of_a_huge_alpha_and_gradient(share: float, dtype: np.dtype[Any]) -> None:
    """Then e^x counts far below the least positive number, and is 0 at -inf all the same."""
    rng, most = np.random.default_rng(0), float(np.finfo(dtype).max)
    alpha = float(dtype.type(most**share))
    x = (rng.uniform(-4.5, 0, 1000) * np.log(most)).astype(dtype)
    g = (rng.choice([-1, 1], x.size) * most * rng.uniform(0.01, 1, x.size)).astype(dtype)
    exact = exact_values("elu", False, x, (("alpha", alpha),)) * to_exact(g)
    assert ulp_errors(derivative("elu", x, g, alpha=alpha), exact).max() <= GRADIENT_BOUND[dtype.name]
    assert not derivative("elu", np.full(20, -inf, dtype), most, alpha=alpha).any()


def relu(x: Array) -> Array:
    return np.where(x > 0, x, 0)


def step(left: float, at_zero: float, right: float) -> Callable[[Array], Array]:
    return lambda x: np.where(x < 0, left, np.where(x > 0, right, at_zero))


def constant(value: float) -> Callable[[Array], Array]:
    return lambda x: np.full(x.shape, value)


Formula = Callable[[Array], Array]
# f and f' for infinite parameters and 0, for functions that have a limit there.
LIMITS: dict[tuple[str, str, float], tuple[Formula, Formula]] = {
    ("leaky_relu", "negative_slope", inf): (
        lambda x: np.where(x < 0, -inf, x),
        lambda x: np.where(x > 0, 1, inf),
    ),
    ("leaky_relu", "negative_slope", -inf): (
        lambda x: np.where(x < 0, inf, x),
        lambda x: np.where(x > 0, 1, -inf),
    ),
    ("leaky_relu", "negative_slope", 0.0): (relu, step(0, 0, 1)),
    ("threshold", "threshold", inf): (constant(0), constant(0)),
    ("threshold", "value", inf): (lambda x: np.where(x > 0, x, inf), step(0, 0, 1)),
    ("threshold", "value", -inf): (lambda x: np.where(x > 0, x, -inf), step(0, 0, 1)),
    ("hard_sigmoid", "slope", inf): (step(0, 0.5, 1), lambda x: np.where(x == 0, inf, 0)),
    ("hard_sigmoid", "slope", -inf): (step(1, 0.5, 0), lambda x: np.where(x == 0, -inf, 0)),
    ("hard_sigmoid", "offset", inf): (constant(1), constant(0)),
    ("hard_sigmoid", "offset", -inf): (constant(0), constant(0)),
    ("hard_tanh", "min_value", -inf): (lambda x: np.minimum(x, 1), lambda x: np.where(x < 1, 1, 0)),
    ("hard_tanh", "max_value", inf): (lambda x: np.maximum(x, -1), lambda x: np.where(x > -1, 1, 0)),
    ("softplus", "beta", inf): (relu, step(0, 0.5, 1)),
    ("squareplus", "b", inf): (constant(inf), constant(0.5)),
    ("squareplus", "b", 0.0): (relu, step(0, 0.5, 1)),
    ("elu", "alpha", inf): (lambda x: np.where(x < 0, -inf, x), lambda x: np.where(x > 0, 1, inf)),
    ("elu", "alpha", -inf): (lambda x: np.where(x < 0, inf, x), lambda x: np.where(x > 0, 1, -inf)),
    ("celu", "alpha", inf): (lambda x: x, constant(1)),
    ("softcap", "cap", inf): (lambda x: x, constant(1)),
    ("swish", "beta", inf): (relu, step(0, 0.5, 1)),
    ("swish", "beta", -inf): (lambda x: np.where(x < 0, x, 0), step(1, 0.5, 0)),
    ("hard_shrink", "lambd", inf): (constant(0), constant(0)),
    ("soft_shrink", "lambd", inf): (constant(0), constant(0)),
}
LIMITS |= {
    ("prelu", "alpha", limit): LIMITS["leaky_relu", "negative_slope", limit] for limit in (inf, -inf, 0.0)
}


@pytest.mark.parametrize("dtype", [*HALF_PRECISION, *FLOATS], ids=str)
@pytest.mark.parametrize("value", [inf, -inf, 0.0, -0.0])
@each_parameter
def test_infinite_and_zero(name: str, parameter: str, value: float, dtype: np.dtype[Any]) -> None:
    finite = np.array([-300, -5, -0.5, -1e-3, -0.0, 0, 1e-3, 0.5, 5, 300], dtype)
    x = np.concatenate([finite, np.array([-inf, inf], dtype)])
    try:
        y = forward(name, x, **{parameter: value})
    except ValueError as refusal:
        assert "required" in str(refusal) and (name, parameter, value) not in LIMITS
        return
    dy = derivative(name, x, **{parameter: value})
    assert not np.isnan(y).any() and not np.isnan(dy).any()
    if formulas := LIMITS.get((name, parameter, value)):
        for result, formula in zip((y, dy), formulas, strict=True):
            np.testing.assert_array_equal(result[: finite.size], formula(finite).astype(dtype))
    from_output = getattr(fastact, f"{name}_backward_from_output", None)
    if from_output and value > 0:
        slope = from_output(y, np.ones_like(y), **{parameter: value})
        assert not np.isnan(slope).any()
        tells = y != 0  # 0 no longer tells whether x was
        np.testing.assert_array_equal(slope[tells], dy[tells])


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_limits_with_the_smallest_and_the_largest_parameters(dtype: np.dtype[Any]) -> None:
    """At -inf, softplus is 0 for the smallest beta, and celu is -alpha, its gradient 0, for the largest."""
    x, info = np.full(40, -inf, dtype), np.finfo(dtype)
    for beta in (info.smallest_subnormal, info.smallest_subnormal * 7, info.tiny / 3, info.tiny):
        assert not forward("softplus", x, beta=float(beta)).any()
    for alpha in (info.max, info.max / 2, info.max / 200):
        np.testing.assert_array_equal(forward("celu", x, alpha=float(alpha)), -alpha)
        assert not derivative("celu", x, alpha=float(alpha)).any()


@pytest.mark.parametrize("value", [1e300, 1e10, -1e10, 3e-19, -1e-9, 1e-30])
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_elu_gradient_neither_vanishes_nor_overflows_early(value: float, dtype: np.dtype[Any]) -> None:
    """The product g α e^x is moderate although the product of two of the factors is huge or tiny."""
    alpha = float(dtype.type(min(value, 1e30 if dtype == np.float32 else value)))
    end = 103 if dtype == np.float32 else 744
    x, exponents = np.linspace(-end, 0, 60).astype(dtype), [-1.0, -0.5, 0.0, 0.5, 0.95]
    for exponent in exponents:
        g = dtype.type(float(np.finfo(dtype).max) ** exponent)
        exact = exact_values("elu", False, x, (("alpha", alpha),)) * mp.mpf(float(g))
        errors = ulp_errors(derivative("elu", x, g, alpha=alpha), exact)
        assert errors.max() <= {"float32": 1.5, "float64": 4.5}[dtype.name], (g, x[errors.argmax()])


ROUNDS_TO_ZERO = [("softplus", "beta"), ("celu", "alpha")]


@pytest.mark.parametrize("value", [1e-310, 1e-50, 7e-46, np.float64(1e-50), np.array([1.0, 1e-50])], ids=str)
@pytest.mark.parametrize(
    "x", [np.ones(2, np.float32), np.ones(2, np.float16), np.ones(2, bool), np.int8(1)], ids=str
)
@pytest.mark.parametrize(("name", "parameter"), ROUNDS_TO_ZERO, ids=str)
def test_rounding_to_zero_is_refused(name: str, parameter: str, x: Any, value: Any) -> None:
    g = np.ones(np.shape(x), np.float32)
    for suffix, arrays in (("", (x,)), ("_backward", (x, g)), ("_backward_from_output", (x, g))):
        if f := getattr(fastact, name + suffix, None):
            with pytest.raises(
                ValueError, match=f"{name}{suffix}: {parameter} = .* > 0 is required in float32"
            ):
                f(*arrays, **{parameter: value})
    if isinstance(x, np.ndarray):
        with pytest.raises(ValueError, match="in float32"):
            forward(name, x.astype(np.float64), dtype=np.float32, **{parameter: value})
        out = np.full(2, 7, np.float32)
        with pytest.raises(ValueError, match="in float32"):
            forward(name, x, out=out, **{parameter: value})
        assert (out == 7).all()


@pytest.mark.parametrize(("name", "parameter"), ROUNDS_TO_ZERO, ids=str)
def test_what_does_not_round_to_zero_is_allowed(name: str, parameter: str) -> None:
    assert forward(name, np.ones(2, np.float32), **{parameter: 8e-46}).dtype == np.float32
    for x in (np.ones(2), 1.0, [1, 1], np.ones(2, np.int32)):
        assert np.all(forward(name, x, **{parameter: 1e-50}) >= 1)
    assert np.all(forward(name, np.ones(2, np.float32), dtype=np.float64, **{parameter: 1e-50}) >= 1)


@pytest.mark.parametrize(
    ("beta", "x"), [(0.37, -4.63930941), (0.9, -8.60797691), (1.7, -1.294842), (3.3, -0.9), (1e-3, 5.0)]
)
def test_softplus_of_any_beta(beta: float, x: float) -> None:
    around = np.linspace(x - 1e-4, x + 1e-4, 200).astype(np.float32)
    given = (("beta", float(np.float32(beta))),)
    assert (
        ulp_errors(fastact.softplus(around, beta), exact_values("softplus", True, around, given)).max() <= 1
    )


def test_swish_parameter_gradient_far_out() -> None:
    """x² σ(βx) σ(-βx) is 0 if e^-|βx| is far smaller than 1/x²."""
    for dtype in FLOATS:
        most = np.finfo(dtype).max
        for beta in (1.0, -2.0, 1e10, inf):
            for x in (float(most), -float(most), float(most) / 2**20, inf):
                at = np.array([x], dtype)
                assert fastact.swish_backward(at, np.ones(1, dtype), beta)[1] == 0
    assert fastact.swish_backward(np.array([3.0]), np.ones(1), 0.0)[1] == 9 / 4
