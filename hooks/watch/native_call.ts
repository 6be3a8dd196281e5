// One call of a native function that concerns personal data: what it asked for, what it returned, and its line.

import type { Access, Value } from "../event.js";
import type { Where } from "../java/stack.js";
import { emitAccess } from "../out/emit.js";
import type { AskSpec, RouteSpec } from "../plan.js";
import type { Filter } from "./filters.js";

/** One call that concerns personal data. */
export interface Asked {
  route: RouteSpec;
  ask: AskSpec;
  /** the property, path or command line; empty when the call names nothing */
  target: string;
  at: number;
  where: Where;
}

/** The values that a call gave; null when they come later, in lines of their own. */
export type Given = Value[] | null;

/** How the calls of one route are read. */
export interface Reader {
  /** decides in C whether a call may be one that the plan asks for */
  finds?: (name: string, patterns: string[]) => Filter;
  /** what the call names; null when it is not of this kind */
  asks: (args: NativePointer[], name: string) => string | null;
  /** `args`: the arguments as they were at the beginning of the call */
  gives: (asked: Asked, result: NativePointer, args: NativePointer[], name: string) => Given;
  /** reported at the beginning of the call: it may run for long, and nothing of its result is read */
  atOnce?: boolean;
  /** false: it never gives values, but its outcome is `returned` nevertheless */
  names?: false;
  /** whether a result says that there was nothing */
  fails?: (result: NativePointer) => boolean;
}

/** Queue the access. */
export function say(asked: Asked, outcome: Access["outcome"], values: Value[], args: Access["args"] = null): void {
  const { route, ask, where } = asked;
  const target = asked.target === "" ? null : asked.target;
  const stack = where.stack;
  const key = [route.source, ask.data, target, outcome, JSON.stringify(args), JSON.stringify(values), ...stack].join("\n");
  emitAccess(asked.at, key, () => ({
    kind: "access", source: route.source, target, data: ask.data, values, outcome, args, stack, thread: where.thread,
  }));
}

/** The values in a text that was read: what the ask's pattern matches, or all of it. */
export function valuesIn(ask: AskSpec, text: string): Value[] {
  const found = ask.value === null ? [text.trim()] : [...text.matchAll(new RegExp(ask.value, "g"))].map(([value]) => value);
  return [...new Set(found)].filter((value) => value !== "").map((value) => ({ type: ask.data, text: value }));
}

/** Add a text with its type, unless it is null or already there. */
export function push(values: Value[], type: string, text: string | null): void {
  if (text !== null && !values.some((value) => value.type === type && value.text === text)) {
    values.push({ type, text });
  }
}
