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

from ._choose import _FACTS, find
from ._documentation import ENTRIES
from ._expressions import NUMPY
from ._row_documentation import FAMILIES


def one_of(names: Iterable[str]) -> Callable[[str], str]:
    """A type of argument: one of the names, or an alias."""
    known = tuple(names)

    def name(value: str) -> str:
        try:
            return find(value, known)
        except ValueError as unknown:
            raise click.BadParameter(str(unknown)) from unknown

    return name


def heading(*columns: str) -> None:
    """Print a line in bold, if it is a terminal that it is printed on."""
    click.secho("".join(columns).rstrip(), bold=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(fastact.__version__, prog_name="fastact", message="%(prog)s %(version)s")
def command() -> None:
    """Activation functions, forward and backward, as NumPy ufuncs."""


@command.command()
def info() -> None:
    """Tell versions, instruction sets and threads."""
    fastact.show_config()
    click.echo(f"{'numpy':10}{np.__version__}")
    click.echo(f"{'python':10}{platform.python_version()}, {platform.platform()}")


@command.command("list")
def list_functions() -> None:
    """List activations and their formulas.

    Parameters are shown with their defaults. The last are functions of rows, which lie along an axis.
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
    help="Of x.",
)
@click.option("--dpi", type=click.IntRange(min=1), default=150, show_default=True, help="Dots per inch.")
def plot(names: Sequence[str], output: Path, derivative: bool, range_: tuple[float, float], dpi: int) -> None:
    """Draw activations and their derivatives into FILE."""
    try:
        import matplotlib

        matplotlib.use("agg")
        figure: Any = fastact.plot(names, derivative=derivative, range=range_).figure
        figure.savefig(output, dpi=dpi)
    except ImportError as missing:
        raise click.UsageError(f"{missing.name} is not installed: pip install 'fastact[plot]'") from missing
    except ValueError as mistake:  # a format that matplotlib does not write, an empty range
        raise click.UsageError(str(mistake)) from mistake
    except OSError as problem:
        raise click.FileError(str(output), problem.strerror) from problem


@command.command()
@click.argument("names", metavar="[NAME]...", nargs=-1, type=one_of(ENTRIES | FAMILIES))
@click.option(
    "--exhaustive",
    is_flag=True,
    help="Every float32, rather than a sample of float32 and float64; takes minutes for each activation,"
    " and leaves out functions of rows.",
)
@click.option(
    "--save",
    metavar="FILE",
    type=click.Path(path_type=Path),
    default="fastact-verify.json",
    show_default=True,
    help="Where --exhaustive saves its figures, and goes on from if it was stopped.",
)
@click.option("--markdown", is_flag=True, help="Print the figures as a Markdown table.")
@click.option(
    "--peer",
    type=click.Choice(["torch", "jax"]),
    help="Measure this library's float32 functions instead; no bound applies.",
)
def verify(names: Sequence[str], exhaustive: bool, save: Path, markdown: bool, peer: str | None) -> None:
    """Measure errors against exact results.

    Measure the errors of functions and their derivatives in ulp of the exact result, print the largest and
    where it is, and exit with 1 if one is above its bound; without NAME, of all. FASTACT_ISA chooses the
    instruction set, FASTACT_NUM_THREADS how many cores are used.
    """
    try:
        from . import _verify

        sys.exit(_verify.run(peer, names or [*ENTRIES, *FAMILIES], save if exhaustive else None, markdown))
    except ModuleNotFoundError as missing:
        needed = peer if missing.name == peer else "'fastact[verify]'"
        raise click.UsageError(f"{missing.name} is not installed: pip install {needed}") from missing
    except (OSError, JSONDecodeError) as problem:
        if not exhaustive or isinstance(problem, BrokenPipeError):
            raise
        raise click.UsageError(f"{save}: {problem}") from problem
    except KeyboardInterrupt:
        click.echo("stopped" + f"; the same command goes on from {save}" * exhaustive, err=True)
        sys.exit(130)


@command.command()
@click.argument("names", metavar="[NAME]...", nargs=-1, type=one_of(ENTRIES | FAMILIES))
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), default=10, show_default=True)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=8,
    show_default=True,
    help="Of Python; how many fastact has changes all the time.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the calls.")
def soak(names: Sequence[str], **options: Any) -> None:
    """Make random calls from many threads.

    Call functions on random arrays of every type and layout from many threads at once, check that each result
    has the bits of the same call on one quiet thread, and that the process does not grow; exit with 1 if
    anything is wrong. Without NAME, of all functions. Ctrl-C ends it with what was found so far.
    """
    try:
        from . import _soak
    except ModuleNotFoundError as missing:
        raise click.UsageError(f"{missing.name} is not installed: pip install 'fastact[soak]'") from missing
    sys.exit(_soak.run(names or [*ENTRIES, *FAMILIES], **options))


@command.command()
@click.argument("names", metavar="[NAME]...", nargs=-1, type=one_of(NUMPY))
@click.option("--size", type=click.IntRange(min=1), default=1 << 16, show_default=True, help="Elements.")
@click.option(
    "--dtype", type=click.Choice(["float16", "float32", "float64"]), default="float32", show_default=True
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0),
    default=0.1,
    show_default=True,
    help="For each function and pass.",
)
def bench(names: Sequence[str], **options: Any) -> None:
    """Compare speed with NumPy expressions.

    Time functions and their backward passes on this machine, beside the expressions a NumPy user would write,
    in nanoseconds an element; without NAME, all that have one. FASTACT_NUM_THREADS tells how many threads
    fastact may use. Leave the machine alone meanwhile.
    """
    from ._bench import compare

    heading(f"{'function':16}{'pass':10}{'NumPy':>10}{'fastact':>10}{'times faster':>14}")
    ratios = []
    for function, pass_, theirs, ours in compare(names or list(NUMPY), **options):
        ratios.append(theirs / ours)
        click.echo(f"{function:16}{pass_:10}{theirs:10.3f}{ours:10.3f}{ratios[-1]:14.1f}")
    known = [ratio for ratio in ratios if not math.isnan(ratio)]
    if known:
        click.echo(f"{'geometric mean':46}{geometric_mean(known):14.1f}")
    if known != ratios:
        click.echo("nan: the expression needs SciPy, which is not installed", err=True)
