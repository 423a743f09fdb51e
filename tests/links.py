"""`make links`: ask every address of the references whether it still answers.

An address that refuses a program (401, 403, 405, 429) is there; only what is gone or silent fails.
"""

from __future__ import annotations

import concurrent.futures
import sys
import urllib.error
import urllib.request
from pathlib import Path

import yaml

LEDGER = Path(__file__).parents[1] / "docs/references.yml"
REFUSES = {401, 403, 405, 406, 412, 418, 429, 999}


def answer(source: dict[str, str]) -> tuple[bool, str]:
    request = urllib.request.Request(source["url"], headers={"User-Agent": "Mozilla/5.0"})
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            good, word = True, str(response.status)
    except urllib.error.HTTPError as error:
        good, word = error.code in REFUSES, str(error.code)
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        good, word = False, str(getattr(error, "reason", error))
    return good, f"{'ok  ' if good else 'GONE'} {word:4} {source['key']}: {source['url']}"


def main() -> int:
    sources = yaml.safe_load(LEDGER.read_text(encoding="utf-8"))["references"]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(answer, sources))
    print("\n".join(line for _, line in answers))
    gone = sum(not good for good, _ in answers)
    if gone == len(answers):
        print("No address answered: is there a network?")
    print(f"{len(answers) - gone} answered, {gone} did not")
    return 1 if gone else 0


if __name__ == "__main__":
    sys.exit(main())
