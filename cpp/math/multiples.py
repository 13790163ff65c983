"""Writes multiples.hpp, which multiple.hpp reads (needs mpmath and numpy).

``python multiples.py > multiples.hpp``.

A function is n(a) W(a), with a >= 0 and an n that is computed almost exactly. The range of a is divided into
eight intervals, half octaves of start + slope a, in which W is a polynomial about a centre. n depends on
a and min(a, knee), and the knee is a border of intervals. Thus W varies little in each of them, and the
rounding errors of all terms except the first are small compared with it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from constants import fit, literal, rounded
from exponential_forms import Layout, array, borders, centre, print_columns, rotated
from mpmath import log, mp, mpf, tanh

mp.dps = 40


@dataclass
class Multiple:
    """W, as a function of a and min(a, knee), from 0 to end; the knee is the first number of an interval."""

    name: str
    what: str
    w: Callable[[mpf, mpf], mpf]
    end: mpf
    layout: Layout
    knee: int
    degree: int = 7


def row(w: Callable[[mpf], mpf], a: mpf, b: mpf, degree: int) -> tuple[list[mpf], mpf]:
    """Return centre and coefficients on [a, b], and the relative error. A centre at 0 makes W exact there."""
    c = mpf(0) if a == 0 and w(mpf(0)) == 1 else centre(w, a, b)
    first = rounded(w(c), 24)
    tiny = mpf(2) ** -40
    rest, error = fit(
        lambda r: (w(c + r) - first) / r, 0, degree - 1, a - c + tiny, b - c, "float", lambda r: r / w(c + r)
    )
    return [c, first, *rest], error


def write(m: Multiple) -> None:
    cuts = borders(m.layout, m.end)
    knee = cuts[m.knee]
    rows, errors = zip(
        *(row(lambda a: m.w(a, min(a, knee)), a, b, m.degree) for a, b in pairwise(cuts)), strict=True
    )
    start, slope, offset = m.layout
    print(f"/// {m.what}, relative error 2^{float(log(max(errors), 2)):.1f}.")
    print(f"struct {m.name} {{")
    print(f"  static constexpr std::size_t degree = {m.degree};")
    print(f"  static constexpr float offset = std::bit_cast<float>({offset}U);")
    for key, x in {"start": start, "slope": slope, "end": m.end, "knee": knee}.items():
        print(f"  static constexpr float {key} = {literal(mpf(x), 'float')};")
    centres, *columns = zip(*rows, strict=True)
    print(f"  static constexpr simd::Eight centre{{{array(rotated(centres, m.layout))}}};")
    print_columns(columns, m.layout)
    print("};\n")


def tanh_over(a: mpf, m: mpf) -> mpf:
    return tanh(a) / m if a else mpf(1)


def tanh_shrink_over(a: mpf, m: mpf) -> mpf:
    return 2**30 * ((a - tanh(a)) / (a * m**2) if a else mpf(1) / 3)


START, OFFSET = float.fromhex("0x1.284f28p+0"), 2873540
MULTIPLES = [
    Multiple(
        "Tanh",
        "tanh a / min(a, knee)",
        tanh_over,
        mpf(9.625),
        (START, float.fromhex("0x1.cd8808p+0"), OFFSET),
        3,
    ),
    Multiple(
        "TanhShrink",
        "2^30 (a - tanh a) / (a min(a, knee)²)",
        tanh_shrink_over,
        mpf(9.0625),
        (START, float.fromhex("0x1.e8696ap+0"), OFFSET),
        4,
    ),
]

if __name__ == "__main__":
    print("// Tables of multiples, written by multiples.py.")
    print("// clang-format off")
    print('#pragma once\n\n#include <bit>\n#include <cstddef>\n\n#include "simd/table.hpp"\n')
    print("namespace fastact::math::multiples {\n")
    for m in MULTIPLES:
        write(m)
    print("}  // namespace fastact::math::multiples\n// clang-format on")
