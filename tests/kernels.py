"""`make kernels`: does every number hold on other processors?

BLAS, NumPy and PyTorch choose their code by the processor, and each choice rounds in its own way.
Here they are told to choose as older processors would make them; that they did is looked up, not
believed. What is run is all that computes: the package, the examples and the tests with arrays.
Arguments go to pytest: python tests/kernels.py -k rope.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent
# kernel of OpenBLAS, the instructions it needs (names of NumPy), those of PyTorch at most
KERNELS = [
    ("Prescott", "X86_V2", "default"),
    ("Nehalem", "X86_V2", "default"),
    ("Haswell", "X86_V3", "avx2"),
    ("Zen", "X86_V3", "avx2"),
    ("SkylakeX", "X86_V4", "avx512"),
]
COMPUTES = re.compile(r"^import (numpy|torch)\b|^from nbformat\b", re.M)
# Prints the kernel of OpenBLAS and the instructions that NumPy uses.
ASK = """
import numpy, threadpoolctl
blas = [one["architecture"] for one in threadpoolctl.threadpool_info() if "architecture" in one]
simd = numpy.show_config(mode="dicts")["SIMD Extensions"]
print(*blas, *simd["baseline"], *simd.get("found", ()))
"""


def instructions() -> list[str]:
    """What this processor has, from the oldest on."""
    known = np.show_config(mode="dicts")["SIMD Extensions"]
    return [*known["baseline"], *known.get("found", ())]


def settings(kernel: str, needs: str, torch: str) -> dict[str, str]:
    """The environment in which the libraries choose as on an older processor."""
    have = instructions()
    newer = have[have.index(needs) + 1 :]
    return {
        **os.environ,
        "OPENBLAS_CORETYPE": kernel,
        "OPENBLAS_NUM_THREADS": "1",
        "NPY_DISABLE_CPU_FEATURES": " ".join(newer),
        "ATEN_CPU_CAPABILITY": torch,
    }


def chosen(env: dict[str, str]) -> str:
    return subprocess.check_output([sys.executable, "-c", ASK], env=env, text=True).strip()


def main(arguments: list[str]) -> int:
    tests = sorted(
        str(path)
        for path in ROOT.glob("tests/test_*.py")
        if COMPUTES.search(path.read_text("utf-8"))
    )
    run = [
        sys.executable,
        "-m",
        "pytest",
        "--quiet",
        "--numprocesses",
        "auto",
        "-p",
        "no:cacheprovider",
    ]
    run += ["-m", "not browser and not slow", "qkv_docs", "docs/examples", *tests, *arguments]
    results: dict[str, str] = {}
    done: dict[str, str] = {}  # what was chosen, and for which kernel first
    for kernel, needs, torch in KERNELS:
        if needs not in instructions():
            results[kernel] = f"left out: this processor has no {needs}"
            continue
        env = settings(kernel, needs, torch)
        choice = chosen(env)
        if choice in done:
            results[kernel] = f"the same as {done[choice]} in this OpenBLAS"
            continue
        done[choice] = kernel
        print(f"\n{kernel}: OpenBLAS and NumPy say {choice}", flush=True)
        code = subprocess.run(run, cwd=ROOT, env=env, check=False).returncode
        results[kernel] = "green" if code == 0 else f"RED (pytest ended with {code})"
    print("\n" + "\n".join(f"{kernel:<9} {result}" for kernel, result in results.items()))
    if "X86_V2" not in instructions():
        print("No kernels are known for this kind of processor; `make test` has tried its own.")
    elif len(done) < 2:
        print("All choices came to the same: is NumPy's BLAS an OpenBLAS?")
        return 1
    return int(any(result.startswith("RED") for result in results.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
