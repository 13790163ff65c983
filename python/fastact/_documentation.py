"""What there is to say of each activation, once; docstrings are made from it."""

from dataclasses import dataclass, field
from textwrap import fill


@dataclass(frozen=True)
class Entry:
    """An activation's documentation; formulas are in x, y = f(x) and the parameters."""

    title: str
    formula: str
    derivative: str
    limits: str
    source: str
    examples: tuple[str, ...]  # of f, f' and f' from the output, at -2, 0 and 1 in float32
    from_output: str = ""
    exact: bool = False
    parameters: dict[str, str] = field(default_factory=dict)
    allowed: str = ""
    output_allowed: str = ""


ENTRIES = {
    "identity": Entry(
        title="Identity",
        formula="x",
        derivative="1",
        limits="f(±inf) = ±inf.",
        source="The output layer of a regression network.",
        exact=True,
        examples=("[-2.,  0.,  1.]", "[1., 1., 1.]"),
    ),
    "binary_step": Entry(
        title="Heaviside step",
        formula="1 if x >= 0 else 0",
        derivative="0",
        limits="f(-inf) = 0, f(inf) = 1; the backward pass gives 0 whatever g holds.",
        source='McCulloch and Pitts, "A logical calculus of the ideas immanent in nervous activity", 1943.',
        exact=True,
        examples=("[0., 1., 1.]", "[0., 0., 0.]"),
    ),
    "relu": Entry(
        title="Rectified linear unit",
        formula="max(x, 0)",
        derivative="1 if x > 0 else 0",
        from_output="1 if y > 0 else 0",
        limits="f(-0.0) = 0.0, f(inf) = inf; where x <= 0 the backward pass gives 0 whatever g holds.",
        source='Nair and Hinton, "Rectified linear units improve restricted Boltzmann machines", 2010.',
        exact=True,
        examples=("[0., 0., 1.]", "[0., 0., 1.]", "[0., 0., 1.]"),
    ),
    "relu6": Entry(
        title="Rectified linear unit capped at 6",
        formula="min(max(x, 0), 6)",
        derivative="1 if 0 < x < 6 else 0",
        limits="f(-0.0) = 0.0, f(inf) = 6; where f' = 0 the backward pass gives 0 whatever g holds.",
        source='Krizhevsky, "Convolutional deep belief networks on CIFAR-10", 2010.',
        exact=True,
        examples=("[0., 0., 1.]", "[0., 0., 1.]"),
    ),
    "leaky_relu": Entry(
        title="Leaky rectified linear unit",
        formula="x if x > 0 else negative_slope·x",
        derivative="1 if x > 0 else negative_slope",
        limits="f(-0.0) = -0.0, f(±inf) = ±inf.",
        source='Maas, Hannun and Ng, "Rectifier nonlinearities improve neural network acoustic models",'
        " 2013.",
        parameters={"negative_slope": "Slope for x <= 0; any number."},
        examples=("[-0.02,  0.  ,  1.  ]", "[0.01, 0.01, 1.  ]"),
    ),
    "sigmoid": Entry(
        title="Logistic function",
        formula="1/(1 + exp(-x))",
        derivative="f(x)·f(-x)",
        from_output="y·(1 - y)",
        limits="f(-inf) = 0, f(inf) = 1, f'(±inf) = 0; f(-100) is 3.8e-44, not 0.",
        source='Han and Moraga, "The influence of the sigmoid function parameters on the speed of'
        ' backpropagation learning", 1995.',
        examples=(
            "[0.11920292, 0.5       , 0.7310586 ]",
            "[0.10499358, 0.25      , 0.19661193]",
            "[0.10499358, 0.25      , 0.19661193]",
        ),
    ),
    "tanh": Entry(
        title="Hyperbolic tangent",
        formula="tanh(x)",
        derivative="1/cosh(x)²",
        from_output="1 - y²",
        limits="f(-0.0) = -0.0, f(±inf) = ±1, f'(±inf) = 0; f'(20) is 1.7e-17, not 0.",
        source='LeCun, Bottou, Orr and Müller, "Efficient backprop", 1998.',
        examples=(
            "[-0.9640276,  0.       ,  0.7615942]",
            "[0.07065082, 1.        , 0.41997433]",
            "[0.07065082, 1.        , 0.4199743 ]",
        ),
    ),
    "softplus": Entry(
        title="Softplus",
        formula="log(1 + exp(beta·x))/beta",
        derivative="1/(1 + exp(-beta·x))",
        from_output="1 - exp(-beta·y)",
        limits="f(-inf) = 0, f(inf) = inf, f'(-inf) = 0, f'(inf) = 1.",
        source='Dugas et al., "Incorporating second-order functional knowledge for better option pricing",'
        " 2001.",
        parameters={"beta": "Sharpness of the bend, beta > 0."},
        allowed="beta <= 0 or NaN",
        examples=(
            "[0.12692802, 0.6931472 , 1.3132617 ]",
            "[0.11920292, 0.5       , 0.7310586 ]",
            "[0.11920293, 0.5       , 0.7310586 ]",
        ),
    ),
    "elu": Entry(
        title="Exponential linear unit",
        formula="x if x > 0 else alpha·(exp(x) - 1)",
        derivative="1 if x > 0 else alpha·exp(x)",
        from_output="1 if y > 0 else y + alpha",
        limits="f(-0.0) = -0.0, f(-inf) = -alpha, f(inf) = inf, f'(-inf) = 0.",
        source='Clevert, Unterthiner and Hochreiter, "Fast and accurate deep network learning by exponential'
        ' linear units", 2016.',
        parameters={"alpha": "Minus the value at -inf; any number."},
        output_allowed="alpha < 0 or NaN: then y does not tell the sign of x",
        examples=(
            "[-0.86466473,  0.        ,  1.        ]",
            "[0.13533528, 1.        , 1.        ]",
            "[0.13533527, 1.        , 1.        ]",
        ),
    ),
    "selu": Entry(
        title="Scaled exponential linear unit",
        formula="λ·(x if x > 0 else α·(exp(x) - 1)), λ = 1.0507009873554805, α = 1.6732632423543772",
        derivative="λ if x > 0 else λ·α·exp(x)",
        from_output="λ if y > 0 else y + λ·α",
        limits="f(-0.0) = -0.0, f(-inf) = -λα, f(inf) = inf, f'(-inf) = 0.",
        source='Klambauer et al., "Self-normalizing neural networks", 2017, equation 14.',
        examples=(
            "[-1.5201665,  0.       ,  1.050701 ]",
            "[0.23793288, 1.7580993 , 1.050701  ]",
            "[0.2379328, 1.7580993, 1.050701 ]",
        ),
    ),
    "silu": Entry(
        title="Sigmoid linear unit",
        formula="x·σ(x), σ(x) = 1/(1 + exp(-x))",
        derivative="σ(x)·(1 + x·σ(-x))",
        limits="f(-0.0) = -0.0, f(-inf) = -0.0, f(inf) = inf, f'(-inf) = 0, f'(inf) = 1.",
        source='Elfwing, Uchibe and Doya, "Sigmoid-weighted linear units for neural network function'
        ' approximation in reinforcement learning", 2018.',
        examples=(
            "[-0.23840584,  0.        ,  0.7310586 ]",
            "[-0.09078425,  0.5       ,  0.92767054]",
        ),
    ),
    "gelu": Entry(
        title="Gaussian error linear unit",
        formula="x·Φ(x), Φ the normal distribution function",
        derivative="Φ(x) + x·φ(x), φ the normal density",
        limits="f(-0.0) = f(-inf) = -0.0, f(inf) = inf, f'(-inf) = 0, f'(inf) = 1; f(-13) is -7.95e-38.",
        source='Hendrycks and Gimpel, "Gaussian error linear units", 2016.',
        examples=(
            "[-0.04550026,  0.        ,  0.8413448 ]",
            "[-0.0852318,  0.5      ,  1.0833155]",
        ),
    ),
    "mish": Entry(
        title="Mish",
        formula="x·tanh(log(1 + exp(x)))",
        derivative="tanh(s) + x·σ(x)/cosh(s)², s = log(1 + exp(x))",
        limits="f(-0.0) = -0.0, f(-inf) = -0.0, f(inf) = inf, f'(-inf) = 0, f'(inf) = 1.",
        source='Misra, "Mish: a self regularized non-monotonic activation function", 2019.',
        examples=(
            "[-0.2525015,  0.       ,  0.8650984]",
            "[-0.10835509,  0.6       ,  1.0490363 ]",
        ),
    ),
}

