// Run, Stop, Edit, Reset, Copy and Share on the snippets of a page. Loaded when the reader first
// presses one of them, or meets an edit (kept, or sent in a link); Python itself only by Run.
import { drawing } from "./drawing.mjs";
import { decode, encode, keep, kept } from "./edits.mjs";
import { words } from "./language.mjs";
import { parse, prompted } from "./prompts.mjs";

const { Turn, folder, told } = await globalThis.qkv.load("python.mjs");

const WORDS = words({
  run: { zh: "运行", en: "Run" },
  stop: { zh: "停止", en: "Stop" },
  running: { zh: "正在运行…", en: "Running…" },
  runningFirst: {
    zh: (number) => `先运行第 ${number} 段…`,
    en: (number) => `Running snippet ${number} first…`,
  },
  ranFirst: {
    zh: (count) => `先运行了前面 ${count} 段。`,
    en: (count) => `Ran ${count} earlier snippet${count > 1 ? "s" : ""} first. `,
  },
  failedBefore: {
    zh: (number) => `前面的第 ${number} 段出错了：先看那一段`,
    en: (number) => `Snippet ${number}, which comes before, failed: see there first`,
  },
  rebuilds: {
    zh: "。再按“运行”会先重建前面的变量",
    en: ". Run rebuilds the earlier variables first",
  },
  same: { zh: "输出与页面一致", en: "The output is the page’s" },
  silent: { zh: "运行完毕，没有输出", en: "Done, nothing to show" },
  changed: {
    zh: "代码改过，输出与页面不同",
    en: "The code was changed, and the output differs from the page’s",
  },
  differs: { zh: "输出与页面不一致", en: "The output is not the page’s" },
  file: { zh: (number) => `<代码段 ${number}>`, en: (number) => `<snippet ${number}>` },
  outputOf: {
    zh: (number) => `第 ${number} 段的运行结果`,
    en: (number) => `Output of snippet ${number}`,
  },
  editing: {
    zh: (number) => `编辑第 ${number} 段代码。Ctrl+Enter 运行。`,
    en: (number) => `Edit the code of snippet ${number}. Ctrl+Enter runs it.`,
  },
  promptsTaken: {
    zh: "贴进来的提示符和输出去掉了，只留代码",
    en: "The prompts and the output were taken off what you pasted",
  },
  notKept: {
    zh: "浏览器不让保存：离开这一页，改动就没有了",
    en: "The browser keeps nothing: the edit is lost when you leave the page",
  },
  yourEdit: { zh: "这是你上次改过的代码", en: "This is your edit from last time" },
  yourOldEdit: {
    zh: "这是你上次改过的代码；此后页面上的原文变了，按“还原”看新的",
    en: "This is your edit; the original has changed since: Reset shows it",
  },
  unreadableLink: {
    zh: "链接里的代码读不出来，没有采用",
    en: "The code in the link cannot be read and was left aside",
  },
  fromLink: {
    zh: "这段代码来自链接，运行前请先读一遍。",
    en: "This code came with the link: read it before you run it. ",
  },
  ownEditSafe: {
    zh: "你自己的改动还在，“还原”会换回来",
    en: "Your own edit is safe: Reset brings it back",
  },
  ownEditBack: { zh: "换回了你自己的改动", en: "Your own edit is back" },
  reset: { zh: "已还原", en: "Reset" },
  copied: { zh: "已复制", en: "Copied" },
  copyRefused: {
    zh: "浏览器不让复制。代码已选中，请用快捷键或菜单复制",
    en: "The browser refused. The code is selected: copy it by key or menu",
  },
  linkCopied: { zh: "链接已复制，代码就在链接里", en: "The link is copied; the code is in it" },
  linkRefused: {
    zh: "浏览器不让复制。链接已在地址栏，请从那里复制",
    en: "The browser refused. The link is in the address bar: copy it from there",
  },
});

// ---- A snippet: its element, the code the page shows, the code the reader made of it ----

