"""Reports of measurements: figures of groups, tables and heat maps."""

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fastact.command.markdown import heading, line
from libraries import PASSES
from measure import Cell

OURS = "fastact"
Table = list[list[str]]  # a heading and rows


class Measurement(NamedTuple):
    cell: Cell
    times: dict[str, float]  # nanoseconds for each element, by library
    wrong: list[str]  # libraries whose result is

    @classmethod
    def of(cls, line: Mapping[str, Any]) -> "Measurement":
        fields = {name: line[name] for name in Cell._fields}
        return cls(Cell(**(fields | {"shape": tuple(line["shape"])})), line["ns_per_element"], line["wrong"])

    @property
    def fastest_peer(self) -> str | None:
        return min(self.times.keys() - {OURS}, key=self.times.__getitem__, default=None)

    def ratio(self, peer: str | None = None) -> float:
        """Return the ratio to the time of a peer, by default the fastest; NaN if there is none."""
        return self.times[OURS] / self.times.get(peer or self.fastest_peer or "", math.nan)


def read(file: Path) -> tuple[dict[str, str], list[Measurement]]:
    """Return the setting and the measurements (perhaps none) of a file that peers.py has written."""
    lines = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    return lines[0]["setting"] if lines else {}, [Measurement.of(line) for line in lines[1:]]


class Figures(NamedTuple):
    """The figures of the ratios of some cells."""

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


def wing(cell: Cell) -> str:
    return "functions of elements" if cell.axis is None else "functions of rows"


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
    """Return the properties in which the cells differ."""
    cells = [m.cell for m in measurements]
    return [name for name, of in GROUPS.items() if len(set(map(of, cells))) > 1]


def groups(measurements: Sequence[Measurement]) -> dict[str, Figures]:
    """Return figures relative to the fastest peer, overall and by property, then relative to each peer."""
    ratios: dict[str, list[float]] = {"all cells": [m.ratio() for m in measurements]}
    for of in (wing, *map(GROUPS.__getitem__, varying(measurements))):
        for m in measurements:
            ratios.setdefault(of(m.cell), []).append(m.ratio())
    for peer in dict.fromkeys(name for m in measurements for name in m.times if name != OURS):
        ratios[f"beside {peer} alone"] = [m.ratio(peer) for m in measurements]
    return {name: figures for name, values in ratios.items() if (figures := Figures.of(values))}


def worst(measurements: Iterable[Measurement]) -> list[Measurement]:
    """Return the cells that have a peer, those with the highest ratio first."""
    return sorted((m for m in measurements if m.fastest_peer), key=lambda m: -m.ratio())


def setting_table(setting: dict[str, str], measurements: Sequence[Measurement] = ()) -> Table:
    """Return the table of what all measurements have in common."""
    properties = {name: {of(m.cell) for m in measurements} for name, of in GROUPS.items()}
    common = {name: value for name, values in properties.items() if len(values) == 1 for value in values}
    return [["measured with", ""], *([name, value] for name, value in (setting | common).items())]


def summary_table(measurements: Sequence[Measurement]) -> Table:
    return [
        ["time relative to the fastest peer's", "cells", "geometric mean", "highest", "slower"],
        *(
            [name, str(f.cells), f"{f.mean:.3f}", f"{f.highest:.2f}", str(f.slower)]
            for name, f in groups(measurements).items()
        ),
    ]


def cells_table(measurements: Sequence[Measurement]) -> Table:
    """Return the table of nanoseconds per element."""
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
    """Return the table of libraries that are left out because their results are wrong."""
    cells: dict[tuple[str, ...], int] = {}
    for m in measurements:
        for library in m.wrong:
            key = library, m.cell.function, m.cell.pass_, m.cell.dtype, GROUPS["inputs"](m.cell)
            cells[key] = cells.get(key, 0) + 1
    return [["wrong result", "function", "pass", "type", "inputs", "cells"]] + [
        [*key, str(number)] for key, number in cells.items()
    ]


