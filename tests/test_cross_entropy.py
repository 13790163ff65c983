"""The cross-entropy of softmax with weights, ignored and smoothed labels, and probabilities as labels."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import fastact
import numpy as np
import pytest
from conftest import RunPython
from fastact.checks.accuracy import DType
from fastact.checks.reference import mp
from fastact.checks.row_accuracy import option_errors, rows, with_options
from fastact.functions.registry import FUNCTIONS, Function
from functions import each_dtype
from rows import numbers
from test_row_accuracy import each_summed_dtype
from test_row_bits import backwards, byte_swapped, strided, unaligned_rows
from test_same_bits import assert_same_bits

FORWARD, BACKWARD, BOTH = (
    FUNCTIONS[f"softmax_cross_entropy{suffix}"] for suffix in ("", "_backward", "_with_gradient")
)
ALL = FORWARD, BACKWARD, BOTH
IGNORED = -100

each = pytest.mark.parametrize("f", ALL, ids=str)


def results(f: Function, *args: Any, **options: Any) -> tuple[Any, ...]:
    found = f(*args, **options)
    return found if isinstance(found, tuple) else (found,)


def gradients(f: Function, x: Any) -> list[Any]:
    """What follows the labels."""
    return [np.linspace(-1, 2, len(x)).astype(x.dtype)] if f is BACKWARD else []


def combinations(x: Any, seed: int = 0) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Labels of both kinds, with every combination of options."""
    rng = np.random.default_rng(seed)
    count, n = x.shape
    hard = rng.integers(0, n, count)
    soft = rng.dirichlet(np.ones(n), count).astype(x.dtype) if n > 1 else np.ones((count, n), x.dtype)
    weights = np.where(np.arange(n) == 1, 0, rng.uniform(0.1, 4, n))
    for w, ignored, smoothing in itertools.product((None, weights), (None, IGNORED, 0), (0.0, 0.1, 1.0)):
        options = {"weights": w, "ignore_label": ignored, "label_smoothing": smoothing}
        yield hard if ignored is None else np.where(np.arange(count) % 3 == 1, ignored, hard), options
        if ignored is None:
            yield soft, options


# The definitions, each from its source.


def onnx(scores: Any, labels: Any, weights: Any, ignore_index: int | None, reduction: str) -> Any:
    """SoftmaxCrossEntropyLoss of ONNX's operators, version 13: scores (N, C), labels (N,)."""
    scores = scores.astype(np.longdouble)
    e = np.exp(scores - scores.max(1, keepdims=True))
    log_prob = np.log(e / e.sum(1, keepdims=True))
    weights = np.ones(scores.shape[1]) if weights is None else weights
    loss, weight = np.zeros(len(scores), np.longdouble), np.zeros(len(scores), np.longdouble)
    for i, label in enumerate(labels):
        if label != ignore_index:
            weight[i] = weights[label]
            loss[i] = -log_prob[i, label] * weight[i]
    return {"none": loss, "sum": loss.sum(), "mean": loss.sum() / weight.sum()}[reduction]


def exact(x: Any, labels: Any, weights: Any, ignore_label: Any, label_smoothing: float) -> tuple[Any, Any]:
    """-Σ w q log softmax and its gradient in mpmath, as defined."""
    losses, slopes = [], []
    for row, label in zip(x, labels, strict=True):
        n, e = len(row), [mp.exp(mp.mpf(float(v))) for v in row]
        total = mp.fsum(e)
        p = list(label) if np.ndim(label) else [float(c == label) for c in range(n)]
        s = mp.mpf(label_smoothing)
        a = [
            (1 if weights is None else mp.mpf(float(weights[c]))) * ((1 - s) * mp.mpf(float(p[c])) + s / n)
            for c in range(n)
        ]
        if not np.ndim(label) and label == ignore_label:
            a = [mp.mpf(0)] * n
        losses.append(mp.fsum(-w * mp.log(v / total) for w, v in zip(a, e, strict=True) if w))
        slopes.append([v / total * mp.fsum(a) - w for w, v in zip(a, e, strict=True)])
    return np.array(losses, float), np.array(slopes, float)


