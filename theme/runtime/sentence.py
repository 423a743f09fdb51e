"""A reader's sentence through a real model: cut into pieces, encoded, taken apart, with parts cut.

Runs in the reader's browser, see packed.py.
"""

import json
import math
import unicodedata
from typing import Any

import numpy as np
from packed import Model, Refused, parts

from qkv_docs.heads import split_heads
from qkv_docs.pretrained import Encoder, EncoderLayer, dequantize_q4_0
from qkv_docs.tokenizer import SPACE, Unigram

MOST = 128  # tokens: the model has places for 512, a page no room for all their attention weights


class Sentences(Model):
    """The model, as its files arrive, and what it makes of sentences."""

    asks = ("wants", "sentence", "vectors")

    def __init__(self) -> None:
        self.frame: dict[str, Any] = {}
        self.layers: dict[int, EncoderLayer] = {}
        self.rows: dict[int, Any] = {}  # by block
        self.last: tuple[Any, ...] = ()

    def take(self, kind: str, number: str, data: bytes) -> None:
        if kind == "frame":
            self.frame = parts(data)
        elif kind == "layer":
            self.layers[int(number)] = EncoderLayer(**parts(data))
        elif kind == "vocabulary":
            found = parts(data)
            about = self.about = found["about"]
            changes = {int(code): text for code, text in about["changes"].items()}
            self.foreign, self.ids = set(about["foreign"]), found["ids"]
            self.cut = Unigram(
                about["pieces"], found["scores"], about["unknown"], about["controls"], changes
            )
        elif kind == "rows":
            width = self.frame["positions"].shape[1] // 32 * 18
            blocks = np.frombuffer(data, np.uint8).reshape(-1, width)
            size, first = self.about["rows"], int(number or 0)
            for n in range(0, len(blocks), size):
                self.rows[first + n // size] = blocks[n : n + size]

    def wants(self, text: str) -> tuple[dict[str, Any], list[Any]]:
        """The blocks of rows that are not here yet, and the words that need them."""
        pieces, words = self.pieces(text)
        lacking = {
            n: piece["row"] // self.about["rows"]
            for n, piece in enumerate(pieces)
            if piece["row"] // self.about["rows"] not in self.rows
        }
        needed = [word["text"] for word in words if any(n in lacking for n in word["pieces"])]
        blocks = sorted(set(lacking.values()))
        return {"blocks": blocks, "words": list(dict.fromkeys(needed))}, []

    def sentence(self, text: str, cuts: list[Any]) -> tuple[dict[str, Any], list[Any]]:
        pieces, words, trace = self.run(text, cuts)
        strange = [  # one vector for all of them
            piece["text"].removeprefix(SPACE)
            for piece in pieces
            if piece["row"] == self.about["unknown"]
        ]
        about = {
            "text": text,
            "pieces": [{k: v for k, v in piece.items() if k != "row"} for piece in pieces],
            "words": words,
            "unknown": list(dict.fromkeys(strange)),
            "layers": len(self.layers),
            "heads": self.about["n_heads"],
        }
        return about, [*trace.hidden, *trace.weights]

    def vectors(
        self, text: str, cuts: list[Any], layer: int, head: int
    ) -> tuple[dict[str, Any], list[Any]]:
        """One head's queries, keys and values, its scores, and what each token gives to others.

        `scores` are those that softmax gets, divided by the root of d_k; `out` `(n, d_model)` is
        value times W_O, what a token adds to one that gives it all of its attention weight.
        """
        _, _, trace = self.run(text, cuts)
        q, k, v = (array[layer, head] for array in (trace.q, trace.k, trace.v))
        scores = np.einsum("ik,jk->ij", q, k) / math.sqrt(q.shape[-1])
        w_o = split_heads(self.layers[layer].w_o.T, self.about["n_heads"])[head].T
        return {}, [q, k, v, scores, np.einsum("nk,km->nm", v, w_o)]

    def run(self, text: str, cuts: list[Any]) -> Any:
        """Pieces, words and trace of a text; the last is kept, for heads are asked one by one."""
        key = json.dumps([text, cuts])
        if not self.last or self.last[0] != key:
            pieces, words = self.pieces(text)
            needed, _ = self.wants(text)
            if needed["blocks"]:
                raise Refused("needs", **needed)
            size = self.about["rows"]
            places = [divmod(piece["row"], size) for piece in pieces]
            table = dequantize_q4_0(np.stack([self.rows[block][row] for block, row in places]))
            layers = [self.layers[n] for n in range(self.about["n_layers"])]
            encoder = Encoder(
                tokens=table, **self.frame, layers=layers,
                n_heads=self.about["n_heads"], eps=self.about["eps"],
            )  # fmt: skip
            mask = self.mask(words, len(pieces), cuts)
            self.last = ()  # or two of them were in memory
            self.last = (key, pieces, words, encoder(range(len(pieces)), mask))
        return self.last[1:]

    def mask(self, words: list[Any], n: int, cuts: list[Any]) -> Any:
        """What may attend after the cuts: of a layer and head or of all; all, or between some."""
        if not cuts:
            return None
        mask = np.ones((len(self.layers), self.about["n_heads"], n, n), bool)
        for cut in cuts:
            layers, heads = (
                slice(None) if cut.get(name) is None else cut[name] for name in ("layer", "head")
            )
            part = mask[layers, heads]  # a view
            if cut.get("words") is None and cut.get("tokens") is None:
                part[...] = False
            for one, other in cut.get("words") or []:
                for row in words[one]["pieces"]:
                    part[..., row, words[other]["pieces"]] = False
            for row, column in cut.get("tokens") or []:
                part[..., row, column] = False
        return mask

    def pieces(self, text: str) -> tuple[list[Any], list[Any]]:
        """The tokens of a text, marks at both ends, and its words; refused where there is no way.

        A place in the text is counted as JavaScript counts, in units of UTF-16.
        """
        found = self.cut.cut(text)
        if not found:
            raise Refused("empty")
        strange = [
            place
            for character, place in zip(*self.cut.normalised(text), strict=True)
            if character in self.foreign
        ]
        if strange:
            raise Refused("unknown", words=around(text, strange))
        most = min(MOST, len(self.frame["positions"]))
        if len(found) + 2 > most:
            raise Refused("too-long", tokens=len(found) + 2, most=most)
        units = [0]
        for character in text:
            units.append(units[-1] + 1 + (ord(character) > 0xFFFF))
        end = units[-1]
        first = {"row": self.about["start"], "text": "<s>", "word": None, "start": 0, "end": 0}
        pieces = [first]
        words: list[Any] = []
        before = None
        for piece in found:
            start, stop = units[piece.start], units[piece.end]
            bare = piece.text.removeprefix(SPACE)
            if not bare:
                word = None
            else:
                joined = before is not None and piece.text == bare and joins(before, bare)
                if not joined:
                    words.append({"text": "", "pieces": []})
                word = len(words) - 1
                words[-1]["pieces"].append(len(pieces))
                words[-1]["text"] += text[piece.start : piece.end]
            before = bare or None
            pieces.append(
                {"row": piece.id, "text": piece.text, "word": word, "start": start, "end": stop}
            )
        pieces.append(
            {"row": self.about["end"], "text": "</s>", "word": None, "start": end, "end": end}
        )
        for one in pieces:
            one["id"] = int(self.ids[one["row"]])
        return pieces, words


def joins(before: str, after: str) -> bool:
    """Whether a piece goes on with the word of the one before: letters and digits of one script.

    Each piece in Han is a word of its own, and so is each sign.
    """
    return all(c.isascii() and (c.isalnum() or c == "'") for c in (before[-1], after[0]))


def around(text: str, places: list[tuple[int, int]]) -> list[str]:
    """The words in which these places lie: letters and their marks, up to the next Han or sign."""

    def goes_on(character: str) -> bool:
        letter = unicodedata.category(character)[0] in "LM"
        return letter and not unicodedata.name(character, "").startswith("CJK ")

    found = []
    for start, end in places:
        while start and goes_on(text[start - 1]):
            start -= 1
        while end < len(text) and goes_on(text[end]):
            end += 1
        found.append(text[start:end])
    return list(dict.fromkeys(found))
