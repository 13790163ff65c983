"""What measurements say: figures of groups, tables and heat maps."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from measure import Cell

OURS = "fastact"
Table = list[list[str]]  # a heading and rows


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


GROUPS: dict[str, Callable[[Cell], str]] = {
    "pass": lambda cell: cell.pass_,
    "type": lambda cell: cell.dtype,
    "shape": shape,
    "inputs": lambda cell: f"deviation {cell.spread:g}",
    "output": lambda cell: cell.output,
    "threads": lambda cell: f"{cell.threads} thread{'s' * (cell.threads > 1)}",
    "instruction set": lambda cell: cell.isa,
}


def varying(measurements: Iterable[Measurement]) -> list[str]:
    """The properties in which cells differ."""
    cells = [m.cell for m in measurements]
    return [name for name, of in GROUPS.items() if len(set(map(of, cells))) > 1]


def groups(measurements: Sequence[Measurement]) -> dict[str, Figures]:
    """Beside the fastest peer: of all cells, and of each value of what differs. Then beside each peer."""
    ratios: dict[str, list[float]] = {"all cells": [m.ratio() for m in measurements]}
    for of in map(GROUPS.__getitem__, varying(measurements)):
        for m in measurements:
            ratios.setdefault(of(m.cell), []).append(m.ratio())
    for peer in dict.fromkeys(name for m in measurements for name in m.times if name != OURS):
        ratios[f"beside {peer} alone"] = [m.ratio(peer) for m in measurements]
    return {name: figures for name, values in ratios.items() if (figures := Figures.of(values))}


def worst(measurements: Iterable[Measurement]) -> list[Measurement]:
    """Those with a peer, highest ratio first."""
    return sorted((m for m in measurements if m.fastest_peer), key=lambda m: -m.ratio())


def setting_table(setting: Mapping[str, str]) -> Table:
    return [["measured with", ""], *([name, value] for name, value in setting.items())]


def summary_table(measurements: Sequence[Measurement]) -> Table:
    return [
        ["time relative to the fastest peer's", "cells", "geometric mean", "highest", "slower"],
        *(
            [name, str(f.cells), f"{f.mean:.3f}", f"{f.highest:.2f}", str(f.slower)]
            for name, f in groups(measurements).items()
        ),
    ]


def cells_table(measurements: Sequence[Measurement]) -> Table:
    """Nanoseconds for each element."""
    properties = varying(measurements)
    libraries = list(dict.fromkeys(name for m in measurements for name in m.times))
    return [
        ["function", *properties, *libraries, "ratio"],
        *(
            [
                m.cell.function,
                *(GROUPS[name](m.cell) for name in properties),
                *(f"{m.times[name]:.3f}" if name in m.times else "" for name in libraries),
                f"{m.ratio():.2f}",
            ]
            for m in measurements
        ),
    ]


def wrong_table(measurements: Iterable[Measurement]) -> Table:
    """Who is left out where, for results that are not near ours."""
    cells: dict[tuple[str, ...], int] = {}
    for m in measurements:
        for library in m.wrong:
            key = library, m.cell.function, m.cell.pass_, m.cell.dtype, GROUPS["inputs"](m.cell)
            cells[key] = cells.get(key, 0) + 1
    return [["wrong result", "function", "pass", "type", "inputs", "cells"]] + [
        [*key, str(number)] for key, number in cells.items()
    ]


def steps_table(networks: Mapping[str, Mapping[str, Sequence[float]]]) -> Table:
    """From the milliseconds of a step and, where they are known, of its activations."""
    headings = [
        f"{name}: {what}" for name in networks for what in ("step", "activations", "relative to NumPy")
    ]
    table = [["milliseconds", *headings]]
    for library in dict.fromkeys(library for times in networks.values() for library in times):
        row = [library]
        for times in networks.values():
            step, *inside = times[library]
            row += (
                f"{step:.3f}",
                *(f"{t:.3f}" for t in inside or [math.nan]),
                f"{step / times['NumPy'][0]:.2f}",
            )
        table.append([value.replace("nan", "") for value in row])
    return table


def numeric(column: Sequence[str]) -> bool:
    return all(re.fullmatch(r"[\d.]*", value) for value in column[1:])


def text(table: Table) -> str:
    """Aligned, columns of numbers to the right."""
    columns = list(zip(*table, strict=True))
    widths = [max(map(len, column)) * (1 if numeric(column) else -1) for column in columns]
    return "\n".join(
        "  ".join(f"{value:{'<>'[width > 0]}{abs(width)}}" for value, width in zip(row, widths, strict=True))
        for row in table
    )


def markdown(table: Table) -> str:
    heading, *rows = table
    rule = ["--:" if numeric(column) else "---" for column in zip(*table, strict=True)]
    lines = [heading, rule, *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def draw(measurements: Sequence[Measurement], file: Path) -> None:
    """Heat maps of functions by pass and shape, for each type and number of threads; means of the rest."""
    from matplotlib import pyplot
    from matplotlib.colors import LogNorm

    panels = list(dict.fromkeys((m.cell.dtype, m.cell.threads) for m in measurements))
    kinds = [kind for kind in (False, True) if any((m.cell.axis is not None) == kind for m in measurements)]
    of_kind = {kind: [m for m in measurements if (m.cell.axis is not None) == kind] for kind in kinds}
    names = {kind: list(dict.fromkeys(m.cell.function for m in of_kind[kind])) for kind in kinds}
    columns = {
        kind: list(dict.fromkeys((m.cell.pass_, shape(m.cell)) for m in of_kind[kind])) for kind in kinds
    }
    figure, axes = pyplot.subplots(
        len(kinds),
        len(panels),
        squeeze=False,
        layout="constrained",
        figsize=(2 + 2.6 * len(panels), 2.2 + 0.17 * sum(map(len, names.values()))),
        height_ratios=[len(names[kind]) for kind in kinds],
    )
    for row, kind in zip(axes, kinds, strict=True):
        for panel, axis in zip(panels, row, strict=True):
            ratios: dict[tuple[str, tuple[str, str]], list[float]] = {}
            for m in of_kind[kind]:
                if (m.cell.dtype, m.cell.threads) == panel:
                    place = m.cell.function, (m.cell.pass_, shape(m.cell))
                    ratios.setdefault(place, []).append(m.ratio())
            means = [
                [
                    figures.mean if (figures := Figures.of(ratios.get((name, column), ()))) else math.nan
                    for column in columns[kind]
                ]
                for name in names[kind]
            ]
            image = axis.imshow(means, norm=LogNorm(1 / 8, 8), cmap="RdBu_r", aspect="auto")
            first = axis is row[0]
            axis.set_yticks(range(len(names[kind])), names[kind] if first else [], fontsize=7)
            labels = [f"{pass_}, {of}" for pass_, of in columns[kind]]
            axis.set_xticks(range(len(labels)), labels, rotation=90, fontsize=6)
            if row is axes[0]:
                axis.set_title(f"{panel[0]}, {panel[1]} thread{'s' * (panel[1] > 1)}", fontsize=8)
    bar = figure.colorbar(image, ax=axes, ticks=[1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8], shrink=0.5)
    bar.ax.set_yticklabels(["1/8", "1/4", "1/2", "1", "2", "4", "8"])
    bar.set_label("fastact's time / the fastest peer's")
    figure.savefig(file, dpi=110)
