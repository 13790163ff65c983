"""Weights by their shape, moments and distribution; gains by what torch says and by integration."""

import pickle
from math import inf, prod, sqrt
from typing import Any

import fastact
import numpy as np
import pytest
from fastact import initializers
from fastact.initializers import gain, variance_scaling
from numpy.typing import DTypeLike
from scipy import integrate, stats

# scale, its fan for 36 inputs and 64 outputs a place of the window, and scipy's distribution.
SCHEMES = {
    "glorot_normal": (1, 50, stats.truncnorm(-2, 2)),
    "glorot_uniform": (1, 50, stats.uniform(-1, 2)),
    "he_normal": (2, 36, stats.truncnorm(-2, 2)),
    "he_uniform": (2, 36, stats.uniform(-1, 2)),
    "lecun_normal": (1, 36, stats.truncnorm(-2, 2)),
    "lecun_uniform": (1, 36, stats.uniform(-1, 2)),
}
# Layouts of 36 inputs and 64 outputs.
SHAPES: list[tuple[str, tuple[int, ...]]] = [
    ("in_out", (36, 64)),
    ("out_in", (64, 36)),
    ("in_out", (5, 36, 64)),
    ("out_in", (64, 36, 5)),
    ("in_out", (3, 2, 36, 64)),
    ("out_in", (64, 36, 3, 2)),
]


@pytest.mark.parametrize(("layout", "shape"), SHAPES)
@pytest.mark.parametrize("name", SCHEMES)
def test_distribution(name: str, layout: Any, shape: tuple[int, ...]) -> None:
    scale, fan, distribution = SCHEMES[name]
    rng = np.random.default_rng(0)
    initializer = getattr(initializers, name)
    w = np.stack([initializer(shape, rng, layout=layout) for _ in range(50)])
    assert w.shape == (50, *shape)
    deviation = sqrt(scale / (fan * prod(shape) / (36 * 64)))
    assert stats.kstest(w.ravel() / deviation * distribution.std(), distribution.cdf).pvalue > 1e-3
    np.testing.assert_allclose(w.std(), deviation, rtol=0.01)


@pytest.mark.parametrize(("mode", "fan"), [("fan_in", 200), ("fan_out", 800), ("fan_avg", 500)])
@pytest.mark.parametrize("distribution", ["truncated_normal", "normal", "uniform"])
def test_variance(mode: Any, fan: int, distribution: Any) -> None:
    w = variance_scaling((200, 800), 3.0, mode, distribution, 0)
    np.testing.assert_allclose(w.var(), 3 / fan, rtol=0.02)
    np.testing.assert_allclose(w.mean(), 0, atol=4 * w.std() / sqrt(w.size))
    largest = {"truncated_normal": 2 / stats.truncnorm(-2, 2).std(), "normal": inf, "uniform": sqrt(3)}
    assert np.abs(w).max() <= largest[distribution] * sqrt(3 / fan)


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, "bfloat16"])
def test_dtype_only_rounds(name: str, dtype: DTypeLike) -> None:
    if dtype == "bfloat16":
        dtype = pytest.importorskip("ml_dtypes", reason="ml_dtypes is not installed").bfloat16
    initializer = getattr(initializers, name)
    w = initializer((8, 16), 1, dtype)
    assert w.dtype == dtype
    np.testing.assert_array_equal(w, initializer((8, 16), 1).astype(dtype))


def test_generator_moves_on() -> None:
    rng = np.random.default_rng(0)
    first, second = (initializers.he_normal((4, 4), rng) for _ in range(2))
    np.testing.assert_array_equal(first, initializers.he_normal((4, 4), 0))
    assert (first != second).all()
    assert (initializers.he_normal((4, 4)) != initializers.he_normal((4, 4))).all()


def test_pickle() -> None:
    for name in SCHEMES:
        initializer = getattr(initializers, name)
        assert pickle.loads(pickle.dumps(initializer)) is initializer


def test_no_inputs() -> None:
    assert initializers.lecun_normal((0, 3)).shape == (0, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"shape": (3,)}, "shape must have at least two axes"),
        ({"scale": 0.0}, "scale must be positive, not 0.0"),
        ({"scale": np.nan}, "scale must be positive, not nan"),
        ({"mode": "fan"}, "mode must be one of 'fan_in', 'fan_out', 'fan_avg', not 'fan'"),
        ({"distribution": "cauchy"}, "distribution must be one of .*, not 'cauchy'"),
        ({"layout": "NCHW"}, "layout must be one of 'in_out', 'out_in', not 'NCHW'"),
    ],
)
def test_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        variance_scaling(**{"shape": (3, 4)} | arguments)


# Of torch.nn.init.calculate_gain, version 2.13.
@pytest.mark.parametrize(
    ("name", "parameters", "expected"),
    [
        ("linear", {}, 1),
        ("identity", {}, 1),
        ("sigmoid", {}, 1),
        ("tanh", {}, 5 / 3),
        ("relu", {}, 1.4142135623730951),
        ("leaky_relu", {}, 1.4141428569978354),
        ("leaky_relu", {"negative_slope": 0.2}, 1.3867504905630728),
        ("selu", {}, 0.75),
    ],
)
def test_gain_is_torchs(name: str, parameters: dict[str, float], expected: float) -> None:
    np.testing.assert_allclose(gain(name, **parameters), expected, rtol=1e-14)


@pytest.mark.parametrize("name", ["gelu", "mish", "elu", "hard_swish", "relu6", "softplus", "hard_shrink"])
def test_gain_keeps_the_mean_square(name: str) -> None:
    def integrand(z: float) -> float:
        return float(getattr(fastact, name)(z)) ** 2 * float(stats.norm.pdf(z))

    square, _ = integrate.quad(integrand, -12, 12, points=[-3, -0.5, 0, 0.5, 3, 6], limit=500)
    np.testing.assert_allclose(gain(name), 1 / sqrt(square), rtol=5e-5)


def test_gain_refuses() -> None:
    with pytest.raises(ValueError, match=r"name must be one of identity, .*, not 'rellu'"):
        gain("rellu")
    with pytest.raises(TypeError):
        gain("tanh", negative_slope=0.2)
