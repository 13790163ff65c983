"""Functions of dask arrays stay lazy and give the bits that NumPy gives, whatever the chunks."""

from typing import Any

import fastact
import numpy as np
import pytest
from fastact.checks.accuracy import DType
from functions import Function, each_dtype, each_function, each_with_parameters
from rows import RowFunction, each_learned, each_row_function

dask = pytest.importorskip("dask", reason="dask is not installed")
da = pytest.importorskip("dask.array", reason="dask's arrays are not installed")

pytestmark = pytest.mark.slow
X, G = np.random.default_rng(0).normal(0, 3, (2, 6, 8)).astype(np.float32)


def must_not_compute(*args: Any, **keywords: Any) -> Any:
    raise AssertionError("computed")


def check(f: Any, args: Any, expected: Any, **keywords: Any) -> None:
    """Check that the result is lazy and as expected."""
    with dask.config.set(scheduler=must_not_compute):
        results = f(*args, **keywords)
    if not isinstance(results, tuple):
        results, expected = (results,), (expected,)
    for result, right in zip(results, expected, strict=True):
        assert isinstance(result, da.Array)
        assert (result.dtype, result.shape) == (right.dtype, right.shape)
        assert result.compute(scheduler="threads").tobytes() == right.tobytes()


@each_function
def test_elementwise(f: Function) -> None:
    args = (X, G)[: len(f.inputs)]
    for chunks in ((6, 8), (1, 8), (2, 3), (5, 1)):
        lazy = [da.from_array(a, chunks=chunks) for a in args]
        for given in (lazy, [lazy[0], *args[1:]], [*args[:-1], lazy[-1]]):
            check(f, given, f(*args))


@each_with_parameters
def test_parameters(f: Function) -> None:
    """Parameters are arrays, and any argument may be the lazy one."""
    args = (X, G)[: len(f.inputs)]
    name, default = f.defaults[0]
    for shape, chunks in (((8,), 3), ((6, 1), (4, 1)), ((6, 8), (4, 3))):
        parameter = np.full(shape, default, np.float32)
        expected = f(*args, **{name: parameter})
        lazy = [da.from_array(a, chunks=(2, 3)) for a in args]
        check(f, lazy, expected, **{name: parameter})
        check(f, args, expected, **{name: da.from_array(parameter, chunks=chunks)})


@each_dtype
@each_row_function
def test_rows(f: RowFunction, dtype: DType) -> None:
    """A chunk contains whole rows, in any division of the rows among chunks."""
    args = f.arguments(X.astype(dtype))
    for rows in (6, 1, 4):
        lazy = [da.from_array(a, chunks=(rows, -1)[: a.ndim]) for a in args]
        check(f, lazy, f(*args))
        for i in range(len(args)):
            check(f, [*args[:i], lazy[i], *args[i + 1 :]], f(*args))


