"""With arrays of dask functions stay lazy, and give the bits that NumPy gives, whatever the chunks."""

from typing import Any

import fastact
import numpy as np
import pytest
from fastact._accuracy import DType
from fastact._row_accuracy import split_name
from fastact._row_reference import GATES
from functions import Function, each_dtype, each_function, each_with_parameters
from rows import RowFunction, each_learned, each_row_function

dask = pytest.importorskip("dask", reason="dask is not installed")
da = pytest.importorskip("dask.array", reason="dask's arrays are not installed")

pytestmark = pytest.mark.slow
X, G = np.random.default_rng(0).normal(0, 3, (2, 6, 8)).astype(np.float32)


def must_not_compute(*args: Any, **keywords: Any) -> Any:
    raise AssertionError("computed")


def check(f: Any, args: Any, expected: Any, **keywords: Any) -> None:
    """The result is lazy, and as expected."""
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
    """Arrays as parameters, of which any argument may be the lazy one."""
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
    """Whole rows to a chunk; however the rows are divided among them."""
    args = f.arguments(X.astype(dtype))
    for rows in (6, 1, 4):
        lazy = [da.from_array(a, chunks=(rows, -1)[: a.ndim]) for a in args]
        check(f, lazy, f(*args))
        if getattr(fastact, f.name) is not f.core:  # NumPy hands a ufunc to dask, which wants equal chunks
            for i in range(len(args)):
                check(f, [*args[:i], lazy[i], *args[i + 1 :]], f(*args))


@each_row_function
def test_rows_in_pieces(f: RowFunction) -> None:
    """Gated units need no whole rows; the others say what to do."""
    args = f.arguments(X)
    lazy = [da.from_array(a, chunks=(2, 3)[: a.ndim]) for a in args]
    if split_name(f.name)[0] in GATES:
        check(f, lazy, f(*args))
    else:
        with pytest.raises(ValueError, match="rechunk"):
            f(*lazy)


@each_learned
def test_learned(name: str, p: float) -> None:
    """Chunks may divide the axes along which the parameter has elements of its own."""
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


def test_labels_out_of_range() -> None:
    x = np.ones((6, 4), np.float32)
    labels = np.array([0, 4, -1, 3, 2**62, -(2**63)])
    for axis in (-1, 0):
        lazy = da.from_array(labels, chunks=-1)
        given = x if axis else x.T.copy()
        loss = fastact.softmax_cross_entropy(given, lazy, axis=axis).compute()
        np.testing.assert_array_equal(np.isnan(loss), [False, True, True, False, True, True])
        dx = fastact.softmax_cross_entropy_backward(given, lazy, np.ones(6, np.float32), axis=axis).compute()
        np.testing.assert_array_equal(np.isnan(dx).any(axis), np.isnan(loss))
