"""The public functions of rows and backward passes of learnable parameters, built from the compiled ones."""

import inspect
from typing import Any

from .. import _core
from ..facts.rows import learnable_docstring, row_docstring
from .containers import call
from .registry import FUNCTIONS, Function

DEFAULTS = {
    "axis": -1,
    "keepdims": False,
    "where": True,
    "weights": None,
    "ignore_label": None,
    "label_smoothing": 0.0,
    "out": None,
}


def _signature(f: Function) -> inspect.Signature:
    kind = inspect.Parameter
    given = {name: default for name, default in f.parameters if default is not None}
    defaults = DEFAULTS | given
    return inspect.Signature(
        [
            kind(
                name,
                kind.KEYWORD_ONLY if name == "out" else kind.POSITIONAL_OR_KEYWORD,
                default=defaults.get(name, kind.empty),
            )
            for name in f.arguments
        ]
    )


def build() -> dict[str, Any]:
    """Return all functions of rows and all backward passes of learnable parameters by name."""
    functions = {}
    for f in (FUNCTIONS[name] for name, *_ in _core.rows):
        documentation = learnable_docstring(f) if f.kind == "learnable" else row_docstring(f)
        make = getattr(_core, f"make_{f.name}")
        functions[f.name] = make(f"{f.name}{_signature(f)}\n--\n\n{documentation}", call)
        functions[f.name].__module__ = "fastact"
    return functions
