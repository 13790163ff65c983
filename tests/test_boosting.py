"""The recipe for gradient boosting: LightGBM grows the same trees as with its own objective."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("lightgbm", reason="pip install 'fastact[boosting]' for the recipe of gradient boosting")
EXAMPLES = Path(__file__).parents[1] / "examples"
if not EXAMPLES.is_dir():
    pytest.skip("the examples are not here", allow_module_level=True)


@pytest.fixture
def boosting(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    monkeypatch.delitem(sys.modules, "boosting", False)
    import boosting

    return boosting


@pytest.fixture
def data() -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2000, 8))
    return x, (x[:, 0] * x[:, 1] + rng.normal(size=2000) > 0).astype(float)


def test_same_trees(boosting: Any, data: tuple[Any, Any]) -> None:
    """LightGBM keeps gradients in float32, where two ways of computing them seldom differ in the last bit."""
    own = boosting.train("binary", *data, 30)
    ours = boosting.train(boosting.log_loss(), *data, 30)

    def splits(booster: Any) -> list[str]:
        lines = boosting.trees(booster).splitlines()
        return [line for line in lines if line.startswith(("split_feature=", "threshold=", "left_child="))]

    assert splits(own) == splits(ours) and len(splits(own)) == 90
    first, second = (np.asarray(b.predict(data[0], raw_score=True)) for b in (own, ours))
    np.testing.assert_allclose(first, second, rtol=1e-5, atol=1e-6)


def test_weighted(boosting: Any, data: tuple[Any, Any]) -> None:
    """pos_weight is LightGBM's scale_pos_weight."""
    own = boosting.train("binary", *data, 30, scale_pos_weight=3.0)
    ours = boosting.train(boosting.log_loss(3.0), *data, 30)
    first, second = (np.asarray(b.predict(data[0], raw_score=True)) for b in (own, ours))
    np.testing.assert_allclose(first, second, rtol=1e-5, atol=1e-6)


def test_hessian(boosting: Any) -> None:
    """The objective's derivatives are those of the loss, by finite differences."""

    class Data:
        def get_label(self) -> Any:
            return np.array([0.0, 1.0, 0.0, 1.0])

    def loss(z: Any) -> Any:
        t = Data().get_label()
        return (1 - t) * np.logaddexp(0, z) + 3 * t * np.logaddexp(0, -z)

    z, h = np.array([-2.0, -1.0, 0.5, 3.0]), 1e-4
    gradient, hessian = boosting.log_loss(3.0)(z, Data())
    np.testing.assert_allclose(gradient, (loss(z + h) - loss(z - h)) / (2 * h), rtol=1e-6)
    np.testing.assert_allclose(hessian, (loss(z + h) - 2 * loss(z) + loss(z - h)) / h**2, rtol=1e-5)
