// The page's one Python: a worker, started by whoever first wants it, lent to one at a time.
// How a turn can end other than well is a reason; the sentences for all of them are here.
import { words } from "./language.mjs";

/**
 * @typedef {object} Step What a turn runs.
 * @property {string} name
 * @property {string} code
 * @property {string} label  the file name in tracebacks
 * @property {string} [want]  what the page shows for it
 * @property {boolean} [goOn]  past statements that raise
 * @property {boolean} [alone]  an example of a docstring, which imports nothing
 */
/** @typedef {{ end: string, same: boolean }} Answer */

const SILENCE = 60_000; // ms without a sign of life, after which the files will not come
const DOUBLE_CLICK = 400; // ms in which a second click is no wish to stop

const WORDS = words({
  starting: { zh: "正在启动 Python…", en: "Starting Python…" },
  fetching: {
    zh: (megabytes, percent) => `正在取 Python（${megabytes} MB，只需一次）：${percent}%`,
    en: (megabytes, percent) => `Fetching Python (${megabytes} MB, once): ${percent}%`,
  },
  detail: { zh: (text) => `（${text}）`, en: (text) => ` (${text})` },
});

// Every sentence says what to do next.
const REASONS = words({
  stopped: { zh: "已停止", en: "Stopped" },
  other: { zh: "已停止：你在这一页运行了别的", en: "Stopped: you ran something else on this page" },
  left: { zh: "已停止：离开了这一页", en: "Stopped: the page was left" },
  network: {
    zh: "没有取到 Python 的文件。检查网络后再试；还不行就刷新页面",
    en:
      "Python’s files could not be fetched. Check the connection and try again; if that does " +
      "not help, reload the page",
  },
  corrupt: {
    zh: "取到的文件损坏了，没有使用。再试一次会重取",
    en: "A file arrived damaged and was not used. Try again to fetch it anew",
  },
  wasm: {
    zh: "这个浏览器不允许 WebAssembly，Python 无法启动。请换一个浏览器，或关闭锁定模式",
    en:
      "This browser refuses WebAssembly, so Python cannot start. Try another browser, or leave " +
      "lockdown mode",
  },
  silent: {
    zh: "Python 一分钟没有动静，已放弃。请再试一次",
    en: "Nothing was heard of Python for a minute, so it was given up. Try again",
  },
  crash: {
    zh: "Python 崩溃了，多半是内存或递归太深。改小一些；再试一次会重新启动它",
    en:
      "Python broke down, most likely out of memory or stack. Ask for less; the next try starts " +
      "it anew",
  },
  memory: {
    zh: "内存不够。改小一些；再试一次会重新启动 Python",
    en: "Out of memory. Ask for less; the next try starts Python anew",
  },
  odd: {
    zh: "Python 说了一句这一页听不懂的话，已经停下。再试一次会重新启动它",
    en:
      "Python said something that this page does not understand, and was stopped. The next try " +
      "starts it anew",
  },
  flood: { zh: "输出太长，到这里为止", en: "Too much output: stopped here" },
  input: {
    zh: "这里没有人能回答 input()。把值直接写进代码",
    en: "Nobody can answer input() here. Write the value into the code",
  },
  error: { zh: "出错了：原因在最后一行", en: "An error: the last line says why" },
  bug: {
    zh: "这一页的脚本出了错，这是本站的错误。刷新页面后再试",
    en: "A script of this page failed, which is a fault of this site. Reload and try again",
  },
});
const ENDED_BY_READER = ["stopped", "other", "left"];

export class Failure extends Error {
  /** @param {string} reason  @param {string} [detail] */
  constructor(reason, detail = "") {
    super(detail);
    this.reason = reason;
  }

  get code() {
    return this.reason;
  }
}

/**
 * How a turn ended: the reason, whether that is the reader's doing or bad, and the sentence.
 * @param {unknown} why  a reason, or what was thrown
 */
