// Run, Stop, Edit, Reset, Copy and Share on the snippets of a page. Loaded when the reader first
// presses one of them, or meets an edit (kept, or sent in a link); Python itself only by Run.

const python = await import(`./python.mjs${new URL(import.meta.url).search}`);

const zh = !document.documentElement.lang.startsWith("en");
const say = (chinese, english) => (zh ? chinese : english);

// How a run can end other than well. Every sentence says what to do next.
const AGAIN = say("再按“运行”会先重建前面的变量", "Run rebuilds the earlier variables first");
const WHY = {
  stopped: ["stopped", say(`已停止。${AGAIN}`, `Stopped. ${AGAIN}`)],
  other: ["stopped", say("已停止：你运行了另一段", "Stopped: you ran another snippet")],
  left: ["stopped", say("已停止：离开了这一页", "Stopped: the page was left")],
  network: [
    "bad",
    say(
      "没有取到 Python 的文件。检查网络，再按“运行”；还不行就刷新页面",
      "Python’s files could not be fetched. Check the connection and press Run again; if that does not help, reload the page",
    ),
  ],
  corrupt: [
    "bad",
    say(
      "取到的文件损坏了，没有使用。请再按“运行”重取",
      "A file arrived damaged and was not used. Press Run to fetch it again",
    ),
  ],
  wasm: [
    "bad",
    say(
      "这个浏览器不允许 WebAssembly，Python 无法启动。请换一个浏览器，或关闭锁定模式",
      "This browser refuses WebAssembly, so Python cannot start. Try another browser, or leave lockdown mode",
    ),
  ],
  silent: [
    "bad",
    say(
      "Python 一分钟没有动静，已放弃。请再按“运行”",
      "Nothing was heard of Python for a minute, so it was given up. Press Run again",
    ),
  ],
  crash: [
    "bad",
    say(
      "Python 崩溃了，多半是内存或递归太深。改小一些；再按“运行”会重新启动",
      "Python broke down, most likely out of memory or stack. Ask for less; Run starts it anew",
    ),
  ],
  memory: [
    "bad",
    say(
      "内存不够。改小一些；再按“运行”会重新启动 Python",
      "Out of memory. Ask for less; Run starts Python anew",
    ),
  ],
  flood: ["bad", say("输出太长，到这里为止", "Too much output: stopped here")],
  input: [
    "bad",
    say(
      "这里没有人能回答 input()。把值直接写进代码",
      "Nobody can answer input() here. Write the value into the code",
    ),
  ],
  error: ["bad", say("出错了：原因在最后一行", "An error: the last line says why")],
};

// ---- A snippet: its element, the code the page shows, the code the reader made of it ----

const all = () => [...document.querySelectorAll(".snippet")];
const editor = (snippet) => snippet.querySelector("textarea");
const button = (snippet, kind) => snippet.querySelector(`[data-do="${kind}"]`);
const keyOf = (snippet) => `qkv:${snippet.dataset.page}#${snippet.dataset.name}`;
const numberOf = (snippet) => all().indexOf(snippet) + 1;

function read(snippet) {
  const code = [],
    want = [];
  let inside = false;
  for (const line of snippet.querySelector("code").textContent.replace(/\n$/, "").split("\n")) {
    inside = /^>>>( |$)/.test(line) || (inside && /^\.\.\.( |$)/.test(line));
    if (inside) code.push(line.slice(4));
    else want.push(line);
  }
  return { code: code.join("\n"), want: want.join("\n") };
}
const current = (snippet) => editor(snippet)?.value ?? read(snippet).code;

function tell(snippet, text, state = "") {
  const status = snippet.querySelector("[role=status]");
  status.textContent = text;
  status.dataset.state = state;
}

// ---- Edits: kept on this device, by page and section, the same for both languages ----

function kept(snippet) {
  try {
    const { now, of } = JSON.parse(localStorage.getItem(keyOf(snippet)));
    return typeof now === "string" ? { now, of } : null;
  } catch {
    // none, unreadable, or storage is refused
    return null;
  }
}

