"""What there is to say of each function of rows and of the learnable parameters' backward passes."""

from dataclasses import dataclass
from inspect import Signature

from ._documentation import _TYPES, _section
from ._documentation import ENTRIES as ACTIVATIONS

SUFFIXES = "", "_backward", "_backward_from_output"


@dataclass(frozen=True)
class Pass:
    """One function: the formula of its summary, how accurate it is, and what its example prints."""

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
    latex: tuple[str, str]  # y, and the gradient; sums have indices here
    refused: str = ""  # what else is a ValueError
    mistyped: str = ""  # what else is a TypeError
    aliases: tuple[str, ...] = ()
    initializer: str = "glorot"  # as in `_documentation`

    @property
    def formula(self) -> str:
        return self.passes[0].formula.removeprefix("y = ")


_WITHIN = (
    "within 2 ulp of the exact value in float32, 4 ulp in float64, 0.51 ulp in half precision, for rows of up"
    " to 2^20 elements"
)
_ROUNDED_ONCE = "sums and softmax are carried with extra digits, and the result is rounded once"
_FROM_OUTPUT = (
    "that of the formula in y, whose own rounding remains: the error is small beside g, not beside the result"
)
_LIMITS = (
    "A row that has a NaN or inf, or nothing but -inf, gives NaN; a single -inf has {}. Finite"
    " elements may be of any size; a row without elements gives an empty result."
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
                "the activation is rounded as fastact's own is, and then its product",
                forward,
            ),
            Pass(
                gradients,
                "the activation and its derivative are rounded as fastact's own are, and then each product",
                backward,
            ),
        ),
        limits=f"The first half of x along axis is a, the second b. NaN gives NaN{limits}.",
        source=source,
        latex=(
            f"y = {y}",
            rf"\frac{{\partial L}}{{\partial a}} = {da}, \quad \frac{{\partial L}}{{\partial b}} = {db}",
        ),
        refused=", and for an odd number of elements along axis",
    )


