// induction-heads: both layers of a recorded model on the reader's letters, at twelve steps of its training.
import { Figure, h, number, say } from "./core.mjs";
import { softmax } from "./maths.mjs";
import { forward, unpack } from "./transformer.mjs";

const PATHS = { q: "Q", k: "K", v: "V", o: say("输出", "output") };
const letter = (id) => String.fromCharCode(97 + id);
const AHEAD = 6; // letters it is asked to go on with
const largest = (row) => row.indexOf(Math.max(...row));

const style = new CSSStyleSheet();
style.replaceSync(`
  .induction__two { display: flex; flex-wrap: wrap; gap: 0 1.6rem; }
  .md-typeset .induction__two :is(td, th) { height: var(--cell); min-width: var(--cell); width: var(--cell); }
  .md-typeset .induction__two th { padding: 0; text-align: center; }
  .play__choice .play__toggle { margin: 0 .5rem 0 0; }
  .md-typeset .induction__guess :is(td, th[scope="col"]) { min-width: var(--cell); padding: 0; width: var(--cell); }
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
        title: say(`第 ${l} 层的注意力权重`, `attention weights, layer ${l}`),
        compact: true,
        act: (i) => this.set({ at: i }),
        from: (i, j) =>
          j > i
            ? say("被因果掩码遮住", "hidden by the causal mask")
            : say("行是查询，列是键", "the row asks, the column is looked at"),
      });
    this.layers = [layer(1), layer(2)];
    this.next = this.grid({
      title: say("下一个字母的概率", "probability of the next letter"),
      from: () =>
        say(
          "模型在这一行的 26 个输出，取 softmax",
          "softmax of the model’s 26 outputs in that row",
        ),
    });
    this.two = h(
      "div",
      { class: "induction__two" },
      this.layers.map(({ node }) => node),
    );
    this.guess = this.grid({
      title: say("读到每个字母时，猜下一个是", "having read each letter, the guess for the next"),
      kind: "output",
      act: (_, j) => this.set({ at: j }),
      from: () => say("猜的那个字母的概率", "the probability of the letter guessed"),
    });
    this.guess.node.classList.add("induction__guess");
    this.more = h("p", { class: "induction__more" });
    return [
      this.slider("t", {
        label: say("训练步数", "training step"),
        min: 0,
        max: this.data.snapshots.length - 1,
        show: (t) => String(this.data.snapshots[t].step),
      }),
      this.field("text", {
        label: say("字母", "letters"),
        length: 20,
        hint: () => say("要 2 到 20 个英文字母。", "It takes 2 to 20 letters from a to z."),
      }),
      h(
        "fieldset",
        { class: "play__choice" },
        h("legend", {}, say("剪断第 1 层通往", "cut the path from layer 1 to")),
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
    this.models[t] ??= unpack(snapshots[t], shapes);
    const { logits, weights } = forward(this.models[t], ids, cut);
    this.style.setProperty("--cell", `${Math.min(1.2, 14 / letters.length).toFixed(2)}rem`);
    this.layers.forEach(({ fill }, l) =>
      fill(weights[l], { rows: letters, columns: letters, chosen: (i) => i === at }),
    );
    const all = logits.map(softmax),
      guesses = all.map((row) => letter(largest(row)));
    this.guess.fill([all.map((row) => Math.max(...row))], {
      rows: [say("猜", "guess")],
      columns: letters,
      limit: 1,
      chosen: (_, j) => j === at,
      texts: [guesses],
    });
    const more = [...ids];
    while (more.length < ids.length + AHEAD)
      more.push(largest(forward(this.models[t], more, cut).logits.at(-1)));
    this.more.replaceChildren(
      say("让它接着写：", "Let it go on: "),
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
      const j = largest(rows[at]);
      return [j, number(rows[at][j])];
    });
    const place = (j) => say(`第 ${j + 1} 个字母 ${letters[j]}`, `letter ${j + 1}, ${letters[j]},`),
      told = letters[at + 1];
    const guess = `${letter(best[0])} (${number(odds[best[0]])})`;
    const right =
      told === undefined
        ? ""
        : told === letter(best[0])
          ? say("，猜对了", ", which is right")
          : say(`；实际是 ${told}`, `; in fact it is ${told}`);
    return say(
      `读到${place(at)}：第 1 层最看重${place(before[0])}（${before[1]}），第 2 层最看重${place(after[0])}（${after[1]}）。猜下一个是 ${guess}${right}。第 ${snapshots[t].step} 步、什么也不剪时，500 道题的正确率是 ${number(snapshots[t].accuracy)}。`,
      `Having read ${place(at)} layer 1 looks most at ${place(before[0])} with ${before[1]}, layer 2 at ${place(after[0])} with ${after[1]}. Its guess for the next letter is ${guess}${right}. At step ${snapshots[t].step}, with nothing cut, accuracy on 500 sequences is ${number(snapshots[t].accuracy)}.`,
    );
  }
}

customElements.define("qkv-induction", Induction);
