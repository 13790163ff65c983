"""Derivatives of plain calls, computed by autograd."""

from typing import Any

import autograd
import autograd.numpy as anp
import fastact
import fastact.autograd
import numpy as np
import pytest
from accuracy import parameter_samples
from autograd.test_util import check_grads
from conftest import RunPython
from fastact.checks.accuracy import to_exact
from fastact.checks.reference import ACTIVATIONS, mp
from functions import (
    BACKWARD,
    FORWARD,
    FROM_OUTPUT,
    Array,
    Function,
    each_backward,
    each_forward,
    each_function,
)
from numpy.typing import NDArray
from rows import LEARNED, RowFunction, each_row_function

# autograd warns of results that do not depend on the argument, such as the slope of identity.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Output seems independent of input"),
    pytest.mark.thread_unsafe(reason="autograd has one tape for all threads"),
]


def inputs(f: Function, shape: tuple[int, ...]) -> list[Array]:
    """Return arrays away from kinks, and the parameters as an array along the last axis."""
    rng = np.random.default_rng(0)
    x, g = rng.normal(0, 3, shape), rng.normal(size=shape)
    values = [np.full(shape[-1:], value) for _, value in f.defaults]
    if f.suffix == FROM_OUTPUT:
        x = f.sibling(FORWARD)(x, *values)
        x = np.where(x == 0, 0.1, x)
    return [x, g, *values] if f.suffix else [x, *values]


@each_function
def test_check_grads(f: Function) -> None:
    """Check arrays and parameters in reverse and forward mode, up to the second order."""
    np.random.seed(0)  # noqa: NPY002 - what check_grads draws from
    check_grads(f.function)(*inputs(f, (2, 3)))


@each_function
def test_broadcasting(f: Function) -> None:
    np.random.seed(0)  # noqa: NPY002
    first, *others = inputs(f, (2, 3))
    check_grads(f.function, order=1)(first, *(a[..., :1] for a in others))
    check_grads(f.function, order=1)(first[0], *(np.broadcast_to(a, (2, 3)).copy() for a in others))


@each_row_function
@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_check_grads_of_rows(f: RowFunction, axis: int) -> None:
    np.random.seed(0)  # noqa: NPY002
    args = f.moved(f.arguments(np.random.default_rng(0).normal(size=(6, 4))), (2, 3), axis)
    differentiable = [k for k, a in enumerate(args) if a.dtype.kind == "f"]
    if f.name == "sparsemax_backward_from_output":  # whose kink is at y = 0
        args = (np.where(args[0] == 0, -1.0, args[0]), *args[1:])
    check_grads(f, differentiable)(*args, axis=axis)


@pytest.mark.parametrize("keepdims", [False, True])
def test_logsumexp_keepdims(keepdims: bool) -> None:
    np.random.seed(0)  # noqa: NPY002
    x = np.random.default_rng(0).normal(size=(2, 3))
    check_grads(lambda x: fastact.logsumexp(x, axis=0, keepdims=keepdims))(x)


@each_backward
def test_first_derivative_is_the_backward_pass(f: Function) -> None:
    forward = f.sibling(FORWARD)
    x = np.linspace(-6, 6, 241)  # with every kink
    for dtype in (np.float32, np.float64):
        gradient = autograd.elementwise_grad(forward)(x.astype(dtype))
        expected = f(x.astype(dtype), np.ones_like(x, dtype))
        np.testing.assert_array_equal(gradient, expected, strict=True)


def second_derivatives(name: str, x: Array, parameters: dict[str, float]) -> NDArray[np.object_]:
    """Return difference quotients of the exact f', computed with extra bits against cancellation."""
    given = {key: mp.mpf(value) for key, value in parameters.items()}
    derivative, h = ACTIVATIONS[name].exact_derivative, mp.ldexp(1, -150)
    with mp.workprec(1600):
        return to_exact(x, lambda t: (derivative(t + h, **given) - derivative(t - h, **given)) / (2 * h))


@each_forward
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-5)])
def test_second_derivative(f: Function, dtype: Any, tolerance: float) -> None:
    """The relative error is bounded even where f'' is tiny, within the range of the dtype."""
    kinks = ACTIVATIONS[f.forward].kinks + (0.0,) * (f.forward in ("celu", "relu_squared", "softsign"))
    rng, info = np.random.default_rng(0), np.finfo(dtype)
    end = -1.05 * np.log(float(info.smallest_subnormal))
    near, far = rng.normal(0, 4, 25), rng.uniform(-end, end, 25)
    small = 2.0 ** rng.uniform(-40, 0, 5) * rng.choice([-1, 1], 5)
    x = np.concatenate([near, far, far / 8, small, [30, 40, 100, -30, -40, -100, 1e10]]).astype(dtype)
    x = x[np.abs(np.subtract.outer(x, kinks)).min(axis=1, initial=1) > 1e-6]
    for parameters in map(dict, parameter_samples(f)):
        if f.forward == "squareplus" and parameters.get("b") == 0:
            continue  # |x| and x with a kink between them
        given = {key: float(dtype(value)) for key, value in (f.required | parameters).items()}
        second = autograd.elementwise_grad(autograd.elementwise_grad(lambda x: f(x, **given)))(x)  # noqa: B023
        exact = second_derivatives(f.forward, x, given)
        assert second.dtype == dtype
        for t, y, expected in zip(x, second, exact, strict=True):
            if abs(expected) <= float(info.max):
                allowed = tolerance * abs(expected) + float(info.smallest_subnormal)
                assert abs(mp.mpf(float(y)) - expected) <= allowed, (given, t, y, mp.nstr(expected, 17))


