"""Activation functions, forward and backward, as NumPy ufuncs over SIMD kernels.

``fastact.NAME(x)`` is f(x); ``fastact.NAME_backward(x, g)`` is g·f'(x), where g is the gradient of the loss
with respect to the output; ``fastact.NAME_backward_from_output(y, g)``, for functions that have it, takes
y = f(x) instead of x. Parameters follow the arrays and can be given by name. Elementwise functions accept
what NumPy's own ufuncs accept: ``out``, ``where``, ``dtype``, any strides, and any array type that implements
``__array_ufunc__``. Functions of rows (softmax and related functions, maxout, gated units) take ``axis``.
"""

from importlib import import_module as _import_module
from pathlib import Path as _Path
from typing import Any as _Any

from . import _core
from ._core import config, get_num_threads, set_num_threads
from ._plot import plot
from ._pool import memory_pool
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


def show_config() -> None:
    """Print version, compiler, instruction sets, threads, and the size from which stores bypass caches."""
    for key, value in config().items():
        print(f"{key:10}{', '.join(value) if isinstance(value, tuple) else value}")


def get_include() -> str:
    """Return the folder to add to a C++ compiler's include path."""
    return str(_Path(__file__).parent / "include")


def get_library() -> str:
    """Return the path of the shared library that exports the functions of ``fastact/fastact.h``."""
    return str(_core.__file__)


def get_cmake_dir() -> str:
    """Return the folder for CMake's ``fastact_DIR``, in which ``find_package(fastact CONFIG)`` looks."""
    return str(_Path(__file__).parent / "lib" / "cmake" / "fastact")


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
