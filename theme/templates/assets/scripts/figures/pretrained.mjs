// pretrained: the way of a word between its two senses, layer by layer, in recorded sentences of
// two models. What a head does with a sentence is in sentence.mjs.
import { language, words } from "../language.mjs";
import { Figure, Lost, fetched, h, number } from "./core.mjs";
import { chart, draw } from "./ways.mjs";

const WORDS = words({
  e5Chinese: {
    zh: "中文句子，multilingual-e5-small",
    en: "Chinese sentences, multilingual-e5-small",
  },
  e5English: {
    zh: "英文句子，multilingual-e5-small",
    en: "English sentences, multilingual-e5-small",
  },
  minilm: { zh: "英文句子，all-MiniLM-L6-v2", en: "English sentences, all-MiniLM-L6-v2" },
  sentence: { zh: "句子", en: "sentence" },
  languageModel: { zh: "语言和模型", en: "language and model" },
  hide: { zh: "不让这个词看见", en: "hide from the word" },
  lost: {
    zh: "数据没有取到。检查网络后再选一次。",
    en: "The data did not arrive. Check the connection and choose again.",
  },
  nothing: { zh: "（都看得见）", en: "(nothing)" },
  allOtherWords: { zh: "整句其他词", en: "all other words" },
  hidden: {
    zh: (end) => `；遮住后走到 ${end}`,
    en: (end) => `; with that hidden, to ${end}`,
  },
  summary: {
    zh: (text, target, layers, from, to, [first, second], hidden) =>
      `“${text}”：走完 ${layers} 层，“${target}”从 ${from} 走到 ${to}（1 是${first}，` +
      `−1 是${second}）${hidden}。细线是同一个词的其他句子：实线${first}，虚线${second}。`,
    en: (text, target, layers, from, to, [first, second], hidden) =>
      `“${text}”: through ${layers} layers “${target}” goes from ${from} to ${to} ` +
      `(1 is ${first}, −1 is ${second})${hidden}. Thin lines are the other sentences with it: solid ${first}, dashed ${second}.`,
  },
});

const FILES = [
  ["pretrained-e5-zh", WORDS.e5Chinese],
  ["pretrained-e5-en", WORDS.e5English],
  ["pretrained-minilm-en", WORDS.minilm],
];
/** Of a name as the data have it, in Chinese and in English, the page's. */
const inLanguage = ([zh, en]) => ({ zh, en })[language];
const [NOTHING, ALL] = [-1, -2];
const hundredths = (path) => path.map((x) => x / 100); // as they are stored

class Pretrained extends Figure {
  static initial = { data: "", s: 3, hide: NOTHING };
  static valid = ({ data, s, hide }) =>
    FILES.some(([name]) => name === data) &&
    [s, hide].every(Number.isInteger) &&
    s >= 0 &&
    hide >= ALL;

  get initial() {
    return { ...Pretrained.initial, data: `pretrained-e5-${language}` };
  }

  build() {
    const name = this.initial.data;
    this.files = { [name]: Promise.resolve(this.data) };
    if (this.state.data === name) this.shown = { name, data: this.data };
    this.sentence = h("select", {
      onchange: () => this.set({ s: this.sentence.selectedIndex, hide: NOTHING }),
    });
    this.hide = h("select", { onchange: () => this.set({ hide: Number(this.hide.value) }) });
    this.chart = chart();
    const menu = (label, select) =>
      h("label", { class: "play__menu" }, h("span", {}, label), select);
    return [
      menu(WORDS.sentence, this.sentence),
      this.menu("data", { label: WORDS.languageModel, options: FILES }),
      menu(WORDS.hide, this.hide),
      this.chart,
    ];
  }

  set(change, quiet = false) {
    const other = change.data !== undefined && change.data !== this.state.data;
    super.set(other ? { s: 3, hide: NOTHING, ...change } : change, quiet);
  }

  draw() {
    const { data: name } = this.state;
    if (this.shown?.name === name) return this.show(this.shown.data);
    const file = new URL(`${name}.json`, new URL(this.dataset.src, location.href));
    this.files[name] ??= fetched(file);
    this.files[name]
      .then((data) => {
        if (this.state.data !== name) return; // the reader has gone on
        this.shown = { name, data };
        this.redraw();
      })
      .catch((error) => {
        delete this.files[name];
        if (!(error instanceof Lost)) throw error;
        this.tell(WORDS.lost);
      });
    return this.summary ?? "";
  }

  show(data) {
    const sentence = data.sentences[Math.min(this.state.s, data.sentences.length - 1)];
    const { pieces, own, path } = sentence,
      { word: target, senses } = data.words[sentence.word],
      names = /** @type {[string, string]} */ (senses.map(inLanguage));
    const hide =
      this.state.hide >= pieces.length || own.includes(this.state.hide) ? NOTHING : this.state.hide;

    const option = (value, text, chosen) => h("option", { value, selected: chosen }, text);
    this.sentence.replaceChildren(
      ...data.sentences.map((one, i) =>
        option(
          i,
          `${one.text}　${inLanguage(data.words[one.word].senses[one.sense])}`,
          one === sentence,
        ),
      ),
    );
    this.hide.replaceChildren(
      option(NOTHING, WORDS.nothing, hide === NOTHING),
      option(ALL, WORDS.allOtherWords, hide === ALL),
      ...pieces.flatMap((piece, j) => (own.includes(j) ? [] : [option(j, piece, hide === j)])),
    );

    const hidden = hide === ALL ? sentence.alone : hide >= 0 ? sentence.hidden[hide] : null;
    draw(this.chart, {
      way: hundredths(path),
      other: hidden && hundredths(hidden),
      more: data.sentences
        .filter((one) => one !== sentence && one.word === sentence.word)
        .map((one) => ({ way: hundredths(one.path), second: Boolean(one.sense) })),
      senses: names,
      second: Boolean(sentence.sense),
    });
    const [from, to] = [path[0], path.at(-1)].map((x) => number(x / 100));
    const after = hidden ? WORDS.hidden(number(hidden.at(-1) / 100)) : "";
    return WORDS.summary(sentence.text, target, data.layers, from, to, names, after);
  }
}

customElements.define("qkv-pretrained", Pretrained);
