"""Derivatives of fastact's functions for HIPS autograd (https://github.com/HIPS/autograd).

Importing this module is all: from then on ``autograd.grad``, ``elementwise_grad``, ``jacobian`` and the like
go through calls of ``fastact.NAME``, for the arrays and for the parameters, in forward mode too. The kernels
of ``fastact.NAME_backward`` compute the derivative for an array or a learnable parameter. For other
parameters, and for derivatives of derivatives, autograd differentiates the formulas that are written here.
``fastact.NAME_backward`` and ``fastact.NAME_backward_from_output`` can be differentiated too, except
``prelu_backward`` and ``swish_backward``, which return a pair.

Where a function has a kink, its derivatives of any order are those of the piece that NAME_backward takes x to
be on. Of the keyword arguments of ufuncs, ``axis`` is allowed.

Needs autograd 1.9: ``pip install 'fastact[autograd]'``.

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
from ._rows import _GATES

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


def _density(x: Any) -> Any:
    return fastact.exponential(-x * x / 2) / sqrt(2 * pi)


# Φ(x), the normal distribution function.
_normal: Formula = primitive(lambda x: fastact.gelu_backward(x, 1.0) - x * _density(x))
defvjp(_normal, lambda ans, x: lambda g: g * _density(x))
defjvp(_normal, lambda t, ans, x: t * _density(x))

# autograd's own has gradients neither of the shape of what it broadcasts nor of float32.
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


def _near(x: Any) -> Any:
    """x, but no further out than where f'' is as good as 0, lest its powers overflow."""
    return fastact.hard_tanh(x, -1e6, 1e6)


def _below(x: Any) -> Any:
    """x where it is not positive; spares the overflow of what is not chosen then."""
    return _where(x > 0, 0.0, x)


def _swish(x: Any, g: Any, beta: Any) -> Any:
    x = _near(x)
    z = beta * x
    return g * fastact.sigmoid(z) * (1 + z * fastact.sigmoid(-z))


def _gelu(x: Any, g: Any) -> Any:
    x = _near(x)
    return g * (_normal(x) + x * _density(x))


def _gelu_tanh(x: Any, g: Any) -> Any:
    x = _near(x)
    c, cubic = sqrt(8 / pi), 0.044715
    z, slope = c * (x + cubic * x**3), c * (1 + 3 * cubic * x * x)
    return g * (fastact.sigmoid(z) + fastact.sigmoid_backward(z, x * slope))


def _mish(x: Any, g: Any) -> Any:
    x = _near(x)
    s = fastact.softplus(x)
    return g * (fastact.tanh(s) + x * fastact.tanh_backward(s, fastact.sigmoid(x)))


def _squareplus(x: Any, g: Any, b: Any) -> Any:
    x = _near(x)
    return g * (1 + x / anp.sqrt(x * x + b)) / 2


def _hard_sigmoid(x: Any, g: Any, slope: Any, offset: Any) -> Any:
    y = slope * x + offset
    return _where((y > 0) & (y < 1), g * slope, 0.0)


_SCALE, _SCALE_ALPHA = fastact.selu(1.0), -fastact.selu(-np.inf)


def _per_row(x: Any, g: Any, axis: int) -> Any:
    """g so that it broadcasts against x, which has one more axis."""
    return anp.expand_dims(g * np.ones(np.delete(x.shape, axis), bool), axis)


def _logsumexp(x: Any, g: Any, axis: int, keepdims: bool = False) -> Any:
    return (g if keepdims else _per_row(x, g, axis)) * fastact.softmax(x, axis=axis)


def _maxout(x: Any, g: Any, axis: int) -> Any:
    first = anp.expand_dims(anp.argmax(x, axis), axis)
    places = np.arange(x.shape[axis]).reshape(-1, *[1] * (x.ndim - 1 - axis % x.ndim))
    return _where(places == first, _per_row(x, g, axis), 0.0)


def _cross_entropy(x: Any, labels: Any, g: Any, axis: int) -> Any:
    one_hot = np.moveaxis(np.eye(x.shape[axis], dtype=bool)[labels], -1, axis)
    return _per_row(x, g, axis) * (fastact.softmax(x, axis=axis) - one_hot)


def _gated(name: str, x: Any, g: Any, axes: list[int]) -> Any:
    activation, is_second = _GATES[name]
    f, f_backward = getattr(fastact, activation), getattr(fastact, f"{activation}_backward")
    halves = anp.split(x, 2, axes[0])
    u, v = reversed(halves) if is_second else halves
    parts = [f_backward(u, g * v), g * f(u)]
    return anp.concatenate(parts[::-1] if is_second else parts, axes[0])


# The backward passes as formulas in y = f(x) and g.
_FROM_OUTPUT: dict[str, Formula] = {
    "relu": lambda y, g: _where(y > 0, g, 0.0),
    "sigmoid": lambda y, g: g * y * (1 - y),
    "tanh": lambda y, g: g * (1 - y * y),
    "softplus": lambda y, g, beta: -g * anp.expm1(-beta * y),
    "elu": lambda y, g, alpha: _where(y > 0, g, g * (y + alpha)),
    "selu": lambda y, g: _where(y > 0, g * _SCALE, g * (y + _SCALE_ALPHA)),
    "exponential": lambda y, g: g * y,
    "softmax": lambda y, g, axis=-1: y * (g - anp.sum(g * y, axis, keepdims=True)),
    "log_softmax": lambda y, g, axis=-1: g - anp.exp(y) * anp.sum(g, axis, keepdims=True),
}


def _from_output(name: str) -> Formula:
    f, formula = getattr(fastact, name), _FROM_OUTPUT[name]
    return lambda x, g, *p, **axis: formula(f(x, *p, **axis), g, *p, **axis)


# And in x and g, where y does not serve; that of elu does not tell the sign of x with every alpha.
_BACKWARD: dict[str, Formula] = {
    "identity": lambda x, g: _where(x >= 0, g, g),
    "binary_step": lambda x, g: _where(x >= 0, 0.0 * g, 0.0 * g),
    "relu6": lambda x, g: _where((x > 0) & (x < 6), g, 0.0),
    "relu_squared": lambda x, g: 2 * g * fastact.relu(x),
    "leaky_relu": lambda x, g, slope: _where(x > 0, g, slope * g),
    "prelu": lambda x, g, alpha: _where(x > 0, g, alpha * g),
    "threshold": lambda x, g, threshold, value: _where(x > threshold, g, 0.0),
    "log_sigmoid": lambda x, g: g * fastact.sigmoid(-x),
    "hard_sigmoid": _hard_sigmoid,
    "tanh_shrink": lambda x, g: g * fastact.tanh(x) ** 2,
    "hard_tanh": lambda x, g, low, high: _where((x > low) & (x < high), g, 0.0),
    "softsign": lambda x, g: g / (1 + anp.abs(_near(x))) ** 2,
    "squareplus": _squareplus,
    "elu": lambda x, g, alpha: _where(x > 0, g, g * alpha * fastact.exponential(_below(x))),
    "celu": lambda x, g, alpha: _where(x > 0, g, g * fastact.exponential(_below(x) / alpha)),
    "silu": lambda x, g: _swish(x, g, 1.0),
    "swish": _swish,
    "quick_gelu": lambda x, g: _swish(x, g, 1.702),
    "hard_swish": lambda x, g: _where(x >= 3, g, _where(x > -3, g * (2 * x + 3) / 6, 0.0)),
    "gelu": _gelu,
    "gelu_tanh": _gelu_tanh,
    "mish": _mish,
    "hard_shrink": lambda x, g, lambd: _where(anp.abs(x) > lambd, g, 0.0),
    "soft_shrink": lambda x, g, lambd: _where(anp.abs(x) > lambd, g, 0.0),
    "logsumexp": _logsumexp,
    "maxout": _maxout,
    "softmax_cross_entropy": _cross_entropy,
}
_BACKWARD |= {name: _from_output(name) for name in _FROM_OUTPUT if name not in _BACKWARD}
_BACKWARD |= {name: partial(_gated, name) for name in _GATES}

# The functions of parameters, from which autograd has the derivatives for these.
_FORWARD: dict[str, Formula] = {
    "leaky_relu": lambda x, slope: _where(x > 0, x, slope * x),
    "prelu": lambda x, alpha: _where(x > 0, x, alpha * x),
    "threshold": lambda x, threshold, value: _where(x > threshold, x, value),
    "hard_sigmoid": lambda x, slope, offset: fastact.hard_tanh(slope * x + offset, 0.0, 1.0),
    "hard_tanh": lambda x, low, high: _where(x <= low, low, _where(x >= high, high, x)),
    "softplus": lambda x, beta: fastact.softplus(beta * x) / beta,
    "squareplus": lambda x, b: (x + anp.sqrt(_near(x) ** 2 + b)) / 2,
    "elu": lambda x, alpha: _where(x > 0, x, alpha * anp.expm1(_below(x))),
    "celu": lambda x, alpha: _where(x > 0, x, alpha * anp.expm1(_below(x) / alpha)),
    "swish": lambda x, beta: x * fastact.sigmoid(beta * x),
    "hard_shrink": lambda x, lambd: _where(anp.abs(x) > lambd, x, 0.0),
    "soft_shrink": lambda x, lambd: _where(anp.abs(x) > lambd, x - anp.sign(x) * lambd, 0.0),
}


@contextmanager
def _quiet() -> Iterator[None]:
    """What is 0 by definition is nothing that autograd should warn of."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Output seems independent of input")
        yield


