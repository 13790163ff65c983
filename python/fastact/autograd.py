"""Derivatives of fastact's functions for HIPS autograd (https://github.com/HIPS/autograd).

It is enough to import this module. From then on, ``autograd.grad``, ``elementwise_grad``, ``jacobian`` and
similar functions differentiate calls of ``fastact.NAME``, with respect to arrays and parameters, in forward
mode too. The kernels of ``fastact.NAME_backward`` compute the derivative with respect to an array or a
learnable parameter. The second derivative with respect to an array is computed in float64 by a formula that
avoids cancellation except at its roots; its relative error is at most 1e-12, in float32 1e-5. For other
parameters and for derivatives of higher order, autograd differentiates the formulas in this module.
``fastact.NAME_backward`` and ``fastact.NAME_backward_from_output`` can be differentiated too, except
``prelu_backward`` and ``swish_backward``, which return a pair.

At a kink of a function, its derivatives of any order are those on the side that NAME_backward chooses. Of the
keyword arguments of ufuncs, only ``axis`` is allowed, and ``where`` for functions of rows that have it.

This module needs autograd 1.9: ``pip install 'fastact[autograd]'``.

Examples
--------
>>> import autograd, fastact.autograd
>>> autograd.grad(lambda x: 3 * x**2)(5.0)
np.float64(30.0)
>>> slope = autograd.elementwise_grad(fastact.silu)
>>> slope(np.array([-2.0, 0.0, 1.0]))
array([-0.09078425,  0.5       ,  0.92767051])
>>> autograd.elementwise_grad(slope)(np.array([-2.0, 0.0, 1.0]))
array([0.05006217, 0.5       , 0.30236612])
>>> gradient = autograd.grad(lambda beta: autograd.numpy.sum(fastact.swish(np.array([-2.0, 0.0, 1.0]), beta)))
>>> round(float(gradient(1.0)), 7)
0.6165863
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from math import pi, sqrt
from typing import Any

import numpy as np

import fastact

from . import _core
from .functions import norms
from .functions.containers import TRACED
from .functions.dropout import others
from .functions.registry import (
    BACKWARD,
    DROPOUT,
    ELEMENTWISE,
    FORWARD,
    FUNCTIONS,
    FUSED,
    GATES,
    LEARNABLE,
    NORMS,
    OF_ROWS,
    Norm,
)

try:
    import autograd.numpy as anp
    from autograd.builtins import tuple as pair_of
    from autograd.core import make_jvp, make_vjp, sum_outgrads
    from autograd.extend import defjvp, defjvp_argnums, defvjp, defvjp_argnums, primitive
    from autograd.numpy.numpy_boxes import ArrayBox
    from autograd.numpy.numpy_jvps import broadcast
    from autograd.numpy.numpy_vjps import unbroadcast_f
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError("fastact.autograd needs autograd: pip install 'fastact[autograd]'") from missing
if not hasattr(ArrayBox, "__array_ufunc__"):
    raise ImportError("fastact.autograd needs autograd 1.9 or newer: pip install -U 'fastact[autograd]'")

__all__: list[str] = []

Formula = Callable[..., Any]


# autograd's own expm1 computes the derivative as expm1(x) + 1, which loses digits.
_expm1: Formula = primitive(lambda x: np.expm1(x))
defvjp(_expm1, lambda ans, x: lambda g: g * fastact.exponential(x))
defjvp(_expm1, lambda t, ans, x: t * fastact.exponential(x))

# autograd's own where does not reduce gradients to the shape of a broadcast argument or keep float32.
_where: Formula = primitive(lambda condition, a, b: np.where(condition, a, b))
defvjp(
    _where,
    lambda ans, c, a, b: unbroadcast_f(a, lambda g: _where(c, g, 0.0)),
    lambda ans, c, a, b: unbroadcast_f(b, lambda g: _where(c, 0.0, g)),
    argnums=(1, 2),
)
defjvp(
    _where,
    lambda t, ans, c, a, b: broadcast(_where(c, t, 0.0), ans),
    lambda t, ans, c, a, b: broadcast(_where(c, 0.0, t), ans),
    argnums=(1, 2),
)


def _near(x: Any, end: float = 1e6) -> Any:
    """Return x clipped to where e^-|x| is 0, so that its powers do not overflow."""
    return fastact.hard_tanh(x, -end, end)


def _below(x: Any) -> Any:
    """Return min(x, 0), so that the exponential of a positive x, which is not used, does not overflow."""
    return _where(x > 0, 0.0, x)


def _swish(x: Any, g: Any, beta: Any) -> Any:
    z = _near(beta * _near(x, 1e30))
    return g * fastact.sigmoid(z) * (1 + z * fastact.sigmoid(-z))


def _root(x: Any, b: Any) -> tuple[Any, Any, Any]:
    """Return m, x/m and √(x² + b)/m with m = max(1, |x|), so that no square overflows."""
    m, ratio = anp.maximum(1.0, anp.abs(x)), fastact.hard_tanh(x)
    return m, ratio, anp.sqrt(ratio * ratio + b / m / m)


def _squareplus(x: Any, g: Any, b: Any) -> Any:
    _, ratio, root = _root(x, b)
    return g * (1 + ratio / root) / 2


def _hard_sigmoid(x: Any, g: Any, slope: Any, offset: Any) -> Any:
    y = slope * x + offset
    return _where((y > 0) & (y < 1), g * slope, 0.0)


_SCALE, _SCALE_ALPHA = fastact.selu(1.0), -fastact.selu(-np.inf)


def _zero(x: Any, *p: Any) -> Any:
    return _where(x >= 0, 0.0, 0.0)


def _swish_second(x: Any, beta: Any) -> Any:
    """Return f''(x), derived from σ'' = -σ' tanh(z/2) like that of all functions of σ."""
    z = _near(beta * x)
    return fastact.sigmoid_backward(z, beta * (2 - z * fastact.tanh(z / 2)))