def test_exact_values() -> None:
    x = np.random.default_rng(0).normal(0, 3, (6, 5))
    for labels, options in combinations(x):
        loss, dx = exact(x, labels, **options)
        g = np.linspace(-1, 2, 6)
        np.testing.assert_allclose(FORWARD(x, labels, **options), loss, rtol=1e-14)
        for found, right in zip(BOTH(x, labels, **options), (loss, dx), strict=True):
            np.testing.assert_allclose(found, right, rtol=1e-14, atol=1e-15)
        np.testing.assert_allclose(BACKWARD(x, labels, g, **options), g[:, None] * dx, rtol=1e-13, atol=1e-14)


def in_float64(x: Any, labels: Any, weights: Any, ignore_label: Any, label_smoothing: float) -> Any:
    """The same in NumPy's float64, with classes along the second axis."""
    n = x.shape[1]
    p = np.moveaxis(np.eye(n)[np.clip(labels, 0, n - 1)], -1, 1) if labels.ndim < x.ndim else labels
    a = (1 - label_smoothing) * p + label_smoothing / n
    a = a * (np.ones(n) if weights is None else weights).reshape(n, *[1] * (x.ndim - 2))
    if labels.ndim < x.ndim and ignore_label is not None:
        a = a * np.expand_dims(labels != ignore_label, 1)
    shifted = x - x.max(1, keepdims=True)
    log_softmax = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    return -(a * log_softmax).sum(1), np.exp(log_softmax) * a.sum(1, keepdims=True) - a


@pytest.mark.parametrize("shape", [(40, 7), (300, 2), (5, 130), (3, 6, 4), (2, 5, 3, 4), (4, 1)])
def test_every_combination_of_options(shape: tuple[int, ...]) -> None:
    """An independent float64 formula, with classes along ONNX's axis, the second of up to four."""
    n, (count, _, *inner) = shape[1], shape
    rows = count * int(np.prod(inner))
    x = np.random.default_rng(1).normal(0, 3, (rows, n))

    def laid_out(a: Any) -> Any:
        return np.moveaxis(a.reshape(count, *inner, n), -1, 1) if a.ndim == 2 else a.reshape(count, *inner)

    logits, tried = laid_out(x), set()
    for given, options in combinations(x, seed=2):
        labels = laid_out(given)
        weights, ignored, smoothing = options.values()
        tried.add((given.ndim, weights is None, ignored, smoothing))
        loss, dx = in_float64(logits, labels, **options)
        g = np.linspace(-1, 2, loss.size).reshape(loss.shape)
        np.testing.assert_allclose(FORWARD(logits, labels, axis=1, **options), loss, 1e-13, 1e-15)
        for found, right in zip(BOTH(logits, labels, axis=1, **options), (loss, dx), strict=True):
            np.testing.assert_allclose(found, right, rtol=1e-12, atol=1e-14)
        found = BACKWARD(logits, labels, g, axis=1, **options)
        np.testing.assert_allclose(found, np.expand_dims(g, 1) * dx, rtol=1e-12, atol=1e-14)
    assert len(tried) == 2 * 3 * (3 + 1)  # two of weights, three of smoothing; labels of three kinds, or soft


@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
def test_definition_of_onnx(reduction: str) -> None:
    """Of its reductions, `mean` divides by the sum of the labels' weights."""
    x = np.random.default_rng(0).normal(0, 3, (40, 7))
    for labels, options in combinations(x):
        if labels.ndim > 1 or options["label_smoothing"]:
            continue
        weights, ignored = options["weights"], options["ignore_label"]
        loss = FORWARD(x, labels, **options)
        of_label = (np.ones(7) if weights is None else weights)[np.where(labels == ignored, 0, labels)]
        found = {
            "none": loss,
            "sum": loss.sum(),
            "mean": loss.sum() / of_label.sum(where=labels != ignored),
        }[reduction]
        np.testing.assert_allclose(
            found, onnx(x, labels, weights, ignored, reduction).astype(float), rtol=1e-14
        )


