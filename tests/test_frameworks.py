"""The table of other frameworks' activations is complete, and its calls give their values and gradients."""

import re
from pathlib import Path
from typing import Any

import fastact
import numpy as np
import pytest
from test_choose import framework

TABLE = Path(__file__).parents[1] / "docs" / "frameworks.md"
if not TABLE.exists():
    pytest.skip("the documentation is not here", allow_module_level=True)
FRAMEWORKS = ("keras.activations", "jax.nn", "torch.nn")
# What of these modules is no activation.
OTHERS = {
    "keras.activations": {"get", "serialize", "deserialize"},
    "jax.nn": {
        *("dot_product_attention", "get_scaled_dot_general_config", "initializers", "log1mexp", "logmeanexp"),
        *("one_hot", "scaled_dot_general", "scaled_matmul", "standardize"),
    },
    "torch.nn": {"MultiheadAttention"},
}
rng = np.random.default_rng(1)
X = rng.normal(0, 2, (2, 4, 3, 6)).astype(np.float32)


def rows() -> list[list[str]]:
    lines = re.findall(r"^\| `.*\|$", TABLE.read_text(), re.MULTILINE)
    return [[cell.strip(" `") for cell in line.split("|")[1:-1]] for line in lines]


CALLS = [
    pytest.param(name, row[0], call, id=f"{name}: {call}")
    for row in rows()
    for name, call in zip(FRAMEWORKS, row[1:], strict=True)
    if call
]


def evaluated(call: str, **names: Any) -> Any:
    return eval(call, names)


def value_and_gradient(name: str, call: str, g: Any) -> tuple[Any, Any]:
    """Return the framework's result, and the gradient for x; Keras computes by torch or by NumPy."""
    module = vars(framework(name))
    if name == "jax.nn":
        value, pull = framework("jax").vjp(lambda x: evaluated(call, **module | {"x": x}), X)
        return value, pull(framework("jax.numpy").asarray(g))[0]
    if name == "keras.activations" and framework("keras.config").backend() != "torch":
        return evaluated(call, **module | {"x": X}), None
    x = framework("torch").from_numpy(X.copy()).requires_grad_()
    y = evaluated(call, **module | {"x": x})
    y.backward(framework("torch").from_numpy(np.asarray(g)))
    return y.detach().numpy(), x.grad.numpy()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "ours", "theirs"), CALLS)
def test_equal(name: str, ours: str, theirs: str) -> None:
    y = evaluated(ours, **vars(fastact) | {"x": X})
    g = rng.normal(size=np.shape(y)).astype(np.float32)
    value, gradient = value_and_gradient(name, theirs, g)
    if name == "keras.activations" and ours == "sparsemax(x)":
        np.testing.assert_allclose(y.sum(-1), 1, rtol=1e-6)
        if not np.allclose(np.asarray(value).sum(-1), 1, rtol=1e-5):
            pytest.skip("this version of Keras has a sparsemax that does not sum to 1")
    np.testing.assert_allclose(value, y, rtol=1e-4, atol=1e-5)
    function, sign, rest = re.fullmatch(r"(\w+)\((-?)x(.*)\)", ours).groups()  # type: ignore[union-attr]
    dx = evaluated(f"{function}_backward({sign}x, g{rest})", **vars(fastact) | {"x": X, "g": g})
    dx = dx[0] if isinstance(dx, tuple) else dx
    if gradient is not None:
        np.testing.assert_allclose(gradient, -dx if sign else dx, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_complete(name: str) -> None:
    module = framework("torch.nn.modules.activation" if name == "torch.nn" else name)
    names = module.__all__ if name == "torch.nn" else [n for n in dir(module) if n[0] != "_"]
    listed = {row[1 + FRAMEWORKS.index(name)].partition("(")[0] for row in rows()}
    assert set(names) - OTHERS[name] <= listed
