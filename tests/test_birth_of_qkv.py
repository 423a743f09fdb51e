"""The page birth-of-qkv: its numbers are recomputed, and its figure shows and trains that model."""

from __future__ import annotations

import base64
import json
import re
import runpy
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from browsing import Visit, come, needs_browser, until_it_says
from playwright.sync_api import Locator, expect
from scripts import engine
from sources import DOCS, ROOT

from docs import data
from qkv_docs import LookupHistory, LookupModel, lookup_batch, softmax, train_lookup
from qkv_docs.lookup import PARAMETERS

SCRIPT = SimpleNamespace(**runpy.run_path(str(DOCS / "data/birth_of_qkv.py")))
DATA = data.read("birth-of-qkv")
STORED = data.read("birth-of-qkv-snapshots")


def agree(computed: Any, stored: Any, where: str = "") -> None:
    """Equal; numbers that were rounded to three decimals differ by half of one, or a little more.

    Another BLAS adds in another order; after hundreds of steps a question of a thousand may turn.
    """
    if isinstance(computed, dict):
        assert computed.keys() == stored.keys(), where
        for name, value in computed.items():
            agree(value, stored[name], f"{where}/{name}")
    elif isinstance(computed, list):
        assert len(computed) == len(stored), where
        for i, (a, b) in enumerate(zip(computed, stored, strict=True)):
            agree(a, b, f"{where}/{i}")
    elif isinstance(computed, float):
        assert stored == pytest.approx(computed, abs=0.0025), where
    else:
        assert computed == stored, where


# the model's own two tables


@pytest.mark.parametrize("steps", [0, 30])
def test_the_two_tables_are_the_whole_model(steps: int) -> None:
    model = LookupModel.create(3, d_model=24, d_k=5, d_v=7)
    train_lookup(model, steps=steps)
    scores, says = model.question_scores(), model.value_logits()
    assert (scores.shape, says.shape) == ((26, 36), (36, 10))
    batch = lookup_batch(np.random.default_rng(0), 50)
    asked = np.take_along_axis(batch.letters, batch.slots[:, None], axis=1)
    weights = softmax(scores[asked, batch.letters] + scores[asked, 26 + batch.digits])
    parts = says[batch.letters] + says[26 + batch.digits]
    logits, expected = model.forward(batch)
    np.testing.assert_allclose(weights, expected, atol=1e-12)
    np.testing.assert_allclose((weights[..., None] * parts).sum(axis=1), logits, atol=1e-11)


def test_a_history_that_is_handed_in_is_filled_before_each_look() -> None:
    history, seen = LookupHistory(), []
    model = LookupModel.create()
    returned = train_lookup(
        model,
        steps=6,
        every=2,
        history=history,
        on_evaluate=lambda step, _: seen.append((step, history.steps[-1], history.accuracy[-1])),
    )
    assert returned is history
    assert [row[:2] for row in seen] == [(0, 0), (2, 2), (4, 4), (6, 6)]
    assert [row[2] for row in seen] == history.accuracy
    assert history == train_lookup(LookupModel.create(), steps=6, every=2)


# recomputed


def test_the_experiments_of_a_seed_are_reproduced() -> None:
    """One of three, and no width; the others by `make data`."""
    agree(SCRIPT.one_seed(0), DATA["seeds"][0])


def test_one_dimension_looks_right_in_a_quarter_of_the_questions_and_counts_in_the_rest() -> None:
    row = DATA["widths"][0]
    assert row["d_k"] == 1
    for looks, accuracy in zip(
        row["most_attention_on_the_right_pair"], row["accuracy_where_it_is_not"], strict=True
    ):
        assert looks == pytest.approx(0.25, abs=0.04)
        assert accuracy == pytest.approx(1 / 3, abs=0.03)


def test_what_is_left_of_the_data_is_reproduced() -> None:
    agree(SCRIPT.plane(), DATA["plane"])
    agree(SCRIPT.most_frequent(SCRIPT.exam()), DATA["most_frequent_digit"])


