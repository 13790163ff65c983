"""Norms keep what the contract promises."""

import itertools
import pickle
from typing import Any

import fastact
import numpy as np
import pytest
from fastact.checks import norms
from fastact.checks.accuracy import finfo
from fastact.checks.reference import mp
from fastact.functions.registry import NORMS, Norm
from functions import DTYPES, bits, each_dtype
from numpy.exceptions import AxisError
from test_row_bits import LAYOUTS

Array = Any
each = pytest.mark.parametrize("norm", NORMS.values(), ids=str)
BY_ROW = [norm for norm in NORMS.values() if not norm.of_channels]
each_by_row = pytest.mark.parametrize("norm", BY_ROW, ids=str)
RNG = np.random.default_rng(0)


def as_tuple(results: Any) -> tuple[Any, ...]:
    return results if isinstance(results, tuple) else (results,)


def arguments(norm: Norm, shape: tuple[int, ...], of_gamma: tuple[int, ...], dtype: Any) -> dict[str, Array]:
    """Return moderate numbers of every argument."""
    rng = np.random.default_rng(1)
    given = {
        name: rng.normal(1, 2, shape if k < norm.rows else of_gamma) for k, name in enumerate(norm.arguments)
    }
    if "variance" in given:
        given["variance"] = np.abs(given["variance"]) + 0.5
    return {name: np.asarray(a).astype(dtype) for name, a in given.items()}


def same(results: Any, expected: Any, what: Any = "") -> None:
    for a, b in zip(as_tuple(results), as_tuple(expected), strict=True):
        a, b = np.asarray(a), np.asarray(b)
        assert a.dtype == b.dtype and a.shape == b.shape and bits(a) == bits(b), what


@each
def test_pickles_by_name(norm: Norm) -> None:
    assert pickle.loads(pickle.dumps(norm.function)) is norm.function


@each_dtype
@each
def test_accuracy(norm: Norm, dtype: np.dtype[Any]) -> None:
    for what, given in norms.rows(dtype):
        with np.errstate(all="raise"):
            results = norms.call(norm, norm.name, given, eps=given[-1])
        for result, found in zip(results, norms.errors(norm.name, results, *given), strict=True):
            assert result.dtype == dtype
            assert found.max() <= norms.bound(dtype), (what, given[-1], found.max())


@each
def test_measured_beside_the_definition(norm: Norm) -> None:
    """`measure` finds the largest error of a user's function, and `exact` the value that it should have."""
    pytest.importorskip("tqdm", reason="tqdm is not installed")
    from fastact import accuracy

    pass_: Any = "backward" if norm.suffix else "forward"
    x = np.random.default_rng(3).normal(2, 1, (6, 5)).astype(np.float32)
    for eps in (norm.eps, 0.25):

        def right(*arrays: Array, eps: float = eps) -> Any:
            return norm(*arrays, eps=eps)

        def wrong(*arrays: Array, eps: float = eps) -> Any:
            results = as_tuple(norm(*arrays, eps=eps))
            results[-1][..., 2] *= np.float32(1.001)
            return results

        found = accuracy.measure(right, norm.forward, pass_, inputs=x, eps=eps)
        assert found.largest <= norms.bound(x.dtype) and found.inputs.endswith("given")
        found = accuracy.measure(wrong, norm.forward, pass_, inputs=x, eps=eps)
        assert found.largest > 100 and str(found).startswith(norm.forward)
        assert found.where["element"][-1] == 2
        arrays = [found.where[name] for name in norm.arguments]
        exact = accuracy.exact(norm.forward, *arrays, pass_=pass_, eps=eps)
        last = exact if len(norm.results) == 1 else exact[-1]
        high = last.high[found.where["element"]]
        assert high == found.exact and found.result == pytest.approx(1.001 * high, rel=1e-5)
        assert found.where.get("of") == (norm.results[-1] if len(norm.results) > 1 else None)
    assert accuracy.measure(norm.function, norm.forward, pass_).largest <= norms.bound(x.dtype)


