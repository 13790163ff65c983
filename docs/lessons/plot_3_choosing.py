r"""
Choosing an activation
======================

Four questions cover most of what matters in training. With a good initialization the inputs x of an
activation are approximately normally distributed with mean 0 and variance 1. Each question can then be
answered by a number: an expectation over that distribution.

**Is the activation centred?** If all outputs of a layer are positive, the gradients with respect to the
weights of one unit in the next layer all have the same sign, and gradient descent zigzags. The mean output
:math:`E[f]` answers this question.

**Does it preserve the size of the signal?** In the forward pass, a layer multiplies the variance by
:math:`E[f^2]`.

**Does it preserve the size of the gradient?** In the backward pass, a layer multiplies the mean square of
the gradient by :math:`E[f'^2]`.

**How often is it dead or saturated?** :math:`P(|f'| < 0.05)` is the share of inputs through which almost no
gradient flows back. The table also shows it for inputs with variance 9, which a few bad training steps can
cause.
"""

import fastact
import matplotlib.pyplot as plt
import numpy as np

# The expectations are averages over 100,000 equally probable inputs. These are quantiles of the normal
# distribution, which are interpolated on a grid.
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
# * *sigmoid* has a mean of 0.5, and each layer reduces the mean square of the gradient to about a twentieth.
#   It suits gates and outputs that are probabilities, but not deep hidden layers.
# * *tanh* is centred and passes back ten times as much, but it saturates when the inputs are spread widely.
# * *relu* halves both mean squares, whatever the size of the inputs. He's initialization compensates for this
#   with weights of twice the variance. Half of the inputs are dead in both columns. A unit whose inputs are
#   all dead never recovers (:doc:`plot_5_dead_units`).
# * *leaky_relu* is never entirely dead, but its default slope of 0.01 passes back little; slopes of 0.1 to
#   0.3 are common too.
# * *selu* has mean 0 and variance 1 for such inputs. It was designed so that both are preserved with LeCun's
#   weights.
# * *silu*, *gelu* and *mish* have a mean between those of elu and relu. They are smooth, and they pass a
#   gradient back for moderately negative inputs.
#
# As a rule, use relu where speed matters, gelu or silu in transformers, tanh or sigmoid in recurrent cells
# and gates, and selu in deep networks of plain dense layers. In the output layer, use identity for
# regression, and sigmoid or softmax for probabilities.
#
# How saturation depends on the spread
# ------------------------------------
# This is the share of inputs through which almost no gradient flows back, as their spread grows:

spreads = np.geomspace(0.1, 30, 60)
for name in ("sigmoid", "tanh", "softsign", "relu", "elu", "gelu"):
    f = fastact.get(name)
    plt.semilogx(spreads, [np.mean(abs(slope(f, s * x)) < 0.05) for s in spreads], label=name)
plt.xlabel("standard deviation of the inputs")
plt.ylabel("share with |f′| < 0.05")
plt.legend()
plt.show()
