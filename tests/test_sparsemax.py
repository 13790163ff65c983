"""sparsemax is the nearest point of the probability simplex, exactly 0 off its support, at any magnitude."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import fastact
import numpy as np
import pytest

Array = np.ndarray[Any, Any]
rng = np.random.default_rng(1)


def projection(row: Array) -> list[Fraction]:
    """The projection in rational numbers, by the sorted prefixes of Martins and Astudillo's algorithm 1."""
    x = [Fraction(float(v)) for v in row if np.isfinite(v)]
    total, threshold = Fraction(0), Fraction(0)
    for k, v in enumerate(sorted(x, reverse=True), 1):
        total += v
        if 1 + k * v > total:
            threshold = (total - 1) / k
    return [max(Fraction(float(v)) - threshold, Fraction(0)) if np.isfinite(v) else Fraction(0) for v in row]


ROWS: dict[str, Callable[[int], Any]] = {
    "ordinary": lambda n: rng.normal(0, 1, n),
    "near together": lambda n: rng.normal(0, 0.01, n),
    "far apart": lambda n: rng.normal(0, 1e3, n),
    "about 1e6": lambda n: 1e6 + rng.normal(0, 0.5, n),
    "about -1e30": lambda n: -1e30 * (1 + rng.uniform(0, 1, n)),
    "equal": lambda n: np.full(n, 3.3),
    "on the threshold": lambda n: -np.arange(n) / 2,
    "with -inf": lambda n: np.where(np.arange(n) % 2, -np.inf, rng.normal(0, 1, n)),
    "tiny": lambda n: rng.normal(0, 1e-40, n),
    "of many sizes": lambda n: np.exp2(-rng.integers(0, 100, n).astype(float)),
    "next to the largest's 1": lambda n: np.append(rng.choice([1, 2, 3], n - 1) * 2.0**-53 - 1, 0),
    "next to the threshold": lambda n: next_to_threshold(rng.normal(0, 0.3, n)),
}


def next_to_threshold(x: Array) -> Array:
    """Add the float32 numbers that come after the threshold, whose results are nearly 0."""
    first = np.float32(x[0] - float(projection(x)[0])) if projection(x)[0] else np.float32(x.max() - 1)
    following = [first]
    for _ in range(3):
        following.append(np.nextafter(following[-1], np.float32(9)))
    return np.concatenate([x, following])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ROWS)
def test_projection(kind: str, dtype: type) -> None:
    ulps, slack = (2, Fraction(2) ** -48) if dtype == np.float32 else (4, Fraction(2) ** -102)
    for n in (1, 2, 3, 10, 16, 17, 64, 100, 257, 1000):
        x: Any = np.asarray(ROWS[kind](n)).astype(dtype)
        y, exact = fastact.sparsemax(x), projection(x)
        for given, right in zip(y, exact, strict=True):
            error = abs(Fraction(float(given)) - right)
            assert error <= max(ulps * Fraction(float(np.spacing(dtype(float(right))))), slack), (n, given)
            assert (given == 0) == (right == 0) or error < slack


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_gradients(dtype: type) -> None:
    x: Any = rng.normal(0, 1, (50, 30)).astype(dtype)
    g: Any = rng.normal(0, 1, x.shape).astype(dtype)
    y = fastact.sparsemax(x)
    kept = y > 0
    mean = np.where(kept, g.astype(float), 0).sum(-1, keepdims=True) / kept.sum(-1, keepdims=True)
    expected = np.where(kept, g - mean, 0)
    for dx in (fastact.sparsemax_backward(x, g), fastact.sparsemax_backward_from_output(y, g)):
        np.testing.assert_allclose(dx, expected, rtol=0, atol=8 * float(np.finfo(dtype).eps))
        assert (dx[~kept] == 0).all() and dx.dtype == dtype
    wild: Any = np.where(kept, g, np.nan).astype(dtype)  # what is off the support does not count
    np.testing.assert_array_equal(fastact.sparsemax_backward(x, wild), fastact.sparsemax_backward(x, g))


@pytest.mark.parametrize("n", [3, 40, 1000])
def test_special_values(n: int) -> None:
    """As softmax: NaN, inf or only -inf in a row make the row NaN, silently, and leave others alone."""
    x = rng.normal(size=(5, n)).astype(np.float32)
    expected = fastact.sparsemax(x)
    x[1, 2], x[2, 0], x[3] = np.nan, np.inf, -np.inf
    g = np.ones_like(x)
    with np.errstate(all="raise"):
        for y in (fastact.sparsemax(x), fastact.sparsemax(x.T.copy(), axis=0).T):
            assert np.isnan(y[1:4]).all()
            np.testing.assert_array_equal(y[[0, 4]], expected[[0, 4]])
        assert np.isnan(fastact.sparsemax_backward(x, g)[1:4]).all()
        assert np.isnan(fastact.sparsemax_backward_from_output(fastact.sparsemax(x), g)[1:4]).all()
    assert fastact.sparsemax(np.ones((3, 0))).shape == (3, 0)


def test_adversarial_rows() -> None:
    """Rows from which each sweep can drop few elements, so that the threshold takes many."""
    x = -np.cumsum(np.geomspace(1e-6, 0.9, 300))[::-1].astype(np.float32) * 2.0 ** -np.arange(300)
    y = fastact.sparsemax(x.astype(np.float32))
    exact = [float(v) for v in projection(x.astype(np.float32))]
    np.testing.assert_allclose(y, exact, rtol=1e-6, atol=2**-40)
    assert abs(y.sum(dtype=float) - 1) < 1e-6
