// Hooks on functions that a process calls all the time: C checks each call (native/filters.c) and enters JavaScript,
// which only one thread at a time can be in, only for those that matter. Calls that the agent itself makes never enter
// it.

import { insideKey, pausedFlag } from "../java/folding.js";
import { patch } from "../java/patches.js";
import FILTERS from "../native/filters.txt";
import { LIBRARIES, LIBRARIES_BYTES, RANGE, RANGE_BYTES, layouts } from "../native/layouts.js";
import {
  ARGUMENTS, BY_ALL, BY_DESCRIPTOR, BY_FAMILY, BY_NUMBER, BY_STREAM, BY_TEXT, DESCRIPTORS, LOCK_BYTES, MOST_LIBRARIES,
} from "../native/shared.js";
import { report } from "../out/emit.js";
import { whenLeft } from "../out/leaving.js";
import { shapeOf } from "./shapes.js";

/** Which calls of a function matter. */
export interface Filter {
  judges: number;
  /** index of the argument to check */
  argument?: number;
  /** for BY_TEXT: how many bytes past the argument's address the text begins */
  behind?: number;
  table?: NativePointer;
  /** number of entries in the table */
  count?: number;
}

/** One call that matters. */
export interface Call {
  args: NativePointer[];
  returnAddress: NativePointer;
  threadId: number;
  /** depth among all hooked calls on the thread */
  depth: number;
  /** set once it has returned */
  errno: number;
  /** values kept from the call's beginning to its end */
  [kept: string]: unknown;
}

export interface Watcher {
  /** called at the beginning; false: the end is of no interest */
  enter?: (call: Call) => unknown;
  leave?: (call: Call, result: NativePointer) => void;
}

export interface Options {
  /** calls inside a wrapped API are part of its access, and are ignored */
  covers?: boolean;
  /** calls from libraries that were named to `spare` are ignored */
  spares?: boolean;
}

export const ALL: Filter = { judges: BY_ALL };

function numbers(judges: Filter["judges"], argument: number, some: number[]): Filter {
  const table = Memory.alloc(4 * Math.max(some.length, 1));
  some.forEach((number, i) => table.add(4 * i).writeU32(number));
  return { judges, argument, table, count: some.length };
}

/** Calls that have one of some numbers as an argument. */
export function oneOf(argument: number, some: number[]): Filter {
  return numbers(BY_NUMBER, argument, some);
}

/** Calls that have an address of one of some families as an argument. */
export function ofFamily(argument: number, some: number[]): Filter {
  return numbers(BY_FAMILY, argument, some);
}

const shapes = new Map<string, NativePointer | null>();

/** The shape of a pattern, made once; shapes live as long as the agent. */
function shapeFor(pattern: string): NativePointer | null {
  let known = shapes.get(pattern);
  if (known === undefined) {
    const shape = shapeOf(pattern);
    known = shape === null ? null : Memory.alloc(shape.length).writeByteArray(shape);
    shapes.set(pattern, known);
  }
  return known;
}

/** Calls that have a text that matches one of the patterns as an argument, and a few others (shapes.ts). */
export function matching(argument: number, patterns: string[], behind = 0): Filter {
  const found = patterns.map(shapeFor);
  const table = Memory.alloc(Process.pointerSize * Math.max(found.length, 1));
  found.forEach((one, i) => table.add(i * Process.pointerSize).writePointer(one ?? NULL));
  return found.includes(null) ? ALL : { judges: BY_TEXT, argument, behind, table, count: found.length };
}

/** Descriptors by which calls are filtered. */
export class Descriptors<T> {
  private readonly all = new Map<number, T>();
  private readonly table = Memory.alloc(DESCRIPTORS + 1);
  private large = 0;

  get size(): number {
    return this.all.size;
  }

  get(descriptor: number): T | undefined {
    return this.all.get(descriptor);
  }

  values(): Iterable<T> {
    return this.all.values();
  }

  set(descriptor: number, what: T): void {
    this.delete(descriptor);
    this.all.set(descriptor, what);
    this.mark(descriptor, 1);
  }

  delete(descriptor: number): void {
    if (this.all.delete(descriptor)) {
      this.mark(descriptor, -1);
    }
  }

  private mark(descriptor: number, change: 1 | -1): void {
    if (descriptor < DESCRIPTORS) {
      this.table.add(descriptor).writeU8(change > 0 ? 1 : 0);
    } else {
      this.large += change;
      this.table.add(DESCRIPTORS).writeU8(this.large > 0 ? 1 : 0);
    }
  }

  /** Calls that have one of the descriptors as an argument. */
  at(argument: number): Filter {
    return { judges: BY_DESCRIPTOR, argument, table: this.table };
  }

