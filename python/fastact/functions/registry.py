"""The registry of all compiled functions, with the activation, the pass and the operands of each.

Code that iterates over functions, or that distinguishes them by their operands, uses this registry instead of
their names.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import fastact

from .. import _core

# The passes, each represented by the suffix of its function names.
FORWARD, BACKWARD, FROM_OUTPUT, WITH_GRADIENT = "", "_backward", "_backward_from_output", "_with_gradient"
SUFFIXES = FORWARD, BACKWARD, FROM_OUTPUT, WITH_GRADIENT

REQUIRED = 0.25  # the value that examples, `verify` and tests use for a parameter without a default

# The activation of each gated unit, and whether it is applied to the second half of a row.
GATES: dict[str, tuple[str, bool]] = {
    "glu": ("sigmoid", True),
    "reglu": ("relu", False),
    "geglu": ("gelu", False),
    "geglu_tanh": ("gelu_tanh", False),
    "swiglu": ("silu", False),
}

# Dropout and its gradient, with the names of their arrays.
DROPOUT: dict[str, str] = {"dropout": "x", "dropout_backward": "g"}

Role = Literal["input", "output", "gradient", "labels", "target", "parameter"]
Kind = Literal["elements", "gate", "loss", "rows", "fused", "learnable"]


@dataclass(frozen=True)
class Operand:
    """One array that a function takes."""

    name: str
    role: Role
    core: str = ""  # its core dimensions, as in the signature of a gufunc; "m" is half of "n"
    default: float | None = None  # the default of a parameter; None if it must be given


@dataclass(frozen=True)
class Function:
    """A public function over one compiled ufunc."""

    forward: str  # the name of the forward pass, which names the activation
    suffix: str
    # "learnable" is a backward pass that also returns the gradient of the parameter, "fused" a function of
    # rows that returns the results of the forward and of the backward pass.
    kind: Kind
    # A gate or a loss is an elementwise function of two arrays.
    operands: tuple[Operand, ...]
    results: tuple[str, ...] = ("",)  # the core dimensions of each result
    options: tuple[str, ...] = ()  # the other arguments of a function of rows, such as axis

    @property
    def name(self) -> str:
        return self.forward + self.suffix

    @property
    def ufunc(self) -> Any:
        return getattr(_core, self.name)

    @property
    def function(self) -> Any:
        return getattr(fastact, self.name)

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """The names of the arrays that precede the parameters."""
        return tuple(operand.name for operand in self.operands if operand.role != "parameter")

    @cached_property
    def parameters(self) -> tuple[tuple[str, float | None], ...]:
        """The names and defaults of the parameters; the default is None if the parameter must be given."""
        return tuple((o.name, o.default) for o in self.operands if o.role == "parameter")

    @property
    def required(self) -> dict[str, float]:
        """Values for the parameters without a default."""
        return {name: REQUIRED for name, default in self.parameters if default is None}

    @property
    def defaults(self) -> tuple[tuple[str, float], ...]:
        """The names and values of the parameters in a call that gives none, including `required`."""
        return tuple((name, REQUIRED if value is None else value) for name, value in self.parameters)

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names of all arguments of a function of rows."""
        return (*(operand.name for operand in self.operands), *self.options)

    @property
    def labels(self) -> int | None:
        """The index of the labels among the operands; None if the function takes no labels."""
        roles = [operand.role for operand in self.operands]
        return roles.index("labels") if "labels" in roles else None

    @property
    def needs_even_rows(self) -> bool:
        """Whether rows are split into halves."""
        return any("m" in core for core in (*(operand.core for operand in self.operands), *self.results))

    def sibling(self, suffix: str) -> "Function":
        """Return another pass of the same activation."""
        return FUNCTIONS[self.forward + suffix]

    def __str__(self) -> str:
        return self.name

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        """Call the public function; parameters without a default may be omitted."""
        required = {} if len(args) > len(self.inputs) else self.required
        return self.function(*args, **(required | keywords))


