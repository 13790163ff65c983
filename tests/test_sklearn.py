"""scikit-learn's perceptrons under the patch: scikit-learn's tests, every activation, and unpatching."""

import doctest
import gc
import os
import pickle
import threading
from collections.abc import Iterator
from typing import Any

import fastact
import numpy as np
import pytest
from conftest import RunPython
from fastact.facts.elements import COMPOSED, ENTRIES
from numpy.typing import NDArray

sklearn = pytest.importorskip("sklearn", reason="scikit-learn is not installed")
import fastact.sklearn  # noqa: E402
from sklearn.base import clone  # noqa: E402
from sklearn.neural_network import MLPClassifier, MLPRegressor, _base  # noqa: E402
from sklearn.neural_network import _multilayer_perceptron as perceptron  # noqa: E402

# A few training steps are enough here, so scikit-learn warns that it has not converged.
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.thread_unsafe(reason="the patch is that of all threads"),
]

THEIRS = ["identity", "logistic", "tanh", "relu"]
X = np.random.default_rng(0).normal(size=(60, 3))
Y = np.sin(2 * X).sum(axis=1)


@pytest.fixture
def patched() -> Iterator[None]:
    with fastact.sklearn.patched():
        yield


def options() -> list[Any]:
    return list(perceptron.BaseMultilayerPerceptron._parameter_constraints["activation"])


def is_patched() -> bool:
    if perceptron.ACTIVATIONS is not _base.ACTIVATIONS:
        return True
    assert perceptron.DERIVATIVES is _base.DERIVATIVES
    (names,) = options()
    assert names.options == {*THEIRS}
    return False


