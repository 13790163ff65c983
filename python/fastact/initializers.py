"""Random weights whose variance suits the activation that follows.

>>> from fastact import initializers
>>> w = initializers.he_normal((64, 256), rng=0, dtype=np.float32)  # for relu and its kin
>>> w = initializers.glorot_uniform((64, 256), rng=0)  # for tanh, sigmoid and softmax
>>> w = initializers.lecun_normal((64, 256), rng=0)  # for selu

A weight's variance is scale/fan. fan_in is how many inputs a sum has, fan_out how many sums an input goes to.
Where in a shape they are found depends on the library, and is told by `layout`:

============  ==============  =========================  ============================
layout        dense           convolution                as in
============  ==============  =========================  ============================
``"in_out"``  (in, out)       ``(*window, in, out)``     Keras, JAX; x @ w
``"out_in"``  (out, in)       ``(out, in, *window)``     PyTorch; x @ w.T
============  ==============  =========================  ============================

A window of several places counts them all: with (3, 3, 16, 32), fan_in is 144 and fan_out 288.
"""

from collections.abc import Callable, Sequence
from math import erf, exp, pi, prod, sqrt
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

import fastact

from . import _core

__all__ = [
    "Initializer",
    "gain",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "lecun_normal",
]
__all__ += ["lecun_uniform", "variance_scaling"]

Mode = Literal["fan_in", "fan_out", "fan_avg"]
Distribution = Literal["truncated_normal", "normal", "uniform"]
Layout = Literal["in_out", "out_in"]
Random = np.random.Generator | int | None

# Of a normal distribution that is cut off at two standard deviations; 1 without the cut.
_TRUNCATED = sqrt(1 - 4 * exp(-2) / sqrt(2 * pi) / erf(sqrt(2)))


def _truncated_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    z = rng.standard_normal(shape)
    while (beyond := np.abs(z) > 2).any():
        z[beyond] = rng.standard_normal(np.count_nonzero(beyond))
    return z / _TRUNCATED


# Each with mean 0 and variance 1.
_DISTRIBUTIONS: dict[str, Callable[[np.random.Generator, tuple[int, ...]], NDArray[np.float64]]] = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "truncated_normal": _truncated_normal,
    "uniform": lambda rng, shape: rng.uniform(-sqrt(3), sqrt(3), shape),
}

_FANS: dict[str, Callable[[int, int], float]] = {
    "fan_in": lambda fan_in, fan_out: fan_in,
    "fan_out": lambda fan_in, fan_out: fan_out,
    "fan_avg": lambda fan_in, fan_out: (fan_in + fan_out) / 2,
}


