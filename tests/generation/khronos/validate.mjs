// Reads a GLB from standard input and prints the Khronos validator's report as JSON.
import { readFileSync } from "node:fs";
import { validateBytes } from "gltf-validator";

const report = await validateBytes(new Uint8Array(readFileSync(0)), {
  maxIssues: 100,
  externalResourceFunction: (uri) => Promise.reject(new Error(`not in the file: ${uri.length} characters`)),
});
process.stdout.write(JSON.stringify(report));
