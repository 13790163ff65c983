"""Writes expansions.hpp, which expansion.hpp reads (needs mpmath and numpy).

``python expansions.py > expansions.hpp``.

The range of a function is divided into sixteen intervals, in which an index, a polynomial, rounds to the
same integer. In each interval the function is a polynomial about a centre, at which it is almost a float. A
root is the centre of its interval; the value and the rest of the slope at the float nearest to it are
subtracted from the function in all intervals, so that they are constants. A layout is good if the printed
error is below 2^-26.5, and the function changes by less than the factor 4 in an interval.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from constants import Function, fit, literal, mish_derivative, rounded
from exponential_forms import array
from mpmath import diff, exp, findroot, log, log1p, mp, mpf, sqrt

mp.dps = 40
INTERVALS = 16


@dataclass
class Expansion:
    """The function from begin to end, the coefficients of the index, and near what the root is, if any."""

    name: str
    what: str
    function: Function
    begin: mpf
    end: mpf
    index: Sequence[float]
    degree: int = 7
    root: float | None = None


def index_at(e: Expansion, x: mpf) -> mpf:
    return sum(rounded(mpf(c), 24) * x**k for k, c in enumerate(e.index))


def cut(e: Expansion, at: mpf) -> mpf:
    """Return x with an increasing index of `at`."""
    low, high = e.begin, e.end
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if index_at(e, middle) < at else (low, middle)
    return low


def centre(f: Function, slope: mpf, a: mpf, b: mpf) -> mpf:
    """Return a float where f and its slope less `slope` are almost floats.

    It is near the geometric mean of f at both ends, and not far from the middle of [a, b].
    """
    target = sqrt(f(a) * f(b))
    middle = findroot(lambda x: abs(f(x)) - target, (a, b), solver="anderson", tol=1e-20)
    middle = min(max(middle, a + (b - a) / 3), b - (b - a) / 3)
    step = max((b - a) / 8192, abs(middle) / 2**21)
    best, least = middle, mpf(1)
    for k in range(600):
        c = rounded(middle + (k + 1) // 2 * (step if k % 2 else -step), 24)
        y = f(c)
        error = abs(y / rounded(y, 24) - 1)
        if error > mpf(2) ** -30:
            continue
        linear = diff(f, c) - slope
        error += abs((linear - rounded(linear, 24)) / y) * (b - a) / 8
        if error < least:
            best, least = c, error
    return best


def beyond_linear(f: Function, c: mpf, first: mpf, linear: mpf) -> tuple[Function, Function]:
    """Return the factor of r² in f(c + r), and the weight of its error."""
    return lambda r: (f(c + r) - first - linear * r) / r**2, lambda r: r**2 / f(c + r)


def write(e: Expansion) -> None:
    root, value, slope = mpf(0), mpf(0), mpf(0)
    if e.root is not None:
        root = rounded(findroot(e.function, e.root), 24)
        value, slope = e.function(root), diff(e.function, root)
        slope -= rounded(slope, 24)

    def f(x: mpf) -> mpf:
        return e.function(x) - value

    cuts = [e.begin, *(cut(e, mpf(n) + mpf(1) / 2) for n in range(INTERVALS - 1)), e.end]
    margin = mpf(2) ** -18  # the index has rounding errors
    rows, worst, factor = [], mpf(0), mpf(1)
    for a, b in pairwise(cuts):
        a, b = a - margin * (a > e.begin), b + margin
        rooted = e.root is not None and a < root < b
        c = root if rooted else centre(f, slope, a, b)
        first, linear = rounded(f(c), 24), rounded(diff(f, c) - slope, 24)
        square, weight = beyond_linear(f, c, first, linear + slope)
        rest, error = fit(square, 0, e.degree - 2, a - c, b - c + mpf(2) ** -60, "float", weight)
        rows.append([c, first, linear, *rest])
        worst = max(worst, error)
        if not rooted:
            factor = max(factor, f(a) / f(b), f(b) / f(a))
    numbers = {"begin": e.begin, "end": e.end}
    if e.root is not None:
        numbers |= {"value_lo": value, "slope_lo": slope}
    print(f"/// {e.what}, relative error 2^{float(log(worst, 2)):.1f}, factor {float(factor):.1f}.")
    print(f"struct {e.name} {{")
    print(f"  static constexpr std::size_t degree = {e.degree};")
    print(f"  static constexpr bool rooted = {'false' if e.root is None else 'true'};")
    for key, x in numbers.items():
        print(f"  static constexpr float {key} = {literal(x, 'float')};")
    print(f"  static constexpr float index[] = {array([mpf(c) for c in e.index])};")
    centres, *columns = zip(*rows, strict=True)
    print(f"  static constexpr simd::Sixteen centre{{{array(centres)}}};")
    lines = ",\n      ".join("{" + array(column) + "}" for column in columns)
    print(f"  static constexpr simd::Sixteen column[] = {{\n      {lines}}};")
    print("};\n")


def tanh_softplus(x: mpf) -> mpf:
    u = exp(x)
    return u * (u + 2) / (u * (u + 2) + 2)


EXPANSIONS = [
    Expansion(
        "Softplus",
        "log(1 + e^-a)",
        lambda a: log1p(exp(-a)),
        mpf(0),
        mpf("10.86"),
        (-0.46875, 1.46875),
        degree=6,
    ),
    Expansion(
        "Mish",
        "tanh(log(1 + e^x))",
        tanh_softplus,
        mpf("-6.57"),
        mpf("9.1"),
        (6.4775, 1.1767614, 0.0014713196, -0.0024521994),
    ),
    Expansion(
        "MishDerivative",
        "mish'",
        mish_derivative,
        mpf("-6.65"),
        mpf("10.5"),
        (7.2345411, 1.2211704, -0.010575956, -0.0029377655),
        degree=8,
        root=-1.1924,
    ),
]

if __name__ == "__main__":
    print("// Tables of expansions, written by expansions.py.")
    print("// clang-format off")
    print('#pragma once\n\n#include <cstddef>\n\n#include "simd/table.hpp"\n')
    print("namespace fastact::math::expansions {\n")
    for e in EXPANSIONS:
        write(e)
    print("}  // namespace fastact::math::expansions\n// clang-format on")
