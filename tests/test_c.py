"""The shared library in the wheel exports all listed functions to C, with the same bits as the ufuncs."""

import ctypes
from pathlib import Path
from typing import Any

import fastact
import numpy as np
import pytest
from fastact import _core
from fastact.functions.registry import (
    ELEMENTWISE,
    FROM_OUTPUT,
    FUNCTIONS,
    FUSED,
    LEARNABLE,
    OF_ROWS,
    OF_TWO,
    Function,
)

ELEMENTS = [f for f in ELEMENTWISE if f.suffix != FROM_OUTPUT]  # fastact.h has no functions of the output
SHAPE = (3, 10, 4)  # outer, length, inner
TYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])

library = ctypes.CDLL(fastact.get_library())
library.fastact_error_message.restype = ctypes.c_char_p
rng = np.random.default_rng(1)


def call(name: str, dtype: type, arrays: list[Any], *numbers: float) -> int:
    """Return the error code; integers are passed as sizes, other numbers as parameters."""
    function = getattr(library, f"fastact_{name}_f{np.dtype(dtype).itemsize * 8}")
    pointers = [ctypes.c_void_p(a.ctypes.data) for a in arrays]
    values = [ctypes.c_size_t(n) if isinstance(n, int) else ctypes.c_double(n) for n in numbers]
    return int(function(*pointers, *values))


def normal(shape: Any, dtype: type) -> Any:
    return rng.normal(0, 3, shape).astype(dtype)


@TYPES
@pytest.mark.parametrize("f", ELEMENTS, ids=str)
def test_elements(f: Function, dtype: type) -> None:
    inputs, values = [normal(1001, dtype) for _ in f.inputs], [value for _, value in f.defaults]
    y = np.empty_like(inputs[0])
    assert call(f.name, dtype, [*inputs, y], y.size, *values) == 0
    np.testing.assert_array_equal(y, f(*inputs, *values), strict=True)


@TYPES
@pytest.mark.parametrize("f", OF_TWO, ids=str)
def test_functions_of_two_arrays(f: Function, dtype: type) -> None:
    arrays: list[Any] = [rng.uniform(0, 1, 1001).astype(dtype) for _ in f.inputs]
    expected = f(*arrays)
    expected = expected if isinstance(expected, tuple) else (expected,)
    results = [np.empty_like(y) for y in expected]
    assert call(f.name, dtype, [*arrays, *results], arrays[0].size, *(value for _, value in f.defaults)) == 0
    for y, right in zip(results, expected, strict=True):
        np.testing.assert_array_equal(y, right, strict=True)


