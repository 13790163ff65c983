"""The results of a row depend only on the row, and those of a parameter only on x, g and the parameter."""

import itertools
from collections.abc import Callable
from typing import Any

import fastact
import numpy as np
import pytest
from fastact.checks.accuracy import DType, finfo
from functions import each_dtype
from rows import (
    FUNCTIONS,
    Array,
    RowFunction,
    each_gated,
    each_learned,
    each_of_rows_and_gradients,
    each_row_function,
    numbers,
)
from test_same_bits import assert_same_bits, read_only, unaligned

LENGTHS = (2, 6, 16, 34, 64, 66, 130)


def strided(a: Array) -> Array:
    wide = np.zeros([3 * n for n in a.shape], a.dtype)
    part = wide[tuple(slice(1, None, 3) for _ in a.shape)]
    part[...] = a
    return part


def backwards(a: Array) -> Array:
    turn = tuple(slice(None, None, -1) for _ in a.shape)
    return a[turn].copy()[turn]


def byte_swapped(a: Array) -> Array:
    return a.astype(a.dtype.newbyteorder()) if a.dtype.kind != "V" else a


def misplaced(a: Array) -> Array:
    """Return an array that is aligned to an element, but not to a vector."""
    buffer = np.zeros(a.size + 3, a.dtype)
    buffer[3:] = a.ravel()
    return buffer[3:].reshape(a.shape)


def unaligned_rows(a: Array) -> Array:
    return unaligned(a.ravel()).reshape(a.shape)


LAYOUTS: tuple[Callable[[Array], Array], ...] = (
    np.asfortranarray,
    strided,
    backwards,
    misplaced,
    unaligned_rows,
    byte_swapped,
    read_only,
)


def one_by_one(f: RowFunction, args: tuple[Array, ...]) -> Array:
    return np.stack([f(*row) for row in zip(*args, strict=True)])


@each_dtype
@each_row_function
def test_axes_and_layouts(f: RowFunction, dtype: DType) -> None:
    others = (3, 4, 5)
    for n in LENGTHS:
        args = f.arguments(numbers(dtype, 60, n))
        expected = one_by_one(f, args)
        assert_same_bits(f(*args), expected, n)
        for axis in range(-4, 4):
            given = f.moved(args, others, axis)
            assert_same_bits(f.as_rows(f(*given, axis=axis), axis), expected, (n, axis))
        for axis, layout in itertools.product((0, 1, -1), LAYOUTS):
            given = tuple(map(layout, f.moved(args, others, axis)))
            assert_same_bits(f.as_rows(f(*given, axis=axis), axis), expected, (n, axis, layout))


def nearest_second(a: Array) -> Array:
    """Return an array whose second axis is contiguous, as attention scores from Keras's einsum."""
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(a, 1, -1)), -1, 1)


