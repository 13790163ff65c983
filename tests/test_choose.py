"""``fastact.get`` and the objects that it returns."""

import json
import os
import pickle
import re
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import fastact
import numpy as np
import pytest
from conftest import RunPython
from fastact.facts.elements import COMPOSED
from fastact.functions import by_name
from fastact.functions.registry import FUNCTIONS as COMPILED
from functions import DTYPES, FROM_OUTPUT, FUNCTIONS, extremes

NAMES = fastact.names()
each_name = pytest.mark.parametrize("name", NAMES)
X = np.linspace(-8, 8, 1601, dtype=np.float32)[1:]
ROWS = np.random.default_rng(0).normal(size=(6, 8)).astype(np.float32)


def test_names() -> None:
    assert set(NAMES) > {f.name for f in FUNCTIONS if not f.suffix} | COMPOSED.keys()
    assert len(set(NAMES)) == len(NAMES)


def test_no_name_means_two() -> None:
    spelled = [by_name._key(a) for name, facts in by_name._FACTS.items() for a in (name, *facts.aliases)]
    assert len(set(spelled)) == len(spelled)


@each_name
def test_each_activation_is_the_function(name: str) -> None:
    f = fastact.get(name)
    assert f.name == name and fastact.get(name) == f and hash(fastact.get(name)) == hash(f)
    if name in COMPOSED:
        return
    y = f(ROWS)
    required = COMPILED[name].required
    np.testing.assert_array_equal(y, getattr(fastact, name)(ROWS, **required))
    expected = getattr(fastact, f"{name}_backward")(ROWS, y, **required)
    np.testing.assert_equal(f.backward(ROWS, y), expected)
    from_output: Any = getattr(fastact, f"{name}_backward_from_output", None)
    assert (f.backward_from_output is None) == (from_output is None)
    if f.backward_from_output:
        np.testing.assert_array_equal(f.backward_from_output(y, y), from_output(y, y))


@each_name
def test_facts(name: str) -> None:
    f = fastact.get(name)
    assert f.initializer in ("glorot", "he", "lecun")
    assert f.title and f.reference.endswith((".", "2015, `keras.activations.relu`."))
    for formula in (f.formula, f.derivative):
        assert formula.count("{") == formula.count("}") and formula.count(r"\begin") == formula.count(r"\end")
        assert not re.search(r"[^ -~]", formula)
        assert set(re.findall(r"\\mathit{(.*?)}", formula)) <= {p.replace("_", r"\_") for p in f.parameters}
    assert set(f.learnable) <= f.parameters.keys()


@pytest.mark.parametrize(
    ("name", "formula", "derivative"),
    [
        (
            "leaky_relu",
            r"\begin{cases} x & x > 0 \\ \mathit{negative\_slope} \, x & \text{otherwise} \end{cases}",
            None,
        ),
        ("softsign", r"\frac{x}{1 + |x|}", r"\frac{1}{(1 + |x|)^2}"),
        (
            "silu",
            r"x \, \sigma(x), \quad \sigma(x) = \frac{1}{1 + e^{-x}}",
            r"\sigma(x) \, (1 + x \, \sigma(-x))",
        ),
        ("celu", None, r"\begin{cases} 1 & x > 0 \\ e^{\frac{x}{\alpha}} & \text{otherwise} \end{cases}"),
        ("squareplus", r"\frac{x + \sqrt{x^2 + b}}{2}", r"\frac{1 + \frac{x}{\sqrt{x^2 + b}}}{2}"),
        (
            "hard_swish",
            None,
            r"\begin{cases} 0 & x \le -3 \\ 1 & x \ge 3 \\ \frac{2 \, x + 3}{6} & \text{otherwise}"
            r" \end{cases}",
        ),
    ],
)
def test_latex(name: str, formula: str | None, derivative: str | None) -> None:
    f = fastact.get(name)
    assert formula is None or f.formula == f"f(x) = {formula}"
    assert derivative is None or f.derivative == f"f'(x) = {derivative}"


@each_name
def test_config_survives_json_and_pickle(name: str) -> None:
    like: Any = "keras2"
    for f in (fastact.get(name), fastact.get(name, like=like)):
        config = json.loads(json.dumps(f.to_config(), allow_nan=False))
        assert fastact.Activation.from_config(config) == f == pickle.loads(pickle.dumps(f))
        assert eval(repr(f), {"fastact": fastact}) == f


