"""Roles: what `describe` says is checked against arrays that the package makes."""

import dataclasses
import re

import numpy as np
import pytest

import qkv_docs
from qkv_docs import causal_mask, describe, embed, merge_heads, scaled_dot_product_attention
from qkv_docs.roles import ROLES

SIZES = {"size": 11, "n": 5, "n_q": 5, "n_k": 5, "d_model": 6, "n_heads": 2, "d_k": 3, "d_v": 4}


def model(ids, seed=0):
    """Everything that has a name in one layer of attention, for an input and a set of parameters.

    Q, K, V, scores, weights and output are those of the last head.
    """
    rng = np.random.default_rng(seed)
    s = SIZES
    x = {"ids": np.array(ids), "embedding_table": rng.normal(size=(s["size"], s["d_model"]))}
    x["X"] = embed(x["ids"], x["embedding_table"])
    x["mask"] = causal_mask(len(ids))
    x["scale"] = np.array(s["d_k"] ** -0.5)
    heads = []
    for _ in range(s["n_heads"]):
        x["W_V"] = rng.normal(size=(s["d_model"], s["d_v"]))
        x["W_K"] = rng.normal(size=(s["d_model"], s["d_k"]))
        x["W_Q"] = rng.normal(size=(s["d_model"], s["d_k"]))
        x["Q"], x["K"], x["V"] = (x["X"] @ x[name] for name in ("W_Q", "W_K", "W_V"))
        x["scores"] = x["Q"] @ x["K"].T * x["scale"]
        x["output"], x["weights"] = scaled_dot_product_attention(x["Q"], x["K"], x["V"], x["mask"])
        heads.append(x["output"])
    x["heads"] = np.stack(heads)
    x["W_O"] = rng.normal(size=(s["n_heads"] * s["d_v"], s["d_model"]))
    assert (merge_heads(x["heads"]) @ x["W_O"]).shape == x["X"].shape
    return x


@pytest.mark.parametrize("name", ROLES)
def test_the_shape_is_that_of_the_array(name):
    shape = eval(describe(name).shape, {}, SIZES)
    assert model([3, 1, 4, 1, 5])[name].shape == shape


@pytest.mark.parametrize("name", ROLES)
def test_fixed_means_the_same_for_every_input(name):
    one, other = model([3, 1, 4, 1, 5])[name], model([9, 2, 6, 5, 3, 5])[name]
    same = one.shape == other.shape and np.array_equal(one, other)
    assert describe(name).at_inference == ("fixed" if same else "changes with the input")


@pytest.mark.parametrize("name", ROLES)
def test_learned_means_that_another_training_gives_another_array(name):
    # Another seed stands for another training. What is learned or computed changes with it, what
    # is given or chosen does not; of what changes, only what is learned does not need an input.
    role = describe(name)
    changes = not np.array_equal(model([3, 1], seed=0)[name], model([3, 1], seed=1)[name])
    assert changes == (role.origin in ("learned", "computed"))
    assert (role.kind == "parameter") == (role.origin == "learned")
    assert (role.kind == "activation") == (role.origin == "computed")


def test_the_parameters_are_the_five_that_are_trained():
    parameters = [name for name in ROLES if describe(name).kind == "parameter"]
    assert parameters == ["embedding_table", "W_Q", "W_K", "W_V", "W_O"]


def test_the_names_in_the_docstring_are_those_there_are():
    args = re.search(r"name: one of (.*?)\.\n", describe.__doc__, re.DOTALL).group(1)
    assert re.findall(r"`(\w+)`", args) == list(ROLES)


@pytest.mark.parametrize("name", ROLES)
def test_a_role_shows_all_it_knows(name):
    role = describe(name)
    assert role.name == name
    assert repr(role) == str(role)
    for value in dataclasses.astuple(role):
        assert value in str(role)
    assert role.sentence.endswith(".")
    assert max(len(line) for line in str(role).splitlines()) <= 88


def test_a_role_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        describe("Q").kind = "parameter"
    assert describe("Q") == describe("Q") != describe("K")


@pytest.mark.parametrize("name", ["weight", "q", "", "W"])
def test_an_unknown_name_lists_the_known_ones(name):
    message = f"no role is called {name!r}; the names are {', '.join(ROLES)}"
    with pytest.raises(ValueError, match=re.escape(message)):
        describe(name)


def test_a_name_is_a_string():
    with pytest.raises(TypeError, match="name must be of type str, got int"):
        describe(1)


def test_everything_exported_is_there_and_says_what_it_is():
    assert qkv_docs.__all__ == sorted(qkv_docs.__all__)
    for name in qkv_docs.__all__:
        assert getattr(qkv_docs, name).__doc__
