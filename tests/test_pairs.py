"""Gates and losses, the elementwise functions of two arrays, keep what the contract promises."""

import itertools
import pickle
from typing import Any

import fastact
import numpy as np
import pytest
from conftest import RunPython
from fastact.checks import pairs
from fastact.checks.accuracy import finfo
from fastact.functions.registry import OF_TWO, Function
from functions import DTYPES, bits, each_dtype, extremes
from test_same_bits import assert_same_bits, backwards, byte_swapped, read_only, strided, unaligned

GATES = [f for f in OF_TWO if f.kind == "gate"]
LOSSES = [f for f in OF_TWO if f.kind == "loss"]
each = pytest.mark.parametrize("f", OF_TWO, ids=str)
each_gate = pytest.mark.parametrize("f", [f for f in GATES if not f.suffix], ids=str)
NAMES = ["sigmoid", "relu", "gelu", "gelu_tanh", "quick_gelu", "silu"]


def arguments(f: Function, dtype: np.dtype[Any]) -> list[Any]:
    """Extremes in every combination, then numbers of every size; targets are among them from 0 to 1."""
    special = np.array(list(itertools.product(extremes(dtype), repeat=2)), dtype).T
    ordinary = pairs.arguments(f, dtype, 3000)
    third = np.tile(extremes(dtype), extremes(dtype).size)
    heads = [special[0], special[1], third]
    return [np.concatenate([head, tail]) for head, tail in zip(heads, ordinary, strict=False)]


def results(f: Function, *arrays: Any, **keywords: Any) -> tuple[Any, ...]:
    return pairs.as_tuple(f(*arrays, **keywords))


def test_which_there_are() -> None:
    assert [f.name for f in GATES] == [f"{name}_gate{s}" for name in NAMES for s in ("", "_backward")]
    for f in GATES:
        assert isinstance(f.function, np.ufunc) and f.function.nin == len(f.inputs)
        assert f.function.nout == len(f.results) and set(f.function.signature or "") <= set("(),->")


@each
def test_pickles_by_name(f: Function) -> None:
    assert pickle.loads(pickle.dumps(f.function)) is f.function


@each_dtype
@each
def test_accuracy(f: Function, dtype: np.dtype[Any]) -> None:
    arrays, bound = pairs.arguments(f, dtype, 3000), pairs.bound(f, dtype)
    samples: list[dict[str, float]] = [{}, *({"pos_weight": w} for w in (0.0, 0.3, 7.5) if f.parameters)]
    for parameters in samples:
        for found in pairs.errors(f, results(f, *arrays, **parameters), arrays, **parameters):
            worst = int(found.argmax())
            assert found[worst] <= bound, (found[worst], [a[worst] for a in arrays], parameters)


