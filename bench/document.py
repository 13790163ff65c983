"""Write docs/performance.md and its pictures from what the other programs here have measured.

python bench/document.py peers.jsonl training.json limits.md threads.md docs
"""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import drawing
import report
from measure import Cell
from report import Measurement, Table, markdown

MOST_USED, HEAT_MAPS = "performance.png", "heatmaps.png"
SHAPES = "65536 elements", "rows of 1024, axis 1", "rows of 1024, axis 0"

TEXT = """# Performance

![How many times as long as fastact's the functions used most take in NumPy, torch and JAX]({most_used})

The picture shows float32 arrays of 2^20 elements, in rows of 1024 for functions of rows, on one core. All
that is on this page comes from these commands, in half an hour on a quiet machine with two cores.

```sh
pip install '.[bench,examples]'  # torch and JAX take part where they are installed
python bench/peers.py --preset page --json peers.jsonl  # 20 minutes; if stopped, the same command goes on
python bench/training.py --json training.json  # 1 minute
python bench/limits.py > limits.md  # 2 minutes, after the microbenchmarks of README.md
python bench/limits.py --isa avx2 >> limits.md  # 2 minutes
python bench/threads.py > threads.md  # 4 minutes
python bench/document.py peers.jsonl training.json limits.md threads.md docs  # this page and its pictures
```

## Summary

A figure is fastact's time divided by that of the fastest other library in the same cell (less is faster). A
cell is a function, a pass, a shape and what the first column says; the last columns count the cells where
another library is faster, and where it is so by more than chance explains. Fewer shapes are measured where
more than the instruction set differs from the first row; the preset `page` in `bench/peers.py` says which.

{elements}

{rows}

By shape, pass and library, {shown}:

{summary}

![fastact's time relative to the fastest other library's, by function, pass and shape]({heat_maps})

## What is measured

{setting}

All libraries take turns in one process, on the same data, with the same threads; the least time counts, of
the processor with one thread and of the clock with several. Inputs, and arrays given as `out`, begin at a
multiple of 64 bytes, as the arrays of torch and JAX always do. Each library allocates fresh results itself,
from memory that the process holds already, so that none pays for page faults. Results are compared too.
What the libraries are asked to compute, as a user of each would write it, is in
`python/fastact/facts/expressions.py`: torch runs eagerly, its gradients are the operations that its
autograd calls; JAX's functions and their gradients (`vjp`) are under `jit`; numexpr and numba compile the
NumPy expressions, numba without `fastmath`. Where such a gradient is computed from the output y, it meets
fastact's gradient from x after computing y itself, and `from_output` with y given to both. With one thread
the process has one core. With several, each library runs after a pause of 20 ms and two calls of its own,
so that no library's waiting threads hold another's core. Inputs are normal with the deviation told,
gradients with deviation 1. A function of rows gets a matrix of 2^20 elements or a few more.

## A training step

The networks are that of `examples/train_digits.py`, 64-256-256-10 with batches of 128, and one with five
layers of 1024 and batches of 256. All start from the same weights; NumPy's and fastact's share everything but
the activation. *out=* has activations write into the same arrays in each step, the memory pool serves all
arrays.

{training_setting}

{training}

## Threads, and callers

{threads}

## Each kernel beside what the processor allows

*Bound* is how many cycles an element keeps the execution units busy at least, by llvm-mca from clang's code;
measured are the microbenchmarks, GCC's code, in the first-level cache. The last columns are the time over
that of a copy of as many bytes, in the second-level cache and beyond all caches.

The bound knows no waiting. What computes little waits for its stores, of which this processor completes 64
bytes in a cycle; what computes much has chains of twenty to forty dependent operations, longer than the work
on those vectors that the schedulers have room for, and the more so the fewer elements a register has. A
table's function also computes a tail where an input is beyond the table, as a few of those with deviation 2
are. Where the figure is below 1, GCC needs fewer instructions than clang.

{limits}

## Where another library is faster

All cells above {noise}, in nanoseconds for an element.

{slower}

{causes}

## Time for an element

In nanoseconds: {shown}.

{times}
{wrong}"""

WRONG = """
Left out are results that are not near fastact's: overflow in half precision, digits lost in tails.

{table}
"""

