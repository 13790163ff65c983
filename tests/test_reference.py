"""The reference itself: it covers all activations, and its two forms agree."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from accuracy import (
    exact,
    inputs,
    lost_in_output,
    numpy_formula,
    parameter_samples,
    reference_error,
)
from fastact.checks.reference import ACTIVATIONS, evaluate
from fastact.functions import registry
from functions import FORWARD, FROM_OUTPUT, FUNCTIONS, Function, each_function

FLOAT64 = np.dtype(np.float64)


def test_covers_the_list_and_its_defaults() -> None:
    def defaults(formula: Callable[..., Any]) -> tuple[tuple[str, float], ...]:
        return tuple((p.name, p.default) for p in list(inspect.signature(formula).parameters.values())[1:])

    covered = [(name, defaults(a.derivative), a.from_output is not None) for name, a in ACTIVATIONS.items()]
    listed = [
        (f.forward, f.defaults, f.forward + FROM_OUTPUT in registry.FUNCTIONS)
        for f in FUNCTIONS
        if f.suffix == FORWARD
    ]
    assert sorted(covered) == sorted(listed)
    learnable = [name for name, a in ACTIVATIONS.items() if a.parameter_derivative]
    assert sorted(learnable) == sorted(f.forward for f in registry.LEARNABLE)


@pytest.mark.slow
@each_function
def test_numpy_form_agrees_with_the_exact_one(f: Function) -> None:
    for parameters in parameter_samples(f):
        x = inputs(f, FLOAT64, parameters)
        expected = np.array([float(e) for e in exact(f, FLOAT64, parameters)])
        value = evaluate(numpy_formula(f), x, **dict(parameters))
        allowed = reference_error(f, x, expected) + lost_in_output(f, x)
        with np.errstate(invalid="ignore"):
            wrong = ~((np.abs(value - expected) <= allowed) | (value == expected))
        assert not wrong.any(), (parameters, x[wrong], value[wrong], expected[wrong])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_numpy_form_takes_its_limits(name: str) -> None:
    a = ACTIVATIONS[name]
    at = [-np.inf, np.inf]
    np.testing.assert_array_equal([*evaluate(a.forward, at), *evaluate(a.derivative, at)], a.limits)
