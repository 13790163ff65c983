"""Inside numba's ``@njit`` every function gives the same bits as outside."""

import re
from pathlib import Path
from typing import Any

import fastact
import numpy as np
import pytest
from conftest import UNSANITIZED, RunPython
from fastact import _core
from fastact.functions.registry import ELEMENTWISE, FUNCTIONS, FUSED, LEARNABLE, NORMS, OF_ROWS, Function

numba = pytest.importorskip("numba", reason="pip install 'fastact[numba]' for numba's functions")
pytestmark = [pytest.mark.slow, UNSANITIZED]

rng = np.random.default_rng(1)
MASKED = [name for name, *_, arguments in _core.rows if "where" in arguments]
CROSS_ENTROPIES = [f for f in OF_ROWS + FUSED if f.labels is not None]
TYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def normal(shape: Any, dtype: Any) -> Any:
    return rng.normal(0, 3, shape).astype(dtype)


def compiled(expression: str, arguments: str) -> Any:
    namespace = {"fastact": fastact}
    exec(f"def f({arguments}): return {expression}", namespace)
    return numba.njit(namespace["f"])


def equal(given: Any, expected: Any) -> None:
    if isinstance(expected, tuple):
        for a, b in zip(given, expected, strict=True):
            equal(a, b)
    else:
        np.testing.assert_array_equal(np.asarray(given, np.asarray(expected).dtype), expected, strict=True)


def alternating(dtype: int) -> Any:
    """Alternate between two types, because compiling both for every function would take minutes."""
    return (np.float32, np.float64)[dtype % 2]


@pytest.mark.parametrize("i", range(len(ELEMENTWISE)), ids=[f.name for f in ELEMENTWISE])
def test_elements(i: int) -> None:
    """Arrays of one type with parameters, and a loop over numbers of the other type with defaults."""
    f, call = ELEMENTWISE[i], ", ".join(ELEMENTWISE[i].inputs)
    values = [str(value) for _, value in f.defaults]
    inputs = [normal((7, 11), alternating(i)) for _ in f.inputs]
    whole = compiled(f"fastact.{f}({', '.join([call, *values])})", call)
    equal(whole(*inputs), f(*inputs))

    numbers = ", ".join([*(f"{a}[i]" for a in f.inputs), *(f"{p}={v}" for p, v in f.required.items())])
    namespace = {"fastact": fastact}
    exec(f"def f({call}, out):\n for i in range(out.size): out[i] = fastact.{f}({numbers})", namespace)
    inputs = [normal(77, alternating(i + 1)) for _ in f.inputs]
    out = np.empty_like(inputs[0])
    numba.njit(namespace["f"])(*inputs, out)
    equal(out, f(*inputs))


@pytest.mark.parametrize("i", range(len(OF_ROWS)), ids=[f.name for f in OF_ROWS])
def test_rows(i: int) -> None:
    f, dtype = OF_ROWS[i], alternating(i)
    shapes = {"n": (3, 10, 4), "m": (3, 5, 4), "": (3, 4)}
    inputs = [
        rng.integers(0, 10, shapes[operand.core])
        if operand.role == "labels"
        else normal(shapes[operand.core], dtype)
        for operand in f.operands
    ]
    arguments = ", ".join(f.inputs)
    function = compiled(f"fastact.{f}({arguments}, axis=axis)", f"{arguments}, axis")
    equal(function(*inputs, 1), f(*inputs, axis=1))
    equal(function(*inputs, -2), f(*inputs, axis=1))
    with pytest.raises(ValueError, match="axis"):
        function(*inputs, 3)


@pytest.mark.parametrize("i", range(len(MASKED)), ids=MASKED)
def test_masks(i: int) -> None:
    """Masks of x's shape and of fewer dimensions, of any layout, or one truth value, beside NaN left out."""
    f, dtype = FUNCTIONS[MASKED[i]], alternating(i)
    inputs = [normal((3, 10, 4) if operand.core else (3, 4), dtype) for operand in f.operands]
    arguments = ", ".join(f.inputs)
    function = compiled(f"fastact.{f}({arguments}, 1, where=where)", f"{arguments}, where")
    mask = rng.random((3, 10, 4)) < 0.6
    mask[1, :, 2] = False
    for where in (mask, np.asfortranarray(mask), mask[0], mask[0, :, :1]):
        masked = [np.where(where, inputs[0], np.nan).astype(dtype), *inputs[1:]]
        equal(function(*masked, where), f(*masked, axis=1, where=where))
    for truth in (True, False):
        equal(function(*inputs, truth), f(*inputs, axis=1, where=truth))
    row = [a[0, :, 0] if a.ndim == 3 else a[0, 0] for a in inputs]
    last = compiled(f"fastact.{f}({arguments}, where=where)", f"{arguments}, where")
    equal(last(*row, mask[0, :, 0]), f(*row, where=mask[0, :, 0]))
    with pytest.raises(ValueError, match="broadcast"):
        function(*inputs, mask[:, :9])
    with pytest.raises(numba.TypingError, match="where must be a bool or an array of them"):
        function(*inputs, inputs[0])


