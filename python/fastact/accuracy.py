"""Measure the accuracy of any implementation of an activation, and compute exact values.

The functions to measure take and return NumPy arrays; they may belong to another library, call a kernel on a
GPU, or be written by hand. The module needs ``pip install 'fastact[verify]'``. The command ``fastact verify``
measures in the same way.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .functions.by_name import Activation, find
from .functions.registry import BACKWARD, FUNCTIONS, NORMS, Norm

try:
    from tqdm import tqdm

    from .checks import libraries, norms, pairs, reference, row_accuracy, row_reference, ruler
    from .checks.accuracy import FORWARD_BOUND
    from .checks.figures import DERIVATIVE, FORWARD, FROM_OUTPUT, Figures, Range, place
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        f"{missing.name} is not installed: pip install 'fastact[verify]'", name=missing.name
    ) from missing

__all__ = ["Measurement", "Pair", "Range", "Shares", "exact", "measure", "peer"]

Pass = Literal["forward", "derivative", "backward", "backward_from_output"]
Library = Literal["torch", "jax", "numpy", "scipy", "mkl"]
_NAMES = tuple(name for name, f in FUNCTIONS.items() if name == f.forward)
_NORMS = tuple(name for name, norm in NORMS.items() if name == norm.forward)


class Shares(NamedTuple):
    """The fractions of all results with an error of at most 0.5 ulp, of at most 1 ulp, and of more."""

    up_to_half: float
    up_to_1: float
    above_1: float


class Pair(NamedTuple):
    """An exact value as the sum of two float64 numbers, the first of which is the value rounded."""

    high: Any
    low: Any


@dataclass(frozen=True)
class Measurement:
    """The result of `measure`; `print` shows it as a table.

    Attributes
    ----------
    largest : float
        The largest error at finite inputs, in units in the last place (ulp) of the exact result; infinite
        where the function gives infinity or NaN in the place of a number.
    where : dict
        The inputs with this error, by name. For functions of rows they are the arrays of one row, and
        ``element`` is the position in its result. Of functions with several results, ``of`` is the name of
        the result unless it is the first, such as "db" or "dgamma"; of a norm, all arrays are given, and
        ``element`` is the position in them.
    result : float
        The result of the function at these inputs.
    exact : float
        The exact result at these inputs, rounded to float64.
    shares : Shares
        The fractions of all results with an error of at most 0.5 ulp, of at most 1 ulp, and of more.
    wrong : tuple of str
        Wrong results at infinities and NaN, where the limit or NaN is expected.
    table : tuple of Range
        For each range of finite inputs, or length of rows: the number of results, the number of those with
        an error above 1 ulp, and the largest error.
    name, pass_, dtype : str
        The activation, the pass and the dtype that the function was compared with.
    parameters : dict
        The parameters of the activation that differ from their defaults.
    inputs : str
        A description of the inputs.
    """

    largest: float
    where: dict[str, Any]
    result: float
    exact: float
    shares: Shares
    wrong: tuple[str, ...]
    table: tuple[Range, ...] = field(repr=False)
    name: str
    pass_: str
    dtype: str
    parameters: dict[str, float]
    inputs: str

    def __str__(self) -> str:
        given = "".join(f", {name}={value:g}" for name, value in self.parameters.items())
        dtype = ruler.dtype(self.dtype)
        lines = [
            f"{self.name}{given}, {self.pass_}, {self.dtype}: {self.inputs}",
            f"largest error  {self.largest:.4g} ulp",
        ]
        if self.largest > 0:
            short = {name: _short(value) for name, value in self.where.items()}
            lines[-1] += f" at {place(short, dtype)}"
            lines.append(f"               {dtype.type(self.result)!s}, exactly {self.exact:.17g}")
        lines.append("shares         {:.2%} up to 0.5 ulp, {:.2%} up to 1, {:.2%} above".format(*self.shares))
        lines += (f"wrong          {wrong}" for wrong in self.wrong)
        lines += ["", f"{'':20}{'inputs':>13}{'above 1 ulp':>13}{'largest':>11}"]
        lines += (
            f"{r.range:20}{r.inputs:13,}{r.above_1_ulp:13,}{round(r.largest, 4):11.5g}" for r in self.table
        )
        return "\n".join(lines)


def _short(value: Any) -> Any:
    return np.array2string(value, precision=6, threshold=8) if isinstance(value, np.ndarray) else value


def _meant(like: str | Activation, parameters: dict[str, float]) -> tuple[str, dict[str, float]]:
    """The name of the function, and its parameters where they are not the defaults, or where it has none."""
    if not isinstance(like, str | Activation):
        raise TypeError(f"the activation must be a name or an Activation, not {like!r}")
    name = like.name if isinstance(like, Activation) else find(like, _NAMES)
    if name not in FUNCTIONS:
        raise ValueError(f"{name} has no exact values")
    defaults = dict(FUNCTIONS[name].defaults)
    if isinstance(like, Activation):
        own = {key: value for key, value in like.parameters.items() if key in defaults}
        parameters = own | parameters
    if unknown := parameters.keys() - defaults.keys():
        raise TypeError(f"{name} has no parameter {', '.join(sorted(unknown))}")
    others = {key: float(value) for key, value in parameters.items() if value != defaults[key]}
    return name, FUNCTIONS[name].required | others


def _subject(
    like: str | Activation, pass_: str, dtype: Any, parameters: dict[str, float], flush: Any = None
) -> ruler.Subject:
    name, parameters = _meant(like, parameters)
    if pass_ not in ruler.KINDS:
        raise ValueError(f"pass_ must be one of {', '.join(ruler.KINDS)}, not {pass_!r}")
    if flush not in (None, "subnormal results", "subnormal inputs"):
        raise ValueError(f"flush must be None, 'subnormal results' or 'subnormal inputs', not {flush!r}")
    subject = ruler.Subject(name, ruler.KINDS[pass_], ruler.dtype(dtype), tuple(parameters.items()), flush)
    if parameters:  # of which fastact's own function refuses impossible ones
        FUNCTIONS[name](*[np.ones(1, subject.dtype)] * len(FUNCTIONS[name].inputs), **parameters)
    return subject


def _arrays(subject: ruler.Subject, given: Sequence[ArrayLike]) -> list[NDArray[Any]]:
    """The arrays of a pass, flat, or as rows; those that were not given are made."""
    takes = subject.function.inputs
    if len(given) > len(takes) or (subject.of_two and len(given) != len(takes)):
        raise ValueError(f"inputs must be a tuple of {', '.join(takes)}, not of {len(given)} arrays")
    if any(np.iscomplexobj(a) for a in given):
        raise TypeError("inputs must be real numbers")
    first = np.asarray(given[0], subject.dtype)
    if subject.of_rows:
        if first.ndim == 0 or first.size == 0:
            raise ValueError(f"inputs must hold rows along the last axis, not the shape {first.shape}")
        if subject.function.needs_even_rows and first.shape[-1] % 2:
            raise ValueError(f"inputs must hold rows of even length, not the shape {first.shape}")
        shape = (-1, first.shape[-1])
        arrays = list(row_accuracy.arguments(subject.function.name, first.reshape(shape)))
        for i, other in enumerate(given[1:], 1):
            arrays[i] = np.asarray(other, arrays[i].dtype).reshape(arrays[i].shape)
        if (at := subject.function.labels) is not None and not np.isin(arrays[at], range(shape[-1])).all():
            raise ValueError(f"labels must be at least 0 and less than {shape[-1]}")
        return arrays
    if first.size == 0:
        raise ValueError("inputs must not be empty")
    if len(given) == 1:
        return list(ruler.with_gradients(subject, first.ravel()))
    return [np.asarray(a, subject.dtype).ravel() for a in np.broadcast_arrays(*given)]


def measure(
    f: Callable[..., Any],
    like: str | Activation,
    pass_: Pass = "forward",
    dtype: Any = "float32",
    inputs: Any = "sample",
    *,
    flush: ruler.Flush | None = None,
    **parameters: float,
) -> Measurement:
    """Measure the errors of a function in ulp, units in the last place of the exact results.

    Parameters
    ----------
    f : callable
        A function of NumPy arrays that returns an array of the same dtype. It is called with the arrays of
        the pass and without any other argument: x; x and g; y and g; logits, labels and g; a, b and g; of
        norms, those of fastact's function, gamma and beta included. Rows, and the channels of batch norms,
        lie along the last axis. If it returns a tuple, as backward passes of learnable activations do, the
        first array is measured; of the backward pass of a gate, which returns two gradients, both are, and of
        norms all that it returns.
    like : str or Activation
        The function that ``f`` implements: a name or an alias, as for `fastact.get`.
    pass_ : {"forward", "derivative", "backward", "backward_from_output"}
        The pass that ``f`` implements: f(x); g·f'(x) with g = 1; g·f'(x) with gradients g of all sizes; or
        the latter as a function of y = f(x), which is compared with the formula in y.
    dtype : {"float32", "float64", "float16", "bfloat16"}
        The dtype of the arrays and of the result.
    inputs : {"sample", "exhaustive"}, array_like, or tuple of array_like
        "sample" covers every exponent, kinks, roots and tails, and in half precision every number;
        "exhaustive" means every number, which takes minutes in float32. An array contains the inputs x, a
        tuple all arrays of the pass.
    flush : {None, "subnormal results", "subnormal inputs"}
        Whether the function may replace subnormal results, or also subnormal inputs, by zero.
    **parameters : float
        The parameters of the activation, or a norm's eps. They are not passed to ``f``.

    Returns
    -------
    Measurement
        Among its attributes are ``largest``, ``where``, ``shares``, ``wrong`` and ``table``.

    Raises
    ------
    TypeError
        If f returns another dtype, or the activation has no such parameter.
    ValueError
        If f returns an array of the wrong shape, or there is no such activation or pass.

    See Also
    --------
    exact : Computes the exact values.
    fastact.check_gradient : Tells what is wrong with a hand-written backward pass.

    Notes
    -----
    An ulp is the distance between adjacent floating-point numbers near the exact result; for a subnormal
    result it is the smallest positive number. Gradients of rows and of cross-entropy, and results of norms,
    are sums: their errors are measured in ulp of the largest term. A result that is infinite or NaN while the
    exact result is a number has an infinite error. The sign of zero is ignored.

    Examples
    --------
    >>> from fastact import accuracy
    >>> def naive(x):
    ...     return 1 / (1 + np.exp(-x))
    >>> found = accuracy.measure(naive, "sigmoid", inputs=np.float32([-100, -80, -1, 0, 1, np.inf]))
    >>> print(found)  # doctest: +ELLIPSIS +NORMALIZE_WHITESPACE
    sigmoid, forward, float32: 6 given
    largest error  26.55 ulp at x = -100.0 (-0x1.9p+6)
                   0.0, exactly 3.7200759760208361e-44
    ...
    >>> found.wrong
    ()
    >>> accuracy.measure(fastact.sigmoid, "sigmoid").largest < 1
    True
    >>> def one_pass(x, gamma, beta):
    ...     mean = x.mean(-1, keepdims=True)
    ...     variance = (x * x).mean(-1, keepdims=True) - mean * mean
    ...     return (x - mean) / np.sqrt(variance + np.float32(1e-5)) * gamma + beta
    >>> x = np.float32([[100, 101, 102]])
    >>> accuracy.measure(one_pass, "layer_norm", inputs=x).largest > 1000
    True
    >>> accuracy.measure(fastact.layer_norm, "layer_norm", inputs=x).largest < 3
    True
    """
    if norm := _norm(like, pass_):
        return _measure_norm(f, norm, pass_, ruler.dtype(dtype), inputs, flush, **parameters)
    subject = _subject(like, pass_, dtype, parameters, flush)
    figures, worst = Figures(), list[Any]()
    for what, arrays in _blocks(subject, inputs):
        before = figures.largest
        ruler.add(figures, subject, f, arrays, what)
        if subject.of_rows and figures.largest > before:
            worst = [a[figures.at["row"]] for a in arrays]
    where = dict(figures.at)
    if worst:
        where = dict(zip(subject.function.inputs, worst, strict=True))
        where["element"] = figures.at.get("element")
    total = sum(figures.counts)
    tried = "all " if total == 1 << 8 * subject.dtype.itemsize else "a sample of "
    return Measurement(
        largest=max(figures.largest, 0.0),
        where={key: value for key, value in where.items() if value is not None},
        result=figures.result,
        exact=_exact_at(subject, where),
        shares=Shares(*(count / total for count in figures.counts)),
        wrong=tuple(figures.wrong),
        table=tuple(figures.table()),
        name=subject.name,
        pass_=pass_,
        dtype=subject.dtype.name,
        parameters=dict(subject.parameters),
        inputs=f"{tried}{total:,}" if isinstance(inputs, str) else f"{total:,} given",
    )


def _norm(like: str | Activation, pass_: str) -> Norm | None:
    """The norm's pass, or None if the function is no norm."""
    name = find(like, (*_NAMES, *_NORMS)) if isinstance(like, str) else ""
    if name not in NORMS:
        return None
    suffix = {"forward": "", "backward": BACKWARD}.get(pass_)
    if suffix is None or name + suffix not in NORMS:
        raise ValueError(f"{name} has no pass {pass_!r}")
    return NORMS[name + suffix]


