"""The calling convention: what NumPy's own ufuncs accept and return."""

import pickle
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import fastact
import numpy as np
import pytest
from functions import Array, Function, bits, each_dtype, each_function, each_with_parameters

SHAPE = (3, 4)


def operands(f: Function, dtype: Any = np.float32, shape: tuple[int, ...] = SHAPE) -> list[Array]:
    rng = np.random.default_rng(0)
    return [rng.normal(0, 3, shape).astype(dtype) for _ in f.inputs]


@each_function
def test_ufunc_exactly_where_there_is_no_parameter(f: Function) -> None:
    assert isinstance(f.function, np.ufunc) == (not f.defaults)


@each_function
def test_pickles_by_name(f: Function) -> None:
    assert f.function.__name__ == f.name
    pickled = pickle.dumps(f.function)
    assert b"fastact" in pickled and f.name.encode() in pickled
    assert pickle.loads(pickled) is f.function


@each_dtype
@each_function
def test_shapes(f: Function, dtype: np.dtype[Any]) -> None:
    for shape in ((), (0,), (3, 0), (1,), (7,), SHAPE, (2, 3, 4)):
        args = operands(f, dtype, shape)
        result = f(*args)
        assert result.shape == shape and result.dtype == dtype
        assert isinstance(result, np.ndarray if shape else dtype.type)
    scalars = [dtype.type(0.5)] * len(f.inputs)
    assert type(f(*scalars)) is dtype.type
    assert type(f(*map(float, scalars))) is np.float64
    row, column = [[1.0, 2.0]], [[3.0], [4.0]]
    assert f(*[row, column][: len(f.inputs)]).shape == (len(f.inputs), 2)


@each_function
def test_order(f: Function) -> None:
    args = [np.asfortranarray(a) for a in operands(f)]
    expected = f(*map(np.ascontiguousarray, args))
    assert f(*args).flags.f_contiguous
    assert f(*args, order="C").flags.c_contiguous
    assert f(*map(np.ascontiguousarray, args), order="F").flags.f_contiguous
    np.testing.assert_array_equal(f(*args), expected)
    np.testing.assert_array_equal(f(*(a.T for a in args)), expected.T)
    np.testing.assert_array_equal(f(*(a[::-1, ::2] for a in args)), expected[::-1, ::2])


@each_function
def test_out(f: Function) -> None:
    args = operands(f)
    expected = f(*args)
    first, second, third = outs = [np.zeros(SHAPE, np.float32) for _ in range(3)]
    assert f(*args, out=first) is first
    assert f(*args, out=(second,)) is second
    assert f(*args, *(value for _, value in f.defaults), third) is third
    for out in outs:
        np.testing.assert_array_equal(out, expected)
    assert f(*args, out=None).dtype == np.float32
    wide = np.zeros((2, *SHAPE))
    f(*args, out=wide)
    np.testing.assert_array_equal(wide, [expected] * 2)
    with pytest.raises(TypeError, match="int32"):
        f(*args, out=np.zeros(SHAPE, np.int32))


@each_function
def test_out_is_returned_though_0d(f: Function) -> None:
    out = np.zeros((), np.float32)
    assert f(*operands(f, shape=()), out=out) is out


@each_function
@pytest.mark.skipif(np.lib.NumpyVersion(np.__version__) < "2.3.0", reason="older ufuncs refuse out=...")
def test_ellipsis_as_out_gives_an_array(f: Function) -> None:
    y = f(*operands(f, shape=()), out=...)
    assert type(y) is np.ndarray and y == f(*operands(f, shape=()))


@each_function
def test_where(f: Function) -> None:
    args = operands(f)
    where = np.arange(12).reshape(SHAPE) % 3 == 0
    out = np.full(SHAPE, 77, np.float32)
    assert f(*args, out=out, where=where) is out
    np.testing.assert_array_equal(out, np.where(where, f(*args), 77))
    np.testing.assert_array_equal(f(*args, out=None, where=where)[where], f(*args)[where])


