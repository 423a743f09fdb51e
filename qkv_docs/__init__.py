"""Attention's queries, keys and values, small enough to read: the companion of the pages."""

from qkv_docs.attention import scaled_dot_product_attention, softmax
from qkv_docs.byte_pairs import BytePairs
from qkv_docs.cache import KVCache
from qkv_docs.decoder import Decoder, DecoderLayer, DecoderTrace, silu
from qkv_docs.drawing import heatmap, line_chart
from qkv_docs.embedding import embed, one_hot
from qkv_docs.flash import (
    FlashTile,
    flash_attention,
    flash_attention_backward,
    online_softmax,
)
from qkv_docs.frequencies import (
    linear_frequencies,
    llama3_frequencies,
    ntk_frequencies,
    rope_frequencies,
    yarn_frequencies,
)
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
from qkv_docs.latent import latent_attention
from qkv_docs.linear import elu_feature_map, linear_attention
from qkv_docs.lookup import LookupBatch, LookupHistory, LookupModel, lookup_batch, train_lookup
from qkv_docs.masks import (
    causal_mask,
    document_mask,
    padding_mask,
    prefix_mask,
    sliding_window_mask,
)
from qkv_docs.norm import rms_norm
from qkv_docs.notation import (
    from_bert,
    from_gpt2,
    from_llama,
    from_t5,
    from_torch_mha,
    to_bert,
    to_gpt2,
    to_llama,
    to_t5,
    to_torch_mha,
)
from qkv_docs.positions import alibi_bias, rope, sinusoidal_positions
from qkv_docs.pretrained import (
    Encoder,
    EncoderLayer,
    EncoderTrace,
    PretrainedGroup,
    PretrainedHead,
    PretrainedSentence,
    dequantize_q4_0,
    dequantize_q4_1,
    dequantize_q8_0,
    gelu,
    layer_norm,
    pretrained_group,
    pretrained_head,
)
from qkv_docs.relative import t5_bias
from qkv_docs.roles import Role, describe
from qkv_docs.similarity import cosine_similarity, dot_product
from qkv_docs.tokenizer import Piece, Unigram
from qkv_docs.variants import (
    and_masks,
    apply_score_mod,
    create_mask,
    differential_attention,
    flex_attention,
    or_masks,
)

__all__ = [
    "BytePairs",
    "Decoder",
    "DecoderLayer",
    "DecoderTrace",
    "Encoder",
    "EncoderLayer",
    "EncoderTrace",
    "FlashTile",
    "InductionBatch",
    "InductionHistory",
    "InductionModel",
    "InductionScores",
    "KVCache",
    "LookupBatch",
    "LookupHistory",
    "LookupModel",
    "Piece",
    "PretrainedGroup",
    "PretrainedHead",
    "PretrainedSentence",
    "Role",
    "Unigram",
    "alibi_bias",
    "and_masks",
    "apply_score_mod",
    "causal_mask",
    "cosine_similarity",
    "create_mask",
    "dequantize_q4_0",
    "dequantize_q4_1",
    "dequantize_q8_0",
    "describe",
    "differential_attention",
    "document_mask",
    "dot_product",
    "elu_feature_map",
    "embed",
    "flash_attention",
    "flash_attention_backward",
    "flex_attention",
    "from_bert",
    "from_gpt2",
    "from_llama",
    "from_t5",
    "from_torch_mha",
    "gelu",
    "heatmap",
    "induction_batch",
    "latent_attention",
    "layer_norm",
    "line_chart",
    "linear_attention",
    "linear_frequencies",
    "llama3_frequencies",
    "lookup_batch",
    "merge_heads",
    "multi_head_attention",
    "ntk_frequencies",
    "one_hot",
    "online_softmax",
    "or_masks",
    "padding_mask",
    "prefix_mask",
    "pretrained_group",
    "pretrained_head",
    "rms_norm",
    "rope",
    "rope_frequencies",
    "scaled_dot_product_attention",
    "scaled_dot_product_attention_backward",
    "silu",
    "sinusoidal_positions",
    "sliding_window_mask",
    "softmax",
    "softmax_backward",
    "split_heads",
    "t5_bias",
    "to_bert",
    "to_gpt2",
    "to_llama",
    "to_t5",
    "to_torch_mha",
    "train_induction",
    "train_lookup",
    "yarn_frequencies",
]
