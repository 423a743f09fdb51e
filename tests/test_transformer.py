"""The block that the page transformer writes out is PyTorch's, and its count is that of GPT-2."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from docs.examples import values


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("norm_first", [True, False])
def test_block_is_that_of_pytorch(norm_first: bool, causal: bool) -> None:
    page = values("transformer", "post-norm")
    layer = torch.nn.TransformerEncoderLayer(
        4, 2, 2, 0, "gelu", norm_first=norm_first, batch_first=True, bias=False, dtype=torch.float64
    )
    columns = np.hstack([page[name] for name in ("W_Q", "W_K", "W_V")])
    with torch.no_grad():  # PyTorch multiplies columns: W x
        for parameter, w in (
            (layer.self_attn.in_proj_weight, columns),
            (layer.self_attn.out_proj.weight, page["W_O"]),
            (layer.linear1.weight, page["W_in"]),
            (layer.linear2.weight, page["W_out"]),
        ):
            parameter.copy_(torch.tensor(w.T))
        x = np.random.default_rng(0).normal(size=(3, 4))
        mask = page["mask"] if causal else np.ones((3, 3), bool)
        theirs = layer(torch.tensor(x[None]), src_mask=torch.tensor(~mask))[0]
    ours = page["block" if norm_first else "post_norm_block"](x, mask)
    np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-12)


def test_decoder_block_reads_the_encoder_as_in_pytorch() -> None:
    page = values("transformer", "answer-cross")
    layer = torch.nn.TransformerDecoderLayer(
        4, 2, 2, 0, "gelu", norm_first=True, batch_first=True, bias=False, dtype=torch.float64
    )
    columns = np.hstack([page[name] for name in ("W_Q", "W_K", "W_V")])
    with torch.no_grad():
        for attention in (layer.self_attn, layer.multihead_attn):
            attention.in_proj_weight.copy_(torch.tensor(columns.T))
            attention.out_proj.weight.copy_(torch.tensor(page["W_O"].T))
        layer.linear1.weight.copy_(torch.tensor(page["W_in"].T))
        layer.linear2.weight.copy_(torch.tensor(page["W_out"].T))
        x, memory = (torch.tensor(page[name][None]) for name in ("x", "memory"))
        theirs = layer(x, memory, tgt_mask=torch.tensor(~page["mask"]))[0]
    ours = page["decoder_block"](page["x"], page["memory"], page["mask"])
    np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-12)


def test_count_is_that_of_the_modules() -> None:
    page = values("transformer", "count")
    d, d_mlp = page["d"], page["d_mlp"]
    layer = torch.nn.TransformerEncoderLayer(d, 12, d_mlp, device="meta")
    each = sum(p.numel() for p in layer.parameters())
    outside = (page["N"] + page["n_max"]) * d + 2 * d
    assert sum(page["counts"].values()) == page["total"] == outside + page["n_layers"] * each


@pytest.mark.parametrize("n", [7, 1536, 4608])
def test_crossing_points(n: int) -> None:
    scores, projections, mlp = values("transformer", "cost")["multiplications"](n)
    assert (scores == projections) == (n == 2 * 768)
    assert (scores == projections + mlp) == (n == 6 * 768)


@pytest.mark.parametrize("n", [128, 1024, 4608])
def test_pytorch_counts_as_many_multiplications(n: int) -> None:
    layer = torch.nn.TransformerEncoderLayer(768, 12, 3072, 0, batch_first=True, device="meta")
    counter = FlopCounterMode(display=False)
    with counter:
        layer(torch.empty(1, n, 768, device="meta"))
    counted = counter.get_total_flops() // 2  # a multiplication and an addition are two
    assert counted == sum(values("transformer", "cost")["multiplications"](n))
