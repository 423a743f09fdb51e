// Run, Stop, Edit, Reset on the snippets of a page. Loaded when the reader first presses one of
// them, or comes back to a page that holds an edit; Python itself only by Run.

const zh = !document.documentElement.lang.startsWith("en");
const say = (chinese, english) => (zh ? chinese : english);
const SILENCE = 60_000; // ms without a sign of life, after which starting has failed

// ---- A snippet: its element, the code the page shows, the code the reader made of it ----

const read = (snippet) => {
  const code = [], want = [];
  let inside = false;
  for (const line of snippet.querySelector("code").textContent.replace(/\n$/, "").split("\n")) {
    inside = /^>>>( |$)/.test(line) || (inside && /^\.\.\.( |$)/.test(line));
    if (inside) code.push(line.slice(4));
    else want.push(line);
  }
  return { code: code.join("\n"), want: want.join("\n") };
};
const editor = (snippet) => snippet.querySelector("textarea");
const current = (snippet) => editor(snippet)?.value ?? read(snippet).code;
const button = (snippet, kind) => snippet.querySelector(`[data-do="${kind}"]`);
const tell = (snippet, text, state = "") => {
  const status = snippet.querySelector("[role=status]");
  status.textContent = text;
  status.dataset.state = state;
};
const all = () => [...document.querySelectorAll(".snippet")];

// ---- Edits: kept on this device, by page and section, the same for both languages ----

const keyOf = (snippet) => `qkv:${snippet.dataset.page}#${snippet.dataset.name}`;

function keep(snippet) {
  const { code } = read(snippet), now = current(snippet);
  try {
    if (now === code) localStorage.removeItem(keyOf(snippet));
    else localStorage.setItem(keyOf(snippet), JSON.stringify({ now, of: code }));
  } catch { /* storage full or refused: the edit lives until the page is left */ }
  button(snippet, "reset").hidden = now === code;
}

function open(snippet, text) {
  const area = document.createElement("textarea");
  area.value = text;
  area.spellcheck = false;
  area.setAttribute("aria-label", say("编辑代码。Ctrl+Enter 运行。", "Edit the code. Ctrl+Enter runs it."));
  area.autocapitalize = area.autocomplete = "off";
  const fit = () => { area.rows = area.value.split("\n").length + 1; };
  area.addEventListener("input", () => { fit(); keep(snippet); });
  area.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey || event.shiftKey)) {
      event.preventDefault();
      act.run(snippet);
    }
  });
  fit();
  snippet.querySelector(".highlight").hidden = true;
  snippet.querySelector(".highlight").after(area);
  button(snippet, "edit").hidden = true;
  keep(snippet);
  return area;
}

/** Show the edits that were kept for this page. */
export function restore() {
  for (const snippet of all()) {
    if (editor(snippet)) continue;
    let kept = null;
    try { kept = JSON.parse(localStorage.getItem(keyOf(snippet))); } catch { /* unreadable: as if none */ }
    if (typeof kept?.now !== "string") continue;
    open(snippet, kept.now);
    tell(snippet, kept.of === read(snippet).code
      ? say("这是你上次改过的代码", "This is your edit from last time")
      : say("这是你上次改过的代码；此后页面上的原文变了，按“还原”看新的", "This is your edit; the original has changed since: Reset shows it"));
  }
}

// ---- Python: one worker, one namespace a page ----

let worker, ready, job, page, finished = new Set(), serial = 0;

function end(reason) {
  worker?.terminate();
  worker = ready = page = undefined;
  finished.clear();
  const stopped = job;
  job = undefined;
  stopped?.({ stopped: reason });
}

function start(snippet) {
  const python = new URL(document.querySelector("script[data-python]").dataset.python, document.baseURI);
  const script = new URL("python-worker.mjs", import.meta.url);
  script.searchParams.set("python", python);
  worker = new Worker(script, { type: "module" });
  const mine = worker;
  ready = new Promise((resolve, reject) => {
    let timer;
    const alive = () => {
      clearTimeout(timer);
      timer = setTimeout(reject, SILENCE, say("Python 很久没有回应", "Python has not answered for a long time"));
    };
    alive();
    mine.onmessage = ({ data }) => {
      if (mine !== worker) return;
      if (data.progress) {
        alive();
        const percent = Math.floor(data.progress * 100), size = Math.round(data.total / 1e6);
        tell(snippet, say(`正在取 Python（${size} MB，只需一次）：${percent}%`, `Fetching Python (${size} MB, once): ${percent}%`));
      } else if (data.ready) {
        clearTimeout(timer);
        resolve();
      } else if (data.fatal) {
        clearTimeout(timer);
        reject(data.fatal);
        if (job) end(say(`Python 出了故障（${data.fatal}）`, `Python broke down (${data.fatal})`));
      } else job?.(data);
    };
    mine.onerror = (event) => {
      event.preventDefault();
      clearTimeout(timer);
      reject(event.message || say("脚本没有取到", "the script did not arrive"));
    };
  });
  return ready;
}