_PASSES = {
    "": ("f(x) = {formula}.", "y", "f(x)"),
    "_backward": ("dL/dx = g·f'(x), f'(x) = {derivative}.", "dx", "g·f'(x)"),
    "_backward_from_output": (
        "dL/dx = g·f'(x) from the output y = f(x), f'(x) = {from_output}.",
        "dx",
        "g·f'(x)",
    ),
}

_ARRAYS = {
    "x": "Input, of any shape.",
    "y": "Output of the forward pass, f(x), of any shape.",
    "g": "Upstream gradient dL/dy; broadcasts against {first}.",
}

_ACCURACY = {
    "": "within 1 ulp of the exact value in float32, 2 ulp in float64, subnormal results included",
    "_backward": "within 1.5 ulp of the exact value in float32, 4.5 ulp in float64, whatever g is; beside a"
    " root of f' the float64 error is at most 2^-52·|g|",
    "_backward_from_output": "that of the formula in y, which cancels where f has nearly reached a limit:"
    " the error there is small beside g, not beside the result. No transcendental is computed again",
}


def _section(title: str, *paragraphs: str) -> str:
    """Return a numpydoc section; a paragraph that starts with spaces describes the one before."""
    wrapped = [
        fill(p.strip(), 88, initial_indent=(i := " " * (len(p) - len(p.lstrip()))), subsequent_indent=i)
        for p in paragraphs
    ]
    return "\n".join(["", title, "-" * len(title), *wrapped])


