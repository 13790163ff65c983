"""Activation functions, forward and backward, as NumPy ufuncs over SIMD kernels.

``fastact.NAME(x)`` is f(x); ``fastact.NAME_backward(x, g)`` is g·f'(x), where g is the gradient of the loss
with respect to the output; ``fastact.NAME_backward_from_output(y, g)``, where there is one, takes y = f(x) in
place of x. Functions with parameters take them by name, after the arrays. All accept what NumPy's own ufuncs
do: ``out``, ``where``, ``dtype``, any strides, any array type that implements ``__array_ufunc__``. Functions
of rows (softmax and its kin, maxout, gated units) have ``axis`` in the place of ``where``.
"""

from importlib import import_module as _import_module
from pathlib import Path as _Path
from types import ModuleType as _ModuleType

from . import _functions, _rows
from ._choose import Activation, get, names
from ._core import config, get_num_threads, set_num_threads
from ._plot import plot
from ._pool import memory_pool

__version__ = config()["version"]

_public = _functions.build() | _rows.build()
globals().update(_public)

__all__ = ["Activation", "__version__", "config", "get", "get_cmake_dir", "get_include", "get_num_threads"]
__all__ += ["memory_pool", "names", "plot", "set_num_threads", "show_config", *_public]


def show_config() -> None:
    """Print version, compiler, instruction sets, threads, and the bytes from which outputs bypass caches."""
    for key, value in config().items():
        print(f"{key:10}{', '.join(value) if isinstance(value, tuple) else value}")


def get_include() -> str:
    """Return the folder to add to a C++ compiler's include path."""
    return str(_Path(__file__).parent / "include")


def get_cmake_dir() -> str:
    """Return the folder for CMake's ``fastact_DIR``, where ``find_package(fastact CONFIG)`` looks."""
    return str(_Path(__file__).parent / "lib" / "cmake" / "fastact")


def __getattr__(name: str) -> _ModuleType:
    if name in ("diagnostics", "initializers"):  # loaded when first asked for
        return _import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
