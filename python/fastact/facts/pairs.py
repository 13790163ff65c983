"""The documentation of the elementwise functions of two arrays, gates and losses, as data."""

from ..functions.registry import Function
from .elements import _TYPES, ENTRIES, _section

_SOURCE_OF_GATES = 'Shazeer, "GLU variants improve transformer", 2020.'
_SOURCES = {"sigmoid": 'Dauphin et al., "Language modeling with gated convolutional networks", 2017.'}

_LOSSES = {
    "sigmoid_cross_entropy": {
        "title": "Cross-entropy of the sigmoid of logits x and targets t",
        "formula": "(1 - t)·softplus(x) + pos_weight·t·softplus(-x)",
        "gradient": "(1 - t)·σ(x) - pos_weight·t·σ(-x)",
        "latex": (
            r"f(x, t) = (1 - t)\,\operatorname{softplus}(x)"
            r" + \mathit{pos\_weight}\,t\,\operatorname{softplus}(-x)",
            r"\frac{\partial f}{\partial x} = (1 - t)\,\sigma(x) - \mathit{pos\_weight}\,t\,\sigma(-x)",
        ),
        "accuracy": (
            "within 1 ulp of the exact value in float32, 2 ulp in float64, 0.51 ulp in half precision, for"
            " targets from 0 to 1; there is no cancellation, however large x is",
            "within 1.5 ulp in float32, 4.5 ulp in float64, 1 ulp in half precision, of the larger of the two"
            " terms times g",
        ),
        "limits": "f(-inf, 0) = f(inf, 1) = 0; the loss of any other target at an infinite x is inf.",
        "source": 'Bishop, "Pattern recognition and machine learning", 2006, section 4.3.2.',
    },
}
_ARRAYS = {
    "x": "Logits, of any shape.",
    "t": "Targets from 0 to 1; broadcasts against x.",
    "a": "Input of the activation, of any shape.",
    "b": "Factor of f(a); broadcasts against a.",
    "g": "Upstream gradient dL/dy; broadcasts against {first}.",
    "pos_weight": "Weight of the term for t, 0 <= pos_weight < inf.",
}
_GATE_ACCURACY = (
    "within 1.5 ulp of the exact value in float32, 4.5 ulp in float64, 0.51 ulp in half precision",
    "within 2 ulp of the exact value in float32, 6 ulp in float64, 1 ulp in half precision, unless g·b"
    " overflows; near a root of f' the error is that of f', times g·b",
)


def _example(f: Function) -> list[str]:
    if f.kind == "loss":
        arrays, ones = "x, t", "np.ones_like(x)"
        expected = "np.logaddexp(0, x) - t * x" if not f.suffix else "1 / (1 + np.exp(-x)) - t"
        setting = [
            "x = np.array([-2, 0, 1], dtype=np.float32)",
            "t = np.array([0, 0.5, 1], dtype=np.float32)",
        ]
    else:
        activation = f.forward.removesuffix("_gate")
        arrays, ones = "a, b", "np.ones_like(a)"
        setting = ["a = np.array([-2, 0, 1], dtype=np.float32)", "b = np.array([1, 2, 3], dtype=np.float32)"]
        expected = f"fastact.{activation}(a) * b"
        if f.suffix:
            expected = f"(fastact.{activation}_backward(a, b), fastact.{activation}(a))"
    call = f"result = fastact.{f}({arrays}{f', {ones}' if f.suffix else ''})"
    lines = ["import numpy as np", "import fastact", *setting, call, f"np.allclose(result, {expected})"]
    return [*(f">>> {line}" for line in lines), "True"]


def docstring(f: Function) -> str:
    """Return the numpydoc docstring of an elementwise function of two arrays."""
    first, is_backward = f.inputs[0], bool(f.suffix)
    described = []
    for name in f.inputs:
        described += [f"{name} : array_like, {_TYPES}", "    " + _ARRAYS[name].format(first=first)]
    for name, default in f.parameters:
        kind = f"{name} : float or array_like, default {default:g}"
        described += [
            kind,
            f"    {_ARRAYS[name]} Broadcasts against {first}; does not affect the result's type.",
        ]
    of = f"of the broadcast shape and the type of {', '.join(f.inputs[:-1])} and {f.inputs[-1]}"
    promoted = "integers and bool are promoted as `numpy.exp` does."
    refused = ""
    if f.kind == "loss":
        loss = _LOSSES[f.forward]
        summary = f"{loss['title']}: " + (
            f"dL/dx = g·({loss['gradient']})." if is_backward else f"{loss['formula']}."
        )
        accuracy, limits, source = loss["accuracy"][is_backward], loss["limits"], str(loss["source"])
        returned = [
            "dx" if is_backward else "y",
            f"    {'dL/dx' if is_backward else 'The loss'}, {of}; {promoted}",
        ]
        refused = ", or if pos_weight is negative, infinite or NaN"
    else:
        activation = f.forward.removesuffix("_gate")
        entry = ENTRIES[activation]
        summary = (
            f"Gradients of f(a)·b, f = {activation}: dL/da = g·b·f'(a) and dL/db = g·f(a)."
            if is_backward
            else f"{entry.title} as a gate: f(a)·b, f = {activation}."
        )
        accuracy = _GATE_ACCURACY[is_backward]
        limits = (
            f"f and f' are those of `fastact.{activation}`, and products follow IEEE 754. Where f(a) is 0"
            " only as the limit at -inf, its product with an infinite b is infinite."
        )
        source = _SOURCES.get(activation, _SOURCE_OF_GATES)
        returned = [
            "da, db" if is_backward else "y",
            f"    {'Two arrays' if is_backward else 'f(a)·b'}, {of}; {promoted}",
        ]
    return "\n".join(
        [
            summary,
            _section(
                "Parameters",
                *described,
                "out, where, casting, order, dtype, subok",
                "    As for NumPy's own ufuncs.",
            ),
            _section("Returns", f"{returned[0]} : ndarray or scalar", returned[1]),
            _section(
                "Raises",
                "TypeError",
                "    If an array is complex or long double.",
                "ValueError",
                f"    If shapes do not broadcast{refused}.",
            ),
            _section(
                "Notes",
                f"Accuracy: {accuracy}.",
                f"NaN gives NaN, and no floating-point warning is raised. {limits}",
            ),
            _section("References", source),
            "\n".join(["", "Examples", "--------", *_example(f), ""]),
        ]
    )


def title(name: str) -> str:
    """Return what a gate or a loss is called in full."""
    return (
        str(_LOSSES[name]["title"])
        if name in _LOSSES
        else f"{ENTRIES[name.removesuffix('_gate')].title}, as a gate"
    )


def latex(name: str) -> tuple[str, str]:
    """Return formulas of y and of the gradients."""
    if name in _LOSSES:
        y, gradient = _LOSSES[name]["latex"]
        return y, gradient
    return (
        r"y = f(a)\,b",
        r"\frac{\partial L}{\partial a} = g\,b\,f'(a), \quad \frac{\partial L}{\partial b} = g\,f(a)",
    )