function keep(snippet) {
  const { code } = read(snippet),
    now = current(snippet);
  button(snippet, "share").hidden = now === code;
  if (snippet.dataset.shared === "over") return; // the reader's own edit is kept, not this
  try {
    if (now === code) localStorage.removeItem(keyOf(snippet));
    else localStorage.setItem(keyOf(snippet), JSON.stringify({ now, of: code }));
  } catch {
    tell(
      snippet,
      say(
        "浏览器不让保存：离开这一页，改动就没有了",
        "The browser keeps nothing: the edit is lost when you leave the page",
      ),
      "bad",
    );
  }
}

function open(snippet, text) {
  const area = editor(snippet) ?? document.createElement("textarea");
  const fit = () => {
    area.rows = area.value.split("\n").length + 1;
  };
  area.value = text;
  fit();
  button(snippet, "share").hidden = text === read(snippet).code;
  if (area.isConnected) return area;
  area.spellcheck = false;
  area.autocapitalize = area.autocomplete = "off";
  area.setAttribute(
    "aria-label",
    say(
      `编辑第 ${numberOf(snippet)} 段代码。Ctrl+Enter 运行。`,
      `Edit the code of snippet ${numberOf(snippet)}. Ctrl+Enter runs it.`,
    ),
  );
  area.addEventListener("input", () => {
    fit();
    keep(snippet);
  });
  area.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    if (turn?.snippet !== snippet) act.run(snippet);
  });
  snippet.querySelector(".highlight").hidden = true;
  snippet.querySelector(".highlight").after(area);
  button(snippet, "edit").hidden = true;
  button(snippet, "reset").hidden = false;
  return area;
}

// ---- What a link brought: shown, never run by itself, never written over an edit ----

const encode = (text) =>
  btoa(String.fromCharCode(...new TextEncoder().encode(text)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
const decode = (text) =>
  new TextDecoder("utf-8", { fatal: true }).decode(
    Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) =>
      letter.charCodeAt(0),
    ),
  );

function receive() {
  const sent = new URLSearchParams(location.hash.slice(1)),
    [top] = all();
  if (!sent.has("snippet") || !top || top.dataset.link === location.hash) return;
  top.dataset.link = location.hash; // once, though the page may be announced twice
  const snippet = all().find(({ dataset }) => dataset.name === sent.get("snippet"));
  let code;
  try {
    code = decode(sent.get("code"));
  } catch {
    /* said below */
  }
  (snippet ?? top).scrollIntoView({ block: "center" });
  if (!snippet || !code) {
    tell(
      snippet ?? top,
      say(
        "链接里的代码读不出来，没有采用",
        "The code in the link cannot be read and was left aside",
      ),
      "bad",
    );
    return;
  }
  snippet.dataset.shared = kept(snippet) ? "over" : "";
  snippet.dataset.unread = "";
  open(snippet, code);
  tell(
    snippet,
    say(
      "这段代码来自链接，运行前请先读一遍。",
      "This code came with the link: read it before you run it. ",
    ) +
      (kept(snippet)
        ? say("你自己的改动还在，“还原”会换回来", "Your own edit is safe: Reset brings it back")
        : ""),
    "bad",
  );
}

/** On coming to a page: its kept edits and what its link brought; a run that was left ends. */
export function arrive() {
  if (turn && !turn.snippet.isConnected) abandon("left");
  if (!document.querySelector("[data-do=edit]")) return; // a build without Python: only Copy
  for (const snippet of all()) {
    const edit = kept(snippet);
    if (editor(snippet) || !edit) continue;
    open(snippet, edit.now);
    tell(
      snippet,
      edit.of === read(snippet).code
        ? say("这是你上次改过的代码", "This is your edit from last time")
        : say(
            "这是你上次改过的代码；此后页面上的原文变了，按“还原”看新的",
            "This is your edit; the original has changed since: Reset shows it",
          ),
    );
  }
  receive();
}

