"""Random weights whose variance suits the activation that follows.

>>> from fastact import initializers
>>> w = initializers.he_normal((64, 256), rng=0, dtype=np.float32)  # for relu and related functions
>>> w = initializers.glorot_uniform((64, 256), rng=0)  # for tanh, sigmoid and softmax
>>> w = initializers.lecun_normal((64, 256), rng=0)  # for selu

The variance of the weights is scale/fan. fan_in is the number of inputs of a weighted sum, and fan_out is the
number of sums to which an input contributes. The argument `layout` tells how to find them in a shape:

============  ==============  =========================  ============================
layout        dense           convolution                used by
============  ==============  =========================  ============================
``"in_out"``  (in, out)       ``(*window, in, out)``     Keras, JAX; x @ w
``"out_in"``  (out, in)       ``(out, in, *window)``     PyTorch; x @ w.T
============  ==============  =========================  ============================

The fans count all positions of a window: with (3, 3, 16, 32), fan_in is 144 and fan_out is 288. If they do
not follow from the shape, as for depthwise and grouped convolutions, pass `fan_in` and `fan_out`:

>>> w = initializers.he_normal((3, 3, 64, 1), rng=0, fan_in=9)  # depthwise in Keras: a sum has 3 · 3 inputs
>>> w = initializers.he_normal((64, 1, 3, 3), rng=0, layout="out_in")  # PyTorch, where fan_in is correct
"""

from collections.abc import Callable, Iterable, Sequence
from math import erf, exp, pi, prod, sqrt
from operator import index
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

import fastact

from .functions.by_name import Framework

__all__ = [
    "Initializer",
    "gain",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "lecun_normal",
]
__all__ += ["lecun_uniform", "orthogonal", "variance_scaling"]

Mode = Literal["fan_in", "fan_out", "fan_avg"]
Distribution = Literal["truncated_normal", "normal", "uniform"]
Layout = Literal["in_out", "out_in"]
Random = np.random.Generator | int | None

# The standard deviation of the standard normal distribution truncated at two standard deviations.
_TRUNCATED = sqrt(1 - 4 * exp(-2) / sqrt(2 * pi) / erf(sqrt(2)))


def _truncated_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    z = rng.standard_normal(shape)
    while (beyond := np.abs(z) > 2).any():
        z[beyond] = rng.standard_normal(np.count_nonzero(beyond))
    return z / _TRUNCATED


# Each distribution has mean 0 and variance 1.
_DISTRIBUTIONS: dict[str, Callable[[np.random.Generator, tuple[int, ...]], NDArray[np.float64]]] = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "truncated_normal": _truncated_normal,
    "uniform": lambda rng, shape: rng.uniform(-sqrt(3), sqrt(3), shape),
}

_FANS: dict[str, Callable[[float, float], float]] = {
    "fan_in": lambda fan_in, fan_out: fan_in,
    "fan_out": lambda fan_in, fan_out: fan_out,
    "fan_avg": lambda fan_in, fan_out: (fan_in + fan_out) / 2,
}


def _axes(shape: tuple[int, ...], layout: str) -> tuple[int, int, tuple[int, ...]]:
    """Return the numbers of inputs and outputs at each position of the window, and the window."""
    if len(shape) < 2:
        raise ValueError(f"shape must have at least two axes, one of inputs and one of outputs, not {shape}")
    _check("layout", layout, ("in_out", "out_in"))
    if layout == "in_out":
        return shape[-2], shape[-1], shape[:-2]
    return shape[1], shape[0], shape[2:]


def _fan(name: str, given: float | None, counted: int) -> float:
    if given is None:
        return max(1, counted)  # avoids a division by zero for shapes without elements
    if not given > 0:
        raise ValueError(f"{name} must be positive, not {given}")
    return given


def _as_shape(shape: int | Sequence[int]) -> tuple[int, ...]:
    return tuple(shape) if isinstance(shape, Iterable) else (index(shape),)


