"""The exact results of every activation, computed independently of the kernels.

Each function has two formulas: one in NumPy for float64 arrays, in which nothing cancels, overflows or
underflows before the result does; and the definition in mpmath, for errors in ulp.
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
with_many_digits = mp.workprec(2400)  # in bits: enough for definitions that cancel, at every float

Array = NDArray[np.float64]
Number = float | Array
Formula = Callable[..., Any]  # a function of float64 arrays, or of one number of mpmath


@dataclass(frozen=True)
class Activation:
    forward: Formula
    derivative: Formula
    exact: Formula
    exact_derivative: Formula
    limits: tuple[float, float, float, float]  # f(-inf), f(inf), f'(-inf), f'(inf), with default parameters
    from_output: Formula | None = None  # the derivative as a formula in y
    exact_from_output: Formula | None = None
    parameters: tuple[dict[str, float], ...] = ()  # other parameters to try than the defaults
    refused: tuple[dict[str, float], ...] = ()
    refused_from_output: tuple[dict[str, float], ...] = ()
    kinks: tuple[float, ...] = ()  # where f' jumps, for the defaults and the other parameters
    roots: tuple[float, ...] = ()  # the roots of a smooth f', to a few digits
    flat: Formula = np.zeros_like  # where f' is zero by definition
    parameter_derivative: Formula | None = None  # df/dp of a learnable parameter p


def evaluate(formula: Formula, x: ArrayLike, **parameters: ArrayLike) -> Array:
    """Return the NumPy formula at x in float64, without warnings; NaN gives NaN."""
    at = np.asarray(x, np.float64)
    with np.errstate(all="ignore"):
        values: Array = np.where(np.isnan(at), np.nan, formula(at, **parameters))
    return values


def sigmoid(x: Array) -> Array:
    e: Array = np.exp(-np.abs(x))
    numerator = np.where(x < 0, e, 1.0)
    return numerator / (1 + e)


def clipped(x: Array) -> Array:
    """Return x, clipped to where e^-|x| is 0, so that 0 is not multiplied by infinity."""
    return np.clip(x, -1e4, 1e4)


def root_exp(x: Array) -> Array:
    """Return h with h*h = e^-|x|, so that a product such as x*h*h underflows only if its value does."""
    return np.exp(-np.abs(x) / 2)


def split(a: Number) -> tuple[Array, Array]:
    """Return the leading 26 bits of a, and the rest."""
    whole = np.asarray(a, np.float64)
    high = (whole.view(np.int64) & -(1 << 27)).view(np.float64)
    return high, whole - high


def product(a: Number, b: Number) -> tuple[Array, Array]:
    """Return a*b and its rounding error (Dekker, 1971)."""
    (a_high, a_low), (b_high, b_low) = split(a), split(b)
    p: Array = np.multiply(a, b)
    return p, a_high * b_high - p + a_high * b_low + a_low * b_high + a_low * b_low


def multiply_add(a: Number, x: Array, b: Number) -> Array:
    """Return a*x + b, which is accurate even where the sum cancels."""
    p, low = product(a, x)
    return p + b + np.where(np.isfinite(low), low, 0.0)


def gated(x: Array, h: Array) -> Array:
    """Return x σ(z), where z has the sign of x and h*h = e^-|z|."""
    return np.where(x < 0, clipped(x) * h / (1 + h * h) * h, x / (1 + h * h))


def gated_derivative(slope: Array, h: Array) -> Array:
    """Return σ(z) (1 + x z' σ(-z)), where slope is x z'."""
    s = 1 / (1 + h * h)
    return np.where(slope < 0, (1 + slope * s) * s * h * h, (1 + slope * s * h * h) * s)


def swish_argument(x: Array, beta: Number) -> tuple[Array, Array]:
    """Return z = beta x, and h with h*h = e^-|z|."""
    p, low = product(beta, x)
    z = np.where(np.equal(beta, 0), 0.0, p)
    return z, root_exp(z) * (1 - np.where(np.abs(z) < 1e4, np.sign(z) * np.nan_to_num(low), 0.0) / 2)


def swish(x: Array, beta: Number = 1.0) -> Array:
    z, h = swish_argument(x, beta)
    return np.where(
        h == 0, np.where(z < 0, np.copysign(0.0, x), x), np.where(z < 0, h * x * h, x) / (1 + h * h)
    )


def swish_derivative(x: Array, beta: Number = 1.0) -> Array:
    z, h = swish_argument(x, beta)
    return gated_derivative(clipped(z), h)


def swish_parameter_derivative(x: Array, beta: Number = 1.0) -> Array:
    _, h = swish_argument(x, beta)
    return np.where(h == 0, 0.0, x * h / (1 + h * h)) ** 2


def root_exp_quick(x: Array) -> Array:
    """Return h with h*h = e^-|1.702 x|, where 1.702 is not rounded to a float."""
    a = np.abs(clipped(x))
    z, low = product(a, QUICK)
    return root_exp(z) * (1 - (low + QUICK_LOW * a) / 2)


def root_exp_tanh(x: Array) -> Array:
    """Return h with h*h = e^-|z|, z = LINEAR x + CUBIC x³.

    The leading parts of the coefficients have so few bits that their products with powers of the multiple of
    1/256 nearest x are exact wherever e^-|z| is not 0.
    """
    a = np.abs(clipped(x))
    near: Array = np.rint(256 * a) / 256
    rest, square = a - near, near * near
    exact = near * (LINEAR_HIGH + CUBIC_HIGH * square)
    low = near * (LINEAR_LOW + CUBIC_LOW * square)
    low += rest * (LINEAR + CUBIC * (3 * near * a + rest * rest))
    z = exact + low
    return root_exp(z) * (1 - (exact - z + low) / 2)


def gelu_tanh_derivative(x: Array) -> Array:
    a = clipped(x)
    return gated_derivative(a * (LINEAR + 3 * CUBIC * a * a), root_exp_tanh(x))


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


def tanh_shrink(x: Array) -> Array:
    """Return x - tanh x, near zero from Lambert's continued fraction, tanh x = x/(1 + x²/(3 + …))."""
    square = x * x
    r = np.zeros(x.shape)
    for n in range(19, 1, -2):
        r = square / (n + r)
    return np.where(np.abs(x) < 1.5, x * r / (1 + r), x - np.tanh(x))


def softsign(x: Array) -> Array:
    a = np.minimum(np.abs(x), 1e20)  # from 2^54 on the result is 1
    value: Array = np.copysign(a / (1 + a), x)
    return value


def squareplus(x: Array, b: Number = 4.0) -> Array:
    """Return f(x) from f(x) f(-x) = b/4 and f(x) - f(-x) = x, which rounds subnormal results only once."""
    a, r = np.abs(x), np.sqrt(b) / 2
    mean = np.maximum(a / 2 + np.hypot(a / 2, r), 5e-324)  # 0 for 0/0
    negative = r / mean * r
    return np.where(x < 0, negative, a + negative)


def squareplus_derivative(x: Array, b: Number = 4.0) -> Array:
    """Return f'(x); cosine = |x|/√(x² + b) and sine = √(b/(x² + b)) give 1 - cosine = sine²/(1 + cosine)."""
    a, r = np.minimum(np.abs(x), np.finfo(float).max), np.sqrt(b)
    h = np.maximum(np.hypot(a, r), 5e-324)  # 0 for 0/0, so that f'(0) = 1/2 as for every other b
    sine, cosine = r / h, a / h
    return np.where(x < 0, sine * sine / (1 + cosine), 1 + cosine) / 2


def celu(x: Array, alpha: Number = 1.0) -> Array:
    q = x / alpha
    return np.where(q > -1e-17, x, alpha * np.expm1(q))


def celu_derivative(x: Array, alpha: Number = 1.0) -> Array:
    q = x / alpha
    p, low = product(q, alpha)
    rest = np.where(q > -1e3, (x - p - low) / alpha, 0.0)
    return np.where(x > 0, 1.0, np.exp(q) * (1 + rest))


def softcap(x: Array, cap: Number = 0.25) -> Array:
    q = x / cap
    y: Array = np.where(np.abs(q) < 1e-9, x, cap * np.tanh(q))
    return y


def softcap_derivative(x: Array, cap: Number = 0.25) -> Array:
    q = np.abs(x) / cap
    p, low = product(q, cap)
    rest = np.where(q < 1e3, (np.abs(x) - p - low) / cap, 0.0)
    h = root_exp(2 * q) * (1 - rest)
    y: Array = (2 * h / (1 + h * h)) ** 2
    return y


SIXTHS = (1 / 6, float(np.float32(1 / 6)))  # the numbers that stand for 1/6, which is not a binary number


def hard_sigmoid_line(x: Array, slope: Number, offset: Number) -> Array:
    sixth = (x + np.multiply(6, offset)) / 6
    return np.where(np.isin(slope, SIXTHS), sixth, multiply_add(slope, x, offset))


def hard_sigmoid_derivative(x: Array, slope: Number = 1 / 6, offset: Number = 0.5) -> Array:
    above = hard_sigmoid_line(x, slope, offset) > 0
    below = hard_sigmoid_line(x, slope, np.subtract(offset, 1)) < 0
    return np.where(above & below, slope, 0.0)


def exact_hard_sigmoid_line(x: Any, slope: Any, offset: Any) -> Any:
    return (mp.mpf(1) / 6 if slope in SIXTHS else slope) * x + offset


def hard_swish(x: Array) -> Array:
    return np.where(x <= -3, 0.0, np.where(x >= 3, x, x * (x + 3) / 6))


def hard_shrink(x: Array, lambd: Number = 0.5) -> Array:
    return np.where((np.abs(x) > lambd) | (x == 0), x, 0.0)  # keeps -0.0


def shrink_derivative(x: Array, lambd: Number = 0.5) -> Array:
    return np.where(np.abs(x) > lambd, 1.0, 0.0)


def exact_sigmoid(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x))