@pytest.mark.slow
def test_the_spread_over_seeds_is_reproduced() -> None:
    agree(SCRIPT.spread(SCRIPT.SPREAD), DATA["spread"])
    agree(SCRIPT.same_table(SCRIPT.SAME_TABLE), DATA["same_table"])


def test_the_recorded_run_is_reproduced() -> None:
    models, history = SCRIPT.record()
    agree({name: getattr(history, name) for name in STORED["history"]}, STORED["history"])
    for name in PARAMETERS:
        stored = STORED["matrices"][name]
        assert stored["scale"] / 2 < 2e-5
        run = np.stack([getattr(models[step], name) for step in STORED["steps"]])
        np.testing.assert_allclose(SCRIPT.unpacked(stored), run, rtol=0, atol=stored["scale"])
    embedding = STORED["matrices"]["embedding"]
    np.testing.assert_allclose(
        SCRIPT.unpacked(embedding), models[0].embedding, rtol=0, atol=embedding["scale"] * 0.51
    )
    assert STORED["scale"] == models[0].scale
    kept = [models[step] for step in STORED["steps"]]
    error = SCRIPT.largest_error(SCRIPT.restored(STORED["matrices"], STORED["scale"]), kept)
    assert error == pytest.approx(0.0004, abs=0.00006)  # the page says so
    assert STORED["about"].endswith("at most 0.0004")
    assert (data.FOLDER / "birth-of-qkv-snapshots.json").stat().st_size <= 110_000


# what the page says of them


@pytest.mark.parametrize("row", DATA["seeds"], ids=lambda row: f"seed {row['seed']}")
def test_what_the_page_says_of_every_seed(row: dict[str, Any]) -> None:
    letters, digits = row["letters_found_every_10_steps"], row["digits_said_every_10_steps"]
    assert (letters[-1], digits[-1]) == (26, 10)
    assert letters[0] / 26 < 0.2
    assert digits[0] / 10 <= 0.2
    for step in (2, 3):  # values first
        assert digits[step] / 10 > letters[step] / 26
    assert row["accuracy_without_q"] == row["accuracy_without_k"]
    assert row["accuracy_without_q"] == pytest.approx(DATA["most_frequent_digit"], abs=0.03)
    assert row["accuracy_k_and_v_swapped"] < 0.2
    assert 0.8 < row["accuracy_q_and_k_swapped"] < 0.97
    assert row["accuracy_swapped_at_the_start"] == row["accuracy"] == 1
    for share in ("k_from_letter", "v_from_digit"):
        assert row[f"{share}_before"] == pytest.approx(0.5, abs=0.07)
        assert 0.8 < row[share] < 0.9
        assert 0.8 < row[f"{share}_swapped_at_the_start"] < 0.9


@pytest.mark.parametrize("seed", range(4))
def test_with_one_dimension_at_most_two_letters_can_win(seed: int) -> None:
    model = LookupModel.create(seed, d_k=1)
    for steps in (0, 40):
        train_lookup(model, steps=steps, lr=0.01, seed=seed)
        winners = model.question_scores()[:, :26].argmax(axis=1)
        keys = (model.embedding[:26] @ model.w_k)[:, 0]
        assert set(winners.tolist()) <= {keys.argmax(), keys.argmin()}


def test_in_the_plane_only_a_corner_is_found() -> None:
    plane = DATA["plane"]
    keys = np.array([plane["keys_x"], plane["keys_y"]]).T
    queries = np.array([plane["queries_x"], plane["queries_y"]]).T
    winners = (queries @ keys.T).argmax(axis=1)
    angles = np.linspace(0, 2 * np.pi, 20_000)
    corners = set((np.stack([np.cos(angles), np.sin(angles)], 1) @ keys.T).argmax(1).tolist())
    for i, letter in enumerate(plane["letters"]):
        assert (letter in plane["found"]) == (winners[i] == i)
        if letter in plane["found"]:
            assert i in corners
    inside = {letter for i, letter in enumerate(plane["letters"]) if i not in corners}
    # the page names them, and the two that are corners but are asked for in another direction
    assert inside == set("finqr")
    lost = {plane["letters"][i]: plane["letters"][w] for i, w in enumerate(winners) if i != w}
    assert set(lost) - inside == {"g", "o"}
    assert (lost["g"], lost["o"]) == ("e", "w")


