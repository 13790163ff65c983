"""float16 and bfloat16: all of their numbers, and the types of calls with them."""

import fastact
import numpy as np
import pytest
from accuracy import numpy_formula, parameter_samples, slack
from conftest import RunPython
from fastact.checks import figures, ruler
from fastact.checks.accuracy import (
    DERIVATIVE_BOUND,
    FORWARD_BOUND,
    GRADIENT_BOUND,
    DType,
    float_errors,
    gradients,
    rounded,
    ulp,
)
from fastact.checks.reference import evaluate
from functions import (
    BFLOAT16,
    FORWARD,
    HALF_PRECISION,
    Array,
    Function,
    each_backward,
    each_forward,
    each_from_output,
    each_gradient,
    each_with_parameters,
)

each_half = pytest.mark.parametrize("dtype", HALF_PRECISION, ids=str)
needs_bfloat16 = pytest.mark.skipif(not BFLOAT16, reason="ml_dtypes is not installed")


def every_number(dtype: DType) -> tuple[Array, Array]:
    """Return all numbers, infinities and NaNs of the dtype, and their values in float64."""
    numbers = np.arange(1 << 16).astype(np.uint16).view(dtype)
    with np.errstate(invalid="ignore"):  # as is said of a signalling NaN, which a product makes a quiet one
        return numbers, 1.0 * numbers.astype(np.float64)


def check(errors: Array, bound: float, *columns: Array) -> None:
    worst = int(errors.argmax())
    assert errors[worst] <= bound, (errors[worst], *(column[worst] for column in columns))


@each_half
@each_forward
def test_forward(f: Function, dtype: DType) -> None:
    x, values = every_number(dtype)
    for parameters in parameter_samples(f):
        y = f(x, **dict(parameters))
        expected = ruler.reference(f.forward, figures.FORWARD, parameters)(values)
        check(float_errors(y, expected), FORWARD_BOUND[dtype.name], x, y, expected)


@each_half
@each_backward
def test_backward(f: Function, dtype: DType) -> None:
    x, values = every_number(dtype)
    for parameters in parameter_samples(f):
        slope = ruler.reference(f.forward, figures.DERIVATIVE, parameters)(values)
        dx = f(x, np.ones_like(x), **dict(parameters))
        check(float_errors(dx, slope), DERIVATIVE_BOUND[dtype.name], x, dx, slope)
        for shift in range(4):
            g = gradients(dtype, x.size + shift)[shift:]
            dx = f(x, g, **dict(parameters))
            with np.errstate(over="ignore", invalid="ignore"):  # e^x beyond float64 is still finite
                expected = np.where(np.isinf(values), slope, slope.clip(max=1e300)) * g.astype(float)
            check(float_errors(dx, expected), GRADIENT_BOUND[dtype.name], x, g, dx, expected)


@each_half
@each_from_output
def test_backward_from_output(f: Function, dtype: DType) -> None:
    """The result equals the formula in y, evaluated in float32 and then rounded."""
    x, _ = every_number(dtype)
    for parameters in parameter_samples(f):
        y = f.sibling(FORWARD)(x, **dict(parameters))
        y = y[np.isfinite(y)]
        dx = f(y, np.ones_like(y), **dict(parameters))
        expected = evaluate(numpy_formula(f), y.astype(float), **rounded(parameters, dtype))
        lost = slack(f, y.astype(np.float32)) / ulp(expected, dtype)
        check(float_errors(dx, expected) - lost, DERIVATIVE_BOUND[dtype.name], y, dx, expected)


@each_half
@each_gradient
def test_python_numbers_keep_the_type(f: Function, dtype: DType) -> None:
    x = np.linspace(-2, 2, 5).astype(dtype)
    for number in (1.0, 1):
        assert f(x, number).dtype == f(number, x).dtype == dtype
        assert f(x, number).tobytes() == f(x, np.ones_like(x)).tobytes()
    assert f(x, np.float64(1)).dtype == np.float64


@each_half
@each_gradient
def test_mixed_types(f: Function, dtype: DType) -> None:
    x = np.linspace(-2, 2, 5).astype(dtype)
    single, double = np.dtype(np.float32), np.dtype(np.float64)
    types = {"?": dtype, "i1": dtype, "u1": dtype, "i2": single, "i8": double, single: single, double: double}
    for other, common in (types | dict.fromkeys(HALF_PRECISION, single) | {dtype: dtype}).items():
        y = np.ones(5, other)
        for first, second in ((x, y), (y, x)):
            result = f(first, second)
            assert result.dtype == common, other
            np.testing.assert_array_equal(result, f(first.astype(common), second.astype(common)))


@each_half
@each_with_parameters
def test_parameters_are_float32(f: Function, dtype: DType) -> None:
    """Parameters are not rounded to half precision, and do not affect the type of the result."""
    args = [np.linspace(-2, 2, 5).astype(dtype)] * len(f.inputs)
    values = [value * 1.001 for _, value in f.defaults]
    expected = f(*args, *map(np.float32, values))
    assert expected.dtype == dtype
    for kind in (float, np.float64, np.longdouble):
        arrays = [np.full(5, value, kind) for value in values]
        for result in (f(*args, *map(kind, values)), f(*args, *arrays)):
            assert result.dtype == dtype and result.tobytes() == expected.tobytes(), kind
    for other in (dtype, np.dtype(np.int64)):
        arrays = [np.full(5, value if other == dtype else np.ceil(value)).astype(other) for value in values]
        expected = f(*args, *(a.astype(np.float32) for a in arrays))
        for result in (f(*args, *arrays), f(*args, *(a[0] for a in arrays))):
            assert result.dtype == dtype and result.tobytes() == expected.tobytes(), other


