"""The files of the site besides its pages: fonts, data, the package, Python for the browser."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File

from theme.extensions.page import DOCS, ROOT
from theme.numbers import answers
from theme.site import decoder, model, python
from theme.site.languages import language

FONTS = ROOT / "theme/vendor/katex/fonts"
MODEL, DECODER = "assets/model", "assets/decoder"
# A browser loads no module from file://: one script that is none, what it would import first.
COPY = "assets/copy.js"
COPY_PARTS = (
    ROOT / "theme/templates/assets/scripts/prompts.mjs",
    ROOT / "theme/runtime/copy.js",
)
# Every page loads it at once, so it is sent without comments and indentation.
START = "assets/scripts/start.js"
FOR_PEOPLE = re.compile(r"/\*.*?\*/|^ *//[^\n]*\n|^ +", re.M | re.S)


def on_config(config: MkDocsConfig) -> None:
    if config.extra["offline"]:
        config.use_directory_urls = False
        config.extra["polyfills"] = [COPY]
    if config.extra["offline"] or not config.site_url:
        # It takes a page for one of ours by the sitemap's addresses.
        config.theme["features"].remove("navigation.instant")


def generated(config: MkDocsConfig, then: Callable[[], None] | None = None) -> Iterator[File]:
    """The files that no folder has; `then` is called once what is fetched is there."""
    offline, main = config.extra["offline"], language(config) == "zh"

    def copies(folder: str, paths: list[Path]) -> Iterator[File]:
        for path in paths:
            yield File.generated(config, f"{folder}/{path.name}", abs_src_path=str(path))

    yield from copies("assets/katex", sorted(FONTS.glob("*.woff2")))
    start = (ROOT / "theme/templates" / START).read_text(encoding="utf-8")
    yield File.generated(config, START, content=FOR_PEOPLE.sub("", start))
    if offline:
        code = "".join(path.read_text(encoding="utf-8") for path in COPY_PARTS)
        yield File.generated(config, COPY, content=code.replace("export ", ""))
    contents = None if offline else python.contents()
    folder = config.extra["python"] = python.folder(contents) if contents else None
    sentences = model.files() if contents else []  # what it computes with is Python
    config.extra["model"] = f"{MODEL}/{sentences[0].name}" if sentences else None
    continuations = decoder.files() if contents else []
    config.extra["decoder"] = f"{DECODER}/{continuations[0].name}" if continuations else None
    if then:
        then()
    if main and not offline:
        yield from numbers(config)
    if main:
        yield from copies("assets/data", sorted((DOCS / "data").glob("*.json")))
        name, data = python.wheel()  # an address that stays; the runtime's has a hash in it
        yield File.generated(config, f"assets/{name}", content=data)
        for name, data in (contents or {}).items():
            yield File.generated(config, f"{folder}/{name}", content=data)
        if sentences:
            yield from copies(MODEL, sentences)
            licence = str(model.LICENCE)
            yield File.generated(config, f"{MODEL}/licence.txt", abs_src_path=licence)
        if continuations:
            yield from copies(DECODER, continuations)
            yield File.generated(config, f"{DECODER}/licence.txt", content=decoder.licence())


def numbers(config: MkDocsConfig) -> Iterator[File]:
    """Where the numbers of a page come from, for who asks; fetched when somebody does."""
    for path in sorted([*(DOCS / "zh").glob("*.md"), *(DOCS / "en").glob("*.md")]):
        if "](=" in path.read_text(encoding="utf-8"):
            answers_of = answers.text(path.stem, path.parent.name, config.repo_url)
            uri = f"assets/numbers/{path.parent.name}/{path.stem}.json"
            yield File.generated(config, uri, content=answers_of)
