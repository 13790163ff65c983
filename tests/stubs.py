"""Write the package's stub: ``python tests/stubs.py > python/fastact/__init__.pyi``."""

import inspect

from fastact.functions.registry import (
    DROPOUT,
    ELEMENTWISE,
    FUSED,
    LEARNABLE,
    NORMS,
    OF_ROWS,
    OF_TWO,
    Function,
    Norm,
)

HEAD = """\
# Written by tests/stubs.py, not by hand.
from collections.abc import Sequence
from typing import Any, Literal, TypedDict, TypeVar, Unpack, overload, type_check_only

import numpy as np
from numpy.typing import DTypeLike, NDArray

from . import accuracy as accuracy
from . import diagnostics as diagnostics
from . import initializers as initializers
from .functions.by_name import Activation as Activation
from .functions.by_name import get as get
from .functions.by_name import names as names
from .functions.mixed import Mixed as Mixed
from .functions.mixed import mixed as mixed
from ._gradient import check_gradient as check_gradient
from ._plot import plot as plot
from ._pool import memory_pool as memory_pool
from ._settings import config as config
from ._settings import get_cmake_dir as get_cmake_dir
from ._settings import get_include as get_include
from ._settings import get_library as get_library
from ._settings import get_num_threads as get_num_threads
from ._settings import set_num_threads as set_num_threads
from ._settings import show_config as show_config

__version__: str
__all__: list[str]

_F = TypeVar("_F", bound=np.floating[Any])
_P = TypeVar("_P", bound=np.floating[Any])
_Parameter = float | np.floating[Any] | np.integer[Any] | NDArray[Any]
_Labels = NDArray[np.integer[Any]] | Sequence[int] | np.integer[Any] | int

@type_check_only
class _Keywords(TypedDict, total=False):
    where: bool | NDArray[np.bool_]
    casting: Literal["no", "equiv", "safe", "same_kind", "unsafe"]
    order: Literal["K", "A", "C", "F"]
    subok: bool

@type_check_only
class _TypeKeywords(_Keywords, total=False):
    dtype: DTypeLike
    signature: str | tuple[DTypeLike, ...]
"""

# What goes in decides what comes out: a type of array, a type of scalar, a Python float. Else the type
# checker is told nothing, as for dtype=, and for the arrays of other libraries, which keep their own type.
CASES = {"NDArray[_F]": "NDArray[_F]", "_F": "_F", "float": "np.float64", "Any": "Any"}
KEYWORDS = {"Any": "**keywords: Unpack[_TypeKeywords]"}
ROW_CASES = "NDArray[_F]", "Any"
# A parameter and its gradient, of the parameter's type; that for a Python number is of the arrays'.
LEARNABLE_CASES = (
    ("NDArray[_F]", "NDArray[_P]", "NDArray[_P]"),
    ("NDArray[_F]", "_P", "_P"),
    ("NDArray[_F]", "float", "_F"),
    ("Any", "Any", "Any"),
)
OUT = {"NDArray[_F]": "out: NDArray[_F] | tuple[NDArray[_F]] | None = None", "Any": "out: Any = None"}


