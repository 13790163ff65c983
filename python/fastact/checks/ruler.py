"""The expected results of a function, inputs with which to try it, and its errors.

The reference for float32 and the half precisions is the NumPy formula of `reference`, in float64. Nothing
cancels in it except at a root of f', so its relative error is a few times 2^-53. A factor e^z multiplies this
by z, which is below 150 wherever a float32 result is not zero; the error is then at most 2^-43. Near a root,
|x - root| < 2^-5, the Taylor polynomial of f' about the root takes the place of the formula, with
coefficients from the definition in mpmath. It does not cancel, because the root is represented as the sum of
two floats, and the terms that are left out are below 2^-55. Further away, the terms of f' are less than 2^7
times their sum, so the error is at most 2^-44. An error of 2^-40 would change a figure by 2^-17 ulp;
`check_reference` compares the reference with mpmath at a sample of inputs, and stops if a relative error is
larger.

The reference for float64 is mpmath with 200 bits; that of rows, `row_reference`, is in long double.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache, partial
from importlib import import_module
from itertools import chain
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..functions import registry
from . import pairs, row_accuracy
from .accuracy import (
    DERIVATIVE_BOUND,
    FORWARD_BOUND,
    GRADIENT_BOUND,
    Array,
    DType,
    Parameters,
    exact_roots,
    exact_values,
    excused,
    finfo,
    float_errors,
    gradient_errors,
    gradients,
    rounded,
    sample,
    to_exact,
    ulp_errors,
)
from .figures import DERIVATIVE, FORWARD, FROM_OUTPUT, GRADIENT, Errors, Figures
from .libraries import PASSES, Implementation
from .reference import ACTIVATIONS, evaluate, mp
from .row_reference import expected

FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)
BOUNDS = {
    FORWARD: FORWARD_BOUND,
    DERIVATIVE: DERIVATIVE_BOUND,
    GRADIENT: GRADIENT_BOUND,
    FROM_OUTPUT: GRADIENT_BOUND,
}

KINDS = {  # what users call the passes
    "forward": FORWARD,
    "derivative": DERIVATIVE,
    "backward": GRADIENT,
    "backward_from_output": FROM_OUTPUT,
}

# The number of floats at a time, whose arrays fit into the second-level cache. Infinity begins a block.
BLOCK = 1 << 14
PAIRS = 20_000  # the number of arguments of a function of two arrays

RADIUS = 2.0**-5  # the distance from a root up to which the Taylor polynomial is used
DEGREE = 10
REFERENCE_ERROR = 2.0**-40
SMALLEST, LARGEST = 2.0**-149, 2.0**128  # results beyond these count as 0 and infinity

Flush = Literal["subnormal results", "subnormal inputs"]
SPECIAL = np.repeat([-np.inf, np.inf, np.nan], 4)  # four of each, for the kinds of gradients


def dtype(name: Any) -> DType:
    """Return the type with this name, which must be one of fastact's; bfloat16 is one of them."""
    if name == "bfloat16":
        name = import_module("ml_dtypes").bfloat16
    found: DType = np.dtype(name)
    if found.name not in FORWARD_BOUND:
        raise TypeError(f"dtype must be one of {', '.join(FORWARD_BOUND)}, not {found}")
    return found if found.isnative else found.newbyteorder("=")


@dataclass(frozen=True)
class Subject:
    """The pass of an activation that a function is compared with."""

    name: str
    kind: str
    dtype: DType
    parameters: Parameters = ()
    flush: Flush | None = None
    part: int = 0  # the index of the result if the function has several

    def __post_init__(self) -> None:
        if self.kind == FROM_OUTPUT and self.name + registry.FROM_OUTPUT not in registry.FUNCTIONS:
            raise ValueError(f"the gradient of {self.name} cannot be computed from its output")
        if (self.of_rows or self.of_two) and self.kind == DERIVATIVE:
            what = "rows" if self.of_rows else "two arrays"
            raise ValueError(f"{self.name} is a function of {what}: use the backward pass, with a gradient")

    @property
    def function(self) -> registry.Function:
        return registry.FUNCTIONS[self.name + PASSES.get(self.kind, registry.BACKWARD)]

    @property
    def of_rows(self) -> bool:
        return self.function.kind == "rows"

    @property
    def of_two(self) -> bool:
        return self.function.kind in ("gate", "loss")

    @property
    def bound(self) -> float:
        """The largest error in ulp that is allowed for fastact's function."""
        if self.of_rows:
            return row_accuracy.bound(self.function.name, self.dtype)
        if self.of_two:
            return pairs.bound(self.function, self.dtype)
        return BOUNDS[self.kind][self.dtype.name]


