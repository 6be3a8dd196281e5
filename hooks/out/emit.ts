// Lines on their way out: identical accesses are folded, and all waiting lines are sent in one message every 50 ms.

import type { Access, Event, Gap } from "../event.js";
import { bootMs, micros, timestamp, waitUntil } from "./clock.js";
import { after } from "./doorbell.js";
import { send } from "./numbered.js";
import { reach } from "./points.js";
import { expect, settleWritten, takeWritten, writeWith } from "./writing.js";

const MOST_WAITING = 100_000;
const LINES_A_MESSAGE = 500;
const EXIT_WAIT_S = 2;
/** How long flushAll waits for lines that other threads are making. */
const MAKING_WAIT_S = 0.5;

/** Repeats, with the times of the first and the last of them (microseconds). */
export interface Counted {
  count: number;
  first: number;
  last: number;
}

/** An access that was written, and its repeats since. */
export class Fold implements Counted {
  first: number;
  last: number;
  count = 0;
  /** the slots in which C counts repeats, if it does: one line of code may make the call in several places */
  readonly held = new Set<{ take: (free: boolean) => void }>();
  /** written for the last time: repeats added now are lost */
  gone = false;

  constructor(
    readonly line: Omit<Access, "v" | "app" | "pid" | "at" | "boot_ms" | "until" | "count">,
    /** when the last line was written or begun */
    public begun: number,
  ) {
    this.first = begun;
    this.last = begun;
  }

  add({ count, first, last }: Counted): void {
    if (count > 0) {
      this.first = this.count === 0 ? first : Math.min(this.first, first);
      this.last = this.count === 0 ? last : Math.max(this.last, last);
      this.count += count;
    }
  }
}

let app: string | null = null;
let appText = "null";
let flushMs = 50;
let foldUs = 1_000_000;
let waiting: string[] = [];
let facts: object[] = [];
let dropped = 0;
/** sha256 of the last body sent: the output of one transform is often the input of the next */
let lastBody = "";
let armed = false;
/** calls whose lines C wrote, and whose repeats it counts */
let written = 0;
const folds = new Map<string, Fold>();
const beforeFlush: (() => void)[] = [];

export function configure(name: string | null, flush: number, fold: number): void {
  app = name;
  appText = JSON.stringify(name);
  flushMs = flush;
  foldUs = fold * 1000;
  writeWith(`"app":${appText},"pid":${Process.id},`);
}

/** Package of the observed app. */
export function appName(): string {
  return app ?? "";
}

/**
 * Register a function that writes lines held back (such as for a cursor being read); called before the process ends.
 */
export function atEnd(give: () => void): void {
  beforeFlush.push(give);
}

const beforeLeaving: (() => void)[] = [];

/** Register a function that writes the values it has collected; it can be called at any time. */
export function collects(give: () => void): void {
  beforeLeaving.push(give);
  atEnd(give);
}

/** Something is about to be sent: write what has been read so far, so that it comes first. */
export function settle(): void {
  for (const give of beforeLeaving) {
    give();
  }
}

/** A line without the fields that `emit` adds. */
type Body = Event extends infer E ? (E extends Event ? Omit<E, "v" | "app" | "pid" | "at" | "arrived" | "owners" | "boot_ms"> : never) : never;

type Owners = (stack: readonly string[]) => (string | null)[];
let owners: Owners = () => [];

/** From now on, each line with a stack says whose code its frames are. */
export function sayOwners(of: Owners): void {
  owners = of;
}

/** Whose code the frames of a line's stack are; empty for a line without a stack. */
export function ownersIn(stack: readonly string[] | undefined): { owners?: (string | null)[] } {
  const found = stack === undefined || stack.length === 0 ? [] : owners(stack);
  return found.length === 0 ? {} : { owners: found };
}

/** Numbers of the lines that are being made. Other threads run meanwhile, and one of them may end the process. */
const making = new Set<number>();
let begun = 0;

/** How many of the lines with numbers below `until` are still being made. */
function unfinished(until: number): number {
  return [...making].filter((number) => number < until).length;
}

/** Queue one line. */
export function emit(at: number, body: Body): void {
  if (waiting.length >= MOST_WAITING) {
    dropped += 1;
    return;
  }
  const number = begun++;
  making.add(number);
  try {
    const whose = "stack" in body && body.stack.length > 0 ? ownersIn(body.stack) : null;
    reach("emit");
    const rest = JSON.stringify(whose === null ? body : { ...body, ...whose });
    waiting.push(`{"v":1,"at":"${timestamp(at)}","boot_ms":${bootMs(at)},"app":${appText},"pid":${Process.id},${rest.slice(1)}`);
  } finally {
    making.delete(number);
  }
  wake();
}

/** Queue a gap: what was not seen, and why. It begins at a time of `micros`, and may be over. */
export function gap(subject: string, why: Gap["why"], detail: string | null, at = micros(), until: number | null = null): void {
  emit(at, { kind: "gap", where: "hook", subject, why, detail, ...(until === null ? {} : { until: timestamp(until) }) });
}

/** The message of an error. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Send the host, at once, bytes that are too many for a line; the line names them by the sha256 that this returns. */
export function sendBody(bytes: ArrayBuffer): string {
  const sha256 = Checksum.compute("sha256", bytes);
  if (sha256 !== lastBody) {
    lastBody = sha256;
    send({ type: "body", sha256 }, bytes);
  }
  return sha256;
}

/** Queue something that the host turns into a line, such as a tap. */
export function tell(at: number, fact: object): void {
  facts.push({ at: timestamp(at), boot_ms: bootMs(at), app, pid: Process.id, ...fact });
  wake();
}