def steps_table(networks: Mapping[str, Mapping[str, Sequence[float]]]) -> Table:
    """Return a table from the milliseconds of a step and, where known, of its activations."""
    table = [["network", "written with", "ms a step", "of them activations", "relative to NumPy"]]
    for network, times in networks.items():
        for library, (step, *inside) in times.items():
            activations = "".join(f"{milliseconds:.3f}" for milliseconds in inside)
            table.append([network, library, f"{step:.3f}", activations, f"{step / times['NumPy'][0]:.2f}"])
    return table


def numeric(column: Sequence[str]) -> bool:
    return all(re.fullmatch(r"[\d.]*", value) for value in column[1:])


def text(table: Table) -> str:
    """Return the table as aligned text, with columns of numbers to the right."""
    columns = list(zip(*table, strict=True))
    widths = [max(map(len, column)) * (1 if numeric(column) else -1) for column in columns]
    return "\n".join(
        "  ".join(f"{value:{'<>'[width > 0]}{abs(width)}}" for value, width in zip(row, widths, strict=True))
        for row in table
    )


def markdown(table: Table) -> str:
    columns, *rows = table
    return "\n".join([heading(columns, map(numeric, zip(*table, strict=True))), *map(line, rows)])


def place(cell: Cell) -> tuple[str, str]:
    """Return the row and the column of a heat map."""
    return cell.function, f"{cell.pass_}, {shape(cell)}"


def draw(measurements: Sequence[Measurement], file: Path) -> None:
    """Draw heat maps of functions by pass and shape, for each type and number of threads."""
    from matplotlib import colors, pyplot

    panels = list(dict.fromkeys((m.cell.dtype, m.cell.threads) for m in measurements))
    kinds = [[m for m in measurements if (m.cell.axis is None) == flat] for flat in (True, False)]
    kinds = [kind for kind in kinds if kind]
    heights = [len({m.cell.function for m in kind}) for kind in kinds]
    figure, grid = pyplot.subplots(
        len(kinds),
        len(panels),
        squeeze=False,
        layout="constrained",
        figsize=(3 + 2.5 * len(panels), 0.16 * sum(heights) + 2 * len(kinds)),
        height_ratios=heights,
    )
    for kind, row in zip(kinds, grid, strict=True):
        functions = list(dict.fromkeys(m.cell.function for m in kind))
        columns = [
            column
            for pass_ in PASSES
            for column in dict.fromkeys(place(m.cell)[1] for m in kind if m.cell.pass_ == pass_)
        ]
        for (dtype, threads), axes in zip(panels, row, strict=True):
            ratios: dict[tuple[str, str], list[float]] = {}
            for m in kind:
                if (m.cell.dtype, m.cell.threads) == (dtype, threads):
                    ratios.setdefault(place(m.cell), []).append(m.ratio())
            figures = {key: Figures.of(values) for key, values in ratios.items()}
            means = [
                [of.mean if (of := figures.get((function, column))) else math.nan for column in columns]
                for function in functions
            ]
            image = axes.imshow(means, norm=colors.LogNorm(1 / 8, 8), cmap="RdBu_r", aspect="auto")
            axes.set_facecolor("lightgrey")
            axes.set_title(f"{dtype}, {threads} thread{'s' * (threads > 1)}", fontsize=8)
            axes.set_xticks(range(len(columns)), columns, rotation=90, fontsize=6)
            axes.set_yticks(range(len(functions)), functions if axes is row[0] else [], fontsize=6)
    bar = figure.colorbar(image, ax=grid, shrink=0.4, ticks=[1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8])
    bar.ax.set_yticklabels(["1/8", "1/4", "1/2", "1", "2", "4", "8"], fontsize=6)
    bar.ax.minorticks_off()
    bar.set_label("fastact's time / the fastest other library's", fontsize=7)
    figure.savefig(file, dpi=120)
