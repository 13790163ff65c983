"""Error bounds and errors of the functions of rows, and rows that are likely to show the largest."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..functions.registry import BACKWARD, FROM_OUTPUT, FUNCTIONS, WITH_GRADIENT, Function, split_name
from .accuracy import DType, every_exponent, excused, finfo, float_errors, ulp, ulp_errors
from .row_reference import (
    GATES,
    ROWS,
    Real,
    exact,
    expected,
    expected_and_magnitude,
    label_weights,
    weighted_cross_entropy,
    weighted_cross_entropy_backward,
    weighted_cross_entropy_terms,
)

BOUND = {"float16": 0.51, "bfloat16": 0.51, "float32": 2.0, "float64": 4.0}  # in ulp
GRADIENT_BOUND = {"float16": 1.0, "bfloat16": 1.0, "float32": 3.0, "float64": 4.0}  # of the largest term

# Where m + log Σ e^(x - m) or x - τ nearly cancels, results as small as this may have this absolute error.
NEAR_ZERO = {
    "logsumexp": {"float32": (2.0**-31, 2.0**-53), "float64": (2.0**-2, 2.0**-52)},
    "sparsemax": {"float32": (2.0**-25, 2.0**-48), "float64": (2.0**-52, 2.0**-102)},
}


def sums(name: str) -> bool:
    """Return whether the function sums over rows, as all do but gated units and maxout."""
    return split_name(name)[0] not in (*GATES, "maxout")


def bound(name: str, dtype: DType) -> float:
    """Return the largest error allowed."""
    is_gradient = split_name(name)[1] in (BACKWARD, FROM_OUTPUT)
    return (GRADIENT_BOUND if is_gradient and sums(name) else BOUND)[dtype.name]


def arguments(name: str, x: Real, spread: int = 4) -> tuple[Any, ...]:
    """Return the other inputs for the rows x: labels and gradients.

    A third of the labels are those of the largest element. The gradients are by turns of both signs,
    positive, equal, and of very different sizes.
    """
    rng = np.random.default_rng(1)
    count, n = x.shape
    labels: Any = rng.integers(0, n, count)
    labels[::3] = x[::3].argmax(-1)
    normal = rng.normal(size=x.shape)
    # Products are used because NumPy's exponentials differ between processors.
    kinds = [normal, np.abs(normal), np.ones_like(normal), np.abs(normal * normal * normal)]
    chosen = np.choose(np.arange(count)[:, None] % len(kinds), kinds)
    g = np.ldexp(chosen, rng.integers(-spread, spread + 1, (count, 1))).astype(x.dtype)
    by_size: dict[str, Any] = {"n": g, "m": g[:, : n // 2], "": g[:, 0]}
    first, *others = FUNCTIONS[name].operands
    rest = (labels if operand.role == "labels" else by_size[operand.core] for operand in others)
    return (FUNCTIONS[split_name(name)[0]].ufunc(x) if first.role == "output" else x, *rest)


def parts(f: Function, arrays: Sequence[Any]) -> list[tuple[str, tuple[Any, ...]]]:
    """Return, for each result of a function of rows, a function with only this result, and its arguments."""
    if f.suffix != WITH_GRADIENT:
        return [(f.name, tuple(arrays))]
    x, labels = arrays
    return [(f.forward, (x, labels)), (f.forward + BACKWARD, (x, labels, np.ones(np.shape(labels), x.dtype)))]


def slack(name: str, value: Real, *arrays: Any) -> Any:
    """Return the absolute error that counts as none.

    It is that of logsumexp and sparsemax near zero, and that of products of a subnormal and a large factor in
    gated units and in the gradient at a label.
    """
    forward, suffix = split_name(name)
    x, *rest = arrays
    least = float(np.finfo(np.promote_types(x.dtype, np.float32)).smallest_subnormal)
    if forward in NEAR_ZERO and not suffix:
        small, error = NEAR_ZERO[forward].get(x.dtype.name, (0.0, 0.0))
        return np.where(np.abs(value) < small, error, 0.0)
    if suffix and FUNCTIONS[name].labels is not None:
        return least * np.abs(rest[-1].astype(float))[..., None]
    if forward not in GATES:
        return 0.0
    gate = GATES[forward]
    u, v = gate.halves(x.astype(float))
    if not suffix:
        return least * np.abs(v)
    g = np.abs(rest[0].astype(float))
    du = (least + excused(gate.activation, u.astype(x.dtype))) * np.abs(v) + least
    return np.concatenate(gate.in_order([g * du, g * least]), -1)


def errors(name: str, result: Real, *arrays: Any) -> NDArray[np.float64]:
    """Return the errors, less what counts as none, in ulp of the expected result or of its largest term."""
    value: Any
    largest: Any
    if split_name(name)[0] in GATES and result.dtype == np.float64:
        value = exact(name, *arrays)
        found = ulp_errors(result.ravel(), value.ravel()).reshape(result.shape)
        value = largest = value.astype(float)
    else:
        value, largest = expected_and_magnitude(name, *arrays)
        found = float_errors(result, value)
    unit = ulp(value, result.dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        spared = np.nan_to_num(np.asarray(slack(name, value, *arrays) / unit, float))
        found = np.where(spared > 0, np.maximum(found - spared, 0), found)
        if ROWS[name].terms:
            found *= unit / ulp(np.asarray(largest, float), result.dtype)
    return found


def option_errors(f: Function, results: Sequence[Real], arrays: Sequence[Any], options: Any) -> Iterator[Any]:
    """Yield the errors and their bound for each result of a cross-entropy with options or probabilities."""
    x, labels, *rest = arrays
    dtype, kernel = x.dtype, np.promote_types(x.dtype, np.float32)
    given = dict(options)
    if given.get("weights") is not None:
        given["weights"] = np.asarray(given["weights"]).astype(kernel)
    doubles, g = x.astype(np.float64), (rest[0] if rest else np.ones(x.shape[:-1])).astype(np.float64)
    a = label_weights(doubles, labels if labels.dtype.kind in "iu" else labels.astype(np.float64), **given)
    ignored: Any = labels == given.get("ignore_label") if labels.ndim < x.ndim else np.zeros((), bool)
    for core, result in zip(f.results, results, strict=True):
        skipped = ignored[..., None] if core else ignored
        with np.errstate(all="ignore"):
            exact = (
                weighted_cross_entropy_backward(doubles, a, g) if core else weighted_cross_entropy(doubles, a)
            )
            found = float_errors(result, value := np.where(skipped, 0, exact))
            if core:
                terms = np.where(skipped, 0, weighted_cross_entropy_terms(doubles, a, g))
                found *= ulp(value, dtype) / ulp(np.asarray(terms, float), dtype)
        yield found, (GRADIENT_BOUND if core else BOUND)[dtype.name]


OPTIONS: tuple[dict[str, Any], ...] = (  # weights are given as a function of the number of classes
    {"label_smoothing": 0.1},
    {"weights": lambda n: np.geomspace(0.05, 20, n)},
    {"weights": lambda n: np.arange(n) % 3, "label_smoothing": 0.25},
    {"weights": lambda n: np.geomspace(20, 0.05, n), "ignore_label": 0, "label_smoothing": 1.0},
    {"ignore_label": -100},
)


def with_options(f: Function, x: Real) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Yield arguments of a cross-entropy: labels with options of every kind, and probabilities."""
    rng = np.random.default_rng(2)
    count, n = x.shape
    hard: Any = rng.integers(0, n, count)
    hard[::3] = x[::3].argmax(-1)
    soft: Any = rng.random((count, n)) ** 4
    soft[rng.random((count, n)) < 0.2] = 0
    total: Any = soft.sum(-1, keepdims=True)
    soft = (soft / np.maximum(total, 1e-3)).astype(x.dtype)
    g = [rng.normal(size=(count,)).astype(x.dtype)] if f.suffix == BACKWARD else []
    for options in OPTIONS:
        given: dict[str, Any] = {
            key: value(n) if callable(value) else value for key, value in options.items()
        }
        ignored: Any = given.get("ignore_label")
        labels = hard if ignored is None else np.where(np.arange(count) % 4 == 1, ignored, hard)
        yield (x, labels, *g), given
        if ignored is None:
            yield (x, soft, *g), given
    yield (x, soft, *g), {}


