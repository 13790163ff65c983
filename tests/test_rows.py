"""Functions of rows: special values, absence of warnings, result types, gradients, containers."""

import inspect
import itertools
import math
import pickle
import tracemalloc
from collections.abc import Callable
from typing import Any

import fastact
import numpy as np
import pytest
from fastact import _core
from fastact.checks.accuracy import DType, finfo
from fastact.checks.row_reference import GATES, ROWS, parameter_gradient
from fastact.functions.registry import FUSED, split_name
from functions import HALF_PRECISION, each_dtype, extremes
from rows import FUNCTIONS, LEARNED, RowFunction, each_learned, each_row_function, numbers

LABELLED = [f for f in FUNCTIONS if f.labelled]
UNDEFINED = [
    RowFunction(forward + suffix)
    for forward in ("softmax", "log_softmax", "softmax_cross_entropy")
    for suffix in ("", "_backward")
] + [RowFunction("logsumexp_backward")]
UNGATED = [f for f in FUNCTIONS if split_name(f.name)[0] not in GATES]
INFINITY, NAN = np.inf, np.nan


def test_all_are_covered() -> None:
    names = {name for name in vars(_core) if isinstance(getattr(_core, name), np.ufunc)}
    assert {name for name in names if getattr(_core, name).signature} == {*ROWS, *LEARNED, *map(str, FUSED)}
    assert names <= set(fastact.__all__)


# A row, its softmax, log_softmax, logsumexp and maxout.
SPECIAL = [
    ([1, INFINITY, 2], [NAN] * 3, [NAN] * 3, INFINITY, INFINITY),
    ([INFINITY], [NAN], [NAN], INFINITY, INFINITY),
    ([INFINITY, -INFINITY], [NAN] * 2, [NAN] * 2, INFINITY, INFINITY),
    ([INFINITY, 44.5, 222, 5e4, -5e4], [NAN] * 5, [NAN] * 5, INFINITY, INFINITY),
    ([-INFINITY] * 3, [NAN] * 3, [NAN] * 3, -INFINITY, -INFINITY),
    ([-INFINITY], [NAN], [NAN], -INFINITY, -INFINITY),
    ([NAN, 1, 2], [NAN] * 3, [NAN] * 3, NAN, NAN),
    ([1, INFINITY, NAN], [NAN] * 3, [NAN] * 3, NAN, NAN),
    ([NAN, INFINITY, 1], [NAN] * 3, [NAN] * 3, NAN, NAN),
    ([-INFINITY, NAN, -INFINITY], [NAN] * 3, [NAN] * 3, NAN, NAN),
    ([NAN], [NAN], [NAN], NAN, NAN),
    ([3, -INFINITY], [1, 0], [0, -INFINITY], 3, 3),
    ([-INFINITY, 2, -INFINITY, 2], [0, 0.5, 0, 0.5], [-INFINITY, -np.log(2), -INFINITY, -np.log(2)], None, 2),
    ([7], [1], [0], 7, 7),
    ([1e4, -1e4], [1, 0], [0, -2e4], 1e4, 1e4),
]


@each_dtype
@pytest.mark.parametrize(("row", "softmax", "log_softmax", "logsumexp", "maxout"), SPECIAL)
def test_special_rows(
    row: list[float], softmax: Any, log_softmax: Any, logsumexp: Any, maxout: Any, dtype: DType
) -> None:
    """Special rows alone, among other rows, at the end of long rows, and along both axes."""
    logsumexp = 2 + np.log(2) if logsumexp is None else logsumexp
    padding: list[float] = [-INFINITY] * 100
    zeros = [NAN if np.isnan(softmax[0]) else 0.0] * 100
    tails = [NAN if np.isnan(softmax[0]) else -INFINITY] * 100
    for extra in (0, 100):
        x = np.array([row + padding[:extra]] * 20, dtype)
        for name, result in {
            "softmax": softmax + zeros[:extra],
            "log_softmax": log_softmax + tails[:extra],
            "logsumexp": logsumexp,
            "maxout": maxout,
        }.items():
            function = getattr(fastact, name)
            right = np.array([result] * 20, dtype)
            with np.errstate(all="raise"):
                for got in (function(x), function(x.T.copy(), axis=0).T, function(np.asfortranarray(x))):
                    np.testing.assert_array_equal(got.astype(float), right.astype(float), name)
        labels = np.arange(20) % len(row)
        with np.errstate(all="raise"):
            loss = fastact.softmax_cross_entropy(x, labels)
        right = -np.array([log_softmax[label] for label in labels], dtype).astype(float)
        np.testing.assert_array_equal(loss.astype(float), right)


