// Hooks functions of OpenSSL and BoringSSL, reads their input and output, and writes both as one line.

import type { Transform } from "../event.js";
import { micros } from "../out/clock.js";
import { emit } from "../out/emit.js";
import { Failures } from "../out/failures.js";
import { ALL, spare, watchCalls } from "./filters.js";
import { Nesting } from "./inside.js";
import { appCaller } from "./native.js";
import { blob, joined, tooFast } from "./transforms.js";

const TLS = /ssl|conscrypt|javacrypto/i;

/** Most bytes that one piece of work may take or give. */
export const MOST_BYTES = 8 * 1024 * 1024;

/** One piece of work: what it took, and what it gave. */
export interface Work {
  op: Transform["op"];
  algorithm: string;
  key: ArrayBuffer | null;
  iv: ArrayBuffer | null;
  taken: ArrayBuffer[];
  given: ArrayBuffer[];
  size: number;
}

/** What to do before and after a function; `library` finds other functions of the same library. */
export interface Hook {
  before?: (args: NativePointer[], library: Module) => void;
  after?: (args: NativePointer[], result: NativePointer, library: Module, caller: NativePointer) => void;
}

/**
 * A TLS library also ends the work that it begins, and none of it is the app's: its calls, some hundred in a handshake,
 * are let through.
 */
spare(TLS);

/** Calls that one of the functions makes itself are the same work. */
const within = new Nesting();

/** Hook a function, if the library exports it. */
export function attach(library: Module, name: string, hook: Hook): void {
  const address = library.findExportByName(name);
  if (address === null) {
    return;
  }
  const failures = new Failures(name);
  watchCalls(address, ALL, {
    enter(call) {
      if (within.has(call)) {
        return false;
      }
      within.enter(call);
      failures.safely(() => hook.before?.(call.args, library));
      return true;
    },
    leave(call, result) {
      failures.safely(() => hook.after?.(call.args, result, library, call.returnAddress));
      within.leave(call);
    },
  }, { covers: true, spares: true });
}

/** The bytes of an argument; null when there are none or too many. */
export function read(at: NativePointer | undefined, size: number): ArrayBuffer | null {
  return at === undefined || at.isNull() || size <= 0 || size > MOST_BYTES ? null : at.readByteArray(size);
}

/** Queue the line of a finished piece of work, if the app itself asked for it. */
export function tell(work: Work, caller: NativePointer): void {
  const where = work.taken.length === 0 || work.given.length === 0 ? null : appCaller(caller);
  const at = micros();
  if (where === null || tooFast(where.stack[0] ?? "", at)) {
    return;
  }
  emit(at, {
    kind: "transform",
    op: work.op,
    algorithm: work.algorithm,
    input: blob(joined(work.taken)),
    output: blob(joined(work.given)),
    key: work.key === null ? null : blob(work.key),
    iv: work.iv === null ? null : blob(work.iv),
    stack: where.stack,
    thread: where.thread,
  });
}

/** The same for work that is a single call. */
export function once(
  op: Transform["op"], algorithm: string, input: ArrayBuffer | null, output: ArrayBuffer | null, key: ArrayBuffer | null,
  caller: NativePointer, iv: ArrayBuffer | null = null,
): void {
  if (input !== null && output !== null) {
    tell({ op, algorithm, key, iv, taken: [input], given: [output], size: 0 }, caller);
  }
}
