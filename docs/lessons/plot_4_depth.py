r"""
Initialisation, and signals through depth
=========================================

Of n inputs with mean square q, a unit with weights of variance v makes a sum with the variance
:math:`n\,v\,q`. Thirty layers multiply by such a factor thirty times, so that it must be 1:

.. math:: v\,n\,E[f^2] = 1 \quad\text{forward}, \qquad v\,n\,E[f'^2] = 1 \quad\text{backward},

with expectations over normally distributed inputs of variance 1, as in :doc:`plot_3_choosing`. Glorot's
scheme, :math:`v = 2/(n_{in} + n_{out})`, is right for functions that are about x near 0, He's, :math:`v =
2/n_{in}`, for relu, which loses half, and LeCun's, :math:`v = 1/n_{in}`, for selu, whose :math:`E[f^2]` is
1.
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
    """Outputs of every layer, and gradients of the loss with respect to its sums."""
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
# Each pair of activation and scheme, after thirty layers: the outputs' standard deviation over samples and
# units, the gradient's size at the first layer beside that at the last, and the factor a layer.

pairs = [("sigmoid", "glorot"), ("tanh", "glorot"), ("relu", "glorot"), ("relu", "he")]
pairs += [("elu", "he"), ("selu", "lecun"), ("gelu", "he")]
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4.2), layout="constrained")
print(f"{'':18}{'deviation':>12}{'gradient':>12}{'a layer':>10}")
for name, scheme in pairs:
    outputs, gradients = pass_through(name, scheme)
    flow = diagnostics.gradient_flow(gradients)
    size = flow.root_mean_square
    pair, deviations = f"{name}, {scheme}", [y.std() for y in outputs]
    print(f"{pair:18}{deviations[-1]:12.2e}{size[0] / size[-1]:12.2e}{flow.factor:10.3f}")
    left.semilogy(deviations, label=pair)
    right.semilogy(size, label=pair)
left.set(title="deviation of the outputs", xlabel="layer")
right.set(title="size of the gradient", xlabel="layer")
right.legend(fontsize="small")
plt.show()

# %%
# With sigmoids the gradient *vanishes*: each layer hands back at most a quarter, times the weights. relu
# with Glorot's weights loses half a layer, since the zeros are half of the squares; with He's it neither
# vanishes nor explodes. selu keeps its outputs' deviation at 1 by itself. gelu keeps a little less than relu
# does, so that with He's weights it fades slowly.
#
# The scheme that suits an activation is known to it, and `fastact.initializers.gain` is the factor for the
# deviation:

for name in ("sigmoid", "tanh", "relu", "leaky_relu", "selu"):
    print(f"{name:11}{fastact.get(name).initializer:8}{initializers.gain(name):.4f}")