def test_what_measure_refuses() -> None:
    pytest.importorskip("tqdm", reason="tqdm is not installed")
    from fastact import accuracy

    f, x = fastact.layer_norm, np.ones((2, 3), np.float32)
    refusals: tuple[tuple[Any, str, Any, dict[str, Any]], ...] = (
        (ValueError, "layer_norm has no pass 'derivative'", "derivative", {}),
        (ValueError, "inputs must be 'sample' or arrays", "forward", {"inputs": "exhaustive"}),
        (ValueError, "gamma has shape", "forward", {"inputs": (x, x)}),
        (ValueError, "eps must be at least 0", "forward", {"inputs": x, "eps": -1.0}),
        (TypeError, "layer_norm has no parameter beta", "forward", {"beta": 1.0}),
    )
    for exception, message, pass_, options in refusals:
        with pytest.raises(exception, match=message):
            accuracy.measure(f, "layer_norm", pass_, **options)
    with pytest.raises(ValueError, match="shape"):
        accuracy.measure(lambda x, gamma, beta: x[0], "layer_norm", inputs=x)
    with pytest.raises(TypeError, match="float64"):
        accuracy.measure(lambda x, gamma, beta: x.astype(float), "layer_norm", inputs=x)
    with pytest.raises(TypeError, match="takes x, gamma, beta, not 4"):
        accuracy.exact("layer_norm", x, None, None, x)


@each_by_row
def test_reference_is_the_definition(norm: Norm) -> None:
    """The reference in long double agrees with the definition in mpmath."""
    given = {name: a.astype(float) for name, a in arguments(norm, (3, 7), (7,), float).items()}
    x, g, gamma, beta = given["x"], given.get("g", given["x"]), given["gamma"], given.get("beta")
    found = norms.expected(norm.name, x, g, gamma, beta, 1e-3)
    exact = np.vectorize(mp.mpf, otypes=[object])
    for row in range(3):
        numbers = exact(x[row])
        center = numbers.sum() / 7 if norm.subtracts_mean else 0
        inverse = 1 / mp.sqrt(((numbers - center) ** 2).sum() / 7 + mp.mpf(1e-3))
        normed = (numbers - center) * inverse
        if not norm.suffix:
            right = normed * exact(gamma) + (0 if beta is None else exact(beta))
        else:
            h = exact(g[row]) * exact(gamma)
            right = inverse * (h - normed * (h * normed).sum() / 7)
            right = right - (inverse * h.sum() / 7 if norm.subtracts_mean else 0)
        np.testing.assert_allclose(found[0][0][row].astype(float), right.astype(float), 1e-14, 1e-14)


def moved_channels(x: Array, axis: int) -> Array:
    """Return the array with a row for each channel."""
    return np.ascontiguousarray(np.moveaxis(x, axis, 0)).reshape(x.shape[axis], -1)


@each_dtype
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_batch_norm_is_layer_norm_over_the_other_axes(axis: int, dtype: np.dtype[Any]) -> None:
    x, g = RNG.normal(3, 2, (5, 4, 3, 7)).astype(dtype), RNG.normal(size=(5, 4, 3, 7)).astype(dtype)
    rows, gradients = moved_channels(x, axis).astype(float), moved_channels(g, axis).astype(float)
    y, mean, variance = fastact.batch_norm(x, axis=axis)
    tolerance = 4 * float(finfo(dtype).eps)
    assert mean.dtype == variance.dtype == dtype and mean.shape == (x.shape[axis],)
    np.testing.assert_allclose(mean.astype(float), rows.mean(1), tolerance)
    np.testing.assert_allclose(variance.astype(float), rows.var(1), tolerance)
    same(moved_channels(y, axis), fastact.layer_norm(rows.astype(dtype)))
    dx, dgamma, dbeta = fastact.batch_norm_backward(x, g, axis=axis)
    expected, *_ = fastact.layer_norm_backward(rows.astype(dtype), gradients.astype(dtype))
    of_rows = moved_channels(dx, axis).astype(float)
    np.testing.assert_allclose(of_rows, expected.astype(float), tolerance, tolerance)
    normed = (rows - rows.mean(1, keepdims=True)) / np.sqrt(rows.var(1, keepdims=True) + 1e-5)
    largest = np.abs(gradients * normed).sum(1).max()
    np.testing.assert_allclose(
        dgamma.astype(float), (gradients * normed).sum(1), tolerance, tolerance * largest
    )
    np.testing.assert_allclose(dbeta.astype(float), gradients.sum(1), tolerance, tolerance * largest)


