// What the agent is replaced by in tests of its filters: it tells which calls JavaScript is entered for.

import { tableOf } from "./watch/automaton.js";
import { Descriptors, matching, ofFamily, oneOf, spare, watchCalls, type Filter, type Options } from "./watch/filters.js";

const taken: string[] = [];
const descriptors = new Descriptors<true>();
const AT_FIRST = ["read", "write", "writev", "send", "sendmsg", "recv", "close"];

function on(name: string, filter: Filter, options: Options = {}): void {
  watchCalls(Module.getGlobalExportByName(name), filter, {
    enter() {
      taken.push(name);
      return true;
    },
    leave(call, result) {
      taken.push(`${name} ${result.toInt32() === -1 ? call.errno : "ok"}`);
    },
  }, options);
}

/** A text as C has it, run through the table as C does it. */
function found(table: Uint16Array, text: string): boolean {
  const memory = Memory.allocUtf8String(text);
  const kinds = table[0] ?? 0;
  let state = 2;
  for (let at = 0, byte = -1; state > 1 && byte !== 0; at++) {
    byte = memory.add(at).readU8();
    state = table[1 + 256 + state * kinds + (table[1 + byte] ?? 0)] ?? 0;
  }
  return state === 1;
}

rpc.exports = {
  watch(files: string[], paths: string[], folders: string[], requests: number[], followed: number[]): void {
    on("open", matching(0, files));
    spare(/^libspared/);
    on("openat", matching(1, files), { spares: true });
    on("fopen", matching(0, files));
    on("stat", matching(0, paths));
    on("access", matching(0, paths));
    on("opendir", matching(0, folders));
    on("ioctl", oneOf(1, requests));
    on("socket", oneOf(0, [16]));
    on("connect", ofFamily(1, [2, 10]));
    for (const name of AT_FIRST) {
      on(name, descriptors.at(0));
    }
    on("dup2", descriptors.at(1));
    on("fclose", descriptors.ofStreamAt(0));
    for (const descriptor of followed) {
      descriptors.set(descriptor, true);
    }
    Interceptor.flush();
  },
  /** Calls since the last time. */
  taken: () => taken.splice(0),
  /** No more of a descriptor. */
  forget(descriptor: number): void {
    descriptors.delete(descriptor);
  },
  /** The agent's own calls, from its own thread. */
  own(path: string): number {
    const open = new NativeFunction(Module.getGlobalExportByName("open"), "int", ["pointer", "int"]);
    const descriptor = open(Memory.allocUtf8String(path), 0);
    File.readAllBytes(path);
    descriptors.set(descriptor, true);
    new NativeFunction(Module.getGlobalExportByName("close"), "int", ["int"])(descriptor);
    return descriptor;
  },
  /** For each text, whether the regular expression matches, and whether its table finds it; null without a table. */
  compare(pattern: string, texts: string[]): [boolean, boolean][] | null {
    const table = tableOf(pattern);
    return table === null ? null : texts.map((text) => [new RegExp(pattern).test(text), found(table, text)]);
  },
};
