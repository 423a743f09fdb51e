"""Take a page with you: Markdown beside every page, a notebook where it has snippets, llms.txt.

They are made from what the other hooks left of the page: includes expanded, citations resolved,
figures drawn.
"""

from __future__ import annotations

import ast
import base64
import inspect
import json
import posixpath
import pydoc
import re
import textwrap
from pathlib import Path
from typing import Any, cast
from urllib.parse import urljoin

import jinja2
from cells import cells
from extensions import about
from includes import INCLUDE
from mathematics import MACROS
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from place import OFFLINE, is_main
from runtime import wheel

from theme.extensions import citations, references
from theme.numbers import source as numbers

ADMONITION = re.compile(r'^(!!!|\?\?\?\+?) \w+ "(.*)"\n((?:(?: {4}.*)?\n)+)', re.M)
OBJECT = re.compile(r"^::: (\S+)$", re.M)
MACRO = re.compile(rf"(?:{'|'.join(map(re.escape, sorted(MACROS, reverse=True)))})(?![A-Za-z])")
LINK = re.compile(r"(?<=\]\()(?!https?:)[^)\s]+")
PIECE = re.compile(
    r"(?P<ticks>`+).*?(?P=ticks)"  # code: left alone
    r"|(?P<tex>\$\$.+?\$\$|(?<![\\$])\$[^$\n]+\$)"
    r'|!\[(?P<alt>[^\n]*?)\]\(figure:(?P<figure>[\w-]+)(?: "(?P<caption>[^"\n]*)")?\)'
    rf"|(?P<link>{LINK.pattern})"
    r'|(?P<mark> ?\{ ?(?:(?:[#.][\w-]+|[\w-]+=(?:"[^"\n]*"|\w+)) ?)+\}'
    r"|</?(?:article|span)\b[^>]*>|<p><button\b.*?</p>)",
    re.S,
)
DRAWING = re.compile(r'<figure class="drawing" id="figure-([\w-]+)">.*?(<svg.*?</svg>)', re.S)
PAPER = '<svg style="background:#fff;color:#1d2129;font-family:sans-serif"'
GITHUB = re.compile(r"https://github\.com/([\w.-]+/[\w.-]+?)(?:\.git)?/?$")
LLMS = "llms.txt"
COLAB = "https://colab.research.google.com/github"
INSTALL = """\
try:
    import qkv_docs
except ModuleNotFoundError:
    %pip install --quiet numpy {}"""
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
WORDS = {
    "from": ("出自", "From"),
    "needs": (
        "代码要用 NumPy 和本站的配套包 `qkv_docs`，没有的话由下一格装上。",
        "The code needs NumPy and this site's package `qkv_docs`; the next cell installs them "
        "where they are missing.",
    ),
    "figure": ("图", "Figure"),
    "take": ("带走这一页：", "Take this page with you: "),
    "notebook": ("Jupyter 笔记本", "Jupyter notebook"),
    "colab": ("在 Colab 里打开", "Open in Colab"),
    "llms": (
        "每一页的 Markdown：公式、代码和它的输出都在，图换成文字说明。代码和输出由测试保证一致。"
        "约定：一行一个向量，Q = X W_Q。",
        "Every page as Markdown, with its formulas, its code and output, and figures in words. "
        "Tests keep code and output true. A vector is a row: Q = X W_Q.",
    ),
    "placed": (
        "这份笔记本不知道网站的地址（生成网站时没有设 `SITE_URL`），里面的链接和配套包的路径"
        "都从它在网站文件夹里的位置算起。",
        " This notebook does not know the address of the site, which was built without `SITE_URL`: "
        "its links and the path of the package start from its own place in the site's folder.",
    ),
    "other": (
        "[English]({}): the same pages in English",
        "[中文]({}): the same pages in Chinese",
    ),
}


def unfold(match: re.Match[str]) -> str:
    """An admonition or a question: its title, bold, then its text; quoted where nothing breaks."""
    kind, title, body = match.groups()
    text = f"**{title}**\n\n{textwrap.dedent(body).strip()}"
    if kind == "!!!" and not re.search(r"```|\$\$", text):
        text = "\n".join(f"> {line}".rstrip() for line in text.splitlines())
    return f"{text}\n\n"


def unfold_object(match: re.Match[str]) -> str:
    """An object of the API page: its source, the bodies of functions left out."""
    (tree,) = ast.parse(inspect.getsource(cast(type, pydoc.locate(match[1])))).body
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.body = node.body[: 1 if ast.get_docstring(node) else 0] or [ast.Pass()]
    return f"### {match[1]}\n\n```python\n{ast.unparse(tree)}\n```"


def formula(tex: str) -> str:
    """A formula without this site's macros."""

    def expand(match: re.Match[str]) -> str:
        gap = " " if match.string[: match.start()][-1:].isalpha() else ""  # \bar\q: \bar q
        return gap + re.sub(r"\\htmlClass\{\w\}\{(.*)\}$", r"\1", MACROS[match[0]])

    return MACRO.sub(expand, tex)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    if is_main(config):  # an address that stays; the runtime's has a hash in it
        name, data = wheel()
        files.append(File.generated(config, f"assets/{name}", content=data))
    return files


