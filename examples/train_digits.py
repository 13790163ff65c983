"""Train a multilayer perceptron on scikit-learn's handwritten digits, in plain NumPy with fastact."""

import argparse
from collections.abc import Callable, Sequence
from itertools import pairwise
from math import pi, sqrt
from time import perf_counter
from typing import Any

import fastact
import numpy as np
from fastact.functions.registry import BACKWARD, ELEMENTWISE
from numpy.typing import NDArray
from scipy.special import erf
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from tqdm import tqdm

Array = NDArray[np.float32]
Labels = NDArray[np.intp]
Function = Callable[..., Any]

SIZES = 64, 256, 256, 10  # pixels, two hidden layers, digits
BATCH, RATE, MOMENTUM, NOISE = 128, 0.1, 0.9, 0.5


class Parameter:
    """An array that learns by gradient descent with momentum."""

    def __init__(self, value: Array) -> None:
        self.value, self.velocity = value, np.zeros_like(value)

    def descend(self, gradient: Array) -> None:
        self.velocity *= MOMENTUM
        self.velocity -= RATE * gradient
        self.value += self.velocity


class Linear:
    """z = x w + b."""

    def __init__(self, inputs: int, outputs: int, rng: np.random.Generator, mean_square: float) -> None:
        self.w = Parameter(rng.standard_normal((inputs, outputs), np.float32) / sqrt(inputs * mean_square))
        self.b = Parameter(np.zeros(outputs, np.float32))

    def forward(self, x: Array) -> Array:
        self.x = x
        return x @ self.w.value + self.b.value

    def backward(self, g: Array) -> Array:
        dx = g @ self.w.value.T
        self.w.descend(self.x.T @ g)
        self.b.descend(g.sum(axis=0))
        return dx


class Activation:
    """y = f(x) forwards, g f'(x) backwards. Adds up the seconds spent in both."""

    def __init__(self, f: Function, f_backward: Function) -> None:
        self.f, self.f_backward, self.seconds = f, f_backward, 0.0

    def forward(self, x: Array) -> Any:
        self.x = x
        return self.timed(self.f, x)

    def backward(self, g: Array) -> Any:
        return self.timed(self.f_backward, self.x, g)

    def timed(self, function: Function, *arguments: Array) -> Any:
        start = perf_counter()
        result = function(*arguments)
        self.seconds += perf_counter() - start
        return result


class Network:
    """Linear layers with activations between them."""

    def __init__(self, activations: Sequence[Activation], seed: int, sizes: Sequence[int] = SIZES) -> None:
        rng = np.random.default_rng(seed)
        self.activations = activations
        self.layers: list[Linear | Activation] = [Linear(sizes[0], sizes[1], rng, 1.0)]
        for f, (inputs, outputs) in zip(activations, pairwise(sizes[1:]), strict=True):
            # He's rule for any f: the weights give every sum a mean square of 1, as the pixels have.
            mean_square = np.square(f.forward(rng.standard_normal((100, inputs), np.float32))).mean()
            self.layers += f, Linear(inputs, outputs, rng, mean_square)
        self.milliseconds: list[tuple[float, float]] = []  # of each step, and of its activations

    def forward(self, x: Array) -> Any:
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def step(self, x: Array, labels: Labels) -> float:
        """Learn from a batch; return its mean loss."""
        before, start = sum(f.seconds for f in self.activations), perf_counter()
        logits = self.forward(x)
        loss = fastact.softmax_cross_entropy(logits, labels).mean()
        share = np.full(len(labels), 1 / len(labels), logits.dtype)
        g = fastact.softmax_cross_entropy_backward(logits, labels, share)
        for layer in reversed(self.layers):
            g = layer.backward(g)
        inside = sum(f.seconds for f in self.activations) - before
        self.milliseconds.append((1e3 * (perf_counter() - start), 1e3 * inside))
        return float(loss)

    def accuracy(self, x: Array, labels: Labels) -> float:
        return float((self.forward(x).argmax(axis=1) == labels).mean())


def digits(seed: int) -> tuple[Array, Array, Labels, Labels]:
    """Return images and labels: x, x_test, labels, labels_test."""
    images, labels = load_digits(return_X_y=True)
    x, x_test, *both_labels = train_test_split(
        images.astype(np.float32), labels, test_size=0.2, stratify=labels, random_state=seed
    )
    mean, deviation = x.mean(axis=0), x.std()
    return (x - mean) / deviation, (x_test - mean) / deviation, *both_labels


