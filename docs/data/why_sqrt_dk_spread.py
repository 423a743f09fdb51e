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
    (8, True): 0.01, (8, False): 0.01, (64, True): 0.01,
    (64, False): 0.003, (512, True): 0.01, (512, False): 0.001,
}  # fmt: skip
STEPS, GOAL = 600, 0.99


def spread(values: Any, digits: int = 3) -> dict[str, float]:
    """Median and the middle 90 %, to so many significant digits."""
    low, median, high = np.quantile(values, (0.05, 0.5, 0.95))
    return {
        name: float(f"{value:.{digits}g}")
        for name, value in {"median": median, "p5": low, "p95": high}.items()
    }


def trap(seed: int, divided: bool) -> tuple[float, float, float]:
    """The snippet `trap` with another seed: whole norm, median of the queries, of the values."""
    rng = np.random.default_rng(seed)
    q, k = rng.normal(size=(300, 1, 512)), rng.normal(size=(300, 8, 512))
    v, grad = rng.normal(size=(300, 8, 16)), rng.normal(size=(300, 1, 16))
    scale = 512**-0.5 if divided else 1
    grads = scaled_dot_product_attention_backward(grad, q, k, v, scale=scale)
    of_q, _, of_v = (np.linalg.norm(one, axis=(1, 2)) for one in grads)
    return float(np.linalg.norm(of_q)), float(np.median(of_q)), float(np.median(of_v))


def jacobian(d_k: int) -> dict[str, float]:
    """Median norm of the Jacobian without the division, and the share below 0.01."""
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


def first_gradient(seed: int, d_k: int, divided: bool) -> dict[str, float]:
    """The untrained lookup model of a seed, asked 1000 questions of that seed."""
    model = LookupModel.create(seed, d_k=d_k, scale=d_k**-0.5 if divided else 1, init_std=0.125)
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


def steps_to_goal(d_k: int, divided: bool, seed: int) -> int | None:
    """Steps to an accuracy of 0.99 at the fastest rate; None if 600 are not enough."""
    model = LookupModel.create(seed, d_k=d_k, scale=d_k**-0.5 if divided else 1, init_std=0.125)
    history = train_lookup(
        model,
        steps=STEPS,
        lr=RATES[d_k, divided],
        batch_size=128,
        seed=seed,
        every=10,
        stop_at=GOAL,
    )
    return history.steps[-1] if history.accuracy[-1] >= GOAL else None


def training() -> list[dict[str, Any]]:
    """Steps of every seed, in order, on the kernel that this process has."""
    return [
        {"d_k": d_k, "divided": divided, "lr": lr,
         "steps": sorted((steps_to_goal(d_k, divided, seed) for seed in range(TRAINED)),
                         key=lambda steps: steps or STEPS + 1)}
        for (d_k, divided), lr in RATES.items()
    ]  # fmt: skip


def kernel() -> str:
    """The kernel that NumPy's BLAS really took."""
    from threadpoolctl import threadpool_info

    return str(
        next(one["architecture"] for one in threadpool_info() if one["internal_api"] == "openblas")
    )


def trap_spread(divided: bool) -> dict[str, Any]:
    """All draws of `trap`: median and middle 90 % of each of its three numbers."""
    draws = np.array([trap(seed, divided) for seed in range(DRAWS)])
    names = ("whole", "query", "value")
    return {"divided": divided, **{n: spread(x) for n, x in zip(names, draws.T, strict=True)}}


def gradient_spread(d_k: int) -> dict[str, Any]:
    """The first gradients of all models, divided and not, and the ratio of their medians."""
    of = {x: [first_gradient(seed, d_k, x) for seed in range(MODELS)] for x in (True, False)}
    name = "w_q_median_question"
    pairs = zip(of[False], of[True], strict=True)
    return {
        "d_k": d_k,
        **{
            "divided" if divided else "not_divided": {
                name: spread([row[name] for row in rows]) for name in rows[0]
            }
            for divided, rows in of.items()
        },
        "ratio_of_medians": spread([without[name] / with_[name] for without, with_ in pairs]),
    }


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
    runs = on_every_kernel()
    rows = [{"kernel": kernel, **row} for kernel, rows in runs.items() for row in rows]
    write(
        "why-sqrt-dk-spread",
        {
            "about": {
                "command": "python -m docs.data.why_sqrt_dk_spread",
                "ran_on": f"NumPy {np.__version__}, float64, one thread",
                "spread": "median, 5th and 95th percentile",
                "trap": f"the snippet `trap` with seeds 0 to {DRAWS - 1}",
                "jacobian": f"{N_QUERIES} queries with {N_KEYS} keys each, seed 0, not divided",
                "training": f"seeds 0 to {TRAINED - 1} at the fastest rate of why-sqrt-dk.json; "
                f"steps to an accuracy of {GOAL}, in order; null: not within {STEPS}",
                "first_gradient": f"untrained lookup model, seeds 0 to {MODELS - 1}, each asked "
                f"{N_QUESTIONS} questions of its own",
            },
            "trap": [trap_spread(divided) for divided in (True, False)],
            "jacobian": [{"d_k": d_k, **jacobian(d_k)} for d_k in WIDTHS],
            "first_gradient": [gradient_spread(d_k) for d_k in (64, 512)],
            "training": rows,
        },
    )


if __name__ == "__main__":
    print(json.dumps({"kernel": kernel(), "rows": training()})) if sys.argv[1:] else main()
