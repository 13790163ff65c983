"""Compare fastact with torch, JAX, NumPy/SciPy, numexpr and numba, as far as they are installed.

Every cell of the matrix asked for is measured in a process in which all libraries are limited to the
same threads and instruction set; see measure.py. With --json, a run that was stopped continues there.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.util import find_spec
from itertools import groupby, product
from pathlib import Path
from typing import Any

import drawing
import report
from fastact.facts.expressions import ARRAY_GATES, ROWS
from fastact.functions.registry import ELEMENTWISE, FUNCTIONS
from forms import into_out
from libraries import ISA, PASSES, environment, fastact_calls
from measure import Cell
from tqdm import tqdm

NAMES = [*dict.fromkeys(f.forward for f in ELEMENTWISE), *ROWS]
DTYPES = "float32", "float64", "bfloat16", "float16"
OUTPUTS = "fresh", "out"
NO_ROWS = {"rows": "", "columns": ""}
ROW_ELEMENTS = 1 << 20  # at least so many in a matrix given to functions of rows


def some_of(choices: Iterable[str]) -> Callable[[str], list[str]]:
    def parse(text: str) -> list[str]:
        chosen = text.split(",")
        if unknown := set(chosen) - set(choices):
            message = f"unknown {', '.join(sorted(unknown))}; choose from {', '.join(choices)}"
            raise argparse.ArgumentTypeError(message)
        return chosen

    return parse


def positive(number: Callable[[str], Any]) -> Callable[[str], list[Any]]:
    def numbers(text: str) -> list[Any]:
        values = [number(value) for value in text.split(",") if value]
        if min(values, default=1) <= 0:
            raise ValueError
        return list(dict.fromkeys(values))

    return numbers


ALL_THREADS = f"1,{os.cpu_count()}"
ALL_ISA = ",".join(ISA)

# name, parser, default, meaning
OPTIONS: tuple[tuple[str, Callable[[str], list[Any]], str, str], ...] = (
    ("only", some_of((*NAMES, *ARRAY_GATES)), ",".join(NAMES), "functions"),
    ("pass", some_of(PASSES), ",".join(PASSES), "passes"),
    ("dtype", some_of(DTYPES), "float32", f"of {', '.join(DTYPES)}"),
    ("sizes", positive(int), "4096,65536,1048576", "elements of arrays"),
    ("rows", positive(int), "10,64,128,1024,50257", "lengths of rows, for functions of rows"),
    ("columns", positive(int), "64,1024", "lengths of rows that lie along axis 0"),
    ("spread", positive(float), "2", "deviation of the inputs"),
    ("output", some_of(OUTPUTS), "fresh", "fresh arrays, or out= where a library can"),
    ("threads", positive(int), "1", "of every library"),
    ("isa", some_of(ISA), "best", f"instruction set every library is held to, {', '.join(ISA)}"),
)

# The parts of which the cells of a preset are the union: the options in which each differs from the defaults.
PRESETS: dict[str, list[dict[str, str]]] = {
    "brief": [{}],
    # docs/performance.md shows these cells. The first part is "brief" on all instruction sets. In each of the
    # others, one or two properties vary: the deviation, with the threads or without; the output, with the
    # threads; the type.
    "page": [
        {"isa": ALL_ISA},
        {"isa": ALL_ISA, "spread": "2,10", "sizes": "65536,1048576", **NO_ROWS},
        {"isa": ALL_ISA, "threads": ALL_THREADS, "spread": "2,10", "sizes": "1048576", **NO_ROWS},
        {
            "isa": ALL_ISA,
            "threads": ALL_THREADS,
            "output": "fresh,out",
            "sizes": "1048576",
            "rows": "64,1024",
        },
        {"isa": ALL_ISA, "dtype": ",".join(DTYPES), "sizes": "65536", "rows": "1024", "columns": "1024"},
    ],
    "full": [
        {
            "dtype": ",".join(DTYPES),
            "sizes": "256,4096,65536,1048576,16777216",
            "spread": "2,10",
            "output": ",".join(OUTPUTS),
            "threads": ALL_THREADS,
            "isa": ALL_ISA,
        }
    ],
}


def parse_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the options; `parts` are those of each part of the preset, where the others do not give them."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, parse, default, meaning in OPTIONS:
        text = f"{meaning} (default: %(default)s)"
        if name == "only":
            text = f"of {default} (default: all) and the gates {', '.join(ARRAY_GATES)}"
        parser.add_argument(
            f"--{name}", type=parse, default=default, metavar=f"{name.upper()},...", help=text
        )
    parser.add_argument(
        "--preset",
        choices=PRESETS,
        default="brief",
        help="other defaults: twenty minutes, or many hours",
    )
    parser.add_argument("--seconds", type=float, default=0.1, metavar="S", help="for each cell")
    parser.add_argument("--worst", type=int, default=20, metavar="N", help="cells to print")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="append measurements; go on from those there"
    )
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw a heat map, as PNG, SVG…")
    options = parser.parse_args(arguments)
    options.parts = []
    for part in PRESETS[options.preset]:
        parser.set_defaults(**{name: default for name, _, default, _ in OPTIONS} | part)
        options.parts.append(parser.parse_args(arguments))
    for file in filter(None, (options.json, options.plot)):
        if not file.parent.is_dir():
            parser.error(f"{file}: no folder {file.parent}")
    half = any("bfloat16" in part.dtype for part in options.parts)
    for needed, package in (options.plot, "matplotlib"), (half, "ml_dtypes"):
        if needed and not find_spec(package):
            parser.error(f"{package} is not installed: pip install '.[bench]'")
    return options


def cells(options: argparse.Namespace) -> list[Cell]:
    """Return the cells of all parts, each once, those of a process side by side."""
    asked = dict.fromkeys(cell for part in options.parts for cell in cells_of(part))
    return sorted(asked, key=lambda cell: (cell.isa != "best", cell.threads))


def cells_of(options: argparse.Namespace) -> Iterator[Cell]:
    """Return arrays of all sizes for elementwise functions, and matrices of all row lengths for others."""
    calls = fastact_calls()
    for threads, isa, function in product(options.threads, options.isa, options.only):
        shapes: list[tuple[tuple[int, ...], int | None]] = [((size,), None) for size in options.sizes]
        if function in ROWS:
            even = function in FUNCTIONS and FUNCTIONS[function].needs_even_rows
            rows, columns = (
                [n + n % 2 * even for n in lengths] for lengths in (options.rows, options.columns)
            )
            shapes = [((-(-ROW_ELEMENTS // n), n), 1) for n in rows]
            shapes += [((n, -(-ROW_ELEMENTS // n)), 0) for n in columns]
        asked = product(getattr(options, "pass"), options.dtype, shapes, options.spread, options.output)
        for pass_, dtype, shape, spread, output in asked:
            call = calls.get((function, pass_))
            if call and (output == "fresh" or into_out(call)):
                yield Cell(function, pass_, dtype, *shape, spread, output, threads, isa)


def measured(asked: Sequence[Cell], seconds: float) -> Iterator[dict[str, Any]]:
    """Return the output of measure.py, from one process for each number of threads and instruction set."""
    command = [sys.executable, str(Path(__file__).with_name("measure.py")), f"--seconds={seconds}"]
    for (threads, isa), group in groupby(asked, key=lambda cell: (cell.threads, cell.isa)):
        variables = os.environ | environment(threads, isa)
        with subprocess.Popen(
            command, env=variables, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as child:
            assert child.stdin and child.stdout
            json.dump(list(group), child.stdin)
            child.stdin.close()
            try:
                yield from map(json.loads, child.stdout)
            except BaseException:
                child.terminate()
                raise
        if child.returncode:
            raise subprocess.CalledProcessError(child.returncode, command)


def run(options: argparse.Namespace) -> tuple[dict[str, str], list[report.Measurement]]:
    """Return the setting and the measurements, read from the file or made now and appended to it."""
    setting, there = report.read(options.json or Path(os.devnull))
    known = {m.cell: m for m in there}
    asked = cells(options)
    missing = [cell for cell in asked if cell not in known]
    with (
        open(options.json or os.devnull, "a") as file,
        tqdm(total=len(missing), unit="cell", disable=None) as bar,
    ):
        for line in measured(missing, options.seconds):
            if "setting" not in line:
                measurement = report.Measurement.of(line)
                known[measurement.cell] = measurement
                bar.update()
            elif not setting:
                setting = line["setting"]
            elif setting == line["setting"]:
                continue
            else:
                raise SystemExit(f"{options.json} is of another setting: {setting}, not {line['setting']}")
            print(json.dumps(line), file=file, flush=True)
    return setting, [known[cell] for cell in asked]


def main() -> None:
    options = parse_options()
    try:
        setting, measurements = run(options)
    except KeyboardInterrupt:
        sys.exit("stopped" + f"; the same command goes on from {options.json}" * bool(options.json))
    tables = [
        report.setting_table(setting, measurements),
        report.cells_table(report.worst(measurements)[: options.worst]),
        report.wrong_table(measurements),
        report.summary_table(measurements),
    ]
    print(*(report.text(table) for table in tables if len(table) > 1), sep="\n\n")
    if options.plot:
        drawing.heat_maps(measurements, options.plot)


if __name__ == "__main__":
    main()
