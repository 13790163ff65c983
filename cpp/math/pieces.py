"""Writes pieces.hpp, the tables that piecewise.hpp reads: ``python pieces.py > pieces.hpp`` (needs mpmath).

A function is cut into 32 intervals, each with a polynomial around its centre. The interval's index is the
nearest integer to a polynomial of x, or of its distance from a zero of the function: that is then a centre.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from mpmath import diff, erfc, exp, expm1, findroot, floor, log, log1p, mp, mpf, pi, polyval, sqrt, tanh
from tables import (
    Function,
    fit,
    gelu_derivative,
    gelu_tanh_derivative,
    literal,
    mish_derivative,
    rounded,
    silu_derivative,
)

mp.dps = 40
PIECES = 32
EXP_STEPS = 8
EXP_DEGREE = 4


@dataclass
class Zero:
    """Where f(at) is almost 0: about there, what is tabulated is f(x) - slope (x - at)."""

    at: mpf
    slope: mpf


def zero_of(f: Function, guess: float = 0, bits: int = 24) -> Zero:
    """The zero at 0 or near guess. A slope of few bits has products that are exact close to it."""
    at = rounded(findroot(f, guess), 24) if guess else mpf(0)
    return Zero(at, rounded(diff(f, at), bits))


@dataclass
class Piecewise:
    """What is tabulated: f from lowest to highest or about there, and how densely, as a polynomial of x.

    Mirrored is a derivative for x <= 0 with f(x) + f(-x) = 1.
    """

    name: str
    what: str
    f: Function
    lowest: float
    highest: float
    density: Sequence[float] = (1,)
    zero: Zero | None = None
    degree: int = 6
    mirrored: bool = False


def index_polynomial(p: Piecewise) -> list[mpf]:
    """Coefficients, as floats, of the polynomial of x, less the zero if any, whose rounding is the index."""
    origin = p.zero.at if p.zero else mpf(0)
    density = mp.taylor(lambda x: polyval(p.density[::-1], x), origin, len(p.density) - 1)
    powers = [mpf(0), *(d / (k + 1) for k, d in enumerate(density))]
    lowest, highest = (polyval(powers[::-1], x - origin) for x in (mpf(p.lowest), mpf(p.highest)))
    scale = PIECES / (highest - lowest)
    return [floor(-scale * lowest), *(rounded(scale * c, 24) for c in powers[1:])]


def bounds(p: Piecewise) -> list[mpf]:
    """Where the index changes."""
    index = index_polynomial(p)
    origin = p.zero.at if p.zero else mpf(0)
    result = []
    for n in range(PIECES + 1):
        a, b = mpf(p.lowest) - 2, mpf(p.highest) + 2
        for _ in range(60):
            middle = (a + b) / 2
            if polyval(index[::-1], middle - origin) < n - mpf(1) / 2:
                a = middle
            else:
                b = middle
        result.append(a)
    return result


def centre(f: Function, a: mpf, b: mpf) -> mpf:
    """A float about the middle of [a, b], or 0 = a, where f is almost a float (Gal and Bachelis, 1991)."""
    if a == 0 and f(a) == rounded(f(a), 24):
        return a
    middle = (a + b) / 2
    step = max((b - a) / 4096, abs(middle) / 2**20)

    def error(c: mpf) -> mpf:
        y = f(c)
        return abs(y - rounded(y, 24)) / abs(y)

    best = rounded(middle, 24)
    least = error(best)
    for k in range(1, 200):
        c = rounded(middle + (k if k % 2 else -k) / 2 * step, 24)
        if (e := error(c)) < least:
            best, least = c, e
        if least < mpf(2) ** -31:
            break
    return best


def row(p: Piecewise, a: mpf, b: mpf) -> tuple[list[mpf], mpf, bool]:
    """Centre and coefficients on [a, b], the relative error, and whether the row is of those about a zero."""
    c = p.zero.at if p.zero and a <= p.zero.at < b else centre(p.f, a, b)

    def near_zero(x: mpf) -> mpf:
        assert p.zero
        return p.f(x) - p.zero.slope * (x - p.zero.at)

    def share(g: Function, first: mpf) -> mpf:
        """The largest share of f that all terms but the first have: as much their errors count."""
        return max(abs((g(x) - first) / p.f(x)) for x in (a, b))

    is_special = p.zero is not None and (c == p.zero.at or 2 * share(near_zero, mpf(0)) < share(p.f, p.f(c)))
    f = near_zero if is_special else p.f
    if p.zero and c != p.zero.at:
        c = centre(f, a, b)
    value = rounded(f(c), 24)
    # Where the slope at 0 is exact it is all there is, lest subnormals be rounded twice.
    first = 1 if p.zero and c == 0 and diff(p.f, 0) == p.zero.slope else 0
    polynomial, error = fit(
        lambda r: (f(c + r) - value) / r, first, p.degree - 1, a - c, b - c, "float", lambda r: r / p.f(c + r)
    )
    return [c, value, *([mpf(0)] * first), *polynomial], error, is_special


def rows(p: Piecewise) -> tuple[list[list[mpf]], dict[str, mpf], mpf]:
    """The rows of the table, other constants, and the largest relative error."""
    margin = (mpf(p.highest) - mpf(p.lowest)) / 2**20
    intervals = [(a - margin, b + margin) for a, b in pairwise(bounds(p))]
    if p.lowest == 0:
        intervals[0] = (mpf(0), intervals[0][1])
    results = [row(p, a, b) for a, b in intervals]
    table = [r for r, _, _ in results]
    reach = max(max(r[0] - a, b - r[0]) for r, (a, b) in zip(table, intervals, strict=True))
    constants = {"reach": reach}
    lowest, highest = intervals[0][0], intervals[-1][1]
    assert highest > 0 or not p.mirrored
    # Rising further, the index cannot come back to a row whose centre is within reach.
    assert all(polyval(p.density[::-1], x) > 0 for x in (lowest - reach, highest + reach))
    special = [n for n, (_, _, is_special) in enumerate(results) if is_special]
    if p.zero:
        centres = [r[0] for r in table]
        upper = (centres[special[-1]] + centres[special[-1] + 1]) / 2
        lower = (centres[special[0] - 1] + centres[special[0]]) / 2 if special[0] else -upper
        constants |= {
            "zero": p.zero.at,
            "slope": p.zero.slope,
            "middle": (lower + upper) / 2,
            "width": (upper - lower) / 2,
        }
        assert special == list(range(special[0], special[-1] + 1)), special
    return table, constants, max(e for _, e, _ in results)


def array(values: Sequence[mpf]) -> str:
    return "{" + ", ".join(literal(x, "float") for x in values) + "}"


def write(p: Piecewise) -> None:
    table, constants, worst = rows(p)
    index = index_polynomial(p)
    index[0] += 3 * mpf(2) ** 22
    print(f"/// {p.what}, relative error 2^{float(log(worst, 2)):.1f}.")
    print(f"struct {p.name} {{")
    print(f"  static constexpr std::size_t degree = {p.degree};")
    print(f"  static constexpr float index[] = {array(index)};")
    for key, x in constants.items():
        print(f"  static constexpr float {key} = {literal(x, 'float')};")
    if p.mirrored:
        print("  static constexpr bool mirrored = true;")
    print("  static constexpr simd::Table table{{\n      " + ",\n      ".join(map(array, table)) + "}};")
    print("};\n")


def write_exp() -> None:
    """2^(j/8) as (1 + j/8) factor[j], rounded, and what that leaves to be added to the exponent."""
    step = log(mpf(2)) / EXP_STEPS
    hi = rounded(step, 12)
    names = {"per_step": 1 / step, "step_hi": hi, "step_lo": step - hi}
    factors, rests = [], []
    for j in range(EXP_STEPS):
        line, exact = 1 + mpf(j) / EXP_STEPS, mpf(2) ** (mpf(j) / EXP_STEPS)
        factors.append(rounded(exact / line, 24))
        rests.append(log(exact / rounded(factors[-1] * line, 24)))
    bound = step * mpf("0.501")

    def series(r: mpf) -> mpf:
        return expm1(r) / r - 1

    coefficients, error = fit(series, 1, EXP_DEGREE - 1, -bound, bound, "float", lambda r: r)
    print("/// e^x by steps of ln 2/8: 2^(j/8) is (1 + j/8) factor[j], rounded, times e^rest[j].")
    print("struct Exp {")
    for key, x in names.items():
        print(f"  static constexpr float {key} = {literal(x, 'float')};")
    print(f"  alignas(32) static constexpr float factor[] = {array(factors)};")
    print(f"  alignas(32) static constexpr float rest[] = {array(rests)};")
    print(f"  /// (e^r - 1)/r, error 2^{float(log(error, 2)):.1f}.")
    print(f"  static constexpr float series[] = {array([mpf(1), *coefficients])};")
    print("};\n")


def write_mills() -> None:
    """a Φ(-a) √(2π) e^(a²/2) = 1 - v + 3v² - …, v = 1/a²."""

    def mills(v: mpf) -> mpf:
        a = 1 / sqrt(v)
        return (a * erfc(a / sqrt(2)) / 2 * sqrt(2 * pi) * exp(a * a / 2) - 1) / v

    coefficients, error = fit(mills, 0, 4, mpf(1) / 170, 1 / mpf("5.1") ** 2, "float", lambda v: v)
    print(f"/// a Φ(-a) √(2π) e^(a²/2) = 1 + v mills(v), v = 1/a², error 2^{float(log(error, 2)):.1f}.")
    print(f"inline constexpr float mills[] = {array(coefficients)};\n")


def normal(x: mpf) -> mpf:
    return erfc(-x / sqrt(2)) / 2


QUICK = mpf("1.702")


def gelu(x: mpf) -> mpf:
    return x * normal(x)


def quick_gelu_derivative(x: mpf) -> mpf:
    return silu_derivative(QUICK * x)


def tanh_over(x: mpf) -> mpf:
    return tanh(x) / x if x else mpf(1)


def tanh_shrink_over_cube(x: mpf) -> mpf:
    return 2**30 * ((x - tanh(x)) / x**3 if x else mpf(1) / 3)


def mish(x: mpf) -> mpf:
    return x * tanh(log1p(exp(x)))


GAUSSIAN = (0.439, -0.0869, 0.0079)
TABLES = [
    Piecewise(
        "SiluDerivative",
        "silu'(x)",
        silu_derivative,
        -7.5,
        6.5,
        (1, -0.03, -0.006),
        zero_of(silu_derivative, -1.2785, 3),
    ),
    Piecewise("Gelu", "gelu(x)", gelu, -5.7, 5.4, GAUSSIAN, zero_of(gelu)),
    Piecewise(
        "GeluDerivative",
        "gelu'(x), x <= 0",
        gelu_derivative,
        -6.5,
        0.2,
        (1, -0.0305, 0.0284),
        zero_of(gelu_derivative, -0.7518, 3),
        mirrored=True,
    ),
    Piecewise(
        "QuickGeluDerivative",
        "quick_gelu'(x), x <= 0",
        quick_gelu_derivative,
        -9.4,
        0.17,
        (1, 0.211, 0.0188),
        zero_of(quick_gelu_derivative, -0.7512, 3),
        mirrored=True,
    ),
    Piecewise(
        "GeluTanhDerivative",
        "gelu_tanh'(x), x <= 0",
        gelu_tanh_derivative,
        -5.85,
        0.2,
        (1, -0.0403, 0.0499),
        zero_of(gelu_tanh_derivative, -0.7525, 3),
        mirrored=True,
    ),
    Piecewise("Tanh", "tanh a/a, a >= 0", tanh_over, 0, 10.125, (1, -0.17, 0.009), degree=4),
    Piecewise(
        "TanhShrink",
        "2^30 (a - tanh a)/a³, a >= 0",
        tanh_shrink_over_cube,
        0,
        10.125,
        (1, -0.165, 0.009),
        degree=4,
    ),
    Piecewise("Softplus", "softplus(x)", lambda x: log1p(exp(x)), -8.25, 7.75),
    Piecewise("Mish", "mish(x)", mish, -8.5, 7.5, (1, -0.012, -0.0102), zero_of(mish)),
    Piecewise(
        "MishDerivative",
        "mish'(x)",
        mish_derivative,
        -7.2,
        6.2,
        (1, -0.01, -0.012),
        zero_of(mish_derivative, -1.1924),
    ),
]

if __name__ == "__main__":
    import sys

    print("// Written by pieces.py, not by hand: `python pieces.py > pieces.hpp`.")
    print("// clang-format off")
    print('#pragma once\n\n#include "simd/table.hpp"\n\nnamespace fastact::math::pieces {\n')
    write_exp()
    write_mills()
    for p in TABLES:
        if len(sys.argv) < 2 or p.name in sys.argv[1:]:
            write(p)
    print("}  // namespace fastact::math::pieces\n// clang-format on")