@pytest.mark.parametrize("name", ["logsumexp", "logsumexp_backward", "maxout"])
def test_keepdims(name: str) -> None:
    f = FUNCTIONS[name]
    inputs = [normal((3, 10, 4) if operand.core else (3, 1, 4), np.float32) for operand in f.operands]
    arguments = ", ".join(f.inputs)
    equal(
        compiled(f"fastact.{f}({arguments}, 1, True)", arguments)(*inputs), f(*inputs, axis=1, keepdims=True)
    )
    with pytest.raises(numba.TypingError, match="keepdims must be True or False in the call itself"):
        compiled(f"fastact.{f}({arguments}, 1, k)", f"{arguments}, k")(*inputs, True)


@pytest.mark.parametrize("f", CROSS_ENTROPIES, ids=str)
def test_options_of_cross_entropies(f: Function) -> None:
    labels, weights = rng.integers(0, 10, (3, 4)), np.linspace(0, 3, 10)
    soft = rng.random((3, 10, 4)).astype(np.float32)
    every = {"weights": weights, "ignore_label": 2, "label_smoothing": 0.1}
    kinds: list[tuple[Any, dict[str, Any]]] = [
        (labels, every),
        (labels, {"ignore_label": -1}),
        (labels, {"weights": weights.astype(np.float32)[::2].repeat(2)[::-1]}),
        (soft, {}),
        (soft.astype(float), {"weights": np.arange(10), "label_smoothing": 1}),
    ]
    arguments = ", ".join(f.inputs)
    for given, options in kinds:
        names = ", ".join(options)
        call = f"fastact.{f}({', '.join([arguments, 'axis=1', *(f'{o}={o}' for o in options)])})"
        function = compiled(call, f"{arguments}, {names}".rstrip(", "))
        inputs: list[Any] = [normal((3, 10, 4), np.float32), given]
        inputs += [normal((3, 4), np.float32)] if len(f.inputs) == 3 else []
        equal(function(*inputs, *options.values()), f(*inputs, axis=1, **options))
    x, (first, *_), g = normal((2, 10), np.float32), soft, [np.ones(2, np.float32)] * (len(f.inputs) - 2)
    function = compiled(
        f"fastact.{f}({arguments}, weights=w, ignore_label=9, label_smoothing=s)", f"{arguments}, w, s"
    )
    hard = labels[0, :2]
    for w, s, message in (
        (weights[:9], 0.5, "weights must have one number for each class"),
        (-weights, 0.5, "option is not allowed"),
        (weights, 1.5, "option is not allowed"),
    ):
        with pytest.raises(ValueError, match=message):
            function(x, hard, *g, w, s)
    with pytest.raises(ValueError, match="label, a length or an option is not allowed"):
        function(x, hard + 10, *g, weights, 0.5)
    with pytest.raises(ValueError, match="the shape of labels does not match"):
        function(x, first[:2, :3].repeat(2, 1), *g, weights, 0.5)
    with pytest.raises(numba.TypingError, match="labels must be integers or probabilities"):
        function(x, hard.astype(complex), *g, weights, 0.5)
    with pytest.raises(numba.TypingError, match="weights must be an array with one real number for each"):
        function(x, hard, *g, 1.0, 0.5)


@TYPES
@pytest.mark.parametrize("f", LEARNABLE, ids=str)
def test_learnable(f: Function, dtype: Any) -> None:
    x, g, p = normal((3, 10, 4), dtype), normal((3, 10, 4), dtype), normal((10, 1), dtype)
    name, function = f.forward, f.function
    backward = compiled(f"fastact.{name}_backward(x, g, p)", "x, g, p")
    equal(compiled(f"fastact.{name}(x, p)", "x, p")(x, p), getattr(fastact, name)(x, p))
    equal(backward(x, g, p), function(x, g, p))
    equal(backward(x, g, 0.75), function(x, g, 0.75))
    equal(backward(x[0, 0, 0], g[0, 0, 0], dtype(0.75)), function(x[0, 0, 0], g[0, 0, 0], dtype(0.75)))
    with pytest.raises(ValueError, match="one axis"):
        backward(x, g, normal((3, 10, 1), dtype))


