"""Train networks with learnable activations, PReLU and Swish, next to networks with fixed ones."""

import argparse
from typing import Any

import fastact
import numpy as np
from train_digits import SIZES, Activation, Array, Function, Network, Parameter, digits, parse_options, train


def learning(f: Function, f_backward: Function, values: Array) -> Activation:
    """Return an activation whose parameter is trained in place, starting from these values."""
    parameter = Parameter(values)

    def backward(x: Array, g: Array) -> Any:
        dx, gradient = f_backward(x, g, values)
        parameter.descend(gradient)
        return dx

    return Activation(lambda x: f(x, values), backward)


def main() -> None:
    options = parse_options(argparse.ArgumentParser(description=__doc__))
    x, x_test, labels, labels_test = digits(options.seed)
    alpha, beta = np.full(SIZES[1], 0.25, np.float32), np.ones(1, np.float32)
    layers = {
        "ReLU, SiLU": (
            Activation(fastact.relu, fastact.relu_backward),
            Activation(fastact.silu, fastact.silu_backward),
        ),
        "PReLU, Swish": (
            learning(fastact.prelu, fastact.prelu_backward, alpha),
            learning(fastact.swish, fastact.swish_backward, beta),
        ),
    }
    networks = {name: Network(activations, options.seed) for name, activations in layers.items()}
    train(list(networks.values()), x, labels, options.epochs, options.seed)

    print(f"\nSwish's beta: from 1 to {beta[0]:.3f}")
    print(f"PReLU's alpha: from 0.25 to {alpha.mean():.3f} on average of {alpha.size} units")
    counts, edges = np.histogram(alpha, bins=12)
    for count, low, high in zip(counts, edges, edges[1:], strict=False):
        print(f"{low:8.2f} to {high:5.2f} {count:5} {'█' * round(50 * count / counts.max())}")
    for name, network in networks.items():
        print(f"test accuracy with {name:14}{network.accuracy(x_test, labels_test):.4f}")


if __name__ == "__main__":
    main()
