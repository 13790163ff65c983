"""``python -m fastact verify``: errors over every float32, or over a sample, in ulp of the exact result.

Each run begins with a comparison of the reference with mpmath; `ruler` describes the reference.
"""

import json
import math
import signal
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from importlib.util import find_spec
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal

import numpy as np
from tqdm import tqdm

import fastact

from ..command.markdown import heading, line
from ..functions import registry
from ..functions.registry import BACKWARD, DROPOUT, FUNCTIONS, FUSED, NORMS, Function
from . import dropout, norms, row_accuracy, ruler
from .accuracy import DType
from .figures import DERIVATIVE, FORWARD, GRADIENT, Figures, Row, percent, place
from .libraries import Of, Source, library
from .reference import ACTIVATIONS
from .row_accuracy import sums
from .ruler import FLOAT32, FLOAT64, Subject

INPUTS = 1 << 32  # the number of float32 numbers
CHUNK = 1 << 22  # how many of them are measured between two saves
DENSITY = {FLOAT32: 256, FLOAT64: 1}  # of the sample; for float64, mpmath takes a thousand times as long
DRAWS = {FLOAT32: 20, FLOAT64: 20}  # random parameters of each spread; 2 in half precision, with every input
# The length of long rows, and the functions that are tried with them.
LONG_ROWS = (1 << 20,)
LONG = ("softmax", "log_softmax", "logsumexp", "softmax_cross_entropy")

Format = Literal["text", "markdown", "json"]


def drawn_parameters(name: str, dtype: DType) -> list[dict[str, float]]:
    """Return random parameters that the activation allows, of both signs, near 1 and of many magnitudes."""
    names = list(dict.fromkeys(chain.from_iterable(ACTIVATIONS[name].parameters)))
    rng, function = np.random.default_rng(0), library(None).functions(name)[FORWARD]
    spreads = np.repeat([2, 8, 40], DRAWS.get(dtype, 2)) if names else np.array([])
    found: list[dict[str, float]] = []
    while len(found) < len(spreads):
        spread = spreads[len(found)]
        values = rng.choice([-1, 1], len(names)) * 2 ** rng.uniform(-spread, spread, len(names))
        parameters = dict(zip(names, map(float, values), strict=True))
        try:
            function(np.ones(1, dtype), **parameters)
        except ValueError:
            continue
        found.append(parameters)
    return found


def default_types(source: Source, name: str) -> list[DType]:
    """Return float32, for fastact also float64, and half precision for functions that sum over rows."""
    if source is not None:
        return [FLOAT32]
    half = ["float16", *(["bfloat16"] if find_spec("ml_dtypes") else [])]
    summed = name in (*NORMS, *DROPOUT) or (FUNCTIONS[name].kind == "rows" and sums(name))
    return [*(ruler.dtype(name) for name in half if summed), FLOAT32, FLOAT64]


def sampled_elements(source: Source, name: str, dtype: DType) -> Iterator[Row]:
    """Yield the figures of a sample of inputs, infinity and NaN; for fastact with other parameters too."""
    functions = library(source).functions(name)
    figures = {kind: Figures() for kind in functions}
    others = [*ACTIVATIONS[name].parameters, *drawn_parameters(name, dtype)] if source is None else []
    for parameters in (tuple(p.items()) for p in ({}, *others)):
        given = {key: dtype.type(value) for key, value in parameters}
        for kind, function in functions.items():
            subject = Subject(name, kind, dtype, parameters)
            for arrays in ruler.elements(subject, DENSITY.get(dtype, 1)):
                ruler.add(figures[kind], subject, function, arrays, **given)
    yield from ((name, kind, dtype, figures[kind]) for kind in functions)


def sampled_rows(source: Source, name: str, dtype: DType) -> Iterator[Row]:
    """Yield the figures of difficult rows and, for some functions, of rows of a million elements."""
    for kind, function in library(source).functions(name).items():
        figures, subject = Figures(), Subject(name, kind, dtype)
        is_long = subject.function.name in LONG and dtype in (FLOAT32, FLOAT64)
        for what, arrays in ruler.rows(subject, LONG_ROWS if is_long else ()):
            ruler.add(figures, subject, function, arrays, what)
        yield name, kind, dtype, figures
    if source is None:
        for f in FUSED:
            if f.forward == name:
                yield name, "with gradient", dtype, fused_figures(f, dtype)
        if FUNCTIONS[name].labels is not None:
            for kind, suffix in ((FORWARD, registry.FORWARD), (GRADIENT, registry.BACKWARD)):
                yield name, f"{kind}, options", dtype, option_figures(FUNCTIONS[name + suffix], dtype)