@pytest.mark.parametrize("axis", [0, (0, 2), None], ids=str)
@each_row_function
def test_rows_along_several_axes(f: RowFunction, axis: Any) -> None:
    if "m" in (*f.inputs, f.output):
        axis = 0  # a gated unit has one
    n = {0: 2, None: 24}.get(axis, 8)
    args = f.arguments(np.random.default_rng(0).normal(0, 3, (24 // n, n)).astype(np.float32))
    whole = {0: (3, 4, 2), None: (2, 3, 4)}.get(axis, (3, 2, 4))
    back = {0: (2, 0, 1), None: (0, 1, 2)}.get(axis, (1, 0, 2))
    others = {0: (3, 4), None: ()}.get(axis, (3,))

    def placed(a: Any, size: str) -> Any:
        if size == "m":
            return a.reshape(3, 4, 1).transpose(back)
        return a.reshape(whole).transpose(back) if size else a.reshape(others)

    given = [placed(a, size) for a, size in zip(args, f.inputs, strict=True)]
    chunks = tuple(-1 if axis is None or i in np.atleast_1d(axis) else 2 for i in range(3))
    lazy = [da.from_array(a, chunks=chunks if a.ndim == 3 else 2 if a.ndim else ()) for a in given]
    check(f, lazy, np.asarray(f(*given, axis=axis)), axis=axis)


@pytest.mark.parametrize("axis", [0, -1, (0, 1)], ids=str)
def test_keepdims(axis: Any) -> None:
    lazy = da.from_array(X, chunks=-1)
    y = fastact.logsumexp(X, axis, keepdims=True)
    check(fastact.logsumexp, [lazy], y, axis=axis, keepdims=True)
    expected = fastact.logsumexp_backward(X, y, axis, keepdims=True)
    check(fastact.logsumexp_backward, [lazy, y], expected, axis=axis, keepdims=True)


@each_row_function
def test_rows_in_pieces(f: RowFunction) -> None:
    """The message says what to do."""
    lazy = [da.from_array(a, chunks=(2, 3)[: a.ndim]) for a in f.arguments(X)]
    with pytest.raises(ValueError, match=rf"{f.name}: axis 1 .*rechunk\({{1: -1}}\)"):
        f(*lazy)
    whole = [a.rechunk({1: -1}) if a.ndim == 2 else a for a in lazy]
    check(f, whole, f(*f.arguments(X)))
    with pytest.raises(TypeError, match=f"{f.name}: out is not supported with dask"):
        f(*whole, out=np.zeros((6, 8), np.float32))
    for i in range(1, len(whole)):
        with pytest.raises(ValueError, match=rf"{f.name}: \w+ has shape .* where .* is required"):
            f(*whole[:i], whole[i][:3], *whole[i + 1 :])


@each_row_function
def test_unknown_number_of_rows(f: RowFunction) -> None:
    args = f.arguments(X)
    keep = np.array([True, False, True, True, False, True])
    lazy = [da.from_array(a, chunks=(2, -1)[: a.ndim])[da.from_array(keep, chunks=2)] for a in args]
    np.testing.assert_array_equal(f(*lazy).compute(), f(*args)[keep])


@each_learned
def test_learned(name: str, p: float) -> None:
    """Chunks may divide the axes along which the parameter varies."""
    f = getattr(fastact, name)
    x, g = np.random.default_rng(0).normal(0, 4, (2, 6, 4, 8)).astype(np.float32)
    for shape, chunks in (((), -1), ((4, 1), (-1, 2, -1)), ((8,), (-1, -1, 3)), ((6, 1, 8), (2, -1, 3))):
        parameter = np.full(shape, p, np.float32)
        lazy = [da.from_array(a, chunks=chunks) for a in (x, g)]
        for given in ([*lazy, parameter], [lazy[0], g, parameter], [*lazy, da.from_array(parameter)]):
            check(f, given, f(x, g, parameter))
    for chunks, axes in (((2, -1, -1), "{0: -1}"), ((2, 2, -1), "{0: -1, 1: -1}")):
        with pytest.raises(ValueError, match=rf"{name}: axis 0 .*rechunk\({axes}\)"):
            f(da.from_array(x, chunks=chunks), g, np.full(8, p, np.float32))


@each_learned
def test_learned_of_unknown_size(name: str, p: float) -> None:
    lazy = da.from_array(X, chunks=(2, -1))
    unknown = lazy[lazy.sum(axis=1) > 0]
    with pytest.raises(ValueError, match=rf"{name}: x has shape \(nan, 8\).*x\.compute_chunk_sizes\(\)"):
        getattr(fastact, name)(unknown, unknown, p)
    unknown.compute_chunk_sizes()
    dx, dp = getattr(fastact, name)(unknown, unknown, np.full((unknown.shape[0], 1), p))
    assert dx.compute().shape == unknown.shape and dp.compute().shape == (unknown.shape[0], 1)


def test_labels_out_of_range() -> None:
    """Such labels are refused when they are computed."""
    for axis, label in ((-1, 4), (0, -1), (0, 2**62)):
        labels = np.array([0, 3, label, 3, 0, 1])
        x = np.ones((6, 4) if axis else (4, 6), np.float32)
        calls: list[tuple[Any, tuple[Any, ...]]] = [
            (fastact.softmax_cross_entropy, ()),
            (fastact.softmax_cross_entropy_backward, (x.max(axis),)),
        ]
        for f, g in calls:
            with pytest.raises(ValueError, match=f"labels contains {label}"):
                f(x, da.from_array(labels, chunks=-1), *g, axis=axis).compute()
