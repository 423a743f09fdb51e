"""The gradients of the page backpropagation: autograd's, and the stored ones."""

import json
import runpy
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sources import DOCS

SCRIPT = SimpleNamespace(**runpy.run_path(str(DOCS / "data/backpropagation.py")))
DATA = json.loads((DOCS / "data/backpropagation.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def page():
    return SCRIPT.computed_on_the_page()


@pytest.fixture(scope="module")
def autograd(page):
    loss, grads = SCRIPT.autograd(*(page[name] for name in (*SCRIPT.NAMES, "T")))
    return loss, dict(zip(SCRIPT.NAMES, grads, strict=True))


@pytest.mark.parametrize("name", SCRIPT.NAMES)
def test_the_formulas_on_the_page_are_autograd(page, autograd, name):
    _, grads = autograd
    assert page[f"grad_{name}"].shape == page[name].shape
    np.testing.assert_allclose(page[f"grad_{name}"], grads[name], rtol=0, atol=1e-14)


@pytest.mark.parametrize("name", SCRIPT.NAMES)
def test_the_stored_numbers_are_autograd(autograd, name):
    loss, grads = autograd
    row = DATA["gradients"][name]
    assert DATA["loss"] == pytest.approx(loss, abs=1e-6)
    assert tuple(row["shape"]) == grads[name].shape
    np.testing.assert_allclose(row["autograd"], grads[name], rtol=0, atol=1e-6)
    assert row["largest"] == pytest.approx(np.abs(grads[name]).max(), abs=6e-4)


def test_the_stored_differences_are_those_of_rounding():
    """Their digits depend on the machine; that they are below 1e-14 and 1e-9 does not."""
    for row in (*SCRIPT.compare()["gradients"].values(), *DATA["gradients"].values()):
        assert row["page_minus_autograd"] < 1e-14
        assert row["page_minus_finite_differences"] < 1e-9


def test_every_step_of_the_page_is_autograd(page):
    """V, A, S, Q and K: what the parameters' gradients are made of, step by step."""
    q, k, v, target = (torch.tensor(page[name]) for name in "QKVT")
    for array in (q, k, v):
        array.requires_grad_()
    scores = q @ k.T / k.shape[-1] ** 0.5
    weights = scores.softmax(dim=-1)
    output = weights @ v
    for array in (scores, weights, output):
        array.retain_grad()
    (((output - target) ** 2).sum() / 2).backward()
    steps = {"Q": q, "K": k, "V": v, "S": scores, "A": weights, "O": output}
    for name, array in steps.items():
        np.testing.assert_allclose(page[f"grad_{name}"], array.grad, rtol=0, atol=1e-14)


def test_the_jacobian_on_the_page_is_autograd(page):
    scores = torch.tensor([0.0, 4.0, 2.0], dtype=torch.float64) / 2**0.5
    expected = torch.autograd.functional.jacobian(lambda s: s.softmax(dim=-1), scores)
    np.testing.assert_allclose(page["J"], expected, rtol=0, atol=1e-14)
    one_query = SCRIPT.computed_on_the_page(before="sentence")
    a, grad_a = one_query["a"], one_query["grad_a"]
    np.testing.assert_allclose((np.diag(a) - np.outer(a, a)) @ grad_a, one_query["grad_s"])


def test_what_a_mask_hides_gets_no_gradient_at_all():
    names = SCRIPT.computed_on_the_page(before="saturated")
    hidden = ~names["mask"]
    assert hidden.sum() == 3
    assert (names["grad_S_masked"][hidden] == 0).all()
    assert (names["grad_S_masked"][1:, 0] != 0).all()
