"""Markdown tables, printed line by line."""

from collections.abc import Collection, Iterable


def line(cells: Iterable[object]) -> str:
    """Return one row of a table."""
    return f"| {' | '.join(map(str, cells))} |"


def heading(columns: Collection[str], numeric: Iterable[bool]) -> str:
    """Return the first two lines of a table; numeric columns are aligned to the right."""
    return f"{line(columns)}\n|{'|'.join('--:' if is_numeric else '---' for is_numeric in numeric)}|"
