"""A text cut into the tokens that a model knows: byte-level byte-pair encoding, as GPT-2 has it.

Nothing is learned here: the tokens come with the list of merges, the order in which training found
them. A text is first cut into words, spaces before them included, then each word into its bytes,
and of neighbours that may be merged those go first that stand first in the list.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise

from qkv_docs._checks import known_ids

# What Unicode calls white space; Python's \s has four control characters besides.
WHITE = "\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
# English endings; letters; anything else that is not white; white space, whose last goes to the
# word behind it. [^\W_] are letters where there are no numbers.
WORD = re.compile(
    rf"'(?:s|t|re|ve|m|ll|d)| ?[^\W_]+| ?(?:[^\w{WHITE}]|_)+|[{WHITE}]+(?![^{WHITE}])|[{WHITE}]+"
)


def _letters() -> str:
    """A visible letter for each of the 256 bytes; a token is written in these."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return "".join(chr(byte if byte in shown else next(others)) for byte in range(256))


LETTERS = _letters()
BYTES = {letter: byte for byte, letter in enumerate(LETTERS)}


class BytePairs:
    """A byte-level BPE tokenizer in which every number character stands alone.

    Args:
        tokens: the tokens, a letter for each of their bytes, `Ġ` for a space.
        merges: pairs of tokens with a space between them; what stands first is merged first.

    Raises:
        ValueError: a merge is not a pair of tokens that make a token.

    Source:
        the package tokenizers, its ByteLevel and BPE; a test compares the two.

    Examples:
        >>> tokens = ["a", "b", "Ġ", "Ġa", "ab", "Ġab", "1"]
        >>> cut = BytePairs(tokens, ["a b", "Ġ ab", "Ġ a"])
        >>> cut("ab ab a11")
        [4, 5, 3, 6, 6]
        >>> cut.spell([4, 5, 3])
        'ab ab a'
    """

    def __init__(self, tokens: Sequence[str], merges: Sequence[str]) -> None:
        self.tokens = list(tokens)
        self.ids = {token: i for i, token in enumerate(self.tokens)}
        self.ranks: dict[tuple[str, str], int] = {}
        for rank, merge in enumerate(merges):
            pair = tuple(merge.split(" "))
            if len(pair) != 2 or not {*pair, "".join(pair)} <= self.ids.keys():
                raise ValueError(f"a merge must be two tokens that make a token, got {merge!r}")
            self.ranks[pair] = rank

    def __call__(self, text: str) -> list[int]:
        """The ids of the tokens; a byte that is no token is left out."""
        return [
            self.ids[part]
            for word in self._words(text)
            for part in self._merged([LETTERS[byte] for byte in word.encode()])
            if part in self.ids
        ]

    def bytes(self, token: int) -> bytes:
        """What a token stands for: part of a character, where a character has several bytes.

        Raises:
            IndexError: there is no such token.
            TypeError: the token is not an integer.
        """
        known_ids(token, len(self.tokens))
        return bytes(BYTES[letter] for letter in self.tokens[token])

    def spell(self, ids: Sequence[int]) -> str:
        """The text of the tokens; bytes that make no character are �.

        Raises:
            IndexError: there is no such token.
            TypeError: an id is not an integer.
        """
        return b"".join(map(self.bytes, ids)).decode(errors="replace")

    @staticmethod
    def _words(text: str) -> Iterator[str]:
        start = 0
        for i, character in enumerate(text):
            if unicodedata.category(character).startswith("N"):
                yield from WORD.findall(text, start, i)
                yield character
                start = i + 1
        yield from WORD.findall(text, start)

    def _merged(self, parts: list[str]) -> list[str]:
        never = len(self.ranks)
        while len(parts) > 1:
            ranks = [self.ranks.get(pair, never) for pair in pairwise(parts)]
            at = ranks.index(least := min(ranks))
            if least == never:
                break
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
        return parts
