"""A real decoder writes on from a reader's beginning, token by token, with its cache or without.

Runs in the reader's browser, see packed.py. Each question brings the whole text so far: what of it
is in the cache already is not computed again, whoever asked in between.
"""

import functools
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from packed import Model, Refused, parts

from qkv_docs.byte_pairs import BytePairs
from qkv_docs.cache import KVCache
from qkv_docs.decoder import Decoder, DecoderLayer
from qkv_docs.positions import rope
from qkv_docs.pretrained import dequantize_q8_0

MOST = 256  # tokens of a text: the model has places for 8,192, without a cache nobody would wait


class Matrix:
    """Numbers in blocks of Q4_1, a byte each until they are wanted.

    In four bytes each the layers would take 425 MB of the tab's memory, in one 106 MB; unpacking
    them is the larger part of a step, but a step is short of a second.
    """

    def __init__(self, blocks: Any) -> None:
        d_out, width = blocks.shape
        blocks = blocks.reshape(d_out, width // 20, 20)
        settings = np.ascontiguousarray(blocks[..., :4]).view(np.float16).astype(np.float32)
        self.scale, self.least = (  # (n_blocks, 1, d_out)
            np.ascontiguousarray(settings[..., i].T[:, None]) for i in (0, 1)
        )
        self.stored = np.empty((width // 20, 32, d_out), np.uint8)
        packed = blocks[..., 4:].transpose(1, 2, 0)  # a number's place in its block, then its row
        np.bitwise_and(packed, 15, out=self.stored[:, :16])
        np.right_shift(packed, 4, out=self.stored[:, 16:])

    def unpacked(self, place: Any) -> Any:
        """`(d_in, d_out)`, in memory that was taken before; what `dequantize_q4_1` gives."""
        np.copyto(place, self.stored)
        np.multiply(place, self.scale, out=place)
        np.add(place, self.least, out=place)
        return place.reshape(-1, place.shape[-1])


class Layers(Sequence[DecoderLayer]):
    """The layers, each unpacked when it is asked for, where the one before was."""

    def __init__(self, layers: list[dict[str, Any]]) -> None:
        self.layers = layers
        kept = [one for one in layers[0].items() if isinstance(one[1], Matrix)]
        self.places = {name: np.empty(one.stored.shape, np.float32) for name, one in kept}

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, n: Any) -> Any:
        return DecoderLayer(
            **{
                name: one.unpacked(self.places[name]) if isinstance(one, Matrix) else one
                for name, one in self.layers[n].items()
            }
        )


class Continuations(Model):
    """The model, as its files arrive, and how it continues texts."""

    asks = ("begin", "step")

    def __init__(self) -> None:
        self.frame: dict[str, Any] = {}
        self.layers: dict[int, dict[str, Any]] = {}
        self.tokens: Any = None
        self.decoder: Decoder | None = None
        self.cache: list[KVCache] = []
        self.kept: list[int] = []  # whose keys and values are in the cache

    def take(self, kind: str, number: str, data: bytes) -> None:
        if kind == "frame":
            self.frame = parts(data)
            about = self.about = self.frame["about"]
            self.cut = BytePairs(about["tokens"], about["merges"])
            self.tokens = np.empty((len(about["tokens"]), len(self.frame["gain"])), np.float32)
        elif kind == "rows":
            rows = self.about["rows"]
            width = self.tokens.shape[1] // 32 * 34
            blocks = np.frombuffer(data, np.uint8).reshape(-1, width)
            first = int(number) * rows
            self.tokens[first : first + len(blocks)] = dequantize_q8_0(blocks)
        else:
            self.layers[int(number)] = {
                name: Matrix(one) if one.ndim == 2 else one for name, one in parts(data).items()
            }

    def begin(self, text: str) -> tuple[dict[str, Any], list[Any]]:
        """The tokens of a text."""
        ids = self.cut(text)
        if not ids:
            raise Refused("empty")
        if len(ids) > MOST // 2:
            raise Refused("too-long", tokens=len(ids), most=MOST // 2)
        about = {"tokens": [self.named(token) for token in ids], "most": MOST}
        about |= {"layers": self.about["n_layers"], "heads": self.about["n_heads"]}
        return about, []

    def step(self, ids: list[int], cached: bool) -> tuple[dict[str, Any], list[Any]]:
        """The next token, the likeliest; with it whom the last one looked at, `(layers, heads, n)`.

        `bytes` is what the keys and values of the text take in the cache, 0 without one.
        """
        decoder = self.whole()
        start = time.perf_counter()
        if cached:
            if self.kept != ids[: len(self.kept)] or len(self.kept) >= len(ids):
                self.cache, self.kept = decoder.cache(MOST), []
            new = ids[len(self.kept) :]
            trace = decoder.trace(new, cache=self.cache, last=True)
            self.kept = list(ids)
        else:
            if self.kept:
                self.cache, self.kept = decoder.cache(MOST), []
            new = ids
            trace = decoder.trace(ids, last=True)
        found = int(trace.logits[-1].argmax())
        seconds = time.perf_counter() - start
        kept = sum(layer.keys.nbytes + layer.values.nbytes for layer in self.cache)
        about = {
            "token": self.named(found),
            "text": self.cut.spell([*ids, found]),
            "over": found in self.about["ends"],
            "seconds": seconds,
            "computed": len(new),
            "bytes": kept,
        }
        return about, [trace.weights[:, :, -1], trace.logits[-1]]

    def whole(self) -> Decoder:
        if self.decoder is None:
            about = self.about
            self.decoder = Decoder(
                tokens=self.tokens,
                gain=self.frame["gain"],
                layers=Layers([self.layers[n] for n in range(about["n_layers"])]),
                n_heads=about["n_heads"],
                n_kv_heads=about["n_kv_heads"],
                rotary=functools.partial(rope, base=about["base"]),
                eps=about["eps"],
            )
            self.cache = self.decoder.cache(MOST)
        return self.decoder

    def named(self, token: int) -> dict[str, Any]:
        """A token with its text; one that is part of a character is shown by its bytes."""
        raw = self.cut.bytes(token)
        return {"id": token, "text": raw.decode(errors="backslashreplace")}