def option_figures(f: Function, dtype: DType) -> Figures:
    """Return the figures of a cross-entropy with weights, smoothed and ignored labels, and probabilities."""
    figures = Figures()
    for what, x in row_accuracy.rows(dtype):
        for arrays, options in row_accuracy.with_options(f, x):
            result = f(*arrays, **options)
            for found, bound in row_accuracy.option_errors(f, [result], arrays, options):
                add_rows(figures, f.name, found, bound, ", ".join([what, *options]), result, x)
    return figures


def add_rows(figures: Figures, name: str, found: Any, bound: float, what: str, result: Any, x: Any) -> None:
    """Add the errors of results of rows that have a bound of their own."""
    worst = np.unravel_index(found.argmax(), found.shape)
    place = dict(zip(("row", "element"), map(int, worst), strict=False))
    figures.merge(Figures(float(found[worst]), {"rows of": what} | place, float(result[worst])))
    figures.count(found, label=f"rows of {x.shape[-1]}")
    if not found[worst] <= bound:
        figures.merge(Figures(wrong=[f"{found[worst]:.5g} ulp of {name} at rows of {what}"]))


def fused_figures(f: Function, dtype: DType) -> Figures:
    """Return the figures of a function with several results, each of which has a bound of its own."""
    figures = Figures()
    for what, arrays in ruler.rows(Subject(f.forward, FORWARD, dtype)):
        results = f(*(a.copy() for a in arrays))
        for (part, given), result in zip(row_accuracy.parts(f, arrays), results, strict=True):
            found = row_accuracy.errors(part, result, *given)
            add_rows(figures, part, found, row_accuracy.bound(part, dtype), what, result, arrays[0])
    return figures


def sampled_pairs(source: Source, name: str, dtype: DType) -> Iterator[Row]:
    """Yield the figures of a function of two arrays, for all of its results."""
    for kind, function in library(source).functions(name).items():
        figures, subject = Figures(), Subject(name, kind, dtype)
        for arrays in ruler.elements(subject):
            ruler.add(figures, subject, function, arrays)
        yield name, kind, dtype, figures


def sampled_norms(source: Source, name: str, dtype: DType) -> Iterator[Row]:
    """Yield the figures of all results of a norm of difficult rows; a user's function has the default eps."""
    of = source if isinstance(source, Of) else None
    for kind, function in {FORWARD: name, GRADIENT: name + BACKWARD}.items():
        if function not in NORMS or (source and (of is None or of.kind != kind)):
            continue
        figures, norm = Figures(), NORMS[function]
        called = library(of).functions(name)[kind] if of else norm
        for what, given in norms.rows(dtype, every_eps=(norm.eps,) if of else norms.EPS):
            if of is None or given[2] is not None:
                options = {} if of else {"eps": given[4]}
                with np.errstate(all="ignore"):
                    results = norms.call(called, function, given, **options)
                norms.add(figures, function, results, given, what)
        yield name, kind, dtype, figures


def sampled_dropout(source: Source, name: str, dtype: DType) -> Iterator[Row]:
    """Yield the figures of dropout or its gradient: values, masks and the shares of kept elements."""
    for kind, function in {FORWARD: name, GRADIENT: name + BACKWARD}.items() if source is None else ():
        yield name, kind, dtype, dropout.figures(function, dtype)


def sampled(source: Source, names: Sequence[str], dtypes: Sequence[DType]) -> Iterator[Row]:
    """Yield the lines of the table, by function and type."""
    jobs = [(name, dtype) for name in names for dtype in dtypes or default_types(source, name)]
    for name, dtype in tqdm(jobs, disable=None, leave=False):
        by_kind = {"rows": sampled_rows, "gate": sampled_pairs, "loss": sampled_pairs}
        others = dict.fromkeys(NORMS, sampled_norms) | dict.fromkeys(DROPOUT, sampled_dropout)
        measure = others.get(name) or by_kind.get(FUNCTIONS[name].kind, sampled_elements)
        yield from measure(source, name, dtype)


def measure_chunk(source: Source, name: str, kind: str, chunk: range) -> Figures:
    """Return the figures of the floats whose bit patterns are in this range of integers."""
    figures, subject = Figures(), Subject(name, kind, FLOAT32)
    function = library(source).functions(name)[kind]
    for arrays in ruler.numbers(subject, chunk):
        ruler.add(figures, subject, function, arrays)
    return figures


