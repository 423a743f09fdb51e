"""Measure what the page why-sqrt-dk says, and write why-sqrt-dk.json beside this file.

Run with `python -m docs.data.why_sqrt_dk` (about half an hour on one core; NumPy only), or with
`gradients` after it for why-sqrt-dk-gradients.json alone (seconds). Every number is seeded: the
same NumPy gives the same file. Training without the division at d_k = 512
is so sensitive that another order of summation (another BLAS, more threads) changes the steps it
takes; hence one thread, nine seeds and medians. tests/test_why_sqrt_dk.py recomputes a part.
"""

import math
import os
import platform
import sys
from collections.abc import Iterator

if __name__ == "__main__":
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy is imported

import numpy as np

from docs.data import number, write
from qkv_docs import LookupBatch, LookupModel, lookup_batch, train_lookup
from qkv_docs.attention import scaled_dot_product_attention, softmax
from qkv_docs.gradients import softmax_backward

DIVISORS = ("1", "sqrt(d_k)", "d_k", "sqrt(d_model)")

# 1. random queries and keys
WIDTHS = (4, 16, 64, 256, 1024)
N_QUERIES, N_KEYS, D_MODEL = 2000, 8, 512  # d_model only enters the divisor sqrt(d_model)

# the same for the figure to play with: every width and temperature of its sliders
PLAYED_WIDTHS = tuple(2**power for power in range(11))
TEMPERATURES = tuple(2.0**power for power in range(-3, 4))
LOWEST, BINS_PER_DECADE = -8, 6  # from 10^-8 to 1

# 2. the first gradient and 3. the training of the lookup model, whose d_model is 64
STARTS = {"small": 0.02, "unit": 0.125, "double": 0.25}  # std of W_Q and W_K; 0.125 = 1/sqrt(64)
GRADIENT_WIDTHS = (8, 64, 512, 1024)
N_QUESTIONS = 1000
TRAINED_WIDTHS = (8, 64, 512)
LEARNING_RATES = (0.0003, 0.001, 0.003, 0.01, 0.03)
SEEDS, MORE_SEEDS = (0, 1, 2), tuple(range(9))  # to find the best rate; to measure with it
BATCH_SIZES = (32, 128, 512)
STEPS, EVERY, GOAL = 600, 10, 0.99
CURVE_STEPS = 200


def scale(divisor: str, d_k: int, d_model: int) -> float:
    """What the dot products are multiplied by."""
    numbers = {"1": 1.0, "sqrt(d_k)": d_k**0.5, "d_k": d_k, "sqrt(d_model)": d_model**0.5}
    return 1 / numbers[divisor]


def random_attention(d_k: int, divisor: str) -> dict[str, float]:
    """Independent entries with mean 0 and variance 1: how peaked is softmax, how much passes it?"""
    rng = np.random.default_rng(0)
    q = rng.standard_normal((N_QUERIES, 1, d_k))
    k = rng.standard_normal((N_QUERIES, N_KEYS, d_k))
    factor = scale(divisor, d_k, D_MODEL)
    _, weights = scaled_dot_product_attention(q, k, k[..., :1], scale=factor)
    weights = weights[:, 0]  # (n_queries, n_keys)
    logs = np.log(np.maximum(weights, 1e-300))
    norms = jacobian_norms(weights)
    return {
        "score_std": float((q @ k.swapaxes(-1, -2)).std() * factor),
        "largest_weight": float(weights.max(axis=-1).mean()),
        "entropy": float(-(weights * logs).sum(axis=-1).mean() / math.log(N_KEYS)),
        "jacobian_median": float(np.median(norms)),
        "jacobian_below_0.01": float((norms < 0.01).mean()),
    }


def jacobian_norms(weights: np.ndarray) -> np.ndarray:
    """How much of a gradient the softmax of each query lets through: a number a query."""
    # row i of the Jacobian: what comes back when only weight i is asked to grow
    eye = np.broadcast_to(np.eye(N_KEYS), (N_QUERIES, N_KEYS, N_KEYS))
    jacobian = softmax_backward(eye, np.broadcast_to(weights[:, None, :], eye.shape))
    return np.sqrt((jacobian**2).sum(axis=(-1, -2)))


