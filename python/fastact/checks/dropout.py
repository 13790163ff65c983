"""The exact results of dropout, and the errors of its kernels.

The mask is computed from Philox 4x32-10 (Salmon et al., 2011) with NumPy's integers. Errors are those of kept
elements, in ulp of x/(1 - rate), which mpmath computes.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

import fastact

from .accuracy import DType, every_exponent, finfo, to_exact, ulp_errors
from .figures import Figures
from .reference import Array, mp

BOUND = 1.0  # in ulp, in every type
RATES = (0.0, 2.0**-40, 0.1, 0.25, 1 / 3, 0.5, 0.9, 1 - 2.0**-20)
STREAMS = ((0, 0), (1, 7), (2**64 - 1, 2**34 - 6), (0x299F31D0A4093822, 2**62 - 1))  # seeds and offsets
SIZE = 2000  # elements for each rate and stream
SHARES = 1 << 20  # the number of elements of which the kept ones are counted
DEVIATIONS = 6  # how many standard deviations their number may differ from the expected one

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


def numbers(seed: int, offset: int, size: int) -> NDArray[np.uint64]:
    """Return the random numbers from this offset on, multiplied by 2**32."""
    counters = np.arange(offset // 4, (offset + size - 1) // 4 + 1, dtype=np.uint64)
    zero = np.zeros_like(counters)
    a, b, c, d = counters & _LOW, counters >> _HALF, zero, zero
    keys = seed & 0xFFFFFFFF, seed >> 32
    for _ in range(10):
        first, second = a * np.uint64(0xD2511F53), c * np.uint64(0xCD9E8D57)
        a, b, c, d = (
            second >> _HALF ^ b ^ np.uint64(keys[0]),
            second & _LOW,
            first >> _HALF ^ d ^ np.uint64(keys[1]),
            first & _LOW,
        )
        keys = (keys[0] + 0x9E3779B9) & 0xFFFFFFFF, (keys[1] + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack([a, b, c, d], 1).ravel()[offset % 4 :][:size]


def kept(rate: float, seed: int, offset: int, size: int) -> NDArray[np.bool_]:
    """Return whether each random number is at least the rate, which is rounded up to a multiple of 2**-32."""
    return numbers(seed, offset, size) >= np.uint64(int(np.ceil(np.ldexp(rate, 32))))


def arguments(dtype: DType, size: int) -> Array:
    """Return numbers near 1 and numbers of every exponent."""
    rng = np.random.default_rng(0)
    kinds = [rng.normal(0, 2, size), rng.choice(every_exponent(dtype), size).astype(float)]
    return np.choose(rng.integers(2, size=size), kinds).astype(dtype)


def figures(name: str, dtype: DType) -> Figures:
    """Return the figures of the function: the errors of kept elements, and the faults of its masks."""
    function: Any = getattr(fastact, name)
    found, x = Figures(), arguments(dtype, SIZE)
    beyond = mp.ldexp(1, int(finfo(dtype).maxexp))
    for rate in RATES:
        for seed, offset in STREAMS:
            y, keeps = function(x, rate, seed, offset), kept(rate, seed, offset, SIZE)
            where = f"rate = {rate!r}, seed = {seed}, offset = {offset}"
            wrong = np.flatnonzero((function(np.ones(SIZE, dtype), rate, seed, offset) != 0) != keeps)
            wrong = np.union1d(wrong, np.flatnonzero(~keeps & (y != 0)))
            if wrong.size:
                found.merge(Figures(wrong=[f"the mask of element {wrong[0]} for {where}"]))
            values, given = y[keeps], x[keeps]
            if values.size:
                scaled = np.array([min(v / (1 - mp.mpf(rate)), beyond) for v in to_exact(given)], object)
                at = {"x": given, "rate": rate}
                found.add(ulp_errors(values, scaled), at, values, BOUND)
    for rate in RATES:
        count = int(np.count_nonzero(function(np.ones(SHARES, dtype), rate, 3)))
        mean, deviation = SHARES * (1 - rate), np.sqrt(SHARES * rate * (1 - rate))
        if abs(count - mean) > DEVIATIONS * deviation + 1:
            found.merge(Figures(wrong=[f"{count} of {SHARES} elements kept at rate = {rate!r}"]))
    return found