def train(networks: Sequence[Network], x: Array, labels: Labels, epochs: int, seed: int) -> None:
    """Train networks on the same batches and report on the last one."""
    rng = np.random.default_rng(seed)
    for epoch in tqdm(range(1, epochs + 1), unit="epoch", disable=None):
        losses = []
        for batch in np.array_split(rng.permutation(len(x)), len(x) // BATCH):
            # Noise gives new images in every epoch. The networks take turns, so their times are comparable.
            noisy = x[batch] + NOISE * rng.standard_normal((len(batch), SIZES[0]), np.float32)
            losses.append([network.step(noisy, labels[batch]) for network in networks][-1])
        accuracy = networks[-1].accuracy(x, labels)
        tqdm.write(f"epoch {epoch:2}   loss {np.mean(losses):.4f}   training accuracy {accuracy:.4f}")


def sigmoid(x: Array) -> Any:
    return 1 / (1 + np.exp(-x))


def normal_cdf(x: Array) -> Any:
    return 0.5 * (1 + erf(x / sqrt(2)))


def tanh_softplus(x: Array) -> Any:
    return np.tanh(np.log1p(np.exp(x)))


# How f(x) and g f'(x) are written without fastact.
USUAL: dict[str, tuple[Function, Function]] = {
    "relu": (lambda x: np.maximum(x, 0), lambda x, g: g * (x > 0)),
    "leaky_relu": (lambda x: np.where(x > 0, x, 0.01 * x), lambda x, g: np.where(x > 0, g, 0.01 * g)),
    "sigmoid": (sigmoid, lambda x, g: g * (s := sigmoid(x)) * (1 - s)),
    "tanh": (np.tanh, lambda x, g: g * (1 - np.tanh(x) ** 2)),
    "elu": (lambda x: np.where(x > 0, x, np.expm1(x)), lambda x, g: np.where(x > 0, g, g * np.exp(x))),
    "softplus": (lambda x: np.log1p(np.exp(x)), lambda x, g: g * sigmoid(x)),
    "silu": (lambda x: x * sigmoid(x), lambda x, g: g * (s := sigmoid(x)) * (1 + x * (1 - s))),
    "gelu": (
        lambda x: x * normal_cdf(x),
        lambda x, g: g * (normal_cdf(x) + x * np.exp(-x * x / 2) / sqrt(2 * pi)),
    ),
    "mish": (
        lambda x: x * tanh_softplus(x),
        lambda x, g: g * ((t := tanh_softplus(x)) + x * sigmoid(x) * (1 - t * t)),
    ),
}


def parse_options(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """Parse the options, including those common to all trainings."""
    parser.add_argument("--epochs", type=int, default=40, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    options = parser.parse_args()
    if options.epochs < 1 or options.seed < 0:
        parser.error("--epochs is at least 1, --seed at least 0")
    return options


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    names = [f.forward for f in ELEMENTWISE if f.suffix == BACKWARD]
    parser.add_argument(
        "--activation",
        default="gelu",
        choices=names,
        metavar="NAME",
        help=f"of {', '.join(names)}; default: %(default)s",
    )
    parser.add_argument("--compare", action="store_true", help="time it beside the usual NumPy expressions")
    options = parse_options(parser)
    name, seed = options.activation, options.seed
    if options.compare and name not in USUAL:
        parser.error(f"--compare: {name} has no usual NumPy expression; choose from {', '.join(USUAL)}")

    x, x_test, labels, labels_test = digits(seed)
    functions = {"NumPy": USUAL[name]} if options.compare else {}
    functions["fastact"] = getattr(fastact, name), getattr(fastact, f"{name}_backward")
    networks = {key: Network([Activation(*f) for _ in SIZES[1:-1]], seed) for key, f in functions.items()}
    train(list(networks.values()), x, labels, options.epochs, seed)

    accuracies = {key: network.accuracy(x_test, labels_test) for key, network in networks.items()}
    if options.compare:
        print(f"\n{'':9} {'best step':>11} {'activations':>14} {'share':>8} {'test accuracy':>15}")
        # The shortest time counts, because other work on the machine can only slow a step down.
        best = {key: np.array(min(network.milliseconds)) for key, network in networks.items()}
        for key, (step, inside) in best.items():
            print(f"{key:9} {step:8.3f} ms {inside:11.3f} ms {inside / step:8.1%} {accuracies[key]:15.4f}")
        step, inside = best["NumPy"] / best["fastact"]
        print(f"{'speed-up':9} {step:8.2f} x  {inside:11.2f} x\n")
    print(f"test accuracy {accuracies['fastact']:.4f}")


if __name__ == "__main__":
    main()
