"""What every activation must compute, from sources that owe nothing to fastact.

Each entry states its function twice: in NumPy, on float64 arrays, arranged so that nothing cancels, overflows
or underflows before the result does; and in mpmath, as defined, for errors in ulp.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import erfcx, ndtr

mp = mpmath.mp.clone()
mp.prec = 200

Array = NDArray[np.float64]
Formula = Callable[..., Any]  # of float64 arrays, or of one mpf


@dataclass(frozen=True)
class Activation:
    forward: Formula
    derivative: Formula
    exact: Formula
    exact_derivative: Formula
    limits: tuple[float, float, float, float]  # f(-inf), f(inf), f'(-inf), f'(inf), with default parameters
    from_output: Formula | None = None  # the derivative as a formula in y
    exact_from_output: Formula | None = None
    parameters: tuple[dict[str, float], ...] = ()  # samples beside the defaults
    refused: tuple[dict[str, float], ...] = ()
    refused_from_output: tuple[dict[str, float], ...] = ()
    kinks: tuple[float, ...] = ()  # where f' jumps
    roots: tuple[float, ...] = ()  # where a smooth f' vanishes, to a few digits
    flat: Formula = np.zeros_like  # where f' is zero by definition


def evaluate(formula: Formula, x: ArrayLike, **parameters: ArrayLike) -> Array:
    """The NumPy formula at x, in float64 and without a warning; NaN gives NaN."""
    at = np.asarray(x, np.float64)
    with np.errstate(all="ignore"):
        values: Array = np.where(np.isnan(at), np.nan, formula(at, **parameters))
    return values


def sigmoid(x: Array) -> Array:
    e: Array = np.exp(-np.abs(x))
    numerator = np.where(x < 0, e, 1.0)
    return numerator / (1 + e)


def clipped(x: Array) -> Array:
    """x where it still tells in a product with e^-|x|; spares inf * 0."""
    return np.clip(x, -1e4, 1e4)


def root_exp(x: Array) -> Array:
    """h with h*h = e^-|x|: a product such as x*h*h underflows no earlier than its value does."""
    return np.exp(-np.abs(x) / 2)


def silu(x: Array) -> Array:
    h = root_exp(x)
    return np.where(x < 0, clipped(x) * h / (1 + h * h) * h, x / (1 + h * h))


def silu_derivative(x: Array) -> Array:
    h, x = root_exp(x), clipped(x)
    s = 1 / (1 + h * h)
    return np.where(x < 0, (1 + x * s) * s * h * h, (1 + x * s * h * h) * s)


def gelu(x: Array) -> Array:
    a = clipped(x)
    h = root_exp(a * a / 2)
    below: Array = a * erfcx(-a / np.sqrt(2)) / 2 * h * h
    return np.where(x < 0, below, x * np.asarray(ndtr(x)))


def gelu_derivative(x: Array) -> Array:
    x = clipped(x)
    h, slope = root_exp(x * x / 2), x / np.sqrt(2 * np.pi)
    below: Array = (erfcx(-x / np.sqrt(2)) / 2 + slope) * h * h
    return np.where(x < 0, below, np.asarray(ndtr(x)) + slope * h * h)


def mish(x: Array) -> Array:
    h = root_exp(x)
    u = h * h  # e^x or e^-x, whichever is below 1
    m, p = u * (u + 2) + 2, 1 + 2 * u
    return np.where(x < 0, clipped(x) * h * (u + 2) / m * h, x * p / (p + 2 * u * u))


def mish_derivative(x: Array) -> Array:
    h, x = root_exp(x), clipped(x)
    u = h * h
    m, p = u * (u + 2) + 2, 1 + 2 * u
    q = p + 2 * u * u
    below = ((u + 2) * m + 4 * x * (1 + u)) / (m * m) * h * h
    return np.where(x < 0, below, (p + 4 * x * u * u * (1 + u) / q) / q)


def exact_sigmoid(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x))


def exact_normal(x: Any) -> Any:
    x = max(x, mp.mpf(-10_000))  # mpmath overflows further out, where no float can tell the difference
    return mp.erfc(-x / mp.sqrt(2)) / 2


def exact_mish_derivative(x: Any) -> Any:
    s = mp.log1p(mp.exp(x))
    return mp.tanh(s) + x * mp.sech(s) ** 2 * exact_sigmoid(x)


def selu_constants() -> tuple[Any, Any]:
    """lambda and alpha of Klambauer et al. (2017), equation 14, which keep zero mean and unit variance."""
    c, root_e = mp.erfc(1 / mp.sqrt(2)), mp.exp(0.5)
    alpha = mp.sqrt(2 / mp.pi) / (1 - c * root_e)
    norm = 2 * mp.erfc(mp.sqrt(2)) * mp.e**2 + mp.pi * c**2 * mp.e - 2 * (2 + mp.pi) * c * root_e + mp.pi + 2
    return (1 - c * root_e) * mp.sqrt(2 * mp.pi / norm), alpha


LAMBDA, ALPHA = selu_constants()
SCALE, SCALE_ALPHA = float(LAMBDA), float(LAMBDA * ALPHA)

ACTIVATIONS = {
    "identity": Activation(
        forward=lambda x: x,
        derivative=lambda x: np.ones(x.shape),
        exact=lambda x: x,
        exact_derivative=lambda x: mp.one,
        limits=(-np.inf, np.inf, 1, 1),
    ),
    "binary_step": Activation(
        forward=lambda x: np.where(x >= 0, 1.0, 0.0),
        derivative=lambda x: np.zeros(x.shape),
        exact=lambda x: mp.mpf(x >= 0),
        exact_derivative=lambda x: mp.zero,
        limits=(0, 1, 0, 0),
        kinks=(0.0,),
        flat=np.ones_like,
    ),
    "relu": Activation(
        forward=lambda x: np.where(x > 0, x, 0.0),
        derivative=lambda x: np.where(x > 0, 1.0, 0.0),
        exact=lambda x: max(x, mp.zero),
        exact_derivative=lambda x: mp.mpf(x > 0),
        limits=(0, np.inf, 0, 1),
        from_output=lambda y: np.where(y > 0, 1.0, 0.0),
        exact_from_output=lambda y: mp.mpf(y > 0),
        kinks=(0.0,),
        flat=lambda x: x <= 0,
    ),
    "relu6": Activation(
        forward=lambda x: np.where(x > 0, np.minimum(x, 6), 0.0),
        derivative=lambda x: np.where((x > 0) & (x < 6), 1.0, 0.0),
        exact=lambda x: min(max(x, mp.zero), mp.mpf(6)),
        exact_derivative=lambda x: mp.mpf(0 < x < 6),
        limits=(0, 6, 0, 0),
        kinks=(0.0, 6.0),
        flat=lambda x: (x <= 0) | (x >= 6),
    ),
    "leaky_relu": Activation(
        forward=lambda x, negative_slope=0.01: np.where(x > 0, x, negative_slope * x),
        derivative=lambda x, negative_slope=0.01: np.where(x > 0, 1.0, negative_slope),
        exact=lambda x, negative_slope=0.01: x if x > 0 else negative_slope * x,
        exact_derivative=lambda x, negative_slope=0.01: mp.mpf(1 if x > 0 else negative_slope),
        limits=(-np.inf, np.inf, 0.01, 1),
        parameters=({"negative_slope": 0.3}, {"negative_slope": -2.0}, {"negative_slope": 1e-30}),
        kinks=(0.0,),
    ),
    "sigmoid": Activation(
        forward=sigmoid,
        derivative=lambda x: sigmoid(x) * sigmoid(-x),
        exact=exact_sigmoid,
        exact_derivative=lambda x: exact_sigmoid(x) * exact_sigmoid(-x),
        limits=(0, 1, 0, 0),
        from_output=lambda y: y * (1 - y),
        exact_from_output=lambda y: y * (1 - y),
    ),
    "tanh": Activation(
        forward=np.tanh,
        derivative=lambda x: 4 * sigmoid(2 * x) * sigmoid(-2 * x),
        exact=mp.tanh,
        exact_derivative=lambda x: mp.sech(x) ** 2,
        limits=(-1, 1, 0, 0),
        from_output=lambda y: (1 - y) * (1 + y),
        exact_from_output=lambda y: 1 - y * y,
    ),
    "elu": Activation(
        forward=lambda x, alpha=1.0: np.where(x > 0, x, alpha * np.expm1(x)),
        derivative=lambda x, alpha=1.0: np.where(x > 0, 1.0, alpha * np.exp(x)),
        exact=lambda x, alpha=1.0: x if x > 0 else alpha * mp.expm1(x),
        exact_derivative=lambda x, alpha=1.0: mp.one if x > 0 else alpha * mp.exp(x),
        limits=(-1, np.inf, 0, 1),
        from_output=lambda y, alpha=1.0: np.where(y > 0, 1.0, y + alpha),
        exact_from_output=lambda y, alpha=1.0: mp.one if y > 0 else y + alpha,
        parameters=({"alpha": 0.5}, {"alpha": 1.7}, {"alpha": 1e-30}, {"alpha": -1.3}),
        refused_from_output=({"alpha": -0.5}, {"alpha": np.nan}),
        kinks=(0.0,),
    ),
    "selu": Activation(
        forward=lambda x: np.where(x > 0, SCALE * x, SCALE_ALPHA * np.expm1(x)),
        derivative=lambda x: np.where(x > 0, SCALE, SCALE_ALPHA * np.exp(x)),
        exact=lambda x: LAMBDA * (x if x > 0 else ALPHA * mp.expm1(x)),
        exact_derivative=lambda x: LAMBDA * (1 if x > 0 else ALPHA * mp.exp(x)),
        limits=(-SCALE_ALPHA, np.inf, 0, SCALE),
        from_output=lambda y: np.where(y > 0, SCALE, y + SCALE_ALPHA),
        exact_from_output=lambda y: LAMBDA if y > 0 else y + LAMBDA * ALPHA,
        kinks=(0.0,),
    ),
    "softplus": Activation(
        forward=lambda x, beta=1.0: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(beta * x))) / beta,
        derivative=lambda x, beta=1.0: sigmoid(beta * x),
        exact=lambda x, beta=1.0: mp.log1p(mp.exp(beta * x)) / beta,
        exact_derivative=lambda x, beta=1.0: exact_sigmoid(beta * x),
        limits=(0, np.inf, 0, 1),
        from_output=lambda y, beta=1.0: -np.expm1(-beta * y),
        exact_from_output=lambda y, beta=1.0: -mp.expm1(-beta * y),
        parameters=({"beta": 0.5}, {"beta": 3.3}, {"beta": 1e-20}),
        refused=({"beta": 0.0}, {"beta": -1.5}, {"beta": np.nan}),
    ),
    "silu": Activation(
        forward=silu,
        derivative=silu_derivative,
        exact=lambda x: x * exact_sigmoid(x),
        exact_derivative=lambda x: exact_sigmoid(x) * (1 + x * exact_sigmoid(-x)),
        limits=(-0.0, np.inf, 0, 1),
        roots=(-1.2785,),
    ),
    "gelu": Activation(
        forward=gelu,
        derivative=gelu_derivative,
        exact=lambda x: x * exact_normal(x),
        exact_derivative=lambda x: exact_normal(x) + x * mp.npdf(x),
        limits=(-0.0, np.inf, 0, 1),
        roots=(-0.7518,),
    ),
    "mish": Activation(
        forward=mish,
        derivative=mish_derivative,
        exact=lambda x: x * mp.tanh(mp.log1p(mp.exp(x))),
        exact_derivative=exact_mish_derivative,
        limits=(-0.0, np.inf, 0, 1),
        roots=(-1.1924,),
    ),
}
