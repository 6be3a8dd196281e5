// What the app reads from a cursor, cell by cell: lines hold the values that were read, with their rows, not all that
// the query returned.

import type { Value } from "../event.js";
import { Method, className, wrapperFor } from "../java/classes.js";
import { watch, type Call, type Watch } from "../java/engine.js";
import { installForObject } from "../java/installing.js";
import {
  byteArray, charArray, classOf, eachOf, globalRef, inFrame, intField, isSame, objectField, text, type Env,
} from "../java/jni.js";
import { capture, frames, ownFrame, threadNameOf } from "../java/stack.js";
import { Tracked } from "../java/tracked.js";
import { micros } from "../out/clock.js";
import { after } from "../out/doorbell.js";
import { collects, emit, emitAccess } from "../out/emit.js";
import type { FollowSpec, TableSpec } from "../plan.js";
import type { Origin, Outcome } from "./access.js";
import { decimal, utf8 } from "./readers.js";

/** A line is written when the app has not read for this long, or has read this many rows. */
const IDLE_MS = 200;
const IDLE_US = IDLE_MS * 1000;
const ROWS_A_LINE = 500;
/** Most cells remembered, so that one that is read twice is one value. */
const MOST_CELLS = 200_000;

const getCount = new Method("android.database.Cursor", "getCount", "()I");
const getPosition = new Method("android.database.Cursor", "getPosition", "()I");
const getColumnNames = new Method("android.database.Cursor", "getColumnNames", "()[Ljava/lang/String;");
const getString = new Method("android.database.Cursor", "getString", "(I)Ljava/lang/String;");
const windowString = new Method("android.database.CursorWindow", "getString", "(II)Ljava/lang/String;");

type Kind = string | Record<string, string> | null;

/** A query's result while the app reads it. */
interface Reading {
  origin: Origin;
  /** for each column its type, a choice of types by MIME type, or null for what is not personal data */
  kinds: Kind[];
  columns: string[];
  mimetype: number;
  /** the column that says whose a row is, if the app queried it */
  contact: number;
  /** the row whose contact was read last, and that contact */
  contactOf: [row: number, contact: string | null];
  /** MIME type named in the query itself, when the cursor has no such column */
  asked: string | null;
  rows: number;
  cells: Set<number>;
  /** the line being made */
  values: Value[];
  read: Set<number>;
  touched: Set<string>;
  at: number;
  lastRead: number;
  captured: string;
  own: string | null;
  thread: string | null;
  first: boolean;
  waits: boolean;
}

const cursors = new Tracked<Reading>();
const windows = new Tracked<Reading>();
const open = new Set<Reading>();

collects(() => {
  for (const reading of open) {
    if (holds(reading)) {
      write(reading);
    }
  }
});

/** A query returned a cursor: write a line for an empty one at once, and follow any other. */
export function openCursor(call: Call, cursor: NativePointer, spec: FollowSpec, origin: Origin): void {
  const { env } = call;
  const rows = getCount.number(env, cursor);
  const columns = inFrame(env, () => {
    return eachOf(env, getColumnNames.object(env, cursor), (name) => text(env, name) ?? "");
  });
  const asked = Object.values(origin.args ?? {}).map(String).find((arg) => arg.includes("vnd.android.cursor.item/"));
  const reading: Reading = {
    origin,
    kinds: columns.map((column) => kindOf(column, origin.target ?? "", spec.tables)),
    columns,
    mimetype: columns.findIndex((column) => bareName(column) === "mimetype"),
    contact: columns.findIndex((column) => bareName(column) === "contact_id"),
    contactOf: [-1, null],
    asked: /vnd\.android\.cursor\.item\/[\w.-]+/.exec(asked ?? "")?.[0] ?? null,
    rows,
    cells: new Set(),
    values: [],
    read: new Set(),
    touched: new Set(),
    at: call.begun,
    lastRead: call.begun,
    captured: capture(env),
    own: ownFrame(call),
    thread: threadNameOf(env),
    first: true,
    waits: false,
  };
  if (rows === 0) {
    write(reading);
    return;
  }
  cursors.set(env, cursor, reading);
  open.add(reading);
  wait(reading);
  hookClass(env, cursor, GETTERS);
}