def _norm_arguments(norm: Norm, dtype: Any, given: Sequence[Any], eps: float) -> Any:
    """The arguments as `norms` has them, with rows along the last axis; those that are not given are made."""
    if not eps >= 0:
        raise ValueError(f"eps must be at least 0, not {eps}")
    first = np.asarray(given[0], dtype)
    if first.ndim == 0 or first.size == 0:
        raise ValueError(f"inputs must hold rows along the last axis, not the shape {first.shape}")
    if len(given) > len(norm.arguments):
        raise TypeError(f"{norm} takes {', '.join(norm.arguments)}, not {len(given)} arrays")
    like_x = norm.arguments[: norm.rows]
    found: dict[str, Any] = {}
    for name, a in zip(norm.arguments, given, strict=False):
        shape = first.shape if name in like_x else first.shape[-1:]
        if a is not None and np.shape(a) != shape:
            raise ValueError(f"{name} has shape {np.shape(a)} where {shape} is required")
        flat = a if a is None else np.asarray(a, dtype).reshape(-1, first.shape[-1])
        found[name] = flat if flat is None or name in like_x else flat[0]
    rng = np.random.default_rng(0)
    for name in ("g", "gamma", "beta"):
        if name not in found:
            shape = found["x"].shape if name == "g" else first.shape[-1:]
            found[name] = rng.normal(size=shape).astype(dtype)
    if norm.of_channels:
        found |= {name: found[name].T for name in ("x", "g")}
    own = norms.given_statistics(found["x"]) if "mean" in norm.arguments else {}
    statistics = {name: found.get(name, values) for name, values in own.items()}
    return found["x"], found["g"], found["gamma"], found["beta"], eps, statistics


