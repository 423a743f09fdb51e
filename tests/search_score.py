"""How well the search of a built site answers a list of questions.

    python tests/search_score.py QUESTIONS.yml [--site site] [--misses]

A question: {query, language, pages: [accepted, best first], section (may be missing), kind}. A
page is named as its file: masks. Printed are, by language and kind: the mean reciprocal rank of the
first accepted page, the share of questions for which it stands first and among the first three,
and the share of those with a section for which one of the links shown for the page leads to it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from py_mini_racer import MiniRacer

sys.path.insert(0, str(Path(__file__).parents[1]))
from theme.search import index_of, javascript

SHOWN = 3  # sections of one page (box.js)


@dataclass
class Answer:
    question: dict[str, Any]
    pages: list[str]  # best first
    sections: list[str]  # of the first accepted page

    @property
    def rank(self) -> int:
        """Of the first accepted page, from 1; 0 where there is none."""
        accepted = self.question["pages"]
        return next((i for i, page in enumerate(self.pages, 1) if page in accepted), 0)


def engines(site: Path) -> dict[str, MiniRacer]:
    """The search of both languages, as the page has it."""
    made = {}
    for language, folder in (("zh", site), ("en", site / "en")):
        made[language] = javascript()
        script = (folder / "search/search.js").read_text(encoding="utf-8")
        made[language].eval(f"Search.load({index_of(script)})")
    return made


def find(engine: MiniRacer, query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(
        str(engine.eval(f"JSON.stringify(Search.find({json.dumps(query)}))"))
    )
    return found


def answer(engines: dict[str, MiniRacer], question: dict[str, Any]) -> Answer:
    found = find(engines[question["language"]], question["query"])
    hit = next((page for page in found if page["name"] in question["pages"]), {"sections": []})
    shown = hit["sections"][:SHOWN]
    sections = [one["anchor"] for one in shown]
    for one in hit["sections"]:  # a link to a part of the section leads to it
        path = one["headings"]
        if one["anchor"] and any(part["headings"][: len(path)] == path for part in shown):
            sections.append(one["anchor"])
    return Answer(question, [page["name"] for page in found], sections)


def line(label: str, answers: list[Answer]) -> str:
    ranks = [one.rank for one in answers]
    placed = [one for one in answers if "section" in one.question]
    mean = sum(1 / rank for rank in ranks if rank) / len(ranks)
    shares = [
        sum(rank == 1 for rank in ranks) / len(ranks),
        sum(0 < rank <= 3 for rank in ranks) / len(ranks),
        sum(one.question["section"] in one.sections for one in placed) / max(len(placed), 1),
    ]
    return f"{label:16}{len(ranks):5}{mean:8.3f}" + "".join(f"{share:9.1%}" for share in shares)


def table(answers: Iterable[Answer]) -> str:
    groups = defaultdict(list)
    for one in answers:
        language, kind = one.question["language"], one.question["kind"]
        for label in ("all", language, f"{language} {kind}"):
            groups[label].append(one)
    head = f"{'':16}{'n':>5}{'MRR':>8}{'first':>9}{'in 3':>9}{'section':>9}"
    return "\n".join([head, *(line(label, groups[label]) for label in sorted(groups))])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("questions", type=Path)
    parser.add_argument("--site", type=Path, default=Path("site"))
    parser.add_argument(
        "--misses", action="store_true", help="name what is not among the first three"
    )
    options = parser.parse_args()
    made = engines(options.site)
    questions = yaml.safe_load(options.questions.read_text(encoding="utf-8"))
    answers = [answer(made, question) for question in questions]
    print(table(answers))
    for one in answers if options.misses else ():
        if not 0 < one.rank <= 3:
            asked = one.question
            print(f"{one.rank:3} {asked['query']}: {asked['pages']}, not {one.pages[:3]}")


if __name__ == "__main__":
    main()