def test_torch() -> None:
    torch = pytest.importorskip("torch", reason="torch, which is too large for CI, is not installed")
    x = np.random.default_rng(0).normal(0, 3, (40, 7))
    for labels, options in combinations(x):
        weights, ignored = options["weights"], options["ignore_label"]
        leaf = torch.from_numpy(x).requires_grad_()
        loss = torch.nn.functional.cross_entropy(
            leaf,
            torch.from_numpy(labels),
            weight=None if weights is None else torch.from_numpy(weights),
            ignore_index=IGNORED if ignored is None else ignored,
            label_smoothing=options["label_smoothing"],
            reduction="none",
        )
        loss.sum().backward()
        found = BOTH(x, labels, **options)
        np.testing.assert_allclose(found[0], loss.detach().numpy(), rtol=1e-13, atol=1e-15)
        np.testing.assert_allclose(found[1], leaf.grad.numpy(), rtol=1e-12, atol=1e-14)


# Accuracy.


@each_summed_dtype
@each
def test_bounds(f: Function, dtype: DType) -> None:
    for what, x in rows(dtype, (1, 3, 16, 17, 129, 300)):
        for arrays, options in with_options(f, x):
            found = results(f, *arrays, **options)
            for errors, bound in option_errors(f, found, arrays, options):
                assert errors.max() <= bound, (what, options)


@pytest.mark.thorough
@each_summed_dtype
@each
def test_roundings_of_one_direction(f: Function, dtype: DType) -> None:
    for gap in (11, 17.3):
        x = np.full((1, 1 << 18), -gap, dtype)
        x[0, 1000] = 0
        for arrays, options in with_options(f, x):
            found = results(f, *arrays, **options)
            for errors, bound in option_errors(f, found, arrays, options):
                assert errors.max() <= bound, (gap, options)


# The same bits.


def laid(x: Any, axis: int, shape: tuple[int, ...], is_rows: bool) -> Any:
    return np.moveaxis(x.reshape(*shape, -1), -1, axis) if is_rows else x.reshape(shape)


@each_dtype
@each
def test_layouts(f: Function, dtype: DType) -> None:
    """Along any axis, in any layout, alone, into outputs and in place."""
    for n in (1, 6, 16, 17, 130):
        x = numbers(dtype, 60, n)
        for labels, options in combinations(x):
            args = x, labels, *gradients(f, x)
            expected = results(f, *args, **options)
            alone = [results(f, *(a[i] for a in args), **options) for i in (0, 1, 59)]
            for k, right in enumerate(expected):
                assert_same_bits(np.stack([y[k] for y in alone]), right[[0, 1, 59]], (n, options))
            for axis, layout in itertools.product((0, 1), (np.copy, np.asfortranarray, strided, backwards)):
                given = [layout(laid(a, axis, (60,), a.ndim == 2).copy()) for a in args]
                found = results(f, *given, axis=axis, **options)
                for y, right in zip(found, expected, strict=True):
                    assert_same_bits(y, laid(right, axis, (60,), right.ndim == 2), (n, axis, layout, options))
                if f is not FORWARD:
                    out = given[0] if f is BACKWARD else (None, given[0])
                    f(*given, axis=axis, out=out, **options)
                    assert_same_bits(given[0], found[-1], (n, axis, layout, options))