FAMILIES = {
    "softmax": Family(
        title="Softmax",
        passes=(
            Pass(
                "y = exp(x)/Σ exp(x)",
                _WITHIN,
                "array([[0.0320586 , 0.08714432, 0.23688282, 0.6439143 ],\n"
                "       [0.25      , 0.25      , 0.25      , 0.25      ]], dtype=float32)",
            ),
            Pass(
                "dL/dx = y·(g - Σ g·y), y = softmax(x)",
                f"{_ROUNDED_ONCE}; where g is near Σ g·y, the error is small beside g·y, not the result",
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
                f"{_WITHIN}; a dominant x keeps its tail, -3.8e-44 for the 0 of [0, -100]",
                "array([[-3.4401896, -2.4401896, -1.4401897, -0.4401897],\n"
                "       [-1.3862944, -1.3862944, -1.3862944, -1.3862944]], dtype=float32)",
            ),
            Pass(
                "dL/dx = g - softmax(x)·Σ g",
                _ROUNDED_ONCE,
                "array([[ 0.9679414 , -0.08714432, -0.23688282, -0.6439143 ],\n"
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
                f"{_WITHIN}; beside 0 the error is at most 2^-53 in float32, 2^-52 in float64",
                "array([3.4401896, 2.3862944], dtype=float32)",
            ),
            Pass(
                "dL/dx = g·softmax(x)",
                _ROUNDED_ONCE,
                "array([[0.0320586 , 0.08714432, 0.23688282, 0.6439143 ],\n"
                "       [0.25      , 0.25      , 0.25      , 0.25      ]], dtype=float32)",
            ),
        ),
        latex=(
            r"y = \log \sum_j e^{x_j}",
            r"\frac{\partial L}{\partial x_i} = g \frac{e^{x_i}}{\sum_j e^{x_j}}",
        ),
        limits="NaN gives NaN; forward, a row that has inf gives inf, and one of nothing but -inf, or without"
        " elements, -inf; backward, such rows give NaN.",
        source=_BLANCHARD,
    ),
    "maxout": Family(
        title="Maxout",
        passes=(
            Pass("y = max(x) over the pieces x", "exact", "array([3., 1.], dtype=float32)"),
            Pass(
                "dL/dx = g for the first of the largest pieces x, else 0",
                "exact",
                "array([[0., 0., 0., 1.],\n       [1., 0., 0., 0.]], dtype=float32)",
            ),
        ),
        latex=(
            r"y = \max_j x_j",
            r"\frac{\partial L}{\partial x_i} = \begin{cases}"
            r" g & i = \min \arg\max_j x_j \\ 0 & \text{otherwise} \end{cases}",
        ),
        limits="A row that has a NaN gives NaN.",
        source='Goodfellow et al., "Maxout networks", 2013.',
        refused=", and for no element along axis",
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
        limits=", except that dL/da is 0 where a <= 0, whatever b and g hold",
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
                "loss = -log softmax(logits)[label]", _WITHIN, "array([0.4401897, 1.3862944], dtype=float32)"
            ),
            Pass(
                "dL/dlogits = g·(softmax(logits) - onehot(labels))",
                f"{_ROUNDED_ONCE}; at the label, softmax - 1 comes from the other terms and nothing cancels",
                "array([[ 0.0320586 ,  0.08714432,  0.23688282, -0.35608575],\n"
                "       [-0.75      ,  0.25      ,  0.25      ,  0.25      ]],\n"
                "      dtype=float32)",
            ),
        ),
        latex=(
            r"L = -\log \frac{e^{x_l}}{\sum_j e^{x_j}}, \quad l \text{ the label}",
            r"\frac{\partial L}{\partial x_i} = g \left(\frac{e^{x_i}}{\sum_j e^{x_j}} - [i = l]\right)",
        ),
        limits="Probabilities are not stored on the way. A row that has a NaN or inf, or nothing but -inf,"
        " gives NaN; a label at a single -inf costs inf. Labels of lazy arrays, such as dask's, are not"
        " checked: one out of range costs NaN.",
        source='Bridle, "Training stochastic model recognition algorithms as networks can lead to maximum'
        ' mutual information estimation of parameters", 1990.',
        refused=", and for labels other than 0 <= label < n",
        mistyped=", and for labels that are not integers",
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

# What goes in the place of {}: the array's shape, from the ufunc's signature.
_ARGUMENTS = {
    "x": ("array_like of shape {}, " + _TYPES, "Input; its rows, of n elements, lie along axis."),
    "y": ("array_like of shape {}, " + _TYPES, "Output of the forward pass; its rows lie along axis."),
    "logits": ("array_like of shape {}, " + _TYPES, "Input; its rows, of n classes, lie along axis."),
    "labels": ("array_like of shape {}, integers", "The class of each row, 0 <= label < n."),
    "g": ("array_like of shape {}, " + _TYPES, "Upstream gradient, of the output's shape."),
    "axis": ("int, default -1", "The axis that rows lie along."),
    "keepdims": ("bool, default False", "Whether the output keeps axis, of length 1."),
    "out": ("ndarray, optional", "Where to write the result; may be an input of its shape."),
}
_SHAPES = {"": "(...)", "n": "(..., n)", "m": "(..., n/2)"}
_EXAMPLES = {
    "": "np.ones(2, np.float32)",
    "n": "np.eye(2, 4, dtype=np.float32)",
    "m": "np.ones((2, 2), np.float32)",
}
_UFUNC_KEYWORDS = ("casting, order, dtype, subok", "    As in NumPy's own ufuncs.")


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