def docstring(activation: str, suffix: str, parameters: tuple[tuple[str, float], ...]) -> str:
    """Return the numpydoc docstring of one function."""
    entry = ENTRIES[activation]
    summary, result, value = _PASSES[suffix]
    first = "y" if suffix == "_backward_from_output" else "x"
    arrays = [first, "g"] if suffix else ["x"]
    described = []
    for name in arrays:
        described += [f"{name} : array_like, float32 or float64", "    " + _ARRAYS[name].format(first=first)]
    for name, default in parameters:
        described += [
            f"{name} : float or array_like, default {default:g}",
            f"    {entry.parameters[name]} Broadcasts against {first}; its type never changes the result's.",
        ]
    refused = " or ".join(filter(None, [entry.allowed, entry.output_allowed if first == "y" else ""]))
    accuracy = "exact" if entry.exact and first == "x" else _ACCURACY[suffix]
    arguments = f"{first}, np.ones_like(x)" if suffix else "x"
    example = [
        ">>> import numpy as np",
        ">>> import fastact",
        ">>> x = np.array([-2, 0, 1], dtype=np.float32)",
        *([f">>> y = fastact.{activation}(x)"] if first == "y" else []),
        f">>> fastact.{activation}{suffix}({arguments})",
        f"array({entry.examples[list(_PASSES).index(suffix)]}, dtype=float32)",
    ]
    return "\n".join(
        [
            f"{entry.title}: {summary.format_map(vars(entry))}",
            _section(
                "Parameters",
                *described,
                "out, where, casting, order, dtype, subok",
                "    As in NumPy's own ufuncs.",
            ),
            _section(
                "Returns",
                f"{result} : ndarray or scalar",
                f"    {value}, of the broadcast shape and the type of {' and '.join(arrays)};"
                " integers and bool are promoted as `numpy.exp` does.",
            ),
            _section(
                "Raises",
                "TypeError",
                "    For complex and long double input, which have no kernel.",
                "ValueError",
                f"    For shapes that do not broadcast{f', and for {refused}' if refused else ''}.",
            ),
            _section(
                "Notes",
                f"Accuracy: {accuracy}.",
                f"NaN gives NaN, and no floating-point warning is raised. {entry.limits}",
            ),
            _section("References", entry.source),
            "\n".join(["", "Examples", "--------", *example, ""]),
        ]
    )
