"""A bad call of a function of rows gives the promised exception, names the culprit, and changes nothing."""

from typing import Any

import fastact
import numpy as np
import pytest
from numpy.exceptions import AxisError
from rows import FUNCTIONS, RowFunction, each_learned, each_row_function

X = np.linspace(-2, 2, 24, dtype=np.float32).reshape(4, 6)
LABELLED = [f for f in FUNCTIONS if f.labelled]
GATED = [f for f in FUNCTIONS if "m" in (*f.inputs, f.output)]

each_labelled = pytest.mark.parametrize("f", LABELLED, ids=lambda f: f.name)


def refused(exception: Any, match: str | None, f: Any, args: Any, **keywords: Any) -> None:
    """The call fails; and neither out nor an input is changed."""
    kept = [np.array(a) for a in args]
    out = keywords.get("out")
    outs = [o for o in (out if isinstance(out, tuple) else (out,)) if isinstance(o, np.ndarray)]
    before = [o.copy() for o in outs]
    with pytest.raises(exception, match=match):
        f(*args, **keywords)
    for given, copy in zip(args, kept, strict=True):
        np.testing.assert_array_equal(given, copy)
    for given, copy in zip(outs, before, strict=True):
        assert given.tobytes() == copy.tobytes()


def prepared(f: RowFunction) -> tuple[list[Any], Any]:
    args = list(f.arguments(X))
    return args, np.full_like(f(*args), 77)


@each_row_function
def test_axis(f: RowFunction) -> None:
    args, out = prepared(f)
    for axis in (2, -3, 10**6):
        refused(AxisError, str(axis), f, args, axis=axis, out=out)
    for wrong in (1.0, "1", (0, 1)):
        refused((TypeError, AxisError), None, f, args, axis=wrong, out=out)
    refused((AxisError, ValueError), None, f, [X[0, 0], *args[1:]], out=out)


@each_row_function
def test_wrong_calls(f: RowFunction) -> None:
    args, out = prepared(f)
    refused(TypeError, None, f, [])
    refused(TypeError, None, f, args[:-1], out=out)
    refused(TypeError, None, f, args, out=out, nonsense=1)
    refused(TypeError, None, f, [X.astype(np.longdouble), *args[1:]], out=out)
    refused(TypeError, None, f, [X.astype(complex), *args[1:]], out=out)
    refused((TypeError, AxisError), None, f, ["text", *args[1:]], out=out)
    refused(TypeError, None, f, args, out=[out])
    refused(TypeError, None, f, args, out=np.zeros(out.shape, int))
    refused(ValueError, None, f, args, out=out[:2])
    refused(ValueError, None, f, args, out=out, casting="nonsense")
    if f.output:
        refused(ValueError, None, f, args, out=out[:, :2])
    for i, size in enumerate(f.inputs[1:], 1):
        for shorter in (args[i][:3], *([args[i][:, :-1]] if size else [])):
            refused(ValueError, None, f, [*args[:i], shorter, *args[i + 1 :]], out=out)
    out.flags.writeable = False
    refused(ValueError, "read-only", f, args, out=out)


@pytest.mark.parametrize("f", GATED, ids=lambda f: f.name)
def test_odd_length(f: RowFunction) -> None:
    args, out = prepared(f)
    refused(ValueError, rf"{f.name}: x has 5 .*even", f, [X[:, :5], *args[1:]])
    refused(ValueError, rf"{f.name}: x has 3 .*even", f, [X[:3], *(a[:1] for a in args[1:])], axis=0)
    if f.inputs[1:]:
        refused(ValueError, rf"{f.name}: x has 6 .* 4; half", f, [X, X[:, :4]], out=out)
        refused(ValueError, rf"{f.name}: x has 6 .* 6; half", f, [X, X], out=out)


