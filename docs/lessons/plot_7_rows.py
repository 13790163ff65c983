r"""
Softmax, cross-entropy, maxout and gates
========================================

Most activations are functions of a single number. The functions in this lesson are functions of a row of
numbers.
"""

import fastact
import matplotlib.pyplot as plt
import numpy as np

# %%
# Softmax
# -------
# Softmax turns any numbers into probabilities: :math:`y_i = e^{x_i}/\sum_j e^{x_j}`. Only the differences
# between the numbers matter, so adding a constant to all of them changes nothing. Dividing them by a
# *temperature* makes the largest one more likely or less likely.
# `Drag the numbers and the temperature
# <../explore/index.html#at=softmax&logits=1,2,4&temperature=0.5>`__ to see it.

x = np.array([1.0, 2.0, 4.0])
for temperature in (0.5, 1.0, 5.0):
    print(f"temperature {temperature}: {fastact.softmax(x / temperature).round(4)}")
print("1000 added:     ", fastact.softmax(x + 1000).round(4))

# %%
# If the formula is evaluated as it is written, it overflows for numbers above 709. fastact subtracts the
# largest number first, which prevents the overflow:

with np.errstate(all="ignore"):
    print("as written:", np.exp(x + 1000) / np.exp(x + 1000).sum())

# %%
# The derivatives of all outputs with respect to all inputs form a matrix, :math:`y_i(\delta_{ij} - y_j)`.
# ``softmax_backward`` multiplies this matrix by g without forming it:

y = fastact.softmax(x)
g = np.array([1.0, 0.0, 0.0])
print((np.diag(y) - np.outer(y, y)) @ g)
print(fastact.softmax_backward(x, g))

# %%
# Cross-entropy
# -------------
# The cross-entropy of the probabilities y with the correct label is :math:`-\log y_{label}`. If softmax and
# logarithm are computed together, no digits are lost, and the gradient is simple: :math:`y -
# \text{one-hot}(label)`.

print("loss     ", fastact.softmax_cross_entropy(x, 0))
print("gradient ", fastact.softmax_cross_entropy_backward(x, 0, 1.0))
print("y - [1 0 0]", y - [1, 0, 0])

# %%
# If a network is confident and correct, its loss is small but not 0. Computed in two steps, it becomes 0:

confident = np.array([0, -50], dtype=np.float32)
print("in one step: ", fastact.softmax_cross_entropy(confident, 0))
print("in two steps:", -np.log(fastact.softmax(confident))[0])

# %%
# For two classes one number is enough, because the first output of softmax(x, 0) is sigmoid(x).

print(fastact.softmax(np.array([1.5, 0.0]))[0], fastact.sigmoid(1.5))

# %%
# Maxout
# ------
# Maxout is the largest of several linear functions of the input, whose weights are learned. With enough
# linear functions it approximates any convex function. This is the maximum of four tangents of x²:

x = np.linspace(-2, 2, 401)
points = np.array([-1.5, -0.5, 0.5, 1.5])
tangents = 2 * points * x[:, None] - points**2
plt.plot(x, x**2, label="x²")
plt.plot(x, fastact.maxout(tangents), label="maxout of four tangents")
plt.plot(x, tangents, "k:", linewidth=0.8)
plt.ylim(-1, 4)
plt.legend()
plt.show()

# %%
# Gated units
# -----------
# A gated unit multiplies one half of a row by an activation of the other half: glu computes
# :math:`a\,\sigma(b)`, and swiglu, which many language models use, computes :math:`\text{silu}(a)\,b`. The
# gradient has the shape of the whole row.

row = np.array([1.0, -2.0, 3.0, 0.0])  # a = (1, -2), b = (3, 0)
print("glu:   ", fastact.glu(row), " gradient:", fastact.glu_backward(row, np.ones(2)).round(4))
print("swiglu:", fastact.swiglu(row), " gradient:", fastact.swiglu_backward(row, np.ones(2)).round(4))