@pytest.mark.parametrize("x", [-1e10, -300.0, -30.0, -1e-9, 0.5, 30.0, 300.0, 1e10])
def test_parameters_far_out(x: float) -> None:
    """Derivatives with respect to parameters, where a formula could cancel or be clipped."""
    z = np.abs(0.5 * x)
    closed = {
        "squareplus": (4.0, 0.25 / np.hypot(x, 2), -0.25 * x / np.hypot(x, 2) / (x * x + 4)),
        "softplus": (0.5, -4 * (np.log1p(np.exp(-z)) + z * np.exp(-z) / (1 + np.exp(-z))), None),
        "swish": (1e-9, x * x / 4 / np.cosh(x * 0.5e-9) ** 2, None),
    }
    for name, (p, of_f, of_slope) in closed.items():
        f, backward = getattr(fastact, name), getattr(fastact, f"{name}_backward")
        np.testing.assert_allclose(autograd.grad(lambda p: f(x, p))(p), of_f, rtol=1e-13)  # noqa: B023
        if of_slope:
            slope = autograd.grad(lambda p: backward(x, 1.0, p))(p)  # noqa: B023
            np.testing.assert_allclose(slope, of_slope, rtol=1e-13)


@pytest.mark.parametrize(("name", "p"), LEARNED.items())
def test_parameter_gradient_is_the_kernels(name: str, p: float) -> None:
    rng = np.random.default_rng(0)
    x, alpha = rng.normal(0, 3, (50, 4)).astype(np.float32), np.full(4, p, np.float32)
    f, backward = getattr(fastact, name.removesuffix(BACKWARD)), getattr(fastact, name)
    gradients = autograd.grad(lambda x, alpha: anp.sum(f(x, alpha)), (0, 1))(x, alpha)
    for gradient, expected in zip(gradients, backward(x, np.ones_like(x), alpha), strict=True):
        np.testing.assert_array_equal(gradient, expected, strict=True)


@each_forward
def test_no_warning_far_out(f: Function) -> None:
    far = np.array([1e200, 1e30, 800, 30, 0]) * np.array([[1], [-1]])
    second = autograd.elementwise_grad(autograd.elementwise_grad(f))(far)
    assert f.forward == "exponential" or np.isfinite(second).all()


def test_third_derivative() -> None:
    third: Any = fastact.tanh
    for _ in range(3):
        third = autograd.elementwise_grad(third)
    x = np.linspace(-2, 2, 9)
    t = np.tanh(x)
    np.testing.assert_allclose(third(x), (1 - t * t) * (6 * t * t - 2), rtol=1e-13, atol=1e-14)


def test_network() -> None:
    """The gradient of a loss through layers equals that of backpropagation by hand."""
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(5, 3)), rng.integers(4, size=5)
    weights = [rng.normal(size=(3, 6)), rng.normal(size=(3, 4))]

    def loss(weights: Any) -> Any:
        hidden = fastact.swiglu(fastact.leaky_relu(x @ weights[0], 0.2))
        return anp.mean(fastact.softmax_cross_entropy(hidden @ weights[1], labels))

    z = x @ weights[0]
    u = fastact.leaky_relu(z, 0.2)
    hidden = fastact.swiglu(u)
    g = fastact.softmax_cross_entropy_backward(hidden @ weights[1], labels, np.full(5, 1 / 5))
    dz = fastact.leaky_relu_backward(z, fastact.swiglu_backward(u, g @ weights[1].T), 0.2)
    for gradient, expected in zip(autograd.grad(loss)(weights), (x.T @ dz, hidden.T @ g), strict=True):
        np.testing.assert_allclose(gradient, expected, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("axis", [-1, 0, (0, 1), None])
@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp"])
def test_masked_rows(name: str, axis: Any) -> None:
    """Both orders through masks of any shape, with rows of which nothing is left, whatever is left out."""
    f, backward = getattr(fastact, name), getattr(fastact, f"{name}_backward")
    rng = np.random.default_rng(1)
    x = rng.normal(size=(4, 5))
    mask = np.arange(20).reshape(4, 5) % 3 > 0
    mask[2] = False
    for where in (mask, mask[0], mask[:, :1], True):
        counts = np.isfinite(f(x, axis=axis, where=where))
        g = np.asarray(rng.normal(size=counts.shape))

        def total(x: Any) -> Any:
            return anp.sum(anp.where(counts, f(x, axis=axis, where=where), 0.0) ** 2)  # noqa: B023

        def slope(x: Any, g: Any) -> Any:
            return backward(x, g, axis=axis, where=where)  # noqa: B023

        check_grads(total, modes=["rev"], order=2)(x)
        check_grads(slope, modes=["rev", "fwd"], order=1)(x, g)
        with np.errstate(all="raise"):
            left_out = np.where(where, x, np.nan)
            np.testing.assert_array_equal(autograd.grad(total)(left_out), autograd.grad(total)(x))
    out = np.empty(np.shape(f(x)))
    with pytest.raises(TypeError, match="no derivative is known with out="):
        autograd.grad(lambda x: anp.sum(f(x, where=mask, out=out)))(x)


@pytest.mark.filterwarnings("ignore:.*ialized memory:UserWarning")  # of NumPy's, from 2.4 on
def test_refuses_where() -> None:
    with pytest.raises(TypeError, match="gelu: no derivative is known with where="):
        autograd.grad(lambda x: fastact.gelu(x, where=np.array(True)))(1.0)


def test_without_autograd(run_python: RunPython) -> None:
    program = "import sys; sys.modules['autograd'] = None; import fastact.autograd"
    assert "pip install 'fastact[autograd]'" in run_python("-c", program).stderr
