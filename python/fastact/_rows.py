"""Functions of rows and the backward passes of learnable parameters: what they need beside their ufuncs."""

import inspect
from collections.abc import Callable, Iterable
from itertools import chain, groupby
from math import prod
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from . import _core
from ._functions import KEYWORDS
from ._row_documentation import learnable_docstring, row_docstring

# (n)->(n) with axis= are ufuncs as they are; the others get their arguments by position and by name.


def _cut(a: Any, like: Any, chunks: tuple[Any, ...]) -> Any:
    """The array as lazy as another, in these chunks unless it is broadcast."""
    a = np.asarray(a, like=like)
    along = chunks[max(len(chunks) - a.ndim, 0) :]
    return a.rechunk(tuple(1 if n == 1 else c for n, c in zip(a.shape, along, strict=False)))


def _refuse_pieces(name: str, x: Any, axes: Iterable[int]) -> None:
    if several := {axis: -1 for axis in axes if len(x.chunks[axis]) > 1}:
        axis, *_ = several
        raise ValueError(
            f"{name}: axis {axis} is cut in {len(x.chunks[axis])} chunks, but must be in one;"
            f" .rechunk({several}) makes it so"
        )


def _in_chunks(name: str, axis: int, *arrays: Any) -> tuple[Any, ...]:
    """The arrays; where one is of chunks (dask's), all are in those of the first, which must not cut rows."""
    for lazy in arrays:
        if hasattr(lazy, "rechunk"):
            break
    else:
        return arrays
    x: Any = np.asarray(arrays[0], like=lazy)
    axis = normalize_axis_index(axis, x.ndim)
    _refuse_pieces(name, x, [axis])
    return x, *(_cut(a, x, x.chunks[:axis] + x.chunks[axis + 1 :]) for a in arrays[1:])


def logsumexp(x: Any, axis: int = -1, keepdims: bool = False, out: Any = None, **keywords: Any) -> Any:
    (x,) = _in_chunks("logsumexp", axis, x)
    return _core.logsumexp(x, axis=axis, keepdims=keepdims, out=out, **keywords)


def logsumexp_backward(
    x: Any, g: Any, axis: int = -1, keepdims: bool = False, out: Any = None, **keywords: Any
) -> Any:
    g = np.squeeze(g, axis) if keepdims else g
    x, g = _in_chunks("logsumexp_backward", axis, x, g)
    return _core.logsumexp_backward(x, g, axis=axis, out=out, **keywords)


def maxout(x: Any, axis: int = -1, out: Any = None, **keywords: Any) -> Any:
    (x,) = _in_chunks("maxout", axis, x)
    return _core.maxout(x, axis=axis, out=out, **keywords)


def maxout_backward(x: Any, g: Any, axis: int = -1, out: Any = None, **keywords: Any) -> Any:
    x, g = _in_chunks("maxout_backward", axis, x, g)
    return _core.maxout_backward(x, g, axis=axis, out=out, **keywords)


# The activation of each gated unit, and whether it is that of the second half.
_GATES = {
    "glu": ("sigmoid", True),
    "reglu": ("relu", False),
    "geglu": ("gelu", False),
    "swiglu": ("silu", False),
}


