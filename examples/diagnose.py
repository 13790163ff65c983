"""Show vanishing gradients in a deep network and dying ReLU units, and how other activations behave."""

import argparse
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from itertools import pairwise
from math import sqrt
from typing import Any

import fastact
import numpy as np
from fastact import diagnostics, initializers
from fastact.initializers import glorot_uniform, he_normal, lecun_normal
from numpy.typing import NDArray
from train_digits import Array, Labels, digits

Scheme = Callable[..., NDArray[Any]]
Curves = dict[str, list[float]]

DEEP = [64, *[128] * 20, 10]  # pixels, hidden layers, digits
SHALLOW = [64, *[64] * 3, 10]
BATCH = 128
LARGE, SMALL, LARGE_EPOCHS = 3.0, 0.05, 5  # a rate that is far too large, and for how long
DEAD = 1e-3  # a unit whose slope stays below this bound learns almost nothing


def too_large(shape: Sequence[int], *args: Any) -> NDArray[Any]:
    """Return Glorot's weights times four."""
    return initializers.variance_scaling(shape, 16.0, "fan_avg", "uniform", *args)


# Activation, initialization, and the range of the activation if it can saturate.
CASES: list[tuple[str, Scheme, tuple[float, float] | None]] = [
    ("sigmoid", glorot_uniform, (0, 1)),
    ("tanh", glorot_uniform, (-1, 1)),
    ("tanh", too_large, (-1, 1)),
    ("relu", he_normal, None),
    ("leaky_relu", he_normal, None),
    ("elu", he_normal, None),
    ("selu", lecun_normal, None),
    ("gelu", he_normal, None),
]


