"""The public elementwise functions, built from the compiled ufuncs and their documentation."""

import inspect
from typing import Any

from .. import _core
from ..facts import elements, pairs
from .registry import ELEMENTWISE, OF_TWO, Function

# The keyword arguments of NumPy's own ufuncs, which help and completion show.
KEYWORDS: dict[str, Any] = {
    "where": True,
    "casting": "same_kind",
    "order": "K",
    "dtype": None,
    "subok": True,
}


def _signature(f: Function) -> inspect.Signature:
    kind = inspect.Parameter
    return inspect.Signature(
        [
            *(
                kind(name, kind.POSITIONAL_OR_KEYWORD if f.parameters else kind.POSITIONAL_ONLY)
                for name in f.inputs
            ),
            *(
                kind(name, kind.POSITIONAL_OR_KEYWORD, default=kind.empty if value is None else value)
                for name, value in f.parameters
            ),
            kind("out", kind.POSITIONAL_OR_KEYWORD, default=None if len(f.results) == 1 else (None, None)),
            *(kind(name, kind.KEYWORD_ONLY, default=value) for name, value in KEYWORDS.items()),
        ]
    )


def build() -> dict[str, Any]:
    """Return all elementwise functions by name."""
    functions = {}
    for f in ELEMENTWISE + OF_TWO:
        facts = elements if f.kind == "elements" else pairs
        signature, documentation = _signature(f), facts.docstring(f)
        if f.parameters:
            make = getattr(_core, f"make_{f.name}")
            function = make(f"{f.name}{signature}\n--\n\n{documentation}")
        else:
            function = f.ufunc
            function.__qualname__ = f.name
            function.__signature__ = signature
            function.__doc__ = documentation
        function.__module__ = "fastact"
        functions[f.name] = function
    return functions
