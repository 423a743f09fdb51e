"""Attention in tiles beside PyTorch, beside the textbook's NumPy and beside its bare products.

    make benchmark                  # writes docs/data/flash-attention.json; a quarter of an hour
    make benchmark ARGS=--quick     # up to 2,048 tokens on one thread, prints only; a minute

8 heads, d = 64, float32. In a round every way is called once, in turn, and what is kept is each
way's ratio to PyTorch's flash kernel in the same round: the median over the rounds, lowest and
highest. One thread is measured in processor time, which other work on the machine hardly touches,
two in the time on the wall. Extra memory is what a fresh process needs more at its peak than with
its inputs alone, the output included. What would need more than a third of the machine's memory
is left out. Every way's output is compared with that of the flash kernel before it is timed.

Each number of threads, each measurement of memory has a process of its own, for BLAS is told its
threads before it is loaded. Where PyTorch finds CUDA the GPU is measured as well, in bfloat16; that
part has not been tried on a GPU yet.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import math
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
HEADS, D = 8, 64
LENGTHS = [2**power for power in range(7, 15)]  # 128 to 16,384
QUICK = 2048
DECODED = [128, 512, 2048, 8192]
MIB = 2**20
WRITTEN_OUT = {"math": 3, "textbook": 3, "whole": 2, "whole causal": 2}  # tables at once, at most
MEMORY_FROM = 2048  # below, what libraries keep for themselves is as much
LONG = 1024  # tokens from which on the page states ranges
PATIENCE = 1800  # seconds for one process
Ways = dict[str, Callable[[], Any]]


def memory() -> int:
    """The machine's memory in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def fits(way: str, n: int) -> bool:
    """Whether its tables take at most a third of the machine's memory."""
    return WRITTEN_OUT.get(way, 0) * HEADS * n * n * 4 <= memory() / 3


def inputs(n: int, batch: tuple[int, ...] = (HEADS,)) -> Any:
    import numpy as np

    return np.random.default_rng(0).normal(size=(3, *batch, n, D)).astype(np.float32)


def ways(n: int) -> Ways:
    """What is measured, by name: each returns its output, but for the bare products."""
    import numpy as np
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.nn.functional import scaled_dot_product_attention as sdpa

    from qkv_docs import causal_mask, flash_attention, scaled_dot_product_attention

    q, k, v = inputs(n)
    tensors = [torch.from_numpy(one)[None] for one in (q, k, v)]
    causal = causal_mask(n)
    scores, sums = np.empty((256, 512), np.float32), np.empty((256, D), np.float32)

    def kernel(backend: SDPBackend, *, is_causal: bool = False) -> Any:
        with sdpa_kernel(backend), torch.no_grad():
            return sdpa(*tensors, is_causal=is_causal)[0].numpy()

    def textbook() -> Any:
        scores = q @ k.swapaxes(-1, -2) / math.sqrt(D)
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        return weights @ v

    def products() -> None:
        """Both products of every tile, nothing between them, into the same memory."""
        for head in range(HEADS):
            for top in range(0, n, 256):
                rows = q[head, top : top + 256]
                for left in range(0, n, 512):
                    part = scores[: len(rows), : min(512, n - left)]
                    np.matmul(rows, k[head, left : left + 512].T, out=part)
                    np.matmul(part, v[head, left : left + 512], out=sums[: len(rows)])

    return {
        "flash": lambda: kernel(SDPBackend.FLASH_ATTENTION),
        "products": products,
        "tiles": lambda: flash_attention(q, k, v),
        "whole": lambda: scaled_dot_product_attention(q, k, v)[0],
        "textbook": textbook,
        "math": lambda: kernel(SDPBackend.MATH),
        "flash causal": lambda: kernel(SDPBackend.FLASH_ATTENTION, is_causal=True),
        "tiles causal": lambda: flash_attention(q, k, v, causal),
        "whole causal": lambda: scaled_dot_product_attention(q, k, v, causal)[0],
    }