@pytest.mark.parametrize("name", [f.forward for f in COMPILED.values() if f.suffix == FROM_OUTPUT])
def test_gradients_from_the_output_survive_pickle(name: str) -> None:
    f: Any = fastact.get(name)
    y = f(ROWS)
    copy = pickle.loads(pickle.dumps(f.backward_from_output))
    np.testing.assert_array_equal(copy(y, ROWS), f.backward_from_output(y, ROWS))


def test_all_axes() -> None:
    f = fastact.get("logsumexp", like="jax")
    assert f == fastact.get("logsumexp", axis=None) != fastact.get("logsumexp")
    assert f(ROWS) == fastact.logsumexp(ROWS, axis=None)
    assert fastact.get("logsumexp", like="jax", axis=0)(ROWS).shape == (8,)


def test_activation_is_immutable() -> None:
    f = fastact.get("elu", alpha=0.5)
    f.parameters["alpha"] = 2.0
    assert f.parameters == {"alpha": 0.5}
    with pytest.raises(AttributeError):
        f.name = "celu"  # type: ignore[misc]
    assert {f, fastact.get("elu", alpha=0.5), fastact.get("elu")} == {f, fastact.get("elu")}


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("logistic", "sigmoid"),
        ("linear", "identity"),
        ("hard_silu", "hard_swish"),
        ("swish1", "silu"),
        ("LeakyReLU", "leaky_relu"),
        ("lrelu", "leaky_relu"),
        ("hardtanh", "hard_tanh"),
        ("log-softmax", "log_softmax"),
        ("GELU", "gelu"),
    ],
)
def test_aliases(alias: str, name: str) -> None:
    assert fastact.get(alias) == fastact.get(name)
    assert fastact.get(alias, like="keras2") == fastact.get(name, like="keras2")


@pytest.mark.parametrize("like", [None, "torch", "keras", "keras2", "jax"])
def test_sparse_sigmoid(like: Any) -> None:
    f, x = fastact.get("sparse_sigmoid", like=like), np.array([-2, -1, 0, 0.5, 1, 2])
    np.testing.assert_array_equal(f(x), [0, 0, 0.5, 0.75, 1, 1])
    np.testing.assert_array_equal(f.backward(x, np.ones(6)), [0, 0, 0.5, 0.5, 0, 0])


def test_calls_take_other_arguments() -> None:
    f, x, out = fastact.get("prelu"), ROWS.copy(), np.empty_like(ROWS)
    alpha = np.linspace(0, 1, 8, dtype=np.float32)
    assert f(x, alpha=alpha, out=out) is out
    np.testing.assert_array_equal(out, np.where(x > 0, x, alpha * x))
    dx, dalpha = f.backward(x, x, alpha=alpha)
    assert dx.shape == x.shape and dalpha.shape == alpha.shape
    softmax = fastact.get("softmax", axis=0)
    np.testing.assert_allclose(softmax(x).sum(axis=0), 1, rtol=1e-6)
    assert fastact.get("logsumexp", keepdims=True)(x).shape == (6, 1)


def test_instances_and_callables_pass_through() -> None:
    for f in (fastact.get("elu"), np.tanh, fastact.gelu):
        assert fastact.get(f) is f
    with pytest.raises(TypeError, match="require the name"):
        fastact.get(np.tanh, like="torch")  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="a name or a callable, not 3"):
        fastact.get(3)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("name", "close"), [("gleu", "gelu"), ("sigmod", "sigmoid"), ("logistics", "sigmoid")]
)
def test_unknown_name(name: str, close: str) -> None:
    with pytest.raises(ValueError, match=rf"'{name}'; similar names: .*\b{close}\b"):
        fastact.get(name)
    with pytest.raises(ValueError, match="mish"):
        fastact.get("?")


def test_mistaken_arguments() -> None:
    with pytest.raises(ValueError, match=r"torch, keras, keras2, jax, not 'tensorflow'"):
        fastact.get("elu", like="tensorflow")  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="elu has no parameter beta; it has alpha"):
        fastact.get("elu", beta=1.0)
    with pytest.raises(TypeError, match="gelu has no parameter alpha; it has none"):
        fastact.get("gelu", alpha=1.0)
    with pytest.raises(TypeError, match="alpha must be a number, not array"):
        fastact.get("prelu", alpha=np.ones(3))
    with pytest.raises(TypeError, match=r"softmax: axis must be an integer, not 0\.5"):
        fastact.get("softmax", axis=0.5)
    with pytest.raises(ValueError, match="beta"):
        fastact.get("softplus", beta=-1.0)
    with pytest.raises(ValueError, match="max_value is 1"):
        fastact.get("general_relu", max_value=1, threshold=2)
    with pytest.raises(ValueError, match="negative_slope is -1"):
        fastact.get("general_relu", negative_slope=-1)