  /** Calls that have a C library stream with one of the descriptors as an argument. */
  ofStreamAt(argument: number): Filter {
    return { judges: BY_STREAM, argument, table: this.table };
  }
}

const watchers: Watcher[] = [];
/** Kept because their tables live as long as the agent. */
const filters: Filter[] = [];
const calls = new Map<number, Call>();
let last = 0;

function begun(args: NativePointer, returnAddress: NativePointer, threadId: number, depth: number): Call {
  const kept = Array.from({ length: ARGUMENTS }, (_, i) => args.add(i * Process.pointerSize).readPointer());
  return { args: kept, returnAddress, threadId, depth, errno: 0 };
}

const entered = new NativeCallback((id: number, args, caller, thread, depth): number => {
  try {
    const watcher = watchers[id] as Watcher;
    const call = begun(args, caller, thread, depth);
    if (watcher.enter?.(call) === false || watcher.leave === undefined) {
      return 0;
    }
    last = (last % 0x7fffffff) + 1;
    calls.set(last, call);
    return last;
  } catch (error) {
    report(error, "a call of the C library");
    return 0;
  }
}, "int", ["int", "pointer", "pointer", "uint", "int"]);

const left = new NativeCallback((id: number, number, args, result, errno) => {
  try {
    const call = number > 0 ? calls.get(number) : begun(args, NULL, 0, 0);
    calls.delete(number);
    if (call !== undefined) {
      call.errno = errno;
      watchers[id]?.leave?.(call, result);
    }
  } catch (error) {
    report(error, "a call of the C library");
  }
}, "void", ["int", "int", "pointer", "pointer", "int"]);

const ownKey = Memory.alloc(Process.pointerSize);
const agent = Memory.alloc(RANGE_BYTES);
const spared = Memory.alloc(Process.pointerSize);
/** All versions there ever were: any thread may be reading one. */
const libraries = [Memory.alloc(LIBRARIES_BYTES)];
spared.writePointer(libraries[0] as NativePointer);

const core = new CModule(FILTERS + layouts("filters"), {
  inside_key: insideKey, paused: pausedFlag, own_key: ownKey, agent, spared, lock: Memory.alloc(LOCK_BYTES), entered, left,
  fileno: Module.getGlobalExportByName("fileno"), syscall: Module.getGlobalExportByName("syscall"),
});
const newFilter = new NativeFunction(
  core["new_filter"] as NativePointer, "pointer", ["int", "int", "int", "int", "int", "int", "int", "pointer", "int"]);
const publishSpared = new NativeFunction(core["spare"] as NativePointer, "void", ["pointer"]);
ownKey.writePointer(new NativeFunction(core["new_key"] as NativePointer, "pointer", [])());
new NativeFunction(core["set_own"] as NativePointer, "void", [], { scheduling: "exclusive" })();

// Calls from our own code return into its library.
const home = Process.findRangeByAddress(new NativeFunction(core["place"] as NativePointer, "pointer", [])());
if (home !== null) {
  writeRange(agent, home);
}

function writeRange(at: NativePointer, { base, size }: { base: NativePointer; size: number }): void {
  at.add(RANGE.from).writePointer(base);
  at.add(RANGE.to).writePointer(base.add(size));
}

/** Let calls from libraries with these names through, if a hook `spares` them. */
export function spare(named: RegExp): void {
  const found = new Map<string, Module>();
  const write = (): void => {
    const some = [...found.values()].slice(0, MOST_LIBRARIES);
    const table = Memory.alloc(LIBRARIES_BYTES);
    libraries.push(table);
    some.forEach((module, i) => { writeRange(table.add(LIBRARIES.all + i * RANGE_BYTES), module); });
    table.add(LIBRARIES.count).writePointer(ptr(some.length));
    publishSpared(table);
  };
  const observer = Process.attachModuleObserver({
    onAdded(module) {
      if (named.test(module.name)) {
        found.set(module.base.toString(), module);
        write();
      }
    },
    onRemoved(module) {
      if (found.delete(module.base.toString())) {
        write();
      }
    },
  });
  whenLeft(() => {
    observer.detach();
  });
}

/** Hook a function; the watcher is called for the calls that the filter lets in. */
export function watchCalls(address: NativePointer, filter: Filter, watcher: Watcher, options: Options = {}): void {
  const id = watchers.push(watcher) - 1;
  filters.push(filter);
  const data = newFilter(
    id, filter.judges, filter.argument ?? 0, filter.behind ?? 0, options.covers === true ? 1 : 0, options.spares === true ? 1 : 0,
    watcher.enter === undefined ? 0 : 1, filter.table ?? NULL, filter.count ?? 0);
  const onEnter = core["on_enter"] as NativePointer;
  patch(address, watcher.leave === undefined ? { onEnter } : { onEnter, onLeave: core["on_leave"] as NativePointer }, false, data);
}
