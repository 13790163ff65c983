"""``python -m fastact verify``: errors over every float32, or over a sample, in ulp of the exact result.

The reference for float32 is the NumPy form of `_reference`, in float64. Nothing cancels in it but at a root
of f', so its relative error is a few times 2^-53; where e^z is a factor, times z, which is below 150
wherever a float32 is not yet zero: that makes 2^-43. The surroundings of a root, |x - root| < 2^-5, are
left to the Taylor polynomial of f' about it, with coefficients from the definition in mpmath. There nothing
cancels either, as the root is kept as the sum of two floats, and what is cut off is below 2^-55. Further
away the terms of f' are less than 2^7 times their sum: 2^-44. An error of 2^-40 would change a figure by
2^-17 ulp; each run begins with a comparison of the reference with mpmath over a sample, and stops if any
relative error is larger.

The reference for float64, of which there is only a sample, is mpmath with 200 bits.
"""

import hashlib
import json
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import cache, lru_cache, partial
from importlib import import_module
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

import fastact

from . import _core, _reference, _row_accuracy, _row_reference, _verify_rows
from ._accuracy import (
    DERIVATIVE_BOUND,
    FORWARD_BOUND,
    GRADIENT_BOUND,
    Array,
    DType,
    Parameters,
    exact_roots,
    exact_values,
    excused,
    float_errors,
    gradient_errors,
    gradients,
    rounded,
    sample,
    to_exact,
    ulp_errors,
)
from ._documentation import REQUIRED
from ._figures import DERIVATIVE, FORWARD, GRADIENT, Errors, Figures, Row, percent, place
from ._reference import ACTIVATIONS, evaluate, mp

FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)
BOUNDS = {
    FORWARD: FORWARD_BOUND,
    DERIVATIVE: DERIVATIVE_BOUND,
    GRADIENT: GRADIENT_BOUND,
}

INPUTS = 1 << 32  # float32 numbers
CHUNK = 1 << 22  # of them between two saves
# At a time: their float64 arrays stay in the second-level cache and in the heap. Infinity begins a block.
BLOCK = 1 << 14
DENSITY = {FLOAT32: 256, FLOAT64: 1}  # of the sample; mpmath takes a thousand times as long

RADIUS = 2.0**-5  # of what the Taylor polynomials cover
DEGREE = 10
REFERENCE_ERROR = 2.0**-40
SMALLEST, LARGEST = 2.0**-149, 2.0**128  # beyond which a reference need not tell one number from another

Function = Callable[..., Array]  # of x, g and the parameters


@cache
def reference(
    name: str, kind: str, parameters: Parameters = (), dtype: DType = FLOAT32
) -> Callable[[Array], Errors]:
    """f or f' in float64; the relative error is below 2^-40 for floats of single precision."""
    activation = ACTIVATIONS[name]
    given = rounded(parameters, dtype)
    if kind == FORWARD:
        return partial(evaluate, activation.forward, **given)
    expansions = [
        (float(root), float(root - float(root)), [float(c) for c in reversed(coefficients)])
        for root in ([] if parameters else exact_roots(name))
        for coefficients in [mp.taylor(activation.exact_derivative, root, DEGREE)]
    ]

    def derivative(x: Array) -> Errors:
        values = evaluate(activation.derivative, x, **given)
        for root, low, coefficients in expansions:
            distance = x - np.float64(root)
            near = np.flatnonzero(np.abs(distance) < RADIUS)
            values[near] = np.polyval(coefficients, distance[near] - low)
        return values

    return derivative


def check_reference(name: str, kind: str) -> None:
    """Compare the reference for float32 with mpmath."""
    x = np.random.default_rng(2).choice(sample(name, FLOAT32), 200)
    around = RADIUS * np.linspace(-2, 2, 40)
    x = np.concatenate([x, *((float(root) + around).astype(np.float32) for root in exact_roots(name))])
    values = to_exact(reference(name, kind)(x))
    for at, value, exact in zip(x, values, exact_values(name, kind == FORWARD, x), strict=True):
        error = abs(min(value, LARGEST) - min(exact, LARGEST))
        if not error <= REFERENCE_ERROR * max(abs(exact), SMALLEST):
            got, right = mp.nstr(value, 17), mp.nstr(exact, 17)
            raise ArithmeticError(f"the reference of {name}, {kind}, is {got} at {at!r}, not {right}")


