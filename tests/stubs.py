"""Writes the package's stub: ``python tests/stubs.py > python/fastact/__init__.pyi``."""

import inspect

import fastact
import numpy as np
from fastact._core import activations, learnable
from fastact._row_documentation import FAMILIES, SUFFIXES

HEAD = """\
# Written by tests/stubs.py, not by hand.
from collections.abc import Sequence
from typing import Any, Literal, TypedDict, TypeVar, Unpack, overload, type_check_only

import numpy as np
from numpy.typing import DTypeLike, NDArray

from . import diagnostics as diagnostics
from . import initializers as initializers
from ._choose import Activation as Activation
from ._choose import get as get
from ._choose import names as names
from ._core import config as config
from ._core import get_num_threads as get_num_threads
from ._core import set_num_threads as set_num_threads
from ._plot import plot as plot
from ._pool import memory_pool as memory_pool

__version__: str
__all__: list[str]

def show_config() -> None: ...
def get_include() -> str: ...
def get_cmake_dir() -> str: ...

_F = TypeVar("_F", bound=np.floating[Any])
_P = TypeVar("_P", bound=np.floating[Any])
_Parameter = float | np.floating[Any] | np.integer[Any] | NDArray[Any]
_Labels = NDArray[np.integer[Any]] | Sequence[int] | np.integer[Any] | int

@type_check_only
class _RowKeywords(TypedDict, total=False):
    casting: Literal["no", "equiv", "safe", "same_kind", "unsafe"]
    order: Literal["K", "A", "C", "F"]
    subok: bool

@type_check_only
class _RowTypeKeywords(_RowKeywords, total=False):
    dtype: DTypeLike
    signature: str | tuple[DTypeLike, ...]

@type_check_only
class _Keywords(_RowKeywords, total=False):
    where: bool | NDArray[np.bool_]

@type_check_only
class _TypeKeywords(_RowTypeKeywords, total=False):
    where: bool | NDArray[np.bool_]
"""

# What goes in decides what comes out: a type of array, a type of scalar, a Python float. Else the type
# checker is told nothing, as for dtype=, and for the arrays of other libraries, which keep their own type.
CASES = {"NDArray[_F]": "NDArray[_F]", "_F": "_F", "float": "np.float64", "Any": "Any"}
KEYWORDS = {"Any": "**keywords: Unpack[_TypeKeywords]"}
ROW_CASES = {"NDArray[_F]": "**keywords: Unpack[_RowKeywords]", "Any": "**keywords: Unpack[_RowTypeKeywords]"}
# A parameter and its gradient, of the parameter's type; that for a Python number is of the arrays'.
LEARNABLE_CASES = (
    ("NDArray[_F]", "NDArray[_P]", "NDArray[_P]"),
    ("NDArray[_F]", "_P", "_P"),
    ("NDArray[_F]", "float", "_F"),
    ("Any", "Any", "Any"),
)
OUT = {"NDArray[_F]": "out: NDArray[_F] | tuple[NDArray[_F]] | None = None", "Any": "out: Any = None"}


def overloads(
    name: str, arrays: tuple[str, ...], parameters: tuple[tuple[str, float | None], ...], method: bool
) -> str:
    lines = []
    for given, result in CASES.items():
        arguments = [
            *(["self"] if method else []),
            *(f"{array}: {given}" for array in arrays),
            "/",
            *(
                f"{parameter}: {'Any' if given == 'Any' else '_Parameter'}"
                + ("" if value is None else f" = {value!r}")
                for parameter, value in parameters
            ),
            OUT.get(given, "out: None = None"),
            KEYWORDS.get(given, "**keywords: Unpack[_Keywords]"),
        ]
        lines += ["@overload", f"def {name}({', '.join(arguments)}) -> {result}: ..."]
    return "\n".join(lines)


def row_overloads(name: str, method: bool = False) -> str:
    parameters = inspect.signature(getattr(fastact, name)).parameters
    lines = []
    for given, keywords in ROW_CASES.items():
        types = {"labels": "_Labels"} if given != "Any" else {}
        arrays = [
            f"{p.name}: {types.get(p.name, given)}" for p in parameters.values() if p.default is p.empty
        ]
        keepdims = ["keepdims: bool = False"] if "keepdims" in parameters else []
        if method:
            arguments = ["self", *arrays, "/", OUT[given], "*", "axis: int = -1", keywords]
        else:
            arguments = [*arrays, "axis: int = -1", *keepdims, OUT[given], keywords]
        lines += [
            "@overload",
            f"def {'__call__' if method else name}({', '.join(arguments)}) -> {given}: ...",
        ]
    return "\n".join(lines)


def learnable_overloads(name: str, parameter: str, default: float | None) -> str:
    lines = []
    for given, kind, gradient in LEARNABLE_CASES:
        value = f" = {default!r}" if default is not None and kind in ("float", "Any") else ""
        out = "Any" if given == "Any" else f"tuple[{given} | None, NDArray[Any] | None] | None"
        arguments = f"x: {given}, g: {given}, {parameter}: {kind}{value}, out: {out} = None"
        lines += ["@overload", f"def {name}({arguments}) -> tuple[{given}, {gradient}]: ..."]
    return "\n".join(lines)


def ufunc_class(name: str, call: str) -> str:
    call = call.replace("\n", "\n    ")
    return f"\n@type_check_only\nclass {name}(np.ufunc):  # type: ignore[misc]\n    {call}\n"


def main() -> None:
    classes = {
        "_Unary": overloads("__call__", ("x",), (), method=True),
        "_Binary": overloads("__call__", ("x", "g"), (), method=True),
        "_Rows": row_overloads("softmax", method=True),
        "_RowsBackward": row_overloads("softmax_backward", method=True),
    }
    print(HEAD + "".join(ufunc_class(name, call) for name, call in classes.items()))
    for activation, parameters, from_output in activations + learnable:
        passes = ["", "_backward"] if (activation, parameters, from_output) in activations else [""]
        for suffix in passes + ["_backward_from_output"] * from_output:
            if parameters:
                arrays = ("y" if "output" in suffix else "x", *(["g"] if suffix else []))
                print(overloads(activation + suffix, arrays, parameters, method=False))
            else:
                print(f"{activation}{suffix}: {'_Binary' if suffix else '_Unary'}")
    for family, entry in FAMILIES.items():
        for suffix, _ in zip(SUFFIXES, entry.passes, strict=False):
            if isinstance(getattr(fastact, family + suffix), np.ufunc):
                print(f"{family}{suffix}: {'_RowsBackward' if suffix else '_Rows'}")
            else:
                print(row_overloads(family + suffix))
    for activation, ((parameter, default),), _ in learnable:
        print(learnable_overloads(f"{activation}_backward", parameter, default))


if __name__ == "__main__":
    main()