def _of_argument(formula: Formula, k: int, args: Any, keywords: Any) -> Formula:
    return lambda a: formula(*args[:k], a, *args[k + 1 :], **keywords)


@_quiet()
def _pull(formula: Formula, k: int, args: Any, keywords: Any) -> Any:
    """What takes g to its product with the formula's Jacobian for argument k."""
    return make_vjp(_of_argument(formula, k, args, keywords), args[k])[0]


@_quiet()
def _push(formula: Formula, k: int, t: Any, args: Any, keywords: Any) -> Any:
    """The product of the formula's Jacobian for argument k with t."""
    return make_jvp(_of_argument(formula, k, args, keywords), args[k])(t)[1]


def _define(function: Any, pull: Formula, push: Formula) -> Any:
    """Have autograd trace a function; pull and push tell its derivatives for argument k."""

    def check(keywords: Any) -> None:
        if refused := keywords.keys() - {"axis", "axes", "keepdims"}:
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


def _derive(function: Any, formula: Formula) -> Any:
    """Have autograd trace a function, and differentiate the formula for what it computes."""
    return _define(
        function,
        partial(_pull, formula),
        lambda k, t, ans, args, keywords: _push(formula, k, t, args, keywords),
    )


def _derive_backward(name: str) -> None:
    _derive(getattr(_core, f"{name}_backward"), _BACKWARD[name])
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
    _derive_backward(name)