export function told(why) {
  if (!(why instanceof Failure || typeof why === "string")) reportError(why);
  const given = typeof why === "string" ? why : why instanceof Failure ? why.reason : "bug";
  const reason = Object.hasOwn(REASONS, given) ? given : "odd";
  const detail = why instanceof Failure && why.message.slice(0, 200);
  return {
    reason,
    state: ENDED_BY_READER.includes(reason) ? "stopped" : "bad",
    text: REASONS[reason] + (detail ? WORDS.detail(detail) : ""),
  };
}

/** Whether Python is there already, or on its way. */
export const started = () => Boolean(ready);

/** Where the build put Python; nothing where it could not be had. */
export const folder = () =>
  /** @type {HTMLElement | null} */ (document.querySelector("script[data-python]"))?.dataset.python;

// ---- The worker: asked one thing at a time ----

/** @type {Worker | undefined} */
let worker;
/** @type {Promise<unknown> | undefined} */
let ready;
/** @type {{ resolve: Function, reject: Function, hear: Function, boot: boolean } | undefined} */
let question;
/** @type {Step[]} */
let ran = []; // what made the present names, in order
let model = ""; // the kind that this worker has, one at a time: two would not fit into its memory
/** @type {Set<string>} */
let brought = new Set(); // the files of it

/** Give the worker up, whatever it is doing; who waits for it hears why. */
function giveUp(reason, detail) {
  const waiting = question;
  worker?.terminate();
  worker = ready = question = undefined;
  ran = [];
  [model, brought] = ["", new Set()];
  waiting?.reject(new Failure(reason, detail));
}

const ask = (hear, message, transferred = []) =>
  new Promise((resolve, reject) => {
    question = { resolve, reject, hear, boot: !message };
    if (message) worker?.postMessage(message, transferred);
  });

/** What the worker may say besides that it failed, by the one key of the message. */
const SAID = {
  progress: (data) => typeof data.progress === "number" && typeof data.total === "number",
  out: (data) => typeof data.out === "string",
  drawing: (data) => typeof data.drawing === "string",
  snapshot: (data) => typeof data.snapshot === "string",
  answer: (data) => data.answer === "ready" || typeof data.answer?.end === "string",
};
const understood = (data) =>
  Object.entries(SAID).some(([key, check]) => Object.hasOwn(data ?? {}, key) && check(data));

/** The worker, ready to run; started if need be. `hear({ progress, total })` while it comes. */
function start(hear) {
  if (ready) {
    if (question?.boot) question.hear = hear;
    return ready;
  }
  // Not new Worker(address): such a worker has the policy its host sends with it, none as a rule.
  // A worker from a blob has the page's, by which no text becomes JavaScript and no other host is
  // asked, whatever a snippet gets hold of.
  // (import() and not import: Firefox does not ask the service worker for the latter.)
  const script = `import(${JSON.stringify(new URL("worker.mjs", folder()))})
    .catch(({ message }) => postMessage({ failed: "network", detail: message }));`;
  const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  const mine = (worker = new Worker(address, { type: "module" }));
  let timer;
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (mine === worker && question?.boot) giveUp("silent");
    }, SILENCE);
  };
  mine.addEventListener("message", ({ data }) => {
    if (mine !== worker) return;
    if (typeof data?.failed === "string") giveUp(data.failed, String(data.detail ?? ""));
    else if (!question || !understood(data)) giveUp("odd");
    else if (data.answer) {
      const { resolve } = question;
      question = undefined;
      resolve(data.answer);
    } else question.hear(data);
    // Once all is there, this device works; a busy one may for minutes, and the reader can stop it.
    if (data?.progress === 1) clearTimeout(timer);
    else if (question?.boot) alive();
  });
  mine.addEventListener("error", (event) => {
    event.preventDefault();
    if (mine === worker) giveUp("crash", event.message);
  });
  alive();
  ready = ask(hear);
  return ready.finally(() => URL.revokeObjectURL(address));
}

// ---- Turns ----

/** @type {Turn | undefined} */
let holder;

