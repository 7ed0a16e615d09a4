// Reads names of GLB files, one a line, and prints the Khronos validator's report on each as a line of JSON.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { validateBytes } from "gltf-validator";

const options = {
  maxIssues: 100,
  externalResourceFunction: (uri) => Promise.reject(new Error(`not in the file: ${uri.length} characters`)),
};
for await (const name of createInterface({ input: process.stdin })) {
  const report = await validateBytes(new Uint8Array(readFileSync(name)), options);
  process.stdout.write(`${JSON.stringify(report)}\n`);
}
