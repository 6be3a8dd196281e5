// One access through a Java API: where it came from, how it went, and its line.

import type { Access, Value } from "../event.js";
import type { Env } from "../java/jni.js";
import { capture, cutOf, frames, threadNameOf } from "../java/stack.js";
import { emitAccess, gap, ownersIn, type Fold } from "../out/emit.js";
import type { SourceSpec } from "../plan.js";
import type { Read } from "./readers.js";

/** The access through which an object was obtained. */
export interface Origin {
  spec: SourceSpec;
  target: string | null;
  args: Record<string, unknown> | null;
}

let withStack = true;

export function configureStack(on: boolean): void {
  withStack = on;
}

export type Outcome = Access["outcome"];

/** Sources that gave a list too long for a line; one gap for each says so. */
const cut = new Set<string>();

/** Types whose recent values are remembered -> the texts given recently, oldest first. */
const remembered = new Map<string, Map<string, true>>();
const MOST_REMEMBERED = 1000;

/** Remember the values of a type, for sources that only report values that no other source gave. */
export function rememberValues(type: string): void {
  if (!remembered.has(type)) {
    remembered.set(type, new Map());
  }
}

/** Whether sources have given all of these values recently. */
export function wereGiven(values: Value[]): boolean {
  return values.length > 0 && values.every(({ type, text }) => remembered.get(type)?.has(text) === true);
}

function given(values: Value[]): void {
  for (const { type, text } of values) {
    const texts = remembered.get(type);
    if (texts !== undefined) {
      texts.delete(text);
      texts.set(text, true);
      if (texts.size > MOST_REMEMBERED) {
        texts.delete(texts.keys().next().value ?? "");
      }
    }
  }
}

/** All values in one text, equal only for equal values; built by hand, because it is made at each call. */
function told(values: Value[]): string {
  let text = "";
  for (const value of values) {
    text += `${value.type}:${value.text.length}:${value.text};${value.row ?? ""}`;
  }
  return text;
}

const patterns = new WeakMap<string[], RegExp[]>();

/** Whether a call was made because of us: its caller and the frames further out match the patterns in order. */
function isOurs(spec: SourceSpec, stack: string[]): boolean {
  return spec.ours.some((frames) => {
    let compiled = patterns.get(frames);
    if (compiled === undefined) {
      compiled = frames.map((pattern) => new RegExp(pattern));
      patterns.set(frames, compiled);
    }
    let at = -1;
    return compiled.every((pattern, i) => {
      at = stack.findIndex((frame, n) => n > at && pattern.test(frame));
      return i === 0 ? at === 0 : at > 0;
    });
  });
}

/**
 * Queue one access; returns what it was folded into, or null when the call was made because of us. `own` is the hooked
 * method's own frame, which does not count as a caller.
 */
export function access(
  env: Env, at: number, origin: Origin, outcome: Outcome, read: Read, own: string | null,
): Fold | null {
  const { spec, target } = origin;
  const { values, elements } = read;
  if (remembered.size > 0) {
    given(values);
  }
  const args = elements === null ? origin.args : { ...origin.args, elements };
  const captured = withStack ? capture(env) : "";
  if (spec.ours.length > 0 && isOurs(spec, frames(captured, own))) {
    return null;
  }
  const key = `${spec.source}\n${spec.data}\n${target}\n${outcome}\n${elements}\n${told(values)}\n${captured}`;
  const cutStack = withStack ? cutOf(captured) : null;
  const fold = emitAccess(at, key, () => ({
    kind: "access",
    source: spec.source,
    target,
    data: spec.data,
    values,
    outcome,
    args,
    stack: captured === "" ? [] : frames(captured, own),
    ...(cutStack === null ? {} : { stack_cut: cutStack }),
    thread: threadNameOf(env),
  }));
  if (read.cut && !cut.has(spec.source)) {
    cut.add(spec.source);
    gap(
      spec.source, "overflow",
      `it gave ${elements} elements; the lines of this source hold the values of ${values.length} at most`, at);
  }
  return fold;
}

/**
 * What the lines of further calls with this stack hold before and after their value, which is a text; the thread's name
 * follows. Null when JavaScript has to make each line.
 */
export function aroundValue({ line }: Fold): { before: string; after: string } | null {
  const rest: Partial<typeof line> = { ...line };
  delete rest.values;
  delete rest.thread;
  const { values = [] } = line;
  const [value] = values;
  if (line.outcome !== "returned" || value === undefined || values.length > 1 || remembered.has(value.type)) {
    return null;
  }
  const same = JSON.stringify({ ...rest, ...ownersIn(line.stack) }).slice(1, -1);
  return { before: `${same},"values":[{"type":${JSON.stringify(value.type)},"text":"`, after: `"}],"thread":` };
}

/** The outcome of a call that gave this: whether it gave anything. */
export function outcomeOf(read: Read): Outcome {
  return read.values.length > 0 || (read.elements ?? 0) > 0 ? "returned" : "empty";
}