@pytest.mark.slow
def test_their_tests(run_python: RunPython) -> None:
    """scikit-learn's own tests pass and use fastact's functions."""
    arguments = ["-q", "--pyargs", "sklearn.neural_network", "-c", os.devnull, "-p", "no:cacheprovider"]
    run = run_python(
        "-c",
        "import fastact.sklearn, pytest\n"
        "from sklearn.neural_network import _multilayer_perceptron as perceptron\n"
        "fastact.sklearn.patch()\n"
        f"code = pytest.main({arguments})\n"
        f"assert {{*perceptron.ACTIVATIONS}} >= {{'softmax', *{THEIRS}}}\n"
        "raise SystemExit(code)",
    )
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.usefixtures("patched")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", [*THEIRS, *ENTRIES, *COMPOSED])
def test_fit(name: str, dtype: Any) -> None:
    """A step of fit equals a step with gradients through fastact's functions."""
    f = fastact.get(name)
    x, y = X.astype(dtype), Y.astype(dtype)[:, np.newaxis]
    sizes = {"hidden_layer_sizes": (5, 4), "batch_size": 60, "alpha": 0.0, "shuffle": False}
    model = MLPRegressor(
        activation=name, solver="sgd", momentum=0, learning_rate_init=1, random_state=0, **sizes
    ).partial_fit(x, Y.astype(dtype))
    start = clone(model).set_params(learning_rate_init=1e-300).partial_fit(x, Y.astype(dtype))
    (w1, w2, w3), (b1, b2, b3) = start.coefs_, start.intercepts_

    def backward(z: NDArray[Any], g: NDArray[Any]) -> Any:
        return f.backward(z, g)[0] if f.learnable else f.backward(z, g)

    z1 = x @ w1 + b1
    z2 = f(z1) @ w2 + b2
    g3 = (f(z2) @ w3 + b3 - y) / len(x)
    g2 = backward(z2, g3 @ w3.T)
    g1 = backward(z1, g2 @ w2.T)
    tolerance = 1000 * np.finfo(dtype).eps
    gradients = [x.T @ g1, f(z1).T @ g2, f(z2).T @ g3, *(g.sum(axis=0) for g in (g1, g2, g3))]
    learned, weights = model.coefs_ + model.intercepts_, start.coefs_ + start.intercepts_
    for after, before, gradient in zip(learned, weights, gradients, strict=True):
        assert after.dtype == dtype
        np.testing.assert_allclose(after, before - gradient, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(start.predict(x), (f(z2) @ w3 + b3)[:, 0], rtol=tolerance, atol=tolerance)


@pytest.mark.usefixtures("patched")
def test_parameters() -> None:
    models = [
        MLPRegressor(activation=fastact.get("leaky_relu", negative_slope=slope), max_iter=20, random_state=0)
        for slope in (0.01, 0.5)
    ]
    one, other = (clone(model).fit(X, Y).predict(X) for model in models)
    named = MLPRegressor(activation="leaky_relu", max_iter=20, random_state=0).fit(X, Y).predict(X)
    assert (one == named).all() and (one != other).any()


@pytest.mark.usefixtures("patched")
@pytest.mark.parametrize("wrong", ["geluu", "softmax", "glu", 3, None])
def test_wrong_activation(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"'activation' parameter of MLPClassifier must be .*'gelu'"):
        MLPClassifier(activation=wrong).fit(X, Y > 0)


def test_nothing_is_kept() -> None:
    """Arrays that are kept for derivatives are freed together with the outputs."""
    with fastact.sklearn.patched():
        MLPClassifier(activation="mish", max_iter=5, solver="lbfgs").fit(X, Y > 0).predict(X)
        gc.collect()
        assert not fastact.sklearn._inputs


def test_repeated() -> None:
    assert not is_patched()
    before = options()
    fastact.sklearn.unpatch()
    for _ in range(2):
        fastact.sklearn.patch()
        fastact.sklearn.patch()
        assert is_patched()
        with fastact.sklearn.patched():
            pass
        assert is_patched()
        fastact.sklearn.unpatch()
        assert not is_patched() and options() == before
    with pytest.raises(ZeroDivisionError), fastact.sklearn.patched(), fastact.sklearn.patched():
        fastact.sklearn.patch()
        fastact.sklearn.unpatch()
        assert is_patched()
        raise ZeroDivisionError
    assert not is_patched()


def test_threads() -> None:
    """Blocks in several threads may end in any order, and each is patched until its end."""
    barrier, failures = threading.Barrier(8), []

    def work(number: int) -> None:
        barrier.wait()
        for _ in range(200):
            with fastact.sklearn.patched():
                if not is_patched():
                    failures.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures and not is_patched()


@pytest.mark.parametrize("name", THEIRS)
def test_predict_unpatched(name: str) -> None:
    with fastact.sklearn.patched():
        model = MLPClassifier(activation=name, solver="lbfgs", max_iter=20, random_state=0).fit(X, Y > 0)
        expected = model.predict_proba(X)
    model = pickle.loads(pickle.dumps(model))
    np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("activation", ["gelu", fastact.get("elu", alpha=0.5)], ids=str)
def test_predict_with_another_activation(activation: Any) -> None:
    """Prediction needs the patch, before or after pickling; without it a KeyError names the activation."""
    with fastact.sklearn.patched():
        model = MLPRegressor(activation=activation, solver="lbfgs", max_iter=20, random_state=0).fit(X, Y)
        expected = model.predict(X)
    pickled = pickle.dumps(model)
    name = activation if isinstance(activation, str) else activation.name
    with pytest.raises(KeyError, match=name):
        pickle.loads(pickled).predict(X)
    with pytest.raises(ValueError, match="'activation' parameter of MLPRegressor"):
        model.fit(X, Y)
    with fastact.sklearn.patched():
        assert (pickle.loads(pickled).predict(X) == expected).all()


@pytest.mark.parametrize("name", fastact.sklearn.__all__)
def test_examples_of_docstrings(name: str) -> None:
    doc = getattr(fastact.sklearn, name).__doc__
    test = doctest.DocTestParser().get_doctest(doc, {"np": np, "fastact": fastact}, name, None, None)
    failures: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=failures.append)
    assert test.examples and not failures, "".join(failures)


@pytest.mark.parametrize("blocked", ["sklearn", "dask"])
def test_optional(blocked: str, run_python: RunPython) -> None:
    """fastact imports neither library, and the error names the extra that is missing."""
    run = run_python(
        "-c",
        f"import sys; sys.modules['{blocked}'] = None\n"
        "import fastact\n"
        "assert not {'sklearn', 'dask'} & {name for name, module in sys.modules.items() if module}\n"
        "import fastact.sklearn",
    )
    assert (run.returncode == 0) == (blocked == "dask")
    assert ("pip install 'fastact[sklearn]'" in run.stderr) == (blocked == "sklearn")