@each_dtype
@pytest.mark.parametrize("f", UNDEFINED, ids=lambda f: f.name)
def test_undefined_rows_give_nan(f: RowFunction, dtype: DType) -> None:
    """Undefined rows give NaN and do not affect other rows."""
    x = np.ones((40, 5), dtype)
    for i, row in enumerate(([INFINITY] * 2, [-INFINITY] * 5, [NAN], [INFINITY, NAN])):
        x[9 * i, : len(row)] = row
    result = f(*f.arguments(x))
    assert np.isnan(result[:36:9].astype(float)).all()
    assert np.isfinite(np.delete(result, range(0, 36, 9), 0).astype(float)).all()


@each_dtype
@each_row_function
def test_nan_stays_in_its_row(f: RowFunction, dtype: DType) -> None:
    """A NaN in x, y or g makes its whole row NaN, unless the definition says otherwise."""
    rng = np.random.default_rng(0)
    x = np.abs(rng.normal(size=(30, 6))).astype(dtype) + dtype.type(1)
    args = f.arguments(x)
    for i, a in enumerate(args):
        if a.dtype.kind in "iu":
            continue
        for column in range(a.shape[1] if a.ndim == 2 else 1):
            given = [b.copy() for b in args]
            given[i][(7, column)[: a.ndim]] = NAN
            result = f(*given).astype(float)
            assert np.isfinite(np.delete(result, 7, 0)).all()
            found = np.flatnonzero(np.isnan(result[7]))
            if split_name(f.name)[0] in GATES:
                assert found.size and (found % 3 == column % 3).all()
            elif f.name == "maxout_backward" and i == 1:
                assert found.size == 1
            elif f.name.startswith("sparsemax") and i == 1:  # off the support, g does not count
                support = np.flatnonzero(fastact.sparsemax(x[7]).astype(float))
                assert set(found) == (set(support) if column in support else set())
            elif f.name == "log_softmax_backward_from_output" and i == 0:
                assert found == column
            else:
                assert found.size == result[7].size


@each_dtype
@each_row_function
def test_silence(f: RowFunction, dtype: DType) -> None:
    rng = np.random.default_rng(0)
    for n in (2, 6, 70):
        x = rng.choice(extremes(dtype), (300, n))
        for values in (x, np.where(np.isnan(x), dtype.type(1), x), numbers(dtype, 300, n)):
            args = f.arguments(values)
            extreme = [rng.choice(extremes(dtype), a.shape) if a.dtype == dtype else a for a in args]
            with np.errstate(all="raise"):
                f(*args)
                f(*extreme)
                f(*f.moved(args, (300,), 0), axis=0)


@each_dtype
def test_the_first_maximal_piece_takes_the_gradient(dtype: DType) -> None:
    x = np.array(
        [[1, 3, 3, 2], [-INFINITY, -INFINITY, -INFINITY, -INFINITY], [5, NAN, 5, 5], [0, 1, 2, INFINITY]]
    )
    g = np.array([7, 8, 9, NAN])
    right = [[0, 7, 0, 0], [8, 0, 0, 0], [NAN] * 4, [0, 0, 0, NAN]]
    np.testing.assert_array_equal(
        fastact.maxout_backward(x.astype(dtype), g.astype(dtype)).astype(float), right
    )
    np.testing.assert_array_equal(
        fastact.maxout(x.astype(dtype)).astype(float), [3, -INFINITY, NAN, INFINITY]
    )


