"""Beside every page its Markdown, and a notebook where it has snippets; llms.txt lists them."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

from theme.exports.notebook import has_code, installation, needs, notebook
from theme.exports.plain import LINK, expanded, plain
from theme.extensions.figures import sources
from theme.site.languages import language
from theme.site.pages import about
from theme.site.python import wheel_name

GITHUB = re.compile(r"https://github\.com/([\w.-]+/[\w.-]+?)(?:\.git)?/?$")
LLMS = "llms.txt"
COLAB = "https://colab.research.google.com/github"
WORDS = {
    "from": {"zh": "出自", "en": "From"},
    "colon": {"zh": "：", "en": ": "},
    "take": {"zh": "下载这一页：", "en": "Download this page: "},
    "notebook": {"zh": "Jupyter 笔记本", "en": "Jupyter notebook"},
    "colab": {"zh": "在 Colab 里打开", "en": "Open in Colab"},
    "llms": {
        "zh": "每一页的 Markdown：公式、代码和它的输出都在，图换成文字说明。"
        "代码和输出由测试保证一致。约定：一行一个向量，Q = X W_Q。",
        "en": "Every page as Markdown, with its formulas, its code and output, and figures in "
        "words. Tests keep code and output true. A vector is a row: Q = X W_Q.",
    },
    "other": {
        "zh": "[English]({}): the same pages in English",
        "en": "[中文]({}): the same pages in Chinese",
    },
}


def way(to: str, file: str, config: MkDocsConfig) -> str:
    """To `to` from `file`, which may leave the folder: by the site's address, where it is known."""
    if config.site_url and not config.extra["offline"]:
        return urljoin(config.site_url, to)
    relative = posixpath.relpath(to, posixpath.dirname(file) or ".")
    return f"{relative}/" if to.endswith("/") else relative


def dump(notebook: dict[str, Any]) -> str:
    return json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"


def export(page: Page, config: MkDocsConfig, files: Files) -> str:
    """Write what goes beside a page, and say so at its end; returns its line for llms.txt."""
    words = {key: both[language(config)] for key, both in WORDS.items()}
    description = page.meta.get("description", "")
    here = page.file.src_uri
    twin = page.file.dest_uri.replace(".html", ".md")
    up = {"zh": "", "en": "../"}[language(config)]

    def address(link: str) -> str:
        path, mark, anchor = link.partition("#")
        uri = posixpath.normpath(posixpath.join(posixpath.dirname(here), path)) if path else here
        target = files.get_file_from_path(uri)
        return way(target.url, twin, config) + mark + anchor if target else link

    def write(uri: str, text: str) -> None:
        path = Path(config.site_dir, uri)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")

    if page.markdown is None or page.content is None or not here.endswith(".md"):
        itself = json.loads(page.file.content_string)  # a page that is a notebook
        for cell in itself["cells"]:
            if cell["cell_type"] == "markdown":
                cell["source"] = LINK.sub(lambda link: address(link[0]), "".join(cell["source"]))
        path = posixpath.join(posixpath.dirname(twin), posixpath.basename(here))
        if any("qkv_docs" in "".join(cell["source"]) for cell in itself["cells"]):
            package = way(f"{up}assets/{wheel_name()}", path, config)
            itself["cells"][1:1] = installation(language(config), package)
        write(path, dump(itself))
        return f"- [{page.title}]({way(page.url, LLMS, config)}): {description}"

    facts = about(page, config)
    title, _, body = page.markdown.strip().partition("\n")
    name = f"{config.site_name}{words['colon']}{page.title}"
    head = f"{title}\n\n{words['from']} [{name}]({address('')})"
    body = expanded(f"{body}\n", facts)
    write(twin, plain(f"{head}\n{body}", facts, address))
    links = [f'<a href="{posixpath.basename(twin)}">Markdown</a>']

    if has_code(body):
        name = f"{Path(here).stem}.ipynb"
        path = posixpath.join(posixpath.dirname(twin), name)
        package = way(f"{up}assets/{wheel_name()}", path, config)
        drawn_from = sources()
        made = notebook(
            f"{head}\n\n{needs(facts.language, package)}\n{body}",
            facts,
            package,
            lambda text: plain(text, facts, address, drawn_from),
        )
        write(path, dump(made))
        links.insert(0, f'<a href="{name}" download>{words["notebook"]}</a>')
        host, branch = GITHUB.match(config.repo_url or ""), config.extra.get("notebooks_branch")
        if host and branch and package.startswith("https:"):
            folder = {"zh": "", "en": "en"}[facts.language]
            place = posixpath.join(host[1], "blob", branch, folder, path)
            links.append(f'<a href="{COLAB}/{place}">{words["colab"]}</a>')
    line = words["take"] + "&nbsp;· ".join(links)
    page.content += f'<p class="take" data-search-exclude>{line}</p>'
    return f"- [{page.title}]({way(twin, LLMS, config)}): {description}"


def in_order(files: Files) -> Iterator[Page]:
    """The pages in the order of the navigation."""
    home = files.get_file_from_path("index.md")
    page = home.page if home else None
    while page:
        yield page
        page = page.next_page


def write(config: MkDocsConfig, files: Files) -> None:
    llms, other = (WORDS[key][language(config)] for key in ("llms", "other"))
    text, group = f"# {config.site_name}\n\n> {config.site_description}\n\n{llms}\n", ""
    for page in in_order(files):
        title = str(page.parent.title if page.parent else page.title)
        text += f"\n## {title}\n\n" if title != group else ""
        text += f"{export(page, config, files)}\n"
        group = title
    theirs = way({"zh": "en/llms.txt", "en": "../llms.txt"}[language(config)], LLMS, config)
    text += f"\n## Optional\n\n- {other.format(theirs)}\n"
    Path(config.site_dir, LLMS).write_text(text, encoding="utf-8", newline="\n")
