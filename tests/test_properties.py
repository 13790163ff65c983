"""Functions on all layouts that NumPy accepts: bounded errors, and the bits of contiguous arrays.

``HYPOTHESIS_PROFILE=thorough`` in the environment makes twenty times as many examples, new ones
each time. To count them:

    pytest --hypothesis-show-statistics tests/test_properties.py | awk '/ passing, / {n += $2} END {print n}'
"""

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from math import prod
from typing import Any
from zlib import crc32

import fastact
import numpy as np
import pytest
from accuracy import exact_formula, slack
from fastact import _core
from fastact._core import set_grain, set_streaming_threshold
from fastact.checks import row_accuracy
from fastact.checks.accuracy import Parameters, finfo, gradient_errors, rounded, to_exact, ulp_errors
from fastact.checks.reference import mp
from functions import (
    DTYPES,
    FORWARD,
    FROM_OUTPUT,
    FUNCTIONS,
    Array,
    Function,
    bits,
    each_dtype,
    each_function,
)
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from rows import FUNCTIONS as ROW_FUNCTIONS
from rows import LEARNED, RowFunction, each_learned, each_row_function
from strategies import (
    HUGE,
    INTEGERS,
    RANGES,
    DType,
    Operand,
    Shape,
    broadcasting,
    dtypes,
    filled_memory,
    numbers,
    operands,
    outputs,
    parameters,
    shapes,
)
from test_accuracy import ANY_GRADIENT, BOUNDS, check

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def examples_of_its_own(request: pytest.FixtureRequest) -> None:
    """Examples are the same in each run, but different for each function."""
    if settings().derandomize:
        seed(crc32(request.node.name.encode()))(request.function)


@pytest.fixture(scope="module", autouse=True)
def small_arrays_are_divided_among_threads() -> Iterator[None]:
    threads, grain, streaming = fastact.get_num_threads(), set_grain(1), set_streaming_threshold(1)
    yield
    fastact.set_num_threads(threads)
    set_grain(grain)
    set_streaming_threshold(streaming)


@each_dtype
@each_function
@given(data=st.data())
def test_accuracy(f: Function, dtype: DType, data: st.DataObject) -> None:
    x, g = np.array(
        data.draw(st.lists(st.tuples(numbers(dtype), numbers(dtype)), min_size=1, max_size=8))
    ).T.astype(dtype)
    given = tuple(zip(dict(f.defaults), data.draw(parameters(f)), strict=True))
    chosen: Parameters = given if data.draw(st.booleans()) else ()
    if f.suffix == FROM_OUTPUT:
        x = f.sibling(FORWARD)(x, **dict(chosen))
        x, g = x[np.isfinite(x)], g[np.isfinite(x)]
    exact = {name: mp.mpf(value) for name, value in rounded(chosen, dtype).items()}
    expected = to_exact(x, lambda at: exact_formula(f)(at, **exact))
    if f.suffix == FORWARD:
        y = f(x, **dict(chosen))
        check(ulp_errors(y, expected), BOUNDS[FORWARD][dtype.name], f, chosen, x, y)
    else:
        for bound, gradient in ((BOUNDS, np.ones_like(g)), (ANY_GRADIENT, g)):
            dx = f(x, gradient, **dict(chosen))
            right, most = expected * to_exact(gradient), bound[f.suffix][dtype.name]
            errors = gradient_errors(gradient, dx, right, most, slack(f, x))
            check(errors, most, f, chosen, x, gradient, dx)


def native(dtype: DType) -> DType:
    return dtype if dtype.kind == "V" else dtype.newbyteorder("=")


def copy(array: Array, dtype: DType | None = None) -> Array:
    """Return a contiguous copy in native byte order."""
    with np.errstate(all="ignore"):
        return array.astype(dtype or native(array.dtype), order="C")


def at(memory: Array, given: Any) -> Any:
    """Return an operand in its place in memory; a number is returned unchanged."""
    return given.view(memory) if isinstance(given, Operand) else given