def exact_normal(x: Any) -> Any:
    x = max(x, mp.mpf(-10_000))  # mpmath overflows further out, where no float can tell the difference
    return mp.erfc(-x / mp.sqrt(2)) / 2


def exact_mish_derivative(x: Any) -> Any:
    s = mp.log1p(mp.exp(x))
    return mp.tanh(s) + x * mp.sech(s) ** 2 * exact_sigmoid(x)


def exact_squareplus_derivative(x: Any, b: Any = 4.0) -> Any:
    return (1 + x / mp.sqrt(x * x + b)) / 2 if x else mp.mpf(0.5)


def exact_quick_gelu_derivative(x: Any) -> Any:
    z = EXACT_QUICK * x
    return exact_sigmoid(z) * (1 + z * exact_sigmoid(-z))


def exact_gelu_tanh(x: Any) -> Any:
    return x / 2 * (1 + mp.tanh(mp.sqrt(2 / mp.pi) * (x + EXACT_CUBIC * x**3)))


def exact_gelu_tanh_derivative(x: Any) -> Any:
    c = mp.sqrt(2 / mp.pi)
    t = mp.tanh(c * (x + EXACT_CUBIC * x**3))
    return (1 + t) / 2 + x / 2 * (1 - t * t) * c * (1 + 3 * EXACT_CUBIC * x * x)


