"""Functions of rows for arrays of other libraries: a result of their type, or an error with advice."""

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import count
from math import prod
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

import fastact

from .registry import FUNCTIONS, Function

_LABEL_OPTIONS = "label_smoothing", "weights", "ignore_label"

# By name, a type of arrays that override ufuncs, and the function that takes them with a mask, options of
# labels or probabilities, which no ufunc has.
TRACED: dict[str, tuple[type, Callable[..., Any]]] = {}


@dataclass
class _Call:
    """A call, and the correspondence between the axes of its arrays and those of x."""

    function: Function
    arrays: tuple[Any, ...]
    options: dict[str, Any]

    @property
    def name(self) -> str:
        return self.function.name

    @property
    def names(self) -> tuple[str, ...]:
        return self.function.arguments[: len(self.arrays)]

    @property
    def learns(self) -> bool:
        """Whether the call is the backward pass of a learnable parameter, which is its third array."""
        return self.function.kind == "learnable"

    @property
    def named(self) -> Iterator[tuple[str, Any]]:
        """The names of the arguments and their arrays."""
        yield from zip(self.names, self.arrays, strict=True)
        yield "where", self.options.get("where")
        yield "weights", self.options.get("weights")
        out = self.options.get("out")
        yield from (("out", a) for a in (out if isinstance(out, tuple) else (out,)))

    @cached_property
    def shape(self) -> tuple[int, ...]:
        return np.shape(self.arrays[0])

    @cached_property
    def has_probabilities(self) -> bool:
        """Whether the labels are floating-point numbers of the logits' dimensions."""
        if "labels" not in self.names:
            return False
        labels = self.arrays[self.names.index("labels")]
        dtype = getattr(labels, "dtype", None)
        with suppress(TypeError):  # of arrays of other libraries, which are refused later
            dtype = dtype or np.asarray(labels).dtype
        return getattr(dtype, "kind", "i") in "fV" and len(np.shape(labels)) == len(self.shape)

    @property
    def shapes(self) -> list[str]:
        """The core shapes of this call's inputs and outputs."""
        shapes = [*(operand.core for operand in self.function.operands), *self.function.results]
        if self.has_probabilities:
            shapes[self.names.index("labels")] = "n"
        return shapes

    @property
    def is_weighted(self) -> bool:
        """Whether a cross-entropy is of anything but plain labels."""
        smoothing, *others = (self.options.get(name) for name in _LABEL_OPTIONS)
        return self.has_probabilities or bool(smoothing) or any(option is not None for option in others)

    @cached_property
    def all_axes(self) -> tuple[int, ...]:
        return tuple(range(len(self.shape)))

    @cached_property
    def axes(self) -> tuple[int, ...]:
        """The axes along which rows lie; for learnable parameters, the axes over which they are shared."""
        if self.learns:
            p = (1,) * (len(self.shape) - np.ndim(self.arrays[2])) + np.shape(self.arrays[2])
            return tuple(i for i in self.all_axes if p[i] == 1)
        if (axis := self.options.get("axis", -1)) is None or not self.shape:
            return self.all_axes
        return tuple(sorted(normalize_axis_tuple(axis, len(self.shape), self.name)))

    @property
    def others(self) -> tuple[int, ...]:
        return tuple(i for i in self.all_axes if i not in self.axes)

    def axes_of(self, k: int) -> tuple[int, ...]:
        """Return the axes of x that correspond to those of operand k."""
        if self.learns and not self.shapes[k]:
            return self.all_axes[len(self.shape) - np.ndim(self.arrays[2]) :]
        whole = self.shapes[k] or self.options.get("keepdims")
        return self.all_axes if whole else self.others

    def length(self, k: int, axis: int) -> int:
        """Return the length of operand k along an axis of x."""
        if axis not in self.axes:
            return self.shape[axis]
        return {"n": self.shape[axis], "m": self.shape[axis] // 2, "": 1}[self.shapes[k]]

    def check(self) -> None:
        """Raise ValueError for arrays whose shape does not match that of x."""
        for k, (name, a) in enumerate(zip(self.names, self.arrays, strict=True)):
            if k == 2 and self.learns:
                continue
            required = tuple(self.length(k, axis) for axis in self.axes_of(k))
            if len(np.shape(a)) != len(required) or any(
                n != m and n == n and m == m for n, m in zip(np.shape(a), required, strict=True)
            ):  # the length of a lazy array may be NaN
                raise ValueError(
                    f"{self.name}: {name} has shape {np.shape(a)} where {required} is required;"
                    f" {self.names[0]} has {self.shape}"
                )


def call(name: str, arrays: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Return the result of fastact.NAME for arrays of other libraries."""
    this = _Call(FUNCTIONS[name], arrays, options)
    for module, kinds, compute in _LIBRARIES:
        if library := sys.modules.get(module):
            types = tuple(getattr(library, kind) for kind in kinds)
            if found := {argument: a for argument, a in this.named if isinstance(a, types)}:
                return compute(this, found)
    overrides = (getattr(type(a), "__array_ufunc__", None) for _, a in this.named)
    if any(o not in (None, np.ndarray.__array_ufunc__) for o in overrides):
        return _by_ufunc(this)
    return _by_numpy(this)


def _refuse_masked(this: _Call, found: dict[str, Any]) -> Any:
    name = next(iter(found))
    instead = f"fill in the masked elements with {name}.filled(…)"
    if "where" in this.function.options:
        x = this.names[0]
        instead = f"pass {x}.data and where=~np.ma.getmaskarray({x}) to leave out the masked elements"
    raise TypeError(f"{this.name}: {name} is a masked array, whose mask the result cannot keep; {instead}")


def _refuse_xarray(this: _Call, found: dict[str, Any]) -> Any:
    name, a = next(iter(found.items()))
    kind = f"{this.name}: {name} is an xarray {type(a).__name__}, which only elementwise functions accept"
    if this.learns:
        raise TypeError(f"{kind}; pass {name}.to_numpy()")
    x = this.arrays[0]
    rows = [x.dims[axis] for axis in this.axes] if x is a and hasattr(a, "to_numpy") else ["dim"]
    dims = [f"{rows!r}" if shape else "[]" for shape in this.shapes]
    inputs, outputs = dims[: len(this.arrays)], dims[len(this.arrays) :]
    exclude = f", exclude_dims=set({rows!r})" if this.function.needs_even_rows else ""
    raise TypeError(
        f"{kind}; call xarray.apply_ufunc(fastact.{this.name}, {', '.join(this.names)},"
        f" input_core_dims=[{', '.join(inputs)}], output_core_dims=[{', '.join(outputs)}]{exclude})"
    )


def _keep_labels(this: _Call, found: dict[str, Any]) -> Any:
    """Compute with pandas objects, which are matched by position; the result keeps the labels of its axes."""
    import pandas as pd

    if "out" in found:
        raise TypeError(f"{this.name}: out must be an array, not a {type(found['out']).__name__}")
    labels: dict[int, Any] = {}
    for k, (name, a) in enumerate(zip(this.names, this.arrays, strict=True)):
        for axis, index in zip(this.axes_of(k), a.axes if name in found else (), strict=False):
            if len(index) == this.shape[axis] and not labels.setdefault(axis, index).equals(index):
                raise ValueError(
                    f"{this.name}: {name} has different labels along axis {axis}; align the arrays first"
                )
    plain = [a.to_numpy() if name in found else a for name, a in zip(this.names, this.arrays, strict=True)]
    options = this.options | {name: found[name].to_numpy() for name in ("where", "weights") if name in found}
    results = this.function(*plain, **options)

    def labelled(k: int, result: Any) -> Any:
        index = [
            labels.get(axis) if n == this.shape[axis] else None
            for axis, n in zip(this.axes_of(k), np.shape(result), strict=True)
        ]
        if len(index) == 1:
            return pd.Series(result, *index, name=getattr(this.arrays[0], "name", None))
        return pd.DataFrame(result, *index) if len(index) == 2 else result

    first = len(this.arrays)
    if isinstance(results, tuple):
        return tuple(labelled(first + i, result) for i, result in enumerate(results))
    return labelled(first, results)


def _block(*arrays: Any, function: str, part: int | None, kind: Any, masked: bool, **options: Any) -> Any:
    if masked:
        *arrays, options["where"] = arrays  # type: ignore[assignment]
    result = getattr(fastact, function)(*arrays, **options)
    return np.asarray(result if part is None else result[part], kind)


def _try_options(this: _Call) -> None:
    """Raise at once what the blocks would raise about options and types, by a call with one row."""
    x, options = this.arrays[0], {key: a for key, a in this.options.items() if key != "out"}
    if "where" in options:
        mask = options["where"]
        mask = mask if hasattr(mask, "dtype") and hasattr(mask, "shape") else np.asarray(mask)
        pairs = zip(reversed(mask.shape), reversed(x.shape), strict=False)
        if mask.ndim > x.ndim or any(n != 1 and n != m and n == n and m == m for n, m in pairs):
            raise ValueError(
                f"{this.name}: where has shape {mask.shape}, which does not broadcast to {this.names[0]}'s"
                f" {x.shape}"
            )
        options["where"] = np.ones((), mask.dtype)
    if options.get("weights") is not None:
        options["weights"] = np.asarray(options["weights"])
    lengths = [this.shape[axis] for axis in this.axes]
    if any(n != n or n == 0 for n in lengths):  # a length that dask does not know is NaN
        return
    sample = [
        np.zeros([this.length(k, i) if i in this.axes else 1 for i in this.axes_of(k)], a.dtype)
        for k, a in enumerate(this.arrays)
    ]
    this.function(*sample, **options)


def _lazily(this: _Call, found: dict[str, Any]) -> Any:
    """Compute with dask arrays lazily: the function is called for each block, which contains whole rows."""
    import dask.array as da

    if this.options.get("out") is not None:
        raise TypeError(f"{this.name}: out is not supported with dask arrays")
    lazy, learns = next(iter(found.values())), this.learns
    typed = [getattr(a, "dtype", None) for a in this.arrays]
    this.arrays = tuple(np.asarray(a, like=lazy) for a in this.arrays)
    for name, a in zip(this.names, this.arrays, strict=True):
        if learns and any(n != n for n in a.shape):
            raise ValueError(
                f"{this.name}: {name} has shape {a.shape}, which dask does not know completely;"
                f" call {name}.compute_chunk_sizes() first"
            )
    x = this.arrays[0]
    if several := {axis: -1 for axis in this.axes if len(x.chunks[axis]) > 1}:
        axis = next(iter(several))
        raise ValueError(
            f"{this.name}: axis {axis} is split into {len(x.chunks[axis])} chunks, but must be in one;"
            f" call .rechunk({several}) first"
        )
    this.check()
    if not learns:
        _try_options(this)
    masked = "where" in this.options
    unique = count(len(this.shape))
    operands: list[Any] = []
    for k, a in enumerate(this.arrays):
        operands += [a, [next(unique) if axis in this.axes else axis for axis in this.axes_of(k)]]
    if masked:
        mask = np.asarray(this.options["where"], like=lazy)
        axes = this.all_axes[len(this.shape) - mask.ndim :]
        operands += [
            mask,
            [next(unique) if n == 1 else axis for n, axis in zip(mask.shape, axes, strict=True)],
        ]
    floats = ["g", "labels"] if this.has_probabilities else ["g"]
    dtypes = [x.dtype, *(a.dtype for name, a in zip(this.names, this.arrays, strict=True) if name in floats)]
    dtype = reduce(lambda a, b: fastact.relu_backward.resolve_dtypes((a, b, None))[-1], [*dtypes, dtypes[0]])
    kept = "axis", "keepdims", *_LABEL_OPTIONS
    options = {name: value for name, value in this.options.items() if name in kept}
    if options.get("weights") is not None:
        options["weights"] = np.asarray(options["weights"])

    def output(k: int, part: int | None, dtype: Any) -> Any:
        axes = this.axes_of(k)
        labels = [next(unique) if axis in this.axes else axis for axis in axes]
        return da.blockwise(  # type: ignore[no-untyped-call]
            _block,
            labels,
            *operands,
            new_axes={
                label: this.length(k, axis) for label, axis in zip(labels, axes, strict=True) if label != axis
            },
            dtype=dtype,
            meta=np.empty((0,) * len(axes), dtype),
            concatenate=True,
            function=this.name,
            part=part,
            kind=dtype,
            masked=masked,
            **options,
        )

    first = len(this.arrays)
    if len(this.function.results) == 1:
        return output(first, None, dtype)
    own = typed[2] if learns and typed[2] is not None and typed[2].kind in "fV" else dtype
    return output(first, 0, dtype), output(first + 1, 1, own)


def _checked_labels(this: _Call, labels: Any) -> Any:
    if not hasattr(labels, "__array_ufunc__") or not hasattr(labels, "dtype"):
        labels = np.asarray(labels)
    if labels.dtype.kind not in "iu" and labels.size:
        raise TypeError(
            f"{this.name}: labels must be integers or probabilities of logits's shape, not {labels.dtype}"
        )
    n = prod(this.shape[axis] for axis in this.axes)
    if isinstance(labels, np.ndarray | np.generic) and labels.size:
        for label in (labels.min(), labels.max()):
            if not 0 <= label < n:
                raise ValueError(f"{this.name}: labels contains {label}; 0 <= label < {n} is required")
    return labels.astype(np.int64, copy=False)


def _by_ufunc(this: _Call) -> Any:
    """Call the ufunc with arrays that override ufuncs; their rows lie along one axis."""
    if (this.is_weighted or "where" in this.options) and this.name in TRACED:
        kind, function = TRACED[this.name]
        if any(isinstance(a, kind) for a in this.arrays):
            return function(*this.arrays, **this.options)
    for name, a in this.named:
        kind = type(a)
        if isinstance(a, np.ndarray | np.generic | int | float | list | None):
            continue
        if this.learns or "where" in this.options or this.is_weighted:
            raise TypeError(f"{this.name}: {name} is a {kind.__name__}; a NumPy array is required")
    this.check()
    arrays = [
        _checked_labels(this, a) if name == "labels" else a
        for name, a in zip(this.names, this.arrays, strict=True)
    ]
    ufunc, shapes = this.function.ufunc, this.shapes
    out = {} if this.options.get("out") is None else {"out": this.options["out"]}
    keepdims = bool(this.options.get("keepdims"))
    if len(this.axes) == 1:
        (axis,) = this.axes
        if keepdims and len(arrays) == 2:
            arrays[1] = np.squeeze(arrays[1], axis)
        elif keepdims:
            out["keepdims"] = True
        return ufunc(*arrays, **({"axes": [axis] * len(shapes)} if "m" in shapes else {"axis": axis}), **out)
    if out:
        raise TypeError(f"{this.name}: out is not supported here with several axes")
    order = (*this.others, *this.axes)
    others = tuple(this.shape[axis] for axis in this.others)
    row = tuple(this.shape[axis] for axis in this.axes)
    flat = [
        a.transpose(order).reshape((*others, prod(row))) if shape else a.reshape(others)
        for a, shape in zip(map(_as_array, arrays), shapes, strict=False)
    ]
    results = ufunc(*flat)

    def placed(y: Any, shape: str) -> Any:
        if shape:
            return y.reshape(others + row).transpose(tuple(map(int, np.argsort(order))))
        kept = tuple(1 if axis in this.axes else n for axis, n in enumerate(this.shape))
        return y.reshape(kept) if keepdims else y

    if len(this.function.results) == 1:
        return placed(results, shapes[-1])
    return tuple(map(placed, results, shapes[len(arrays) :]))


def _as_array(a: Any) -> Any:
    return a if hasattr(a, "__array_ufunc__") else np.asarray(a)


def _by_numpy(this: _Call) -> Any:
    """Compute with NumPy arrays; as with ufuncs, the array with the highest priority wraps the result."""
    out = this.options.get("out")
    outs = out if isinstance(out, tuple) else (out,)
    for a in outs:
        if a is not None and not isinstance(a, np.ndarray):
            raise TypeError(f"{this.name}: out must be an array, not {a!r}")
    options = dict(this.options)
    if out is not None:
        options["out"] = tuple(a if a is None else np.asarray(a) for a in outs)
    for name in ("where", "weights"):
        if options.get(name) is not None:
            options[name] = np.asarray(options[name])
    results = this.function(
        *(a if type(a) in (int, float) else np.asarray(a) for a in this.arrays), **options
    )
    kinds = [a for a in this.arrays if hasattr(a, "__array_wrap__") and type(a) is not np.ndarray]
    is_pair = isinstance(results, tuple)
    wrapped = list(results) if is_pair else [results]
    if kinds:
        wrap = max(kinds, key=lambda a: getattr(a, "__array_priority__", 0.0)).__array_wrap__
        wrapped = [wrap(np.asarray(result)) for result in wrapped]
    if out is not None:
        wrapped = [y if a is None else a for y, a in zip(wrapped, outs, strict=True)]
    return tuple(wrapped) if is_pair else wrapped[0]


_Compute = Callable[[_Call, dict[str, Any]], Any]
_LIBRARIES: list[tuple[str, tuple[str, ...], _Compute]] = [
    ("numpy.ma", ("MaskedArray",), _refuse_masked),
    ("xarray", ("DataArray", "Dataset", "Variable"), _refuse_xarray),
    ("pandas", ("DataFrame", "Series"), _keep_labels),
    ("dask.array", ("Array",), _lazily),
]
