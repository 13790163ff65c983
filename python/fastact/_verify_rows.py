"""The part of ``python -m fastact verify`` on functions of rows: hard rows, and rows of a million.

The reference for rows that are summed is in long double; the tests compare it with mpmath. Where a definition
subtracts, a result next to zero cannot have all its digits right: errors count as `_row_accuracy.slack` says.
"""

from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec
from itertools import chain

import numpy as np
from tqdm import tqdm

import fastact

from ._figures import FORWARD, GRADIENT, Figures, Row
from ._row_accuracy import SUFFIXES, arguments, errors, long_rows, samples, split_name
from ._row_reference import ROWS

PASSES = dict(zip(SUFFIXES, ("from output", GRADIENT, FORWARD), strict=True))
LENGTHS = (1 << 20,)

TYPES = [np.float32, np.float64]
SUMMED = ("softmax", "log_softmax", "logsumexp", "softmax_cross_entropy")
BFLOAT16 = [import_module("ml_dtypes").bfloat16] if find_spec("ml_dtypes") else []
SUMMED_TYPES = [np.float16, *BFLOAT16, *TYPES]


def sampled(names: Sequence[str]) -> Iterator[Row]:
    """A line of the table for each pass and dtype of the named functions."""
    jobs = [
        (name, np.dtype(type_))
        for name in ROWS
        if split_name(name)[0] in names
        for type_ in (SUMMED_TYPES if name in SUMMED else TYPES)
    ]
    for name, dtype in tqdm(jobs, disable=None, leave=False):
        figures = Figures()
        is_long = name in SUMMED and dtype in TYPES
        for what, x in chain(samples(name, dtype), long_rows(dtype, LENGTHS) if is_long else ()):
            args = arguments(name, x)
            found = errors(name, getattr(fastact, name)(*args), *args)
            worst = np.unravel_index(found.argmax(), found.shape)
            place = dict(zip(("row", "element"), map(int, worst), strict=False))
            figures.count(found, float(found[worst]), {"rows of": what} | place)
        forward, suffix = split_name(name)
        yield forward, PASSES[suffix], dtype, figures