@each_labelled
def test_labels_out_of_range(f: RowFunction) -> None:
    args, out = prepared(f)
    for label, dtype in (
        (6, int),
        (-1, int),
        (2**62, int),
        (-(2**63), int),
        (2**64 - 1, np.uint64),
        (200, np.uint8),
    ):
        labels = np.zeros(4, dtype)
        labels[2] = label
        refused(
            ValueError, rf"{f.name}: labels has {label}; 0 <= label < 6", f, [X, labels, *args[2:]], out=out
        )
        refused(ValueError, "labels", f, [X, dtype(label), *args[2:]], out=out)
    refused(
        ValueError,
        "labels has 5; 0 <= label < 4",
        f,
        [X, [0, 1, 2, 3, 0, 5], *(a[:1] for a in args[2:])],
        axis=0,
    )


class Refusing:
    """Tells NumPy to keep its ufuncs away."""

    __array_ufunc__ = None


@each_labelled
def test_labels_of_a_wrong_type(f: RowFunction) -> None:
    args, out = prepared(f)
    wrong: Any
    for wrong in (
        np.zeros(4),
        np.zeros(4, bool),
        np.zeros(4, complex),
        ["a"] * 4,
        None,
        1.0,
        np.zeros(4, object),
        Refusing(),
    ):
        refused(TypeError, f"{f.name}: labels must be integers", f, [X, wrong, *args[2:]], out=out)


@pytest.mark.parametrize("name", ["maxout", "maxout_backward"])
def test_no_pieces(name: str) -> None:
    f = RowFunction(name)
    g = [np.zeros(4, np.float32)] * (len(f.inputs) - 1)
    refused(ValueError, f"{name}: x has no element along axis", f, [X[:, :0], *g])


@each_learned
def test_learned(name: str, p: float) -> None:
    f: Any = getattr(fastact, name)
    parameter = "alpha" if name == "prelu_backward" else "beta"
    for shape in ((5,), (4,), (6, 1), (1, 4, 6), (3, 6), (0,)):
        out = (np.full_like(X, 77), np.full(shape, 77, np.float32))
        message = rf"{name}: {parameter} has shape .*broadcast"
        refused(ValueError, message, f, [X.copy(), X, np.ones(shape)], out=out)
        refused(ValueError, message, f, [X.copy(), X, np.ones(shape)])
    out = (np.full_like(X, 77), np.full((), 77, np.float32))
    refused(ValueError, None, f, [X, X[:3], p], out=out)
    refused(ValueError, None, f, [X, X[0], p], out=out)
    wrong: Any
    for wrong in (
        "one",
        None,
        1j,
        np.complex64(1),
        np.ones(6, complex),
        ["one"],
        np.ones(6, object),
    ):
        refused(TypeError, None, f, [X, X, wrong], out=out)
    masked = np.ma.masked_array(X, X > 0)
    for label, args in (("x", [masked, X, p]), ("g", [X, masked, p]), (parameter, [X, X, masked])):
        refused(TypeError, f"{name}: {label} is masked", f, args, out=out)
    with pytest.raises((TypeError, ValueError)):
        f(Refusing(), X, p)
    for bad in (X.astype(np.longdouble), X.astype(complex), "text"):
        refused((TypeError, ValueError), None, f, [bad, X, p], out=out)
        refused((TypeError, ValueError), None, f, [X, bad, p], out=out)
    refused(TypeError, None, f, [X, X, p], out=out, nonsense=1)
    for wrong_out in (
        (out[0][:3], out[1]),
        (out[0], np.full(3, 77, np.float32)),
        (np.zeros(X.shape, int), out[1]),
        (out[0], np.zeros((), int)),
        (out[0],),
        out[0],
        [*out],
        (*out, out[0]),
        (read_only(out[0]), out[1]),
        (out[0], read_only(out[1])),
    ):
        refused((TypeError, ValueError), None, f, [X, X, p], out=wrong_out)


def read_only(a: Any) -> Any:
    a = a.copy()
    a.flags.writeable = False
    return a
