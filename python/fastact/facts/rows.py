"""The documentation of functions of rows and of backward passes of learnable parameters, as data."""

from dataclasses import dataclass

from ..functions.registry import FORWARD, SUFFIXES, WITH_GRADIENT, Function
from .elements import _TYPES, _section
from .elements import ENTRIES as ACTIVATIONS


@dataclass(frozen=True)
class Pass:
    """One function: the formula in its summary, its accuracy, and the output of its example."""

    formula: str
    accuracy: str
    example: str


@dataclass(frozen=True)
class Family:
    """A function of rows and its backward passes."""

    title: str
    passes: tuple[Pass, ...]  # in the order of SUFFIXES
    limits: str
    source: str
    latex: tuple[str, str]  # formulas of y and of the gradient, with indices
    refused: str = ""  # further reasons for a ValueError
    mistyped: str = ""  # further reasons for a TypeError
    aliases: tuple[str, ...] = ()
    initializer: str = "glorot"  # as in `elements`
    with_gradient: Pass | None = None  # where one function returns both results

    def of(self, suffix: str) -> Pass:
        fused = self.with_gradient if suffix == WITH_GRADIENT else None
        return fused or self.passes[SUFFIXES.index(suffix)]

    @property
    def formula(self) -> str:
        return self.passes[0].formula.removeprefix("y = ")


_WITHIN = (
    "within 2 ulp of the exact value in float32, 4 ulp in float64, 0.51 ulp in half precision, for rows of up"
    " to 2^20 elements"
)
_ROUNDED_ONCE = "sums and softmax are computed with extra digits, and the result is rounded once"
_FROM_OUTPUT = (
    "that of the formula in y, which inherits the rounding error of y: the error is small relative to g, not"
    " to the result"
)
_LIMITS = (
    "A row that contains a NaN or inf, or only -inf, gives NaN; a single -inf has {}. Finite"
    " elements may be of any size; a row without elements gives an empty result."
)
_SPARSEMAX_GRADIENT = (
    "array([[ 0.  ,  0.  ,  0.  ,  0.  ],\n       [-0.25,  0.75, -0.25, -0.25]], dtype=float32)"
)
_BLANCHARD = (
    'Blanchard, Higham and Higham, "Accurately computing the log-sum-exp and softmax functions", 2021.'
)
_SHAZEER = 'Shazeer, "GLU variants improve transformer", 2020.'


def _gate(
    title: str,
    formula: str,
    gradients: str,
    source: str,
    latex: tuple[str, str, str],  # y, dL/da and dL/db
    *examples: str,
    limits: str = "",
) -> Family:
    forward, backward = examples
    y, da, db = latex
    return Family(
        title=title,
        passes=(
            Pass(
                f"y = {formula} of the halves a, b of x",
                "the activation is rounded like the function of that name, and the product is rounded again",
                forward,
            ),
            Pass(
                gradients,
                "the activation and its derivative are rounded like the functions of that name, and each"
                " product is rounded again",
                backward,
            ),
        ),
        limits=f"The first half of x along axis is a, the second b. NaN gives NaN{limits}.",
        source=source,
        latex=(
            f"y = {y}",
            rf"\frac{{\partial L}}{{\partial a}} = {da}, \quad \frac{{\partial L}}{{\partial b}} = {db}",
        ),
        refused=", or if the number of elements along axis is odd",
    )