@cache
def reference(
    name: str, kind: str, parameters: Parameters = (), dtype: DType = FLOAT32
) -> Callable[[Array], Errors]:
    """Return f or f' in float64, with a relative error below 2^-40 for float32 inputs."""
    activation = ACTIVATIONS[name]
    given = rounded(parameters, dtype)
    if kind == FORWARD:
        return partial(evaluate, activation.forward, **given)
    if kind == FROM_OUTPUT:
        assert activation.from_output
        return partial(evaluate, activation.from_output, **given)
    expansions = [
        (float(root), float(root - float(root)), [float(c) for c in reversed(coefficients)])
        for root in ([] if parameters else exact_roots(name))
        for coefficients in [mp.taylor(activation.exact_derivative, root, DEGREE)]
    ]

    def derivative(x: Array) -> Errors:
        values = evaluate(activation.derivative, x, **given)
        for root, low, coefficients in expansions:
            distance = x - np.float64(root)
            near = np.flatnonzero(np.abs(distance) < RADIUS)
            values[near] = np.polyval(coefficients, distance[near] - low)
        return values

    return derivative


def check_reference(name: str, kind: str) -> None:
    """Compare the reference for float32 with mpmath."""
    x = np.random.default_rng(2).choice(sample(name, FLOAT32), 200)
    around = RADIUS * np.linspace(-2, 2, 40)
    x = np.concatenate([x, *((float(root) + around).astype(np.float32) for root in exact_roots(name))])
    values = to_exact(reference(name, kind)(x))
    for at, value, exact in zip(x, values, exact_values(name, kind == FORWARD, x), strict=True):
        error = abs(min(value, LARGEST) - min(exact, LARGEST))
        if not error <= REFERENCE_ERROR * max(abs(exact), SMALLEST):
            got, right = mp.nstr(value, 17), mp.nstr(exact, 17)
            raise ArithmeticError(f"the reference of {name}, {kind}, is {got} at {at!r}, not {right}")


def expected_values(subject: Subject, arrays: Sequence[Array]) -> Any:
    """Return the exact results, rounded to float64 or long double."""
    if subject.of_rows:
        return expected(subject.function.name, *arrays)
    if subject.of_two:
        return pairs.exact(subject.function, arrays, subject.part, **dict(subject.parameters)).astype(float)
    x, *g = arrays
    values = reference(subject.name, subject.kind, subject.parameters, subject.dtype)(x)
    if not g:
        return values
    if subject.dtype != FLOAT64:  # otherwise e^x may be too large for float64
        values = np.where(np.isfinite(x), values.clip(-1e300, 1e300), values)
    with np.errstate(over="ignore", invalid="ignore"):
        return values * g[0].astype(float)


@lru_cache(2)
def _exact(name: str, kind: str, parameters: Parameters, dtype: DType, x: bytes) -> NDArray[np.object_]:
    values = np.frombuffer(x, dtype)
    return exact_values(name, kind == FORWARD, values, parameters, from_output=kind == FROM_OUTPUT)


def exact_results(subject: Subject, arrays: Sequence[Array]) -> NDArray[np.object_]:
    """Return the exact results at finite numbers in mpmath; f and f' are cached for the next pass."""
    x, *g = arrays
    kind = DERIVATIVE if subject.kind == GRADIENT else subject.kind
    values = _exact(subject.name, kind, subject.parameters, x.dtype, x.tobytes())
    return values * to_exact(g[0]) if g else values


def element_errors(subject: Subject, arrays: Sequence[Array], result: Array) -> Errors:
    found = float_errors(result, expected_values(subject, arrays))
    if result.dtype != FLOAT64:
        return found
    finite = np.flatnonzero(np.logical_and.reduce([np.isfinite(a) for a in arrays]))
    value, (x, *g) = result[finite], [a[finite] for a in arrays]
    exact = exact_results(subject, [x, *g])
    if subject.kind in (DERIVATIVE, GRADIENT):
        slack = excused(subject.name, x, subject.parameters)
        errors = gradient_errors(g[0], value, exact, subject.bound, slack)
    else:
        errors = ulp_errors(value, exact)
    found[finite] = np.where(np.isinf(value) & (errors > 2), np.inf, errors)
    return found


def row_errors(subject: Subject, arrays: Sequence[Any], result: Array) -> Errors:
    return row_accuracy.errors(subject.function.name, result, *arrays)


def pair_errors(subject: Subject, arrays: Sequence[Array], result: Array) -> Errors:
    parameters = dict(subject.parameters)
    return pairs.part_errors(subject.function, result, arrays, subject.part, **parameters)


def flushed(a: NDArray[Any]) -> NDArray[Any]:
    """Return the numbers with zeros of the same sign in place of subnormal ones."""
    if a.dtype.kind in "iu":
        return a
    return np.where(np.abs(a) < finfo(a.dtype).tiny, np.copysign(a.dtype.type(0), a), a)


def errors(subject: Subject, arrays: Sequence[Any], result: Array) -> Errors:
    """Return the errors in ulp; zero instead of a subnormal number is no error if the subject allows it."""
    measure = row_errors if subject.of_rows else pair_errors if subject.of_two else element_errors
    found = measure(subject, arrays, result)
    if not subject.flush:
        return found
    tiny = float(finfo(subject.dtype).tiny)
    found = np.where((result == 0) & (np.abs(expected_values(subject, arrays)) < tiny), 0, found)
    if subject.flush == "subnormal inputs":
        only_results = replace(subject, flush="subnormal results")
        found = np.minimum(found, errors(only_results, [flushed(a) for a in arrays], result))
    return found