def exact_shrink_derivative(x: Any, lambd: Any = 0.5) -> Any:
    return mp.mpf(abs(x) > lambd)


def selu_constants() -> tuple[Any, Any]:
    """Return lambda and alpha of Klambauer et al. (2017), equation 14, which keep mean 0 and variance 1."""
    c, root_e = mp.erfc(1 / mp.sqrt(2)), mp.exp(0.5)
    alpha = mp.sqrt(2 / mp.pi) / (1 - c * root_e)
    norm = 2 * mp.erfc(mp.sqrt(2)) * mp.e**2 + mp.pi * c**2 * mp.e - 2 * (2 + mp.pi) * c * root_e + mp.pi + 2
    return (1 - c * root_e) * mp.sqrt(2 * mp.pi / norm), alpha


LAMBDA, ALPHA = selu_constants()
SCALE, SCALE_ALPHA = float(LAMBDA), float(LAMBDA * ALPHA)

EXACT_QUICK, EXACT_CUBIC = mp.mpf("1.702"), mp.mpf("0.044715")
QUICK = float(EXACT_QUICK)
QUICK_LOW = float(EXACT_QUICK - QUICK)


def coefficient(value: Any) -> tuple[float, float, float]:
    """Return the value as a float, then its bits down to 2^-19, and the rest."""
    high = mp.nint(mp.ldexp(value, 19)) / 2**19
    return float(value), float(high), float(value - high)


