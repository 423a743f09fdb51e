"""The table of open models: its numbers fit together, each row has a source, caches are exact."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import yaml
from scripts import engine
from sources import DOCS

from docs import data
from docs.data import models
from qkv_docs import KVCache

KEPT = data.read("models")
ROWS = KEPT["models"]
SOURCES = {
    source["key"]: source
    for source in yaml.safe_load((DOCS / "references.yml").read_text("utf-8"))["references"]
}
BY_NAME = {row["name"]: row for row in ROWS}


def test_the_file_is_what_the_script_computes() -> None:
    assert json.loads(data.text(models.compute())) == KEPT


def test_names_are_unique() -> None:
    assert len(BY_NAME) == len(ROWS) >= 16


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_a_row_fits_together(row: dict[str, Any]) -> None:
    assert row["heads"] % row["key_heads"] == 0
    assert row["full_key_heads"] <= row["key_heads"]
    assert (row["window"] is None) == (row["windowed"] == 0)
    assert row["windowed"] + row["linear"] <= row["layers"]
    assert row["rotated"] % 2 == 0  # columns come in pairs
    assert row["rotated"] <= row["full_d_head"]
    assert (row["rotated"] > 0) == (row["positions"] == models.ROPE)
    assert (row["positions"] != models.ROPE) <= (row["base"] is None)
    if row["latent"]:
        assert row["group"] is None
        assert row["latent"] < row["key_heads"] * row["d_head"]
    else:
        assert row["group"] * row["key_heads"] == row["heads"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_a_row_has_a_source_that_was_opened(row: dict[str, Any]) -> None:
    for key in filter(None, (row["source"], row["also"])):
        assert SOURCES[key]["checked"]["state"] == "opened"
    read = SOURCES[row["source"]]["checked"].get("read")
    assert read is None or row["place"] in read


# More or less than d_model where heads have a width of their own; the others divide it
OWN_WIDTH = {
    "Gemma 2 9B", "Gemma 3 27B", "Gemma 4 31B", "GLM-4.5", "gpt-oss-120b", "Qwen3 235B-A22B",
    "Qwen3-Next 80B", "DeepSeek-V3", "Kimi K2",
}  # fmt: skip


def test_heads_times_their_width_is_d_model_or_not() -> None:
    assert {r["name"] for r in ROWS if r["heads"] * r["d_head"] != r["d_model"]} == OWN_WIDTH


@pytest.mark.parametrize("n", [1, 100, 5000])
@pytest.mark.parametrize("name", ["GPT-2", "SmolLM2 135M", "gpt-oss-120b", "Qwen3-Next 80B"])
def test_the_cache_is_that_of_the_package_layer_by_layer(name: str, n: int) -> None:
    row = BY_NAME[name]
    total = 0
    for layer in range(row["layers"] - row["linear"]):
        rows = min(n, row["window"]) if layer < row["windowed"] else n
        sizes = (row["key_heads"], row["d_head"])
        total += KVCache(rows, *sizes, dtype=np.float16).nbytes
    assert models.cache(row, n) == total


def test_by_hand() -> None:
    assert models.cache(BY_NAME["Llama 2 7B"], 1) == 2 * 2 * 32 * 32 * 128
    assert models.cache(BY_NAME["DeepSeek-V3"], 10) == 10 * 61 * (512 + 64) * 2
    gemma = 2 * 2 * (10 * 4 * 512 * 5000 + 50 * 16 * 256 * 1024)
    assert models.cache(BY_NAME["Gemma 4 31B"], 5000) == gemma
    assert models.cache(BY_NAME["BERT base"], 5) is None


def test_the_figure_computes_the_same() -> None:
    with engine("figures/models.mjs") as call:
        for row in ROWS:
            for n in (1, 1024, 32_768, 2**20):
                assert call("cacheBytes(row, n)", row=row, n=n) == models.cache(row, n)
