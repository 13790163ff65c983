r"""
Derivatives: by formula, by differences, automatic
==================================================

There are three ways to a derivative. A *formula* is exact and has to be found; a *difference quotient*
needs no formula and is inexact; *automatic differentiation* applies the chain rule to the steps of a
program, whose own formulas are known.
"""

import autograd
import fastact
import fastact.autograd  # has autograd know fastact's functions
import matplotlib.pyplot as plt
import numpy as np

# %%
# Differences
# -----------
# :math:`(f(x + h) - f(x - h))/2h` is off by :math:`h^2 f'''(x)/6`, so that a small h is better; and by the
# rounding of f divided by h, so that a large h is better. The best h is about the cube root of the
# precision, and even then a third of the digits is lost.

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
# `autograd <https://github.com/HIPS/autograd>`_ records what a NumPy program does and goes back through it.
# It has always known that the derivative of 3x² is 6x, which at 5 is

print(autograd.grad(lambda x: 3 * x**2)(5.0))

# %%
# and once ``fastact.autograd`` is imported it knows every function of fastact. Here it is at 1.5 for each
# activation without parameters, beside the difference quotient; and, since a derivative is a program too,
# the derivative's derivative:

x, h = 1.5, 1e-5
print(f"{'':14}{'automatic':>12}{'quotient':>13}{'second':>13}")
for name in fastact.names():
    if not fastact.get(name).parameters:
        f = getattr(fastact, name)
        slope = autograd.grad(f)
        quotient, second = (f(x + h) - f(x - h)) / (2 * h), autograd.grad(slope)(x)
        print(f"{name:14}{slope(x):12.8f}{quotient:13.8f}{second:13.8f}")

# %%
# The same for arrays, element by element:

x = np.linspace(-6, 6, 1201)
slope = autograd.elementwise_grad(fastact.gelu)
curvature = autograd.elementwise_grad(slope)
for g, label in ((fastact.gelu, "gelu"), (slope, "gelu′"), (curvature, "gelu″")):
    plt.plot(x, g(x), label=label)
plt.xlabel("x")
plt.legend()
plt.show()

# %%
# Through a whole network, the gradient that :doc:`plot_1_training` writes by hand is one call:

rng = np.random.default_rng(0)
x, labels = rng.normal(size=(8, 4)), rng.integers(3, size=8)
w1, w2 = rng.normal(size=(4, 5)), rng.normal(size=(5, 3))


def loss(w1, w2):
    return np.sum(fastact.softmax_cross_entropy(fastact.gelu(x @ w1) @ w2, labels))


z = x @ w1
dlogits = fastact.softmax_cross_entropy_backward(fastact.gelu(z) @ w2, labels, np.ones(8))
by_hand = x.T @ fastact.gelu_backward(z, dlogits @ w2.T)
print("largest difference:", abs(autograd.grad(loss)(w1, w2) - by_hand).max())
