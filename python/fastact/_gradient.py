"""Find what is wrong with a hand-written backward pass."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .functions.by_name import Activation, find
from .functions.registry import BACKWARD, ELEMENTWISE, FROM_OUTPUT, FUNCTIONS, OF_TWO, Function

Array = NDArray[Any]

TOLERANCE = 1e-5  # relative to 1 + |value|, in float64: formulas differ by more, their rounding by less
TAIL_TOLERANCE = 1e-3  # in float32, where sums and differences may have cancelled
# Magnitudes of x at which formulas overflow: e^x in float32 beyond 88.7, in float64 beyond 709.8.
TAILS = {"float32": (20, 50, 80, 89, 95, 104, 200, 1e3, 1e4, 1e6, 1e10), "float64": (500, 720, 1e4, 1e10)}
_NAMES = tuple(name for name, f in FUNCTIONS.items() if name == f.forward and f not in OF_TWO)


@dataclass(frozen=True)
class Fault:
    """Something wrong with a backward pass.

    Attributes
    ----------
    kind : str
        A short name: "sign", "ignores g", "factor", "kink", "tail", "not finite", "shape", …
    message : str
        A description with an example.
    """

    kind: str
    message: str


@dataclass(frozen=True)
class GradientCheck:
    """The result of `fastact.check_gradient`; `print` shows it.

    Attributes
    ----------
    name : str
        The activation.
    faults : tuple of Fault
        The faults that were found; each has a ``kind`` and a ``message``.
    ok : bool
        Whether there are none.
    """

    name: str
    faults: tuple[Fault, ...]

    @property
    def ok(self) -> bool:
        return not self.faults

    def __str__(self) -> str:
        if self.ok:
            return f"{self.name}: the backward pass is correct"
        count = f"{len(self.faults)} fault{'s' * (len(self.faults) > 1)}"
        return "\n".join([f"{self.name}: {count}", *(f"- {f.kind}: {f.message}" for f in self.faults)])


class _Case:
    """The backward pass of an activation in fastact, and arrays with which to try another one."""

    def __init__(self, name: str, parameters: dict[str, Any]) -> None:
        self.name, self.parameters = name, parameters
        self.function: Function = FUNCTIONS[name + BACKWARD]
        self.of_rows = self.function.kind == "rows"
        self.pair = self.function.kind == "learnable"

    def expected(self, *arrays: Array) -> Any:
        """The gradient with respect to x; for a learnable activation also that of the parameter."""
        return self.function(*arrays, **self.parameters)

    def gradient(self, *arrays: Array) -> Array:
        result = self.expected(*arrays)
        return np.asarray(result[0] if self.pair else result)

    def value(self, *arrays: Array) -> Array:
        return np.asarray(FUNCTIONS[self.name](*arrays, **self.parameters))

    def with_gradients(self, x: Array) -> tuple[Array, ...]:
        """x and the other arguments: labels, and gradients that are not close to 0."""
        rng = np.random.default_rng(1)
        labels = rng.integers(x.shape[-1], size=x.shape[:-1]) if self.function.labels is not None else None
        shape = np.shape(self.value(x) if labels is None else self.value(x, labels))
        g = rng.choice([-1.0, 1.0], shape) * rng.uniform(0.5, 2, shape)
        return x, *([] if labels is None else [labels]), g.astype(x.dtype)

    def ordinary(self) -> Array:
        rng = np.random.default_rng(0)
        if self.of_rows:
            return rng.normal(0, 1.5, (5, 6))
        return np.sort(np.concatenate([rng.normal(0, 2, 100), rng.uniform(-7, 7, 100)]))


def close(a: Array, b: Array, tolerance: float = TOLERANCE) -> NDArray[np.bool_]:
    """Where a and b are numbers that agree."""
    with np.errstate(invalid="ignore", over="ignore"):
        near: NDArray[np.bool_] = np.abs(a.astype(float) - b.astype(float)) <= tolerance * (1 + np.abs(b))
    return near


def worst(got: Array, due: Array, chosen: NDArray[np.bool_]) -> tuple[Any, ...]:
    """The chosen element with the largest error."""
    with np.errstate(invalid="ignore"):
        off = np.abs(got.astype(float) - due)
    return np.unravel_index(np.where(chosen, np.nan_to_num(off, nan=np.inf), -1).argmax(), off.shape)


def example(case: _Case, arrays: Sequence[Array], got: Array, due: Array, at: tuple[Any, ...]) -> str:
    """A description of one wrong element."""
    if case.of_rows:
        given = np.array2string(np.asarray(arrays[0][at[0]], float), precision=3)
        return f"for the row {given} it gives {got[at]:.6g} at {list(map(int, at[1:]))}, not {due[at]:.6g}"
    g = arrays[1][at]
    return f"at x = {arrays[0][at]:.6g}, g = {g:.6g} it gives {got[at]:.6g}, not {due[at]:.6g}"


def element_guesses(case: _Case, x: Array, g: Array) -> Iterator[tuple[str, str, Array]]:
    """Common mistakes: the kind, a description, and the result that the mistake leads to."""
    slope, y, due = case.gradient(x, np.ones_like(g)), case.value(x), case.gradient(x, g)
    yield "sign", "it has the opposite sign", -due
    yield "ignores g", "it is f'(x); multiply it by the upstream gradient g", slope
    yield "factor", "it is g; the factor f'(x) is missing", g
    yield "sign", "it is -g", -g
    yield "zero", "it is 0", 0 * g
    yield "forward", "it is f(x), the function instead of its gradient", y
    yield "forward", "it is g·f(x), with the function instead of its derivative", g * y
    yield "factor", "it contains the factor g twice", g * due
    yield "factor", "it contains the factor f'(x) twice", slope * due
    yield "factor", "it contains an additional factor x", x * due
    yield "factor", "a factor x is missing", due / x
    yield "term", "it is g·f(x)/x; the product rule's term x·(f(x)/x)' is missing", g * y / x
    yield "term", "it is g·x·(f(x)/x)'; the product rule's term f(x)/x is missing", g * (slope - y / x)
    yield "sign", "the product rule's term x·(f(x)/x)' has the wrong sign", g * (2 * y / x - slope)
    text = "the product rule's term x·(f(x)/x)' lacks the factor x"
    yield "term", text, g * (y / x + (slope - y / x) / x)
    yield "term", "it is g·(1 - f(x)); a factor or a square is missing", g * (1 - y)
    yield "input", "x and g are exchanged; x comes first", case.gradient(g, x)
    yield "input", "it is f' at y = f(x), not at x", case.gradient(y, g)
    if from_output := FUNCTIONS.get(case.name + FROM_OUTPUT):
        text = "it is the formula in the output y, applied to the input x"
        yield "input", text, from_output(x, g, **case.parameters)
    for other in ELEMENTWISE:
        if other.suffix == BACKWARD and other.forward != case.name:
            yield "function", f"it is the gradient of {other.forward}", other(x, g)


def row_guesses(case: _Case, x: Array, *others: Array) -> Iterator[tuple[str, str, Array]]:
    due, y, g = case.gradient(x, *others), case.value(x, *others[:-1]), others[-1]
    spread = g[..., None] if g.ndim < x.ndim else g
    yield "sign", "it has the opposite sign", -due
    yield "ignores g", "it ignores the upstream gradient g", case.gradient(x, *others[:-1], np.ones_like(g))
    yield "zero", "it is 0", 0 * due
    if y.shape == x.shape:
        yield "forward", "it is f(x), the function instead of its gradient", y
        yield "forward", "it is g·f(x), with the function instead of its derivative", g * y
        yield "term", "it is g·y·(1 - y), the diagonal of the Jacobian alone", g * y * (1 - y)
    softmax = FUNCTIONS["softmax"](x)
    if case.name == "softmax":
        yield "factor", "the factor y is missing", due / y
        yield "sign", "the sum over the row has the wrong sign", 2 * g * y - due
    if case.name == "log_softmax":
        yield "sign", "the sum over the row has the wrong sign", 2 * g - due
        yield "factor", "it is g - softmax(x); the factor Σ g is missing", g - softmax
        yield "term", "it is g·(1 - softmax(x)); g is not summed over the row", g * (1 - softmax)
        yield "forward", "it is g - y·Σ g; softmax(x) is e^y, not y", g - y * g.sum(-1, keepdims=True)
    if case.function.labels is not None:
        yield "term", "it is g·softmax(x); 1 at the label is not subtracted", spread * softmax
    if case.function.labels is None and g.shape == x.shape:
        across = case.function(np.ascontiguousarray(x.T), np.ascontiguousarray(g.T)).T
        yield "axis", "it works along the first axis, not along the last", across
    for other in FUNCTIONS.values():
        same = other.suffix == BACKWARD and other.operands == case.function.operands
        if same and other.kind == "rows" and other.forward != case.name:
            yield "function", f"it is the gradient of {other.forward}", other(x, *others)


def explain(
    case: _Case, arrays: Sequence[Array], got: Array, chosen: NDArray[np.bool_]
) -> tuple[str, str] | None:
    """The kind and the description of a mistake that explains all chosen results, if there is one."""
    due = case.gradient(*arrays)
    guesses = row_guesses if case.of_rows else element_guesses
    with np.errstate(all="ignore"):
        for kind, text, value in guesses(case, *arrays):
            if close(got, value)[chosen].all():
                return kind, text
        large = chosen & (np.abs(due) > 1e-3)
        ratios = got[large] / due[large]
    if ratios.size > 1 and np.ptp(ratios) <= 10 * TOLERANCE * abs(ratios.mean()):
        factor = ratios.mean()
        if close(got, factor * due)[chosen].all():
            return "factor", f"it is {factor:.6g} times the correct value{known(factor, arrays[-1])}"
    return None


def known(factor: float, g: Array) -> str:
    """The origin of a factor, if it is obvious."""
    mean = bool(np.isclose(factor, 1 / g.size))
    return ": g already contains the factor of a mean over the batch" * mean


def wrong_values(case: _Case, arrays: Sequence[Array], got: Array) -> Iterator[Fault]:
    """Faults at ordinary numbers, everywhere or on one side of 0."""
    x, due = arrays[0], case.gradient(*arrays)
    wrong = ~close(got, due)
    if not wrong.any():
        return
    everywhere = np.ones(wrong.shape, bool)
    sides = [("", everywhere)]
    if not case.of_rows and not explain(case, arrays, got, everywhere):
        halves = (("for x > 0 ", x > 0), ("for x < 0 ", x < 0))
        sides = [(side, part) for side, part in halves if (wrong & part).any()]
        if not any(explain(case, arrays, got, part) for _, part in sides):
            sides = [("", everywhere)]
    for side, part in sides:
        at = worst(got, due, wrong & part)
        kind, text = explain(case, arrays, got, part) or ("formula", "")
        if not text:
            reach = (
                ""
                if case.of_rows
                else f", from x = {x[wrong & part].min():.3g} to {x[wrong & part].max():.3g}"
            )
            text = f"{np.count_nonzero(wrong & part)} of {np.count_nonzero(part)} results are wrong{reach}"
        yield Fault(kind, f"{side}{text}; {example(case, arrays, got, due, at)}")


def jumps(case: _Case) -> dict[float, tuple[float, float]]:
    """The points where f' jumps, with its values on both sides."""

    def slope(x: Array) -> Array:
        return case.gradient(x, np.ones_like(x))

    borders = np.linspace(-10.3, 10.4, 1001)
    low, high = borders[:-1].copy(), borders[1:].copy()
    for _ in range(40):
        middle = (low + high) / 2
        left = np.abs(slope(middle) - slope(low)) > np.abs(slope(high) - slope(middle))
        low, high = np.where(left, low, middle), np.where(left, middle, high)
    found = zip(np.round(middle, 9), slope(low), slope(high), strict=True)
    return {float(x): (float(a), float(b)) for x, a, b in found if abs(b - a) > 1e-3}


