"""`fastact.accuracy` and `fastact.check_gradient` find in functions the faults that were put there."""

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastact
import mpmath
import numpy as np
import pytest
from conftest import RunPython
from fastact import __main__, accuracy
from fastact.checks import pairs, ruler, verify
from fastact.functions.registry import BACKWARD, FROM_OUTPUT, FUNCTIONS, FUSED, OF_TWO, Function
from scipy.special import erf

Array = Any

DTYPES = ["float32", "float64", "float16"]
if importlib.util.find_spec("ml_dtypes"):
    DTYPES.append("bfloat16")
TINY = np.finfo(np.float32).tiny


def main(arguments: list[str]) -> Any:
    """Run the command and return its exit status."""
    with pytest.raises(SystemExit) as stop:
        __main__.main(arguments)
    return stop.value.code


def spacing(x: Array) -> Array:
    """The ulp of numbers between 1 and 2."""
    return np.full_like(x, 2.0 ** -{"float16": 10, "bfloat16": 7, "float32": 23, "float64": 52}[x.dtype.name])


@pytest.mark.parametrize("dtype", DTYPES)
def test_error_that_was_put_there(dtype: str) -> None:
    def f(x: Array) -> Array:
        return np.where((x >= 1) & (x < 1.5), x + 3 * spacing(x), x)

    found = accuracy.measure(f, "identity", dtype=dtype)
    assert found.largest == 3 and 1 <= found.where["x"] < 1.5
    assert found.exact == found.where["x"] < found.result
    assert {r.range for r in found.table if r.largest} == {"1 to 2"}
    assert 0 < found.shares.above_1 < 1 and sum(found.shares) == pytest.approx(1)
    assert found.shares.up_to_1 == 0 and found.wrong == ()


def test_shares_and_table_count_every_input() -> None:
    """Inputs at which the error is 0, 0.75 and 2 ulp."""
    x = np.array([0.5, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 200], np.float32)
    off = np.array([0, 2, 2, 0, 0, 0, 0, 0])
    found = accuracy.measure(lambda x: x + off.astype(x.dtype) * spacing(x), "relu", inputs=x)
    assert found.shares == (0.75, 0, 0.25)
    assert [tuple(r) for r in found.table] == [
        ("0.125 to 1", 1, 0, 0),
        ("1 to 2", 2, 2, 2),
        ("2 to 4", 4, 0, 0),
        ("128 to 1024", 1, 0, 0),
    ]
    third = accuracy.measure(lambda x: x / np.float32(3), "leaky_relu", inputs=-x, negative_slope=1 / 3)
    assert 0 < third.largest <= 0.75


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", DTYPES)
def test_no_number_where_one_is_due(value: float, dtype: str) -> None:
    def f(x: Array) -> Array:
        return np.where(x == 2, x.dtype.type(value), x)

    found = accuracy.measure(f, "identity", dtype=dtype, inputs=[1, 2])
    assert found.largest == np.inf and found.where["x"] == 2
    assert "inf" in str(found) and str(np.float32(value)) in str(found)


def test_special_values_do_not_hide_among_the_numbers() -> None:
    def f(x: Array) -> Array:
        return x / (1 + np.exp(-x))

    found = accuracy.measure(f, "silu", inputs=[-np.inf, 0, 1, np.inf, np.nan])
    assert found.wrong == ("nan at x = -inf",)
    assert found.largest < 3
    assert "wrong          nan at x = -inf" in str(found)
    flat = accuracy.measure(lambda x: np.nan_to_num(fastact.relu(x), posinf=np.inf), "relu")
    assert flat.wrong == ("0.0 at x = nan",) and flat.largest == 0


