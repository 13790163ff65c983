"""Writes exponential_forms.hpp, which exponential_form.hpp and exp.hpp read (needs mpmath and numpy).

``python exponential_forms.py > exponential_forms.hpp``.

A function that decays exponentially for negative x is T(a) = m(a) e^-q(a) W(a), with a = |x| and an exact m.
The range of W is divided into eight intervals, half octaves of start + slope a. In each interval,
W = C 2^(delta/8) (1 + u), where u is a polynomial about the centre of the interval. Rounding errors of u
are weighted by |u|, and delta keeps it small. A layout is good if |u| is below 0.12 and the printed error
is below 2^-26.
"""

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from constants import Function, fit, gelu_derivative, gelu_tanh_derivative, literal, rounded
from mpmath import diff, erfc, exp, expm1, findroot, floor, log, mp, mpf, nint, sqrt

mp.dps = 40
INTERVALS, STEPS = 8, 8
EXP_DEGREE = 4
ROW_LIFT = 26
Array = np.ndarray[Any, Any]
Layout = tuple[float, float, int]


@dataclass
class Intervals:
    """W in each of the intervals, and the constants of the multiplier, some with one number per interval."""

    functions: Sequence[Function]
    constants: dict[str, mpf | list[mpf]]


@dataclass
class Form:
    """T from 0 to end. From near on, T is negligible compared with 1 or x.

    Even 2^most T rounds to 0 from end on, and 2^lift T replaces T in the intervals from the last that begins
    before near; near is then moved to the last number before them.

    The exponent is q/rate. A layout consists of start, slope and an offset to the bit pattern of their sum.
    """

    name: str
    what: str
    intervals: Callable[[list[mpf]], Intervals]
    end: mpf
    near: mpf
    rate: mpf
    layout: Layout
    lift: int = 90
    most: int = 34
    degree: int = 7


def bits(x: float) -> int:
    return int(np.float32(x).view(np.int32))


def from_bits(n: int) -> float:
    return float(np.int32(n).view(np.float32))


def borders(layout: Layout, end: mpf) -> list[mpf]:
    """Return the first float of each interval, and the end."""
    start, slope, offset = layout
    first = (bits(start) + offset) >> 22
    cuts = [mpf(0)]
    for n in range(1, INTERVALS):
        guess = bits((from_bits(((first + n) << 22) - offset) - start) / slope)
        near = np.arange(guess - 4000, guess + 4000, dtype=np.int32).view(np.float32)
        z = (np.float64(slope) * near + np.float64(start)).astype(np.float32)  # a fused multiply-add
        index = (z.view(np.int32) + offset) >> 22
        (change,) = np.nonzero(np.diff(index))
        assert change.size == 1
        cuts.append(mpf(float(near[change[0] + 1])))
    return [*cuts, end]


def scale_of(ranges: Sequence[tuple[mpf, mpf]], rooted: bool) -> mpf:
    """Return a C such that all C 2^(j/8) are nearly floats, and all u are small."""
    factors = 2.0 ** (np.arange(STEPS) / STEPS)

    def largest_u(c: float) -> float:
        scaled = [(float(lo), float(hi), c * 2 ** (delta(lo, hi, c) / STEPS)) for lo, hi in ranges]
        if rooted:
            lo, hi = (float(x) for x in ranges[0])
            scaled[0] = (lo, hi, c * 2 ** (first_delta(ranges[0], c) / STEPS))
        return max(max(abs(lo / p - 1), abs(hi / p - 1)) for lo, hi, p in scaled)

    def rounding(c: Array) -> Array:
        error = np.zeros_like(c)
        for f in factors:
            np.maximum(error, np.abs((c * f).astype(np.float32) / (c * f) - 1), out=error)
        return error

    best = (math.inf, 0.0)
    for k in range(24):
        middle = 0.55 * 2 ** (k / 24 / STEPS)
        coarse = np.arange(0.994 * middle, 1.006 * middle, 2.0**-24).astype(np.float32).astype(np.float64)
        coarse = (coarse[:, None] * (1 + np.linspace(-1, 1, 9) * 2.0**-28)).ravel()
        fine = coarse[np.argsort(rounding(coarse))[:8]]
        fine = (fine[:, None] * (1 + np.linspace(-1, 1, 4001) * 2.0**-28)).ravel()
        error = rounding(fine)
        c = float(fine[error.argmin()])
        best = min(best, (1.5 * largest_u(c) + float(error.min()) * 2**24, c))
    return mpf(best[1])