def _measure_norm(
    f: Callable[..., Any],
    norm: Norm,
    pass_: str,
    dtype: Any,
    inputs: Any,
    flush: Any,
    eps: float | None = None,
    **others: float,
) -> Measurement:
    if others:
        raise TypeError(f"{norm.forward} has no parameter {', '.join(sorted(others))}")
    if flush is not None:
        raise ValueError(f"flush is not for {norm.forward}")
    eps = norm.eps if eps is None else float(eps)
    if not isinstance(inputs, str):
        arguments = _norm_arguments(norm, dtype, inputs if isinstance(inputs, tuple) else (inputs,), eps)
        blocks = [("the given", arguments)]
    elif inputs == "sample":
        blocks = [block for block in norms.rows(dtype, every_eps=(eps,)) if block[1][2] is not None]
    else:
        raise ValueError(f"inputs must be 'sample' or arrays for {norm.forward}, not {inputs!r}")
    figures, worst = Figures(), blocks[0][1]
    for what, arguments in blocks:
        before = figures.largest
        with np.errstate(all="ignore"):
            results = norms.call(f, norm.name, arguments)
        norms.add(figures, norm.name, results, arguments, what)
        if figures.largest > before:
            worst = arguments
    place, total = figures.at, sum(figures.counts)
    values = norms.expected(norm.name, *worst, convert=norms.in_mpmath)
    value = values[norm.results.index(place.get("of", norm.results[0]))][0][place["element"]]
    if norm.of_channels and "of" not in place:
        place = place | {"element": place["element"][::-1]}
    return Measurement(
        largest=figures.largest,
        where=norms.arrays(norm.name, *worst) | {key: a for key, a in place.items() if key != "rows of"},
        result=figures.result,
        exact=float(value),
        shares=Shares(*(count / total for count in figures.counts)),
        wrong=(),
        table=tuple(figures.table()),
        name=norm.forward,
        pass_=pass_,
        dtype=dtype.name,
        parameters={} if eps == norm.eps else {"eps": eps},
        inputs=f"a sample of {total:,}" if isinstance(inputs, str) else f"{total:,} given",
    )