class Library(NamedTuple):
    title: str  # names all that decides about the figures
    functions: Callable[[str], dict[str, Function]]  # what there is of an activation, by kind


@cache
def library(peer: str | None) -> Library:
    return {None: fastact_library, "torch": torch_library, "jax": jax_library}[peer]()


def fastact_library() -> Library:
    required = {
        name: {parameter: REQUIRED for parameter, default in parameters if default is None}
        for name, parameters, _ in _core.learnable
    }

    def functions(name: str) -> dict[str, Function]:
        forward, given = getattr(fastact, name), required.get(name, {})
        found: dict[str, Function] = {FORWARD: lambda x, g, **parameters: forward(x, **(given | parameters))}
        if backward := getattr(fastact, f"{name}_backward", None):

            def derivative(x: Array, g: Array, **parameters: Any) -> Array:
                result = backward(x, g, **(given | parameters))
                dx: Array = result[0] if name in required else result
                return dx

            found |= {DERIVATIVE: derivative, GRADIENT: derivative}
        return found

    files = (Path(module.__file__ or "").read_bytes() for module in (_core, _reference))
    build = hashlib.sha256(b"".join(files)).hexdigest()[:8]
    return Library(f"fastact {fastact.__version__}, {fastact.config()['isa']}, build {build}", functions)


# How a user of each library writes an activation; where there is none, nothing.
PEERS = {
    "identity": ("nn.Identity()(x)", "nn.identity(x)"),
    "relu": ("F.relu(x)", "nn.relu(x)"),
    "relu6": ("F.relu6(x)", "nn.relu6(x)"),
    "relu_squared": ("F.relu(x).square()", "jnp.square(nn.relu(x))"),
    "leaky_relu": ("F.leaky_relu(x)", "nn.leaky_relu(x)"),
    "prelu": (f"F.prelu(x, torch.full((1,), {REQUIRED}))", f"jnp.where(x > 0, x, {REQUIRED} * x)"),
    "threshold": ("F.threshold(x, 0, 0)", ""),
    "sigmoid": ("torch.sigmoid(x)", "nn.sigmoid(x)"),
    "log_sigmoid": ("F.logsigmoid(x)", "nn.log_sigmoid(x)"),
    "hard_sigmoid": ("F.hardsigmoid(x)", "nn.hard_sigmoid(x)"),
    "tanh": ("torch.tanh(x)", "jnp.tanh(x)"),
    "tanh_shrink": ("F.tanhshrink(x)", "x - jnp.tanh(x)"),
    "hard_tanh": ("F.hardtanh(x)", "nn.hard_tanh(x)"),
    "softsign": ("F.softsign(x)", "nn.soft_sign(x)"),
    "softplus": ("F.softplus(x)", "nn.softplus(x)"),
    "squareplus": ("", "nn.squareplus(x)"),
    "elu": ("F.elu(x)", "nn.elu(x)"),
    "celu": ("F.celu(x)", "nn.celu(x)"),
    "selu": ("F.selu(x)", "nn.selu(x)"),
    "exponential": ("torch.exp(x)", "jnp.exp(x)"),
    "silu": ("F.silu(x)", "nn.silu(x)"),
    "swish": ("F.silu(x)", "nn.swish(x)"),
    "quick_gelu": ("x * torch.sigmoid(1.702 * x)", "x * nn.sigmoid(1.702 * x)"),
    "hard_swish": ("F.hardswish(x)", "nn.hard_swish(x)"),
    "gelu": ("F.gelu(x)", "nn.gelu(x, approximate=False)"),
    "gelu_tanh": ("F.gelu(x, approximate='tanh')", "nn.gelu(x, approximate=True)"),
    "mish": ("F.mish(x)", "nn.mish(x)"),
    "hard_shrink": ("F.hardshrink(x)", ""),
    "soft_shrink": ("F.softshrink(x)", ""),
}


def expression(name: str, column: int, **modules: Any) -> Any:
    code = PEERS.get(name, ("", ""))[column]
    return eval(f"lambda x: {code}", modules) if code else None