def compared(found: Ways) -> Ways:
    """The ways, once each has given what the flash kernel gives."""
    import numpy as np

    for name, way in found.items():
        if name != "products":
            expected = found["flash causal" if "causal" in name else "flash"]()
            np.testing.assert_allclose(way(), expected, rtol=1e-4, atol=1e-5, err_msg=name)
    return found


def timed(found: Ways, clock: Callable[[], float], seconds: float) -> list[dict[str, float]]:
    """Rounds of all ways, three to fifteen, as many as fit in the seconds."""
    rounds: list[dict[str, float]] = []
    begin = time.perf_counter()
    for way in found.values():
        way()
    while len(rounds) < 3 or (len(rounds) < 15 and time.perf_counter() - begin < seconds):
        one = {}
        for name, way in found.items():
            calls, before = 0, clock()
            while not calls or clock() - before < 0.005:  # a short call is repeated
                way()
                calls += 1
            one[name] = (clock() - before) / calls
        rounds.append(one)
    return rounds


def spread(numbers: list[float], digits: int = 3) -> dict[str, float]:
    """Median, lowest and highest, to so many digits."""
    parts = {"median": statistics.median(numbers), "low": min(numbers), "high": max(numbers)}
    return {name: float(f"{value:.{digits}g}") for name, value in parts.items()}


def speed(threads: int, n: int, seconds: float) -> dict[str, Any]:
    """One row of the table: all ways at one length."""
    found = compared({name: way for name, way in ways(n).items() if fits(name, n)})
    rounds = timed(found, time.process_time if threads == 1 else time.perf_counter, seconds)
    row: dict[str, Any] = {"threads": threads, "n": n, "rounds": len(rounds)}
    row["flash_ms"] = spread([1e3 * one["flash"] for one in rounds])
    for name in found:
        if name != "flash":
            row[name.replace(" ", "_")] = spread([one[name] / one["flash"] for one in rounds])
    row["tiles_over_products"] = spread([one["tiles"] / one["products"] for one in rounds])
    for way, name in (("tiles", "causal_over_causal"), ("whole", "whole_causal_over_causal")):
        if f"{way} causal" in found:
            ratios = [one[f"{way} causal"] / one["flash causal"] for one in rounds]
            row[name] = spread(ratios)
    return row


def decoded(threads: int, n: int, seconds: float) -> dict[str, Any]:
    """One query against n cached keys, beside its two products of a matrix and a vector."""
    import numpy as np

    from qkv_docs import KVCache

    q, k, v = inputs(n)
    cache = KVCache(n, HEADS, D, dtype=np.float32)
    cache.append(k, v)
    query = q[:, -1:]
    across, keys, values = query.swapaxes(-1, -2), cache.keys, cache.values
    rows = query @ keys.swapaxes(-1, -2)  # (heads, 1, n)
    found: Ways = {
        "cache": lambda: cache.attend(query),
        "products": lambda: (keys @ across, rows @ values),
    }
    rounds = timed(found, time.process_time if threads == 1 else time.perf_counter, seconds / 4)
    return {
        "threads": threads,
        "n": n,
        "rounds": len(rounds),
        "cache_ms": spread([1e3 * one["cache"] for one in rounds]),
        "over_products": spread([one["cache"] / one["products"] for one in rounds]),
    }


def held(what: str) -> float:
    """The memory this process holds now ("VmRSS") or has held at most ("VmHWM"), in MiB."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(x for x in status.read_text("ascii").splitlines() if x.startswith(what))
        return int(line.split()[1]) / 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # there is only the most
    return most / (MIB if sys.platform == "darwin" else 1024)


def forget_the_peak() -> None:
    """What was held at most is counted anew from here, and what was freed is given back, where the
    system can do that."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", "ascii")


def extra_memory(way: str, n: int) -> dict[str, Any]:
    """What one call needs more than its inputs; libraries have warmed up on a short one."""
    ways(256)[way]()
    call = ways(n)[way]
    forget_the_peak()
    before = held("VmRSS")
    call()
    return {"way": way, "n": n, "mib": round(held("VmHWM") - before)}