def gradient_histograms(d_k: int) -> list[dict[str, object]]:
    """How many of the same random queries let how much through, for each size of the divisor.

    Divisor times temperature is a power of the root of 2; `half_powers` says which. Different
    divisors with different temperatures can make the same one.
    """
    rng = np.random.default_rng(0)
    q = rng.standard_normal((N_QUERIES, 1, d_k))
    k = rng.standard_normal((N_QUERIES, N_KEYS, d_k))
    dots = (q @ k.swapaxes(-1, -2))[:, 0]  # (n_queries, n_keys)
    half_powers = {
        round(2 * math.log2(temperature / scale(divisor, d_k, D_MODEL)))
        for divisor in DIVISORS for temperature in TEMPERATURES
    }  # fmt: skip
    edges = 10.0 ** np.linspace(LOWEST, 0, 1 - LOWEST * BINS_PER_DECADE)
    rows: list[dict[str, object]] = []
    for half_power in sorted(half_powers):
        norms = jacobian_norms(softmax(dots / 2 ** (half_power / 2)))
        counts = np.histogram(norms, edges)[0].tolist()
        filled = [i for i, count in enumerate(counts) if count] or [0]
        measured = {
            "median": float(np.median(norms)),
            "mean": float(norms.mean()),
            "below_0.01": float((norms < 0.01).mean()),
        }
        row = formatted(measured, d_k=d_k, half_powers=half_power)
        rows.append({**row, "lower": N_QUERIES - sum(counts), "first": filled[0]})
        rows[-1]["counts"] = counts[filled[0] : filled[-1] + 1]
    return rows


def write_gradients() -> None:
    write("why-sqrt-dk-gradients", {
        "about": {
            "command": "python -m docs.data.why_sqrt_dk gradients",
            "ran_on": f"NumPy {np.__version__}, float64, Python {platform.python_version()}",
            "queries": f"{N_QUERIES} queries with {N_KEYS} keys each, entries independent, mean 0,"
            " variance 1, seed 0: those of random_attention in why-sqrt-dk.json",
            "divisor": f"dot products were divided by 2^(half_powers / 2), which is 1, sqrt(d_k), "
            f"d_k or sqrt({D_MODEL}), times a temperature of 1/8 to 8",
            "counts": "how many queries have a Jacobian whose Frobenius norm is in a bin, from the "
            f"bin number `first` on; bin i ends at 10^({LOWEST} + (i + 1) / {BINS_PER_DECADE}); "
            f"`lower`: how many are below 10^{LOWEST}",
        },
        "n_queries": N_QUERIES,
        "lowest": LOWEST,
        "bins_per_decade": BINS_PER_DECADE,
        "histograms": [row for d_k in PLAYED_WIDTHS for row in gradient_histograms(d_k)],
    })  # fmt: skip