@each_dtype
@each_row_function
def test_matrices_of_any_shape(f: RowFunction, dtype: DType) -> None:
    """Tall, wide and square matrices, with rows along the first, a middle and the last axis."""
    for count, n in ((4100, 1), (4100, 2), (4100, 16), (6, 4100), (258, 258)):
        if n == 1 and "m" in (*f.inputs, f.output):
            continue  # a gated unit has halves
        args = f.arguments(numbers(dtype, count, n))
        expected = f(*args)
        for others, axis in (((count,), 0), ((2, count // 2), 1), ((count,), -1)):
            for layout in (np.copy, np.asfortranarray, backwards):
                given = map(layout, f.moved(args, others, axis))
                assert_same_bits(f.as_rows(f(*given, axis=axis), axis), expected, (n, axis, layout))


@each_dtype
@each_row_function
def test_few_columns(f: RowFunction, dtype: DType) -> None:
    """Rows along axis 0 of contiguous matrices with few columns, of which a vector holds several."""
    for count, n in ((2, 1030), (2, 33000), (5, 301), (10, 512), (16, 266), (24, 1001), (64, 270)):
        if n % 2 != 0 and "m" in (*f.inputs, f.output):
            continue  # a gated unit has halves
        args = f.arguments(numbers(dtype, count, n))
        expected, given = f(*args), f.moved(args, (count,), 0)
        assert_same_bits(f.as_rows(f(*given, axis=0), 0), expected, (count, n))
        for i, array in enumerate(given):
            if array.dtype == dtype and array.shape == (n, count) and expected.shape == (count, n):
                into = [a.copy() for a in given]
                f(*into, axis=0, out=into[i])
                assert_same_bits(f.as_rows(into[i], 0), expected, (count, n, i))


@each_dtype
@each_row_function
def test_scores_of_heads(f: RowFunction, dtype: DType) -> None:
    batch, heads, queries, keys = 16, 4, 64, 64
    args = f.arguments(numbers(dtype, batch * heads * queries, keys))
    scores = tuple(map(nearest_second, f.moved(args, (batch, heads, queries), -1)))
    itemsize = dtype.itemsize
    assert scores[0].strides == (16384 * itemsize, itemsize, 256 * itemsize, 4 * itemsize)
    assert_same_bits(f.as_rows(f(*scores), -1), f(*args))


@each_dtype
@each_row_function
def test_many_rows(f: RowFunction, dtype: DType) -> None:
    """Row counts near that of a vector and multiples of it, along both axes."""
    for n, rows in ((2, 2100), (10, 420), (40, 105), (130, 530)):
        args = f.arguments(numbers(dtype, rows, n))
        expected = f(*args)
        for count in (1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 33, 65, rows - 1):
            part = tuple(a[:count] for a in args)
            assert_same_bits(f(*part), expected[:count], (n, count))
            result = f(*f.moved(part, (count,), 0), axis=0)
            assert_same_bits(f.as_rows(result, 0), expected[:count], (n, count))


@each_dtype
@each_row_function
def test_repeated_by_zero_strides(f: RowFunction, dtype: DType) -> None:
    args = f.arguments(numbers(dtype, 9, 10))
    for i in range(len(args)):
        given = [np.broadcast_to(b[3], b.shape) if i == j else b for j, b in enumerate(args)]
        assert_same_bits(f(*given), f(*map(np.array, given)), i)
        if f.inputs[i]:
            given = [np.broadcast_to(b[:, :1], b.shape) if i == j else b for j, b in enumerate(args)]
            assert_same_bits(f(*given), f(*map(np.array, given)), i)


@each_dtype
@each_row_function
def test_into_out(f: RowFunction, dtype: DType) -> None:
    for n, axis in itertools.product((2, 34, 130), (0, -1)):
        given = f.moved(f.arguments(numbers(dtype, 60, n)), (60,), axis)
        expected = f(*given, axis=axis)
        for layout in (np.copy, strided, backwards, unaligned_rows, byte_swapped):
            out = layout(np.zeros_like(expected))
            assert f(*given, axis=axis, out=out) is out
            assert_same_bits(out.astype(dtype), expected, (n, axis, layout))


@each_dtype
@each_row_function
def test_in_place(f: RowFunction, dtype: DType) -> None:
    for n, axis in itertools.product((2, 34, 130), (0, -1)):
        args = f.moved(f.arguments(numbers(dtype, 60, n)), (60,), axis)
        expected = f(*args, axis=axis)
        for i, layout in itertools.product(range(len(args)), (np.copy, strided, backwards)):
            if args[i].shape == expected.shape and args[i].dtype == dtype:
                given = list(map(layout, args))
                f(*given, axis=axis, out=given[i])
                assert_same_bits(given[i], expected, (n, axis, i, layout))


@each_dtype
@each_row_function
def test_shifted_overlap(f: RowFunction, dtype: DType) -> None:
    args = f.arguments(numbers(dtype, 20, 34))
    expected = f(*args)
    if expected.shape == args[0].shape:
        for source, target in ((slice(1, None), slice(-1)), (slice(-1), slice(1, None))):
            buffer = np.zeros((21, 34), dtype)
            buffer[source] = args[0]
            f(buffer[source], *args[1:], out=buffer[target])
            assert_same_bits(buffer[target], expected, (source, target))


@each_dtype
@each_of_rows_and_gradients
def test_the_same_array_twice(f: RowFunction, dtype: DType) -> None:
    x = numbers(dtype, 20, 34)
    assert_same_bits(f(x, x), f(x, x.copy()))


# Rows of 32768 or more elements are summed in pieces, which threads can share.
@each_dtype
@each_row_function
def test_threads(f: RowFunction, dtype: DType, threads: Callable[[int], None]) -> None:
    for count, n in ((1, 40_000), (3, 33_000), (200, 6), (70, 130)):
        args = f.arguments(numbers(dtype, count, n))
        threads(1)
        expected = f(*args)
        for number in (2, 3):
            threads(number)
            assert_same_bits(f(*args), expected, (count, n, number))
            across = f(*f.moved(args, (count,), 0), axis=0)
            assert_same_bits(f.as_rows(across, 0), expected, (count, n, number))
            rows = f(*map(strided, args))
            assert_same_bits(rows, expected, (count, n, number))


@each_row_function
def test_long_rows_side_by_side(f: RowFunction) -> None:
    args = f.arguments(numbers(np.dtype(np.float32), 20, 33_000))
    assert_same_bits(f.as_rows(f(*f.moved(args, (20,), 0), axis=0), 0), one_by_one(f, args))


def strided_columns(a: Array) -> Array:
    """Return a part of a wide array with the smaller stride along its first axis."""
    return strided(a.T).T


# The longer are too long to be copied whole: they are brought into one direction or the other by pieces.
@each_dtype
@each_row_function
@pytest.mark.parametrize("length", [300, 4100])
def test_long_rows_wherever_they_lie(f: RowFunction, dtype: DType, length: int) -> None:
    args = f.arguments(numbers(dtype, 35, length))
    expected = f(*args)
    layouts: list[Callable[[Array], Array]] = [np.copy, np.asfortranarray, strided, strided_columns]
    for chosen in itertools.product(layouts, repeat=sum(map(bool, f.inputs))):
        layout_of = iter(chosen)
        given = [next(layout_of)(a) if size else a for a, size in zip(args, f.inputs, strict=True)]
        for layout in layouts if f.output else (np.copy,):
            out = layout(np.zeros_like(expected))
            assert_same_bits(f(*given, out=out), expected, (chosen, layout))
    if f.output and expected.shape == args[0].shape:
        for layout, other in itertools.product(layouts, repeat=2):
            rest = [other(a) if size else a for a, size in zip(args[1:], f.inputs[1:], strict=True)]
            given = [layout(args[0]), *rest]
            assert_same_bits(f(*given, out=given[0]), expected, (layout, other))


SHAPES = [((40,), ()), ((7, 30), (7, 1)), ((30, 7), (7,)), ((4, 5, 6), (5, 1)), ((4, 5, 6), (4, 1, 6))]


@each_dtype
@each_gated
def test_subnormals_beside_others_in_gated_units(f: RowFunction, dtype: DType) -> None:
    """Two elements have the same results alone, in long rows, in columns and in place."""
    n, rng = 9000, np.random.default_rng(0)
    args = tuple(a.copy() for a in f.arguments(rng.normal(0, 2, (5, 2 * n)).astype(dtype)))
    least = finfo(dtype).smallest_normal
    for k, a in enumerate(args):
        a[:, :: 97 + k] *= least
        a[:, 3000 + 500 * k : 3600 + 500 * k] *= least  # some where others are, and some where none are
        a[3] *= least
        a[4, 3050 + k : 3600 : 11] = np.inf
    expected = f(*args)
    assert_same_bits(np.ascontiguousarray(f(*(a.T for a in args), axis=0).T), expected)
    for j in range(2900, 3700):
        pair = tuple(np.ascontiguousarray(a[:, j::n]) for a in args)
        assert_same_bits(np.ascontiguousarray(expected[:, j::n]), f(*pair), j)
    outputs = args[0].copy()
    out = outputs if f.output == "n" else outputs[:, :n]
    f(outputs, *args[1:], out=out)
    assert_same_bits(np.ascontiguousarray(out), expected)


@each_dtype
@each_learned
def test_learned(name: str, p: float, dtype: DType, threads: Callable[[int], None]) -> None:
    backward: Any = getattr(fastact, name)
    rng = np.random.default_rng(0)
    for shape, p_shape in [*SHAPES, ((2, 40_000), ()), ((3, 33_000), (3, 1))]:
        x, g = (rng.normal(0, 3, shape).astype(dtype) for _ in range(2))
        parameter = rng.normal(p, 0.1, p_shape).astype(dtype)
        threads(1)
        dx, dp = backward(x, g, parameter)
        for number in (1, 2, 3):
            threads(number)
            for layout in (
                np.asarray,
                np.asfortranarray,
                strided,
                backwards,
                misplaced,
                byte_swapped,
                read_only,
            ):
                given = [layout(a) if a.ndim else a for a in (x, g, parameter)]
                for got, expected in zip(backward(*given), (dx, dp), strict=True):
                    assert_same_bits(got.astype(dtype), expected, (shape, number, layout))
        for layout in (np.copy, np.asfortranarray, strided, backwards, unaligned_rows, byte_swapped):
            given, total = [layout(x.copy()), layout(g.copy())], np.zeros(p_shape, dtype)
            for out in (layout(np.zeros_like(x)), given[0]):
                got_x, got_p = backward(*given, parameter, out=(out, total))
                assert got_x is out and got_p is total
                assert_same_bits(got_x.astype(dtype), dx, (shape, layout))
                assert_same_bits(total, np.asarray(dp), (shape, layout))
        given = [x.copy(), g.copy()]
        assert_same_bits(backward(*given, parameter, out=(given[1], None))[0], dx)
        assert_same_bits(given[1], dx)


@each_dtype
@each_learned
def test_learned_parameters_of_any_size(
    name: str, p: float, dtype: DType, threads: Callable[[int], None]
) -> None:
    """Parameters may be infinite or NaN, and gradients may overflow."""
    backward: Any = getattr(fastact, name)
    rng = np.random.default_rng(1)
    largest = float(finfo(dtype).max)
    for shape in ((16, 1), (16, 3), (16, 301), (2, 16, 1025)):
        x, g = rng.normal(0, 3, (2, *shape)).astype(dtype)
        parameter = np.resize([np.inf, -np.inf, np.nan, p, largest, -largest, 0], shape[-2]).astype(dtype)
        g[..., ::5, :] = np.sign(g[..., ::5, :]) * largest
        threads(1)
        parameter = parameter[:, None]
        expected = backward(x, g, parameter)
        for number, layout in itertools.product((1, 2), (np.copy, np.asfortranarray, strided)):
            threads(number)
            for got, exact in zip(backward(*map(layout, (x, g, parameter))), expected, strict=True):
                assert_same_bits(got, exact, (shape, number, layout))
    for n in (1, 3, 100):
        x, g = np.full(n, -6, dtype), np.full(n, largest, dtype)
        assert np.isinf(backward(x, g, dtype.type(0.25))[1]), n


@pytest.mark.parametrize("shape", [(60, 10), (20, 300), (2, 40_000)], ids=str)
@pytest.mark.parametrize(
    "f", [f for f in FUNCTIONS if f.sums and "_backward" in f.name], ids=lambda f: f.name
)
def test_large_gradients_scale(f: RowFunction, shape: tuple[int, int]) -> None:
    """Rows with 2^100 g have 2^100 times the gradient, also where a sum overflows that is computed first."""
    rng = np.random.default_rng(0)
    *rest, g = f.arguments(rng.normal(0, 3, shape).astype(np.float32))
    exponents = np.where(rng.uniform(size=(shape[0], 1)) < 0.5, 100, 0)
    scaled = np.ldexp(g, exponents if g.ndim == 2 else exponents[:, 0])
    expected = np.ldexp(f(*rest, g), exponents)
    assert_same_bits(f(*rest, scaled), expected)
    columns = f.moved((*rest, scaled), shape[:1], 0)
    assert_same_bits(f(*columns, axis=0), expected.T)
