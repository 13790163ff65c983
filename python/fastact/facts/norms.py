"""The documentation of norms, as data."""

from dataclasses import dataclass

from ..functions.registry import Norm
from .elements import _TYPES, _section


@dataclass(frozen=True)
class Family:
    """A norm and its backward pass."""

    title: str
    formula: str
    gradients: tuple[str, ...]  # of the backward pass' results
    latex: tuple[str, str]
    source: str
    examples: tuple[str, ...]  # what the forward and the backward pass print


_VARIANCE = "x̂ = (x - mean)/√(variance + eps)"
_ROOT = r"\hat x_i = \frac{x_i}{\sqrt{\frac{1}{n} \sum_j x_j^2 + \epsilon}}"
_DEVIATION = (
    r"\hat x_i = \frac{x_i - \mu}{\sqrt{\sigma^2 + \epsilon}}, \quad"
    r" \mu = \frac{1}{n} \sum_j x_j, \quad \sigma^2 = \frac{1}{n} \sum_j (x_j - \mu)^2"
)
_GRADIENT = (
    r"\frac{\partial L}{\partial x_i} = \frac{1}{\sqrt{\sigma^2 + \epsilon}}"
    r" \left(h_i - \frac{1}{n} \sum_j h_j - \hat x_i \frac{1}{n} \sum_j h_j \hat x_j\right),"
    r" \quad h_i = g_i \gamma_i"
)
FAMILIES: dict[str, Family] = {
    "layer_norm": Family(
        title="Layer normalization",
        formula=f"gamma·x̂ + beta, {_VARIANCE}",
        gradients=(
            "dL/dx = (h - mean h - x̂·mean(h·x̂))/√(variance + eps), h = g·gamma",
            "dL/dgamma = Σ g·x̂",
            "dL/dbeta = Σ g",
        ),
        latex=(rf"y_i = \gamma_i \hat x_i + \beta_i, \quad {_DEVIATION}", _GRADIENT),
        source='Ba, Kiros and Hinton, "Layer normalization", 2016.',
        examples=(
            "array([[-1.3416355, -0.4472118,  0.4472118,  1.3416355],\n"
            "       [ 0.       ,  0.       ,  0.       ,  0.       ]], dtype=float32)",
            "array([-1.3416355, -0.4472118,  0.4472118,  1.3416355], dtype=float32)",
        ),
    ),
    "rms_norm": Family(
        title="Normalization by the root mean square",
        formula="gamma·x̂, x̂ = x/√(mean x² + eps)",
        gradients=("dL/dx = (h - x̂·mean(h·x̂))/√(mean x² + eps), h = g·gamma", "dL/dgamma = Σ g·x̂"),
        latex=(
            rf"y_i = \gamma_i \hat x_i, \quad {_ROOT}",
            r"\frac{\partial L}{\partial x_i} = \frac{1}{\sqrt{\frac{1}{n} \sum_j x_j^2 + \epsilon}}"
            r" \left(h_i - \hat x_i \frac{1}{n} \sum_j h_j \hat x_j\right), \quad h_i = g_i \gamma_i",
        ),
        source='Zhang and Sennrich, "Root mean square layer normalization", 2019.',
        examples=(
            "array([[0.       , 0.5345224, 1.0690448, 1.6035672],\n"
            "       [0.9999995, 0.9999995, 0.9999995, 0.9999995]], dtype=float32)",
            "array([0.9999995, 1.5345219, 2.0690444, 2.6035666], dtype=float32)",
        ),
    ),
    "batch_norm": Family(
        title="Batch normalization",
        formula=f"gamma·x̂ + beta, {_VARIANCE}",
        gradients=(
            "dL/dx = gamma·(g - mean g - x̂·mean(g·x̂))/√(variance + eps)",
            "dL/dgamma = Σ g·x̂",
            "dL/dbeta = Σ g",
        ),
        latex=(
            rf"y_i = \gamma \hat x_i + \beta, \quad {_DEVIATION}",
            r"\frac{\partial L}{\partial x_i} = \frac{\gamma}{\sqrt{\sigma^2 + \epsilon}}"
            r" \left(g_i - \frac{1}{n} \sum_j g_j - \hat x_i \frac{1}{n} \sum_j g_j \hat x_j\right)",
        ),
        source='Ioffe and Szegedy, "Batch normalization", 2015.',
        examples=(
            "array([[-0.99999875,  0.        ],\n       [ 0.99999875,  0.        ]], dtype=float32)",
            "array([0., 0.], dtype=float32)",
        ),
    ),
    "batch_norm_inference": Family(
        title="Batch normalization with given statistics",
        formula=f"gamma·x̂ + beta, {_VARIANCE}",
        gradients=(),
        latex=(
            r"y_i = \gamma \hat x_i + \beta, \quad \hat x_i = \frac{x_i - \mu}{\sqrt{\sigma^2 + \epsilon}}",
            r"\frac{\partial L}{\partial x_i} = \frac{\gamma g_i}{\sqrt{\sigma^2 + \epsilon}}",
        ),
        source='Ioffe and Szegedy, "Batch normalization", 2015.',
        examples=("array([[0.     , 0.     ],\n       [3.99998, 0.     ]], dtype=float32)",),
    ),
}
_CHANNELS = (
    "The axis of the channels, each of which is normalized over all other axes. Several axes together number"
    " the channels; gamma has them in the order that axis names."
)
_EXAMPLES = {
    "batch_norm": "[[0, 1], [4, 1]]",
    "batch_norm_inference": "[[0, 1], [4, 1]]",
}
_PARAMETERS = {
    "x": (f"array_like, {_TYPES}", "Input, of any shape."),
    "g": (f"array_like, {_TYPES}", "Upstream gradient dL/dy, of x's shape."),
    "gamma": (
        "array_like, optional",
        "The scale, of the shape that x has along axis; 1 if omitted. Its type does not affect that of"
        " {result}.",
    ),
    "mean": ("array_like", "The mean of each channel, of the shape that x has along axis."),
    "variance": (
        "array_like",
        "The variance of each channel, of the same shape; y is NaN where variance + eps is negative.",
    ),
    "beta": ("array_like, optional", "The offset, of gamma's shape; 0 if omitted."),
    "axis": (
        "int, tuple of int or None, default -1",
        "The axis along which rows lie. Several axes together form one row, in C order; gamma has them in the"
        " order that axis names. None means all axes.",
    ),
    "eps": ("float, default {eps:g}", "Added to the {root} under the square root; 0 <= eps < inf."),
    "out": (
        "ndarray or tuple of ndarray or None, optional",
        "Arrays for the results; {result} may be x{or_g}.",
    ),
}


