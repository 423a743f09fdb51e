// kv-cache: a real decoder writes on from the reader's beginning. What a token costs with the cache
// and without, what the cache takes, and whom the last token looks at in any head. What is typed is
// text: in the box and in the address after the #, which no server sees.
import { language, words } from "../language.mjs";
import { written } from "./bytes.mjs";
import { COMING, coming, size } from "./coming.mjs";
import { Figure, Lost, desk, h, number } from "./core.mjs";
import { chart, draw } from "./costs.mjs";

const quoted = (text) => `“${shown(text)}”`;
/** A token as it can be seen. */
const shown = (text) => text.replaceAll("\n", "↵").replaceAll("\t", "⇥");

const WORDS = words({
  text: { zh: "开头（英文）", en: "your beginning" },
  write: { zh: "往下写", en: "Write on" },
  fetchAndWrite: {
    zh: (bytes) => `取模型（${size(bytes)}）并往下写`,
    en: (bytes) => `Fetch the model (${size(bytes)}) and write on`,
  },
  again: { zh: "回到开头", en: "Back to the beginning" },
  stop: { zh: "停止", en: "Stop" },
  missing: {
    zh: (python, all) =>
      `按下按钮才会取 ${size(all)}${python ? `（其中 Python ${size(python)}）` : ""}，只取一次；` +
      `运行时约占 ${MEMORY} MB 内存，适合电脑，不适合手机。写的字不会发出去。`,
    en: (python, all) =>
      `Only the button fetches ${size(all)}${python ? ` (${size(python)} of it Python)` : ""}, ` +
      `once. It then takes about ${MEMORY} MB of memory: for a desktop, not for a phone. ` +
      "What you write is not sent.",
  },
  noModel: {
    zh: "这个站点没有带上这个模型，这里只有记录下来的数。",
    en: "This copy of the site came without the model: there are only the recorded numbers.",
  },
  writing: { zh: "正在写…", en: "Writing…" },
  stopping: { zh: "写完这个词元就停…", en: "Stopping after this token…" },
  over: { zh: "模型认为到这里就写完了。", en: "The model takes this for the end." },
  full: {
    zh: (most) => `到 ${most} 个词元为止，这里不再往下写。`,
    en: (most) => `Here it goes no further than ${most} tokens.`,
  },
  cache: { zh: "用 KV 缓存", en: "with the KV cache" },
  layer: { zh: "层", en: "layer" },
  head: { zh: "头", en: "head" },
  newest: { zh: "最新一步", en: "newest" },
  tokens: { zh: "文本", en: "text" },
  hint: {
    zh: "写框里的词元时，是它前面那个词元在看；颜色越浓的词元，被看得越多。按一个写出来的词元，看那一步。",
    en:
      "The stronger the colour, the more the last token before the framed one looked at it. Press a token that " +
      "was written for its step.",
  },
  cost: {
    zh: (seconds, computed, kept) =>
      `这一步用了 ${seconds} 秒，${computed} 个词元过了各层，缓存${kept}。`,
    en: (seconds, computed, kept) =>
      `This step took ${seconds} s; ${computed} ${computed === 1 ? "token" : "tokens"} went ` +
      `through the layers; the cache has ${kept}. `,
  },
  kept: {
    zh: (n, bytes) => `里有 ${n} 个词元，${bytes}`,
    en: (n, bytes) => `${n} tokens, ${bytes}`,
  },
  nothing: { zh: "是空的", en: "nothing" },
  looks: {
    zh: (at, from, token, list) => `${at}：写${token}时，${from}看得最多的是${list}。`,
    en: (at, from, token, list) => `${at}: when ${token} came, ${from} looked most at ${list}.`,
  },
  look: {
    zh: (weight, to) => `${to}${weight}`,
    en: (weight, to) => `${to} ${weight}`,
  },
  recordedWith: {
    zh: "用缓存：每一步只有最新的词元过各层。",
    en: "With the cache only the newest token goes through the layers at a step.",
  },
  recordedWithout: {
    zh: (n, ratio) =>
      `不用缓存：每一步整段文本都要过各层。前面有 ${n} 个词元时，这一步要 ${ratio} 倍的时间（记录下来的）。`,
    en: (n, ratio) =>
      "Without the cache all of the text goes through the layers at every step. With " +
      `${n} tokens before, a step took ${ratio} times as long (recorded).`,
  },
});

const MEMORY = 600; // MB, measured by benchmarks/decoder.py
const LONGEST = 400; // characters of a beginning
const AT_ONCE = 32; // tokens that a press writes
const NEWEST = -1;
const LAYERS = 30,
  HEADS = 9;

