"""Functions of rows for arrays of other libraries: a result of their type, or an error with advice."""

import inspect
import re
import subprocess
import sys
from typing import Any

import fastact
import numpy as np
import pytest
from rows import FUNCTIONS, LEARNED, RowFunction, each_learned, each_row_function

X = np.random.default_rng(0).normal(0, 3, (3, 4))

each_function_of_rows = pytest.mark.parametrize(
    "f", [*FUNCTIONS, *map(RowFunction, LEARNED)], ids=lambda f: f.name
)


def arguments(f: RowFunction) -> list[Any]:
    """Return the arrays of a call along axis 1, with a number for each column as learnable parameter."""
    if f.name in LEARNED:
        return [X, X[::-1].copy(), np.linspace(0.5, 1, 4)]
    return list(f.arguments(X))


@each_function_of_rows
def test_masked_arrays_are_refused(f: RowFunction) -> None:
    """The result cannot keep a mask, so no mask of an argument or of out is dropped silently."""
    args = arguments(f)
    for i, a in enumerate(args):
        masked = np.ma.masked_array(a, np.arange(a.size).reshape(a.shape) % 3 == 0)
        with pytest.raises(TypeError, match=rf"{f.name}: \w+ is a masked array.*(fill in|where=)"):
            f(*args[:i], masked, *args[i + 1 :])
    if f.name not in LEARNED:
        with pytest.raises(TypeError, match="out is a masked array"):
            f(*args, out=np.ma.masked_array(np.zeros_like(f(*args))))


@each_function_of_rows
def test_xarray_is_told_what_to_call(f: RowFunction) -> None:
    """The call in the error message works."""
    xarray = pytest.importorskip("xarray", reason="xarray is not installed")
    args = arguments(f)
    dims = ("sample", "unit")
    names = dict(zip(("x", "y", "logits", "labels", "g"), [None] * 5, strict=True))
    given = [
        xarray.DataArray(a, dims=dims[: a.ndim] if a.shape[:1] == (3,) else dims[1:], name=str(i))
        for i, a in enumerate(args)
    ]
    with pytest.raises(TypeError, match=f"{f.name}: \\w+ is an xarray DataArray") as refusal:
        f(*given)
    with pytest.raises(TypeError, match="xarray DataArray"):
        f(*args[:-1], given[-1])
    if f.name in LEARNED:
        assert "to_numpy()" in str(refusal.value)
        return
    expression = re.search(r"xarray\.apply_ufunc\(.*\)$", str(refusal.value))
    assert expression
    names |= dict(zip(inspect.signature(getattr(fastact, f.name)).parameters, given, strict=False))
    result = eval(expression.group(), {"xarray": xarray, "fastact": fastact} | names)
    np.testing.assert_array_equal(result.values, f(*args))
    with pytest.raises(TypeError, match="xarray Dataset"):
        f(xarray.Dataset({"a": given[0]}), *args[1:])


@each_function_of_rows
def test_pandas_keeps_labels(f: RowFunction) -> None:
    """Axes that remain keep their labels; rows lie along the last axis by default."""
    pd = pytest.importorskip("pandas", reason="pandas is not installed")
    index, columns = list("uvw"), list("abcd")

    def labelled(a: Any) -> Any:
        if np.ndim(a) == 2:
            return pd.DataFrame(a, index, columns if a.shape[1] == 4 else None)
        return pd.Series(a, index if len(a) == 3 else columns)

    args = arguments(f)
    expected = f(*args)
    for given in ([labelled(a) for a in args], [labelled(args[0]), *args[1:]]):
        results = f(*given)
        if f.name in LEARNED:
            pd.testing.assert_frame_equal(results[0], labelled(expected[0]))
            np.testing.assert_array_equal(results[1], expected[1])
            assert isinstance(results[1], pd.Series)
        elif expected.ndim == 2:
            pd.testing.assert_frame_equal(results, labelled(expected))
        else:
            pd.testing.assert_series_equal(results, labelled(expected))
    for i in range(1, len(args)):
        if len(labelled(args[i]).index) > 1:
            given = [labelled(a)[::-1] if i == j else labelled(a) for j, a in enumerate(args)]
            with pytest.raises(ValueError, match=rf"{f.name}: \w+ has different labels along axis \d; align"):
                f(*given)


