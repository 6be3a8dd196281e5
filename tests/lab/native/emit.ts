// What the agent is replaced by in tests of its folds: accesses are made while the line of others is made, as other threads
// make them, since that may call into the VM and let go of the script. Here it is the same thread that makes them, in that call.

import { micros } from "./out/clock.js";
import { configure, emitAccess, flush, sayOwners } from "./out/emit.js";

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

rpc.exports = {
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
