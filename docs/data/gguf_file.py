"""A GGUF file, read with NumPy alone: what it says of the model, and the bytes of each tensor.

For the build of the site, which has no reader of its own; `decoder_model.py` reads the same file
with the package gguf, and a test compares the two.
"""

import struct
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q",
           12: "d"}  # fmt: skip
TEXT, LIST = 8, 9
# How many numbers a block holds, and in how many bytes, by the number of the format.
FORMS = {0: ("f4", 1, 4), 3: ("q4_1", 32, 20), 8: ("q8_0", 32, 34)}


class Tensor(NamedTuple):
    """A matrix is stored as (d_out, d_in), each row in blocks."""

    form: str
    shape: tuple[int, ...]
    data: bytes


class GGUF(NamedTuple):
    about: dict[str, Any]
    tensors: dict[str, Tensor]


def read(path: Path) -> GGUF:
    """The file, little-endian, version 3.

    Raises:
        ValueError: it is another kind of file, or has a tensor in a format that is not read here.
    """
    data = path.read_bytes()
    at = 0

    def take(form: str) -> Any:
        nonlocal at
        (value,) = struct.unpack_from(f"<{form}", data, at)
        at += struct.calcsize(f"<{form}")
        return value

    def text() -> str:
        length = take("Q")
        return str(take(f"{length}s").decode())

    def value(kind: int) -> Any:
        if kind == LIST:
            inner, length = take("I"), take("Q")
            return [value(inner) for _ in range(length)]
        return text() if kind == TEXT else take(SCALARS[kind])

    magic, version = take("4s"), take("I")
    if (magic, version) != (b"GGUF", 3):
        raise ValueError(f"{path} is no GGUF file of version 3: {magic!r}, {version}")
    n_tensors, n_settings = take("Q"), take("Q")
    about = {text(): value(take("I")) for _ in range(n_settings)}
    listed = []
    for _ in range(n_tensors):
        name = text()
        shape = tuple(take("Q") for _ in range(take("I")))[::-1]
        listed.append((name, shape, take("I"), take("Q")))
    step = about.get("general.alignment", 32)
    start = at + -at % step
    tensors = {}
    for name, shape, kind, offset in listed:
        if kind not in FORMS:
            raise ValueError(f"{name} is in the format {kind}; known are {sorted(FORMS)}")
        form, numbers, size = FORMS[kind]
        first = start + offset
        tensors[name] = Tensor(form, shape, data[first : first + prod(shape) // numbers * size])
    return GGUF(about, tensors)
