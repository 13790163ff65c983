"""The public functions of rows and backward passes of learnable parameters, built from the compiled ones."""

import inspect
from typing import Any

from .. import _core
from ..facts.rows import learnable_docstring, row_docstring
from .containers import call

DEFAULTS = {
    "axis": -1,
    "keepdims": False,
    "where": True,
    "weights": None,
    "ignore_label": None,
    "label_smoothing": 0.0,
    "out": None,
}


def _signature(names: tuple[str, ...], defaults: dict[str, Any]) -> inspect.Signature:
    kind = inspect.Parameter
    return inspect.Signature(
        [
            kind(
                name,
                kind.KEYWORD_ONLY if name == "out" else kind.POSITIONAL_OR_KEYWORD,
                default=defaults.get(name, kind.empty),
            )
            for name in names
        ]
    )


def build() -> dict[str, Any]:
    """Return all functions of rows and all backward passes of learnable parameters by name."""
    learnable = {f"{name}_backward": (name, *parameter) for name, (parameter,), _ in _core.learnable}
    functions = {}
    for name, names, core in _core.rows:
        if name in learnable:
            activation, parameter, default = learnable[name]
            values = {} if default is None else {parameter: default}
            signature = _signature(names, DEFAULTS | values)
            documentation = learnable_docstring(activation, parameter, default)
        else:
            signature = _signature(names, DEFAULTS)
            documentation = row_docstring(name, signature, core)
        make = getattr(_core, f"make_{name}")
        functions[name] = make(f"{name}{signature}\n--\n\n{documentation}", call)
        functions[name].__module__ = "fastact"
    return functions