def prepare_worker() -> None:
    """Leave interrupts to the main process, and use one thread, since there is a process for each core."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    fastact.set_num_threads(1)


def exhaustive(source: Source, names: Sequence[str], save: Path) -> Iterator[Row]:
    """Yield the figures over every float32, continuing where the saved figures of the same library end."""
    saved: dict[str, dict[str, Any]] = json.loads(save.read_text()) if save.exists() else {}
    state = saved.setdefault(library(source).title, {})
    kinds = [GRADIENT] if isinstance(source, Of) else []  # fastact's gradients follow from its derivatives
    jobs = [
        (name, kind)
        for name in names
        for kind in library(source).functions(name)
        if kind in (FORWARD, DERIVATIVE, *kinds)
    ]
    figures = {job: Figures(**state.get(" ".join(job), {})) for job in jobs}
    done = sum(sum(f.counts) for f in figures.values())
    # Processes are used because threads would wait for one another between the short NumPy calls. They are
    # not forked, because the threads of other libraries do not exist in a forked child.
    pool = ProcessPoolExecutor(fastact.get_num_threads(), get_context("spawn"), prepare_worker)
    with pool, tqdm(total=len(jobs) * INPUTS, initial=done, unit="", unit_scale=True, disable=None) as bar:
        for job in jobs:
            bar.set_description(" ".join(job))
            starts = range(sum(figures[job].counts), INPUTS, CHUNK)
            chunks = [range(start, min(start + CHUNK, INPUTS)) for start in starts]
            for part in pool.map(partial(measure_chunk, source, *job), chunks):
                figures[job].merge(part)
                state[" ".join(job)] = asdict(figures[job])
                write(save, json.dumps(saved, indent=1))
                bar.update(sum(part.counts))
            yield *job, FLOAT32, figures[job]


def write(file: Path, text: str) -> None:
    """Replace the content of the file in one step, so that it is complete even if the program is stopped."""
    new = file.with_name(file.name + ".new")
    new.write_text(text)
    new.replace(file)


HEADINGS = {
    "function": False,
    "pass": False,
    "type": False,
    "largest error": True,
    "<= 0.5 ulp": True,
    "<= 1 ulp": True,
    "> 1 ulp": True,
    "where it is largest": False,
    "wrong": False,
}
TEXT = "{:22}{:14}{:9}{:>13}{:>12}{:>10}{:>10}  {:36}  {}"


def as_line(row: Row, style: Format) -> str:
    """Return a row of the table, or a line of JSON."""
    name, kind, dtype, figures = row
    whole = sum(figures.counts)
    if style == "json":
        table = [r._asdict() | {"largest": number(r.largest)} for r in figures.table()]
        return json.dumps(
            {"function": name, "pass": kind, "type": dtype.name, "largest": number(figures.largest)}
            | {"where": figures.at, "result": number(figures.result)}
            | {"shares": [part / whole for part in figures.counts], "wrong": figures.wrong, "ranges": table}
        )
    shares = (percent(part, whole) for part in figures.counts)
    where = place(figures.at, dtype) if figures.largest else ""
    cells = (name, kind, dtype.name, f"{figures.largest:.5g}", *shares, where, "; ".join(figures.wrong))
    return line(cells) if style == "markdown" else TEXT.format(*cells).rstrip()


def number(value: float) -> float | str:
    """Return the value, or its name if it is infinite or NaN, which JSON lacks."""
    return value if math.isfinite(value) else str(value)


def broken(row: Row) -> Iterator[str]:
    """Yield a description of each promise that the row breaks."""
    name, kind, dtype, figures = row
    if name in DROPOUT:
        bound = dropout.BOUND
    else:
        bound = norms.bound(dtype) if name in NORMS else Subject(name, kind, dtype).bound
    if not figures.largest <= bound:
        where = place(figures.at, dtype)
        yield f"{name} {kind} {dtype}: {figures.largest:.5g} ulp, above {bound:g}, at {where}"
    yield from (f"{name} {kind} {dtype}: {wrong}" for wrong in figures.wrong)


def run(
    source: Source,
    names: Sequence[str],
    save: Path | None = None,
    style: Format = "text",
    dtypes: Sequence[DType] = (),
) -> int:
    """Print a line for each function, pass and type; return the exit status."""
    elements = [name for name in names if name in ACTIVATIONS]
    for name in elements:
        for kind in (FORWARD, DERIVATIVE):
            ruler.check_reference(name, kind)
    if style != "json":
        print(f"{library(source).title}: {'every float32' if save else 'a sample'}; shares in percent\n")
        print(heading(HEADINGS, HEADINGS.values()) if style == "markdown" else TEXT.format(*HEADINGS))
    by_definition = [name for name in names if name in (*NORMS, *DROPOUT)]
    missing = [name for name in names if name not in by_definition and not library(source).functions(name)]
    if missing:
        print(f"{source} has no {', '.join(missing)}", file=sys.stderr)
    if isinstance(source, str) and by_definition:
        print(f"not measured of {source}: {', '.join(by_definition)}", file=sys.stderr)
    if save and elements != list(names):
        of_rows = [name for name in names if name not in elements]
        print(f"not measured this way: {', '.join(of_rows)}", file=sys.stderr)
    rows = exhaustive(source, elements, save) if save else sampled(source, names, dtypes)
    wrong: list[str] = []
    for row in rows:
        tqdm.write(as_line(row, style))
        wrong += broken(row) if source is None else ()
    print(*wrong, sep="\n", end="\n" * bool(wrong), file=sys.stderr)
    return 1 if wrong else 0
