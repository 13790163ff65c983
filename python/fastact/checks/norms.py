"""What norms must compute, their errors, and rows that are likely to show the largest.

The reference is the definition in long double, for rows along the last axis; those of batch norms are
channels. `math.fsum`, which is exact, gives means to twice the digits of float64, as elements next to a mean
need. Errors are in ulp of the largest term of what is added, or of the sum if that is larger: of y abs
gamma·x̂ or abs beta; of dx, as for softmax's gradient, the magnitudes of all that is summed.
"""

from collections.abc import Iterator
from math import fsum
from typing import Any

import numpy as np

from ..functions.registry import NORMS
from .accuracy import DType, finfo, ulp
from .row_accuracy import GRADIENT_BOUND
from .row_reference import Real

Terms = tuple[Real, Real]  # a result, and the magnitude that its error is measured by

LENGTHS = (1, 2, 3, 8, 16, 17, 33, 64, 65, 100, 257, 1000, 1025, 5000)
SIZE = 4096  # elements at a time, in at most 64 and at least three rows
EPS = (1e-5, 0.0)
STATISTICS = "mean", "variance"


def bound(dtype: DType) -> float:
    """The largest error allowed."""
    return GRADIENT_BOUND[dtype.name]


def less_mean(x: Real) -> Any:
    """x - mean x, where the mean has twice the digits of float64."""
    rows = x.astype(float)
    if not np.isfinite(rows).all():
        return x - x.mean(-1, keepdims=True)
    exponent = int(np.frexp(np.abs(rows).max(initial=0))[1])  # so that no sum is infinite or subnormal
    x, rows = np.ldexp(x, -exponent), np.ldexp(rows, -exponent)
    count = x.shape[-1]
    mean = np.array([[fsum(row) / count] for row in rows])
    rest = np.array([[fsum([*row, *[-m] * count]) / count] for row, (m,) in zip(rows, mean, strict=True)])
    return np.ldexp((x - mean.astype(np.longdouble)) - rest.astype(np.longdouble), exponent)


def given_statistics(x: Real) -> dict[str, Real]:
    """Means and variances for inference, near those of the rows and finite."""
    most = float(finfo(x.dtype).max) / 4
    wide = x.astype(np.longdouble)
    both = wide.mean(-1), wide.var(-1)
    with np.errstate(under="ignore"):
        return {key: np.clip(a, -most, most).astype(x.dtype) for key, a in zip(STATISTICS, both, strict=True)}


def by_channel(gamma: Real | None, x: Real) -> Real | None:
    """A parameter of the batch norms, one number for each row."""
    return None if gamma is None else np.resize(gamma, len(x))


def standardized(name: str, x: Real, eps: float) -> tuple[Real, Real, Real, Real]:
    """x̂, what dx/dx̂ is multiplied by, mean and variance."""
    wide = x.astype(np.longdouble)
    if name.endswith("inference"):
        mean, variance = (a.astype(np.longdouble)[:, None] for a in given_statistics(x).values())
        d = wide - mean
    else:
        d = wide if name.startswith("rms") else less_mean(wide)
        mean, variance = wide[:, :1] - d[:, :1], (d * d).mean(-1, keepdims=True)
    square = variance + np.longdouble(eps)
    is_zero = square == 0
    inverse = np.where(is_zero, 0, 1 / np.sqrt(np.where(is_zero, 1, square)))
    return d * inverse, inverse, mean[:, 0], variance[:, 0]