def test_exchanging_before_training_is_harmless_and_after_it_is_not() -> None:
    start = LookupModel.create(5)
    model = deepcopy(start)
    early = deepcopy(replace(start, w_k=start.w_v, w_v=start.w_k))
    for one in (model, early):
        train_lookup(one, steps=100, seed=5)
    exam = lookup_batch(np.random.default_rng(9), 500)
    assert early.accuracy(exam) > 0.98
    assert replace(model, w_k=model.w_v, w_v=model.w_k).accuracy(exam) < 0.25


# the figure's mathematics is qkv_docs'


@pytest.fixture(scope="module")
def lookup() -> Iterator[Any]:
    """lookup-model.mjs in a JavaScript engine: call an expression with what it is given."""
    with engine("figures/lookup-model.mjs") as call:
        yield call


@pytest.mark.parametrize("steps", [0, 40])
def test_the_tables_in_javascript_equal_those_in_python(lookup: Any, steps: int) -> None:
    model = LookupModel.create(2)
    train_lookup(model, steps=steps)
    names = ("embedding", *PARAMETERS)
    given = {name: getattr(model, name).tolist() for name in names} | {"scale": model.scale}
    found = lookup("tables(model)", model=given)
    np.testing.assert_allclose(found["scores"], model.question_scores(), rtol=0, atol=1e-6)
    np.testing.assert_allclose(found["says"], model.value_logits(), rtol=0, atol=1e-6)
    assert found["found"] == SCRIPT.letters_found(model)
    assert found["said"] == SCRIPT.digits_said(model)
    assert found["keys"] == pytest.approx(model.letter_share(model.w_k), abs=1e-9)
    assert found["values"] == pytest.approx(model.letter_share(model.w_v), abs=1e-9)

    batch = lookup_batch(np.random.default_rng(4), 1, 5)
    logits, weights = model.forward(batch)
    letters = "abcdefghijklmnopqrstuvwxyz"
    text = " ".join(
        f"{letters[a]}{d}" for a, d in zip(batch.letters[0], batch.digits[0], strict=True)
    )
    asked = int(batch.letters[0, batch.slots[0]])
    one = lookup("answer(tables(model), pairs(text), asked)", model=given, text=text, asked=asked)
    np.testing.assert_allclose(one["weights"], weights[0], rtol=0, atol=1e-6)
    np.testing.assert_allclose(one["logits"], logits[0], rtol=0, atol=1e-6)
    np.testing.assert_allclose(one["chances"], softmax(logits)[0], rtol=0, atol=1e-6)
    both = np.add(one["letterPart"], one["digitPart"])
    np.testing.assert_allclose(one["score"], both, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("b7 k2", [[1, 7], [10, 2]]),
        ("  Z9 ", [[25, 9]]),
        ("b7 b3", [[1, 7], [1, 3]]),  # no training has it, but it can be answered
        ("", None),
        ("b", None),
        ("b7,k2", None),
        ("b77", None),
        ("é7", None),
        (" ".join(["a1"] * 27), None),
    ],
)
def test_what_is_typed_as_a_context(lookup: Any, text: str, wanted: object) -> None:
    assert lookup("pairs(text)", text=text) == wanted