@TYPES
@pytest.mark.parametrize("f", OF_ROWS + FUSED, ids=str)
def test_rows(f: Function, dtype: type) -> None:
    shapes = {"n": SHAPE, "m": (SHAPE[0], SHAPE[1] // 2, SHAPE[2]), "": (SHAPE[0], SHAPE[2])}
    inputs = [
        rng.integers(0, SHAPE[1], shapes[operand.core])
        if operand.role == "labels"
        else normal(shapes[operand.core], dtype)
        for operand in f.operands
    ]
    expected = f(*inputs, axis=1)
    expected = expected if isinstance(expected, tuple) else (expected,)
    results = [np.empty_like(y) for y in expected]
    assert call(f.name, dtype, [*inputs, *results], *SHAPE) == 0
    for y, right in zip(results, expected, strict=True):
        np.testing.assert_array_equal(y, right, strict=True)


@TYPES
@pytest.mark.parametrize("name", [name for name, *_, arguments in _core.rows if "where" in arguments])
def test_masks(name: str, dtype: type) -> None:
    f = FUNCTIONS[name]
    inputs = [normal(SHAPE if operand.core else (SHAPE[0], SHAPE[2]), dtype) for operand in f.operands]
    mask = rng.random(SHAPE) < 0.6
    mask[1, :, 2] = False
    inputs[0][~mask] = np.nan
    expected = f(*inputs, axis=1, where=mask)
    y = np.empty_like(expected)
    assert call(f"{name}_where", dtype, [*inputs, mask, y], *SHAPE) == 0
    np.testing.assert_array_equal(y, expected, strict=True)


@TYPES
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("is_weighted", [False, True])
@pytest.mark.parametrize("kind", ["labels", "probabilities", "ignored"])
def test_cross_entropy_with_options(kind: str, is_weighted: bool, smoothing: float, dtype: type) -> None:
    x, g = normal(SHAPE, dtype), normal((3, 4), dtype)
    labels = rng.integers(0, SHAPE[1], (3, 4))
    weights: Any = np.linspace(0, 2, SHAPE[1]).astype(dtype) if is_weighted else None
    ignored = np.array([2]) if kind == "ignored" else None
    given: Any = rng.random(SHAPE).astype(dtype) if kind == "probabilities" else labels
    options: Any = {"axis": 1, "weights": weights, "label_smoothing": smoothing}
    if ignored is not None:
        options["ignore_label"] = 2
    of_labels, of_probabilities = (None, given) if kind == "probabilities" else (given, None)
    loss: Any = np.full((3, 4), 7, dtype)
    dx: Any = np.full(SHAPE, 7, dtype)
    function = getattr(library, f"fastact_softmax_cross_entropy_general_f{np.dtype(dtype).itemsize * 8}")

    def compute(*arrays: Any) -> int:
        first, last = (
            [None if a is None else ctypes.c_void_p(a.ctypes.data) for a in part] for part in arrays
        )
        return int(function(*first, ctypes.c_double(smoothing), *last, *map(ctypes.c_size_t, SHAPE)))

    inputs = x, of_labels, of_probabilities, weights, ignored
    assert compute(inputs, (None, loss, dx)) == 0
    for y, right in zip(
        (loss, dx), fastact.softmax_cross_entropy_with_gradient(x, given, **options), strict=True
    ):
        np.testing.assert_array_equal(y, right, strict=True)
    assert compute(inputs, (g, None, dx)) == compute(inputs, (None, loss, None)) == 0
    np.testing.assert_array_equal(dx, fastact.softmax_cross_entropy_backward(x, given, g, **options))
    np.testing.assert_array_equal(loss, fastact.softmax_cross_entropy(x, given, **options))


@TYPES
@pytest.mark.parametrize("f", LEARNABLE, ids=str)
def test_parameters_of_channels(f: Function, dtype: type) -> None:
    x, g, p = normal(SHAPE, dtype), normal(SHAPE, dtype), normal((SHAPE[1], 1), dtype)
    y, dx, dp = np.empty_like(x), np.empty_like(x), np.empty_like(p)
    assert call(f"{f.forward}_channels", dtype, [x, p, y], *SHAPE) == 0
    np.testing.assert_array_equal(y, getattr(fastact, f.forward)(x, p), strict=True)
    assert call(f.name, dtype, [x, g, p, dx, dp], *SHAPE) == 0
    for given, expected in zip((dx, dp), f(x, g, p), strict=True):
        np.testing.assert_array_equal(given, expected, strict=True)


def test_errors() -> None:
    x, y = np.ones(4, np.float32), np.full(4, 7, np.float32)
    code = call("softplus", np.float32, [x, y], 4, -1.0)
    message = library.fastact_error_message(code).decode()
    assert code == 1 and message.startswith("softplus: beta = -1 is not allowed; beta > 0") and (y == 7).all()
    assert call("softmax_cross_entropy", np.float32, [x, np.array([4]), y], 1, 4, 1) == 1
    assert b"labels contains 4" in library.fastact_error_message(1)
    assert library.fastact_error_message(0) == b"no error"
    with pytest.raises(ValueError, match="beta > 0"):  # the same words
        fastact.softplus(x, -1.0)
    assert library.fastact_set_num_threads(0) == 1
    assert library.fastact_get_num_threads() == fastact.get_num_threads()


def test_header_is_installed() -> None:
    assert (Path(fastact.get_include()) / "fastact" / "fastact.h").is_file()