@each_half
def test_dtype_and_out(dtype: DType) -> None:
    wide = np.linspace(-3, 3, 7)
    for f in (fastact.gelu, fastact.leaky_relu):
        expected = f(wide.astype(dtype))
        assert expected.dtype == dtype
        for x in (wide, wide.astype(np.float32)):
            assert f(x, dtype=dtype).tobytes() == expected.tobytes()
        for kind in (np.float32, np.float64):
            assert f(wide.astype(dtype), dtype=kind).dtype == kind
        out = np.zeros_like(expected)
        assert f(wide.astype(dtype), out=out) is out
        assert out.tobytes() == expected.tobytes()
        assert f(wide, out=out) is out
        assert out.tobytes() == f(wide).astype(dtype).tobytes()
    parameter = np.full(7, 0.1)
    given = fastact.leaky_relu(wide, parameter, dtype=dtype)
    assert given.tobytes() == fastact.leaky_relu(wide.astype(dtype), 0.1).tobytes()


@needs_bfloat16
def test_ml_dtypes_is_left_to_the_user(run_python: RunPython) -> None:
    """bfloat16 works in any first call, also after calls without it."""
    program = """if True:
        import sys
        import numpy as np
        import fastact
        assert "ml_dtypes" not in sys.modules
        fastact.gelu(np.ones(3)), fastact.relu_backward(np.ones(3), 1.0)
        from ml_dtypes import bfloat16
        x = np.ones(3, bfloat16)
        for result in (
            fastact.gelu(x),
            fastact.relu_backward(1.0, x),
            fastact.mish(np.ones(3), dtype=bfloat16),
            fastact.silu(bfloat16(1)),
            fastact.elu(x, 0.5),
            fastact.celu(x, np.ones((2, 3))),
            fastact.softplus_backward(np.ones(3, np.int8), x),
        ):
            assert result.dtype == bfloat16
        assert fastact.silu_backward(x, np.ones(3, np.float32)).dtype == np.float32
    """
    run = run_python("-c", program)
    assert run.returncode == 0, run.stderr


@needs_bfloat16
def test_first_calls_from_many_threads(run_python: RunPython) -> None:
    """Loops for bfloat16 are added in the first call that needs them."""
    program = """if True:
        import sys
        from concurrent.futures import ThreadPoolExecutor
        from threading import Barrier
        import numpy as np
        from ml_dtypes import bfloat16
        from fastact import _core
        from fastact.checks.row_accuracy import arguments
        from fastact.functions.registry import FUSED, OF_ROWS

        x = np.linspace(0.5, 3, 16).astype(bfloat16).reshape(4, 4)
        ufuncs = [f for f in vars(_core).values() if isinstance(f, np.ufunc)]
        of_rows = [f.name for f in OF_ROWS + FUSED]
        calls = [(f, arguments(f.__name__, x) if f.__name__ in of_rows else [x] * f.nin) for f in ufuncs]
        threads = int(sys.argv[1])
        start = Barrier(threads, timeout=60)

        def call(f, args):
            start.wait()
            return f"{f.__name__}: {f(*args)!r}"

        sys.setswitchinterval(1e-6)
        with ThreadPoolExecutor(threads) as pool:
            results = list(pool.map(lambda _: [call(*c) for c in calls], range(threads)))
        print(*("\\n".join(sorted(set(of_one))) for of_one in zip(*results)), sep="\\n")
    """
    alone, together = (run_python("-c", program, threads) for threads in ("1", "8"))
    assert alone.returncode == together.returncode == 0, alone.stderr + together.stderr
    assert alone.stdout == together.stdout
    lines = [line for line in alone.stdout.split("\n") if ": " in line]
    two = ("_gate_backward", "_with_gradient")  # return two arrays
    pairs = sum(line.split(": ")[0].endswith(two) for line in lines)
    assert len(lines) >= 80 and alone.stdout.count("bfloat16") == len(lines) + pairs


@needs_bfloat16
def test_without_ml_dtypes(run_python: RunPython) -> None:
    program = """if True:
        import sys
        sys.modules["ml_dtypes"] = None
        import numpy as np
        import fastact
        for dtype in "?bhlefd":
            x = np.ones(3, dtype)
            result = np.exp(x).dtype
            assert fastact.gelu(x).dtype == fastact.gelu_backward(x, x).dtype == result, dtype
            assert fastact.leaky_relu(x, 0.1).dtype == fastact.leaky_relu(x, np.ones(3)).dtype == result
        assert fastact.relu_backward(np.ones(3, "e"), 1.0).dtype == np.float16
    """
    run = run_python("-c", program)
    assert run.returncode == 0, run.stderr