def on_gpu(seconds: float) -> list[dict[str, Any]]:
    """PyTorch's flash and math kernels on CUDA, bfloat16: milliseconds and extra MiB.

    Each is first compared with `flash_attention` in float64 on the same numbers.
    """
    import numpy as np
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.nn.functional import scaled_dot_product_attention as sdpa

    from qkv_docs import flash_attention

    if not torch.cuda.is_available():
        return []
    rows: list[dict[str, Any]] = []
    kernels = {"flash": SDPBackend.FLASH_ATTENTION, "math": SDPBackend.MATH}
    for n in LENGTHS:
        arrays = [torch.from_numpy(one)[None].to("cuda", torch.bfloat16) for one in inputs(n)]
        for name, backend in kernels.items():
            needed = 3 * HEADS * n * n * 4 if name == "math" else 0
            if needed > torch.cuda.get_device_properties(0).total_memory / 3:
                continue
            with sdpa_kernel(backend), torch.no_grad():
                found = sdpa(*arrays)
                if n <= 1024:
                    exact = flash_attention(*(one[0].double().cpu().numpy() for one in arrays))
                    np.testing.assert_allclose(found[0].double().cpu(), exact, atol=0.02)
                del found
                torch.cuda.synchronize()
                torch.cuda.reset_peak_memory_stats()
                held, times, begin = torch.cuda.memory_allocated(), [], time.perf_counter()
                while len(times) < 5 or time.perf_counter() - begin < min(seconds, 1):
                    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
                    start.record()
                    sdpa(*arrays)
                    end.record()
                    torch.cuda.synchronize()
                    times.append(start.elapsed_time(end))
                extra = (torch.cuda.max_memory_allocated() - held) / MIB
            rows.append({"n": n, "way": name, "ms": spread(times), "mib": round(extra, 1)})
    return rows


def alone(task: str, *arguments: object, threads: int = 1) -> Any:
    """What a task prints as JSON, run in a process of its own; None, and why, where it failed."""
    count = str(threads)
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    env = {**os.environ, **dict.fromkeys(names, count), "QKV_THREADS": count}
    command = [sys.executable, __file__, "--task", task, *map(str, arguments)]
    try:
        done = subprocess.run(
            command, env=env, capture_output=True, text=True, check=False, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        print(f"  {task} {arguments}: left out, not done in {PATIENCE} s", flush=True)
        return None
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or [f"ended with {done.returncode}"]
        print(f"  {task} {arguments}: left out, {reason[0]}", flush=True)
        return None
    return json.loads(done.stdout.splitlines()[-1])


def run_task(task: str, arguments: list[str]) -> None:
    """In the process of its own."""
    import torch

    threads = int(os.environ["QKV_THREADS"])
    torch.set_num_threads(threads)
    if task == "memory":
        result: Any = extra_memory(arguments[0], int(arguments[1]))
    elif task == "gpu":
        result = on_gpu(float(arguments[0]))
    else:
        n, seconds = int(arguments[0]), float(arguments[1])
        result = (speed if task == "speed" else decoded)(threads, n, seconds)
    print(json.dumps(result))


def ran_on() -> str:
    """Processor, memory and versions."""
    import numpy as np
    import torch

    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        model = next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), model)
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return (
        f"{model}, {os.cpu_count()} cores, {memory() / 2**30:.0f} GiB, {platform.system()}; "
        f"Python {platform.python_version()}, NumPy {np.__version__} with {blas['name']} "
        f"{blas['version']}, PyTorch {torch.__version__.split('+')[0]}"
    )


def stated(ratio: float) -> float:
    """With the digits that the page has."""
    return round(ratio, 1) if ratio < 10 else round(ratio)


def ends(rows: list[dict[str, Any]], name: str) -> list[float]:
    """The lowest and the highest median of a ratio."""
    found = [stated(row[name]["median"]) for row in rows if name in row]
    return [min(found), max(found)] if found else []