@each_function
def test_dtype_and_casting(f: Function) -> None:
    single, double = operands(f, np.float32), operands(f, np.float64)
    assert f(*double, dtype=np.float32).dtype == np.float32
    np.testing.assert_array_equal(f(*double, dtype="f4"), f(*(a.astype("f4") for a in double)))
    np.testing.assert_array_equal(f(*single, dtype="f8"), f(*(a.astype("f8") for a in single)))
    out = np.zeros(SHAPE, np.float32)
    f(*double, out=out)
    np.testing.assert_array_equal(out, f(*double).astype(np.float32))
    with pytest.raises(TypeError, match="cast"):
        f(*double, out=out, casting="safe")
    with pytest.raises(TypeError, match="cast"):
        f(*double, dtype=np.float32, casting="safe")
    for casting in ("no", "equiv", "safe"):
        np.testing.assert_array_equal(f(*single, casting=casting, order="C"), f(*single))


@each_function
def test_subok(f: Function) -> None:
    class Named(np.ndarray[Any, Any]):
        pass

    args = [a.view(Named) for a in operands(f)]
    assert type(f(*args)) is Named
    assert type(f(*args, subok=False)) is np.ndarray


@each_function
def test_integers_promote_as_exp(f: Function) -> None:
    for dtype in "?" + np.typecodes["AllInteger"]:
        args = [np.array([0, 1, 1, 0]).astype(dtype)] * len(f.inputs)
        promoted = np.exp(args[0]).dtype
        result = f(*args)
        assert result.dtype == promoted, dtype
        np.testing.assert_array_equal(result, f(*(a.astype(promoted) for a in args)), dtype)


@each_function
def test_mixed_dtypes(f: Function) -> None:
    single, double = np.ones(3, np.float32), np.ones(3)
    if len(f.inputs) == 2:
        assert f(single, double).dtype == f(double, single).dtype == np.float64
        assert f(single, np.ones(3, np.int16)).dtype == np.float32
        assert f(single, np.ones(3, np.int64)).dtype == np.float64
        assert f(single, 1.0).dtype == f(1.0, single).dtype == f(single, 1).dtype == np.float32
        assert f(single, np.float64(1)).dtype == np.float64


@each_function
def test_refuses_other_dtypes(f: Function) -> None:
    for dtype in ("g", "F", "D", "G", "O", "U1", "S1", "M8[s]", "m8[s]", "V4"):
        for i in range(len(f.inputs)):
            args = operands(f)
            args[i] = np.zeros(SHAPE, dtype)
            with pytest.raises(TypeError):
                f(*args)


@each_dtype
@each_with_parameters
def test_parameters(f: Function, dtype: np.dtype[Any]) -> None:
    args = operands(f, dtype)
    names, values = zip(*f.defaults, strict=True)
    expected = f(*args)
    for kind in (float, np.float32, np.float64, np.array):
        given = [kind(value) for value in values]
        assert f(*args, *given).dtype == dtype, kind
        assert f(*args, **dict(zip(names, given, strict=True))).dtype == dtype, kind
    np.testing.assert_array_equal(f(*args, *values), expected)
    np.testing.assert_array_equal(f(*args, **dict(f.defaults)), expected)
    assert f(*args, *(1 for _ in values)).dtype == dtype
    columns = [np.geomspace(0.5, 2, 4) * value for value in values]
    by_column = f(*args, *columns)
    assert by_column.dtype == dtype
    for j in range(4):
        column = f(*(a[:, j] for a in args), *(c[j] for c in columns))
        np.testing.assert_array_equal(by_column[:, j], column)
    assert f(*(a[0, 0] for a in args), *(c[:, None] for c in columns)).shape == (4, 1)


def other_than_defaults(f: Function) -> dict[str, float]:
    return {name: 0.75 * value + 0.01 for name, value in f.defaults}


@each_dtype
@each_with_parameters
def test_parameters_of_any_kind_give_the_same_bits(f: Function, dtype: np.dtype[Any]) -> None:
    args = operands(f, dtype)
    numbers = other_than_defaults(f)
    expected = f(*args, **{name: np.full(SHAPE, number) for name, number in numbers.items()}).tobytes()
    out = np.zeros(SHAPE, dtype)
    ufunc_types = "d" * (len(args) + len(numbers)) + "->d"
    for result in (
        f(*args, *numbers.values()),
        f(*args, **numbers),
        f(*args, **{name: np.array(number) for name, number in numbers.items()}),
        f(*args, *numbers.values(), out),
        f(*args, **numbers, out=(out,)),
        f(*args, **numbers, where=np.ones(SHAPE, bool), out=out, casting="same_kind"),
        f(*args, **numbers, dtype=dtype),
        f(*args, **numbers, subok=False, order="C"),
        f(*(a[::-1] for a in args), **numbers)[::-1],
        f(*(a.astype(np.float64) for a in args), **numbers, signature=ufunc_types) if dtype == "d" else out,
    ):
        assert result.tobytes() == expected