@each_dtype
def test_inference_equals_training(dtype: np.dtype[Any]) -> None:
    x = RNG.normal(3, 2, (50, 8)).astype(dtype)
    gamma, beta = RNG.normal(size=(2, 8)).astype(dtype)
    y, mean, variance = fastact.batch_norm(x, gamma, beta)
    found = fastact.batch_norm_inference(x, mean, variance, gamma, beta)
    assert found.dtype == dtype
    np.testing.assert_allclose(found.astype(float), y.astype(float), 0, 16 * float(finfo(dtype).eps))


@each_dtype
@each
def test_layouts_axes_and_outputs(norm: Norm, dtype: np.dtype[Any]) -> None:
    """Neither memory layout nor out= changes a bit."""
    shape = (6, 5, 34)
    for axis in (0, 1, 2, (0, 2), (2, 1), None):
        axes = (0, 1, 2) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        given = arguments(norm, shape, tuple(shape[a] for a in axes), dtype)
        expected = norm(**given, axis=axis)
        for layout in LAYOUTS:
            same(norm(**{name: layout(a) for name, a in given.items()}, axis=axis), expected, (axis, layout))
        outs = tuple(np.zeros_like(a) for a in as_tuple(expected))
        results = norm(**given, axis=axis, out=outs)
        assert all(a is b for a, b in zip(as_tuple(results), outs, strict=True))
        same(outs, as_tuple(expected))
        for name in norm.arguments[: norm.rows]:
            kept = {key: a.copy() for key, a in given.items()}
            out = (kept[name], *[None] * (len(outs) - 1))
            same(norm(**kept, axis=axis, out=out), expected, (axis, name))


@each_dtype
@each
def test_rows_side_by_side(norm: Norm, dtype: np.dtype[Any]) -> None:
    """They have the bits of contiguous rows, also where a gradient exceeds the range of floats."""
    along, across = (0, 1) if norm.forward == "batch_norm" else (1, 0)
    for rows, n in ((70, 3), (1024, 40), (70, 300), (70, 2100), (700, 300), (10, 600)):
        given = arguments(norm, (rows, n), (n if along else rows,), dtype)
        if "g" in given:
            largest = float(finfo(dtype).max) * (1e-3 if dtype == np.float64 else 0.9)
            given["x"][5] *= dtype.type(100)
            given["g"][5] = (np.sign(given["g"][5].astype(float)) * largest).astype(dtype)
        turned = {name: np.ascontiguousarray(a.T) for name, a in given.items()}
        expected, *numbers = as_tuple(norm(**given, axis=along))
        y, *others = as_tuple(norm(**turned, axis=across))
        same((y.T, *others), (expected, *numbers), n)
        y, *others = as_tuple(norm(**turned, axis=across, out=(turned["x"], *[None] * len(numbers))))
        same((y.T, *others), (expected, *numbers), n)


@pytest.mark.parametrize("shape", [(4, 1), (64, 3), (3, 64)])
def test_gradients_of_huge_doubles(shape: tuple[int, int]) -> None:
    x, g = np.full(shape, 1e306), RNG.normal(0, 1e300, shape)
    for norm in NORMS.values():
        if norm.suffix:
            for axis in (0, 1):
                assert all(np.isfinite(a).all() for a in as_tuple(norm(x, g, axis=axis))), (norm, axis)


