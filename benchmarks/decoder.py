"""What a token of the decoder costs in Chromium: bytes, seconds, memory, with a cache and without.

    .venv/bin/python benchmarks/decoder.py --site FOLDER

The folder is a site built with QKV_DECODER=1. It is served on this machine; the script presses as a
reader does and has texts of growing length continued. Times are this machine's, and the load is
printed; memory is that of the process that draws the page.
"""

from __future__ import annotations

import argparse
import functools
import os
import sys
import threading
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "benchmarks")]

from browsing import CHROMIUM, FLAGS, Handler, Server, wake  # noqa: E402
from sentence import again, memory  # noqa: E402

BEGINNING = "The capital of France is"
LOAD = """async () => {
    const start = performance.now(), { load, missing } = await qkv.load("decoder.mjs");
    const bytes = await missing();
    let files = 0;
    const progress = ({ what }) => { if (what === "unpacking") files = performance.now() - start; };
    globalThis.model = await load({ progress });
    return { bytes, files, ready: performance.now() - start };
}"""
BEGIN = """async (text) => {
    globalThis.ids = (await model.begin(text)).tokens.map(({ id }) => id);
}"""
STEP = """async ([n, cached]) => {
    const all = Array.from({ length: n }, (_, i) => ids[i % ids.length]);
    if (cached) await model.step(all.slice(0, -1), true); // what came before is in the cache
    const found = await model.step(all, cached);
    return [found.seconds, found.bytes, found.computed];
}"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--site", type=Path, default=ROOT / "site")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--longest", type=int, default=256, help="tokens without a cache")
    given = options.parse_args()
    server = Server(("127.0.0.1", 0), functools.partial(Handler, directory=str(given.site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_context().new_page()
        page.set_default_timeout(600_000)
        page.goto(f"http://127.0.0.1:{server.server_port}/en/kv-cache/")
        wake(page)
        loaded = page.evaluate(LOAD)
        sizes = {name: f"{size / 1e6:.1f} MB" for name, size in loaded["bytes"].items()}
        print(f"to be fetched: {sizes}; load of this machine: {os.getloadavg()[0]:.1f}")
        print(f"files here, Python started: {loaded['files'] / 1000:.1f} s")
        print(f"and unpacked: {loaded['ready'] / 1000:.1f} s")
        page = again(page)
        before = memory(browser)
        loaded = page.evaluate(LOAD)
        print(f"on the next visit: {loaded['ready'] / 1000:.1f} s")
        print(f"its memory: {before:.0f} MB before, {memory(browser):.0f} MB then\n", flush=True)
        page.evaluate(BEGIN, BEGINNING)
        print("| tokens | with a cache, s | its bytes | without, s | memory |\n|" + " --- |" * 5)
        for n in (5, 16, 64, 256):
            kept = [page.evaluate(STEP, [n, True]) for _ in range(given.rounds)]
            fresh = (
                [page.evaluate(STEP, [n, False]) for _ in range(given.rounds if n < 100 else 1)]
                if n <= given.longest
                else []
            )
            without = f"{min(fresh)[0]:.2f}" if fresh else ""
            row = [n, f"{min(kept)[0]:.2f}", kept[0][1], without, f"{memory(browser):.0f} MB"]
            print(f"| {' | '.join(map(str, row))} |", flush=True)
        print(f"\nload of this machine: {os.getloadavg()[0]:.1f}")
        browser.close()
    server.shutdown()


if __name__ == "__main__":
    main()
