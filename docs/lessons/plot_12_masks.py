r"""
Masks
=====

A batch is a rectangle, but sequences have different lengths, and a language model must not see the words
that it has to predict. A mask says which elements count. This lesson shows masked softmax, what goes wrong if
large negative numbers take the place of a mask, and attention with a padding mask and a causal mask.
"""

import fastact
import matplotlib.pyplot as plt
import numpy as np

# %%
# Elements that are left out
# --------------------------
# Elements for which ``where`` is False are left out of their row, whatever their values are. Their
# probabilities and gradients are exactly 0.

x = np.array([[2.0, 1.0, 0.5, np.nan], [1.0, np.inf, 3.0, 0.0]])
where = np.array([[True, True, True, False], [True, False, True, True]])
y = fastact.softmax(x, where=where)
print(y.round(4))
print(fastact.softmax_backward(x, np.array([1.0, 0.0, 0.0, 5.0]) * np.ones_like(x), where=where).round(4))

# %%
# A large negative number instead of a mask
# -----------------------------------------
# The usual substitute adds -10⁹ to the elements that should be left out. It fails in three ways: NaN and
# infinity do not change; -10⁹ is beyond the range of float16; and in a row in which every element is left
# out, it gives probabilities to elements that do not exist.

nothing = np.zeros(4, bool)
logits = np.array([1.0, 2.0, 3.0, 4.0])
print("NaN + -1e9:      ", fastact.softmax(x[0] + np.where(where[0], 0, -1e9)))
with np.errstate(over="ignore"):
    print("in float16:      ", np.float16(-1e9), fastact.softmax(np.full(2, np.float16(-1e9))))
print("nothing is left: ", fastact.softmax(logits + np.where(nothing, 0, -1e9)).round(4))
print("with where:      ", fastact.softmax(logits, where=nothing), fastact.logsumexp(logits, where=nothing))

# %%
# Attention
# ---------
# There are three sequences, of 3, 6 and 8 words. Word i attends to word j if j exists (padding) and is not
# after i (causality). A mask broadcasts, so each of these is small until they are combined.

rng = np.random.default_rng(0)
lengths, words, size = np.array([3, 6, 8]), 8, 16
exists = np.arange(words) < lengths[:, None]  # (3, 8)
causal = np.tri(words, dtype=bool)  # (8, 8)
allowed = causal & exists[:, None, :] & exists[:, :, None]  # (3, 8, 8)

q, k, v = rng.normal(size=(3, len(lengths), words, size))
scores = q @ k.swapaxes(1, 2) / np.sqrt(size)
attention = fastact.softmax(scores, where=allowed)
output = attention @ v

for length, weights in zip(lengths, attention, strict=True):
    print(f"{length} words: row sums {weights.sum(-1).round(12)}")
figure, axes = plt.subplots(1, 3, figsize=(9, 3))
for axis, weights in zip(axes, attention, strict=True):
    axis.imshow(weights, cmap="Blues", vmin=0, vmax=1)
    axis.set_xlabel("attends to word")
axes[0].set_ylabel("word")
plt.tight_layout()
plt.show()

# %%
# Words that do not exist attend to nothing: their row is 0, not a uniform distribution over padding, and so
# is their output. The backward pass takes the same mask, and no gradient reaches the padding:

g = rng.normal(size=output.shape)
dscores = fastact.softmax_backward(scores, g @ v.swapaxes(1, 2), where=allowed)
print("largest output of padding:      ", abs(output[~exists]).max())
print("largest gradient beyond the mask:", abs(dscores[~allowed]).max())