def test_import_is_cheap(run_python: RunPython) -> None:
    run = run_python("-c", "import fastact, sys; print(sys.modules.keys())")
    loaded = set(re.findall(r"'(\w+)'", run.stdout))
    assert "numpy" in loaded and not loaded & {"click", "difflib", "matplotlib", "scipy"}


def framework(name: str) -> Any:
    """Return the module with the functions of the framework."""
    library = name.partition(".")[0]
    if not find_spec(library):
        pytest.skip(f"{library} is not installed")
    os.environ.setdefault("KERAS_BACKEND", "numpy" if not find_spec("torch") else "torch")
    return import_module(name)


def agree(theirs: Any, f: fastact.Activation, x: Any) -> None:
    np.testing.assert_allclose(np.asarray(theirs), f(x), rtol=1e-4, atol=1e-5)


def known(modules: list[Any], *, classes: bool) -> dict[str, Any]:
    """Return the functions of the modules whose names `get` knows too."""
    found = {}
    for module in modules:
        for name in dir(module):
            theirs = getattr(module, name)
            if name[0] != "_" and callable(theirs) and isinstance(theirs, type) == classes:
                try:
                    fastact.get(name)
                except ValueError:
                    continue
                found[name] = theirs
    return found


# What has no default where fastact has one, or another: rows along all axes, say.
OTHERS = {
    "torch": {
        "softmax",
        "Softmax",
        "log_softmax",
        "LogSoftmax",
        "logsumexp",
        "prelu",
        "threshold",
        "Threshold",
    },
    "keras": {"threshold", "sparsemax"},  # Keras 3.15's sparsemax does not sum to 1
    "jax": set(),
}
OTHERS["torch"] |= {"linear", "Linear", "heaviside", "threshold_"}


def modules(like: str) -> tuple[list[Any], list[Any]]:
    """Return the modules with the functions and the classes of the framework."""
    names = {
        "torch": (["torch.nn.functional", "torch"], ["torch.nn"]),
        "jax": (["jax.nn"], []),
        "keras": (["keras.activations"], ["keras.layers"]),
    }[like]
    of_functions, of_classes = ([framework(name) for name in group] for group in names)
    return of_functions, of_classes


def convert(like: str, x: Any) -> Any:
    return framework("torch").from_numpy(x.copy()) if like == "torch" else x


def detached(y: Any) -> Any:
    return y.detach().numpy() if hasattr(y, "detach") else np.asarray(y)


# Names of which the frameworks must have at least these.
EXPECTED = {
    "torch": {
        "leaky_relu",
        "gelu",
        "elu",
        "hardsigmoid",
        "hardswish",
        "hardtanh",
        "tanhshrink",
        "logsigmoid",
        "silu",
    },
    "jax": {
        "leaky_relu",
        "gelu",
        "hard_silu",
        "soft_sign",
        "squareplus",
        "swish",
        "log_softmax",
        "glu",
        "mish",
    },
    "keras": {
        "leaky_relu",
        "gelu",
        "linear",
        "hard_silu",
        "exponential",
        "swish",
        "softmax",
        "glu",
        "relu",
        "celu",
    },
}
CLASSES = {
    "torch": {
        "LeakyReLU",
        "PReLU",
        "GELU",
        "Hardtanh",
        "Hardsigmoid",
        "Softplus",
        "SiLU",
        "GLU",
        "CELU",
        "Softshrink",
    },
    "jax": set(),
    "keras": {"LeakyReLU", "PReLU", "ReLU", "ELU", "Softmax"},
}