/** The model, and what was written, for as long as the page's scripts live. */
let model, script;

class Decoder extends Figure {
  static initial = {
    text: "Once upon a time there was a small house at the edge of a",
    cached: 1,
    layer: 0,
    head: 0,
    step: NEWEST,
  };
  static valid = ({ text, cached, layer, head, step }) =>
    text.length <= LONGEST &&
    [0, 1].includes(cached) &&
    [layer, head, step].every(Number.isInteger) &&
    layer >= 0 &&
    layer < LAYERS &&
    head >= 0 &&
    head < HEADS &&
    step >= NEWEST;

  build() {
    this.begun = null; // the text whose continuation is shown
    this.tokens = []; // of the beginning, then those that were written
    this.steps = []; // one for each that was written
    this.points = []; // what each token cost, also before the beginning was gone back to
    return [this.#source(), ...this.#views()];
  }

  async prepare() {
    await this.started;
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.busy?.abort();
  }

  // ---- The box, and what pressing its button costs ----

  #source() {
    const input = h("textarea", {
      rows: 2,
      maxlength: LONGEST,
      autocomplete: "off",
      spellcheck: "false",
      oninput: () => {
        this.failed = false;
        this.set({ text: input.value });
      },
    });
    this.controls.push(() => {
      if (input.value !== this.state.text) input.value = this.state.text;
    });
    this.go = h("button", { type: "submit" });
    this.again = h("button", { type: "button", onclick: () => this.#rewind() }, WORDS.again);
    this.stop = h(
      "button",
      {
        type: "button",
        onclick: () => {
          this.busy?.abort();
          if (!this.fetching) this.report(WORDS.stopping);
        },
      },
      WORDS.stop,
    );
    this.said = h("p", { class: "play__hint", role: "status" });
    this.bar = h("progress", { max: 1, "aria-label": COMING.fetching(0, 0) });
    this.form = h(
      "form",
      {
        onsubmit: (event) => {
          event.preventDefault();
          this.#write();
        },
      },
      h("label", { class: "play__field" }, h("span", {}, WORDS.text), input),
      h("div", { class: "play__bar" }, this.go, this.stop, this.again),
    );
    this.started = globalThis.qkv
      .load("decoder.mjs")
      .then(async (loaded) => {
        script = loaded;
        await this.#count();
      })
      .catch((error) => {
        if (!globalThis.qkv.lost(error)) throw error;
        this.failed = true;
        this.report(COMING.lost);
      })
      .finally(() => this.source.removeAttribute("aria-busy"));
    this.source = h(
      "div",
      { class: "play__source", "aria-busy": "true" },
      this.form,
      h("p", { class: "play__bar" }, this.bar),
      this.said,
      this.toggle("cached", { label: WORDS.cache }),
    );
    return this.source;
  }

  async #count() {
    this.missing = await script.missing();
    if (this.isConnected) this.redraw();
  }

  report(text) {
    if (this.said.textContent !== text) this.said.textContent = text;
  }

  #refresh() {
    const { missing } = this;
    const bytes = missing ? missing.python + missing.model : 0;
    this.go.textContent = bytes && !model ? WORDS.fetchAndWrite(bytes) : WORDS.write;
    this.go.disabled = !missing || Boolean(this.busy);
    this.stop.hidden = !this.busy;
    this.again.hidden = Boolean(this.busy) || !this.steps.length;
    this.bar.parentNode.hidden = !this.fetching;
    this.form.hidden = missing === null;
    for (const part of this.parts) part.toggleAttribute("hidden", !this.steps.length);
    this.recorded.toggleAttribute("hidden", Boolean(this.steps.length));
    if (this.busy || this.failed) return;
    if (missing === null) this.report(WORDS.noModel);
    else this.report(bytes && !model ? WORDS.missing(missing.python, bytes) : (this.end ?? ""));
  }

  // ---- Writing ----