FAMILIES: dict[str, Family] = {
    "softmax": Family(
        title="Softmax",
        passes=(
            Pass(
                "y = exp(x)/Σ exp(x)",
                _WITHIN,
                "array([[0.0320586 , 0.08714432, 0.2368828 , 0.6439143 ],\n"
                "       [0.25      , 0.25      , 0.25      , 0.25      ]], dtype=float32)",
            ),
            Pass(
                "dL/dx = y·(g - Σ g·y), y = softmax(x)",
                f"{_ROUNDED_ONCE}; where g is near Σ g·y, the error is small relative to g·y, not to the"
                " result",
                "array([[ 0.03103085, -0.00279373, -0.00759413, -0.02064299],\n"
                "       [-0.0625    ,  0.1875    , -0.0625    , -0.0625    ]],\n"
                "      dtype=float32)",
            ),
            Pass(
                "dL/dx = y·(g - Σ g·y) from the output y",
                _FROM_OUTPUT,
                "array([[ 0.03103085, -0.00279373, -0.00759413, -0.02064299],\n"
                "       [-0.0625    ,  0.1875    , -0.0625    , -0.0625    ]],\n"
                "      dtype=float32)",
            ),
        ),
        latex=(
            r"y_i = \frac{e^{x_i}}{\sum_j e^{x_j}}",
            r"\frac{\partial L}{\partial x_i} = y_i \left(g_i - \sum_j g_j y_j\right)",
        ),
        limits=_LIMITS.format("the probability 0"),
        source='Bridle, "Probabilistic interpretation of feedforward classification network outputs", 1990.',
    ),
    "log_softmax": Family(
        title="Logarithm of softmax",
        passes=(
            Pass(
                "y = x - log Σ exp(x)",
                f"{_WITHIN}; the result for a dominant x is not rounded to 0: it is -3.8e-44 for the 0 in"
                " [0, -100]",
                "array([[-3.4401896, -2.4401896, -1.4401897, -0.4401897],\n"
                "       [-1.3862944, -1.3862944, -1.3862944, -1.3862944]], dtype=float32)",
            ),
            Pass(
                "dL/dx = g - softmax(x)·Σ g",
                _ROUNDED_ONCE,
                "array([[ 0.9679414 , -0.08714432, -0.2368828 , -0.6439143 ],\n"
                "       [-0.25      ,  0.75      , -0.25      , -0.25      ]],\n"
                "      dtype=float32)",
            ),
            Pass(
                "dL/dx = g - exp(y)·Σ g from the output y",
                _FROM_OUTPUT,
                "array([[ 0.9679414 , -0.08714433, -0.2368828 , -0.6439143 ],\n"
                "       [-0.25      ,  0.75      , -0.25      , -0.25      ]],\n"
                "      dtype=float32)",
            ),
        ),
        latex=(
            r"y_i = x_i - \log \sum_j e^{x_j}",
            r"\frac{\partial L}{\partial x_i} = g_i - e^{y_i} \sum_j g_j",
        ),
        limits=_LIMITS.format("the probability 0, the logarithm of which is -inf"),
        source=_BLANCHARD,
    ),
    "logsumexp": Family(
        title="Logarithm of a sum of exponentials",
        passes=(
            Pass(
                "y = log Σ exp(x)",
                f"{_WITHIN}; where the result is near 0, the error is at most 2^-53 in float32, 2^-52 in"
                " float64",
                "array([3.4401896, 2.3862944], dtype=float32)",
            ),
            Pass(
                "dL/dx = g·softmax(x)",
                _ROUNDED_ONCE,
                "array([[0.0320586 , 0.08714432, 0.2368828 , 0.6439143 ],\n"
                "       [0.25      , 0.25      , 0.25      , 0.25      ]], dtype=float32)",
            ),
        ),
        latex=(
            r"y = \log \sum_j e^{x_j}",
            r"\frac{\partial L}{\partial x_i} = g \frac{e^{x_i}}{\sum_j e^{x_j}}",
        ),
        limits="NaN gives NaN. In the forward pass, a row that contains inf gives inf, and a row of only -inf"
        " or without elements gives -inf; in the backward pass, such rows give NaN.",
        source=_BLANCHARD,
    ),
    "sparsemax": Family(
        title="Sparsemax",
        passes=(
            Pass(
                "y = max(x - τ, 0), Σ y = 1",
                f"{_WITHIN}; of results below 2^-25 in float32 and 2^-52 in float64, which are differences of"
                " x and τ, the error is at most 2^-48 and 2^-102",
                "array([[0.  , 0.  , 0.  , 1.  ],\n       [0.25, 0.25, 0.25, 0.25]], dtype=float32)",
            ),
            Pass(
                "dL/dx = g - mean g over the elements where y > 0, else 0, y = sparsemax(x)",
                "the mean is computed with extra digits; the error is at most 3 ulp in float32, 4 ulp in"
                " float64, of abs g + mean abs g",
                _SPARSEMAX_GRADIENT,
            ),
            Pass(
                "dL/dx = g - mean g over the elements where y > 0, else 0, from the output y",
                "that of sparsemax_backward; no error of y matters, since only its sign is used",
                _SPARSEMAX_GRADIENT,
            ),
        ),
        latex=(
            r"y_i = \max(x_i - \tau, 0), \quad \sum_j y_j = 1",
            r"\frac{\partial L}{\partial x_i} = \begin{cases} g_i - \frac{1}{|S|} \sum_{j \in S} g_j"
            r" & i \in S \\ 0 & \text{otherwise} \end{cases}, \quad S = \{j: y_j > 0\}",
        ),
        limits="The result is the point of the probability simplex that is nearest to x; elements far below"
        " the largest are exactly 0. " + _LIMITS.format("the probability 0"),
        source='Martins and Astudillo, "From softmax to sparsemax: a sparse model of attention and'
        ' multi-label classification", 2016.',
    ),
    "maxout": Family(
        title="Maxout",
        passes=(
            Pass("y = max(x) along axis", "exact", "array([3., 1.], dtype=float32)"),
            Pass(
                "dL/dx = g for the first largest x, else 0",
                "exact",
                "array([[0., 0., 0., 1.],\n       [1., 0., 0., 0.]], dtype=float32)",
            ),
        ),
        latex=(
            r"y = \max_j x_j",
            r"\frac{\partial L}{\partial x_i} = \begin{cases}"
            r" g & i = \min \arg\max_j x_j \\ 0 & \text{otherwise} \end{cases}",
        ),
        limits="A row that contains a NaN gives NaN.",
        source='Goodfellow et al., "Maxout networks", 2013.',
        refused=", or if there is no element along axis",
    ),
    "glu": _gate(
        "Gated linear unit",
        "a·σ(b), σ(b) = 1/(1 + exp(-b)),",
        "dL/da = g·σ(b), dL/db = g·a·σ'(b)",
        'Dauphin et al., "Language modeling with gated convolutional networks", 2017.',
        (r"a \sigma(b)", r"g \sigma(b)", r"g a \sigma'(b)"),
        "array([[0.        , 0.95257413],\n       [0.7310586 , 0.7310586 ]], dtype=float32)",
        "array([[0.8807971 , 0.95257413, 0.        , 0.04517666],\n"
        "       [0.7310586 , 0.7310586 , 0.19661193, 0.19661193]], dtype=float32)",
    ),
    "reglu": _gate(
        "Rectified gated linear unit",
        "relu(a)·b",
        "dL/da = g·b·relu'(a), dL/db = g·relu(a)",
        _SHAZEER,
        (r"\operatorname{relu}(a) b", r"g b \operatorname{relu}'(a)", r"g \operatorname{relu}(a)"),
        "array([[0., 3.],\n       [1., 1.]], dtype=float32)",
        "array([[0., 3., 0., 1.],\n       [1., 1., 1., 1.]], dtype=float32)",
        limits=", except that dL/da is 0 where a <= 0, whatever b and g are",
    ),
    "geglu": _gate(
        "Gaussian error gated linear unit",
        "gelu(a)·b",
        "dL/da = g·b·gelu'(a), dL/db = g·gelu(a)",
        _SHAZEER,
        (r"\operatorname{gelu}(a) b", r"g b \operatorname{gelu}'(a)", r"g \operatorname{gelu}(a)"),
        "array([[0.       , 2.5240343],\n       [0.8413448, 0.8413448]], dtype=float32)",
        "array([[1.       , 3.2499464, 0.       , 0.8413448],\n"
        "       [1.0833155, 1.0833155, 0.8413448, 0.8413448]], dtype=float32)",
    ),
    "geglu_tanh": _gate(
        "Gaussian error gated linear unit, tanh approximation",
        "gelu_tanh(a)·b",
        "dL/da = g·b·gelu_tanh'(a), dL/db = g·gelu_tanh(a)",
        _SHAZEER,
        (
            r"\operatorname{gelu\_tanh}(a) b",
            r"g b \operatorname{gelu\_tanh}'(a)",
            r"g \operatorname{gelu\_tanh}(a)",
        ),
        "array([[0.      , 2.523576],\n       [0.841192, 0.841192]], dtype=float32)",
        "array([[1.       , 3.2488923, 0.       , 0.841192 ],\n"
        "       [1.0829641, 1.0829641, 0.841192 , 0.841192 ]], dtype=float32)",
    ),
    "swiglu": _gate(
        "Sigmoid-weighted gated linear unit",
        "silu(a)·b",
        "dL/da = g·b·silu'(a), dL/db = g·silu(a)",
        _SHAZEER,
        (r"\operatorname{silu}(a) b", r"g b \operatorname{silu}'(a)", r"g \operatorname{silu}(a)"),
        "array([[0.       , 2.1931758],\n       [0.7310586, 0.7310586]], dtype=float32)",
        "array([[1.        , 2.7830114 , 0.        , 0.7310586 ],\n"
        "       [0.92767054, 0.92767054, 0.7310586 , 0.7310586 ]], dtype=float32)",
    ),
    "softmax_cross_entropy": Family(
        title="Cross-entropy of softmax",
        passes=(
            Pass(
                "loss = -log softmax(logits)[label]",
                _WITHIN,
                "array([0.4401897, 1.3862944], dtype=float32)\n"
                ">>> fastact.softmax_cross_entropy(logits, [3, -1], ignore_label=-1, label_smoothing=0.1)\n"
                "array([0.5901897, 0.       ], dtype=float32)\n"
                ">>> fastact.softmax_cross_entropy(logits, np.full((2, 4), 0.25), weights=[1, 1, 1, 5])\n"
                "array([2.3803794 , 2.77258872])",
            ),
            Pass(
                "dL/dlogits = g·(softmax(logits) - onehot(labels))",
                f"{_ROUNDED_ONCE}; softmax - 1 at the label is computed from the other terms, without"
                " cancellation",
                "array([[ 0.0320586 ,  0.08714432,  0.2368828 , -0.35608575],\n"
                "       [-0.75      ,  0.25      ,  0.25      ,  0.25      ]],\n"
                "      dtype=float32)",
            ),
        ),
        latex=(
            r"L = -\log \frac{e^{x_l}}{\sum_j e^{x_j}}, \quad l \text{ the label}",
            r"\frac{\partial L}{\partial x_i} = g \left(\frac{e^{x_i}}{\sum_j e^{x_j}} - [i = l]\right)",
        ),
        limits="With labels as probabilities p, which are 1 at an integer label and 0 elsewhere, and with"
        " q = (1 - label_smoothing)·p + label_smoothing/n, the loss is -Σ weights·q·log softmax(logits), and"
        " its gradient g·(softmax(logits)·Σ weights·q - weights·q). Each term is rounded only in its last"
        " digits, and no two terms cancel. A class with weights·q = 0 adds nothing, even where softmax is 0;"
        " any other with a logit of -inf makes the loss inf."
        " No array of probabilities is stored. A row that contains a NaN or inf, or only -inf, gives NaN"
        " unless it is ignored. The labels of dask arrays are checked when they are computed.",
        source='Bridle, "Training stochastic model recognition algorithms as networks can lead to maximum'
        ' mutual information estimation of parameters", 1990.',
        refused=", if a label is not in the range 0 <= label < n, or if an option is not as above",
        mistyped=", or if labels are neither integers nor probabilities",
        with_gradient=Pass(
            "loss = -log softmax(logits)[label], dlogits = softmax(logits) - onehot(labels)",
            "that of `softmax_cross_entropy` and of `softmax_cross_entropy_backward` with g = 1, which give"
            " the same bits; together they cost little more than the latter, as the exponentials are"
            " computed once",
            "array([0.4401897, 1.3862944], dtype=float32)\n>>> dlogits\n"
            "array([[ 0.0320586 ,  0.08714432,  0.2368828 , -0.35608575],\n"
            "       [-0.75      ,  0.25      ,  0.25      ,  0.25      ]],\n"
            "      dtype=float32)",
        ),
    ),
}

