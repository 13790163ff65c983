r"""
Initialization and signal propagation
=====================================

Consider a unit with n inputs of mean square q and with weights of variance v. The variance of its weighted
sum is :math:`n\,v\,q`. Thirty layers multiply the signal by such a factor thirty times, so the factor must
be 1:

.. math:: v\,n\,E[f^2] = 1 \quad\text{forward}, \qquad v\,n\,E[f'^2] = 1 \quad\text{backward}.

The expectations are over normally distributed inputs of variance 1, as in :doc:`plot_3_choosing`. Glorot's
scheme, :math:`v = 2/(n_{in} + n_{out})`, is right for functions that are approximately x near 0. He's scheme,
:math:`v = 2/n_{in}`, is right for relu, which loses half of the mean square. LeCun's scheme, :math:`v =
1/n_{in}`, is right for selu, whose :math:`E[f^2]` is 1.
"""

import fastact
import matplotlib.pyplot as plt
import numpy as np
from fastact import diagnostics, initializers

DEPTH, WIDTH = 30, 256
rng = np.random.default_rng(0)
x = rng.normal(size=(256, WIDTH))
upstream = rng.normal(size=(256, WIDTH))


def pass_through(name, scheme):
    """Return the outputs of every layer, and the gradients of the loss with respect to its weighted sums."""
    f, initialise = fastact.get(name), getattr(initializers, f"{scheme}_normal")
    weights = [initialise((WIDTH, WIDTH), rng=rng) for _ in range(DEPTH)]
    sums, outputs, y = [], [], x
    for w in weights:
        sums.append(y @ w)
        outputs.append(y := f(sums[-1]))
    gradients, g = [], upstream
    for w, z in zip(reversed(weights), reversed(sums), strict=True):
        gradients.insert(0, f.backward(z, g))
        g = gradients[0] @ w.T
    return outputs, gradients


# %%
# For each pair of an activation and a scheme, the table shows the standard deviation of the outputs of the
# thirtieth layer, the size of the gradient at the first layer relative to the last, and the factor by which
# the gradient changes from one layer to the one before it.

pairs = [("sigmoid", "glorot"), ("tanh", "glorot"), ("relu", "glorot"), ("relu", "he")]
pairs += [("elu", "he"), ("selu", "lecun"), ("gelu", "he")]
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4.2), layout="constrained")
print(f"{'':18}{'deviation':>12}{'gradient':>12}{'per layer':>10}")
for name, scheme in pairs:
    outputs, gradients = pass_through(name, scheme)
    flow = diagnostics.gradient_flow(gradients)
    size = flow.root_mean_square
    pair, deviations = f"{name}, {scheme}", [y.std() for y in outputs]
    print(f"{pair:18}{deviations[-1]:12.2e}{size[0] / size[-1]:12.2e}{flow.factor:10.3f}")
    left.semilogy(deviations, label=pair)
    right.semilogy(size, label=pair)
left.set(title="standard deviation of the outputs", xlabel="layer")
right.set(title="size of the gradient", xlabel="layer")
right.legend(fontsize="small")
plt.show()

# %%
# With sigmoid the gradient *vanishes*: each layer multiplies it by at most a quarter, times the weights. With
# relu and Glorot's weights, each layer loses half of the mean square, because half of the outputs are zero;
# with He's weights the gradient neither vanishes nor explodes. selu keeps the standard deviation of its
# outputs at 1. gelu preserves a little less than relu does, so with He's weights its signal fades slowly.
#
# Watch it happen: `sigmoid with Glorot's weights
# <../explore/index.html#at=depth&depth=sigmoid&initialization=glorot&layers=30>`__, `relu with He's weights
# <../explore/index.html#at=depth&depth=relu&initialization=he&layers=30>`__, or `tanh with weights of too
# large a deviation <../explore/index.html#at=depth&depth=tanh&initialization=large&layers=30>`__.
#
# Each activation names the scheme that suits it, and `fastact.initializers.gain` returns the factor by which
# the standard deviation of the weights has to be multiplied:

for name in ("sigmoid", "tanh", "relu", "leaky_relu", "selu"):
    print(f"{name:11}{fastact.get(name).initializer:8}{initializers.gain(name):.4f}")
