"""Reports of measurements: figures of groups, tables and heat maps."""

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from fastact.command.markdown import heading, line
from measure import Cell

OURS = "fastact"
WINGS = "functions of elements", "functions of rows"
NOISE = 1.05  # a ratio up to this may be chance
Table = list[list[str]]  # a heading and rows

# The tables by shape and the pictures show the cells with these properties.
SHOWN = {"dtype": "float32", "spread": 2, "output": "fresh", "threads": 1, "isa": "best"}


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
    median: float
    highest: float
    above_1: int
    above_noise: int

    @classmethod
    def of(cls, ratios: Iterable[float]) -> "Figures | None":
        there = [ratio for ratio in ratios if not math.isnan(ratio)]
        if not there:
            return None
        mean = math.exp(sum(map(math.log, there)) / len(there))
        above = (sum(ratio > bound for ratio in there) for bound in (1, NOISE))
        return cls(len(there), mean, median(there), max(there), *above)


def shape(cell: Cell) -> str:
    if cell.axis is None:
        return f"{cell.shape[0]} elements"
    return f"rows of {cell.shape[cell.axis]}, axis {cell.axis}"


def wing(cell: Cell) -> str:
    return WINGS[cell.axis is not None]


GROUPS: dict[str, Callable[[Cell], str]] = {
    "pass": lambda cell: cell.pass_,
    "type": lambda cell: cell.dtype,
    "shape": shape,
    "inputs": lambda cell: f"deviation {cell.spread:g}",
    "output": lambda cell: cell.output,
    "threads": lambda cell: f"{cell.threads} thread{'s' * (cell.threads > 1)}",
    "instruction set": lambda cell: cell.isa,
}


SETTING = "type", "inputs", "output", "threads", "instruction set"


def setting(cell: Cell) -> str:
    return ", ".join(GROUPS[name](cell) for name in SETTING)


def shown(cell: Cell, shapes: Sequence[str] = ()) -> bool:
    return (not shapes or shape(cell) in shapes) and all(
        getattr(cell, name) == value for name, value in SHOWN.items()
    )


def varying(measurements: Iterable[Measurement]) -> list[str]:
    """Return the properties in which the cells differ."""
    cells = [m.cell for m in measurements]
    return [name for name, of in GROUPS.items() if len(set(map(of, cells))) > 1]


def figures_by(of: Callable[[Cell], str], measurements: Iterable[Measurement]) -> dict[str, Figures]:
    """Return the figures of each group of cells with the same of(cell), relative to the fastest peer."""
    ratios: dict[str, list[float]] = {}
    for m in measurements:
        ratios.setdefault(of(m.cell), []).append(m.ratio())
    return {name: figures for name, values in ratios.items() if (figures := Figures.of(values))}


def groups(measurements: Sequence[Measurement]) -> dict[str, Figures]:
    """Return figures relative to the fastest peer, overall and by property, then relative to each peer."""
    found = figures_by(lambda cell: "all cells", measurements)
    for of in (wing, *map(GROUPS.__getitem__, varying(measurements))):
        found |= figures_by(of, measurements)
    for peer in dict.fromkeys(name for m in measurements for name in m.times if name != OURS):
        if figures := Figures.of(m.ratio(peer) for m in measurements):
            found[f"beside {peer} alone"] = figures
    return found


def worst(measurements: Iterable[Measurement]) -> list[Measurement]:
    """Return the cells that have a peer, those with the highest ratio first."""
    return sorted((m for m in measurements if m.fastest_peer), key=lambda m: -m.ratio())


def setting_table(setting: dict[str, str], measurements: Sequence[Measurement] = ()) -> Table:
    """Return the table of what all measurements have in common."""
    properties = {name: {of(m.cell) for m in measurements} for name, of in GROUPS.items()}
    common = {name: value for name, values in properties.items() if len(values) == 1 for value in values}
    return [["measured with", ""], *([name, value] for name, value in (setting | common).items())]


def figures_table(title: str, found: Mapping[str, Figures]) -> Table:
    return [
        [title, "cells", "geometric mean", "median", "highest", "above 1", f"above {NOISE}"],
        *(
            [
                name,
                str(f.cells),
                f"{f.mean:.3f}",
                f"{f.median:.3f}",
                f"{f.highest:.2f}",
                str(f.above_1),
                str(f.above_noise),
            ]
            for name, f in found.items()
        ),
    ]


def summary_table(measurements: Sequence[Measurement]) -> Table:
    return figures_table("time relative to the fastest peer's", groups(measurements))


def settings_table(measurements: Sequence[Measurement], of_wing: str) -> Table:
    """Return the figures of a wing by type, inputs, output, threads and instruction set."""
    of = [m for m in measurements if wing(m.cell) == of_wing]
    return figures_table(of_wing, figures_by(setting, of))


def slower_table(measurements: Iterable[Measurement], cause: Callable[[Cell], str]) -> Table:
    """Return the table of all cells in which a peer is faster, with what the cause is."""
    slower = [m for m in worst(measurements) if m.ratio() > NOISE]
    return [
        ["function", "pass", "shape", "setting", "fastact", "fastest", "", "ratio", "cause"],
        *(
            [
                m.cell.function,
                m.cell.pass_,
                shape(m.cell),
                setting(m.cell),
                f"{m.times[OURS]:.3f}",
                f"{m.times[peer]:.3f}",
                peer,
                f"{m.ratio():.2f}",
                cause(m.cell),
            ]
            for m in slower
            if (peer := m.fastest_peer)
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
