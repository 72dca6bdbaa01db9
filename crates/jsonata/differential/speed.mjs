// Prints how fast this crate and jsonata-js evaluate typical expressions, with the data in `$states` as in a workflow.
//   node speed.mjs [BINARY of examples/speed]

import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import jsonata from "jsonata";

const here = path.dirname(fileURLToPath(import.meta.url));
const binary = process.argv[2] ?? path.join(here, "../../../target/release/examples/speed");
// Many short windows, of which the best counts: other programs disturb most of them.
const seconds = 0.03;
const windows = 30;

const orders = (count) => Array.from({ length: count }, (_, i) => ({
  id: i, customer: `customer-${i % 17}`, region: ["north", "south", "east", "west"][i % 4], total: (i * 7919) % 1000 / 4,
  items: [{ sku: `SKU-${i % 50}`, quantity: 1 + (i % 5) }], paid: i % 3 === 0, email: `user${i}@example.com`,
}));
const small = { input: { orders: orders(5), name: "Ada", count: 3 } };
const large = { input: { orders: orders(1000), name: "Ada", count: 3 } };

const rows = [
  ["field access", "$states.input.orders[0].customer", small],
  ["condition (Choice)", "$states.input.count > 2 and $states.input.name = 'Ada'", small],
  ["string concat", "'Hello ' & $states.input.name & ', you have ' & $states.input.count & ' orders'", small],
  ["object construction", "{'name': $states.input.name, 'first': $states.input.orders[0].id, 'n': $count($states.input.orders), 'ok': true}", small],
  ["filter 1000", "$states.input.orders[total > 100 and paid]", large],
  ["path map 1000", "$states.input.orders.items.quantity", large],
  ["$map lambda 1000", "$map($states.input.orders, function($o){ {'id': $o.id, 'sum': $o.total * 2} })", large],
  ["$filter lambda 1000", "$filter($states.input.orders, function($o){ $o.total > 100 })", large],
  ["$sum 1000", "$sum($states.input.orders.total)", large],
  ["$reduce 1000", "$reduce($states.input.orders.total, function($a, $b){ $a + $b }, 0)", large],
  ["group-by 1000", "$states.input.orders{region: $sum(total)}", large],
  ["sort 1000", "$states.input.orders^(>total, id).id", large],
  ["regex 1000", "$states.input.orders[$contains(email, /^user[0-9]*5@/)].id", large],
].map(([name, expr, states]) => ({ name, expr, states }));

async function fastest(run) {
  let best = 0;
  for (let i = 0; i < windows; i++) {
    const start = performance.now();
    let count = 0;
    while (performance.now() - start < seconds * 1000) {
      await run();
      count++;
    }
    best = Math.max(best, (count * 1000) / (performance.now() - start));
  }
  return best;
}

const run = spawnSync(binary, { input: JSON.stringify({ rows, seconds, windows }), maxBuffer: 1 << 28 });
if (run.status !== 0) throw new Error(String(run.stderr));
const ours = run.stdout.toString().trim().split("\n").map((line) => JSON.parse(line));
const ratios = [];
console.log("| expression | bound: ours | js | ratio | compile + evaluate: ours | js | ratio |\n|---|---|---|---|---|---|---|");
for (const [i, { name, expr, states }] of rows.entries()) {
  const expression = jsonata(expr);
  const theirs = JSON.stringify(await expression.evaluate(undefined, { states }));
  if (theirs !== ours[i].result) console.log(`${name}: answers differ: ${theirs.slice(0, 200)} / ${ours[i].result.slice(0, 200)}`);
  const bound = await fastest(() => expression.evaluate(undefined, { states }));
  const compiled = await fastest(() => jsonata(expr).evaluate(undefined, { states }));
  ratios.push(ours[i].bound / bound);
  const n = (value) => Math.round(value);
  console.log(`| ${name} | ${ours[i].bound} | ${n(bound)} | ${(ours[i].bound / bound).toFixed(1)}x | ${ours[i].compiled} | ${n(compiled)} | ${(ours[i].compiled / compiled).toFixed(1)}x |`);
}
const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
console.log(`geometric mean ${mean.toFixed(1)}x, least ${Math.min(...ratios).toFixed(1)}x`);
