"""The style sheets of a page, inlined: a first view costs one HTML file and its fonts.

reduced.css holds the parts of Material's and KaTeX's that pages here use; `make styles` writes it
anew after an upgrade of either. site.css, this site's own, stands on top of it.
"""

from __future__ import annotations

import functools
import json
import re
from importlib.metadata import version
from pathlib import Path

from theme.extensions.page import ROOT

REDUCED = Path(__file__).with_name("reduced.css")
OWN = ROOT / "theme/templates/assets/stylesheets/site.css"
MADE_OF = (
    "/* Made by `make styles` from mkdocs-material {material} and KaTeX {katex} (both MIT). */"
)


def sources_now() -> str:
    """The first line of reduced.css, were it made now."""
    vendored = json.loads((ROOT / "theme/vendor/manifest.json").read_text(encoding="utf-8"))
    katex = next(one["version"] for one in vendored if one["name"] == "katex")
    return MADE_OF.format(material=version("mkdocs-material"), katex=katex)


def is_current() -> bool:
    return REDUCED.read_text(encoding="utf-8").startswith(f"{sources_now()}\n")


@functools.cache
def _reduced() -> str:
    return "".join(REDUCED.read_text(encoding="utf-8").splitlines()[1:])


def styles(base_url: str) -> str:
    """For a page from which `base_url` leads to the root of its language."""
    base = base_url.rstrip("/")  # of a 404 page it is "/"
    own = re.sub(r"/\*.*?\*/\s*", "", OWN.read_text(encoding="utf-8"), flags=re.S)
    own = re.sub(r"\s*([{};])\s*", r"\1", own)  # laid out for people
    return _reduced().replace("url(fonts/", f"url({base}/assets/katex/") + own
