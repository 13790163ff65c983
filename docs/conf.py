"""The documentation site: ``sphinx-build docs build/site``."""

import sys
from pathlib import Path

import fastact

sys.path.insert(0, str(Path(__file__).with_name("extensions")))

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
exclude_patterns = ["lessons", "guide/sg_execution_times.rst"]
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
    "within_subsection_order": "FileNameSortKey",
    "min_reported_time": 1e9,
    "show_signature": False,
    "remove_config_comments": True,
}

html_theme = "pydata_sphinx_theme"
html_title = "fastact"
html_copy_source = html_show_sourcelink = False
html_math_renderer = "mathml"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_sidebars = {
    page: []  # nothing is below them
    for page in (
        "gallery",
        "command",
        "accuracy",
        "performance",
        "design",
        "cpp",
        "contributing",
        "changelog",
    )
}
html_theme_options = {
    "header_links_before_dropdown": 6,
    "secondary_sidebar_items": {"**": ["page-toc"], "guide/*": [], "api/index": []},
}
