// Runs generated cases through jsonata-js and through this crate, and reports where they differ.
//   node run.mjs [--suite DIR] [--seed N] [--each N] [--answer BINARY] [--write FILE --count N] [--show N] [--java PYTHON]

import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import jsonata from "jsonata";
import { generate, randomNumbers } from "./cases.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const options = { suite: path.join(here, "../../../../shared/jsonata-suite"), seed: "7", each: "4", show: "20", count: "500" };
for (let i = 2; i < process.argv.length; i += 2) options[process.argv[i].slice(2)] = process.argv[i + 1];
const answer = options.answer ?? path.join(here, "../../../target/release/examples/answer");

/** Objects with their keys in order, so that texts can be compared. */
function canonical(value) {
  if (Array.isArray(value)) return value.map(canonical);
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.keys(value).sort().map((key) => [key, canonical(value[key])]));
  }
  return value;
}

const isFunction = (value) => typeof value === "function" || value?._jsonata_lambda || value?._jsonata_function;

/** Functions leave JSON as they do in jsonata-js's own `$string`, but for being dropped. */
function plain(value, depth = 0) {
  if (depth > 600) throw new RangeError("too deep");
  if (isFunction(value)) return undefined;
  if (Array.isArray(value)) return Array.from(value, (item) => plain(item, depth + 1));
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.keys(value).map((key) => [key, plain(value[key], depth + 1)]));
  }
  return value;
}

async function ask({ expr, data, bindings }) {
  try {
    const expression = jsonata(expr, { timeout: 3000, stack: 400 });
    const value = await expression.evaluate(structuredClone(data), structuredClone(bindings));
    if (isFunction(value)) return { function: true };
    if (value === undefined) return { undefined: true };
    return { value: canonical(JSON.parse(JSON.stringify(plain(value)))) };
  } catch (error) {
    const limit = error instanceof RangeError || ["D1011", "D1012"].includes(error.code);
    return limit ? { limit: true } : { code: error.code ?? "", message: error.message };
  }
}

const cases = generate(options.suite, Number(options.seed), Number(options.each));
const input = cases.map((item) => JSON.stringify(item)).join("\n");
const run = spawnSync(answer, { input, maxBuffer: 1 << 30 });
if (run.status !== 0) throw new Error(`the answering program failed: ${run.stderr}`);
const ours = run.stdout.toString().trim().split("\n").map((line) => JSON.parse(line));

// A relative of AWS's evaluator instead of jsonata-js: the PyPI package jsonata-rs, in the Python named.
let relative;
if (options.java) {
  const partner = spawnSync(options.java, [path.join(here, "java.py")], { input, maxBuffer: 1 << 30 });
  if (partner.status !== 0) throw new Error(`the other program failed: ${partner.stderr}`);
  const parse = (line) => JSON.parse(line.replace(/\b-?Infinity\b|\bNaN\b/g, "null"));
  relative = partner.stdout.toString().trim().split("\n").map(parse);
}

const kinds = {};
let shown = 0;
let agreed = 0;
let messages = 0;
let messagesAgreed = 0;
const kept = [];
for (let i = 0; i < cases.length; i++) {
  const theirs = relative ? relative[i] : await ask(cases[i]);
  if ("value" in theirs) theirs.value = canonical(theirs.value);
  const mine = ours[i];
  if ("value" in mine) mine.value = canonical(mine.value);
  const { message, ...rest } = theirs;
  const { message: ourMessage, ...ourRest } = mine;
  if (JSON.stringify(rest) === JSON.stringify(ourRest)) {
    agreed++;
    if (rest.code) {
      messages++;
      if (message === ourMessage) messagesAgreed++;
      else if (options.messages) console.log(`MESSAGE ${cases[i].expr.slice(0, 80)}\n  js   ${message}\n  ours ${ourMessage}`);
    }
    kept.push({ ...cases[i], answer: rest });
    continue;
  }
  const kind = `${Object.keys(rest)[0]} ${relative ? "in java" : "in js"}, ${Object.keys(ourRest)[0]} here`;
  kinds[kind] = (kinds[kind] ?? 0) + 1;
  if (shown++ < Number(options.show)) {
    console.log(`${kind}\n  expr ${cases[i].expr.replaceAll("\n", " ").slice(0, 300)}\n  data ${JSON.stringify(cases[i].data)?.slice(0, 200)}`);
    if (relative) console.log(`  js   ${JSON.stringify(await ask(cases[i])).slice(0, 300)}`);
    console.log(`  ${relative ? "java" : "js  "} ${JSON.stringify(theirs).slice(0, 300)}\n  ours ${JSON.stringify(mine).slice(0, 300)}`);
  }
}
console.log(`${agreed} of ${cases.length} agree: ${((100 * agreed) / cases.length).toFixed(3)} %`);
console.log(`messages of errors with a code: ${messagesAgreed} of ${messages} agree`, kinds);

if (options.write) {
  const random = randomNumbers(11);
  const small = kept.filter((item) => JSON.stringify(item).length < 1500 && !item.answer.limit && item.answer.code !== "");
  const chosen = [];
  while (chosen.length < Number(options.count) && small.length) {
    chosen.push(small.splice(Math.floor(random() * small.length), 1)[0]);
  }
  fs.writeFileSync(options.write, chosen.map((item) => JSON.stringify(item)).join("\n") + "\n");
}
