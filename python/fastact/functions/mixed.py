"""Layers whose units have different activations."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import index
from typing import Any, Self

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

import fastact

from ..facts import rows
from .by_name import Activation, get


@dataclass(frozen=True, slots=True, repr=False)
class Mixed:
    """Several activations next to each other along one axis, as `mixed` returns them.

    It is called and differentiated like an `Activation`. It is immutable and hashable, and equal to every
    other one with the same activations, sizes and axis.

    Attributes
    ----------
    activations : tuple of Activation
        The activation of each group of units.
    sizes : tuple of int
        The number of units of each group.
    axis : int
        The axis of the units.

    See Also
    --------
    fastact.mixed : Creates a mixed activation.

    Examples
    --------
    >>> import numpy as np
    >>> import fastact
    >>> f = fastact.mixed(["relu", "tanh"], sizes=[2, 1])
    >>> f(np.array([[-1.0, 2.0, 0.5]])).round(3)
    array([[0.   , 2.   , 0.462]])
    """

    activations: tuple[Activation, ...]
    sizes: tuple[int, ...]
    axis: int = -1

    def __call__(self, x: Any, /, out: Any = None) -> Any:
        """Return f(x), where f depends on the position along the axis.

        Parameters
        ----------
        x : array_like
            Input, whose length along the axis is the sum of all sizes.
        out : ndarray, optional
            Array for the result, of x's shape.

        Returns
        -------
        y : ndarray
            Output, of x's shape and, if that is a floating-point type, of its type.
        """
        return self._each("", (x,), out)[0]

    def backward(self, x: Any, g: Any, /, out: Any = None) -> Any:
        """Return dL/dx = g·f'(x), followed by the gradient of each learnable parameter.

        Parameters
        ----------
        x, g : array_like
            Input, and the upstream gradient dL/dy of the same shape.
        out : ndarray, optional
            Array for dL/dx.

        Returns
        -------
        dx : ndarray, or tuple
            dL/dx. If there are learnable parameters, a tuple of dL/dx and the gradients of these parameters,
            in the order of the activations.
        """
        dx, *gradients = self._each("_backward", (x, g), out)
        return (dx, *gradients) if gradients else dx

    @property
    def backward_from_output(self) -> Callable[..., Any] | None:
        """The function of y = f(x) and g that returns g·f'(x); None if an f'(x) does not follow from y."""
        if any(f.backward_from_output is None for f in self.activations):
            return None
        return self._backward_from_output

    def _backward_from_output(self, y: Any, g: Any, /, out: Any = None) -> Any:
        return self._each("_backward_from_output", (y, g), out)[0]

    def _each(self, suffix: str, arrays: tuple[Any, ...], out: Any) -> list[Any]:
        """Return the joined results of all groups, and the gradients of learnable parameters."""
        arrays = tuple(a if hasattr(a, "__array_ufunc__") else np.asarray(a) for a in arrays)
        first, lazy = arrays[0], any(hasattr(a, "rechunk") for a in arrays)
        for name, a in zip(("y" if "output" in suffix else "x", "g"), arrays, strict=False):
            if not lazy and type(a) is not np.ndarray:
                raise TypeError(f"mixed: {name} is a {type(a).__name__}; a NumPy or dask array is required")
            if a.shape != first.shape:
                raise ValueError(f"mixed: x has shape {first.shape}, g {a.shape}; they must be the same")
        axis = normalize_axis_index(self.axis, first.ndim)
        if (n := first.shape[axis]) != sum(self.sizes):
            raise ValueError(
                f"mixed: x has {n} elements along axis {self.axis}; {sum(self.sizes)} are required"
            )
        if lazy and out is not None:
            raise TypeError("mixed: out is not supported with dask arrays")
        if out is None and not lazy:
            kinds = first.dtype, arrays[-1].dtype
            try:
                dtype = fastact.relu_backward.resolve_dtypes((*kinds, None))[-1]
            except TypeError:
                given = " and ".join(dict.fromkeys(map(str, kinds)))
                raise TypeError(f"mixed: arrays of {given} are not supported") from None
            out = np.empty_like(first, dtype=dtype)
        elif not lazy and out.shape != first.shape:
            raise ValueError(f"mixed: out has shape {out.shape} where {first.shape} is required")

        results, gradients, begin = [], [], 0
        for f, size in zip(self.activations, self.sizes, strict=True):
            part = (slice(None),) * axis + (slice(begin, begin + size),)
            begin += size
            is_pair = bool(f.learnable) and suffix == "_backward"
            to = None if lazy else (out[part], None) if is_pair else out[part]
            result = f._call(suffix, *(a[part] for a in arrays), keywords={"out": to})
            if is_pair:
                result, gradient = result
                gradients.append(gradient)
            results.append(result)
        return [np.concatenate(results, axis) if lazy else out, *gradients]

    def to_config(self) -> dict[str, Any]:
        """Return activations, sizes and axis as a dict that JSON can represent.

        Returns
        -------
        dict
            A dict that `from_config` accepts.

        Examples
        --------
        >>> fastact.mixed(["relu"], sizes=[3]).to_config()
        {'activations': [{'name': 'relu', 'parameters': {}}], 'sizes': [3], 'axis': -1}
        """
        activations = [f.to_config() for f in self.activations]
        return {"activations": activations, "sizes": list(self.sizes), "axis": self.axis}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Return the mixed activation that `to_config` describes.

        Parameters
        ----------
        config : dict
            ``{"activations": list, "sizes": list, "axis": int}``.

        Returns
        -------
        Mixed
            A mixed activation with these activations, sizes and axis.

        Examples
        --------
        >>> f = fastact.mixed(["relu", "elu"], sizes=[3, 4])
        >>> fastact.Mixed.from_config(f.to_config()) == f
        True
        """
        activations = tuple(Activation.from_config(f) for f in config["activations"])
        return cls(activations, *_checked(activations, config["sizes"], config["axis"]))

    def __repr__(self) -> str:
        axis = "" if self.axis == -1 else f", axis={self.axis}"
        return f"fastact.mixed({list(self.activations)!r}, sizes={list(self.sizes)!r}{axis})"