def _gelu_second(x: Any) -> Any:
    x = _near(x)
    root = fastact.exponential(-x * x / 4)  # √e^(-x²/2), which is normal even if e^(-x²/2) is subnormal
    return root * (2 - x * x) / sqrt(2 * pi) * root


def _gelu_tanh_second(x: Any) -> Any:
    x = _near(x)
    c, cubic = sqrt(8 / pi), 0.044715
    z, slope = c * (x + cubic * x**3), c * (1 + 3 * cubic * x * x)
    return fastact.sigmoid_backward(z, 2 * slope + 6 * c * cubic * x * x - x * slope**2 * fastact.tanh(z / 2))


def _mish_second(x: Any) -> Any:
    """Return 2T' + x T'', T = tanh(softplus x) = n/(n + 2), n = u(u + 2), u = e^x; or e^-x for x > 0."""
    x = _near(x)
    root = fastact.exponential(-anp.abs(x) / 2)
    u = root * root
    d, e = 2 + u * (2 + u), 1 + u * (2 + 2 * u)
    below = 4 * root * (2 * (1 + u) / d**2 + x * (2 + u * (2 - u * (3 + 2 * u))) / d**3) * root
    above = 4 * u * (2 * (1 + u) / e**2 - x * (2 + u * (3 - u * (2 + 2 * u))) / e**3) * u
    return _where(x > 0, above, below)


def _squareplus_second(x: Any, b: Any) -> Any:
    """Return b/(2√(x² + b)³), from f'(x) f'(-x) = b/(4(x² + b)) and f(x) + f(-x) = √(x² + b)."""
    slopes = fastact.squareplus_backward(x, 1.0, b) * fastact.squareplus_backward(-x, 1.0, b)
    return 2 * slopes / (fastact.squareplus(x, b) + fastact.squareplus(-x, b))


def _softsign_second(x: Any) -> Any:
    inverse = 1 / (1 + anp.abs(x))
    return -2 * anp.sign(x) * inverse * inverse * inverse


