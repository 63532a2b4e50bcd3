"""Sphinx configuration."""

from importlib.metadata import version as installed_version

project = "modal_interp"
author = "The modal_interp developers"
copyright = f"2026, {author}"
release = version = installed_version("modal-interp")

templates_path = ["_templates"]
extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
]
myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
# Tables that few_labels.md, performance.md and reproductions.md include.
exclude_patterns = [
    "_build",
    "few_labels/*.md",
    "performance/*",
    "reproductions/*.md",
    "reproductions/*/*.md",
]

autosummary_generate = True
autodoc_typehints = "none"  # numpydoc's Parameters say it with shapes
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

html_theme = "pydata_sphinx_theme"
html_title = "modal_interp"
html_static_path = ["_static"]
html_theme_options = {
    "show_prev_next": True,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
}
html_sidebars = {"**": ["sidebar-nav-bs"]}