def _define_learnable(name: str) -> None:
    """Both gradients come from one kernel, which has the formulas' derivatives."""
    forward, formula, kernel = _FORWARD[name], _BACKWARD[name], getattr(fastact, f"{name}_backward")
    backward = _derive(
        lambda x, g, p: kernel(np.broadcast_to(x, np.shape(g)), g, p),
        lambda x, g, p: pair_of((formula(x, g, p), _pull(forward, 1, (x, p), {})(g))),
    )

    def pull(k: int, args: Any, keywords: Any) -> Any:
        x, p = args
        return unbroadcast_f(args[k], lambda g: backward(x, g, p)[k])

    def push(k: int, t: Any, ans: Any, args: Any, keywords: Any) -> Any:
        return _push(forward, k, t, args, keywords)

    _define(getattr(_core, name), pull, push)


def _define_rows(name: str) -> None:
    backward, formula = getattr(fastact, f"{name}_backward"), _BACKWARD[name]

    def pull(k: int, args: Any, keywords: Any) -> Any:
        named = {"axis": keywords["axes"][0]} if "axes" in keywords else keywords
        return lambda g: backward(*args, g, **named)

    def push(k: int, t: Any, ans: Any, args: Any, keywords: Any) -> Any:
        """The transpose of the backward pass, which is linear in g."""
        return _pull(formula, len(args), (*args, ans), keywords)(t)

    _define(getattr(_core, name), pull, push)
    _derive_backward(name)


for _name, *_ in _core.activations:
    _define_elementwise(_name)
for _name, *_ in _core.learnable:
    _define_learnable(_name)
for _name, _function in vars(_core).items():
    if isinstance(_function, np.ufunc) and _function.signature and "_backward" not in _name:
        _define_rows(_name)
