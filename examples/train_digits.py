"""Train a multilayer perceptron on scikit-learn's handwritten digits, in plain NumPy with fastact."""

import argparse
from collections.abc import Callable
from itertools import pairwise
from math import pi, sqrt
from time import perf_counter
from typing import Any

import fastact
import numpy as np
from fastact._core import activations
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


class Linear:
    """z = x w + b, learning by gradient descent with momentum."""

    def __init__(self, inputs: int, outputs: int, rng: np.random.Generator, mean_square: float) -> None:
        self.w = rng.standard_normal((inputs, outputs), np.float32) / sqrt(inputs * mean_square)
        self.b = np.zeros(outputs, np.float32)
        self.w_velocity, self.b_velocity = np.zeros_like(self.w), np.zeros_like(self.b)

    def forward(self, x: Array) -> Array:
        self.x = x
        return x @ self.w + self.b

    def backward(self, g: Array) -> Array:
        dx, dw, db = g @ self.w.T, self.x.T @ g, g.sum(axis=0)
        self.w_velocity = MOMENTUM * self.w_velocity - RATE * dw
        self.b_velocity = MOMENTUM * self.b_velocity - RATE * db
        self.w += self.w_velocity
        self.b += self.b_velocity
        return dx


class Activation:
    """y = f(x); backwards g f'(x)."""

    def __init__(self, f: Function, f_backward: Function) -> None:
        self.f, self.f_backward = f, f_backward

    def forward(self, x: Array) -> Any:
        self.x = x
        return self.f(x)

    def backward(self, g: Array) -> Any:
        return self.f_backward(self.x, g)


class Timed:
    """A function that adds up the seconds spent in it."""

    def __init__(self, function: Function) -> None:
        self.function, self.seconds = function, 0.0

    def __call__(self, *arguments: Array) -> Any:
        start = perf_counter()
        result = self.function(*arguments)
        self.seconds += perf_counter() - start
        return result


class Network:
    def __init__(self, f: Function, f_backward: Function, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.timed = Timed(f), Timed(f_backward)
        self.layers: list[Linear | Activation] = []
        # He's rule for any f: weights that give every sum a mean square of 1, as the pixels have.
        mean_square = 1.0
        for inputs, outputs in pairwise(SIZES):
            self.layers += Linear(inputs, outputs, rng, mean_square), Activation(*self.timed)
            mean_square = np.square(f(rng.standard_normal(10_000, np.float32))).mean()
        self.layers.pop()  # the last layer's sums are the logits
        self.milliseconds: list[tuple[float, float]] = []  # of each step, and of its activations

    def forward(self, x: Array) -> Array:
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def step(self, x: Array, labels: Labels) -> float:
        before, start = sum(f.seconds for f in self.timed), perf_counter()
        loss, g = softmax_cross_entropy(self.forward(x), labels)
        for layer in reversed(self.layers):
            g = layer.backward(g)
        inside = sum(f.seconds for f in self.timed) - before
        self.milliseconds.append((1e3 * (perf_counter() - start), 1e3 * inside))
        return loss

    def accuracy(self, x: Array, labels: Labels) -> float:
        return float((self.forward(x).argmax(axis=1) == labels).mean())


def softmax_cross_entropy(logits: Array, labels: Labels) -> tuple[float, Array]:
    """Mean loss and its gradient. The largest logit becomes 0, so that exp cannot overflow."""
    rows, shifted = np.arange(len(labels)), logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    g = np.exp(log_p)
    g[rows, labels] -= 1
    return -float(log_p[rows, labels].mean()), g / len(labels)


def sigmoid(x: Array) -> Any:
    return 1 / (1 + np.exp(-x))


def normal_cdf(x: Array) -> Any:
    return 0.5 * (1 + erf(x / sqrt(2)))


def tanh_softplus(x: Array) -> Any:
    return np.tanh(np.log1p(np.exp(x)))


# What one writes without fastact: f(x) and g f'(x).
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    names = [name for name, *_ in activations]
    parser.add_argument(
        "--activation",
        default="gelu",
        choices=names,
        metavar="NAME",
        help=f"of {', '.join(names)}; default: %(default)s",
    )
    parser.add_argument("--epochs", type=int, default=40, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument("--compare", action="store_true", help="time it beside the usual NumPy expressions")
    options = parser.parse_args()
    name = options.activation
    if options.epochs < 1 or options.seed < 0:
        parser.error("--epochs is at least 1, --seed at least 0")
    if options.compare and name not in USUAL:
        parser.error(f"--compare: {name} has no usual NumPy expression; choose from {', '.join(USUAL)}")

    images, digits = load_digits(return_X_y=True)
    x, x_test, labels, labels_test = train_test_split(
        images.astype(np.float32), digits, test_size=0.2, stratify=digits, random_state=options.seed
    )
    mean, deviation = x.mean(axis=0), x.std()
    x, x_test = (x - mean) / deviation, (x_test - mean) / deviation

    ours = Network(getattr(fastact, name), getattr(fastact, f"{name}_backward"), options.seed)
    networks = {"NumPy": Network(*USUAL[name], options.seed)} if options.compare else {}
    networks["fastact"] = ours
    rng = np.random.default_rng(options.seed)
    for epoch in tqdm(range(1, options.epochs + 1), unit="epoch", disable=None):
        losses = []
        for batch in np.array_split(rng.permutation(len(x)), len(x) // BATCH):
            # Noise shows new images in every epoch. The networks take turns, which makes timing them fair.
            noisy = x[batch] + NOISE * rng.standard_normal((len(batch), SIZES[0]), np.float32)
            for network in networks.values():
                loss = network.step(noisy, labels[batch])
            losses.append(loss)
        accuracy = ours.accuracy(x, labels)
        tqdm.write(f"epoch {epoch:2}   loss {np.mean(losses):.4f}   training accuracy {accuracy:.4f}")

    if options.compare:
        print(f"\n{'':9} {'best step':>11} {'activations':>14} {'share':>8} {'test accuracy':>15}")
        # Whatever else the machine does can only slow a step down.
        best = {key: np.array(min(network.milliseconds)) for key, network in networks.items()}
        for key, (step, inside) in best.items():
            accuracy = networks[key].accuracy(x_test, labels_test)
            print(f"{key:9} {step:8.3f} ms {inside:11.3f} ms {inside / step:8.1%} {accuracy:15.4f}")
        step, inside = best["NumPy"] / best["fastact"]
        print(f"{'speed-up':9} {step:8.2f} x  {inside:11.2f} x\n")
    print(f"test accuracy {ours.accuracy(x_test, labels_test):.4f}")


if __name__ == "__main__":
    main()