/** @returns {HTMLElement[]} */
const all = () => [...document.querySelectorAll(".snippet")];
/** @returns {HTMLTextAreaElement | null} */
const editor = (snippet) => snippet.querySelector("textarea");
const button = (snippet, kind) => snippet.querySelector(`[data-do="${kind}"]`);
const keyOf = (snippet) => `qkv:${snippet.dataset.page}#${snippet.dataset.name}`;
const numberOf = (snippet) => all().indexOf(snippet) + 1;
const read = (snippet) => parse(snippet.querySelector("code").textContent);
const current = (snippet) => editor(snippet)?.value ?? read(snippet).code;

/** Say something below a snippet; what stands there already is not said again. */
function tell(snippet, text, state = "", reason = "") {
  const status = snippet.querySelector("[role=status]");
  if (status.textContent !== text) status.textContent = text;
  status.dataset.reason = reason;
  status.dataset.state = state;
}

// ---- Editing ----

function keepEdit(snippet) {
  const { code } = read(snippet);
  const now = current(snippet);
  button(snippet, "share").hidden = now === code;
  if (snippet.dataset.shared === "over") return; // the reader's own edit is kept, not this
  if (!keep(keyOf(snippet), { now, of: code })) tell(snippet, WORDS.notKept, "bad");
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
  area.setAttribute("aria-label", WORDS.editing(numberOf(snippet)));
  area.addEventListener("input", () => {
    fit();
    keepEdit(snippet);
  });
  area.addEventListener("paste", (event) => {
    const pasted = event.clipboardData?.getData("text/plain").replaceAll("\r\n", "\n") ?? "";
    if (!prompted(pasted)) return;
    event.preventDefault();
    // Old and nowhere else to be had: an insertion that Undo takes back.
    document.execCommand("insertText", false, parse(pasted).code);
    tell(snippet, WORDS.promptsTaken);
  });
  area.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    if (running?.snippet !== snippet) act.run(snippet);
  });
  snippet.querySelector(".highlight").hidden = true;
  snippet.querySelector(".highlight").after(area);
  button(snippet, "edit").hidden = true;
  button(snippet, "reset").hidden = false;
  return area;
}

/** What a link brought: shown, never run by itself, never written over an edit. */
function receive() {
  const sent = new URLSearchParams(location.hash.slice(1));
  const [top] = all();
  if (!sent.has("snippet") || !top || top.dataset.link === location.hash) return;
  top.dataset.link = location.hash; // once, though the page may be announced twice
  const snippet = all().find(({ dataset }) => dataset.name === sent.get("snippet"));
  const code = decode(sent.get("code"));
  globalThis.qkv.reveal(snippet ?? top);
  (snippet ?? top).scrollIntoView({ block: "center" });
  if (!snippet || !code) {
    tell(snippet ?? top, WORDS.unreadableLink, "bad");
    return;
  }
  const own = kept(keyOf(snippet));
  snippet.dataset.shared = own ? "over" : "";
  snippet.dataset.unread = "";
  open(snippet, code);
  tell(snippet, WORDS.fromLink + (own ? WORDS.ownEditSafe : ""), "bad");
}

/** On coming to a page: its kept edits and what its link brought; a run that was left ends. */
export function arrive() {
  if (running && !running.snippet.isConnected) running.turn.end("left");
  if (!folder()) return; // a build without Python: only Copy
  for (const snippet of all()) {
    const edit = kept(keyOf(snippet));
    if (editor(snippet) || !edit) continue;
    open(snippet, edit.now);
    const fresh = edit.of === read(snippet).code;
    tell(snippet, fresh ? WORDS.yourEdit : WORDS.yourOldEdit);
  }
  receive();
}

// ---- Running ----

/** @type {{ snippet: HTMLElement, turn: any, dropped?: boolean } | undefined} */
let running;

/** A snippet's code as it is now, for Python. */
function stepOf(snippet) {
  const { code, want } = read(snippet);
  const now = "unread" in snippet.dataset ? code : current(snippet);
  return {
    name: keyOf(snippet),
    code: now,
    label: WORDS.file(numberOf(snippet)),
    want,
    goOn: want.includes("Traceback"),
    alone: "alone" in snippet.dataset,
    number: numberOf(snippet),
    edited: now !== code,
  };
}

function outputOf(snippet) {
  snippet.querySelector(".snippet__out")?.remove();
  const out = document.createElement("pre");
  out.className = "snippet__out";
  out.tabIndex = 0;
  out.setAttribute("role", "region");
  out.setAttribute("aria-label", WORDS.outputOf(numberOf(snippet)));
  return out;
}