def check_writes(
    call: Callable[..., Any],
    expected: Array,
    memory: Array,
    out: Operand | None,
    where: Array | bool = True,
    silent: bool = True,
    castable: bool = True,
    overlaps: bool = False,
) -> None:
    """The call gives the expected result and writes nothing but out.

    Or it is refused, if types cannot be cast as they would have to be, and changes nothing.
    """
    image = memory.copy()
    fastact.set_num_threads(3)
    set_streaming_threshold(1)
    with np.errstate(all="raise" if silent else "ignore"):
        target = None if out is None else out.view(memory)
        if not (castable and (out is None or np.can_cast(expected.dtype, out.dtype, "same_kind"))):
            with pytest.raises(TypeError):
                call(out=target)
            assert memory.tobytes() == image.tobytes(), "a refused call wrote"
            return
        result = np.asarray(call(out=target))
    fastact.set_num_threads(1)
    set_streaming_threshold(sys.maxsize)
    with np.errstate(all="ignore"):
        right = expected if out is None else out.view(image)
        if out is None:
            assert result.shape == expected.shape and result.dtype == expected.dtype
            result, right = np.where(where, result, 0), np.where(where, expected, 0)
        else:
            np.copyto(right, expected, casting="same_kind", where=where)
        allowed = [copy(right)]
        if overlaps:  # NumPy may convert what is not to be written to the type computed in, and back
            allowed.append(copy(copy(right, expected.dtype), native(right.dtype)))
        assert bits(copy(result)) in map(bits, allowed)
        if target is not None:
            target[...] = right[...] = 0  # NaNs may differ
    assert memory.tobytes() == image.tobytes(), "wrote elsewhere"


def parameter(name: str, shape: Shape, region: int) -> st.SearchStrategy[Any]:
    """A number of any kind, or an array that broadcasts."""
    number = st.floats(*RANGES[name], width=32)
    some = st.lists(number, min_size=1, max_size=6)
    arrays = st.tuples(st.sampled_from("fd").map(np.dtype), broadcasting(shape)).flatmap(
        lambda of: operands(of[0], of[1], some, (region,))
    )
    return number | number.map(np.float32) | number.map(np.float64) | number.map(np.array) | arrays


@each_function
@given(data=st.data())
def test_calls(f: Function, data: st.DataObject) -> None:
    draw = data.draw
    dtype, shape = draw(dtypes), draw(shapes())
    types = draw(st.sampled_from([[dtype], [*DTYPES, *INTEGERS]]))
    arrays = [
        draw(operands(draw(st.sampled_from(types)), draw(st.just(shape) | broadcasting(shape)), regions=of))
        for of in [(0,), (1, 0)][: len(f.inputs)]
    ]
    given = [draw(parameter(name, shape, 2 + k)) for k, (name, _) in enumerate(f.defaults)]
    inputs = [*arrays, *(p for p in given if isinstance(p, Operand))]
    whole = np.broadcast_shapes(*(i.shape for i in inputs))
    where = draw(st.none() | operands(np.dtype(bool), draw(broadcasting(whole)), st.just([0.0, 1.0]), (4,)))
    out = draw(st.none() | outputs(dtype, draw(st.sampled_from([whole, (2, *whole)])), inputs, 5))
    asked, order = draw(st.none() | dtypes), draw(st.sampled_from("KCFA"))

    memory = filled_memory(out, *inputs, where)
    values = [copy(np.asarray(at(memory, i))) for i in (*arrays, *given)]
    with np.errstate(all="ignore"):
        common = asked or f(*values[: len(arrays)]).dtype
    computed = [common] * len(arrays) + [np.promote_types(common, np.float32)] * len(given)
    expected = np.asarray(f(*(copy(v, t) for v, t in zip(values, computed, strict=True))))

    def call(**target: Any) -> Any:
        masked = {} if where is None else {"where": where.view(memory)}
        args = (at(memory, i) for i in (*arrays, *given))
        return f(*args, order=order, dtype=asked, **masked, **target)

    silent = all(native(o.dtype) == common for o in (*arrays, out or arrays[0]))
    mask = True if where is None else copy(where.view(memory))
    castable = all(np.can_cast(a.dtype, common, "same_kind") for a in arrays)
    overlaps = where is not None and out is not None and out.region < 5
    check_writes(call, expected, memory, out, mask, silent, castable, overlaps)


