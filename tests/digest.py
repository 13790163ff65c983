"""Print a digest of the bits of every function's results, for comparison between instruction sets."""

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

for dtype in DTYPES:
    x = np.random.default_rng(0).normal(0, 10, (100, 301)).astype(dtype)
    results = [fastact.dropout(a, rate, 3, 5) for a in (x, x.T, x[:, ::2]) for rate in (0.0, 0.3, 0.9)]
    print("dropout", dtype, hashlib.sha256(b"".join(bits(y) for y in results)).hexdigest()[:16])

# Contiguous rows and rows next to each other, short ones and ones long enough to be summed in pieces.
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
