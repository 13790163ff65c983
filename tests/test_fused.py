"""A loss with its gradient: the bits of the two functions, in any layout, type and container, or an error."""

import itertools
import pickle
from collections.abc import Callable
from typing import Any

import fastact
import numpy as np
import pytest
from fastact.checks.accuracy import DType
from fastact.checks.row_accuracy import bound as bound_of
from fastact.checks.row_accuracy import errors, parts, samples
from fastact.functions.registry import FUSED, Function
from functions import each_dtype
from rows import numbers
from test_row_bits import backwards, byte_swapped, strided, unaligned_rows
from test_same_bits import assert_same_bits

each_fused = pytest.mark.parametrize("f", FUSED, ids=str)
LAYOUTS = (np.copy, np.asfortranarray, strided, backwards, byte_swapped, unaligned_rows)


def labels_of(x: Any, axis: int = -1) -> Any:
    shape = np.delete(x.shape, axis)
    return np.random.default_rng(0).integers(0, x.shape[axis], shape)


def apart(f: Function, x: Any, labels: Any, **axis: Any) -> tuple[Any, Any]:
    """What the two functions give."""
    (forward, given), (backward, with_ones) = parts(f, (x, labels))
    return getattr(fastact, forward)(*given, **axis), getattr(fastact, backward)(*with_ones, **axis)


def assert_both(found: Any, expected: Any, *context: Any) -> None:
    assert isinstance(found, tuple)
    for result, right in zip(found, expected, strict=True):
        assert_same_bits(np.asarray(result), np.asarray(right), context)


@each_dtype
@each_fused
def test_bounds(f: Function, dtype: DType) -> None:
    for what, x in samples(f.forward, dtype):
        arrays = x, labels_of(x)
        for (part, given), result in zip(parts(f, arrays), f(*arrays), strict=True):
            found = errors(part, result, *given)
            assert found.max() <= bound_of(part, dtype), (what, part)


@each_dtype
@each_fused
def test_bits_are_those_of_the_two(f: Function, dtype: DType) -> None:
    """Of short and long rows, along every axis, in every layout."""
    for n in (1, 2, 10, 16, 17, 64, 130, 5000):
        x = numbers(dtype, 60, n)
        assert_both(f(x, labels_of(x)), apart(f, x, labels_of(x)), n)
    cube = numbers(dtype, 30, 40).reshape(5, 6, 40)
    for axis, layout in itertools.product(range(-3, 3), LAYOUTS):
        x, labels = layout(cube), labels_of(cube, axis)
        assert_both(f(x, labels, axis=axis), apart(f, cube, labels, axis=axis), axis, layout)


@each_dtype
@each_fused
def test_several_axes(f: Function, dtype: DType) -> None:
    cube = numbers(dtype, 20, 6).reshape(4, 5, 6)
    for axis in ((0, 1), (0, 2), (1, 2), None):
        labels = np.zeros([] if axis is None else [n for i, n in enumerate(cube.shape) if i not in axis], int)
        expected = apart(f, cube, labels, axis=axis)
        for layout in LAYOUTS:
            assert_both(f(layout(cube), labels, axis=axis), expected, axis, layout)
    assert_both(f(dtype.type(2), 0), apart(f, dtype.type(2), 0))


@each_dtype
@each_fused
def test_threads(f: Function, dtype: DType, threads: Callable[[int], None]) -> None:
    for count, n in ((1, 40_000), (3, 33_000), (400, 130)):
        x = numbers(dtype, count, n)
        threads(1)
        expected = f(x, labels_of(x))
        threads(3)
        assert_both(f(x, labels_of(x)), expected, count)


@each_dtype
@each_fused
def test_out(f: Function, dtype: DType) -> None:
    """One output, the other or both, also in the place of the logits."""
    for n, layout in itertools.product((2, 34, 130), LAYOUTS):
        x = numbers(dtype, 60, n)
        labels = labels_of(x)
        expected = f(x, labels)
        for given in itertools.product((False, True), repeat=2):
            out = tuple(
                layout(np.zeros_like(e)) if is_given else None
                for e, is_given in zip(expected, given, strict=True)
            )
            found = f(x, labels, out=out)
            assert all(o is None or y is o for o, y in zip(out, found, strict=True))
            assert_both(tuple(y.astype(dtype) for y in found), expected, n, layout)
        place = layout(x)
        f(place, labels, out=(None, place))
        assert_same_bits(place.astype(dtype), expected[1], (n, layout))


@each_fused
def test_what_is_refused_changes_nothing(f: Function) -> None:
    x, labels = np.ones((4, 6), np.float32), np.array([0, 5, 1, 2])
    out = np.full(4, 7, np.float32), np.full((4, 6), 7, np.float32)
    refused: list[tuple[Any, str, tuple[Any, ...], dict[str, Any]]] = [
        (ValueError, "labels contains 6", (x, [0, 6, 1, 2]), {}),
        (ValueError, "labels has shape", (x, labels[:3]), {}),
        (TypeError, "labels must be integers", (x, np.ones(4)), {}),
        (TypeError, "logits has dtype complex", (x.astype(complex), labels), {}),
        (TypeError, "tuple of two", (x, labels), {"out": out[1]}),
        (ValueError, "out has shape", (x, labels), {"out": out[::-1]}),
        (TypeError, "labels is missing", (x,), {}),
        (np.exceptions.AxisError, "2", (x, labels), {"axis": 2}),
    ]
    for exception, message, args, keywords in refused:
        with pytest.raises(exception, match=message):
            f(*args, **({"out": out} | keywords))
        assert (out[0] == 7).all() and (out[1] == 7).all()