def wrong_kinks(case: _Case, gradient: Callable[..., Array]) -> Iterator[Fault]:
    kinks = jumps(case)
    for at in sorted({0.0, *kinks}):
        x, g = np.array([at]), np.array([1.0])
        got, due = gradient(x, g)[0], case.gradient(x, g)[0]
        if close(got, due):
            continue
        if at in kinks:
            text = f"at x = {at:g}, where f' jumps from {kinks[at][0]:.4g} to {kinks[at][1]:.4g}, "
            yield Fault("kink", f"{text}it gives {got:.6g}·g; by convention f' is {due:.6g} there")
        else:
            yield Fault("kink", f"at x = 0 it gives {got:.6g}·g, not {due:.6g}·g")


def wrong_tails(case: _Case, gradient: Callable[..., Array], only_finite: bool) -> Iterator[Fault]:
    """Infinity, NaN and wrong numbers at large inputs: for each sign the smallest such input."""
    seen = set()
    for dtype, sign, size in ((d, s, t) for d, sizes in TAILS.items() for s in (1, -1) for t in sizes):
        if case.of_rows:
            x = (sign * size * np.array([[1.0, 0.5, 0.75, 0.25], [1.0, 1.0, 0.999, 0.998]])).astype(dtype)
        else:
            x = np.array([sign * size], dtype)
        arrays = case.with_gradients(x)
        got, due = gradient(*arrays), case.gradient(*arrays)
        wrong = ~close(got, due, TAIL_TOLERANCE) & np.isfinite(due)
        if not wrong.any():
            continue
        at = worst(got, due, wrong)
        kind = "tail" if np.isfinite(got[at]) else "not finite"
        if (kind, sign) in seen or (only_finite and kind == "tail"):
            continue
        seen.add((kind, sign))
        yield Fault(kind, f"{example(case, arrays, got, due, at)}, in {dtype}")


