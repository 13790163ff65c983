"""Writes the pages of the API, and the gallery, from what fastact exports."""

from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import fastact
from fastact.facts import dropout, norms, pairs
from fastact.facts.elements import ENTRIES
from fastact.facts.rows import FAMILIES
from fastact.functions.registry import OF_TWO, SUFFIXES
from matplotlib import pyplot

PAGES = {
    "choosing": ("Choosing and drawing", ("get", "Activation", "mixed", "Mixed", "names", "plot")),
    "checking": ("Checking a backward pass", ("check_gradient",)),
    "memory": ("Memory", ("memory_pool",)),
    "runtime": (
        "Threads and configuration",
        (
            "set_num_threads",
            "get_num_threads",
            "config",
            "show_config",
            "get_include",
            "get_cmake_dir",
            "get_library",
        ),
    ),
}
MODULES = [m.name for m in iter_modules(fastact.__path__) if not m.ispkg and not m.name.startswith("_")]


OF_TWO_NAMES = list(dict.fromkeys(f.forward for f in OF_TWO))


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
    if name in norms.FAMILIES:
        return norms.FAMILIES[name].latex
    if name == "dropout":
        return dropout.LATEX
    if name in OF_TWO_NAMES:
        return pairs.latex(name)
    f = fastact.get(name)
    return f.formula, f.derivative


def title(name: str) -> str:
    if name in OF_TWO_NAMES:
        return pairs.title(name)
    if name == "dropout":
        return dropout.TITLE
    return (ENTRIES.get(name) or FAMILIES.get(name) or norms.FAMILIES[name]).title


def activation_page(name: str) -> str:
    text = heading(name) + f"{title(name)}\n\n"
    text += "".join(f".. math:: {formula}\n\n" for formula in formulas(name))
    if name in ENTRIES:
        text += f".. image:: {name}.svg\n   :alt: {name} and its derivative\n\n"
        text += f"See it move, with its errors: `explore <../explore/index.html#name={name}>`__.\n\n"
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
    of_norms = list(norms.FAMILIES)
    every = [*elementwise, *OF_TWO_NAMES, *rows, *of_norms, "dropout"]
    documented = {name + suffix for name in every for suffix in SUFFIXES}
    documented.update(*(names for _, names in PAGES.values()))
    if missing := set(fastact.__all__) - documented - {"__version__"}:
        raise LookupError(f"no page of the API has {', '.join(missing)}: docs/extensions/reference.py")

    index = heading("API") + toctree([*PAGES, *MODULES, *every])
    index += heading("Activations", "-") + table(elementwise)
    index += heading("Gates and losses of two arrays", "-") + table(OF_TWO_NAMES)
    index += heading("Functions of rows", "-") + table(rows)
    index += heading("Norms", "-") + table(of_norms)
    index += heading("Dropout", "-") + table(["dropout"])
    index += heading("More", "-") + "".join(f"* :doc:`{page}`\n" for page in (*PAGES, *MODULES))
    return (
        {"api/index.rst": index, "gallery.rst": gallery(elementwise)}
        | {f"api/{name}.rst": activation_page(name) for name in every}
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


def lesson_number(file: str) -> int:
    """The place of a lesson among the others."""
    return int(file.split("_")[1])


def setup(app: Any) -> dict[str, bool]:
    app.connect("builder-inited", write)
    app.connect("autodoc-process-docstring", escape_bars)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