def test_flush() -> None:
    def without_results(x: Array) -> Array:
        y = fastact.exponential(x)
        return np.where(y < TINY, np.float32(0), y)

    def without_inputs(x: Array) -> Array:
        return np.where(np.abs(x) < TINY, np.float32(0), np.where(x > 0, x, x * np.float32(2**30)))

    def largest(f: Callable[[Array], Array], name: str, flush: Any, **parameters: Any) -> float:
        return accuracy.measure(f, name, flush=flush, **parameters).largest

    assert largest(without_results, "exponential", None) > 1e6
    assert largest(without_results, "exponential", "subnormal results") < 1
    slope = {"negative_slope": 2.0**30}
    assert largest(without_inputs, "leaky_relu", "subnormal results", **slope) > 1e6
    assert largest(without_inputs, "leaky_relu", "subnormal inputs", **slope) == 0
    # What is not subnormal may not be flushed.
    assert largest(lambda x: np.where(np.abs(x) < 2 * TINY, 0 * x, x), "identity", "subnormal inputs") > 1e6


PASSES = {"": "forward", BACKWARD: "backward", FROM_OUTPUT: "backward_from_output"}


OF_ONE = [f for f in FUNCTIONS.values() if f not in OF_TWO + FUSED]


@pytest.mark.parametrize("f", OF_ONE, ids=str)
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_own_functions_keep_their_bounds(f: Function, dtype: str) -> None:
    """From an output the error is that of the formula in y, which has no bound."""
    rng = np.random.default_rng(3)
    x: Any = rng.normal(0, 3, (40, 6)) if f.kind == "rows" else rng.normal(0, 3, 500)
    if f.suffix == FROM_OUTPUT:
        x = np.asarray(FUNCTIONS[f.forward](x.astype(dtype)))
    found = accuracy.measure(f, f.forward, PASSES[f.suffix], dtype, x)  # type: ignore[arg-type]
    assert found.largest <= (1e4 if f.suffix == FROM_OUTPUT else 3 if f.kind == "rows" else 1.5)
    assert not found.wrong
    assert found.name == f.forward and found.dtype == dtype


