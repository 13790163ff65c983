r"""
Batch normalization and internal covariate shift
================================================

While a network learns, each layer changes the inputs of the next one: their distribution moves.
Ioffe and Szegedy (2015) called this *internal covariate shift*, and normalized each unit over the batch to
stop it. This lesson writes a network with and without normalization, measures how far the distributions move,
and tests whether that explains why normalization helps.
"""

import fastact
import matplotlib.pyplot as plt
import numpy as np
from fastact import initializers

# %%
# What it computes
# ----------------
# Each unit, a column, is normalized to mean 0 and variance 1 over the batch. As this alone would limit what
# the unit can express, it is followed by a learned scale gamma and a learned offset beta.

rng = np.random.default_rng(0)
z = rng.normal([5, -2, 100], [1, 10, 0.1], size=(64, 3))
y, mean, variance = fastact.batch_norm(z)
print("before: mean", mean.round(2), "variance", variance.round(2))
print("after:  mean", np.abs(y.mean(axis=0)).round(2), "variance", y.var(axis=0).round(2))

# %%
# Mean and variance depend on every sample, and so does the gradient: :math:`\partial L/\partial z` contains
# no part that shifts or scales a whole column, since neither would change y. The backward pass also returns
# the gradients of gamma and beta.

g = rng.normal(size=z.shape)
dz, dgamma, dbeta = fastact.batch_norm_backward(z, g, np.ones(3))
print("a shift of a column changes the loss by", np.abs(dz.sum(axis=0)).max().round(9))
print("its scale changes the loss by", np.abs((dz * (z - mean)).sum(axis=0)).max().round(3))

# %%
# After training, a result must not depend on the other samples: `fastact.batch_norm_inference` normalizes by
# averages of mean and variance that were collected in training. Layer normalization needs none, as it
# normalizes the units of each sample, both in training and afterwards.

for norm in (lambda z: fastact.batch_norm(z)[0], fastact.layer_norm):
    print("a sample alone has the same result:", np.allclose(norm(z[:8])[0], norm(z)[0]))

# %%
# A network whose layers can be normalized
# ----------------------------------------
# Three layers of 32 sigmoid units learn to tell two spirals apart. A layer with batch normalization needs no
# bias besides beta. The option ``noise`` is for the end of this lesson.


class Layer:
    def __init__(self, shape, normalized, noise, rng):
        self.normalized, self.noise, self.rng = normalized, noise, np.random.default_rng(2)
        self.w = initializers.glorot_normal(shape, rng=rng)
        self.gamma, self.beta = np.ones(shape[1]), np.zeros(shape[1])
        self.mean, self.variance = np.zeros(shape[1]), np.ones(shape[1])

    def forward(self, x):
        self.x, self.product = x, x @ self.w
        if self.normalized:
            z, mean, variance = fastact.batch_norm(self.product, self.gamma, self.beta)
            self.mean += 0.1 * (mean - self.mean)
            self.variance += 0.1 * (variance - self.variance)
        else:
            z = self.product + self.beta
        self.scale = 1 + self.noise * self.rng.uniform(-0.5, 0.5, self.beta.size)
        self.z = z * self.scale + self.noise * self.rng.uniform(-1, 1, self.beta.size)
        return fastact.sigmoid(self.z)

    def predict(self, x):
        z = x @ self.w
        if self.normalized:
            averages = self.mean, self.variance
            return fastact.sigmoid(fastact.batch_norm_inference(z, *averages, self.gamma, self.beta))
        return fastact.sigmoid(z + self.beta)

    def backward(self, g):
        g = fastact.sigmoid_backward(self.z, g) * self.scale
        dgamma, dbeta = np.zeros_like(self.gamma), g.sum(axis=0)
        if self.normalized:
            g, dgamma, dbeta = fastact.batch_norm_backward(self.product, g, self.gamma)
        self.gradients = self.x.T @ g, dgamma, dbeta
        return g @ self.w.T


