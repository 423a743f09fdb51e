"""The two-layer model: right gradients, an induction head after training, the page's numbers."""

import json
import re
import runpy
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from browsing import come, needs_browser
from playwright.sync_api import expect
from scripts import engine
from sources import DOCS

from qkv_docs import InductionModel, causal_mask, induction_batch, softmax, train_induction
from qkv_docs._adam import Adam
from qkv_docs.induction import PATHS

SEEDS = [0, 1, 2]
SCRIPT = SimpleNamespace(**runpy.run_path(str(DOCS / "data/induction_heads.py")))
DATA = json.loads((DOCS / "data/induction-heads.json").read_text("utf-8"))
RECORDED = json.loads((DOCS / "data/induction-heads-snapshots.json").read_text("utf-8"))
HALF = 0.0051  # two numbers of two decimals that were rounded alike


def exam(seed=2000, size=200, n=20, **periods):
    return induction_batch(np.random.default_rng(seed), size, n, **periods)


def ids(text):
    return np.array([[ord(letter) - 97 for letter in text]])


@pytest.fixture(
    scope="module",
    params=[seed if seed == 0 else pytest.param(seed, marks=pytest.mark.slow) for seed in SEEDS],
)
def trained(request):
    """Seed, model after 200 steps, history: the runs of the page."""
    return request.param, *SCRIPT.trained(request.param)


# the task


@pytest.mark.parametrize(("shortest", "longest", "n"), [(5, 10, 20), (1, 1, 4), (3, 26, 60)])
def test_a_sequence_repeats_different_letters(shortest, longest, n):
    batch = exam(n=n, shortest=shortest, longest=longest)
    assert batch.letters.shape == (200, n + 1)
    assert (batch.targets[:, :-1] == batch.inputs[:, 1:]).all()
    assert set(batch.periods) <= set(range(shortest, longest + 1))
    for row, period, known in zip(batch.letters, batch.periods, batch.known, strict=True):
        assert len(set(row[:period])) == min(period, n + 1)
        assert (row[period:] == row[:-period]).all()
        assert known.tolist() == [i >= period for i in range(n)]


def test_continuations_are_the_tokens_after_an_earlier_occurrence():
    batch = exam(size=20, shortest=3, longest=6)
    for row, found in zip(batch.inputs, batch.continuations, strict=True):
        for i in range(20):
            wanted = {j for j in range(1, i + 1) if row[j - 1] == row[i]}
            assert set(np.flatnonzero(found[i])) == wanted
    known = batch.known
    answers = batch.inputs[:, None, :] == batch.targets[:, :, None]
    assert (answers & batch.continuations).any(axis=-1)[known].all()


def test_wrong_arguments_are_named():
    rng = np.random.default_rng(0)
    for options in ({"longest": 27}, {"shortest": 6, "longest": 5}, {"size": 0}, {"n": 0}):
        with pytest.raises(ValueError, match=r"27|least"):
            induction_batch(rng, **options)
    model = InductionModel.create()
    with pytest.raises(ValueError, match="'x'"):
        model.forward([[1, 2]], cut="x")
    with pytest.raises(ValueError, match="two layers"):
        InductionModel.create(n_layers=1).forward([[1, 2]], cut="k")
    with pytest.raises(IndexError, match="id 26"):
        model.forward([[26]])
    with pytest.raises(ValueError, match="d_k must be even, for rope turns pairs of col"):
        InductionModel.create(d_k=3)
    with pytest.raises(TypeError, match="w_e must be an array in float32 or wider to "):
        InductionModel({"w_e": [[1.0]]})
    with pytest.raises(TypeError, match="cut must be of type str, got NoneType"):
        model.forward([[1]], cut=None)


