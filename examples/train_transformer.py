"""Train a small transformer on Python's own help texts, character by character, in plain NumPy with fastact.

Two blocks of causal attention and a perceptron (Vaswani et al., 2017; norms stand at the beginning of each
branch, as in Xiong et al., 2020) read up to CONTEXT characters and tell at each of them what the next one may
be. Both passes are written out. Arrays are float32; rows means batch·context, a row for each character read.
"""

import argparse
from collections.abc import Callable
from math import pi, sqrt
from pydoc_data.topics import topics
from time import process_time
from typing import Any, NamedTuple

import fastact
import numpy as np
from numpy.typing import NDArray
from scipy.special import erf
from threadpoolctl import threadpool_limits
from tqdm import tqdm

Array = NDArray[Any]
Parameters = dict[str, Array]
Step = Callable[[Array, Array], float]  # from tokens and labels, (batch, context), to their mean loss

BLOCKS, HEADS, WIDTH, CONTEXT, BATCH = 2, 4, 128, 64, 32
HEAD = WIDTH // HEADS
RATE, DECAYS, DROPOUT, IGNORED = 2e-3, (0.9, 0.99), 0.1, -1


def read() -> tuple[list[str], Array]:
    """Return the characters, and the texts cut into windows, (windows, 2, CONTEXT): tokens, labels.

    A token is the number of a character, its label that of the character after it. Beyond the end of a text,
    which seldom fills its last window, labels are IGNORED.
    """
    texts = topics.values()
    characters = sorted(set().union(*texts))
    number = {character: i for i, character in enumerate(characters)}
    windows = []
    for text in texts:
        codes = np.array([number[character] for character in text])
        padding = 0, -(len(codes) - 1) % CONTEXT
        tokens = np.pad(codes[:-1], padding).reshape(-1, CONTEXT)
        labels = np.pad(codes[1:], padding, constant_values=IGNORED).reshape(-1, CONTEXT)
        windows.append(np.stack([tokens, labels], axis=1))
    return characters, np.concatenate(windows)


def initial(characters: int, rng: np.random.Generator) -> Parameters:
    """Return parameters with which every sum has a variance near 1."""

    def normal(*shape: int, inputs: int) -> Array:
        return rng.standard_normal(shape, np.float32) / np.float32(sqrt(inputs))

    branches = 2 * BLOCKS  # each adds an equal share of the variance to the stream that passes by it
    return {
        "embedding": normal(characters, WIDTH, inputs=WIDTH),  # its transpose computes the logits
        "position": normal(CONTEXT, WIDTH, inputs=WIDTH),
        "qkv": normal(BLOCKS, WIDTH, 3 * WIDTH, inputs=WIDTH),
        "mix": normal(BLOCKS, WIDTH, WIDTH, inputs=WIDTH * branches),
        "up": normal(BLOCKS, WIDTH, 4 * WIDTH, inputs=WIDTH),
        "bias": np.zeros((BLOCKS, 4 * WIDTH), np.float32),
        "down": normal(BLOCKS, 4 * WIDTH, WIDTH, inputs=4 * WIDTH * branches),
        "gamma": np.ones((branches + 1, WIDTH), np.float32),  # a norm for each branch and the logits
        "beta": np.zeros((branches + 1, WIDTH), np.float32),
    }


