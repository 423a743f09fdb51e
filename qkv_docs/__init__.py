"""Attention's queries, keys and values, small enough to read: the companion of the pages."""

from qkv_docs.attention import scaled_dot_product_attention, softmax
from qkv_docs.drawing import heatmap, line_chart
from qkv_docs.embedding import embed, one_hot
from qkv_docs.gradients import scaled_dot_product_attention_backward, softmax_backward
from qkv_docs.heads import merge_heads, multi_head_attention, split_heads
from qkv_docs.induction import (
    InductionBatch,
    InductionHistory,
    InductionModel,
    InductionScores,
    induction_batch,
    train_induction,
)
from qkv_docs.lookup import LookupBatch, LookupHistory, LookupModel, lookup_batch, train_lookup
from qkv_docs.masks import causal_mask, padding_mask, sliding_window_mask
from qkv_docs.norm import rms_norm
from qkv_docs.positions import alibi_bias, rope, sinusoidal_positions
from qkv_docs.pretrained import (
    Encoder,
    EncoderLayer,
    EncoderTrace,
    PretrainedHead,
    PretrainedSentence,
    dequantize_q4_0,
    gelu,
    layer_norm,
    pretrained_head,
)
from qkv_docs.roles import Role, describe
from qkv_docs.similarity import cosine_similarity, dot_product

__all__ = [
    "Encoder",
    "EncoderLayer",
    "EncoderTrace",
    "InductionBatch",
    "InductionHistory",
    "InductionModel",
    "InductionScores",
    "LookupBatch",
    "LookupHistory",
    "LookupModel",
    "PretrainedHead",
    "PretrainedSentence",
    "Role",
    "alibi_bias",
    "causal_mask",
    "cosine_similarity",
    "dequantize_q4_0",
    "describe",
    "dot_product",
    "embed",
    "gelu",
    "heatmap",
    "induction_batch",
    "layer_norm",
    "line_chart",
    "lookup_batch",
    "merge_heads",
    "multi_head_attention",
    "one_hot",
    "padding_mask",
    "pretrained_head",
    "rms_norm",
    "rope",
    "scaled_dot_product_attention",
    "scaled_dot_product_attention_backward",
    "sinusoidal_positions",
    "sliding_window_mask",
    "softmax",
    "softmax_backward",
    "split_heads",
    "train_induction",
    "train_lookup",
]