def overloads(
    name: str,
    arrays: tuple[str, ...],
    parameters: tuple[tuple[str, float | None], ...] = (),
    method: bool = False,
) -> str:
    lines = []
    for given, result in CASES.items():
        arguments = [
            *(["self"] if method else []),
            *(f"{array}: {given}" for array in arrays),
            *([] if parameters else ["/"]),
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


ROW_OPTIONS = {
    "axis": "axis: int | tuple[int, ...] | None = -1",
    "keepdims": "keepdims: bool = False",
    "where": "where: bool | NDArray[np.bool_] = True",
    "weights": "weights: NDArray[Any] | Sequence[float] | None = None",
    "ignore_label": "ignore_label: int | None = None",
    "label_smoothing": "label_smoothing: float = 0.0",
}


def row_overloads(f: Function) -> str:
    parameters = inspect.signature(f.function).parameters
    lines = []
    for given in ROW_CASES:
        types = {"labels": f"_Labels | {given}"} if given != "Any" else {}
        arrays = [
            f"{p.name}: {types.get(p.name, given)}" for p in parameters.values() if p.default is p.empty
        ]
        options = [option for p, option in ROW_OPTIONS.items() if p in parameters]
        out, result = OUT[given], given
        if len(f.results) > 1:
            result = f"tuple[{given}, {given}]"
            out = (
                f"out: {'Any' if given == 'Any' else f'tuple[{given} | None, {given} | None] | None'} = None"
            )
        arguments = ", ".join([*arrays, *options, "*", out])
        lines += ["@overload", f"def {f}({arguments}) -> {result}: ..."]
    return "\n".join(lines)


def dropout_overloads(name: str) -> str:
    lines = []
    for given, result in CASES.items():
        arguments = f"{DROPOUT[name]}: {given}, rate: float, seed: int, offset: int = 0, *"
        out = OUT.get(given, "out: None = None")
        lines += ["@overload", f"def {name}({arguments}, {out}) -> {result}: ..."]
    return "\n".join(lines)


def norm_overloads(norm: Norm) -> str:
    lines = []
    for given in ROW_CASES:
        shared = "Any" if given == "Any" else "NDArray[Any] | Sequence[float]"
        arrays = [
            f"{name}: {given if k < norm.rows else shared}"
            for k, name in enumerate(norm.arguments[: norm.required])
        ]
        arrays += [f"{name}: {shared} | None = None" for name in norm.optional]
        others = norm.results[1:]
        kinds = [given, *("Any" if given == "Any" else "NDArray[Any]" for _ in others)]
        result = f"tuple[{', '.join(kinds)}]" if others else given
        out = OUT[given]
        if others and given != "Any":
            out = f"out: tuple[{', '.join(f'{kind} | None' for kind in kinds)}] | None = None"
        options = [ROW_OPTIONS["axis"], f"eps: float = {norm.eps!r}", "*", out]
        lines += ["@overload", f"def {norm}({', '.join([*arrays, *options])}) -> {result}: ..."]
    return "\n".join(lines)


def learnable_overloads(f: Function) -> str:
    ((parameter, default),) = f.parameters
    lines = []
    for given, kind, gradient in LEARNABLE_CASES:
        value = f" = {default!r}" if default is not None and kind in ("float", "Any") else ""
        out = "Any" if given == "Any" else f"tuple[{given} | None, NDArray[Any] | None] | None"
        arguments = f"x: {given}, g: {given}, {parameter}: {kind}{value}, *, out: {out} = None"
        lines += ["@overload", f"def {f}({arguments}) -> tuple[{given}, {gradient}]: ..."]
    return "\n".join(lines)


def gate_gradients_overloads() -> str:
    lines = []
    for given, result in CASES.items():
        out = {"NDArray[_F]": "tuple[NDArray[_F] | None, NDArray[_F] | None] | None", "Any": "Any"}.get(
            given, "None"
        )
        arguments = f"self, a: {given}, b: {given}, g: {given}, /, *, out: {out} = None"
        keywords = KEYWORDS.get(given, "**keywords: Unpack[_Keywords]")
        lines += ["@overload", f"def __call__({arguments}, {keywords}) -> tuple[{result}, {result}]: ..."]
    return "\n".join(lines)


def ufunc_class(name: str, call: str) -> str:
    call = call.replace("\n", "\n    ")
    return f"\n@type_check_only\nclass {name}(np.ufunc):  # type: ignore[misc]\n    {call}\n"


def main() -> None:
    classes = {
        "_Unary": overloads("__call__", ("x",), method=True),
        "_Binary": overloads("__call__", ("x", "g"), method=True),
        "_Gradients": gate_gradients_overloads(),
    }
    print(HEAD + "".join(ufunc_class(name, call) for name, call in classes.items()))
    for f in ELEMENTWISE:
        if f.parameters:
            print(overloads(f.name, f.inputs, f.parameters))
        else:
            print(f"{f}: {'_Binary' if f.suffix else '_Unary'}")
    for f in OF_TWO:
        if f.kind == "loss":
            print(overloads(f.name, f.inputs, f.parameters))
        else:
            print(f"{f}: {'_Gradients' if f.suffix else '_Binary'}")
    for f in OF_ROWS + FUSED:
        print(row_overloads(f))
    for norm in NORMS.values():
        print(norm_overloads(norm))
    for f in LEARNABLE:
        print(learnable_overloads(f))
    for name in DROPOUT:
        print(dropout_overloads(name))


if __name__ == "__main__":
    main()
