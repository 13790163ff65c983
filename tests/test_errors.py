"""Invalid input raises the promised exception, which names the argument, and changes nothing."""

import pickle
from typing import Any

import numpy as np
import pytest
from fastact.checks.reference import ACTIVATIONS
from functions import FROM_OUTPUT, FUNCTIONS, Function, each_function, each_with_parameters

X = np.linspace(-2, 2, 12, dtype=np.float32).reshape(3, 4)

REFUSALS = [
    (f, name, value)
    for f in FUNCTIONS
    if f.forward in ACTIVATIONS
    for a in [ACTIVATIONS[f.forward]]
    for refused in (a.refused + a.refused_from_output if f.suffix == FROM_OUTPUT else a.refused)
    for name, value in refused.items()
]


@pytest.mark.parametrize(("f", "name", "value"), REFUSALS, ids=lambda v: getattr(v, "name", str(v)))
def test_parameter_out_of_range(f: Function, name: str, value: float) -> None:
    args = [X.copy() for _ in f.inputs]
    good = np.ones(X.shape)
    one_bad = good.copy()
    one_bad[1, 2] = value
    for parameter in (value, np.float64(value), np.array(value), one_bad, one_bad[:, 2:3]):
        out = np.full_like(X, 77)
        with pytest.raises(ValueError, match=name) as error:
            f(*args, **{name: parameter}, out=out)
        assert f.forward in str(error.value)
        assert f"{value:g}" in str(error.value) and "required" in str(error.value)
        assert (out == 77).all() and all((a == X).all() for a in args)
        with pytest.raises(ValueError, match=name):
            f(*args, **{name: parameter}, out=args[0])
        assert (args[0] == X).all()


@each_with_parameters
def test_parameter_of_a_wrong_type(f: Function) -> None:
    args = [X] * len(f.inputs)
    name = f.defaults[0][0]
    wrong: Any
    for wrong in ("one", b"1", None, 1j, np.complex64(1), np.ones(4, complex), ["one"]):
        with pytest.raises(TypeError):
            f(*args, **{name: wrong})
    with pytest.raises(ValueError, match="broadcast"):
        f(*args, **{name: np.ones(5)})


@each_with_parameters
def test_misplaced_arguments(f: Function) -> None:
    args = [X] * len(f.inputs)
    names, values = zip(*f.defaults, strict=True)
    calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
        (names[0], (*args, values[0]), {names[0]: values[0]}),
        ("out", (*args, *values, X.copy()), {"out": X.copy()}),
        (f.inputs[0], (), {}),
        (f.inputs[-1], tuple(args), {f.inputs[-1]: X, **dict(f.defaults)}),
        (f"{len(args) + len(values) + 1} positional", (*args, *values, X.copy(), X), {}),
        ("nonsense", tuple(args), {"nonsense": 1, **dict(f.defaults)}),
        ("too many", tuple(args), {f"nonsense_{k}": k for k in range(50)}),
    ]
    calls += [(name, tuple(args), {}) for name in f.required]
    for culprit, given, keywords in calls:
        with pytest.raises(TypeError, match=culprit) as error:
            f.function(*given, **keywords)
        assert f.name in str(error.value)


@each_function
def test_ufunc_of_an_error_pickles(f: Function) -> None:
    with pytest.raises(TypeError) as error:
        f(*[X] * len(f.inputs), out=np.zeros(X.shape, int))
    ufunc = getattr(error.value, "ufunc")  # noqa: B009
    assert isinstance(ufunc, np.ufunc) and pickle.loads(pickle.dumps(ufunc)) is ufunc
    assert ufunc(*[X] * ufunc.nin).shape == X.shape


@each_function
def test_wrong_calls_change_nothing(f: Function) -> None:
    args = [X.copy() for _ in f.inputs]
    out = np.full_like(X, 77)
    calls: list[tuple[type[Exception], list[Any], dict[str, Any]]] = [
        (TypeError, [], {}),
        (TypeError, args[:-1], {"out": out}),
        (TypeError, args, {"out": out, "nonsense": 1}),
        (TypeError, [*args[:-1], X.astype(np.longdouble)], {"out": out}),
        (TypeError, [*args[:-1], "text"], {"out": out}),
        (TypeError, args, {"out": out, "dtype": np.complex64}),
        (TypeError, args, {"out": out, "where": np.ones(X.shape)}),
        (TypeError, args, {"out": [out]}),
        (ValueError, args, {"out": out[:2]}),
        (ValueError, args, {"out": out, "where": np.ones((5, 4), bool)}),
        (ValueError, args, {"out": out, "casting": "nonsense"}),
        (ValueError, [np.ones((5, 4), np.float32), *args[1:]], {"out": out}),
    ]
    for exception, given, keywords in calls:
        with pytest.raises(exception):
            f(*given, **keywords)
        assert (out == 77).all() and all((a == X).all() for a in args)
    out.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        f(*args, out=out)
    assert (out == 77).all()