@pytest.mark.parametrize(("seed", "steps"), [(0, 100), (41, 6)])
def test_the_python_that_the_figure_sends_tells_every_second_step(
    lookup: Any, seed: int, steps: int
) -> None:
    """Run in the page's own kind of session, as the worker would; the model is qkv_docs'."""
    session = SimpleNamespace(**runpy.run_path(str(ROOT / "theme/runtime/session.py")))
    told: list[tuple[str, str]] = []
    code = lookup(f"training({seed}, {steps})")
    page = session.Session(lambda *word: told.append(word), True)
    outcome = json.loads(page.run(0, code, "<training>"))
    assert outcome["end"] == "", told
    assert {kind for kind, _ in told} == {"snapshot"}
    first, *others = [json.loads(text) for _, text in told]
    assert [one["step"] for one in others] == list(range(0, steps + 1, 2))

    model = LookupModel.create(seed)

    def floats(text: str) -> np.ndarray:
        return np.frombuffer(base64.b64decode(text), "<f4")

    np.testing.assert_allclose(
        floats(first["embedding"]).reshape(37, 64), model.embedding, rtol=1e-6
    )
    history = train_lookup(model, steps=steps, seed=seed, every=2)
    end = np.concatenate([getattr(model, name).ravel() for name in PARAMETERS])
    np.testing.assert_allclose(floats(others[-1]["matrices"]), end, rtol=1e-6, atol=1e-9)
    for name in ("loss", "accuracy", "attention"):
        assert [one[name] for one in others] == getattr(history, name)
    if seed == 0 and steps == 100:
        assert others[-1]["accuracy"] == pytest.approx(STORED["history"]["accuracy"][-1], abs=1e-3)


# the figure in a browser


def look(figure: Locator, part: int) -> None:
    """One of the four parts: what questions find, what values say, matrices, one question."""
    figure.locator(f"label:has(input[name=birth-part][value='{part}'])").click()