def _checked(
    activations: tuple[Activation, ...], sizes: Sequence[int], axis: int
) -> tuple[tuple[int, ...], int]:
    """Return the sizes and the axis as Python integers."""
    try:
        numbers, count = tuple(map(index, sizes)), len(activations)
    except TypeError:
        raise TypeError(f"mixed: sizes must be a sequence of integers, not {sizes!r}") from None
    if len(numbers) != count or not numbers:
        raise ValueError(
            f"mixed: there are {count} activations and {len(numbers)} sizes; one size for each is required"
        )
    if min(numbers) < 0:
        raise ValueError(f"mixed: sizes has {min(numbers)}; size >= 0 is required")
    for f in activations:
        if f.name in rows.FAMILIES:
            raise ValueError(f"mixed: {f.name} is a function of rows; elementwise activations are required")
    return numbers, index(axis)


def mixed(activations: Sequence[str | Activation], sizes: Sequence[int], axis: int = -1) -> Mixed:
    """Return an activation for a layer whose units have different activations.

    Parameters
    ----------
    activations : sequence of str or Activation
        The activation of each group of units: a name that `get` knows, or an object that `get` returns.
    sizes : sequence of int
        The number of units of each group, in the order of the groups along the axis.
    axis : int, default -1
        The axis of the units.

    Returns
    -------
    Mixed
        An object with ``__call__(x)`` and ``backward(x, g)``, like an `Activation`.

    Raises
    ------
    ValueError
        If a name is unknown, if an activation is a function of rows, or if the sizes do not match the
        activations.

    Notes
    -----
    Each group is computed by its own kernel and written directly into the result, so accuracy, special values
    and bits are those of ``fastact.NAME``.

    Examples
    --------
    >>> import numpy as np
    >>> import fastact
    >>> f = fastact.mixed(["relu", fastact.get("elu", alpha=0.5)], sizes=[1, 2])
    >>> x = np.array([[-1.0, -1.0, 2.0], [3.0, 0.0, 1.0]])
    >>> f(x).round(3)
    array([[ 0.   , -0.316,  2.   ],
           [ 3.   ,  0.   ,  1.   ]])
    >>> f.backward(x, np.ones_like(x)).round(3)
    array([[0.   , 0.184, 1.   ],
           [1.   , 0.5  , 1.   ]])
    """
    if isinstance(activations, str):
        raise TypeError(f"mixed: activations must be a sequence, not {activations!r}")
    found = tuple(f if isinstance(f, Activation) else get(f) for f in activations)
    for f in found:
        if not isinstance(f, Activation):
            raise TypeError(f"mixed: each activation must be a name or an Activation, not {f!r}")
    return Mixed(found, *_checked(found, sizes, axis))