_PARAMETER_DERIVATIVES = {
    "prelu": "0 if x > 0 else x",
    "swish": "x²·s·(1 - s), s = σ(beta·x)",
}
_LEARNABLE_EXAMPLES = {
    "prelu": (
        "array([[0.25, 1.  ],\n       [1.  , 0.5 ]], dtype=float32)",
        "array([-2., -1.], dtype=float32)",
    ),
    "swish": (
        "array([[0.26003882, 0.7399612 ],\n       [0.7399612 , 0.26003882]], dtype=float32)",
        "array([1.8800297 , 0.47000742], dtype=float32)",
    ),
}

# The shape of the array, which follows from the ufunc's signature, replaces {}.
_ARGUMENTS = {
    "x": ("array_like of shape {}, " + _TYPES, "Input; its rows of n elements lie along axis."),
    "y": ("array_like of shape {}, " + _TYPES, "Output of the forward pass; its rows lie along axis."),
    "logits": ("array_like of shape {}, " + _TYPES, "Input; its rows of n classes lie along axis."),
    "labels": (
        "array_like of shape {}, integers, or of the logits' shape, floating point",
        "The class of each row, 0 <= label < n, or the probability of each class. Probabilities may have any"
        " sum; the accuracy is stated for numbers of one sign.",
    ),
    "g": ("array_like of shape {}, " + _TYPES, "Upstream gradient, of exactly the output's shape."),
    "axis": (
        "int, tuple of int or None, default -1",
        "The axis along which rows lie. Several axes together form one row, in C order; None means all axes.",
    ),
    "keepdims": ("bool, default False", "Whether the output keeps the reduced axes, with length 1."),
    "where": (
        "bool or array of bool, default True",
        "Mask that broadcasts to the input's shape; elements where it is False are left out, whatever their"
        " values are. In a row without elements, probabilities and gradients are 0, and logarithms -inf.",
    ),
    "weights": (
        "array_like of shape (n,), optional",
        "A weight for each class, 0 <= weight < inf; does not affect the result's type.",
    ),
    "ignore_label": (
        "int, optional",
        "Rows with this label, which may be out of range, have the loss 0 and the gradient 0, whatever their"
        " logits are.",
    ),
    "label_smoothing": (
        "float, default 0.0",
        "The part, from 0 to 1, of the labels' probability that is spread evenly over all classes.",
    ),
    "out": ("ndarray, optional", "Array for the result; may be an input of the same shape."),
    "outs": (
        "tuple of ndarray or None, optional",
        "Arrays for {}, each of which may be an input of the same shape.",
    ),
}
_SHAPES = {"": "(...)", "n": "(..., n)", "m": "(..., n/2)"}
_EXAMPLES = {
    "": "np.ones(2, np.float32)",
    "n": "np.eye(2, 4, dtype=np.float32)",
    "m": "np.ones((2, 2), np.float32)",
}