class Network:
    def __init__(self, normalized, noise=0.0):
        rng = np.random.default_rng(1)
        self.layers = [Layer((inputs, 32), normalized, noise, rng) for inputs in (2, 32, 32)]
        self.w, self.b = initializers.glorot_normal((32, 2), rng=rng), np.zeros(2)
        hidden = [p for layer in self.layers for p in (layer.w, layer.gamma, layer.beta)]
        self.parameters = [*hidden, self.w, self.b]
        self.moments = [np.zeros_like(p) for p in self.parameters]

    def step(self, x, labels, learning_rate=0.1):
        for layer in self.layers:
            x = layer.forward(x)
        loss, g = fastact.softmax_cross_entropy_with_gradient(x @ self.w + self.b, labels)
        g /= len(x)
        last = [x.T @ g, g.sum(axis=0)]
        g = g @ self.w.T
        for layer in reversed(self.layers):
            g = layer.backward(g)
        gradients = [gradient for layer in self.layers for gradient in layer.gradients] + last
        for p, m, gradient in zip(self.parameters, self.moments, gradients, strict=True):
            m *= 0.9
            m += gradient
            p -= learning_rate * m
        return loss.mean()

    def predict(self, x):
        for layer in self.layers:
            x = layer.predict(x)
        return (x @ self.w + self.b).argmax(axis=1)


rng = np.random.default_rng(0)
labels = np.arange(1024) % 2
radius = rng.uniform(0.1, 1, 1024)
angle = 4 * radius + labels * np.pi + rng.normal(scale=0.2, size=1024)
x = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def train(network, steps=3000):
    """Return the losses, and the means and deviations of the inputs z of the last hidden layer's units."""
    rng = np.random.default_rng(3)
    losses, means, deviations = [], [], []
    for _ in range(steps):
        some = rng.integers(len(x), size=64)
        losses.append(network.step(x[some], labels[some]))
        z = network.layers[-1].z
        means.append(z.mean(axis=0))
        deviations.append(z.std(axis=0))
    return np.array(losses), np.array(means), np.array(deviations)


# %%
# The shift
# ---------
# Without normalization, the input of the first unit of the last hidden layer drifts by many of its standard
# deviations while the layers before it learn. With normalization, its mean and deviation are beta and gamma,
# which move slowly.

runs = {}
for name, options in {"plain": (False,), "normalized": (True,), "normalized, noise": (True, 1.0)}.items():
    network = Network(*options)
    runs[name] = train(network)
    losses, means, deviations = runs[name]
    moved = np.mean(np.abs(np.diff(means, axis=0)) / deviations[:-1])
    below = np.argmax(np.convolve(losses, np.ones(50) / 50, "valid") < 0.1) + 50
    right = np.mean(network.predict(x) == labels)
    print(f"{name:18} a step moves a unit's mean by {moved:.4f} deviations;", end=" ")
    print(f"loss below 0.1 after {below} steps, accuracy {right:.3f}")

for name in ("plain", "normalized"):
    losses, means, deviations = (a[:500] for a in runs[name])
    middle = means[:, 0]
    (line,) = plt.plot(middle, label=name)
    band = middle - deviations[:, 0], middle + deviations[:, 0]
    plt.fill_between(np.arange(500), *band, color=line.get_color(), alpha=0.3)
plt.xlabel("step")
plt.title("mean ± deviation of one unit's input")
plt.legend()
plt.show()

# %%
# The loss
# --------
# The normalized network learns much faster. But is that because its distributions stay where they are? The
# third run, after Santurkar et al. (2018), answers this question: each normalized value is shifted and scaled
# by random numbers, which differ from step to step, so that its distribution moves more than that of the
# plain network. It still learns faster. Normalization therefore does not help by stopping the shift. Those
# authors show that it makes the loss smoother, so that the gradient remains a good guide for longer steps.

for name, (losses, *_) in runs.items():
    plt.semilogy(np.convolve(losses, np.ones(50) / 50, "valid"), label=name)
plt.xlabel("step")
plt.ylabel("loss, mean of 50 steps")
plt.legend()
plt.show()
