"""What the first Run of a page costs: requests, bytes, and time beside a bare Pyodide page.

    .venv/bin/python benchmarks/first_run.py

Builds the site, serves it on this machine and presses Run in Chromium. The bare page starts the
same Pyodide with the same two packages in a worker, and runs the same code: no check, no progress,
no session. Both in turn, each first every other time: medians and, where the machine is busy with
other things, the better guide, the quickest of ROUNDS. Ratios, because times are this machine's.
"""

from __future__ import annotations

import functools
import gzip
import http.server
import os
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from browsing import CHROMIUM, FLAGS, Handler, wake  # noqa: E402

ROUNDS = 7
PAGE = "/self-attention/"
BARE = """
import { loadPyodide } from "./pyodide.mjs";
onmessage = async ({ data }) => {
  const indexURL = new URL(".", import.meta.url).href;
  const python = await loadPyodide({ indexURL, packages: ["numpy", "qkv-docs"] });
  postMessage(String(python.runPython(data)));
};
"""
ASK_BARE = """([worker, code]) => new Promise((done, fail) => {
  const start = performance.now(), python = new Worker(worker, { type: "module" });
  python.onmessage = () => { done(performance.now() - start); python.terminate(); };
  python.onerror = fail;
  python.postMessage(code);
})"""
PRESS_RUN = """() => new Promise((done, fail) => {
  const start = performance.now(), status = document.querySelector(".snippet [role=status]");
  new MutationObserver(() => {
    if (status.dataset.state === "good") done(performance.now() - start);
    else if (status.dataset.state) fail(new Error(status.textContent));
  }).observe(status, { attributes: true });
  document.querySelector(".snippet [data-do=run]").click();
})"""
CODE = """() => [...document.querySelector(".snippet code").textContent
  .matchAll(/^(?:>>>|\\.{3}) (.*)/gm)].map((line) => line[1]).join("\\n")"""


def serve(site: Path) -> str:
    handler = functools.partial(Handler, directory=str(site))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def bare(context: BrowserContext, root: str, worker: str, code: str) -> float:
    page = context.new_page()
    page.goto(f"{root}/bare.html")
    milliseconds: float = page.evaluate(ASK_BARE, [worker, code])
    page.close()
    return milliseconds


def ours(context: BrowserContext, root: str) -> float:
    page = context.new_page()
    page.goto(root + PAGE)
    wake(page)
    page.wait_for_timeout(1000)  # the theme's script is none of Python's business
    milliseconds: float = page.evaluate(PRESS_RUN)
    page.close()
    return milliseconds


def traffic(page: Page, root: str) -> None:
    loaded: list[tuple[str, int, int]] = []
    page.on(
        "response",
        lambda response: loaded.append(
            (response.url, len(body := response.body()), len(gzip.compress(body, 6)))
        ),
    )

    def report(what: str) -> None:
        page.wait_for_timeout(2000)
        raw, small = (sum(row[n] for row in loaded) / 1000 for n in (1, 2))
        print(f"| {what} | {len(loaded)} | {raw:,.0f} | {small:,.0f} |")
        loaded.clear()

    print(f"\n{PAGE}\n\n| | requests | kB | kB compressed |\n| --- | --- | --- | --- |")
    page.goto(root + PAGE, wait_until="networkidle")
    report("first view")
    wake(page)
    report("the reader's first touch (theme, search)")
    page.evaluate(PRESS_RUN)
    report("the first Run")
    page.evaluate(PRESS_RUN)
    report("the next Run")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        site = Path(folder)
        build = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", folder]
        subprocess.run(build, cwd=ROOT, check=True, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"})
        (python,) = site.glob("assets/python/*/")
        (python / "bare.mjs").write_text(BARE)
        (site / "bare.html").write_text("<!doctype html><title>bare</title>")
        root = serve(site)
        worker = f"/assets/python/{python.name}/bare.mjs"
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        page.goto(root + PAGE)
        code = page.evaluate(CODE)
        page.close()
        times: dict[str, list[float]] = {}
        for n in range(ROUNDS):
            contexts = {"here": browser.new_context(), "bare": browser.new_context()}
            for kind in ("cold", "warm"):
                for who in sorted(contexts, reverse=n % 2 == 0):
                    run = (
                        ours(contexts[who], root)
                        if who == "here"
                        else bare(contexts[who], root, worker, code)
                    )
                    times.setdefault(f"{kind} {who}", []).append(run)
            for context in contexts.values():
                context.close()
        print("| to the first output | here | bare | ratio |\n| --- | --- | --- | --- |")
        for name, of in (("median", statistics.median), ("quickest", min)):
            for kind in ("cold", "warm"):
                here, beside = (of(times[f"{kind} {who}"]) / 1000 for who in ("here", "bare"))
                print(f"| {kind}, {name} | {here:.2f} s | {beside:.2f} s | {here / beside:.2f} |")
        traffic(browser.new_page(), root)
        browser.close()


if __name__ == "__main__":
    main()