def _docstring(
    summary: str,
    parameters: list[str],
    returns: list[str],
    raises: list[str],
    accuracy: str,
    limits: str,
    source: str,
    example: list[str],
) -> str:
    imports = [">>> import numpy as np", ">>> import fastact"]
    return "\n".join(
        [
            summary,
            _section("Parameters", *parameters),
            _section("Returns", *returns),
            _section("Raises", *raises),
            _section("Notes", f"Accuracy: {accuracy}.", f"{limits} No floating-point warning is raised."),
            _section("References", source),
            "\n".join(["", "Examples", "--------", *imports, *example, ""]),
        ]
    )


def row_docstring(f: Function) -> str:
    """Return the numpydoc docstring of a function of rows."""
    family = FAMILIES[f.forward]
    this = family.of(f.suffix)
    arrays = f.inputs
    shapes = {operand.name: operand.core for operand in f.operands}
    described = []
    types = " and ".join(a for a in arrays if a != "labels")
    x = "logits" if "logits" in arrays else "x"
    output, gradient = "loss" if "labels" in arrays else "y", f"d{x}"
    outputs = {FORWARD: [output], WITH_GRADIENT: [output, gradient]}.get(f.suffix, [gradient])
    for argument in f.arguments:
        described_type, text = _ARGUMENTS["outs" if argument == "out" and outputs[1:] else argument]
        described += [
            f"{argument} : {described_type.format(_SHAPES[shapes.get(argument, '')])}",
            f"    {text.format(' and '.join(outputs))}",
        ]
    returned = []
    for returns, core in zip(outputs, f.results, strict=True):
        kind = "ndarray" if core else "ndarray or scalar"
        returned += [f"{returns} : {kind} of shape {_SHAPES[core]}"]
        if returns == outputs[-1]:
            what = "The results are" if outputs[1:] else "The result,"
            returned += [
                f"    {what} of the type of {types}; integers and bool are promoted as `numpy.exp` does."
            ]
    example = [f">>> {x} = np.array([[0, 1, 2, 3], [1, 1, 1, 1]], dtype=np.float32)"]
    if "y" in arrays:
        example += [f">>> y = fastact.{f.forward}(x)"]
    if "labels" in arrays:
        example += [">>> labels = [3, 0]"]
    if "g" in arrays:
        example += [f">>> g = {_EXAMPLES[shapes['g']]}"]
    call = [f">>> fastact.{f}({', '.join(arrays)})"]
    if outputs[1:]:
        call = [call[0].replace(">>> ", f">>> {', '.join(outputs)} = "), f">>> {output}"]
    return _docstring(
        f"{family.title}: {this.formula}.",
        described,
        returned,
        [
            "TypeError",
            f"    If an array is complex, long double, masked or an xarray object{family.mistyped}.",
            "ValueError",
            f"    If shapes do not match (arrays are not broadcast){family.refused}.",
            "numpy.exceptions.AxisError",
            f"    If {arrays[0]} does not have the axis.",
        ],
        this.accuracy,
        family.limits,
        family.source,
        [*example, *call, this.example],
    )


