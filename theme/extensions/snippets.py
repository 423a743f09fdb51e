"""A `pycon` fence that holds a section of an example file is a snippet, and keeps its name.

Under it stands a bar: Run, Edit, Reset, Copy, Share, and a place for what comes of it. The buttons
stand in the built page, so that nothing moves when a script arrives;
theme/templates/assets/scripts/start.js answers them.
"""

from __future__ import annotations

import functools
import re
from html import escape

import pygments
from markdown import Markdown
from markdown.preprocessors import Preprocessor
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonConsoleLexer

from theme import cache
from theme.extensions.includes import included
from theme.extensions.page import Page, PageExtension

SNIPPET = re.compile(
    r'^(?P<indent> *)(?P<fence>`{3,})pycon\n *--8<-- "(?P<file>[^":]+\.pycon):(?P<name>[^"]+)"\n'
    r" *(?P=fence)$",
    re.M,
)
LABELS = {
    "run": {"zh": "运行", "en": "Run"},
    "edit": {"zh": "编辑", "en": "Edit"},
    "reset": {"zh": "还原", "en": "Reset"},
    "copy": {"zh": "复制", "en": "Copy"},
    "share": {"zh": "分享", "en": "Share"},
}
EDITED = {"reset", "share"}  # shown once there is an edit
WITHOUT_PYTHON = {
    "": {"zh": "", "en": ""},
    "not fetched": {
        "zh": "构建时取不到浏览器里的 Python，所以这里不能运行；代码可以复制。",
        "en": "The Python for the browser could not be had when this site was built, so snippets "
        "cannot run here; they can be copied.",
    },
    "folder": {
        "zh": "这是离线版：浏览器不能从文件夹里启动 Python，所以这里不能运行；代码可以复制。",
        "en": "This is the offline copy: a browser cannot start Python from a folder, so snippets "
        "cannot run here; they can be copied.",
    },
}


@functools.cache
def highlighted(code: str) -> str:
    """As the fences of other code are, with a button of its own in the bar."""

    def make() -> str:
        return str(highlight(code, PythonConsoleLexer(), HtmlFormatter(nowrap=True)))

    marked = cache.kept(make, f"Pygments {pygments.__version__}", code)
    kind = "language-pycon highlight no-copy"
    return f'<div class="{kind}"><pre><span></span><code>{marked}</code></pre></div>'


def bar(language: str, without_python: str = "") -> str:
    kinds = ["copy"] if without_python else list(LABELS)
    buttons = "".join(
        f'<button type="button" data-do="{kind}"{" hidden" if kind in EDITED else ""}>'
        f"{LABELS[kind][language]}</button>"
        for kind in kinds
    )
    note = WITHOUT_PYTHON[without_python][language]
    return f'<div class="snippet__bar">{buttons}<span role="status">{note}</span></div>'


def framed(name: str, block: str, page: Page, alone: bool = False) -> str:
    """The HTML of a snippet: its name stays with it, down to the reader's Run.

    What stands alone runs without the snippets above it.
    """
    about = f'data-page="{page.name}.md" data-name="{escape(name)}"{" data-alone" if alone else ""}'
    below = bar(page.language, page.without_python)
    return f'<div class="snippet" {about}>{block}{below}</div>'


class Snippets(PageExtension):
    def extendMarkdown(self, md: Markdown) -> None:
        step = Fences(md)
        step.page = self.page
        md.preprocessors.register(step, "snippets", 27)  # before other includes are expanded


class Fences(Preprocessor):
    page: Page

    def run(self, lines: list[str]) -> list[str]:
        def put(match: re.Match[str]) -> str:
            code = included(match["file"], match["name"], self.page)
            if code is None:
                return match[0]
            block = self.md.htmlStash.store(framed(match["name"], highlighted(code), self.page))
            return f"\n{match['indent']}{block}\n"

        return SNIPPET.sub(put, "\n".join(lines)).split("\n")
