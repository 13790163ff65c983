"""Writes the pages of the API, and the gallery, from what fastact exports."""

from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import fastact
from fastact._documentation import ENTRIES
from fastact._row_documentation import FAMILIES
from matplotlib import pyplot

SUFFIXES = "", "_backward", "_backward_from_output"
PAGES = {
    "choosing": ("Choosing and drawing", ("get", "Activation", "names", "plot")),
    "memory": ("Memory", ("memory_pool",)),
    "runtime": (
        "Threads and configuration",
        ("set_num_threads", "get_num_threads", "config", "show_config", "get_include", "get_cmake_dir"),
    ),
}
MODULES = [module.name for module in iter_modules(fastact.__path__) if module.name[0] != "_"]


def heading(title: str, line: str = "=") -> str:
    return f"{title}\n{line * len(title)}\n\n"


def toctree(pages: list[str]) -> str:
    return ".. toctree::\n   :hidden:\n\n" + "".join(f"   {page}\n" for page in pages) + "\n"


def described(name: str) -> str:
    """What autodoc takes for a function or a class."""
    if isinstance(getattr(fastact, name), type):
        return f".. autoclass:: fastact.{name}\n   :members:\n\n"
    return f".. autofunction:: fastact.{name}\n\n"


def formulas(name: str) -> tuple[str, ...]:
    if name in FAMILIES:
        return FAMILIES[name].latex
    f = fastact.get(name)
    return f.formula, f.derivative


def title(name: str) -> str:
    return (ENTRIES.get(name) or FAMILIES[name]).title


def activation_page(name: str) -> str:
    text = heading(name) + f"{title(name)}\n\n"
    text += "".join(f".. math:: {formula}\n\n" for formula in formulas(name))
    if name in ENTRIES:
        text += f".. image:: {name}.svg\n   :alt: {name} and its derivative\n\n"
    functions = [name + suffix for suffix in SUFFIXES if name + suffix in fastact.__all__]
    return text + "".join(map(described, functions))


def table(names: list[str]) -> str:
    rows = (
        f"   * - | :doc:`{name}`\n       | {title(name)}\n     - :math:`{formulas(name)[0]}`\n"
        for name in names
    )
    return ".. list-table::\n   :widths: 2 3\n\n" + "".join(rows) + "\n"


def gallery(names: list[str]) -> str:
    cards = (
        f"   .. grid-item-card:: {name}\n      :link: api/{name}\n      :link-type: doc\n"
        f"      :img-bottom: api/{name}.svg\n      :img-alt: {name} and its derivative\n\n"
        for name in names
    )
    return heading("Gallery") + ".. grid:: 1 2 2 3\n   :gutter: 3\n\n" + "".join(cards)


def pages() -> dict[str, str]:
    """Each page's text, by its path."""
    elementwise, rows = list(ENTRIES), list(FAMILIES)
    documented = {name + suffix for name in elementwise + rows for suffix in SUFFIXES}
    documented.update(*(names for _, names in PAGES.values()))
    if missing := set(fastact.__all__) - documented - {"__version__"}:
        raise LookupError(f"no page of the API has {', '.join(missing)}: docs/extensions/reference.py")

    index = heading("API") + toctree([*PAGES, *MODULES, *elementwise, *rows])
    index += heading("Activations", "-") + table(elementwise)
    index += heading("Functions of rows", "-") + table(rows)
    index += heading("More", "-") + "".join(f"* :doc:`{page}`\n" for page in (*PAGES, *MODULES))
    return (
        {"api/index.rst": index, "gallery.rst": gallery(elementwise)}
        | {f"api/{name}.rst": activation_page(name) for name in elementwise + rows}
        | {
            f"api/{page}.rst": heading(t) + "".join(map(described, names))
            for page, (t, names) in PAGES.items()
        }
        | {
            f"api/{name}.rst": heading(f"fastact.{name}") + f".. automodule:: fastact.{name}\n   :members:\n"
            for name in MODULES
        }
    )


def write(app: Any) -> None:
    folder = Path(app.srcdir)
    (folder / "api").mkdir(exist_ok=True)
    for path, text in pages().items():
        if not (folder / path).exists() or (folder / path).read_text() != text:
            (folder / path).write_text(text)
    for name in ENTRIES:
        axes: Any = fastact.plot(name)
        axes.set_title("")  # stands above it on the page
        figure = axes.figure
        figure.set_size_inches(5.4, 3.4)
        figure.savefig(folder / "api" / f"{name}.svg")
        pyplot.close(figure)


def escape_bars(_app: Any, _kind: str, _name: str, _object: Any, _options: Any, lines: list[str]) -> None:
    """|x| is a magnitude in formulas, a substitution in reStructuredText."""
    lines[:] = [
        line if line.lstrip().startswith((">>>", "...")) else line.replace("|", r"\|") for line in lines
    ]


def setup(app: Any) -> dict[str, bool]:
    app.connect("builder-inited", write)
    app.connect("autodoc-process-docstring", escape_bars)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
