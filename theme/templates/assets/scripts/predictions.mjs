// Guesses before an output is seen. Comes with the first press of a choice, or where guesses are
// kept on this device. The answer stands in the page, and a doctest holds it
// (theme/extensions/predictions.py); what is shown follows from data-said alone (site.css).
import { words } from "./language.mjs";

const WORDS = words({
  right: { zh: "猜对了。", en: "Right. " },
  answer: { zh: (text) => `答案是 ${text}。`, en: (text) => `The answer is ${text}. ` },
  shown: { zh: "输出在下面", en: "The output is below" },
  hidden: { zh: "输出又藏起来了", en: "The output is hidden again" },
  number: { zh: "这里要一个数，比如 0.5 或 1/2", en: "This asks for a number, such as 0.5 or 1/2" },
  always: {
    zh: "所有页面都直接显示输出；问题照样可以回答",
    en: "Outputs are shown at once, on every page; questions can still be answered",
  },
  asks: { zh: "输出等你猜过再显示", en: "Outputs wait for your guess" },
});

const { classList } = document.documentElement;

function keep(name, said) {
  if (said) guesses[name] = said;
  else delete guesses[name];
  __md_set("guesses", guesses); // where storage is refused, this visit remembers
}

/** A question as it looks after `said`: the place of a choice, and after it what was typed. */
function show(box, said) {
  if (said) box.dataset.said = said;
  else delete box.dataset.said;
  for (const knob of box.querySelectorAll("li > button")) {
    knob.setAttribute("aria-pressed", String(knob.value === said));
  }
  const input = box.querySelector("input");
  if (input) input.value = said?.split(" ")[1] ?? "";
}

/** Whether outputs are always shown, on this page. */
function shows(always) {
  classList.toggle("asks", !always);
  for (const knob of document.querySelectorAll(".predict [value=always]")) {
    knob.setAttribute("aria-pressed", String(Boolean(always)));
  }
}

/** On coming to a page: what was guessed there. */
export function arrive() {
  shows(guesses.always);
  for (const box of document.querySelectorAll("[data-guess]")) {
    const said = guesses[box.dataset.guess];
    if (said) show(box, said);
  }
}

/** Text as it is read out: a formula once. */
function heard(node) {
  const copy = node?.cloneNode(true);
  for (const twice of copy?.querySelectorAll(".katex-html, annotation") ?? []) twice.remove();
  return copy?.textContent.trim() ?? "";
}

/** What a text may say as a number: 0.5, ０．５, 0,5, −0.5, 50 %, 1/2, 1,234. */
export function readings(text) {
  const plain = text
    .normalize("NFKC")
    .replace(/[−–—]/g, "-")
    .replace(/\s/g, "");
  const [, digits, percent] = plain.match(/^(.*?)(%?)$/);
  return [digits.replace(",", "."), digits.replaceAll(",", "")]
    .map((one) => one.split("/").map((part) => (part ? Number(part) : NaN)))
    .map((parts) => parts.reduce((a, b) => a / b) / (percent ? 100 : 1))
    .filter(Number.isFinite);
}

/** The place of the item that says the number; 0: none does. */
function placeOf(box, numbers) {
  const says = ({ dataset: { value, half } }) =>
    numbers.some((one) => Math.abs(one - Number(value)) <= Number(half) + 1e-9 * Math.abs(one));
  const items = [...box.querySelectorAll("li")];
  const right = items.find((item) => "right" in item.dataset && says(item));
  return items.indexOf(right ?? items.find(says)) + 1;
}

/** Do what the pressed button says. */
export function press(knob) {
  const box = knob.closest(".predict");
  const status = box.querySelector("[role=status]");
  const name = box.dataset.guess;
  const first = box.querySelector("li > button, input");
  const { value } = knob;
  if (value === "always") {
    keep("always", guesses.always ? "" : "yes");
    shows(guesses.always);
    status.textContent = guesses.always ? WORDS.always : WORDS.asks;
  } else if (value === "again") {
    keep(name);
    show(box);
    status.textContent = WORDS.hidden;
    first.focus();
  } else if (value === "skip") {
    keep(name, value);
    show(box, value);
    status.textContent = WORDS.shown;
    box.querySelector("[value=again]").focus();
  } else {
    let said = value;
    if (value === "type") {
      const numbers = readings(first.value);
      if (!numbers.length) {
        status.textContent = WORDS.number;
        first.focus();
        return;
      }
      said = `${placeOf(box, numbers)} ${first.value.replace(/\s/g, "")}`;
    }
    keep(name, said);
    show(box, said);
    const right = box.querySelector("[data-right]");
    const item = box.querySelectorAll("li")[parseInt(said, 10) - 1] ?? right;
    const says = item.children[1];
    const verdict =
      item === right && parseInt(said, 10) ? WORDS.right : WORDS.answer(heard(right.children[0]));
    const more = document.createElement("i"); // stands under the choice already: for the ear
    more.textContent = heard(says);
    status.replaceChildren(verdict, more);
  }
}
