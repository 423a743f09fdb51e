// The lookup model of qkv_docs as plain arrays: its two tables, and the training that Python does.
// { embedding (37, d_model), w_q, w_k (d_model, d_k), w_v (d_model, d_v), w_o (d_v, 10), scale }
import { argmax, matmul, softmax, transpose } from "./maths.mjs";

export const LETTERS = 26,
  DIGITS = 10;
export const NAMES = [..."abcdefghijklmnopqrstuvwxyz0123456789"];

/** The share of the variance of the rows that comes from the letters; the rest: from the digits. */
const letterShare = (rows) => {
  const spread = (part) =>
    transpose(part).reduce((total, column) => {
      const mean = column.reduce((sum, x) => sum + x, 0) / column.length;
      return total + column.reduce((sum, x) => sum + (x - mean) ** 2, 0) / column.length;
    }, 0);
  const [letters, digits] = [spread(rows.slice(0, LETTERS)), spread(rows.slice(LETTERS))];
  return letters / (letters + digits);
};

const onDiagonal = (table) => table.filter((row, i) => argmax(row) === i).length;

/** question_scores() (26, 36), value_logits() (36, 10), letter_share() of keys and values. */
export function tables({ embedding, w_q, w_k, w_v, w_o, scale }) {
  const parts = embedding.slice(0, LETTERS + DIGITS),
    mark = embedding.at(-1);
  const asked = parts.slice(0, LETTERS).map((row) => row.map((x, i) => x + mark[i]));
  const keys = matmul(parts, w_k),
    values = matmul(parts, w_v);
  const scores = matmul(matmul(asked, w_q), transpose(keys)).map((row) =>
    row.map((x) => x * scale),
  );
  const says = matmul(values, w_o);
  return {
    scores,
    says,
    found: onDiagonal(scores.map((row) => row.slice(0, LETTERS))),
    said: onDiagonal(says.slice(LETTERS)),
    keys: letterShare(keys),
    values: letterShare(values),
  };
}

/** "b7 k2" as [[1, 7], [10, 2]]; null if it is no such list. */
export function pairs(text) {
  const list = text.trim().toLowerCase().split(/\s+/);
  if (list.length > LETTERS || !list.every((pair) => /^[a-z]\d$/.test(pair))) return null;
  return list.map(([letter, digit]) => [NAMES.indexOf(letter), Number(digit)]);
}

/** One question: per pair the two parts of its score and its weight; the chances of ten digits. */
export function answer({ scores, says }, context, letter) {
  const letterPart = context.map(([a]) => scores[letter][a]),
    digitPart = context.map(([, d]) => scores[letter][LETTERS + d]);
  const score = letterPart.map((x, i) => x + digitPart[i]),
    weights = softmax(score);
  const logits = says[0].map((_, n) =>
    context.reduce((sum, [a, d], i) => sum + weights[i] * (says[a][n] + says[LETTERS + d][n]), 0),
  );
  return { letterPart, digitPart, score, weights, logits, chances: softmax(logits) };
}

/**
 * Python that trains a model and tells of every second step: { step, loss, accuracy, attention,
 * matrices } with the entries of W_Q, W_K, W_V, W_O, float32 in base64; first of all { embedding }.
 * The page's session shows what a snippet says by sys.displayhook; its owner has the way out.
 */
export const training = (seed, steps) => `
import base64, json, sys
from qkv_docs import LookupHistory, LookupModel, train_lookup
tell = sys.displayhook.__self__.tell
def packed(*arrays):
    return base64.b64encode(b"".join(a.astype("<f4").tobytes() for a in arrays)).decode()
def show(step, model):
    numbers = {name: getattr(history, name)[-1] for name in ("loss", "accuracy", "attention")}
    matrices = packed(model.w_q, model.w_k, model.w_v, model.w_o)
    tell("snapshot", json.dumps({"step": step, **numbers, "matrices": matrices}))
model, history = LookupModel.create(${seed}), LookupHistory()
tell("snapshot", json.dumps({"scale": model.scale, "embedding": packed(model.embedding)}))
_ = train_lookup(model, steps=${steps}, seed=${seed}, every=2, on_evaluate=show, history=history)
`;
