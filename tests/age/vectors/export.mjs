// Prints the published test vectors as JSON: the header of each, and its file in base64, no longer compressed.
import { inflateSync } from "node:zlib";
import * as vectors from "cctv-age";

const exported = {};
for (const [name, bytes] of Object.entries(vectors)) {
  const buffer = Buffer.from(bytes);
  const end = buffer.indexOf("\n\n");
  const header = buffer.subarray(0, end).toString();
  const file = buffer.subarray(end + 2);
  const plain = /^compressed: zlib$/m.test(header) ? inflateSync(file) : file;
  exported[name] = { header, file: plain.toString("base64") };
}
process.stdout.write(JSON.stringify(exported));