@pytest.mark.slow
@pytest.mark.parametrize("like", ["torch", "jax", "keras"])
def test_every_function_of_a_framework(like: Any) -> None:
    of_functions, _ = modules(like)
    functions = known(of_functions[::-1], classes=False)
    assert functions.keys() >= EXPECTED[like]
    for name in functions.keys() - OTHERS[like]:
        x = X.reshape(-1, 8)
        theirs, f = detached(functions[name](convert(like, x))), fastact.get(name, like=like)
        np.testing.assert_allclose(theirs, f(x), rtol=1e-4, atol=1e-5, err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("like", ["torch", "keras"])
def test_every_class_of_a_framework(like: Any) -> None:
    _, of_classes = modules(like)
    classes = known(of_classes, classes=True)
    assert classes.keys() >= CLASSES[like]
    for name in classes.keys() - OTHERS[like]:
        x = X.reshape(-1, 8)
        theirs, f = detached(classes[name]()(convert(like, x))), fastact.get(name, like=like)
        np.testing.assert_allclose(theirs, f(x), rtol=1e-4, atol=1e-5, err_msg=name)


def test_like_keras_2() -> None:
    """The meaning in Keras 2's documentation: LeakyReLU(alpha=0.3), and hard_sigmoid clips 0.2 x + 0.5."""
    for name in ("LeakyReLU", "leaky_relu"):
        assert fastact.get(name, like="keras2") == fastact.get("leaky_relu", negative_slope=0.3)
    hard_sigmoid = fastact.get("hard_sigmoid", like="keras2")
    np.testing.assert_allclose(hard_sigmoid(X), np.clip(0.2 * X + 0.5, 0, 1), rtol=1e-6, atol=1e-7)
    assert fastact.get("hard_sigmoid", like="keras") == fastact.get("hard_sigmoid")
    assert fastact.get("gelu", like="keras2") == fastact.get("gelu")


def test_class_or_function_of_keras() -> None:
    for name, slope in (("LeakyReLU", 0.3), ("leaky_relu", 0.2), ("Leaky-ReLU", 0.2)):
        assert fastact.get(name, like="keras") == fastact.get("leaky_relu", negative_slope=slope)
    given = fastact.get("LeakyReLU", like="keras", negative_slope=0.5)
    assert given.parameters == {"negative_slope": 0.5}


@pytest.mark.parametrize(
    ("name", "parameters", "hint"),
    [
        ("gelu", {"approximate": "tanh"}, "gelu has no parameter approximate; it has none; .*gelu_tanh"),
        ("gelu", {"approximate": True}, "gelu_tanh"),
        ("softmax", {"dim": 1}, "it has axis; use axis instead of dim"),
        ("relu", {"inplace": True}, "out=x"),
    ],
)
def test_hints(name: str, parameters: dict[str, Any], hint: str) -> None:
    with pytest.raises(TypeError, match=hint):
        fastact.get(name, **parameters)


GENERAL = [
    {},
    {"negative_slope": 0.1},
    {"max_value": 6.0},
    {"threshold": 1.0},
    {"negative_slope": 0.1, "max_value": 2.0, "threshold": 1.0},
]


@pytest.mark.slow
@pytest.mark.parametrize("parameters", GENERAL, ids=str)
def test_general_relu_is_that_of_keras(parameters: dict[str, Any]) -> None:
    keras = framework("keras")
    agree(keras.activations.relu(X, **parameters), fastact.get("relu", like="keras", **parameters), X)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("parameters", GENERAL, ids=str)
def test_general_relu(parameters: dict[str, Any], dtype: np.dtype[Any]) -> None:
    f = fastact.get("general_relu", **parameters)
    slope, most, least = (f.parameters[p] for p in ("negative_slope", "max_value", "threshold"))
    most = np.inf if most is None else most
    exact = np.array([-4, -1, -0.5, 0, 0.5, 1, 1.5, 2, 3, 6, 7])
    x = exact.astype(dtype)
    y, g = f(x), np.full_like(x, 2)
    dx = f.backward(x, g)
    assert y.dtype == dx.dtype == dtype
    rtol = 0.02 if dtype.itemsize == 2 else 1e-6
    expected = np.where(exact > least, np.minimum(exact, most), slope * (exact - least))
    np.testing.assert_allclose(y.astype(float), expected, rtol)
    expected = np.where(exact >= most, 0, np.where(exact > least, 2, 2 * slope))
    np.testing.assert_allclose(dx.astype(float), expected, rtol)


@pytest.mark.parametrize("parameters", GENERAL, ids=str)
def test_general_relu_is_silent_and_honours_limits(parameters: dict[str, Any]) -> None:
    f = fastact.get("general_relu", **parameters)
    x = extremes(np.dtype(np.float32))
    with np.errstate(all="raise"):
        y, dx = f(x), f.backward(x, np.ones_like(x))
    np.testing.assert_array_equal(np.isnan(y), np.isnan(x))
    np.testing.assert_array_equal(np.isnan(dx), np.isnan(x))
    slope, most = f.parameters["negative_slope"], f.parameters["max_value"]
    assert f(np.inf) == (most or np.inf) and f(-np.inf) == (-np.inf if slope else 0)
    assert f.backward(-np.inf, 1.0) == slope
    assert f(np.array([3], np.int8)).dtype == np.float16
