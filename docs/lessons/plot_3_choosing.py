r"""
Choosing an activation
======================

Four questions tell most of what matters in training. With a good initialisation the inputs x of an
activation are about normally distributed with mean 0 and variance 1, so that each question has a number as
its answer, an expectation over that distribution.

**Is it centred?** If all outputs of a layer are positive, the gradients of a next unit's weights have all
the same sign, and gradient descent zigzags. :math:`E[f]` tells.

**Does it keep the size of the signal?** :math:`E[f^2]` is what a layer does to the variance on the way
forward.

**And of the gradient?** :math:`E[f'^2]` is the same on the way back.

**How much of it is dead or saturated?** :math:`P(|f'| < 0.05)` is the share of inputs for which nearly
nothing comes back. It is shown for wider inputs too, with variance 9, as after some bad steps.
"""

import fastact
import matplotlib.pyplot as plt
import numpy as np

# The expectations are sums over 100,000 equally probable inputs: the normal distribution's quantiles, found
# on a grid.
grid = np.linspace(-8, 8, 200_001)
cumulative = np.cumsum(np.exp(-(grid**2) / 2))
x = np.interp((np.arange(100_000) + 0.5) / 100_000, cumulative / cumulative[-1], grid)


def slope(f, x):
    dx = f.backward(x, np.ones_like(x))
    return dx[0] if f.learnable else dx


names = ["sigmoid", "tanh", "softsign", "relu", "leaky_relu", "elu", "selu", "softplus", "silu", "gelu"]
names += ["mish", "hard_swish"]
print("               E[f]  E[f²] E[f′²]  P(|f′| < 0.05)   same, wide  weights before it")
for name in names:
    f = fastact.get(name)
    y, dy, wide = f(x), slope(f, x), slope(f, 3 * x)
    print(
        f"{name:12}{y.mean():z7.3f}{np.mean(y**2):7.3f}{np.mean(dy**2):7.3f}"
        f"{np.mean(abs(dy) < 0.05):16.1%}{np.mean(abs(wide) < 0.05):13.1%}  {f.initializer}"
    )

# %%
# What the numbers say
# --------------------
# * *sigmoid* has mean 0.5 and hands back a twentieth of the gradient's square a layer: fit for an output
#   that is a probability, and for gates, not for deep hidden layers.
# * *tanh* is centred and hands back ten times as much, but saturates when inputs are wide.
# * *relu* halves both squares, whatever the size of the inputs, which weights of twice the variance (He)
#   make up for. Half of the inputs are dead in either column; a unit all of whose inputs are is dead for
#   good (:doc:`plot_5_dead_units`).
# * *leaky_relu* is dead nowhere in principle, but its slope of 0.01 hands back little; 0.1 to 0.3 is common
#   too.
# * *selu* has mean 0 and variance 1 for such inputs: it was made so that, with LeCun's weights, both stay.
# * *silu*, *gelu* and *mish* have a mean between elu's and relu's. They are smooth, and alive for moderately
#   negative inputs.
#
# As a rule: relu where speed counts, gelu or silu in transformers, tanh or sigmoid in recurrent cells and
# gates, selu in deep plain networks, and at the output identity for regression, sigmoid or softmax for
# probabilities.
#
# Saturation, seen
# ----------------
# The share of inputs for which next to nothing comes back, as their spread grows:

spreads = np.geomspace(0.1, 30, 60)
for name in ("sigmoid", "tanh", "softsign", "relu", "elu", "gelu"):
    f = fastact.get(name)
    plt.semilogx(spreads, [np.mean(abs(slope(f, s * x)) < 0.05) for s in spreads], label=name)
plt.xlabel("standard deviation of the inputs")
plt.ylabel("share with |f′| < 0.05")
plt.legend()
plt.show()