# Formulas of f''(x) that avoid cancellation except at its roots.
_SECOND: dict[str, Formula] = {
    "identity": _zero,
    "binary_step": _zero,
    "relu": _zero,
    "relu6": _zero,
    "relu_squared": lambda x: _where(x > 0, 2.0, 0.0),
    "leaky_relu": _zero,
    "prelu": _zero,
    "threshold": _zero,
    "sigmoid": lambda x: fastact.sigmoid_backward(x, -fastact.tanh(x / 2)),
    "log_sigmoid": lambda x: -fastact.sigmoid_backward(x, 1.0),
    "hard_sigmoid": _zero,
    "tanh": lambda x: fastact.tanh_backward(x, -2 * fastact.tanh(x)),
    "tanh_shrink": lambda x: fastact.tanh_backward(x, 2 * fastact.tanh(x)),
    "hard_tanh": _zero,
    "softsign": _softsign_second,
    "softplus": lambda x, beta: fastact.sigmoid_backward(beta * x, beta),
    "squareplus": _squareplus_second,
    "sparse_plus": lambda x: _where((x > -1) & (x < 1), 0.5, 0.0),
    "softcap": lambda x, cap: fastact.tanh_backward(x / cap, -2 / cap * fastact.tanh(x / cap)),
    "elu": lambda x, alpha: _where(x > 0, 0.0, alpha * fastact.exponential(_below(x))),
    "celu": lambda x, alpha: _where(x > 0, 0.0, fastact.exponential(_below(x) / alpha) / alpha),
    "selu": lambda x: _where(x > 0, 0.0, _SCALE_ALPHA * fastact.exponential(_below(x))),
    "exponential": fastact.exponential,
    "silu": lambda x: _swish_second(x, 1.0),
    "swish": _swish_second,
    "quick_gelu": lambda x: _swish_second(x, 1.702),
    "hard_swish": lambda x: _where((x > -3) & (x < 3), 1 / 3, 0.0),
    "gelu": _gelu_second,
    "gelu_tanh": _gelu_tanh_second,
    "mish": _mish_second,
    "hard_shrink": _zero,
    "soft_shrink": _zero,
}


def _per_row(x: Any, g: Any, axis: Any) -> Any:
    """Return g with additional axes, so that it broadcasts against x."""
    axis = tuple(range(x.ndim)) if axis is None else axis
    return anp.expand_dims(g * np.ones(np.delete(x.shape, axis), bool), axis)


def _softmax(x: Any, g: Any, axis: Any = -1, where: Any = True) -> Any:
    y, g = fastact.softmax(x, axis=axis, **_masked(where)), _where(where, g, 0.0)
    return y * (g - anp.sum(g * y, axis, keepdims=True))


def _log_softmax(x: Any, g: Any, axis: Any = -1, where: Any = True) -> Any:
    y, g = fastact.softmax(x, axis=axis, **_masked(where)), _where(where, g, 0.0)
    return g - y * anp.sum(g, axis, keepdims=True)


def _logsumexp(x: Any, g: Any, axis: Any = -1, keepdims: bool = False, where: Any = True) -> Any:
    y = fastact.softmax(x, axis=axis, **_masked(where))
    return (g if keepdims else _per_row(x, g, axis)) * y


def _masked(where: Any) -> dict[str, Any]:
    return {} if where is True else {"where": where}


def _maxout(x: Any, g: Any, axis: int) -> Any:
    first = anp.expand_dims(anp.argmax(x, axis), axis)
    places = np.arange(x.shape[axis]).reshape(-1, *[1] * (x.ndim - 1 - axis % x.ndim))
    return _where(places == first, _per_row(x, g, axis), 0.0)


def _cross_entropy(
    x: Any,
    labels: Any,
    g: Any,
    axis: int = -1,
    weights: Any = None,
    ignore_label: int | None = None,
    label_smoothing: float = 0.0,
) -> Any:
    n, labels = x.shape[axis], np.asarray(labels)
    a = labels
    if labels.ndim < x.ndim:
        counts = labels != ignore_label
        a = np.moveaxis(np.eye(n)[np.where(counts, labels, 0)], -1, axis)
        g = g * counts
    a = (1 - label_smoothing) * a + label_smoothing / n
    if weights is not None:
        a = np.moveaxis(np.moveaxis(a, axis, -1) * np.asarray(weights, float), -1, axis)
    return _per_row(x, g, axis) * (fastact.softmax(x, axis=axis) * a.sum(axis, keepdims=True) - a)


