r"""
Softmax, cross-entropy, maxout and gates
========================================

Some activations look at more than one number: at a row of them.
"""

import fastact
import matplotlib.pyplot as plt
import numpy as np

# %%
# Softmax
# -------
# turns any numbers into probabilities, :math:`y_i = e^{x_i}/\sum_j e^{x_j}`. Differences alone count: a
# constant added to all numbers changes nothing, and a factor, one over the *temperature*, makes the largest
# more or less likely.

x = np.array([1.0, 2.0, 4.0])
for temperature in (0.5, 1.0, 5.0):
    print(f"temperature {temperature}: {fastact.softmax(x / temperature).round(4)}")
print("1000 added:     ", fastact.softmax(x + 1000).round(4))

# %%
# Its formula written down overflows beyond 709. Taking the largest number away first, as fastact does
# inside, mends that:

with np.errstate(all="ignore"):
    print("as written:", np.exp(x + 1000) / np.exp(x + 1000).sum())

# %%
# The derivative of each output by each input is a matrix, :math:`y_i(\delta_{ij} - y_j)`;
# ``softmax_backward`` multiplies it by g without making it:

y = fastact.softmax(x)
g = np.array([1.0, 0.0, 0.0])
print((np.diag(y) - np.outer(y, y)) @ g)
print(fastact.softmax_backward(x, g))

# %%
# Cross-entropy
# -------------
# of the probabilities with the right label is :math:`-\log y_{label}`. Softmax and logarithm in one lose no
# digits and have the simplest of gradients, :math:`y - \text{one-hot}(label)`:

print("loss     ", fastact.softmax_cross_entropy(x, 0))
print("gradient ", fastact.softmax_cross_entropy_backward(x, 0, 1.0))
print("y - [1 0 0]", y - [1, 0, 0])

# %%
# A network that is sure and right has a loss that is small but not 0, unless the steps are done one by one:

sure = np.array([0, -50], dtype=np.float32)
print("in one:    ", fastact.softmax_cross_entropy(sure, 0))
print("one by one:", -np.log(fastact.softmax(sure))[0])

# %%
# Two classes need one number: softmax of (x, 0) is sigmoid(x).

print(fastact.softmax(np.array([1.5, 0.0]))[0], fastact.sigmoid(1.5))

# %%
# Maxout
# ------
# is the largest of a few linear functions of the input, whose weights are learned: with enough of them, any
# convex function. Four tangents of x² make this:

x = np.linspace(-2, 2, 401)
touching = np.array([-1.5, -0.5, 0.5, 1.5])
pieces = 2 * touching * x[:, None] - touching**2
plt.plot(x, x**2, label="x²")
plt.plot(x, fastact.maxout(pieces), label="maxout of four tangents")
plt.plot(x, pieces, "k:", linewidth=0.8)
plt.ylim(-1, 4)
plt.legend()
plt.show()

# %%
# Gates
# -----
# let one half of a row decide how much of the other comes through: :math:`a\,\sigma(b)` in glu,
# :math:`\text{silu}(a)\,b` in the swiglu of today's language models. Their gradient has the shape of the
# whole row.

row = np.array([1.0, -2.0, 3.0, 0.0])  # a = (1, -2), b = (3, 0)
print("glu:   ", fastact.glu(row), " gradient:", fastact.glu_backward(row, np.ones(2)).round(4))
print("swiglu:", fastact.swiglu(row), " gradient:", fastact.swiglu_backward(row, np.ones(2)).round(4))