class Network:
    """Linear layers with activations between them, in plain NumPy."""

    def __init__(self, name: str, scheme: Scheme, sizes: Sequence[int], seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.f, self.f_backward = getattr(fastact, name), getattr(fastact, f"{name}_backward")
        self.w = [scheme(shape, rng, np.float32) for shape in pairwise(sizes)]
        self.b = [np.zeros(size, np.float32) for size in sizes[1:]]

    def forward(self, x: Array) -> Array:
        self.y, self.z = [x], []
        for w, b in zip(self.w, self.b, strict=True):
            self.z.append(self.y[-1] @ w + b)
            self.y.append(self.f(self.z[-1]))
        return self.z[-1]

    def backward(self, labels: Labels) -> list[Array]:
        """Return the gradients of the loss with respect to each layer's sums z."""
        share = np.full(len(labels), 1 / len(labels), np.float32)
        dz = [fastact.softmax_cross_entropy_backward(self.z[-1], labels, share)]
        for w, z in zip(self.w[:0:-1], self.z[-2::-1], strict=True):
            dz.append(self.f_backward(z, dz[-1] @ w.T))
        return dz[::-1]

    def step(self, x: Array, labels: Labels, rate: float) -> None:
        """Descend along a gradient whose norm is clipped to 1."""
        self.forward(x)
        dz = self.backward(labels)
        gradients = [y.T @ d for y, d in zip(self.y, dz, strict=False)] + [d.sum(axis=0) for d in dz]
        norm = sqrt(sum(float(np.square(gradient).sum()) for gradient in gradients))
        for value, gradient in zip(self.w + self.b, gradients, strict=True):
            value -= rate / max(1.0, norm) * gradient

    def slopes(self, x: Array) -> list[Array]:
        """Return f' of every hidden unit for every sample."""
        self.forward(x)
        return [self.f_backward(z, 1.0) for z in self.z[:-1]]


def vanishing(x: Array, labels: Labels, seed: int) -> Curves:
    """Measure the size of the gradient at each layer of untrained deep networks."""
    print(f"Gradients through {len(DEEP) - 2} hidden layers, untrained\n")
    print(f"{'':11} {'weights':15} {'saturated':>9} {'first/last layer':>17} {'factor a layer':>15}")
    curves = {}
    for name, scheme, bounds in CASES:
        network = Network(name, scheme, DEEP, seed)
        network.forward(x)
        flow = diagnostics.gradient_flow(network.backward(labels)[:-1])
        saturated = f"{diagnostics.saturated_fraction(network.y[1:-1], *bounds).mean():.1%}" if bounds else ""
        sizes = flow.root_mean_square
        scheme_name = scheme.__name__
        print(f"{name:11} {scheme_name:15} {saturated:>9} {sizes[0] / sizes[-1]:17.1e} {flow.factor:15.3f}")
        curves[f"{name}, {scheme_name}"] = (sizes / sizes[-1]).tolist()
    return curves


def dying(epochs: int, seed: int) -> tuple[Curves, Curves]:
    """Measure the dead units and the accuracy of networks in training after each epoch."""
    x, x_test, labels, labels_test = digits(seed)
    # The brightness is at least 0 and not centred, so one large step may push a unit below 0 for all images.
    darkest = x.min(axis=0)
    x, x_test = x - darkest, x_test - darkest
    print(
        f"\nUnits of {len(SHALLOW) - 2} hidden layers, {LARGE_EPOCHS} epochs at a rate of {LARGE},", end=" "
    )
    print(f"then {epochs} at {SMALL}\n")
    print(f"{'':11} {'dead, by layer':>24} {'accuracy':>10} {'dead, by layer':>24} {'accuracy':>10}")
    dead: Curves = {}
    accuracy: Curves = {}
    for name, scheme, bounds in CASES:
        if bounds:
            continue
        network, rng = Network(name, scheme, SHALLOW, seed), np.random.default_rng(seed)
        dead[name], accuracy[name], row = [], [], f"{name:11}"
        for epoch, rate in enumerate([LARGE] * LARGE_EPOCHS + [SMALL] * epochs, 1):
            for batch in np.array_split(rng.permutation(len(x)), len(x) // BATCH):
                network.step(x[batch], labels[batch], rate)
            fractions = diagnostics.dead_fraction(network.slopes(x), DEAD)
            dead[name].append(fractions.mean())
            accuracy[name].append((network.forward(x_test).argmax(axis=1) == labels_test).mean())
            if epoch in (LARGE_EPOCHS, LARGE_EPOCHS + epochs):
                row += "   " + "".join(f"{part:8.1%}" for part in fractions) + f"{accuracy[name][-1]:11.3f}"
        print(row)
    return dead, accuracy


def draw(file: str, sizes: Curves, dead: Curves, accuracy: Curves) -> None:
    import matplotlib.pyplot as plt
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    figure, axes = plt.subplots(1, 3, figsize=(15, 4.6), layout="constrained")
    titles = (
        "Gradient of untrained networks, last layer = 1",
        f"Dead units (shaded: rate {LARGE}, then {SMALL})",
        "Test accuracy of the same networks",
    )
    labels = "hidden layer", "epoch", "epoch"
    colours = {name: f"C{i}" for i, name in enumerate(dict.fromkeys(name for name, *_ in CASES))}
    for axis, title, label, curves in zip(axes, titles, labels, (sizes, dead, accuracy), strict=True):
        for width, (key, values) in zip(np.linspace(3.5, 1.5, len(curves)), curves.items(), strict=True):
            name, _, scheme = key.partition(", ")
            style = {"color": colours[name], "linestyle": "--" if scheme == too_large.__name__ else "-"}
            # Thinner lines are drawn over wider ones, so that curves that coincide remain visible.
            axis.plot(range(1, len(values) + 1), values, label=key, linewidth=width, **style)
        axis.set(title=title, xlabel=label)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.grid(alpha=0.3)
        axis.spines[["top", "right"]].set_visible(False)
        axis.legend(fontsize="small", frameon=False)
    axes[0].set_yscale("log")
    for axis in axes[1:]:
        axis.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axis.set_ylim(-0.02, 1.0)
        axis.axvspan(1, LARGE_EPOCHS, color="0.92")
    figure.savefig(file, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=30, help="at the small rate; default: %(default)s")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument("--plot", metavar="FILE", help="draw it (needs matplotlib)")
    options = parser.parse_args()
    if options.plot and not find_spec("matplotlib"):
        parser.error("--plot needs matplotlib: pip install 'fastact[plot]'")
    x, _, labels, _ = digits(options.seed)
    sizes = vanishing(x, labels, options.seed)
    dead, accuracy = dying(options.epochs, options.seed)
    if options.plot:
        draw(options.plot, sizes, dead, accuracy)


if __name__ == "__main__":
    main()
