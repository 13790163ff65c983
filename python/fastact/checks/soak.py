"""``python -m fastact soak``: random calls from many threads at once, every result checked, memory watched.

The time is divided into rounds. At the beginning of a round, one thread draws calls and computes them on
contiguous arrays, and some results are compared with the reference. Many threads then make these calls in
random order, on arrays of any memory layout, with outputs of any kind, and with and without memory pools.
Meanwhile, the number of fastact's threads and the least work for which a thread is used change. None of this
may change a bit of a result. Nothing is kept from one round to the next, so the memory of the process must
not grow.
"""

import ctypes
import gc
import math
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import psutil
from tqdm import tqdm

import fastact

from .. import _core
from ..functions.registry import (
    DROPOUT,
    ELEMENTWISE,
    FROM_OUTPUT,
    FUNCTIONS,
    FUSED,
    LEARNABLE,
    NORMS,
    OF_ROWS,
    OF_TWO,
    Function,
    Norm,
)
from . import pairs, row_accuracy
from .accuracy import (
    FORWARD_BOUND,
    GRADIENT_BOUND,
    DType,
    excused,
    finfo,
    float_errors,
    gradient_errors,
    to_exact,
    ulp_errors,
)
from .reference import ACTIVATIONS, mp

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]

ROUND = 5.0  # seconds
CALLS = 300  # in a round
GROWTH = 32 << 20  # the number of bytes that the allocator may keep; more would be a leak
M_ARENA_MAX = -8  # from malloc.h of the GNU C library

BFLOAT16 = [import_module("ml_dtypes").bfloat16] if find_spec("ml_dtypes") else []
DTYPES = [np.dtype(t) for t in (np.float16, *BFLOAT16, np.float32, np.float64)]
SIDES = (0, 1, 2, 3, 5, 17)
LONG = (300, 1025, 9000)  # longer than the blocks of the strided loop and of NumPy's buffers
IN_PIECES = 33_000  # the length of a row that is summed in pieces
STEPS = (1, 1, 2, -1, -3)
UNTOUCHED = 0x4D  # the value of bytes that no call may change


def shape_of(rng: np.random.Generator) -> Shape:
    if rng.integers(3) == 0:
        return (*rng.choice(SIDES[1:4], rng.integers(2)).tolist(), int(rng.choice(LONG)))
    return tuple(rng.choice(SIDES, rng.integers(4)).tolist())


def broadcasting(rng: np.random.Generator, shape: Shape) -> Shape:
    """Return the shape itself or, half of the time, a shape that broadcasts to it."""
    if rng.integers(2):
        return shape
    return tuple(1 if rng.integers(2) else n for n in shape[rng.integers(len(shape) + 1) :])