def with_gradients(subject: Subject, x: Array) -> tuple[Array, ...]:
    """Return x and, unless the pass is forward, upstream gradients."""
    if subject.kind == FORWARD:
        return (x,)
    return x, (np.ones_like(x) if subject.kind == DERIVATIVE else gradients(x.dtype, x.size))


def numbers(subject: Subject, chosen: range) -> Iterator[tuple[Array, ...]]:
    """Yield the floats whose bit patterns are in the chosen range of integers, in blocks."""
    for first in chosen[::BLOCK]:
        bits = np.arange(first, min(first + BLOCK, chosen.stop))
        yield with_gradients(subject, bits.astype(f"u{subject.dtype.itemsize}").view(subject.dtype))


def elements(subject: Subject, density: int = 1) -> Iterator[tuple[Array, ...]]:
    """Yield all numbers of half precision, or a sample of other types with infinities and NaN; or outputs."""
    if subject.of_two:
        yield tuple(pairs.arguments(subject.function, subject.dtype, PAIRS))
        return
    short = subject.dtype.itemsize == 2
    if short and subject.kind != FROM_OUTPUT:
        yield from numbers(subject, range(1 << 16))
        return
    if short:
        x = np.arange(1 << 16).astype(np.uint16).view(subject.dtype)
    else:
        x = sample(subject.name, subject.dtype, subject.parameters, density)
    if subject.kind == FROM_OUTPUT:
        y = reference(subject.name, FORWARD, subject.parameters, subject.dtype)(x)
        with np.errstate(over="ignore"):
            y = y.astype(subject.dtype)
        yield with_gradients(subject, np.unique(y[np.isfinite(y)]))
        return
    yield with_gradients(subject, x)
    yield with_gradients(subject, SPECIAL.astype(subject.dtype))


def rows(subject: Subject, lengths: tuple[int, ...] = ()) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Yield difficult rows, with a description; some of them have the given lengths."""
    name, dtype = subject.function.name, subject.dtype
    longer = row_accuracy.rows(dtype, lengths) if lengths else ()
    for what, x in chain(row_accuracy.samples(name, dtype), longer):
        yield what, row_accuracy.arguments(name, x)


def shape_of_result(subject: Subject, first: Any) -> tuple[int, ...]:
    if not subject.of_rows:
        return tuple(first.shape)
    *outer, n = first.shape
    core = subject.function.results[0]
    return (*outer, *({"n": n, "m": n // 2}[size] for size in core))


def call(subject: Subject, function: Implementation, arrays: Sequence[Any], **parameters: Any) -> list[Array]:
    """Return the results of the function for copies of the arrays, as many as are measured."""
    with np.errstate(all="ignore"):
        returned = function(*(a.copy() for a in arrays), **parameters)
    count = len(subject.function.results) if subject.of_two else 1
    found = [np.asarray(result) for result in (returned if isinstance(returned, tuple) else (returned,))]
    if len(found) < count:
        raise ValueError(f"the function returned {len(found)} array where {count} are required")
    shape = shape_of_result(subject, arrays[0])
    for result in found[:count]:
        if result.shape != shape:
            given = " and ".join(str(a.shape) for a in arrays)
            raise ValueError(
                f"the function returned an array of shape {result.shape} for {given}, not {shape}"
            )
        if result.dtype != subject.dtype:
            raise TypeError(f"the function returned {result.dtype} for {subject.dtype}")
    return found[:count]


def add(
    figures: Figures,
    subject: Subject,
    function: Implementation,
    arrays: Sequence[Any],
    what: str = "",
    **parameters: Any,
) -> None:
    """Add the errors of the function at these arguments; ``what`` describes the rows."""
    results = call(subject, function, arrays, **parameters)
    for part, result in enumerate(results[1:], 1):
        found = Figures()
        _add(found, replace(subject, part=part), arrays, result, what, parameters)
        found.at |= {"of": pairs.GRADIENTS[part]} if found.at else {}
        figures.merge(found)
    _add(figures, subject, arrays, results[0], what, parameters)


def _add(
    figures: Figures,
    subject: Subject,
    arrays: Sequence[Any],
    result: Array,
    what: str,
    parameters: dict[str, Any],
) -> None:
    with np.errstate(invalid="ignore"):  # which the conversion of a signalling NaN reports
        found = errors(subject, arrays, result)
    if subject.of_rows:
        worst = np.unravel_index(found.argmax(), found.shape)
        place = dict(zip(("row", "element"), map(int, worst), strict=False))
        figures.merge(Figures(float(found[worst]), {"rows of": what} | place, float(result[worst])))
        figures.count(found, label=f"rows of {arrays[0].shape[-1]}")
        return
    names = subject.function.inputs if subject.kind != DERIVATIVE else subject.function.inputs[:1]
    with np.errstate(invalid="ignore"):
        figures.add(found, dict(zip(names, arrays, strict=False)) | parameters, result, subject.bound)