function bareName(column: string): string {
  return column.slice(column.lastIndexOf(".") + 1).toLowerCase();
}

function kindOf(column: string, uri: string, tables: TableSpec[]): Kind {
  const name = bareName(column);
  for (const table of tables) {
    if (new RegExp(table.uri).test(uri)) {
      const kind = table.columns[name];
      if (kind !== undefined) {
        return kind;
      }
    }
  }
  return null;
}

function wait(reading: Reading): void {
  if (reading.waits) {
    return;
  }
  reading.waits = true;
  after(IDLE_MS, () => {
    reading.waits = false;
    if (micros() - reading.lastRead < IDLE_US) {
      wait(reading);
    } else if (holds(reading)) {
      write(reading);
    }
  });
}

/** Whether there is something to write: cells, or at first that the query was made. */
function holds(reading: Reading): boolean {
  return reading.first || reading.read.size > 0;
}

/** Write one line for what was read since the last one. */
function write(reading: Reading): void {
  const { origin, values } = reading;
  const { spec, target } = origin;
  const args = {
    ...origin.args,
    rows: reading.rows,
    rows_read: reading.read.size,
    ...(reading.touched.size > 0 ? { columns: [...reading.touched] } : {}),
  };
  const outcome: Outcome = reading.rows === 0 ? "empty" : "returned";
  const stack = frames(reading.captured, reading.own);
  const line = {
    kind: "access" as const, source: spec.source, target, data: spec.data, values, outcome,
    args, stack, thread: reading.thread,
  };
  if (values.length === 0) {
    const key = [spec.source, spec.data, target, outcome, JSON.stringify(args), reading.captured].join("\n");
    emitAccess(reading.at, key, () => line);
  } else {
    emit(reading.at, line);
  }
  reading.values = [];
  reading.read = new Set();
  reading.touched = new Set();
  reading.first = false;
}

/** A cell was read; `value` as text. */
function add(env: Env, reading: Reading, row: number, column: number, value: string | null, call: Call): void {
  if (holds(reading) && call.begun - reading.lastRead >= IDLE_US) {
    write(reading);  // on a busy device, the timer is late
  }
  if (!holds(reading)) {
    // A later line says who reads now, and when: the cursor may have been passed on.
    reading.at = call.begun;
    reading.captured = capture(env);
    reading.own = ownFrame(call);
    reading.thread = threadNameOf(env);
  }
  reading.lastRead = call.begun;
  reading.read.add(row);
  reading.touched.add(reading.columns[column] ?? String(column));
  const cell = row * reading.columns.length + column;
  const type = typeOf(env, reading, row, column, value, call);
  if (type !== null && value !== null && value !== "" && !reading.cells.has(cell)) {
    if (reading.cells.size < MOST_CELLS) {
      reading.cells.add(cell);
    }
    const contact = contactOf(env, reading, row, call);
    reading.values.push(contact === null ? { type, text: value, row } : { type, text: value, row, contact });
  }
  if (reading.read.size >= ROWS_A_LINE) {
    write(reading);
  } else {
    wait(reading);
  }
}

function typeOf(
  env: Env, reading: Reading, row: number, column: number, value: string | null, call: Call,
): string | null {
  const kind = reading.kinds[column] ?? null;
  if (kind === null || typeof kind === "string") {
    return kind;
  }
  const mime = reading.mimetype >= 0 ? readBeside(env, row, reading.mimetype, call) : reading.asked;
  if (mime !== null) {
    return kind[mime] ?? null;
  }
  return guess(value ?? "");
}

/** Another cell of the row that the app is reading. */
function readBeside(env: Env, row: number, column: number, call: Call): string | null {
  const self = call.self ?? NULL;
  return inFrame(env, () =>
    text(env, call.overload.argumentTypes.length > 1 && windows.get(env, self) !== undefined
      ? windowString.object(env, self, row, column)
      : getString.object(env, self, column)));
}

/** The contact id of a row: rows with the same id belong to one person. */
function contactOf(env: Env, reading: Reading, row: number, call: Call): string | null {
  if (reading.contact < 0) {
    return null;
  }
  if (reading.contactOf[0] !== row) {
    reading.contactOf = [row, readBeside(env, row, reading.contact, call)];
  }
  return reading.contactOf[1];
}