// ---- Running: one snippet's turn at a time ----

let turn; // { snippet, since }

function finish(mine, state, text) {
  if (turn !== mine) return;
  turn = undefined;
  button(mine.snippet, "run").textContent = say("运行", "Run");
  tell(mine.snippet, text, state);
}

function abandon(reason) {
  finish(turn, ...WHY[reason]);
  // Python that is still on its way is kept for the next Run, unless the reader said Stop.
  if (python.running() || reason === "stopped") python.end(reason);
}

const FORMS = new Set([
  "svg",
  "g",
  "title",
  "text",
  "tspan",
  "rect",
  "circle",
  "ellipse",
  "line",
  "path",
  "polygon",
  "polyline",
]);
const TRAITS =
  /^(xmlns|role|aria-label|viewBox|width|height|[xyrd]|[xy][12]|[cr][xy]|d[xy]|points|transform|opacity|text-anchor|(fill|stroke|font)(-[a-z]+)?)$/;

/** A drawing that a snippet made, without anything that could act, load or cover the page. */
function drawing(source) {
  const svg = new DOMParser().parseFromString(source, "image/svg+xml").documentElement;
  for (const node of [svg, ...svg.querySelectorAll("*")]) {
    if (!FORMS.has(node.tagName)) node.remove();
    for (const { name, value } of [...node.attributes]) {
      if (!TRAITS.test(name) || value.includes("url(")) node.removeAttribute(name);
    }
  }
  return FORMS.has(svg.tagName) ? document.adoptNode(svg) : source;
}

function outputOf(snippet) {
  snippet.querySelector(".snippet__out")?.remove();
  const out = document.createElement("pre");
  out.className = "snippet__out";
  out.tabIndex = 0;
  out.setAttribute("role", "region");
  out.setAttribute(
    "aria-label",
    say(`第 ${numberOf(snippet)} 段的运行结果`, `Output of snippet ${numberOf(snippet)}`),
  );
  return out;
}

/** Copy; `instead` does what it can where that is refused (no permission, a plain http:// address). */
async function clip(snippet, text, done, instead) {
  try {
    await navigator.clipboard.writeText(text);
    tell(snippet, done, "good");
  } catch {
    tell(snippet, instead(), "bad");
  }
}

