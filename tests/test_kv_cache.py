"""The numbers of the page kv-cache: models are counted, and what was measured has one order."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from docs.data import read
from docs.data.kv_cache import (
    CONFIGURATIONS,
    LENGTHS,
    QK_NORM,
    Layer,
    models,
    parameters,
    per_token,
)
from docs.examples import values

PAGE = read("kv-cache")


def test_the_file_has_the_models_of_the_script() -> None:
    assert PAGE["models"] == models()


def test_a_token_takes_what_the_table_of_open_models_says() -> None:
    table = {row["name"]: row["kib"] for row in read("models")["models"]}
    shared = [row for row in PAGE["models"] if row["model"] in table]
    assert len(shared) >= 4
    assert all(per_token(row) == 1024 * table[row["model"]] for row in shared)


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_parameters_are_those_of_the_modules(name: str) -> None:
    layers, heads, kv_heads, d_head, d_model, d_mlp, rows, tables = CONFIGURATIONS[name]

    def linear(m: int, n: int) -> torch.nn.Module:
        return torch.nn.Linear(m, n, bias=False, device="meta")

    norms = [d_model] * 2 + [d_head] * (2 if name in QK_NORM else 0)
    layer = torch.nn.ModuleList(
        [linear(d_model, heads * d_head), linear(heads * d_head, d_model)]
        + [linear(d_model, kv_heads * d_head) for _ in range(2)]
        + [linear(d_model, d_mlp) for _ in range(3)]
        + [torch.nn.RMSNorm(d, device="meta") for d in norms]
    )
    each = sum(p.numel() for p in layer.parameters())
    assert parameters(name) == layers * each + tables * rows * d_model + d_model


def test_four_ways_give_one_output() -> None:
    """What is compared by its time computes the same."""
    for way in ("concatenated", "keys_again", "all_again"):
        expected, found = (getattr(Layer(40), one)() for one in ("preallocated", way))
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_what_was_measured_is_in_order() -> None:
    """Recomputing costs more than copying, and what is copied more than what is not, if long."""
    for n in LENGTHS:
        of = {row["way"]: row for row in PAGE["measured"] if row["n"] == n}
        assert all(row["low"] <= row["ratio"] <= row["high"] for row in of.values())
        assert of["preallocated"]["ratio"] == 1
        assert of["all_again"]["ratio"] > of["keys_again"]["ratio"] > of["concatenated"]["ratio"]
    assert of["concatenated"]["low"] > 1


def test_the_model_of_the_page_is_the_one_of_the_table() -> None:
    page = values("kv-cache", "answer-room")
    row = next(row for row in PAGE["models"] if row["model"] == "Llama 3.1 8B")
    assert page["parameters"] == row["parameters"] * row["bytes_per_parameter"]
    assert page["llama"] == {key: row[key] for key in ("layers", "kv_heads", "d_head")} | {
        "size": 2
    }
