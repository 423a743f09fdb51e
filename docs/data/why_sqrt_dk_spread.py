"""How far the claims of why-sqrt-dk depend on the seed and on the machine: why-sqrt-dk-spread.json.

Run with `python -m docs.data.why_sqrt_dk_spread` (some ten minutes on one core; NumPy only). The
page's snippets and why-sqrt-dk.json are single draws, or nine; here the same is drawn again and
again, and the training once for each kernel of NumPy's BLAS that this processor has, since another
order of summation is enough to change a run without the division at d_k = 512.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

if __name__ == "__main__":
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy is imported

import numpy as np

from docs.data import write
from qkv_docs import (
    LookupBatch,
    LookupModel,
    lookup_batch,
    scaled_dot_product_attention_backward,
    softmax,
    softmax_backward,
    train_lookup,
)

DRAWS, MODELS, TRAINED = 200, 20, 21  # seeds 0 to one less
N_QUERIES, N_KEYS, N_QUESTIONS = 400_000, 8, 1000
WIDTHS = (4, 16, 64, 256, 1024)
KERNELS = ("Prescott", "Nehalem", "Haswell", "Zen")
RATES = {  # the fastest of training_best in why-sqrt-dk.json
    (8, "sqrt(d_k)"): 0.01, (8, "1"): 0.01, (64, "sqrt(d_k)"): 0.01,
    (64, "1"): 0.003, (512, "sqrt(d_k)"): 0.01, (512, "1"): 0.001,
}  # fmt: skip
STEPS, GOAL = 600, 0.99


DIVISORS = ("sqrt(d_k)", "1")


def scale(divisor: str, d_k: int) -> float:
    """What the dot products are multiplied by."""
    return d_k**-0.5 if divisor == "sqrt(d_k)" else 1.0


QUANTILES = {"median": 0.5, "p5": 0.05, "p95": 0.95}


def spread(values: list[float]) -> list[float]:
    """Median and the ends of the middle 90 %, to three significant digits."""
    return [_three(np.quantile(values, at)) for at in QUANTILES.values()]


def measures(rows: list[dict[str, float]]) -> dict[str, list[float]]:
    """The spread of every measure."""
    return {name: spread([row[name] for row in rows]) for name in rows[0]}


def by_quantile(rows: list[dict[str, float]], **condition: Any) -> list[dict[str, Any]]:
    """The same with a row for each quantile, as a table on the page needs it."""
    of = measures(rows)
    return [
        {**condition, "quantile": name, **{key: found[at] for key, found in of.items()}}
        for at, name in enumerate(QUANTILES)
    ]


def _three(value: float) -> float:
    return float(f"{value:.3g}")


def trap(seed: int, divisor: str) -> dict[str, float]:
    """The snippet `trap` with another seed: whole norm, median of the queries, of the values."""
    rng = np.random.default_rng(seed)
    q, k = rng.normal(size=(300, 1, 512)), rng.normal(size=(300, 8, 512))
    v, grad = rng.normal(size=(300, 8, 16)), rng.normal(size=(300, 1, 16))
    grads = scaled_dot_product_attention_backward(grad, q, k, v, scale=scale(divisor, 512))
    of_q, _, of_v = (np.linalg.norm(one, axis=(1, 2)) for one in grads)
    whole = float(np.linalg.norm(of_q))
    return {"whole": whole, "query": float(np.median(of_q)), "value": float(np.median(of_v))}


def jacobian(d_k: int) -> dict[str, float]:
    """Without the division: median norm of the Jacobian, and the share below 0.01."""
    rng = np.random.default_rng(0)
    norms = []
    for _ in range(N_QUERIES // 2000):  # in pieces, for the memory
        q, k = rng.normal(size=(2000, 1, d_k)), rng.normal(size=(2000, N_KEYS, d_k))
        weights = softmax((q * k).sum(axis=-1))
        eye = np.broadcast_to(np.eye(N_KEYS), (2000, N_KEYS, N_KEYS))
        rows = softmax_backward(eye, np.broadcast_to(weights[:, None, :], eye.shape))
        norms.append(np.sqrt((rows**2).sum(axis=(-1, -2))))
    every = np.concatenate(norms)
    return {
        "median": float(f"{np.median(every):.2g}"),
        "below_0.01": round(float((every < 0.01).mean()), 2),
    }


def first_gradient(seed: int, d_k: int, divisor: str) -> dict[str, float]:
    """The untrained lookup model of a seed, asked 1000 questions of that seed."""
    model = LookupModel.create(seed, d_k=d_k, scale=scale(divisor, d_k), init_std=0.125)
    batch = lookup_batch(np.random.default_rng(seed + 1), N_QUESTIONS)
    _, grads = model.loss_and_gradients(batch)
    alone = np.array(
        [
            np.linalg.norm(
                model.loss_and_gradients(LookupBatch(*(x[i : i + 1] for x in batch)))[1]["w_q"]
            )
            for i in range(N_QUESTIONS)
        ]
    )
    squares = np.sort(alone**2)
    return {
        "w_q_of_the_mean": float(np.linalg.norm(grads["w_q"])),
        "w_q_median_question": float(np.median(alone)),
        "w_q_share_of_top_5_percent": float(squares[-N_QUESTIONS // 20 :].sum() / squares.sum()),
        "w_v_of_the_mean": float(np.linalg.norm(grads["w_v"])),
    }


def steps_to_goal(d_k: int, divisor: str, seed: int) -> int | None:
    """Steps to an accuracy of 0.99 at the fastest rate; None if 600 are not enough."""
    model = LookupModel.create(seed, d_k=d_k, scale=scale(divisor, d_k), init_std=0.125)
    history = train_lookup(
        model,
        steps=STEPS,
        lr=RATES[d_k, divisor],
        batch_size=128,
        seed=seed,
        every=10,
        stop_at=GOAL,
    )
    return history.steps[-1] if history.accuracy[-1] >= GOAL else None


def training() -> list[dict[str, Any]]:
    """Steps of every seed, in order, on the kernel that this process has."""
    return [
        {"d_k": d_k, "divisor": divisor, "lr": lr,
         "steps": sorted((steps_to_goal(d_k, divisor, seed) for seed in range(TRAINED)), key=_last)}
        for (d_k, divisor), lr in RATES.items()
    ]  # fmt: skip


def _last(steps: int | None) -> int:
    """A run that did not reach the goal took longer than any other."""
    return STEPS + 1 if steps is None else steps


def together(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The runs of all kernels: how many, median, fewest and most steps, how many did not reach."""
    found = []
    for d_k, divisor in RATES:
        of = [row["steps"] for row in rows if (row["d_k"], row["divisor"]) == (d_k, divisor)]
        steps = sorted((one for run in of for one in run), key=_last)
        reached = [one for one in steps if one is not None]
        found.append({
            "d_k": d_k, "divisor": divisor, "runs": len(steps), "median": steps[len(steps) // 2],
            "fewest": reached[0], "most": reached[-1], "missed": len(steps) - len(reached),
        })  # fmt: skip
    return found


def kernel() -> str:
    """The kernel that NumPy's BLAS really took."""
    from threadpoolctl import threadpool_info

    return str(
        next(one["architecture"] for one in threadpool_info() if one["internal_api"] == "openblas")
    )


def on_every_kernel() -> dict[str, list[dict[str, Any]]]:
    """`training` once for each kernel, by the name of the one that was really taken."""
    runs = {}
    for name in KERNELS:
        done = subprocess.run(
            [sys.executable, "-m", "docs.data.why_sqrt_dk_spread", "training"],
            env={**os.environ, "OPENBLAS_CORETYPE": name},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        made = json.loads(done.stdout)
        runs[made["kernel"]] = made["rows"]
    return runs


def main() -> None:
    rows = [{"kernel": k, **row} for k, made in on_every_kernel().items() for row in made]
    models = {
        (d_k, divisor): [first_gradient(seed, d_k, divisor) for seed in range(MODELS)]
        for d_k in (64, 512) for divisor in DIVISORS
    }  # fmt: skip
    name = "w_q_median_question"
    ratios = {
        d_k: [a[name] / b[name]
              for a, b in zip(models[d_k, "1"], models[d_k, "sqrt(d_k)"], strict=True)]
        for d_k in (64, 512)
    }  # fmt: skip
    write("why-sqrt-dk-spread", {
        "about": {
            "command": "python -m docs.data.why_sqrt_dk_spread",
            "ran_on": f"NumPy {np.__version__}, float64, one thread",
            "spread": "median, 5th and 95th percentile, in this order",
            "trap": f"the snippet `trap` with seeds 0 to {DRAWS - 1}",
            "jacobian": f"queries with {N_KEYS} keys each, seed 0, not divided",
            "first_gradient": f"untrained lookup model, seeds 0 to {MODELS - 1}, each asked "
            f"{N_QUESTIONS} questions of its own",
            "median_ratio": f"{name} not divided over divided, the same models",
            "training": f"seeds 0 to {TRAINED - 1} at the fastest rate of why-sqrt-dk.json; steps "
            f"to an accuracy of {GOAL}, in order; null: not within {STEPS}",
        },
        "trap": [
            {"divisor": divisor, **measures([trap(seed, divisor) for seed in range(DRAWS)])}
            for divisor in DIVISORS
        ],
        "jacobian": [{"d_k": d_k, "queries": N_QUERIES, **jacobian(d_k)} for d_k in WIDTHS],
        "first_gradient": [
            row for (d_k, divisor), of in models.items()
            for row in by_quantile(of, d_k=d_k, divisor=divisor)
        ],
        "median_ratio": [{"d_k": d_k, "ratio": spread(of)} for d_k, of in ratios.items()],
        "training": rows,
        "training_together": together(rows),
    })  # fmt: skip


if __name__ == "__main__":
    print(json.dumps({"kernel": kernel(), "rows": training()})) if sys.argv[1:] else main()
