"""Functions of rows with `where`: masked elements take no part, whatever they are and however arrays lie."""

from typing import Any

import fastact
import numpy as np
import pytest
from fastact.checks.accuracy import DType
from fastact.checks.row_accuracy import bound, errors
from functions import each_dtype
from rows import FUNCTIONS, Array, RowFunction

MASKED = (
    "softmax",
    "log_softmax",
    "logsumexp",
    "softmax_backward",
    "log_softmax_backward",
    "logsumexp_backward",
)
OF_NOTHING = {"log_softmax": -np.inf, "logsumexp": -np.inf}
ANYTHING = np.nan, np.inf, -np.inf, 3.0

each_masked = pytest.mark.parametrize("f", [f for f in FUNCTIONS if f.name in MASKED], ids=lambda f: f.name)


def masked_rows(dtype: DType, rows: int, n: int) -> tuple[Array, Array]:
    """Return rows and masks, of which some leave all or nothing."""
    rng = np.random.default_rng(n)
    x = (3 * rng.standard_normal((rows, n))).astype(dtype)
    where = rng.random((rows, n)) < rng.choice([0.1, 0.5, 0.9, 1.0], (rows, 1))
    where[0] = False
    x[~where] = rng.choice(ANYTHING, np.count_nonzero(~where)).astype(dtype)
    return x, where


def arguments(f: RowFunction, x: Array) -> tuple[Array, ...]:
    return f.arguments(np.nan_to_num(x, nan=1, posinf=1, neginf=1))[1:]


@each_dtype
@each_masked
@pytest.mark.parametrize("n", [1, 3, 10, 16, 17, 64, 300])
def test_what_is_left_is_a_row(f: RowFunction, n: int, dtype: DType) -> None:
    """The elements that are left give what they give as a row of their own, within its bound."""
    x, where = masked_rows(dtype, 40, n)
    rest = arguments(f, x)
    with np.errstate(all="raise"):
        result = f(x, *rest, where=where)
    for i, left in enumerate(where):
        if not left.any():
            assert (result[i] == OF_NOTHING.get(f.name, 0)).all()
            continue
        row = tuple(a[i : i + 1, left] if a.ndim == 2 else a[i : i + 1] for a in (x, *rest))
        got = result[i : i + 1, left] if f.output else result[i : i + 1]
        if f.output:
            assert (result[i, ~left] == (-np.inf if f.name == "log_softmax" else 0)).all()
        assert errors(f.name, got, *row).max() <= bound(f.name, dtype)


@each_masked
def test_where_true_changes_nothing(f: RowFunction) -> None:
    x = np.random.default_rng(0).standard_normal((50, 70), np.float32)
    rest = arguments(f, x)
    for where in (True, np.True_, np.ones(70, bool), np.ones((50, 1), bool)):
        np.testing.assert_array_equal(f(x, *rest, where=where), f(x, *rest))


@each_masked
def test_layouts(f: RowFunction) -> None:
    """Axes, broadcast masks and strides have the bits of contiguous rows."""
    x, where = masked_rows(np.dtype(np.float32), 40, 70)
    rest = arguments(f, x)
    expected = f(x, *rest, where=where)

    def turned(a: Array) -> Array:
        return a.T if a.ndim == 2 else a

    got = f(turned(x), *map(turned, rest), axis=0, where=where.T)
    np.testing.assert_array_equal(turned(got), expected)
    strided = np.repeat(x, 2, 1)[:, ::2]
    np.testing.assert_array_equal(f(strided, *rest, where=np.asfortranarray(where)), expected)
    row = np.broadcast_to(where[5], where.shape)
    np.testing.assert_array_equal(
        f(x, *rest, where=where[5]), f(np.where(row, x, np.float32(0)), *rest, where=row.copy())
    )


@each_masked
def test_threads(f: RowFunction) -> None:
    x, where = masked_rows(np.dtype(np.float32), 3, 200_000)
    rest = arguments(f, x)
    results = []
    for threads in (1, 2):
        fastact.set_num_threads(threads)
        results.append(f(x, *rest, where=where))
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize(
    ("where", "error", "message"),
    [
        ([1, 0, 1], TypeError, "where must be a bool or an array of them, not int64"),
        (
            np.ones((2, 2), bool),
            ValueError,
            r"where has shape \(2, 2\), which does not broadcast to x",
        ),
    ],
)
def test_impossible_masks(where: Any, error: type[Exception], message: str) -> None:
    x = np.ones((4, 3), np.float32)
    out = np.full_like(x, 7)
    with pytest.raises(error, match=f"softmax: {message}"):
        fastact.softmax(x, where=where, out=out)
    assert (out == 7).all()


def test_impossible_options_of_dask() -> None:
    """What is wrong with masks and options is said at the call, not when the result is computed."""
    da = pytest.importorskip("dask.array", reason="dask's arrays are not installed")
    x, labels = da.ones((4, 3), chunks=(2, 3), dtype=np.float32), np.array([0, 1, 2, 0])
    masks: list[tuple[Any, type[Exception], str]] = [
        (np.ones((4, 3), int), TypeError, "where must be a bool or an array of them, not int64"),
        (np.ones((4, 3), object), TypeError, "where must be a bool or an array of them, not object"),
        (None, TypeError, "where must be a bool or an array of them, not object"),
        (np.ones((4, 2), bool), ValueError, r"where has shape \(4, 2\), which does not broadcast to x's"),
        (da.ones((2, 4, 3), dtype=bool), ValueError, r"where has shape \(2, 4, 3\)"),
    ]
    for where, error, message in masks:
        with pytest.raises(error, match=f"softmax: {message}"):
            fastact.softmax(x, where=where)
        with pytest.raises(error, match=f"logsumexp_backward: {message}"):
            fastact.logsumexp_backward(x, np.ones(4, np.float32), where=where)
    options: list[tuple[dict[str, Any], type[Exception], str]] = [
        ({"weights": [1.0, 2.0]}, ValueError, r"weights has shape \(2,\)"),
        ({"weights": [1.0, -2.0, 1.0]}, ValueError, "weights contains -2.0"),
        ({"label_smoothing": 1.5}, ValueError, "label_smoothing is 1.5"),
        ({"ignore_label": 1.5}, TypeError, "ignore_label must be an int"),
    ]
    for given, error, message in options:
        for name in ("softmax_cross_entropy", "softmax_cross_entropy_with_gradient"):
            with pytest.raises(error, match=f"{name}: {message}"):
                getattr(fastact, name)(x, labels, **given)
    with pytest.raises(TypeError, match="softmax_cross_entropy: labels must be integers"):
        fastact.softmax_cross_entropy(x, np.array(list("abcd")))


def test_attention() -> None:
    """Queries may look at keys before them; the first of a padded batch at none."""
    scores = np.random.default_rng(0).standard_normal((2, 4, 6, 6)).astype(np.float32)
    allowed = np.tri(6, dtype=bool)
    weights = fastact.softmax(scores, where=allowed)
    assert (weights[..., ~allowed] == 0).all()
    np.testing.assert_allclose(weights.sum(-1), 1, rtol=1e-6)
    assert (fastact.softmax(scores, where=np.zeros((2, 1, 1, 6), bool)) == 0).all()