def test_pandas_along_columns() -> None:
    pd = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pd.DataFrame([[1.0, 3, 0], [2, -4, 0]], index=["u", "v"], columns=list("abc"))
    assert round(fastact.softmax(frame).loc["u", "a"], 4) == 0.1142
    pd.testing.assert_frame_equal(fastact.softmax(frame, axis=0), fastact.softmax(frame.T).T)
    pd.testing.assert_series_equal(fastact.logsumexp(frame, 0), fastact.logsumexp(frame.T))
    pd.testing.assert_frame_equal(
        fastact.softmax(frame, None),
        pd.DataFrame(fastact.softmax(frame.to_numpy(), None), frame.index, frame.columns),
    )
    assert fastact.logsumexp(frame, None) == fastact.logsumexp(frame.to_numpy(), None)
    named = frame.loc["u"]
    pd.testing.assert_series_equal(fastact.softmax(named), fastact.softmax(frame).loc["u"])
    kept = fastact.logsumexp(frame, keepdims=True)
    assert kept.shape == (2, 1) and list(kept.index) == ["u", "v"]


@each_function_of_rows
def test_torch_tensors_pass_through(f: RowFunction) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    args = arguments(f)
    expected = f(*args)
    for given in ([torch.from_numpy(a) for a in args], [torch.from_numpy(args[0]), *args[1:]]):
        results = f(*given)
        pair = results if isinstance(results, tuple) else (results,)
        for result, right in zip(pair, expected if isinstance(expected, tuple) else (expected,), strict=True):
            assert isinstance(result, torch.Tensor)
            np.testing.assert_array_equal(result.numpy(), right)
    whole = f(torch.from_numpy(args[0]), *args[1:])
    assert type(whole) is type(results)


@each_row_function
def test_subclasses_along_several_axes(f: RowFunction) -> None:
    class Tagged(np.ndarray[Any, Any]):
        pass

    args = f.arguments(np.ones((1, 4)))
    for axis in ((0, 1), None):
        if "m" in (*f.inputs, f.output):
            continue
        given = [a.view(Tagged) if size else a.reshape(()) for a, size in zip(args, f.inputs, strict=True)]
        result = f(*given, axis=axis)
        assert type(result) is Tagged
        np.testing.assert_array_equal(np.ravel(result), np.ravel(f(*args)))


def test_memory_maps(tmp_path: Any) -> None:
    mapped = np.memmap(tmp_path / "x", np.float32, "w+", shape=(3, 4))
    mapped[:] = X
    expected = fastact.softmax(np.asarray(mapped))
    np.testing.assert_array_equal(fastact.softmax(mapped), expected)
    assert fastact.softmax(mapped, out=mapped) is mapped
    np.testing.assert_array_equal(mapped, expected)


@each_learned
def test_other_arrays_of_learned(name: str, p: float) -> None:
    """The error for arrays that override ufuncs names them."""

    class Other:
        shape, ndim = (3, 4), 2

        def __array_ufunc__(self, *args: Any, **keywords: Any) -> Any:
            return NotImplemented

    with pytest.raises(TypeError, match=f"{name}: x is a Other"):
        getattr(fastact, name)(Other(), X, p)


@pytest.mark.parametrize("expression", ["gelu(x)", "leaky_relu(x, 0.1)", "softmax(x)", "gelu_backward(x, x)"])
def test_autograd_without_its_module(expression: str) -> None:
    """The message says what to import."""
    pytest.importorskip("autograd", reason="autograd is not installed")
    call = f"autograd.elementwise_grad(lambda x: fastact.{expression})(autograd.numpy.ones(3))"
    code = f"import autograd, fastact; {call}"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert re.search(r"TypeError: \w+: .*import fastact\.autograd", run.stderr), run.stderr