def summary(data: dict[str, Any]) -> dict[str, Any]:
    """What the page states, of one thread: ranges from LONG tokens on, and some single lengths."""
    single = [row for row in data["time"] if row["threads"] == 1]
    names = ("products", "tiles", "whole", "textbook", "math", "tiles_over_products",
             "causal_over_causal", "whole_causal_over_causal")  # fmt: skip
    found: dict[str, Any] = {
        name: pair for name in names if (pair := ends([r for r in single if r["n"] >= LONG], name))
    }
    steps = [row for row in data["decoding"] if row["threads"] == 1]
    found["decoding"] = ends(steps, "over_products")
    found["at"] = [
        {"n": row["n"], **{name: stated(row[name]["median"]) for name in names[:5] if name in row}}
        for row in single
        if row["n"] in (LENGTHS[0], LONG)
    ]
    return found


def measure(largest: int, seconds: float, most_threads: int) -> dict[str, Any]:
    """Everything, one process after the other."""
    lengths = [n for n in LENGTHS if n <= largest]
    data: dict[str, Any] = {"time": [], "memory": [], "decoding": []}
    for threads in range(1, most_threads + 1):
        for n in lengths:
            row = alone("speed", n, seconds, threads=threads)
            if row:
                data["time"].append(row)
                print(f"  {threads} thread(s), n = {n}: {told(row)}", flush=True)
        for n in DECODED:
            if n <= largest and (row := alone("decoding", n, seconds, threads=threads)):
                data["decoding"].append(row)
                ratio = row["over_products"]["median"]
                print(f"  {threads} thread(s), decoding after {n}: {ratio} times its products")
    for n in lengths:
        for way in ("flash", "tiles", "whole", "textbook", "math"):
            if n >= MEMORY_FROM and fits(way, n) and (row := alone("memory", way, n)):
                data["memory"].append(row)
                print(f"  extra memory, n = {n}, {way}: {row['mib']} MiB", flush=True)
    data["gpu"] = alone("gpu", seconds) or []
    return data


def told(row: dict[str, Any]) -> str:
    ratios = [f"{k} {v['median']:.2f}" for k, v in row.items() if isinstance(v, dict)]
    return f"{row['rounds']} rounds; flash {row['flash_ms']['median']} ms; " + ", ".join(ratios[1:])


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help=f"up to {QUICK} tokens, prints only")
    parser.add_argument("--largest", type=int, default=LENGTHS[-1], help="the longest n")
    parser.add_argument("--seconds", type=float, default=10, help="for a length, about")
    parser.add_argument("--threads", type=int, choices=(1, 2), help="the most threads")
    parser.add_argument("--output", type=Path, help="a JSON file in place of docs/data")
    parser.add_argument("--task", nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.task:
        run_task(given.task[0], given.task[1:])
        return 0
    from docs import data as kept

    begin = time.perf_counter()
    if given.quick:
        given.largest, given.seconds = min(given.largest, QUICK), min(given.seconds, 2)
        given.threads = given.threads or 1
    most_threads = min(given.threads or 2, os.cpu_count() or 1)
    load = round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None
    print(f"{ran_on()}; {load} processes at work", flush=True)
    found = measure(given.largest, given.seconds, most_threads)
    if not found["time"]:
        print("Nothing could be measured.")
        return 1
    took = round(time.perf_counter() - begin)
    limit = {way: max((n for n in LENGTHS if fits(way, n)), default=0) for way in WRITTEN_OUT}
    about = {"command": "make benchmark", "ran_on": ran_on(), "load_before": load, "seconds": took,
             "setting": {"heads": HEADS, "d": D, "dtype": "float32", "tile": [256, 512]},
             "longest_written_out": limit}  # fmt: skip
    result = {"about": about, "summary": summary(found), **found}
    for name, pair in result["summary"].items():
        if name != "at" and pair:
            print(f"  {name}: {pair[0]} to {pair[1]}")
    if given.output:
        given.output.write_text(f"{kept.text(result)}\n", encoding="utf-8")
    elif not given.quick and (given.largest, most_threads) == (LENGTHS[-1], 2):
        kept.write("flash-attention", result)
        print("Written: docs/data/flash-attention.json. Next: make numbers, make pages.")
    else:
        print("Nothing written: a whole run is `make benchmark`.")
    print(f"{took} s in all")
    return 0


if __name__ == "__main__":
    sys.exit(main())
