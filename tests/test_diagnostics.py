"""Fractions and sizes, for layers constructed so that the results are known."""

from collections.abc import Callable
from typing import Any

import fastact
import numpy as np
import pytest
from fastact import diagnostics
from fastact.diagnostics import dead_fraction, gradient_flow, saturated_fraction


def test_dead_units() -> None:
    x = np.random.default_rng(0).normal(size=(100, 8))
    x[:, :3] = -np.abs(x[:, :3])  # three of eight never active
    layers = [
        fastact.relu(x),
        fastact.relu_backward(x, 1.0),
        fastact.leaky_relu_backward(x, 1.0),
        np.zeros((2, 5)),
    ]
    np.testing.assert_array_equal(dead_fraction(layers), [3 / 8, 3 / 8, 0, 1])
    np.testing.assert_array_equal(dead_fraction(layers, tolerance=0.01), [3 / 8, 3 / 8, 3 / 8, 1])


def test_dead_channels() -> None:
    x = np.random.default_rng(0).normal(size=(10, 4, 5, 5))
    x[:, 2] = -1
    y = fastact.relu(x)
    np.testing.assert_array_equal(dead_fraction([y], axis=1), [1 / 4])
    np.testing.assert_array_equal(dead_fraction([y.transpose(0, 2, 3, 1)]), [1 / 4])


def test_nan_is_not_dead() -> None:
    np.testing.assert_array_equal(dead_fraction([np.full((2, 3), np.nan)]), [0])


def test_saturated() -> None:
    x = np.array([[-5.0, -0.1, 0.1, 5.0]], np.float32)
    for f, low, expected in ((fastact.tanh, -1, 0.5), (fastact.sigmoid, 0, 0.5), (fastact.sigmoid, -1, 0.25)):
        np.testing.assert_array_equal(saturated_fraction([f(x)], low, 1), [expected])
    np.testing.assert_array_equal(saturated_fraction([fastact.elu(x), x], -1, np.inf), [0.25, 0.25])
    np.testing.assert_array_equal(saturated_fraction([fastact.tanh(x)], margin=1e-6), [0])


@pytest.mark.parametrize("factor", [0.25, 1.0, 3.0])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_gradient_flow(factor: float, dtype: Any) -> None:
    sizes = 100 * factor ** np.arange(5)[::-1]
    flow = gradient_flow([np.full((4, n), size, dtype) for n, size in enumerate(sizes, 1)])
    np.testing.assert_allclose(flow.root_mean_square, sizes, rtol=np.finfo(dtype).eps)
    np.testing.assert_allclose(flow.factor, factor, rtol=np.finfo(dtype).eps)
    np.testing.assert_array_equal(flow.zeros, 0)


def test_gradients_that_end() -> None:
    flow = gradient_flow([np.zeros(3), np.array([0.0, 3.0, 0.0, 4.0])])
    np.testing.assert_array_equal(flow.root_mean_square, [0, 2.5])
    np.testing.assert_array_equal(flow.zeros, [1, 0.5])
    assert flow.factor == 0
    assert gradient_flow([np.ones(3)]).factor == 1
    assert np.isnan(gradient_flow([np.zeros(3), np.zeros(3)]).factor)


@pytest.mark.parametrize("function", [dead_fraction, saturated_fraction, gradient_flow])
def test_refused(function: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match="must be a list of arrays, one per layer, not an array"):
        function(np.ones((3, 4)))
    with pytest.raises(ValueError, match=r"\[1\] is empty"):
        function([np.ones((3, 4)), np.ones((0, 4))])


def test_no_layers() -> None:
    assert dead_fraction([]).shape == saturated_fraction([]).shape == (0,)
    with pytest.raises(ValueError, match="gradients is empty"):
        gradient_flow([])


def test_names() -> None:
    assert fastact.diagnostics is diagnostics
