"""Prints a digest of the bits of every function's results, to be compared between instruction sets."""

import hashlib

import numpy as np
from functions import DTYPES, FUNCTIONS, arguments, bits

for f in FUNCTIONS:
    for dtype in DTYPES:
        args = arguments(f, dtype)
        spread = np.linspace(0.3, 3, args[0].size)
        results = [f(*args), f(*args, *(spread * default for _, default in f.defaults))]
        print(f.name, dtype, *(hashlib.sha256(bits(result)).hexdigest()[:16] for result in results))