def heads(x: Array, batch: int) -> Array:
    """Split (rows, n·WIDTH) into n arrays (batch, HEADS, context, HEAD)."""
    return x.reshape(batch, len(x) // batch, -1, HEADS, HEAD).transpose((2, 0, 3, 1, 4))


def joined(parts: Array) -> Array:
    """Undo heads."""
    return parts.transpose((1, 3, 0, 2, 4)).reshape(-1, len(parts) * WIDTH)


class Kept(NamedTuple):
    """The values of the forward pass that the backward pass of a block needs."""

    x: Array  # (rows, WIDTH), the stream before attention
    normed: Array  # (rows, WIDTH)
    q: Array  # (batch, HEADS, context, HEAD): queries, already divided by √HEAD,
    k: Array  # keys,
    v: Array  # and values
    shares: Array  # (batch, HEADS, context, context), that of each value in a character's mixture
    mixed: Array  # (rows, WIDTH), the mixtures of all heads
    middle: Array  # (rows, WIDTH), the stream before the perceptron
    normed_middle: Array  # (rows, WIDTH)
    z: Array  # (rows, 4·WIDTH), before gelu
    y: Array  # (rows, 4·WIDTH), after it


class Transformer:
    """Forward and backward passes, in terms of fastact's functions or of others with their names."""

    def __init__(self, parameters: Parameters, functions: Any = fastact) -> None:
        self.p, self.f = parameters, functions

    def forward(self, tokens: Array, dropout: float = 0.0, seed: int = 0) -> tuple[Any, list[Kept], Any]:
        """Return the logits, (rows, characters), what blocks keep, and the last stream, (rows, WIDTH)."""
        p, f = self.p, self.f
        batch, context = tokens.shape
        causal = np.tri(context, dtype=bool)  # a character sees itself and those before it

        def norm(x: Array, place: int) -> Any:
            return f.layer_norm(x, p["gamma"][place], p["beta"][place])

        x = (p["embedding"][tokens] + p["position"][:context]).reshape(-1, WIDTH)
        kept = []
        for block in range(BLOCKS):
            attention, perceptron = 2 * block, 2 * block + 1
            normed = norm(x, attention)
            q, k, v = heads(normed @ p["qkv"][block], batch)
            q = q / sqrt(HEAD)  # keeps the variance of the scores that of their factors
            shares = f.softmax(q @ k.swapaxes(-1, -2), where=causal)
            mixed = joined((shares @ v)[None])
            middle = x + f.dropout(mixed @ p["mix"][block], dropout, seed + attention)
            normed_middle = norm(middle, perceptron)
            z = normed_middle @ p["up"][block] + p["bias"][block]
            y = f.gelu(z)
            kept.append(Kept(x, normed, q, k, v, shares, mixed, middle, normed_middle, z, y))
            x = middle + f.dropout(y @ p["down"][block], dropout, seed + perceptron)
        return norm(x, 2 * BLOCKS) @ p["embedding"].T, kept, x

    def gradients(self, tokens: Array, labels: Array, dropout: float, seed: int) -> tuple[float, Parameters]:
        """Return the mean loss over the labels that are not ignored, and its gradients."""
        logits, kept, x = self.forward(tokens, dropout, seed)
        loss, g = self.f.softmax_cross_entropy_with_gradient(logits, labels.ravel(), ignore_label=IGNORED)
        count = np.count_nonzero(labels != IGNORED)
        g = g / np.float32(count)  # an integer of NumPy's would make it float64
        return float(loss.sum() / count), self.backward(tokens, dropout, seed, kept, x, g)

    def backward(
        self, tokens: Array, dropout: float, seed: int, kept: list[Kept], x: Array, g: Array
    ) -> Parameters:
        """Return the gradients of all parameters; g, (rows, characters), is that of the logits."""
        p, f = self.p, self.f
        batch, context = tokens.shape
        d = {name: np.zeros_like(a) for name, a in p.items()}

        def norm_backward(x: Array, g: Array, place: int) -> Any:
            dx, d["gamma"][place], d["beta"][place] = f.layer_norm_backward(x, g, p["gamma"][place])
            return dx

        last = f.layer_norm(x, p["gamma"][-1], p["beta"][-1])
        d["embedding"] = g.T @ last
        g = norm_backward(x, g @ p["embedding"], 2 * BLOCKS)  # from here on that of the stream, (rows, WIDTH)
        for block, o in reversed(list(enumerate(kept))):
            attention, perceptron = 2 * block, 2 * block + 1
            # The perceptron: the stream takes the gradient past the branch, which adds its own.
            dropped = f.dropout_backward(g, dropout, seed + perceptron)  # computes the same mask again
            d["down"][block] = o.y.T @ dropped
            dz = f.gelu_backward(o.z, dropped @ p["down"][block].T)
            d["up"][block], d["bias"][block] = o.normed_middle.T @ dz, dz.sum(axis=0)
            g = g + norm_backward(o.middle, dz @ p["up"][block].T, perceptron)
            # Attention. Where the mask is False, shares are 0, and so are the gradients of the scores.
            dropped = f.dropout_backward(g, dropout, seed + attention)
            d["mix"][block] = o.mixed.T @ dropped
            (dmixed,) = heads(dropped @ p["mix"][block].T, batch)
            dscores = f.softmax_backward_from_output(o.shares, dmixed @ o.v.swapaxes(-1, -2))
            dq, dk = dscores @ o.k / sqrt(HEAD), dscores.swapaxes(-1, -2) @ o.q
            dv = o.shares.swapaxes(-1, -2) @ dmixed
            dqkv = joined(np.stack([dq, dk, dv]))
            d["qkv"][block] = o.normed.T @ dqkv
            g = g + norm_backward(o.x, dqkv @ p["qkv"][block].T, attention)
        d["position"][:context] = g.reshape(batch, context, WIDTH).sum(axis=0)
        # Rows of the same character add up, as a product with the one-hot matrix, (rows, characters).
        d["embedding"] += np.eye(len(p["embedding"]), dtype=g.dtype)[tokens.ravel()].T @ g
        return d


def trainer(parameters: Parameters, functions: Any = fastact) -> Step:
    """Return a step of Adam (Kingma and Ba, 2015), which changes the parameters."""
    model = Transformer(parameters, functions)
    means, squares = ({name: np.zeros_like(a) for name, a in parameters.items()} for _ in DECAYS)
    steps = 0

    def step(tokens: Array, labels: Array) -> float:
        nonlocal steps
        loss, gradients = model.gradients(tokens, labels, DROPOUT, seed=2 * BLOCKS * steps)
        steps += 1
        unbiased = [1 - decay**steps for decay in DECAYS]
        for name, g in gradients.items():
            means[name] += (1 - DECAYS[0]) * (g - means[name])
            squares[name] += (1 - DECAYS[1]) * (g * g - squares[name])
            deviation = np.sqrt(squares[name] / unbiased[1]) + 1e-8
            parameters[name] -= RATE / unbiased[0] * means[name] / deviation
        return loss

    return step


def write(model: Transformer, tokens: list[int], length: int, rng: np.random.Generator) -> list[int]:
    """Continue tokens by drawing one after another with the probabilities that the model gives them."""
    for _ in range(length):
        logits = model.forward(np.array([tokens[-CONTEXT:]]))[0]
        probabilities = fastact.softmax(logits[-1].astype(float))  # choice wants them to sum to 1 in float64
        tokens = [*tokens, int(rng.choice(len(probabilities), p=probabilities))]
    return tokens


class Expressions:
    """The same functions as NumPy and SciPy expressions."""

    @staticmethod
    def softmax(x: Array, where: Array) -> Any:
        x = np.where(where, x, np.float32(-1e9))
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)

    @staticmethod
    def softmax_backward_from_output(y: Array, g: Array) -> Any:
        return y * (g - (g * y).sum(axis=-1, keepdims=True))

    @staticmethod
    def normalized(x: Array) -> tuple[Any, Any]:
        difference = x - x.mean(axis=-1, keepdims=True)
        factor = 1 / np.sqrt((difference * difference).mean(axis=-1, keepdims=True) + 1e-5)
        return difference * factor, factor

    @classmethod
    def layer_norm(cls, x: Array, gamma: Array, beta: Array) -> Any:
        return cls.normalized(x)[0] * gamma + beta

    @classmethod
    def layer_norm_backward(cls, x: Array, g: Array, gamma: Array) -> tuple[Any, Any, Any]:
        (normed, factor), h = cls.normalized(x), g * gamma
        slope = (h * normed).mean(axis=-1, keepdims=True)
        dx = factor * (h - h.mean(axis=-1, keepdims=True) - normed * slope)
        return dx, (g * normed).sum(axis=0), g.sum(axis=0)

    @staticmethod
    def gelu(x: Array) -> Any:
        return 0.5 * x * (1 + erf(x / sqrt(2)))

    @staticmethod
    def gelu_backward(x: Array, g: Array) -> Any:
        return g * (0.5 * (1 + erf(x / sqrt(2))) + x * np.exp(-0.5 * x * x) / sqrt(2 * pi))

    @staticmethod
    def dropout(x: Array, rate: float, seed: int) -> Any:
        return x * (np.random.default_rng(seed).random(x.shape, np.float32) >= rate) / (1 - rate)

    dropout_backward = dropout

    @staticmethod
    def softmax_cross_entropy_with_gradient(
        logits: Array, labels: Array, ignore_label: int
    ) -> tuple[Any, Any]:
        counts = labels != ignore_label
        places = np.arange(len(labels)), np.where(counts, labels, 0)
        shifted = logits - logits.max(axis=-1, keepdims=True)
        e = np.exp(shifted)
        sums = e.sum(axis=-1)
        g = e / sums[:, None]
        g[places] -= 1
        return (np.log(sums) - shifted[places]) * counts, g * counts[:, None]


