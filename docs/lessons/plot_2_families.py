r"""
The families of activations
===========================

Without an activation between them, several layers are equivalent to a single matrix, because a product of
matrices is a matrix. The activations in common use have changed over the years. In the plots, solid lines are
functions and dashed lines are their derivatives.
"""

import fastact
import matplotlib.pyplot as plt
import numpy as np

# %%
# Sigmoids
# --------
# The step of the first neurons has no derivative to learn from. Smoothed, it is the logistic function, from
# 0 to 1; tanh and softsign go from -1 to 1 and are centred at 0. All *saturate*: far from 0 their
# derivatives vanish, those of sigmoid and tanh exponentially, that of softsign like :math:`1/x^2`. The hard
# variants replace the curve by lines.

fastact.plot(["sigmoid", "tanh", "softsign", "hard_sigmoid"])
plt.show()

# %%
# A layer can at best pass back the gradient times the largest derivative. Sigmoid's is 1/4, at 0 (`move along
# it <../explore/index.html#at=function&name=sigmoid&other=tanh&x=0>`__):

x = np.linspace(-6, 6, 12001)
for name in ("sigmoid", "hard_sigmoid", "tanh", "softsign", "hard_tanh"):
    slopes = fastact.get(name).backward(x, np.ones_like(x))
    print(f"{name:13} at most {slopes.max():.4f}, at 6 {slopes[-1]:.6f}")

# %%
# The rectifier and its family
# ----------------------------
# relu is x or 0. Its derivative is 1 wherever a unit is active, however large x is, and both cost next to
# nothing. Where x ≤ 0 no gradient is passed back; leaky_relu leaves a small slope there, prelu learns that
# slope, elu and selu bend towards a negative limit, so that their mean output is nearer to 0.

leaky = fastact.get("leaky_relu", negative_slope=0.1)
fastact.plot(["relu", leaky, "elu", "selu"], range=(-4, 3))
plt.show()

# %%
# At the kink, 0, the derivative is a matter of convention. Here it is that of the left piece, as in other
# libraries:

print("relu'(0) =", fastact.relu_backward(0.0, 1.0))
print("leaky_relu'(0) =", fastact.leaky_relu_backward(0.0, 1.0))

# %%
# Smooth rectifiers
# -----------------
# softplus is the integral of the sigmoid: a relu without the kink, but never 0. Others weigh x with a
# number between 0 and 1: silu (Swish with β = 1) with σ(x), gelu with the normal distribution function
# Φ(x), mish with tanh(softplus(x)). They fall below 0 before they come back to it, and are not monotonic.

fastact.plot(["softplus", "silu", "gelu", "mish"], range=(-5, 3))
plt.show()

# %%
# Their minima:

for name in ("silu", "quick_gelu", "gelu", "gelu_tanh", "mish"):
    f = fastact.get(name)
    low, high = -2.0, 0.0  # f' changes its sign between them
    while high - low > 1e-12:
        middle = (low + high) / 2
        low, high = (middle, high) if f.backward(middle, 1.0) < 0 else (low, middle)
    print(f"{name:11} is least at {low:.4f}: {f(low):.4f}")

# %%
# gelu_tanh and quick_gelu approximate gelu. Their largest errors:

for name in ("gelu_tanh", "quick_gelu", "silu"):
    difference = abs(fastact.get(name)(x) - fastact.gelu(x))
    print(
        f"{name:11} differs from gelu by up to {difference.max():.5f}, at ±{abs(x[difference.argmax()]):.2f}"
    )

# %%
# β moves Swish from x/2 (β = 0) over silu (β = 1) and nearly gelu (β = 1.702) towards relu (`move β
# <../explore/index.html#at=function&name=swish&other=relu&beta=1.702&x=-1>`__):

betas = [fastact.get("swish", beta=beta) for beta in (0.0, 1.0, 1.702, 10.0)]
fastact.plot(betas, derivative=False, range=(-4, 4))
plt.show()