/** Run one snippet in the page's namespace; resolves to the worker's last word. */
function execute(snippet, out) {
  return new Promise((resolve) => {
    const id = ++serial, { want } = read(snippet), fresh = page !== location.pathname;
    page = location.pathname;
    job = (data) => {
      if (data.stopped || (data.id === id && data.done)) {
        job = undefined;
        resolve(data);
      } else if (data.id === id && data.out) out.append(data.out);
    };
    const name = `<${say("代码段", "snippet")} ${all().indexOf(snippet) + 1}>`;
    worker.postMessage({ id, fresh, name, want, code: current(snippet), goOn: want.includes("Traceback"), alone: "alone" in snippet.dataset });
  });
}

function draw(out, source) {
  const svg = new DOMParser().parseFromString(source, "image/svg+xml").documentElement;
  for (const node of svg.querySelectorAll("script, foreignObject, a, image, use")) node.remove();
  for (const node of [svg, ...svg.querySelectorAll("*")]) {
    for (const { name } of [...node.attributes]) if (/^on|href/i.test(name)) node.removeAttribute(name);
  }
  out.append(document.adoptNode(svg));
}

function outputOf(snippet) {
  let out = snippet.querySelector(".snippet__out");
  if (!out) {
    out = document.createElement("pre");
    out.className = "snippet__out";
    out.tabIndex = 0;
    out.setAttribute("role", "region");
    out.setAttribute("aria-label", say("运行结果", "Output"));
    snippet.append(out);
  }
  out.textContent = "";
  out.hidden = true;
  return out;
}

const act = {
  async run(snippet) {
    const knob = button(snippet, "run");
    if (knob.dataset.busy) {
      // The second half of a double click is no wish to stop.
      if (performance.now() - knob.dataset.busy > 400) end(say("已停止", "Stopped"));
      return;
    }
    if (job) end(say("已停止：运行了另一段", "Stopped: another snippet was run"));
    knob.dataset.busy = performance.now();
    knob.textContent = say("停止", "Stop");
    const out = outputOf(snippet);
    const shown = new MutationObserver(() => { out.hidden = false; });
    shown.observe(out, { childList: true });
    try {
      tell(snippet, say("正在启动 Python…", "Starting Python…"));
      await (ready ?? start(snippet));
      if (page !== location.pathname) finished.clear();
      const earlier = "alone" in snippet.dataset ? [] : all().slice(0, all().indexOf(snippet));
      const before = earlier.filter((s) => !finished.has(s.dataset.name));
      let result;
      for (const one of [...before, snippet]) {
        const where = all().indexOf(one) + 1;
        tell(snippet, one === snippet ? say("正在运行…", "Running…") : say(`先运行第 ${where} 段…`, `Running snippet ${where} first…`));
        result = await execute(one, one === snippet ? out : document.createElement("pre"));
        if (result.stopped) throw result.stopped;
        finished.add(one.dataset.name);
        if (one !== snippet && !result.good && !read(one).want.includes("Traceback")) {
          throw say(`前面的第 ${where} 段出错了，先看那一段`, `Snippet ${where}, which comes before, failed: see there first`);
        }
      }
      if (result.drawing) draw(out, result.drawing);
      if (result.cut) out.append(say("…（输出太长，其余略去）", "… (too long: the rest is left out)"));
      const edited = editor(snippet) && current(snippet) !== read(snippet).code;
      const first = before.length ? say(`先运行了前面 ${before.length} 段；`, `Ran ${before.length} earlier snippet(s) first; `) : "";
      if (result.same) tell(snippet, first + say("输出与页面一致", "the output is the page’s"), "good");
      else if (edited) tell(snippet, first + say("输出与原来不同", "the output differs from the original"), "changed");
      else tell(snippet, first + say("输出与页面不一致", "the output is not the page’s"), result.good ? "changed" : "bad");
    } catch (reason) {
      const why = typeof reason === "string" ? reason : String(reason?.message ?? reason);
      const ours = why.startsWith(say("已停止", "Stopped")) || why.includes(say("段出错", "failed: see"));
      if (!ours) end(why);
      tell(snippet, ours
        ? why + (worker ? "" : say("。再次运行会先重建前面的变量", ". Running again rebuilds the earlier variables first"))
        : say(`Python 未能启动或中断：${why}。检查网络后再按“运行”`, `Python did not start, or broke off: ${why}. Check the connection and press Run again`), ours ? "changed" : "bad");
    } finally {
      shown.disconnect();
      delete knob.dataset.busy;
      knob.textContent = say("运行", "Run");
      if (out.childNodes.length) out.hidden = false;
    }
  },
  edit(snippet) {
    open(snippet, read(snippet).code).focus();
  },
  reset(snippet) {
    editor(snippet)?.remove();
    snippet.querySelector(".highlight").hidden = false;
    outputOf(snippet);
    try { localStorage.removeItem(keyOf(snippet)); } catch { /* nothing was kept */ }
    button(snippet, "reset").hidden = true;
    button(snippet, "edit").hidden = false;
    tell(snippet, say("已还原", "Reset"));
    button(snippet, "edit").focus();
  },
  copy(snippet) {
    navigator.clipboard.writeText(current(snippet) + "\n").then(
      () => tell(snippet, say("已复制", "Copied"), "good"),
      () => tell(snippet, say("浏览器不允许复制：请选中代码复制", "The browser refused: select the code and copy it"), "bad"),
    );
  },
};

/** Do what the pressed button says. */
export function press(knob) {
  act[knob.dataset.do](knob.closest(".snippet"));
}