def _real(dtype: DTypeLike) -> np.dtype[Any]:
    """Return the dtype; raise an exception if it is not one of real floating-point numbers."""
    found = np.dtype(dtype)
    if found.kind != "f" and not (found.kind == "V" and np.can_cast(found, np.float32)):  # bfloat16 is a "V"
        raise TypeError(f"dtype must be one of real floating-point numbers, not {found}")
    return found


def _check(name: str, given: str, allowed: Sequence[str]) -> None:
    if given not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, not {given!r}")


def variance_scaling(
    shape: Sequence[int],
    scale: float = 1.0,
    mode: Mode = "fan_in",
    distribution: Distribution = "truncated_normal",
    rng: Random = None,
    dtype: DTypeLike = np.float64,
    *,
    layout: Layout = "in_out",
    fan_in: float | None = None,
    fan_out: float | None = None,
) -> NDArray[Any]:
    """Return random weights with mean 0 and variance scale/fan.

    Parameters
    ----------
    shape : sequence of int
        The shape of the weights, with two or more axes.
    scale : float, default: 1.0
        Any positive number; ``gain(name)**2`` is the scale for an activation.
    mode : {"fan_in", "fan_out", "fan_avg"}
        The number by which the variance is divided: "fan_in" preserves the size of the outputs in the forward
        pass, "fan_out" that of the gradients in the backward pass, and "fan_avg" is the mean of both.
    distribution : {"truncated_normal", "normal", "uniform"}
        "truncated_normal" is a normal distribution truncated at two standard deviations and scaled to the
        required variance, as in Keras and JAX.
    rng : numpy.random.Generator or int, optional
        A random generator or a seed; by default each call returns different numbers.
    dtype : dtype, default: float64
        Any dtype of real floating-point numbers; the numbers are the same except for rounding.
    layout : {"in_out", "out_in"}
        Which axes of the shape are inputs and outputs; see `fastact.initializers`.
    fan_in, fan_out : float, optional
        The number of inputs of a sum, and the number of sums to which an input contributes, if they cannot be
        derived from the shape; see `fastact.initializers`.

    Returns
    -------
    ndarray
        The weights.

    Raises
    ------
    ValueError
        If shape has fewer than two axes, if scale or a fan is not positive, or if mode, distribution or
        layout is not one of the names above.
    TypeError
        If dtype is not one of real floating-point numbers.

    References
    ----------
    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010;
    He, Zhang, Ren and Sun, "Delving deep into rectifiers", 2015.

    Examples
    --------
    >>> from fastact import initializers
    >>> w = initializers.variance_scaling((300, 100), 2.0, "fan_in", "normal", rng=0)
    >>> w.shape, round(float(w.var() * 300), 1)
    ((300, 100), 2.0)
    """
    _check("mode", mode, tuple(_FANS))
    _check("distribution", distribution, tuple(_DISTRIBUTIONS))
    if not scale > 0:
        raise ValueError(f"scale must be positive, not {scale}")
    kind, shape = _real(dtype), _as_shape(shape)
    inputs, outputs, window = _axes(shape, layout)
    fan = _FANS[mode](
        _fan("fan_in", fan_in, inputs * prod(window)), _fan("fan_out", fan_out, outputs * prod(window))
    )
    numbers = _DISTRIBUTIONS[distribution](np.random.default_rng(rng), shape)
    return (sqrt(scale / fan) * numbers).astype(kind, copy=False)