@dataclass(frozen=True)
class Norm:
    """A public function of a norm."""

    name: str
    arguments: tuple[str, ...]  # the arrays, those shaped like x first
    rows: int  # how many are shaped like x
    required: int  # how many have no default
    results: tuple[str, ...]  # the first is shaped like x, the others like gamma
    eps: float  # the default

    @property
    def forward(self) -> str:
        return split_name(self.name)[0]

    @property
    def suffix(self) -> str:
        return split_name(self.name)[1]

    @property
    def optional(self) -> tuple[str, ...]:
        return self.arguments[self.required :]

    @property
    def of_channels(self) -> bool:
        """Whether each index along axis has its own mean and variance, over the other axes."""
        forward = NORMS[self.forward]
        return "mean" in forward.arguments + forward.results

    @property
    def subtracts_mean(self) -> bool:
        return "beta" in NORMS[self.forward].arguments

    @property
    def is_blockwise(self) -> bool:
        """Whether each row's result depends on that row alone."""
        return len(self.results) == 1

    @property
    def function(self) -> Any:
        return getattr(fastact, self.name)

    def __str__(self) -> str:
        return self.name

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        return self.function(*args, **keywords)


def split_name(name: str) -> tuple[str, str]:
    """Return the name of the forward pass and the suffix."""
    suffix = next(suffix for suffix in reversed(SUFFIXES) if name.endswith(suffix))
    return name.removesuffix(suffix), suffix


def _elementwise() -> list[Function]:
    functions = []
    for activation, parameters, from_output in _core.activations + _core.learnable:
        is_learnable = (activation, parameters, from_output) in _core.learnable
        x, y, g = Operand("x", "input"), Operand("y", "output"), Operand("g", "gradient")
        passes: dict[str, tuple[Operand, ...]] = {FORWARD: (x,)}
        if not is_learnable:
            passes[BACKWARD] = x, g
        if from_output:
            passes[FROM_OUTPUT] = y, g
        given = tuple(Operand(name, "parameter", default=default) for name, default in parameters)
        functions += [
            Function(activation, suffix, "elements", arrays + given) for suffix, arrays in passes.items()
        ]
    return functions


def _of_two_arrays() -> list[Function]:
    x, t, g = Operand("x", "input"), Operand("t", "target"), Operand("g", "gradient")
    a, b = Operand("a", "input"), Operand("b", "input")
    functions = []
    for activation in _core.gates:
        name = f"{activation}_gate"
        functions += [
            Function(name, FORWARD, "gate", (a, b)),
            Function(name, BACKWARD, "gate", (a, b, g), ("", "")),
        ]
    for name, parameters, _ in _core.losses:
        given = tuple(Operand(name, "parameter", default=default) for name, default in parameters)
        functions += [
            Function(name, FORWARD, "loss", (x, t, *given)),
            Function(name, BACKWARD, "loss", (x, t, g, *given)),
        ]
    return functions


# The roles of operands in the signatures of functions of rows, by name; any other name is that of an input.
_ROLES: dict[str, Role] = {"y": "output", "g": "gradient", "labels": "labels", "parameter": "parameter"}


def _of_rows() -> list[Function]:
    """Return the functions of rows and the backward passes of learnable parameters."""
    defaults = {activation: default for activation, ((_, default),), _ in _core.learnable}
    functions = []
    for name, inputs, results, arguments in _core.rows:
        forward, suffix = split_name(name)
        operands = []
        for (operand, core), argument in zip(inputs, arguments, strict=False):
            role = _ROLES.get(operand, "input")
            default = defaults[forward] if role == "parameter" else None
            operands.append(Operand(argument, role, core, default))
        kind: Kind = "learnable" if forward in defaults else "fused" if suffix == WITH_GRADIENT else "rows"
        options = arguments[len(inputs) :]
        functions.append(Function(forward, suffix, kind, tuple(operands), results, options))
    return functions


FUNCTIONS = {
    function.name: function
    for function in [
        *_elementwise(),
        *_of_two_arrays(),
        *_of_rows(),
    ]
}
ELEMENTWISE = [f for f in FUNCTIONS.values() if f.kind == "elements"]
OF_TWO = [f for f in FUNCTIONS.values() if f.kind in ("gate", "loss")]
OF_ROWS = [f for f in FUNCTIONS.values() if f.kind == "rows"]
NORMS = {norm.name: norm for norm in (Norm(*described) for described in _core.norms)}
FUSED = [f for f in FUNCTIONS.values() if f.kind == "fused"]
LEARNABLE = [f for f in FUNCTIONS.values() if f.kind == "learnable"]
