// The page's Python: one worker, started by the first Run, asked one thing at a time.
// What goes wrong is a Failure with a reason; the sentences for the reader are in run.mjs.

const SILENCE = 60_000; // ms without a sign of life, after which starting has failed

export class Failure extends Error {
  constructor(reason, detail = "") {
    super(detail);
    this.reason = reason;
  }
}

let worker, ready, question;
let ran = []; // the steps that made the present names, in order

/** Give the worker up, whatever it is doing; who waits for it hears why. */
export function end(reason, detail) {
  const waiting = question;
  worker?.terminate();
  worker = ready = question = undefined;
  ran = [];
  waiting?.reject(new Failure(reason, detail));
}

export const running = () => Boolean(question) && !question.boot;

const ask = (hear, message) =>
  new Promise((resolve, reject) => {
    question = { resolve, reject, hear, boot: !message };
    if (message) worker.postMessage(message);
  });

/** The worker, ready to run; started if need be. `hear({ progress, total })` while it comes. */
export function start(folder, hear) {
  if (ready) {
    if (question?.boot) question.hear = hear;
    return ready;
  }
  // Not new Worker(address): such a worker has the policy its host sends with it, none as a rule.
  // A worker from a blob has the page's, by which no text becomes JavaScript and no other host is
  // asked, whatever a snippet gets hold of.
  // (import() and not import: Firefox does not ask the service worker for the latter.)
  const script = `import(${JSON.stringify(new URL("worker.mjs", folder))})
    .catch(({ message }) => postMessage({ failed: "network", detail: message }));`;
  const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  const mine = (worker = new Worker(address, { type: "module" }));
  let timer;
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (mine === worker && question?.boot) end("silent");
    }, SILENCE);
  };
  mine.onmessage = ({ data }) => {
    if (mine !== worker) return;
    if (data.failed) end(data.failed, data.detail);
    else if (data.answer) {
      const { resolve } = question;
      question = undefined;
      resolve(data.answer);
    } else question?.hear(data);
    if (question?.boot) alive();
  };
  mine.onerror = (event) => {
    event.preventDefault();
    if (mine === worker) end("crash", event.message);
  };
  alive();
  ready = ask(hear);
  return ready.finally(() => URL.revokeObjectURL(address));
}

/**
 * Run the last of `steps`, and before it those above it on the page that have not run as they are
 * now: what a snippet says depends on the code above it and on nothing else that was run.
 * A step is { name, code, label, want, goOn, alone }. `hear(step, message)` when one begins
 * ({ begins: true }) and of its output ({ out } or { drawing }). Resolves to the answer of the
 * last that ran, with its step: that is an earlier one where an earlier one failed.
 */
export async function run(steps, hear) {
  let place = 0;
  while (
    place < steps.length - 1 &&
    ran[place]?.name === steps[place].name &&
    ran[place].code === steps[place].code
  )
    place += 1;
  for (const first = place; ; place += 1) {
    const step = steps[place];
    ran.length = place;
    hear(step, { begins: true });
    const answer = await ask((message) => hear(step, message), { place, ...step });
    if (answer.end === "memory") end(); // only a new worker has it back
    else if (!answer.end) ran.push(step);
    if (answer.end || place === steps.length - 1)
      return { ...answer, step, earlier: place - first };
  }
}
