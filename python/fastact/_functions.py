"""The public functions, made from the compiled ufuncs and the catalogue's documentation."""

import inspect
from typing import Any

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
            signature, documentation = (
                _signature(arrays, parameters),
                docstring(activation, suffix, parameters),
            )
            if parameters:
                make = getattr(_core, f"make_{name}")
                function = make(f"{name}{signature}\n--\n\n{documentation}")
            else:
                function = getattr(_core, name)
                function.__qualname__ = name
                function.__signature__ = signature
                function.__doc__ = documentation
            function.__module__ = "fastact"
            functions[name] = function
    return functions
