"""What docs/data packs as text, figures/unpack.mjs reads as the same numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from scripts import engine

from docs.data.packing import KINDS, pack
from docs.data.packing import unpack as unpacked


@pytest.fixture(scope="module")
def unpack() -> Iterator[Any]:
    with engine("figures/unpack.mjs") as call:
        yield call


@pytest.mark.parametrize("shape", [(1,), (5,), (2, 3), (3, 1), (2, 3, 4), (2, 1, 2, 3)])
@pytest.mark.parametrize("kind", KINDS)
def test_the_numbers_come_back(unpack: Any, kind: str, shape: tuple[int, ...]) -> None:
    dtype = np.dtype(KINDS[kind])
    ends = (-3.5, 3.5) if dtype.kind == "f" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    array = np.linspace(*ends, math.prod(shape)).astype(dtype).reshape(shape)
    text = pack(array, kind)
    np.testing.assert_array_equal(unpacked(text, kind).reshape(shape), array)
    again = unpacked(pack(array, kind, deflate=True), kind, deflate=True)
    np.testing.assert_array_equal(again.reshape(shape), array)
    found = unpack("shaped(unpack(text, kind), shape)", text=text, kind=kind, shape=shape)
    np.testing.assert_array_equal(found, array)
    scaled = unpack("shaped(unpack(text, kind), shape, 0.01)", text=text, kind=kind, shape=shape)
    np.testing.assert_allclose(scaled, array.astype(float) * 0.01, rtol=1e-12)