const act = {
  async run(snippet) {
    if (turn?.snippet === snippet) {
      // The second half of a double click is no wish to stop.
      if (performance.now() - turn.since > 400) abandon("stopped");
      return;
    }
    if (turn) abandon("other");
    const mine = (turn = { snippet, since: performance.now() });
    const out = outputOf(snippet);
    const report = (text) => {
      if (turn === mine) tell(snippet, text);
    };
    button(snippet, "run").textContent = say("停止", "Stop");
    report(say("正在启动 Python…", "Starting Python…"));
    delete snippet.dataset.unread;
    const alone = "alone" in snippet.dataset;
    const steps = (alone ? [snippet] : all().slice(0, numberOf(snippet))).map((one) => {
      const { code, want } = read(one),
        now = "unread" in one.dataset ? code : current(one);
      const number = numberOf(one),
        label = `<${say("代码段", "snippet")} ${number}>`;
      return {
        name: keyOf(one),
        code: now,
        edited: now !== code,
        want,
        goOn: want.includes("Traceback"),
        alone,
        number,
        label,
      };
    });
    try {
      await python.start(
        document.querySelector("script[data-python]").dataset.python,
        ({ progress, total }) => {
          const percent = Math.floor(progress * 10) * 10,
            size = Math.round(total / 1e6); // tens: it is read out
          report(
            say(
              `正在取 Python（${size} MB，只需一次）：${percent}%`,
              `Fetching Python (${size} MB, once): ${percent}%`,
            ),
          );
        },
      );
      if (turn !== mine) return;
      const { end, same, step, earlier } = await python.run(
        steps,
        (one, { begins, out: text, drawing: source }) => {
          const here = one === steps.at(-1);
          if (turn !== mine || !(begins || here)) return;
          if (begins)
            report(
              here
                ? say("正在运行…", "Running…")
                : say(`先运行第 ${one.number} 段…`, `Running snippet ${one.number} first…`),
            );
          else {
            if (!out.isConnected) snippet.append(out);
            out.append(source ? drawing(source) : text);
          }
        },
      );
      if (step !== steps.at(-1)) {
        finish(
          mine,
          "bad",
          say(
            `前面的第 ${step.number} 段出错了：先看那一段`,
            `Snippet ${step.number}, which comes before, failed: see there first`,
          ),
        );
        return;
      }
      const first = earlier
        ? say(
            `先运行了前面 ${earlier} 段。`,
            `Ran ${earlier} earlier snippet${earlier > 1 ? "s" : ""} first. `,
          )
        : "";
      const [state, text] =
        end && !same
          ? WHY[end]
          : same
            ? [
                "good",
                out.isConnected
                  ? say("输出与页面一致", "The output is the page’s")
                  : say("运行完毕，没有输出", "Done, nothing to show"),
              ]
            : steps.some(({ edited }) => edited)
              ? [
                  "changed",
                  say(
                    "代码改过，输出与页面不同",
                    "The code was changed, and the output differs from the page’s",
                  ),
                ]
              : ["bad", say("输出与页面不一致", "The output is not the page’s")];
      finish(mine, state, first + text);
    } catch (failure) {
      const [state, text] = WHY[failure.reason ?? "crash"];
      finish(
        mine,
        state,
        text + (failure.message && say(`（${failure.message}）`, ` (${failure.message})`)),
      );
    }
  },
  edit(snippet) {
    open(snippet, read(snippet).code).focus();
    tell(snippet, "");
  },
  reset(snippet) {
    if ("shared" in snippet.dataset) history.replaceState(history.state, "", location.pathname); // not back with the next reload
    const own = snippet.dataset.shared === "over" && kept(snippet);
    delete snippet.dataset.shared;
    delete snippet.dataset.unread;
    if (turn?.snippet === snippet) abandon("stopped");
    snippet.querySelector(".snippet__out")?.remove();
    if (own) {
      open(snippet, own.now).focus();
      tell(snippet, say("换回了你自己的改动", "Your own edit is back"));
      return;
    }
    try {
      localStorage.removeItem(keyOf(snippet));
    } catch {
      /* nothing was kept */
    }
    editor(snippet)?.remove();
    snippet.querySelector(".highlight").hidden = false;
    for (const kind of ["reset", "share", "edit"]) button(snippet, kind).hidden = kind !== "edit";
    tell(snippet, say("已还原", "Reset"));
    button(snippet, "edit").focus();
  },
  copy(snippet) {
    clip(snippet, `${current(snippet)}\n`, say("已复制", "Copied"), () => {
      if (editor(snippet)) editor(snippet).select();
      else getSelection().selectAllChildren(snippet.querySelector("code"));
      return say(
        "浏览器不让复制。代码已选中，请用快捷键或菜单复制",
        "The browser refused. The code is selected: copy it by key or menu",
      );
    });
  },
  share(snippet) {
    const link = new URL(location.pathname, location);
    link.hash = new URLSearchParams({
      snippet: snippet.dataset.name,
      code: encode(current(snippet)),
    });
    clip(
      snippet,
      link,
      say("链接已复制，代码就在链接里", "The link is copied; the code is in it"),
      () => {
        history.replaceState(history.state, "", link);
        return say(
          "浏览器不让复制。链接已在地址栏，请从那里复制",
          "The browser refused. The link is in the address bar: copy it from there",
        );
      },
    );
  },
};

/** Do what the pressed button says. */
export function press(knob) {
  act[knob.dataset.do](knob.closest(".snippet"));
}
