"""Draws measurements: the functions used most beside other libraries, and heat maps of all cells."""

import math
from collections.abc import Sequence
from pathlib import Path

import report
from libraries import PASSES
from measure import Cell
from report import OURS, Figures, Measurement

COLORS = {OURS: "#c8501e", "NumPy": "#4477aa", "torch": "#777777", "JAX": "#228833"}
MOST_USED = (
    "relu",
    "sigmoid",
    "tanh",
    "silu",
    "gelu",
    "gelu_tanh",
    "swiglu",
    "softmax",
    "softmax_cross_entropy",
    "layer_norm",
)
TRAINING_SHAPES = "1048576 elements", "rows of 1024, axis 1"
LONGEST_BAR = 6  # above it bars are cut


def most_used(measurements: Sequence[Measurement], file: Path) -> None:
    """Draw how many times as long as fastact's the calls of a few functions take in each library."""
    from matplotlib import pyplot

    chosen = {
        (m.cell.pass_, m.cell.function): m.times
        for m in measurements
        if report.shown(m.cell, TRAINING_SHAPES)
    }
    figure, panels = pyplot.subplots(1, 2, figsize=(9, 6), layout="constrained", sharey=True)
    for pass_, axes in zip(PASSES, panels, strict=False):
        for i, name in enumerate(MOST_USED):
            times = chosen.get((pass_, name), {})
            for j, (library, color) in enumerate(COLORS.items()):
                if library in times:
                    ratio = times[library] / times[OURS]
                    place, length = i + 0.2 * j - 0.3, min(ratio, LONGEST_BAR)
                    axes.barh(place, length, 0.2, color=color, label=library)
                    axes.text(length, place, f" {ratio:.1f}", va="center", fontsize=6)
        axes.set(title=pass_, xlim=(0, 1.1 * LONGEST_BAR), xlabel="times as long as fastact's")
        axes.axvline(1, color=COLORS[OURS], linewidth=0.8)
        axes.set_yticks(range(len(MOST_USED)), MOST_USED)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].invert_yaxis()
    handles = dict(zip(*reversed(panels[0].get_legend_handles_labels()), strict=True))
    figure.legend(handles.values(), handles, loc="outside upper center", ncols=len(COLORS), frameon=False)
    figure.savefig(file, dpi=120)


def place(cell: Cell) -> tuple[str, str]:
    """Return the row and the column of a heat map."""
    return cell.function, f"{cell.pass_}, {report.shape(cell)}"


def heat_maps(measurements: Sequence[Measurement], file: Path) -> None:
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
