"""How a NumPy user writes a function, as data."""

import math
from collections.abc import Sequence

# What the expressions refer to: functions of numbers, and selu's constants.
CONSTANTS = {"sqrt": math.sqrt, "pi": math.pi, "alpha": 1.6732632423543772, "scale": 1.0507009873554805}

# By pass: f(x), g·f'(x) and the same from the output y. Functions of rows lie along `axis` of a matrix, whose
# halves along it are a and b.
NUMPY: dict[str, Sequence[str]] = {
    "identity": ("x.copy()", "g.copy()"),
    "binary_step": ("(x >= 0).astype(x.dtype)", "np.zeros_like(x)"),
    "relu": ("np.maximum(x, 0)", "g * (x > 0)", "g * (y > 0)"),
    "relu6": ("np.clip(x, 0, 6)", "g * ((x > 0) & (x < 6))"),
    "relu_squared": ("np.maximum(x, 0) ** 2", "2 * g * np.maximum(x, 0)"),
    "leaky_relu": ("np.maximum(x, 0.01 * x)", "np.where(x > 0, g, 0.01 * g)"),
    "prelu": ("np.where(x > 0, x, 0.25 * x)",),
    "threshold": ("np.where(x > 0, x, 0)", "g * (x > 0)"),
    "sigmoid": ("1 / (1 + np.exp(-x))", "g * (s := 1 / (1 + np.exp(-x))) * (1 - s)", "g * y * (1 - y)"),
    "log_sigmoid": ("-np.log1p(np.exp(-x))", "g / (1 + np.exp(x))"),
    "hard_sigmoid": ("np.clip(x / 6 + 0.5, 0, 1)", "g / 6 * (np.abs(x) < 3)"),
    "tanh": ("np.tanh(x)", "g * (1 - np.tanh(x) ** 2)", "g * (1 - y * y)"),
    "tanh_shrink": ("x - np.tanh(x)", "g * np.tanh(x) ** 2"),
    "hard_tanh": ("np.clip(x, -1, 1)", "g * (np.abs(x) < 1)"),
    "softsign": ("x / (1 + np.abs(x))", "g / (1 + np.abs(x)) ** 2"),
    "elu": (
        "np.where(x > 0, x, np.expm1(x))",
        "np.where(x > 0, g, g * np.exp(x))",
        "np.where(y > 0, g, g * (y + 1))",
    ),
    "celu": ("np.where(x > 0, x, np.expm1(x))", "np.where(x > 0, g, g * np.exp(x))"),
    "selu": (
        "scale * np.where(x > 0, x, alpha * np.expm1(x))",
        "scale * np.where(x > 0, g, g * alpha * np.exp(x))",
        "np.where(y > 0, scale * g, g * (y + scale * alpha))",
    ),
    "exponential": ("np.exp(x)", "g * np.exp(x)", "g * y"),
    "softplus": ("np.log1p(np.exp(x))", "g / (1 + np.exp(-x))", "-g * np.expm1(-y)"),
    "squareplus": ("(x + np.sqrt(x * x + 4)) / 2", "g * (1 + x / np.sqrt(x * x + 4)) / 2"),
    "silu": ("x / (1 + np.exp(-x))", "g * (s := 1 / (1 + np.exp(-x))) * (1 + x * (1 - s))"),
    "swish": ("x / (1 + np.exp(-x))",),
    "quick_gelu": (
        "x / (1 + np.exp(-1.702 * x))",
        "g * (s := 1 / (1 + np.exp(-1.702 * x))) * (1 + 1.702 * x * (1 - s))",
    ),
    "hard_swish": ("x * np.clip(x + 3, 0, 6) / 6", "g * np.where(np.abs(x) < 3, x / 3 + 0.5, x > 0)"),
    "gelu": (
        "0.5 * x * (1 + erf(x / sqrt(2)))",
        "g * (0.5 * (1 + erf(x / sqrt(2))) + x * np.exp(-x * x / 2) / sqrt(2 * pi))",
    ),
    "gelu_tanh": (
        "0.5 * x * (1 + np.tanh(sqrt(2 / pi) * (x + 0.044715 * x * x * x)))",
        "g * 0.5 * (1 + (t := np.tanh(sqrt(2 / pi) * (x + 0.044715 * x * x * x)))"
        " + x * (1 - t * t) * sqrt(2 / pi) * (1 + 0.134145 * x * x))",
    ),
    "mish": (
        "x * np.tanh(np.log1p(np.exp(x)))",
        "g * ((t := np.tanh(np.log1p(np.exp(x)))) + x * (1 - t * t) / (1 + np.exp(-x)))",
    ),
    "hard_shrink": ("np.where(np.abs(x) > 0.5, x, 0)", "g * (np.abs(x) > 0.5)"),
    "soft_shrink": ("x - np.clip(x, -0.5, 0.5)", "g * (np.abs(x) > 0.5)"),
    "softmax": (
        "special.softmax(x, axis)",
        "(p := special.softmax(x, axis)) * (g - (g * p).sum(axis, keepdims=True))",
        "y * (g - (g * y).sum(axis, keepdims=True))",
    ),
    "log_softmax": (
        "special.log_softmax(x, axis)",
        "g - special.softmax(x, axis) * g.sum(axis, keepdims=True)",
        "g - np.exp(y) * g.sum(axis, keepdims=True)",
    ),
    "logsumexp": (
        "special.logsumexp(x, axis)",
        "np.expand_dims(g, axis) * np.exp(x - np.expand_dims(y, axis))",
    ),
    "maxout": ("np.max(x, axis)", "np.expand_dims(g, axis) * (x == np.expand_dims(y, axis))"),
    "glu": (
        "a / (1 + np.exp(-b))",
        "np.concatenate((g * (s := 1 / (1 + np.exp(-b))), g * a * s * (1 - s)), axis)",
    ),
}
