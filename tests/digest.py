"""Prints a digest of the bits of every function's results, to be compared between instruction sets."""

import hashlib

import fastact
import numpy as np
from functions import DTYPES, FUNCTIONS, arguments, bits
from rows import FUNCTIONS as ROW_FUNCTIONS
from rows import LEARNED, numbers

for f in FUNCTIONS:
    for dtype in DTYPES:
        args = arguments(f, dtype)
        spread = np.linspace(0.3, 3, args[0].size)
        results = [f(*args), f(*args, *(spread * default for _, default in f.defaults))]
        print(f.name, dtype, *(hashlib.sha256(bits(result)).hexdigest()[:16] for result in results))

# Rows in a vector's direction and across it, short and in pieces.
ROWS = ((60, 2), (60, 10), (60, 66), (60, 130), (1, 40_000))
for row_function in ROW_FUNCTIONS:
    for dtype in DTYPES:
        digest = hashlib.sha256()
        for count, n in ROWS:
            args = row_function.arguments(numbers(dtype, count, n))
            digest.update(bits(row_function(*args)))
            digest.update(bits(row_function(*row_function.moved(args, (count,), 0), axis=0)))
        print(row_function.name, dtype, digest.hexdigest()[:16])

for name, p in LEARNED.items():
    for dtype in DTYPES:
        digest = hashlib.sha256()
        for count, n in ROWS:
            x, g = np.random.default_rng(0).normal(0, 10, (2, count, n)).astype(dtype)
            for parameter in (np.full((), p, dtype), np.full(n, p, dtype), np.full((count, 1), p, dtype)):
                for result in getattr(fastact, name)(x, g, parameter):
                    digest.update(bits(np.asarray(result)))
        print(name, dtype, digest.hexdigest()[:16])
