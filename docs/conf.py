"""The documentation site: ``sphinx-build docs build/site``."""

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import fastact

_HERE = Path(__file__).parent
sys.path[:0] = [str(_HERE / "extensions"), str(_HERE / "explore")]

from make_page import make_page  # noqa: E402

project = "fastact"
release = version = fastact.__version__
extensions = [
    "sphinx.ext.autodoc",
    "numpydoc",
    "myst_parser",
    "sphinx_click",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "mathml",
    "reference",
]
exclude_patterns = ["lessons", "explore"]
default_role = "py:obj"
smartquotes = False

autodoc_typehints = "none"
numpydoc_show_class_members = False
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

sphinx_gallery_conf = {
    "examples_dirs": "lessons",
    "gallery_dirs": "guide",
    "filename_pattern": "",
    "within_subsection_order": "reference.lesson_number",
    "min_reported_time": 1e9,
    "write_computation_times": False,
    "show_signature": False,
}


def _add_page_that_computes(app: Any, exception: Exception | None) -> None:
    if exception is not None or app.builder.format != "html":
        return
    if find_spec("ziglang"):
        make_page(Path(app.outdir) / "explore")
    else:
        print("explore/ is left out: pip install ziglang to compile it")


def setup(app: Any) -> None:
    app.connect("build-finished", _add_page_that_computes)


html_theme = "pydata_sphinx_theme"
html_title = "fastact"
html_copy_source = html_show_sourcelink = False
html_math_renderer = "mathml"
html_static_path = ["static"]
html_css_files = ["site.css"]
# Neither what is below a page where nothing is, nor a list of headings where programs are wide.
_TOP = "gallery", "command", "accuracy", "claims", "performance", "design", "cpp", "contributing", "changelog"
_WIDE = "api/index", "guide/index", *(f"guide/{lesson.stem}" for lesson in _HERE.glob("lessons/*.py"))
html_sidebars: dict[str, list[str]] = {page: [] for page in _TOP}
html_theme_options = {
    "header_links_before_dropdown": 5,
    "secondary_sidebar_items": {"**": ["page-toc"]} | {page: [] for page in _WIDE},
}