@pytest.mark.parametrize("f", OF_TWO, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_functions_of_two_arrays_keep_their_bounds(f: Function, dtype: str) -> None:
    arrays = tuple(pairs.arguments(f, ruler.dtype(dtype), 300))
    found = accuracy.measure(f, f.forward, PASSES[f.suffix], dtype, arrays)  # type: ignore[arg-type]
    assert found.largest <= pairs.bound(f, ruler.dtype(dtype)) and not found.wrong
    assert sum(r.inputs for r in found.table) == 300 * len(f.results)
    values = [a[:3] for a in arrays]
    exact = accuracy.exact(f.forward, *values, pass_=PASSES[f.suffix])  # type: ignore[arg-type]
    results = f(*values)
    for given, right in zip(*((p,) if len(f.results) == 1 else p for p in (results, exact)), strict=True):
        np.testing.assert_allclose(given.astype(float), right.high, rtol=2e-2, atol=1e-7)


@pytest.mark.parametrize("wrong", [0, 1])
def test_error_in_either_gradient_of_a_gate(wrong: int) -> None:
    def f(a: Array, b: Array, g: Array) -> tuple[Array, ...]:
        both = fastact.silu_gate_backward(a, b, g)
        return tuple(np.where((a == 2) & (k == wrong), d + 64 * np.spacing(d), d) for k, d in enumerate(both))

    a, b, g = (np.array(values, np.float32) for values in ([1, 2, 3], [1.5, 1.25, 1], [1, 1, 1]))
    found = accuracy.measure(f, "silu_gate", "backward", inputs=(a, b, g))
    assert 63 <= found.largest <= 65 and found.where["a"] == 2
    assert found.where.get("of") == (None, "db")[wrong]
    assert found.result - found.exact == pytest.approx(64 * 2.0**-23, rel=0.05)


def test_limits_of_functions_of_two_arrays() -> None:
    """fastact gives what is expected for infinities and NaN of each array; 0·inf may be anything."""
    values = np.array([-np.inf, -2, 0, 1, np.inf, np.nan], np.float32)
    every = tuple(a.ravel() for a in np.meshgrid(values, values, values))
    for name in ("silu_gate", "relu_gate"):
        assert accuracy.measure(getattr(fastact, name), name, inputs=every[:2]).wrong == ()
        backward = getattr(fastact, f"{name}_backward")
        assert accuracy.measure(backward, name, "backward", inputs=every).wrong == ()
    x, t = (a.ravel() for a in np.meshgrid(values, np.array([0, 0.25, 1], np.float32)))
    assert accuracy.measure(fastact.sigmoid_cross_entropy, "sigmoid_cross_entropy", inputs=(x, t)).wrong == ()
    plain = accuracy.measure(lambda x, t: np.logaddexp(0, x) - t * x, "sigmoid_cross_entropy", inputs=(x, t))
    assert [wrong.partition(",")[0] for wrong in plain.wrong] == ["nan at x = -inf", "nan at x = inf"]


@pytest.mark.parametrize("name", ["gelu", "softplus", "hard_swish"])
def test_wrong_derivatives_are_found_in_float64(name: str) -> None:
    x = np.linspace(-3, 3, 31)
    backward = FUNCTIONS[name + BACKWARD]
    right = accuracy.measure(backward, name, "derivative", "float64", x)
    assert right.largest <= 4
    wrong = accuracy.measure(lambda x, g: backward(x, g) * (1 + 2.0**-48), name, "derivative", "float64", x)
    assert 8 <= wrong.largest <= 40
    both = accuracy.measure(backward, name, "backward", "float64", (x, np.full(31, 1e-300)))
    assert both.largest <= 4.5 and both.where["g"] == 1e-300


def test_half_precision_is_tried_in_full() -> None:
    found = accuracy.measure(fastact.tanh, "tanh", dtype="float16")
    assert "all 65,536" in str(found)
    assert (
        found.largest == accuracy.measure(fastact.tanh, "tanh", dtype="float16", inputs="exhaustive").largest
    )
    finite = np.arange(1 << 16).astype(np.uint16).view(np.float16)
    finite = finite[np.isfinite(finite)]
    right = np.tanh(finite.astype(float))
    ulps = np.spacing(np.maximum(np.abs(right), 2.0**-14).astype(np.float16))
    errors = np.abs(right - fastact.tanh(finite)) / ulps
    assert found.largest == pytest.approx(errors.max(), rel=1e-2)


def test_rows() -> None:
    def softmax(x: Array) -> Array:
        e = np.exp(x)
        return np.asarray(e / e.sum(-1, keepdims=True))

    found = accuracy.measure(softmax, "softmax")
    assert found.largest == np.inf
    assert found.where["x"].ndim == 1 and "element" in found.where
    assert {"rows of 1", "rows of 257"} <= {r.range for r in found.table}
    given = accuracy.measure(softmax, "softmax", inputs=np.zeros((3, 2, 4)))
    assert given.largest == 0 and [tuple(r) for r in given.table] == [("rows of 4", 24, 0, 0)]
    logits, labels = np.zeros((3, 4), np.float32), np.array([0, 1, 2])
    loss = accuracy.measure(
        lambda x, labels: fastact.softmax_cross_entropy(x, (labels + 1) % 4),
        "softmax_cross_entropy",
        inputs=(logits + np.arange(4), labels),
    )
    assert loss.largest > 1e5 and loss.where["labels"] in labels


def test_parameters() -> None:
    def f(x: Array) -> Array:
        return fastact.elu(x, alpha=0.5)

    assert accuracy.measure(f, "elu", alpha=0.5).largest < 1
    assert accuracy.measure(f, fastact.get("elu", alpha=0.5)).largest < 1
    assert accuracy.measure(f, "elu").largest > 1e5
    assert accuracy.measure(f, "elu", alpha=0.5).parameters == {"alpha": 0.5}
    assert accuracy.measure(fastact.elu, "ELU", alpha=1.0).parameters == {}


def test_function_gets_copies() -> None:
    def in_place(x: Array) -> Array:
        return fastact.relu(x, out=x)

    assert accuracy.measure(in_place, "relu").largest == 0


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((lambda x: x, "gleu"), ValueError, "gelu"),
        ((lambda x: x, "relu", "sideways"), ValueError, "pass_"),
        ((lambda x: x, "relu", "forward", "longdouble"), TypeError, "float32"),
        ((lambda x: x, "relu", "forward", "float32", "some"), ValueError, "inputs"),
        ((lambda x: x, "relu", "forward", "float64", "exhaustive"), ValueError, "exhaustive"),
        ((lambda x: x, "softmax", "derivative"), ValueError, "backward"),
        ((fastact.silu_gate, "silu_gate", "derivative"), ValueError, "two arrays: use the backward pass"),
        ((fastact.silu_gate, "silu_gate", "forward", "float32", [1.0]), ValueError, "a tuple of a, b"),
        ((fastact.silu_gate, "silu_gate", "backward", "float32", ([1.0],) * 3), ValueError, "2 are required"),
        ((lambda y, g: y, "gelu", "backward_from_output"), ValueError, "output"),
        ((lambda x: x.sum(), "relu"), ValueError, "shape"),
        ((lambda x: x.astype(float), "relu"), TypeError, "float64 for float32"),
        ((lambda x: x, "relu", "forward", "float32", []), ValueError, "empty"),
        ((lambda x: x, 3), TypeError, "a name or an Activation, not 3"),
        ((lambda x: x, "relu", "backward", "float32", ([1.0],) * 3), ValueError, "a tuple of x, g, not of 3"),
        ((lambda x: x, "relu", "forward", "float32", [1j]), TypeError, "real"),
        ((lambda x: x, "glu", "forward", "float32", [1.0]), ValueError, "even length"),
    ],
)
def test_measure_refuses(arguments: tuple[Any, ...], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        accuracy.measure(*arguments)


def test_exact_refuses() -> None:
    with pytest.raises(ValueError, match="less than 3"):
        accuracy.exact("softmax_cross_entropy", [[1.0, 2.0, 3.0]], [3])
    with pytest.raises(ValueError, match="rows along the last axis"):
        accuracy.exact("softmax", 1.0)
    with pytest.raises(TypeError, match="real"):
        accuracy.exact("gelu", 1j)


def test_a_measurement_names_parameters_that_have_no_default() -> None:
    found = accuracy.measure(lambda x: fastact.softcap(x, 0.25), "softcap")
    assert found.largest < 1 and str(found).startswith("softcap, cap=0.25, forward")


def test_measure_refuses_impossible_parameters() -> None:
    with pytest.raises(TypeError, match="no parameter beta"):
        accuracy.measure(fastact.gelu, "gelu", beta=1.0)
    with pytest.raises(ValueError, match="beta"):
        accuracy.measure(fastact.softplus, "softplus", beta=-1.0)
    with pytest.raises(ValueError, match="flush"):
        accuracy.measure(fastact.relu, "relu", flush="all")  # type: ignore[arg-type]


def test_exact_is_that_of_mpmath() -> None:
    x = np.array([-13.0, -5.5, -1e-300, 0.0, 0.7, 40.0])
    mp = mpmath.mp.clone()
    mp.prec = 300
    pair = accuracy.exact("gelu", x)
    for at, high, low in zip(x, pair.high, pair.low, strict=True):
        right = mp.mpf(at) * mp.erfc(-mp.mpf(at) / mp.sqrt(2)) / 2
        assert abs(mp.mpf(high) + mp.mpf(low) - right) <= abs(right) * mp.mpf(2) ** -100
        assert abs(low) <= np.spacing(abs(high))
    slope = accuracy.exact("tanh", 20.0, pass_="derivative", form="mpmath")
    assert abs(slope - mp.sech(20) ** 2) < mp.mpf(10) ** -60
    assert accuracy.exact("tanh", 20.0, 3.0, pass_="backward").high == float(3 * mp.sech(20) ** 2)
    assert accuracy.exact("sigmoid", 0.25, 2.0, pass_="backward_from_output") == (0.375, 0.0)
    assert accuracy.exact("softplus", 0.0, beta=2.0).high == float(mp.log(2) / 2)


def test_exact_takes_limits_and_shapes() -> None:
    limits = accuracy.exact("silu", np.array([[-np.inf, np.inf, np.nan]]))
    np.testing.assert_array_equal(limits.high, [[0, np.inf, np.nan]])
    np.testing.assert_array_equal(limits.low, [[0, 0, 0]])
    assert accuracy.exact("relu", 2.0) == (2.0, 0.0)
    y = accuracy.exact("softmax", np.zeros((2, 3, 4)))
    np.testing.assert_array_equal(y.high, np.full((2, 3, 4), 0.25))
    loss = accuracy.exact("softmax_cross_entropy", np.zeros((2, 3)), [0, 1])
    np.testing.assert_array_equal(loss.high, np.log([3, 3]))
    with pytest.raises(TypeError, match="x, g"):
        accuracy.exact("softmax", np.zeros((2, 3)), pass_="backward")


@pytest.mark.parametrize("library", ["numpy", "scipy", "torch", "jax", "mkl"])
def test_peers_show_what_is_known_of_them(library: Any) -> None:
    """Each peer's sigmoid or tanh is as it is written, whatever its errors are."""
    if not importlib.util.find_spec(library) and library != "mkl":
        pytest.skip(f"{library} is not installed")
    try:
        f = accuracy.peer(library, "sigmoid")
    except ModuleNotFoundError:
        pytest.skip("mkl is not installed")
    found = accuracy.measure(f, "sigmoid", inputs=np.linspace(-8, 8, 101))
    assert 0 < found.largest < 8
    far = accuracy.measure(f, "sigmoid", inputs=np.linspace(-100, -90, 11))
    assert far.largest > 1  # of subnormal numbers, of which few are right


@pytest.mark.parametrize("pass_", ["forward", "backward"])
@pytest.mark.parametrize("name", ["softmax", "softmax_cross_entropy", "reglu", "logsumexp"])
def test_peers_of_rows(name: str, pass_: Any) -> None:
    x = np.random.default_rng(0).normal(size=(20, 8))
    found = accuracy.measure(accuracy.peer("numpy", name, pass_), name, pass_, "float32", x)
    assert found.largest < 30
    assert accuracy.measure(accuracy.peer("fastact", name, pass_), name, pass_, "float32", x).largest <= 3


def test_peers_refuse() -> None:
    with pytest.raises(ValueError, match="library"):
        accuracy.peer("tensorflow", "gelu")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="scipy has no relu"):
        accuracy.peer("scipy", "relu")