def test_parameters_that_do_not_fit_are_named():
    parameters = InductionModel.create().parameters
    wrong = parameters | {"w_o2": parameters["w_q2"]}
    with pytest.raises(ValueError, match=r"w_o2 needs the shape \(d_k2, d_model\), got \(32, 16\)"):
        InductionModel(wrong)
    with pytest.raises(ValueError, match=r"parameters must be w_e, w_u, w_q1, .* got "):
        InductionModel({name: w for name, w in parameters.items() if name != "w_u"})
    batch = induction_batch(np.random.default_rng(0), size=3)
    for last in (-1, 26):  # a target only
        letters = np.concatenate([batch.inputs, np.full((3, 1), last)], axis=1)
        with pytest.raises(IndexError, match=rf"id {last} is outside a table of size 26 \(letters"):
            InductionModel.create().loss_and_gradients(batch._replace(letters=letters))
    with pytest.raises(ValueError, match=r"periods needs the shape \(size,\), got \(2,\)"):
        InductionModel.create().scores(batch._replace(periods=batch.periods[:2]))
    with pytest.raises(TypeError, match="batch must be of type InductionBatch, got list"):
        InductionModel.create().scores([])


def test_without_a_second_round_nothing_can_be_known():
    message = "no answer can be known: 20 letters, no second round of 25 or more"
    with pytest.raises(ValueError, match=message):
        train_induction(InductionModel.create(), steps=2, shortest=25, longest=26)
    history = train_induction(InductionModel.create(), steps=0, shortest=18, longest=26)
    assert np.isfinite(history.scores[0]).all()


# the model


def torch_forward(w, letters, n_layers, cut=""):
    """The same model written again: angles, mask and softmax by PyTorch."""
    n = letters.shape[1]
    d_k = w["w_q1"].shape[1]
    rates = 10000.0 ** (-torch.arange(0, d_k, 2, dtype=torch.float64) / d_k)
    angle = torch.arange(n)[:, None] * rates
    turn = torch.polar(torch.ones_like(angle), angle)

    def rotated(x):
        pairs = torch.view_as_complex(x.reshape(*x.shape[:-1], -1, 2).contiguous())
        return torch.view_as_real(pairs * turn).flatten(-2)

    x = embedded = w["w_e"][torch.tensor(letters)]
    outputs = []
    for layer in range(1, n_layers + 1):
        q, k, v = (
            (embedded if layer == 2 and name in cut else x) @ w[f"w_{name}{layer}"]
            for name in "qkv"
        )
        y = torch.nn.functional.scaled_dot_product_attention(
            rotated(q), rotated(k), v, is_causal=True
        )
        outputs.append(y @ w[f"w_o{layer}"])
        x = x + outputs[-1]
    if "o" in cut:
        x = x - outputs[0]
    return x @ w["w_u"]


