"""Byte-level byte pairs: the laws, then the package tokenizers as the oracle."""

from __future__ import annotations

import re
import sys
import unicodedata
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from docs.data import gguf_file
from docs.data import pretrained_models as models
from qkv_docs import BytePairs
from qkv_docs.byte_pairs import LETTERS, WHITE

MERGES = ["Ġ t", "h e", "Ġt he", "i n", "a n", "Ġ a", "Ġa n", "r e", "' s", "Ċ Ċ", "Ġ Ġ"]
TOKENS = [*LETTERS, *(merge.replace(" ", "") for merge in MERGES)]
CUT = BytePairs(TOKENS, MERGES)


@given(st.text())
def test_the_tokens_of_a_text_spell_it(text: str) -> None:
    assert CUT.spell(CUT(text)) == text
    assert "".join(CUT._words(text)) == text


def test_the_first_merge_of_the_list_goes_first() -> None:
    def named(text: str, *merges: str) -> list[str]:
        tokens = [*LETTERS, *(merge.replace(" ", "") for merge in merges)]
        return [tokens[i] for i in BytePairs(tokens, merges)(text)]

    assert named("abc", "a b", "b c") == ["ab", "c"]
    assert named("abc", "b c", "a b") == ["a", "bc"]
    assert named("aaaaa", "a a", "aa aa") == ["aaaa", "a"]
    assert named("a1b", "a 1", "1 b") == ["a", "1", "b"]  # a number stands alone
    assert named("a b", "a Ġ") == ["a", "Ġ", "b"]  # a space goes with what follows


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I eat apples", ["I", " eat", " apples"]),
        ("it's  we'll", ["it", "'s", " ", " we", "'ll"]),
        ("IT'S", ["IT", "'", "S"]),
        ("a  \n b\n", ["a", "  \n", " b", "\n"]),
        ("3.14 x_1", ["3", ".", "1", "4", " x", "_", "1"]),
        (" 2²Ⅷ一", [" ", "2", "²", "Ⅷ", "一"]),
        ("e\u0301 👍🏽!", ["e", "\u0301", " 👍🏽!"]),
        ("\x1c\x85\u3000a", ["\x1c", "\x85", "\u3000", "a"]),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert list(CUT._words(text)) == words


def test_what_a_letter_is_and_what_is_white() -> None:
    """Letters are those of Unicode, though `re` has no name for them; numbers never get there."""
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        kind = unicodedata.category(character)
        if kind[0] != "N":
            assert bool(re.fullmatch(r"[^\W_]", character)) == (kind[0] == "L"), hex(code)
        white = character.isspace() and character not in "\x1c\x1d\x1e\x1f"
        assert bool(re.fullmatch(f"[{WHITE}]", character)) == white, hex(code)


def test_a_token_may_be_part_of_a_character() -> None:
    ids = CUT("é")
    assert [CUT.bytes(i) for i in ids] == [b"\xc3", b"\xa9"]
    assert CUT.spell(ids[:1]) == "\ufffd"
    with pytest.raises(IndexError, match=f"id {len(TOKENS)} is outside a table of size"):
        CUT.spell([len(TOKENS)])
    with pytest.raises(TypeError, match="must be integers"):
        CUT.bytes(0.5)  # type: ignore[arg-type]


def test_a_byte_without_a_token_is_left_out() -> None:
    assert BytePairs(["a"], [])("aba") == [0, 0]


@pytest.mark.parametrize("merge", ["a", "a b c", "a x", "b a"])
def test_a_merge_makes_a_token_of_two(merge: str) -> None:
    with pytest.raises(ValueError, match="a merge must be two tokens that make a token, got"):
        BytePairs(["a", "b", "ab"], [merge])


KINDS = [
    "the then there", "it's we'll I'VE o'clock '' 's", "  two   spaces\n\n\tand tabs  ",
    "3.14 1,000 x²",
    "苹果发布了新手机，“很好”。", "привет мир", "مرحبا", "e\u0301 é ẛ̣", "👩‍👩‍👧‍👦 ❤️👍🏽",
    "ＡＢＣ　１２３ ⅧⅨ ½",
    "x_1 = f(a)[0]; # {}", "<|im_start|>user <|endoftext|>", "\x00\x1c\x85\u2028\ufeff",
    "a\u200bb ͏", "",
    " ", "\n", "ǅ ʰ ª º", "߁ ෧ 𝟘 𐄇",
]  # fmt: skip


def mixed(rng: Any, n: int) -> list[str]:
    """Texts of pieces of the kinds above and of single characters from all of Unicode."""
    known = [
        chr(code)
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) not in ("Cn", "Cs", "Co")
    ]
    found = []
    for _ in range(n):
        parts = []
        for _ in range(rng.integers(1, 9)):
            kind = KINDS[rng.integers(len(KINDS))]
            at = rng.integers(0, len(kind) + 1, size=2)
            parts.append(kind[at.min() : at.max()])
            parts.extend(known[i] for i in rng.integers(len(known), size=rng.integers(3)))
        found.append("".join(parts))
    return found


@pytest.mark.slow
def test_ten_thousand_texts_are_cut_as_tokenizers_cuts_them() -> None:
    """By the tokens of SmolLM2, where its file is in the cache, and by a few of our own."""
    pytest.importorskip("tokenizers")
    from docs.data.decoder_model import tokenizer

    vocabularies = [(TOKENS, MERGES)]
    (sha256,) = models.SOURCES[models.SMOLLM]["files"].values()
    if (models.CACHE / sha256).exists():
        about = gguf_file.read(models.CACHE / sha256).about
        vocabularies.append((about["tokenizer.ggml.tokens"], about["tokenizer.ggml.merges"]))
    for tokens, merges in vocabularies:
        ours, theirs = BytePairs(tokens, merges), tokenizer(tokens, merges)
        for text in [*KINDS, *mixed(np.random.default_rng(0), 10_000)]:
            ids = theirs.encode(text).ids
            assert ours(text) == ids, repr(text)
            assert ours.spell(ids) == theirs.decode(ids, skip_special_tokens=False), repr(text)