def orthogonal(
    shape: Sequence[int],
    gain: float = 1.0,
    rng: Random = None,
    dtype: DTypeLike = np.float64,
    *,
    layout: Layout = "in_out",
) -> NDArray[Any]:
    """Return a random matrix with orthogonal rows or columns, each of length `gain`.

    The weights form a matrix with one row for each input of a sum and one column for each sum. Its columns
    are orthogonal or, if there are fewer rows than columns, its rows. A square matrix multiplies the length
    of every vector by `gain`. All such matrices are equally likely.

    Parameters
    ----------
    shape : sequence of int
        The shape of the weights, with two or more axes; the positions of a window count as inputs.
    gain : float, default: 1.0
        The factor of the orthonormal matrix, such as ``gain(name)``.
    rng : numpy.random.Generator or int, optional
        A random generator or a seed; by default each call returns different numbers.
    dtype : dtype, default: float64
        Any dtype of real floating-point numbers; the numbers are the same except for rounding.
    layout : {"in_out", "out_in"}
        Which axes of the shape are inputs and outputs; see `fastact.initializers`.

    Returns
    -------
    ndarray
        The weights.

    Raises
    ------
    ValueError
        If shape has fewer than two axes, or if layout is not one of the names above.
    TypeError
        If dtype is not one of real floating-point numbers.

    References
    ----------
    Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear neural
    networks", 2014; Mezzadri, "How to generate random matrices from the classical compact groups", 2007.

    Examples
    --------
    >>> from fastact import initializers
    >>> w = initializers.orthogonal((3, 3, 16, 32), rng=0)
    >>> matrix = w.reshape(-1, 32)
    >>> np.allclose(matrix.T @ matrix, np.eye(32))
    True
    """
    kind, shape = _real(dtype), _as_shape(shape)
    inputs, outputs, window = _axes(shape, layout)
    rows, columns = inputs * prod(window), outputs
    q, r = np.linalg.qr(np.random.default_rng(rng).standard_normal((max(rows, columns), min(rows, columns))))
    # Without these signs, some orthogonal matrices would be more likely than others (Mezzadri).
    q *= gain * np.copysign(1.0, np.diagonal(r))
    is_tall = rows >= columns
    matrix = q if is_tall == (layout == "in_out") else q.T
    return matrix.reshape(shape).astype(kind, copy=False)


class Initializer(Protocol):
    """An initializer of this module, such as `he_normal`."""

    __name__: str

    def __call__(
        self,
        shape: Sequence[int],
        rng: Random = None,
        dtype: DTypeLike = np.float64,
        *,
        layout: Layout = "in_out",
        fan_in: float | None = None,
        fan_out: float | None = None,
    ) -> NDArray[Any]: ...


def _initializer(
    name: str, scale: float, mode: Mode, distribution: Distribution, variance: str, suits: str, source: str
) -> Initializer:
    def initializer(
        shape: Sequence[int],
        rng: Random = None,
        dtype: DTypeLike = np.float64,
        *,
        layout: Layout = "in_out",
        fan_in: float | None = None,
        fan_out: float | None = None,
    ) -> NDArray[Any]:
        return variance_scaling(
            shape, scale, mode, distribution, rng, dtype, layout=layout, fan_in=fan_in, fan_out=fan_out
        )

    initializer.__name__ = initializer.__qualname__ = name
    initializer.__doc__ = f"""Return random weights with mean 0 and variance {variance}, for {suits}.

    It is ``variance_scaling(shape, {scale}, "{mode}", "{distribution}", …)``.

    Parameters
    ----------
    shape : sequence of int
        The shape of the weights, with two or more axes.
    rng : numpy.random.Generator or int, optional
        A random generator or a seed; by default each call returns different numbers.
    dtype : dtype, default: float64
        Any dtype of real floating-point numbers; the numbers are the same except for rounding.
    layout : {{"in_out", "out_in"}}
        Which axes of the shape are inputs and outputs; see `fastact.initializers`.
    fan_in, fan_out : float, optional
        The number of inputs of a sum, and the number of sums to which an input contributes, if they cannot be
        derived from the shape; see `fastact.initializers`.

    Returns
    -------
    ndarray
        The weights.

    Raises
    ------
    ValueError
        If shape has fewer than two axes, a fan is not positive, or layout is not one of the names above.
    TypeError
        If dtype is not one of real floating-point numbers.

    References
    ----------
    {source}

    Examples
    --------
    >>> from fastact import initializers
    >>> w = initializers.{name}((3, 3, 16, 32), rng=0, dtype=np.float32)
    >>> w.shape, w.dtype
    ((3, 3, 16, 32), dtype('float32'))
    """
    return initializer


