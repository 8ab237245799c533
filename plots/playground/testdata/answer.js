// Runs a playground's program under Node: node answer.js GLUE WASM BUNDLE < requests > answers, one JSON a line.
"use strict";
const fs = require("fs");
globalThis.require = require;
globalThis.fs = fs;
globalThis.path = require("path");
globalThis.TextEncoder ??= require("util").TextEncoder;
globalThis.TextDecoder ??= require("util").TextDecoder;
globalThis.performance ??= require("perf_hooks").performance;
globalThis.crypto ??= require("crypto").webcrypto;
const [, , glue, wasm, bundle] = process.argv;
require(glue);

(async () => {
  const go = new Go();
  const { instance } = await WebAssembly.instantiate(fs.readFileSync(wasm), go.importObject);
  go.run(instance);
  console.log(mmilnPlayground.open(new Uint8Array(fs.readFileSync(bundle))));
  for (const line of fs.readFileSync(0, "utf8").trim().split("\n")) {
    const { what, controls } = JSON.parse(line);
    console.log(mmilnPlayground[what](JSON.stringify(controls)));
  }
  process.exit(0);
})();
