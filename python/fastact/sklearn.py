"""scikit-learn's multilayer perceptrons with fastact's kernels and with all of its activations.

While `patch` is in force, ``MLPClassifier`` and ``MLPRegressor`` compute their activations and softmax with
fastact. They accept every elementwise activation, by name or as a `fastact.Activation`. `patch` affects the
whole process, including all of its threads.
"""

import weakref
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fastact

from .facts.elements import COMPOSED, ENTRIES

try:
    from sklearn.neural_network import _multilayer_perceptron as _perceptron
    from sklearn.utils._param_validation import StrOptions
except ModuleNotFoundError as missing:
    message = f"{missing.name} is not installed: pip install 'fastact[sklearn]'"
    raise ImportError(message, name=missing.name) from missing

__all__ = ["patch", "patched", "unpatch"]

_Array = NDArray[np.floating[Any]]

# The inputs x of the existing outputs y = f(x), by the id of y. scikit-learn passes only y to the derivative,
# and for most activations f'(x) cannot be computed from y.
_inputs: dict[int, _Array] = {}


def _in_place(f: fastact.Activation) -> Callable[[_Array], None]:
    def overwrite(x: _Array) -> None:
        f(x, out=x)

    def overwrite_and_keep(x: _Array) -> None:
        if id(x) not in _inputs:
            weakref.finalize(x, _inputs.pop, id(x))
        _inputs[id(x)] = x.copy()
        f(x, out=x)

    return overwrite if f.backward_from_output else overwrite_and_keep


def _derivative_in_place(f: fastact.Activation) -> Callable[[_Array, _Array], None]:
    from_output = f.backward_from_output

    def from_y(y: _Array, g: _Array) -> None:
        from_output(y, g, out=g)  # type: ignore[misc]

    def from_x(y: _Array, g: _Array) -> None:
        f.backward(_inputs[id(y)], g, out=(g, None) if f.learnable else g)

    return from_y if from_output else from_x


class _Table(dict[Hashable, Any]):
    """A table that creates the function of an activation when it is first looked up."""

    def __init__(self, original: dict[str, Any], make: Callable[[fastact.Activation], Any]) -> None:
        super().__init__({"identity": original["identity"]})
        self.make = make

    def __missing__(self, activation: Any) -> Any:
        f = fastact.get(activation) if isinstance(activation, str) else activation
        return self.setdefault(activation, self.make(f))


_options: list[Any] = _perceptron.BaseMultilayerPerceptron._parameter_constraints["activation"]

# The values that are not in use: scikit-learn's own while patched, fastact's otherwise.
_others: dict[str, Any] = {
    "ACTIVATIONS": _Table(_perceptron.ACTIVATIONS, _in_place),
    "DERIVATIVES": _Table(_perceptron.DERIVATIVES, _derivative_in_place),
}
_other_options = [StrOptions({*_perceptron.DERIVATIVES, *ENTRIES, *COMPOSED}), fastact.Activation]

_users: set[object] = set()  # the open blocks of `patched`, and `patch` itself
_lock = Lock()


def _use(user: object, begins: bool) -> None:
    with _lock:
        before = bool(_users)
        (_users.add if begins else _users.discard)(user)
        if bool(_users) != before:
            for name, value in _others.items():
                _others[name] = getattr(_perceptron, name)
                setattr(_perceptron, name, value)
            # Classifier and regressor share this list, so it is changed in place.
            _options[:], _other_options[:] = _other_options[:], _options[:]


def patch() -> None:
    """Have scikit-learn's multilayer perceptrons use fastact, until `unpatch`.

    A second call changes nothing.

    See Also
    --------
    patched : The same for a block.

    Notes
    -----
    In addition to scikit-learn's own names, ``activation`` then accepts the name of every elementwise
    activation in `fastact.names`, with default parameters, and objects returned by `fastact.get`, with any
    parameters. Parameters are not learned. scikit-learn still draws the weights and computes the gradients;
    only the functions are replaced. If the derivative of an activation cannot be computed from its output, as
    for gelu, the weighted sums of each hidden layer are kept in addition to its outputs.

    Estimators are not changed. An estimator that was fitted with one of scikit-learn's own names can predict
    without the patch too. It then uses scikit-learn's functions, whose results differ in the last digits.
    With any other name the patch is also needed to predict; without it, scikit-learn has no such function and
    raises a KeyError with the name.

    New processes are not patched. With joblib's loky backend, for example for ``n_jobs=2``, use
    ``joblib.parallel_config("loky", initializer=fastact.sklearn.patch)``.

    Examples
    --------
    >>> import fastact.sklearn
    >>> from sklearn.neural_network import MLPRegressor
    >>> fastact.sklearn.patch()
    >>> x = np.linspace(-1, 1, 50)[:, np.newaxis]
    >>> model = MLPRegressor(activation="gelu", solver="lbfgs", random_state=0).fit(x, abs(x[:, 0]))
    >>> bool(model.score(x, abs(x[:, 0])) > 0.99)
    True
    >>> fastact.sklearn.unpatch()
    """
    _use(patch, True)


def unpatch() -> None:
    """Undo `patch`, however often it was called; open blocks of `patched` remain patched.

    Examples
    --------
    >>> import fastact.sklearn
    >>> from sklearn.neural_network import MLPClassifier
    >>> fastact.sklearn.unpatch()
    >>> MLPClassifier(activation="gelu").fit([[0.0], [1.0]], [0, 1])
    Traceback (most recent call last):
        ...
    sklearn.utils._param_validation.InvalidParameterError: The 'activation' parameter ...
    """
    _use(patch, False)


@contextmanager
def patched() -> Iterator[None]:
    """Have scikit-learn's perceptrons use fastact in a ``with`` block or in a decorated function.

    Blocks may be nested, and several threads may be in such blocks at the same time. The last one to leave
    removes the patch, unless `patch` was called.

    Examples
    --------
    >>> import fastact.sklearn
    >>> from sklearn.neural_network import MLPClassifier
    >>> x, y = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), [0, 1, 1, 0]
    >>> f = fastact.get("leaky_relu", negative_slope=0.2)
    >>> with fastact.sklearn.patched():
    ...     model = MLPClassifier(activation=f, solver="lbfgs", random_state=0).fit(x, y)
    ...     model.predict(x)
    array([0, 1, 1, 0])
    """
    block = object()
    _use(block, True)
    try:
        yield
    finally:
        _use(block, False)
