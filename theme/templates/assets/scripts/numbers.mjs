// Asking a number where it comes from. Comes when the switch under the title is first pressed, with
// the page's table of addresses (theme/numbers/answers.py). Until then numbers are plain spans.

import { words } from "./language.mjs";

const WORDS = words({
  hint: {
    zh: (n) => `可以问 ${n} 处：指着或点一处；用键盘时按 Tab 到一处，方向键逐个走，Esc 离开。`,
    en: (n) =>
      `${n} places can be asked. Point at one or tap it; by keyboard, Tab to one, arrow keys ` +
      "walk, Escape leaves.",
  },
  lost: {
    zh: "出处表没有取到。检查网络后再按一次。",
    en: "The table of addresses did not come. Check the connection and press again.",
  },
  output: { zh: "代码片段", en: "Snippet" },
  expression: { zh: "代码片段之后的表达式", en: "An expression after snippet" },
  elsewhere: { zh: (page) => `（${page} 页）`, en: (page) => ` (page ${page})` },
  data: { zh: "实验留下的数据", en: "Kept from an experiment" },
  arithmetic: { zh: "算出来的", en: "Arithmetic" },
  given: { zh: "这是选定的数，不是算出来的。", en: "This number was chosen, not computed." },
  source: { zh: "出自资料：", en: "From a source: " },
  command: { zh: "怎样算", en: "Computed by" },
  test: { zh: "谁来查", en: "Checked by" },
  path: { zh: "写在哪里", en: "Set in" },
  script: { zh: "程序", en: "Program" },
  panel: { zh: "这个数从哪里来", en: "Where this number comes from" },
});

const STYLE = `
.asking .number {
  border-radius: 3px;
  cursor: help;
  text-decoration: underline dotted var(--accent);
  text-underline-offset: .25em;
}
.asking .number:has(.katex) { box-shadow: 0 2px 0 -1px var(--accent); text-decoration: none; }
.asking .number:is(:hover, :focus, [aria-expanded=true]) {
  background: color-mix(in srgb, var(--accent) 16%, transparent);
}
.answer-panel {
  background: var(--ground);
  border: 1px solid var(--qkv-line);
  border-radius: 8px;
  box-shadow: 0 4px 16px #0003;
  box-sizing: border-box;
  color: var(--ink);
  font: 400 .66rem/1.6 var(--md-text-font), sans-serif;
  inset: auto;
  letter-spacing: 0;
  margin: 0;
  max-height: 60vh;
  max-width: min(24rem, calc(100vw - 1.6rem));
  overflow: auto;
  padding: .5rem .7rem;
  position: fixed;
  text-align: left;
  white-space: normal;
  width: max-content;
  z-index: 6;
}
.answer-panel > * { display: block; }
.answer-panel > * + * { margin-top: .3rem; }
.answer-panel b { font-weight: 600; }
.answer-panel code.said { overflow-x: auto; padding: .3rem .5rem; white-space: pre; }
.answer-panel .facts {
  align-items: baseline;
  display: grid;
  gap: .1rem .7rem;
  grid-template-columns: max-content 1fr;
}
.answer-panel .facts > :nth-child(odd) { color: var(--ink-soft); }
.answer-panel .facts code { background: none; overflow-wrap: anywhere; padding: 0; }
.answer-panel hr { border: 0; border-top: 1px solid var(--edge); margin: .5rem 0 0; }
@media (max-width: 44.9375em) {
  .answer-panel { inset: auto .8rem .8rem !important; max-width: none; width: auto; }
}
@media print {
  .answer-panel { display: none; }
  .asking .number {
    background: none !important;
    box-shadow: none !important;
    text-decoration: none;
  }
}
`;
const KEY = "numbers-asked"; // "on": what this reader chose last
const remembered = () => {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // site data blocked
  }
};
const remember = (value) => {
  try {
    localStorage.setItem(KEY, value);
  } catch {
    /* this visit remembers it */
  }
};

let on = remembered() === "on";
let page; // what belongs to the page that is shown: its switch, table and numbers
let open; // the number whose panel is shown
let pinned = false; // by a click, a tap or the keyboard: it does not go when the pointer does
let timer;

const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter((child) => child || child === 0));
  return element;
};
const panel = make("span", {
  class: "answer-panel",
  id: "answer",
  role: "group",
  "aria-label": WORDS.panel,
  popover: "manual",
});
document.head.append(make("style", {}, STYLE));