def way(to: str, file: str, config: MkDocsConfig) -> str:
    """To `to` from `file`, which may leave the folder: by the site's address, where it is known."""
    if config.site_url and not OFFLINE:
        return urljoin(config.site_url, to)
    relative = posixpath.relpath(to, posixpath.dirname(file) or ".")
    return f"{relative}/" if to.endswith("/") else relative


def dump(notebook: dict[str, Any]) -> str:
    return json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"


def export(page: Page, config: MkDocsConfig, files: Files) -> str:
    """Write what goes beside a page, and say so at its end; returns its line for llms.txt."""
    words = {key: both[0 if is_main(config) else 1] for key, both in WORDS.items()}
    description = page.meta.get("description", "")
    here = page.file.src_uri
    twin = page.file.dest_uri.replace(".html", ".md")
    up = "" if is_main(config) else "../"

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
        notebook = json.loads(page.file.content_string)  # a page that is one itself
        for cell in notebook["cells"]:
            if cell["cell_type"] == "markdown":
                text = "".join(cell["source"])
                cell["source"] = LINK.sub(lambda link: address(link[0]), text)
        write(posixpath.join(posixpath.dirname(twin), posixpath.basename(here)), dump(notebook))
        return f"- [{page.title}]({way(page.url, LLMS, config)}): {description}"
    drawings = dict(DRAWING.findall(page.content))

    def plain(text: str, draw: bool) -> str:
        """Markdown that needs none of this site's extensions; figures drawn, or in words."""

        def put(match: re.Match[str]) -> str:
            name, alt, caption = match["figure"], match["alt"], match["caption"] or ""
            if name and draw:
                svg = drawings.get(name, "").replace("<svg", PAPER, 1)
                data = base64.b64encode(svg.encode()).decode()
                return f"![{alt}](data:image/svg+xml;base64,{data})\n\n{caption}"
            if name:
                return f"> **{words['figure']}** {caption}\n>\n> {alt}"
            if match["link"]:
                return address(match["link"])
            return formula(match["tex"]) if match["tex"] else "" if match["mark"] else match[0]

        return PIECE.sub(put, text)

    title, _, body = numbers.plain(page.markdown).strip().partition("\n")
    head = f"{title}\n\n{words['from']} [{config.site_name}: {page.title}]({address('')})"
    facts = about(page, config)
    body = "\n".join(references.listing(line, facts) for line in body.split("\n"))
    body = OBJECT.sub(unfold_object, f"{citations.linked(body, facts)}\n")
    body = citations.plain(body, facts)
    body = ADMONITION.sub(unfold, body)
    write(twin, plain(f"{head}\n{body}", draw=False))
    links = [f'<a href="{posixpath.basename(twin)}">Markdown</a>']

    includes = INCLUDE.finditer(page.file.content_string)
    if names := [m[3] for m in includes if m[2].endswith(".pycon")]:
        name = f"{Path(here).stem}.ipynb"
        path = posixpath.join(posixpath.dirname(twin), name)
        package = way(f"{up}assets/{wheel()[0]}", path, config)
        needs = words["needs"] + ("" if package.startswith("http") else words["placed"])
        made = cells(f"{head}\n\n{needs}\n{body}", names, INSTALL.format(package))
        for cell in made:
            if cell["cell_type"] == "markdown":
                cell["source"] = plain(cell["source"], draw=True)
        kind = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": KERNEL}}
        write(path, dump({**kind, "cells": made}))
        links.insert(0, f'<a href="{name}" download>{words["notebook"]}</a>')
        host, branch = GITHUB.match(config.repo_url or ""), config.extra.get("notebooks_branch")
        if host and branch and package.startswith("https:"):
            place = posixpath.join(host[1], "blob", branch, "" if is_main(config) else "en", path)
            links.append(f'<a href="{COLAB}/{place}">{words["colab"]}</a>')
    page.content += f'<p class="take" data-search-exclude>{words["take"]}{" · ".join(links)}</p>'
    return f"- [{page.title}]({way(twin, LLMS, config)}): {description}"


def on_env(env: jinja2.Environment, config: MkDocsConfig, files: Files) -> jinja2.Environment:
    """Every page was read: write what goes beside them, in the order of the navigation."""
    llms, other = (WORDS[key][0 if is_main(config) else 1] for key in ("llms", "other"))
    text, group = f"# {config.site_name}\n\n> {config.site_description}\n\n{llms}\n", ""
    home = files.get_file_from_path("index.md")
    page = home.page if home else None
    while page:
        title = str(page.parent.title if page.parent else page.title)
        text += f"\n## {title}\n\n" if title != group else ""
        text += f"{export(page, config, files)}\n"
        group, page = title, page.next_page
    theirs = way("en/llms.txt" if is_main(config) else "../llms.txt", LLMS, config)
    text += f"\n## Optional\n\n- {other.format(theirs)}\n"
    Path(config.site_dir, LLMS).write_text(text, encoding="utf-8", newline="\n")
    return env