def _on_support(y: Any, g: Any, axis: int = -1) -> Any:
    kept = y > 0
    mean = anp.sum(_where(kept, g, 0.0), axis, keepdims=True) / anp.sum(kept, axis, keepdims=True)
    return _where(kept, g - mean, 0.0)


def _gated(name: str, x: Any, g: Any, axes: list[int]) -> Any:
    activation, is_second = GATES[name]
    f, f_backward = getattr(fastact, activation), getattr(fastact, f"{activation}_backward")
    halves = anp.split(x, 2, axes[0])
    u, v = reversed(halves) if is_second else halves
    parts = [f_backward(u, g * v), g * f(u)]
    return anp.concatenate(parts[::-1] if is_second else parts, axes[0])


# The backward passes as formulas in y = f(x) and g.
_FROM_OUTPUT: dict[str, Formula] = {
    "relu": lambda y, g: _where(y > 0, g, 0.0),
    "sigmoid": lambda y, g: g * y * (1 - y),
    "tanh": lambda y, g: g * (1 - y) * (1 + y),
    "softplus": lambda y, g, beta: -g * _expm1(-beta * y),
    "elu": lambda y, g, alpha: _where(y > 0, g, g * (y + alpha)),
    "selu": lambda y, g: _where(y > 0, g * _SCALE, g * (y + _SCALE_ALPHA)),
    "exponential": lambda y, g: g * y,
    "softmax": lambda y, g, axis=-1: y * (g - anp.sum(g * y, axis, keepdims=True)),
    "log_softmax": lambda y, g, axis=-1: g - anp.exp(y) * anp.sum(g, axis, keepdims=True),
    "sparsemax": _on_support,
}


def _from_output(name: str) -> Formula:
    f, formula = getattr(fastact, name), _FROM_OUTPUT[name]
    return lambda x, g, **axis: formula(f(x, **axis), g, **axis)


# The backward passes of functions with parameters, which autograd differentiates with respect to the
# parameters, and those of functions of rows.
_BACKWARD: dict[str, Formula] = {
    "leaky_relu": lambda x, g, slope: _where(x > 0, g, slope * g),
    "prelu": lambda x, g, alpha: _where(x > 0, g, alpha * g),
    "threshold": lambda x, g, threshold, value: _where(x > threshold, g, 0.0),
    "hard_sigmoid": _hard_sigmoid,
    "hard_tanh": lambda x, g, low, high: _where((x > low) & (x < high), g, 0.0),
    "softplus": lambda x, g, beta: g * fastact.sigmoid(beta * x),
    "squareplus": _squareplus,
    "softcap": lambda x, g, cap: g * (1 - fastact.tanh(x / cap) ** 2),
    "elu": lambda x, g, alpha: _where(x > 0, g, g * alpha * fastact.exponential(_below(x))),
    "celu": lambda x, g, alpha: _where(x > 0, g, g * fastact.exponential(_below(x) / alpha)),
    "swish": _swish,
    "hard_shrink": lambda x, g, lambd: _where(anp.abs(x) > lambd, g, 0.0),
    "soft_shrink": lambda x, g, lambd: _where(anp.abs(x) > lambd, g, 0.0),
    "logsumexp": _logsumexp,
    "maxout": _maxout,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "sparsemax": _from_output("sparsemax"),
    "softmax_cross_entropy": _cross_entropy,
}
_BACKWARD |= {name: partial(_gated, name) for name in GATES}


def _squareplus_forward(x: Any, b: Any) -> Any:
    m, _, root = _root(x, b)
    return (x + m * root) / 2