@each_dtype
@each_row_function
def test_empty(f: RowFunction, dtype: DType) -> None:
    for count in (0, 3, 200):
        for n in (0, 4):
            args = [
                np.zeros((count, {"n": n, "m": n // 2}[size]) if size else count, dtype) for size in f.inputs
            ]
            if f.labelled:
                args[1] = args[1].astype(int)
            shape = (count, {"n": n, "m": n // 2}[f.output]) if f.output else (count,)
            if n == 0 and (f.name.startswith("maxout") or (f.labelled and count)):
                with pytest.raises(ValueError, match=r"at least one|labels contains 0"):
                    f(*args)
                continue
            with np.errstate(all="raise"):
                result = f(*args)
            assert result.shape == shape and result.dtype == dtype
            if n == 0 and f.name == "logsumexp":
                assert (result == -INFINITY).all()


def test_result_types() -> None:
    """Result types are those of np.exp, for all types and combinations."""
    names = "?bBhHiIlLqQefd"
    for f, axis in itertools.product(FUNCTIONS, (0, -1)):
        # Numbers that any type holds.
        args = tuple(map(np.abs, f.moved(f.arguments(np.ones((3, 4))), (3,), axis)))
        for type_ in [*names, *(t for t in HALF_PRECISION if t.kind == "V")]:
            given = [a if f.labelled and i == 1 else a.astype(type_) for i, a in enumerate(args)]
            expected = np.dtype(type_) if np.dtype(type_).kind == "V" else np.exp(np.ones(1, type_)).dtype
            assert f(*given, axis=axis).dtype == expected, (f.name, type_)
        floats = [i for i in range(len(args)) if not (f.labelled and i == 1)]
        for types in itertools.product("efd", repeat=len(floats)):
            given = list(args)
            for i, type_ in zip(floats, types, strict=True):
                given[i] = args[i].astype(type_)
            assert f(*given, axis=axis).dtype == np.result_type(*types), (f.name, types)
        for wrong in (np.longdouble, np.complex64, "U1", "M8[s]"):
            for i in floats:
                given = list(args)
                given[i] = np.ones(args[i].shape, int).astype(wrong)
                with pytest.raises(TypeError):
                    f(*given, axis=axis)


@each_row_function
def test_lists(f: RowFunction) -> None:
    args = f.arguments(np.arange(12.0).reshape(3, 4))
    result = f(*(a.tolist() for a in args))
    np.testing.assert_array_equal(result, f(*args))


@pytest.mark.parametrize("type_", "bBhHiIlLqQ")
@pytest.mark.parametrize("f", LABELLED, ids=lambda f: f.name)
def test_labels_of_every_integer_type(f: RowFunction, type_: str) -> None:
    args = list(f.arguments(np.arange(12.0).reshape(3, 4)))
    expected = f(*args)
    for dtype in (np.dtype(type_), np.dtype(type_).newbyteorder()):
        args[1] = args[1].astype(dtype)
        np.testing.assert_array_equal(f(*args), expected)
    one = [a[0] for a in args]
    np.testing.assert_array_equal(f(*one), expected[0])


def test_keepdims() -> None:
    x = np.arange(24.0).reshape(2, 3, 4)
    for axis in range(-3, 3):
        y = fastact.logsumexp(x, axis, keepdims=True)
        np.testing.assert_array_equal(y, np.expand_dims(fastact.logsumexp(x, axis), axis))
        np.testing.assert_array_equal(
            fastact.logsumexp_backward(x, y, axis, keepdims=True),
            fastact.logsumexp_backward(x, np.squeeze(y, axis), axis),
        )


# Shapes of x, each with shapes of a parameter that match it.
PARAMETERS: list[tuple[tuple[int, ...], list[tuple[int, ...]]]] = [
    ((5,), [(), (1,), (5,)]),
    ((4, 5), [(), (5,), (1, 5), (4, 1), (1, 1), (4, 5)]),
    ((3, 4, 5), [(), (5,), (4, 1), (3, 1, 1), (1, 4, 1), (3, 4, 1), (3, 1, 5), (4, 5), (3, 4, 5)]),
    ((2, 3, 4, 5), [(), (5,), (3, 1, 1), (3, 1, 5), (2, 1, 4, 1), (2, 1, 1, 5), (1, 3, 1, 1), (2, 3, 4, 5)]),
    ((), [()]),
    ((0, 3), [(), (3,), (0, 1), (1, 3)]),
    ((3, 0), [(), (3, 1), (0,), (1, 1)]),
]


@each_dtype
@each_learned
def test_parameter_gradient_has_the_parameters_shape_and_type(name: str, p: float, dtype: DType) -> None:
    backward: Any = getattr(fastact, name)
    activation = name.removesuffix("_backward")
    forward: Any = getattr(fastact, activation)
    rng = np.random.default_rng(0)
    for shape, p_shapes in PARAMETERS:
        x, g = (rng.normal(0, 3, shape).astype(dtype) for _ in range(2))
        for p_shape in p_shapes:
            for p_type in {dtype, np.dtype(np.float32), np.dtype(np.float64)}:
                parameter = rng.normal(p, 0.1, p_shape).astype(p_type)
                dx, dp = backward(x, g, parameter)
                assert dx.shape == shape and dx.dtype == dtype
                assert dp.shape == p_shape and dp.dtype == p_type, (shape, p_shape, p_type)
                assert forward(x, parameter).shape == shape
                info, kernel = finfo(p_type), np.promote_types(dtype, np.float32)
                total, magnitude = parameter_gradient(activation, x, g, parameter.astype(kernel))
                relative = (
                    float(info.eps) / 2 + float(np.finfo(kernel).eps) + 1e-15
                )  # the reference's, at last
                allowed = relative * magnitude + float(info.smallest_subnormal)
                assert (np.abs(dp - total) <= allowed).all(), (shape, p_shape, p_type)
                # Each element on its own, with its own parameter.
                alone, _ = backward(x.ravel(), g.ravel(), np.broadcast_to(parameter, shape).ravel())
                np.testing.assert_array_equal(dx.ravel(), alone)
        _, dp = backward(x, g, p)
        assert np.shape(dp) == () and dp.dtype == dtype
        _, dp = backward(x, g, 1)
        assert np.shape(dp) == () and dp.dtype == dtype


@each_learned
def test_types_of_learned(name: str, p: float) -> None:
    backward: Any = getattr(fastact, name)
    for types in itertools.product("efd", repeat=2):
        x, g = (np.ones(3, t) for t in types)
        assert [a.dtype for a in backward(x, g, p)] == [np.result_type(*types)] * 2
    dx, dp = backward([1, 2], [3, 4], p)
    assert dx.dtype == dp.dtype == np.float64
    for special in (INFINITY, -INFINITY, NAN):
        with np.errstate(all="raise"):
            dx, dp = backward(np.array([special, 1, -1]), np.ones(3), p)
            assert np.isnan(dp) == np.isnan(dx[0]) == np.isnan(special)


STEP = 2.0**-17


def forward_of(f: RowFunction) -> RowFunction:
    return RowFunction(split_name(f.name)[0])


@pytest.mark.parametrize("f", [f for f in FUNCTIONS if f.name.endswith("_backward")], ids=lambda f: f.name)
def test_central_differences(f: RowFunction) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(0, 2, (50, 6))
    x[np.abs(x) < 2 * STEP] = 1.0  # reglu's kink
    args: list[Any] = list(f.arguments(x))
    g = args[-1] = rng.normal(size=args[-1].shape)
    rest = args[1:-1]
    forward, dx = forward_of(f), f(*args)
    for j in range(6):
        step = STEP * (np.arange(6) == j)
        slope = (forward(x + step, *rest) - forward(x - step, *rest)) / (2 * STEP)
        total = (g * slope).sum(-1) if g.ndim == 2 else g * slope
        np.testing.assert_allclose(dx[:, j], total, rtol=0, atol=1e-8)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_from_output_agrees_with_backward(name: str) -> None:
    x, g = np.random.default_rng(0).normal(0, 4, (2, 100, 9))
    y = getattr(fastact, name)(x)
    result = getattr(fastact, f"{name}_backward_from_output")(y, g)
    np.testing.assert_allclose(result, getattr(fastact, f"{name}_backward")(x, g), rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e20])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_positive_log_softmax(dtype: str, scale: float) -> None:
    """The gradient from the output is g - e^y Σ g, also for y > 0, which rounding may produce elsewhere."""
    rng = np.random.default_rng(0)
    y = rng.normal(0, 10, (100, 9)).astype(dtype)
    y[:, 0] = 1e-9
    g = (scale * rng.normal(size=y.shape)).astype(dtype)
    e, wide = np.exp(y.astype(float)), g.astype(float)
    error = fastact.log_softmax_backward_from_output(y, g) - (wide - e * wide.sum(-1, keepdims=True))
    magnitude = np.abs(wide) + e * np.abs(wide).sum(-1, keepdims=True)
    assert (np.abs(error) <= 8 * np.finfo(dtype).eps * magnitude).all()


@pytest.mark.parametrize("name", ["gelu", "gelu_tanh"])
def test_large_factors_beside_small_values(name: str) -> None:
    """f(a) is rounded before it is multiplied by a large b, also where it rounds to 0."""
    a, b = np.meshgrid([-9, -12, -13.5, -15, -100, -INFINITY], [2.0**60, -(2.0**90), 1e38, INFINITY, NAN])
    x = np.stack([a.ravel(), b.ravel()], 1).astype(np.float32)
    with np.errstate(invalid="ignore"):
        expected = getattr(fastact, name)(x[:, 0]) * x[:, 1]
    np.testing.assert_array_equal(getattr(fastact, name.replace("gelu", "geglu"))(x)[:, 0], expected)


@each_learned
def test_central_differences_of_the_parameter(name: str, p: float) -> None:
    forward: Any = getattr(fastact, name.removesuffix("_backward"))
    x, g = np.random.default_rng(0).normal(0, 4, (2, 10, 6))
    for parameter in (np.full((10, 1), p), np.linspace(-2, 2, 6)):
        dx, dp = getattr(fastact, name)(x, g, parameter)
        axis = 1 if parameter.shape == (10, 1) else 0
        slope = (forward(x, parameter + STEP) - forward(x, parameter - STEP)) / (2 * STEP)
        np.testing.assert_allclose(dp, (g * slope).sum(axis).reshape(dp.shape), rtol=0, atol=1e-7)
        slope = (forward(x + STEP, parameter) - forward(x - STEP, parameter)) / (2 * STEP)
        np.testing.assert_allclose(dx, g * slope, rtol=0, atol=1e-8)


def test_pickling() -> None:
    for f in (*FUNCTIONS, *map(RowFunction, LEARNED)):
        function = getattr(fastact, f.name)
        assert pickle.loads(pickle.dumps(function)) is function
        assert pickle.loads(pickle.dumps(f.core)) is f.core
        assert not isinstance(function, np.ufunc) and isinstance(f.core, np.ufunc)


@each_row_function
def test_arguments_by_position_and_by_name(f: RowFunction) -> None:
    args = f.arguments(np.arange(12.0).reshape(3, 4))
    function = getattr(fastact, f.name)
    names = list(inspect.signature(function).parameters)
    expected = function(*args)
    np.testing.assert_array_equal(function(**dict(zip(names, args, strict=False))), expected)
    np.testing.assert_array_equal(function(*args, -1), expected)
    np.testing.assert_array_equal(function(*args, np.int64(1)), expected)
    np.testing.assert_array_equal(function(*args, (1,)), expected)
    out = np.zeros_like(expected)
    assert function(*args, out=(out,)) is out
    np.testing.assert_array_equal(out, expected)


# Several axes, some of which a view can join and some of which need a copy.
def assert_same(a: Any, b: Any) -> None:
    """Compare in float64, because NumPy does not treat two bfloat16 NaNs as equal."""
    np.testing.assert_array_equal(np.asarray(a, np.float64), np.asarray(b, np.float64))


SEVERAL = [(0, 1), (1, 2), (0, 2), (-1, 0), (0, 1, 2), (2,), None, ()]


@each_dtype
@pytest.mark.parametrize("axis", SEVERAL, ids=str)
@pytest.mark.parametrize("f", UNGATED, ids=lambda f: f.name)
def test_several_axes_are_one_row(f: RowFunction, axis: Any, dtype: DType) -> None:
    """The order is C order for any memory layout, in place and with out too."""
    shape = (4, 3, 5)
    row = tuple(range(3)) if axis is None else tuple(sorted(a % 3 for a in axis))
    others = [a for a in range(3) if a not in row]
    n = math.prod(shape[a] for a in row)
    args = f.arguments(numbers(dtype, 60 // n, n))
    whole = [shape[a] for a in (*others, *row)]
    back = tuple(map(int, np.argsort((*others, *row))))

    def placed(a: Any, size: str) -> Any:
        if size:
            return np.ascontiguousarray(a.reshape(whole).transpose(back))
        return a.reshape([shape[a] for a in others])

    right = placed(np.asarray(f(*args)), f.output)
    layouts: list[Callable[[Any], Any]] = [
        lambda a: a.copy("C"),
        lambda a: a.copy("F"),
        lambda a: a[::-1].copy()[::-1] if a.ndim else a.copy(),
    ]
    for layout in layouts:
        given = [layout(placed(a, size)) for a, size in zip(args, f.inputs, strict=True)]
        got = f(*given, axis=axis)
        assert np.shape(got) == right.shape and got.dtype == dtype
        assert_same(got, right)
        out = layout(np.zeros_like(right))
        assert f(*given, axis=axis, out=out) is out
        assert_same(out, right)
        if f.output:
            assert f(*given, axis=axis, out=given[0]) is given[0]
            assert_same(given[0], right)


@pytest.mark.parametrize("f", UNGATED, ids=lambda f: f.name)
def test_copies_of_rows_do_not_grow(f: RowFunction) -> None:
    """Where rows have no single stride, as many are copied at a time as stay in a cache."""
    shape, row = (6, 80, 70, 9), (0, 2)
    n, others = 6 * 70, (80, 9)
    args = f.arguments(numbers(np.dtype(np.float32), 80 * 9, n))

    def placed(a: Any, size: str) -> Any:
        return (
            np.ascontiguousarray(a.reshape(80, 9, 6, 70).transpose(2, 0, 3, 1)) if size else a.reshape(others)
        )

    given = [placed(a, size) for a, size in zip(args, f.inputs, strict=True)]
    right = placed(np.asarray(f(*args)), f.output)
    out = np.zeros_like(right)
    f(*given, axis=row, out=out)
    assert_same(out, right)
    tracemalloc.start()
    try:
        f(*given, axis=row, out=out)
        assert tracemalloc.get_traced_memory()[1] < 4 * math.prod(shape)
    finally:
        tracemalloc.stop()


@each_dtype
@pytest.mark.parametrize("f", UNGATED, ids=lambda f: f.name)
def test_a_number_is_a_row_of_one(f: RowFunction, dtype: DType) -> None:
    args = f.arguments(np.array([[1.5]], dtype))
    right = np.asarray(f(*args)).ravel()[0]
    for given in ([a.reshape(()) for a in args], [a.ravel()[0] for a in args]):
        for axis in (-1, 0, None):
            got = f(*given, axis=axis)
            assert np.shape(got) == () and got.dtype == dtype and isinstance(got, np.generic)
            np.testing.assert_array_equal(got, right)
    if dtype == np.float64 and not f.labelled:
        assert f(*(float(a.ravel()[0]) for a in args)) == right


@pytest.mark.parametrize("name", ["logsumexp", "maxout"])
def test_keepdims_of_several_axes(name: str) -> None:
    x = np.arange(24.0).reshape(2, 3, 4)
    f, backward = getattr(fastact, name), getattr(fastact, f"{name}_backward")
    for axis in (0, (0, 2), None):
        y = f(x, axis, keepdims=True)
        assert y.ndim == 3
        np.testing.assert_array_equal(y.ravel(), np.ravel(f(x, axis)))
        np.testing.assert_array_equal(backward(x, y, axis, keepdims=True), backward(x, f(x, axis), axis))


@each_dtype
@each_row_function
def test_fresh_outputs_are_in_the_order_of_the_input(f: RowFunction, dtype: DType) -> None:
    args = f.arguments(numbers(dtype, 12, 6))
    orders = {"C": np.ascontiguousarray, "F": np.asfortranarray}
    for (order, in_order), axis in itertools.product(orders.items(), range(-3, 3)):
        given = map(in_order, f.moved(args, (3, 4), axis))
        result = f(*given, axis=axis)
        assert result.flags[f"{order}_CONTIGUOUS"] or not f.output, (order, axis)
        assert result.dtype == dtype


@each_row_function
def test_array_ufunc(f: RowFunction) -> None:
    class Recorder:
        dtype = np.dtype(int)  # of labels, which are refused unless they are integers

        def __init__(self, shape: tuple[int, ...]) -> None:
            self.shape = shape

        def __array_ufunc__(self, ufunc: np.ufunc, method: str, *args: Any, **keywords: Any) -> Any:
            return ufunc, method, args, keywords

        def astype(self, dtype: Any, copy: bool = True) -> "Recorder":
            return self

    args = f.arguments(np.ones((3, 4)))
    for i in range(len(args)):
        given: list[Any] = list(args)
        given[i] = recorder = Recorder(args[i].shape)
        ufunc, method, passed, _ = f(*given, axis=-1)
        assert ufunc is f.core and method == "__call__" and passed[i] is recorder


@each_row_function
def test_subclass(f: RowFunction) -> None:
    class Tagged(np.ndarray[Any, Any]):
        pass

    args = f.arguments(np.ones((3, 4)))
    for i in range(len(args)):
        given = [a.view(Tagged) if i == j else a for j, a in enumerate(args)]
        assert type(f(*given)) is Tagged