/** The type of a value in a general column, in a row whose MIME type is unknown. */
function guess(value: string): string | null {
  if (/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value)) {
    return "email";
  }
  if (/^\+?[\d\s().*#-]{5,}$/.test(value) && (value.match(/\d/g)?.length ?? 0) >= 5) {
    return "phone_number";
  }
  return null;
}

// Which methods return values, and how.

type Reader = (call: Call) => string | null;

const READERS: Record<string, Reader> = {
  getString: (call) => text(call.env, call.result as NativePointer),
  getInt: (call) => String(call.result),
  getShort: (call) => String(call.result),
  getLong: (call) => String(call.result),
  getFloat: (call) => decimal(call.result as number),
  getDouble: (call) => decimal(call.result as number),
  getBlob: (call) => {
    const array = call.result as NativePointer;
    return array.isNull() ? null : utf8(byteArray(call.env, array));
  },
  copyStringToBuffer: (call) => {
    const buffer = call.args[call.args.length - 1] as NativePointer;
    return inFrame(call.env, () =>
      charArray(call.env, objectField(call.env, buffer, "data", "[C"), intField(call.env, buffer, "sizeCopied")));
  },
};
const GETTERS = [...Object.keys(READERS), "getWindow", "fillWindow", "close"];
const WINDOW_GETTERS = Object.keys(READERS);

const prepared: NativePointer[] = [];

function hookClass(env: Env, object: NativePointer, methods: string[]): void {
  if (inFrame(env, () => prepared.some((cls) => isSame(env, cls, classOf(env, object))))) {
    return;
  }
  const [cls, name] = inFrame(env, () => {
    const local = classOf(env, object);
    return [globalRef(env, local), className(env, local)];
  });
  prepared.push(cls);
  installForObject(name, (own) => {
    const wrapper = wrapperFor(own, name, cls);
    for (const method of methods) {
      watch(own, wrapper, method, null, "api", methods === GETTERS ? onCursor(method) : onWindow(method));
    }
  });
}

const watchers = new Map<string, Watch>();

/** One watcher for each method name, however many classes have it, so that an inherited method is watched once. */
function onCursor(method: string): Watch {
  let watcher = watchers.get(method);
  if (watcher === undefined) {
    watcher = {
      subject: `android.database.Cursor.${method}`,
      wants: ({ env, self }) => cursors.get(env, self) !== undefined,
      after: (call) => {
        const reading = cursors.get(call.env, call.self);
        if (reading !== undefined && call.thrown.isNull()) {
          cursorCalled(call, method, reading);
        }
      },
    };
    watchers.set(method, watcher);
  }
  return watcher;
}

function cursorCalled(call: Call, method: string, reading: Reading): void {
  const { env } = call;
  if (method === "close") {
    if (holds(reading)) {
      write(reading);
    }
    open.delete(reading);
    cursors.delete(env, call.self ?? NULL);
    return;
  }
  if (method === "getWindow" || method === "fillWindow") {
    const window = (method === "getWindow" ? call.result : call.args[1]) as NativePointer;
    if (!window.isNull()) {
      windows.set(env, window, reading);
      hookClass(env, window, WINDOW_GETTERS);
    }
    return;
  }
  const value = READERS[method]?.(call) ?? null;
  add(env, reading, getPosition.number(env, call.self), Number(call.args[0]), value, call);
}

function onWindow(method: string): Watch {
  const key = `window.${method}`;
  let watcher = watchers.get(key);
  if (watcher === undefined) {
    watcher = {
      subject: `android.database.CursorWindow.${method}`,
      wants: ({ env, self }) => windows.get(env, self) !== undefined,
      after: (call) => {
        const reading = windows.get(call.env, call.self);
        if (reading !== undefined && call.thrown.isNull() && call.args.length >= 2) {
          const value = READERS[method]?.(call) ?? null;
          add(call.env, reading, Number(call.args[0]), Number(call.args[1]), value, call);
        }
      },
    };
    watchers.set(key, watcher);
  }
  return watcher;
}