# The functions with parameters, which autograd differentiates with respect to the parameters.
_FORWARD: dict[str, Formula] = {
    "leaky_relu": lambda x, slope: _where(x > 0, x, slope * x),
    "prelu": lambda x, alpha: _where(x > 0, x, alpha * x),
    "threshold": lambda x, threshold, value: _where(x > threshold, x, value),
    "hard_sigmoid": lambda x, slope, offset: fastact.hard_tanh(slope * x + offset, 0.0, 1.0),
    "hard_tanh": lambda x, low, high: _where(x <= low, low, _where(x >= high, high, x)),
    "softplus": lambda x, beta: fastact.relu(x) + fastact.softplus(-anp.abs(beta * x)) / beta,
    "squareplus": _squareplus_forward,
    "elu": lambda x, alpha: _where(x > 0, x, alpha * _expm1(_below(x))),
    "celu": lambda x, alpha: _where(x > 0, x, alpha * _expm1(_below(x) / alpha)),
    "softcap": lambda x, cap: cap * fastact.tanh(x / cap),
    "swish": lambda x, beta: x * fastact.sigmoid(beta * x),
    "hard_shrink": lambda x, lambd: _where(anp.abs(x) > lambd, x, 0.0),
    "soft_shrink": lambda x, lambd: _where(anp.abs(x) > lambd, x - anp.sign(x) * lambd, 0.0),
}


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress autograd's warning about derivatives that are 0 by definition."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Output seems independent of input")
        yield


def _of_argument(formula: Formula, k: int, args: Any, keywords: Any) -> Formula:
    return lambda a: formula(*args[:k], a, *args[k + 1 :], **keywords)


@_quiet()
def _pull(formula: Formula, k: int, args: Any, keywords: Any) -> Any:
    """Return the function of g that multiplies it by the Jacobian of the formula for argument k."""
    return make_vjp(_of_argument(formula, k, args, keywords), args[k])[0]


@_quiet()
def _push(formula: Formula, k: int, t: Any, args: Any, keywords: Any) -> Any:
    """Return the product of the Jacobian of the formula for argument k and t."""
    return make_jvp(_of_argument(formula, k, args, keywords), args[k])(t)[1]


def _define(function: Any, pull: Formula, push: Formula, options: tuple[str, ...] = ()) -> Any:
    """Have autograd trace a function, which may have some options; pull and push are its vjp and jvp for
    argument k."""

    def check(keywords: Any) -> None:
        if refused := keywords.keys() - {"axis", "axes", "eps", "keepdims", *options}:
            raise TypeError(f"{function.__name__}: no derivative is known with {', '.join(sorted(refused))}=")

    def vjp(argnums: Any, ans: Any, args: Any, keywords: Any) -> Formula:
        check(keywords)
        pulls = [pull(k, args, keywords) for k in argnums]
        return lambda g: [back(g) for back in pulls]

    def jvp(argnums: Any, tangents: Any, ans: Any, args: Any, keywords: Any) -> Any:
        check(keywords)
        return sum_outgrads(push(k, t, ans, args, keywords) for k, t in zip(argnums, tangents, strict=True))

    traced = primitive(function)
    defvjp_argnums(traced, vjp)
    defjvp_argnums(traced, jvp)
    return traced


def _derive(function: Any, formula: Formula, options: tuple[str, ...] = ()) -> Any:
    """Have autograd trace a function and differentiate its formula."""
    return _define(
        function,
        partial(_pull, formula),
        lambda k, t, ans, args, keywords: _push(formula, k, t, args, keywords),
        options,
    )


def _second(name: str) -> Any:
    """Return f'' as a function of x and the parameters; it computes in float64 and rounds to f(x)'s type."""
    formula = _SECOND[name]

    def compute(x: Any, *p: Any) -> Any:
        with np.errstate(over="ignore"):
            return np.asarray(formula(np.asarray(x, float), *p)).astype(fastact.identity(x).dtype)[()]

    return _derive(compute, formula)


