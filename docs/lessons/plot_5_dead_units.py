r"""
Dead units
==========

A relu unit whose weighted sum is negative for every sample has the output 0 and the gradient 0, so its
weights never change again. One step that is too long is enough to cause this. This lesson trains the network
of :doc:`plot_1_training` without momentum, with larger and larger learning rates, and then counts the units
through which no gradient flows back any more.
"""

import fastact
import matplotlib.pyplot as plt
import numpy as np
from fastact import diagnostics, initializers

labels = np.repeat(np.arange(3), 200)
radius = np.tile(np.linspace(0.1, 1, 200), 3)
angle = 4 * radius + labels * 2 * np.pi / 3 + np.random.default_rng(0).normal(scale=0.15, size=600)
x = (radius * np.stack([np.cos(angle), np.sin(angle)])).T

activations = {
    "relu": fastact.get("relu"),
    "leaky_relu": fastact.get("leaky_relu", negative_slope=0.1),
    "elu": fastact.get("elu"),
    "gelu": fastact.get("gelu"),
}
rates = 0.0, 0.1, 0.3, 1.0, 3.0


def train(f, rate, steps=300):
    """Return the share of the hidden units that are dead after training, and the accuracy."""
    rng = np.random.default_rng(0)
    w1, w2, w3 = (initializers.he_normal(shape, rng=rng) for shape in ((2, 32), (32, 32), (32, 3)))
    b1, b2, b3 = np.zeros(32), np.zeros(32), np.zeros(3)
    for _ in range(steps):
        y1 = f(z1 := x @ w1 + b1)
        y2 = f(z2 := y1 @ w2 + b2)
        dz3 = fastact.softmax_cross_entropy_backward(logits := y2 @ w3 + b3, labels, np.full(600, 1 / 600))
        dz2 = f.backward(z2, dz3 @ w3.T)
        dz1 = f.backward(z1, dz2 @ w2.T)
        for w, b, y, dz in ((w1, b1, x, dz1), (w2, b2, y1, dz2), (w3, b3, y2, dz3)):
            w -= rate * y.T @ dz
            b -= rate * dz.sum(axis=0)
    slopes = [f.backward(z, np.ones_like(z)) for z in (z1, z2)]
    return diagnostics.dead_fraction(slopes, 1e-4).mean(), np.mean(logits.argmax(axis=1) == labels)


print("share of dead units and accuracy after 300 steps, by learning rate")
print(" " * 10, *(f"{rate:>12}" for rate in rates))
dead = {}
for name, f in activations.items():
    results = [train(f, rate) for rate in rates]
    dead[name] = [share for share, _ in results]
    print(f"{name:10}", *(f"{share:6.0%} {accuracy:5.2f}" for share, accuracy in results))

# %%
# The column for a rate of 0 shows the initial state: some relu units are dead with the random weights alone,
# and no learning rate brings one back. With the highest rate nearly all of them are dead, and those that
# remain cannot tell the spirals apart. The slope of leaky_relu is nowhere 0, which lets units recover. The
# slope of elu approaches 0 for negative inputs, and a long step can carry a unit that far. The slope of gelu
# does so too, but here no step carried a unit far enough.
#
# On the interactive page you can `give every unit a negative bias
# <../explore/index.html#at=depth&depth=relu&initialization=he&bias=-2>`__ and watch the layers die.

for name, shares in dead.items():
    plt.plot([str(rate) for rate in rates], shares, "o-", label=name)
plt.xlabel("learning rate")
plt.ylabel("share of dead units")
plt.legend()
plt.show()
