// induction-heads: both layers of a recorded model on the reader's letters, at twelve steps of its
// training.
import { words } from "../language.mjs";
import { Figure, desk, h, number } from "./core.mjs";
import { argmax, softmax } from "./maths.mjs";
import { forward, restore } from "./transformer.mjs";

const WORDS = words({
  output: { zh: "输出", en: "output" },
  attentionWeightsLayer: {
    zh: (l) => `第 ${l} 层的注意力权重`,
    en: (l) => `attention weights, layer ${l}`,
  },
  hidden: { zh: "被因果掩码遮住", en: "hidden by the causal mask" },
  rowAsks: { zh: "行是查询，列是键", en: "the row asks, the column is looked at" },
  next: { zh: "下一个字母的概率", en: "probability of the next letter" },
  fromOutputs: {
    zh: "模型在这一行的 26 个输出，取 softmax",
    en: "softmax of the model’s 26 outputs in that row",
  },
  guesses: {
    zh: "读到每个字母时，猜下一个是",
    en: "guess for the next letter",
  },
  chance: { zh: "猜的那个字母的概率", en: "the probability of the letter guessed" },
  trainingStep: { zh: "训练步数", en: "training step" },
  letters: { zh: "字母", en: "letters" },
  hint: { zh: "要 2 到 20 个英文字母。", en: "It takes 2 to 20 letters from a to z." },
  cut: { zh: "剪断第 1 层通往", en: "cut the path from layer 1 to" },
  guess: { zh: "猜", en: "guess" },
  goOn: { zh: "让它接着写：", en: "Let it go on: " },
  place: {
    zh: (j, letters) => `第 ${j + 1} 个字母 ${letters[j]}`,
    en: (j, letters) => `letter ${j + 1}, ${letters[j]},`,
  },
  right: { zh: "，猜对了", en: ", which is right" },
  wrong: { zh: (told) => `；实际是 ${told}`, en: (told) => `; in fact it is ${told}` },
  summary: {
    zh: (place, at, before, after, guess, right, snapshots, t, whole) =>
      `读到${place(at)}：第 1 层最看重${place(before[0])}（${before[1]}），第 2 ` +
      `层最看重${place(after[0])}（${after[1]}）。猜下一个是 ${guess[0]}（${guess[1]}）${right}。` +
      (whole
        ? `第 ${snapshots[t].step} 步，500 道题的正确率是 ${number(snapshots[t].accuracy)}。`
        : ""),
    en: (place, at, before, after, guess, right, snapshots, t, whole) =>
      `Having read ${place(at)} layer 1 looks most at ${place(before[0])} with ` +
      `${before[1]}, layer 2 at ${place(after[0])} with ${after[1]}. Its guess for ` +
      `the next letter is ${guess[0]} (${guess[1]})${right}.` +
      (whole
        ? ` At step ${snapshots[t].step}, accuracy on 500 sequences is ` +
          `${number(snapshots[t].accuracy)}.`
        : ""),
  },
});

const PATHS = { q: "Q", k: "K", v: "V", o: WORDS.output };
const letter = (id) => String.fromCharCode(97 + id);
const AHEAD = 6; // letters it is asked to go on with

const style = new CSSStyleSheet();
style.replaceSync(`
  .induction__two { display: flex; flex-wrap: wrap; gap: 0 1.6rem; }
  .md-typeset .induction__two :is(td, th) {
    height: var(--cell);
    min-width: var(--cell);
    width: var(--cell);
  }
  .md-typeset .induction__two th { padding: 0; text-align: center; }
  .play__choice .play__toggle { margin: 0 .5rem 0 0; }
  .md-typeset .induction__guess :is(td, th[scope="col"]) {
    min-width: var(--cell);
    padding: 0;
    width: var(--cell);
  }
  .induction__more { margin: .4rem 0; overflow-wrap: anywhere; }
  .induction__more b { color: var(--accent); }
`);
document.adoptedStyleSheets.push(style);