def _define_backward(name: str, backward: Any) -> Any:
    """Have autograd trace the backward pass of an elementwise function; this pass is linear in g."""
    second = _second(name)

    def pull(k: int, args: Any, keywords: Any) -> Any:
        x, g, *p = args
        if k == 0:
            return unbroadcast_f(x, lambda t: t * g * second(x, *p))
        if k == 1:
            return unbroadcast_f(g, lambda t: traced(x, t, *p))
        return _pull(_BACKWARD[name], k, args, keywords)

    def push(k: int, t: Any, ans: Any, args: Any, keywords: Any) -> Any:
        x, g, *p = args
        if k == 0:
            return broadcast(t * g * second(x, *p), ans)
        if k == 1:
            return traced(x, broadcast(t, ans), *p)
        return _push(_BACKWARD[name], k, t, args, keywords)

    traced = _define(backward, pull, push)
    return traced


def _define_from_output(name: str) -> None:
    if name in _FROM_OUTPUT:
        _derive(getattr(_core, f"{name}_backward_from_output"), _FROM_OUTPUT[name])


def _define_elementwise(name: str) -> None:
    backward = getattr(fastact, f"{name}_backward")

    def pull(k: int, args: Any, keywords: Any) -> Any:
        x, *p = args
        if k > 0:
            return _pull(_FORWARD[name], k, args, keywords)
        return unbroadcast_f(x, lambda g: backward(x, g, *p))

    def push(k: int, t: Any, ans: Any, args: Any, keywords: Any) -> Any:
        x, *p = args
        if k > 0:
            return _push(_FORWARD[name], k, t, args, keywords)
        return backward(x, broadcast(t, ans), *p)

    _define(getattr(_core, name), pull, push)
    _define_backward(name, getattr(_core, f"{name}_backward"))
    _define_from_output(name)


def _define_learnable(name: str) -> None:
    """Have autograd trace a learnable activation, whose gradients both come from one kernel."""
    forward, kernel = _FORWARD[name], getattr(fastact, f"{name}_backward")

    def gradients(x: Any, g: Any, p: Any) -> Any:
        return kernel(np.broadcast_to(x, np.shape(g)), g, p)

    of_x = _define_backward(name, lambda x, g, p: gradients(x, g, p)[0])
    backward = _derive(gradients, lambda x, g, p: pair_of((of_x(x, g, p), _pull(forward, 1, (x, p), {})(g))))

    def pull(k: int, args: Any, keywords: Any) -> Any:
        x, p = args
        return unbroadcast_f(args[k], lambda g: backward(x, g, p)[k])

    def push(k: int, t: Any, ans: Any, args: Any, keywords: Any) -> Any:
        return _push(forward, k, t, args, keywords)

    _define(getattr(_core, name), pull, push)


def _define_gate(name: str) -> None:
    """One call computes both gradients; formulas in the activation's functions differentiate them."""
    f, f_backward = getattr(fastact, name), getattr(fastact, f"{name}_backward")
    gradients: Formula = _derive(
        getattr(_core, f"{name}_gate_backward"), lambda a, b, g: pair_of((f_backward(a, g * b), g * f(a)))
    )

    def pull(k: int, args: Any, keywords: Any) -> Any:
        return unbroadcast_f(args[k], lambda g: gradients(*args, g)[k])

    def push(k: int, t: Any, ans: Any, args: Any, keywords: Any) -> Any:
        return gradients(*args, broadcast(t, ans))[k]

    _define(getattr(_core, f"{name}_gate"), pull, push)


def _sigmoid_cross_entropy(x: Any, t: Any, pos_weight: Any) -> Any:
    return (1 - t) * fastact.softplus(x) + pos_weight * t * fastact.softplus(-x)


def _sigmoid_cross_entropy_backward(x: Any, t: Any, g: Any, pos_weight: Any) -> Any:
    return g * ((1 - t) * fastact.sigmoid(x) - pos_weight * t * fastact.sigmoid(-x))


def _define_loss(name: str, forward: Formula, backward: Formula) -> None:
    """The kernel has the derivative for x, the formulas have those for targets and parameters."""
    kernel = _derive(getattr(_core, f"{name}_backward"), backward)

    def pull(k: int, args: Any, keywords: Any) -> Any:
        x, t, *p = args
        if k > 0:
            return _pull(forward, k, args, keywords)
        return unbroadcast_f(x, lambda g: kernel(x, t, g, *p))

    def push(k: int, tangent: Any, ans: Any, args: Any, keywords: Any) -> Any:
        x, t, *p = args
        return (
            _push(forward, k, tangent, args, keywords) if k > 0 else kernel(x, t, broadcast(tangent, ans), *p)
        )

    _define(getattr(_core, name), pull, push)


