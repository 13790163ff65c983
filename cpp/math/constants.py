"""Writes constants.hpp, the constants of cpp/math: ``python constants.py > constants.hpp`` (needs mpmath).

Each polynomial is a least-squares fit at Chebyshev nodes, which is near-minimax, with 80 digits. Its
coefficients are rounded one after the other, starting with the lowest. After each rounding the others are
fitted again, so that they compensate for the rounding error. A comment states the largest error on the
interval.
"""

import re
from collections.abc import Callable, Sequence

from mpmath import (
    cos,
    diff,
    erfc,
    exp,
    findroot,
    frexp,
    ldexp,
    log,
    log1p,
    lu_solve,
    matrix,
    mp,
    mpf,
    nint,
    pi,
    sqrt,
    tanh,
    taylor,
)

mp.dps = 80

Function = Callable[[mpf], mpf]
SIGNIFICAND = {"float": 24, "double": 53}


def rounded(x: mpf, precision: int) -> mpf:
    """Return the nearest number with this many significant bits, with ties to even."""
    exponent = frexp(x)[1] if x else 0
    return ldexp(nint(ldexp(x, precision - exponent)), exponent - precision)


def literal(x: mpf, ctype: str) -> str:
    digits = re.sub(r"\.?0*p", "p", float(rounded(mpf(x), SIGNIFICAND[ctype])).hex())
    return digits + ("F" if ctype == "float" else "")


def fit(
    f: Function, first: int, last: int, a: mpf, b: mpf, ctype: str, weight: Function = lambda x: mpf(1)
) -> tuple[list[mpf], mpf]:
    """Return rounded coefficients of x^first to x^last that fit f on [a, b], and the largest error."""
    count = 3 * (last + 1)
    nodes = [(a + b) / 2 + (b - a) / 2 * cos(pi * (k + mpf(1) / 2) / count) for k in range(count)]
    weights = [weight(x) for x in nodes]
    rest = [w * f(x) for w, x in zip(weights, nodes, strict=True)]
    coefficients: list[mpf] = []
    for power in range(first, last + 1):
        columns = range(power, last + 1)
        rows = matrix([[w * x**k for k in columns] for w, x in zip(weights, nodes, strict=True)])
        best = lu_solve(rows, matrix(rest))
        coefficients.append(rounded(best[0], SIGNIFICAND[ctype]))
        rest = [r - coefficients[-1] * row for r, row in zip(rest, rows[:, 0], strict=True)]
    return coefficients, max(abs(r) for r in rest)


def constant(ctype: str, name: str, x: mpf) -> None:
    print(f"  static constexpr {ctype} {name} = {literal(x, ctype)};")


def array(ctype: str, name: str, what: str, f: Function, first: int, last: int, a: mpf, b: mpf) -> None:
    coefficients, error = fit(f, first, last, mpf(a), mpf(b), ctype)
    print(f"  /// {what} on [{float(a):.4f}, {float(b):.4f}], error 2^{float(log(error, 2)):.1f}.")
    print(f"  static constexpr {ctype} {name}[] = {{{', '.join(literal(c, ctype) for c in coefficients)}}};")


def mills_polynomial(s: mpf, shift: mpf, centre: int) -> mpf:
    """Return p(s) with (a + shift) Φ(-a) e^(a²/2) = shift/2 + (1 + s) p(s), which varies little.

    Φ(-a) e^(a²/2) is the Mills ratio over √(2π); s = (a - centre)/(a + centre) maps [0, inf] to [-1, 1].
    """
    a = centre * (1 + s) / (1 - s)
    return ((a + shift) * erfc(a / sqrt(2)) * exp(a * a / 2) - shift) / 2 / (1 + s)


def tanh_shrink(t: mpf) -> mpf:
    x = sqrt(t)
    return ((x - tanh(x)) / x**3 - mpf(1) / 3) / t


def artanh(t: mpf) -> mpf:
    x = sqrt(t)
    return 2 * (mp.atanh(x) - x) / x**3


def silu_derivative(x: mpf) -> mpf:
    sigma = 1 / (1 + exp(-x))
    return sigma * (1 + x * (1 - sigma))


def gelu_derivative(x: mpf) -> mpf:
    return erfc(-x / sqrt(2)) / 2 + x * exp(-x * x / 2) / sqrt(2 * pi)


def gelu_tanh_derivative(x: mpf) -> mpf:
    scale, cubic = 2 * sqrt(2 / pi), mpf("0.044715") * x**3
    sigma = 1 / (1 + exp(-scale * (x + cubic)))
    return sigma * (1 + scale * (x + 3 * cubic) * (1 - sigma))


def mish_derivative(x: mpf) -> mpf:
    u = exp(x)
    return u * (4 * (x + 1) + 4 * u**2 + u**3 + u * (4 * x + 6)) / (2 + 2 * u + u**2) ** 2


def selu() -> tuple[mpf, mpf]:
    """Return the λ and α with the fixed point mean 0, variance 1: Klambauer et al., 2017, equation 14."""
    a = erfc(1 / sqrt(mpf(2))) * exp(mpf(1) / 2)
    b = erfc(sqrt(mpf(2))) * exp(mpf(2))
    alpha = sqrt(2 / pi) / (1 - a)
    return (1 - a) * sqrt(2 * pi) / sqrt(2 * b + pi * a * a - 2 * (2 + pi) * a + pi + 2), alpha


