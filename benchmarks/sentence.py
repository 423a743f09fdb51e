"""What a sentence of the reader's own costs in Chromium: bytes, seconds, memory.

    .venv/bin/python benchmarks/sentence.py [the folder of a built site]

Serves the site on this machine, presses as a reader does, and asks for sentences of growing
length. Beside it, in the same Python, the two ways to multiply matrices that NumPy has there. Times
are this machine's, and the quickest of several where it is busy with other things; the load is
printed.
"""

from __future__ import annotations

import functools
import http.server
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from browsing import CHROMIUM, FLAGS, Handler, wake  # noqa: E402

ROUNDS = 9
TEXTS = {
    "苹果发布了新手机": 7,
    "苹果公司今天发布了新手机，我很喜欢": 12,
    "The animal did not cross the street because it was too tired and the road too wide": 20,
    "the cat and " * 40: 122,
}
LOAD = """async () => {
    const start = performance.now(), { load, missing } = await qkv.load("model.mjs");
    const bytes = await missing();
    let files = 0;
    const progress = ({ what }) => { if (what === "unpacking") files = performance.now() - start; };
    globalThis.model = await load({ progress });
    return { bytes, files, ready: performance.now() - start };
}"""
ASK = """async ([text, rounds]) => {
    const times = [];
    let n = 0;
    for (let round = 0; round < rounds; round += 1) {
        const start = performance.now();
        // one more space: the same pieces, and not what was asked last
        n = (await model.sentence(text + " ".repeat(round))).pieces.length;
        times.push(performance.now() - start);
    }
    return [n, times];
}"""
PRODUCTS = """
import numpy as np, time
rng = np.random.default_rng(0)
for d_in, d_out in ((384, 384), (384, 1536), (1536, 384)):
    x, w = (rng.normal(size=shape).astype("f4") for shape in ((12, d_in), (d_in, d_out)))
    speeds = []
    for multiply in (lambda: x @ w, lambda: np.einsum("nk,km->nm", x, w)):
        times = []
        for _ in range(9):
            start = time.perf_counter()
            product = multiply()  # named, or it would be shown
            times.append(time.perf_counter() - start)
        speeds.append(2 * 12 * d_in * d_out / min(times) / 1e9)
    print(f"| (12, {d_in}) @ ({d_in}, {d_out}) | {speeds[0]:.2f} | {speeds[1]:.2f} |")
"""
RUN = """async (code) => {
    const { Turn } = await qkv.load("python.mjs");
    let said = "";
    const step = { name: "benchmark", code, label: "<benchmark>" };
    await new Turn(() => {}).run([step], (_, { out }) => { said += out ?? ""; });
    return said;
}"""


def memory(browser: Browser) -> float:
    """Megabytes of the largest process that draws a page."""
    tools = browser.new_browser_cdp_session()
    processes = tools.send("SystemInfo.getProcessInfo")["processInfo"]
    found = [0.0]
    for process in processes:
        if process["type"] == "renderer":
            status = Path(f"/proc/{process['id']}/smaps_rollup").read_text()
            own = [line for line in status.splitlines() if line.startswith("Private_")]
            found.append(sum(int(line.split()[1]) for line in own) / 1000)
    return max(found)


def measure(page: Page, browser: Browser) -> None:
    loaded = page.evaluate(LOAD)
    bytes_ = {name: f"{size / 1e6:.1f} MB" for name, size in loaded["bytes"].items()}
    print(f"to be fetched: {bytes_}; load of this machine: {os.getloadavg()[0]:.1f}\n")
    print("| | seconds |\n| --- | --- |")
    print(f"| files here, Python started | {loaded['files'] / 1000:.2f} |")
    print(f"| and unpacked | {loaded['ready'] / 1000:.2f} |")
    for text, expected in TEXTS.items():
        rounds = ROUNDS if expected < 100 else 2
        n, times = page.evaluate(ASK, [text, rounds])
        quickest = min(times) / 1000
        print(f"| {n} tokens: first, quickest | {times[0] / 1000:.2f}, {quickest:.2f} |")
        if expected < 100:
            print(f"| memory then | {memory(browser):.0f} MB |")
    print(f"| memory at the end | {memory(browser):.0f} MB |")
    print("\n| GFLOP/s in this Python | `@` | einsum |\n| --- | --- | --- |")
    print(page.evaluate(RUN, PRODUCTS))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        if len(sys.argv) > 1:
            folder = sys.argv[1]
        else:
            build = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", folder]
            settings = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
            subprocess.run(build, cwd=ROOT, check=True, env=settings)
        handler = functools.partial(Handler, directory=folder)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/pretrained/")
        wake(page)
        measure(page, browser)
        browser.close()


if __name__ == "__main__":
    main()