@each_dtype
@each_gate
def test_gates_are_the_activation_times_b(f: Function, dtype: np.dtype[Any]) -> None:
    """Independent of the definition in mpmath; and 0·inf, inf·0 and NaN are those of the product."""
    activation = getattr(fastact, f.name.removesuffix("_gate"))
    a, b = arguments(f, dtype)
    finite = np.isfinite(b)
    with np.errstate(all="ignore"):
        value = activation(a.astype(float))
        product = value * b.astype(float)
    y = f(a, b)
    assert y.dtype == dtype
    np.testing.assert_array_equal(np.isnan(y)[finite], np.isnan(product)[finite])
    moderate = finite & (np.abs(a.astype(float)) < 12) & (np.abs(product) < 1e3)
    moderate &= np.abs(value) > float(np.finfo(float).tiny)
    rtol, least = float(finfo(dtype).eps) * 2, float(finfo(dtype).smallest_subnormal)
    np.testing.assert_allclose(y[moderate].astype(float), product[moderate], rtol, 2 * least)
    assert np.isnan(f(dtype.type(np.nan), dtype.type(1))) and np.isnan(f(dtype.type(1), dtype.type(np.nan)))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gradients_of_gates_are_those_of_the_activation(name: str, dtype: type) -> None:
    """Zeros, subnormal and huge numbers, in some blocks and not in others, change nothing."""
    backward, gate = getattr(fastact, f"{name}_gate_backward"), getattr(fastact, f"{name}_gate")
    ordinary: Any = np.random.default_rng(0).normal(0, 3, (3, 5001)).astype(dtype)
    rare, least = ordinary.copy(), np.finfo(dtype).smallest_subnormal
    for i, value in enumerate((0.0, -0.0, least, 1e-30, 60.0, -70.0, 1e30, np.inf)):
        rare[i % 3, 1500 + 7 * i :: 1 + 5 * i] = value
    for a, b, g in ordinary, rare, np.where(np.arange(5001) < 2500, rare, ordinary):
        with np.errstate(all="ignore"):
            expected = getattr(fastact, f"{name}_backward")(a, g * b), gate(a, g)
        np.testing.assert_array_equal(backward(a, b, g), expected)
        outputs = a.copy(), g.copy()
        backward(outputs[0], b, outputs[1], out=outputs)
        np.testing.assert_array_equal(outputs, expected)
    ordinary[2] *= np.finfo(dtype).tiny  # g b is often subnormal where g is not
    alone = [backward(*ordinary[:, i : i + 1]) for i in range(300)]
    np.testing.assert_array_equal(np.array(backward(*ordinary))[:, :300], np.concatenate(alone, axis=1))


def test_flat_pieces_stop_any_gradient() -> None:
    for b, g in ((np.nan, 1.0), (1.0, np.nan), (np.inf, np.inf), (0.0, np.inf)):
        assert fastact.relu_gate_backward(-1.0, b, g)[0] == 0


@each_dtype
def test_loss_has_its_limits(dtype: np.dtype[Any]) -> None:
    f, backward = fastact.sigmoid_cross_entropy, fastact.sigmoid_cross_entropy_backward
    inf, one = dtype.type(np.inf), dtype.type(1)
    x, t = np.array([inf, -inf, inf, -inf, inf, -inf]), np.array([1, 0, 0, 1, 0.5, 0.5], dtype)
    np.testing.assert_array_equal(f(x, t), [0, 0, inf, inf, inf, inf])
    np.testing.assert_array_equal(backward(x, t, one), [0, 0, 1, -1, 0.5, -0.5])
    for args in ((np.nan, 1), (1, np.nan)):
        one_x, one_t = map(dtype.type, args)
        assert np.isnan(f(one_x, one_t)) and np.isnan(backward(one_x, one_t, one))
    assert f(dtype.type(0), one, pos_weight=0.0) == 0


def test_loss_keeps_small_digits() -> None:
    """softplus(x) - t·x is 0 at x = 20, t = 1 in float32."""
    x = np.array([20, 50, 100], np.float32)
    y = fastact.sigmoid_cross_entropy(x, np.float32(1))
    np.testing.assert_allclose(y, np.log1p(np.exp(-x.astype(float))), 1e-7, 1e-45)
    dx = fastact.sigmoid_cross_entropy_backward(x, np.float32(1), np.float32(1))
    np.testing.assert_allclose(dx, -1 / (1 + np.exp(x.astype(float))), 1e-7, 1e-45)


@pytest.mark.parametrize("pos_weight", [0.0, 1e-310, 0.5, 1.0, 1e30, 1e300])
def test_loss_takes_any_weight(pos_weight: float) -> None:
    x, t = np.linspace(-20, 20, 41), np.linspace(0, 1, 41)
    expected = (1 - t) * np.logaddexp(0, x) + pos_weight * t * np.logaddexp(0, -x)
    np.testing.assert_allclose(fastact.sigmoid_cross_entropy(x, t, pos_weight), expected, 1e-13)


