"""Every page of the built site, as the Nu HTML checker reads it.

It is a Java archive, vnu.jar of the npm package vnu-jar; QKV_VNU says where it lies.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

JAR = os.environ.get("QKV_VNU", "")
# What it does not know yet: a size in terms of the box around, in every browser since 2023.
NOT_KNOWN_YET = re.compile(r"^CSS: “container(-type)?”: ")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (JAR and shutil.which("java")),
        reason="no Nu HTML checker: QKV_VNU=…/vnu.jar, and java on the path",
    ),
]


def complaints(*places: Path) -> list[str]:
    command = ["java", "-Xss4m", "-jar", JAR, "--exit-zero-always", "--errors-only"]
    command += ["--format", "json", "--skip-non-html", *map(str, places)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [
        f"{one['url']}:{one.get('lastLine')}: {one['message']}"
        for one in json.loads(done.stderr)["messages"]
        if not NOT_KNOWN_YET.match(one["message"])
    ]


def test_it_complains_of_what_is_wrong(tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    page.write_text('<!doctype html><html lang="en"><title>t</title><p id="a"><p id="a">')
    (complaint,) = complaints(page)
    assert "Duplicate ID" in complaint


def test_nothing_is_wrong_with_any_page(site: Path) -> None:
    assert not complaints(site)
