r"""
Why log-sum-exp
===============

The logarithm of a sum of exponentials is in every classifier, in mixtures of distributions and wherever
probabilities are multiplied. Computed as it is defined, it overflows or loses all digits. This lesson shows
how to compute it, and what it is good for.
"""

import fastact
import matplotlib.pyplot as plt
import numpy as np

np.seterr(all="ignore")  # the formulas would raise warnings; fastact never does

# %%
# Overflow and underflow
# ----------------------
# :math:`\log \sum e^{x_j}` is near the largest :math:`x_j`, but :math:`e^{x_j}` may be far beyond the
# largest number, or so small that all of them are 0.


def as_defined(x):
    return np.log(np.exp(x).sum())


for x in (np.array([1.0, 2.0]), np.array([1000.0, 1001.0]), np.array([-1000.0, -1001.0])):
    print(f"{x}: as defined {as_defined(x):.6f}, logsumexp {fastact.logsumexp(x):.6f}")

# %%
# The remedy is to factor out the largest number m: :math:`\log \sum e^{x_j} = m + \log \sum e^{x_j - m}`. One
# of the terms is then 1, and none is larger.
#
# The remaining digits
# --------------------
# This is not enough. If one number is much larger than the others, the sum is 1 plus something small,
# and the addition rounds it away: the loss of a confident network becomes 0. The remedy is to add up the
# other terms s without the 1, and to compute :math:`\log(1 + s)` by log1p.


def shifted(x):
    return x.max() + np.log(np.exp(x - x.max()).sum())


print("gap    shifted         logsumexp")
for gap in (5, 10, 20, 40, 80):
    x = np.array([0, -gap], dtype=np.float32)
    print(f"{gap:3}    {shifted(x):.8g}".ljust(22), f"{fastact.logsumexp(x):.8g}")

# %%
# A smooth maximum, whose slope is softmax
# ----------------------------------------
# log-sum-exp lies between the largest number and that number plus :math:`\log n`. With a small *temperature*
# T, :math:`T \log \sum e^{x_j/T}` comes as close to the largest number as one likes. The gradient of
# log-sum-exp is softmax, the smooth form of "1 for the largest".

x = np.linspace(-3, 3, 301)
pairs = np.stack([x, np.zeros_like(x)], axis=1)
for temperature in (2.0, 1.0, 0.25):
    plt.plot(x, temperature * fastact.logsumexp(pairs / temperature), label=f"T = {temperature}")
plt.plot(x, np.maximum(x, 0), "k:", label="max(x, 0)")
plt.xlabel("x")
plt.title("log-sum-exp of (x, 0): T·softplus(x/T)")
plt.legend()
plt.show()

row = np.array([1.0, 2.0, 4.0])
print("gradient:", fastact.logsumexp_backward(row, 1.0).round(6))
print("softmax: ", fastact.softmax(row).round(6))

# %%
# Products of probabilities
# -------------------------
# The likelihood of a thousand observations is a product of a thousand small numbers, which is 0 in any type.
# Its logarithm is a sum. For a mixture of two normal distributions each term is itself the logarithm of a
# sum of exponentials: log-sum-exp of the logarithms, from which the shares of the components, the E step of
# the EM algorithm, follow by softmax.

rng = np.random.default_rng(0)
data = np.concatenate([rng.normal(-2, 1, 600), rng.normal(3, 0.5, 400)])
weight, mean, deviation = np.array([0.5, 0.5]), np.array([-1.0, 1.0]), np.array([2.0, 2.0])
for step in range(31):
    scaled = (data[:, None] - mean) / deviation
    logs = np.log(weight) - np.log(deviation) - 0.5 * np.log(2 * np.pi) - scaled**2 / 2
    if step % 10 == 0:
        total = fastact.logsumexp(logs).sum()
        product = np.exp(logs).sum(axis=1).prod()
        print(f"step {step:2}: log-likelihood {total:.3f}; the likelihood as a product is {product}")
    share = fastact.softmax(logs)
    count = share.sum(axis=0)
    weight, mean = count / len(data), (share * data[:, None]).sum(axis=0) / count
    deviation = np.sqrt((share * (data[:, None] - mean) ** 2).sum(axis=0) / count)
print("weights", weight.round(3), "means", mean.round(3), "deviations", deviation.round(3))
