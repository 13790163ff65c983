"""What norms must compute, their errors, and rows that are likely to show the largest.

The reference is the definition, computed in long double or mpmath for rows along the last axis; the rows of
batch norms are channels. Elements near the mean need a mean with twice the digits of float64, which follows
from the exact sums of `math.fsum`. Errors are in ulp of the largest term of the sum that defines the result,
or of the result if that is larger. The terms of y are gamma·x̂ and beta; those of dx are all that is summed,
as for the gradient of softmax.
"""

from collections.abc import Callable, Iterator
from math import fsum
from typing import Any

import numpy as np

from ..functions.registry import NORMS, Norm
from .accuracy import DType, finfo, ulp
from .figures import Figures
from .reference import mp
from .row_accuracy import GRADIENT_BOUND
from .row_reference import Real

Terms = tuple[Real, Real]  # a result, and the magnitude that its error is measured by
Statistics = dict[str, Any] | None  # given mean and variance; None stands for numbers near those of the rows

LENGTHS = (1, 2, 3, 8, 16, 17, 33, 64, 65, 100, 257, 1000, 1025, 5000)
SIZE = 4096  # the number of elements at a time, in 3 to 64 rows
EPS = (1e-5, 0.0)
STATISTICS = "mean", "variance"


def bound(dtype: DType) -> float:
    """Return the largest error allowed."""
    return GRADIENT_BOUND[dtype.name]


def in_long_double(values: Any) -> Any:
    return np.asarray(values, np.longdouble)


in_mpmath = np.vectorize(lambda value: mp.mpf(float(value)), otypes=[object])


def less_mean(x: Real) -> Any:
    """Return x - mean x, where the mean has twice the digits of float64."""
    if x.dtype == object:
        return x - x.mean(-1, keepdims=True)
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
    """Return finite means and variances near those of the rows."""
    most = float(finfo(x.dtype).max) / 4
    extended = x.astype(np.longdouble)
    both = extended.mean(-1), extended.var(-1)
    with np.errstate(under="ignore"):
        return {key: np.clip(a, -most, most).astype(x.dtype) for key, a in zip(STATISTICS, both, strict=True)}


def by_channel(gamma: Real | None, x: Real) -> Real | None:
    """Return a parameter of a batch norm, with one number for each row."""
    return None if gamma is None else np.resize(gamma, len(x))


def standardized(norm: Norm, x: Real, eps: float, statistics: Statistics, convert: Any) -> tuple[Any, ...]:
    """Return x̂, 1/√(variance + eps), mean and variance."""
    if "mean" in norm.arguments:
        given = statistics or given_statistics(x)
        mean, variance = (convert(given[key])[:, None] for key in STATISTICS)
        d = convert(x) - mean
    else:
        d = less_mean(convert(x)) if norm.subtracts_mean else convert(x)
        mean, variance = convert(x)[:, :1] - d[:, :1], (d * d).mean(-1, keepdims=True)
    square = variance + convert(eps)
    is_zero = square == 0
    inverse = np.where(is_zero, convert(0), 1 / np.sqrt(np.where(is_zero, convert(1), square)))
    return d * inverse, inverse, mean[:, 0], variance[:, 0]


def expected(
    name: str,
    x: Real,
    g: Real,
    gamma: Real | None,
    beta: Real | None,
    eps: float,
    statistics: Statistics = None,
    *,
    convert: Any = in_long_double,
) -> list[Terms]:
    """Return the results with their magnitudes; `convert` converts arrays to long double or mpmath."""
    norm = NORMS[name]
    with np.errstate(all="ignore"):
        normed, inverse, average, variance = standardized(norm, x, eps, statistics, convert)
        if norm.of_channels:
            gamma, beta = (a if a is None else by_channel(a, x)[:, None] for a in (gamma, beta))  # type: ignore[index]
        factor = convert(1 if gamma is None else gamma)
        if not norm.suffix:
            has_offset = beta is not None and "beta" in norm.arguments
            offset = convert(beta if has_offset else 0)
            y = factor * normed + offset
            found = [(y, np.maximum(np.maximum(np.abs(factor * normed), np.abs(offset)), np.abs(y)))]
            if len(norm.results) > 1:
                found += [(average, np.abs(convert(x)).mean(-1)), (variance, variance)]
            return found
        given = convert(g)
        h = given * factor
        has_mean = norm.subtracts_mean

        def mean(a: Real) -> Any:
            return a.mean(-1, keepdims=True)

        dx = inverse * (h - normed * mean(h * normed) - (mean(h) if has_mean else 0))
        terms = np.abs(h) + np.abs(normed) * mean(np.abs(h * normed)) + (mean(np.abs(h)) if has_mean else 0)
        found = [(dx, inverse * terms)]
        for products in (given * normed, given)[: len(norm.results) - 1]:
            over = 1 if norm.of_channels else 0
            total = products.sum(over)
            found.append((total, np.maximum(np.abs(total), np.abs(products).max(over))))
        return found