# 1 + tanh u = 2σ(z), z = 2u
LINEAR, LINEAR_HIGH, LINEAR_LOW = coefficient(mp.sqrt(8 / mp.pi))
CUBIC, CUBIC_HIGH, CUBIC_LOW = coefficient(mp.sqrt(8 / mp.pi) * EXACT_CUBIC)

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
    "relu_squared": Activation(
        forward=lambda x: np.where(x > 0, x * x, 0.0),
        derivative=lambda x: np.where(x > 0, 2 * x, 0.0),
        exact=lambda x: max(x, mp.zero) ** 2,
        exact_derivative=lambda x: 2 * max(x, mp.zero),
        limits=(0, np.inf, 0, np.inf),
        flat=lambda x: x <= 0,
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
    "prelu": Activation(
        forward=lambda x, alpha=0.25: np.where(x > 0, x, alpha * x),
        derivative=lambda x, alpha=0.25: np.where(x > 0, 1.0, alpha),
        exact=lambda x, alpha=0.25: x if x > 0 else alpha * x,
        exact_derivative=lambda x, alpha=0.25: mp.mpf(1 if x > 0 else alpha),
        limits=(-np.inf, np.inf, 0.25, 1),
        parameters=({"alpha": 0.3}, {"alpha": -2.0}, {"alpha": 1e-30}),
        kinks=(0.0,),
        parameter_derivative=lambda x, alpha=0.25: np.where(x > 0, 0.0, x),
    ),
    "threshold": Activation(
        forward=lambda x, threshold=0.0, value=0.0: np.where(x > threshold, x, value),
        derivative=lambda x, threshold=0.0, value=0.0: np.where(x > threshold, 1.0, 0.0),
        exact=lambda x, threshold=0.0, value=0.0: x if x > threshold else mp.mpf(value),
        exact_derivative=lambda x, threshold=0.0, value=0.0: mp.mpf(x > threshold),
        limits=(0, np.inf, 0, 1),
        parameters=({"threshold": 1.0, "value": -2.0}, {"threshold": -0.5, "value": 20.3}),
        kinks=(0.0, 1.0, -0.5),
        flat=lambda x: x <= 0,
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
    "log_sigmoid": Activation(
        forward=lambda x: np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x))),
        derivative=lambda x: sigmoid(-x),
        exact=lambda x: -mp.log1p(mp.exp(-x)),
        exact_derivative=lambda x: exact_sigmoid(-x),
        limits=(-np.inf, 0, 1, 0),
    ),
    "hard_sigmoid": Activation(
        forward=lambda x, slope=1 / 6, offset=0.5: np.clip(hard_sigmoid_line(x, slope, offset), 0, 1),
        derivative=hard_sigmoid_derivative,
        exact=lambda x, slope=1 / 6, offset=0.5: min(
            max(exact_hard_sigmoid_line(x, slope, offset), mp.zero), mp.one
        ),
        exact_derivative=lambda x, slope=1 / 6, offset=0.5: (
            (mp.mpf(1) / 6 if slope in SIXTHS else slope)
            * (0 < exact_hard_sigmoid_line(x, slope, offset) < 1)
        ),
        limits=(0, 1, 0, 0),
        parameters=({"slope": 0.2}, {"slope": -0.25, "offset": 0.75}),
        kinks=(-3.0, 3.0, -2.5, 2.5, -1.0),
        flat=lambda x: np.abs(x) >= 3,
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
    "tanh_shrink": Activation(
        forward=tanh_shrink,
        derivative=lambda x: np.tanh(x) ** 2,
        exact=with_many_digits(lambda x: x - mp.tanh(x)),
        exact_derivative=lambda x: mp.tanh(x) ** 2,
        limits=(-np.inf, np.inf, 1, 1),
    ),
    "hard_tanh": Activation(
        forward=lambda x, min_value=-1.0, max_value=1.0: np.clip(x, min_value, max_value),
        derivative=lambda x, min_value=-1.0, max_value=1.0: np.where(
            (x > min_value) & (x < max_value), 1.0, 0.0
        ),
        exact=lambda x, min_value=-1.0, max_value=1.0: mp.mpf(min(max(x, min_value), max_value)),
        exact_derivative=lambda x, min_value=-1.0, max_value=1.0: mp.mpf(min_value < x < max_value),
        limits=(-1, 1, 0, 0),
        parameters=({"min_value": -0.5, "max_value": 2.0}, {"min_value": 0.25, "max_value": 0.25}),
        refused=({"min_value": 1.5}, {"max_value": -1.5}, {"min_value": np.nan}, {"max_value": np.nan}),
        kinks=(-1.0, 1.0, -0.5, 2.0, 0.25),
        flat=lambda x: np.abs(x) >= 1,
    ),
    "softsign": Activation(
        forward=softsign,
        derivative=lambda x: (1 / (1 + np.abs(x))) ** 2,
        exact=lambda x: x / (1 + abs(x)),
        exact_derivative=lambda x: 1 / (1 + abs(x)) ** 2,
        limits=(-1, 1, 0, 0),
    ),
    "sparse_plus": Activation(
        forward=lambda x: np.where(x <= -1, 0.0, np.where(x >= 1, x, ((x + 1) / 2) ** 2)),
        derivative=lambda x: np.clip(x / 2 + 0.5, 0, 1),
        exact=lambda x: mp.zero if x <= -1 else x if x >= 1 else ((x + 1) / 2) ** 2,
        exact_derivative=lambda x: min(max((x + 1) / 2, mp.zero), mp.one),
        limits=(0, np.inf, 0, 1),
        flat=lambda x: x <= -1,
    ),
    "softcap": Activation(
        forward=softcap,
        derivative=softcap_derivative,
        exact=lambda x, cap=0.25: cap * mp.tanh(x / cap),
        exact_derivative=lambda x, cap=0.25: mp.sech(x / cap) ** 2,
        limits=(-0.25, 0.25, 0, 0),
        parameters=({"cap": 1.0}, {"cap": 30.0}, {"cap": 1e-30}, {"cap": 1e20}),
        refused=({"cap": 0.0}, {"cap": -1.5}, {"cap": np.nan}),
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
    "celu": Activation(
        forward=celu,
        derivative=celu_derivative,
        exact=lambda x, alpha=1.0: x if x > 0 else alpha * mp.expm1(x / alpha),
        exact_derivative=lambda x, alpha=1.0: mp.one if x > 0 else mp.exp(x / alpha),
        limits=(-1, np.inf, 0, 1),
        parameters=({"alpha": 0.5}, {"alpha": 1.7}, {"alpha": 1e-30}, {"alpha": 1e20}),
        refused=({"alpha": 0.0}, {"alpha": -1.5}, {"alpha": np.nan}),
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
    "exponential": Activation(
        forward=np.exp,
        derivative=lambda x: np.exp(x),
        exact=mp.exp,
        exact_derivative=mp.exp,
        limits=(0, np.inf, 0, np.inf),
        from_output=lambda y: y,
        exact_from_output=lambda y: y,
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
    "squareplus": Activation(
        forward=squareplus,
        derivative=squareplus_derivative,
        exact=with_many_digits(lambda x, b=4.0: (x + mp.sqrt(x * x + b)) / 2),
        exact_derivative=with_many_digits(exact_squareplus_derivative),
        limits=(0, np.inf, 0, 1),
        parameters=({"b": 0.0}, {"b": 1.3}, {"b": 1e-30}, {"b": 1e20}),
        refused=({"b": -1.5}, {"b": np.nan}),
    ),
    "silu": Activation(
        forward=lambda x: gated(x, root_exp(x)),
        derivative=lambda x: gated_derivative(clipped(x), root_exp(x)),
        exact=lambda x: x * exact_sigmoid(x),
        exact_derivative=lambda x: exact_sigmoid(x) * (1 + x * exact_sigmoid(-x)),
        limits=(-0.0, np.inf, 0, 1),
        roots=(-1.2785,),
    ),
    "swish": Activation(
        forward=swish,
        derivative=swish_derivative,
        exact=lambda x, beta=1.0: x * exact_sigmoid(beta * x),
        exact_derivative=lambda x, beta=1.0: (
            exact_sigmoid(beta * x) * (1 + beta * x * exact_sigmoid(-beta * x))
        ),
        limits=(-0.0, np.inf, 0, 1),
        parameters=({"beta": 0.3}, {"beta": -2.0}, {"beta": 0.0}, {"beta": 1e-30}, {"beta": 50.0}),
        roots=(-1.2785,),
        parameter_derivative=swish_parameter_derivative,
    ),
    "quick_gelu": Activation(
        forward=lambda x: gated(x, root_exp_quick(x)),
        derivative=lambda x: gated_derivative(QUICK * clipped(x), root_exp_quick(x)),
        exact=lambda x: x * exact_sigmoid(EXACT_QUICK * x),
        exact_derivative=exact_quick_gelu_derivative,
        limits=(-0.0, np.inf, 0, 1),
        roots=(-0.7512,),
    ),
    "hard_swish": Activation(
        forward=hard_swish,
        derivative=lambda x: np.where(x <= -3, 0.0, np.where(x >= 3, 1.0, (2 * x + 3) / 6)),
        exact=lambda x: x * min(max(x + 3, mp.zero), mp.mpf(6)) / 6,
        exact_derivative=lambda x: mp.zero if x <= -3 else mp.one if x >= 3 else (2 * x + 3) / 6,
        limits=(0, np.inf, 0, 1),
        kinks=(-3.0, 3.0),
        roots=(-1.5,),
        flat=lambda x: x <= -3,
    ),
    "gelu": Activation(
        forward=gelu,
        derivative=gelu_derivative,
        exact=lambda x: x * exact_normal(x),
        exact_derivative=lambda x: exact_normal(x) + x * mp.npdf(x),
        limits=(-0.0, np.inf, 0, 1),
        roots=(-0.7518,),
    ),
    "gelu_tanh": Activation(
        forward=lambda x: gated(x, root_exp_tanh(x)),
        derivative=gelu_tanh_derivative,
        exact=with_many_digits(exact_gelu_tanh),
        exact_derivative=with_many_digits(exact_gelu_tanh_derivative),
        limits=(-0.0, np.inf, 0, 1),
        roots=(-0.7525,),
    ),
    "mish": Activation(
        forward=mish,
        derivative=mish_derivative,
        exact=lambda x: x * mp.tanh(mp.log1p(mp.exp(x))),
        exact_derivative=exact_mish_derivative,
        limits=(-0.0, np.inf, 0, 1),
        roots=(-1.1924,),
    ),
    "hard_shrink": Activation(
        forward=hard_shrink,
        derivative=shrink_derivative,
        exact=lambda x, lambd=0.5: x if abs(x) > lambd else mp.zero,
        exact_derivative=exact_shrink_derivative,
        limits=(-np.inf, np.inf, 1, 1),
        parameters=({"lambd": 0.0}, {"lambd": 2.0}),
        refused=({"lambd": -0.1}, {"lambd": np.nan}),
        kinks=(-0.5, 0.5, -2.0, 2.0),
        flat=lambda x: np.abs(x) <= 0.5,
    ),
    "soft_shrink": Activation(
        forward=lambda x, lambd=0.5: np.where(
            np.abs(x) > lambd, x - np.copysign(lambd, x), hard_shrink(x, lambd)
        ),
        derivative=shrink_derivative,
        exact=lambda x, lambd=0.5: x - mp.sign(x) * min(abs(x), lambd),
        exact_derivative=exact_shrink_derivative,
        limits=(-np.inf, np.inf, 1, 1),
        parameters=({"lambd": 0.0}, {"lambd": 2.3}),
        refused=({"lambd": -0.1}, {"lambd": np.nan}),
        kinks=(-0.5, 0.5, -2.3, 2.3),
        flat=lambda x: np.abs(x) <= 0.5,
    ),
}
