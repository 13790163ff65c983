"""The documentation of dropout and its gradient."""

from ..functions.registry import split_name
from .elements import _TYPES, _section

TITLE = "Dropout, with a mask that is recomputed from a seed"
LATEX = (
    r"y_i = \begin{cases} x_i / (1 - p) & u_{o + i} \ge p \\ 0 & \text{otherwise} \end{cases}",
    r"\frac{\partial L}{\partial x_i} = \begin{cases} g_i / (1 - p) & u_{o + i} \ge p \\"
    r" 0 & \text{otherwise} \end{cases}",
)
_SUMMARY = {
    "dropout": "Dropout: y = x/(1 - rate) for the elements that are kept, and 0 for the others.",
    "dropout_backward": "Gradient of dropout: dL/dx = g/(1 - rate) for the elements that were kept, else 0.",
}
_ARRAY = {
    "x": "Input, of any shape.",
    "g": "Upstream gradient dL/dy, of the shape of the forward pass's input.",
}


_PARAMETERS = (
    "rate : float",
    "    The probability that an element is dropped, 0 <= rate < 1; 0 keeps all of them.",
    "seed : int",
    "    The key of the stream of random numbers, 0 <= seed < 2**64. Use another seed for each layer and each"
    " step.",
    "offset : int, default 0",
    "    The position in the stream of the first element's number, 0 <= offset < 2**63.",
    "out : ndarray, optional",
)
_RAISES = (
    "TypeError",
    "    If the input is complex or long double, if rate is not a number, or if seed or offset is not"
    " an integer.",
    "ValueError",
    "    If rate, seed or offset is out of range, or if out has another shape.",
)
_NOTES = (
    "Element i, counted in C order whatever the memory layout, is kept if u >= rate, where u is the number"
    " at position offset + i of the stream. Number k is word k % 4 of Philox 4x32-10 for the counter k // 4"
    " and the key seed, divided by 2**32; Philox takes the lowest 32 bits of counter and key as their first"
    " words.",
    "The mask follows from rate, seed and offset alone. The backward pass computes it again; it is the same"
    " for every type, instruction set, number of threads and chunking of a dask array; and a part of a"
    " flattened array can be computed with an offset of its own.",
    "Accuracy: within 1 ulp of the exact quotient in every type. A dropped element is 0 whatever it was, a"
    " NaN that is kept stays NaN, and no floating-point warning is raised.",
)
_SOURCES = (
    'Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014.',
    'Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011.',
)


def docstring(name: str, array: str) -> str:
    """Return the numpydoc docstring of a function whose array has this name."""
    result = "dx" if split_name(name)[1] else "y"
    return "\n".join(
        [
            _SUMMARY[name],
            _section(
                "Parameters",
                f"{array} : array_like, {_TYPES}",
                f"    {_ARRAY[array]}",
                *_PARAMETERS,
                f"    Array for the result, of {array}'s shape; may be {array}.",
            ),
            _section(
                "Returns",
                f"{result} : ndarray or scalar",
                f"    The result, of the shape and type of {array}; integers and bool are promoted as"
                " `numpy.exp` does. Arrays of pandas, xarray and dask, and masked arrays, keep their type,"
                " labels and masks.",
            ),
            _section("Raises", *_RAISES),
            _section("Notes", *_NOTES),
            _section("References", *_SOURCES),
            "\n".join(
                [
                    "",
                    "Examples",
                    "--------",
                    ">>> import numpy as np",
                    ">>> import fastact",
                    f">>> fastact.{name}(np.arange(8.0), 0.5, seed=1)",
                    "array([ 0.,  2.,  4.,  6.,  8., 10.,  0., 14.])",
                    f">>> fastact.{name}(np.arange(4.0, 8.0), 0.5, seed=1, offset=4)",
                    "array([ 8., 10.,  0., 14.])",
                    "",
                ]
            ),
        ]
    )