@each_fused
def test_silence_and_special_rows(f: Function) -> None:
    rows: Any = [[np.inf, 1], [-np.inf, -np.inf], [np.nan, 1], [-np.inf, 3], [3e38, -3e38], [7, 7]]
    x, labels = np.array(rows, np.float32), np.zeros(6, int)
    with np.errstate(all="raise"):
        found = f(x, labels)
    assert_both(found, apart(f, x, labels))
    assert np.isnan(found[0][:3]).all() and found[0][3] == np.inf and found[1][4].tolist() == [0, 0]


@each_fused
def test_pickling_and_types(f: Function) -> None:
    assert pickle.loads(pickle.dumps(f.function)) is f.function
    for type_, expected in ((np.int8, np.float16), (np.int16, np.float32), (int, float), (bool, np.float16)):
        results = f(np.ones((2, 3), type_), [0, 1])
        assert [y.dtype for y in results] == [np.dtype(expected)] * 2


@pytest.mark.slow
@each_fused
def test_dask(f: Function) -> None:
    da = pytest.importorskip("dask.array", reason="dask's arrays are not installed")
    x = np.random.default_rng(0).normal(size=(6, 8)).astype(np.float32)
    for axis, chunks in ((-1, (2, -1)), (0, (-1, 3))):
        labels = labels_of(x, axis)
        lazy = f(da.from_array(x, chunks=chunks), labels, axis=axis)
        assert all(isinstance(y, da.Array) for y in lazy)
        assert_both(tuple(y.compute() for y in lazy), f(x, labels, axis=axis), axis)
    with pytest.raises(ValueError, match=r"rechunk\({1: -1}\)"):
        f(da.from_array(x, chunks=(2, 3)), labels_of(x))


@each_fused
def test_pandas_xarray_and_masked_arrays(f: Function) -> None:
    x = np.random.default_rng(0).normal(size=(3, 4))
    labels = labels_of(x)
    expected = f(x, labels)
    with pytest.raises(TypeError, match="logits is a masked array"):
        f(np.ma.masked_array(x, x > 0), labels)
    pd = pytest.importorskip("pandas", reason="pandas is not installed")
    loss, dx = f(pd.DataFrame(x, list("uvw"), list("abcd")), pd.Series(labels, list("uvw")))
    pd.testing.assert_series_equal(loss, pd.Series(expected[0], list("uvw")))
    pd.testing.assert_frame_equal(dx, pd.DataFrame(expected[1], list("uvw"), list("abcd")))
    xarray = pytest.importorskip("xarray", reason="xarray is not installed")
    names = {"logits": xarray.DataArray(x, dims=("i", "j")), "labels": xarray.DataArray(labels, dims="i")}
    with pytest.raises(TypeError, match="xarray") as refusal:
        f(*names.values())
    call = str(refusal.value).partition("; call ")[2]
    results = eval(call, {"xarray": xarray, "fastact": fastact} | names)
    assert_both(tuple(y.values for y in results), expected)


@each_fused
def test_autograd(f: Function) -> None:
    """The pair is differentiated by way of its sum."""
    pytest.importorskip("autograd", reason="autograd is not installed")
    import autograd.numpy as anp
    from autograd.test_util import check_grads
    from fastact import autograd as _registered  # noqa: F401

    x, c = np.random.default_rng(0).normal(size=(2, 3, 4))
    labels = labels_of(x)

    def total(x: Any) -> Any:
        loss, dx = f(x, labels)
        return anp.sum(loss) + anp.sum(c * dx)

    np.random.seed(0)  # noqa: NPY002 - what check_grads draws from
    check_grads(total, modes=["rev"])(x)


@pytest.mark.slow
@each_fused
def test_numba(f: Function) -> None:
    numba = pytest.importorskip("numba", reason="pip install 'fastact[numba]' for numba's functions")
    space: dict[str, Any] = {"fastact": fastact}
    exec(f"def call(x, t, axis): return fastact.{f}(x, t, axis)\n"
         f"def into(x, t, out): return fastact.{f}(x, t, out=out)", space)  # fmt: skip
    call, into = numba.njit(space["call"]), numba.njit(space["into"])
    for dtype in (np.float32, np.float64):
        x = np.random.default_rng(0).normal(size=(5, 6)).astype(dtype)
        for axis in (0, 1, -1):
            labels = labels_of(x, axis)
            assert_both(call(x, labels, axis), f(x, labels, axis=axis), axis)
        loss, dx = call(x[0], 3, 0)  # numba makes a Python number of the loss
        assert_both((dtype(loss), dx), f(x[0], 3))
        out = np.zeros(5, dtype), np.zeros((5, 6), dtype)
        into(x, labels_of(x), out)
        assert_both(out, f(x, labels_of(x)))
