r"""
Mixed layers
============

All units of a layer usually share one activation, but this is not necessary: the chain rule treats every unit
separately. A layer may therefore contain bounded and unbounded units, or smooth units and units with a kink.
``fastact.mixed`` creates such a layer. This lesson trains mixed layers and ordinary ones on the three spirals
of :doc:`plot_1_training`, with the same initial weights and for several seeds.
"""

import fastact
import matplotlib.pyplot as plt
import numpy as np
from fastact import initializers

labels = np.repeat(np.arange(3), 200)
radius = np.tile(np.linspace(0.1, 1, 200), 3)
angle = 4 * radius + labels * 2 * np.pi / 3 + np.random.default_rng(0).normal(scale=0.15, size=600)
x = (radius * np.stack([np.cos(angle), np.sin(angle)])).T
train, test = np.arange(0, 600, 2), np.arange(1, 600, 2)

width = 32
layers = {
    "relu": fastact.get("relu"),
    "tanh": fastact.get("tanh"),
    "sigmoid": fastact.get("sigmoid"),
    "relu and tanh": fastact.mixed(["relu", "tanh"], sizes=[16, 16]),
    "relu, tanh and sigmoid": fastact.mixed(["relu", "tanh", "sigmoid"], sizes=[16, 8, 8]),
}

# %%
# A mixed layer is called and differentiated like any other activation, with one call for the forward pass and
# one for the backward pass.

z = np.array([[-1.0, 2.0, -1.0, 2.0]])
f = fastact.mixed(["relu", "tanh"], sizes=[2, 2])
print("f(z) ", f(z).round(3))
print("f'(z)", f.backward(z, np.ones_like(z)).round(3))

# %%
# Training
# --------
# The networks are trained on the even points by gradient descent with momentum. The odd points show how well
# a network generalizes.


def learn(f, seed, steps=400):
    """Return the loss of every step, and the accuracy on the test points."""
    rng = np.random.default_rng(seed)
    weights = [initializers.he_normal(shape, rng=rng) for shape in ((2, width), (width, width), (width, 3))]
    biases = [np.zeros(w.shape[1]) for w in weights]
    parameters = weights + biases
    velocities = [np.zeros_like(p) for p in parameters]

    def forward(x):
        y1 = f(z1 := x @ weights[0] + biases[0])
        y2 = f(z2 := y1 @ weights[1] + biases[1])
        return z1, y1, z2, y2, y2 @ weights[2] + biases[2]

    losses = []
    for _ in range(steps):
        z1, y1, z2, y2, logits = forward(x[train])
        losses.append(fastact.softmax_cross_entropy(logits, labels[train]).mean())
        g = np.full(len(train), 1 / len(train))
        dz3 = fastact.softmax_cross_entropy_backward(logits, labels[train], g)
        dz2 = f.backward(z2, dz3 @ weights[2].T)
        dz1 = f.backward(z1, dz2 @ weights[1].T)
        gradients = [x[train].T @ dz1, y1.T @ dz2, y2.T @ dz3, *(dz.sum(axis=0) for dz in (dz1, dz2, dz3))]
        for p, v, d in zip(parameters, velocities, gradients, strict=True):
            v *= 0.9
            v -= 0.05 * d
            p += v
    return losses, np.mean(forward(x[test])[-1].argmax(axis=1) == labels[test])


for name, f in layers.items():
    runs = [learn(f, seed) for seed in range(5)]
    losses = np.mean([losses for losses, _ in runs], axis=0)
    print(f"{name:23} loss {losses[-1]:.3f}, accuracy {np.mean([right for _, right in runs]):.3f}")
    plt.semilogy(losses, label=name)
plt.xlabel("step")
plt.ylabel("loss, mean of five seeds")
plt.legend()
plt.show()

# %%
# The mixed layers learn about as fast as the fastest of the activations they contain, although at least half
# of their units are of the slower kinds: at first, the units with the larger slopes do most of the work.
# A mixed layer is a safe choice where the best activation is not known, rather than a way to surpass it.
