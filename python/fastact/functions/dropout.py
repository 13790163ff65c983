"""Dropout and its gradient, for NumPy's arrays and those of other libraries."""

import sys
from collections.abc import Callable
from itertools import accumulate
from operator import mul
from typing import Any

import numpy as np

import fastact

from .. import _core
from ..facts.dropout import docstring
from .registry import DROPOUT

_Compute = Callable[[Any], Any]

# What computes dropout, f(name, x, rate, seed, offset), for other types that override ufuncs.
others: dict[type, Callable[..., Any]] = {}


def _plain(name: str, x: Any) -> Any:
    """Return the input as an array of a type with kernels."""
    x = np.asarray(x)
    try:
        dtype = _core.identity.resolve_dtypes((x.dtype, None))[-1]
    except TypeError:
        raise TypeError(
            f"{name}: {DROPOUT[name]} has dtype {x.dtype};"
            " float16, bfloat16, float32, float64, integers and bool are allowed"
        ) from None
    return np.require(x.astype(dtype.newbyteorder("="), copy=False), requirements="A")


def _check_out(name: str, x: Any, out: Any) -> None:
    if not isinstance(out, np.ndarray):
        raise TypeError(f"{name}: out must be an array, not {out!r}")
    if out.shape != x.shape:
        raise ValueError(f"{name}: out has shape {out.shape} where {x.shape} is required")
    if not out.flags.writeable:
        raise ValueError(f"{name}: out is read-only")
    if not np.can_cast(x.dtype, out.dtype, "same_kind"):
        raise TypeError(f"{name}: out has dtype {out.dtype}, to which {x.dtype} cannot be cast")


def _masked(x: Any, compute: _Compute) -> Any:
    return np.ma.masked_array(compute(x.data), mask=x.mask)


def _pandas(x: Any, compute: _Compute) -> Any:
    labels = {"name": x.name} if x.ndim == 1 else {"columns": x.columns}
    return type(x)(compute(x.to_numpy()), index=x.index, **labels)


def _xarray(x: Any, compute: _Compute) -> Any:
    return x.copy(data=compute(x.data))


def _dask_block(
    x: Any, name: str, rate: Any, seed: Any, offset: int, dtype: Any, block_info: Any = None
) -> Any:
    """Compute a block, whose elements have the numbers that they have in the whole array."""
    shape = block_info[0]["shape"]
    places = tuple(accumulate(reversed(shape[1:]), mul, initial=1))[::-1] if shape else ()
    first = sum(
        start * place for (start, _), place in zip(block_info[0]["array-location"], places, strict=True)
    )
    return getattr(_core, f"{name}_part")(_plain(name, x), rate, seed, offset + first, places)


def _lazily(name: str, x: Any, rate: Any, seed: Any, offset: Any) -> Any:
    if any(n != n for n in x.shape):
        raise ValueError(
            f"{name}: {DROPOUT[name]} has shape {x.shape}, which dask does not know completely;"
            f" call {DROPOUT[name]}.compute_chunk_sizes() first"
        )
    part = getattr(fastact, name)(
        _plain(name, np.empty(0, x.dtype)), rate, seed, offset
    )  # checks the arguments
    return x.map_blocks(
        _dask_block,
        name,
        rate,
        seed,
        offset,
        part.dtype,
        dtype=part.dtype,
        meta=np.empty((0,) * x.ndim, part.dtype),
    )


_LIBRARIES: list[tuple[str, tuple[str, ...], Callable[[Any, _Compute], Any]]] = [
    ("numpy.ma", ("MaskedArray",), _masked),
    ("pandas", ("DataFrame", "Series"), _pandas),
    ("xarray", ("DataArray", "Variable"), _xarray),
]


def _elsewhere(name: str, x: Any, rate: Any, seed: Any, offset: Any, out: Any) -> Any:
    """Return the result for all but NumPy's arrays of a type with kernels."""

    def compute(data: Any) -> Any:
        return getattr(fastact, name)(data, rate, seed, offset)

    if (dask := sys.modules.get("dask.array")) and isinstance(x, dask.Array):
        if out is not None:
            raise TypeError(f"{name}: out is not supported with dask arrays")
        return _lazily(name, x, rate, seed, offset)
    for module, kinds, keep in _LIBRARIES:
        library = sys.modules.get(module)
        if library and isinstance(x, tuple(getattr(library, kind) for kind in kinds)):
            if out is not None:
                raise TypeError(f"{name}: out is not supported with a {type(x).__name__}")
            return keep(x, compute)
    if hasattr(x, "__array_ufunc__") and not isinstance(x, np.ndarray | np.generic):
        if out is None and (other := others.get(type(x))):
            return other(name, x, rate, seed, offset)
        raise TypeError(f"{name}: {DROPOUT[name]} is a {type(x).__name__}; a NumPy array is required")
    plain = _plain(name, x)
    if out is not None:
        out = out[0] if isinstance(out, tuple) and len(out) == 1 else out
        _check_out(name, plain, out)
        np.copyto(out, compute(plain), casting="same_kind")
        return out
    result = compute(plain)
    is_wrapped = hasattr(x, "__array_wrap__") and type(x) is not np.ndarray and not isinstance(x, np.generic)
    return x.__array_wrap__(np.asarray(result)) if is_wrapped else result


def build() -> dict[str, Any]:
    """Return dropout and its gradient by name."""
    functions = {}
    for name, array in DROPOUT.items():
        signature = f"{name}({array}, rate, seed, offset=0, *, out=None)"
        make = getattr(_core, f"make_{name}")
        functions[name] = make(f"{signature}\n--\n\n{docstring(name, array)}", _elsewhere)
        functions[name].__module__ = "fastact"
    return functions