def _blocks(subject: ruler.Subject, inputs: Any) -> Any:
    """Arrays to call the function with, and what they are."""
    if not isinstance(inputs, str):
        arrays = _arrays(subject, inputs if isinstance(inputs, tuple) else (inputs,))
        return [("the given", arrays)]
    if inputs == "sample":
        return ruler.rows(subject) if subject.of_rows else (("", a) for a in ruler.elements(subject))
    if inputs != "exhaustive":
        raise ValueError(f"inputs must be 'sample', 'exhaustive' or an array, not {inputs!r}")
    size = 8 * subject.dtype.itemsize
    if subject.of_rows or subject.kind == FROM_OUTPUT or size == 64:
        raise ValueError("inputs='exhaustive' is for every x of float32 and the half precisions")
    bar = tqdm(total=1 << size, unit="", unit_scale=True, disable=None, leave=False)

    def blocks() -> Any:
        with bar:
            for arrays in ruler.numbers(subject, range(1 << size)):
                yield "", arrays
                bar.update(arrays[0].size)

    return blocks()


def _exact(subject: ruler.Subject, arrays: Sequence[NDArray[Any]]) -> NDArray[np.object_]:
    """The exact results, in mpmath, for arrays as `_arrays` makes them."""
    if subject.of_rows:
        return np.asarray(row_reference.exact(subject.function.name, *arrays), object)
    if subject.of_two:
        return pairs.exact(subject.function, arrays, subject.part, **dict(subject.parameters))
    finite = np.logical_and.reduce([np.isfinite(a) for a in arrays])
    values = np.empty(finite.shape, object)
    values[finite] = ruler.exact_results(subject, [a[finite] for a in arrays])
    limits = ruler.expected_values(subject, [a[~finite] for a in arrays])
    values[~finite] = [reference.mp.mpf(limit) for limit in limits]
    return values


