"""How long search takes to answer, beside looking through the same text without an index.

    .venv/bin/python benchmarks/search.py [--site site]

In Chromium, for every question of tests/search_questions.yml, the quickest of ROUNDS: the index,
which ranks and leads to sections, and a search of the text of all sections for each two letters of
the question, which does neither. Milliseconds are this machine's; the ratio is a better guide.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import statistics
import sys
import threading
from pathlib import Path

import yaml
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from browsing import CHROMIUM, FLAGS, Handler, wake  # noqa: E402

ROUNDS = 5
TIMES = """async ([address, queries, rounds]) => {
    const text = (await (await fetch(address)).text()).toLowerCase();
    const scan = (query) => {
        for (let i = 0; i + 1 < query.length; i++) {
            const pair = query.slice(i, i + 2).toLowerCase();
            for (let at = text.indexOf(pair); at >= 0; at = text.indexOf(pair, at + 1));
        }
    };
    const quickest = (work) => Math.min(...Array.from({ length: rounds }, () => {
        const before = performance.now();
        work();
        return performance.now() - before;
    }));
    return queries.map((one) => [quickest(() => Search.find(one)), quickest(() => scan(one))]);
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--site", type=Path, default=ROOT / "site", help="a built site")
    site = parser.parse_args().site
    handler = functools.partial(Handler, directory=str(site))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    questions = yaml.safe_load((ROOT / "tests/search_questions.yml").read_text("utf-8"))
    print("| | questions | median, ms | slowest, ms | without index, ms | ratio |")
    print("| --- | --- | --- | --- | --- | --- |")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for language, path in (("zh", "/"), ("en", "/en/")):
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{server.server_port}{path}")
            wake(page)
            page.keyboard.press("/")
            page.keyboard.insert_text("softmax")
            page.locator("#search li").first.wait_for()
            asked = [one["query"] for one in questions if one["language"] == language]
            times = page.evaluate(TIMES, [f"{path}search/search.js", asked, ROUNDS])
            index, scan = ([row[n] for row in times] for n in (0, 1))
            ratio = statistics.median(index) / statistics.median(scan)
            print(
                f"| {language} | {len(asked)} | {statistics.median(index):.1f} | {max(index):.1f} "
                f"| {statistics.median(scan):.1f} | {ratio:.2f} |"
            )


if __name__ == "__main__":
    main()
