"""Activation functions, forward and backward, as NumPy ufuncs over SIMD kernels.

``fastact.NAME(x)`` is f(x); ``fastact.NAME_backward(x, g)`` is g·f'(x), where g is the gradient of the loss
with respect to the output; ``fastact.NAME_backward_from_output(y, g)``, for functions that have it, takes
y = f(x) instead of x. Parameters follow the arrays and can be given by name. Elementwise functions accept
what NumPy's own ufuncs accept: ``out``, ``where``, ``dtype``, any strides, and any array type that implements
``__array_ufunc__``. Functions of rows (softmax and related functions, maxout, gated units) take ``axis``.
"""

from importlib import import_module as _import_module
from typing import Any as _Any

from . import _core as _core  # first: in a sub-interpreter it says why it cannot be imported
from ._plot import plot
from ._pool import memory_pool
from ._settings import (
    config,
    get_cmake_dir,
    get_include,
    get_library,
    get_num_threads,
    set_num_threads,
    show_config,
)
from .functions import dropout as _dropout
from .functions import elements as _elements
from .functions import norms as _norms
from .functions import rows as _rows
from .functions.by_name import Activation, get, names
from .functions.mixed import Mixed, mixed

__version__ = config()["version"]

_public = _elements.build() | _rows.build() | _norms.build() | _dropout.build()
globals().update(_public)

__all__ = [
    "Activation",
    "Mixed",
    "__version__",
    "check_gradient",
    "config",
    "get",
    "get_cmake_dir",
    "get_include",
    "get_library",
]
__all__ += [
    "get_num_threads",
    "memory_pool",
    "mixed",
    "names",
    "plot",
    "set_num_threads",
    "show_config",
    *_public,
]


_MODULES = ("accuracy", "diagnostics", "initializers")  # imported on first use


def __getattr__(name: str) -> _Any:
    if name in _MODULES:
        return _import_module(f"{__name__}.{name}")
    if name == "check_gradient":
        from ._gradient import check_gradient

        return globals().setdefault(name, check_gradient)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})
