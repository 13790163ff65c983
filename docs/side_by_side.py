"""Sets tables that ``python -m fastact verify --markdown`` has printed side by side; see accuracy.md."""

import re
import sys
from pathlib import Path

from fastact.command.markdown import heading, line

Row = dict[str, str]


def read(file: str) -> tuple[str, dict[tuple[str, str], Row]]:
    """A table's title, and its rows by function and pass."""
    title, *lines = Path(file).read_text().splitlines()
    headings, _, *rows = (row.strip("| ").split(" | ") for row in lines if row.startswith("|"))
    return title, {(row[0], row[1]): dict(zip(headings, row, strict=False)) for row in rows}


def figure(row: Row | None) -> str:
    return "; ".join(filter(None, [row["largest error"], row.get("wrong")])) if row else ""


def main() -> None:
    titles, tables = zip(*map(read, sys.argv[1:]), strict=True)
    columns = [re.sub("([^,:]*).*(: .*);.*", r"\1\2", title) for title in titles]
    headings = ["function", "pass", *columns, "where the first is largest"]
    print(heading(headings, (name in columns for name in headings)))
    for (name, kind), row in tables[0].items():
        cells = (figure(table.get((name, kind))) for table in tables)
        print(line([name, kind, *cells, row.get("where it is largest", "")]))


if __name__ == "__main__":
    main()
