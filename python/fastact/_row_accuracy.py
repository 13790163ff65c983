"""Error bounds and errors of the functions of rows, and rows that are likely to show the largest."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _core
from ._accuracy import DType, every_exponent, excused, finfo, float_errors, ulp, ulp_errors
from ._row_reference import GATES, Real, exact, expected

BOUND = {"float16": 0.51, "bfloat16": 0.51, "float32": 2.0, "float64": 4.0}  # in ulp
SUFFIXES = ("_backward_from_output", "_backward", "")

# Where m + log Σ e^(x - m) nearly cancels: the results this small may have this absolute error.
NEAR_ZERO = {"float32": (2.0**-31, 2.0**-53), "float64": (2.0**-2, 2.0**-52)}


def split_name(name: str) -> tuple[str, str]:
    """The name of the forward function and the suffix."""
    return next((name.removesuffix(suffix), suffix) for suffix in SUFFIXES if name.endswith(suffix))


def signature(name: str) -> list[str]:
    """What each input has for a row: "n" or "m" numbers, or, where "", one."""
    inputs, _ = getattr(_core, name).signature.split("->")
    return [dimensions.strip("()") for dimensions in inputs.split(",")]


def arguments(name: str, x: Real, spread: int = 4) -> tuple[Any, ...]:
    """The inputs that go with the rows x: labels, every third that of the largest; gradients."""
    rng = np.random.default_rng(1)
    count, n = x.shape
    labels: Any = rng.integers(0, n, count)
    labels[::3] = x[::3].argmax(-1)
    powers = rng.integers(-spread, spread + 1, (count, 1))
    g = np.ldexp(rng.normal(size=x.shape), powers).astype(x.dtype)
    by_size: dict[str, Any] = {"n": g, "m": g[:, : n // 2], "": g[:, 0]}
    rest = [by_size[size] for size in signature(name)[1:]]
    if "cross_entropy" in name:
        rest[0] = labels
    forward, suffix = split_name(name)
    return (getattr(_core, forward)(x) if suffix == SUFFIXES[0] else x, *rest)


def slack(name: str, value: Real, *arrays: Any) -> Any:
    """The absolute error that counts as none.

    Where a definition subtracts, it is an eighth of the rounding of what is subtracted; and what is subnormal
    before it meets a large factor may be off by the smallest number, times the factor.
    """
    forward, suffix = split_name(name)
    x, *rest = arrays
    computed = np.promote_types(x.dtype, np.float32)
    info = np.finfo(computed)
    least, eps = float(info.smallest_subnormal), float(info.eps) / 16
    if forward == "logsumexp" and not suffix:
        small, error = NEAR_ZERO.get(x.dtype.name, (0.0, 0.0))
        return np.where(np.abs(value) < small, error, 0.0)
    if forward in GATES:
        gate = GATES[forward]
        u, v = gate.halves(x.astype(float))
        if not suffix:
            return least * np.abs(v)
        g = np.abs(rest[0].astype(float))
        du = (least + excused(gate.activation, u.astype(x.dtype))) * np.abs(v) + least
        return np.concatenate(gate.in_order([g * du, g * least]), -1)
    if not suffix or forward == "maxout":
        return 0.0
    g = np.abs(rest[-1].astype(float))
    if g.ndim < x.ndim:
        return least * g[..., None]
    share = expected("softmax", x)
    if suffix == "_backward_from_output":
        share = x.astype(float) if forward == "softmax" else np.exp(x.astype(float))
    if forward == "softmax":
        subtracted = share * (g + (g * share).sum(-1, keepdims=True))
    else:
        subtracted = g + share * g.sum(-1, keepdims=True)
    return eps * subtracted + least * g.max(-1, keepdims=True)


def errors(name: str, result: Real, *arrays: Any) -> NDArray[np.float64]:
    """Errors in ulp of the expected results, less what counts as none."""
    value: Any
    if split_name(name)[0] in GATES and result.dtype == np.float64:
        value = exact(name, *arrays)
        found = ulp_errors(result.ravel(), value.ravel()).reshape(result.shape)
        value = value.astype(float)
    else:
        value = expected(name, *arrays)
        found = float_errors(result, value)
    with np.errstate(over="ignore", invalid="ignore"):
        spared = np.nan_to_num(np.asarray(slack(name, value, *arrays) / ulp(value, result.dtype), float))
        return np.where(spared > 0, np.maximum(found - spared, 0), found)


def rows(dtype: DType, count: int = 64) -> Iterator[tuple[str, Real]]:
    """Rows, `count` at a time, and what they are."""
    rng = np.random.default_rng(0)
    info = finfo(dtype)
    depth = -np.log(float(info.smallest_subnormal))  # where e^-depth is the smallest number

    def dominated(by: float, n: int, gaps: Any) -> Any:
        x = by - gaps - rng.uniform(0, 1, (count, n))
        x[:, n // 2] = by
        return x

    def made() -> Iterator[tuple[str, Any]]:
        spreads = np.geomspace(1e-3, 2 * depth, count)[:, None]
        constants = rng.choice(every_exponent(dtype), (count, 1)).astype(float)
        for n in (1, 2, 3, 5, 8, 16, 17, 33, 64, 65, 100, 257):
            x = rng.normal(size=(count, n)) * spreads + rng.normal(0, 10, (count, 1))
            yield f"{n} random", x
            yield f"{n} equal", np.repeat(constants, n, 1)
            yield f"{n} with a sum near zero", expected("log_softmax", x[: count // 2])
            x[rng.uniform(size=x.shape) < 0.5] = -np.inf
            x[:, rng.integers(n)] = 1.5
            yield f"{n} with -inf", x
        for by in (0.0, 1.5, -20.0):
            yield f"9 with {by} dominant", dominated(by, 9, np.linspace(0, 1.5 * depth, count)[:, None])
            yield (
                f"9 with {by} and a subnormal tail",
                dominated(by, 9, depth * rng.uniform(0.8, 1, (count, 9))),
            )
        yield "9 of huge spread", rng.uniform(-1, 1, (count, 9)) * float(info.max)
        gaps = np.geomspace(1e-8, depth, 16 * count)
        largest = -np.log1p(np.exp(-gaps))
        yield "2 with a sum near zero", np.stack([largest, largest - gaps], 1)

    with np.errstate(over="ignore"):
        yield from ((what, x.astype(dtype)) for what, x in made())


def long_rows(
    dtype: DType, lengths: tuple[int, ...] = (32767, 32768, 100_003, 1 << 20)
) -> Iterator[tuple[str, Real]]:
    """Single rows around the length from which they are summed in pieces, and of a million."""
    rng = np.random.default_rng(0)
    depth = -np.log(float(finfo(dtype).smallest_subnormal))
    for n in lengths:
        x = rng.normal(size=(1, n))
        dominated = x - 0.7 * depth
        dominated[:, 77] = 0
        near_zero = expected("log_softmax", x)
        made = {"random": x, "spread": 10 * x, "equal": np.full((1, n), 1.1), "dominated": dominated}
        for what, values in (made | {"with a sum near zero": near_zero}).items():
            yield f"{n} {what}", values.astype(dtype)


def gated_rows(dtype: DType, count: int = 1000) -> Iterator[tuple[str, Real]]:
    """Pairs: an ordinary number, and one ordinary or where a gate has its tail; either way round."""
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
    """Rows for the named function, a few seconds' worth of measuring at most."""
    if split_name(name)[0] in GATES:
        yield from gated_rows(dtype, 100 if dtype == np.float64 else 10_000)
    else:
        yield from rows(dtype)
