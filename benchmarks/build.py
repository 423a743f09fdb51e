"""How long who writes waits: the strict build, `mkdocs serve`, and an edit, beside plain Material.

    .venv/bin/python benchmarks/build.py [--rounds 5] [--tree ../another-checkout]

Plain Material builds the same pages, of each language by itself, with the theme's own search,
mkdocstrings and mkdocs-jupyter and none of this site's code: includes stand in its Markdown,
formulas stay TeX, figures images, numbers and citations text. Its server has one language. All are
measured in turn, with what a former build has cached; medians. Seconds are this machine's, ratios
of the processor's time hold where it is busy.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from theme.exports.plain import expanded  # noqa: E402
from theme.extensions import includes  # noqa: E402
from theme.extensions.page import Page  # noqa: E402

PLAIN = """\
INHERIT: {root}/mkdocs{suffix}.yml
docs_dir: {language}
hooks: []
extra: {{alternate: []}}
watch: []
theme: {{custom_dir: nothing}}
plugins:
  search: {{lang: {language}}}
  mkdocs-jupyter: {{include: ["*.ipynb"], ignore: ["*.md"], execute: false}}
  mkdocstrings: {{handlers: {{python: {{paths: ["{root}"]}}}}}}
"""
MASK = 'def causal_mask(n_q: int, n_k: int | None = None) -> BoolArray:\n    """'
# What is edited, what is put before what, and a page where it must be seen.
EDITS = {
    "a page": ("docs/zh/masks.md", "\n## ", "\nEDITED\n\n## ", "masks/"),
    "an example": ("docs/examples/masks.pycon", "[input]\n", "[input]\n>>> EDITED = 1\n", "masks/"),
    "a docstring of the package": ("qkv_docs/attention.py", '    """', '    """EDITED. ', "api/"),
    "the package": ("qkv_docs/masks.py", MASK, f"EDITED = 0\n\n\n{MASK}EDITED. ", "api/"),
    "what the package draws": (
        "qkv_docs/drawing.py",
        "<svg ",
        '<svg data-edited="EDITED" ',
        "masks/",
    ),
}
times: dict[str, list[float]] = defaultdict(list)


def plain(folder: Path) -> None:
    """The same pages for plain Material."""
    (folder / "nothing").mkdir(parents=True)  # in the place of this site's templates
    for language, suffix in {"zh": "", "en": ".en"}.items():
        shutil.copytree(ROOT / "docs" / language, folder / language)
        for path in (folder / language).glob("*.md"):
            page = Page(path.stem, language, ROOT / "docs" / language / path.name)
            text = includes.expand(expanded(path.read_text("utf-8"), page), page)
            path.write_text(text if path.stem != "api" else page.path.read_text("utf-8"), "utf-8")
        about = PLAIN.format(root=ROOT, suffix=suffix, language=language)
        (folder / f"{language}.yml").write_text(about, "utf-8")


def run(tree: Path, *options: str) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", *options]
    done = subprocess.run(command, cwd=tree, env=environment(tree), capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)


def environment(tree: Path) -> dict[str, str]:
    return {**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(tree)}


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Seconds on the clock, and of the processor by the processes that ended."""

    def spent() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    start, processor = time.perf_counter(), spent()
    yield
    times[what].append(time.perf_counter() - start)
    times[f"{what}, processor"].append(spent() - processor)


class Server:
    """`mkdocs serve` in a tree of its own."""

    def __init__(self, tree: Path, config: str = "mkdocs.yml") -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.tree, self.url = tree, f"http://127.0.0.1:{port}/"
        command = [sys.executable, "-m", "mkdocs", "serve", "--quiet", "--config-file", config]
        self.command = [*command, "--dev-addr", f"127.0.0.1:{port}"]

    @contextmanager
    def up(self, what: str) -> Iterator[None]:
        with timed(what):
            process = subprocess.Popen(self.command, cwd=self.tree, env=environment(self.tree))
            self.wait("", "</html>")
        yield
        process.terminate()
        process.wait()

    def wait(self, path: str, text: str) -> None:
        while True:
            try:
                with urllib.request.urlopen(self.url + path) as response:
                    if text in response.read().decode():
                        return
            except OSError:
                pass  # not up yet
            time.sleep(0.02)

    def edit(self, what: str, file: str, old: str, new: str, path: str) -> None:
        source = self.tree / file
        text = source.read_text("utf-8")
        mark = f"EDITED_{len(times)}_{time.time_ns()}"
        with timed(f"{what}, edited and seen"):
            source.write_text(text.replace(old, new.replace("EDITED", mark), 1), "utf-8")
            self.wait(path, mark)


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--tree", type=Path, default=ROOT, help="whose build is measured")
    options = options.parse_args()
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)
    # What a server builds behind may go on for a moment after its end.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        ours, peer, site = Path(folder, "ours"), Path(folder, "peer"), Path(folder, "site")
        ignored = shutil.ignore_patterns("__pycache__")
        for name in ("benchmarks", "docs", "theme", "qkv_docs"):
            shutil.copytree(options.tree / name, ours / name, ignore=ignored)
        for name in ("mkdocs.yml", "mkdocs.en.yml", "pyproject.toml"):
            shutil.copy(options.tree / name, ours)
        plain(peer)
        builds = {
            "strict build, both languages": lambda: run(ours, "--strict", "-d", str(site)),
            "plain Material, both languages": lambda: [
                run(peer, "-f", f"{language}.yml", "-d", str(site)) for language in ("zh", "en")
            ],
        }
        for build in builds.values():  # fills the caches
            build()
        for _ in range(options.rounds):
            for what, build in builds.items():
                with timed(what):
                    build()
        for _ in range(options.rounds):
            shutil.rmtree(ours / ".cache/serve", ignore_errors=True)
            server = Server(ours)
            with server.up("serve, first start"):
                pass
            with server.up("serve, second start"):
                server.wait("masks/", "</html>")
                time.sleep(2 * times["strict build, both languages"][-1])  # it comes to rest
                for name, edit in EDITS.items():
                    server.edit(name, *edit)
            server = Server(peer, "zh.yml")
            with server.up("plain Material serve, one language"):
                server.edit(
                    "a page of plain Material, one language", "zh/masks.md", *EDITS["a page"][1:]
                )
    print("\n| | median, s | processor, s |\n| --- | --- | --- |")
    for what in [name for name in times if not name.endswith(", processor")]:
        processor = statistics.median(times[f"{what}, processor"])
        used = f"{processor:.1f}" if "build" in what or "both" in what else ""
        print(f"| {what} | {statistics.median(times[what]):.1f} | {used} |")
    for kind in ("", ", processor"):
        one, other = (statistics.median(times[f"{what}{kind}"]) for what in builds)
        print(f"strict build / plain Material{kind}: {one / other:.2f}")


if __name__ == "__main__":
    main()