/** A turn with Python. Whoever had it is told that theirs is over. */
export class Turn {
  /** @param {(text: string) => void} report  a sentence on how far it is */
  constructor(report) {
    holder?.end("other");
    holder = this;
    this.report = report;
    this.since = performance.now();
    this.over = new Promise((_, reject) => {
      this.reject = reject;
    });
    this.over.catch(() => {}); // it may end before anybody waits
  }

  get current() {
    return holder === this;
  }

  /** The reader's Stop. */
  stop() {
    if (performance.now() - this.since > DOUBLE_CLICK) this.end("stopped");
  }

  /** @param {"stopped" | "other" | "left"} reason */
  end(reason) {
    if (!this.current) return;
    holder = undefined;
    this.reject(new Failure(reason));
    // Python that is still on its way is kept for the next turn, unless the reader said Stop.
    if ((question && !question.boot) || reason === "stopped") giveUp(reason);
  }

  /**
   * Run the last of `steps`, and before it those above it on the page that have not run as they
   * are now: what a snippet says depends on the code above it and on nothing else that was run.
   * `hear(step, message)` when one begins ({ begins: true }), and of what it shows ({ out },
   * { drawing } or { snapshot }). The answer of the last that ran, with its step: that is an
   * earlier one where an earlier one failed.
   * @param {Step[]} steps
   * @param {(step: Step, message: any) => void} hear
   * @returns {Promise<Answer & { step: Step, earlier: number }>}
   */
  async run(steps, hear) {
    try {
      return await Promise.race([this.over, this.#run(steps, hear)]);
    } finally {
      if (this.current) holder = undefined;
    }
  }

  async #run(steps, hear) {
    this.report(WORDS.starting);
    await start(({ progress, total }) => {
      if (!this.current) return;
      const percent = Math.floor(progress * 10) * 10; // tens: it is read out
      this.report(WORDS.fetching(Math.round(total / 1e6), percent));
    });
    const same = (one, other) => one?.name === other.name && one.code === other.code;
    let place = 0;
    while (place < steps.length - 1 && same(ran[place], steps[place])) place += 1;
    for (const first = place; ; place += 1) {
      if (!this.current) throw new Failure("other"); // ended while it waited; nobody listens
      const step = steps[place];
      ran.length = place;
      hear(step, { begins: true });
      const answer = await ask(
        (message) => {
          if (this.current) hear(step, message);
        },
        { want: "", goOn: false, alone: false, ...step, place },
      );
      if (answer.end === "memory") giveUp("memory"); // only a new worker has it back
      else if (!answer.end) ran.push(step);
      if (answer.end || place === steps.length - 1) {
        return { ...answer, step, earlier: place - first };
      }
    }
  }

  /**
   * Ask a model, after the files of it that the worker lacks were brought.
   * `hear({ progress, total })` while Python comes.
   * @param {string} kind  one of worker.mjs
   * @param {Map<string, Blob>} files  in the order in which they are taken in
   * @param {object} [question]
   * @param {(message: any) => void} [hear]
   * @returns {Promise<{ end: string, arrays?: Float32Array[], [more: string]: any }>}
   */
  async ask(kind, files, question, hear = () => {}) {
    try {
      return await Promise.race([this.over, this.#ask(kind, files, question, hear)]);
    } finally {
      if (this.current) holder = undefined;
    }
  }

  async #ask(kind, files, question, hear) {
    await start((data) => this.current && hear(data));
    if (kind !== model) [model, brought] = [kind, new Set()];
    // One by one: together they would be in memory twice.
    for (const [name, blob] of files) {
      if (brought.has(name)) continue;
      const bytes = new Uint8Array(await blob.arrayBuffer());
      if (!this.current) throw new Failure("other");
      await this.#told({ kind, file: [name, bytes] }, [bytes.buffer]);
      brought.add(name);
    }
    if (!this.current) throw new Failure("other");
    return question ? this.#told({ kind, question }) : { end: "" };
  }

  async #told(message, transferred = []) {
    const answer = await ask(() => {}, { model: message }, transferred);
    if (answer.end === "memory") giveUp("memory"); // only a new worker has it back
    return answer;
  }
}