_DROPOUT: dict[str, Formula] = {}


def _define_dropout(name: str) -> None:
    """Dropout is linear, and its matrix is diagonal: each derivative is the function itself."""
    traced = _DROPOUT[name] = primitive(getattr(fastact, name))
    defvjp(traced, lambda ans, x, *how: lambda g: traced(g, *how), argnums=(0,))
    defjvp(traced, lambda t, ans, x, *how: traced(t, *how), argnums=(0,))


def _call_dropout(name: str, x: Any, *how: Any) -> Any:
    return _DROPOUT[name](x, *how)


def _define_rows(name: str) -> None:
    backward, formula = getattr(fastact, f"{name}_backward"), _BACKWARD[name]

    def pull(k: int, args: Any, keywords: Any) -> Any:
        if k > 0:
            raise TypeError(f"{name}: no derivative is known with respect to labels")
        named = {"axis": keywords["axes"][0]} if "axes" in keywords else keywords
        return lambda g: backward(*args, g, **named)

    def push(k: int, t: Any, ans: Any, args: Any, keywords: Any) -> Any:
        """Return the jvp as the transpose of the backward pass, which is linear in g."""
        return _pull(formula, len(args), (*args, ans), keywords)(t)

    _define(getattr(_core, name), pull, push)
    _derive(getattr(_core, f"{name}_backward"), formula)
    _define_from_output(name)
    if options := tuple(option for option in _OPTIONS if option in FUNCTIONS[name].options):
        TRACED[name] = ArrayBox, _define(_public(name), pull, push, options)
        TRACED[f"{name}_backward"] = ArrayBox, _derive(_public(f"{name}_backward"), formula, options)


_OPTIONS = "where", "weights", "ignore_label", "label_smoothing"


def _public(name: str) -> Formula:
    """Return a function of its own for what no ufunc computes."""
    function = getattr(fastact, name)

    def compute(*args: Any, **keywords: Any) -> Any:
        return function(*args, **keywords)

    compute.__name__ = name
    return compute


def _define_fused(name: str) -> None:
    """A loss with its gradient, as the two functions whose results it returns."""
    f, backward = getattr(fastact, name), getattr(fastact, f"{name}_backward")

    def both(x: Any, labels: Any, **keywords: Any) -> Any:
        loss = f(x, labels, **keywords)
        return pair_of((loss, backward(x, labels, np.ones(loss.shape, x.dtype), **keywords)))

    _derive(getattr(_core, f"{name}_with_gradient"), both)
    TRACED[f"{name}_with_gradient"] = ArrayBox, _derive(_public(f"{name}_with_gradient"), both, _OPTIONS)


