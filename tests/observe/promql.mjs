/** Reads PromQL expressions, a JSON list on standard input, by Prometheus's own grammar; tells what each one asks for. */

import { readFileSync } from "node:fs";

import { parser } from "@prometheus-io/lezer-promql";

const found = JSON.parse(readFileSync(0, "utf8")).map((text) => {
  const said = { errors: 0, metrics: [], labels: [] };
  parser.parse(text).iterate({
    enter(node) {
      const word = text.slice(node.from, node.to);
      if (node.type.isError) said.errors += 1;
      // A selector's name is an Identifier; labels are named in matchers and behind `by`.
      if (node.name === "Identifier") said.metrics.push(word);
      if (node.name === "LabelName") said.labels.push(word);
    },
  });
  return said;
});
process.stdout.write(JSON.stringify(found));
