"""Only a whole site is published: `make release SITE_URL=https://…/` builds it, then looks at it.

The folder is read as a host and a browser would read it. Each check below yields what is wrong, as
`file: what`; one fault is enough to refuse.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import posixpath
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser

ROOT = Path(__file__).parents[1]
REQUIRED = [
    *("index.html", "404.html", "sitemap.xml", "llms.txt"),
    *("en/index.html", "en/404.html", "en/sitemap.xml", "en/llms.txt"),
    *("sw.js", ".nojekyll"),
]
# Bytes. A page is its HTML and the script it brings, compressed; tests/test_site.py measures in a
# browser what else a first view loads.
PAGE, PAGE_WITHOUT_FIGURES, EVERYTHING = 150_000, 110_000, 100_000_000
FIGURE = re.compile(r'<svg[^>]*role="img".*?</svg>', re.S)
# What a policy may name besides 'none' and 'self': no other host, no text that becomes a script.
SOURCES = {
    "script-src": {"'wasm-unsafe-eval'"},
    "style-src": {"'unsafe-inline'"},
    "img-src": {"data:"},
    "font-src": {"data:"},
    "worker-src": {"blob:"},
}
NOT_FETCHED = {"canonical", "next", "prev", "alternate", "license"}  # kinds of <link>
FETCHED = "[src], [srcset], [poster], [data-src], [data-bundle], object[data], link, use, image"


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


@dataclass(frozen=True)
class Site:
    folder: Path
    address: str  # where it will be, with the slash at its end

    @cached_property
    def files(self) -> set[str]:
        paths = (path for path in self.folder.rglob("*") if path.is_file())
        return {path.relative_to(self.folder).as_posix() for path in paths}

    def read(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    def ending(self, *ends: str) -> list[str]:
        return sorted(name for name in self.files if name.endswith(ends))

    @cached_property
    def pages(self) -> dict[str, LexborHTMLParser]:
        return {name: LexborHTMLParser(self.read(name)) for name in self.ending(".html")}

    @cached_property
    def ids(self) -> dict[str, set[str | None]]:
        return {
            name: {node.attributes["id"] for node in tree.css("[id]")}
            for name, tree in self.pages.items()
        }

    @cached_property
    def markdown(self) -> dict[str, str]:
        """What is taken along: the Markdown of pages, notebooks and llms.txt, code left out."""
        texts = {name: self.read(name) for name in self.ending(".md", "llms.txt")}
        for name in self.ending(".ipynb"):
            cells = json.loads(self.read(name))["cells"]
            prose = ("".join(one["source"]) for one in cells if one["cell_type"] == "markdown")
            texts[name] = "\n\n".join(prose)
        return {name: re.sub(r"(`+).*?\1", "", text, flags=re.S) for name, text in texts.items()}

    def target(self, link: str, name: str) -> tuple[str, str] | None:
        """The file that `link` in the file `name` leads to, and the place there; None: away."""
        url, home = urlsplit(urljoin(self.address + name, link)), urlsplit(self.address)
        if (url.scheme, url.netloc) != (home.scheme, home.netloc):
            return None
        file = posixpath.relpath(unquote(url.path) or "/", home.path)
        if url.path.endswith("/"):
            file = posixpath.normpath(f"{file}/index.html")
        return file, unquote(url.fragment)

    @cached_property
    def links(self) -> list[tuple[str, str]]:
        """What a reader can follow: the file, and the link in it."""
        hypertext = [
            (name, node.attributes["href"] or "")
            for name, tree in self.pages.items()
            for node in tree.css("[href]")
        ]
        texts = [
            (name, link)
            for name, text in self.markdown.items()
            for link in re.findall(r"\]\(([^)\s]+)", text)
        ]
        wheels = [
            (name, address)
            for name in self.ending(".ipynb")
            for address in re.findall(r"%pip install .*? (\S+\.whl)", self.read(name))
        ]
        return hypertext + texts + wheels

    @cached_property
    def loads(self) -> list[tuple[str, str]]:
        """What a browser fetches without being asked: the file, and the address in it."""
        found = []
        for name, tree in self.pages.items():
            for node in tree.css(FETCHED):
                about = node.attributes
                if node.tag == "link" and NOT_FETCHED & set((about.get("rel") or "").split()):
                    continue
                for key in ("src", "poster", "data", "href", "data-src", "data-bundle"):
                    if address := about.get(key):
                        found.append((name, address))
                for candidate in (about.get("srcset") or "").split(","):
                    found += [(name, candidate.split()[0])] if candidate.strip() else []
            styles = [node.text() for node in tree.css("style")]
            styles += [node.attributes["style"] or "" for node in tree.css("[style]")]
            found += [(name, address) for style in styles for address in addresses_in(style)]
        for name in self.ending(".css"):
            found += [(name, address) for address in addresses_in(self.read(name))]
        return [(name, address) for name, address in found if not address.startswith("data:")]


def addresses_in(css: str) -> list[str]:
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.S)
    return re.findall(r"""(?:url\(|@import)\s*["']?([^"')\s]+)""", css)


def whole(site: Site) -> Iterator[str]:
    """Every part is there, in both languages, and no file was cut off."""
    for name in REQUIRED:
        if name not in site.files:
            yield f"{name}: is missing"
    for name in site.pages:
        if not site.read(name).rstrip().endswith("</html>"):
            yield f"{name}: ends in the middle"
        other = name.removeprefix("en/") if name.startswith("en/") else f"en/{name}"
        if other not in site.files:
            yield f"{name}: {other} is missing"
        twin = name.replace(".html", ".md")
        if twin not in site.files and "notebooks/" not in name and not name.endswith("404.html"):
            yield f"{name}: its Markdown, {twin}, is missing"
    for name in site.ending(".json", ".ipynb"):
        try:
            json.loads(site.read(name))
        except ValueError as error:
            yield f"{name}: {error}"


def python(site: Site) -> Iterator[str]:
    """Python for the browser, every file with its hash, and pages that know where it is."""
    start = {name: tree.css_first("script[data-python]") for name, tree in site.pages.items()}
    if without := [name for name, script in start.items() if script is None]:
        yield f"{without[0]}: knows no Python (pages: {len(without)}); could it not be fetched?"
    manifest = json.loads((ROOT / "theme/vendor/manifest.json").read_text(encoding="utf-8"))
    (pyodide,) = (item["files"] for item in manifest if item["name"] == "pyodide")
    folders = {
        site.target(script.attributes["data-python"] or "", name)
        for name, script in start.items()
        if script is not None
    }
    for found in folders:
        listing = found[0].replace("index.html", "files.json") if found else ""
        if listing not in site.files:
            yield f"{listing}: is missing"
            continue
        table = json.loads(site.read(listing))
        for name in [*pyodide, *table]:
            file = posixpath.join(posixpath.dirname(listing), name)
            wanted = {table.get(name, {}).get("sha256"), pyodide.get(name, table[name])["sha256"]}
            if file not in site.files:
                yield f"{file}: is missing"
            elif wanted != {sha256((site.folder / file).read_bytes()).hex()}:
                yield f"{file}: has another hash than it should"


def models(site: Site) -> Iterator[str]:
    """The models for a reader's own text, every file with its hash."""
    for kind, must in (("model", True), ("decoder", os.environ.get("QKV_DECODER") == "1")):
        # where there is no Python, that has been told
        start = {
            name: tree.css_first(f"script[data-{kind}]")
            for name, tree in site.pages.items()
            if tree.css_first("script[data-python]") is not None
        }
        without = [name for name, script in start.items() if script is None]
        if without and (must or len(without) < len(start)):
            yield f"{without[0]}: knows no {kind} (pages: {len(without)}); could it not be fetched?"
        for found in {
            site.target(script.attributes[f"data-{kind}"] or "", name)
            for name, script in start.items()
            if script is not None
        }:
            listing = found[0] if found else ""
            if listing not in site.files:
                yield f"{listing}: is missing"
                continue
            for about in json.loads(site.read(listing)).values():
                file = posixpath.join(posixpath.dirname(listing), about["file"])
                if file not in site.files:
                    yield f"{file}: is missing"
                elif about["sha256"] != sha256((site.folder / file).read_bytes()).hex():
                    yield f"{file}: has another hash than it should"


def links(site: Site) -> Iterator[str]:
    """Every link, and whatever a page loads, is a file of this folder; every anchor is in it."""
    for name, link in dict.fromkeys(site.links + site.loads):
        if not (found := site.target(link, name)):
            continue
        file, anchor = found
        if file not in site.files:
            yield f"{name}: {link} leads to no file"
        elif anchor and "=" not in anchor and anchor not in site.ids.get(file, {anchor}):
            yield f"{name}: {link}: there is no such place on that page"


def requests(site: Site) -> Iterator[str]:
    """Nothing is asked of another host before a reader follows a link."""
    for name, address in site.loads:
        if site.target(address, name) is None:
            yield f"{name}: loads {address}"


def policy(site: Site) -> Iterator[str]:
    """A strict Content-Security-Policy, before all else, under which the page's own scripts run."""
    for name, tree in site.pages.items():
        metas = tree.css("meta[http-equiv='Content-Security-Policy']")
        before = re.split(r"<(?:script|style|link|img)\b", site.read(name), maxsplit=1)[0]
        if len(metas) != 1 or "Content-Security-Policy" not in before:
            yield f"{name}: no Content-Security-Policy at its head"
            continue
        parts = (metas[0].attributes["content"] or "").split(";")
        said = {words[0]: set(words[1:]) for words in map(str.split, parts) if words}
        if said.get("default-src") != {"'none'"}:
            yield f"{name}: the policy must begin with default-src 'none'"
        for kind, sources in said.items():
            hashes = {one for one in sources if kind == "script-src" and one[:8] == "'sha256-"}
            for source in sources - hashes - {"'none'", "'self'"} - SOURCES.get(kind, set()):
                yield f"{name}: the policy allows {kind} {source}"
        for script in tree.css("script:not([src]):not([type])"):
            digest = base64.b64encode(sha256((script.inner_html or "").encode())).decode()
            if f"'sha256-{digest}'" not in said.get("script-src", set()):
                yield f"{name}: the policy stops the script {(script.inner_html or '')[:40]!r}"
        for node in tree.css("*"):
            for key, value in node.attributes.items():
                if key.startswith("on") or (value or "").startswith("javascript:"):
                    yield f"{name}: the policy stops {key}={value!r}"


def offline(site: Site) -> Iterator[str]:
    """sw.js lists this very release: each file with its hash, and all that pages ask for."""
    text = site.read("sw.js") if "sw.js" in site.files else ""
    if not (found := re.search(r"FILES = (\{.*\});\n", text)):
        yield "sw.js: has no list of files"
        return
    listed = {
        f"{address}index.html" if address.endswith("/") or not address else address: about
        for address, about in json.loads(found[1]).items()
    }
    for name, (_, digest) in listed.items():
        if name not in site.files:
            yield f"sw.js: lists {name}, which is not there"
        elif digest != sha256((site.folder / name).read_bytes()).hex():
            yield f"sw.js: {name} has changed since it was listed"
    targets = {site.target(link, name) for name, link in site.links + site.loads}
    asked = {target[0] for target in targets if target}
    asked |= {name for name in site.ending(".mjs") if "/scripts/" in name or "/python/" in name}
    for name in sorted((asked | set(site.pages)) & site.files - set(listed)):
        yield f"sw.js: does not list {name}"


def budgets(site: Site) -> Iterator[str]:
    """A page is light, and all of it fits on a phone, but for the decoder."""
    for name, tree in site.pages.items():
        text = site.read(name)
        scripts = (site.target(one.attributes["src"] or "", name) for one in tree.css("[src]"))
        paths = (site.folder / found[0] for found in scripts if found)
        brings = sum(len(gzip.compress(path.read_bytes(), 6)) for path in paths if path.exists())
        for what, html, budget in (
            ("", text, PAGE),
            (" without its figures", FIGURE.sub("", text), PAGE_WITHOUT_FIGURES),
        ):
            if (size := len(gzip.compress(html.encode(), 6)) + brings) > budget:
                yield f"{name}: {size} bytes compressed{what}, at most {budget}"
    fetched = {name for name in site.files if not name.startswith("assets/decoder/")}
    if (size := sum((site.folder / name).stat().st_size for name in fetched)) > EVERYTHING:
        yield f"{site.folder.name}/: {size} bytes, at most {EVERYTHING}"


def addresses(site: Site) -> Iterator[str]:
    """Where the site is, is said the same everywhere, and nobody's own machine is named."""
    local = re.compile(r"https?://(?:127\.0\.0\.1|localhost|0\.0\.0\.0)[:/][^\s\"')<]*")
    for name in site.ending(".html", ".md", ".ipynb", ".txt", ".xml"):
        for found in sorted(set(local.findall(site.read(name)))):
            if not found.startswith(site.address):
                yield f"{name}: names {found}"
    lessons = {name for name in site.pages if not name.endswith("404.html")}
    for name in lessons:
        canonical = site.pages[name].css_first("link[rel=canonical]")
        href = canonical.attributes["href"] if canonical else None
        if href != urljoin(site.address, name.removesuffix("index.html")):
            yield f"{name}: its canonical address is {href}"
    for name in {"sitemap.xml", "en/sitemap.xml"} & site.files:
        located = re.findall(r"<loc>(.*?)</loc>", site.read(name))
        files = {found[0] for one in located if (found := site.target(one, name))}
        language = {one for one in lessons if one.startswith("en/") == name.startswith("en/")}
        if missing := language ^ files:
            yield f"{name}: {', '.join(sorted(missing))}: a page and its entry belong together"


CHECKS: list[Callable[[Site], Iterator[str]]] = [
    *(python, models, links, requests, policy, offline, budgets, addresses)
]


def faults(folder: Path, address: str) -> list[str]:
    site = Site(folder, address)
    if missing := list(whole(site)):  # what is cut off cannot be read any further
        return missing
    return [fault for check in CHECKS for fault in check(site)]


def main() -> None:
    address = os.environ.get("SITE_URL", "").rstrip("/") + "/"
    if not re.match(r"https?://[^/]", address):
        sys.exit("Where will the site be? make release SITE_URL=https://example.org/path/")
    os.environ.setdefault("QKV_DECODER", "1")  # theme/site/decoder.py
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "site").resolve()
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    settings = {name: value for name, value in os.environ.items() if name != "OFFLINE"}
    settings["SITE_URL"] = address
    if subprocess.run(build, cwd=ROOT, env=settings, check=False).returncode:
        sys.exit("Not to be published: the build failed.")
    if found := faults(folder, address):
        print(*found, sep="\n", file=sys.stderr)
        sys.exit(f"{folder} is not to be published. Faults: {len(found)}")
    print(f"{folder} may be published at {address}")


if __name__ == "__main__":
    main()