@pytest.mark.parametrize("pos_weight", [-1.0, np.nan, np.inf])
def test_loss_refuses_weights(pos_weight: float) -> None:
    for call in (
        lambda: fastact.sigmoid_cross_entropy(1.0, 1.0, pos_weight),
        lambda: fastact.sigmoid_cross_entropy_backward(1.0, 1.0, 1.0, pos_weight=pos_weight),
        lambda: fastact.sigmoid_cross_entropy(1.0, 1.0, np.array([1.0, pos_weight])),
    ):
        with pytest.raises(ValueError, match="0 <= pos_weight < inf is required"):
            call()
    with pytest.raises(ValueError, match="in float32"):
        fastact.sigmoid_cross_entropy(np.float32(1), np.float32(1), 1e39)


def test_loss_takes_a_weight_for_each_class() -> None:
    rng = np.random.default_rng(0)
    x, t, weights = (
        rng.normal(size=(8, 3)).astype(np.float32),
        rng.random((8, 3), np.float32),
        [0.5, 1.0, 4.0],
    )
    y = fastact.sigmoid_cross_entropy(x, t, np.array(weights, np.float32))
    for k, weight in enumerate(weights):
        np.testing.assert_array_equal(y[:, k], fastact.sigmoid_cross_entropy(x[:, k], t[:, k], weight))


@each
def test_silence(f: Function) -> None:
    for dtype in DTYPES:
        arrays = arguments(f, dtype)
        with np.errstate(all="raise"):
            f(*arrays)
            for row in itertools.islice(zip(*arrays, strict=True), 300):
                f(*row)


@each_dtype
@each
def test_layouts(f: Function, dtype: np.dtype[Any]) -> None:
    arrays = arguments(f, dtype)
    expected = results(f, *arrays)
    for layout in (strided, backwards, unaligned, byte_swapped, read_only):
        for found in zip(results(f, *map(layout, arrays)), expected, strict=True):
            assert_same_bits(*found, layout)


@each_dtype
@each
def test_in_place_and_into_out(f: Function, dtype: np.dtype[Any]) -> None:
    """Every result in the place of every input."""
    arrays = arguments(f, dtype)
    expected = results(f, *arrays)
    for layout in (np.copy, strided, backwards):
        for places in itertools.permutations(range(len(arrays)), len(expected)):
            given = [layout(a) for a in arrays]
            out = tuple(given[place] for place in places)
            f(*given, out=out)
            for found, right in zip(out, expected, strict=True):
                assert_same_bits(found.astype(dtype), right, (layout, places))


@each_dtype
@each
def test_lengths_and_offsets(f: Function, dtype: np.dtype[Any]) -> None:
    arrays = [a[-400:] for a in arguments(f, dtype)]
    expected = results(f, *arrays)
    for offset, length in itertools.product((0, 1, 7), (*range(40), 257)):
        part = slice(offset, offset + length)
        for found, right in zip(results(f, *(a[part] for a in arrays)), expected, strict=True):
            assert bits(found) == bits(right[part])


@each_dtype
@each
def test_threads(f: Function, dtype: np.dtype[Any], threads: Any) -> None:
    arrays = arguments(f, dtype)
    threads(1)
    expected = results(f, *arrays)
    threads(3)
    for found in zip(results(f, *arrays), expected, strict=True):
        assert_same_bits(*found)


def test_instruction_sets(run_python: RunPython) -> None:
    program = f"""if True:
        import hashlib, sys
        sys.path[:0] = {[str(__file__).rpartition("/")[0]]!r}
        from test_pairs import DTYPES, OF_TWO, arguments, bits, results
        for f in OF_TWO:
            for dtype in DTYPES:
                h = hashlib.sha256(b"".join(map(bits, results(f, *arguments(f, dtype)))))
                print(f, dtype, h.hexdigest())
    """
    digests = {}
    for isa in fastact.config()["available"]:
        run = run_python("-c", program, FASTACT_ISA=isa)
        assert run.returncode == 0, run.stderr
        digests[isa] = run.stdout
    assert len(set(digests.values())) == 1 and len(digests.popitem()[1].splitlines()) == 4 * len(OF_TWO)


