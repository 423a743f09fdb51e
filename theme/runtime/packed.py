"""What the models in the reader's browser share: their files read, and how they are asked.

Runs there beside session.py; its tests run it in CPython. The files are those that theme/site has
packed, already checked by who brings them.
"""

import json
import zlib
from typing import Any

import numpy as np

from qkv_docs.pretrained import dequantize_q4_0


class Refused(Exception):
    """Why there is nothing to show: a code for the page's script, and what it is about."""

    def __init__(self, code: str, **about: Any) -> None:
        super().__init__(code)
        self.about = {"end": code} | about


def parts(data: bytes) -> dict[str, Any]:
    """The arrays of a packed file, by name: numbers, matrices unpacked, texts."""
    start = 4 + int.from_bytes(data[:4], "little")
    found: dict[str, Any] = {}
    for name, kind, shape, size in json.loads(data[4:start]):
        raw = data[start : start + size]
        start += size + -size % 8
        if kind == "json":
            found[name] = json.loads(zlib.decompress(raw))
        elif kind == "q4":  # a row for each number that comes out; here a column
            blocks = np.frombuffer(raw, np.uint8).reshape(shape)
            found[name] = np.ascontiguousarray(dequantize_q4_0(blocks).T)
        else:
            found[name] = np.frombuffer(raw, f"<{kind}").reshape(shape)
    return found


class Model:
    """A model whose files arrive one by one; `asks` names what it answers."""

    asks: tuple[str, ...] = ()

    def bring(self, name: str, data: Any) -> None:
        """Take a file in, by its name without the hash; `data` is bytes, or JavaScript's."""
        kind, _, number = name.partition("-")
        self.take(kind, number, data.to_bytes() if hasattr(data, "to_bytes") else data)

    def take(self, kind: str, number: str, data: bytes) -> None:
        raise NotImplementedError

    def ask(self, question: str) -> tuple[str, list[Any]]:
        """An answer as JSON, its `end` "" where all is well, and arrays of float32."""
        asked = json.loads(question)
        kind = asked.pop("ask")
        assert kind in self.asks
        try:
            about, arrays = getattr(self, kind)(**asked)
        except Refused as refused:
            about, arrays = refused.about, []
        except MemoryError:
            about, arrays = {"end": "memory"}, []
        arrays = [np.ascontiguousarray(array, np.float32).reshape(-1) for array in arrays]
        return json.dumps({"end": "", **about}), arrays
