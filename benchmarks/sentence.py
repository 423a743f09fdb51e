"""What a sentence of the reader's own costs in Chromium: bytes, seconds, memory.

    .venv/bin/python benchmarks/sentence.py [--site FOLDER] [--beside FOLDER]

Serves the site on this machine, presses as a reader does, and asks for sentences of growing
length. Beside it, in the same Python, the two ways to multiply matrices that NumPy has there. Times
are this machine's, and the quickest of several where it is busy with other things; the load is
printed.

`--beside` is the folder dist/ of npm's onnxruntime-web: the same shapes, float32, with one thread,
after ours and in the same browser (needs the package onnx; its graph has random parameters and
gives back the last layer alone).
"""

from __future__ import annotations

import argparse
import functools
import http.server
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from browsing import CHROMIUM, FLAGS, Handler, wake  # noqa: E402

ROUNDS = 9
TEXTS = {
    "苹果发布了新手机": 7,
    "苹果公司今天发布了新手机，我很喜欢": 12,
    "The animal did not cross the street because it was too tired and the road too wide": 20,
    "the cat and " * 40: 122,
}
LOAD = """async () => {
    const start = performance.now(), { load, missing } = await qkv.load("model.mjs");
    const bytes = await missing();
    let files = 0;
    const progress = ({ what }) => { if (what === "unpacking") files = performance.now() - start; };
    globalThis.model = await load({ progress });
    return { bytes, files, ready: performance.now() - start };
}"""
ASK = """async ([text, rounds]) => {
    const times = [];
    let n = 0;
    for (let round = 0; round < rounds; round += 1) {
        const start = performance.now();
        // one more space: the same pieces, and not what was asked last
        n = (await model.sentence(text + " ".repeat(round))).pieces.length;
        times.push(performance.now() - start);
    }
    return [n, times];
}"""
PRODUCTS = """
import numpy as np, time
rng = np.random.default_rng(0)
for d_in, d_out in ((384, 384), (384, 1536), (1536, 384)):
    x, w = (rng.normal(size=shape).astype("f4") for shape in ((12, d_in), (d_in, d_out)))
    speeds = []
    for multiply in (lambda: x @ w, lambda: np.einsum("nk,km->nm", x, w)):
        times = []
        for _ in range(9):
            start = time.perf_counter()
            product = multiply()  # named, or it would be shown
            times.append(time.perf_counter() - start)
        speeds.append(2 * 12 * d_in * d_out / min(times) / 1e9)
    print(f"| (12, {d_in}) @ ({d_in}, {d_out}) | {speeds[0]:.2f} | {speeds[1]:.2f} |")
"""
RUN = """async (code) => {
    const { Turn } = await qkv.load("python.mjs");
    let said = "";
    const step = { name: "benchmark", code, label: "<benchmark>" };
    await new Turn(() => {}).run([step], (_, { out }) => { said += out ?? ""; });
    return said;
}"""


def memory(browser: Browser) -> float:
    """Megabytes of the largest process that draws a page."""
    tools = browser.new_browser_cdp_session()
    processes = tools.send("SystemInfo.getProcessInfo")["processInfo"]
    found = [0.0]
    for process in processes:
        if process["type"] == "renderer":
            status = Path(f"/proc/{process['id']}/smaps_rollup").read_text()
            own = [line for line in status.splitlines() if line.startswith("Private_")]
            found.append(sum(int(line.split()[1]) for line in own) / 1000)
    return max(found)


def again(page: Page) -> Page:
    """The same page on a next visit, its files kept by the browser.

    There its memory can be measured: Playwright, which drives the browser, keeps up to 100 MB of
    what the network brings in the memory of the page that asked for it, and more while it comes.
    """
    address, context = page.url, page.context
    page.close()
    page = context.new_page()
    page.set_default_timeout(600_000)
    page.goto(address)
    wake(page)
    time.sleep(2)  # until the process of the page before has ended
    return page


def measure(page: Page, browser: Browser) -> None:
    loaded = page.evaluate(LOAD)
    bytes_ = {name: f"{size / 1e6:.1f} MB" for name, size in loaded["bytes"].items()}
    print(f"to be fetched: {bytes_}; load of this machine: {os.getloadavg()[0]:.1f}\n")
    print("| | seconds |\n| --- | --- |")
    print(f"| files here, Python started | {loaded['files'] / 1000:.2f} |")
    print(f"| and unpacked | {loaded['ready'] / 1000:.2f} |")
    for text, expected in TEXTS.items():
        rounds = ROUNDS if expected < 100 else 2
        n, times = page.evaluate(ASK, [text, rounds])
        quickest = min(times) / 1000
        print(f"| {n} tokens: first, quickest | {times[0] / 1000:.2f}, {quickest:.2f} |")
    print("\n| GFLOP/s in this Python | `@` | einsum |\n| --- | --- | --- |")
    print(page.evaluate(RUN, PRODUCTS))
    page = again(page)
    print("\n| on the next visit | memory |\n| --- | --- |")
    print(f"| before | {memory(browser):.0f} MB |")
    page.evaluate(LOAD)
    print(f"| unpacked | {memory(browser):.0f} MB |")
    for text, expected in TEXTS.items():
        page.evaluate(ASK, [text, 2])
        print(f"| {expected} tokens | {memory(browser):.0f} MB |")


