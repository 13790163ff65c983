r"""
Formulas in floating-point arithmetic
=====================================

A formula that is correct on paper may overflow, lose digits by cancellation, or underflow to 0 in float32.
This lesson compares common formulas with fastact, whose results are within one unit in the last place (ulp)
of the exact ones.
"""

import fastact
import matplotlib.pyplot as plt
import numpy as np

np.seterr(all="ignore")  # the formulas would raise warnings; fastact never does


def f32(*values):
    return np.array(values, dtype=np.float32)


# %%
# Each line shows a formula, an input, the result of the formula, and the result of fastact.
# You can `try any other input
# <../explore/index.html#at=function&name=tanh&x=12>`__.

cases = [
    ("log(1 + exp(x))", 100, lambda x: np.log(1 + np.exp(x)), fastact.softplus),
    ("log(1 + exp(x))", -20, lambda x: np.log(1 + np.exp(x)), fastact.softplus),
    ("1/(1 + exp(-x))", -100, lambda x: 1 / (1 + np.exp(-x)), fastact.sigmoid),
    ("log(sigmoid(x))", -120, lambda x: np.log(1 / (1 + np.exp(-x))), fastact.log_sigmoid),
    ("exp(x) - 1, of elu", -1e-8, lambda x: np.exp(x) - 1, fastact.elu),
    ("1 - tanh(x)²", 12, lambda x: 1 - np.tanh(x) ** 2, lambda x: fastact.tanh_backward(x, f32(1))),
    ("x·sigmoid(x)", -np.inf, lambda x: x / (1 + np.exp(-x)), fastact.silu),
    (
        "x·(1 + tanh(u))/2",
        -6,
        lambda x: x / 2 * (1 + np.tanh(0.79788456 * (x + 0.044715 * x**3))),
        fastact.gelu_tanh,
    ),
]
for formula, x, naive, exact in cases:
    print(f"{formula:20} x = {x:<7} {naive(f32(x))[0]:<15.8g} {exact(f32(x))[0]:.8g}")

# %%
# The following plot shows the errors of two implementations of gelu_tanh, in ulp. The float64 result serves
# as the exact value.

x = np.linspace(-6, 6, 4001).astype(np.float32)
exact = fastact.gelu_tanh(x.astype(np.float64))
ulp = np.spacing(abs(exact).astype(np.float32))
naive = x / 2 * (1 + np.tanh(np.float32(0.79788456) * (x + np.float32(0.044715) * x**3)))
for y, label in ((naive, "as written"), (fastact.gelu_tanh(x), "fastact")):
    errors = abs(y - exact) / ulp
    print(f"{label:11} at most {errors.max():.3g} ulp")
    plt.semilogy(x, np.maximum(errors, 1e-2), ".", markersize=2, label=label)
plt.xlabel("x")
plt.ylabel("error in ulp")
plt.legend(markerscale=5)
plt.show()

# %%
# These errors matter in training. A gradient that is 0 instead of small stops a unit from learning, a ``nan``
# spreads to every weight in one step, and a loss of 0 hides that there is still something to learn.
# :doc:`/accuracy` lists the errors of all functions, next to those of torch and JAX.
