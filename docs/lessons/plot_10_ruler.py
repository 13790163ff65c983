r"""
Measuring an implementation, and checking a gradient
====================================================

How accurate is a formula in float32, a kernel, or a hand-written backward pass? A comparison with another
float32 function finds the errors of that function too. This lesson compares with exact values and states
errors in ulp: one ulp, a unit in the last place, is the distance from one floating-point number to the next.
"""

import fastact
import matplotlib.pyplot as plt
import numpy as np
from fastact import accuracy


def naive_gelu(x):
    return x / 2 * (1 + np.tanh(np.float32(0.79788456) * (x + np.float32(0.044715) * x**3)))


# %%
# ``measure`` calls the function with inputs of every exponent and with difficult ones, and compares the
# results with exact values. For positive x the formula is accurate. For negative x the sum 1 + tanh cancels,
# until no digit is correct:

print(accuracy.measure(naive_gelu, "gelu_tanh"))

# %%
# At -inf the result is NaN instead of the limit -0; infinities and NaN as inputs are listed separately. A
# result that is NaN or infinite while the exact value is a number would have an infinite error.
#
# ``exact`` returns the exact values as sums of two float64 numbers. With them, the errors can be plotted:

x = np.linspace(-6, 6, 2001).astype(np.float32)
high, low = accuracy.exact("gelu_tanh", x)
ulp = np.spacing(np.abs(high).astype(np.float32))
for f, label in ((naive_gelu, "as written"), (fastact.gelu_tanh, "fastact")):
    errors = np.abs((f(x).astype(np.float64) - high) - low) / ulp
    plt.semilogy(x, np.maximum(errors, 1e-2), ".", markersize=2, label=label)
plt.xlabel("x")
plt.ylabel("error in ulp")
plt.legend(markerscale=5)
plt.show()

# %%
# ``peer`` returns the implementations of other libraries, if these are installed. The one for NumPy is the
# usual expression with the error function, the one for SciPy uses the normal distribution function:

for library, name in (("numpy", "gelu"), ("scipy", "gelu"), ("fastact", "gelu")):
    found = accuracy.measure(accuracy.peer(library, name), name)
    print(f"{library:8} {found.largest:10.4g} ulp at x = {found.where['x']:.6g}")

# %%
# Many GPU kernels replace subnormal numbers by zero. If that is acceptable, ``flush`` allows it:


def flushing_sigmoid(x):
    y = fastact.sigmoid(x)
    return np.where(y < np.finfo(np.float32).tiny, 0, y)


for flush in (None, "subnormal results"):
    print(flush, accuracy.measure(flushing_sigmoid, "sigmoid", flush=flush).largest)

# %%
# A backward pass
# ---------------
#
# Before measuring how accurate a gradient is, check that it is correct. ``check_gradient`` tells what is
# wrong, and needs only NumPy. These are five wrong attempts:


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def uses_y_for_x(x, g):
    return g * x * (1 - x)


def forgets_a_term(x, g):
    return g * sigmoid(x)


def forgets_g(x, g):
    return sigmoid(x) * (1 + x * (1 - sigmoid(x)))


def wrong_at_zero(x, g):
    return g * (x >= 0)


def overflows(x, g):
    return g * np.exp(x) / (1 + np.exp(x))


for f, name in (
    (uses_y_for_x, "sigmoid"),
    (forgets_a_term, "silu"),
    (forgets_g, "silu"),
    (wrong_at_zero, "relu"),
    (overflows, "softplus"),
):
    print(f.__name__, "as the gradient of", fastact.check_gradient(f, name), sep="\n", end="\n\n")

# %%
# The next one is correct, but not accurate to the last bit, as ``measure`` shows:


def silu_backward(x, g):
    s = sigmoid(x)
    return g * s * (1 + x * (1 - s))


print(fastact.check_gradient(silu_backward, "silu"))
print(accuracy.measure(silu_backward, "silu", "derivative", inputs=np.linspace(-8, 8, 1001)))

# %%
# The command ``fastact verify --of module:function --as silu --exhaustive`` tries every float32 number.
# :doc:`/accuracy` lists the errors of the functions of fastact, torch and JAX, :doc:`/claims` single inputs
# at which other libraries are wrong.