@each_dtype
@each
def test_probabilities_overwritten_and_other_layouts(f: Function, dtype: DType) -> None:
    x = numbers(dtype, 24, 40)
    for labels, options in combinations(x):
        if labels.ndim == 1:
            continue
        args = x, labels, *gradients(f, x)
        expected = results(f, *args, **options)
        for layout in (byte_swapped, unaligned_rows):
            found = results(f, *map(layout, args), **options)
            for y, right in zip(found, expected, strict=True):
                assert_same_bits(y, right, layout)
        if f is not FORWARD:
            p = labels.copy()
            f(x, p, *args[2:], out=p if f is BACKWARD else (None, p), **options)
            assert_same_bits(p, expected[-1])
    cube, soft = (a.reshape(4, 6, 40) for a in (x, labels if labels.ndim == 2 else np.abs(x)))
    soft = np.nan_to_num(soft.astype(float), posinf=1).clip(0, 1).astype(dtype)
    g = [np.ones(6, dtype)] if f is BACKWARD else []
    whole = [np.ascontiguousarray(a.transpose(1, 0, 2)).reshape(6, 160) for a in (cube, soft)]
    right = results(f, *whole, *g, label_smoothing=0.1)
    for y, expected_y in zip(
        results(f, cube, soft, *g, axis=(0, 2), label_smoothing=0.1), right, strict=True
    ):
        rows_of = y.transpose(1, 0, 2).reshape(6, 160) if y.ndim == 3 else y
        assert_same_bits(np.ascontiguousarray(rows_of), expected_y)


@each_dtype
@each
def test_threads(f: Function, dtype: DType, threads: Callable[[int], None]) -> None:
    for count, n in ((1, 40_000), (3, 33_000), (400, 130)):
        x = numbers(dtype, count, n)
        for labels, options in combinations(x):
            if options["label_smoothing"] == 1:
                continue
            args = x, labels, *gradients(f, x)
            threads(1)
            expected = results(f, *args, **options)
            threads(3)
            for y, right in zip(results(f, *args, **options), expected, strict=True):
                assert_same_bits(y, right, (count, options))


def test_instruction_sets(run_python: RunPython) -> None:
    program = f"""if True:
        import hashlib, sys
        sys.path[:0] = {[str(__file__).rpartition("/")[0]]!r}
        from test_cross_entropy import *
        for f in ALL:
            for dtype in map(np.dtype, "efd"):
                h = hashlib.sha256()
                for n in (3, 16, 40, 700):
                    x = numbers(dtype, 30, n)
                    for labels, options in combinations(x):
                        for y in results(f, x, labels, *gradients(f, x), **options):
                            h.update(np.where(np.isnan(y), dtype.type(7), y).tobytes())
                print(f, dtype, h.hexdigest())
    """
    digests = set()
    for isa in fastact.config()["available"]:
        run = run_python("-c", program, FASTACT_ISA=isa)
        assert run.returncode == 0, run.stderr
        digests.add(run.stdout)
    assert len(digests) == 1 and len(digests.pop().splitlines()) == 9


@each_dtype
def test_both_at_once_are_the_two(dtype: DType) -> None:
    for n in (2, 16, 100):
        x = numbers(dtype, 40, n)
        for labels, options in combinations(x):
            loss, dx = BOTH(x, labels, **options)
            assert_same_bits(loss, FORWARD(x, labels, **options), options)
            assert_same_bits(dx, BACKWARD(x, labels, np.ones(40, dtype), **options), options)


@each_dtype
@each
def test_weights_of_one_and_no_ignored_label_are_the_plain_call(f: Function, dtype: DType) -> None:
    x = numbers(dtype, 40, 9)
    labels = np.arange(40) % 9
    args = x, labels, *gradients(f, x)
    expected = results(f, *args)
    for options in ({"weights": None, "ignore_label": None, "label_smoothing": 0}, {"ignore_label": 9}):
        for y, right in zip(results(f, *args, **options), expected, strict=True):
            assert_same_bits(y, right, options)
    for y, right in zip(results(f, *args, ignore_label=4), expected, strict=True):
        assert_same_bits(y[labels != 4], right[labels != 4])
        assert (y[labels == 4] == 0).all()


# Special values.


