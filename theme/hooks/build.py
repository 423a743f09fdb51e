"""All that MkDocs is told, in the order in which it asks; what is done stands in theme/site.

Only what nothing but a hook can do. Code that changed is imported anew at each build, so this file
imports nothing of the project before it is asked.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import jinja2
from mkdocs.commands import serve
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.livereload import LiveReloadServer
from mkdocs.plugins import event_priority
from mkdocs.structure.files import Files
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page
from mkdocs.utils.templates import TemplateContext

ROOT = Path(__file__).parents[2]
PACKAGES = ("theme", "docs", "qkv_docs")
told: dict[str, Any] = {"serving": False, "dirty": False, "changed": 0.0}
told |= {"live": None, "english": None}


def site(name: str) -> Any:
    """A module of theme/site."""
    return importlib.import_module(f"theme.site.{name}")


def forget_what_changed() -> None:
    """`mkdocs serve` builds again in one process."""
    sources = [path for folder in PACKAGES for path in (ROOT / folder).rglob("*.py")]
    changed = max(path.stat().st_mtime for path in sources)
    if changed != told["changed"]:
        told["changed"] = changed
        forget()


def forget() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in PACKAGES]:
        del sys.modules[name]


def importable() -> None:
    if sys.path[0] != str(ROOT):  # not at the top of this file: MkDocs puts the path back
        sys.path.insert(0, str(ROOT))


def on_startup(command: Literal["build", "gh-deploy", "serve"], dirty: bool) -> None:
    told.update(serving=command == "serve", dirty=dirty)
    if command == "serve" and not dirty and not told["live"]:
        importable()
        told["live"] = site("serve").Live(forget)
        # on_serve comes too late for the first build
        vars(serve)["build"] = told["live"].first


def on_serve(
    server: LiveReloadServer, config: MkDocsConfig, builder: Callable[..., None]
) -> LiveReloadServer:
    if told["live"]:
        told["live"].on_serve(server)
    return server


def on_shutdown() -> None:
    if told["live"]:
        told["live"].stop()


@event_priority(100)  # first: the English half is made ready beside what other plugins do
def on_config(config: MkDocsConfig) -> MkDocsConfig:
    importable()
    if site_is_main(config):
        forget_what_changed()
        if not config.extra.get("in_parts"):  # as `mkdocs serve` makes what was edited
            told["english"] = site("languages").Half(config, told["dirty"], told["serving"])
    config.extra["serving"] = told["serving"]
    config.extra["offline"] = os.environ.get("OFFLINE") == "true"  # to be opened as file://
    site("languages").on_config(config)
    site("files").on_config(config)
    return config


def site_is_main(config: MkDocsConfig) -> bool:
    """Whether this is the Chinese build, which starts the English one."""
    return Path(config.docs_dir).name == "zh"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    site("languages").warn_of_missing_translations(config)
    begin = told["english"].begin if site_is_main(config) and told["english"] else None
    for file in site("files").generated(config, then=begin):
        if (sent_as_it_is := files.get_file_from_path(file.src_uri)) is not None:
            files.remove(sent_as_it_is)
        files.append(file)
    site("search").begin(files, config)
    return files


def on_nav(nav: Navigation, config: MkDocsConfig, files: Files) -> Navigation:
    done: Navigation = site("languages").titled(nav, config)
    return done


def on_pre_page(page: Page, config: MkDocsConfig, files: Files) -> Page:
    done: Page = site("pages").with_own_rendering(page)
    return done


@event_priority(-100)  # the last word on the extensions
def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    done: str = site("pages").prepared(markdown, page, config)
    return done


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    done: str = site("pages").with_links(html, page, files)
    return done


def on_env(env: jinja2.Environment, config: MkDocsConfig, files: Files) -> jinja2.Environment:
    """Every page was read."""
    site("pages").offer(env, config)
    site("exports").write(config, files)
    return env


def on_template_context(
    context: TemplateContext, template_name: str, config: MkDocsConfig
) -> TemplateContext:
    if template_name == "404.html" and not config.site_url:
        context["base_url"] = "."  # the page itself looks for its folder (templates/404.html)
    return context


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    done: str = site("pages").finished(output, page, config)
    site("search").gather(done, page, config)
    return done


def on_post_template(output_content: str, template_name: str, config: MkDocsConfig) -> str:
    if not template_name.endswith(".html"):
        return output_content
    done: str = site("pages").finished(output_content, None, config)
    return done


@event_priority(-200)  # after every plugin has written its files
def on_post_build(config: MkDocsConfig) -> None:
    site("search").write(config)
    if site_is_main(config):
        told["english"].finish()
        told["english"] = None
        site("service_worker").write(Path(config.site_dir))
