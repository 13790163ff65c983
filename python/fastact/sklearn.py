"""scikit-learn's multilayer perceptrons over fastact's kernels, and with all of its activations.

While `patch` is in force, ``MLPClassifier`` and ``MLPRegressor`` compute their activations, softmax included,
by fastact, and take every elementwise activation, by name or as a `fastact.Activation`. What `patch` changes
is the process's, and that of each of its threads.
"""

import weakref
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fastact

from ._documentation import COMPOSED, ENTRIES

try:
    from sklearn.neural_network import _multilayer_perceptron as _perceptron
    from sklearn.utils._param_validation import StrOptions
except ModuleNotFoundError as missing:
    message = f"{missing.name} is not installed: pip install 'fastact[sklearn]'"
    raise ImportError(message, name=missing.name) from missing

__all__ = ["patch", "patched", "unpatch"]

_Array = NDArray[np.floating[Any]]

# The x of each y = f(x) that lives, by y's id. scikit-learn hands y alone to the derivative, and for most
# activations that does not tell f'(x).
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
    """What makes functions of activations, with those made so far; identity needs nothing done."""

    def __init__(self, original: dict[str, Any], make: Callable[[fastact.Activation], Any]) -> None:
        super().__init__({"identity": original["identity"]})
        self.make = make

    def __missing__(self, activation: Any) -> Any:
        f = fastact.get(activation) if isinstance(activation, str) else activation
        return self.setdefault(activation, self.make(f))


_options: list[Any] = _perceptron.BaseMultilayerPerceptron._parameter_constraints["activation"]

# scikit-learn's own values while patched, ours while not.
_others: dict[str, Any] = {
    "ACTIVATIONS": _Table(_perceptron.ACTIVATIONS, _in_place),
    "DERIVATIVES": _Table(_perceptron.DERIVATIVES, _derivative_in_place),
}
_other_options = [StrOptions({*_perceptron.DERIVATIVES, *ENTRIES, *COMPOSED}), fastact.Activation]

_users: set[object] = set()  # each block that is open, and `patch` itself
_lock = Lock()


def _use(user: object, begins: bool) -> None:
    with _lock:
        before = bool(_users)
        (_users.add if begins else _users.discard)(user)
        if bool(_users) != before:
            for name, value in _others.items():
                _others[name] = getattr(_perceptron, name)
                setattr(_perceptron, name, value)
            # Classifier and regressor share this list.
            _options[:], _other_options[:] = _other_options[:], _options[:]


def patch() -> None:
    """Have scikit-learn's multilayer perceptrons use fastact, until `unpatch`.

    A second call changes nothing.

    See Also
    --------
    patched : The same for a block.

    Notes
    -----
    ``activation`` then takes, beside scikit-learn's own names, those of every elementwise activation in
    `fastact.names`, with default parameters, or an object of `fastact.get`, with any. Parameters do not
    learn. Weights are drawn and gradients found as scikit-learn does it; only the functions are others. Where
    the output does not tell the derivative, as of gelu, each hidden layer's sums are kept beside its outputs.

    Estimators are not changed. Fitted with one of scikit-learn's names, they predict unpatched too, by
    scikit-learn's functions, whose results differ in the last digits. With another name they need the patch
    to predict, too: scikit-learn has no function for it, and raises a KeyError with the name.

    New processes are not patched: with joblib's loky backend, as of ``n_jobs=2``, use
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
    """Undo `patch`, however often it was called; blocks of `patched` that are open stay so.

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
    """Have scikit-learn's multilayer perceptrons use fastact in a ``with`` block, or a function it decorates.

    Blocks may be nested, and several threads may be in one at a time: the last to leave undoes the patch,
    unless `patch` was called.

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