@each_dtype
@each
@pytest.mark.parametrize("options", [{}, {"label_smoothing": 0.5}, {"weights": [1.0, 2.0, 3.0]}], ids=str)
def test_ignored_rows_are_zero_whatever_they_hold(f: Function, options: Any, dtype: DType) -> None:
    bad = [[np.nan] * 3, [np.inf, 1, 2], [-np.inf] * 3, [1, np.nan, 2], [3, 2, 1]]
    x = np.array(bad * 8, dtype)
    for label in (IGNORED, 7, 1, 2**40):
        labels = np.full(40, label)
        labels[::10] = 0
        g = [np.full(40, np.nan, dtype)] if f is BACKWARD else []
        for axis in (-1, 0):
            rows_, out = (x, labels, *g), np.arange(40) % 10 != 0
            if axis == 0:
                rows_ = np.ascontiguousarray(x.T), *rows_[1:]
            with np.errstate(all="raise"):
                found = results(f, *rows_, axis=axis, ignore_label=label, **options)
            for y in found:
                y = y.T if y.ndim == 2 and axis == 0 else y
                assert (y[out] == 0).all() and not np.signbit(y[out].astype(float)).any()
                assert np.isnan(y[~out].astype(float)).any()


def test_ignored_labels_of_every_integer_type() -> None:
    x = np.arange(12.0).reshape(4, 3)
    cases: list[tuple[Any, Any]] = [
        (np.uint8, 255), (np.int8, -1), (np.uint64, 2**64 - 1), (np.int64, -(2**63)), (">i4", 77)
    ]  # fmt: skip
    for kind, label in cases:
        labels = np.array([0, label, 2, 1], kind)
        loss = FORWARD(x, labels, ignore_label=label)
        assert loss[1] == 0 and (loss[[0, 2, 3]] > 0).all()
        with pytest.raises(ValueError, match=rf"labels contains {label}; 0 <= label < 3"):
            FORWARD(x, labels)
    for kind, label in ((np.uint64, -1), (np.int64, 2**64 - 1), (np.int64, 10**30), (np.uint8, -1)):
        loss = FORWARD(x, np.array([0, 1, 2, 1], kind), ignore_label=label)
        assert (loss > 0).all()
    with pytest.raises(ValueError, match=f"labels contains {2**64 - 1}"):
        FORWARD(x, np.array([0, 2**64 - 1, 2, 1], np.uint64), ignore_label=-1)


@each_dtype
def test_classes_without_a_share_add_nothing(dtype: DType) -> None:
    """Where q or the weight is 0, a logit may be -inf; elsewhere the loss is then inf."""
    x = np.array([[-np.inf, 1, 1], [1, -np.inf, 1]], dtype)
    p = np.array([[0, 0.5, 0.5], [0.25, 0, 0.75]], dtype)
    with np.errstate(all="raise"):
        loss, dx = BOTH(x, p)
        np.testing.assert_allclose(loss.astype(float), np.log(2), rtol=1e-2)
        np.testing.assert_allclose(dx[0].astype(float), 0, atol=1e-2)
        assert (FORWARD(x, [1, 0], weights=[1, 0, 2])[1:] < 1).all()
        assert FORWARD(x, [1, 2], weights=[0, 1, 1], label_smoothing=0.5)[0] < 1
        assert FORWARD(x, p, label_smoothing=0.1).tolist() == [np.inf, np.inf]
        assert FORWARD(x, [0, 1], weights=[2, 3, 1]).tolist() == [np.inf, np.inf]
        gradient = BACKWARD(x, [0, 1], np.ones(2, dtype), weights=[2, 3, 1]).astype(float)
    right: Any = [[-2, 1, 1], [1.5, -3, 1.5]]
    np.testing.assert_allclose(gradient, right, rtol=1e-2)


@each_dtype
@each
def test_silence(f: Function, dtype: DType) -> None:
    for n in (2, 5, 40):
        x = numbers(dtype, 60, n)
        for labels, options in combinations(x):
            with np.errstate(all="raise"):
                for y in results(f, x, labels, *gradients(f, x), **options):
                    assert y.dtype == dtype