def errors(name: str, results: tuple[Any, ...], *arguments: Any) -> list[Any]:
    """Return the errors of each result that is not None, except where the exact value is too large."""
    found = []
    for result, (value, magnitude) in zip(results, expected(name, *arguments), strict=False):
        limit = float(finfo(result.dtype).max) / 4
        with np.errstate(all="ignore"):
            distance = np.abs(result.astype(np.longdouble) - value)
            of = np.asarray(distance / ulp(magnitude.astype(float), result.dtype), float)
        of = np.where(np.isfinite(value), np.where(np.isnan(of), np.inf, of), 0.0)
        found.append(np.where(magnitude < limit, of, 0.0))
    return found


def arrays(
    name: str, x: Any, g: Any, gamma: Any, beta: Any, _eps: float, statistics: Statistics = None
) -> dict[str, Any]:
    """Return the arrays that the function takes; the channels of batch norms lie along the last axis."""
    given = {"x": x, "g": g, "gamma": gamma, "beta": beta}
    if NORMS[name].of_channels:
        given = {"x": x.T, "g": g.T, "gamma": by_channel(gamma, x), "beta": by_channel(beta, x)}
        given |= statistics or given_statistics(x)
    return {key: given[key] for key in NORMS[name].arguments}


def call(function: Callable[..., Any], name: str, arguments: Any, **options: Any) -> tuple[Any, ...]:
    """Return the results, or only the first one, of an implementation of the named function."""
    given, dtype = arrays(name, *arguments), arguments[0].dtype
    returned = function(*(None if a is None else a.copy() for a in given.values()), **options)
    results = [np.asarray(a) for a in (returned if isinstance(returned, tuple) else (returned,))]
    shapes = [np.shape(given["x"]), *[np.shape(given["x"])[-1:]] * (len(NORMS[name].results) - 1)]
    for result, shape in zip(results, shapes, strict=False):
        if result.shape != shape:
            raise ValueError(
                f"the function returned an array of shape {result.shape} where {shape} is required"
            )
        if result.dtype != dtype:
            raise TypeError(f"the function returned {result.dtype} for {dtype}")
    first = results[0].T if NORMS[name].of_channels else results[0]
    return first, *results[1 : len(shapes)]


def add(figures: Figures, name: str, results: tuple[Any, ...], arguments: Any, what: str) -> None:
    """Add the errors of results of the function."""
    for k, (result, found) in enumerate(zip(results, errors(name, results, *arguments), strict=True)):
        figures.count(found, label=f"rows of {arguments[0].shape[-1]}")
        worst = np.unravel_index(int(found.argmax()), found.shape)
        at: dict[str, Any] = {"rows of": what} | ({"of": NORMS[name].results[k]} if k else {})
        at |= {"element": tuple(map(int, worst))}
        figures.merge(Figures(float(found[worst]), at, float(result[worst])))


def rows(
    dtype: DType, lengths: tuple[int, ...] = LENGTHS, every_eps: tuple[float, ...] = EPS
) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Yield arguments x, g, gamma, beta and eps with a description."""
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
            for eps in every_eps:
                yield f"{n} {kind}", (x, g, gamma, beta, eps)
                yield f"{n} {kind}, without gamma", (x, g, None, None, eps)