  #rewind() {
    this.begun = null;
    this.tokens = [];
    this.steps = [];
    this.end = undefined;
    this.set({ step: NEWEST });
  }

  async #loaded() {
    if (model) return;
    this.fetching = true;
    this.bar.removeAttribute("value");
    this.#refresh();
    try {
      model = await script.load({
        signal: this.busy.signal,
        progress: coming(this.bar, (text) => this.report(text)),
      });
    } finally {
      this.fetching = false;
    }
  }

  async #write() {
    if (this.busy || !script) return;
    this.busy = new AbortController();
    this.failed = false;
    try {
      await this.#loaded();
      this.report(WORDS.writing);
      const { text } = this.state;
      if (this.begun !== text) {
        const begun = await model.begin(text);
        if (this.begun !== null) this.points = []; // those of another text
        this.#rewind();
        this.begun = text;
        this.tokens = begun.tokens;
        this.most = begun.most;
      }
      this.set({ step: NEWEST });
      for (let n = 0; n < AT_ONCE && !this.busy.signal.aborted && !this.end; n += 1) {
        await this.#step();
      }
    } catch (error) {
      this.failed = true;
      this.report(error instanceof Lost ? COMING.lost : script.said(error).text);
    } finally {
      this.busy = undefined;
      if (this.isConnected) {
        if (!this.failed) await this.#count().catch(() => {});
        this.redraw();
      }
    }
  }

  async #step() {
    const ids = this.tokens.map(({ id }) => id);
    const cached = Boolean(this.state.cached);
    const step = await model.step(ids, cached);
    if (!this.isConnected) return;
    this.points.push({ n: ids.length, cached, seconds: step.seconds, bytes: step.bytes });
    this.steps.push({ ...step, cached, n: ids.length });
    this.tokens.push(step.token);
    if (step.over) this.end = WORDS.over;
    else if (this.tokens.length >= this.most) this.end = WORDS.full(this.most);
    this.redraw();
  }

  // ---- What is seen ----

  #views() {
    this.chart = chart();
    this.recorded = this.querySelector("svg").cloneNode(true);
    this.text = h("p", { class: "play__written", lang: "en", "aria-label": WORDS.tokens });
    this.parts = [
      desk(
        this.slider("layer", { label: WORDS.layer, min: 0, max: LAYERS - 1 }),
        this.slider("head", { label: WORDS.head, min: 0, max: HEADS - 1 }),
      ),
      h("p", { class: "play__hint" }, WORDS.hint),
      this.text,
      this.chart,
    ];
    return [this.recorded, ...this.parts];
  }

  /** The step that is looked at. */
  get at() {
    const { step } = this.state;
    return step >= 0 && step < this.steps.length ? step : this.steps.length - 1;
  }

  /** The row of a head at that step: how much its last token looked at each. */
  row(step) {
    const { layer, head } = this.state;
    const start = (layer * HEADS + head) * step.n;
    return step.weights.subarray(start, start + step.n);
  }

  draw() {
    this.#refresh();
    const step = this.steps[this.at];
    if (!step) {
      this.text.replaceChildren();
      return this.#recorded();
    }
    const row = this.row(step);
    const largest = Math.max(...row);
    const begun = this.tokens.length - this.steps.length;
    this.text.replaceChildren(
      ...this.tokens.map(({ text }, i) => {
        const chosen = i === step.n;
        const node =
          i < begun
            ? h("span", {}, shown(text))
            : h(
                "button",
                {
                  type: "button",
                  "aria-pressed": String(chosen),
                  onclick: () => {
                    this.set({ step: i - begun });
                    this.text.childNodes[i].focus();
                  },
                },
                shown(text),
              );
        if (i < step.n)
          node.style.setProperty("--strength", `${((60 * row[i]) / largest).toFixed(1)}%`);
        node.toggleAttribute("data-asks", i === step.n - 1);
        node.toggleAttribute("data-later", i > step.n);
        return node;
      }),
    );
    draw(this.chart, this.points, step.n);
    const most = [...row.entries()].sort((a, b) => b[1] - a[1]).slice(0, 3);
    const list = most.map(([i, weight]) => WORDS.look(number(weight), this.#name(i)));
    const kept = step.cached ? WORDS.kept(step.n, written(step.bytes)) : WORDS.nothing;
    const seconds = number(step.seconds, step.seconds < 10 ? 2 : 0);
    return (
      WORDS.cost(seconds, step.computed, kept) +
      WORDS.looks(
        `L${this.state.layer}H${this.state.head}`,
        this.#name(step.n - 1),
        this.#name(step.n),
        list.join(language === "zh" ? "，" : ", "),
      )
    );
  }

  #recorded() {
    const { tokens_before: n, ratio } = this.data.time.at(-2);
    return this.state.cached ? WORDS.recordedWith : WORDS.recordedWithout(n, ratio);
  }

  #name(i) {
    return quoted(this.tokens[i].text.trim() || this.tokens[i].text);
  }
}

customElements.define("qkv-decoder", Decoder);
