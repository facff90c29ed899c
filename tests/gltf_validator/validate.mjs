// Prints the Khronos validator's report of each file as one line of JSON.
import { readFileSync } from "node:fs";
import validator from "gltf-validator";

for (const path of process.argv.slice(2)) {
  const report = await validator.validateBytes(new Uint8Array(readFileSync(path)), { uri: path, maxIssues: 100 });
  console.log(JSON.stringify({ path, issues: report.issues, info: report.info }));
}
