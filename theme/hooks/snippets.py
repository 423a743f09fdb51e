"""A bar under every snippet: Run, Edit, Reset, Copy, Share, and a place for what comes of it.

The buttons stand in the built page, so that nothing moves when a script arrives;
theme/templates/assets/scripts/start.js answers them.
"""

from __future__ import annotations

import itertools
import re
from typing import Any

from includes import INCLUDE
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.pages import Page
from place import OFFLINE, is_main

BLOCK = re.compile(r'<div class="language-pycon highlight">.*?</pre></div>', re.S)
LABELS = {
    "run": ("运行", "Run"),
    "edit": ("编辑", "Edit"),
    "reset": ("还原", "Reset"),
    "copy": ("复制", "Copy"),
    "share": ("分享", "Share"),
}
EDITED = {"reset", "share"}  # shown once there is an edit
NO_PYTHON = (
    "构建时取不到浏览器里的 Python，所以这里不能运行；代码可以复制。",
    "The Python for the browser could not be had when this site was built, so snippets cannot run "
    "here; they can be copied.",
)
FROM_A_FOLDER = (
    "这是离线版：浏览器不能从文件夹里启动 Python，所以这里不能运行；代码可以复制。",
    "This is the offline copy: a browser cannot start Python from a folder, so snippets cannot run "
    "here; they can be copied.",
)


def on_page_content(html: str, page: Page, config: MkDocsConfig, **_: Any) -> str:
    language = 0 if is_main(config) else 1
    source = page.file.content_string
    names = [m[3] for m in INCLUDE.finditer(source) if m[2].endswith(".pycon")]
    number = itertools.count()
    kinds = list(LABELS) if config.extra["python"] else ["copy"]

    def put(match: re.Match[str]) -> str:
        n = next(number)  # an example of a docstring has no section: it stands alone
        about = f'data-name="{names[n]}"' if n < len(names) else f'data-name="{n}" data-alone'
        buttons = "".join(
            f'<button type="button" data-do="{kind}"{" hidden" if kind in EDITED else ""}>'
            f"{LABELS[kind][language]}</button>"
            for kind in kinds
        )
        why = FROM_A_FOLDER if OFFLINE else NO_PYTHON
        note = "" if config.extra["python"] else why[language]
        block = match[0].replace("highlight", "highlight no-copy", 1)
        return (
            f'<div class="snippet" data-page="{page.file.src_uri}" {about}>{block}'
            f'<div class="snippet__bar">{buttons}<span role="status">{note}</span></div></div>'
        )

    return BLOCK.sub(put, html)