@needs_browser[0]
@needs_browser[1]
def test_what_was_learned_how_and_what_it_answers(revisit: Visit) -> None:
    """It opens on a pattern, its sentence and the seed that is shown, one part of four; the slider
    goes from noise to meaning; and another question is answered."""
    figure, _ = come(revisit, "/en/birth-of-qkv/", "birth")
    reading, slider = figure.locator(".play__read"), figure.locator("input[type=range]")
    expect(reading).to_contain_text("Step 100")
    expect(figure.locator(".birth__part:visible")).to_contain_text("diagonal")
    assert figure.locator(".birth__part").count() == 4
    assert figure.locator(".birth__part:visible").count() == 1
    assert figure.locator(".birth__train input").input_value() == str(STORED["seed"])

    history = STORED["history"]
    for step in (0, 50, 100):
        slider.fill(str(step))
        at, rows = history["steps"].index(step), DATA["seeds"][0]
        expect(reading).to_contain_text(
            f"Step {step}: loss {history['loss'][at]:.2f}, accuracy {history['accuracy'][at]:.2f}"
        )
        found = rows["letters_found_every_10_steps"][step // 10]
        said = rows["digits_said_every_10_steps"][step // 10]
        expect(reading).to_contain_text(
            f"{found} of 26 letters find themselves, {said} of 10 digits favour"
        )

    look(figure, 3)
    context = figure.get_by_label("context")
    context.fill("b7 k5 q0 u1")
    expect(reading).to_contain_text("Asked k?, it answers 5 (right)")
    figure.get_by_label("ask for the letter").fill("q")
    expect(reading).to_contain_text("Asked q?, it answers 0 (right)")
    context.fill("b7 k5")
    expect(reading).to_contain_text("there is no q in the context")
    context.fill("b7 7k")
    expect(reading).to_contain_text("write b7 k2")


@needs_browser[0]
@needs_browser[1]
def test_a_cell_says_its_number_to_pointer_and_keyboard(revisit: Visit) -> None:
    """T[k? → k] of the recorded model at step 100 is qkv_docs', to the three decimals shown."""
    figure, _ = come(revisit, "/birth-of-qkv/", "birth")
    page, reading = revisit.page, figure.locator(".play__read")
    figure.locator("input[type=range]").fill("100")
    models, _ = SCRIPT.record()
    scores, says = models[100].question_scores(), models[100].value_logits()

    def holds(cell: str, value: float, shape: str) -> None:
        expect(reading).to_contain_text(f"[{cell}] = ")
        text = reading.inner_text()
        number = float(re.split("[;；]", text.split("] = ")[1])[0].replace("−", "-"))
        assert number == pytest.approx(value, abs=0.0004 + 0.0005)
        assert f"形状 {shape}" in text

    table = figure.locator("canvas").first
    table.hover(position={"x": 14 + 10 * 9 + 4, "y": 14 + 10 * 11 + 5})
    holds("k? → k", scores[10, 10], "(26, 36)")
    table.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    holds("b? → b", scores[1, 1], "(26, 36)")
    page.keyboard.press("End")
    holds("b? → 9", scores[1, 35], "(26, 36)")
    look(figure, 1)
    figure.locator("canvas").nth(1).focus()
    holds("a → 答 0", says[0, 0], "(36, 10)")
    look(figure, 2)
    figure.locator("canvas").nth(2).focus()
    holds("0, 0", models[100].w_q[0, 0], "(64, 16)")


def train(figure: Locator, seed: int) -> Locator:
    """Ask for a training, whose button is returned."""
    figure.locator(".birth__train input").fill(str(seed))
    button = figure.locator(".birth__train button")
    button.click()
    return button


def is_cpythons(figure: Locator, seed: int) -> None:
    """The reader's run is what it is here: another NumPy without BLAS, the same numbers."""
    model = LookupModel.create(seed)
    history = train_lookup(model, steps=100, seed=seed, every=50)
    reading, slider = figure.locator(".play__read"), figure.locator("input[type=range]")
    for step, loss, right in zip(history.steps, history.loss, history.accuracy, strict=True):
        slider.fill(str(step))
        expect(reading).to_contain_text(f"{loss:.2f}")
        expect(reading).to_contain_text(f"{right:.2f}")
    figure.locator("canvas").first.focus()
    text = f"{model.question_scores()[0, 0]:.3f}".replace("-", "−")
    expect(reading).to_contain_text(f"T[a? → a] = {text}")
    figure.locator("input[value=recorded]").check(force=True)
    expect(reading).to_contain_text("2.51" if slider.input_value() == "0" else "0.01")


@pytest.mark.slow
@needs_browser[0]
@needs_browser[1]
def test_it_is_trained_here_in_chinese(revisit: Visit) -> None:
    figure, _ = come(revisit, "/birth-of-qkv/", "birth")
    train(figure, 7)
    until_it_says(figure.locator(".birth__train [role=status]"), "练完了")
    is_cpythons(figure, 7)


@pytest.mark.slow
@needs_browser[0]
@needs_browser[1]
def test_it_is_stopped_makes_way_and_is_trained_here(revisit: Visit) -> None:
    """Stop while Python is on its way; then a snippet's Run ends the training, not the page."""
    figure, _ = come(revisit, "/en/birth-of-qkv/", "birth")
    if figure.locator(".birth__train").is_hidden():
        pytest.skip("the site was built without Python for the browser")
    status, page = figure.locator(".birth__train [role=status]"), revisit.page
    button = train(figure, 7)
    page.wait_for_timeout(600)  # at least: sooner, it is the second half of a double click
    button.click()
    expect(status).to_contain_text("Stopped")
    expect(button).to_have_text("Train it here")
    button.click()
    expect(status).not_to_contain_text("Stopped")
    snippet = page.locator(".snippet").first
    snippet.locator("[data-do=run]").click()
    expect(status).to_contain_text("you ran something else")
    until_it_says(snippet.locator("[role=status]"), "output is the page’s")
    button.click()
    until_it_says(status, "Done")
    is_cpythons(figure, 7)