def torch_library() -> Library:
    torch = import_module("torch")
    torch.set_num_threads(1)
    modules = {"torch": torch, "nn": torch.nn, "F": torch.nn.functional}

    def functions(name: str) -> dict[str, Function]:
        function = expression(name, 0, **modules)

        def derivative(x: Array, g: Array) -> Array:
            leaf = torch.from_numpy(x).requires_grad_()
            gradient: Array = torch.autograd.grad(function(leaf), leaf, torch.from_numpy(g))[0].numpy()
            return gradient

        forward = {FORWARD: lambda x, g: function(torch.from_numpy(x)).numpy()}
        return forward | {DERIVATIVE: derivative} if function else {}

    return Library(f"torch {torch.__version__}", functions)


def jax_library() -> Library:
    jax = import_module("jax")
    modules = {"nn": jax.nn, "jnp": jax.numpy}

    def functions(name: str) -> dict[str, Function]:
        function = expression(name, 1, **modules)
        if not function:
            return {}
        forward, backward = jax.jit(function), jax.jit(lambda x, g: jax.vjp(function, x)[1](g)[0])
        return {
            FORWARD: lambda x, g: np.asarray(forward(x)),
            DERIVATIVE: lambda x, g: np.asarray(backward(x, g)),
        }

    return Library(f"jax {jax.__version__}", functions)


def float32_errors(name: str, kind: str, x: Array, g: Array, result: Array, parameters: Parameters) -> Errors:
    values = reference(name, kind, parameters, x.dtype)(x)
    with np.errstate(over="ignore"):
        expected = values * g.astype(float)
    return float_errors(result, expected)


@lru_cache(2)
def exact_sample(name: str, forward: bool, parameters: Parameters) -> NDArray[np.object_]:
    return exact_values(name, forward, sample(name, FLOAT64, parameters), parameters)


def float64_errors(name: str, kind: str, x: Array, g: Array, result: Array, parameters: Parameters) -> Errors:
    exact = exact_sample(name, kind == FORWARD, parameters)
    if kind == FORWARD:
        return ulp_errors(result, exact)
    return gradient_errors(g, result, exact * to_exact(g), BOUNDS[kind][x.dtype.name], excused(name, x))


def sampled(peer: str | None, names: Sequence[str]) -> Iterator[Row]:
    """Every exponent and the hard places, infinity and NaN; in fastact also float64 and other parameters."""
    measures = {FLOAT32: float32_errors} | ({FLOAT64: float64_errors} if peer is None else {})
    jobs = [(name, dtype) for name in names for dtype in measures]
    for name, dtype in tqdm(jobs, disable=None, leave=False):
        functions = library(peer).functions(name)
        figures = {kind: Figures() for kind in functions}
        others = ACTIVATIONS[name].parameters if peer is None else ()
        for parameters in (tuple(p.items()) for p in ({}, *others)):
            given = {key: dtype.type(value) for key, value in parameters}
            special = ((np.full(4, x, dtype), float32_errors) for x in (-np.inf, np.inf, np.nan))
            finite = sample(name, dtype, parameters, DENSITY[dtype]), measures[dtype]
            for x, measure in (finite, *special):
                for kind, function in functions.items():
                    g = gradients(dtype, x.size) if kind == GRADIENT else np.ones_like(x)
                    at = {"x": x} | ({"g": g} if kind == GRADIENT else {}) | given
                    result = function(x, g, **given)
                    errors = measure(name, kind, x, g, result, parameters)
                    figures[kind].add(errors, at, result, BOUNDS[kind][dtype.name])
        yield from ((name, kind, dtype, figures[kind]) for kind in functions)


@cache
def function(peer: str | None, name: str, kind: str) -> Function:
    return library(peer).functions(name)[kind]


def measure_chunk(peer: str | None, name: str, kind: str, chunk: range) -> Figures:
    """The figures of the floats whose bits, read as an integer, are in the chunk."""
    figures = Figures()
    ones = np.ones(BLOCK, np.float32)
    with np.errstate(invalid="ignore"):  # as conversion says of a signalling NaN
        for first in chunk[::BLOCK]:
            bits = np.arange(first, min(first + BLOCK, chunk.stop)).astype(np.uint32)
            x = bits.view(np.float32)
            result = function(peer, name, kind)(x, ones[: x.size])
            errors = float_errors(result, reference(name, kind)(x))
            figures.add(errors, {"x": x}, result, BOUNDS[kind][x.dtype.name])
    return figures


