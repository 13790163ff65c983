"""What every function of rows must compute: rows along the last axis, one function of all its inputs each.

As in `_reference`, stated twice: in NumPy, arranged so that nothing cancels but what the definition itself
subtracts; and in mpmath, as defined, for one row. The former is in long double where rows are summed, which has
eleven bits more than float64 on x86; gated units and parameters' gradients are in float64, for half and single
precision.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._reference import ACTIVATIONS, Activation, evaluate, mp, wide

Real = NDArray[np.floating[Any]]
Objects = NDArray[np.object_]  # of mpf

EXP, LOG = np.frompyfunc(mp.exp, 1, 1), np.frompyfunc(mp.log, 1, 1)


@dataclass(frozen=True)
class RowFunction:
    formula: Callable[..., Any]
    exact: Callable[..., Any]


def expected(name: str, *arrays: ArrayLike) -> Real:
    """The NumPy form at the arrays, without a warning."""
    given = [a if a.dtype.kind in "iu" else a.astype(np.float64) for a in map(np.asarray, arrays)]
    with np.errstate(all="ignore"):
        result: Real = ROWS[name].formula(*given)
    return result


@wide
def exact(name: str, *arrays: ArrayLike) -> Objects:
    """The exact result, for arrays whose first axis counts the rows."""
    given = [a if a.dtype.kind in "iu" else to_mp(a) for a in map(np.asarray, arrays)]
    return np.stack([ROWS[name].exact(*row) for row in zip(*given, strict=True)])


to_mp = np.frompyfunc(lambda value: mp.mpf(float(value)), 1, 1)


def differences(x: Real) -> tuple[Real, Real]:
    """x less the largest x, and what its rounding left (Knuth's sum)."""
    x = x.astype(np.longdouble)
    largest = x.max(-1, keepdims=True)
    d = x - largest
    back = d - x
    low = (x - (d - back)) - (largest + back)
    return d, np.where(np.isfinite(low), low, 0)


def exponentials(x: Real) -> tuple[Real, Real]:
    """e^(x - m), m the largest x; and the sum of all but one that is 1."""
    d, low = differences(x)
    e: Real = np.exp(d) * (1 + low)
    is_one = np.arange(x.shape[-1]) == x.argmax(-1)[..., None]
    return e, np.where(is_one, 0, e).sum(-1, keepdims=True)


def softmax(x: Real) -> Real:
    e, others = exponentials(x)
    return e / (1 + others)


def log_softmax(x: Real) -> Real:
    d, low = differences(x)
    _, others = exponentials(x)
    return d + (low - np.log1p(others))


def logsumexp(x: Real) -> Real:
    largest = x.max(-1).astype(np.longdouble)
    _, others = exponentials(x)
    return np.where(np.isfinite(largest), largest + np.log1p(others[..., 0]), largest)


def centred(y: Real, g: Real) -> Real:
    return y * (g - (g * y).sum(-1, keepdims=True))


def at_label(x: Any, labels: Any) -> Any:
    return np.take_along_axis(x, labels[..., None], -1)


def cross_entropy_backward(x: Real, labels: Any, g: Real) -> Real:
    """At the label, softmax - 1 is minus the other terms' share of the sum."""
    e, others = exponentials(x)
    dx = e / (1 + others)
    is_largest = labels == x.argmax(-1)
    rest = np.where(is_largest[..., None], others, 1 + others - at_label(e, labels))
    np.put_along_axis(dx, labels[..., None], -rest / (1 + others), -1)
    return g[..., None] * dx


def exact_softmax(x: Objects) -> Objects:
    e = EXP(x)
    return e / e.sum()


def exact_cross_entropy_backward(x: Objects, label: Any, g: Any) -> Any:
    return g * (exact_softmax(x) - (np.arange(x.size) == label))


def gated(name: str, gate_is_second: bool = False) -> dict[str, RowFunction]:
    """f(u) v of the halves u, v, in this order or the other; and its gradient."""
    activation: Activation = ACTIVATIONS[name]
    order = slice(None, None, -1 if gate_is_second else 1)

    def halves(x: Any) -> Any:
        return np.split(x, 2, -1)[order]

    def forward(f: Callable[[Any], Any], x: Any) -> Any:
        u, v = halves(x)
        return f(u) * v

    def backward(f: Callable[[Any], Any], derivative: Callable[[Any], Any], x: Any, g: Any) -> Any:
        u, v = halves(x)
        return np.concatenate([g * v * derivative(u), g * f(u)][order], -1)

    numpy_f, numpy_derivative = (
        lambda u: evaluate(activation.forward, u),
        lambda u: evaluate(activation.derivative, u),
    )
    exact_f, exact_derivative = (
        np.frompyfunc(formula, 1, 1) for formula in (activation.exact, activation.exact_derivative)
    )
    return {
        "": RowFunction(lambda x: forward(numpy_f, x), lambda x: forward(exact_f, x)),
        "_backward": RowFunction(
            lambda x, g: backward(numpy_f, numpy_derivative, x, g),
            lambda x, g: backward(exact_f, exact_derivative, x, g),
        ),
    }


GATES = {
    "glu": gated("sigmoid", gate_is_second=True),
    "reglu": gated("relu"),
    "geglu": gated("gelu"),
    "swiglu": gated("silu"),
}


def parameter_gradient(name: str, x: ArrayLike, g: ArrayLike, p: ArrayLike) -> tuple[Real, Real]:
    """The gradient for a learnable parameter and the sum of its terms' magnitudes, in the parameter's shape."""
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
    "softmax": RowFunction(softmax, exact_softmax),
    "softmax_backward": RowFunction(
        lambda x, g: centred(softmax(x), g),
        lambda x, g: centred(exact_softmax(x), g),
    ),
    "softmax_backward_from_output": RowFunction(lambda y, g: centred(y.astype(np.longdouble), g), centred),
    "log_softmax": RowFunction(log_softmax, lambda x: LOG(exact_softmax(x))),
    "log_softmax_backward": RowFunction(
        lambda x, g: g - softmax(x) * g.astype(np.longdouble).sum(-1, keepdims=True),
        lambda x, g: g - exact_softmax(x) * g.sum(),
    ),
    "log_softmax_backward_from_output": RowFunction(
        lambda y, g: g - np.exp(y.astype(np.longdouble)) * g.astype(np.longdouble).sum(-1, keepdims=True),
        lambda y, g: g - EXP(y) * g.sum(),
    ),
    "logsumexp": RowFunction(logsumexp, lambda x: LOG(EXP(x).sum())),
    "logsumexp_backward": RowFunction(
        lambda x, g: g[..., None] * softmax(x), lambda x, g: g * exact_softmax(x)
    ),
    "maxout": RowFunction(lambda x: x.max(-1), lambda x: x.max()),
    "maxout_backward": RowFunction(
        lambda x, g: np.where(np.arange(x.shape[-1]) == x.argmax(-1)[..., None], g[..., None], 0.0),
        lambda x, g: (np.arange(x.size) == x.argmax()) * g,
    ),
    "softmax_cross_entropy": RowFunction(
        lambda x, labels: -at_label(log_softmax(x), labels)[..., 0],
        lambda x, label: -LOG(exact_softmax(x)[label]),
    ),
    "softmax_cross_entropy_backward": RowFunction(cross_entropy_backward, exact_cross_entropy_backward),
} | {name + suffix: function for name, gate in GATES.items() for suffix, function in gate.items()}