class Induction extends Figure {
  static initial = { at: 6, t: 11, text: "paintpaint", q: 0, k: 0, v: 0, o: 0 };
  static valid = ({ at, t, text, q, k, v, o }, data) =>
    Number.isInteger(at) &&
    at >= 0 &&
    at < 20 &&
    Number.isInteger(t) &&
    t >= 0 &&
    (!data || t < data.snapshots.length) &&
    /^[a-z]{2,20}$/i.test(text) &&
    [q, k, v, o].every((cut) => cut === 0 || cut === 1);

  build() {
    this.models = [];
    const layer = (l) =>
      this.grid({
        title: WORDS.attentionWeightsLayer(l),
        compact: true,
        act: (i) => this.set({ at: i }),
        from: (i, j) => (j > i ? WORDS.hidden : WORDS.rowAsks),
      });
    this.layers = [layer(1), layer(2)];
    this.next = this.grid({
      title: WORDS.next,
      from: () => WORDS.fromOutputs,
    });
    this.two = h(
      "div",
      { class: "induction__two" },
      this.layers.map(({ node }) => node),
    );
    this.guess = this.grid({
      title: WORDS.guesses,
      kind: "output",
      act: (_, j) => this.set({ at: j }),
      from: () => WORDS.chance,
    });
    this.guess.node.classList.add("induction__guess");
    this.more = h("p", { class: "induction__more" });
    return [
      desk(
        this.slider("t", {
          label: WORDS.trainingStep,
          min: 0,
          max: this.data.snapshots.length - 1,
          show: (t) => String(this.data.snapshots[t].step),
        }),
      ),
      this.field("text", {
        label: WORDS.letters,
        length: 20,
        hint: () => WORDS.hint,
      }),
      h(
        "fieldset",
        { class: "play__choice" },
        h("legend", {}, WORDS.cut),
        Object.entries(PATHS).map(([key, label]) => this.toggle(key, { label })),
      ),
      this.guess.node,
      this.more,
      this.two,
      this.next.node,
    ];
  }

  draw() {
    const { t, text } = this.state,
      { snapshots, shapes } = this.data;
    const letters = [...text.toLowerCase()],
      ids = letters.map((one) => one.charCodeAt(0) - 97);
    const at = Math.min(this.state.at, letters.length - 1),
      cut = Object.keys(PATHS)
        .filter((path) => this.state[path])
        .join("");
    this.models[t] ??= restore(snapshots[t], shapes);
    const { logits, weights } = forward(this.models[t], ids, cut);
    this.style.setProperty("--cell", `${Math.min(1.2, 14 / letters.length).toFixed(2)}rem`);
    this.layers.forEach(({ fill }, l) =>
      fill(weights[l], { rows: letters, columns: letters, chosen: (i) => i === at }),
    );
    const all = logits.map(softmax),
      guesses = all.map((row) => letter(argmax(row)));
    this.guess.fill([all.map((row) => Math.max(...row))], {
      rows: [WORDS.guess],
      columns: letters,
      limit: 1,
      chosen: (_, j) => j === at,
      texts: [guesses],
    });
    const more = [...ids];
    while (more.length < ids.length + AHEAD)
      more.push(argmax(forward(this.models[t], more, cut).logits.at(-1)));
    this.more.replaceChildren(
      WORDS.goOn,
      h("code", {}, letters.join("")),
      h("b", {}, h("code", {}, more.slice(ids.length).map(letter).join(""))),
    );
    const odds = all[at],
      best = odds
        .map((_, id) => id)
        .sort((a, b) => odds[b] - odds[a])
        .slice(0, 5);
    this.next.fill([best.map((id) => odds[id])], {
      rows: [`${letters[at]} →`],
      columns: best.map(letter),
    });

    const [before, after] = weights.map((rows) => {
      const j = argmax(rows[at]);
      return [j, number(rows[at][j])];
    });
    const place = (j) => WORDS.place(j, letters),
      told = letters[at + 1];
    const guess = [letter(best[0]), number(odds[best[0]])];
    const right =
      told === undefined ? "" : told === letter(best[0]) ? WORDS.right : WORDS.wrong(told);
    return WORDS.summary(place, at, before, after, guess, right, snapshots, t, !cut.length);
  }
}

customElements.define("qkv-induction", Induction);
