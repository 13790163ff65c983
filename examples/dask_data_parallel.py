"""Train the digits network on shards of the data in several processes or machines, with dask.

In each step every shard gives the gradients of its part of the batch. They are summed in the order of the
shards, wherever and whenever each was computed, so that one process reaches the same weights, bit for bit.
"""

import argparse
import sys
from collections.abc import Callable
from contextlib import nullcontext
from functools import reduce
from time import perf_counter
from typing import Any

import cloudpickle
import fastact
import numpy as np
import train_digits
from dask.distributed import Client, LocalCluster
from threadpoolctl import threadpool_limits
from tqdm import tqdm
from train_digits import BATCH, NOISE, SIZES, Activation, Array, Labels, Linear, Network, Parameter

Answer = tuple[float, list[Array]]  # a loss and its gradients


def build(seed: int) -> Network:
    return Network([Activation(fastact.gelu, fastact.gelu_backward) for _ in SIZES[1:-1]], seed)


def parameters(network: Network) -> list[Parameter]:
    layers = [layer for layer in network.layers if isinstance(layer, Linear)]
    return [parameter for layer in layers for parameter in (layer.w, layer.b)]


class Kept(Parameter):
    """Keeps its gradient for the sum instead of learning by itself."""

    def descend(self, gradient: Array) -> None:
        self.gradient = gradient


class Shard:
    """A part of the data on the worker that computes with it, and a network whose weights each step sets."""

    def __init__(self, number: int, x: Array, labels: Labels, batch: int, seed: int) -> None:
        # With another number of threads, BLAS would add in another order.
        threadpool_limits(1, user_api="blas")
        self.number, self.x, self.labels, self.batch, self.seed = number, x, labels, batch, seed
        self.network = build(seed)
        for layer in self.network.layers:
            if isinstance(layer, Linear):
                layer.w, layer.b = Kept(layer.w.value), Kept(layer.b.value)

    def learn(self, weights: list[Array], step: int) -> Answer:
        """Return the mean loss for noisy images of this shard, and its gradients at these weights."""
        rng = np.random.default_rng([self.seed, step, self.number])
        chosen = rng.choice(len(self.x), self.batch, replace=False)
        noise = NOISE * rng.standard_normal((self.batch, SIZES[0]), np.float32)
        kept: list[Any] = parameters(self.network)
        for parameter, weight in zip(kept, weights, strict=True):
            parameter.value[...] = weight
        loss = self.network.step(self.x[chosen] + noise, self.labels[chosen])
        return loss, [parameter.gradient for parameter in kept]


def train(ask: Callable[[list[Array], int], list[Answer]], steps: int, seed: int) -> Network:
    """Descend along the sum of the gradients that all shards compute for the current weights."""
    network = build(seed)
    learning = parameters(network)
    start = perf_counter()
    for step in tqdm(range(steps), unit="step", disable=None):
        losses, gradients = zip(*ask([p.value for p in learning], step), strict=True)
        for parameter, parts in zip(learning, zip(*gradients, strict=True), strict=True):
            parameter.descend(reduce(np.add, parts) / len(parts))
    print(f"{steps} steps in {perf_counter() - start:.1f} s, last loss {np.mean(losses):.4f}")
    return network


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shards", type=int, default=2, metavar="N", help="default: %(default)s")
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="of a dask scheduler, such as tcp://host:8786, whose workers have fastact with its extras dask"
        " and examples; without it a process is started here for each shard",
    )
    options = train_digits.parse_options(parser)
    if not 1 <= options.shards <= BATCH:
        parser.error(f"--shards is between 1 and {BATCH}")

    shards, seed = options.shards, options.seed
    x, x_test, labels, labels_test = train_digits.digits(seed)
    parts = zip(np.array_split(x, shards), np.array_split(labels, shards), strict=True)
    arguments = [(number, *part, BATCH // shards, seed) for number, part in enumerate(parts)]
    steps = options.epochs * (len(x) // BATCH)

    print("this process:", end=" ", flush=True)
    here = [Shard(*given) for given in arguments]
    alone = train(lambda weights, step: [shard.learn(weights, step) for shard in here], steps, seed)

    cloudpickle.register_pickle_by_value(train_digits)  # workers elsewhere do not have the file
    with (
        (
            nullcontext(options.scheduler)
            if options.scheduler
            else LocalCluster(n_workers=shards, threads_per_worker=1, dashboard_address=None)
        ) as cluster,
        Client(cluster) as client,
    ):
        client.wait_for_workers(1)
        workers = list(client.scheduler_info(n_workers=-1)["workers"])
        actors = [
            client.submit(Shard, *given, actor=True, workers=workers[given[0] % len(workers)])
            for given in arguments
        ]
        there = client.gather(actors)

        def ask(weights: list[Array], step: int) -> list[Answer]:
            answers = [shard.learn(weights, step) for shard in there]
            return [answer.result() for answer in answers]

        print(f"{len(workers)} workers:", end=" ", flush=True)
        spread = train(ask, steps, seed)

    print(f"test accuracy {spread.accuracy(x_test, labels_test):.4f}")
    pairs = zip(parameters(alone), parameters(spread), strict=True)
    if not all(p.value.tobytes() == q.value.tobytes() for p, q in pairs):
        sys.exit("the weights differ: are all processors, and NumPy's BLAS on them, of one kind?")
    print("the same weights, bit for bit")


if __name__ == "__main__":
    main()
