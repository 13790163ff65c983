"""The public functions, made from the compiled ufuncs and the catalogue's documentation."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from . import _core
from ._documentation import docstring

Parameters = tuple[tuple[str, float | None], ...]  # names and defaults, None where there is none

# As NumPy's own ufuncs, so that help and completion show it.
KEYWORDS: dict[str, Any] = {
    "where": True,
    "casting": "same_kind",
    "order": "K",
    "dtype": None,
    "subok": True,
}

# A plain function has the fastest call; the parameters' names are its own.
_TEMPLATE = """
def {name}({arrays}, /, {defaults}, out=None, **keywords):
    return _ufunc(*_arguments(keywords, {arrays}, {names}), out=out, **keywords)
"""


def _signature(arrays: tuple[str, ...], parameters: Parameters) -> inspect.Signature:
    kind = inspect.Parameter
    return inspect.Signature(
        [
            *(kind(name, kind.POSITIONAL_ONLY) for name in arrays),
            *(
                kind(name, kind.POSITIONAL_OR_KEYWORD, default=kind.empty if value is None else value)
                for name, value in parameters
            ),
            kind("out", kind.POSITIONAL_OR_KEYWORD, default=None),
            *(kind(name, kind.KEYWORD_ONLY, default=value) for name, value in KEYWORDS.items()),
        ]
    )


def _with_parameters(
    name: str, ufunc: np.ufunc, arrays: tuple[str, ...], parameters: Parameters
) -> Callable[..., Any]:
    names = ", ".join(parameter for parameter, _ in parameters)
    defaults = ", ".join(
        parameter if value is None else f"{parameter}={value!r}" for parameter, value in parameters
    )
    namespace: dict[str, Any] = {"_ufunc": ufunc, "_arguments": getattr(_core, f"{name}_arguments")}
    exec(_TEMPLATE.format(name=name, arrays=", ".join(arrays), names=names, defaults=defaults), namespace)
    function: Callable[..., Any] = namespace[name]
    return function


def build() -> dict[str, Any]:
    """Return every public function by its name."""
    functions = {}
    for activation, parameters, from_output in _core.activations + _core.learnable:
        passes: dict[str, tuple[str, ...]] = {"": ("x",)}
        if (activation, parameters, from_output) not in _core.learnable:
            passes["_backward"] = ("x", "g")
        if from_output:
            passes["_backward_from_output"] = ("y", "g")
        for suffix, arrays in passes.items():
            name = activation + suffix
            function = getattr(_core, name)
            if parameters:
                function = _with_parameters(name, function, arrays, parameters)
            function.__module__ = "fastact"
            function.__qualname__ = name
            function.__signature__ = _signature(arrays, parameters)
            function.__doc__ = docstring(activation, suffix, parameters)
            functions[name] = function
    return functions