def _gated(name: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    ufunc, ufunc_backward = getattr(_core, name), getattr(_core, f"{name}_backward")
    activation, is_second = _GATES[name]
    f, f_backward = getattr(_core, activation), getattr(_core, f"{activation}_backward")

    def types(ufunc: np.ufunc, *arrays: Any) -> Any:
        """Of the result, and of what is rounded on the way to it."""
        dtype = ufunc.resolve_dtypes((*(a.dtype for a in arrays), None))[-1]
        return dtype, np.promote_types(dtype, np.float32)

    def halves(x: Any, axis: int) -> Any:
        """What is activated, and what it is multiplied by."""
        axis = normalize_axis_index(axis, x.ndim)
        n = x.shape[axis]
        if n % 2:
            raise ValueError(f"{name}: x has {n} elements along axis; an even number is needed")
        parts = [x[(slice(None),) * axis + (part,)] for part in (slice(n // 2), slice(n // 2, None))]
        return parts[::-1] if is_second else parts

    def forward(x: Any, axis: int = -1, out: Any = None, **keywords: Any) -> Any:
        if _is_lazy(x) and out is None:
            dtype, wide = types(ufunc, x)
            u, v = halves(x.astype(wide), axis)
            return (f(u, **keywords) * v).astype(dtype)
        return ufunc(x, axes=[axis] * 2, out=out, **keywords)

    def backward(x: Any, g: Any, axis: int = -1, out: Any = None, **keywords: Any) -> Any:
        if (_is_lazy(x) or _is_lazy(g)) and out is None:
            dtype, wide = types(ufunc_backward, x, g)
            (u, v), g = halves(x.astype(wide), axis), g.astype(wide)
            gradients = [f_backward(u, g * v, **keywords), g * f(u, **keywords)]
            return np.concatenate(gradients[::-1] if is_second else gradients, axis).astype(dtype)
        return ufunc_backward(x, g, axes=[axis] * 3, out=out, **keywords)

    forward.__name__, backward.__name__ = name, f"{name}_backward"
    return forward, backward


def _is_lazy(x: Any) -> bool:
    """Whether it is a dask array, or the like, which cannot tell the shape of what a gated unit returns."""
    return hasattr(x, "__array_function__") and not isinstance(x, np.ndarray | np.generic)


def softmax_cross_entropy(logits: Any, labels: Any, axis: int = -1, out: Any = None, **keywords: Any) -> Any:
    labels = _checked_labels("softmax_cross_entropy", logits, labels, axis)
    logits, labels = _in_chunks("softmax_cross_entropy", axis, logits, labels)
    return _core.softmax_cross_entropy(logits, labels, axis=axis, out=out, **keywords)


def softmax_cross_entropy_backward(
    logits: Any, labels: Any, g: Any, axis: int = -1, out: Any = None, **keywords: Any
) -> Any:
    labels = _checked_labels("softmax_cross_entropy_backward", logits, labels, axis)
    logits, labels, g = _in_chunks("softmax_cross_entropy_backward", axis, logits, labels, g)
    return _core.softmax_cross_entropy_backward(logits, labels, g, axis=axis, out=out, **keywords)


def _as_array(a: Any) -> Any:
    """What takes part in ufuncs and has a dtype, as it is; anything else made an array."""
    return a if hasattr(a, "__array_ufunc__") and hasattr(a, "dtype") else np.asarray(a)


def _checked_labels(name: str, logits: Any, labels: Any, axis: int) -> Any:
    """The labels as int64, all of them known to be in range unless they are lazy."""
    labels = _as_array(labels)
    if labels.dtype.kind not in "iu" and labels.size:
        raise TypeError(f"{name}: labels must be integers, not {labels.dtype}")
    shape = np.shape(logits)
    classes = shape[normalize_axis_index(axis, len(shape))]
    if isinstance(labels, np.ndarray | np.integer) and labels.size:
        for label in (labels.min(), labels.max()):
            if not 0 <= label < classes:
                raise ValueError(f"{name}: labels has {label}; 0 <= label < {classes} is required")
    return labels.astype(np.int64, copy=False)


def _check_out(name: str, out: Any, shape: tuple[int, ...]) -> None:
    """Refuse what a result of the shape could not be written to, before anything is written."""
    if out is not None:
        if np.shape(out) != shape:
            raise ValueError(f"{name}: out has shape {np.shape(out)} where {shape} is required")
        np.copyto(out, np.float64(0), casting="same_kind", where=False)


def _learnable(name: str, parameter: str, default: float | None) -> Callable[..., Any]:
    ufunc = getattr(_core, name)

    def backward(x: Any, g: Any, p: Any, out: Any) -> tuple[Any, Any]:
        for label, a in (("x", x), ("g", g), (parameter, p)):
            if hasattr(a, "filled"):
                raise TypeError(
                    f"{name}: {label} is masked, which the sum would not heed; fill in what is masked"
                )
        x, g = _as_array(x), _as_array(g)
        p_type = getattr(p, "dtype", None)
        p = p if hasattr(p, "rechunk") else np.asarray(p)
        if p.dtype.kind not in "biuf" and p.dtype.name != "bfloat16":
            raise TypeError(f"{name}: {parameter} must be a real number or an array of them, not {p.dtype}")
        if x.shape != g.shape:
            raise ValueError(f"{name}: x has shape {x.shape}, g {g.shape}; they must be the same")
        shape = (1,) * (x.ndim - p.ndim) + p.shape
        if len(shape) > x.ndim or any(n not in (1, m) for n, m in zip(shape, x.shape, strict=True)):
            raise ValueError(
                f"{name}: {parameter} has shape {p.shape}, which does not broadcast to x's {x.shape}"
            )
        if out is not None and not (isinstance(out, tuple) and len(out) == 2):
            raise TypeError(f"{name}: out must be a tuple of two arrays, either of which may be None")
        dx, dp = out or (None, None)
        _check_out(name, dx, x.shape)
        _check_out(name, dp, p.shape)
        dtype = ufunc.resolve_dtypes((x.dtype, g.dtype, np.dtype(np.float32), None, None))[3]
        p = p.astype(np.float64 if dtype == np.float64 else np.float32)

        # The longest run of axes over which the parameter is shared becomes the rows; what the rows of other
        # such axes add is summed afterwards.
        runs = [(key, list(run)) for key, run in groupby(range(x.ndim), lambda i: shape[i] == 1)]
        shared = [run for is_shared, run in runs if is_shared] or [[]]
        row = max(shared, key=lambda run: prod(x.shape[i] for i in run))
        lazy = next((a for a in (x, g, p) if hasattr(a, "rechunk")), None)
        if lazy is not None:
            x = np.asarray(x, like=lazy)
            _refuse_pieces(name, x, chain.from_iterable(shared))
            g, p = _cut(g, x, x.chunks), _cut(p, x, x.chunks)
        first, last = (row[0], row[-1] + 1) if row else (x.ndim, x.ndim)
        rows = (*x.shape[:first], prod(x.shape[first:last]), *x.shape[last:])
        if dx is not None:
            into = dx.reshape(rows)  # a view where there can be one
        else:
            into = np.empty(rows, dtype) if type(x) is type(g) is np.ndarray else None
        core, number = (first,), ()
        flat, sums = ufunc(
            x.reshape(rows),
            g.reshape(rows),
            p.reshape(shape[:first] + shape[last:]),
            out=(into, None),
            axes=[core, core, number, core, number],
        )
        others = tuple(i - len(row) * (i >= last) for run in shared if run is not row for i in run)
        with np.errstate(all="ignore"):
            total = sums.sum(axis=others).reshape(p.shape)
            if dp is None:
                dp = total.astype(p_type if p_type is not None and p_type.kind in "fV" else dtype)[()]
            else:
                np.copyto(dp, total, casting="same_kind")
        if dx is None:
            dx = flat.reshape(x.shape)
        elif not np.may_share_memory(flat, dx):
            np.copyto(dx, flat.reshape(x.shape))
        return dx, dp

    namespace = {"backward": backward}
    given = parameter if default is None else f"{parameter}={default!r}"
    exec(f"def {name}(x, g, {given}, out=None): return backward(x, g, {parameter}, out)", namespace)
    return namespace[name]


def _signature(name: str, function: Any) -> inspect.Signature:
    """The function's own, or the ufunc's, with NumPy's keywords in the place of **keywords."""
    kind = inspect.Parameter
    if isinstance(function, np.ufunc):
        arrays = ("y" if name.endswith("_from_output") else "x", "g")[: function.nin]
        own = [kind(array, kind.POSITIONAL_ONLY) for array in arrays]
        own += [kind("out", kind.POSITIONAL_OR_KEYWORD, default=None)]
        own += [kind("axis", kind.KEYWORD_ONLY, default=-1)]
    else:
        own = [p for p in inspect.signature(function).parameters.values() if p.kind != p.VAR_KEYWORD]
        own = [p.replace(annotation=p.empty) for p in own]
    keywords = [kind(k, kind.KEYWORD_ONLY, default=v) for k, v in KEYWORDS.items() if k != "where"]
    return inspect.Signature(own + keywords)


def build() -> dict[str, Any]:
    """Return every function of rows, and of learnable parameters' backward passes, by its name."""
    functions: list[Any] = [
        getattr(_core, forward + suffix)
        for forward in ("softmax", "log_softmax")
        for suffix in ("", "_backward", "_backward_from_output")
    ]
    functions += [logsumexp, logsumexp_backward, maxout, maxout_backward]
    for gate in _GATES:
        functions += _gated(gate)
    functions += [softmax_cross_entropy, softmax_cross_entropy_backward]
    for function in functions:
        name = function.__name__
        function.__signature__ = _signature(name, function)
        function.__doc__ = row_docstring(name, function.__signature__, getattr(_core, name).signature)
    for activation, ((parameter, default),), _ in _core.learnable:
        function = _learnable(f"{activation}_backward", parameter, default)
        function.__doc__ = learnable_docstring(activation, parameter, default)
        functions.append(function)
    for function in functions:
        function.__module__ = "fastact"
        function.__qualname__ = function.__name__
    return {function.__name__: function for function in functions}
