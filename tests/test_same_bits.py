"""A result depends on nothing but its inputs."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastact
import numpy as np
import pytest
from conftest import RunPython
from fastact.checks.accuracy import finfo
from functions import Array, Function, arguments, bits, each_dtype, each_function


def strided(a: Array) -> Array:
    wide = np.zeros(3 * a.size, a.dtype)
    wide[::3] = a
    return wide[::3]


def backwards(a: Array) -> Array:
    return a[::-1].copy()[::-1]


def unaligned(a: Array) -> Array:
    raw = np.zeros(a.nbytes + 1, np.uint8)
    shifted = raw[1:].view(a.dtype)
    shifted[:] = a
    return shifted


def byte_swapped(a: Array) -> Array:
    return a.astype(a.dtype.newbyteorder())


def read_only(a: Array) -> Array:
    a = a.copy()
    a.flags.writeable = False
    return a


def assert_same_bits(result: Array, expected: Array, what: object = "") -> None:
    assert result.dtype == expected.dtype
    different = np.frombuffer(bits(result), np.uint8) != np.frombuffer(bits(expected), np.uint8)
    assert not different.any(), (what, np.flatnonzero(different)[:5] // expected.itemsize)


@pytest.mark.parametrize(
    ("lengths", "offsets"),
    [
        pytest.param([*range(70), 257], (0, 1, 7), id="some"),
        pytest.param(range(301), range(16), id="all", marks=pytest.mark.slow),
    ],
)
@each_dtype
@each_function
def test_every_length_and_offset(f: Function, dtype: np.dtype[Any], lengths: range, offsets: range) -> None:
    size = max(lengths) + max(offsets)
    args = arguments(f, dtype)
    chosen = np.random.default_rng(0).choice(np.flatnonzero(~np.isnan(f(*args))), size)
    args = tuple(a[chosen] for a in args)
    whole = f(*args)
    buffer = np.zeros(size + 1, dtype)
    for offset in offsets:
        for length in lengths:
            part = slice(offset, offset + length)
            buffer.fill(77)
            f(*(a[part] for a in args), out=buffer[part])
            assert buffer[part].tobytes() == whole[part].tobytes(), (length, offset)
            buffer[part] = 77
            assert (buffer == 77).all(), "wrote outside out"


@each_dtype
@each_function
def test_layouts(f: Function, dtype: np.dtype[Any]) -> None:
    args = arguments(f, dtype)
    expected = f(*args)
    for layout in (strided, backwards, unaligned, byte_swapped, read_only):
        for changed in itertools.product((True, False), repeat=len(args)):
            given = [layout(a) if change else a for a, change in zip(args, changed, strict=True)]
            assert_same_bits(f(*given), expected, (layout, changed))


@each_dtype
@each_function
def test_in_place_and_into_out(f: Function, dtype: np.dtype[Any]) -> None:
    args = arguments(f, dtype)
    expected = f(*args)
    for layout in (np.copy, strided, backwards, unaligned, byte_swapped):
        out = layout(np.zeros_like(expected))
        assert f(*args, out=out) is out
        assert_same_bits(out.astype(dtype), expected, layout)
        for i in range(len(args)):
            given = [layout(a) for a in args]
            f(*given, out=given[i])
            assert_same_bits(given[i].astype(dtype), expected, (layout, i))


@each_dtype
@each_function
def test_overlap(f: Function, dtype: np.dtype[Any]) -> None:
    args = [a[:1000] for a in arguments(f, dtype)]
    expected = f(*args)
    for shift in (1, 5):
        for source, target in ((slice(shift, None), slice(-shift)), (slice(-shift), slice(shift, None))):
            buffer = np.zeros(1000 + shift, dtype)
            buffer[source] = args[0]
            f(buffer[source], *args[1:], out=buffer[target])
            assert_same_bits(buffer[target], expected, shift)


@each_dtype
@each_function
def test_subnormals_beside_others(f: Function, dtype: np.dtype[Any]) -> None:
    rng = np.random.default_rng(0)
    least = float(finfo(dtype).smallest_normal)
    ordinary = [rng.standard_normal(10_000).astype(dtype) for _ in arguments(f, dtype)]
    subnormal = [(rng.uniform(-1, 1, 10_000) * least).astype(dtype) for _ in ordinary]
    alone = f(*ordinary)
    for chosen in itertools.product((True, False), repeat=len(ordinary)):
        every = slice(None, None, 97)
        lifted = f(
            *(
                s[every] if choose else a[every]
                for s, a, choose in zip(subnormal, ordinary, chosen, strict=True)
            )
        )
        args = [a.copy() for a in ordinary]
        for a, s in itertools.compress(zip(args, subnormal, strict=True), chosen):
            a[every] = s[every]
        result = f(*args)
        assert_same_bits(result[every].copy(), lifted, chosen)
        result[every] = alone[every]
        assert_same_bits(result, alone, chosen)


@each_dtype
@each_function
def test_scalars_among_arrays(f: Function, dtype: np.dtype[Any]) -> None:
    args = [a[-300:] for a in arguments(f, dtype)]
    filled = [np.full(300, a[0]) for a in args]
    for i in range(len(args)):
        given = [a[0] if i == j else a for j, a in enumerate(args)]
        expected = f(*(filled[j] if i == j else a for j, a in enumerate(args)))
        assert_same_bits(np.broadcast_to(f(*given), 300), expected, i)
    one_by_one = np.array([f(*row) for row in zip(*args, strict=True)])
    assert_same_bits(one_by_one, f(*args))


@each_dtype
@each_function
def test_array_parameters(f: Function, dtype: np.dtype[Any]) -> None:
    args = arguments(f, dtype)
    expected = f(*args)
    values = [np.float64(default) for _, default in f.defaults]
    assert_same_bits(f(*args, *values), expected)
    for layout in (np.copy, strided, backwards):
        filled = [layout(np.full(args[0].size, value)) for value in values]
        assert_same_bits(f(*args, *filled), expected)


@each_dtype
@each_function
def test_streaming(f: Function, dtype: np.dtype[Any], streaming: Callable[[int], int]) -> None:
    """Stores that bypass the caches write the same bits, next to other stores and in place."""
    args = arguments(f, dtype)
    expected = f(*args)
    buffer = np.zeros(expected.size + 8, dtype)
    streaming(0)
    assert_same_bits(f(*args), expected)
    for offset in range(8):
        for length in (1, 7, 30, 1000):
            part = slice(offset, offset + length)
            buffer.fill(77)
            f(*(a[:length] for a in args), out=buffer[part])
            assert_same_bits(buffer[part], expected[:length], (length, offset))
            buffer[part] = 77
            assert (buffer == 77).all(), "wrote outside out"
    for i in range(len(args)):
        given = [a.copy() for a in args]
        f(*given, out=given[i])
        assert_same_bits(given[i], expected, i)


@each_dtype
@each_function
def test_threads(f: Function, dtype: np.dtype[Any], threads: Callable[[int], None]) -> None:
    args = arguments(f, dtype)
    spread = np.geomspace(0.5, 2, args[0].size)
    parameters = [spread * default for _, default in f.defaults]
    threads(1)
    expected, expected_spread = f(*args), f(*args, *parameters)
    for count, sizes in ((2, (0, 1, 2, 17, 1001, args[0].size)), (3, (args[0].size,))):
        threads(count)
        for size in sizes:
            parts = [a[:size] for a in args]
            assert_same_bits(f(*parts), expected[:size], (count, size))
            assert_same_bits(f(*map(strided, parts)), expected[:size], (count, size))
            result = f(*parts, *(p[:size] for p in parameters))
            assert_same_bits(result, expected_spread[:size], (count, size))
            parts[0] = parts[0].copy()
            f(*parts, out=parts[0])
            assert_same_bits(parts[0], expected[:size], (count, size))


def test_instruction_sets(run_python: RunPython) -> None:
    program = str(Path(__file__).with_name("digest.py"))
    digests = {}
    for isa in fastact.config()["available"]:
        run = run_python(program, FASTACT_ISA=isa)
        assert run.returncode == 0, run.stderr
        digests[isa] = run.stdout.splitlines()
    first = digests.popitem()[1]
    assert first
    for isa, lines in digests.items():
        assert lines == first, isa