@each_dtype
def test_several_axes_are_one_row(dtype: np.dtype[Any]) -> None:
    x, g = RNG.normal(size=(2, 3, 4, 5)).astype(dtype)
    gamma = RNG.normal(size=(5, 4)).astype(dtype)  # in the order that axis names
    flat, straight = x.reshape(3, 20), np.ascontiguousarray(gamma.T).ravel()
    same(fastact.layer_norm(x, gamma, axis=(2, 1)).reshape(3, 20), fastact.layer_norm(flat, straight))
    dx, dgamma, dbeta = fastact.layer_norm_backward(x, g, gamma, axis=(2, 1))
    expected = fastact.layer_norm_backward(flat, g.reshape(3, 20), straight)
    same((dx.reshape(3, 20), dgamma.T.ravel(), dbeta.T.ravel()), expected)


@each
def test_threads_change_no_bit(norm: Norm) -> None:
    given = arguments(norm, (3000, 70), (70,), np.float64)
    threads, grain = fastact.get_num_threads(), fastact._core.set_grain(1)
    try:
        found = []
        for count in (1, 2, 3):
            fastact.set_num_threads(count)
            found.append(norm(**given))
    finally:
        fastact.set_num_threads(threads)
        fastact._core.set_grain(grain)
    same(found[1], found[0])
    same(found[2], found[0])


@each_dtype
@each
def test_constant_rows_and_empty_arrays(norm: Norm, dtype: np.dtype[Any]) -> None:
    with np.errstate(all="raise"):
        if not norm.suffix and norm.required == 1:
            for eps, value in itertools.product((0.0, 1e-5), (0.0, 0.1, 300.0)):
                x = np.full((33, 33), value, dtype)
                y = as_tuple(norm(x, eps=eps))[0]
                if norm.forward != "rms_norm" or value == 0:
                    assert not y.any(), (eps, value)
        for shape in ((0, 3), (3, 0), ()):
            of_gamma = shape[-1:]
            given = arguments(norm, shape, of_gamma, dtype)
            results = as_tuple(norm(**given))
            assert [np.shape(a) for a in results] == [shape] + [of_gamma] * (len(results) - 1)


@each
def test_nan_and_huge_numbers(norm: Norm) -> None:
    for dtype in (np.float32, np.float64):
        given = arguments(norm, (40, 40), (40,), dtype)
        given["x"][3, 4] = np.nan
        with np.errstate(all="raise"):
            result = as_tuple(norm(**given))[0]
        given_mean = "mean" in norm.arguments
        along = result[3, 4] if given_mean else result[:, 4] if norm.of_channels else result[3]
        assert np.isnan(along).all()
        assert np.isfinite(result[5:, 5:]).all()