def _exact_at(subject: ruler.Subject, where: dict[str, Any]) -> float:
    if "of" in where:
        subject = replace(subject, part=pairs.GRADIENTS.index(where["of"]))
    given = [where.get(name, 1.0) for name in subject.function.inputs]  # a derivative's g is 1
    kept = [a if isinstance(a, np.ndarray | np.generic) else subject.dtype.type(a) for a in given]
    value = _exact(subject, [np.asarray(a)[None] for a in kept])[0]
    return float(value if where.get("element") is None else value[where["element"]])


def exact(
    name: str | Activation,
    *arrays: ArrayLike | None,
    pass_: Pass = "forward",
    form: Literal["pair", "mpmath"] = "pair",
    **parameters: float,
) -> Any:
    """Return exact values, as sums of two float64 numbers or as numbers of mpmath with 200 bits.

    Parameters
    ----------
    name : str or Activation
        The activation: a name or an alias, as for `fastact.get`.
    *arrays : array_like
        The arrays of the pass: x; x and g, or x alone for g = 1; y and g; logits, labels and g; a, b and g;
        of norms, those of fastact's function, of which gamma and beta may be None. Rows, and the channels of
        batch norms, lie along the last axis. Integers are converted to float64.
    pass_ : {"forward", "derivative", "backward", "backward_from_output"}
        The pass, as for `measure`.
    form : {"pair", "mpmath"}
        The form of the result.
    **parameters : float
        The parameters of the activation, rounded to the precision in which fastact computes, or a norm's eps.

    Returns
    -------
    Pair or ndarray of object
        The values rounded to float64, ``high``, and the remainders, ``low``; or the numbers of mpmath. Of
        the backward pass of a gate, and of norms with several results, a tuple.

    Raises
    ------
    TypeError
        If the number of arrays is wrong, or the activation has no such parameter.
    ValueError
        If there is no such activation or pass.

    Examples
    --------
    >>> from fastact import accuracy
    >>> float(accuracy.exact("tanh", 20.0, pass_="derivative").high)
    1.6993417021166355e-17
    >>> value = accuracy.exact("gelu", [-13.0, 0.5])
    >>> value.high
    array([-7.95231372e-38,  3.45731231e-01])
    >>> float(accuracy.exact("softplus", 1.0, form="mpmath", beta=2.0))
    1.0634640055214863
    """
    if form not in ("pair", "mpmath"):
        raise ValueError(f"form must be 'pair' or 'mpmath', not {form!r}")
    given = [np.asarray(a) for a in arrays if a is not None]
    dtype = given[0].dtype if given and given[0].dtype.name in FORWARD_BOUND else np.dtype(np.float64)
    if norm := _norm(name, pass_):
        return _exact_norm(norm, dtype, arrays, form, **parameters)
    subject = _subject(name, pass_, dtype, parameters)
    takes = subject.function.inputs
    if len(given) == 1 and len(takes) == 2 and not (subject.of_rows or subject.of_two):
        given.append(np.ones((), dtype))
    if len(given) != len(takes):
        raise TypeError(f"{subject.function.name} takes {', '.join(takes)}, not {len(given)} arrays")
    each = _arrays(subject, given)
    if subject.of_rows:
        shape = ruler.shape_of_result(subject, given[0])
    else:
        shape = np.broadcast_shapes(*(a.shape for a in given))
    count = len(subject.function.results) if subject.of_two else 1
    results = [_exact(replace(subject, part=k), each).reshape(shape) for k in range(count)]
    found = [values[()] if form == "mpmath" else _pair(values) for values in results]
    return tuple(found) if count > 1 else found[0]


