"""Writes the package's stub: ``python tests/stubs.py > python/fastact/__init__.pyi``."""

import fastact

HEAD = """\
# Written by tests/stubs.py, not by hand.
from typing import Any, Literal, TypedDict, TypeVar, Unpack, overload, type_check_only

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ._core import config as config
from ._core import get_num_threads as get_num_threads
from ._core import set_num_threads as set_num_threads

__version__: str
__all__: list[str]

def show_config() -> None: ...
def get_include() -> str: ...
def get_cmake_dir() -> str: ...

_F = TypeVar("_F", bound=np.floating[Any])
_Parameter = float | np.floating[Any] | np.integer[Any] | NDArray[Any]

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


def ufunc_class(name: str, arrays: tuple[str, ...]) -> str:
    call = overloads("__call__", arrays, (), method=True).replace("\n", "\n    ")
    return f"\n@type_check_only\nclass {name}(np.ufunc):  # type: ignore[misc]\n    {call}\n"


def main() -> None:
    print(HEAD + ufunc_class("_Unary", ("x",)) + ufunc_class("_Binary", ("x", "g")))
    for activation, parameters, _ in fastact._core.activations + fastact._core.learnable:
        for suffix in ("", "_backward", "_backward_from_output"):
            if not hasattr(fastact, activation + suffix):
                continue
            if parameters:
                arrays = ("y" if "output" in suffix else "x", *(["g"] if suffix else []))
                print(overloads(activation + suffix, arrays, parameters, method=False))
            else:
                print(f"{activation}{suffix}: {'_Binary' if suffix else '_Unary'}")


if __name__ == "__main__":
    main()