OTHER = """async ([lengths, rounds]) => {
    const start = performance.now();
    const { env, InferenceSession, Tensor } = await import("./ort.wasm.bundle.min.mjs");
    env.wasm.numThreads = 1;
    const session = await InferenceSession.create("encoder.onnx", { executionProviders: ["wasm"] });
    const found = [["loaded, started", [performance.now() - start]]];
    for (const n of lengths) {
        const times = [];
        for (let round = 0; round < rounds; round += 1) {
            const start = performance.now();
            await session.run({ x: new Tensor("float32", new Float32Array(n * 384), [1, n, 384]) });
            times.push(performance.now() - start);
        }
        found.push([`${n} tokens: first, quickest`, times]);
    }
    return found;
}"""


def graph() -> Any:
    """An encoder of the same shapes for onnxruntime, its parameters random."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    d, d_mlp, heads, rng = 384, 1536, 12, np.random.default_rng(0)
    nodes: list[Any] = []
    given: list[Any] = []

    def constant(value: Any) -> str:
        given.append(numpy_helper.from_array(np.asarray(value), f"given{len(given)}"))
        return str(given[-1].name)

    def node(kind: str, *ins: str, **how: Any) -> str:
        nodes.append(helper.make_node(kind, ins, [f"{kind}{len(nodes)}"], **how))
        return str(nodes[-1].output[0])

    def drawn(*shape: int) -> str:
        return constant((rng.normal(size=shape) / 20).astype("f4"))

    def linear(x: str, d_in: int, d_out: int) -> str:
        return node("Add", node("MatMul", x, drawn(d_in, d_out)), drawn(d_out))

    def norm(x: str, added: str) -> str:
        return node("LayerNormalization", node("Add", x, added), drawn(d), drawn(d), axis=-1)

    split, join = constant([0, 0, heads, d // heads]), constant([0, 0, d])
    scale, x = constant(np.float32((d // heads) ** -0.5)), "x"
    for _ in range(12):
        q, k, v = (
            node("Transpose", node("Reshape", linear(x, d, d), split), perm=perm)
            for perm in ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3])
        )
        weights = node("Softmax", node("Mul", node("MatMul", q, k), scale), axis=-1)
        found = node("Transpose", node("MatMul", weights, v), perm=[0, 2, 1, 3])
        x = norm(x, linear(node("Reshape", found, join), d, d))
        x = norm(x, linear(node("Gelu", linear(x, d, d_mlp)), d_mlp, d))
    ends = (
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, "n", d])] for name in ("x", x)
    )
    built = helper.make_graph(nodes, "encoder", *ends, given)
    opset = [onnx.helper.make_opsetid("", 20)]
    return helper.make_model(built, opset_imports=opset, ir_version=9)


def beside(browser: Browser, dist: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for path in Path(dist).glob("ort*wasm*"):
            shutil.copy(path, folder)
        Path(folder, "encoder.onnx").write_bytes(graph().SerializeToString())
        Path(folder, "index.html").write_text("<!doctype html><title>beside</title>")
        page = browser.new_page()
        page.set_default_timeout(600_000)
        page.goto(serve(folder))
        print("\n| onnxruntime-web | seconds |\n| --- | --- |")
        lengths = [n for n in TEXTS.values() if n < 100]
        for what, times in page.evaluate(OTHER, [lengths, ROUNDS]):
            found = dict.fromkeys([times[0], min(times)])
            print(f"| {what} | {', '.join(f'{one / 1000:.2f}' for one in found)} |")


def serve(folder: str) -> str:
    handler = functools.partial(Handler, directory=folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/"


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--site")
    options.add_argument("--beside")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        if not given.site:
            build = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", folder]
            settings = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
            subprocess.run(build, cwd=ROOT, check=True, env=settings)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_context().new_page()
        page.set_default_timeout(600_000)
        page.goto(f"{serve(given.site or folder)}pretrained/")
        wake(page)
        measure(page, browser)
        page.close()
        if given.beside:
            beside(browser, given.beside)
        browser.close()


if __name__ == "__main__":
    main()
