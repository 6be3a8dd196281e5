// Prints the agent's C as it is on each processor, as JSON: {processor: {module: source}}. Arguments: processor=pointer size ...
//
// All C stands in modules hooks/**/*_c.ts, which need nothing of Frida's but the constants of Process; the rest of the agent
// is not run.

import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const hooks = path.resolve(import.meta.dirname, "../../hooks");
const ts = createRequire(path.join(hooks, "package.json"))("typescript");

function modulesOf(Process) {
  const loaded = new Map();
  return function load(file) {
    if (!file.endsWith("_c.ts")) {
      throw new Error(`${file} is imported by C, and no module of C`);
    }
    if (!loaded.has(file)) {
      const exports = {};
      loaded.set(file, exports);
      const { outputText } = ts.transpileModule(fs.readFileSync(file, "utf8"), {
        compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
      });
      const near = (name) => load(path.join(path.dirname(file), name.replace(/\.js$/, ".ts")));
      new Function("exports", "require", "Process", outputText)(exports, near, Process);
    }
    return loaded.get(file);
  };
}

/** What folding_c.ts makes for methods: one that takes and gives each kind, and one that takes none. */
function methods({ C_KINDS, methods }) {
  const letters = Object.keys(C_KINDS);
  const values = letters.filter((letter) => letter !== "V");
  return methods(letters.flatMap((gives) => [[], values].map((takes) => ({ hook: "0x1000", script: "0x2000", takes, gives }))));
}

function sourcesOn(arch, pointerSize) {
  const load = modulesOf({ arch, pointerSize, pageSize: 4096, platform: "linux" });
  const files = fs.readdirSync(hooks, { recursive: true }).filter((name) => name.endsWith("_c.ts") && !name.includes("node_modules"));
  const found = {};
  for (const file of files.sort()) {
    const exports = load(path.join(hooks, file));
    if (exports.SOURCE !== undefined) {
      found[file] = exports.SOURCE;
    }
    if (exports.methods !== undefined) {
      found[`${file}, methods`] = methods(exports);
    }
  }
  return found;
}

const all = process.argv.slice(2).map((word) => word.split("="));
console.log(JSON.stringify(Object.fromEntries(all.map(([arch, size]) => [arch, sourcesOn(arch, Number(size))]))));