@each_dtype
@each_with_parameters
def test_parameters_that_the_dtype_cannot_hold(f: Function, dtype: np.dtype[Any]) -> None:
    """They become infinity or zero without a warning, and are refused where zero is not allowed."""

    class Named(np.ndarray[Any, Any]):
        pass

    args = operands(f, dtype)
    name = f.defaults[-1][0]
    with np.errstate(all="raise"):
        for number in (1e300, 1e-300):
            try:
                with np.errstate(all="ignore"):
                    expected = bits(f(*args, **{name: np.full(SHAPE, number)}))
            except ValueError as error:
                assert number == 1e-300 and dtype != "d" and f"{name} > 0" in str(error)
                with pytest.raises(ValueError, match=re.escape(f"{name} > 0")):
                    f(*args, **{name: number})
                continue
            assert bits(f(*args, **{name: number})) == expected
            named = f(*(a.view(Named) for a in args), **{name: number})
            assert type(named) is Named and named.dtype == dtype and bits(named) == expected


CHANNELS = (
    ((7, 10), (10,)),
    ((900, 10), (1, 10)),
    ((900, 10), (900, 1)),
    ((4, 3000), (4, 1)),
    ((3, 5000), (5000,)),
    ((50, 200), (50, 1)),
    ((5, 3, 4, 7), (4, 1)),
    ((5, 3, 4, 100), (3, 4, 1)),
    ((40, 300), (40, 300)),
    ((9000,), (1,)),
)


@pytest.mark.parametrize("sizes", CHANNELS, ids=str)
@each_dtype
def test_parameter_for_each_channel(
    dtype: np.dtype[Any], sizes: tuple[tuple[int, ...], ...], threads: Callable[[int], None]
) -> None:
    shape, of_alpha = sizes
    rng = np.random.default_rng(0)
    x, alpha = rng.normal(size=shape).astype(dtype), rng.normal(size=of_alpha).astype(dtype)
    expected = np.where(x > 0, x, alpha * x)
    for n in (1, 3):
        threads(n)
        np.testing.assert_array_equal(fastact.prelu(x, alpha), expected, strict=True)
    np.testing.assert_array_equal(fastact.prelu(x[::-1].copy()[::-1], alpha), expected, strict=True)
    out = np.empty_like(x)
    assert fastact.prelu(x, alpha, out) is out
    np.testing.assert_array_equal(out, expected, strict=True)
    fastact.prelu(x, alpha, out=x)
    np.testing.assert_array_equal(x, expected, strict=True)


def test_parameter_that_overlaps_the_output() -> None:
    x = np.random.default_rng(0).normal(size=(300, 10)).astype(np.float32)
    expected = np.where(x > 0, x, x[7] * x)
    np.testing.assert_array_equal(fastact.prelu(x, x[7], out=x), expected)
    y = np.zeros(3001, np.float32)
    y[:-1] = expected.ravel()
    fastact.prelu(y[:-1], np.array([2], np.float32), out=y[1:])
    np.testing.assert_array_equal(y[1:], np.where(expected > 0, expected, 2 * expected).ravel())


@each_with_parameters
def test_parameters_of_a_call_within_a_call(f: Function) -> None:
    args, numbers = operands(f), other_than_defaults(f)

    class Nested:
        def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
            f(*args)
            return args[0]

    assert f(Nested(), *args[1:], **numbers).tobytes() == f(*args, **numbers).tobytes()


@each_with_parameters
def test_parameters_of_concurrent_calls(f: Function) -> None:
    args, name = operands(f, shape=(1000,)), f.defaults[-1][0]
    numbers = [1 + k / 8 for k in range(8)]
    expected = [f(*args, **{name: np.full(1000, number)}).tobytes() for number in numbers]

    def all_same(k: int) -> bool:
        return all(f(*args, **{name: numbers[k]}).tobytes() == expected[k] for _ in range(200))

    with ThreadPoolExecutor(len(numbers)) as pool:
        assert all(pool.map(all_same, range(len(numbers))))