/**
 * Queue an access. `key` stands for all that makes two accesses identical; `line` is only called for the first of them.
 * The first is written at once; its repeats in the next second become one line with `count` and `until`. Returns the
 * fold that the access belongs to.
 */
export function emitAccess(at: number, key: string, line: () => Fold["line"]): Fold {
  // Other threads run while a line is made, and one of them may have queued the same access.
  const made = folds.has(key) ? null : line();
  reach("access");
  let fold = folds.get(key);
  if (fold === undefined) {
    fold = new Fold(made ?? line(), at);
    folds.set(key, fold);
    emit(at, fold.line);
  } else {
    fold.add({ count: 1, first: at, last: at });
    wake();
  }
  return fold;
}

/** The count is reset before the line is made: other threads run meanwhile, and add to it. */
function settleFold(fold: Fold, now: number): void {
  reach("settle");
  const { count, first, last } = fold;
  fold.count = 0;
  fold.begun = now;
  if (count === 1) {
    emit(first, fold.line);
  } else if (count > 1) {
    emit(first, { ...fold.line, count, until: timestamp(last) });
  }
}

function takeAll(fold: Fold, free: boolean): void {
  if (fold.held.size > 0) {
    for (const held of [...fold.held]) {
      held.take(free);
    }
  }
}

/** Folds are ordered by when their lines began, so that only those that are due are looked at. */
function settleFolds(all: boolean): void {
  const now = micros();
  // Only as many as there are now: other threads may begin new ones without end while lines are made.
  let left = folds.size;
  for (const [key, fold] of folds) {
    if (left === 0 || (!all && now - fold.begun < foldUs)) {
      return;
    }
    left -= 1;
    takeAll(fold, false);
    if (all || fold.count === 0) {
      // Repeats that are still counted while we look come with this last look.
      takeAll(fold, true);
    }
    fold.gone = all || fold.count === 0;
    folds.delete(key);
    if (!fold.gone) {
      // Moved to the end before its line is made: other threads run meanwhile, and would make another fold of the same
      // access.
      folds.set(key, fold);
    }
    if (fold.count > 0) {
      settleFold(fold, now);
    }
  }
}

function wake(): void {
  if (armed) {
    return;
  }
  armed = true;
  expect();
  after(flushMs, () => {
    armed = false;
    flush();
    if (folds.size > 0 || written > 0) {
      wake();
    }
  });
}

/** Exclusive, so that lines taken from the queue are sent before another thread runs, which may end the process. */
const strlen = new NativeFunction(
  Module.getGlobalExportByName("strlen"), "size_t", ["pointer"], { scheduling: "exclusive", exceptions: "propagate" });

/** A text as UTF-8 bytes. As a string inside the message, each quote in the lines would take two characters. */
function bytesOf(text: string): ArrayBuffer {
  const at = Memory.allocUtf8String(text);
  return at.readByteArray(Number(strlen(at))) ?? new ArrayBuffer(0);
}

/** Send what waits. */
export function flush(all = false): void {
  settleFolds(all);
  written = settleWritten(all, foldUs);
  if (dropped > 0) {
    const count = dropped;
    dropped = 0;
    waiting = waiting.slice(0, MOST_WAITING);
    waiting.push(JSON.stringify({
      v: 1, kind: "gap", at: timestamp(micros()), app, pid: Process.id, where: "hook", subject: "agent", why: "overflow",
      detail: `${count} lines came faster than they could be sent`,
    }));
  }
  const lines = waiting;
  const told = facts;
  waiting = [];
  facts = [];
  // Consent first: a live reader must not see what followed a yes before it sees the yes.
  if (told.length > 0) {
    send({ type: "facts", facts: told });
  }
  for (let bytes = takeWritten(); bytes !== null; bytes = takeWritten()) {
    send({ type: "lines" }, bytes);
  }
  for (let from = 0; from < lines.length; from += LINES_A_MESSAGE) {
    send({ type: "lines" }, bytesOf(lines.slice(from, from + LINES_A_MESSAGE).join("\n")));
  }
}

/**
 * Send all that is held anywhere, and the lines that other threads are making; for the last moment, and when the host
 * asks.
 */
export function flushAll(): void {
  for (const give of beforeFlush) {
    try {
      give();
    } catch (error) {
      report(error, "at the end");
    }
  }
  flush(true);
  const until = begun;
  if (unfinished(until) > 0) {
    if (!waitUntil(() => unfinished(until) === 0, MAKING_WAIT_S)) {
      gap("agent", "missed", `${unfinished(until)} lines were not ready when they were to be sent, and may be missing`);
    }
    flush(true);
  }
}

/** A fault of ours, for the host to see. */
export function report(error: unknown, where: string): void {
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  send({ type: "fault", where, detail: `${where}: ${detail}` });
}

let ended = false;

/** Send everything for the last time: the end of the process is no longer watched. */
export function leave(): void {
  flushAll();
  ended = true;
}

/**
 * The process is about to end: send everything, and wait briefly until the host has it. `inside`: the watcher that was
 * at work on the thread that ends the process, and so ended it.
 */
export function farewell(how: string, inside: string | null): void {
  if (ended) {
    return;
  }
  ended = true;
  flushAll();
  emit(micros(), { kind: "phase", state: "exited", text: how });
  flush(true);
  let had = false;
  recv("flushed", () => {
    had = true;
  });
  send({ type: "exit", how, inside });
  waitUntil(() => had, EXIT_WAIT_S);
}