@pytest.mark.parametrize("n_layers", [1, 2, 3])
def test_loss_and_gradients_equal_autograd(n_layers):
    model, batch = InductionModel.create(3, n_layers=n_layers, d_model=12, d_k=6), exam(size=9)
    w = {n: torch.tensor(x, requires_grad=True) for n, x in model.parameters.items()}
    wanted = torch_forward(w, batch.inputs, n_layers)
    np.testing.assert_allclose(
        model.forward(batch.inputs)[0], wanted.detach().numpy(), rtol=1e-9, atol=1e-9
    )
    expected = torch.nn.functional.cross_entropy(
        wanted.flatten(0, 1), torch.tensor(batch.targets).flatten()
    )
    expected.backward()
    loss, grads = model.loss_and_gradients(batch)
    assert loss == pytest.approx(expected.item(), rel=1e-12)
    assert grads.keys() == w.keys()
    for name, grad in grads.items():
        np.testing.assert_allclose(grad, w[name].grad.numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", InductionModel.create().parameters)
def test_gradients_equal_finite_differences(name):
    model, batch = InductionModel.create(6, d_model=6, d_k=4), exam(size=5, n=8)
    grad = model.loss_and_gradients(batch)[1][name]
    w, step = model.parameters[name], 1e-5
    for i in [tuple(np.random.default_rng(j).integers(w.shape)) for j in range(12)]:
        middle, losses = w[i], []
        for w[i] in (middle + step, middle - step):
            losses.append(model.loss_and_gradients(batch)[0])
        w[i] = middle
        assert (losses[0] - losses[1]) / (2 * step) == pytest.approx(grad[i], rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("cut", ["", *PATHS, "qk", "kv", "qvo", "qkvo"])
def test_a_cut_path_reads_the_stream_without_layer_1(cut):
    model, batch = InductionModel.create(1, d_model=12, d_k=6), exam(size=9)
    w = {n: torch.tensor(x) for n, x in model.parameters.items()}
    logits, weights = model.forward(batch.inputs, cut=cut)
    wanted = torch_forward(w, batch.inputs, 2, cut).numpy()
    np.testing.assert_allclose(logits, wanted, rtol=1e-9, atol=1e-9)
    assert (weights[0] == model.forward(batch.inputs)[1][0]).all()  # layer 1 looks as before


def test_with_all_paths_cut_layer_1_might_as_well_be_absent():
    model, batch = InductionModel.create(1), exam(size=9)
    absent = InductionModel({**model.parameters, "w_o1": 0 * model.parameters["w_o1"]})
    logits, _ = absent.forward(batch.inputs)
    np.testing.assert_allclose(model.forward(batch.inputs, cut="qkvo")[0], logits, atol=1e-12)


def test_no_letter_sees_a_later_one():
    model, (a, b) = InductionModel.create(2), (ids("paintpaint"), ids("paintpxyzw"))
    for mine, other in zip(model.forward(a)[1], model.forward(b)[1], strict=True):
        assert not mine[0][~causal_mask(10)].any()
        np.testing.assert_allclose(mine.sum(axis=-1), 1)
        np.testing.assert_allclose(mine[:, :6, :6], other[:, :6, :6])
    np.testing.assert_allclose(model.forward(a)[0][:, :6], model.forward(b)[0][:, :6])


# the training


def test_adam_equals_pytorchs_adam():
    rng = np.random.default_rng(0)
    w = {"a": rng.normal(size=(3, 4)), "b": rng.normal(size=5)}
    mirror = {n: torch.tensor(x, requires_grad=True) for n, x in w.items()}
    mine, oracle = Adam(w, lr=0.05), torch.optim.Adam(mirror.values(), lr=0.05)
    for _ in range(4):
        grads = {n: rng.normal(size=x.shape) for n, x in w.items()}
        for name, tensor in mirror.items():
            tensor.grad = torch.tensor(grads[name])
        mine.step(grads)
        oracle.step()
    for name, tensor in mirror.items():
        np.testing.assert_allclose(w[name], tensor.detach().numpy(), rtol=1e-9)


def test_training_is_repeatable():
    first, second = InductionModel.create(4), InductionModel.create(4)
    history = train_induction(first, steps=12, every=5, seed=4)
    assert history == train_induction(second, steps=12, every=5, seed=4)
    assert history.steps == [0, 5, 10, 12]
    for name, w in first.parameters.items():
        assert (w == second.parameters[name]).all()
        assert (w != InductionModel.create(4).parameters[name]).any()


# what it learns, and that the page's numbers are those of this code


def test_it_learns_and_the_curves_are_the_recorded_ones(trained):
    seed, _, history = trained
    (stored,) = [row for row in DATA["two_layers"] if row["seed"] == seed]
    assert history.steps == stored["steps"]
    for name in ("accuracy", "previous_token", "induction"):
        curve = [getattr(scores, name) for scores in history.scores]
        assert curve == pytest.approx(stored[name], abs=HALF), name
    assert history.loss == pytest.approx(stored["loss"], abs=HALF)
    assert history.scores[0].accuracy < 0.06 < 0.99 <= history.scores[-1].accuracy
    (first,) = [row for row in DATA["first_step"] if row["seed"] == seed]
    for share in (25, 50, 90, 99):
        assert first[f"{share}%"] == SCRIPT.first_step(history, share / 100)
    assert first["90%"] - first["25%"] <= 50  # the phase change


def test_the_path_into_the_keys_does_it_and_no_other(trained):
    seed, model, _ = trained
    rows = {row["cut"]: row for row in DATA["cuts"] if row["seed"] == seed}
    assert list(rows) == list(SCRIPT.CUTS)
    for cut, row in rows.items():
        scores = model.scores(SCRIPT.exam(), cut=cut)._asdict()
        assert scores == pytest.approx({n: row[n] for n in scores}, abs=HALF), cut
        assert (scores["accuracy"] < 0.25) == ("k" in cut)
        assert ("k" in cut) or scores["accuracy"] > 0.98


def test_the_parameters_match_and_copy(trained):
    seed, model, _ = trained
    (row,) = [row for row in DATA["circuits"] if row["seed"] == seed]
    found = SCRIPT.circuits(model.parameters)
    assert found.keys() | {"seed"} == row.keys()
    assert found["matching_on_diagonal"] == row["matching_on_diagonal"] == [26] * 10
    assert found["copying_on_diagonal"] == row["copying_on_diagonal"] == 26
    for name in ("matching_same", "matching_other", "copying_same", "copying_other"):
        assert float(found[name]) == pytest.approx(row[name], abs=0.011)
    before = SCRIPT.circuits(InductionModel.create(seed).parameters)
    assert max(*before["matching_on_diagonal"], before["copying_on_diagonal"]) <= 5


def test_heads_compose_by_the_key(trained):
    seed, model, _ = trained
    (row,) = [row for row in DATA["composition"]["trained"] if row["seed"] == seed]
    found = SCRIPT.composition(model.parameters)
    assert found == pytest.approx({n: row[n] for n in found}, abs=HALF)
    assert found["k"] > 1.5 * DATA["composition"]["before_training_mean_of_20"]["k"]
    assert max(found["q"], found["v"]) < 0.18 < 0.25 < found["k"]


def test_where_it_ends(trained):
    seed, model, _ = trained
    (row,) = [row for row in DATA["one_repeated_letter"] if row["seed"] == seed]
    found = {n: float(x) for n, x in SCRIPT.one_repeated_letter(model).items()}
    assert found == pytest.approx({n: row[n] for n in found}, abs=0.011)
    assert found["2 to 4 back"] < 0.85 < 0.98 < found["5 to 10 back"]
    (row,) = [row for row in DATA["two_successors"] if row["seed"] == seed]
    found = {n: float(x) for n, x in SCRIPT.two_successors(model).items()}
    assert found == pytest.approx({n: row[n] for n in found}, abs=0.011)
    (row,) = [row for row in DATA["position_read"] if row["seed"] == seed]
    found = {n: float(x) for n, x in SCRIPT.position_read(model).items()}
    assert found == pytest.approx({n: row[n] for n in found}, abs=0.011)
    assert abs(found["linear"]) < 0.02 < 0.4 < found["quadratic"]
    for row in DATA["other_lengths"]:
        if row["seed"] == seed and row["n"] == 40:
            low, high = row["periods"]
            scores = model.scores(SCRIPT.exam(40, 200, shortest=low, longest=high))._asdict()
            assert scores == pytest.approx({n: row[n] for n in scores}, abs=HALF)


@pytest.mark.parametrize("seed", SEEDS)
def test_one_layer_stays_at_a_third(seed):
    (stored,) = [row for row in DATA["one_layer"] if row["seed"] == seed]
    assert max(stored["accuracy"]) < 0.45
    if seed == 0:
        _, history = SCRIPT.trained(0, 1, steps=100)
        curve = [scores.accuracy for scores in history.scores]
        assert curve == pytest.approx(stored["accuracy"][: len(curve)], abs=HALF)
        sizes = [
            sum(w.size for w in InductionModel.create(n_layers=n, d_k=d).parameters.values())
            for n, d in SCRIPT.D_K.items()
        ]
        assert sizes == [DATA["parameters"]] * 2


def test_with_one_period_it_counts_instead():
    for row in DATA["fixed_period"]:
        found = {test["period"]: test for test in row["tested"]}
        assert found[7]["accuracy"] == found[7]["induction"] == 1
        assert max(found[p]["accuracy"] for p in (6, 8)) <= 0.05


def test_the_head_stays():
    for row in DATA["after_1000_steps"]:
        assert row["accuracy"] >= 0.98
        assert row["induction"] > 0.9


# the recorded model, and the same mathematics in the browser


def test_the_snapshots_are_those_of_the_training():
    assert [s["step"] for s in RECORDED["snapshots"]] == list(SCRIPT.SHOWN)
    size = len((DOCS / "data/induction-heads-snapshots.json").read_bytes())
    assert size <= 110_000
    for snapshot in RECORDED["snapshots"]:
        near = SCRIPT.unpacked(snapshot, RECORDED["shapes"])
        assert near.scores(SCRIPT.exam()).accuracy == pytest.approx(snapshot["accuracy"], abs=HALF)
        if snapshot["step"] in (0, 60):
            model, _ = SCRIPT.trained(0, steps=snapshot["step"], every=200)
            for name, w in model.parameters.items():
                off = np.abs(w - near.parameters[name]).max()
                assert off <= 0.51 * snapshot["scale"][name], name
            exact, rounded = (m.forward(SCRIPT.exam().inputs)[1] for m in (model, near))
            stated = RECORDED["about"]["mean_change_of_an_attention_weight_by_rounding_at_most"]
            for a, b in zip(exact, rounded, strict=True):
                assert np.abs(a - b).mean() < 1.06 * stated


def test_the_figures_numbers_are_the_recorded_models():
    last = SCRIPT.unpacked(RECORDED["snapshots"][-1], RECORDED["shapes"])
    for name, rows in SCRIPT.shown(last).items():
        np.testing.assert_allclose(np.array(rows, float), DATA["figures"][name], atol=0.101)


@pytest.mark.parametrize("cut", ["", "q", "k", "v", "o", "qvo"])
def test_it_goes_on_with_the_word_unless_its_keys_are_cut(cut):
    last = SCRIPT.unpacked(RECORDED["snapshots"][-1], RECORDED["shapes"])
    text = "paintpaint"
    for _ in range(6):
        text += chr(97 + last.forward(ids(text), cut=cut)[0][0, -1].argmax())
    assert (text == "paintpaintpaintp") == (cut != "k")


@pytest.fixture(scope="module")
def script():
    with engine("figures/transformer.mjs") as call:
        yield call


@pytest.mark.parametrize("cut", ["", "q", "k", "v", "o", "qvo", "qkvo"])
@pytest.mark.parametrize("text", ["paintpaint", "ab", "xqbmkqdxqbzzyxwvutsr"])
def test_the_browser_computes_the_same(script, text, cut):
    for t in (0, 6, len(RECORDED["snapshots"]) - 1):
        found = script(
            "forward(restore(snapshot, shapes), ids, cut)",
            snapshot=RECORDED["snapshots"][t],
            shapes=RECORDED["shapes"],
            ids=ids(text)[0].tolist(),
            cut=cut,
        )
        model = SCRIPT.unpacked(RECORDED["snapshots"][t], RECORDED["shapes"])
        logits, weights = model.forward(ids(text), cut=cut)
        np.testing.assert_allclose(found["logits"], logits[0], rtol=1e-6, atol=1e-6)
        for mine, wanted in zip(found["weights"], weights, strict=True):
            np.testing.assert_allclose(mine, wanted[0], rtol=1e-6, atol=1e-6)


@pytest.mark.browser
@needs_browser[1]
@pytest.mark.parametrize("language", ["", "/en"])
def test_the_figure_shows_the_model(revisit, language):
    """Letters typed, a row chosen, K cut: what it says is what qkv_docs computes."""
    place, reading = come(revisit, f"{language}/induction-heads/", "two-layers")
    model = SCRIPT.unpacked(RECORDED["snapshots"][-1], RECORDED["shapes"])

    def says(text, at, cut=""):
        logits, weights = model.forward(ids(text), cut=cut)
        best = logits[0, at].argmax()
        numbers = [*(w[0, at].max() for w in weights), softmax(logits[0, at]).max()]
        guess = rf"{chr(97 + best)} ?[(（]{numbers[-1]:.2f}[)）]"
        wanted = [guess, *(f"{x:.2f}" for x in numbers[:2])]
        for pattern in wanted:
            expect(reading).to_contain_text(re.compile(pattern))

    says("paintpaint", 6)
    more = place.locator(".induction__more b")
    expect(more).to_have_text("paintp")
    place.get_by_label(re.compile("^K$")).check()
    says("paintpaint", 6, "k")
    expect(more).not_to_have_text("paintp")
    place.get_by_label(re.compile("^K$")).uncheck()
    box = place.locator("input[type=text]")
    box.fill("lemonlemo")
    place.locator(".play__grid td").last.scroll_into_view_if_needed()
    place.locator(".induction__two .play__grid").first.locator("tbody tr").nth(8).locator(
        "td"
    ).first.click()
    revisit.page.mouse.move(5, 5)
    place.locator("input[type=range]").focus()
    says("lemonlemo", 8)
    box.fill("le mon")
    expect(reading).to_contain_text("2")
    expect(box).to_have_attribute("aria-invalid", "true")
