"""The documentation of each activation, as data, from which docstrings, formulas and pages are generated."""

import re
from dataclasses import dataclass, field

from ..functions.registry import BACKWARD, FORWARD, FROM_OUTPUT, SUFFIXES, Function


@dataclass(frozen=True)
class Entry:
    """An activation's documentation; formulas are in x, y = f(x) and the parameters."""

    title: str
    formula: str
    derivative: str
    limits: str
    source: str
    examples: tuple[str, ...]  # the values of f, f', and f' from the output, at -2, 0 and 1 in float32
    from_output: str = ""
    exact: bool = False
    parameters: dict[str, str] = field(default_factory=dict)
    allowed: str = ""
    output_allowed: str = ""
    aliases: tuple[str, ...] = ()
    initializer: str = "glorot"  # the scheme for the weights of its layer: glorot, he or lecun


ENTRIES = {
    "identity": Entry(
        title="Identity",
        aliases=("linear",),
        formula="x",
        derivative="1",
        limits="f(±inf) = ±inf.",
        source="The output layer of a regression network.",
        exact=True,
        examples=("[-2.,  0.,  1.]", "[1., 1., 1.]"),
    ),
    "binary_step": Entry(
        title="Heaviside step",
        aliases=("step", "heaviside"),
        formula="1 if x >= 0 else 0",
        derivative="0",
        limits="f(-inf) = 0, f(inf) = 1; the backward pass gives 0 whatever g is.",
        source='McCulloch and Pitts, "A logical calculus of the ideas immanent in nervous activity", 1943.',
        exact=True,
        examples=("[0., 1., 1.]", "[0., 0., 0.]"),
    ),
    "relu": Entry(
        title="Rectified linear unit",
        initializer="he",
        formula="max(x, 0)",
        derivative="1 if x > 0 else 0",
        from_output="1 if y > 0 else 0",
        limits="f(-0.0) = 0.0, f(inf) = inf; where x <= 0 the backward pass gives 0 whatever g is.",
        source='Nair and Hinton, "Rectified linear units improve restricted Boltzmann machines", 2010.',
        exact=True,
        examples=("[0., 0., 1.]", "[0., 0., 1.]", "[0., 0., 1.]"),
    ),
    "relu6": Entry(
        title="Rectified linear unit capped at 6",
        initializer="he",
        formula="min(max(x, 0), 6)",
        derivative="1 if 0 < x < 6 else 0",
        limits="f(-0.0) = 0.0, f(inf) = 6; where f' = 0 the backward pass gives 0 whatever g is.",
        source='Krizhevsky, "Convolutional deep belief networks on CIFAR-10", 2010.',
        exact=True,
        examples=("[0., 0., 1.]", "[0., 0., 1.]"),
    ),
    "relu_squared": Entry(
        title="Squared rectified linear unit",
        aliases=("squared_relu", "relu2"),
        initializer="he",
        formula="max(x, 0)²",
        derivative="2·max(x, 0)",
        limits="f(-inf) = 0, f(inf) = inf, f'(inf) = inf; where x <= 0 the backward pass gives 0 whatever g"
        " is.",
        source='So et al., "Primer: searching for efficient transformers for language modeling", 2021.',
        examples=("[0., 0., 1.]", "[0., 0., 2.]"),
    ),
    "leaky_relu": Entry(
        title="Leaky rectified linear unit",
        aliases=("lrelu",),
        initializer="he",
        formula="x if x > 0 else negative_slope·x",
        derivative="1 if x > 0 else negative_slope",
        limits="f(-0.0) = -0.0, f(±inf) = ±inf.",
        source='Maas, Hannun and Ng, "Rectifier nonlinearities improve neural network acoustic models",'
        " 2013.",
        parameters={"negative_slope": "Slope for x <= 0; any number."},
        examples=("[-0.02,  0.  ,  1.  ]", "[0.01, 0.01, 1.  ]"),
    ),
    "prelu": Entry(
        title="Parametric rectified linear unit",
        aliases=("parametric_relu",),
        initializer="he",
        formula="x if x > 0 else alpha·x",
        derivative="1 if x > 0 else alpha",
        limits="f(inf) = inf, f(-inf) = -inf with a positive alpha.",
        source='He, Zhang, Ren and Sun, "Delving deep into rectifiers", 2015, equation 1.',
        parameters={"alpha": "Slope for x <= 0, learned; any number."},
        examples=("[-0.5,  0. ,  1. ]",),
    ),
    "threshold": Entry(
        title="Threshold",
        initializer="he",
        formula="x if x > threshold else value",
        derivative="1 if x > threshold else 0",
        limits="f(-inf) = value, f(inf) = inf; where x <= threshold the backward pass gives 0 whatever g is.",
        source='Konda, Memisevic and Krueger, "Zero-bias autoencoders and the benefits of co-adapting'
        ' features", 2015.',
        exact=True,
        parameters={
            "threshold": "The input above which x passes; any number.",
            "value": "The result for all other x; any number.",
        },
        examples=("[0., 0., 1.]", "[0., 0., 1.]"),
    ),
    "sigmoid": Entry(
        title="Logistic function",
        aliases=("logistic", "expit"),
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
    "log_sigmoid": Entry(
        title="Logarithm of the logistic function",
        formula="-log(1 + exp(-x))",
        derivative="1/(1 + exp(x))",
        limits="f(-inf) = -inf, f(inf) = 0, f'(-inf) = 1, f'(inf) = 0; f(100) is -3.8e-44, not 0.",
        source='Mikolov et al., "Distributed representations of words and phrases and their'
        ' compositionality", 2013, equation 4.',
        examples=("[-2.126928 , -0.6931472, -0.3132617]", "[0.8807971 , 0.5       , 0.26894143]"),
    ),
    "hard_sigmoid": Entry(
        title="Hard sigmoid",
        aliases=("h_sigmoid",),
        formula="min(max(slope·x + offset, 0), 1)",
        derivative="slope if 0 < slope·x + offset < 1 else 0",
        limits="f(-inf) = 0, f(inf) = 1 with a positive slope; where f' = 0 the backward pass gives 0"
        " whatever g is. The slope is rounded to the result's type first.",
        source='Courbariaux, Bengio and David, "BinaryConnect: training deep neural networks with binary'
        ' weights during propagations", 2015; slope 1/6: Howard et al., "Searching for MobileNetV3", 2019.',
        parameters={"slope": "Slope between 0 and 1; any number.", "offset": "Value at 0; any number."},
        examples=("[0.16666667, 0.5       , 0.6666667 ]", "[0.16666667, 0.16666667, 0.16666667]"),
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
    "tanh_shrink": Entry(
        title="Hyperbolic tangent shrinkage",
        formula="x - tanh(x)",
        derivative="tanh(x)²",
        limits="f(-0.0) = -0.0, f(±inf) = ±inf, f'(±inf) = 1; near 0, f(x) is x³/3, not 0.",
        source='Collobert, Kavukcuoglu and Farabet, "Torch7: a Matlab-like environment for machine learning",'
        " 2011.",
        examples=("[-1.0359724 ,  0.        ,  0.23840584]", "[0.9293492, 0.       , 0.5800257]"),
    ),
    "hard_tanh": Entry(
        title="Hard hyperbolic tangent",
        formula="min(max(x, min_value), max_value)",
        derivative="1 if min_value < x < max_value else 0",
        limits="f(-0.0) = -0.0, f(-inf) = min_value, f(inf) = max_value; where f' = 0 the backward pass"
        " gives 0 whatever g is.",
        source='Collobert et al., "Natural language processing (almost) from scratch", 2011.',
        exact=True,
        parameters={
            "min_value": "The smallest result, at most max_value.",
            "max_value": "The largest result, at least min_value.",
        },
        allowed="min_value > max_value or one of them is NaN",
        examples=("[-1.,  0.,  1.]", "[0., 1., 0.]"),
    ),
    "softsign": Entry(
        title="Softsign",
        formula="x/(1 + |x|)",
        derivative="1/(1 + |x|)²",
        limits="f(-0.0) = -0.0, f(±inf) = ±1, f'(±inf) = 0.",
        source='Turian, Bergstra and Bengio, "Quadratic features and deep architectures for chunking", 2009.',
        examples=("[-0.6666667,  0.       ,  0.5      ]", "[0.11111111, 1.        , 0.25      ]"),
    ),
    "softplus": Entry(
        title="Softplus",
        initializer="he",
        formula="log(1 + exp(beta·x))/beta",
        derivative="1/(1 + exp(-beta·x))",
        from_output="1 - exp(-beta·y)",
        limits="f(-inf) = 0, f(inf) = inf, f'(-inf) = 0, f'(inf) = 1.",
        source='Dugas et al., "Incorporating second-order functional knowledge for better option pricing",'
        " 2001.",
        parameters={"beta": "Sharpness of the bend, beta > 0."},
        allowed="beta <= 0 or NaN",
        examples=(
            "[0.12692802, 0.6931472 , 1.3132616 ]",
            "[0.11920292, 0.5       , 0.7310586 ]",
            "[0.11920293, 0.5       , 0.73105854]",
        ),
    ),
    "squareplus": Entry(
        title="Squareplus",
        initializer="he",
        formula="(x + √(x² + b))/2",
        derivative="(1 + x/√(x² + b))/2",
        limits="f(-inf) = 0, f(inf) = inf, f'(-inf) = 0, f'(0) = 1/2, f'(inf) = 1; f(-1e4) is 1e-4, not 0.",
        source='Barron, "Squareplus: a softplus-like algebraic rectifier", 2021.',
        parameters={"b": "Width of the bend, b >= 0; f(0) = √b/2."},
        allowed="b < 0 or NaN",
        examples=("[0.41421357, 1.        , 1.618034  ]", "[0.14644662, 0.5       , 0.7236068 ]"),
    ),
    "sparse_plus": Entry(
        title="Sparseplus",
        initializer="he",
        formula="0 if x <= -1 else x if x >= 1 else (x + 1)²/4",
        derivative="0 if x <= -1 else 1 if x >= 1 else (x + 1)/2",
        limits="f(-inf) = 0, f(inf) = inf, f'(inf) = 1; where x <= -1 the backward pass gives 0 whatever g"
        " holds.",
        source='Martins and Astudillo, "From softmax to sparsemax: a sparse model of attention and'
        ' multi-label classification", 2016.',
        examples=("[0.  , 0.25, 1.  ]", "[0. , 0.5, 1. ]"),
    ),
    "softcap": Entry(
        title="Soft cap",
        formula="cap·tanh(x/cap)",
        derivative="1/cosh²(x/cap)",
        limits="f(-0.0) = -0.0, f(±inf) = ±cap, f'(±inf) = 0; an infinite cap leaves x as it is.",
        source='Gemma Team, "Gemma 2: improving open language models at a practical size", 2024, section 2.',
        parameters={"cap": "What |f| stays below, cap > 0."},
        allowed="cap <= 0 or NaN",
        examples=("[-0.24999994,  0.        ,  0.24983232]", "[4.5014059e-07, 1.0000000e+00, 1.3409507e-03]"),
    ),
    "elu": Entry(
        title="Exponential linear unit",
        initializer="he",
        formula="x if x > 0 else alpha·(exp(x) - 1)",
        derivative="1 if x > 0 else alpha·exp(x)",
        from_output="1 if y > 0 else y + alpha",
        limits="f(-0.0) = -0.0, f(-inf) = -alpha, f(inf) = inf, f'(-inf) = 0.",
        source='Clevert, Unterthiner and Hochreiter, "Fast and accurate deep network learning by exponential'
        ' linear units", 2016.',
        parameters={"alpha": "Minus the value at -inf; any number."},
        output_allowed="alpha < 0 or NaN, because then y does not determine the sign of x",
        examples=(
            "[-0.86466473,  0.        ,  1.        ]",
            "[0.13533528, 1.        , 1.        ]",
            "[0.13533527, 1.        , 1.        ]",
        ),
    ),
    "celu": Entry(
        title="Continuously differentiable exponential linear unit",
        initializer="he",
        formula="x if x > 0 else alpha·(exp(x/alpha) - 1)",
        derivative="1 if x > 0 else exp(x/alpha)",
        limits="f(-0.0) = -0.0, f(-inf) = -alpha, f(inf) = inf, f'(-inf) = 0.",
        source='Barron, "Continuously differentiable exponential linear units", 2017.',
        parameters={"alpha": "Minus the value at -inf, alpha > 0."},
        allowed="alpha <= 0 or NaN",
        examples=("[-0.86466473,  0.        ,  1.        ]", "[0.13533528, 1.        , 1.        ]"),
    ),
    "selu": Entry(
        title="Scaled exponential linear unit",
        initializer="lecun",
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
    "exponential": Entry(
        title="Exponential function",
        aliases=("exp",),
        formula="exp(x)",
        derivative="exp(x)",
        from_output="y",
        limits="f(-inf) = 0, f(inf) = inf, and f' has the same limits; f(-100) is 3.8e-44, not 0.",
        source='Nelder and Wedderburn, "Generalized linear models", 1972: the inverse of the logarithmic'
        " link.",
        examples=(
            "[0.13533528, 1.        , 2.7182817 ]",
            "[0.13533528, 1.        , 2.7182817 ]",
            "[0.13533528, 1.        , 2.7182817 ]",
        ),
    ),
    "silu": Entry(
        title="Sigmoid linear unit",
        aliases=("swish1",),
        initializer="he",
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
    "swish": Entry(
        title="Swish",
        initializer="he",
        formula="x·σ(beta·x), σ(x) = 1/(1 + exp(-x))",
        derivative="s·(1 + beta·x·(1 - s)), s = σ(beta·x)",
        limits="With a positive beta f(-inf) = -0.0, f(inf) = inf, f'(-inf) = 0, f'(inf) = 1; f(x) is x/2 for"
        " beta = 0.",
        source='Ramachandran, Zoph and Le, "Searching for activation functions", 2017.',
        parameters={"beta": "Sharpness, learned; any number."},
        examples=("[-0.23840584,  0.        ,  0.7310586 ]",),
    ),
    "quick_gelu": Entry(
        title="Gaussian error linear unit, logistic approximation",
        initializer="he",
        formula="x·σ(1.702·x), σ(x) = 1/(1 + exp(-x))",
        derivative="σ(z)·(1 + z·σ(-z)), z = 1.702·x",
        limits="f(-0.0) = f(-inf) = -0.0, f(inf) = inf, f'(-inf) = 0, f'(inf) = 1.",
        source='Hendrycks and Gimpel, "Gaussian error linear units", 2016.',
        examples=("[-0.06434137,  0.        ,  0.84579575]", "[-0.07381535,  0.5       ,  1.0677797 ]"),
    ),
    "hard_swish": Entry(
        title="Hard swish",
        aliases=("hard_silu", "h_swish"),
        initializer="he",
        formula="x·min(max(x + 3, 0), 6)/6",
        derivative="0 if x <= -3 else 1 if x >= 3 else (2·x + 3)/6",
        limits="f(-0.0) = -0.0, f(-inf) = 0, f(inf) = inf; where x <= -3 the backward pass gives 0 whatever g"
        " is.",
        source='Howard et al., "Searching for MobileNetV3", 2019.',
        examples=("[-0.33333334,  0.        ,  0.6666667 ]", "[-0.16666667,  0.5       ,  0.8333333 ]"),
    ),
    "gelu": Entry(
        title="Gaussian error linear unit",
        initializer="he",
        formula="x·Φ(x), Φ(x) = (1 + erf(x/√2))/2",
        derivative="Φ(x) + x·φ(x), φ(x) = exp(-x²/2)/√(2·π)",
        limits="f(-0.0) = f(-inf) = -0.0, f(inf) = inf, f'(-inf) = 0, f'(inf) = 1; f(-13) is -7.95e-38.",
        source='Hendrycks and Gimpel, "Gaussian error linear units", 2016.',
        examples=(
            "[-0.04550026,  0.        ,  0.8413448 ]",
            "[-0.0852318,  0.5      ,  1.0833155]",
        ),
    ),
    "gelu_tanh": Entry(
        title="Gaussian error linear unit, hyperbolic tangent approximation",
        aliases=("gelu_new", "gelu_fast", "gelu_approximate", "gelu_pytorch_tanh"),
        initializer="he",
        formula="x/2·(1 + tanh(u)), u = √(2/π)·(x + 0.044715·x³)",
        derivative="(1 + tanh(u))/2 + x·u'/(2·cosh(u)²), u' = √(2/π)·(1 + 0.134145·x²)",
        limits="f(-0.0) = f(-inf) = -0.0, f(inf) = inf, f'(-inf) = 0, f'(inf) = 1; f(-10) is"
        " -1.2e-37, not 0.",
        source='Hendrycks and Gimpel, "Gaussian error linear units", 2016.',
        examples=("[-0.04540231,  0.        ,  0.841192  ]", "[-0.08609926,  0.5       ,  1.0829641 ]"),
    ),
    "mish": Entry(
        title="Mish",
        initializer="he",
        formula="x·tanh(log(1 + exp(x)))",
        derivative="tanh(s) + x·σ(x)/cosh(s)², s = log(1 + exp(x))",
        limits="f(-0.0) = -0.0, f(-inf) = -0.0, f(inf) = inf, f'(-inf) = 0, f'(inf) = 1.",
        source='Misra, "Mish: a self regularized non-monotonic activation function", 2019.',
        examples=(
            "[-0.2525015,  0.       ,  0.8650984]",
            "[-0.10835509,  0.6       ,  1.0490363 ]",
        ),
    ),
    "hard_shrink": Entry(
        title="Hard shrinkage",
        formula="x if |x| > lambd else 0",
        derivative="1 if |x| > lambd else 0",
        limits="f(-0.0) = -0.0, f(±inf) = ±inf; where |x| <= lambd the backward pass gives 0 whatever g is.",
        source='Donoho and Johnstone, "Ideal spatial adaptation by wavelet shrinkage", 1994.',
        exact=True,
        parameters={"lambd": "Half the width of the interval on which f is 0, lambd >= 0."},
        allowed="lambd < 0 or NaN",
        examples=("[-2.,  0.,  1.]", "[1., 0., 1.]"),
    ),
    "soft_shrink": Entry(
        title="Soft shrinkage",
        formula="x - lambd if x > lambd else x + lambd if x < -lambd else 0",
        derivative="1 if |x| > lambd else 0",
        limits="f(-0.0) = -0.0, f(±inf) = ±inf; where |x| <= lambd the backward pass gives 0 whatever g is.",
        source='Donoho, "De-noising by soft-thresholding", 1995.',
        parameters={"lambd": "The amount by which |x| is reduced, lambd >= 0."},
        allowed="lambd < 0 or NaN",
        examples=("[-1.5,  0. ,  0.5]", "[1., 0., 1.]"),
    ),
}

# The activations that `get` composes of others.
COMPOSED = {
    "general_relu": Entry(
        title="Rectified linear unit with slope, cap and threshold",
        initializer="he",
        formula="min(x, max_value) if x > threshold else negative_slope·(x - threshold)",
        derivative="0 if x >= max_value else 1 if x > threshold else negative_slope",
        limits="f(inf) = max_value, or inf if that is None.",
        source='Chollet et al., "Keras", 2015, `keras.activations.relu`.',
        parameters={
            "negative_slope": "Slope for x <= threshold, negative_slope >= 0.",
            "max_value": "The largest result, max_value > threshold; None for no limit.",
            "threshold": "The input above which x passes, threshold >= 0.",
        },
        examples=("[0., 0., 1.]", "[0., 0., 1.]"),
    ),
}

_PASSES = {
    FORWARD: ("f(x) = {formula}.", "y", "f(x)"),
    BACKWARD: ("dL/dx = g·f'(x), f'(x) = {derivative}.", "dx", "g·f'(x)"),
    FROM_OUTPUT: (
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

_TYPES = "float16, float32, float64 or ml_dtypes.bfloat16"

_ACCURACY = {
    FORWARD: "within 1 ulp of the exact value in float32, 2 ulp in float64, 0.51 ulp in half precision,"
    " subnormal results included",
    BACKWARD: "within 1.5 ulp of the exact value in float32, 4.5 ulp in float64, 1 ulp in half precision,"
    " whatever g is; near a root of f' the float64 error is at most 2^-52·|g|",
    FROM_OUTPUT: "that of the formula in y, which loses digits by cancellation where f is near a limit;"
    " there the error is small relative to g, not to the result",
}


def _section(title: str, *paragraphs: str) -> str:
    """Return a numpydoc section; an indented paragraph describes the one before it."""
    lines = ["", title, "-" * len(title)]
    for paragraph in paragraphs:
        indent = " " * (len(paragraph) - len(paragraph.lstrip()))
        # This wraps like textwrap in a tenth of the time; `import fastact` builds a hundred docstrings.
        wrapped = re.findall(rf"(\S.{{0,{87 - len(indent)}}})(?:\s+|$)", paragraph)
        lines += [indent + line for line in wrapped]
    return "\n".join(lines)


def docstring(f: Function) -> str:
    """Return the numpydoc docstring of an elementwise function."""
    entry = ENTRIES[f.forward]
    summary, result, value = _PASSES[f.suffix]
    first = f.inputs[0]
    described = []
    for name in f.inputs:
        described += [f"{name} : array_like, {_TYPES}", "    " + _ARRAYS[name].format(first=first)]
    for name, default in f.parameters:
        described += [
            f"{name} : float or array_like" + ("" if default is None else f", default {default:g}"),
            f"    {entry.parameters[name]} Broadcasts against {first}; does not affect the result's type.",
        ]
    refused = " or ".join(filter(None, [entry.allowed, entry.output_allowed if first == "y" else ""]))
    accuracy = "exact" if entry.exact and first == "x" else _ACCURACY[f.suffix]
    # The limits of f(x) are stated in terms of x; they do not apply to a rounded y.
    limits = (
        "Where f(x) has been rounded to a limit, the derivative is the one at the limit."
        if first == "y"
        else entry.limits
    )
    examples = {"g": "np.ones_like(x)"}
    arguments = ", ".join([*(examples.get(name, name) for name in f.inputs), *map(str, f.required.values())])
    example = [
        ">>> import numpy as np",
        ">>> import fastact",
        ">>> x = np.array([-2, 0, 1], dtype=np.float32)",
        *([f">>> y = fastact.{f.forward}(x)"] if first == "y" else []),
        f">>> fastact.{f.name}({arguments})",
        f"array({entry.examples[SUFFIXES.index(f.suffix)]}, dtype=float32)",
    ]
    return "\n".join(
        [
            f"{entry.title}: {summary.format_map(vars(entry))}",
            _section(
                "Parameters",
                *described,
                "out, where, casting, order, dtype, subok",
                "    As for NumPy's own ufuncs.",
            ),
            _section(
                "Returns",
                f"{result} : ndarray or scalar",
                f"    {value}, of the broadcast shape and the type of {' and '.join(f.inputs)};"
                " integers and bool are promoted as `numpy.exp` does.",
            ),
            _section(
                "Raises",
                "TypeError",
                "    If an array is complex or long double.",
                "ValueError",
                f"    If shapes do not broadcast{f', or if {refused}' if refused else ''}.",
            ),
            _section(
                "Notes",
                f"Accuracy: {accuracy}.",
                f"NaN gives NaN, and no floating-point warning is raised. {limits}",
            ),
            _section("References", entry.source),
            "\n".join(["", "Examples", "--------", *example, ""]),
        ]
    )
