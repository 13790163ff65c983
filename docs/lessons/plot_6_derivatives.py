r"""
Derivatives: formulas, differences, automatic differentiation
=============================================================

There are three ways to compute a derivative. A *formula* is exact, but somebody has to derive it. A
*difference quotient* needs no formula, but is inexact. *Automatic differentiation* applies the chain rule to
the steps of a program, for each of which a formula is known.
"""

import autograd
import fastact
import fastact.autograd  # teaches autograd the derivatives of fastact's functions
import matplotlib.pyplot as plt
import numpy as np

# %%
# Differences
# -----------
# The difference quotient :math:`(f(x + h) - f(x - h))/2h` has two errors. The first is about :math:`h^2
# f'''(x)/6` and calls for a small h. The second is the rounding error of f divided by h and calls for a large
# h. The best h is about the cube root of the machine precision, and even then a third of the digits is lost.

x, steps = 0.7, np.geomspace(1e-12, 1, 100)
for name in ("sigmoid", "tanh", "gelu"):
    f = fastact.get(name)
    slope = f.backward(x, 1.0)
    errors = abs((f(x + steps) - f(x - steps)) / (2 * steps) - slope) / abs(slope)
    best = errors.argmin()
    print(f"{name:8} f'({x}) = {slope:.15f}; best h = {steps[best]:.0e}, error {errors[best]:.0e}")
    plt.loglog(steps, errors, label=name)
plt.xlabel("h")
plt.ylabel("relative error of the difference quotient")
plt.legend()
plt.show()

# %%
# Automatic differentiation
# -------------------------
# `autograd <https://github.com/HIPS/autograd>`_ records the operations of a NumPy program and applies the
# chain rule to them in reverse order. It knows the derivatives of NumPy's own functions. The derivative of
# 3x² is 6x, so at x = 5 it is 30:

print(autograd.grad(lambda x: 3 * x**2)(5.0))

# %%
# Once ``fastact.autograd`` is imported, autograd knows every function of fastact too. The table shows the
# derivative at 1.5 of each activation without parameters, next to the difference quotient. A derivative is
# a program as well, so autograd can differentiate it again; the last column is the second derivative.

x, h = 1.5, 1e-5
print(f"{'':14}{'automatic':>12}{'quotient':>13}{'second':>13}")
for name in fastact.names():
    if not fastact.get(name).parameters:
        f = getattr(fastact, name)
        slope = autograd.grad(f)
        quotient, second = (f(x + h) - f(x - h)) / (2 * h), autograd.grad(slope)(x)
        print(f"{name:14}{slope(x):12.8f}{quotient:13.8f}{second:13.8f}")

# %%
# ``elementwise_grad`` does the same for each element of an array:

x = np.linspace(-6, 6, 1201)
slope = autograd.elementwise_grad(fastact.gelu)
curvature = autograd.elementwise_grad(slope)
for g, label in ((fastact.gelu, "gelu"), (slope, "gelu′"), (curvature, "gelu″")):
    plt.plot(x, g(x), label=label)
plt.xlabel("x")
plt.legend()
plt.show()

# %%
# For a whole network, one call computes the gradient that :doc:`plot_1_training` writes by hand:

rng = np.random.default_rng(0)
x, labels = rng.normal(size=(8, 4)), rng.integers(3, size=8)
w1, w2 = rng.normal(size=(4, 5)), rng.normal(size=(5, 3))


def loss(w1, w2):
    return np.sum(fastact.softmax_cross_entropy(fastact.gelu(x @ w1) @ w2, labels))


z = x @ w1
dlogits = fastact.softmax_cross_entropy_backward(fastact.gelu(z) @ w2, labels, np.ones(8))
by_hand = x.T @ fastact.gelu_backward(z, dlogits @ w2.T)
print("largest difference:", abs(autograd.grad(loss)(w1, w2) - by_hand).max())