def _exact_norm(
    norm: Norm, dtype: Any, arrays: Sequence[Any], form: str, eps: float | None = None, **others: float
) -> Any:
    if others:
        raise TypeError(f"{norm.forward} has no parameter {', '.join(sorted(others))}")
    if not norm.required <= len(arrays) <= len(norm.arguments):
        raise TypeError(f"{norm} takes {', '.join(norm.arguments)}, not {len(arrays)} arrays")
    left_out = [None] * (len(norm.arguments) - len(arrays))
    given = _norm_arguments(norm, dtype, [*arrays, *left_out], norm.eps if eps is None else eps)
    first, *rest = [values for values, _ in norms.expected(norm.name, *given, convert=norms.in_mpmath)]
    first = (first.T if norm.of_channels else first).reshape(np.shape(arrays[0]))
    results = [values if form == "mpmath" else _pair(values) for values in (first, *rest)]
    return tuple(results) if len(results) > 1 else results[0]


def _pair(values: NDArray[np.object_]) -> Pair:
    high = np.asarray(values, np.float64)
    both = zip(values.flat, high.flat, strict=True)
    low = [float(v - reference.mp.mpf(h)) if np.isfinite(h) else 0.0 for v, h in both]
    return Pair(high[()], np.reshape(low, values.shape)[()])


def peer(library: Library | Literal["fastact"], like: str | Activation, pass_: Pass = "forward") -> Any:
    """Return another library's implementation of an activation, as a function of NumPy arrays.

    Parameters
    ----------
    library : {"torch", "jax", "numpy", "scipy", "mkl", "fastact"}
        The library. For numpy, scipy and mkl, whose functions are more general, the implementation is the
        expression that a user would write with them.
    like : str or Activation
        The activation: a name or an alias, as for `fastact.get`. Its parameters have their defaults.
    pass_ : {"forward", "derivative", "backward"}
        The pass, as for `measure`.

    Returns
    -------
    callable
        A function of the arrays of the pass.

    Raises
    ------
    ModuleNotFoundError
        If the library is not installed.
    ValueError
        If the library has no such function.

    Examples
    --------
    >>> from fastact import accuracy
    >>> accuracy.peer("scipy", "sigmoid")(np.array([-1.0, 0.0]))
    array([0.26894142, 0.5       ])
    >>> accuracy.measure(accuracy.peer("numpy", "softplus"), "softplus").largest
    inf
    """
    name, _ = _meant(like, {})
    if library not in (*libraries.MAKERS, "fastact"):
        raise ValueError(f"library must be one of fastact, {', '.join(libraries.MAKERS)}, not {library!r}")
    functions = libraries.library(None if library == "fastact" else library).functions(name)
    kind = ruler.KINDS[pass_]
    kinds = [kind] if kind in (FORWARD, FROM_OUTPUT) else [kind, DERIVATIVE]  # which takes any g, too
    for found in kinds:
        if found in functions:
            return functions[found]
    raise ValueError(f"{library} has no {name}, {pass_}")
