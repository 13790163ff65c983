"""Shape, moments and distribution of weights; gains compared with torch and with integration."""

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
    assert initializers.orthogonal((0, 3)).shape == (0, 3)


# The fans of one group, counted for its sums. In Keras, one axis of a depthwise kernel has all inputs, and
# one axis of a grouped kernel has all outputs; in PyTorch, an axis of either kernel has all outputs.
@pytest.mark.parametrize(
    ("shape", "layout", "fan_in", "fan_out"),
    [
        ((3, 3, 512, 2), "in_out", 9, 18),  # depthwise, 2 outputs for each input
        ((3, 3, 16, 512), "in_out", 144, 9 * 512 / 4),  # 4 groups
        ((1024, 1, 3, 3), "out_in", 9, 18),
        ((512, 16, 3, 3), "out_in", 144, 9 * 512 / 4),
    ],
)
def test_fans_of_groups(shape: tuple[int, ...], layout: Any, fan_in: float, fan_out: float) -> None:
    fans: dict[str, Any] = {"fan_in": fan_in, "fan_out": fan_out}
    modes: dict[Any, float] = fans | {"fan_avg": (fan_in + fan_out) / 2}
    for mode, fan in modes.items():
        w = variance_scaling(shape, 2.0, mode, rng=0, layout=layout, **fans)
        np.testing.assert_allclose(w.std(), sqrt(2 / fan), rtol=0.03)
    for name, (scale, of_glorot, _) in SCHEMES.items():
        w = getattr(initializers, name)(shape, 0, layout=layout, **fans)
        fan = (fan_in + fan_out) / 2 if of_glorot == 50 else fan_in
        np.testing.assert_allclose(w.std(), sqrt(scale / fan), rtol=0.03)


def test_one_fan_given() -> None:
    np.testing.assert_array_equal(
        variance_scaling((4, 9), 1.0, "fan_in", rng=0, fan_in=16), variance_scaling((4, 9), 0.25, rng=0)
    )
    np.testing.assert_array_equal(
        variance_scaling((4, 9), 1.0, "fan_avg", rng=0, fan_out=4), variance_scaling((4, 9), rng=0)
    )


@pytest.mark.parametrize(
    ("layout", "shape", "matrix"),
    [
        ("in_out", (64, 36), (64, 36)),
        ("in_out", (36, 64), (36, 64)),
        ("out_in", (64, 36), (64, 36)),
        ("in_out", (3, 3, 16, 32), (144, 32)),
        ("in_out", (3, 3, 2, 32), (18, 32)),
        ("out_in", (32, 16, 3, 3), (32, 144)),
        ("out_in", (32, 2, 3, 3), (32, 18)),
    ],
)
def test_orthogonal(layout: Any, shape: tuple[int, ...], matrix: tuple[int, int]) -> None:
    w = initializers.orthogonal(shape, 1.5, 0, layout=layout)
    assert w.shape == shape
    m = w.reshape(matrix)
    product = m @ m.T if matrix[0] < matrix[1] else m.T @ m
    np.testing.assert_allclose(product, 2.25 * np.eye(min(matrix)), atol=1e-13)
    np.testing.assert_array_equal(w, initializers.orthogonal(shape, 1.5, 0, layout=layout))
    single = initializers.orthogonal(shape, 1.5, 0, np.float32, layout=layout)
    np.testing.assert_array_equal(single, w.astype(np.float32))


def test_orthogonal_favours_no_direction() -> None:
    """Elements are distributed as coordinates on the sphere, and half of the matrices are reflections."""
    rng = np.random.default_rng(0)
    w = np.stack([initializers.orthogonal((3, 3), rng=rng) for _ in range(3000)])
    for element in w.reshape(3000, 9).T:
        assert stats.kstest(element, stats.uniform(-1, 2).cdf).pvalue > 1e-4
    assert abs(np.linalg.det(w).mean()) < 0.08  # rotations and reflections alike


@pytest.mark.parametrize("dtype", [int, bool, complex, "uint8", object, "M8[s]", "V8", "U4"])
@pytest.mark.parametrize("name", [*SCHEMES, "variance_scaling", "orthogonal"])
def test_dtypes_refused(name: str, dtype: DTypeLike) -> None:
    with pytest.raises(TypeError, match="dtype must be one of real floating-point numbers, not "):
        getattr(initializers, name)((3, 4), dtype=dtype)


@pytest.mark.parametrize("name", [*SCHEMES, "variance_scaling", "orthogonal"])
@pytest.mark.parametrize("shape", [5, (5,), [5], ()])
def test_shapes_refused(name: str, shape: Any) -> None:
    expected = tuple(np.empty(shape).shape)
    with pytest.raises(ValueError, match="shape must have at least two axes") as refusal:
        getattr(initializers, name)(shape)
    assert str(refusal.value).endswith(f"not {expected}")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"shape": (3,)}, "shape must have at least two axes"),
        ({"scale": 0.0}, "scale must be positive, not 0.0"),
        ({"scale": np.nan}, "scale must be positive, not nan"),
        ({"mode": "fan"}, "mode must be one of 'fan_in', 'fan_out', 'fan_avg', not 'fan'"),
        ({"distribution": "cauchy"}, "distribution must be one of .*, not 'cauchy'"),
        ({"layout": "NCHW"}, "layout must be one of 'in_out', 'out_in', not 'NCHW'"),
        ({"fan_in": 0}, "fan_in must be positive, not 0"),
        ({"mode": "fan_in", "fan_out": -2.0}, "fan_out must be positive, not -2.0"),
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
def test_gain_is_torchs(name: str, parameters: dict[str, Any], expected: float) -> None:
    np.testing.assert_allclose(gain(name, **parameters), expected, rtol=1e-14)


@pytest.mark.parametrize("name", ["gelu", "mish", "elu", "hard_swish", "relu6", "softplus", "hard_shrink"])
def test_gain_keeps_the_mean_square(name: str) -> None:
    def integrand(z: float) -> float:
        return float(getattr(fastact, name)(z)) ** 2 * float(stats.norm.pdf(z))

    square, _ = integrate.quad(integrand, -12, 12, points=[-3, -0.5, 0, 0.5, 3, 6], limit=500)
    np.testing.assert_allclose(gain(name), 1 / sqrt(square), rtol=5e-5)


@pytest.mark.parametrize(("name", "gate"), [("glu", "sigmoid"), ("swiglu", "silu"), ("ReGLU", "relu")])
def test_gain_of_gates(name: str, gate: str) -> None:
    """The halves are independent, so the mean square of a product is that of the activation."""

    def integrand(z: float) -> float:
        return float(getattr(fastact, gate)(z)) ** 2 * float(stats.norm.pdf(z))

    square, _ = integrate.quad(integrand, -12, 12, points=[0])
    np.testing.assert_allclose(gain(name), 1 / sqrt(square), rtol=5e-5)


def test_gain_takes_the_names_of_get() -> None:
    for name in fastact.names():
        for alias in (name, name.upper(), name.replace("_", "-")):
            assert 0 < gain(alias) == gain(name) < inf
    assert gain("SiLU") == gain("silu")
    assert gain("logistic") == gain("sigmoid") == gain("softmax") == 1
    assert gain("leaky_relu", like="keras") == gain("leaky_relu", negative_slope=0.2)
    assert gain("gelu", like="jax") == gain("gelu_tanh")


def test_gain_refuses() -> None:
    with pytest.raises(ValueError, match=r"no activation is called 'rellu'"):
        gain("rellu")
    with pytest.raises(TypeError):
        gain("tanh", negative_slope=0.2)
