"""Write docs/performance.md and its picture from what peers.py and training.py have measured.

python bench/document.py peers.jsonl training.json
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import report
from measure import Cell
from report import Measurement, Table, markdown

PICTURE = "performance.png"
SHOWN = {"dtype": "float32", "spread": 2, "output": "fresh", "threads": 1, "isa": "best"}
SHAPES = "65536 elements", "rows of 1024, axis 1", "rows of 1024, axis 0"

TEXT = """# Performance

```sh
pip install '.[bench,examples]'  # torch and JAX take part where they are installed
python bench/peers.py --json peers.jsonl  # --full for the whole matrix, in hours
python bench/training.py --json training.json
python bench/document.py peers.jsonl training.json docs  # writes this page
```

{setting}

All libraries take turns in one process, on the same data, with the same threads; the least time counts, of
the processor with one thread and of the clock with several. Their results are compared too. What they are
asked to compute, as a user of each would write it, is in `bench/expressions.py`: torch runs eagerly, its
gradients are the operations that its autograd calls; JAX's functions and their gradients (`vjp`) are under
`jit`; numexpr and numba compile the NumPy expressions. Inputs are normal with the deviation told below,
gradients with deviation 1. A function of rows gets a matrix of 2^20 elements or a few more.

## Summary

A figure is fastact's time divided by that of the fastest other library in the same cell (less is faster).
*Slower* counts the cells where it is above 1.

{summary}

![fastact's time relative to the fastest other library's, by function, pass and shape]({picture})

## Where another library is faster

{slower}

## Time for an element

In nanoseconds: {shown}.

{times}

{wrong}## A training step

The networks are that of `examples/train_digits.py`, 64-256-256-10 with batches of 128, and one with five
layers of 1024 and batches of 256. All start from the same weights; NumPy's and fastact's share everything but
the activation. *out=* has activations write into the same arrays in each step, the memory pool serves all
arrays.

{training_setting}

{training}
"""

WRONG = """Left out are results that are not near fastact's: overflow in half precision, digits lost in
tails.

{table}

"""


def shown(cell: Cell) -> bool:
    return report.shape(cell) in SHAPES and all(getattr(cell, name) == value for name, value in SHOWN.items())


def or_none(table: Table) -> str:
    return markdown(table) if len(table) > 1 else "Nowhere."


def document(
    setting: dict[str, str], measurements: Sequence[Measurement], training: Mapping[str, Any]
) -> str:
    slower = [m for m in report.worst(measurements) if m.ratio() > 1]
    wrong = report.wrong_table(measurements)
    return TEXT.format(
        setting=markdown(report.setting_table(setting, measurements)),
        summary=markdown(report.summary_table(measurements)),
        picture=PICTURE,
        slower=or_none(report.cells_table(slower)),
        shown=", ".join(f"{name} {value}" for name, value in SHOWN.items()),
        times=markdown(report.cells_table([m for m in measurements if shown(m.cell)])),
        wrong=WRONG.format(table=markdown(wrong)) if len(wrong) > 1 else "",
        training_setting=markdown(report.setting_table(training["setting"])),
        training=markdown(report.steps_table(training["milliseconds"])),
    )


def main() -> None:
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    peers, training, folder = map(Path, sys.argv[1:])
    setting, measurements = report.read(peers)
    (folder / "performance.md").write_text(document(setting, measurements, json.loads(training.read_text())))
    report.draw(measurements, folder / PICTURE)


if __name__ == "__main__":
    main()
