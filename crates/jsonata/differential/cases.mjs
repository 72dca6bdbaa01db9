// Generates (expression, data) pairs from the official suite: its expressions on other datasets, on changed data, and
// wrapped in templates. The same seed gives the same cases.

import fs from "node:fs";
import path from "node:path";

/** A small generator of random numbers (mulberry32), so that runs can be repeated. */
export function randomNumbers(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const templates = [
  "(%)", "[%]", "(%)[]", "(%)[0]", "(%)[-1]", "(%)[[0,1]]", "[%][0]", "(%).*", "(%).**", "{'k': %}", "{'k': %}.k",
  "$string(%)", "$count(%)", "$type(%)", "$exists(%)", "$boolean(%)", "$not(%)", "$keys(%)", "$spread(%)",
  "$distinct(%)", "$reverse(%)", "$append(%, 1)", "$append([], %)", "$append(%, %)", "$sort(%)", "$merge(%)",
  "$map(%, function($v,$i){$v})", "$map(%, function($v,$i){[$i,$v]})", "$filter(%, function($v){$v})",
  "$reduce(%, function($a,$b){$string($a) & $string($b)})", "$each(%, function($v,$k){$k})", "$sift(%, function($v){$v})",
  "$single(%)", "$zip(%, [1,2,3])", "$lookup(%, 'a')", "$length(%)", "$sum(%)", "$max(%)", "$join(%, '-')",
  "(%) & ''", "(%) = (%)", "(%) != null", "(%) + 1", "-(%)", "(%) < 5", "1 in (%)", "(%) in [1,2]", "(%) and true",
  "(%) or false", "(%) ? 'y' : 'n'", "(%) ~> $string", "(%) ~> $count()", "($x := %; [$x, $x])", "($f := function($x){$x}; $f(%))",
  "(%)^($)", "(%)#$i.{'i': $i}", "(%)@$x.{'x': $x}", "(%){$string($): $count($)}", "(%) ~> |$|{'n': 1}|", "[1,2].(%)",
  "$string([%])", "$string({'a': %}, true)", "(%).($)", "[(%).$]", "(%)[$ != 3]", "$uppercase(%)", "$number(%)",
  "$split(%, 'a')", "$replace(%, 'a', 'b')", "$contains(%, /a/)", "$match(%, /[a-z]+/)", "$substring(%, 1, 2)",
  "$formatNumber(%, '#,##0.00')", "$round(%, 1)", "(%).%", "(%).a.%",
];

const unstable = /\$(random|now|millis|shuffle|uuid)\b|performance/;

export function readSuite(root) {
  const datasets = {};
  for (const file of fs.readdirSync(path.join(root, "datasets"))) {
    datasets[path.basename(file, ".json")] = JSON.parse(fs.readFileSync(path.join(root, "datasets", file)));
  }
  const cases = [];
  for (const group of fs.readdirSync(path.join(root, "groups")).sort()) {
    const directory = path.join(root, "groups", group);
    for (const file of fs.readdirSync(directory).filter((name) => name.endsWith(".json")).sort()) {
      const text = JSON.parse(fs.readFileSync(path.join(directory, file)));
      for (const item of Array.isArray(text) ? text : [text]) {
        const expr = item.expr ?? fs.readFileSync(path.join(directory, item["expr-file"]), "utf8");
        if (unstable.test(expr) || item.depth || /[\ud800-\udfff]/.test(expr) || /\\ud[89a-f]/i.test(expr)) continue;
        const data = "dataset" in item && item.dataset ? datasets[item.dataset] : item.data;
        cases.push({ expr, data, bindings: item.bindings ?? {} });
      }
    }
  }
  return { cases, datasets: Object.values(datasets).filter((data) => JSON.stringify(data).length < 20000) };
}

/** Data with small changes: nulls, arrays around single values and the reverse, keys removed, other primitives. */
export function mutate(value, random) {
  const roll = random();
  if (roll < 0.02) return null;
  if (roll < 0.04) return [value];
  if (Array.isArray(value)) {
    if (roll < 0.07 && value.length === 1) return mutate(value[0], random);
    if (roll < 0.1) return [];
    return value.map((item) => mutate(item, random));
  }
  if (value && typeof value === "object") {
    const entries = Object.entries(value).filter(() => random() > 0.06);
    return Object.fromEntries(entries.map(([key, item]) => [key, mutate(item, random)]));
  }
  if (roll < 0.08) return [0, "", "a", true, false, -1.5, 1e21, "5", "é", 123456789012][Math.floor(random() * 10)];
  return value;
}

export function generate(root, seed, each) {
  const random = randomNumbers(seed);
  const { cases, datasets } = readSuite(root);
  const pick = (list) => list[Math.floor(random() * list.length)];
  const generated = [];
  for (const { expr, data, bindings } of cases) {
    for (let i = 0; i < each; i++) {
      generated.push({ expr, data: pick(datasets), bindings });
      generated.push({ expr, data: mutate(data ?? pick(datasets), random), bindings });
      const template = pick(templates);
      // The last template character is an operator of its own: only the first one stands for the expression.
      const wrapped = template.includes("(%).%") || template.includes("(%).a.%")
        ? template.replace("%", () => expr)
        : template.replaceAll("%", () => expr);
      generated.push({ expr: wrapped, data, bindings });
    }
  }
  return generated;
}