def delta(lowest: mpf, highest: mpf, c: float) -> int:
    return int(nint(STEPS * log((lowest + highest) / 2 / c, 2)))


def first_delta(span: tuple[mpf, mpf], c: float) -> int:
    """Return a delta with u > 0 where T is near 1/2: (root - a) power is below; its sum with 1 is exact."""
    return int(floor(STEPS * log(span[0] / c * mpf("0.999"), 2)))


def centre(f: Function, a: mpf, b: mpf) -> mpf:
    """Return a float near the middle of [a, b] where f is almost a float (Gal and Bachelis, 1991)."""
    middle = (a + b) / 2
    step = max((b - a) / 4096, abs(middle) / 2**21)
    best, least = mpf(0), mpf(1)
    for k in range(400):
        c = rounded(middle + (k + 1) // 2 * (step if k % 2 else -step), 24)
        y = f(c)
        error = abs(y - rounded(y, 24))
        if error < least:
            best, least = c, error
        if least < mpf(2) ** -31:
            break
    return best


def rotated(values: Sequence[Any], layout: Layout) -> list[Any]:
    """Return the values in the order of the interval numbers modulo 8; that of the first need not be 0."""
    first = (bits(layout[0]) + layout[2]) >> 22
    return [values[(n - first) % INTERVALS] for n in range(INTERVALS)]


def array(values: Sequence[mpf]) -> str:
    return "{" + ", ".join(literal(x, "float") for x in values) + "}"


def print_columns(columns: Sequence[Sequence[mpf]], layout: Layout) -> None:
    rows = ",\n      ".join("{" + array(rotated(column, layout)) + "}" for column in columns)
    print(f"  static constexpr simd::Eight column[] = {{\n      {rows}}};")


def relative(w: Function, unit: mpf) -> Function:
    return lambda x: w(x) / unit - 1


def moved(u: Function, at: mpf) -> tuple[Function, Function]:
    """Return u about a centre, and the weight of its error there."""
    return lambda r: u(at + r), lambda r: 1 / (1 + u(at + r))


def write(form: Form) -> None:
    cuts = borders(form.layout, form.end)
    intervals = form.intervals(cuts)
    spans = [(a + mpf(2) ** -40, b) for a, b in pairwise(cuts)]
    functions = intervals.functions
    values = [[w(a), w((a + b) / 2), w(b)] for w, (a, b) in zip(functions, spans, strict=True)]
    ranges = [(min(v), max(v)) for v in values]
    rooted = "root" in intervals.constants
    c = scale_of(ranges, rooted)
    deltas = [delta(lowest, highest, float(c)) for lowest, highest in ranges]
    if rooted:
        deltas[0] = first_delta(ranges[0], float(c))
    centres, rows, worst, largest = [], [], mpf(0), mpf(0)
    for w, (a, b), d in zip(functions, spans, deltas, strict=True):
        u = relative(w, c * mpf(2) ** (mpf(d) / STEPS))
        at = centre(u, a, b)
        around, weight = moved(u, at)
        row, error = fit(around, 0, form.degree, a - at, b - at, "float", weight)
        centres.append(at)
        rows.append(row)
        worst = max(worst, error)
        largest = max(largest, abs(u(a)), abs(u(b)))
    powers = [from_bits(bits(float(c * mpf(2) ** (mpf(j) / STEPS))) - (j << 20)) for j in range(STEPS)]
    start, slope, offset = form.layout
    step = log(mpf(2)) / STEPS * form.rate
    step_hi = rounded(step, 24)
    rate = 1 / form.rate
    edge = step * mpf("0.505")
    series, _ = fit(lambda r: expm1(-rate * r) / r if r else -rate, 0, 3, -edge, edge, "float", lambda r: r)
    numbers = {"end": form.end, "near": form.near, "slope": slope, "start": start, "per_step": 1 / step}
    numbers |= {"step_hi": step_hi, "step_lo": step - step_hi}
    first = max(n for n, a in enumerate(cuts[:-1]) if a <= form.near)
    numbers["near"] = mpf(from_bits(bits(float(cuts[first])) - 1))
    numbers["most"] = mpf(2) ** form.most
    lifts = [form.lift * (n >= first) for n in range(INTERVALS)]
    assert not any(rotated(lifts, form.layout)[n] for n in (0, 7)), "NaN would be lifted"
    deltas = [d + STEPS * lift for d, lift in zip(deltas, lifts, strict=True)]
    downs = [mpf(2) ** (lift - 127) if lift else mpf(0) for lift in lifts]
    arrays: dict[str, list[mpf]] = {"delta": deltas, "centre": centres, "down": downs}
    for key, value in intervals.constants.items():
        if isinstance(value, list):
            arrays[key] = value
        else:
            numbers[key] = value
    print(f"/// {form.what}: W to a relative 2^{float(log(worst, 2)):.1f}, |u| up to {float(largest):.2f}.")
    print(f"struct {form.name} {{")
    print(f"  static constexpr std::size_t degree = {form.degree};")
    print(f"  static constexpr float offset = std::bit_cast<float>({offset}U);")
    for key, x in numbers.items():
        print(f"  static constexpr float {key} = {literal(mpf(x), 'float')};")
    print(f"  static constexpr float series[] = {array(series)};")
    print(f"  static constexpr simd::Eight power{{{array(powers)}}};")
    for key, xs in arrays.items():
        print(f"  static constexpr simd::Eight {key}{{{array(rotated(xs, form.layout))}}};")
    print_columns(list(zip(*rows, strict=True)), form.layout)
    print("};\n")


def gelu(cuts: list[mpf]) -> Intervals:
    """Return a Φ(-a) with the multiplier m = min(a, knee) and q = (a² + m)/2, for which W varies little."""
    knee = cuts[2]

    def bent(a: mpf) -> mpf:
        m = min(a, knee)
        return a * erfc(a / sqrt(2)) / 2 * exp((a * a + m) / 2) / m

    return Intervals([bent] * INTERVALS, {"knee": knee})


def with_root(
    f: Function, scale: Function, guess: float, coefficients: dict[str, mpf] | None = None
) -> Callable[[list[mpf]], Intervals]:
    """Return f with a root. The multiplier is root - a; the root has fewer bits where it would be inexact."""
    root = findroot(f, guess)
    near, far = rounded(root, 24), rounded(root, 18)
    slope = -diff(f, root) * scale(root)

    def ratio(a: mpf) -> mpf:
        return slope if a == root else f(a) * scale(a) / (root - a)

    def intervals(cuts: list[mpf]) -> Intervals:
        roots = [near if b <= 2 * near else far for b in cuts[1:]]
        constants: dict[str, mpf | list[mpf]] = {"root": roots, "root_lo": [root - r for r in roots]}
        return Intervals([ratio] * INTERVALS, constants | (coefficients or {}))

    return intervals


# q of gelu_tanh'. Both coefficients have few bits. The first is smaller than that of w, so W varies little.
LINEAR, CUBIC = mpf("1.125"), mpf("0.07242584228515625")

FORMS = [
    Form(
        "Gelu",
        "a Φ(-a)",
        gelu,
        mpf("16.05"),
        mpf(10),
        mpf(2),
        (float.fromhex("0x1.b490bcp-1"), float.fromhex("0x1.5d405cp-1"), 2471860),
    ),
    Form(
        "GeluDerivative",
        "gelu'(-a)",
        with_root(lambda a: gelu_derivative(-a), lambda a: exp(a * a / 2), 0.7518),
        mpf("16.05"),
        mpf(10),
        mpf(2),
        (float.fromhex("0x1.f02dccp-2"), float.fromhex("0x1.af74e8p-2"), 1578834),
    ),
    Form(
        "GeluTanhDerivative",
        "gelu_tanh'(-a)",
        with_root(
            lambda a: gelu_tanh_derivative(-a),
            lambda a: exp(a * (LINEAR + CUBIC * a * a)),
            0.7525,
            {"linear": LINEAR, "cubic": CUBIC},
        ),
        mpf("11.3"),
        mpf("8.5"),
        mpf(1),
        (float.fromhex("0x1.efep-2"), float.fromhex("0x1.26fe66p-1"), 6284051),
        most=15,
        degree=8,
    ),
]


def write_exp() -> None:
    """Print the tables of 2^(j/8): a float of the bit pattern power[j] plus j 2^20, times e^rest[j]."""
    step = log(mpf(2)) / STEPS
    hi = rounded(step, 12)
    names = {"per_step": 1 / step, "step_hi": hi, "step_lo": step - hi}
    powers, rests = [], []
    for j in range(STEPS):
        line, exact = 1 + mpf(j) / STEPS, mpf(2) ** (mpf(j) / STEPS)
        power = rounded(rounded(exact / line, 24) * line, 24)
        powers.append(from_bits(bits(float(power)) - (j << 20)))
        rests.append(log(exact / power))
    bound = step * mpf("0.501")

    def series(r: mpf) -> mpf:
        return expm1(r) / r - 1

    coefficients, error = fit(series, 1, EXP_DEGREE - 1, -bound, bound, "float", lambda r: r)
    print(
        "/// e^x by steps of ln 2/8: 2^(j/8) is a float, whose bit pattern is power[j] plus j 2^20, ", end=""
    )
    print("times e^rest[j].")
    print("struct Exp {")
    for key, x in names.items():
        print(f"  static constexpr float {key} = {literal(x, 'float')};")
    print(f"  static constexpr simd::Eight power{{{array(powers)}}};")
    print(f"  static constexpr simd::Eight rest{{{array(rests)}}};")
    print(f"  /// (e^r - 1)/r, error 2^{float(log(error, 2)):.1f}.")
    print(f"  static constexpr float series[] = {array([mpf(1), *coefficients])};")
    print("};\n")
    write_row_exp(array(coefficients))


def write_row_exp(coefficients: str) -> None:
    """Print a table of C 2^(j/8), C being the one of all floats for which these are nearest to floats."""
    candidates = np.arange(1 << 23, dtype=np.int32) + np.int32(bits(1.0))
    c = candidates.view(np.float32).astype(np.longdouble)
    lines = [1 + j / STEPS for j in range(STEPS)]
    exact = [np.longdouble(2) ** (np.longdouble(j) / STEPS) for j in range(STEPS)]
    factors = [(c * e / line).astype(np.float32) for e, line in zip(exact, lines, strict=True)]
    worst = np.zeros(c.shape)
    for factor, e, line in zip(factors, exact, lines, strict=True):
        power = (factor * np.float32(line)).astype(np.longdouble)
        worst = np.maximum(worst, np.abs(power / (c * e) - 1).astype(np.float64))
    best = worst.argmin()
    print("/// e^x of rows' elements by steps of ln 2/8: one 2^(j/8) is (1 + j/8) factor[j] 2^-lift,")
    print(f"/// rounded, error 2^{math.log2(worst[best]):.1f}.")
    print("struct RowExp {")
    print(f"  static constexpr float one = {literal(mpf(float(c[best])), 'float')};")
    lifted = array([mpf(float(f[best])) * 2**ROW_LIFT for f in factors])
    print(f"  static constexpr int lift = {ROW_LIFT};")
    print(f"  static constexpr simd::Eight factor{{{lifted}}};")
    print("  /// (e^r - 1 - r)/r².")
    print(f"  static constexpr float series[] = {coefficients};")
    print("};\n")


if __name__ == "__main__":
    print("// Tables of exponential forms, written by exponential_forms.py.")
    print("// clang-format off")
    print('#pragma once\n\n#include <bit>\n#include <cstddef>\n\n#include "simd/table.hpp"\n')
    print("namespace fastact::math::forms {\n")
    write_exp()
    for form in FORMS:
        if len(sys.argv) < 2 or form.name in sys.argv[1:]:
            write(form)
    print("}  // namespace fastact::math::forms\n// clang-format on")
