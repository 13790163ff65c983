"""``python -m fastact``: see ``python -m fastact --help``."""

import argparse
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from functools import partial
from json import JSONDecodeError
from pathlib import Path

import numpy as np

from . import _core

NAMES = [name for name, *_ in _core.activations + _core.learnable]
NAMES += [
    name
    for name, function in vars(_core).items()
    if isinstance(function, np.ufunc) and function.signature and "_backward" not in name
]


def activation(name: str) -> str:
    if name not in NAMES:
        close = get_close_matches(name, NAMES) or NAMES
        raise argparse.ArgumentTypeError(f"no function is called {name!r}; there is {', '.join(close)}")
    return name


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser("python -m fastact", description="Activation functions as NumPy ufuncs.")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    verify = commands.add_parser(
        "verify",
        help="measure errors against exact results",
        description="Measure the errors of functions and their derivatives in ulp of the exact result,"
        " print the largest and where it is, and exit with 1 if one is above its bound. FASTACT_ISA chooses"
        " the instruction set, FASTACT_NUM_THREADS how many cores are used.",
    )
    verify.add_argument("names", metavar="NAME", nargs="*", type=activation, help="functions; default: all")
    verify.add_argument(
        "--exhaustive",
        action="store_true",
        help="every float32, rather than a sample of float32 and float64; takes minutes for each activation,"
        " and leaves out functions of rows",
    )
    verify.add_argument(
        "--save",
        metavar="FILE",
        type=Path,
        default=Path("fastact-verify.json"),
        help="where --exhaustive saves its figures, and goes on from if it was stopped; default: %(default)s",
    )
    verify.add_argument("--markdown", action="store_true", help="print the figures as a Markdown table")
    verify.add_argument(
        "--peer",
        choices=["torch", "jax"],
        help="measure this library's float32 functions instead; no bound applies",
    )
    verify.set_defaults(run=partial(run_verify, verify))
    return top


def run_verify(command: argparse.ArgumentParser, arguments: argparse.Namespace) -> int:
    peer, save = arguments.peer, arguments.save if arguments.exhaustive else None
    try:
        from . import _verify

        return _verify.run(peer, arguments.names or NAMES, save, arguments.markdown)
    except ModuleNotFoundError as missing:
        needed = peer if missing.name == peer else "'fastact[verify]'"
        command.error(f"{missing.name} is not installed: pip install {needed}")
    except (OSError, JSONDecodeError) as problem:
        if not save or isinstance(problem, BrokenPipeError):
            raise
        command.error(f"{save}: {problem}")
    except KeyboardInterrupt:
        print("stopped" + f"; the same command goes on from {save}" * bool(save), file=sys.stderr)
        return 130


def main(arguments: Sequence[str] | None = None) -> int:
    given = parser().parse_args(arguments)
    status: int = given.run(given)
    return status


if __name__ == "__main__":
    sys.exit(main())
