"""Hands over each page: to the Markdown extensions, to the templates, to what finishes its HTML."""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import Any

import jinja2
import material  # type: ignore[import-untyped]
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page as MkDocsPage
from mkdocs.utils import get_relative_url

from theme import cache, notebook_pages, styles
from theme.extensions import extensions
from theme.extensions.page import Page, log
from theme.finish import finish
from theme.site.languages import language

TEMPLATES = cache.FILE.with_name("templates")  # compiled, by what stands in them


def about(page: MkDocsPage | None, config: MkDocsConfig) -> Page:
    """A page as the rest of the theme knows it; None: a template, such as 404.html."""
    offline, python = config.extra["offline"], config.extra["python"]
    up = "../" if language(config) == "en" else ""
    more: dict[str, Any] = {
        "without_python": "folder" if offline else "" if python else "not fetched",
        "serving": config.extra["serving"],
    }
    if page is None:
        return Page("", language(config), Path(config.docs_dir), up, **more)
    return Page(
        name=Path(page.file.src_uri).with_suffix("").as_posix(),
        language=language(config),
        path=Path(str(page.file.abs_src_path)),
        root=posixpath.normpath(posixpath.join(get_relative_url(".", page.url), up)) + "/",
        **more,
    )


def with_own_rendering(page: MkDocsPage) -> MkDocsPage:
    """mkdocs-jupyter would render a notebook by itself: see theme/notebook_pages.py."""
    vars(page).pop("render", None)
    return page


def prepared(markdown: str, page: MkDocsPage, config: MkDocsConfig) -> str:
    """MkDocs makes a converter for each page: it gets the extensions of this one.

    It checks the names of extensions before it loads hooks, and nothing under theme/ can be
    imported then; instances it takes as they are.
    """
    facts = about(page, config)
    given: list[Any] = config.markdown_extensions
    others = [one for one in given if not type(one).__module__.startswith("theme.")]
    given[:] = [*others, *extensions(facts)]  # in place: mkdocstrings holds the same list
    if facts.path.suffix == ".ipynb":
        more, markdown = notebook_pages.markdown(page.file.content_string, facts)
        page.meta.update(title=more["title"], description=more["description"])
    return markdown


def with_links(html: str, page: MkDocsPage, files: Files) -> str:
    """Citations in docstrings: MkDocs resolves only the links of a page's own Markdown."""
    target = files.get_file_from_path("references.md")
    if target is None:
        return html
    return html.replace('href="references.md#', f'href="{target.url_relative_to(page.file)}#')


def bundle() -> str:
    """The theme's script, which start.js loads with the reader's first touch."""
    templates = Path(material.__file__).parent / "templates"
    found = list(templates.glob("assets/javascripts/bundle.*.min.js"))
    if len(found) != 1:
        raise PluginError(
            "theme/site/pages.py assumes that Material has one assets/javascripts/bundle.*.min.js, "
            f"and found {len(found)}: look where its script is now"
        )
    return found[0].relative_to(templates).as_posix()


def offer(env: jinja2.Environment, config: MkDocsConfig) -> None:
    """What theme/templates/main.html uses."""
    if not styles.is_current():
        log.warning("theme/styles/reduced.css is not made of %s: make styles", styles.sources_now())
    config.extra_css = []  # mkdocstrings brings a style sheet; ours covers the little it needs
    python, up = config.extra["python"], {"zh": "", "en": "../"}[language(config)]
    TEMPLATES.mkdir(parents=True, exist_ok=True)
    env.bytecode_cache = jinja2.FileSystemBytecodeCache(str(TEMPLATES))
    env.globals.update(styles=styles.styles, bundle=bundle())
    env.globals.update(python=f"{up}{python}/" if python else "")
    for kind in ("model", "decoder"):
        listing = config.extra[kind]
        env.globals[kind] = f"{up}{listing}" if listing else ""


def finished(html: str, page: MkDocsPage | None, config: MkDocsConfig) -> str:
    return finish(html, about(page, config))
