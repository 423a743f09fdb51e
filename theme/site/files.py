"""The files of the site besides its pages: fonts, data, the package, Python for the browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File

from theme.extensions.page import DOCS, ROOT
from theme.numbers import answers
from theme.site import python
from theme.site.languages import language

FONTS = ROOT / "theme/vendor/katex/fonts"
# What a browser refuses to load from file:// and Material's offline plugin leaves to us.
FOLDER_SCRIPTS = {
    "assets/iframe-worker.js": [ROOT / "theme/vendor/iframe-worker/shim.js"],  # for search
    "assets/copy.js": [
        ROOT / "theme/templates/assets/scripts/prompts.mjs",
        ROOT / "theme/runtime/copy.js",
    ],
}


def on_config(config: MkDocsConfig) -> None:
    if config.extra["offline"]:
        config.extra["polyfills"] = list(FOLDER_SCRIPTS)
    if config.extra["offline"] or not config.site_url:
        # It takes a page for one of ours by the sitemap's addresses.
        config.theme["features"].remove("navigation.instant")


def generated(config: MkDocsConfig) -> Iterator[File]:
    offline, main = config.extra["offline"], language(config) == "zh"

    def copies(folder: str, paths: list[Path]) -> Iterator[File]:
        for path in paths:
            yield File.generated(config, f"{folder}/{path.name}", abs_src_path=str(path))

    yield from copies("assets/katex", sorted(FONTS.glob("*.woff2")))
    for uri, scripts in FOLDER_SCRIPTS.items() if offline else ():
        # One script that is no module: what others would import stands above.
        code = "".join(path.read_text(encoding="utf-8") for path in scripts)
        yield File.generated(config, uri, content=code.replace("export ", ""))
    contents = None if offline else python.contents()
    folder = config.extra["python"] = python.folder(contents) if contents else None
    if main and not offline:
        yield from numbers(config)
    if main:
        yield from copies("assets/data", sorted((DOCS / "data").glob("*.json")))
        name, data = python.wheel()  # an address that stays; the runtime's has a hash in it
        yield File.generated(config, f"assets/{name}", content=data)
        for name, data in (contents or {}).items():
            yield File.generated(config, f"{folder}/{name}", content=data)


def numbers(config: MkDocsConfig) -> Iterator[File]:
    """Where the numbers of a page come from, for who asks; fetched when somebody does."""
    for path in sorted([*(DOCS / "zh").glob("*.md"), *(DOCS / "en").glob("*.md")]):
        if "](=" in path.read_text(encoding="utf-8"):
            answers_of = answers.text(path.stem, path.parent.name, config.repo_url)
            uri = f"assets/numbers/{path.parent.name}/{path.stem}.json"
            yield File.generated(config, uri, content=answers_of)