@each
def test_mean_far_from_zero(norm: Norm) -> None:
    """A mean of 1e4 with a deviation of 1e-2 loses nothing."""
    if norm.name != "layer_norm":
        return
    x = (1e4 + 1e-2 * RNG.normal(size=(4, 512))).astype(np.float32)
    wide = x.astype(float) - x.astype(float).mean(1, keepdims=True)
    expected = wide / np.sqrt((wide * wide).mean(1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(norm(x), expected, 3e-7)


def test_types() -> None:
    x = RNG.normal(size=(4, 6))
    for dtype, of_gamma in itertools.product(DTYPES, DTYPES):
        gamma = np.linspace(0.5, 2, 6).astype(of_gamma)
        assert fastact.layer_norm(x.astype(dtype), gamma, gamma).dtype == dtype
        dx, dgamma, dbeta = fastact.layer_norm_backward(x.astype(dtype), x.astype(dtype), gamma)
        assert dx.dtype == dtype and dgamma.dtype == dbeta.dtype == of_gamma
        assert fastact.rms_norm_backward(x.astype(dtype), x.astype(dtype))[1].dtype == dtype
    assert fastact.layer_norm(np.arange(6)).dtype == np.float64
    assert fastact.layer_norm([1, 2, 3], [1, 1, 1]).dtype == np.float64


@each
def test_errors_change_nothing(norm: Norm) -> None:
    given = arguments(norm, (4, 6), (6,), np.float32)
    outs = tuple(np.full_like(a, 77) for a in as_tuple(norm(**given)))

    def refused(exception: Any, match: str, **changed: Any) -> None:
        with pytest.raises(exception, match=match):
            norm(**(given | {"out": outs} | changed))
        assert all((out == 77).all() for out in outs)

    for name in norm.arguments[norm.rows :]:
        for wrong in (np.ones(4), np.ones((1, 6)), 1.0):
            refused(ValueError, rf"{norm}: {name} has shape .* where \(6,\) is required", **{name: wrong})
        refused(TypeError, f"{norm}: {name} must be an array of real numbers", **{name: np.ones(6, complex)})
    for eps in (-1e-5, np.nan, np.inf):
        refused(ValueError, f"{norm}: eps is .*; 0 <= eps < inf is required", eps=eps)
    refused(TypeError, f"{norm}: eps must be a real number", eps="small")
    refused(AxisError, "axis 2", axis=2)
    refused(ValueError, f"{norm}: axis .* twice", axis=(1, -1))
    refused(TypeError, f"{norm}: axis must be an int", axis=1.0)
    refused(TypeError, f"{norm}: x has dtype", x=given["x"].astype(np.longdouble))
    refused(TypeError, "nonsense", nonsense=1)
    if "g" in given:
        refused(ValueError, f"{norm}: x has shape .*, g .*; they must be the same", g=given["g"][:3])
    refused(ValueError, f"{norm}: out has shape", out=(np.zeros((4, 5), np.float32), *outs[1:]))
    refused(TypeError, f"{norm}: out has dtype", out=(np.zeros((4, 6), int), *outs[1:]))
    refused(TypeError, f"{norm}: out must be", out=[])
    if len(outs) > 1:
        last = len(outs) - 1
        refused(ValueError, f"{norm}: arrays 0 and {last} of out share memory", out=(*outs[:-1], outs[0][1]))


def test_outputs_may_be_interleaved() -> None:
    x, both = np.arange(24.0).reshape(4, 6) ** 2, np.empty(12)
    layer = fastact.layer_norm_backward(x, x, out=(None, both[::2], both[1::2]))
    for given, expected in zip(layer, fastact.layer_norm_backward(x, x), strict=True):
        np.testing.assert_array_equal(given, expected)


@each
def test_containers(norm: Norm) -> None:
    pandas, dask = (
        pytest.importorskip(name, reason=f"{name} is not installed") for name in ("pandas", "dask.array")
    )
    given = arguments(norm, (8, 6), (6,), np.float64)
    expected = as_tuple(norm(**given))
    frame = pandas.DataFrame(given["x"], index=[*"abcdefgh"], columns=[*"uvwxyz"])
    results = as_tuple(norm(**(given | {"x": frame})))
    assert results[0].index.equals(frame.index) and results[0].columns.equals(frame.columns)
    same(tuple(np.asarray(a) for a in results), expected)
    with pytest.raises(TypeError, match="masked array"):
        norm(**(given | {"x": np.ma.masked_array(given["x"])}))
    lazy = dask.from_array(given["x"], chunks=(3, 6))
    if len(norm.results) == 1:
        result = norm(**(given | {"x": lazy}))
        assert isinstance(result, dask.Array)
        same(result.compute(), expected)
        with pytest.raises(ValueError, match="rechunk"):
            norm(**(given | {"x": lazy.rechunk((3, 2))}))
    else:
        with pytest.raises(TypeError, match="dask"):
            norm(**(given | {"x": lazy}))


@each
def test_autograd(norm: Norm) -> None:
    pytest.importorskip("autograd", reason="autograd is not installed")
    import fastact.autograd  # noqa: F401
    from autograd.test_util import check_grads

    np.random.seed(0)  # noqa: NPY002 - what check_grads draws from
    for axis, of_gamma in ((-1, (4,)), (0, (3,)), ((2, 0), (4, 3))):
        given = list(arguments(norm, (3, 2, 4), of_gamma, float).values())
        order = 1 if norm.suffix else 2
        check_grads(lambda *a, axis=axis: norm(*a, axis=axis), order=order)(*given)


def test_verify_measures_norms(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tqdm", reason="tqdm is not installed")
    from fastact.checks import verify

    assert verify.run(None, ["rms_norm"], dtypes=[np.dtype(np.float32)]) == 0
    assert capsys.readouterr().out.count("rms_norm") == 2