def _fans(shape: tuple[int, ...], layout: str) -> tuple[int, int]:
    if len(shape) < 2:
        raise ValueError(f"shape must have at least two axes, one of inputs and one of outputs, not {shape}")
    inputs, outputs, window = {
        "in_out": (shape[-2], shape[-1], shape[:-2]),
        "out_in": (shape[1], shape[0], shape[2:]),
    }[layout]
    return inputs * prod(window), outputs * prod(window)


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
) -> NDArray[Any]:
    """Return random weights with mean 0 and variance scale/fan.

    Parameters
    ----------
    shape : sequence of int
        Of the weights, of two or more axes.
    scale : float, default: 1.0
        Any positive number; ``gain(name)**2`` fits it to an activation.
    mode : {"fan_in", "fan_out", "fan_avg"}
        What the variance is divided by: the first keeps the size of the values that go forward, the second
        that of the gradients that come back, the third is their mean.
    distribution : {"truncated_normal", "normal", "uniform"}
        The first is a normal distribution without what is beyond two standard deviations, widened so that the
        variance is as stated, as in Keras and JAX.
    rng : numpy.random.Generator or int, optional
        Where the numbers come from, or a seed; by default each call gives others.
    dtype : dtype, default: float64
        Any of real floating-point numbers; the numbers are the same, but for rounding.
    layout : {"in_out", "out_in"}
        Which axes of shape are inputs and outputs, see `fastact.initializers`.

    Returns
    -------
    ndarray
        The weights.

    Raises
    ------
    ValueError
        If shape has fewer than two axes, scale is not positive, or a name is not among those listed.

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
    _check("layout", layout, ("in_out", "out_in"))
    if not scale > 0:
        raise ValueError(f"scale must be positive, not {scale}")
    shape = tuple(shape)
    fan = max(1, _FANS[mode](*_fans(shape, layout)))
    numbers = _DISTRIBUTIONS[distribution](np.random.default_rng(rng), shape)
    return (sqrt(scale / fan) * numbers).astype(dtype, copy=False)


class Initializer(Protocol):
    """A function of this module by whose name a scheme is known."""

    __name__: str

    def __call__(
        self,
        shape: Sequence[int],
        rng: Random = None,
        dtype: DTypeLike = np.float64,
        *,
        layout: Layout = "in_out",
    ) -> NDArray[Any]: ...


def _initializer(
    name: str, scale: float, mode: Mode, distribution: Distribution, variance: str, suits: str, source: str
) -> Initializer:
    def initializer(
        shape: Sequence[int], rng: Random = None, dtype: DTypeLike = np.float64, *, layout: Layout = "in_out"
    ) -> NDArray[Any]:
        return variance_scaling(shape, scale, mode, distribution, rng, dtype, layout=layout)

    initializer.__name__ = initializer.__qualname__ = name
    initializer.__doc__ = f"""Return random weights with mean 0 and variance {variance}, for {suits}.

    It is ``variance_scaling(shape, {scale}, "{mode}", "{distribution}", …)``.

    Parameters
    ----------
    shape : sequence of int
        Of the weights, of two or more axes.
    rng : numpy.random.Generator or int, optional
        Where the numbers come from, or a seed; by default each call gives others.
    dtype : dtype, default: float64
        Any of real floating-point numbers; the numbers are the same, but for rounding.
    layout : {{"in_out", "out_in"}}
        Which axes of shape are inputs and outputs, see `fastact.initializers`.

    Returns
    -------
    ndarray
        The weights.

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
_HE = ("2/fan_in", "relu and its kin", 'He, Zhang, Ren and Sun, "Delving deep into rectifiers", 2015.')
_LECUN = ("1/fan_in", "selu", 'LeCun, Bottou, Orr and Müller, "Efficient backprop", 1998.')

glorot_normal = _initializer("glorot_normal", 1.0, "fan_avg", "truncated_normal", *_GLOROT)
glorot_uniform = _initializer("glorot_uniform", 1.0, "fan_avg", "uniform", *_GLOROT)
he_normal = _initializer("he_normal", 2.0, "fan_in", "truncated_normal", *_HE)
he_uniform = _initializer("he_uniform", 2.0, "fan_in", "uniform", *_HE)
lecun_normal = _initializer("lecun_normal", 1.0, "fan_in", "truncated_normal", *_LECUN)
lecun_uniform = _initializer("lecun_uniform", 1.0, "fan_in", "uniform", *_LECUN)


# What torch.nn.init.calculate_gain says; the others follow from the activation.
_GAINS = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "selu": 3 / 4}


def gain(name: str, **parameters: float) -> float:
    """Return the factor by which weights make up for what an activation does to the size of its input.

    Parameters
    ----------
    name : str
        Of an activation, such as "relu".
    **parameters
        Those of the activation, such as ``negative_slope=0.2``.

    Returns
    -------
    float
        As ``torch.nn.init.calculate_gain``: 1 for identity (also called linear) and sigmoid, 5/3 for tanh,
        3/4 for selu, √2 for relu, √(2/(1 + slope²)) for leaky_relu. For all others what gives the latter two:
        the gain times f(z) has a mean square of 1, where z is normally distributed with mean 0 and variance
        1; correct to four digits.

    Raises
    ------
    ValueError
        If there is no such activation.

    References
    ----------
    He, Zhang, Ren and Sun, "Delving deep into rectifiers", 2015.

    Examples
    --------
    >>> from fastact import initializers
    >>> round(initializers.gain("leaky_relu", negative_slope=0.2), 5)
    1.38675
    >>> w = initializers.variance_scaling((64, 256), initializers.gain("gelu") ** 2)
    """
    if name in _GAINS and not parameters:
        return _GAINS[name]
    names = [activation for activation, *_ in _core.activations + _core.learnable]
    if name not in names:
        raise ValueError(f"name must be one of {', '.join(names)}, not {name!r}")
    z, step = np.linspace(-12, 12, 2**16, retstep=True)
    density = np.exp(-z * z / 2) / sqrt(2 * pi)
    mean_square = step * np.sum(density * np.square(getattr(fastact, name)(z, **parameters)))
    return 1 / sqrt(mean_square)
