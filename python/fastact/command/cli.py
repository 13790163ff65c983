"""The command ``fastact``."""

import math
import platform
import sys
from collections.abc import Callable, Iterable, Sequence
from json import JSONDecodeError
from pathlib import Path
from statistics import geometric_mean
from typing import Any

import click
import numpy as np

import fastact

from ..facts.elements import ENTRIES
from ..facts.expressions import NUMPY
from ..facts.rows import FAMILIES
from ..functions.by_name import _FACTS, find
from ..functions.registry import DROPOUT, NORMS, OF_TWO

PAIRS = dict.fromkeys(f.forward for f in OF_TWO)
MEASURED = (
    *ENTRIES,
    *PAIRS,
    *FAMILIES,
    *dict.fromkeys(norm.forward for norm in NORMS.values()),
)


def one_of(names: Iterable[str]) -> Callable[[str], str]:
    """Return a type of click arguments: one of the names, or an alias of it."""
    known = tuple(names)

    def name(value: str) -> str:
        try:
            return find(value, known)
        except ValueError as unknown:
            raise click.BadParameter(str(unknown)) from unknown

    return name


def measured(value: str) -> str:
    """The type of the arguments of verify, which prints its results: a file's name belongs to the shell."""
    if Path(value).suffix:
        raise click.BadParameter(f"{value!r} is not a name; results are printed, so write > {value}")
    return one_of((*MEASURED, "dropout"))(value)


def heading(*columns: str) -> None:
    """Print a line, in bold if the output is a terminal."""
    click.secho("".join(columns).rstrip(), bold=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(fastact.__version__, prog_name="fastact", message="%(prog)s %(version)s")
def command() -> None:
    """Activation functions, forward and backward, as NumPy ufuncs."""


@command.command()
def info() -> None:
    """Show versions, instruction sets and threads."""
    fastact.show_config()
    click.echo(f"{'numpy':10}{np.__version__}")
    click.echo(f"{'python':10}{platform.python_version()}, {platform.platform()}")


@command.command("list")
def list_functions() -> None:
    """List activations and their formulas.

    Parameters are shown with their defaults. Functions of rows, which have an axis, come last.
    """
    calls = {}
    for name in fastact.names():
        parameters = fastact.get(name).parameters.items()
        values = (f"{p}={v:.4g}" if isinstance(v, float) else f"{p}={v}" for p, v in parameters)
        calls[name] = f"{name}({', '.join(['x', *values])})"
    width = max(map(len, calls.values())) + 2
    heading("activation".ljust(width), "f(x)")
    for name, call in calls.items():
        click.echo(f"{call:{width}}{_FACTS[name].formula}")


@command.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True, type=one_of(fastact.names()))
@click.option(
    "-o", "--output", metavar="FILE", required=True, type=click.Path(path_type=Path), help="PNG, SVG, PDF, …"
)
@click.option("--derivative/--no-derivative", default=True, show_default=True, help="Draw derivatives too.")
@click.option(
    "--range",
    "range_",
    metavar="LOW HIGH",
    type=float,
    nargs=2,
    default=(-6, 6),
    show_default=True,
    help="Range of x.",
)
@click.option("--dpi", type=click.IntRange(min=1), default=150, show_default=True, help="Dots per inch.")
def plot(names: Sequence[str], output: Path, derivative: bool, range_: tuple[float, float], dpi: int) -> None:
    """Draw activations and their derivatives and save the plot as FILE."""
    try:
        import matplotlib

        matplotlib.use("agg")
        figure: Any = fastact.plot(names, derivative=derivative, range=range_).figure
        figure.savefig(output, dpi=dpi)
    except ImportError as missing:
        raise click.UsageError(f"{missing.name} is not installed: pip install 'fastact[plot]'") from missing
    except ValueError as mistake:  # a file format that matplotlib does not support, or an empty range
        raise click.UsageError(str(mistake)) from mistake
    except OSError as problem:
        raise click.FileError(str(output), problem.strerror) from problem