def outer_of(shape: Shape, axis: int) -> Shape:
    axis += len(shape)
    return shape[:axis] + shape[axis + 1 :]


@dataclass(frozen=True)
class RowCall:
    f: RowFunction
    axis: int
    n: int
    inputs: list[Operand]

    @property
    def outer(self) -> Shape:
        shapes = zip(self.inputs, self.f.inputs, strict=True)
        return np.broadcast_shapes(*(outer_of(o.shape, self.axis) if size else o.shape for o, size in shapes))

    def length(self, size: str) -> Shape:
        lengths: dict[str, Shape] = {"n": (self.n,), "m": (self.n // 2,), "": ()}
        return lengths[size]

    def shape(self, outer: Shape, size: str) -> Shape:
        before = len(outer) + 1 + self.axis
        return outer[:before] + self.length(size) + outer[before:]

    def rows(self, array: Array, size: str) -> Array:
        """Return the rows along the axis, or single numbers, contiguous rows for each row of the result."""
        moved = np.moveaxis(array, self.axis, -1) if size else array
        return copy(np.broadcast_to(moved, (*self.outer, *self.length(size))))


@st.composite
def row_calls(draw: st.DrawFn, f: RowFunction, types: list[DType]) -> RowCall:
    outer = draw(shapes(most_axes=2))
    rows = prod(max(side, 1) for side in outer)  # an operand may have one where others have none
    halves = st.integers(1, 9) | st.sampled_from([17, 65, 513, max(1, HUGE // 2 // rows)])
    half = draw(halves)
    n = 2 * half if "m" in (*f.inputs, f.output) else draw(st.sampled_from([half, 2 * half]))
    if rows * n > HUGE:
        n = 2
    call = RowCall(f, draw(st.integers(-len(outer) - 1, -1)), n, [])
    for k, size in enumerate(f.inputs):
        shape = call.shape(outer, size)
        if f.labelled and k == 1:
            labels = st.lists(st.integers(0, min(n - 1, 127)).map(float), min_size=1, max_size=6)
            chosen = operands(draw(st.sampled_from(INTEGERS[1:])), shape, labels, (k,))
        else:
            regions = tuple(r for r in (k, *range(k)) if not (f.labelled and r == 1))
            chosen = operands(draw(st.sampled_from(types)), shape, regions=regions)
        call.inputs.append(draw(chosen))
    return call


@each_row_function
@given(data=st.data())
def test_calls_of_rows(f: RowFunction, data: st.DataObject) -> None:
    draw = data.draw
    dtype = draw(dtypes)
    call = draw(row_calls(f, draw(st.sampled_from([[dtype], [*DTYPES, *INTEGERS]]))))
    inputs, axis = call.inputs, call.axis
    out = draw(st.none() | outputs(dtype, call.shape(call.outer, f.output), inputs, len(inputs)))
    memory = filled_memory(out, *inputs)
    is_label = [f.labelled and k == 1 for k in range(len(inputs))]

    rows = [call.rows(copy(o.view(memory)), size) for o, size in zip(inputs, f.inputs, strict=True)]
    with np.errstate(all="ignore"):
        common = f(*rows).dtype
    expected = f(*(r if label else copy(r, common) for r, label in zip(rows, is_label, strict=True)))
    expected = np.moveaxis(expected, -1, axis) if f.output else np.asarray(expected)
    silent = all(native(o.dtype) == common for o, label in zip(inputs, is_label, strict=True) if not label)
    silent = silent and (out is None or native(out.dtype) == common)
    check_writes(
        lambda out: f(*(o.view(memory) for o in inputs), axis=axis, out=out),
        expected,
        memory,
        out,
        True,
        silent,
    )


@each_dtype
@each_row_function
@given(data=st.data())
def test_accuracy_of_rows(f: RowFunction, dtype: DType, data: st.DataObject) -> None:
    count, n = data.draw(st.integers(1, 3)), 2 * data.draw(st.integers(1, 4))
    flat = data.draw(st.lists(numbers(dtype), min_size=count * n, max_size=count * n))
    most = float(finfo(dtype).max) / 256  # nearer to it, a gated unit's g·b is infinite before it meets f'(a)
    args = f.arguments(np.clip(flat, -most, most).reshape(count, n).astype(dtype))
    result = f(*args)
    assert result.dtype == dtype
    found = row_accuracy.errors(f.name, result, *args)
    assert found.max() <= row_accuracy.bound(f.name, dtype), (args, result, found)


@st.composite
def learned_calls(draw: st.DrawFn, dtype: DType) -> list[Operand]:
    """x, g and the parameter, which may be shared along any axes."""
    shape = draw(shapes())
    x, g = (draw(operands(dtype, shape, regions=of)) for of in ((0,), (1, 0)))
    ones = tuple(1 if draw(st.booleans()) else n for n in shape)
    numbers_near = st.lists(st.floats(*RANGES["beta"], width=16), min_size=1, max_size=6)
    parameter = draw(operands(dtype, ones[draw(st.integers(0, len(ones))) :], numbers_near, (2,)))
    if ones[: len(ones) - len(parameter.shape)].count(1) != len(ones) - len(parameter.shape):
        parameter = replace(parameter, shape=(), axes=(), steps=())
    return [x, g, parameter]


@each_learned
@given(data=st.data())
def test_calls_of_learned(name: str, p: float, data: st.DataObject) -> None:
    draw, backward = data.draw, getattr(fastact, name)
    dtype = draw(dtypes)
    inputs = draw(learned_calls(dtype))
    out = draw(st.none() | outputs(dtype, inputs[0].shape, inputs[:2], 3))
    memory = filled_memory(out, *inputs)
    expected, total = backward(*(copy(o.view(memory)) for o in inputs))

    def call(out: Array | None) -> Any:
        dx, dp = backward(*(o.view(memory) for o in inputs), out=(out, None))
        assert native(dp.dtype) == dtype and bits(copy(np.asarray(dp))) == bits(np.asarray(total))
        return dx

    check_writes(call, expected, memory, out, True, out is None or native(out.dtype) == dtype)


class Named(np.ndarray[Any, Any]):
    """A subclass of arrays with an additional attribute, as users define them."""


@st.composite
def some_named(draw: st.DrawFn, arrays: list[Array]) -> list[Array]:
    """The arrays, at least one of which is of the subclass."""
    chosen = draw(st.sets(st.sampled_from(range(len(arrays))), min_size=1))
    return [a.view(Named) if k in chosen else a for k, a in enumerate(arrays)]


@st.composite
def some_masked(draw: st.DrawFn, arrays: list[Array]) -> tuple[list[Any], list[Array]]:
    """The arrays, at least one of them masked, and all masks."""
    chosen = draw(st.sets(st.sampled_from(range(len(arrays))), min_size=1))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    masks = [(rng.integers(3, size=a.shape) == 0) & (k in chosen) for k, a in enumerate(arrays)]
    pairs = enumerate(zip(arrays, masks, strict=True))
    return [np.ma.masked_array(a, mask) if k in chosen else a for k, (a, mask) in pairs], masks


def check_masked(result: Any, masks: list[Array], expected: Array) -> None:
    """The result is masked where any input is; elsewhere it equals the result without masks."""
    mask = np.logical_or.reduce(np.broadcast_arrays(*masks))
    assert isinstance(result, np.ma.MaskedArray) and result.dtype == expected.dtype
    np.testing.assert_array_equal(np.ma.getmaskarray(result), mask)
    assert bits(result.data[~mask]) == bits(expected[~mask])


@each_function
@given(data=st.data())
def test_masked_arrays_and_subclasses(f: Function, data: st.DataObject) -> None:
    draw = data.draw
    dtype, shape = draw(dtypes), draw(shapes().filter(bool))
    layouts = [draw(operands(dtype, shape, regions=(k,))) for k in range(len(f.inputs))]
    memory = filled_memory(*layouts)
    arrays = [layout.view(memory) for layout in layouts]
    expected = f(*map(copy, arrays))
    named = f(*draw(some_named(arrays)))
    assert type(named) is Named and bits(named.view(np.ndarray)) == bits(expected)
    masked, masks = draw(some_masked(arrays))
    check_masked(f(*masked), masks, expected)


@each_row_function
@given(data=st.data())
def test_masked_rows_and_subclasses(f: RowFunction, data: st.DataObject) -> None:
    """Subclasses keep their type; masked arrays are refused."""
    draw = data.draw
    call = draw(row_calls(f, [draw(dtypes)]))
    memory = filled_memory(*call.inputs)
    arrays = [o.view(memory) for o in call.inputs]
    expected = f(*map(copy, arrays), axis=call.axis)
    named = f(*draw(some_named(arrays)), axis=call.axis)
    assert type(named) is Named and bits(copy(named.view(np.ndarray))) == bits(copy(expected))
    masked, _ = draw(some_masked(arrays))
    with pytest.raises(TypeError, match="masked array"):
        f(*masked, axis=call.axis)


@each_learned
@given(data=st.data())
def test_subclasses_of_learned(name: str, p: float, data: st.DataObject) -> None:
    draw, backward = data.draw, getattr(fastact, name)
    inputs = draw(learned_calls(draw(dtypes)))
    memory = filled_memory(*inputs)
    x, g, parameter = (o.view(memory) for o in inputs)
    expected = backward(*map(copy, (x, g, parameter)))
    named = backward(*draw(some_named([x, g])), parameter)
    for result, right in zip(named, expected, strict=True):
        assert type(result) is Named or not result.shape
        assert bits(copy(np.asarray(result))) == bits(copy(np.asarray(right)))


class Raising:
    """An object whose conversion to an array raises an exception."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise ArithmeticError


class Refusing:
    """An object that opts out of ufuncs."""

    __array_ufunc__ = None


OBJECTS: list[Any] = [
    *(
        None,
        True,
        0,
        -1,
        2**64,
        10**400,
        1.5,
        1j,
        "",
        b"x",
        object(),
        Ellipsis,
        int,
        np.exp,
        Raising(),
        Refusing(),
    ),
    *([], [[]], [1, 2, 3, 4], [1, [2, 3]], (1, 2), (None,), {}, {1: 2}, {1}, range(4), memoryview(b"1234")),
    *(np.float16(1), np.float64(3), np.longdouble(1), np.uint64(2**64 - 1), np.complex64(1), np.str_("q")),
    *(np.datetime64("NaT", "s"), np.timedelta64(1, "s"), np.void(b"ab"), np.ma.ones(4)),
    *(np.ones(shape, np.float32) for shape in [0, 4, (0, 4), (4, 4), (2, 2, 2), (1,) * 20]),
    *(np.ones(4, dtype) for dtype in ["O", "S3", "U1", "f4,i4", ">f4", "i8", "f8"]),
    *(np.ones(4)[::-1], np.broadcast_to(np.float32(1), (4, 4)), np.recarray((2,), dtype=[("a", "f4")])),
]
KEYWORDS = [
    "out",
    "axis",
    "axes",
    "dtype",
    "casting",
    "order",
    "subok",
    "signature",
    "labels",
    "alpha",
    "nonsense",
]


@pytest.mark.parametrize("name", [*(f.name for f in FUNCTIONS), *(f.name for f in ROW_FUNCTIONS), *LEARNED])
@given(
    args=st.lists(st.sampled_from(OBJECTS), max_size=5),
    keywords=st.dictionaries(st.sampled_from(KEYWORDS), st.sampled_from(OBJECTS), max_size=2),
)
def test_any_object(name: str, args: list[Any], keywords: dict[str, Any]) -> None:
    """A call returns or raises an informative exception, and changes nothing but out."""

    def own(value: Any) -> Any:
        return value.copy() if isinstance(value, np.ndarray) else value

    args, keywords = [own(a) for a in args], {key: own(value) for key, value in keywords.items()}
    inputs = [a for a in args[: getattr(_core, name).nin] if isinstance(a, np.ndarray)]
    before = [a.tobytes() for a in inputs]
    wrong = suppress(TypeError, ValueError, ArithmeticError)
    with wrong, np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        getattr(fastact, name)(*args, **keywords)
    assert [a.tobytes() for a in inputs] == before