def test_nothing_is_loaded_before_it_is_asked_for(run_python: RunPython) -> None:
    program = """if True:
        import sys, fastact
        assert {"accuracy", "check_gradient"} <= set(dir(fastact))
        loaded = {"mpmath", "scipy", "tqdm", "fastact.accuracy", "fastact._gradient"} & set(sys.modules)
        assert not loaded, loaded
        fastact.check_gradient(fastact.relu_backward, "relu")
        assert "mpmath" not in sys.modules  # NumPy is enough
    """
    assert run_python("-c", program).returncode == 0


def test_missing_package(run_python: RunPython) -> None:
    program = "import sys; sys.modules['mpmath'] = None; import fastact; fastact.accuracy"
    run = run_python("-c", program)
    assert "mpmath is not installed: pip install 'fastact[verify]'" in run.stderr


MODULE = """
import numpy as np
def sigmoid(x):
    return 1 / (1 + np.exp(-x))
def relu_backward(x, g):
    return g * (x > 0)
def wide(x):
    return x.astype(float)
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"users_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))  # of the processes that the exhaustive run starts
    monkeypatch.setitem(verify.DENSITY, ruler.FLOAT32, 1)
    return name


def test_command_measures_a_users_function(module: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["verify", "--of", f"{module}:sigmoid", "--as", "logistic"]
    command += ["--dtype", "float16", "--dtype", "float32"]
    assert main([*command, "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["type"] for line in lines] == ["float16", "float32"]
    line = lines[1]
    assert line["function"] == "sigmoid" and line["largest"] > 1e5 and -104 < line["where"]["x"] < -88
    assert sum(line["shares"]) == pytest.approx(1) and sum(r["inputs"] for r in line["ranges"]) > 1000
    assert main([*command, "--markdown"]) == 0
    table = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    assert len(table) == 4 and table[2].startswith("| sigmoid | forward | float16 |")


def test_command_measures_a_users_backward_pass(module: str, capsys: pytest.CaptureFixture[str]) -> None:
    of = ["verify", "--of", f"{module}:relu_backward", "--as", "relu", "--json", "--pass"]
    for pass_, kind in {"backward": "any gradient", "derivative": "derivative"}.items():
        assert main([*of, pass_]) == 0
        line = json.loads(capsys.readouterr().out)
        assert line["pass"] == kind and line["largest"] == 0
        assert line["wrong"][0].startswith("0.0 at x = nan")


@pytest.mark.slow
def test_command_resumes_a_users_function(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "figures.json"
    monkeypatch.setattr(verify, "CHUNK", 1 << 12)
    command = ["verify", "--of", f"{module}:sigmoid", "--as", "sigmoid", "--exhaustive", "--save", str(file)]
    for inputs in (1 << 13, 3 << 12):
        monkeypatch.setattr(verify, "INPUTS", inputs)
        assert main(command) == 0
        ((title, figures),) = json.loads(file.read_text()).items()
        assert f"{module}:sigmoid as sigmoid" in title
        assert [sum(kept["counts"]) for kept in figures.values()] == [inputs]
        assert sum(part[0] for part in figures["sigmoid forward"]["ranges"].values()) == inputs


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--of", "MODULE:sigmoid"], "--as"),
        (["--of", "MODULE:sigmoid", "--as", "relu", "relu"], "--as"),
        (["--of", "MODULE:sigmoid", "--as", "gleu"], "gelu"),
        (["--of", "MODULE:nothing", "--as", "relu"], "nothing"),
        (["--of", "MODULE", "--as", "relu"], "--of must be MODULE:FUNCTION"),
        (["relu", "--json", "results.json"], "write > results.json"),
        (["--of", "no_such_module:f", "--as", "relu"], "no_such_module"),
        (["--of", "MODULE:wide", "--as", "relu"], "float64 for float32"),
        (["--of", "MODULE:relu_backward", "--as", "gelu", "--pass", "backward_from_output"], "output"),
        (["relu", "--exhaustive", "--dtype", "float16"], "--dtype"),
    ],
)
def test_command_refuses(
    arguments: list[str], message: str, module: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", *(a.replace("MODULE", module) for a in arguments)]) == 2
    assert message in capsys.readouterr().err


def sigma(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def normal(x: Array) -> Array:
    return (0.5 * (1 + erf(x / np.sqrt(x.dtype.type(2))))).astype(x.dtype)


def density(x: Array) -> Array:
    return np.exp(-x * x / 2) / np.sqrt(x.dtype.type(2 * np.pi))


def changing(x: Array, g: Array) -> Array:
    g[x <= 0] = 0
    return g


def softmax(x: Array) -> Array:
    e = np.exp(x - x.max(-1, keepdims=True))
    return np.asarray(e / e.sum(-1, keepdims=True))


def overflowing_softmax_backward(x: Array, g: Array) -> Array:
    y = np.exp(x) / np.exp(x).sum(-1, keepdims=True)
    return np.asarray(y * (g - (g * y).sum(-1, keepdims=True)))


FAULTS: list[tuple[str, Callable[..., Any], list[str], str]] = [
    ("gelu", lambda x, g: -g * (normal(x) + x * density(x)), ["sign"], "opposite"),
    ("gelu", lambda x, g: normal(x) + x * density(x), ["ignores g"], "multiply"),
    ("gelu", lambda x, g: 2 * g * (normal(x) + x * density(x)), ["factor"], "2 times"),
    ("gelu", lambda x, g: g * normal(x), ["term"], "product rule"),
    ("gelu", lambda x, g: g * x * density(x), ["term"], "product rule"),
    ("gelu", lambda x, g: g * (normal(x) - x * density(x)), ["sign"], "product rule"),
    ("gelu", fastact.gelu_tanh_backward, ["function"], "gelu_tanh"),
    ("gelu", lambda x, g: g * fastact.gelu(x), ["forward"], "g·f"),
    ("gelu", lambda x, g: fastact.gelu(x), ["forward"], "it is f"),
    ("gelu", lambda x, g: g, ["factor"], "missing"),
    ("silu", lambda x, g: g * g * fastact.silu_backward(x, np.ones_like(g)), ["factor"], "twice"),
    ("sigmoid", lambda x, g: g * x * (1 - x), ["input"], "output y"),
    ("sigmoid", lambda x, g: g * np.exp(x) / (1 + np.exp(x)) ** 2, ["not finite"], "x = 89"),
    ("softplus", lambda x, g: g * np.exp(x) / (1 + np.exp(x)), ["not finite"], "float32"),
    ("tanh", lambda x, g: g * (1 - np.tanh(x)), ["term"], "square"),
    ("tanh", lambda x, g: g * (1 - np.tanh(np.tanh(x)) ** 2), ["input"], "y = f"),
    ("tanh", lambda x, g: g * (1 - np.tanh(x) ** 2) / x.size, ["factor"], "mean"),
    ("tanh", lambda x, g: g[::-1] * (1 - np.tanh(x) ** 2), ["formula"], "results are wrong"),
    ("tanh", lambda x, g: (g * (1 - np.tanh(x) ** 2)).sum(), ["shape"], "()"),
    ("tanh", lambda x, g: (g * (1 - np.tanh(x) ** 2),), ["shape"], "tuple"),
    ("tanh", lambda x, g: (g * (1 - np.tanh(x) ** 2)).astype(np.float32), ["dtype"], "float64"),
    ("tanh", lambda x, g: np.where(np.abs(x) < 30, g * (1 - np.tanh(x) ** 2), g), ["tail", "tail"], "x = 50"),
    ("relu", lambda x, g: g * (x >= 0), ["kink"], "x = 0"),
    ("relu", lambda x, g: g * (np.sign(x) + 1) / 2, ["kink"], "0.5"),
    ("relu", lambda x, g: np.where(x > 0, g, -g), ["sign"], "for x < 0"),
    ("relu", changing, ["changes its input"], "array g"),
    ("relu6", lambda x, g: g * (x > 0), ["function"], "relu"),
    ("hard_tanh", lambda x, g: g * (np.abs(x) <= 1), ["kink", "kink"], "x = -1"),
    ("softsign", lambda x, g: g * (np.abs(x / (1 + np.abs(x))) / x) ** 2, ["kink"], "x = 0"),
    ("leaky_relu", lambda x, g: np.where(x > 0, g, x.dtype.type(0.01)), ["ignores g"], "for x < 0"),
    ("leaky_relu", lambda x, g: np.where(x > 0, g, g / 10), ["factor"], "for x < 0 it is 10 times"),
    ("elu", lambda x, g: np.where(x > 0, g, g * np.expm1(x)), ["forward"], "for x < 0"),
    ("prelu", lambda x, g: np.where(x > 0, g, g / 4), ["shape"], "pair"),
    ("prelu", lambda x, g: (np.where(x > 0, g, g / 4), -(g * x)[x <= 0].sum()), ["sign"], "alpha"),
    ("softmax", lambda x, g: g * softmax(x) * (1 - softmax(x)), ["term"], "diagonal"),
    ("softmax", overflowing_softmax_backward, ["not finite"], "nan"),
    ("softmax", lambda x, g: fastact.softmax_backward(x, g, axis=0), ["axis"], "first axis"),
    ("softmax", lambda x, g: fastact.softmax_backward(x, -g), ["sign"], "opposite"),
    ("softmax", fastact.log_softmax_backward, ["function"], "log_softmax"),
    ("softmax_cross_entropy", lambda x, labels, g: softmax(x) * g[:, None], ["term"], "label"),
    ("logsumexp", lambda x, g: softmax(x), ["ignores g"], "g"),
    ("swiglu", fastact.geglu_backward, ["function"], "geglu"),
    ("gelu", lambda x, g: g * (normal(x) + density(x)), ["term"], "lacks the factor x"),
    ("tanh", lambda g, x: g * (1 - np.tanh(x) ** 2), ["input"], "exchanged"),
    ("tanh", lambda x, g: None, ["shape"], "return"),
    ("softmax", lambda x, g: g - (g * softmax(x)).sum(-1, keepdims=True), ["factor"], "y is missing"),
    (
        "softmax",
        lambda x, g: softmax(x) * (g + (g * softmax(x)).sum(-1, keepdims=True)),
        ["sign"],
        "sum over",
    ),
    ("log_softmax", lambda x, g: g + softmax(x) * g.sum(-1, keepdims=True), ["sign"], "sum over"),
    ("log_softmax", lambda x, g: g - softmax(x), ["factor"], "Σ g"),
    ("log_softmax", lambda x, g: g * (1 - softmax(x)), ["term"], "not summed"),
    ("log_softmax", lambda x, g: g - fastact.log_softmax(x) * g.sum(-1, keepdims=True), ["forward"], "e^y"),
]


@pytest.mark.parametrize(
    ("name", "f", "kinds", "text"), FAULTS, ids=[f"{n}-{f[0]}-{f[2][0]}" for n, f in enumerate(FAULTS)]
)
def test_fault_is_named(name: str, f: Callable[..., Any], kinds: list[str], text: str) -> None:
    check = fastact.check_gradient(f, name)
    found = [fault.kind for fault in check.faults]
    assert not check.ok and found[: len(kinds)] == kinds, str(check)
    assert text in check.faults[0].message
    assert len(set(found)) == len(set(kinds)) or name == "softmax", str(check)
    assert str(check).startswith(f"{name}: ") and check.faults[0].message in str(check)


@pytest.mark.parametrize("f", [f for f in OF_ONE if f.suffix == BACKWARD], ids=str)
def test_right_backward_pass(f: Function) -> None:
    check = fastact.check_gradient(f, f.forward)
    assert check.ok and "correct" in str(check)


def test_plain_formulas_are_right() -> None:
    """What is exact on paper and finite passes, though it is not accurate to the last bit."""
    plain: dict[str, Callable[..., Any]] = {
        "gelu": lambda x, g: g * (normal(x) + x * density(x)),
        "tanh": lambda x, g: g * (1 - np.tanh(x) ** 2),
        "sigmoid": lambda x, g: g * sigma(x) * (1 - sigma(x)),
        "silu": lambda x, g: g * sigma(x) * (1 + x * (1 - sigma(x))),
        "softmax": lambda x, g: softmax(x) * (g - (g * softmax(x)).sum(-1, keepdims=True)),
    }
    for name, f in plain.items():
        assert fastact.check_gradient(f, name).ok, str(fastact.check_gradient(f, name))

    def differences(x: Array, g: Array) -> Array:
        h = x.dtype.type(1e-5 if x.dtype == np.float64 else 1e-2)
        return g * ((fastact.mish(x + h) - fastact.mish(x - h)) / (2 * h))

    assert "formula" not in [fault.kind for fault in fastact.check_gradient(differences, "mish").faults]


def test_parameters_of_the_gradient() -> None:
    def half(x: Array, g: Array) -> Array:
        return fastact.elu_backward(x, g, alpha=0.5)

    assert fastact.check_gradient(half, "elu", alpha=0.5).ok
    assert fastact.check_gradient(half, fastact.get("elu", alpha=0.5)).ok
    assert fastact.check_gradient(half, "elu").faults[0].kind == "factor"
    with pytest.raises(TypeError, match="slope"):
        fastact.check_gradient(half, "elu", slope=1.0)
    with pytest.raises(ValueError, match="gelu"):
        fastact.check_gradient(half, "gleu")
