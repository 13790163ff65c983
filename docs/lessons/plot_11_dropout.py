r"""
Co-adaptation and dropout
=========================

The units of a large network can learn to correct one another's errors on the training samples. Such
*co-adapted* units are useless by themselves, and together they fit noise. Dropout removes a random part of
them in each training step, so that none can rely on certain others (Srivastava et al., 2014). This lesson
trains one network with and without dropout, and then takes units away from both.
"""

import fastact
import matplotlib.pyplot as plt
import numpy as np
from fastact import initializers

# %%
# How it works
# ------------
# Each element becomes 0 with the probability ``rate``; the others are divided by ``1 - rate``, so that the
# mean does not change, and nothing has to be done at the end of training.

y = np.ones((4, 8), dtype=np.float32)
print(fastact.dropout(y, 0.5, seed=1))
print("mean of a million:", fastact.dropout(np.ones(1_000_000), 0.25, seed=1).mean())

# %%
# Which elements are kept follows from the seed alone: element i belongs to number i of the seed's stream. The
# backward pass computes the same mask again, and no mask is stored. Use another seed, or another ``offset``
# in the stream, for each step.

g = np.full_like(y, 3)
print(fastact.dropout_backward(g, 0.5, seed=1)[0])
print(fastact.dropout(y[1:], 0.5, seed=1, offset=8)[0], "is the second row from above")

# %%
# Wrong labels, many units
# ------------------------
# Two hundred points of two spirals, of which a fifth have the wrong label, and two layers of 128 units: more
# than enough to learn the wrong labels by heart.


def spirals(count, rng, wrong=0.0):
    labels = np.arange(count) % 2
    radius = rng.uniform(0.1, 1, count)
    angle = 4 * radius + labels * np.pi + rng.normal(scale=0.2, size=count)
    x = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return x, np.where(rng.random(count) < wrong, 1 - labels, labels)


rng = np.random.default_rng(0)
x, labels = spirals(200, rng, wrong=0.2)
x_test, labels_test = spirals(2000, rng)


class Network:
    def __init__(self, rate):
        rng = np.random.default_rng(1)
        self.rate = rate
        shapes = (2, 128), (128, 128), (128, 2)
        self.w = [initializers.he_normal(shape, rng=rng) for shape in shapes]
        self.b = [np.zeros(shape[1]) for shape in shapes]
        self.moments = [np.zeros_like(p) for p in self.w + self.b]

    def forward(self, x, keep=1.0):
        """Return the logits after a random part of the units of the second layer has been removed."""
        y1 = fastact.relu(x @ self.w[0] + self.b[0])
        y2 = fastact.relu(y1 @ self.w[1] + self.b[1])
        kept = np.random.default_rng(2).permutation(128) < keep * 128
        return (y2 * kept) @ self.w[2] / keep + self.b[2]

    def step(self, seed, learning_rate=0.1):
        """Gradient descent with momentum; every dropout layer has a seed of its own in every step."""
        z1 = x @ self.w[0] + self.b[0]
        d1 = fastact.dropout(fastact.relu(z1), self.rate, 2 * seed)
        z2 = d1 @ self.w[1] + self.b[1]
        d2 = fastact.dropout(fastact.relu(z2), self.rate, 2 * seed + 1)
        logits = d2 @ self.w[2] + self.b[2]
        dz3 = fastact.softmax_cross_entropy_backward(logits, labels, np.full(len(x), 1 / len(x)))
        dy2 = fastact.dropout_backward(dz3 @ self.w[2].T, self.rate, 2 * seed + 1)
        dz2 = fastact.relu_backward(z2, dy2)
        dy1 = fastact.dropout_backward(dz2 @ self.w[1].T, self.rate, 2 * seed)
        dz1 = fastact.relu_backward(z1, dy1)
        inputs, slopes = (x, d1, d2), (dz1, dz2, dz3)
        gradients = [a.T @ dz for a, dz in zip(inputs, slopes, strict=True)] + [dz.sum(0) for dz in slopes]
        for p, m, gradient in zip(self.w + self.b, self.moments, gradients, strict=True):
            m *= 0.9
            m += gradient
            p -= learning_rate * m


networks = {rate: Network(rate) for rate in (0.0, 0.5)}
for rate, network in networks.items():
    for seed in range(2000):
        network.step(seed)
    loss = fastact.softmax_cross_entropy(network.forward(x_test), labels_test).mean()
    right = [np.mean(network.forward(a).argmax(1) == b) for a, b in ((x, labels), (x_test, labels_test))]
    print(f"rate {rate}: accuracy in training {right[0]:.3f}, on new points {right[1]:.3f}, loss {loss:.3f}")

# %%
# Without dropout the network has learned more of the training labels, including the wrong ones, and is worse
# on new points. With dropout no small group of units can memorize a single point, so the network learns what
# many points have in common.
#
# Which units rely on others
# --------------------------
# Now a random part of the second layer is removed, the same units in both networks. Where the accuracy falls,
# the remaining units were useful only together with the others.

shares = np.linspace(0.02, 1, 30)
for rate, network in networks.items():
    right = [np.mean(network.forward(x_test, keep).argmax(1) == labels_test) for keep in shares]
    plt.plot(shares, right, label=f"trained with rate {rate}")
    half = np.mean(network.forward(x_test, 0.5).argmax(1) == labels_test)
    print(f"rate {rate}: with half of the units {half:.3f}")
plt.xlabel("share of the units that remain")
plt.ylabel("accuracy on new points")
plt.legend()
plt.show()
