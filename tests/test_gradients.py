"""Derivatives, compared with difference quotients of the functions."""

import numpy as np
from accuracy import parameter_samples
from fastact.checks.reference import ACTIVATIONS
from functions import BACKWARD, FORWARD, Function, each_backward, each_from_output

STEP = 2.0**-17


@each_backward
def test_central_differences(f: Function) -> None:
    forward = f.sibling(FORWARD)
    rng = np.random.default_rng(0)
    x = rng.normal(0, 4, 10_000)
    for kink in ACTIVATIONS[f.forward].kinks:
        x = x[np.abs(x - kink) > STEP]
    g = rng.normal(size=x.size)
    for parameters in map(dict, parameter_samples(f)):
        above, below = forward(x + STEP, **parameters), forward(x - STEP, **parameters)
        rounding = 4 * np.spacing(np.abs(above).max()) / STEP
        slope = (above - below) / (2 * STEP)
        np.testing.assert_allclose(f(x, g, **parameters), g * slope, rtol=0, atol=1e-8 + rounding)


@each_from_output
def test_from_output_agrees_with_backward(f: Function) -> None:
    x, g = np.random.default_rng(0).normal(0, 4, (2, 10_000))
    for parameters in map(dict, parameter_samples(f)):
        y = f.sibling(FORWARD)(x, **parameters)
        expected = f.sibling(BACKWARD)(x, g, **parameters)
        np.testing.assert_allclose(f(y, g, **parameters), expected, rtol=1e-14, atol=1e-14)