def first_gradient(d_k: int, divisor: str, start: str) -> dict[str, float]:
    """The untrained lookup model: gradient of the mean loss, and of each question alone."""
    model = LookupModel.create(0, d_k=d_k, scale=scale(divisor, d_k, 64), init_std=STARTS[start])
    batch = lookup_batch(np.random.default_rng(1), N_QUESTIONS)
    _, grads = model.loss_and_gradients(batch)
    alone = np.empty((2, N_QUESTIONS))
    for i in range(N_QUESTIONS):
        _, one = model.loss_and_gradients(LookupBatch(*(part[i : i + 1] for part in batch)))
        alone[:, i] = np.linalg.norm(one["w_q"]), np.linalg.norm(one["w_v"])
    squares = np.sort(alone[0] ** 2)
    return {
        "w_q_of_the_mean": float(np.linalg.norm(grads["w_q"])),
        "w_q_median_question": float(np.median(alone[0])),
        "w_q_share_of_top_5_percent": float(squares[-N_QUESTIONS // 20 :].sum() / squares.sum()),
        "w_v_of_the_mean": float(np.linalg.norm(grads["w_v"])),
        "w_v_median_question": float(np.median(alone[1])),
    }


def training(
    d_k: int,
    divisor: str,
    start: str,
    lr: float,
    seed: int,
    *,
    batch_size: int = 128,
    steps: int = STEPS,
    stop_at: float | None = GOAL,
) -> tuple[list[int], list[float]]:
    """Evaluated steps of one run, and the accuracy at each."""
    model = LookupModel.create(seed, d_k=d_k, scale=scale(divisor, d_k, 64), init_std=STARTS[start])
    with np.errstate(over="ignore"):  # at the highest rates some runs blow up
        history = train_lookup(
            model,
            steps=steps,
            lr=lr,
            batch_size=batch_size,
            seed=seed,
            every=EVERY,
            stop_at=stop_at,
        )
    return history.steps, history.accuracy


def conditions() -> Iterator[dict[str, object]]:
    """Every start with and without the division by sqrt(d_k), the unit start with all divisors."""
    for d_k in TRAINED_WIDTHS:
        for start in STARTS:
            for divisor in DIVISORS if start == "unit" else DIVISORS[:2]:
                yield {"d_k": d_k, "divisor": divisor, "start": start}


def sweep(**condition: object) -> list[dict[str, object]]:
    """One row a learning rate: the step at which each seed reached the goal, if it did."""
    rows = []
    for lr in LEARNING_RATES:
        ends = [training(**condition, lr=lr, seed=seed) for seed in SEEDS]
        steps = [steps[-1] if accuracy[-1] >= GOAL else None for steps, accuracy in ends]
        final = [number(accuracy[-1], ".3f") for _, accuracy in ends]
        rows.append({**condition, "lr": lr, "steps": steps, "accuracy": final})
        print(rows[-1], file=sys.stderr, flush=True)
    return rows


def best_of(rows: list[dict[str, object]]) -> dict[str, object]:
    """The rate with the fewest steps, and how many rates brought most seeds to the goal."""
    best = min(rows, key=lambda row: sum(step or STEPS + EVERY for step in row["steps"]))
    condition = {name: best[name] for name in best if name not in ("steps", "accuracy")}
    works = sum(sum(step is not None for step in row["steps"]) >= 2 for row in rows)
    return {**condition, "rates_that_work": works}


def measured(rows: list[dict[str, object]]) -> dict[str, object]:
    """The best rate of a sweep with nine seeds: their steps in order (null: not reached)."""
    best = best_of(rows)
    options = {name: best[name] for name in best if name != "rates_that_work"}
    ends = [training(**options, seed=seed) for seed in MORE_SEEDS]
    steps = sorted(s[-1] if a[-1] >= GOAL else math.inf for s, a in ends)
    shown = [None if step == math.inf else step for step in steps]
    print(best, shown, file=sys.stderr, flush=True)
    return {**best, "median": shown[len(shown) // 2], "steps": shown}


def curve(d_k: int, divisor: str, start: str, lr: float, **_: object) -> dict[str, object]:
    """Accuracy at every evaluation, mean of nine seeds."""
    runs = [
        training(d_k, divisor, start, lr, seed, steps=CURVE_STEPS, stop_at=None)[1]
        for seed in MORE_SEEDS
    ]
    mean = [number(value, ".3f") for value in np.mean(runs, axis=0)]
    return {"d_k": d_k, "divisor": divisor, "start": start, "lr": lr, "accuracy": mean}


def formatted(row: dict[str, float], **context: object) -> dict[str, object]:
    """Two decimals, or two significant digits where too little would be left."""
    forms = {n: ".2f" if value == 0 or value >= 0.01 else ".1e" for n, value in row.items()}
    return {**context, **{name: number(value, forms[name]) for name, value in row.items()}}


def main() -> None:
    write_gradients()
    sweeps = [sweep(**condition) for condition in conditions()]
    best = [measured(rows) for rows in sweeps]
    batches = [
        measured(sweep(d_k=64, divisor=divisor, start="unit", batch_size=batch_size))
        for batch_size in BATCH_SIZES for divisor in DIVISORS[:2]
    ]  # fmt: skip
    write("why-sqrt-dk", {
        "about": {
            "command": "python -m docs.data.why_sqrt_dk",
            "ran_on": f"NumPy {np.__version__}, float64, one thread, "
            f"Python {platform.python_version()}",
            "random_attention": f"{N_QUERIES} queries with {N_KEYS} keys each, entries independent,"
            f" mean 0, variance 1, seed 0; d_model {D_MODEL}",
            "first_gradient": "untrained lookup model, d_model 64, d_v 16, seed 0, "
            f"{N_QUESTIONS} questions; Frobenius norms",
            "training": f"lookup model, d_model 64, d_v 16, Adam, batches of 128, at most {STEPS} "
            f"steps, evaluated every {EVERY} steps on 500 contexts; steps = first evaluated step "
            f"with accuracy {GOAL} or more; runs: seeds 0 to 2; a rate works if it brings two of "
            "them to the goal; best: the best rate with seeds 0 to 8",
            "starts": "standard deviation of W_Q and W_K: "
            + ", ".join(f"{name} {std}" for name, std in STARTS.items()),
        },
        "random_attention": [
            formatted(random_attention(d_k, divisor), d_k=d_k, divisor=divisor)
            for d_k in WIDTHS for divisor in DIVISORS
        ],
        "first_gradient": [
            formatted(first_gradient(d_k, divisor, start), d_k=d_k, divisor=divisor, start=start)
            for start in ("unit", "small") for d_k in GRADIENT_WIDTHS for divisor in DIVISORS[:2]
        ],
        "training_best": best,
        "training_best_by_batch_size": batches,
        "training_curves": {
            "steps": list(range(0, CURVE_STEPS + 1, EVERY)),
            "means": [curve(**row) for row in best if row["d_k"] == 512],
        },
        "training_runs": [row for rows in sweeps for row in rows],
    })  # fmt: skip


if __name__ == "__main__":
    write_gradients() if sys.argv[1:] == ["gradients"] else main()
