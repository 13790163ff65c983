"""Gradient boosting by LightGBM with a log loss of fastact's, beside LightGBM's own: '.[boosting]'.

An objective returns the gradient of the loss for the raw scores z and the diagonal of its Hessian. For the
log loss these are σ(z) - t, which `sigmoid_cross_entropy_backward` computes without cancellation, and σ'(z),
which `sigmoid_backward` computes; p(1 - p) with p rounded loses digits where p is near 1.
"""

import argparse
import warnings
from typing import Any

import fastact
import lightgbm
import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

Array = NDArray[Any]


def log_loss(pos_weight: float = 1.0) -> Any:
    """Return the objective for LightGBM; positive samples count pos_weight times."""

    def objective(z: Array, data: lightgbm.Dataset) -> tuple[Array, Array]:
        t = np.asarray(data.get_label(), z.dtype)
        gradient = fastact.sigmoid_cross_entropy_backward(z, t, 1.0, pos_weight)
        return gradient, fastact.sigmoid_backward(z, 1 + (pos_weight - 1) * t)

    return objective


def train(objective: Any, x: Array, t: Array, rounds: int, **parameters: Any) -> lightgbm.Booster:
    """Return the booster; its scores begin at 0, since a custom objective knows no average."""
    fixed = {"boost_from_average": False, "verbose": -1, "num_threads": 1, "deterministic": True, "seed": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # LightGBM tells that it computes no metric
        return lightgbm.train({"objective": objective} | fixed | parameters, lightgbm.Dataset(x, t), rounds)


def trees(booster: lightgbm.Booster) -> str:
    """The trees, without the names of the objective and the parameters around them."""
    text: str = booster.model_to_string()
    return text[text.index("Tree=0") : text.index("end of trees")]


def mean_loss(booster: lightgbm.Booster, x: Array, t: Array) -> float:
    z: Array = np.asarray(booster.predict(x, raw_score=True))
    return float(fastact.sigmoid_cross_entropy(z, t).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    rounds = parser.parse_args().rounds
    x, t = load_breast_cancer(return_X_y=True)
    x, x_test, t, t_test = train_test_split(x, t.astype(float), random_state=0)
    own, ours = train("binary", x, t, rounds), train(log_loss(), x, t, rounds)
    weighted = train(log_loss(5.0), x, t, rounds)
    for name, booster in (("LightGBM's", own), ("fastact's", ours), ("fastact's, pos_weight = 5", weighted)):
        z = np.asarray(booster.predict(x_test, raw_score=True))
        missed = np.mean((z <= 0)[t_test == 1])
        print(f"{name:26} loss {mean_loss(booster, x_test, t_test):.6f}, positives missed {missed:.3f}")
    scores = [np.asarray(booster.predict(x_test, raw_score=True)) for booster in (own, ours)]
    same = "the same" if trees(own) == trees(ours) else "not the same"
    print(f"The trees are {same}; scores differ by {np.abs(np.subtract(*scores)).max():.2g}.")


if __name__ == "__main__":
    main()
