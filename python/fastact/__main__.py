"""``fastact``, which is ``python -m fastact`` too: see ``fastact --help``."""

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command with the arguments, those of the program by default, and exit."""
    try:
        from ._cli import command
    except ModuleNotFoundError as missing:
        if missing.name != "click":
            raise
        print("fastact: click is not installed: pip install 'fastact[cli]'", file=sys.stderr)
        sys.exit(2)
    command(arguments)


if __name__ == "__main__":
    main()