/** The switch was pressed. */
export async function press(button) {
  on = button.getAttribute("aria-pressed") !== "true";
  remember(on ? "on" : "off");
  const status = button.parentElement.querySelector("[role=status]");
  status.textContent = "";
  if (!on) stop();
  else if (await start(button)) status.textContent = WORDS.hint(page.numbers.length);
  else {
    on = false;
    status.textContent = WORDS.lost;
  }
}

/** A page was reached, perhaps without loading it anew. */
export async function arrive() {
  const button = document.querySelector("[data-do=numbers]");
  if (on && button && button !== page?.button) await start(button);
}

/** Whether the numbers of the page can be asked now: false where its table does not come. */
async function start(button) {
  const address = new URL(button.dataset.table, location.href);
  const response = await fetch(address).catch(() => null); // no connection
  if (!response?.ok) return false;
  const table = await response.json();
  if (!button.isConnected) return false; // the reader went on to another page
  const article = button.closest("article");
  const numbers = [...article.querySelectorAll("span.number")].filter(
    (number) => table.numbers[number.dataset.from] && !number.closest("a"),
  );
  page = { button, address, table, article, numbers };
  button.setAttribute("aria-pressed", "true");
  article.classList.add("asking");
  const first = numbers.find(inSight);
  numbers.forEach((number) => {
    number.role = "button";
    number.tabIndex = number === first ? 0 : -1;
    number.setAttribute("aria-expanded", "false");
  });
  for (const [type, listener] of Object.entries(listeners))
    article.addEventListener(type, listener);
  return true;
}

function stop() {
  close();
  if (!page) return;
  page.button.setAttribute("aria-pressed", "false");
  page.article.classList.remove("asking");
  for (const number of page.numbers)
    for (const name of ["role", "tabindex", "aria-expanded", "aria-describedby"])
      number.removeAttribute(name);
  for (const [type, listener] of Object.entries(listeners))
    page.article.removeEventListener(type, listener);
  page = undefined;
}

// What is shown

function show(number, pin) {
  clearTimeout(timer);
  pinned = pin;
  if (open === number) return;
  close();
  open = number;
  pinned = pin;
  fill(page.table.numbers[number.dataset.from]);
  number.after(panel); // the next stop of the Tab key is in it
  number.setAttribute("aria-expanded", "true");
  number.setAttribute("aria-describedby", panel.id);
  panel.showPopover?.();
  place();
}

function close() {
  clearTimeout(timer);
  open?.setAttribute("aria-expanded", "false");
  open?.removeAttribute("aria-describedby");
  panel.remove();
  open = undefined;
  pinned = false;
}

/** Below the number, or above it where there is no room; on a phone the style sheet places it. */
function place() {
  const [at] = open.getClientRects();
  if (!at || at.bottom < 0 || at.top > innerHeight) return close();
  const { width, height } = panel.getBoundingClientRect();
  const below = at.bottom + 6;
  const fits = below + height < innerHeight || at.top < height + 6;
  panel.style.top = `${fits ? below : at.top - height - 6}px`;
  panel.style.left = `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`;
}

function fill(answers) {
  const parts = answers.flatMap((answer) => [answer, ...(answer.parts ?? [])]);
  panel.replaceChildren(
    ...parts.flatMap((answer, at) => [...(at ? [make("hr")] : []), ...about(answer)]),
  );
}

function about(answer) {
  if (answer.kind === "given") return [make("span", {}, WORDS.given)];
  if (answer.kind === "source")
    return [make("span", {}, WORDS.source, link(answer.at, answer.name))];
  const title = make("b", {}, WORDS[answer.kind]);
  if (answer.name) title.append(" ", snippet(answer));
  const prompt = answer.kind === "output" ? prompted(answer.code) : `${answer.code}\n=`;
  const said = make(
    "code",
    { class: "said" },
    [prompt, answer.output].join(answer.kind === "output" ? "\n" : " "),
  );
  const facts = ["command", "test", "script", "path"].filter((name) => answer[name]);
  const known = make("span", { class: "facts" }, ...facts.flatMap((name) => fact(name, answer)));
  return [title, said, answer.note ? make("span", { lang: "en" }, answer.note) : "", known];
}

