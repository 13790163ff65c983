"""The exact results of every function of rows, for rows along the last axis.

Each function has two formulas, as in `reference`: one in NumPy, in which nothing cancels except what the
definition itself subtracts; and the definition in mpmath, for one row. Functions that sum over rows are
computed in long double, which has eleven more bits than float64 on x86, and gated units in float64, which
suffices for half and single precision.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..functions import registry
from .reference import ACTIVATIONS, Formula, evaluate, mp, with_many_digits

Real = NDArray[Any]  # numbers of any precision

EXP, LOG = np.frompyfunc(mp.exp, 1, 1), np.frompyfunc(mp.log, 1, 1)


@dataclass(frozen=True)
class RowFunction:
    formula: Formula
    exact: Formula
    terms: Formula | None = None  # the magnitude of the largest term where the definition subtracts
    output: Formula | None = None  # if given, `formula` and `terms` take its value at x in place of x


def cancelling(
    formula: Formula, exact: Formula, terms: Formula | None = None, output: Formula | None = None
) -> RowFunction:
    return RowFunction(formula, with_many_digits(exact), terms, output)


def expected(name: str, *arrays: ArrayLike) -> Real:
    """Return the NumPy formula at the arrays, without warnings."""
    (value,) = evaluate_rows(name, [ROWS[name].formula], *arrays)
    return value


def expected_and_magnitude(name: str, *arrays: ArrayLike) -> tuple[Real, Real]:
    """Return the NumPy formula and the magnitude that errors are relative to.

    The magnitude is that of the result or, where the definition subtracts, of its largest term.
    """
    f = ROWS[name]
    value, *terms = evaluate_rows(name, [f.formula, f.terms] if f.terms else [f.formula], *arrays)
    return value, terms[0] if terms else value


def evaluate_rows(name: str, formulas: Sequence[Formula], *arrays: ArrayLike) -> list[Real]:
    given = [a if a.dtype.kind in "iu" else a.astype(np.float64) for a in map(np.asarray, arrays)]
    with np.errstate(all="ignore"):
        if output := ROWS[name].output:
            given[0] = output(given[0])
        return [formula(*given) for formula in formulas]


def exact(name: str, *arrays: ArrayLike) -> Real:
    """Return the exact result, for arrays whose first axis is that of the rows."""
    given = [a if a.dtype.kind in "iu" else to_mp(a) for a in map(np.asarray, arrays)]
    formula = ROWS[name].exact
    return np.stack([formula(*row) for row in zip(*given, strict=True)])


to_mp = np.frompyfunc(lambda value: mp.mpf(float(value)), 1, 1)


def differences(x: Real) -> tuple[Real, Real]:
    """Return x minus the largest x, and its rounding error (Knuth's sum)."""
    x = x.astype(np.longdouble)
    largest = x.max(-1, keepdims=True)
    d = x - largest
    back = d - x
    low = (x - (d - back)) - (largest + back)
    return d, np.where(np.isfinite(low), low, 0)


def exponentials(x: Real) -> tuple[Real, Real]:
    """Return e^(x - m), where m is the largest x, and the sum of all of them except one that is 1."""
    d, low = differences(x)
    e: Real = np.exp(d) * (1 + low)
    is_one = np.arange(x.shape[-1]) == x.argmax(-1)[..., None]
    return e, np.where(is_one, 0, e).sum(-1, keepdims=True)


def softmax(x: Real) -> Any:
    e, others = exponentials(x)
    return e / (1 + others)


def log_softmax(x: Real) -> Any:
    d, low = differences(x)
    _, others = exponentials(x)
    return d + (low - np.log1p(others))


def logsumexp(x: Real) -> Any:
    largest = x.max(-1).astype(np.longdouble)
    _, others = exponentials(x)
    return np.where(np.isfinite(largest), largest + np.log1p(others[..., 0]), largest)


def centred(y: Real, g: Real) -> Any:
    return y * (g - (g * y).sum(-1, keepdims=True))


def centred_terms(y: Real, g: Real) -> Any:
    y, g = np.abs(y), np.abs(g)
    return y * (g + (g * y).sum(-1, keepdims=True))


def without_share(y: Real, g: Real) -> Any:
    """Return the gradient of log_softmax, where y is softmax(x)."""
    return g - y * g.astype(np.longdouble).sum(-1, keepdims=True)


def without_share_terms(y: Real, g: Real) -> Any:
    g = np.abs(g)
    return g + y * g.sum(-1, keepdims=True)


def sparsemax(x: Real) -> Any:
    """Return max(x - τ, 0), where τ is the largest of all (Σ x - 1) / k over the k largest x."""
    d, low = differences(x)
    z = d + low
    totals = (-np.sort(-z, -1)).cumsum(-1)
    threshold = ((totals - 1) / np.arange(1, x.shape[-1] + 1)).max(-1, keepdims=True, initial=-np.inf)
    largest = x.max(-1, keepdims=True, initial=-np.inf)
    y = np.maximum((d - threshold) + low, 0) + (largest - largest)
    if x.dtype == np.float64:
        for row in np.argwhere(np.isfinite(y).all(-1)):
            y[*row] = _above_threshold(x[*row], y[*row] > 0)
    return y


def _above_threshold(x: Real, kept: Any) -> Any:
    """Return max(x - τ, 0), where τ follows from the kept elements, as the sum of two float64 numbers."""
    (d, low), m = differences(x), x.max()
    while True:
        count = int(kept.sum())
        # The signs alternate, so that no partial sum overflows.
        terms = [-1.0, *(v for value in x[kept] for v in (value, -m))]
        high = fsum(terms) / count
        rest = fsum([*terms, *[-high] * count]) / count
        distance = (d - high) + (low - rest)
        if ((distance > 0) == kept).all():
            return np.maximum(distance, 0)
        kept = distance > 0


def exact_sparsemax(x: Real) -> Any:
    threshold = max((total - 1) / k for k, total in enumerate(np.cumsum(np.sort(x)[::-1]), 1))
    return np.maximum(x - threshold, mp.mpf(0))


def on_support(y: Real, g: Real) -> Any:
    """Return the gradient of sparsemax from its output y."""
    kept = y > 0
    count = kept.sum(-1, keepdims=True)
    mean = (
        np.where(kept, g, 0).astype(object if g.dtype == object else np.longdouble).sum(-1, keepdims=True)
        / count
    )
    return np.where(kept, g - mean, 0) + (y - y)


def on_support_terms(y: Real, g: Real) -> Any:
    kept, g = y > 0, np.abs(g)
    return np.where(kept, g + np.where(kept, g, 0).sum(-1, keepdims=True) / kept.sum(-1, keepdims=True), 0)


def at_label(x: Any, labels: Any) -> Any:
    return np.take_along_axis(x, labels[..., None], -1)


def cross_entropy_backward(x: Real, labels: Any, g: Real) -> Any:
    """Return the gradient; at the label, softmax - 1 is computed as minus the share of the other terms."""
    e, others = exponentials(x)
    dx = e / (1 + others)
    is_largest = labels == x.argmax(-1)
    rest = np.where(is_largest[..., None], others, 1 + others - at_label(e, labels))
    np.put_along_axis(dx, labels[..., None], -rest / (1 + others), -1)
    return g[..., None] * dx


def label_weights(
    x: Real, labels: Any, weights: Any = None, ignore_label: int | None = None, label_smoothing: float = 0.0
) -> Real:
    """Return the factors of -log softmax: weights·((1 - s)·p + s/n), and 0 in rows that are ignored."""
    labels, n = np.asarray(labels), x.shape[-1]
    s = np.longdouble(label_smoothing)
    is_hard = labels.dtype.kind in "iu"
    p: Any = labels[..., None] == np.arange(n) if is_hard else labels
    a = (1 - s) * p.astype(np.longdouble) + s / n
    if weights is not None:
        a = a * np.asarray(weights).astype(np.longdouble)
    return np.where((labels == ignore_label)[..., None], 0, a) if is_hard and ignore_label is not None else a


def weighted_cross_entropy(x: Real, a: Real) -> Any:
    d, low = differences(x)
    _, others = exponentials(x)
    return np.where(a == 0, 0, a * (np.log1p(others) - d - low)).sum(-1)


def weighted_cross_entropy_backward(x: Real, a: Real, g: Real) -> Any:
    return g[..., None] * (softmax(x) * a.sum(-1, keepdims=True) - a)


def weighted_cross_entropy_terms(x: Real, a: Real, g: Real) -> Any:
    g = np.abs(g)[..., None]
    return np.maximum(g * softmax(x) * a.sum(-1, keepdims=True), g * np.abs(a))


def exact_softmax(x: Real) -> Any:
    e = EXP(x)
    return e / e.sum()


def exact_cross_entropy_backward(x: Real, label: Any, g: Any) -> Any:
    return g * (exact_softmax(x) - (np.arange(x.size) == label))


@dataclass(frozen=True)
class Gate:
    """f(u) v, where u and v are the halves of a row, in this or the other order."""

    activation: str
    gate_is_second: bool = False

    def in_order(self, pair: Any) -> Any:
        return pair[::-1] if self.gate_is_second else pair

    def halves(self, x: Any) -> Any:
        return self.in_order(np.split(x, 2, -1))

    def functions(self) -> dict[str, RowFunction]:
        a = ACTIVATIONS[self.activation]

        def fast(formula: Formula) -> Formula:
            return lambda u: evaluate(formula, u)

        def slow(formula: Formula) -> Formula:
            return np.frompyfunc(formula, 1, 1)

        return {
            "": RowFunction(self.forward(fast(a.forward)), self.forward(slow(a.exact))),
            "_backward": RowFunction(
                self.backward(fast(a.forward), fast(a.derivative)),
                self.backward(slow(a.exact), slow(a.exact_derivative)),
            ),
        }

    def forward(self, f: Formula) -> Formula:
        def formula(x: Any) -> Any:
            u, v = self.halves(x)
            return f(u) * v

        return formula

    def backward(self, f: Formula, derivative: Formula) -> Formula:
        def formula(x: Any, g: Any) -> Any:
            u, v = self.halves(x)
            return np.concatenate(self.in_order([g * v * derivative(u), g * f(u)]), -1)

        return formula


GATES = {name: Gate(*gate) for name, gate in registry.GATES.items()}


def parameter_gradient(name: str, x: ArrayLike, g: ArrayLike, p: ArrayLike) -> tuple[Real, Real]:
    """Return the gradient of a learnable parameter, and the sum of the magnitudes of its terms."""
    derivative = ACTIVATIONS[name].parameter_derivative
    assert derivative, f"{name} has no learnable parameter"
    x, g, p = (np.asarray(a).astype(np.float64) for a in (x, g, p))
    with np.errstate(all="ignore"):
        terms = np.where(np.isnan(x), np.nan, derivative(x, p)).astype(np.longdouble) * g
    shape = (1,) * (x.ndim - p.ndim) + p.shape
    shared = tuple(i for i, n in enumerate(shape) if n == 1)
    total, magnitude = (a.sum(shared, keepdims=True).reshape(p.shape) for a in (terms, np.abs(terms)))
    return total, magnitude


ROWS = {
    "softmax": cancelling(softmax, exact_softmax),
    "softmax_backward": cancelling(
        centred,
        lambda x, g: centred(exact_softmax(x), g),
        centred_terms,
        softmax,
    ),
    "softmax_backward_from_output": cancelling(
        lambda y, g: centred(y.astype(np.longdouble), g), centred, centred_terms
    ),
    "log_softmax": cancelling(log_softmax, lambda x: LOG(exact_softmax(x))),
    "log_softmax_backward": cancelling(
        without_share,
        lambda x, g: g - exact_softmax(x) * g.sum(),
        without_share_terms,
        softmax,
    ),
    "log_softmax_backward_from_output": cancelling(
        lambda y, g: without_share(np.exp(y.astype(np.longdouble)), g),
        lambda y, g: g - EXP(y) * g.sum(),
        lambda y, g: without_share_terms(np.exp(y), g),
    ),
    "logsumexp": cancelling(logsumexp, lambda x: LOG(EXP(x).sum())),
    "logsumexp_backward": cancelling(
        lambda x, g: g[..., None] * softmax(x), lambda x, g: g * exact_softmax(x)
    ),
    "sparsemax": cancelling(sparsemax, exact_sparsemax),
    "sparsemax_backward": cancelling(
        on_support,
        lambda x, g: on_support(exact_sparsemax(x), g),
        on_support_terms,
        sparsemax,
    ),
    "sparsemax_backward_from_output": cancelling(on_support, on_support, on_support_terms),
    "maxout": cancelling(lambda x: x.max(-1), lambda x: x.max()),
    "maxout_backward": cancelling(
        lambda x, g: np.where(np.arange(x.shape[-1]) == x.argmax(-1)[..., None], g[..., None], 0.0),
        lambda x, g: (np.arange(x.size) == x.argmax()) * g,
    ),
    "softmax_cross_entropy": cancelling(
        lambda x, labels: -at_label(log_softmax(x), labels)[..., 0],
        lambda x, label: -LOG(exact_softmax(x)[label]),
    ),
    "softmax_cross_entropy_backward": cancelling(cross_entropy_backward, exact_cross_entropy_backward),
} | {name + suffix: function for name, gate in GATES.items() for suffix, function in gate.functions().items()}