@pytest.mark.parametrize("i", range(len(NORMS)), ids=list(NORMS))
def test_norms(i: int) -> None:
    """With and without what may be left out, along each axis, from any layout, into given arrays."""
    norm, dtype = list(NORMS.values())[i], alternating(i)
    names, needed = norm.arguments, norm.arguments[: norm.required]
    whole = compiled(f"fastact.{norm}({', '.join(names)}, axis=axis)", ", ".join([*names, "axis"]))
    least = compiled(f"fastact.{norm}({', '.join(needed)}, eps=0.5)", ", ".join(needed))
    for axis, n in ((1, 6), (-1, 4), (0, 5)):
        shapes = [(5, 6, 4)] * norm.rows + [(n,)] * (len(names) - norm.rows)
        arrays = [np.abs(normal(shape, dtype)) for shape in shapes]
        equal(whole(*arrays, axis), norm(*arrays, axis=axis))
        if axis == -1:
            equal(least(*arrays[: norm.required]), norm(*arrays[: norm.required], eps=0.5))
            strided = [np.repeat(a, 2, 0)[::2] for a in arrays]
            equal(whole(*strided, -1), norm(*arrays))
    expected = norm(*arrays, axis=0)
    out = tuple(map(np.empty_like, expected)) if len(norm.results) > 1 else np.empty_like(expected)
    arguments = ", ".join([*names, "out"])
    compiled(f"fastact.{norm}({', '.join(names)}, axis=0, out=out)", arguments)(*arrays, out)
    equal(out, expected)
    with pytest.raises(ValueError, match="axis"):
        whole(*arrays, 3)
    with pytest.raises(ValueError, match="eps"):
        compiled(f"fastact.{norm}({', '.join(needed)}, axis=0, eps=-1.0)", ", ".join(needed))(
            *arrays[: norm.required]
        )
    with pytest.raises(ValueError, match=f"shape of {names[-1]} does not match"):
        whole(*arrays[:-1], np.ones(9, dtype), 0)


def test_whatever_the_array() -> None:
    gelu = compiled("fastact.gelu(x)", "x")
    x = normal((8, 6), np.float32)
    for array in (x, x.T, x[::2, ::-1], x[:0], np.arange(6), np.arange(6, dtype=np.int16)):
        equal(gelu(array), fastact.gelu(array))
    assert gelu(2) == fastact.gelu(2) and gelu(np.float32(2)) == fastact.gelu(np.float32(2))
    out = np.empty_like(x)
    assert compiled("fastact.gelu(x, out=out)", "x, out")(x, out) is not None
    equal(out, fastact.gelu(x))
    equal(compiled("fastact.gelu_backward(x, 2.0)", "x")(x), fastact.gelu_backward(x, np.float32(2)))


def test_errors() -> None:
    x = np.ones(3)
    softplus = compiled("fastact.softplus(x, beta)", "x, beta")
    for argument in (x, 1.0):
        with pytest.raises(ValueError, match="softplus: beta > 0 is required"):
            softplus(argument, -1.0)
        equal(softplus(argument, 2.0), fastact.softplus(argument, 2.0))
    with pytest.raises(ValueError, match=r"same shape|broadcast"):
        compiled("fastact.gelu_backward(x, g)", "x, g")(x, np.ones(4))
    with pytest.raises(ValueError, match="the shape of"):
        compiled("fastact.gelu(x, out=out)", "x, out")(x, np.ones(4))
    with pytest.raises(ValueError, match="label"):
        compiled("fastact.softmax_cross_entropy(x, t)", "x, t")(np.ones((1, 3)), np.array([3]))
    with pytest.raises(numba.TypingError, match="neither"):
        compiled("fastact.gelu(x)", "x")(np.ones(3, np.int8))
    with pytest.raises(numba.TypingError, match="axis must be one integer"):
        compiled("fastact.softmax(x, axis=None)", "x")(x)


def test_the_readme() -> None:
    readme = Path(__file__).parents[1] / "README.md"
    found = re.search(r"^## numba\n.*?^```py\n(.*?)^```", readme.read_text(encoding="utf-8"), re.M | re.S)
    assert found
    namespace: dict[str, Any] = {"np": np, "fastact": fastact}
    exec(found[1], namespace)
    x, gate = normal(100, np.float32), normal(100, np.float32)
    equal(namespace["gated"](x, gate), fastact.gelu(x) * fastact.sigmoid(gate))


PROGRAM = """
import numba, numpy as np, fastact
@numba.njit(parallel=True, cache=True)
def f(x, y):
    for i in numba.prange(x.size):
        y[i] = fastact.gelu(x[i]) + fastact.softplus(x[i], 2.0)
x = np.linspace(-4, 4, 1001, dtype=np.float32); y = np.empty_like(x)
f(x, y)
assert (y == fastact.gelu(x) + fastact.softplus(x, 2.0)).all()
print(sum(f.stats.cache_hits.values()))
"""


def test_prange_and_cache(run_python: RunPython, tmp_path: Path) -> None:
    """The program does not import fastact.numba, and later runs on any instruction set use numba's cache."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    best, *others = fastact.config()["available"]
    for hits, isa in (("0", best), ("1", best), *(("1", other) for other in others)):
        run = run_python(str(program), NUMBA_CACHE_DIR=str(tmp_path / "cache"), FASTACT_ISA=isa)
        assert run.stdout.split() == [hits], run.stderr


@pytest.mark.skipif("avx2" not in fastact.config()["available"], reason="registers of AVX2")
def test_a_loop_is_vectorized() -> None:
    @numba.njit  # type: ignore[untyped-decorator]
    def loop(x: Any, y: Any) -> None:
        for i in range(x.size):
            y[i] = fastact.sigmoid(x[i])

    x = normal(1001, np.float32)
    y = np.empty_like(x)
    loop(x, y)
    equal(y, fastact.sigmoid(x))
    (assembly,) = loop.inspect_asm().values()
    assert "fastact_sigmoid_single_f32_vector" in assembly
