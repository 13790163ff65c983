"""Activations composed of others; they call only ufuncs, so that array types are kept."""

from typing import Any

import numpy as np

import fastact


def _check(negative_slope: float, max_value: float | None, threshold: float) -> None:
    for name, value in (("negative_slope", negative_slope), ("threshold", threshold)):
        if not value >= 0:
            raise ValueError(f"general_relu: {name} is {value}; {name} >= 0 is required")
    if max_value is not None and not max_value > threshold:
        raise ValueError(
            f"general_relu: max_value is {max_value}; max_value > threshold = {threshold} is required"
        )


def _shifted(x: Any, threshold: float) -> Any:
    """Return x - threshold in x's type; gradual underflow makes it 0 only where x equals threshold."""
    with np.errstate(over="ignore"):
        return x - x.dtype.type(threshold)


def general_relu(
    x: Any,
    negative_slope: float = 0.0,
    max_value: float | None = None,
    threshold: float = 0.0,
    **keywords: Any,
) -> Any:
    _check(negative_slope, max_value, threshold)
    x = fastact.identity(x)
    y = fastact.threshold(x, threshold, 0.0)
    if max_value is not None:
        y = fastact.hard_tanh(y, 0.0, max_value)
    if negative_slope:
        below = fastact.hard_tanh(_shifted(x, threshold), -np.inf, 0.0)
        y = y + fastact.leaky_relu(below, negative_slope)
    return fastact.identity(y, **keywords) if keywords else y


def general_relu_backward(
    x: Any,
    g: Any,
    negative_slope: float = 0.0,
    max_value: float | None = None,
    threshold: float = 0.0,
    **keywords: Any,
) -> Any:
    _check(negative_slope, max_value, threshold)
    x = fastact.identity(x)
    if max_value is not None:
        g = fastact.threshold_backward(-x, g, -max_value)
    return fastact.leaky_relu_backward(_shifted(x, threshold), g, negative_slope, **keywords)