def torch_trainer(parameters: Parameters) -> Step | None:
    """Return the same step in torch, or None where it is not installed."""
    try:
        import torch
        import torch.nn.functional as F
    except ImportError:
        return None
    torch.set_num_threads(1)
    p = {name: torch.tensor(a, requires_grad=True) for name, a in parameters.items()}
    optimizer = torch.optim.Adam(p.values(), RATE, DECAYS)

    def step(tokens: Array, labels: Array) -> float:
        norms = zip(p["gamma"].unbind(), p["beta"].unbind(), strict=True)
        x = F.embedding(torch.tensor(tokens), p["embedding"]) + p["position"]
        for qkv, mix, up, bias, down in zip(
            *(p[name].unbind() for name in ("qkv", "mix", "up", "bias", "down")), strict=True
        ):
            parts = (F.layer_norm(x, (WIDTH,), *next(norms)) @ qkv).reshape(*tokens.shape, 3, HEADS, HEAD)
            q, k, v = parts.permute(2, 0, 3, 1, 4)
            mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(x.shape)
            x = x + F.dropout(mixed @ mix, DROPOUT)
            z = F.layer_norm(x, (WIDTH,), *next(norms)) @ up + bias
            x = x + F.dropout(F.gelu(z) @ down, DROPOUT)
        logits = F.layer_norm(x, (WIDTH,), *next(norms)) @ p["embedding"].T
        targets = torch.tensor(labels).flatten()
        loss: Any = F.cross_entropy(logits.flatten(0, 1), targets, ignore_index=IGNORED)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1000, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument(
        "--compare",
        action="store_true",
        help="time it beside NumPy expressions and torch, one thread each",
    )
    options = parser.parse_args()
    if options.steps < 1 or options.seed < 0:
        parser.error("--steps is at least 1, --seed at least 0")
    rng = np.random.default_rng(options.seed)
    characters, windows = read()
    parameters = initial(len(characters), rng)
    trainers: dict[str, Step] = {}
    if options.compare:
        trainers["NumPy"] = trainer({name: a.copy() for name, a in parameters.items()}, Expressions)
        if step := torch_trainer(parameters):
            trainers["torch"] = step
        threadpool_limits(1)
    trainers["fastact"] = trainer(parameters)

    losses: list[float] = []
    best = dict.fromkeys(trainers, np.inf)
    # The pool hands out the memory of the last step again, which all of NumPy's arrays profit from.
    with fastact.memory_pool(), tqdm(range(options.steps), unit="step", disable=None) as progress:
        for _ in progress:
            tokens, labels = windows[rng.choice(len(windows), BATCH, replace=False)].swapaxes(0, 1)
            for name, step in trainers.items():  # they take turns, so their times are comparable
                start = process_time()  # which other work on the machine prolongs least
                loss = step(tokens, labels)
                best[name] = min(best[name], process_time() - start)
            losses.append(loss)
            progress.set_postfix(loss=f"{np.mean(losses[-50:]):.3f}")
    if options.compare:
        print("best step, float32, one thread")
        for name, seconds in best.items():
            print(f"{name:8} {1e3 * seconds:8.1f} ms {seconds / best['fastact']:6.2f}")
    print(f"mean loss of the last {len(losses[-50:])} of {len(losses)} steps: {np.mean(losses[-50:]):.3f}\n")
    start_of_text = [characters.index(character) for character in "The "]
    print("".join(characters[i] for i in write(Transformer(parameters), start_of_text, 400, rng)))


if __name__ == "__main__":
    main()