@command.command()
@click.argument("names", metavar="[NAME]...", nargs=-1, type=measured)
@click.option(
    "--exhaustive",
    is_flag=True,
    help="Test every float32 instead of a sample of float32 and float64. This takes minutes for each"
    " activation and leaves out functions of rows.",
)
@click.option(
    "--save",
    metavar="FILE",
    type=click.Path(path_type=Path),
    default="fastact-verify.json",
    show_default=True,
    help="File in which --exhaustive saves its results, and from which it resumes after an interruption.",
)
@click.option("--markdown", "style", flag_value="markdown", help="Print the results as a Markdown table.")
@click.option("--json", "style", flag_value="json", help="Print one line of JSON for each pass and type.")
@click.option("--text", "style", flag_value="text", default=True, hidden=True)
@click.option(
    "--peer",
    type=click.Choice(["torch", "jax", "numpy", "scipy", "mkl"]),
    help="Measure the float32 functions of this library instead; no bounds apply.",
)
@click.option(
    "--of",
    "path",
    metavar="MODULE:FUNCTION",
    help="Measure this function of arrays instead; no bounds apply.",
)
@click.option(
    "--as",
    "name",
    metavar="NAME",
    type=one_of(MEASURED),
    help="The function that --of computes.",
)
@click.option(
    "--pass",
    "pass_",
    type=click.Choice(["forward", "derivative", "backward", "backward_from_output"]),
    default="forward",
    show_default=True,
    help="The pass that --of computes; derivative is the backward pass with g = 1.",
)
@click.option(
    "--dtype",
    "dtypes",
    type=click.Choice(["float16", "bfloat16", "float32", "float64"]),
    multiple=True,
    help="Measure this dtype instead of the usual ones; may be repeated.",
)
def verify(
    names: Sequence[str],
    exhaustive: bool,
    save: Path,
    style: Any,
    peer: str | None,
    path: str | None,
    name: str | None,
    pass_: str,
    dtypes: Sequence[str],
) -> None:
    """Measure errors against exact results.

    Measure the errors of functions and their derivatives in ulp of the exact result, by default of all
    functions. Print the largest error and where it occurs, and exit with status 1 if an error exceeds its
    bound. FASTACT_ISA selects the instruction set, FASTACT_NUM_THREADS the number of cores.
    """
    if (path is None) != (name is None) or (path and (names or peer)):
        raise click.UsageError("--of and --as need each other, and exclude NAME and --peer")
    if path and not all(path.partition(":")):
        raise click.UsageError(f"--of must be MODULE:FUNCTION, not {path!r}")
    if exhaustive and (dtypes or pass_ == "backward_from_output"):
        raise click.UsageError("--exhaustive tries every x in float32; it excludes --dtype and outputs")
    try:
        from ..checks import libraries, ruler
        from ..checks import verify as checks

        of = libraries.Of(path, name, ruler.KINDS[pass_]) if path and name else None
        chosen = [name] if name else names or [*MEASURED, "dropout"]
        types = [ruler.dtype(dtype) for dtype in dtypes]
        sys.exit(checks.run(of or peer, chosen, save if exhaustive else None, style, types))
    except ModuleNotFoundError as missing:
        needed = peer if missing.name == peer else "'fastact[verify]'"
        raise click.UsageError(f"{missing.name} is not installed: pip install {needed}") from missing
    except (OSError, JSONDecodeError) as problem:
        if not exhaustive or isinstance(problem, BrokenPipeError):
            raise
        raise click.UsageError(f"{save}: {problem}") from problem
    except (TypeError, ValueError) as problem:  # raised by or about the user's function
        if not path:
            raise
        raise click.UsageError(f"{path}: {problem}") from problem
    except KeyboardInterrupt:
        click.echo("stopped" + f"; run the same command to resume from {save}" * exhaustive, err=True)
        sys.exit(130)


@command.command()
@click.argument("names", metavar="[NAME]...", nargs=-1, type=one_of((*MEASURED, *DROPOUT)))
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), default=10, show_default=True)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=8,
    show_default=True,
    help="Number of Python threads; fastact's own number of threads varies during the run.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the calls.")
def soak(names: Sequence[str], **options: Any) -> None:
    """Make random calls from many threads.

    Call functions, by default all of them, on random arrays of every type and layout from many threads at
    once. Check that each result has the same bits as the same call from a single thread, and that the memory
    of the process does not grow. Exit with status 1 if an error is found. Ctrl-C ends the run and prints what
    was found so far.
    """
    try:
        from ..checks import soak as checks
    except ModuleNotFoundError as missing:
        raise click.UsageError(f"{missing.name} is not installed: pip install 'fastact[soak]'") from missing
    sys.exit(checks.run(names or [*MEASURED, *DROPOUT], **options))


@command.command()
@click.argument("names", metavar="[NAME]...", nargs=-1, type=one_of(NUMPY))
@click.option(
    "--size", type=click.IntRange(min=1), default=1 << 16, show_default=True, help="Number of elements."
)
@click.option(
    "--dtype", type=click.Choice(["float16", "float32", "float64"]), default="float32", show_default=True
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0),
    default=0.1,
    show_default=True,
    help="Time for each function and pass.",
)
def bench(names: Sequence[str], **options: Any) -> None:
    """Compare speed with NumPy expressions.

    Time functions and their backward passes on this machine, next to the expressions that a NumPy user would
    write, in nanoseconds per element; by default, all functions that have such an expression.
    FASTACT_NUM_THREADS sets how many threads fastact may use. Other work on the machine disturbs the results.
    """
    from .bench import compare

    heading(f"{'function':16}{'pass':10}{'NumPy':>10}{'fastact':>10}{'times faster':>14}")
    ratios = []
    for function, pass_, theirs, ours in compare(names or list(NUMPY), **options):
        ratios.append(theirs / ours)
        click.echo(f"{function:16}{pass_:10}{theirs:10.3f}{ours:10.3f}{ratios[-1]:14.1f}")
    known = [ratio for ratio in ratios if not math.isnan(ratio)]
    if known:
        click.echo(f"{'geometric mean':46}{geometric_mean(known):14.1f}")
    if known != ratios:
        click.echo("nan means that the expression needs SciPy, which is not installed", err=True)
