"""The public norms, built from the compiled ones, and their calls with arrays of other libraries."""

import inspect
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

import fastact

from .. import _core
from ..facts.norms import docstring
from .registry import NORMS, Norm


def _signature(norm: Norm) -> inspect.Signature:
    kind = inspect.Parameter
    defaults = dict.fromkeys(norm.optional) | {"axis": -1, "eps": norm.eps, "out": None}
    return inspect.Signature(
        [
            kind(
                name,
                kind.KEYWORD_ONLY if name == "out" else kind.POSITIONAL_OR_KEYWORD,
                default=defaults.get(name, kind.empty),
            )
            for name in (*norm.arguments, "axis", "eps", "out")
        ]
    )


# Computes calls with arrays of a class: autograd's.
TRACED: dict[type, Callable[[Norm, dict[str, Any]], Any]] = {}


def build() -> dict[str, Any]:
    """Return all norms by name."""
    functions = {}
    for norm in NORMS.values():
        signature = _signature(norm)
        make = getattr(_core, f"make_{norm.name}")
        functions[norm.name] = make(f"{norm.name}{signature}\n--\n\n{docstring(norm)}", call)
        functions[norm.name].__module__ = "fastact"
    return functions


def call(name: str, arguments: dict[str, Any]) -> Any:
    """Return the result of fastact.NAME for arguments of which some are arrays of other libraries."""
    norm = NORMS[name]
    outs = arguments.get("out")
    outs = outs if isinstance(outs, tuple) else (outs,)
    named = [(key, a) for key, a in arguments.items() if key in norm.arguments]
    named += [("out", a) for a in outs if a is not None]
    for kind, trace in TRACED.items():
        if any(isinstance(a, kind) for _, a in named):
            return trace(norm, arguments)
    for key, a in named:
        if isinstance(a, np.ma.MaskedArray):
            raise TypeError(
                f"{name}: {key} is a masked array, whose mask the result cannot keep;"
                f" fill in the masked elements with {key}.filled(…)"
            )
        if type(a).__module__.partition(".")[0] == "xarray":
            raise TypeError(
                f"{name}: {key} is an xarray {type(a).__name__}, which only elementwise functions accept;"
                f" pass {key}.to_numpy()"
            )
    for module, kinds, compute in _LIBRARIES:
        if library := sys.modules.get(module):
            types = tuple(getattr(library, kind) for kind in kinds)
            if any(isinstance(a, types) for _, a in named):
                return compute(norm, arguments, library)
    for key, a in named:
        if key == "out" and not isinstance(a, np.ndarray):
            raise TypeError(f"{name}: out must be an array, not {a!r}")
        if hasattr(a, "__array_ufunc__") and not isinstance(a, np.ndarray | np.generic):
            raise TypeError(f"{name}: {key} is a {type(a).__name__}; a NumPy array is required")
    return _by_numpy(norm, arguments)


def _plain(a: Any) -> Any:
    return np.asarray(a) if hasattr(a, "__array__") else a


def _by_numpy(norm: Norm, arguments: dict[str, Any]) -> Any:
    """Compute with NumPy arrays; the class of x wraps what is shaped like x."""
    x, out = arguments[norm.arguments[0]], arguments.get("out")
    plain = {key: _plain(a) if key in norm.arguments else a for key, a in arguments.items()}
    outs = out if isinstance(out, tuple) else (out,)
    if out is not None:
        plain["out"] = tuple(a if a is None else np.asarray(a) for a in outs)
    results = norm.function(**plain)
    made = results if isinstance(results, tuple) else (results,)
    wrap = x.__array_wrap__ if hasattr(x, "__array_wrap__") and type(x) is not np.ndarray else lambda y: y
    found = tuple(
        (wrap(np.asarray(y)) if k == 0 else y) if a is None else a
        for k, (y, a) in enumerate(zip(made, outs if out is not None else [None] * len(made), strict=True))
    )
    return found if isinstance(results, tuple) else found[0]


def _keep_labels(norm: Norm, arguments: dict[str, Any], pandas: Any) -> Any:
    """Compute with pandas objects, which are matched by position; what is shaped like x keeps its labels."""
    if arguments.get("out") is not None:
        raise TypeError(f"{norm.name}: out is not supported with pandas objects")
    x = arguments[norm.arguments[0]]
    labelled = isinstance(x, pandas.DataFrame | pandas.Series)
    for key in norm.arguments[1 : norm.rows]:
        a = arguments[key]
        if labelled and isinstance(a, pandas.DataFrame | pandas.Series):
            for axis, (index, of_x) in enumerate(zip(a.axes, x.axes, strict=False)):
                if len(index) == len(of_x) and not index.equals(of_x):
                    raise ValueError(
                        f"{norm.name}: {key} has different labels along axis {axis}; align the arrays first"
                    )
    plain = {key: _plain(a) if key in norm.arguments else a for key, a in arguments.items()}
    results = norm.function(**plain)
    made = list(results) if isinstance(results, tuple) else [results]
    if isinstance(x, pandas.DataFrame):
        made[0] = pandas.DataFrame(made[0], *x.axes)
    elif labelled:
        made[0] = pandas.Series(made[0], *x.axes, name=x.name)
    return tuple(made) if isinstance(results, tuple) else made[0]


def _normalized(x: Any, function: str, **options: Any) -> Any:
    return getattr(fastact, function)(x, **options)


def _lazily(norm: Norm, arguments: dict[str, Any], dask: Any) -> Any:
    """Compute a forward pass over rows block by block; a sum over all rows has no blocks."""
    x: Any = arguments[norm.arguments[0]]
    rest = [arguments.get(key) for key in norm.arguments[1:]]
    if not norm.is_blockwise or any(isinstance(a, dask.Array) for a in rest):
        raise TypeError(
            f"{norm.name}: dask arrays are supported as x of layer_norm, rms_norm and batch_norm_inference"
            " alone; pass x.compute()"
        )
    if arguments.get("out") is not None:
        raise TypeError(f"{norm.name}: out is not supported with dask arrays")
    axis = arguments.get("axis", -1)
    axes = range(x.ndim) if axis is None else np.lib.array_utils.normalize_axis_tuple(axis, x.ndim, norm.name)
    if several := {i: -1 for i in axes if len(x.chunks[i]) > 1}:
        first = next(iter(several))
        raise ValueError(
            f"{norm.name}: axis {first} is split into {len(x.chunks[first])} chunks, but must be in one;"
            f" call .rechunk({several}) first"
        )
    options = {key: a for key, a in arguments.items() if key != norm.arguments[0]}
    sample = norm.function(
        np.ones([x.shape[i] if i in axes else 1 for i in range(x.ndim)], x.dtype), **options
    )
    return x.map_blocks(_normalized, function=norm.name, dtype=sample.dtype, meta=sample[:0], **options)


_LIBRARIES: list[tuple[str, tuple[str, ...], Callable[[Norm, dict[str, Any], Any], Any]]] = [
    ("pandas", ("DataFrame", "Series"), _keep_labels),
    ("dask.array", ("Array",), _lazily),
]
