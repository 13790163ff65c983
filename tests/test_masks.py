"""With `where=`, selected elements have the same bits, and others are neither read nor written."""

from collections.abc import Callable
from typing import Any

import fastact
import numpy as np
import pytest
from functions import DTYPES, Function, arguments, bits, each_dtype, each_function
from numpy.typing import NDArray

MASKS: dict[str, Callable[[int], NDArray[np.bool_]]] = {
    "none": lambda n: np.zeros(n, bool),
    "all": lambda n: np.ones(n, bool),
    "every other": lambda n: np.arange(n) % 2 == 0,
    "random": lambda n: np.random.default_rng(0).random(n) < 0.5,
    "few": lambda n: np.random.default_rng(1).random(n) < 0.01,
    "runs": lambda n: np.arange(n) // 1500 % 2 == 0,
}


@pytest.mark.parametrize("mask", MASKS)
@each_dtype
@each_function
def test_bits_and_what_is_left_alone(f: Function, dtype: np.dtype[Any], mask: str) -> None:
    args = arguments(f, dtype)
    where = MASKS[mask](args[0].size)
    whole, untouched = f(*args), np.full_like(args[0], 7)
    expected = np.where(where, whole, untouched)
    result = f(*args, where=where, out=untouched)
    assert result is untouched and bits(result) == bits(expected)
    in_place = args[-1].copy()
    f(*args[:-1], in_place, where=where, out=in_place)
    assert bits(in_place) == bits(np.where(where, whole, args[-1]))


def layouts(a: NDArray[Any]) -> dict[str, NDArray[Any]]:
    wide = np.zeros((*a.shape[:-1], 2 * a.shape[-1]), a.dtype)
    wide[..., ::2] = a
    return {
        "C": a,
        "Fortran": np.asfortranarray(a),
        "strided": wide[..., ::2],
        "backwards": a[::-1].copy()[::-1],
        "byte-swapped": a.astype(a.dtype.newbyteorder()),
        "read-only": np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape),
    }


@pytest.mark.parametrize("of_mask", ["C", "Fortran", "strided", "backwards", "read-only"])
@pytest.mark.parametrize("of_x", ["C", "Fortran", "strided", "backwards", "byte-swapped", "read-only"])
@each_dtype
def test_layouts(dtype: np.dtype[Any], of_x: str, of_mask: str) -> None:
    if of_x == "byte-swapped" and dtype.kind == "V":
        pytest.skip("bfloat16 has no other byte order")
    rng = np.random.default_rng(0)
    x, where = rng.normal(0, 3, (40, 60)).astype(dtype), rng.random((40, 60)) < 0.5
    expected = np.where(where, fastact.gelu(x), x.dtype.type(7))
    for out in (
        np.full((40, 60), 7, dtype),
        np.full((60, 40), 7, dtype).T,
        np.full((40, 180), 7, dtype)[:, ::-3],
    ):
        fastact.gelu(layouts(x)[of_x], out, where=layouts(where)[of_mask])
        np.testing.assert_array_equal(out, expected)


SHAPES = [
    ((6, 100), (6, 1)),
    ((6, 100), (100,)),
    ((6, 100), ()),
    ((1, 100), (6, 1)),
    ((100,), (6, 1)),
    ((), (6, 100)),
    ((3, 1, 70), (1, 5, 1)),
    ((3, 5, 70), (5, 1)),
    ((0, 4), (1, 4)),
    ((900, 3), (900, 1)),
]