def expected(name: str, x: Real, g: Real, gamma: Real | None, beta: Real | None, eps: float) -> list[Terms]:
    """The results of the named function."""
    norm = NORMS[name]
    with np.errstate(all="ignore"):
        normed, inverse, average, variance = standardized(name, x, eps)
        is_batch = name.startswith("batch")
        if is_batch:
            gamma, beta = (a if a is None else by_channel(a, x)[:, None] for a in (gamma, beta))  # type: ignore[index]
        factor = np.longdouble(1) if gamma is None else gamma.astype(np.longdouble)
        if not norm.suffix:
            has_offset = beta is not None and "beta" in norm.arguments
            offset = beta.astype(np.longdouble) if has_offset else np.longdouble(0)  # type: ignore[union-attr]
            y = factor * normed + offset
            found = [(y, np.maximum(np.maximum(np.abs(factor * normed), np.abs(offset)), np.abs(y)))]
            if len(norm.results) > 1:
                found += [(average, np.abs(x.astype(np.longdouble)).mean(-1)), (variance, variance)]
            return found
        given = g.astype(np.longdouble)
        h = given * factor
        has_mean = not name.startswith("rms")

        def mean(a: Real) -> Any:
            return a.mean(-1, keepdims=True)

        dx = inverse * (h - normed * mean(h * normed) - (mean(h) if has_mean else 0))
        terms = np.abs(h) + np.abs(normed) * mean(np.abs(h * normed)) + (mean(np.abs(h)) if has_mean else 0)
        found = [(dx, inverse * terms)]
        for products in (given * normed, given)[: len(norm.results) - 1]:
            over = 1 if is_batch else 0
            total = products.sum(over)
            found.append((total, np.maximum(np.abs(total), np.abs(products).max(over))))
        return found


def errors(name: str, results: tuple[Any, ...], *arguments: Any) -> list[Any]:
    """The errors of each result, those beyond the largest number left out."""
    found = []
    for result, (value, magnitude) in zip(results, expected(name, *arguments), strict=True):
        limit = float(finfo(result.dtype).max) / 4
        with np.errstate(all="ignore"):
            distance = np.abs(result.astype(np.longdouble) - value)
            of = np.asarray(distance / ulp(magnitude.astype(float), result.dtype), float)
        of = np.where(np.isfinite(value), np.where(np.isnan(of), np.inf, of), 0.0)
        found.append(np.where(magnitude < limit, of, 0.0))
    return found


def call(name: str, x: Any, g: Any, gamma: Any, beta: Any, eps: float) -> tuple[Any, ...]:
    """The results of the named function, for rows along the last axis."""
    given, axis = {"x": x, "g": g, "gamma": gamma, "beta": beta}, -1
    if name.startswith("batch"):
        axis = 0
        given |= {"gamma": by_channel(gamma, x), "beta": by_channel(beta, x)} | given_statistics(x)
    results = NORMS[name](**{key: given[key] for key in NORMS[name].arguments}, axis=axis, eps=eps)
    return results if isinstance(results, tuple) else (results,)


def rows(dtype: DType, lengths: tuple[int, ...] = LENGTHS) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Arguments x, g, gamma, beta and eps, and what they are."""
    rng, info = np.random.default_rng(0), finfo(dtype)
    for n in lengths:
        shape = (min(max(SIZE // n, 3), 64), n)
        normal, column = rng.normal(size=shape), rng.normal(size=(shape[0], 1))
        apart = normal.copy()
        apart[:, 0] += min(1e4, float(info.max) / 8)
        kinds = {
            "normal": normal,
            "about 10000": 1e4 + 1e-2 * normal,
            "of many sizes": np.exp(np.clip(4 * normal, -8, 8)),
            "equal": np.repeat(column, n, 1),
            "one far apart": apart,
            "rising": normal + np.arange(n) / 8,
            "huge": rng.uniform(-0.5, 0.5, shape) * float(info.max),
            "tiny": normal * float(info.tiny) * 1e3,
        }
        g, gamma, beta = (rng.normal(size=size).astype(dtype) for size in (shape, n, n))
        for kind, x in kinds.items():
            with np.errstate(under="ignore"):
                x = x.astype(dtype)
            for eps in EPS:
                yield f"{n} {kind}", (x, g, gamma, beta, eps)
                yield f"{n} {kind}, without gamma", (x, g, None, None, eps)