def prepare_worker() -> None:
    """Leave an interrupt to the main process, and the other cores to the other workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    fastact.set_num_threads(1)


def exhaustive(peer: str | None, names: Sequence[str], save: Path) -> Iterator[Row]:
    """Every float32, from where the saved figures of the same library end."""
    saved: dict[str, dict[str, Any]] = json.loads(save.read_text()) if save.exists() else {}
    state = saved.setdefault(library(peer).title, {})
    jobs = [(name, kind) for name in names for kind in library(peer).functions(name) if kind != GRADIENT]
    figures = {job: Figures(**state.get(" ".join(job), {})) for job in jobs}
    done = sum(sum(f.counts) for f in figures.values())
    # Processes, for threads would wait for one another between the short NumPy calls; and not forked, which
    # the threads of other libraries do not survive.
    pool = ProcessPoolExecutor(fastact.get_num_threads(), get_context("spawn"), prepare_worker)
    with pool, tqdm(total=len(jobs) * INPUTS, initial=done, unit="", unit_scale=True, disable=None) as bar:
        for job in jobs:
            bar.set_description(" ".join(job))
            starts = range(sum(figures[job].counts), INPUTS, CHUNK)
            chunks = [range(start, min(start + CHUNK, INPUTS)) for start in starts]
            for part in pool.map(partial(measure_chunk, peer, *job), chunks):
                figures[job].merge(part)
                state[" ".join(job)] = asdict(figures[job])
                write(save, json.dumps(saved, indent=1))
                bar.update(sum(part.counts))
            yield *job, FLOAT32, figures[job]


def write(file: Path, text: str) -> None:
    """Replace the file's content in one step, so that a stop at any moment leaves a whole file."""
    new = file.with_name(file.name + ".new")
    new.write_text(text)
    new.replace(file)


HEADINGS = (
    "function",
    "pass",
    "type",
    "largest error",
    "<= 0.5 ulp",
    "<= 1 ulp",
    "> 1 ulp",
    "where it is largest",
    "wrong",
)
TEXT = "{:22}{:14}{:9}{:>13}{:>12}{:>10}{:>10}  {:36}  {}"
MARKDOWN = "| {} | {} | {} | {} | {} | {} | {} | {} | {} |"


def run(peer: str | None, names: Sequence[str], save: Path | None, markdown: bool) -> int:
    """Print a line for each function, kind and dtype; return the exit status."""
    of_rows = [name for name in names if name in _row_reference.ROWS]
    names = [name for name in names if name not in of_rows]
    for name in names:
        for kind in (FORWARD, DERIVATIVE):
            check_reference(name, kind)
    layout = MARKDOWN if markdown else TEXT
    print(f"{library(peer).title}: {'every float32' if save else 'a sample'}; shares in percent\n")
    print(layout.format(*HEADINGS))
    if markdown:
        print("|---|---|---|--:|--:|--:|--:|---|---|")
    broken = []
    missing = [name for name in names if not library(peer).functions(name)]
    if missing:
        print(f"{peer} has no {', '.join(missing)}", file=sys.stderr)
    if of_rows and (peer or save):
        print(f"not measured this way: {', '.join(of_rows)}", file=sys.stderr)
        of_rows = []
    rows = exhaustive(peer, names, save) if save else sampled(peer, names)
    for name, kind, dtype, figures in chain(rows, _verify_rows.sampled(of_rows)):
        whole = sum(figures.counts)
        shares = (percent(part, whole) for part in figures.counts)
        where = place(figures.at, dtype) if figures.largest else ""
        row = (name, kind, dtype.name, f"{figures.largest:.5g}", *shares, where, "; ".join(figures.wrong))
        tqdm.write(layout.format(*row).rstrip())
        bound = (_row_accuracy.BOUND if name in of_rows else BOUNDS[kind])[dtype.name]
        if peer is None and not figures.largest <= bound:
            broken.append(f"{name} {kind} {dtype}: {figures.largest:.5g} ulp, above {bound:g}, at {where}")
        if peer is None:
            broken += [f"{name} {kind} {dtype}: {wrong}" for wrong in figures.wrong]
    print(*broken, sep="\n", end="\n" * bool(broken), file=sys.stderr)
    return 1 if broken else 0
