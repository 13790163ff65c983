"""Hypothesis strategies for numbers, parameters, and operands in any memory layout that NumPy knows."""

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from fastact.checks.accuracy import finfo
from functions import DTYPES, Function
from hypothesis import strategies as st

DType = np.dtype[Any]
Shape = tuple[int, ...]
Array = np.ndarray[Any, Any]

INTEGERS = [np.dtype(t) for t in "?bhiqBHIQ"]
LONG_SIDES = (1023, 1025, 8193)  # about the blocks of the strided loop and of NumPy's buffers
HUGE = 1 << 20  # elements at most; where a side makes them so many, they all lie at one place
STEPS = (1, 2, -1, -3, 0)

# The range of values of each parameter; every combination is allowed.
RANGES = {
    "negative_slope": (-4.0, 4.0),
    "alpha": (2.0**-6, 2.0**6),
    "threshold": (-8.0, 8.0),
    "value": (-8.0, 8.0),
    "slope": (-4.0, 4.0),
    "offset": (-4.0, 4.0),
    "min_value": (-8.0, 0.0),
    "max_value": (0.0, 8.0),
    "beta": (2.0**-6, 2.0**6),
    "b": (2.0**-6, 2.0**6),
    "lambd": (0.0, 8.0),
    "cap": (2.0**-6, 2.0**6),
}

dtypes = st.sampled_from(DTYPES[::-1])


def parameters(f: Function) -> st.SearchStrategy[tuple[float, ...]]:
    return st.tuples(*(st.floats(*RANGES[name], width=32) for name, _ in f.defaults))


def numbers(dtype: DType) -> st.SearchStrategy[float]:
    """Finite numbers, half of them moderate; those of float32 for bfloat16, which rounds them."""
    largest, width = float(finfo(dtype).max), 8 * max(dtype.itemsize, 4 if dtype.kind == "V" else 2)
    return st.floats(-16, 16, width=16) | st.floats(-largest, largest, width=width)  # type: ignore[arg-type]


def values(dtype: DType) -> st.SearchStrategy[list[float]]:
    """Some values for the elements of an array."""
    held = dtype if dtype in DTYPES else np.dtype(np.float16)
    return st.lists(numbers(held) | st.sampled_from([np.inf, -np.inf, np.nan]), min_size=1, max_size=6)


@st.composite
def shapes(draw: st.DrawFn, most_axes: int = 3) -> Shape:
    sides = draw(st.lists(st.integers(0, 5), max_size=most_axes))
    if sides and draw(st.integers(0, 7)) == 7:
        side = draw(st.sampled_from(range(len(sides))))
        others = prod(sides[:side] + sides[side + 1 :])
        sides[side] = draw(st.sampled_from((*LONG_SIDES, HUGE // max(others, 1))))
    return tuple(sides)


@st.composite
def broadcasting(draw: st.DrawFn, shape: Shape) -> Shape:
    """A shape that broadcasts to the given one."""
    kept = shape[draw(st.integers(0, len(shape))) :]
    return tuple(1 if draw(st.booleans()) else n for n in kept)


@dataclass(frozen=True)
class Operand:
    """An array in a memory that has one region for each operand; operands may share a region."""

    dtype: DType
    shape: Shape
    elements: tuple[float, ...] = (0.0,)
    seed: int = 0  # of their order
    axes: tuple[int, ...] = ()  # from the outermost in memory to the innermost
    steps: tuple[int, ...] = ()  # along each axis; 0 repeats one element, below 0 is backwards
    region: int = 0
    shift: int = 0  # in bytes

    @property
    def layout(self) -> tuple[int, list[int], int]:
        """Return the offset of the first element, the strides, and the number of bytes."""
        strides, first, size = [0] * len(self.shape), self.shift, self.dtype.itemsize
        for axis in reversed(self.axes):
            n, step = max(self.shape[axis], 1), self.steps[axis]
            strides[axis] = step * size
            first -= min(0, strides[axis]) * (n - 1)
            size *= max(abs(step) * n, 1)
        return first, strides, self.shift + size

    def view(self, memory: Array) -> Array:
        first, strides, _ = self.layout
        array: Array = np.ndarray(self.shape, self.dtype, memory[self.region].data, first, strides)
        return array

    def fill(self, memory: Array) -> None:
        apart = self.view(memory)[..., *(slice(None if step else 1) for step in self.steps)]
        choice = np.random.default_rng(self.seed).integers(len(self.elements), size=apart.shape)
        with np.errstate(all="ignore"):
            apart[...] = np.array(self.elements)[choice].astype(self.dtype)


@st.composite
def operands(
    draw: st.DrawFn,
    dtype: DType,
    shape: Shape,
    elements: st.SearchStrategy[list[float]] | None = None,
    regions: tuple[int, ...] = (0,),
    steps: tuple[int, ...] = STEPS,
) -> Operand:
    swapped = dtype.kind != "V" and draw(st.booleans())
    return Operand(
        dtype.newbyteorder() if swapped else dtype,
        shape,
        tuple(draw(values(dtype) if elements is None else elements)),
        draw(st.integers(0, 99)),
        tuple(draw(st.permutations(range(len(shape))))),
        tuple(0 if n > max(LONG_SIDES) else draw(st.sampled_from(steps)) for n in shape),
        draw(st.sampled_from(regions)),
        draw(st.integers(0, 17)),
    )


@st.composite
def outputs(draw: st.DrawFn, dtype: DType, shape: Shape, inputs: list[Operand], own: int) -> Operand | None:
    """An output in its own region or overlapping an input; None for huge shapes."""
    if max(shape, default=0) > max(LONG_SIDES):
        return None
    places = [o for o in inputs if o.shape == shape and 0 not in o.steps]
    in_place: bool = draw(st.booleans())
    if places and in_place:
        return draw(st.sampled_from(places))
    steps = tuple(step for step in STEPS if step)
    dtype = draw(st.just(dtype) | dtypes)
    return draw(operands(dtype, shape, st.just([0.0]), (own, *range(own)), steps))


def filled_memory(*placed: Operand | None) -> Array:
    """Return the memory after all operands have been written to it in turn; the last ones prevail."""
    chosen = [operand for operand in placed if operand is not None]
    size = max(operand.layout[2] for operand in chosen)
    memory = np.full((1 + max(operand.region for operand in chosen), size), 77, np.uint8)
    for operand in chosen:
        operand.fill(memory)
    return memory