def learnable_docstring(f: Function) -> str:
    """Return the numpydoc docstring of the backward pass of an activation with a learnable parameter."""
    activation, ((parameter, default),) = f.forward, f.parameters
    entry, derivative = ACTIVATIONS[activation], _PARAMETER_DERIVATIVES[activation]
    dx, dparameter = _LEARNABLE_EXAMPLES[activation]
    gradient = f"d{parameter}"
    return _docstring(
        f"{entry.title}: dL/dx = g·f'(x) and dL/d{parameter} = Σ g·∂f/∂{parameter}.",
        [
            f"x : array_like, {_TYPES}",
            "    Input, of any shape.",
            f"g : array_like, {_TYPES}",
            "    Upstream gradient dL/dy, of x's shape.",
            f"{parameter} : float or array_like" + ("" if default is None else f", default {default:g}"),
            f"    {entry.parameters[parameter]} Broadcasts to x's shape; does not affect the type of dx.",
            "out : tuple of ndarray or None, optional",
            f"    Arrays for dx and {gradient}; the array for dx may be x or g.",
        ],
        [
            "dx : ndarray or scalar",
            f"    g·f'(x), f'(x) = {entry.derivative}, with x's shape and the type of x and g.",
            f"{gradient} : ndarray or scalar",
            f"    g·∂f/∂{parameter}, ∂f/∂{parameter} = {derivative}, summed over the axes along which"
            f" {parameter} broadcasts. It has {parameter}'s shape and, if that is a floating-point type,"
            f" {parameter}'s type; otherwise it has the type of dx.",
        ],
        [
            "TypeError",
            f"    If x or g is complex, long double, masked or an xarray object, or {parameter} is complex.",
            "ValueError",
            f"    If g does not have x's shape, or if {parameter} does not broadcast to this shape.",
        ],
        "dx is within 1.5 ulp of the exact value in float32, 4.5 ulp in float64, 1 ulp in half precision;"
        f" near a root of f' the float64 error is at most 2^-52·|g|. The sums of {gradient} are represented"
        " by pairs of numbers and rounded at the end; the number of threads does not change their bits",
        "NaN gives NaN.",
        entry.source,
        [
            ">>> x = np.array([[-2, 1], [2, -1]], dtype=np.float32)",
            f">>> {parameter} = np.array([0.25, 0.5], dtype=np.float32)  # one for each column",
            f">>> dx, {gradient} = fastact.{activation}_backward(x, np.ones_like(x), {parameter})",
            ">>> dx",
            dx,
            f">>> {gradient}",
            dparameter,
        ],
    )
