"""Time a training step: NumPy expressions, fastact, fastact with out=, with its memory pool, and torch.

The networks are that of examples/train_digits.py and one with layers of 1024. All start from the same
weights and take turns on the same batches; the least time of a step counts.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib.metadata import version
from importlib.util import find_spec
from itertools import count, cycle
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import fastact
import numpy as np
import report
from libraries import environment
from measure import processor
from tqdm import tqdm

sys.path.append(str(Path(__file__).parents[1] / "examples"))
from train_digits import (
    BATCH,
    MOMENTUM,
    RATE,
    SIZES,
    USUAL,
    Activation,
    Array,
    Function,
    Labels,
    Linear,
    Network,
    digits,
)

STEPS = 5  # in a turn; the first may find memory and caches as another library left them
Batch = tuple[Array, Labels]


class IntoOut:
    """An activation that writes into the array of its last call, if the shape is the same."""

    def __init__(self, f: Function) -> None:
        self.f, self.out = f, np.empty(0)

    def __call__(self, *arrays: Array) -> Any:
        self.out = self.f(*arrays, out=self.out if self.out.shape == arrays[0].shape else None)
        return self.out


class TorchNetwork:
    """The equivalent of a network in torch, with the same weights."""

    def __init__(self, twin: Network, activation: str) -> None:
        import torch
        from torch.nn import functional

        self.torch, self.f = torch, getattr(functional, activation)
        self.layers = [
            [torch.tensor(value, requires_grad=True) for value in (layer.w.value.T.copy(), layer.b.value)]
            for layer in twin.layers
            if isinstance(layer, Linear)
        ]
        self.optimizer = torch.optim.SGD(
            [weight for layer in self.layers for weight in layer], RATE, MOMENTUM
        )
        self.milliseconds: list[tuple[float, ...]] = []

    def step(self, x: Array, labels: Labels) -> float:
        start = perf_counter()
        functional = self.torch.nn.functional
        y = self.torch.from_numpy(x).requires_grad_()  # the twin computes this gradient too
        for index, (w, b) in enumerate(self.layers):
            y = functional.linear(self.f(y) if index else y, w, b)
        loss = functional.cross_entropy(y, self.torch.from_numpy(labels))
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.milliseconds.append((1e3 * (perf_counter() - start),))
        return float(loss.item())


class Entrant(NamedTuple):
    network: Network | TorchNetwork
    context: AbstractContextManager[Any] = nullcontext()


def entrants(activation: str, sizes: Sequence[int]) -> dict[str, Entrant]:
    def network(
        f: Function, f_backward: Function, wrap: Callable[[Function], Function] = lambda f: f
    ) -> Network:
        return Network([Activation(wrap(f), wrap(f_backward)) for _ in sizes[1:-1]], 0, sizes)

    ours = getattr(fastact, activation), getattr(fastact, f"{activation}_backward")
    found = {
        "NumPy": Entrant(network(*USUAL[activation])),
        "fastact": Entrant(network(*ours)),
        "fastact, out=": Entrant(network(*ours, IntoOut)),
        "fastact, memory pool": Entrant(network(*ours), fastact.memory_pool()),
    }
    if find_spec("torch"):
        found["torch"] = Entrant(TorchNetwork(network(*ours), activation))
    return found


def batches(x: Array, labels: Labels, size: int) -> list[Batch]:
    """Return as many whole batches as there are."""
    return [(x[i : i + size], labels[i : i + size]) for i in range(0, len(x) - size + 1, size)]


def digits_batches() -> list[Batch]:
    x, _, labels, _ = digits(0)
    return batches(x, labels, BATCH)


def random_batches(size: int, number: int) -> list[Batch]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((number * size, WIDE[0]), np.float32)
    return batches(x, rng.integers(WIDE[-1], size=len(x)), size)


WIDE = (1024,) * 5
NETWORKS: dict[str, tuple[Sequence[int], Callable[[], list[Batch]]]] = {
    "digits": (SIZES, digits_batches),
    "layers of 1024": (WIDE, lambda: random_batches(256, 8)),
}


def take_turns(racing: Mapping[str, Entrant], data: Sequence[Batch], seconds: float, name: str) -> None:
    endless: Iterator[Batch] = cycle(data)
    end = perf_counter() + seconds
    for number in tqdm(count(), desc=name, unit="turn", disable=None):
        turn = [next(endless) for _ in range(STEPS)]
        losses = []
        for entrant in racing.values():
            with entrant.context:
                losses.append([entrant.network.step(*batch) for batch in turn])
        if not number:  # later, rounding may lead them apart
            np.testing.assert_allclose(losses, losses[:1] * len(losses), 1e-2)
        if perf_counter() > end:
            break


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--activation", default="gelu", choices=USUAL, help="default: %(default)s")
    parser.add_argument(
        "--threads", type=int, default=os.cpu_count(), metavar="N", help="default: %(default)s"
    )
    parser.add_argument("--seconds", type=float, default=30.0, metavar="S", help="for each network")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE")
    options = parser.parse_args()
    variables = environment(options.threads)
    if variables.items() - os.environ.items():  # libraries read them when they are imported: start again
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | variables)

    figures: dict[str, dict[str, tuple[float, ...]]] = {}
    for name, (sizes, data) in NETWORKS.items():
        racing = entrants(options.activation, sizes)
        take_turns(racing, data(), options.seconds, name)
        figures[name] = {key: min(entrant.network.milliseconds) for key, entrant in racing.items()}
    setting = {
        "processor": processor(),
        "threads": str(options.threads),
        "python": platform.python_version(),
        **{name: version(name) for name in ("fastact", "numpy", "torch") if find_spec(name)},
        "activation": options.activation,
    }
    print(report.text(report.setting_table(setting)), report.text(report.steps_table(figures)), sep="\n\n")
    if options.json:
        options.json.write_text(json.dumps({"setting": setting, "milliseconds": figures}, indent=1) + "\n")


if __name__ == "__main__":
    main()
