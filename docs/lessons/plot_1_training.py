r"""
A training loop by hand
=======================

A network learns to classify the points of three spirals. Each step consists of a forward pass, the loss, a
backward pass and an update of the weights. Only the activations come from fastact; the rest is NumPy, so that
every gradient can be seen.

A layer computes :math:`z = yW + b` from the outputs y of the previous layer, and passes :math:`f(z)` to the
next one. The backward pass needs z and y again, so they are kept.
"""

from itertools import pairwise

import fastact
import matplotlib.pyplot as plt
import numpy as np
from fastact import initializers

rng = np.random.default_rng(0)
labels = np.repeat(np.arange(3), 200)
radius = np.tile(np.linspace(0.1, 1, 200), 3)
angle = 4 * radius + labels * 2 * np.pi / 3 + rng.normal(scale=0.15, size=600)
x = (radius * np.stack([np.cos(angle), np.sin(angle)])).T

# %%
# Forward
# -------
# The last layer's outputs are the logits; the loss is the cross-entropy of their softmax and the labels. The
# scheme of the initial weights depends on the activation: He's scheme for GELU.

f = fastact.get("gelu")
sizes = 2, 32, 32, 3
weights = [initializers.he_normal(shape, rng=rng) for shape in pairwise(sizes)]
biases = [np.zeros(size) for size in sizes[1:]]


def forward(x):
    """Return the input of each layer, and its z."""
    given, sums = [x], []
    for w, b in zip(weights, biases, strict=True):
        sums.append(given[-1] @ w + b)
        given.append(f(sums[-1]))
    return given[:-1], sums


# %%
# Backward
# --------
# With :math:`g = \partial L/\partial y` from the layer above, the chain rule gives
#
# .. math:: \frac{\partial L}{\partial z} = g\,f'(z), \quad
#           \frac{\partial L}{\partial W} = y^T\,\frac{\partial L}{\partial z}, \quad
#           \frac{\partial L}{\partial y} = \frac{\partial L}{\partial z}\,W^T
#
# for a layer whose input is y. The first of these is what ``backward(z, g)`` computes. The loss is a mean,
# so that each row's gradient has the factor 1/n.


def backward(given, sums, labels):
    """Return the gradients of the loss with respect to weights and biases."""
    n = len(labels)
    dz = fastact.softmax_cross_entropy_backward(sums[-1], labels, np.full(n, 1 / n))
    dw, db = [], []
    for layer in reversed(range(len(weights))):
        dw.insert(0, given[layer].T @ dz)
        db.insert(0, dz.sum(axis=0))
        if layer:
            dz = f.backward(sums[layer - 1], dz @ weights[layer].T)
    return dw, db


# %%
# Check a gradient written by hand before you use it: change one weight a little in both directions, and the
# loss's difference quotient must equal the gradient.


def loss():
    return fastact.softmax_cross_entropy(forward(x)[1][-1], labels).mean()


dw, db = backward(*forward(x), labels)
step, w = 1e-5, weights[0]
w[1, 7] += step
above = loss()
w[1, 7] -= 2 * step
below = loss()
w[1, 7] += step
print("backward:           ", dw[0][1, 7])
print("difference quotient:", (above - below) / (2 * step))

# %%
# Steps
# -----
# Gradient descent with momentum over the whole data set.

velocities = [np.zeros_like(p) for p in weights + biases]
losses = []
for epoch in range(300):
    dw, db = backward(*forward(x), labels)
    for p, dp, v in zip(weights + biases, dw + db, velocities, strict=True):
        v *= 0.9
        v -= 0.05 * dp
        p += v
    losses.append(loss())
    if epoch % 50 == 49:
        accuracy = np.mean(forward(x)[1][-1].argmax(axis=1) == labels)
        print(f"epoch {epoch + 1:4}: loss {losses[-1]:.4f}, accuracy {accuracy:.3f}")

# %%
# The regions that the network assigns to each class, and the loss during training:

side = np.linspace(-1.2, 1.2, 300)
plane = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
regions = forward(plane)[1][-1].argmax(axis=1).reshape(300, 300)

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
left.contourf(side, side, regions, levels=[-0.5, 0.5, 1.5, 2.5], cmap="Set2", alpha=0.5)
left.scatter(*x.T, c=labels, cmap="Dark2", s=6)
left.set(title="three spirals", aspect="equal")
right.semilogy(losses)
right.set(title="loss", xlabel="epoch")
plt.show()

# %%
# In float32 and with batches, on scikit-learn's handwritten digits: ``python examples/train_digits.py``.