LENGTHS = (1, 2, 3, 5, 7, 8, 10, 15, 16, 17, 33, 64, 65, 100, 128, 129, 257)
LONG_LENGTHS = (1000, 5000, 32767, 32768, 50257, 1 << 18, 1 << 20)
FEW = 1 << 16  # longer rows are of fewer kinds
GAPS = (4, 8, 11, 14, 16.7, 17.3, 20, 36, 37, 40, 80, 100, 400, 700)  # near those at which a sum loses a term
SIZE = 2048  # the number of elements at a time, in 1 to 64 rows


def rows(dtype: DType, lengths: tuple[int, ...] = LENGTHS) -> Iterator[tuple[str, Real]]:
    """Yield some rows of each length at a time, with a description."""
    rng = np.random.default_rng(0)
    info = finfo(dtype)
    depth = -np.log(float(info.smallest_subnormal))  # where e^-depth is the smallest number
    exponents = every_exponent(dtype).astype(float)

    def made(n: int) -> Iterator[tuple[str, Any]]:
        count = min(max(SIZE // n, 1), 64)
        shape, column = (count, n), (count, 1)
        normal, flat = rng.normal(size=shape), rng.uniform(size=shape)
        somewhere = int(rng.integers(n))

        def having(value: float, at: int, x: Any) -> Any:
            x[:, at] = value
            return x

        gaps = [by for by in GAPS if by < 1.1 * depth]
        for deviation in (1e-3, 1, 2, 10, 30, depth):
            yield f"of deviation {deviation:.3g}", deviation * normal + rng.normal(0, 10, column)
        yield "equal", np.repeat(rng.normal(0, 5, column), n, 1)
        yield "a sum near zero", expected("log_softmax", normal * np.geomspace(1e-3, 10, count)[:, None])
        for by in gaps:  # all rounding errors have the same sign
            yield f"one {by} above equal ones", having(0, somewhere, np.full(shape, -float(by)))
        if n > FEW:
            return
        for by in gaps:
            yield f"one {by} above others", having(0, somewhere, 2 * flat - by)
            yield f"one {by} above others of deviation 3", having(0, somewhere, 3 * normal - by)
            yield f"two {by} above equal ones", having(0, 0, having(0, -1, np.full(shape, -float(by))))
        yield "equal and of any size", np.repeat(rng.choice(exponents, column), n, 1)
        yield "evenly spread", -60 * flat + rng.uniform(-200, 200, column)
        yield "between 0 and 1", flat
        yield "falling", -np.arange(n) * rng.uniform(1e-3, 2, column)
        yield "rising", np.arange(n) * rng.uniform(1e-4, 0.1, column)
        yield "about 10000", 1e4 + 3 * normal
        yield "about -10000", -1e4 + 3 * normal
        yield "about 250", rng.uniform(240, 270, column) + 3 * normal
        yield "negative", -50 * (1 + np.abs(normal))
        yield "huge", (2 * flat - 1) * float(info.max)
        yield "subnormal", normal * float(info.tiny) / 100
        yield "half -inf", having(1.5, somewhere, np.where(flat < 0.5, -np.inf, 10 * normal))
        yield "a third -10000", having(1, 0, np.where(np.arange(n) % 3, normal, -1e4))
        yield "a subnormal tail", having(0, -1, -depth * (0.8 + 0.2 * flat))

    for n in lengths:
        for what, x in made(n):
            with np.errstate(over="ignore"):
                yield f"{n} {what}", x.astype(dtype)


def gated_rows(dtype: DType, count: int = 1000) -> Iterator[tuple[str, Real]]:
    """Yield rows of two numbers, one ordinary, the other ordinary or where a gate decays; and their kind."""
    rng = np.random.default_rng(0)
    depth = -np.log(float(finfo(dtype).smallest_subnormal))
    v = rng.normal(0, 4, count)
    for what, u in {
        "ordinary": rng.normal(0, 4, count),
        "in the tail": rng.uniform(-1, 0.5, count) * depth,
        "in the tail of gelu": rng.uniform(-1, 0, count) * np.sqrt(2 * depth),
    }.items():
        yield f"2, the first {what}", np.stack([u, v], 1).astype(dtype)
        yield f"2, the second {what}", np.stack([v, u], 1).astype(dtype)


def samples(name: str, dtype: DType) -> Iterator[tuple[str, Real]]:
    """Yield rows for the function, so few that they are measured in a few seconds."""
    if split_name(name)[0] in GATES:
        yield from gated_rows(dtype, 100 if dtype == np.float64 else 10_000)
    else:
        yield from rows(dtype)
