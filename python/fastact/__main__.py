"""The command ``fastact``, also available as ``python -m fastact``: see ``fastact --help``."""

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command with the given arguments, by default those of the program, and exit."""
    try:
        from .command.cli import command
    except ModuleNotFoundError as missing:
        if missing.name != "click":
            raise
        print("fastact: click is not installed: pip install 'fastact[cli]'", file=sys.stderr)
        sys.exit(2)
    command(arguments)


if __name__ == "__main__":
    main()
