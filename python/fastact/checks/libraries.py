"""The functions to measure: those of fastact and other libraries, and a user's function."""

import ctypes
import hashlib
import inspect
import os
import sys
from collections.abc import Callable, Sequence
from functools import cache, partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, files, version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import fastact

from .. import _core
from ..facts.expressions import CONSTANTS, EXPRESSIONS, ROWS, by_pass
from ..functions import registry
from . import reference, row_reference
from .figures import DERIVATIVE, FORWARD, FROM_OUTPUT, GRADIENT

Implementation = Callable[..., Any]  # takes the arrays of its pass, and parameters

PASSES = {FORWARD: registry.FORWARD, GRADIENT: registry.BACKWARD, FROM_OUTPUT: registry.FROM_OUTPUT}


class Of(NamedTuple):
    """A user's function, which implements one pass of an activation."""

    path: str  # module:function
    name: str
    kind: str


class Library(NamedTuple):
    title: str  # with all versions on which the results depend
    functions: Callable[[str], dict[str, Implementation]]  # the functions of an activation, by pass


Source = str | Of | None


@cache
def library(source: Source) -> Library:
    """Return the library with this name, fastact for None, or a library that has only the user's function."""
    if isinstance(source, Of):
        return users(source)
    return MAKERS[source]() if source else ours()


def digest(*modules: Any) -> str:
    """Return a short hash of the files of the modules."""
    contents = (Path(module.__file__).read_bytes() for module in modules if getattr(module, "__file__", None))
    return hashlib.sha256(b"".join(contents)).hexdigest()[:8]


def ours() -> Library:
    def functions(name: str) -> dict[str, Implementation]:
        passes = {kind: registry.FUNCTIONS.get(name + suffix) for kind, suffix in PASSES.items()}
        found: dict[str, Implementation] = {kind: function for kind, function in passes.items() if function}
        if registry.FUNCTIONS[name].kind == "elements":
            found.pop(FROM_OUTPUT, None)
            found = {FORWARD: found[FORWARD], DERIVATIVE: found[GRADIENT], GRADIENT: found[GRADIENT]}
        return found

    build = digest(_core, reference, row_reference)
    return Library(f"fastact {fastact.__version__}, {fastact.config()['isa']}, build {build}", functions)


def users(of: Of) -> Library:
    module, _, path = of.path.partition(":")
    if "" not in sys.path:
        sys.path.insert(0, "")  # the current directory, where the user's module may be
    try:
        function: Any = import_module(module)
        for attribute in path.split("."):
            function = getattr(function, attribute)
    except (AttributeError, ImportError, ValueError) as problem:
        raise ValueError(f"it cannot be imported: {problem}") from problem
    build = digest(inspect.getmodule(function) or sys.modules[module], sys.modules[module], reference)
    return Library(f"{of.path} as {of.name}, build {build}", lambda name: {of.kind: function})


def written(name: str, library: str) -> Sequence[str]:
    """Return the expressions that users of the library write for the passes of the function, if any.

    SciPy has expressions of its own; without one, it has those expressions of NumPy that call SciPy.
    """
    by_library = EXPRESSIONS.get(name) or ROWS.get(name) or {}
    if library == "SciPy" and library not in by_library:
        return [e for e in by_library.get("NumPy", [])[:1] if "special." in e or "erf(" in e]
    return by_library.get(library, ())


def called(expression: str, names: dict[str, Any]) -> Implementation:
    """Return the expression as a function of x and, as keyword arguments, g or labels; axis is -1."""
    code, scope = compile(expression, expression, "eval"), {**names, **CONSTANTS, "axis": -1}

    def function(x: Any, **arrays: Any) -> Any:
        half = x.shape[-1] // 2 if x.ndim else 0
        halves = {"a": x[..., :half], "b": x[..., half:]} if half else {}
        if (labels := arrays.get("labels")) is not None:
            halves["indices"] = labels[..., None]
        return eval(code, scope | {"x": x} | halves | arrays)

    return function


def kinds(name: str) -> tuple[str, str]:
    """Return which passes of other libraries are measured."""
    return (FORWARD, DERIVATIVE) if registry.FUNCTIONS[name].kind == "elements" else (FORWARD, GRADIENT)