@each_dtype
@pytest.mark.parametrize("of_x, of_mask", SHAPES, ids=str)
def test_broadcasting(of_x: tuple[int, ...], of_mask: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    rng = np.random.default_rng(0)
    x, where = rng.normal(0, 3, of_x).astype(dtype), rng.random(of_mask) < 0.5
    shape = np.broadcast_shapes(of_x, of_mask)
    out = np.full(shape, 7, dtype)
    fastact.silu(x, where=where, out=out)
    np.testing.assert_array_equal(out, np.where(where, fastact.silu(x), dtype.type(7)))
    g = rng.normal(size=shape[-1:]).astype(dtype)
    for gradient in (g, g[:1], 1.0, 2, np.array(3, dtype), -1e-8, 1e6):
        with np.errstate(over="ignore"):  # NumPy converts Python numbers
            expected = np.where(where, fastact.silu_backward(x, gradient), dtype.type(7))
            out = np.full(shape, 7, dtype)
            assert fastact.silu_backward(x, gradient, where=where, out=(out,)) is out
        np.testing.assert_array_equal(out, expected)


@each_dtype
def test_parameters_that_broadcast(dtype: np.dtype[Any]) -> None:
    rng = np.random.default_rng(0)
    x, where = rng.normal(0, 3, (30, 40)).astype(dtype), rng.random((30, 40)) < 0.5
    for alpha in (rng.random(40), rng.random((30, 1))):
        for kind in (dtype, np.float32, np.float64, np.longdouble):
            a, out = alpha.astype(kind), np.full_like(x, 7)
            fastact.prelu(x, a, where=where, out=out)
            np.testing.assert_array_equal(out, np.where(where, fastact.prelu(x, a), dtype.type(7)))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_overlapping(dtype: np.dtype[Any]) -> None:
    """The result is as if the inputs were copied before anything is written."""
    memory = np.linspace(-3, 3, 5000).astype(dtype)
    where = np.random.default_rng(0).random(4999) < 0.5
    expected = np.where(where, fastact.gelu(memory[:-1]), memory[1:])
    fastact.gelu(memory[:-1], where=where, out=memory[1:])
    assert memory[1:].tobytes() == expected.tobytes()
    flags = np.random.default_rng(0).random(4 * 100) < 0.5  # whose bytes the result overwrites
    out, x = flags.view(np.float32), np.linspace(-3, 3, 100, dtype=np.float32)
    mask = flags[:100].copy()
    expected = np.where(mask, fastact.gelu(x), out)
    fastact.gelu(x, where=flags[:100], out=out)
    assert out.tobytes() == expected.tobytes()


@pytest.mark.filterwarnings("ignore:.*ialized memory:UserWarning")  # of NumPy's, from 2.4 on
def test_without_out() -> None:
    x = np.linspace(-3, 3, 3000).reshape(30, 100)
    where = x > 0
    for y in (fastact.gelu(x, where=where), fastact.elu(x, alpha=2.0, where=where)):
        assert y.shape == x.shape and y.dtype == x.dtype
    np.testing.assert_array_equal(fastact.gelu(x, where=where)[where], fastact.gelu(x[where]))
    assert fastact.gelu(x[:0], where=where[:0]).shape == (0, 100)
    for args in (
        (x.T, where.T),
        (x[::2, ::-1], where[:15]),
        (x[0], where),
        (x[:, :1], where[:1]),
        (x[0, 0], where[0, 0]),
    ):
        ours, numpys = fastact.gelu(args[0], where=args[1]), np.exp(args[0], where=args[1])
        assert type(ours) is type(numpys) and ours.shape == numpys.shape and ours.strides == numpys.strides


def test_refusals() -> None:
    """The exceptions and messages are NumPy's, and nothing is written."""
    gelu: Any = fastact.gelu
    x, out = np.ones(8, np.float32), np.full(8, 7, np.float32)
    with pytest.raises(ValueError, match="broadcast"):
        gelu(x, where=np.ones(3, bool), out=out)
    with pytest.raises(TypeError):
        gelu(x, where=np.ones(8), out=out)
    out.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        gelu(x, where=np.ones(8, bool), out=out)
    with pytest.raises(TypeError):
        gelu(x, x, x, where=np.ones(8, bool))
    with pytest.raises(TypeError):
        gelu(x, where=np.ones(8, bool), wher=out)
    assert (out == 7).all()


def test_unnormalized_masks() -> None:
    """Every byte except 0 counts as True, as in NumPy."""
    where = np.array([0, 1, 2, 255, 0, 128], np.uint8).view(bool)
    x, out = np.ones(6), np.zeros(6)
    fastact.exponential(x, where=where, out=out)
    np.testing.assert_array_equal(out != 0, [False, True, True, True, False, True])
    y = fastact.sigmoid(where)
    np.testing.assert_array_equal(y, fastact.sigmoid(where.view(np.uint8) != 0))


def test_threads() -> None:
    """Threads share a masked call; their parts may begin at any element of a block."""
    x = np.random.default_rng(0).normal(0, 3, 3_000_001).astype(np.float32)
    where = np.random.default_rng(1).random(x.size) < 0.5
    out, before = np.zeros_like(x), fastact.get_num_threads()
    try:
        fastact.set_num_threads(3)
        fastact.mish(x, where=where, out=out)
    finally:
        fastact.set_num_threads(before)
    np.testing.assert_array_equal(out, np.where(where, fastact.mish(x), np.float32(0)))


INTEGERS = ["?", "b", "B", "h", "H", "i", "I", "q", "Q"]


@pytest.mark.parametrize("code", INTEGERS)
@each_function
def test_integers(f: Function, code: str) -> None:
    """The result is as if the input were cast to the result type of np.exp, in any layout."""
    dtype = np.dtype(code)
    least, most = (0, 1) if code == "?" else (max(np.iinfo(dtype).min, -300), min(np.iinfo(dtype).max, 300))
    x = np.random.default_rng(0).integers(least, most, 2500, endpoint=True).astype(dtype)
    result_type = np.exp(np.zeros(1, dtype)).dtype
    g = [np.linspace(-2, 2, x.size).astype(result_type)] * (len(f.inputs) - 1)
    expected = f(x.astype(result_type), *g)
    for same in (x, np.repeat(x, 2)[::2], x[::-1].copy()[::-1], x.astype(dtype.newbyteorder())):
        for n in (9, x.size):
            result = f(same[:n], *(a[:n] for a in g))
            assert result.dtype == result_type and result.tobytes() == expected[:n].tobytes()
    out = np.zeros(x.size, np.float64)
    f(x, *g, out=out)
    np.testing.assert_array_equal(out, expected.astype(np.float64))
    assert f(x, *g, dtype=np.float64).dtype == np.float64
    assert f(x[0], *(a[0] for a in g)).dtype == result_type