_GLOROT = (
    "2/(fan_in + fan_out)",
    "tanh, sigmoid and softmax",
    'Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010.',
)
_HE = (
    "2/fan_in",
    "relu and related functions",
    'He, Zhang, Ren and Sun, "Delving deep into rectifiers", 2015.',
)
_LECUN = ("1/fan_in", "selu", 'LeCun, Bottou, Orr and Müller, "Efficient backprop", 1998.')

glorot_normal = _initializer("glorot_normal", 1.0, "fan_avg", "truncated_normal", *_GLOROT)
glorot_uniform = _initializer("glorot_uniform", 1.0, "fan_avg", "uniform", *_GLOROT)
he_normal = _initializer("he_normal", 2.0, "fan_in", "truncated_normal", *_HE)
he_uniform = _initializer("he_uniform", 2.0, "fan_in", "uniform", *_HE)
lecun_normal = _initializer("lecun_normal", 1.0, "fan_in", "truncated_normal", *_LECUN)
lecun_uniform = _initializer("lecun_uniform", 1.0, "fan_in", "uniform", *_LECUN)


# The values of torch.nn.init.calculate_gain that do not follow from the activation.
_GAINS = {"identity": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "selu": 3 / 4}


def gain(name: str, *, like: Framework | None = None, **parameters: Any) -> float:
    """Return the factor by which weights compensate for the effect of an activation on the signal size.

    Parameters
    ----------
    name : str
        The name of an activation, such as "relu"; every name that `fastact.get` accepts.
    like : {"torch", "keras", "keras2", "jax"}, optional
        The framework that determines the meaning of the name and the defaults, as in `fastact.get`.
    **parameters
        Parameters of the activation, such as ``negative_slope=0.2``.

    Returns
    -------
    float
        The value of ``torch.nn.init.calculate_gain``, if it is defined: 1 for identity (also called linear)
        and sigmoid, 5/3 for tanh, 3/4 for selu, √2 for relu, √(2/(1 + slope²)) for leaky_relu. For all other
        functions it is defined as for relu and leaky_relu: the gain times f(z) has a mean square of 1, where
        z is normally distributed with mean 0 and variance 1. It is correct to four digits. Gated functions
        have two such inputs. For other functions of rows, whose result depends on the length of the row, the
        gain is 1.

    Raises
    ------
    ValueError
        If the activation is unknown.
    TypeError
        If the activation does not have these parameters.

    References
    ----------
    He, Zhang, Ren and Sun, "Delving deep into rectifiers", 2015.

    Examples
    --------
    >>> from fastact import initializers
    >>> round(initializers.gain("LeakyReLU", negative_slope=0.2), 5)
    1.38675
    >>> w = initializers.variance_scaling((64, 256), initializers.gain("gelu") ** 2)
    """
    f = fastact.get(name, like=like, **parameters)
    if f.name in _GAINS:
        return _GAINS[f.name]
    z, step = np.linspace(-12, 12, 2**16, retstep=True)
    weights = step * np.exp(-z * z / 2) / sqrt(2 * pi)

    def mean_square(y: Any) -> float:
        return float(np.sum(weights * np.square(y).ravel()))

    if "axis" not in f.parameters:
        return 1 / sqrt(mean_square(f(z)))
    if np.shape(f(np.ones(2))) != (1,):
        return 1.0
    # A gate is the product of a function of one half and a function of the other half.
    first, second = (f(np.stack(halves, f.parameters["axis"])) for halves in ((z, z**0), (z**0, z)))
    return float(abs(f(np.ones(2))[0])) / sqrt(mean_square(first) * mean_square(second))