# Why another library is faster and what was tried, by the first pattern that matches "function pass shape,
# type, inputs, output, threads, instruction set", as in the table.
CAUSES = {
    "half precision": (
        r".*float16",
        "blocks are converted to float32 and rounded back, even where the bits could be copied.",
    ),
    "exact sums": (
        r"(softmax|log_softmax|logsumexp|softmax_cross_entropy)",
        "exponentials are added before they are rounded, with the errors of the additions, in one order for"
        " all processors; the others add floats. Tried: narrower and wider tiles, two rows to a pair"
        " of vectors, fetching ahead, non-temporal stores.",
    ),
    "statistics": (
        r"(layer|rms|batch)_norm",
        "mean, deviation and the sums of gradients are computed in double, in one order for all processors"
        " and threads; the others add floats.",
    ),
    "NaN": (
        r"(identity|binary_step) backward|maxout forward rows of (1024|50257)",
        "a NaN is carried into the result: the gradients of identity and binary_step read x for it alone,"
        " maxout compares twice.",
    ),
    "a call": (
        r"\w+ \w+ (256|4096) elements",
        "the call, not the kernel: NumPy's dispatch of a ufunc, beside its own copy or one compiled call.",
    ),
    "short rows": (
        r"(maxout|\w*glu) forward rows of (10|64), axis 1|channel_\w+ backward rows of 10,",
        "rows, or sums of columns, shorter than some vectors leave lanes empty or are brought side by side.",
    ),
    "columns": (
        r"channel_\w+ backward",
        "columns are summed some at a time, so that each step is far from the one before. Tried: fetching"
        " ahead.",
    ),
    "memory": (
        r"(identity|relu(6|_squared)?|reglu|maxout|(hard|soft)_shrink|hard_tanh|threshold|\w*prelu)"
        r" (for|back)ward|exponential from_output",
        "both do little more than read and write.",
    ),
    "pairs": (
        r".*float64",
        "exponentials and quotients are pairs of doubles, more accurate than the bounds require; the others"
        " carry one number.",
    ),
    "1 ulp": (
        r"",
        "a second term corrects what the first has lost, so that the error stays within 1 ulp everywhere."
        " Tried: tables and piecewise polynomials in place of quotients, one division for two, quotients by"
        " 1 + e^-x whose exponential is not rounded, more vectors at once.",
    ),
}


def or_none(table: Table) -> str:
    return markdown(table) if len(table) > 1 else "Nowhere."


def cause(cell: Cell) -> str:
    """Return the name of the first cause whose pattern matches."""
    what = f"{cell.function} {cell.pass_} {report.shape(cell)}, {report.setting(cell)}"
    return next((name for name, (pattern, _) in CAUSES.items() if re.match(pattern, what)), "")


def document(
    setting: dict[str, str],
    measurements: Sequence[Measurement],
    training: Mapping[str, Any],
    limits: str = "",
    threads: str = "",
) -> str:
    slower = report.slower_table(measurements, cause)
    causes = {row[-1] for row in slower}
    usual = [m for m in measurements if report.shown(m.cell)]
    wrong = report.wrong_table(measurements)
    return TEXT.format(
        most_used=MOST_USED,
        elements=markdown(report.settings_table(measurements, report.WINGS[0])),
        rows=markdown(report.settings_table(measurements, report.WINGS[1])),
        summary=markdown(report.summary_table(usual)),
        heat_maps=HEAT_MAPS,
        setting=markdown(report.setting_table(setting, measurements)),
        training_setting=markdown(report.setting_table(training["setting"])),
        training=markdown(report.steps_table(training["milliseconds"])),
        limits=limits.strip(),
        threads=threads.strip(),
        noise=report.NOISE,
        slower=or_none(slower),
        causes="\n".join(f"- *{name}*: {text}" for name, (_, text) in CAUSES.items() if name in causes),
        shown=report.setting(usual[0].cell) if usual else "",
        times=markdown(report.cells_table([m for m in usual if report.shape(m.cell) in SHAPES])),
        wrong=WRONG.format(table=markdown(wrong)) if len(wrong) > 1 else "",
    )


def main() -> None:
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    peers, training, limits, threads, folder = map(Path, sys.argv[1:])
    setting, measurements = report.read(peers)
    text = document(
        setting, measurements, json.loads(training.read_text()), limits.read_text(), threads.read_text()
    )
    (folder / "performance.md").write_text(text)
    drawing.most_used(measurements, folder / MOST_USED)
    drawing.heat_maps(measurements, folder / HEAT_MAPS)


if __name__ == "__main__":
    main()
