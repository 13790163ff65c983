"""An invalid call of a function of rows raises an exception with the argument's name and changes nothing."""

import inspect
import re
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
    """Check that the call fails and changes neither out nor an input."""
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
        refused(AxisError, str(axis), f, args, axis=(0, axis), out=out)
    for wrong in (1.0, "1", [0], True, (0, 1.0), np.array([0, 1])):
        refused(
            TypeError, f"{f.name}: axis must be an int, a tuple of ints or None", f, args, axis=wrong, out=out
        )
    refused(ValueError, f"{f.name}: axis .* twice", f, args, axis=(1, -1), out=out)
    refused(AxisError, None, f, [X[0, 0], *args[1:]], axis=1, out=out)


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
    refused(TypeError, "nonsense", f, args, out=out, nonsense=1)
    first = next(iter(inspect.signature(getattr(fastact, f.name)).parameters))
    refused(TypeError, f"{first} is given twice", f, args, out=out, **{first: X})
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
        for g in (X[:, :4], X):
            message = rf"{f.name}: g has shape {re.escape(str(g.shape))} where \(4, 3\) .* \(4, 6\)"
            refused(ValueError, message, f, [X, g], out=out)
    refused(ValueError, f"{f.name}: x is split into halves along one axis, not 2", f, args, axis=(0, 1))


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
            ValueError,
            rf"{f.name}: labels contains {label}; 0 <= label < 6",
            f,
            [X, labels, *args[2:]],
            out=out,
        )
        refused(ValueError, "labels", f, [X, dtype(label), *args[2:]], out=out)
    refused(
        ValueError,
        "labels contains 5; 0 <= label < 4",
        f,
        [X, [0, 1, 2, 3, 0, 5], *(a[:1] for a in args[2:])],
        axis=0,
    )


@each_row_function
def test_shapes_must_match(f: RowFunction) -> None:
    """Nothing is broadcast, neither labels nor gradients."""
    args, out = prepared(f)
    for i, (a, name) in enumerate(
        zip(args, inspect.signature(getattr(fastact, f.name)).parameters, strict=False)
    ):
        if i == 0:
            continue
        wrong = [a[:1], a[None], a[..., None], a[:, :1] if a.ndim > 1 else a[0], np.concatenate([a, a])]
        if not f.inputs[i]:
            wrong.append(np.ones_like(X, dtype=a.dtype))
        for given in wrong:
            message = (
                rf"{f.name}: {name} has shape {re.escape(str(given.shape))} where {re.escape(str(a.shape))}"
                rf" is required; \w+ has \(4, 6\)"
            )
            refused(ValueError, message, f, [*args[:i], given, *args[i + 1 :]], out=out)
            refused(ValueError, message, f, [*args[:i], given.tolist(), *args[i + 1 :]])


@each_labelled
def test_one_hot_labels(f: RowFunction) -> None:
    args, out = prepared(f)
    one_hot = np.eye(6, dtype=int)[:4]
    refused(ValueError, "One-hot .* floating-point", f, [X, one_hot, *args[2:]], out=out)
    refused(ValueError, "labels has shape", f, [X[0], [0, 1, 2], *(a[0] for a in args[2:])])


@pytest.mark.parametrize("name", ["prelu", "leaky_relu", "elu", "swish", "prelu_backward", "swish_backward"])
def test_a_parameter_for_each_channel(name: str) -> None:
    """The error says how to pass one number for each channel of axis 1."""
    f, x = getattr(fastact, name), np.linspace(-3, 3, 2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    arrays = (x, x) if "backward" in name else (x,)
    parameter = list(inspect.signature(f).parameters)[len(arrays)]
    p = np.array([0.1, 0.2, 0.3])
    with pytest.raises(ValueError, match=rf"{name}: {parameter} has shape .* {parameter}\[:, None, None\]"):
        f(*arrays, p)
    f(*arrays, p[:, None, None])


class Refusing:
    """An object that opts out of ufuncs."""

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
        refused(TypeError, f"{name}: {label} is a masked array.* {label}.filled", f, args, out=out)
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
        (out[0], out[0][0, 0, ...]),
    ):
        refused((TypeError, ValueError), None, f, [X, X, p], out=wrong_out)


def test_loss_and_gradient_share_no_memory() -> None:
    f, labels, out = fastact.softmax_cross_entropy_with_gradient, np.zeros(4, int), np.full((4, 6), 77.0)
    message = "arrays 0 and 1 of out share memory"
    refused(ValueError, message, f, [np.ones((4, 6)), labels], out=(out[:, 0], out))


def read_only(a: Any) -> Any:
    a = a.copy()
    a.flags.writeable = False
    return a
