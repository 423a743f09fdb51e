"""What was written by others and stands in the tree is named, licensed and unchanged."""

from __future__ import annotations

import hashlib
import json

from sources import ROOT

VENDOR = ROOT / "theme/vendor"
MANIFEST = json.loads((VENDOR / "manifest.json").read_text("utf-8"))


def test_every_vendored_file_has_the_hash_of_the_manifest() -> None:
    here = {
        path.relative_to(VENDOR).as_posix(): {
            "bytes": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }
    committed = [item for item in MANIFEST if "sources" not in item]
    named = {name: about for item in committed for name, about in item["files"].items()}
    assert here == named


def test_every_item_says_where_it_is_from() -> None:
    for item in MANIFEST:
        assert {"name", "version", "licence", "source", "files"} <= set(item)
        for about in item["files"].values():
            assert about["bytes"] > 0
            assert len(about["sha256"]) == 64
