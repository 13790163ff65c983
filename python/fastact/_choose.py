"""Activations by name, as Keras and scikit-learn have them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from inspect import signature
from numbers import Real
from operator import index
from typing import Any, Literal, Self, TypeVar, overload

import numpy as np

import fastact

from . import _composed, _core, _documentation, _row_documentation
from ._documentation import REQUIRED
from ._functions import KEYWORDS

Framework = Literal["torch", "keras", "keras2", "jax"]

# What a framework has by a name where that is not what fastact has by it: our name, and its defaults.
_KERAS: dict[str, tuple[str, dict[str, float]]] = {
    "leaky_relu": ("leaky_relu", {"negative_slope": 0.2}),
    "prelu": ("prelu", {"alpha": 0.0}),
    "relu": ("general_relu", {}),
    "swish": ("silu", {}),
}
_FRAMEWORKS: dict[Framework, dict[str, tuple[str, dict[str, float]]]] = {
    "torch": {},
    "keras": _KERAS,
    "keras2": _KERAS
    | {
        "leaky_relu": ("leaky_relu", {"negative_slope": 0.3}),
        "hard_sigmoid": ("hard_sigmoid", {"slope": 0.2}),
    },
    "jax": {"gelu": ("gelu_tanh", {}), "swish": ("silu", {})},
}

_ENTRIES = _documentation.ENTRIES | _documentation.COMPOSED
_FACTS: dict[str, _documentation.Entry | _row_documentation.Family] = _ENTRIES | _row_documentation.FAMILIES
_NAMES = tuple(name for name in _FACTS if name != "softmax_cross_entropy")  # which is no function of x alone
_LEARNABLE = {name: tuple(parameter for parameter, _ in values) for name, values, _ in _core.learnable}


def _key(name: str) -> str:
    """The name as users of other libraries may write it: LeakyReLU, leaky-relu, hardswish."""
    return name.lower().translate({ord(sign): None for sign in "-_ "})


@cache
def _by_key(names: tuple[str, ...]) -> dict[str, str]:
    return {_key(alias): name for name in names for alias in (name, *_FACTS[name].aliases)}


def find(name: str, among: tuple[str, ...] = _NAMES) -> str:
    """Return that of the names which is meant, be it by an alias."""
    by_key = _by_key(among)
    if found := by_key.get(_key(name)):
        return found
    from difflib import get_close_matches

    close = [by_key[key] for key in get_close_matches(_key(name), by_key)]
    raise ValueError(f"no activation is called {name!r}; there is {', '.join(dict.fromkeys(close or among))}")


def _function(name: str) -> Any:
    return getattr(_composed, name, None) or getattr(fastact, name, None)


@cache
def _defaults(name: str) -> dict[str, Any]:
    """The parameters of an activation, which are its function's arguments but for x and NumPy's."""
    return {
        p.name: REQUIRED if p.default is p.empty else p.default
        for p in signature(_function(name)).parameters.values()
        if p.name not in ("x", "out", *KEYWORDS, "keywords")
    }


def _checked(name: str, parameter: str, default: Any, value: Any) -> Any:
    """The value as the Python number that JSON has."""
    if isinstance(default, int):  # axis, keepdims
        return type(default)(index(value))
    if default is None and value is None:
        return None
    if not isinstance(value, Real):
        raise TypeError(f"{name}: {parameter} must be a number, not {value!r}; arrays are given in the call")
    return float(value)


@dataclass(frozen=True, slots=True, repr=False)
class Activation:
    """An activation with its parameters, as `get` returns it.

    It is immutable, hashable and equal to any other of the same name and parameters.

    Attributes
    ----------
    name : str
        The name of the function, ``fastact.NAME``; only general_relu is composed of several.
    parameters : dict
        What the function is given by name; a new dict each time.
    learnable : tuple of str
        Those of the parameters that `backward` returns a gradient for.
    title, reference : str
        What the activation is called in full, and where it comes from.
    formula, derivative : str
        LaTeX of f(x) and f'(x); of functions of rows, of y and the gradient dL/dx.
    initializer : {"glorot", "he", "lecun"}
        The scheme of initialization that suits the weights before it.

    See Also
    --------
    fastact.get : Makes one.

    Examples
    --------
    >>> import numpy as np
    >>> import fastact
    >>> f = fastact.get("elu", alpha=0.5)
    >>> f(np.array([-1.0, 2.0])).round(3)
    array([-0.316,  2.   ])
    >>> print(fastact.get("softsign").formula)
    f(x) = \\frac{x}{1 + |x|}
    >>> f.initializer
    'he'
    """

    name: str
    _parameters: tuple[tuple[str, Any], ...]

    @property
    def parameters(self) -> dict[str, Any]:
        return dict(self._parameters)

    def __call__(self, x: Any, /, **keywords: Any) -> Any:
        """Return f(x).

        Parameters
        ----------
        x : array_like
            Input.
        **keywords
            What ``fastact.NAME`` takes, such as ``out``, and parameters that for this call take the place of
            the activation's own: an array of a learnable one, say.

        Returns
        -------
        y : ndarray or scalar
            What ``fastact.NAME`` returns.
        """
        return self._call("", x, keywords=keywords)

    def backward(self, x: Any, g: Any, /, **keywords: Any) -> Any:
        """Return dL/dx = g·f'(x), and the gradient of a learnable parameter with it.

        Parameters
        ----------
        x : array_like
            Input.
        g : array_like
            Upstream gradient dL/dy.
        **keywords
            As for the activation itself.

        Returns
        -------
        dx : ndarray or scalar, or tuple of two
            What ``fastact.NAME_backward`` returns: ``(dx, dparameter)`` if one is learnable.
        """
        return self._call("_backward", x, g, keywords=keywords)

    @property
    def backward_from_output(self) -> Callable[..., Any] | None:
        """The function of y = f(x) and g that returns g·f'(x), or None where y does not tell enough."""
        if not _function(f"{self.name}_backward_from_output"):
            return None
        return lambda y, g, /, **keywords: self._call("_backward_from_output", y, g, keywords=keywords)

    def _call(self, suffix: str, *arrays: Any, keywords: dict[str, Any]) -> Any:
        return _function(self.name + suffix)(*arrays, **(dict(self._parameters) | keywords))

    @property
    def learnable(self) -> tuple[str, ...]:
        return _LEARNABLE.get(self.name, ())

    @property
    def title(self) -> str:
        return _FACTS[self.name].title

    @property
    def reference(self) -> str:
        return _FACTS[self.name].source

    @property
    def initializer(self) -> str:
        return _FACTS[self.name].initializer

    @property
    def formula(self) -> str:
        return self._latex()[0]

    @property
    def derivative(self) -> str:
        return self._latex()[1]

    def _latex(self) -> tuple[str, str]:
        facts = _FACTS[self.name]
        if isinstance(facts, _row_documentation.Family):
            return facts.latex
        from ._latex import latex  # takes a parser

        return f"f(x) = {latex(facts.formula)}", f"f'(x) = {latex(facts.derivative)}"

    def to_config(self) -> dict[str, Any]:
        """Return the name and the parameters, as JSON can hold them.

        Returns
        -------
        dict
            ``{"name": str, "parameters": dict}``, which `from_config` takes.

        Examples
        --------
        >>> fastact.get("elu", alpha=0.5).to_config()
        {'name': 'elu', 'parameters': {'alpha': 0.5}}
        """
        return {"name": self.name, "parameters": self.parameters}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Return the activation that `to_config` described.

        Parameters
        ----------
        config : dict
            ``{"name": str, "parameters": dict}``.

        Returns
        -------
        Activation
            Equal to the one described.

        Examples
        --------
        >>> fastact.Activation.from_config({"name": "elu", "parameters": {"alpha": 0.5}})
        fastact.get('elu', alpha=0.5)
        """
        name, parameters = find(config["name"]), config["parameters"]
        defaults = _defaults(name)
        if unknown := parameters.keys() - defaults.keys():
            known = ", ".join(defaults) or "none"
            raise TypeError(f"{name} has no parameter {', '.join(sorted(unknown))}; it has {known}")
        values = defaults | parameters
        activation = cls(
            name, tuple((p, _checked(name, p, default, values[p])) for p, default in defaults.items())
        )
        if name in _ENTRIES:
            activation(np.empty(0))  # refuses impossible parameters
        return activation

    def __repr__(self) -> str:
        defaults = _defaults(self.name)
        given = "".join(f", {p}={value!r}" for p, value in self._parameters if value != defaults[p])
        return f"fastact.get({self.name!r}{given})"


_Callable = TypeVar("_Callable", bound=Callable[..., Any])


@overload
def get(activation: str, *, like: Framework | None = None, **parameters: Any) -> Activation: ...
@overload
def get(activation: _Callable) -> _Callable: ...
def get(activation: Any, *, like: Framework | None = None, **parameters: Any) -> Any:
    """Return the activation of a name.

    Parameters
    ----------
    activation : str or callable
        One of `names`, or what it is also called elsewhere, such as "logistic", "linear", "hard_silu" or
        "LeakyReLU"; case, hyphens and underscores do not matter. A callable is returned as it is.
    like : {"torch", "keras", "keras2", "jax"}, optional
        The framework whose meaning and defaults of the name apply: leaky_relu's slope is 0.2 in Keras 3, 0.3
        in Keras 2, 0.01 elsewhere; hard_sigmoid's is 0.2 in Keras 2, 1/6 elsewhere; gelu is gelu_tanh in JAX;
        swish is silu but here; relu has a slope, a cap and a threshold in Keras. Without a value prelu's
        alpha is 0 in Keras, 0.25 elsewhere.
    **parameters
        Numbers, by name; those of the function ``fastact.NAME``, its axis included.

    Returns
    -------
    Activation
        An object with ``__call__(x)``, ``backward(x, g)`` and what is known of the activation.

    Raises
    ------
    ValueError
        For a name that there is not, with those that come close, and for values that are not allowed.
    TypeError
        For parameters that the activation does not have, or that are not numbers.

    Examples
    --------
    >>> import numpy as np
    >>> import fastact
    >>> x = np.array([-2, 0, 1], dtype=np.float32)
    >>> f = fastact.get("leaky_relu", like="keras")
    >>> f
    fastact.get('leaky_relu', negative_slope=0.2)
    >>> f(x)
    array([-0.4,  0. ,  1. ], dtype=float32)
    >>> f.backward(x, np.ones_like(x))
    array([0.2, 0.2, 1. ], dtype=float32)
    >>> fastact.get("relu", like="keras", negative_slope=0.1, max_value=0.5)(x)
    array([-0.2,  0. ,  0.5], dtype=float32)
    >>> fastact.get("gleu")
    Traceback (most recent call last):
        ...
    ValueError: no activation is called 'gleu'; there is glu, gelu, reglu
    """
    if not isinstance(activation, str):
        if not callable(activation):
            raise TypeError(f"an activation is a name or a callable, not {activation!r}")
        if like or parameters:
            raise TypeError(f"like and parameters go with a name, not with {activation!r}")
        return activation
    name = find(activation)
    defaults: dict[str, float] = {}
    if like is not None:
        if like not in _FRAMEWORKS:
            raise ValueError(f"like must be one of {', '.join(_FRAMEWORKS)}, not {like!r}")
        name, defaults = _FRAMEWORKS[like].get(name, (name, {}))
    return Activation.from_config({"name": name, "parameters": defaults | parameters})


def names() -> list[str]:
    """Return the names that `get` knows, without aliases.

    Returns
    -------
    list of str
        Activations of single elements first, then functions of rows.

    Examples
    --------
    >>> fastact.names()[:3]
    ['identity', 'binary_step', 'relu']
    """
    return list(_NAMES)
