"""Draw the speed and the errors of some activations beside those of other libraries.

python bench/picture.py peers.jsonl docs/beside.png

The times are those in a file that peers.py has written. The errors are measured now, over a sample of
float32 numbers.
"""

import argparse
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import report
from drawing import COLORS
from fastact import accuracy
from tqdm import tqdm

NAMES = "sigmoid", "tanh", "softplus", "elu", "silu", "gelu", "gelu_tanh", "mish"
PASSES = {"forward": "forward", "derivative": "backward"}  # what the ruler calls them, and what peers.py does
# For each library name in the output of peers.py, the names under which the ruler finds its functions.
LIBRARIES: dict[str, tuple[Any, ...]] = {
    report.OURS: ("fastact",),
    "NumPy": ("numpy", "scipy"),
    "torch": ("torch",),
    "JAX": ("jax",),
}
NO_DIGIT = 2.0**24  # in ulp; with a larger error, no digit is right

Values = dict[str, list[float]]  # by library, one for each name; NaN where there is none


def times(measurements: Sequence[report.Measurement], pass_: str, size: int) -> Values:
    """Return nanoseconds for each of so many elements."""
    found = {
        m.cell.function: m.times
        for m in measurements
        if m.cell.shape == (size,) and m.cell.pass_ == PASSES[pass_] and report.shown(m.cell)
    }
    return {library: [found.get(name, {}).get(library, math.nan) for name in NAMES] for library in LIBRARIES}


def peers(library: str, name: str, pass_: Any) -> Iterator[Any]:
    for found in LIBRARIES[library]:
        try:
            yield accuracy.peer(found, name, pass_)
        except (ModuleNotFoundError, ValueError):  # not installed, or it has no such function
            continue


def error(library: str, name: str, pass_: Any) -> float:
    """Return the largest error in ulp; NaN where there is no such function."""
    function = next(peers(library, name, pass_), None)
    if function is None:
        return math.nan
    with np.errstate(all="ignore"):
        return accuracy.measure(function, name, pass_).largest


def errors(pass_: str) -> Values:
    return {
        library: [error(library, name, pass_) for name in tqdm(NAMES, library, disable=None, leave=False)]
        for library in LIBRARIES
    }


def draw(panels: Mapping[str, tuple[Values, Values]], file: Path) -> None:
    """Draw a row of panels for each pass, the times and the errors of each."""
    from matplotlib import pyplot

    figure, grid = pyplot.subplots(
        len(panels), 2, squeeze=False, figsize=(9, 2.7 * len(panels)), layout="constrained"
    )
    for (pass_, columns), row in zip(panels.items(), grid, strict=True):
        titles = f"{pass_}: ns per element", f"{pass_}: largest error in ulp"
        for axes, title, values in zip(row, titles, columns, strict=True):
            for i, (library, numbers) in enumerate(values.items()):
                places = np.arange(len(NAMES)) + 0.16 * i - 0.24  # so that none hides another
                shown = np.clip(numbers, None, NO_DIGIT)
                shape = {"marker": "o", "s": 55} if library == report.OURS else {"marker": "D", "s": 20}
                axes.scatter(shown, places, color=COLORS[library], label=library, **shape)
            axes.set(xscale="log", title=title)
            axes.xaxis.set_major_formatter("{x:g}")
            axes.set_yticks(range(len(NAMES)), NAMES if axes is row[0] else [])
            axes.invert_yaxis()
            axes.grid(alpha=0.3)
            axes.spines[["top", "right"]].set_visible(False)
        row[1].axvline(1, color="black", linewidth=0.8)
        row[1].set_xticks([1, 2**8, 2**16, NO_DIGIT], ["1", "2⁸", "2¹⁶", "no digit\nright"])
        row[1].set_xlim(0.3, 3 * NO_DIGIT)
        row[1].minorticks_off()
    handles, labels = grid[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), frameon=False)
    figure.savefig(file, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("peers", type=Path, help="what peers.py has written")
    parser.add_argument("picture", type=Path, help="the file to write, PNG, SVG…")
    parser.add_argument(
        "--size", type=int, default=65536, metavar="N", help="elements (default: %(default)s)"
    )
    options = parser.parse_args()
    _, measurements = report.read(options.peers)
    measured = {pass_: times(measurements, pass_, options.size) for pass_ in PASSES}
    if any(all(map(math.isnan, values[report.OURS])) for values in measured.values()):
        sys.exit(f"{options.peers} lacks times of both passes for {options.size} elements")
    draw({pass_: (values, errors(pass_)) for pass_, values in measured.items()}, options.picture)


if __name__ == "__main__":
    main()