@each
def test_types(f: Function) -> None:
    """As of other elementwise functions: the arrays decide, and np.exp for integers."""
    ones = [np.ones(2, np.int8)] * len(f.inputs)
    assert {y.dtype for y in results(f, *ones)} == {np.exp(np.ones(1, np.int8)).dtype}
    mixed = [np.ones(2, np.float16), *[np.ones(2, np.float32)] * (len(f.inputs) - 1)]
    assert {y.dtype for y in results(f, *mixed)} == {np.dtype(np.float32)}
    assert {y.dtype for y in results(f, *[np.ones(2, np.float32), *[1.0] * (len(f.inputs) - 1)])} == {
        np.dtype(np.float32)
    }
    for refused in (np.longdouble, np.complex64):
        with pytest.raises(TypeError):
            f(*[np.ones(2, refused)] * len(f.inputs))
    with pytest.raises(ValueError, match="broadcast"):
        f(np.ones(2), *[np.ones(3)] * (len(f.inputs) - 1))


@each
def test_broadcasting_and_where(f: Function) -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.random((5, 7)), *(rng.random(7) for _ in f.inputs[1:])]
    mask = rng.random((5, 7)) < 0.5
    expected = results(f, *np.broadcast_arrays(*arrays))
    out = tuple(np.full((5, 7), 9.0) for _ in expected)
    f(*arrays, out=out, where=mask)
    for found, masked, right in zip(results(f, *arrays), out, expected, strict=True):
        np.testing.assert_array_equal(found, right)
        np.testing.assert_array_equal(masked, np.where(mask, right, 9.0))


@pytest.mark.slow
@each
def test_dask_stays_lazy(f: Function) -> None:
    """Of a ufunc with two results, dask must be told that it is one of single elements."""
    da = pytest.importorskip("dask.array", reason="dask's arrays are not installed")
    rng = np.random.default_rng(0)
    arrays = [rng.random((6, 8)).astype(np.float32) for _ in f.inputs]
    chunked = [da.from_array(a, chunks=(2, 3)) for a in arrays]
    if f.kind == "gate" and f.suffix:
        found = da.apply_gufunc(f.function, "(),(),()->(),()", *chunked)
    else:
        found = results(f, *chunked)
    for lazy, right in zip(found, results(f, *arrays), strict=True):
        assert isinstance(lazy, da.Array)
        assert lazy.compute().tobytes() == right.tobytes()


@each
def test_autograd(f: Function) -> None:
    """For every array, in reverse and forward mode; a gate's gradients are checked by way of their sum."""
    pytest.importorskip("autograd", reason="autograd is not installed")
    from autograd.test_util import check_grads
    from fastact import autograd as _registered  # noqa: F401

    rng = np.random.default_rng(0)
    first, *others = rng.normal(0, 3, (2, 3)) + 0.1, *(rng.random((2, 3)) for _ in f.inputs[1:])
    parameters = [np.full(3, value) for _, value in f.defaults]
    np.random.seed(0)  # noqa: NPY002 - what check_grads draws from

    def total(*args: Any) -> Any:
        parts = f.function(*args)
        return parts[0] + 2 * parts[1] if len(f.results) > 1 else parts

    check_grads(total, modes=["rev"] if len(f.results) > 1 else ["fwd", "rev"])(first, *others, *parameters)
    check_grads(total, order=1, modes=["rev"])(first, *(a[:, :1] for a in others), *parameters)


@pytest.mark.slow
@each
def test_numba(f: Function) -> None:
    numba = pytest.importorskip("numba", reason="pip install 'fastact[numba]' for numba's functions")
    rng = np.random.default_rng(0)
    for dtype, name in ((np.float32, "array"), (np.float64, "number")):
        arrays = [rng.random(77).astype(dtype) for _ in f.inputs]
        names = ", ".join(f.inputs)
        space: dict[str, Any] = {"fastact": fastact}
        exec(f"def call({names}): return fastact.{f}({names})", space)
        call = numba.njit(space["call"])
        for given in [arrays] if name == "array" else [[a[i] for a in arrays] for i in range(5)]:
            found = call(*given)
            for y, right in zip(pairs.as_tuple(found), results(f, *given), strict=True):
                np.testing.assert_array_equal(y, right)
