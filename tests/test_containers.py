"""Arrays of other libraries keep their type, because every call dispatches through __array_ufunc__."""

import pickle
from typing import Any

import numpy as np
import pytest
from functions import Function, each_backward, each_function

VALUES = np.random.default_rng(0).normal(0, 3, (6, 8)).astype(np.float32)


def operands(f: Function) -> list[Any]:
    return [VALUES, VALUES[::-1].copy()][: len(f.inputs)]


@each_function
def test_array_ufunc(f: Function) -> None:
    """An object that overrides ufuncs receives a picklable ufunc with all arguments, in any position."""

    class Recorder:
        def __array_ufunc__(self, ufunc: np.ufunc, method: str, *args: Any, **keywords: Any) -> Any:
            return ufunc, method, args, keywords

    recorder = Recorder()
    for i in range(len(f.inputs)):
        args: list[Any] = operands(f)
        args[i] = recorder
        ufunc, method, given, keywords = f(*args, where=True)
        assert method == "__call__" and given[i] is recorder and not set(keywords) - {"where"}
        assert isinstance(ufunc, np.ufunc) and pickle.loads(pickle.dumps(ufunc)) is ufunc
        assert [float(p) for p in given[len(args) :]] == [default for _, default in f.defaults]
    for out in (recorder, (recorder,)):
        ufunc, _, given, keywords = f(*operands(f), out=out)
        assert len(given) == ufunc.nin == len(f.inputs) + len(f.defaults) and keywords["out"] == (recorder,)
    if f.defaults:
        assert f(*operands(f), **{f.defaults[0][0]: recorder})[1] == "__call__"


@each_function
def test_subclass(f: Function) -> None:
    class Tagged(np.ndarray[Any, Any]):
        tag = "untouched"

        def __array_finalize__(self, source: Any) -> None:
            self.tag = getattr(source, "tag", self.tag)

    args = [a.view(Tagged) for a in operands(f)]
    args[0].tag = "kept"
    result = f(*args)
    assert type(result) is Tagged and result.tag == "kept"


@each_function
def test_masked_array(f: Function) -> None:
    mask = VALUES > 2
    args = [np.ma.masked_array(a, mask) for a in operands(f)]
    result = f(*args)
    assert isinstance(result, np.ma.MaskedArray) and result.dtype == np.float32
    np.testing.assert_array_equal(result.mask, mask)
    np.testing.assert_array_equal(result.data[~mask], f(*operands(f))[~mask])


@pytest.mark.slow
@each_function
def test_xarray(f: Function) -> None:
    xarray = pytest.importorskip("xarray", reason="xarray is not installed")
    args = [xarray.DataArray(a, dims=("sample", "unit"), coords={"unit": range(8)}) for a in operands(f)]
    result = f(*args)
    assert isinstance(result, xarray.DataArray)
    assert result.dims == ("sample", "unit") and "unit" in result.coords
    np.testing.assert_array_equal(result.values, f(*operands(f)))
    dataset = xarray.Dataset({"a": args[0]})
    assert isinstance(f(*[dataset] * len(args)), xarray.Dataset)


@pytest.mark.slow
@each_function
def test_pandas(f: Function) -> None:
    pd = pytest.importorskip("pandas", reason="pandas is not installed")
    frames = [pd.DataFrame(a, columns=list("abcdefgh"), index=list("uvwxyz")) for a in operands(f)]
    result = f(*frames)
    pd.testing.assert_frame_equal(result, pd.DataFrame(f(*operands(f)), frames[0].index, frames[0].columns))
    column = f(*(frame["c"] for frame in frames))
    pd.testing.assert_series_equal(column, result["c"])


@pytest.mark.slow
@each_backward
def test_pandas_aligns_by_label(f: Function) -> None:
    pd = pytest.importorskip("pandas", reason="pandas is not installed")
    x = pd.Series([1.0, 2.0, 3.0], index=list("abc"))
    expected = f(x, pd.Series([0.1, 0.2, 0.3], index=list("abc")))
    pd.testing.assert_series_equal(f(x, pd.Series([0.3, 0.1, 0.2], index=list("cab"))).sort_index(), expected)