def near_root(name: str, f: Function, guess: float, width: mpf, degree: int) -> None:
    """Print f near its root as value + (x - root)(slope + p(x - root)).

    root is the float nearest to the root of f, so that x - root is exact.
    """
    root = rounded(findroot(f, guess), 24)
    value = f(root)
    slope = rounded(diff(f, root), 24)
    series = taylor(f, root, 2 * degree + 12)[1:]
    series[0] -= slope
    print(f"struct {name} {{")
    for key, x in {"root": root, "value": value, "slope": slope, "width": width}.items():
        constant("float", key, x)
    array(
        "float",
        "rest",
        "(f(root + x) - value) / x - slope",
        lambda x: mp.polyval(series[::-1], x),
        0,
        degree,
        -width,
        width,
    )
    print("};\n")


def constants(
    ctype: str,
    bias: int,
    lowest: Sequence[int],
    degrees: Sequence[int],
    centre: int,
    normal_end: int,
) -> None:
    precision = SIGNIFICAND[ctype]
    print(f"  static constexpr int significand_bits = {precision - 1};")
    constant(ctype, "exponent_bias", bias)
    print("  /// Adding and subtracting it rounds to the nearest integer.")
    constant(ctype, "to_integer", 3 * mpf(2) ** (precision - 2))
    print("  /// For smaller x, e^x times the largest number rounds to zero.")
    constant(ctype, "lowest", lowest[0])
    print("  /// For smaller x, e^x - 1 rounds to -1.")
    constant(ctype, "expm1_lowest", lowest[1])
    if ctype == "double":
        print("  /// Smaller powers of two are represented by the square of a normal number.")
        constant(ctype, "smallest_exponent", -200)
    constant(ctype, "log2_e", 1 / log(2))
    selu_lambda, selu_alpha = selu()
    pairs = {
        "ln2": log(mpf(2)),
        "density": 1 / sqrt(2 * pi),
        "selu_lambda": selu_lambda,
        "selu_lambda_alpha": selu_lambda * selu_alpha,
        "quick_gelu": mpf("1.702"),
        "gelu_tanh_1": 2 * sqrt(2 / pi),
        "gelu_tanh_3": 2 * sqrt(2 / pi) * mpf("0.044715"),
        "third": mpf(1) / 3,
    }
    for name, x in pairs.items():
        # The high part has few bits, so that its product with a square and differences from it are exact.
        high = rounded(x, precision // 2 if name == "gelu_tanh_1" else precision)
        constant(ctype, f"{name}_hi", high)
        constant(ctype, f"{name}_lo", x - high)
    edge = log(mpf(2)) / 2 * (1 + mpf(2) ** -10)
    if ctype == "double":  # for float it is in exponential_forms.hpp
        array(ctype, "exp", "(e^x - 1 - x) / x²", lambda x: exp(x) - 1 - x, 2, degrees[0], -edge, edge)
        what = "(2 artanh x - 2x)/x³ as a function of x²"
        array(ctype, "artanh", what, artanh, 0, degrees[1], mpf(0), mpf(1) / 9)
    else:
        what = "2 (e^x - 1 - x - x²/2) / x³"
        array(ctype, "expm1", what, lambda x: 2 * (exp(x) - 1 - x) - x * x, 3, degrees[0], -edge, edge)
        a, b = 1 / sqrt(mpf(2)) - 1, sqrt(mpf(2)) - 1
        what = "(log(1 + x) - x + x²/2) / x³"
        array(ctype, "log1p", what, lambda x: log1p(x) - x + x * x / 2, 3, degrees[1], a, b)
    shift = mpf(27) / 32
    if ctype == "double":  # for float it is in exponential_forms.hpp
        what = "((x - tanh x)/x³ - 1/3)/x² as a function of x²"
        array(ctype, "tanh_shrink", what, tanh_shrink, 0, 11, mpf(0), mpf(3) / 8)
    constant(ctype, "mills_shift", shift)
    constant(ctype, "mills_centre", centre)
    print("  /// For larger a, e^(-a²/2) times the largest number rounds to zero.")
    constant(ctype, "normal_end", normal_end)
    end = mpf(normal_end - centre) / (normal_end + centre)
    what = "((a + shift) Φ(-a) e^(a²/2) - shift/2)/(1 + s), s = (a - centre)/(a + centre)"
    array(
        ctype,
        "mills_polynomial",
        what,
        lambda s: mills_polynomial(s, shift, centre),
        0,
        degrees[2],
        mpf(-1),
        end,
    )


def main() -> None:
    print("// Constants and polynomials of cpp/math, written by constants.py.")
    print("// clang-format off")
    print("#pragma once\n\nnamespace fastact::math {\n\ntemplate <class T>\nstruct Constants;\n")
    print("template <>\nstruct Constants<float> {")
    constants("float", 127, (-200, -25), (7, 11, 10), 4, 20)
    print("};\n\ntemplate <>\nstruct Constants<double> {")
    constants("double", 1023, (-1500, -50), (12, 9, 26), 5, 54)
    print("};\n")
    near_root("SiluRoot", silu_derivative, -1.2785, mpf(1) / 8, 4)
    near_root("QuickGeluRoot", lambda x: silu_derivative(mpf("1.702") * x), -0.7512, mpf(1) / 16, 4)
    near_root("GeluTanhRoot", gelu_tanh_derivative, -0.7525, mpf(1) / 16, 4)
    print("}  // namespace fastact::math\n// clang-format on")


if __name__ == "__main__":
    main()