def torch() -> Library:
    torch = import_module("torch")
    torch.set_num_threads(1)
    names = {"torch": torch, "F": torch.nn.functional, "aten": torch.ops.aten}

    def tensor(a: NDArray[Any]) -> Any:
        if a.dtype.kind in "iuf":
            return torch.from_numpy(a.astype(np.int64) if a.dtype.kind in "iu" else a)
        return torch.from_numpy(a.view(np.int16)).view(torch.bfloat16)  # from_numpy does not accept bfloat16

    def array(tensor: Any) -> NDArray[Any]:
        if tensor.dtype == torch.bfloat16:
            return np.asarray(tensor.view(torch.int16).numpy().view("bfloat16"))
        return np.asarray(tensor.numpy())

    def functions(name: str) -> dict[str, Implementation]:
        if not (expressions := written(name, "torch")):
            return {}
        f = called(expressions[0], names)

        def value(x: Any, *labels: Any) -> Any:
            weight = torch.full((1,), registry.REQUIRED, dtype=x.dtype)
            return f(x, weight=weight, **dict(zip(["labels"], labels, strict=False)))

        def gradient(x: NDArray[Any], *others: NDArray[Any]) -> NDArray[Any]:
            leaf = tensor(x).requires_grad_()
            *labels, g = map(tensor, others)
            y = value(leaf, *labels)
            if not y.requires_grad:  # the result is a comparison, whose derivative is zero
                return np.zeros_like(x)
            return array(torch.autograd.grad(y, leaf, g)[0])

        return dict(zip(kinds(name), (lambda *a: array(value(*map(tensor, a))), gradient), strict=True))

    return Library(f"torch {torch.__version__}", functions)


def jax() -> Library:
    jax = import_module("jax")
    names = {"nn": jax.nn, "jnp": jax.numpy}

    def functions(name: str) -> dict[str, Implementation]:
        if not (expressions := written(name, "JAX")):
            return {}
        f = called(expressions[0], names)

        def value(x: Any, *labels: Any) -> Any:
            return f(x, **dict(zip(["labels"], labels, strict=False)))

        def gradient(x: Any, *others: Any) -> Any:
            *labels, g = others
            return jax.vjp(lambda x: value(x, *labels), x)[1](g)[0]

        def plainly(function: Implementation) -> Implementation:
            compiled = jax.jit(function)
            return lambda *arrays: np.asarray(compiled(*arrays))

        return dict(zip(kinds(name), map(plainly, (value, gradient)), strict=True))

    return Library(f"jax {jax.__version__}", functions)


def expressions_of_numpy(title: str, library: str, names: dict[str, Any]) -> Library:
    """Return a library whose expressions take NumPy arrays."""

    def functions(name: str) -> dict[str, Implementation]:
        by_name = by_pass(*written(name, library)) if written(name, library) else {}
        inputs = [operand.name for operand in registry.FUNCTIONS[name].operands if operand.role == "labels"]

        def silent(expression: str, others: list[str]) -> Implementation:
            f = called(expression, names)

            def function(x: NDArray[Any], *arrays: NDArray[Any]) -> Any:
                with np.errstate(all="ignore"):
                    return f(x, **dict(zip(others, arrays, strict=True)))

            return function

        forward, backward = kinds(name)
        found = {}
        if "forward" in by_name:
            found[forward] = silent(by_name["forward"], inputs)
        if "backward" in by_name:
            found[backward] = silent(by_name["backward"], [*inputs, "g"])
        return found

    return Library(title, functions)


def special_functions() -> dict[str, Any]:
    special = import_module("scipy.special")
    return {"np": np, "special": special, "erf": special.erf}


class VML:
    """The vector functions of Intel's MKL by their names without the type: ``vml.Tanh(x)``."""

    def __init__(self) -> None:
        try:
            found = [Path(str(file.locate())) for file in files("mkl") or () if "mkl_rt" in file.name]
        except PackageNotFoundError as missing:
            raise ModuleNotFoundError("No module named 'mkl'", name="mkl") from missing
        os.environ.setdefault("MKL_THREADING_LAYER", "SEQUENTIAL")
        self._library = ctypes.CDLL(str(found[0].resolve()))

    def __getattr__(self, name: str) -> Callable[[NDArray[Any]], NDArray[Any]]:
        return partial(self._call, name)

    def _call(self, name: str, x: NDArray[Any]) -> NDArray[Any]:
        function = getattr(self._library, f"v{ {'f': 's', 'd': 'd'}[x.dtype.char] }{name}")
        x = np.ascontiguousarray(x)
        y = np.empty_like(x)
        function(ctypes.c_int(x.size), ctypes.c_void_p(x.ctypes.data), ctypes.c_void_p(y.ctypes.data))
        return y


def numpy() -> Library:
    title = f"numpy {np.__version__} with scipy {version('scipy')}"
    return expressions_of_numpy(title, "NumPy", special_functions())


def scipy() -> Library:
    return expressions_of_numpy(f"scipy {version('scipy')}", "SciPy", special_functions())


def mkl() -> Library:
    vml = VML()
    return expressions_of_numpy(f"mkl {version('mkl')}", "VML", {"np": np, "vml": vml})


MAKERS = {"torch": torch, "jax": jax, "numpy": numpy, "scipy": scipy, "mkl": mkl}
