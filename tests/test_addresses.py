"""What was once published stays: tests/addresses.txt lists pages, anchors and files of the site.

Others link to them. A page may move; then its old address leads to the new one, and what stands
behind the `#` is still there. Lines are only ever added.
"""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from sources import ROOT

ADDRESSES = (ROOT / "tests/addresses.txt").read_text(encoding="utf-8").split()
TARGET = re.compile(r'\s(?:id|name)="([^"]+)"')


@pytest.mark.usefixtures("root")
def test_old_addresses_still_lead_somewhere(site: Path) -> None:
    targets: dict[str, set[str]] = {}
    lost = []
    for address in ADDRESSES:
        path, _, anchor = address[1:].partition("#")
        file = site / path / "index.html" if path.endswith("/") or not path else site / path
        if not file.is_file():
            lost.append(address)
        elif anchor:
            if path not in targets:
                targets[path] = set(map(html.unescape, TARGET.findall(file.read_text("utf-8"))))
            if anchor not in targets[path]:
                lost.append(address)
    assert not lost, f"these led somewhere once: {lost}"
