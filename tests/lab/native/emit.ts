// What the agent is replaced by in tests of its folds. Making a line may call into the VM, and then other threads run and make
// accesses. Here the same thread makes them, in the function that is called for the line.

import { micros } from "./out/clock.js";
import { configure, emitAccess, farewell, flush, sayOwners } from "./out/emit.js";

const FOLD_MS = 20;
const NEVER_MS = 1_000_000;

/** Accesses that are made while the next line is made. */
let meanwhile = 0;

function access(times: number): void {
  for (let i = 0; i < times; i += 1) {
    emitAccess(micros(), "the same", () => (
      { kind: "access", source: "a.B.c", data: "phone_number", outcome: "returned", stack: ["a.D.e(D.java:1)"] }));
  }
}

/** Write the line of what was counted, `times` more being made meanwhile. */
function write(times: number, all = false): void {
  Thread.sleep(2 * FOLD_MS / 1000);
  meanwhile = times;
  flush(all);
}

const create = new NativeFunction(
  Module.getGlobalExportByName("pthread_create"), "int", ["pointer", "pointer", "pointer", "pointer"]);
const leave = new NativeCallback(() => {
  farewell("exit", null);
  return NULL;
}, "pointer", ["pointer"]);

rpc.exports = {
  /** So many accesses, and another thread ends the process while the line of those that were counted is made. */
  end(times: number, seconds: number): void {
    configure("app", NEVER_MS, FOLD_MS);
    access(times);
    Thread.sleep(2 * FOLD_MS / 1000);
    sayOwners(() => {
      sayOwners(() => []);
      create(Memory.alloc(Process.pointerSize), NULL, leave, NULL);
      Thread.sleep(seconds);
      return [];
    });
    flush();
  },
  /** For each round so many accesses, and so many more while the line of those that were counted is made. */
  play(rounds: [number, number][]): void {
    configure("app", NEVER_MS, FOLD_MS);
    sayOwners(() => {
      const times = meanwhile;
      meanwhile = 0;
      access(times);
      return [];
    });
    for (const [before, during] of rounds) {
      access(before);
      write(during);
    }
    write(0, true);
  },
};
