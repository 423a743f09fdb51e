"""Arrays of numbers as text, for figures: little-endian, in base64, deflated or not.

assets/scripts/figures/unpack.mjs reads them in the browser; tests/test_unpack.py compares the two.
"""

from __future__ import annotations

import base64
import zlib
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

KINDS = {"int8": "<i1", "uint8": "<u1", "int16": "<i2", "float32": "<f4"}


def pack(numbers: ArrayLike, kind: str, *, deflate: bool = False) -> str:
    """The numbers in this kind, row after row."""
    data = np.asarray(numbers).astype(KINDS[kind]).tobytes()
    return base64.b64encode(zlib.compress(data, 9) if deflate else data).decode()


def unpack(text: str, kind: str, *, deflate: bool = False) -> np.ndarray[Any, Any]:
    """The numbers of such a text, flat.

    >>> unpack(pack([[1, -2], [3, 4]], "int16"), "int16").tolist()
    [1, -2, 3, 4]
    """
    data = base64.b64decode(text)
    return np.frombuffer(zlib.decompress(data) if deflate else data, KINDS[kind])


__all__ = ["KINDS", "pack", "unpack"]