def row_docstring(name: str, signature: Signature, core_signature: str) -> str:
    """Return the numpydoc docstring of a function of rows, whose ufunc has the core signature."""
    suffix = next(s for s in reversed(SUFFIXES) if name.endswith(s))
    family = FAMILIES[name.removesuffix(suffix)]
    this = family.passes[SUFFIXES.index(suffix)]
    # "(n),()->(n)" holds one core shape for each array, the result's last
    *cores, result = core_signature.replace("->", ",").removeprefix("(").removesuffix(")").split("),(")
    arrays = [p.name for p in signature.parameters.values() if p.default is p.empty]
    shapes = dict(zip(arrays, cores, strict=True))
    described = []
    for argument in arrays + [a for a in ("axis", "keepdims", "out") if a in signature.parameters]:
        described_type, text = _ARGUMENTS[argument]
        described += [
            f"{argument} : {described_type.format(_SHAPES[shapes.get(argument, '')])}",
            f"    {text}",
        ]
    types = " and ".join(a for a in arrays if a != "labels")
    x = "logits" if "logits" in arrays else "x"
    output = f"d{x}" if suffix else "loss" if "labels" in arrays else "y"
    kind = "ndarray" if result else "ndarray or scalar"
    example = [f">>> {x} = np.array([[0, 1, 2, 3], [1, 1, 1, 1]], dtype=np.float32)"]
    if "y" in arrays:
        example += [f">>> y = fastact.{name.removesuffix(suffix)}(x)"]
    if "labels" in arrays:
        example += [">>> labels = [3, 0]"]
    if "g" in arrays:
        example += [f">>> g = {_EXAMPLES[shapes['g']]}"]
    return _docstring(
        f"{family.title}: {this.formula}.",
        [*described, *_UFUNC_KEYWORDS],
        [
            f"{output} : {kind} of shape {_SHAPES[result]}",
            f"    Of the type of {types}; integers and bool are promoted as `numpy.exp` does.",
        ],
        [
            "TypeError",
            f"    For complex and long double arrays, which have no kernel{family.mistyped}.",
            "ValueError",
            f"    For {arrays[0]} without axes, for shapes that do not agree{family.refused}.",
            "numpy.exceptions.AxisError",
            f"    For an axis that {arrays[0]} does not have.",
        ],
        this.accuracy,
        family.limits,
        family.source,
        [*example, f">>> fastact.{name}({', '.join(arrays)})", this.example],
    )


def learnable_docstring(activation: str, parameter: str, default: float | None) -> str:
    """Return the numpydoc docstring of the backward pass of an activation with a learnable parameter."""
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
            f"    {entry.parameters[parameter]} Broadcasts to x's shape; its type never changes that of dx.",
            "out : tuple of ndarray or None, optional",
            f"    Where to write dx and {gradient}; dx may be x or g.",
        ],
        [
            "dx : ndarray or scalar",
            f"    g·f'(x), f'(x) = {entry.derivative}; of x's shape and the type of x and g.",
            f"{gradient} : ndarray or scalar",
            f"    g·∂f/∂{parameter}, ∂f/∂{parameter} = {derivative}, summed over the axes along which"
            f" {parameter} broadcasts; of {parameter}'s shape and floating-point type, else dx's type.",
        ],
        [
            "TypeError",
            f"    For masked, complex and long double arrays, and complex {parameter}.",
            "ValueError",
            f"    For g of another shape than x, and {parameter} that does not broadcast to that.",
        ],
        "dx is within 1.5 ulp of the exact value in float32, 4.5 ulp in float64, 1 ulp in half precision;"
        f" beside a root of f' the float64 error is at most 2^-52·|g|. The sums of {gradient} are carried as"
        " unevaluated pairs of numbers and rounded at the end; threads do not change their bits",
        "NaN gives NaN.",
        entry.source,
        [
            ">>> x = np.array([[-2, 1], [2, -1]], dtype=np.float32)",
            f">>> {parameter} = np.array([0.25, 0.5], dtype=np.float32)  # one to a column",
            f">>> dx, {gradient} = fastact.{activation}_backward(x, np.ones_like(x), {parameter})",
            ">>> dx",
            dx,
            f">>> {gradient}",
            dparameter,
        ],
    )
