"""The files of the browser's Python: fetched from where they can be had, trusted by hash alone."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from sources import ROOT

from theme.site import python
from theme.site.python import fetch, lock, vendored, wheel

GOOD = b"what the manifest names"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def manifest(tmp_path: Path, *sources: bytes | None) -> dict[str, Any]:
    """One file, a.bin, and sources that have these bytes for it, or (None) do not have it."""
    for n, data in enumerate(sources):
        (tmp_path / str(n)).mkdir()
        if data is not None:
            (tmp_path / str(n) / "a.bin").write_bytes(data)
    urls = [{"url": f"{(tmp_path / str(n)).as_uri()}/{{file}}"} for n in range(len(sources))]
    files = {"a.bin": {"bytes": len(GOOD), "sha256": sha256(GOOD)}}
    return {"name": "x", "sources": urls, "files": files}


def test_a_file_is_taken_from_the_first_source_that_has_it_unchanged(
    tmp_path: Path, cache: Path
) -> None:
    found = fetch(manifest(tmp_path, None, b"something else", GOOD, b"never asked"), cache)
    assert found is not None
    assert found["a.bin"].read_bytes() == GOOD
    assert [path.name for path in cache.iterdir()] == [sha256(GOOD)]


def test_what_is_there_is_not_fetched_again(tmp_path: Path, cache: Path) -> None:
    cache.mkdir()
    (cache / sha256(GOOD)).write_bytes(GOOD)
    assert fetch(manifest(tmp_path), cache) == {"a.bin": cache / sha256(GOOD)}


def test_a_file_that_was_damaged_in_the_cache_is_fetched_again(tmp_path: Path, cache: Path) -> None:
    cache.mkdir()
    (cache / sha256(GOOD)).write_bytes(GOOD[:-1])
    found = fetch(manifest(tmp_path, GOOD), cache)
    assert found is not None
    assert found["a.bin"].read_bytes() == GOOD
    (cache / sha256(GOOD)).write_bytes(GOOD[:-1])
    assert fetch({**manifest(tmp_path), "sources": []}, cache) is None


def test_without_a_source_there_is_none_and_it_is_said(
    tmp_path: Path, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        assert fetch(manifest(tmp_path, None, b"something else"), cache) is None
    assert "Run is left out: a.bin could not be fetched" in caplog.text
    assert not list(cache.iterdir())


def test_a_folder_of_the_files_is_asked_before_any_host(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where every host is gone, and an old copy of the site is at hand."""
    folder = tmp_path / "an old {copy} of 100 % 网站"
    folder.mkdir()
    (tmp_path / "theme/vendor").mkdir(parents=True)
    item = {**manifest(tmp_path, b"something else"), "name": "pyodide"}
    (tmp_path / "theme/vendor/manifest.json").write_text(json.dumps([item]), "utf-8")
    monkeypatch.setattr("theme.site.python.ROOT", tmp_path)
    monkeypatch.setattr("theme.site.python.CACHE", cache)
    monkeypatch.setenv("QKV_PYTHON_FILES", str(folder))
    for data, good in ((None, False), (GOOD[:-1], False), (GOOD, True)):
        if data is not None:
            (folder / "a.bin").write_bytes(data)
        assert (vendored.__wrapped__() is not None) == good


def test_what_a_host_that_compresses_sends_of_it() -> None:
    """The manifest says it, so that no build compresses 11 MB to know; zlibs differ a little."""
    contents = python.contents()
    if contents is None:
        pytest.skip("Python for the browser could not be fetched (theme/site/python.py)")
    for name, about in json.loads(contents["files.json"]).items():
        assert about["bytes"] == len(contents[name])
        if about["compressed"] != about["bytes"]:
            sent = len(gzip.compress(contents[name], 6))
            assert about["compressed"] == pytest.approx(sent, rel=0.02), name
        else:  # what is large is compressed already, or hosts do not know its type
            assert not name.endswith((".js", ".mjs", ".wasm"))


def test_the_wheel_is_the_package_of_this_tree_and_the_same_every_time() -> None:
    name, data = wheel()
    assert (name, data) == wheel()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        modules = {name for name in archive.namelist() if name.startswith("qkv_docs/")}
        names = ("pretrained.npz", "pretrained-licence.txt")
        names += ("pretrained-group.npz", "pretrained-group-licence.txt")
        excerpt = {f"qkv_docs/{name}" for name in names}
        python = {f"qkv_docs/{path.name}" for path in (ROOT / "qkv_docs").glob("*.py")}
        assert modules == python | excerpt
        assert (
            archive.read("qkv_docs/attention.py") == (ROOT / "qkv_docs/attention.py").read_bytes()
        )


def test_the_lock_file_names_both_packages_by_hash() -> None:
    name, data = wheel()
    numpy = "numpy-2.0.2-cp312-cp312-pyodide_2024_0_wasm32.whl"
    packages = json.loads(lock({name: data, numpy: b"n", "session.py": b""}))["packages"]
    assert set(packages) == {"numpy", "qkv-docs"}
    assert packages["qkv-docs"]["sha256"] == sha256(data)
    assert packages["qkv-docs"]["depends"] == ["numpy"]
    assert (packages["numpy"]["version"], packages["numpy"]["sha256"]) == ("2.0.2", sha256(b"n"))
