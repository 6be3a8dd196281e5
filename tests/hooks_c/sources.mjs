// Prints what JavaScript adds to the agent's C on each processor, as JSON: {processor: {file: C}}. Arguments: processor=pointer size ...
//
// `layouts`, behind each file of hooks/native: its structures as JavaScript expects them; `methods`: the functions that are made
// for hooked methods. Both modules need nothing of Frida's but the constants of Process.

import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const hooks = path.resolve(import.meta.dirname, "../../hooks");
const ts = createRequire(path.join(hooks, "package.json"))("typescript");

function loader(Process) {
  const load = (file) => {
    if (file.endsWith(".txt")) {
      return { default: `#include "${path.basename(file, ".txt")}.h"` };
    }
    const exports = {};
    const { outputText } = ts.transpileModule(fs.readFileSync(file, "utf8"), {
      compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
    });
    const near = (name) => load(path.join(path.dirname(file), name.replace(/\.js$/, ".ts")));
    new Function("exports", "require", "Process", outputText)(exports, near, Process);
    return exports;
  };
  return load;
}

/** Functions for methods: one that takes and gives each kind, and one that takes none. */
function made({ C_KINDS, methods }) {
  const letters = Object.keys(C_KINDS);
  const values = letters.filter((letter) => letter !== "V");
  return methods(letters.flatMap((gives) => [[], values].map((takes) => ({ hook: "0x1000", script: "0x2000", takes, gives }))));
}

function sourcesOn(arch, pointerSize) {
  const load = loader({ arch, pointerSize });
  const { SHARED, layouts } = load(path.join(hooks, "native/layouts.ts"));
  const behind = Object.keys(SHARED).map((file) => [file, layouts(file)]);
  return { layouts: Object.fromEntries(behind), methods: made(load(path.join(hooks, "java/methods.ts"))) };
}

const all = process.argv.slice(2).map((word) => word.split("="));
console.log(JSON.stringify(Object.fromEntries(all.map(([arch, size]) => [arch, sourcesOn(arch, Number(size))]))));