def _results(norm: Norm, family: Family) -> list[str]:
    described = {
        "y": "The result, of x's shape and type; integers and bool are promoted as `numpy.exp` does.",
        "dx": f"{' '.join(family.gradients[:1])}, of x's shape and the type of x and g.",
    }
    for name, gradient in zip(norm.results[1:], family.gradients[1:], strict=False):
        described[name] = (
            f"{gradient}, over the rows, of gamma's shape; in gamma's type if that is given and a"
            " floating-point type, otherwise in the type of dx."
        )
    for name, kind in (("mean", "mean"), ("variance", "biased variance")):
        described[name] = f"The {kind} of each channel, of gamma's shape and in x's type."
    lines = []
    for name in norm.results:
        lines += [f"{name} : ndarray or scalar", f"    {described[name]}"]
    return lines


def docstring(norm: Norm) -> str:
    """Return the numpydoc docstring of a norm."""
    family, is_backward = FAMILIES[norm.forward], bool(norm.suffix)
    result = norm.results[0]
    required = norm.arguments[: norm.required]
    described = []
    for name in (*norm.arguments, "axis", "eps", "out"):
        kind, text = _PARAMETERS[name]
        text = _CHANNELS if name == "axis" and norm.of_channels else text
        root = "variance" if norm.subtracts_mean else "mean square"
        facts = {"eps": norm.eps, "result": result, "root": root, "or_g": " or g" if is_backward else ""}
        described += [f"{name} : {kind.format(**facts)}", f"    {text.format(**facts)}"]
    calls = [
        ">>> import numpy as np",
        ">>> import fastact",
        f">>> x = np.array({_EXAMPLES.get(norm.forward, '[[0, 1, 2, 3], [1, 1, 1, 1]]')}, dtype=np.float32)",
    ]
    given = ", ".join(
        {"x": "x", "g": "np.ones_like(x)", "mean": "[0, 1]", "variance": "[1, 4]"}[a] for a in required
    )
    results = ", ".join(norm.results)
    shown = norm.results[1] if is_backward else norm.results[0]
    calls += (
        [f">>> {results} = fastact.{norm}({given})", f">>> {shown}"]
        if len(norm.results) > 1
        else [f">>> fastact.{norm}({given})"]
    )
    of = "dx" if is_backward else "y"
    return "\n".join(
        [
            f"{family.title}: {'the gradients of ' if is_backward else ''}y = {family.formula}.",
            _section("Parameters", *described),
            _section("Returns", *_results(norm, family)),
            _section(
                "Raises",
                "TypeError",
                "    If an array is complex, masked or an xarray object, or if x is long double.",
                "ValueError",
                "    If shapes do not match, or if eps is negative, infinite or NaN.",
                "numpy.exceptions.AxisError",
                "    If x does not have the axis.",
            ),
            _section(
                "Notes",
                f"Accuracy: {of} is within 3 ulp in float32, 4 ulp in float64, 1 ulp in half precision,"
                " of the largest of the terms that the definition adds. Means and sums are float64 sums of"
                " differences from the mean; a mean of 1e4 with a deviation of 1e-2 loses nothing. Neither"
                " the number of threads nor the memory layout changes a bit.",
                f"A constant {'channel' if 'batch' in norm.name else 'row'} gives beta, even with eps = 0."
                " NaN gives NaN, and no floating-point warning is raised.",
            ),
            _section("References", family.source),
            "\n".join(["", "Examples", "--------", *calls, family.examples[is_backward], ""]),
        ]
    )
