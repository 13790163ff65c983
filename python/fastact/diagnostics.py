"""Measures of whether the units of a network still learn, computed from the arrays of a training step.

Every function takes a list of arrays, one per layer, in the order of the layers. The last axis of each array,
or the one given by ``axis=``, is that of the units, and the other axes are those of the samples.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["GradientFlow", "dead_fraction", "gradient_flow", "saturated_fraction"]

Array = NDArray[np.float64]


def _each(name: str, layers: Sequence[ArrayLike]) -> list[NDArray[Any]]:
    if isinstance(layers, np.ndarray):
        raise TypeError(f"{name} must be a list of arrays, one per layer, not an array")
    arrays = [np.asarray(layer) for layer in layers]
    for i, array in enumerate(arrays):
        if array.size == 0:
            raise ValueError(f"{name}[{i}] is empty")
    return arrays


def dead_fraction(layers: Sequence[ArrayLike], tolerance: float = 0.0, axis: int = -1) -> Array:
    """Return the fraction of each layer's units that are 0 for every sample.

    A unit whose slope is 0 for all samples has a gradient of 0 and no longer learns.

    Parameters
    ----------
    layers : list of array_like
        The slopes f'(x) of each layer, which ``fastact.NAME_backward(x, 1.0)`` returns, or its gradients. For
        relu and similar functions, the outputs will do too, because they are 0 where the slope is 0.
    tolerance : float, default: 0.0
        The magnitude up to which a number counts as 0.
    axis : int, default: -1
        The axis of the units; for ``(samples, channels, height, width)`` it is 1.

    Returns
    -------
    ndarray of float64
        The fraction for each layer, from 0 to 1.

    Raises
    ------
    TypeError
        If layers is a single array.
    ValueError
        If a layer is empty.

    References
    ----------
    Lu, Shin, Su and Karniadakis, "Dying ReLU and initialization: theory and numerical examples", 2020.

    Examples
    --------
    >>> from fastact import diagnostics
    >>> x = np.array([[-1.0, 2.0, -3.0], [1.0, 2.0, -1.0]])  # two samples, three units
    >>> diagnostics.dead_fraction([fastact.relu(x), fastact.elu_backward(x, 1.0)])
    array([0.33333333, 0.        ])
    """
    fractions = []
    for a in _each("layers", layers):
        units = np.moveaxis(a, axis, -1).reshape(-1, a.shape[axis])
        fractions.append((np.abs(units) <= tolerance).all(axis=0).mean())
    return np.array(fractions)


def saturated_fraction(
    outputs: Sequence[ArrayLike], low: float = -1.0, high: float = 1.0, margin: float = 0.05
) -> Array:
    """Return the fraction of each layer's outputs that are near an end of the activation's range.

    Near the ends, the slope is close to 0, and little of the gradient is passed back.

    Parameters
    ----------
    outputs : list of array_like
        The outputs of the activations of each layer.
    low, high : float, default: -1.0 and 1.0
        The range of the activation: -1 and 1 for tanh and softsign, 0 and 1 for sigmoid, -1 and ``np.inf``
        for elu.
    margin : float, default: 0.05
        The distance from an end of the range up to which an output counts as saturated.

    Returns
    -------
    ndarray of float64
        The fraction for each layer, from 0 to 1.

    Raises
    ------
    TypeError
        If outputs is a single array.
    ValueError
        If an array is empty.

    References
    ----------
    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010.

    Examples
    --------
    >>> from fastact import diagnostics
    >>> x = np.array([[-9.0, 0.5], [0.0, 4.0]])
    >>> diagnostics.saturated_fraction([fastact.tanh(x), fastact.tanh(x / 10)])
    array([0.5, 0. ])
    """
    return np.array(
        [np.mean((y <= low + margin) | (y >= high - margin)) for y in _each("outputs", outputs)], np.float64
    )


@dataclass(frozen=True)
class GradientFlow:
    """How the size of the gradients changes from layer to layer.

    Attributes
    ----------
    root_mean_square : ndarray of float64
        The size of each layer's gradient.
    zeros : ndarray of float64
        The fraction of each layer's gradient that is exactly 0.
    factor : float
        The average factor between the gradient of a layer and that of the layer after it. If it is below 1,
        gradients vanish; if it is above 1, they explode.
    """

    root_mean_square: Array
    zeros: Array
    factor: float


def gradient_flow(gradients: Sequence[ArrayLike]) -> GradientFlow:
    """Return how the size of the gradients changes from layer to layer.

    Parameters
    ----------
    gradients : list of array_like
        The gradients of the loss with respect to the inputs, outputs or weights of each layer.

    Returns
    -------
    GradientFlow
        An object with the attributes ``root_mean_square``, ``zeros`` and ``factor``.

    Raises
    ------
    TypeError
        If gradients is a single array.
    ValueError
        If the list or one of its arrays is empty.

    References
    ----------
    Bengio, Simard and Frasconi, "Learning long-term dependencies with gradient descent is difficult", 1994.

    Examples
    --------
    >>> from fastact import diagnostics
    >>> flow = diagnostics.gradient_flow([np.full((2, 3), 0.01), np.full((2, 3), 0.1), np.ones((2, 3))])
    >>> flow.root_mean_square
    array([0.01, 0.1 , 1.  ])
    >>> round(flow.factor, 6)
    0.1
    """
    arrays = [a.astype(np.float64) for a in _each("gradients", gradients)]
    if not arrays:
        raise ValueError("gradients is empty")
    sizes = np.array([np.linalg.norm(a) / np.sqrt(a.size) for a in arrays])
    zeros = np.array([np.mean(a == 0) for a in arrays])
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = (sizes[0] / sizes[-1]) ** (1 / max(1, len(sizes) - 1))
    return GradientFlow(sizes, zeros, float(factor))