def _axes_of_rows(norm: Norm, x: Any, axis: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the axes that are summed over, and those of gamma in its order."""
    every = tuple(range(np.ndim(x)))
    given = every if axis is None else axis if isinstance(axis, tuple) else (axis,)
    of_gamma = tuple(i % max(1, len(every)) for i in given) if every else ()
    others = tuple(i for i in every if i not in of_gamma)
    return (others if norm.of_channels else of_gamma), of_gamma


def _spread(x: Any, a: Any, axes: tuple[int, ...]) -> Any:
    """Return an array of gamma's shape as one that broadcasts to x."""
    order = sorted(range(len(axes)), key=lambda i: axes[i])
    return anp.reshape(anp.transpose(a, order), [n if i in axes else 1 for i, n in enumerate(np.shape(x))])


def _gathered(total: Any, axes: tuple[int, ...]) -> Any:
    """Return a sum over the other axes, which are kept, in gamma's shape."""
    order = sorted(range(len(axes)), key=lambda i: axes[i])
    flat = anp.reshape(total, [np.shape(total)[i] for i in sorted(axes)])
    return anp.transpose(flat, np.argsort(order).tolist())


def _norm(norm: Norm, x: Any, *rest: Any, axis: Any, eps: float) -> Any:
    """The definition of a norm or of its backward pass; None in the place of an array that is left out."""
    given = dict(zip(norm.arguments[1:], rest, strict=False))
    rows, of_gamma = _axes_of_rows(norm, x, axis)

    def mean(a: Any) -> Any:
        return anp.mean(a, rows, keepdims=True) if rows else a

    if "mean" in given:
        center, variance = (_spread(x, given[name], of_gamma) for name in ("mean", "variance"))
    else:
        center = mean(x) if norm.subtracts_mean else 0.0
        variance = mean((x - center) ** 2)
    inverse = 1 / anp.sqrt(variance + eps)
    normed = (x - center) * inverse
    factor, offset = (
        default if given.get(name) is None else _spread(x, given[name], of_gamma)
        for name, default in (("gamma", 1.0), ("beta", 0.0))
    )
    if not norm.suffix:
        y = factor * normed + offset
        if len(norm.results) == 1:
            return y
        return pair_of((y, _gathered(center, of_gamma), _gathered(variance, of_gamma)))
    h = given["g"] * factor
    dx = inverse * (h - (mean(h) if norm.subtracts_mean else 0.0) - normed * mean(h * normed))
    over = tuple(i for i in range(np.ndim(x)) if i not in of_gamma)
    sums = [
        _gathered(anp.sum(a, over, keepdims=True) if over else a, of_gamma)
        for a in (given["g"] * normed, given["g"])[: len(norm.results) - 1]
    ]
    return pair_of((dx, *sums))


def _define_norm(norm: Norm) -> Formula:
    """The kernels have the gradients of a forward pass' first result; the definition has all others."""
    formula = partial(_norm, norm)
    if len(norm.results) > 1 or norm.name + BACKWARD not in NORMS:
        derived: Formula = _derive(_called(norm), formula)
        return derived
    backward = _TRACED_NORMS[norm.name + BACKWARD]

    def pull(k: int, args: Any, keywords: Any) -> Any:
        x, gamma, *_ = args
        return lambda g: backward(x, g, gamma, **keywords)[k]

    def push(k: int, t: Any, ans: Any, args: Any, keywords: Any) -> Any:
        return _push(formula, k, t, args, keywords)

    traced: Formula = _define(_called(norm), pull, push)
    return traced


def _called(norm: Norm) -> Formula:
    def function(*arrays: Any, axis: Any, eps: float) -> Any:
        results = norm.function(*arrays, axis=axis, eps=eps)
        return pair_of(results) if isinstance(results, tuple) else results

    function.__name__ = norm.name
    return function


def _trace_norm(norm: Norm, arguments: dict[str, Any]) -> Any:
    if arguments.get("out") is not None:
        raise TypeError(f"{norm}: no derivative is known with out=")
    arrays = [arguments.get(name) for name in norm.arguments]
    options = {"axis": arguments.get("axis", -1), "eps": arguments.get("eps", norm.eps)}
    return _TRACED_NORMS[norm.name](*arrays, **options)


for _f in ELEMENTWISE:
    if _f.suffix == FORWARD and _f.sibling(BACKWARD).kind == "elements":
        _define_elementwise(_f.name)
for _f in LEARNABLE:
    _define_learnable(_f.forward)
for _f in OF_ROWS:
    if _f.suffix == FORWARD:
        _define_rows(_f.name)
for _f in FUSED:
    _define_fused(_f.forward)
for _name in _core.gates:
    _define_gate(_name)
for _name in DROPOUT:
    _define_dropout(_name)
others[ArrayBox] = _call_dropout
_define_loss("sigmoid_cross_entropy", _sigmoid_cross_entropy, _sigmoid_cross_entropy_backward)
_TRACED_NORMS: dict[str, Formula] = {}
for _each in sorted(NORMS.values(), key=lambda norm: not norm.suffix):  # backward passes first
    _TRACED_NORMS[_each.name] = _define_norm(_each)
norms.TRACED[ArrayBox] = _trace_norm
