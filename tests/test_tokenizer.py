"""The tokenizer of a real model: of all ways to cut a text the most probable, as SentencePiece."""

from __future__ import annotations

import json
import math
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from docs.data import pretrained_models as models
from qkv_docs import Unigram
from theme.site.model import foreign

PIECES = ["?", "<s>", "▁", "a", "b", "c", "ab", "bc", "abc", "▁a", "▁ab", "cab", "ca", "苹果", "é"]
RECORDED = Path(__file__).with_name("tokenizer.json")


def small(seed: int = 0) -> Unigram:
    scores = np.random.default_rng(seed).uniform(-9, -1, size=len(PIECES))
    changes = {ord("Ａ"): "a", 0x3000: " ", 1: "", ord("½"): "ab"}
    return Unigram(PIECES, scores, unknown=0, controls=[1], changes=changes)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("text", ["abcab", "cabbac", "axbc", "cab abc"])
def test_of_all_ways_to_cut_the_best_is_taken(seed: int, text: str) -> None:
    cut = small(seed)
    marked = f"▁{text}".replace(" ", "▁")
    totals = {}
    for k in range(len(marked)):
        for places in combinations(range(1, len(marked)), k):
            parts = [marked[a:b] for a, b in pairwise([0, *places, len(marked)])]
            if all(part in cut.ids or (len(part) == 1 and part == "x") for part in parts):
                known = [cut.ids.get(part) for part in parts]
                totals[tuple(parts)] = math.fsum(
                    cut.unknown_score if i is None else cut.scores[i] for i in known
                )
    best = max(totals, key=lambda parts: totals[parts])
    assert cut(text) == [cut.ids.get(part, 0) for part in best]


def test_what_is_nothing_has_no_pieces() -> None:
    for text in ("", " ", "\x01", " \u3000 ", "▁"):
        assert small()(text) == []


@pytest.mark.parametrize(
    ("text", "as_if"),
    [
        ("Ａ　ｂ", "a ｂ"),  # changed, or unknown
        ("  ab   c  ", "ab c"),
        ("a\x01b", "ab"),
        ("½", "ab"),
        ("e\u0301", "é"),
        ("ab▁c", "ab c"),
    ],
)
def test_what_is_the_same_to_it(text: str, as_if: str) -> None:
    assert small()(text) == small()(as_if)


def test_marks_are_no_text_and_unknowns_in_a_row_are_one() -> None:
    cut = small()
    assert 1 not in cut("<s>")
    found = cut.cut("a😀😀?b")
    assert [piece.text for piece in found] == ["▁a", "😀😀?", "b"]
    assert [piece.id for piece in found][1] == 0


def test_places_are_those_of_the_text_that_came() -> None:
    text = "  ab　½ c苹果e\u0301"
    found = [(piece.text, text[piece.start : piece.end]) for piece in small().cut(text)]
    assert "".join(piece for piece, _ in found) == "▁ab▁ab▁c苹果é"
    assert ("苹果", "苹果") in found
    assert ("é", "e\u0301") in found


@given(st.text(alphabet="abcx  苹果éＡ½\u0301😀", max_size=20))
def test_pieces_stand_in_order_and_make_up_the_text(text: str) -> None:
    cut = small()
    found = cut.cut(text)
    assert "".join(piece.text for piece in found) == "".join(cut.normalised(text)[0])
    for one, other in pairwise(found):
        assert 0 <= one.start <= one.end
        assert one.start <= other.start
        assert one.end <= other.end <= len(text)


def test_scores_are_one_a_piece() -> None:
    with pytest.raises(ValueError, match=r"scores must be one for each of 2 pieces, got \(3,\)"):
        Unigram(["?", "a"], [0, 1, 2], unknown=0)


# SentencePiece itself, on the pieces of multilingual-e5-small


def test_recorded_sentences_are_cut_as_sentencepiece_cuts_them() -> None:
    """Those pieces of the model that could stand in them; python tests/tokenizer.py wrote it."""
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    pieces, ids, scores = zip(*recorded["pieces"], strict=True)
    changes = {int(code): text for code, text in recorded["changes"].items()}
    assert len(recorded["sentences"]) > 30
    cut = Unigram(pieces, np.array(scores, np.float32), 0, (), changes)
    for text, wanted in recorded["sentences"]:
        assert [ids[i] for i in cut(text)] == wanted, text


@pytest.mark.slow
def test_ten_thousand_texts_are_cut_as_sentencepiece_cuts_them() -> None:
    pytest.importorskip("sentencepiece", reason="pip install -e '.[oracles]'")
    import tokenizer

    try:
        (path,) = models.fetch(models.E5)
    except Exception as error:
        pytest.skip(f"the model is not to be had: {error}")
    file = models.parse_e5(path)
    cut = Unigram(file.pieces, file.scores, file.unknown, file.controls, file.changes)
    new, oracle = tokenizer.younger(file), tokenizer.sentencepiece()
    texts = [text for text in tokenizer.many() if not new.intersection(text)]
    assert len(texts) > 9_500
    assert not [text for text in texts if cut(text) != oracle.encode(text)]


@pytest.mark.slow
def test_the_pieces_without_other_scripts_cut_alike() -> None:
    """What the browser has of the vocabulary: a text without those letters notices nothing."""
    import tokenizer

    try:
        (path,) = models.fetch(models.E5)
    except Exception as error:
        pytest.skip(f"the model is not to be had: {error}")
    file = models.parse_e5(path)
    others = set(foreign(file.pieces))
    kept = [i for i, piece in enumerate(file.pieces) if not others.intersection(piece)]
    marks = file.controls
    controls = [row for row, i in enumerate(kept) if i in marks]
    whole = Unigram(file.pieces, file.scores, file.unknown, file.controls, file.changes)
    part = Unigram(
        [file.pieces[i] for i in kept], file.scores[kept], kept.index(file.unknown), controls,
        file.changes,
    )  # fmt: skip
    texts = [
        t for t in tokenizer.many() if not others.intersection("".join(whole.normalised(t)[0]))
    ]
    assert len(texts) > 7_000
    assert not [text for text in texts if [kept[row] for row in part(text)] != whole(text)]
