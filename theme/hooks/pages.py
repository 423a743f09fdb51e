"""The page around the lesson: style sheets inlined, the theme's script late, a strict policy.

A first view costs one HTML file and the fonts of its formulas; theme/templates/main.html uses
what is offered here.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from pathlib import Path
from typing import Any, Literal

import jinja2
import material  # type: ignore[import-untyped]
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from place import OFFLINE, ROOT, is_main

MATERIAL = Path(material.__file__).parent / "templates"
KATEX = ROOT / "theme/vendor/katex"
OWN = ROOT / "theme/templates/assets/stylesheets/site.css"
# blob: a worker made from a blob keeps the policy of the page; one loaded from an
# address has none, and a static host sends none with it (assets/scripts/python.mjs).
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval' {hashes}; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; worker-src 'self' blob:; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)
serving = {"on": False}


def on_startup(command: Literal["build", "gh-deploy", "serve"], dirty: bool) -> None:
    serving["on"] = command == "serve"


def material_file(pattern: str) -> str:
    """The path of a file of the theme whose name carries a hash."""
    (found,) = MATERIAL.glob(pattern)
    return found.relative_to(MATERIAL).as_posix()


# Parts of the theme that no page here has; 11 KB of every first view.
KINDS = "abstract|bug|caution|danger|example|failure|info|quote|success|tip|warning"
UNUSED = re.compile(
    r"\.md-(?:annotation|author|banner|blog|consent|feedback|pagination|path|post|profile|social"
    r"|tabs|tag|version)|tabbed-|task-list|\.footnote|\.critic|\.keys|\.key-|\.mermaid|\.linenos?"
    rf"|linenodiv|\[dir=rtl\]|data-md-color-(?:primary|accent)|\.(?:{KINDS})\b"
)
UNUSED_ICON = re.compile(
    r"--md-(?:typeset-table-sort|path|post-pin|source-\w+|tag|annotation(?:-bg)?|version|footnotes"
    rf"|tabbed|tasklist|admonition(?=-icon--(?:{KINDS})))-icon[\w-]*:url\(\"[^\"]*\"\);?"
)


def without_unused(css: str) -> str:
    def rule(match: re.Match[str]) -> str:
        selectors = re.split(r",(?![^(]*\))", match[1])
        kept = ",".join(one for one in selectors if not UNUSED.search(one))
        return f"{kept}{{{match[2]}}}" if kept else ""

    css = re.sub(r"/\*.*?\*/", "", UNUSED_ICON.sub("", css), flags=re.S)
    css = re.sub(r"([^{}]+)\{([^{}]*)\}", rule, css)
    return re.sub(r"@media[^{}]*\{\}", "", css)


@functools.cache
def theme_styles() -> str:
    parts = [
        (MATERIAL / material_file(f"assets/stylesheets/{name}.*.min.css")).read_text(
            encoding="utf-8"
        )
        for name in ("main", "palette")
    ]
    katex = (KATEX / "katex.min.css").read_text(encoding="utf-8")
    katex = re.sub(r',url\([^)]*\.(?:woff|ttf)\) format\("\w+"\)', "", katex)
    katex = re.sub(
        r"@font-face\{[^}]*url\((fonts/[^)]*)\)[^}]*\}",
        lambda face: face[0] if (KATEX / face[1]).exists() else "",
        katex,
    )
    return "".join(
        [*map(without_unused, parts), katex.replace("font-display:block", "font-display:swap")]
    )


def styles(base_url: str) -> str:
    base = base_url.rstrip("/")  # of a 404 page it is "/"
    css = theme_styles().replace("url(fonts/", f"url({base}/assets/katex/")
    return css + re.sub(r"/\*.*?\*/\s*", "", OWN.read_text(encoding="utf-8"), flags=re.S)


def on_env(env: jinja2.Environment, config: MkDocsConfig, **_: Any) -> jinja2.Environment:
    config.extra_css = []  # mkdocstrings brings a style sheet; ours covers the little it needs
    env.globals.update(styles=styles, bundle=material_file("assets/javascripts/bundle.*.min.js"))
    return env


def on_files(files: Files, config: MkDocsConfig) -> Files:
    for font in sorted((KATEX / "fonts").glob("*.woff2")):
        files.append(File.generated(config, f"assets/katex/{font.name}", abs_src_path=str(font)))
    return files


def finish(html: str) -> str:
    """Allow exactly the inline scripts that stand on the page."""
    # Live reload brings an inline script of its own; under file:// no 'self' is known.
    if serving["on"] or OFFLINE:
        return html
    inline = re.findall(r"<script(?: data-base=\"[^\"]*\")?>(.*?)</script>", html, re.S)
    digests = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in inline]
    policy = POLICY.format(hashes=" ".join(f"'sha256-{d}'" for d in dict.fromkeys(digests)))
    tag = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    return html.replace('<meta charset="utf-8">', f'<meta charset="utf-8">{tag}', 1)


def on_page_content(html: str, config: MkDocsConfig, **_: Any) -> str:
    if is_main(config):  # a section of docstrings that mkdocstrings has no Chinese name for
        html = html.replace("<summary>Source</summary>", "<summary>出处</summary>")
    html = re.sub(r"</code>\s+\)(?=\s+–)", "</code>)", html)  # mkdocstrings: (int, default: -1 )
    # In a table a shape stays on one line, and so does a single Chinese word.
    html = re.sub(r"<td>\([\d, ]+\)</td>", lambda td: td[0].replace(", ", ",&nbsp;"), html)
    html = re.sub(r"<(t[dh])>(?=[一-鿿]{2,4}</t)", r'<\1 class="glue">', html)
    # What may scroll sideways must be reachable from the keyboard.
    scrolls = r'(<pre>(?:<span></span>)?<code|<table|<div class="arithmatex")([ >])'
    return re.sub(scrolls, r'\1 tabindex="0"\2', html)


def on_post_page(output: str, **_: Any) -> str:
    # The English name of the site is too long for a phone's header: its second half stays away.
    long = r'(md-ellipsis">\s*Q, K and V)(, understood)'
    output = re.sub(long, r'\1<span class="wide">\2</span>', output, count=1)
    return finish(output)


def on_post_template(output_content: str, template_name: str, **_: Any) -> str:
    return finish(output_content) if template_name.endswith(".html") else output_content