def values(rng: np.random.Generator, dtype: DType, shape: Shape) -> Array:
    """Return ordinary numbers; one of four arrays also has numbers from the ends of the range."""
    x = np.asarray(rng.normal(0, rng.choice([0.1, 1.0, 10.0]), shape)).astype(dtype)
    if rng.integers(4) == 0 and x.size:
        info = finfo(dtype)
        extremes = [0, float(info.smallest_subnormal), float(info.tiny), float(info.max), np.inf, np.nan]
        chosen = rng.choice([*extremes, *np.negative(extremes)], 1 + x.size // 8).astype(dtype)
        x.ravel()[rng.integers(x.size, size=chosen.size)] = chosen  # ravel() returns a view of x
    return x


def canonical(a: Array) -> Array:
    """Return the array with one NaN in place of all, since the bits of a NaN depend on the processor."""
    native = a if a.dtype.kind == "V" else a.astype(a.dtype.newbyteorder("="), copy=False)
    return np.where(np.isnan(native), native.dtype.type(np.nan), native)


def same_bits(a: Array, b: Array) -> bool:
    a, b = canonical(a), canonical(b)
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


class Layout:
    """The memory layout of an array: order of axes, steps, byte order, alignment."""

    def __init__(self, rng: np.random.Generator, shape: Shape, dtype: DType) -> None:
        plain = rng.integers(2) == 0
        steps = np.where(np.array(shape) > 1, rng.choice(STEPS[: 1 if plain else None], len(shape)), 1)
        self.axes = range(len(shape)) if plain else rng.permutation(len(shape))
        self.slices: Any = tuple(slice(None, None, int(step)) for step in steps)
        self.sides = [int(abs(step)) * n for step, n in zip(steps, shape, strict=True)]
        self.shift = 0 if plain else int(rng.integers(dtype.itemsize + 1))
        self.dtype = dtype.newbyteorder() if not plain and dtype.kind != "V" and rng.integers(2) else dtype

    def memory(self) -> Array:
        return np.full(math.prod(self.sides) * self.dtype.itemsize + self.shift, UNTOUCHED, np.uint8)

    def view(self, memory: Array) -> Array:
        sides = [self.sides[axis] for axis in self.axes]
        base: Array = np.ndarray(sides, self.dtype, memory.data, self.shift)
        view: Array = base.transpose(np.argsort(self.axes))[(..., *self.slices)]
        return view


@dataclass
class Call:
    """A call, and its results on one thread and contiguous arrays."""

    name: str
    arrays: list[Array]
    parameters: dict[str, Any] = field(default_factory=dict)  # arrays among them broadcast like the inputs
    keywords: dict[str, Any] = field(default_factory=dict)
    maskable: bool = False  # the function takes where=
    expected: list[Array] = field(default_factory=list)

    def results(self, arrays: Sequence[Array], parameters: dict[str, Any], **keywords: Any) -> list[Array]:
        result = getattr(fastact, self.name)(*arrays, **parameters, **self.keywords, **keywords)
        return [np.asarray(r) for r in (result if isinstance(result, tuple) else (result,))]

    def expect(self) -> None:
        self.expected = self.results(self.arrays, self.parameters)

    def is_right(self, rng: np.random.Generator) -> bool:
        """Make the call in a random way; return whether results are right and nothing else was written."""

        def lay(array: Array) -> Array:
            layout = Layout(rng, array.shape, array.dtype)
            laid = layout.view(layout.memory())
            laid[...] = array
            return laid

        arrays = [lay(a) for a in self.arrays]
        parameters = {k: lay(p) if isinstance(p, np.ndarray) else p for k, p in self.parameters.items()}
        kind = rng.integers(3)
        if kind == 0:
            results = self.results(arrays, parameters)
            return all(map(same_bits, results, self.expected))
        if kind == 1 and (places := [a for a in arrays if self.fits(a)]):
            target = places[rng.integers(len(places))]
            self.results(arrays, parameters, out=(target, *[None] * (len(self.expected) - 1)))
            return same_bits(target, self.expected[0])
        layouts = [Layout(rng, e.shape, e.dtype) for e in self.expected]
        memories = [layout.memory() for layout in layouts]
        targets = tuple(layout.view(memory) for layout, memory in zip(layouts, memories, strict=True))
        mask = rng.random(self.expected[0].shape) < 0.5 if self.maskable and rng.integers(2) else True
        where = {} if mask is True else {"where": mask}
        self.results(arrays, parameters, out=targets if len(targets) > 1 else targets[0], **where)
        right = True
        for layout, memory, target, expected in zip(layouts, memories, targets, self.expected, strict=True):
            image = layout.memory()
            there = layout.view(image)
            np.copyto(there, expected, where=mask)
            right = right and same_bits(target, there)
            there[...] = target
            right = right and bool((memory == image).all())
        return right

    def fits(self, array: Array) -> bool:
        expected = self.expected[0]
        return array.shape == expected.shape and bool(array.dtype.newbyteorder("=") == expected.dtype)

    def is_exact(self) -> bool | None:
        """Return whether errors of expected results are within bounds; None if there is no reference."""
        return None

    def __str__(self) -> str:
        arrays = ", ".join(f"{a.dtype.name}{[*a.shape]}" for a in self.arrays)
        rest = [f"{k}={v.shape if isinstance(v, np.ndarray) else v}" for k, v in self.parameters.items()]
        return f"{self.name}({', '.join([arrays, *rest, *(f'{k}={v}' for k, v in self.keywords.items())])})"


@dataclass
class Elementwise(Call):
    activation: str = ""

    def is_exact(self) -> bool | None:
        (result,), (x, *g) = self.expected, self.arrays
        if FUNCTIONS[self.name].suffix == FROM_OUTPUT or not result.size:
            return None
        everything = [np.broadcast_to(a, result.shape).ravel() for a in (x, *g, *self.parameters.values())]
        finite = np.flatnonzero(np.logical_and.reduce([np.isfinite(a) for a in everything]))
        kernel = np.promote_types(result.dtype, np.float32).type
        reference, found = ACTIVATIONS[self.activation], []
        for at in finite[:: max(1, finite.size // 2)]:
            numbers = [a[at : at + 1] for a in everything]
            given = zip(self.parameters, numbers[1 + len(g) :], strict=True)
            exact = {name: mp.mpf(float(kernel(p[0]))) for name, p in given}
            y, x = result.ravel()[at : at + 1], numbers[0].astype(result.dtype)
            if g:
                formula, bound = reference.exact_derivative, GRADIENT_BOUND[result.dtype.name]
                right = to_exact(x, lambda v: formula(v, **exact)) * to_exact(numbers[1])  # noqa: B023
                slack = excused(self.activation, x, tuple((name, float(p)) for name, p in exact.items()))
                found.append(gradient_errors(numbers[1], y, right, bound, slack)[0] <= bound)
            else:
                formula, bound = reference.exact, FORWARD_BOUND[result.dtype.name]
                found.append(ulp_errors(y, to_exact(x, lambda v: formula(v, **exact)))[0] <= bound)  # noqa: B023
        return all(found) if found else None


@dataclass
class OfRows(Call):
    def is_exact(self) -> bool | None:
        axis, result = self.keywords["axis"], self.expected[0]
        f = FUNCTIONS[self.name]
        sizes = [operand.core for operand in f.operands]
        if has_probabilities := f.labels is not None and self.arrays[f.labels].dtype.kind not in "iu":
            sizes[1] = "n"
        n = self.arrays[0].shape[axis]
        if f.suffix == FROM_OUTPUT or not (result.size and 0 < n <= 65):
            return None
        largest = float(finfo(result.dtype).max) / 256  # beyond it, the reference in float64 may be infinite
        if not all((np.abs(a.astype(float)) <= largest).all() for a in self.arrays):
            return None

        def moved(a: Array, size: str) -> Array:
            return np.moveaxis(a, axis, -1) if size else a[..., None]

        rows = [moved(a, size) for a, size in zip(self.arrays, sizes, strict=True)]
        outer = np.broadcast_shapes(*(a.shape[:-1] for a in rows))

        def two(a: Array) -> Array:
            return np.broadcast_to(a, (*outer, a.shape[-1])).reshape(-1, a.shape[-1])[:2]

        args = [two(a) if size else two(a)[:, 0] for a, size in zip(rows, sizes, strict=True)]
        options = {key: value for key, value in self.keywords.items() if key != "axis"}
        if options or has_probabilities:
            rows_of = [
                two(moved(y, core)) if core else two(moved(y, core))[:, 0]
                for y, core in zip(self.expected, f.results, strict=True)
            ]
            checked = row_accuracy.option_errors(f, rows_of, args, options)
            return all(bool(errors.max() <= bound) for errors, bound in checked)
        wanted = zip(row_accuracy.parts(f, args), f.results, self.expected, strict=True)
        for (part, given), output, whole in wanted:
            found = two(moved(whole, output)) if output else two(moved(whole, output))[:, 0]
            errors = row_accuracy.errors(part, found, *given)
            if not errors.max() <= row_accuracy.bound(part, whole.dtype):
                return False
        return True


@dataclass
class OfTwo(Call):
    def is_exact(self) -> bool | None:
        f, shape = FUNCTIONS[self.name], self.expected[0].shape
        flat = [np.broadcast_to(a, shape).ravel().astype(self.expected[0].dtype) for a in self.arrays]
        targets = [a for name, a in zip(f.inputs, flat, strict=True) if name == "t"]
        with np.errstate(invalid="ignore"):  # as comparisons say of a signalling NaN
            sound = [np.isfinite(a) for a in flat] + [(a >= 0) & (a <= 1) for a in targets]
        chosen = np.flatnonzero(np.logical_and.reduce(sound))[:2]
        arrays, results = [a[chosen] for a in flat], [e.ravel()[chosen] for e in self.expected]
        bound = pairs.bound(f, results[0].dtype)
        found = pairs.errors(f, results, arrays)
        return all((of <= bound).all() for of in found) if chosen.size else None


Draw = Callable[[np.random.Generator], Call]


def draw_elementwise(f: Function) -> Draw:
    defaults = dict(f.defaults)
    samples = [defaults | sample for sample in ACTIVATIONS[f.forward].parameters] + [defaults]
    if f.suffix == FROM_OUTPUT:
        samples = [sample for sample in samples if min(sample.values(), default=0) >= 0]

    def draw(rng: np.random.Generator) -> Call:
        shape, dtype = shape_of(rng), DTYPES[rng.integers(len(DTYPES))]
        types = [dtype, DTYPES[rng.integers(len(DTYPES))] if rng.integers(4) == 0 else dtype]
        arrays = [values(rng, t, broadcasting(rng, shape)) for t in types[: len(f.inputs)]]
        parameters: dict[str, Any] = f.required
        if defaults and rng.integers(4):
            kind = rng.integers(4)  # a Python number, a NumPy scalar, a 0-dimensional array, or another array
            convert: Any = (float, np.float64, np.array, np.array)[kind]
            chosen = rng.integers(len(samples), size=broadcasting(rng, shape) if kind == 3 else ())
            for key in defaults:
                given = np.array([sample[key] for sample in samples])[chosen]
                parameters[key] = convert(given)
        return Elementwise(f.name, arrays, parameters, maskable=True, activation=f.forward)

    return draw


def draw_rows(f: Function) -> Draw:
    def draw(rng: np.random.Generator) -> Call:
        dtype = DTYPES[rng.integers(len(DTYPES))]
        outer: Shape = tuple(rng.choice(SIDES, rng.integers(3)).tolist())
        n = int(rng.choice((2, 3, 8, 10, 17, 64, 129, 300, 1025, IN_PIECES)))
        n += f.needs_even_rows and n % 2
        if n >= IN_PIECES:
            outer = (1,) * len(outer)
        axis = int(rng.integers(-1 - len(outer), 0))
        lengths: dict[str, Shape] = {"n": (n,), "m": (n // 2,), "": ()}

        def shape(size: str) -> Shape:
            before = len(outer) + 1 + axis
            return outer[:before] + lengths[size] + outer[before:]

        arrays = [values(rng, dtype, shape(operand.core)) for operand in f.operands]
        if (k := f.labels) is not None:
            arrays[k] = rng.integers(0, n, arrays[k].shape).astype(rng.choice(["i4", "i8", "u2"]))
        keywords: dict[str, Any] = {"axis": axis}
        if f.labels is not None and rng.integers(2):
            keywords |= {"label_smoothing": float(rng.choice([0, 0.1, 1]))}
            if rng.integers(2):
                keywords["weights"] = np.where(rng.random(n) < 0.2, 0, rng.exponential(1, n))
            if rng.integers(2):
                arrays[f.labels] = rng.random(shape("n")).astype(dtype)
            else:
                keywords["ignore_label"] = int(rng.integers(n))
        return OfRows(f.name, arrays, keywords=keywords)

    return draw


def draw_learned(f: Function) -> Draw:
    ((parameter, _),) = f.parameters

    def draw(rng: np.random.Generator) -> Call:
        shape, dtype = shape_of(rng), DTYPES[rng.integers(len(DTYPES))]
        p = values(rng, dtype, broadcasting(rng, shape))
        return Call(f.name, [values(rng, dtype, shape) for _ in f.inputs], {parameter: p})

    return draw


def draw_two(f: Function) -> Draw:
    def draw(rng: np.random.Generator) -> Call:
        shape, dtype = shape_of(rng), DTYPES[rng.integers(len(DTYPES))]
        arrays = [
            values(rng, dtype, shape if k == 0 else broadcasting(rng, shape)) for k in range(len(f.inputs))
        ]
        return OfTwo(f.name, arrays, maskable=True)

    return draw


@dataclass
class Dropout(Call):
    def is_exact(self) -> bool:
        """Return whether kept elements are divided by 1 - rate, and the share of zeros is near the rate."""
        (x,), (result,), rate = self.arrays, self.expected, self.parameters["rate"]
        kept = (result != 0) & (np.abs(x.astype(float)) < float(finfo(result.dtype).max) * (1 - rate))
        exact = x[kept].astype(float) / (1 - rate)
        errors = float_errors(result[kept], exact) if exact.size else np.zeros(1)
        dropped = np.count_nonzero((result == 0) & (x != 0)), np.count_nonzero(x)
        spread = 8 * math.sqrt(rate * (1 - rate) * dropped[1]) + 1
        return bool(errors.max() <= 1) and abs(dropped[0] - rate * dropped[1]) <= spread


def draw_dropout(name: str) -> Draw:
    def draw(rng: np.random.Generator) -> Call:
        x = values(rng, DTYPES[rng.integers(len(DTYPES))], shape_of(rng))
        rate, seed = float(rng.choice([0.0, 0.1, 0.5, 0.9])), int(rng.integers(2**64, dtype=np.uint64))
        return Dropout(name, [x], {"rate": rate, "seed": seed, "offset": int(rng.integers(2**62))})

    return draw


def draw_norm(norm: Norm) -> Draw:
    def draw(rng: np.random.Generator) -> Call:
        shape, dtype = shape_of(rng), DTYPES[rng.integers(len(DTYPES))]
        axis = int(rng.integers(len(shape))) if shape else -1
        of_gamma = shape[axis : axis + 1] if shape else ()
        arrays = [values(rng, dtype, shape) for _ in range(norm.rows)]
        given = {name: values(rng, dtype, of_gamma) for name in norm.arguments[norm.rows :]}
        if "variance" in given:
            given["variance"] = np.abs(given["variance"])
        kept = {k: a for k, a in given.items() if k not in norm.optional or rng.integers(2)}
        return Call(norm.name, arrays, kept, {"axis": axis})

    return draw


def draws(names: Sequence[str]) -> list[Draw]:
    """Return, for each public function of the names, a function that draws a call of it."""
    kinds = (
        (draw_elementwise, ELEMENTWISE),
        (draw_two, OF_TWO),
        (draw_learned, LEARNABLE),
        (draw_rows, OF_ROWS + FUSED),
    )
    drawn = [draw(f) for draw, functions in kinds for f in functions if f.forward in names]
    drawn += [draw_norm(norm) for norm in NORMS.values() if norm.forward in names]
    return drawn + [draw_dropout(name) for name in DROPOUT if name in names]


@contextmanager
def settings_kept() -> Iterator[None]:
    threads, grain, streaming = (
        fastact.get_num_threads(),
        _core.set_grain(1),
        _core.set_streaming_threshold(sys.maxsize),
    )
    try:
        yield
    finally:
        fastact.set_num_threads(threads)
        _core.set_grain(grain)
        _core.set_streaming_threshold(streaming)


@dataclass
class Soak:
    """A soak run, which counts calls and compared results, and lists faults and the memory in use."""

    threads: int
    calls: int = 0
    elements: int = 0
    drawn: int = 0
    exact: int = 0
    wrong: list[str] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)  # the resident memory in bytes after each round
    seconds: float = 0.0

    def growth(self) -> int:
        """Return by how many bytes the most memory in the second half exceeds that in the first."""
        half = len(self.memory) // 2
        return max(self.memory[half:]) - max(self.memory[:half]) if half else 0

    def summary(self) -> str:
        mib = [round(value / 2**20) for value in self.memory]
        return (
            f"{self.seconds:.0f} s, {self.threads} threads: {self.calls:,} calls, {self.elements:,} elements,"
            f" {len(self.wrong)} wrong; {self.drawn:,} different ones, {self.exact:,} compared with"
            f" the reference; resident memory {mib[0]} MiB at first, {mib[-1]} at last, {max(mib)} at most"
        )


def run_round(
    soak: Soak, choices: Sequence[Draw], rng: np.random.Generator, tick: Callable[[], bool]
) -> None:
    """Draw calls, and make them in many threads while tick() is true."""
    fastact.set_num_threads(1)
    calls = []
    for _ in range(CALLS):
        call = choices[int(rng.integers(len(choices)))](rng)
        try:
            call.expect()
            exact = call.is_exact()
        except Exception as error:
            soak.wrong.append(f"{call}: {error!r}")
            continue
        soak.drawn, soak.exact = soak.drawn + 1, soak.exact + (exact is not None)
        if exact is False:
            soak.wrong.append(f"{call}: beyond its bound")
        calls.append(call)
    done = threading.Event()
    shared = fastact.memory_pool(1 << 22)

    def work(rng: np.random.Generator) -> None:
        own = fastact.memory_pool(1 << 20)
        count = elements = 0
        with np.errstate(all="raise"):
            while calls and not done.is_set():
                with (nullcontext(), own, shared)[rng.integers(3)]:
                    call = calls[rng.integers(len(calls))]
                    try:
                        problem = "" if call.is_right(rng) else "other bits"
                    except Exception as error:
                        problem = repr(error)
                    if problem:
                        soak.wrong.append(f"{call}: {problem}")
                count, elements = count + 1, elements + call.expected[0].size
        with lock:
            soak.calls, soak.elements = soak.calls + count, soak.elements + elements

    lock = threading.Lock()
    with ThreadPoolExecutor(soak.threads) as executor:
        futures = [executor.submit(work, child) for child in rng.spawn(soak.threads)]
        try:
            while tick() and not soak.wrong:
                fastact.set_num_threads(int(rng.integers(1, 5)))
                _core.set_grain(int(rng.choice([1, 10**5, 10**7])))
                _core.set_streaming_threshold(int(rng.choice([1, sys.maxsize])))
                time.sleep(0.01)
        finally:
            done.set()
        for future in futures:
            future.result()


def glibc(function: str, *arguments: int) -> None:
    """Call a function of the GNU C library, if the system has this library."""
    with suppress(AttributeError, OSError, TypeError):
        getattr(ctypes.CDLL(None), function)(*arguments)


def resident(process: psutil.Process) -> int:
    """Return the resident memory in bytes, after Python and the C library have released what they can."""
    gc.collect()
    glibc("malloc_trim", 0)
    rss: int = process.memory_info().rss
    return rss


def run(names: Sequence[str], minutes: float, threads: int, seed: int) -> int:
    """Make calls for these minutes, and print the faults; return the exit status."""
    soak, process, choices = Soak(threads), psutil.Process(), draws(names)
    rng = np.random.default_rng(seed)
    glibc("mallopt", M_ARENA_MAX, 1)  # separate heaps of the threads would keep more and more freed memory
    begin, whole, status = time.monotonic(), 60 * minutes, 0
    bar = tqdm(total=round(whole), unit="s", disable=None, leave=False)
    with settings_kept(), bar:
        try:
            while (now := time.monotonic() - begin) < whole and not soak.wrong:
                end = begin + min(whole, now + min(ROUND, whole / 10))
                try:
                    run_round(soak, choices, rng, lambda: time.monotonic() < end)  # noqa: B023
                finally:
                    soak.memory.append(resident(process))
                bar.update(round(time.monotonic() - begin) - bar.n)
                bar.set_postfix(calls=soak.calls, MiB=soak.memory[-1] >> 20)
        except KeyboardInterrupt:
            status = 130
        soak.seconds = time.monotonic() - begin
    print(soak.summary())
    problems = soak.wrong[:10]
    if soak.growth() > GROWTH:
        problems.append(f"grown by {soak.growth() / 2**20:.1f} MiB, more than {GROWTH >> 20}")
    print(*problems, sep="\n", end="\n" * bool(problems), file=sys.stderr)
    return 1 if problems else status