/** How a run ended, in state and sentence, where it ended by itself. */
function outcome({ end, same, step, earlier }, steps, shown) {
  if (step !== steps.at(-1)) return { state: "bad", text: WORDS.failedBefore(step.number) };
  const first = earlier ? WORDS.ranFirst(earlier) : "";
  if (end && !same) {
    const { text, ...how } = told(end);
    return { ...how, text: first + text };
  }
  if (same) return { state: "good", text: first + (shown ? WORDS.same : WORDS.silent) };
  const edited = steps.some((one) => one.edited);
  return edited
    ? { state: "changed", text: first + WORDS.changed }
    : { state: "bad", text: first + WORDS.differs };
}

/** Copy; `instead` does what it can where that is refused (no permission, plain http://). */
async function clip(snippet, text, done, instead) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    tell(snippet, instead(), "bad");
    return;
  }
  tell(snippet, done, "good");
}

const act = {
  async run(snippet) {
    if (running?.snippet === snippet) {
      running.turn.stop();
      return;
    }
    const asked = snippet.previousElementSibling; // who runs it need not guess what comes of it
    if (asked?.matches("[data-guess]:not([data-said])")) asked.dataset.said = "run";
    const out = outputOf(snippet);
    const turn = new Turn((text) => tell(snippet, text));
    const mine = { snippet, turn, dropped: false };
    running = mine;
    button(snippet, "run").textContent = WORDS.stop;
    delete snippet.dataset.unread;
    const above = "alone" in snippet.dataset ? [] : all().slice(0, numberOf(snippet) - 1);
    const steps = [...above, snippet].map(stepOf);
    const hear = (step, { begins, out: text, drawing: source }) => {
      const here = step === steps.at(-1);
      if (begins) tell(snippet, here ? WORDS.running : WORDS.runningFirst(step.number));
      else if (here) {
        if (!out.isConnected) snippet.append(out);
        out.append(source ? drawing(source) : text);
      }
    };
    let how;
    try {
      how = outcome(await turn.run(steps, hear), steps, out.isConnected);
    } catch (failure) {
      how = told(failure);
      if (how.reason === "stopped") how.text += WORDS.rebuilds;
    }
    if (running === mine) running = undefined;
    button(snippet, "run").textContent = WORDS.run;
    if (!mine.dropped) tell(snippet, how.text, how.state, how.reason);
  },
  edit(snippet) {
    open(snippet, read(snippet).code).focus();
    tell(snippet, "");
  },
  reset(snippet) {
    const key = keyOf(snippet);
    if ("shared" in snippet.dataset) {
      history.replaceState(history.state, "", location.pathname); // not back with the next reload
    }
    const own = snippet.dataset.shared === "over" && kept(key);
    delete snippet.dataset.shared;
    delete snippet.dataset.unread;
    if (running?.snippet === snippet) {
      running.dropped = true;
      running.turn.end("stopped");
    }
    snippet.querySelector(".snippet__out")?.remove();
    if (own) {
      open(snippet, own.now).focus();
      tell(snippet, WORDS.ownEditBack);
      return;
    }
    const { code } = read(snippet);
    keep(key, { now: code, of: code });
    editor(snippet)?.remove();
    snippet.querySelector(".highlight").hidden = false;
    for (const kind of ["reset", "share", "edit"]) button(snippet, kind).hidden = kind !== "edit";
    tell(snippet, WORDS.reset);
    button(snippet, "edit").focus();
  },
  copy(snippet) {
    return clip(snippet, `${current(snippet)}\n`, WORDS.copied, () => {
      if (editor(snippet)) editor(snippet).select();
      else getSelection().selectAllChildren(snippet.querySelector("code"));
      return WORDS.copyRefused;
    });
  },
  share(snippet) {
    const link = new URL(location.pathname, location.href);
    const { name } = snippet.dataset;
    link.hash = String(new URLSearchParams({ snippet: name, code: encode(current(snippet)) }));
    return clip(snippet, String(link), WORDS.linkCopied, () => {
      history.replaceState(history.state, "", link);
      return WORDS.linkRefused;
    });
  },
};

/** Do what the pressed button says. */
export const press = (knob) => act[knob.dataset.do](knob.closest(".snippet"));
