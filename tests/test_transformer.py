"""The example of a transformer: its gradients, its types, and the peers that it is timed beside."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fastact
import numpy as np
import pytest

for module in ("scipy", "threadpoolctl", "tqdm"):
    pytest.importorskip(module, reason="pip install 'fastact[examples]' for the example of a transformer")
EXAMPLES = Path(__file__).parents[1] / "examples"
if not EXAMPLES.is_dir():
    pytest.skip("the examples are not here", allow_module_level=True)

CHARACTERS = 11


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The example with narrow layers."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    monkeypatch.delitem(sys.modules, "train_transformer", False)
    import train_transformer

    for name, size in {"WIDTH": 8, "HEADS": 2, "HEAD": 4, "CONTEXT": 6}.items():
        monkeypatch.setattr(train_transformer, name, size)
    return train_transformer


@pytest.fixture
def batch(example: Any) -> tuple[Any, Any]:
    """Tokens and labels, (3, CONTEXT), of which some are ignored."""
    rng = np.random.default_rng(1)
    tokens, labels = rng.integers(CHARACTERS, size=(2, 3, example.CONTEXT))
    labels[0, 4:] = labels[2, :] = example.IGNORED
    return tokens, labels


def parameters(example: Any, dtype: type = np.float32) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    initial = example.initial(CHARACTERS, rng)
    # A bias, gamma or beta that is still 0 or 1 would hide factors and terms.
    return {name: (a + rng.normal(scale=0.1, size=a.shape)).astype(dtype) for name, a in initial.items()}


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_gradients(example: Any, batch: tuple[Any, Any], dropout: float) -> None:
    """The backward pass that is written out is the one that autograd finds."""
    autograd = pytest.importorskip("autograd", reason="autograd is not installed")
    import autograd.numpy as anp
    import fastact.autograd

    def softmax(x: Any, where: Any) -> Any:
        """What fastact.autograd does not trace, as small numbers allow it."""
        e = where * anp.exp(x)
        return e / anp.sum(e, axis=-1, keepdims=True)

    traced = SimpleNamespace(**vars(fastact) | {"softmax": softmax})
    tokens, labels = batch
    p = parameters(example, float)

    def loss(p: dict[str, Any]) -> Any:
        logits, *_ = example.Transformer(p, traced).forward(tokens, dropout, seed=5)
        losses = fastact.softmax_cross_entropy(logits, labels.ravel(), ignore_label=example.IGNORED)
        return anp.sum(losses) / np.count_nonzero(labels != example.IGNORED)

    mean, gradients = example.Transformer(p).gradients(tokens, labels, dropout, seed=5)
    expected_mean, expected = autograd.value_and_grad(loss)(p)
    np.testing.assert_allclose(mean, expected_mean, rtol=1e-13)
    assert gradients.keys() == p.keys()
    for name, gradient in gradients.items():
        assert gradient.shape == p[name].shape
        np.testing.assert_allclose(gradient, expected[name], rtol=1e-10, atol=1e-14, err_msg=name)


def test_float32(example: Any, batch: tuple[Any, Any]) -> None:
    tokens, labels = batch
    for functions in (fastact, example.Expressions):
        model = example.Transformer(parameters(example), functions)
        logits, kept, x = model.forward(tokens, 0.1)
        assert {a.dtype for o in kept for a in (*o, logits, x)} == {np.dtype(np.float32)}
        _, gradients = model.gradients(tokens, labels, 0.1, seed=0)
        assert {a.dtype for a in gradients.values()} == {np.dtype(np.float32)}


def test_same_steps(example: Any, batch: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without dropout, whose masks differ, expressions and torch learn the same as fastact."""
    monkeypatch.setattr(example, "DROPOUT", 0.0)
    steps = [example.trainer(parameters(example), functions) for functions in (fastact, example.Expressions)]
    if step := example.torch_trainer(parameters(example)):
        steps.append(step)
    losses = np.array([[step(*batch) for _ in range(20)] for step in steps])
    assert losses[0, -1] < 0.8 * losses[0, 0]
    np.testing.assert_allclose(losses[1:], losses[:1].repeat(len(losses) - 1, axis=0), rtol=1e-3)


def test_windows(example: Any) -> None:
    """Every character but the first of a text is the label of one token."""
    characters, windows = example.read()
    tokens, labels = windows.swapaxes(0, 1)
    counts = labels != example.IGNORED
    assert tokens.min() >= 0 and max(tokens.max(), labels.max()) < len(characters)
    assert counts.sum() == sum(len(text) - 1 for text in example.topics.values())
    np.testing.assert_array_equal(labels[:, :-1][counts[:, 1:]], tokens[:, 1:][counts[:, 1:]])


def test_causal(example: Any) -> None:
    """What comes later changes nothing, so that all labels of a window can be learned at once."""
    tokens = np.arange(example.CONTEXT)[None]
    model = example.Transformer(parameters(example, float))
    whole, part = model.forward(tokens)[0], model.forward(tokens[:, :3])[0]
    np.testing.assert_allclose(whole[:3], part, rtol=1e-12)
