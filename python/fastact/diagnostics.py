"""Whether a network's units still learn, told from the arrays that training makes.

Every function takes a list of arrays, one a layer in the order of the layers, whose last axis holds the units
(or, with ``axis=``, another) and whose other axes the samples; and returns an array with a number a layer.
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
        raise TypeError(f"{name} must be a list of arrays, one a layer, not an array")
    arrays = [np.asarray(layer) for layer in layers]
    for i, array in enumerate(arrays):
        if array.size == 0:
            raise ValueError(f"{name}[{i}] is empty")
    return arrays


def dead_fraction(layers: Sequence[ArrayLike], tolerance: float = 0.0, axis: int = -1) -> Array:
    """Return the fraction of each layer's units that are 0 for every sample.

    A unit whose slope is 0 for all samples has gradients of 0, and does not learn any more.

    Parameters
    ----------
    layers : list of array_like
        The layers' slopes f'(x), which ``fastact.NAME_backward(x, 1.0)`` gives, or gradients. Outputs will do
        for relu, relu6 and the like, which are 0 where their slope is.
    tolerance : float, default: 0.0
        The magnitude up to which a number counts as 0.
    axis : int, default: -1
        The axis of the units; in ``(samples, channels, height, width)`` it is 1.

    Returns
    -------
    ndarray of float64
        The fraction for each layer, from 0 to 1.

    Raises
    ------
    TypeError
        If layers is one array.
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

    There a sigmoid's slope is near 0, and little of the gradient comes through.

    Parameters
    ----------
    outputs : list of array_like
        What the layers' activations return.
    low, high : float, default: -1.0 and 1.0
        The range: that of tanh and softsign by default, 0 and 1 for sigmoid; for elu, -1 and ``np.inf``.
    margin : float, default: 0.05
        How close to an end of it is near.

    Returns
    -------
    ndarray of float64
        The fraction for each layer, from 0 to 1.

    Raises
    ------
    TypeError
        If outputs is one array.
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
    """How the gradients' size changes from layer to layer.

    Attributes
    ----------
    root_mean_square : ndarray of float64
        The size of each layer's gradient.
    zeros : ndarray of float64
        The fraction of each that is exactly 0.
    factor : float
        What the size is multiplied by, on average, for a layer further back: below 1 gradients vanish, above
        1 they explode.
    """

    root_mean_square: Array
    zeros: Array
    factor: float


def gradient_flow(gradients: Sequence[ArrayLike]) -> GradientFlow:
    """Return how the gradients' size changes from layer to layer.

    Parameters
    ----------
    gradients : list of array_like
        The loss's gradients, with respect to each layer's inputs, outputs or weights.

    Returns
    -------
    GradientFlow
        With the attributes ``root_mean_square``, ``zeros`` and ``factor``; see there.

    Raises
    ------
    TypeError
        If gradients is one array.
    ValueError
        If an array is empty, or the list is.

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
