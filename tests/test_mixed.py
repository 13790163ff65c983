"""``fastact.mixed``: each unit has the result of its own activation, forward and backward."""

import json
import pickle
from typing import Any

import fastact
import numpy as np
import pytest
from functions import DTYPES

NAMES = ["relu", "tanh", "identity", "elu"]
SIZES = [3, 5, 0, 2]
X = np.random.default_rng(0).normal(size=(4, 10, 6))
G = np.random.default_rng(1).normal(size=X.shape)


def parts(a: Any, axis: int) -> list[Any]:
    return np.split(a, np.cumsum(SIZES)[:-1], axis)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("axis", [1, -2, 2])
def test_each_part_is_its_own_activation(axis: int, dtype: Any) -> None:
    f = fastact.mixed(NAMES, SIZES, axis)
    x, g = (np.moveaxis(a, 1, axis).astype(dtype) for a in (X, G))
    expected = [getattr(fastact, n)(part) for n, part in zip(NAMES, parts(x, axis), strict=True)]
    y = f(x)
    assert y.dtype == dtype
    np.testing.assert_array_equal(y, np.concatenate(expected, axis))
    pairs = zip(NAMES, parts(x, axis), parts(g, axis), strict=True)
    expected = [getattr(fastact, f"{n}_backward")(*pair) for n, *pair in pairs]
    np.testing.assert_array_equal(f.backward(x, g), np.concatenate(expected, axis))


def test_out_and_in_place() -> None:
    f, x = fastact.mixed(NAMES, SIZES, 1), X.copy()
    expected = f(x)
    assert f(x, out=x) is x
    np.testing.assert_array_equal(x, expected)


def test_integers_promote_as_ufuncs_do() -> None:
    assert fastact.mixed(["relu", "tanh"], [1, 1])(np.array([1, 2], np.int8)).dtype == np.float16
    assert fastact.mixed(["relu", "tanh"], [1, 1])([1, 2]).dtype == np.float64


def test_from_output() -> None:
    f = fastact.mixed(["relu", "tanh"], [4, 6], axis=1)
    assert f.backward_from_output is not None
    y = f(X)
    expected = [
        fastact.relu_backward_from_output(y[:, :4], G[:, :4]),
        fastact.tanh_backward_from_output(y[:, 4:], G[:, 4:]),
    ]
    np.testing.assert_array_equal(f.backward_from_output(y, G), np.concatenate(expected, 1))
    assert fastact.mixed(["relu", "gelu"], [4, 6]).backward_from_output is None


def test_learnable_parameters_have_gradients() -> None:
    alpha, beta = 0.25, 1.5
    f = fastact.mixed(
        [fastact.get("prelu", alpha=alpha), "relu", fastact.get("swish", beta=beta)], [3, 4, 3], 1
    )
    dx, dalpha, dbeta = f.backward(X, G)
    expected = [
        fastact.prelu_backward(X[:, :3], G[:, :3], alpha),
        (fastact.relu_backward(X[:, 3:7], G[:, 3:7]), None),
        fastact.swish_backward(X[:, 7:], G[:, 7:], beta),
    ]
    np.testing.assert_array_equal(dx, np.concatenate([dx for dx, _ in expected], 1))
    assert (dalpha, dbeta) == (expected[0][1], expected[2][1])


def test_dask() -> None:
    da: Any = pytest.importorskip("dask.array", reason="dask is not installed")
    f = fastact.mixed(NAMES, SIZES, 1)
    x, g = (da.from_array(a, chunks=(2, 4, 3)) for a in (X, G))
    assert isinstance(f(x), da.Array)
    np.testing.assert_array_equal(f(x), f(X))
    np.testing.assert_array_equal(f.backward(x, g), f.backward(X, G))


def test_config_pickle_and_equality() -> None:
    f = fastact.mixed(NAMES, SIZES, 1)
    assert fastact.Mixed.from_config(json.loads(json.dumps(f.to_config()))) == f
    assert pickle.loads(pickle.dumps(f)) == f and hash(pickle.loads(pickle.dumps(f))) == hash(f)
    assert eval(repr(f), {"fastact": fastact}) == f


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["relu"], [1, 2]), "1 activations and 2 sizes"),
        (([], []), "0 activations and 0 sizes"),
        ((["relu"], [-1]), "sizes has -1"),
        ((["softmax"], [3]), "softmax is a function of rows"),
        ((["gleu"], [3]), "no activation is called 'gleu'"),
    ],
)
def test_refused(arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fastact.mixed(*arguments)


def test_refused_types() -> None:
    wrong: Any
    for wrong in (1.5, "two", None):
        with pytest.raises(TypeError, match="mixed: sizes must be a sequence of integers, not "):
            fastact.mixed(["relu"], [wrong])
    with pytest.raises(TypeError, match="mixed: sizes must be a sequence of integers, not 3"):
        fastact.mixed(["relu"], 3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="mixed: activations must be a sequence, not 'relu'"):
        fastact.mixed("relu", [4])
    with pytest.raises(TypeError, match="mixed: each activation must be a name or an Activation, not "):
        fastact.mixed([np.tanh], [4])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="mixed: arrays of complex128 are not supported"):
        fastact.mixed(["relu"], [2])(np.zeros(2, complex))


def test_refused_arrays() -> None:
    f = fastact.mixed(["relu", "tanh"], [1, 2])
    with pytest.raises(ValueError, match="x has 4 elements along axis -1; 3 are required"):
        f(np.zeros((2, 4)))
    with pytest.raises(ValueError, match=r"x has shape \(2, 3\), g \(3,\); they must be the same"):
        f.backward(np.zeros((2, 3)), np.zeros(3))
    with pytest.raises(ValueError, match=r"out has shape \(3,\) where \(2, 3\) is required"):
        f(np.zeros((2, 3)), out=np.zeros(3))
    with pytest.raises(TypeError, match="x is a MaskedArray"):
        f(np.ma.masked_array(np.zeros((2, 3))))
    with pytest.raises(np.exceptions.AxisError):
        f(np.float64(1))
