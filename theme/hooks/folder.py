"""OFFLINE=true (`make offline`): the site in a folder, opened as file://, without a server.

Material's offline plugin writes the pages and a search index for that. Left for us is what else a
browser refuses to load from file://: workers, modules, instant navigation.
"""

from __future__ import annotations

import re

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files
from mkdocs.utils.templates import TemplateContext
from place import OFFLINE, ROOT, is_main

SCRIPTS = {
    "assets/iframe-worker.js": [ROOT / "theme/vendor/iframe-worker/shim.js"],  # for search
    "assets/copy.js": [
        ROOT / "theme/templates/assets/scripts/prompts.mjs",
        ROOT / "theme/runtime/copy.js",
    ],
}
KEEP = re.compile(r'<button[^>]* data-do="offline".*?</span>')
KEPT = ("这一份就是离线的。", "This copy is offline already.")


@event_priority(100)  # before the plugin, which else takes the first one from another host
def on_config(config: MkDocsConfig) -> MkDocsConfig:
    if OFFLINE:
        config.extra["polyfills"] = list(SCRIPTS)
    if OFFLINE or not config.site_url:  # it takes a page for one of ours by the sitemap's addresses
        config.theme["features"].remove("navigation.instant")
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    for uri, paths in SCRIPTS.items() if OFFLINE else ():
        # One script that is no module: what others would import stands above.
        code = "".join(path.read_text(encoding="utf-8") for path in paths)
        files.append(File.generated(config, uri, content=code.replace("export ", "")))
    return files


def on_template_context(
    context: TemplateContext, template_name: str, config: MkDocsConfig
) -> TemplateContext:
    if template_name == "404.html" and not config.site_url:
        context["base_url"] = "."  # the page itself looks for its folder (templates/404.html)
    return context


def on_page_content(html: str, config: MkDocsConfig, **_: object) -> str:
    return KEEP.sub(KEPT[0 if is_main(config) else 1], html) if OFFLINE else html
