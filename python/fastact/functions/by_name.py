"""Activations by name, as in Keras and scikit-learn."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from inspect import signature
from numbers import Real
from operator import index
from typing import Any, Literal, Self, TypeVar, overload

import numpy as np

import fastact

from ..facts import elements, rows
from . import composed
from .elements import KEYWORDS
from .registry import BACKWARD, FROM_OUTPUT, LEARNABLE, REQUIRED

Framework = Literal["torch", "keras", "keras2", "jax"]

# Names that have another meaning in a framework than in fastact, each with fastact's name and the defaults of
# the framework. A name with capitals is a class, whose defaults may differ from those of the function.
_KERAS: dict[str, tuple[str, dict[str, Any]]] = {
    "LeakyReLU": ("leaky_relu", {"negative_slope": 0.3}),
    "leaky_relu": ("leaky_relu", {"negative_slope": 0.2}),
    "prelu": ("prelu", {"alpha": 0.0}),
    "relu": ("general_relu", {}),
    "swish": ("silu", {}),
}
_FRAMEWORKS: dict[Framework, dict[str, tuple[str, dict[str, Any]]]] = {
    "torch": {},
    "keras": _KERAS,
    "keras2": _KERAS
    | {
        "leaky_relu": ("leaky_relu", {"negative_slope": 0.3}),  # Keras 2 documents only the class
        "hard_sigmoid": ("hard_sigmoid", {"slope": 0.2}),
    },
    "jax": {
        "gelu": ("gelu_tanh", {}),
        "logsumexp": ("logsumexp", {"axis": None}),
        "swish": ("silu", {}),
    },
}

# Names that mean the same wherever they are known: a function of fastact with other defaults.
_EVERYWHERE: dict[str, tuple[str, dict[str, Any]]] = {"sparse_sigmoid": ("hard_sigmoid", {"slope": 0.5})}

# Hints for parameters that exist only in other libraries.
_HINTS = {
    "approximate": "gelu is the exact form, gelu_tanh the approximation by tanh",
    "dim": "use axis instead of dim",
    "inplace": "pass out=x in the call to work in place",
}

_ENTRIES = elements.ENTRIES | elements.COMPOSED
_FACTS: dict[str, elements.Entry | rows.Family] = _ENTRIES | rows.FAMILIES
_NAMES = tuple(name for name in _FACTS if name != "softmax_cross_entropy")  # it also takes labels
_LEARNABLE = {f.forward: tuple(parameter for parameter, _ in f.parameters) for f in LEARNABLE}


def _key(name: str) -> str:
    """Return one key for all spellings of a name, such as LeakyReLU, leaky-relu and leaky_relu."""
    return name.lower().translate({ord(sign): None for sign in "-_ "})


@cache
def _by_key(names: tuple[str, ...]) -> dict[str, str]:
    aliases = {name: _FACTS[name].aliases if name in _FACTS else () for name in names}
    return {_key(alias): name for name in names for alias in (name, *aliases[name])}


def find(name: str, among: tuple[str, ...] = _NAMES) -> str:
    """Return the function name for a name or an alias, in any spelling."""
    by_key = _by_key(among)
    if found := by_key.get(_key(name)):
        return found
    from difflib import get_close_matches

    close = [by_key[key] for key in get_close_matches(_key(name), by_key)]
    names = ", ".join(dict.fromkeys(close or among))
    raise ValueError(f"no activation is called {name!r}; {'similar' if close else 'known'} names: {names}")


def _function(name: str) -> Any:
    return getattr(composed, name, None) or getattr(fastact, name, None)


@cache
def _defaults(name: str) -> dict[str, Any]:
    """Return the parameters of an activation: the arguments of its function except x and those of ufuncs."""
    return {
        p.name: REQUIRED if p.default is p.empty else p.default
        for p in signature(_function(name)).parameters.values()
        if p.name not in ("x", "out", *KEYWORDS, "keywords")
    }


def _checked(name: str, parameter: str, default: Any, value: Any) -> Any:
    """Return the value as a Python number, which JSON can represent."""
    if value is None and (default is None or parameter == "axis"):
        return None
    if isinstance(default, int):  # axis, keepdims
        try:
            return type(default)(index(value))
        except TypeError:
            raise TypeError(f"{name}: {parameter} must be an integer, not {value!r}") from None
    if not isinstance(value, Real):
        raise TypeError(f"{name}: {parameter} must be a number, not {value!r}; pass arrays in the call")
    return float(value)


@dataclass(frozen=True, slots=True, repr=False)
class Activation:
    """An activation with its parameters, as `get` returns it.

    It is immutable and hashable, and equal to every other activation with the same name and parameters.

    Attributes
    ----------
    name : str
        The name of the function, ``fastact.NAME``; only general_relu is composed of several functions.
    parameters : dict
        The parameters that the function is called with; a new dict each time.
    learnable : tuple of str
        The parameters for which `backward` returns a gradient.
    title, reference : str
        The full name of the activation, and its source in the literature.
    formula, derivative : str
        LaTeX of f(x) and f'(x); for functions of rows, of y and the gradient dL/dx.
    initializer : {"glorot", "he", "lecun"}
        The initialization scheme that suits the weights of a layer with this activation.

    See Also
    --------
    fastact.get : Returns an activation by its name.

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
            Arguments of ``fastact.NAME``, such as ``out``. Parameters replace those of the activation for
            this call; a learnable parameter may be an array.

        Returns
        -------
        y : ndarray or scalar
            The result of ``fastact.NAME``.
        """
        return self._call("", x, keywords=keywords)

    def backward(self, x: Any, g: Any, /, **keywords: Any) -> Any:
        """Return dL/dx = g·f'(x), and also the gradient of a learnable parameter.

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
            The result of ``fastact.NAME_backward``: ``(dx, dparameter)`` if a parameter is learnable.
        """
        return self._call(BACKWARD, x, g, keywords=keywords)

    @property
    def backward_from_output(self) -> Callable[..., Any] | None:
        """The function of y = f(x) and g that returns g·f'(x); None if f'(x) does not follow from y."""
        if not _function(self.name + FROM_OUTPUT):
            return None
        return self._backward_from_output

    def _backward_from_output(self, y: Any, g: Any, /, **keywords: Any) -> Any:
        return self._call(FROM_OUTPUT, y, g, keywords=keywords)

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
        if isinstance(facts, rows.Family):
            return facts.latex
        from ..facts.latex import latex  # imported late, because it imports a parser

        return f"f(x) = {latex(facts.formula)}", f"f'(x) = {latex(facts.derivative)}"

    def to_config(self) -> dict[str, Any]:
        """Return the name and the parameters as a dict that JSON can represent.

        Returns
        -------
        dict
            ``{"name": str, "parameters": dict}``, which `from_config` accepts.

        Examples
        --------
        >>> fastact.get("elu", alpha=0.5).to_config()
        {'name': 'elu', 'parameters': {'alpha': 0.5}}
        """
        return {"name": self.name, "parameters": self.parameters}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Return the activation that `to_config` describes.

        Parameters
        ----------
        config : dict
            ``{"name": str, "parameters": dict}``.

        Returns
        -------
        Activation
            An activation with this name and these parameters.

        Examples
        --------
        >>> fastact.Activation.from_config({"name": "elu", "parameters": {"alpha": 0.5}})
        fastact.get('elu', alpha=0.5)
        """
        name, parameters = find(config["name"]), config["parameters"]
        defaults = _defaults(name)
        if unknown := parameters.keys() - defaults.keys():
            known = ", ".join(defaults) or "none"
            hints = "".join(f"; {_HINTS[p]}" for p in sorted(unknown & _HINTS.keys()))
            raise TypeError(f"{name} has no parameter {', '.join(sorted(unknown))}; it has {known}{hints}")
        values = defaults | parameters
        activation = cls(
            name, tuple((p, _checked(name, p, default, values[p])) for p, default in defaults.items())
        )
        if name in _ENTRIES:
            activation(np.empty(0))  # raises ValueError for parameters that are not allowed
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
    """Return the activation with a name.

    Parameters
    ----------
    activation : str or callable
        One of `names`, or a name that other libraries use, such as "logistic", "linear", "hard_silu" or
        "LeakyReLU". Case, hyphens and underscores do not matter. A callable is returned unchanged.
    like : {"torch", "keras", "keras2", "jax"}, optional
        The framework that determines the meaning of the name and the defaults. The slope of leaky_relu is 0.2
        in Keras 3, 0.3 for its class LeakyReLU and in Keras 2, and 0.01 elsewhere. The slope of hard_sigmoid
        is 0.2 in Keras 2 and 1/6 elsewhere. The default alpha of prelu is 0 in Keras and 0.25 elsewhere. gelu
        means gelu_tanh in JAX. swish means silu in Keras and JAX. relu has a slope, a cap and a threshold in
        Keras. logsumexp is along all axes in JAX.
    **parameters
        Parameters of the function ``fastact.NAME``, including axis; they must be numbers. The cap of softcap,
        which the function requires, is 0.25 by default.

    Returns
    -------
    Activation
        An object with ``__call__(x)``, ``backward(x, g)`` and the properties of the activation.

    Raises
    ------
    ValueError
        If the name is unknown (the message lists similar names), or if a value is not allowed.
    TypeError
        If the activation does not have a parameter, or if a parameter is not a number.

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
    ValueError: no activation is called 'gleu'; similar names: glu, gelu, reglu
    """
    if not isinstance(activation, str):
        if not callable(activation):
            raise TypeError(f"activation must be a name or a callable, not {activation!r}")
        if like or parameters:
            raise TypeError(f"like and parameters require the name of an activation, not {activation!r}")
        return activation
    if like is not None and like not in _FRAMEWORKS:
        raise ValueError(f"like must be one of {', '.join(_FRAMEWORKS)}, not {like!r}")
    theirs = _EVERYWHERE | (_FRAMEWORKS[like] if like is not None else {})
    name = activation if activation in theirs else find(activation)
    name, defaults = theirs.get(activation) or theirs.get(name, (name, {}))
    return Activation.from_config({"name": name, "parameters": defaults | parameters})


def names() -> list[str]:
    """Return the names that `get` knows, without aliases.

    Returns
    -------
    list of str
        Elementwise activations first, then functions of rows.

    Examples
    --------
    >>> fastact.names()[:3]
    ['identity', 'binary_step', 'relu']
    """
    return list(_NAMES)
