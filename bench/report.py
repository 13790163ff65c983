"""What measurements say: figures of groups, tables and heat maps."""

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from measure import Cell

OURS = "fastact"


class Measurement(NamedTuple):
    cell: Cell
    times: dict[str, float]  # nanoseconds for each element, by library
    wrong: list[str]  # libraries whose result is

    @classmethod
    def read(cls, line: Mapping[str, Any]) -> "Measurement":
        fields = {name: line[name] for name in Cell._fields}
        return cls(Cell(**(fields | {"shape": tuple(line["shape"])})), line["ns_per_element"], line["wrong"])

    @property
    def fastest_peer(self) -> str | None:
        return min(self.times.keys() - {OURS}, key=self.times.__getitem__, default=None)

    def ratio(self, peer: str | None = None) -> float:
        """To the time of a peer, or of the fastest; NaN where there is none."""
        return self.times[OURS] / self.times.get(peer or self.fastest_peer or "", math.nan)


class Figures(NamedTuple):
    """Of the ratios of some cells."""

    cells: int
    mean: float  # geometric
    highest: float
    slower: int

    @classmethod
    def of(cls, ratios: Iterable[float]) -> "Figures | None":
        there = [ratio for ratio in ratios if not math.isnan(ratio)]
        if not there:
            return None
        mean = math.exp(sum(map(math.log, there)) / len(there))
        return cls(len(there), mean, max(there), sum(ratio > 1 for ratio in there))


def shape(cell: Cell) -> str:
    if cell.axis is None:
        return f"{cell.shape[0]} elements"
    return f"rows of {cell.shape[cell.axis]}, axis {cell.axis}"


GROUPS = {
    "pass": lambda cell: cell.pass_,
    "type": lambda cell: cell.dtype,
    "shape": shape,
    "inputs": lambda cell: f"deviation {cell.spread:g}",
    "output": lambda cell: cell.output,
    "threads": lambda cell: f"{cell.threads} thread{'s' * (cell.threads > 1)}",
    "instruction set": lambda cell: cell.isa,
}


def groups(measurements: Sequence[Measurement]) -> dict[str, Figures]:
    """Figures beside the fastest peer, of all cells and by each property that differs; then beside each peer."""
    ratios: dict[str, list[float]] = {"all cells": [m.ratio() for m in measurements]}
    for of in GROUPS.values():
        by_value: dict[str, list[float]] = {}
        for m in measurements:
            by_value.setdefault(of(m.cell), []).append(m.ratio())
        ratios |= by_value if len(by_value) > 1 else {}
    for peer in dict.fromkeys(name for m in measurements for name in m.times if name != OURS):
        ratios[f"beside {peer}"] = [m.ratio(peer) for m in measurements]
    return {name: figures for name, values in ratios.items() if (figures := Figures.of(values))}


def worst(measurements: Iterable[Measurement]) -> list[Measurement]:
    """Those with a peer, highest ratio first."""
    return sorted((m for m in measurements if m.fastest_peer), key=lambda m: -m.ratio())


def describe(cell: Cell, properties: Iterable[str]) -> str:
    return " ".join([cell.function, *(GROUPS[name](cell) for name in properties)])
