"""One rule for what comes in, stated in `qkv_docs._checks`: here for every public function at once.

`CALLS` says how each is called and which of its arguments are numbers, integers, ids, settings or
masks. Who adds a public function adds a line.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import qkv_docs as q


@dataclass
class Call:
    """A function, arguments that it takes, and what those are: names with spaces between.

    What is `moved` may hold anything, for nothing is computed; the dtype of numbers that come
    `beside` is not seen in the result.
    """

    run: Callable[..., Any]
    given: dict[str, Any]
    numbers: str = ""
    integers: str = ""
    ids: str = ""
    settings: str = ""
    masks: str = ""
    moved: str = ""
    beside: str = ""


def drawn(*shape: int) -> Any:
    """Small whole numbers, exact in every dtype; float64."""
    return np.random.default_rng(shape).integers(-3, 4, shape).astype(float)


def encoder(ids: Any, mask: Any = None, eps: Any = 1e-12, **own: Any) -> Any:
    names = [field.name for field in fields(q.EncoderLayer)]
    layer = {name: drawn(4, 4) if name[0] == "w" else drawn(4) for name in names}
    layer |= {name: own.pop(name) for name in names if name in own}
    return q.Encoder(**own, layers=[q.EncoderLayer(**layer)], n_heads=2, eps=eps)(ids, mask)


def decoder(
    ids: Any, tokens: Any, gain: Any, n_heads: Any = 2, n_kv_heads: Any = 1, mask: Any = None,
    eps: Any = 1e-5, scale: Any = None, **layer: Any,
) -> Any:  # fmt: skip
    layers = [q.DecoderLayer(**layer)]
    model = q.Decoder(tokens, gain, layers, n_heads, n_kv_heads, eps=eps, scale=scale)
    return model(ids, mask)


def lookup(letters: Any, digits: Any, slots: Any) -> Any:
    return q.LookupModel.create().loss_and_gradients(q.LookupBatch(letters, digits, slots))


def induction(letters: Any) -> Any:
    batch = q.InductionBatch(letters, np.array([2]))
    return q.InductionModel.create().loss_and_gradients(batch)


QKV = {"q": drawn(2, 3), "k": drawn(4, 3), "v": drawn(4, 2), "mask": np.eye(2, 4) < 1}
HEADS = {name: drawn(4, 4) for name in ("w_q", "w_k", "w_v", "w_o")}
RNG = np.random.default_rng(0)


def cached(k: Any, v: Any) -> q.KVCache:
    cache = q.KVCache(capacity=4, n_kv_heads=2, d_k=3, d_v=2)
    cache.append(k, v)
    return cache


def LAYER(library: str) -> dict[str, Any]:
    scale = {"scale": 1.0} if library == "t5" else {}
    return {"state": getattr(q, f"to_{library}")(HEADS | scale | {"n_heads": 2}), "n_heads": 2}


DECODER = {
    "ids": [3, 1], "tokens": drawn(5, 4), "gain": drawn(4), "gain_1": drawn(4), "gain_2": drawn(4),
    "w_q": drawn(4, 8), "w_k": drawn(4, 4), "w_v": drawn(4, 4), "w_o": drawn(8, 4),
    "w_gate": drawn(4, 3), "w_up": drawn(4, 3), "w_down": drawn(3, 4),
}  # fmt: skip

CALLS = {
    "softmax": Call(q.softmax, {"x": drawn(2, 3)}, "x", "axis"),
    "scaled_dot_product_attention": Call(
        q.scaled_dot_product_attention,
        QKV | {"bias": drawn(2, 4), "sinks": np.array(1.0)},
        "q k v", settings="scale softcap", masks="mask", beside="bias sinks",
    ),
    "online_softmax": Call(q.online_softmax, {"x": drawn(2, 3)}, "x", "block"),
    "flash_attention": Call(
        q.flash_attention, QKV | {"bias": drawn(2, 4), "sinks": np.array(1.0)}, "q k v",
        "rows columns", settings="scale softcap", masks="mask", beside="bias sinks",
    ),
    "flash_attention_backward": Call(
        q.flash_attention_backward, {"grad_output": drawn(2, 2), "bias": drawn(2, 4)} | QKV,
        "q k v", "rows columns", settings="scale", masks="mask", beside="grad_output bias",
    ),
    "KVCache": Call(
        q.KVCache, {"capacity": 4, "n_kv_heads": 2, "d_k": 3, "d_v": 2, "window": 2, "batch": 1},
        "", "capacity n_kv_heads d_k d_v window batch",
    ),
    "KVCache.attend": Call(
        lambda q, k, v, **settings: cached(k, v).attend(q, **settings),
        {"q": drawn(2, 1, 3), "k": drawn(2, 4, 3), "v": drawn(2, 4, 2)},
        settings="scale softcap", beside="q k v",
    ),
    "softmax_backward": Call(
        q.softmax_backward, {"grad": drawn(2, 3), "weights": drawn(2, 3)}, "grad weights"
    ),
    "scaled_dot_product_attention_backward": Call(
        q.scaled_dot_product_attention_backward, {"grad_output": drawn(2, 2)} | QKV,
        "q k v", settings="scale", masks="mask", beside="grad_output",
    ),
    "dot_product": Call(q.dot_product, {"a": drawn(2, 3), "b": drawn(3)}, "a b"),
    "cosine_similarity": Call(q.cosine_similarity, {"a": drawn(2, 3), "b": drawn(3)}, "a b"),
    "rope": Call(
        q.rope, {"x": drawn(3, 4), "positions": drawn(3), "frequencies": drawn(2)}, "x",
        beside="positions frequencies",
    ),
    "rope.base": Call(q.rope, {"x": drawn(3, 4), "positions": drawn(3)}, settings="base"),
    "multi_head_attention": Call(
        q.multi_head_attention,
        {"x": drawn(3, 4), "context": drawn(2, 4), "values": drawn(2, 4), "n_heads": 2,
         "b_q": drawn(4), "b_k": drawn(4), "b_v": drawn(4), "b_o": drawn(4), "g_q": drawn(2),
         "g_k": drawn(4), "bias": drawn(3, 2), "sinks": drawn(2)} | HEADS,
        "x context values w_q w_k w_v w_o b_q b_k b_v b_o g_q g_k", "n_heads n_kv_heads",
        settings="scale softcap eps", masks="mask", beside="bias sinks",
    ),
    "latent_attention": Call(
        q.latent_attention,
        {"q": drawn(2, 1, 3), "c": drawn(4, 5), "w_uk": drawn(2, 5, 3), "w_uv": drawn(2, 5, 2),
         "q_rope": drawn(2, 1, 2), "k_rope": drawn(4, 2), "mask": np.eye(1, 4) < 1},
        "q c w_uk w_uv q_rope k_rope", settings="scale", masks="mask",
    ),
    "layer_norm": Call(
        q.layer_norm, {"x": drawn(3, 4), "gain": drawn(4), "shift": drawn(4), "eps": 1e-12},
        "x gain shift", settings="eps",
    ),
    "rms_norm": Call(q.rms_norm, {"x": drawn(3, 4), "gain": drawn(4)}, "x gain", settings="eps"),
    "gelu": Call(q.gelu, {"x": drawn(2, 3)}, "x"),
    "Encoder": Call(
        encoder,
        {"ids": [3, 1], "tokens": drawn(5, 4), "positions": drawn(3, 4), "segment": drawn(4),
         "gain": drawn(4), "shift": drawn(4)},
        "tokens positions segment gain shift w_q b_in", ids="ids", settings="eps", masks="mask",
    ),
    "silu": Call(q.silu, {"x": drawn(2, 3)}, "x"),
    "Decoder": Call(
        decoder, DECODER, " ".join(name for name in DECODER if name != "ids"),
        "n_heads n_kv_heads", ids="ids", settings="eps scale", masks="mask",
    ),
    "embed": Call(q.embed, {"ids": [1], "table": drawn(3, 2)}, "table", ids="ids"),
    "split_heads": Call(q.split_heads, {"x": drawn(3, 4), "n_heads": 2}, "", "n_heads", moved="x"),
    "merge_heads": Call(q.merge_heads, {"x": drawn(2, 3, 4)}, moved="x"),
    "one_hot": Call(q.one_hot, {"ids": [1], "size": 3}, "", "size", "ids"),
    "causal_mask": Call(q.causal_mask, {"n_q": 2, "n_k": 3}, "", "n_q n_k"),
    "padding_mask": Call(q.padding_mask, {"lengths": [1], "n": 3}, "", "n"),
    "sliding_window_mask": Call(
        q.sliding_window_mask, {"n_q": 3, "window": 2, "n_k": 4}, "", "n_q window n_k"
    ),
    "document_mask": Call(q.document_mask, {"documents": [1]}),
    "prefix_mask": Call(q.prefix_mask, {"lengths": [1], "n": 3}, "", "n"),
    "sinusoidal_positions": Call(q.sinusoidal_positions, {"n": 3, "d": 2}, "", "n d"),
    "alibi_bias": Call(q.alibi_bias, {"n_heads": 2, "n": 3}, "", "n_heads n"),
    "lookup_batch": Call(q.lookup_batch, {"rng": RNG}, "", "size n_pairs"),
    "induction_batch": Call(q.induction_batch, {"rng": RNG}, "", "size n shortest longest"),
    "LookupModel": Call(
        q.LookupModel.create, {}, "", "seed d_model d_k d_v", settings="scale init_std"
    ),
    "LookupBatch": Call(
        lookup,
        {"letters": np.array([[0, 1]]), "digits": np.array([[2, 3]]), "slots": np.array([1])},
        ids="letters digits slots",
    ),
    "train_lookup": Call(
        q.train_lookup, {"model": q.LookupModel.create(), "steps": 0}, "",
        "steps batch_size n_pairs seed every", settings="lr stop_at",
    ),
    "InductionModel": Call(q.InductionModel.create, {}, "", "seed n_layers d_model d_k"),
    "InductionModel.forward": Call(q.InductionModel.create().forward, {"ids": [[1]]}, ids="ids"),
    "InductionBatch": Call(induction, {"letters": np.array([[0, 1, 0]])}, ids="letters"),
    "train_induction": Call(
        q.train_induction, {"model": q.InductionModel.create(), "steps": 0}, "",
        "steps batch_size seed every shortest longest", settings="lr",
    ),
    "Unigram": Call(
        lambda scores: q.Unigram(["?", "a"], scores, unknown=0)("a"), {"scores": drawn(2)},
        beside="scores",
    ),
    "t5_bias": Call(
        q.t5_bias, {"table": drawn(8, 2), "n_q": 3, "n_k": 4}, "table", "n_q n_k max_distance"
    ),
    "from_torch_mha": Call(q.from_torch_mha, LAYER("torch_mha"), "", "n_heads"),
    "from_gpt2": Call(q.from_gpt2, LAYER("gpt2"), "", "n_heads"),
    "from_bert": Call(q.from_bert, LAYER("bert"), "", "n_heads"),
    "from_llama": Call(q.from_llama, LAYER("llama"), "", "n_heads n_kv_heads", settings="base eps"),
    "from_t5": Call(q.from_t5, LAYER("t5"), "", "n_heads"),
    "heatmap": Call(q.heatmap, {"values": np.eye(3)}, beside="values"),
    "line_chart": Call(
        lambda x, curve: q.line_chart(x, {"curve": curve}, x_title="x", y_title="y"),
        {"x": np.arange(3.0), "curve": drawn(3)}, beside="x curve",
    ),
    "rope_frequencies": Call(q.rope_frequencies, {"d": 2}, "", "d", settings="base"),
    "linear_frequencies": Call(
        q.linear_frequencies, {"d": 2, "factor": 2}, "", "d", settings="base"
    ),
    "ntk_frequencies": Call(q.ntk_frequencies, {"d": 4, "factor": 2}, "", "d", settings="base"),
    "yarn_frequencies": Call(
        q.yarn_frequencies, {"d": 4, "factor": 2, "trained": 9, "base": 9.0}, "", "d trained",
        settings="slow",
    ),
    "llama3_frequencies": Call(
        q.llama3_frequencies, {"d": 4}, "", "d trained", settings="base slow"
    ),
    "create_mask": Call(
        q.create_mask, {"mask_mod": lambda i, j: j <= i, "n_q": 2, "n_k": 3}, "", "n_q n_k"
    ),
    "apply_score_mod": Call(
        q.apply_score_mod, {"scores": drawn(2, 3), "score_mod": lambda s, i, j: s + i * j}, "scores"
    ),
    "flex_attention": Call(
        q.flex_attention,
        {name: QKV[name] for name in "qkv"}
        | {"score_mod": lambda s, i, j: s + i * j, "mask_mod": lambda i, j: j <= i},
        "q k v", settings="scale",
    ),
    "elu_feature_map": Call(q.elu_feature_map, {"x": drawn(2, 3)}, "x"),
    "linear_attention": Call(
        q.linear_attention, {name: QKV[name] for name in "qkv"} | {"causal": True}, "q k v"
    ),
    "differential_attention": Call(
        q.differential_attention,
        QKV | {"q": drawn(2, 4), "k": drawn(4, 4), "lam": 0.5}, "q k v",
        settings="lam", masks="mask",
    ),
}  # fmt: skip
NOT_ASKED = {
    "Piece",  # only given
    "BytePairs",  # texts come in
    "describe", "Role",  # no numbers come in
    "and_masks", "or_masks",  # nor here, but functions
    "dequantize_q4_0", "dequantize_q4_1", "dequantize_q8_0",  # only bytes
    "pretrained_head", "PretrainedHead", "PretrainedSentence",  # only gives
    "pretrained_group", "PretrainedGroup",
    "DecoderLayer", "DecoderTrace",
    "EncoderLayer", "EncoderTrace", "InductionHistory", "InductionScores", "LookupHistory",
    "FlashTile",
    "to_torch_mha", "to_gpt2", "to_bert", "to_llama", "to_t5",  # arrays are moved
    "bias", "start", "take_in", "below",
    # get what was checked
    "masked_product", "normalised", "softmax_into", "softmax_with_sinks", "forward",
    "sum_to_shape", "directions", "slopes",
}  # fmt: skip
FLOATS = [np.float16, np.float32, np.float64, np.longdouble]
INTEGERS = [np.int8, np.uint8, np.int64]


def public() -> Iterator[str]:
    """All names in `__all__`, and what the public modules define, but for the drawing kit."""
    yield from q.__all__
    for module in pkgutil.iter_modules(q.__path__):
        if not module.name.startswith("_") and module.name != "drawing":
            contents = vars(importlib.import_module(f"qkv_docs.{module.name}"))
            for name, value in contents.items():
                known = inspect.isfunction(value) or inspect.isclass(value)
                if known and not name.startswith("_") and value.__module__.endswith(module.name):
                    yield name


def arguments(kind: str) -> list[Any]:
    """Every public function with each of its arguments of that kind."""
    return [
        pytest.param(call, name, id=f"{function}-{name}")
        for function, call in CALLS.items()
        for name in getattr(call, kind).split()
    ]


def every(result: Any) -> list[Any]:
    return list(result) if isinstance(result, tuple) else [result]


def whole(call: Call) -> dict[str, Any]:
    """The arguments, those parameters of a layer included that the rule is tried on."""
    more = {"w_q": drawn(4, 4), "b_in": drawn(4)} if call.run is encoder else {}
    return call.given | more


def test_every_public_function_is_in_the_table() -> None:
    asked = {name.partition(".")[0] for name in CALLS}
    assert asked | NOT_ASKED == set(public())
    assert not asked & NOT_ASKED


NUMERIC = {name: call for name, call in CALLS.items() if call.numbers}


@given(name=st.sampled_from(sorted(NUMERIC)), data=st.data())
def test_dtypes(name: str, data: st.DataObject) -> None:
    """The widest dtype comes out; the numbers are those of float64; nothing that came is changed.

    Arrays of any dtype and byte order, read-only, with steps in memory, and lists within lists.
    """
    call, chosen, dtypes = NUMERIC[name], whole(NUMERIC[name]), []
    for argument in call.numbers.split():
        values = np.abs(chosen[argument])  # for uint8
        form = data.draw(st.sampled_from(["array", "list", "steps", "swapped"]))
        dtype = np.dtype(data.draw(st.sampled_from(FLOATS + INTEGERS)))
        if form == "list":
            dtype, chosen[argument] = np.dtype(float), values.tolist()
        elif form == "steps":
            chosen[argument] = np.repeat(values, 2, axis=-1).astype(dtype)[..., ::2]
        else:
            swapped = dtype.newbyteorder() if form == "swapped" else dtype
            chosen[argument] = values.astype(swapped)
            chosen[argument].flags.writeable = False
        dtypes.append(np.dtype(float) if dtype.kind in "iu" and call.run is not q.embed else dtype)
    if call.run is encoder:  # the others of its layer are float64
        dtypes.append(np.dtype(float))
    before = {argument: np.array(chosen[argument]) for argument in call.numbers.split()}
    exact = whole(call) | {argument: np.abs(whole(call)[argument]) for argument in before}
    for got, expected in zip(every(call.run(**chosen)), every(call.run(**exact)), strict=True):
        dtype = np.result_type(*dtypes)
        assert np.asarray(got).dtype == dtype
        precision = 1e-12 if dtype.kind in "iu" else max(1e-12, 4 * float(np.finfo(dtype).eps))
        scale = np.abs(expected).max(initial=1)
        np.testing.assert_allclose(got, expected, rtol=precision, atol=scale * precision)
    for argument, values in before.items():
        np.testing.assert_array_equal(chosen[argument], values)


@pytest.mark.parametrize("name", [name for name in NUMERIC if name not in ("Encoder", "embed")])
def test_float16_is_rounded_once(name: str) -> None:
    call = NUMERIC[name]
    half = {argument: 0.3 * call.given[argument] for argument in call.numbers.split()}
    half = {argument: values.astype(np.float16) for argument, values in half.items()}
    single = {argument: values.astype(np.float32) for argument, values in half.items()}
    for got, wide in zip(
        every(call.run(**call.given | half)), every(call.run(**call.given | single)), strict=True
    ):
        np.testing.assert_array_equal(got, np.asarray(wide).astype(np.float16), strict=True)


def test_an_encoder_in_float16_is_rounded_once() -> None:
    layers = {field.name for field in fields(q.EncoderLayer)}
    named = {name: values for name, values in CALLS["Encoder"].given.items() if name != "ids"} | {
        name: drawn(4, 4) if name[0] == "w" else drawn(4) for name in layers
    }
    half = {name: (0.3 * values).astype(np.float16) for name, values in named.items()}
    single = {name: values.astype(np.float32) for name, values in half.items()}
    for got, wide in zip(encoder([3, 1], **half), encoder([3, 1], **single), strict=True):
        np.testing.assert_array_equal(got, wide.astype(np.float16), strict=True)


def allowed(call: Call, argument: str, came: str) -> bool:
    """heatmap draws masks; None may be a default."""
    if came == "object, such as NoneType":
        default = inspect.signature(call.run).parameters.get(argument)
        return default is not None and default.default is None
    return call.run is q.heatmap and came == "bool"


REFUSED = {
    "bool": lambda values: values > 0,
    "complex128": lambda values: values + 0j,
    "object, such as float": lambda values: values.astype(object),
    "object, such as NoneType": lambda _: None,
    "object, such as generator": lambda _: (x for x in ()),
    "<U1": lambda _: "1",
    "|V2": lambda values: np.zeros(values.shape, "V2"),  # as the bfloat16 of other packages
    "torch.bfloat16": lambda values: torch.tensor(values, dtype=torch.bfloat16),
    "torch.float64": lambda values: torch.tensor(values, requires_grad=True),
}


@pytest.mark.parametrize(("call", "argument"), arguments("numbers") + arguments("beside"))
def test_what_is_no_real_number_is_refused(call: Call, argument: str) -> None:
    sentence = " must hold real numbers (float16, float32, float64, longdouble or integers), got "
    for came, make in REFUSED.items():
        wrong = make(whole(call)[argument])
        if not allowed(call, argument, came):
            with pytest.raises(TypeError, match=f"^{argument}{re.escape(sentence + came)}"):
                call.run(**whole(call) | {argument: wrong})
    with pytest.raises(ValueError, match=f"^{argument}.* got lists of different lengths$"):
        call.run(**whole(call) | {argument: [[1.0], [1.0, 2.0]]})


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        *arguments("numbers"), *arguments("beside"), *arguments("masks"), *arguments("ids"),
        *arguments("moved"), pytest.param(CALLS["padding_mask"], "lengths", id="padding_mask"),
    ],
)  # fmt: skip
def test_a_mask_that_would_be_lost_is_refused(call: Call, argument: str) -> None:
    values = np.ma.masked_array(np.zeros((2, 2), int), np.eye(2))
    for wrong in (values, [values, values]):
        with pytest.raises(TypeError, match=f"^{argument} is a masked array, whose mask would be"):
            call.run(**whole(call) | {argument: wrong})


@pytest.mark.parametrize(("call", "argument"), arguments("integers"))
def test_sizes_are_integers(call: Call, argument: str) -> None:
    for wrong in (2.0, "3", True, np.array([1, 2]), 1j, None):
        if wrong is None and argument in ("n_k", "n_kv_heads", "d_v", "window", "batch"):
            continue  # their default
        with pytest.raises(TypeError, match=f"^{argument} must be an integer, got "):
            call.run(**call.given | {argument: wrong})
    if argument != "axis":
        with pytest.raises(ValueError, match=rf"^{argument} must be at least \d+, got -1$"):
            call.run(**call.given | {argument: -1})
    if argument not in ("axis", "seed", "window"):
        with pytest.raises(ValueError, match=rf"^{argument} must be at most \d+, got {2**63}$"):
            call.run(**call.given | {argument: 2**63})


@pytest.mark.parametrize(("call", "argument"), arguments("ids"))
def test_ids_are_known(call: Call, argument: str) -> None:
    shape = np.shape(call.given[argument])
    for wrong in (-1, 99, -(2**63)):
        with pytest.raises(IndexError, match=rf"^id {wrong} is outside a table of size \d+ "):
            call.run(**call.given | {argument: np.full(shape, wrong)})
    for wrong in (1.0, True, "1", None, 1j):
        with pytest.raises(TypeError, match=f"^{argument} must be integers, got "):
            call.run(**call.given | {argument: np.full(shape, wrong)})


@pytest.mark.parametrize(("call", "argument"), arguments("settings"))
def test_settings_are_finite_numbers(call: Call, argument: str) -> None:
    for wrong in ("2", True, 1j, [1.0], object(), np.ones(2)):
        with pytest.raises(TypeError, match=f"^{argument} must be a number, got "):
            call.run(**call.given | {argument: wrong})
    for wrong in (np.nan, np.inf, -np.inf):
        with pytest.raises(ValueError, match=f"^{argument} must be finite, got {wrong}$"):
            call.run(**call.given | {argument: wrong})
    call.run(**call.given | {argument: np.array(0.5, np.float16)})  # a number all the same


@pytest.mark.parametrize(("call", "argument"), arguments("masks"))
def test_masks_are_boolean(call: Call, argument: str) -> None:
    for wrong in (1, [0.0], ["1"], np.zeros((1, 1), np.int8), 1j):
        with pytest.raises(TypeError, match=r"^mask must be boolean, True = may attend, got "):
            call.run(**call.given | {argument: wrong})


@pytest.mark.parametrize("wrong", [1e200, -1.7e308, np.inf, np.nan])
def test_what_is_masked_counts_for_nothing(wrong: float) -> None:
    """Whatever it holds, and without a warning: here warnings are errors."""
    mask = np.array([True, False, True])
    rng = np.random.default_rng(0)
    x, context, grad = (3 * rng.normal(size=(n, 4)) for n in (2, 3, 2))
    spoilt = context.copy()
    spoilt[1] = wrong
    for call in (
        lambda rows: q.scaled_dot_product_attention(x, rows, rows, mask),
        lambda rows: (q.flash_attention(x, rows, rows, mask, columns=2),),
        lambda rows: q.scaled_dot_product_attention_backward(grad, x, rows, rows, mask),
        lambda rows: q.flash_attention_backward(grad, x, rows, rows, mask, columns=2),
        lambda rows: q.multi_head_attention(x, **HEADS, n_heads=2, context=rows, mask=mask),
        lambda rows: q.scaled_dot_product_attention(x, q.rope(rows, [0, 1, 2]), rows, mask),
        lambda rows: q.flex_attention(x, rows, rows, mask_mod=lambda i, j: j != 1),
        lambda rows: q.differential_attention(x, rows, rows, 0.5, mask),
    ):
        for before, after in zip(call(context), call(spoilt), strict=True):
            np.testing.assert_array_equal(after, before)


@pytest.mark.parametrize("make", [q.one_hot, q.sinusoidal_positions, q.alibi_bias])
def test_what_is_made_has_the_dtype_asked_for(make: Any) -> None:
    arguments = ([1], 2) if make is q.one_hot else (2, 2)
    assert make(*arguments).dtype == np.float64
    for dtype in FLOATS:
        made = make(*arguments, dtype=dtype)
        np.testing.assert_array_equal(made, make(*arguments).astype(dtype), strict=True)
    for wrong in (int, "complex64", bool, None, "no dtype"):
        with pytest.raises(TypeError, match=r"^dtype must be float16, float32, float64 or long"):
            make(*arguments, dtype=wrong)