def test_types() -> None:
    """Probabilities decide the type like other arrays, weights and smoothing never do."""
    x, p = np.ones((2, 3), np.float32), np.full((2, 3), 1 / 3)
    assert FORWARD(x, p).dtype == np.float64 and FORWARD(x, p.astype(np.float16)).dtype == np.float32
    for weights in (np.ones(3), [1, 2, 3], np.ones(3, np.longdouble), np.ones(3, np.int8)):
        assert FORWARD(x, [0, 1], weights=weights).dtype == np.float32
    assert FORWARD(x, [0, 1], label_smoothing=np.float64(0.1)).dtype == np.float32
    weights = np.array([0.1, 0.2, 0.3])
    for kind in (np.float16, np.float32):  # which are rounded to the type computed in, float32
        half = FORWARD(x.astype(kind), [0, 2], weights=weights)
        assert_same_bits(half, FORWARD(x, [0, 2], weights=weights).astype(kind))


# Bad input.


@each
def test_what_is_refused_changes_nothing(f: Function) -> None:
    x, labels, p = np.ones((4, 6), np.float32), np.array([0, 5, 1, 2]), np.full((4, 6), 1 / 6, np.float32)
    g = [np.ones(4, np.float32)] if f is BACKWARD else []
    out = [np.full_like(y, 7) for y in results(f, x, labels, *g)]
    w = np.ones(6)
    refused: list[tuple[Any, str, Any, dict[str, Any]]] = [
        (ValueError, r"weights has shape \(5,\) where \(6,\)", labels, {"weights": w[:5]}),
        (ValueError, r"weights has shape \(6, 1\)", labels, {"weights": w[:, None]}),
        (ValueError, r"weights has shape \(\)", p, {"weights": 2.0}),
        (ValueError, "weights contains -1.0; 0 <= weight < inf", labels, {"weights": -w}),
        (ValueError, "weights contains nan", labels, {"weights": w * np.nan}),
        (ValueError, "weights contains inf", labels, {"weights": w * np.inf}),
        (ValueError, "weights contains 1e.39", labels, {"weights": w * 1e39}),
        (TypeError, "weights must be real", labels, {"weights": w * 1j}),
        (TypeError, "weights must be real", labels, {"weights": ["a"] * 6}),
        (ValueError, "label_smoothing is -0.1; 0 <= label_smoothing <= 1", labels, {"label_smoothing": -0.1}),
        (ValueError, "label_smoothing is 1.5", p, {"label_smoothing": 1.5}),
        (ValueError, "label_smoothing is nan", labels, {"label_smoothing": np.nan}),
        (TypeError, "label_smoothing must be a number", labels, {"label_smoothing": "much"}),
        (TypeError, "ignore_label must be an int or None", labels, {"ignore_label": 1.0}),
        (TypeError, "ignore_label must be an int or None", labels, {"ignore_label": True}),
        (ValueError, "ignore_label is for integer labels", p, {"ignore_label": 1}),
        (ValueError, "labels contains 6; 0 <= label < 6", labels + 1, {"ignore_label": -1}),
        (ValueError, "labels contains -1", labels - 1, {"label_smoothing": 0.1}),
        (ValueError, r"labels has shape \(4, 5\) where \(4, 6\) is required", p[:, :5], {}),
        (ValueError, r"labels has shape \(4, 1\) where \(4, 6\) is required", p[:, :1], {}),
        (ValueError, "One-hot labels are probabilities", np.eye(6, dtype=int)[:4], {}),
        (TypeError, "labels must be integers or probabilities of logits's shape", np.ones(4), {}),
        (TypeError, "labels must be integers", p.astype(complex), {}),
        (TypeError, "labels must be integers", p.astype(np.longdouble), {}),
    ]
    for exception, message, given, options in refused:
        with pytest.raises(exception, match=rf"{f}: .*{message}|{message}"):
            f(x, given, *g, out=out[0] if len(out) == 1 else tuple(out), **options)
        assert all((y == 7).all() for y in out)


# Other libraries' arrays.