const prompted = (code) => `>>> ${code.replaceAll("\n", "\n... ")}`;

function fact(name, answer) {
  const text = answer[name] + (name === "path" && answer.line ? `:${answer.line}` : "");
  const code = make("code", {}, text);
  const file = name === "command" ? null : answer[name];
  const line = name === "path" && answer.line ? `#L${answer.line}` : "";
  const { source } = page.table;
  const value = file && source ? make("a", { href: `${source}${file}${line}` }, code) : code;
  return [make("span", {}, WORDS[name]), make("span", {}, value)];
}

const link = (at, text) => make("a", { href: new URL(at, page.address) }, text);

/** A link to where a snippet stands; on this page it leads to the snippet itself. */
function snippet(answer) {
  const to = link(answer.at, answer.name);
  const here = [...page.article.querySelectorAll(".snippet")].find(
    ({ dataset }) => dataset.name === answer.name && dataset.page.startsWith(`${answer.page}.`),
  );
  if (!here) return make("span", {}, to, WORDS.elsewhere(answer.page));
  to.addEventListener("click", (event) => {
    event.preventDefault();
    event.stopPropagation();
    close();
    for (let fold = here.closest("details"); fold; fold = fold.parentElement.closest("details"))
      fold.open = true;
    here.scrollIntoView({ block: "center" });
    here.querySelector("button")?.focus({ preventScroll: true }); // the first of its bar
  });
  return to;
}

// Pointer, touch and keys

const asked = (target) => {
  const number = target.closest?.("span.number[role=button]");
  return page?.numbers.includes(number) ? number : undefined;
};

/** Not in a closed fold, where a number has a place all the same, but takes no focus. */
const inSight = (number) =>
  number.checkVisibility?.() ?? !number.closest("details:not([open]) > :not(summary)");

const listeners = {
  pointerover({ target, pointerType }) {
    if (pointerType !== "mouse") return;
    if (panel.contains(target)) clearTimeout(timer);
    const number = asked(target);
    if (!number || pinned) return;
    clearTimeout(timer);
    timer = setTimeout(show, 120, number, false);
  },
  pointerout({ target, pointerType }) {
    if (pointerType !== "mouse" || pinned) return;
    if (!asked(target) && !panel.contains(target)) return;
    clearTimeout(timer);
    timer = setTimeout(close, 300);
  },
  click(event) {
    const number = asked(event.target);
    if (!number) return;
    event.preventDefault(); // a number in a summary does not fold it
    step(number);
    if (open === number && pinned) close();
    else show(number, true);
  },
  focusin({ target }) {
    const number = asked(target);
    if (number?.matches(":focus-visible")) show(number, true);
  },
  focusout({ relatedTarget }) {
    if (
      open &&
      pinned &&
      relatedTarget &&
      !open.contains(relatedTarget) &&
      !panel.contains(relatedTarget)
    )
      close();
  },
  keydown(event) {
    const inside = open && panel.contains(event.target);
    const number = inside ? open : asked(event.target);
    if (!number || event.ctrlKey || event.metaKey || event.altKey) return;
    const seen = page.numbers.filter(inSight);
    const at = seen.indexOf(number);
    const to = {
      ArrowRight: at + 1,
      ArrowDown: at + 1,
      ArrowLeft: at - 1,
      ArrowUp: at - 1,
      Home: 0,
      End: seen.length - 1,
    }[event.key];
    if (event.key === "Escape") {
      if (inside || !open) (inside ? number : page.button).focus();
      if (open && !inside) page.button.focus();
      close();
    } else if (inside) return;
    else if (to !== undefined) step(seen[Math.max(0, Math.min(to, seen.length - 1))], true);
    else if (event.key === "Enter" || event.key === " ") show(number, true);
    else return;
    event.preventDefault();
    event.stopPropagation();
  },
};

/** The one number that the Tab key reaches. */
function step(number, focus) {
  for (const one of page.numbers) one.tabIndex = one === number ? 0 : -1;
  if (!focus) return;
  number.focus();
  show(number, true); // also where the browser shows no ring
}

addEventListener("scroll", () => open && place(), { capture: true, passive: true });
addEventListener("resize", () => open && place());
addEventListener("pointerdown", ({ target }) => {
  if (open && !open.contains(target) && !panel.contains(target)) close();
});