def wrong_form(case: _Case, f: Callable[..., Any]) -> Iterator[Fault]:
    """Faults of the shape and the dtype, whatever the values are."""
    for dtype in ("float64", "float32"):
        x = case.ordinary().astype(dtype)
        for shape in [x.shape] if case.of_rows else [x.shape, (4, x.size // 4)]:
            arrays = case.with_gradients(x.reshape(shape))
            given = [a.copy() for a in arrays]
            with np.errstate(all="ignore"):
                result = f(*given)
            for name, before, after in zip(case.function.inputs, arrays, given, strict=False):
                if not np.array_equal(before, after):
                    yield Fault("changes its input", f"the call changes the array {name}; work on a copy")
            if result is None:
                yield Fault("shape", "it returns None; a return statement may be missing")
                return
            due = case.expected(*arrays)
            due, result = (due, result) if case.pair else ((due,), (result,))
            if not isinstance(result, tuple) or len(result) != len(due):
                yield Fault(
                    "shape", "it must return a pair, the gradients with respect to x and the parameter"
                )
                return
            names = ("", *(f" for {name}" for name, _ in case.function.parameters))
            for name, one, right in zip(names, result, due, strict=False):
                if isinstance(one, tuple):
                    yield Fault("shape", "it returns a tuple instead of one array")
                    return
                one, right = np.asarray(one), np.asarray(right)
                if one.shape != right.shape:
                    text = f"the gradient{name} has the shape {one.shape} for x of shape {shape}"
                    yield Fault("shape", f"{text}, not {right.shape}")
                    return
                if one.dtype != right.dtype:
                    yield Fault("dtype", f"the gradient{name} of {dtype} arrays is {one.dtype}")


def wrong_parameter(case: _Case, f: Callable[..., Any]) -> Iterator[Fault]:
    """Faults of the gradient with respect to a learnable parameter."""
    arrays = case.with_gradients(case.ordinary())
    with np.errstate(all="ignore"):
        got, due = np.asarray(f(*arrays)[1], float), np.asarray(case.expected(*arrays)[1], float)
    if not close(got, due).all():
        parameter = case.function.parameters[0][0]
        kind = "sign" if close(got, -due).all() else "parameter"
        yield Fault(kind, f"the gradient for {parameter} is {got:.6g}, not {due:.6g}")


def check_gradient(
    f_backward: Callable[..., Any], name: str | Activation, **parameters: Any
) -> GradientCheck:
    """Tell what is wrong with a hand-written backward pass.

    The function is compared with that of fastact at ordinary numbers, at kinks, and at large inputs. If the
    results differ, common mistakes are tried as explanations. This needs no other package than NumPy.

    Parameters
    ----------
    f_backward : callable
        The function to check. It takes NumPy arrays, x and g or logits, labels and g, and returns g·f'(x), or
        for a learnable activation a pair. Rows lie along the last axis.
    name : str or Activation
        The activation f: a name or an alias, as for `fastact.get`.
    **parameters
        The parameters of f. They are not passed to ``f_backward``.

    Returns
    -------
    GradientCheck
        Its attributes are ``ok`` and ``faults``; each fault has a ``kind`` and a ``message``.

    Raises
    ------
    TypeError
        If the activation has no such parameter.
    ValueError
        If there is no such activation.

    See Also
    --------
    fastact.accuracy.measure : Measures how accurate a correct function is.

    Notes
    -----
    A result counts as wrong if its error exceeds 1e-5·(1 + abs(dx)), or at large inputs 1e-3·(1 + abs(dx)).
    At a point where f' jumps its value is a convention; fastact follows torch.

    Examples
    --------
    >>> def tanh_backward(x, g):
    ...     return g * (1 - x**2)
    >>> found = fastact.check_gradient(tanh_backward, "tanh")
    >>> found.ok
    False
    >>> print(found.faults[0].message)  # doctest: +ELLIPSIS
    it is the formula in the output y, applied to the input x; at x = ...
    >>> def relu_backward(x, g):
    ...     return g * (x >= 0)
    >>> fastact.check_gradient(relu_backward, "relu").faults[0].kind
    'kink'
    >>> fastact.check_gradient(fastact.relu_backward, "relu").ok
    True
    """
    if isinstance(name, Activation):
        known_to_it = dict(FUNCTIONS[name.name].parameters) if name.name in FUNCTIONS else {}
        parameters = {k: v for k, v in name.parameters.items() if k in known_to_it} | parameters
    case = _Case(name.name if isinstance(name, Activation) else find(name, _NAMES), parameters)
    if unknown := parameters.keys() - dict(case.function.parameters).keys():
        raise TypeError(f"{case.name} has no parameter {', '.join(sorted(unknown))}")

    def gradient(*arrays: Array) -> Array:
        with np.errstate(all="ignore"):
            result = f_backward(*(a.copy() for a in arrays))
        return np.asarray(result[0] if case.pair else result)

    faults = list(wrong_form(case, f_backward))
    if not any(fault.kind == "shape" for fault in faults):
        arrays = case.with_gradients(case.ordinary())
        values = list(wrong_values(case, arrays, gradient(*arrays)))
        faults += values
        if not values and not case.of_rows:
            faults += wrong_kinks(case, gradient)
        faults += wrong_tails(case, gradient, only_finite=bool(values))
        if case.pair:
            faults += wrong_parameter(case, f_backward)
    return GradientCheck(case.name, tuple(dict.fromkeys(faults)))