@pytest.mark.slow
@each
def test_dask(f: Function) -> None:
    da = pytest.importorskip("dask.array", reason="dask's arrays are not installed")
    x = np.random.default_rng(0).normal(size=(6, 8)).astype(np.float32)
    for labels, options in combinations(x):
        args = x, labels, *gradients(f, x)
        lazy = [da.from_array(a, chunks=(2, -1)[: a.ndim]) for a in args]
        for given in (lazy, [lazy[0], *args[1:]]):
            for y, right in zip(results(f, *given, **options), results(f, *args, **options), strict=True):
                assert isinstance(y, da.Array)
                assert_same_bits(y.compute(), right, options)


@each
def test_pandas_and_xarray(f: Function) -> None:
    pd = pytest.importorskip("pandas", reason="pandas is not installed")
    x = np.random.default_rng(0).normal(size=(3, 4))
    p, index, columns = np.full_like(x, 0.25), list("uvw"), list("abcd")
    weights = pd.Series([1.0, 2.0, 3.0, 4.0], columns)
    args = pd.DataFrame(x, index, columns), pd.DataFrame(p, index, columns), *gradients(f, x)
    found = results(f, *args, weights=weights)
    for y, right in zip(found, results(f, x, p, *args[2:], weights=weights.to_numpy()), strict=True):
        np.testing.assert_array_equal(y.to_numpy(), right)
        assert list(y.index) == index
    with pytest.raises(TypeError, match="weights is a masked array"):
        f(x, p, *args[2:], weights=np.ma.masked_array([1.0] * 4))
    xarray = pytest.importorskip("xarray", reason="xarray is not installed")
    names = dict(zip(("logits", "labels", "g"), (x, p, *args[2:]), strict=False))
    arrays = {k: xarray.DataArray(a, dims=("i", "j")[: a.ndim]) for k, a in names.items()}
    with pytest.raises(TypeError, match="xarray") as refusal:
        f(*arrays.values())
    call = str(refusal.value).partition("; call ")[2]
    result = eval(call, {"xarray": xarray, "fastact": fastact} | arrays)
    for y, right in zip(result if f is BOTH else (result,), results(f, *names.values()), strict=True):
        np.testing.assert_array_equal(y.values, right)


@each
def test_arrays_that_override_ufuncs_are_refused(f: Function) -> None:
    class Other:
        shape, ndim, dtype = (3, 4), 2, np.dtype(float)

        def __array_ufunc__(self, *args: Any, **keywords: Any) -> Any:
            return NotImplemented

    with pytest.raises(TypeError, match="logits is a Other; a NumPy array is required"):
        f(Other(), [0, 1, 2], *gradients(f, np.ones((3, 4))), label_smoothing=0.1)


@each
def test_autograd(f: Function) -> None:
    pytest.importorskip("autograd", reason="autograd is not installed")
    import autograd.numpy as anp
    from autograd.test_util import check_grads
    from fastact import autograd as _registered  # noqa: F401

    x = np.random.default_rng(0).normal(size=(4, 3))
    np.random.seed(0)  # noqa: NPY002 - what check_grads draws from
    for axis, (labels, options) in itertools.product((0, 1), combinations(x)):
        given = labels.T if labels.ndim == 2 and axis == 0 else labels

        def total(x: Any, *g: Any) -> Any:
            found = f(x, given, *g, axis=axis, **options)  # noqa: B023
            return sum(anp.sum(y * y) for y in ([found[0], found[1]] if f is BOTH else [found]))

        check_grads(total, modes=["rev"], order=1 if f is BOTH else 2)(
            x.T if axis == 0 else x, *gradients(f, x)
        )
    with pytest.raises(TypeError, match="with respect to labels"):
        import autograd

        autograd.grad(lambda p: anp.sum(FORWARD(x, p)))(np.full((4, 3), 1 / 3))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_results_may_be_written_to_weights(dtype: Any) -> None:
    x = np.random.default_rng(0).normal(size=(4, 4)).astype(dtype)
    labels, weights = np.arange(4), np.linspace(0.5, 2, 4, dtype=dtype)
    expected = FORWARD(x, labels, weights=weights.copy())
    assert FORWARD(x, labels, weights=weights, out=weights) is weights
    np.testing.assert_array_equal(weights, expected, strict=True)
