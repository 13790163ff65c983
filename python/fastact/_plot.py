"""Plots of activations and their derivatives."""

from collections.abc import Callable, Iterable
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .facts.elements import COMPOSED, ENTRIES
from .functions.by_name import Activation, get

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]

STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.constrained_layout.use": True,
    "figure.figsize": (8, 5),
    "font.size": 14,
    "grid.alpha": 0.3,
    "lines.linewidth": 2.5,
}
# The palette of Okabe and Ito, which colour-blind viewers can distinguish.
COLORS = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"
INTERVALS = 1024


def curve(f: Callable[[Array], Array], low: float, high: float) -> tuple[Array, Array]:
    """Return points of the graph of f; at a jump of f, a NaN prevents a line between the two sides."""
    x = np.linspace(low, high, INTERVALS + 1)
    a, b = x[:-1], x[1:]
    for _ in range(64):  # bisection, which keeps the half of each interval in which f changes more
        middle = (a + b) / 2
        is_left = abs(f(middle) - f(a)) >= abs(f(b) - f(middle))
        a, b = np.where(is_left, a, middle), np.where(is_left, middle, b)
    jumps = np.flatnonzero(abs(f(b) - f(a)) > 1e-6)
    x = np.insert(x, np.repeat(jumps + 1, 3), np.stack([a, b, b], axis=1)[jumps].ravel())
    y = f(x)
    y[jumps + 2 + 3 * np.arange(jumps.size)] = np.nan
    return x, y


def chosen(name: str | Activation) -> Activation:
    """Return the activation; raise an exception if it has no graph."""
    f = get(name)
    if not isinstance(f, Activation):
        raise TypeError(f"an activation or its name is required, not {name!r}")
    if f.name not in ENTRIES | COMPOSED:
        raise ValueError(f"{f.name} has no graph: it is not a function of single numbers")
    return f


def plot(
    names: str | Activation | Iterable[str | Activation],
    *,
    derivative: bool = True,
    range: tuple[float, float] = (-6.0, 6.0),
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw activations, and their derivatives as dashed lines.

    Parameters
    ----------
    names : str, Activation or iterable of them
        The activations to draw; `fastact.get` lists the names.
    derivative : bool, default True
        Whether to draw the derivatives too.
    range : tuple of two floats, default (-6, 6)
        The smallest and the largest x.
    ax : matplotlib.axes.Axes, optional
        The axes to draw into; by default those of a new figure.

    Returns
    -------
    ax : matplotlib.axes.Axes
        The axes with the plot; ``ax.figure`` is the figure.

    Raises
    ------
    ImportError
        If matplotlib is not installed: ``pip install 'fastact[plot]'``.
    ValueError
        If a name is unknown, if it is a function of rows, or if the range is empty.

    Examples
    --------
    >>> ax = fastact.plot("gelu")
    >>> ax.get_title()
    'Gaussian error linear unit'
    >>> leaky_relu = fastact.get("leaky_relu", negative_slope=0.2)
    >>> ax = fastact.plot(["relu", leaky_relu, "elu"], derivative=False, range=(-3, 3))
    >>> ax.figure.savefig("rectifiers.png")  # doctest: +SKIP
    """
    try:
        from matplotlib import pyplot, rc_context
    except ModuleNotFoundError as missing:
        message = f"{missing.name} is not installed: pip install 'fastact[plot]'"
        raise ImportError(message, name=missing.name) from missing

    activations = [chosen(name) for name in ([names] if isinstance(names, str | Activation) else names)]
    low, high = range
    if not low < high:
        raise ValueError(f"range must be (low, high) with low < high, not {range!r}")
    with rc_context(STYLE):
        if ax is None:
            _, ax = pyplot.subplots()
        for side in (ax.axhline, ax.axvline):
            side(0, color="0.4", linewidth=1, zorder=1)
        alone = len(activations) == 1
        for f, color in zip(activations, cycle(COLORS), strict=False):
            ax.plot(*curve(f, low, high), color=color, label=label(f))
            if derivative:
                ax.plot(*curve(slope(f), low, high), "--", color=COLORS[1] if alone else color)
        if derivative:
            ax.plot([], [], "--", color=COLORS[1] if alone else "0.4", label="derivative")
        ax.set(xlabel="x", xlim=(low, high), title=activations[0].title if alone else "")
        ax.legend(fontsize="small")
    return ax


def label(f: Activation) -> str:
    """Return the name, and a line for each parameter that differs from its default."""
    default = get(f.name).parameters
    given = (f"{name} = {value}" for name, value in f.parameters.items() if value != default[name])
    return "\n".join([f.name, *given])


def slope(f: Activation) -> Callable[[Array], Array]:
    """Return the derivative f'."""

    def derivative(x: Array) -> Any:
        dx = f.backward(x, np.ones_like(x))
        return dx[0] if f.learnable else dx

    return derivative
