// Keeps methods replaced on ART (it removes a hook when it verifies the method's class), reports removed hooks, and
// keeps the native copies of replaced methods from naming a class by its former address.
//
// In ART's interpreter, a replacement depends on one pointer, the method's entry point. The bridge leaves ART's own
// bridge to the interpreter there, and on the first use of a class ART overwrites exactly that value. So our methods
// get a different entry point, a jump to the same place, which ART does not recognise and leaves alone. Tried on ART 10
// on x86-64 and on an emulated arm64; the code for 32-bit processors follows their manuals and was never run.

import ENTRY from "../native/entry.txt";
import { ROW, ROW_BYTES, layouts } from "../native/layouts.js";
import { LOCK_BYTES, NATIVE } from "../native/shared.js";
import { micros } from "../out/clock.js";
import { after } from "../out/doorbell.js";
import { atEnd, gap } from "../out/emit.js";
import { API_LEVEL, artApi, artMethod, isArt, type ArtApi, type ArtMethod, type Overload } from "./bridge.js";
import { callIntrinsic, replacedOne } from "./compiled.js";
import { hookCopies, instead } from "./copies.js";
import { goLive, patch } from "./patches.js";
import { addressOf } from "./symbols.js";

/**
 * ART's function that gives static methods their entry points when a class has been initialised; up to Android 13,
 * whatever the present ones are. If the function has no symbol, the audit finds what is lost.
 */
const UPDATE = "_ZN3art15instrumentation15Instrumentation17UpdateMethodsCodeEPNS_9ArtMethodEPKv";
/**
 * The last steps of the concurrent collector before threads use references as they read them; either may be inlined.
 * The bridge updates its copies only later, and a thread that went on before could store a reference to freed memory: on
 * a busy machine, 9 of 190 runs with exceptions and collections in many threads crashed.
 */
const ALL_MOVED = ["_ZN3art11ClassLinker19CleanupClassLoadersEv", "_ZN3art2gc9collector17ConcurrentCopying29IssueDisableMarkingCheckpointEv"];
const AUDIT_MS = 1000;
/** ART 10 and 11 only: with this flag the interpreter runs the method's bytecode, bypassing every entry point. */
const FAST_INVOKE = 0x40000000;
const FAST_INVOKE_LAST_API = 30;
/** Bytes before a method's code, in which ART looks for a header. */
const HEADER_BYTES = 64;
const THUNK_BYTES = 64;
const FLAGS_OFFSET = 4;
/** Longest ArtMethod. */
const MOST_METHOD_BYTES = 48;
const POINTER = Process.pointerSize;

const core = new CModule(ENTRY + layouts("entry"), {
  lock: Memory.alloc(LOCK_BYTES), wanted: Memory.alloc(POINTER), copies: Memory.alloc(POINTER), instead,
});
const keepClass = new NativeFunction(
  core["keep_class"] as NativePointer, "void", ["pointer", "pointer"], { scheduling: "exclusive", exceptions: "propagate" });
const want = new NativeFunction(
  core["want"] as NativePointer, "void", ["pointer", "pointer"], { scheduling: "exclusive", exceptions: "propagate" });
const auditRows = new NativeFunction(
  core["audit"] as NativePointer, "int", ["pointer", "int", "pointer", "int", "pointer"],
  { scheduling: "exclusive", exceptions: "propagate" });

/** For each row: returns the subjects of the gap when the method was not hooked for a while. */
let subjects: (() => string[])[] = [];
let rows = NULL;
let lost = NULL;
let room = 0;

/** Never freed: threads may be in them at any time. */
const pages: NativePointer[] = [];

interface Known {
  api: ArtApi;
  /** offset of the entry point in an ArtMethod */
  entry: number;
  /** the jump */
  thunk: NativePointer;
  /** other entry points with which a method is still hooked: the bridge has patched what they lead to */
  alive: NativePointer;
  aliveCount: number;
  fast: number;
  /** whether entry points that ART gives to methods are seen */
  updates: boolean;
}

let known: Known | null = null;
let isStrange = false;

/**
 * On ART: have a method that was just replaced stay replaced. `whose` returns the subjects of the gap when it was not
 * kept. `isDefault`: other classes have copies of it.
 */
export function keep(overload: Overload, isDefault: boolean, whose: () => string[]): void {
  if (!isArt()) {
    return;
  }
  const method = artMethod(overload);
  keepClasses();
  keepClass(method.replacementMethodId, method.hookedMethodId);
  const at = learn(method);
  if (at === null) {
    return;
  }
  const { api } = at;
  const { hookedMethodId: id } = method;
  const thunk = isDefault ? makeThunk(api.artQuickToInterpreterBridge, id) : at.thunk;
  const { quickCode: was, accessFlags } = method.originalMethod;
  const { artClassLinker: linker } = api;
  callIntrinsic(id, accessFlags);
  replacedOne(at.entry, at.alive, at.aliveCount, at.updates);
  if (isDefault) {
    add(at, id, thunk, NULL, whose);
    const flags = id.add(FLAGS_OFFSET).readU32();
    hookCopies(at.entry, {
      id, entry: thunk, gains: (flags & ~accessFlags) >>> 0, loses: ((accessFlags & ~flags) | at.fast) >>> 0,
    });
  } else if ((accessFlags & NATIVE) !== 0) {
    add(at, id, linker.quickGenericJniTrampoline, was, whose);
  } else if (method.interceptor !== null) {
    add(at, id, thunk, was, whose);
  } else if (interpreted(api).some((each) => each.equals(was))) {
    // Whatever the entry point is now: after the bridge wrote it, another thread may have verified the class.
    add(at, id, thunk, NULL, whose);
  }
  // A method of a proxy class has another entry point, which must stay.
}

let keepsClasses = false;

function keepClasses(): void {
  if (keepsClasses) {
    return;
  }
  keepsClasses = true;
  const { module } = artApi();
  for (const name of ALL_MOVED) {
    const step = addressOf(module, name);
    if (step !== null) {
      patch(step, { onEnter: core["on_all_moved"] as NativePointer });
    }
  }
  goLive();
}

/** Give a method an entry point, and from now on check that it stays. `also`: another one that is as good. */
function add(at: Known, id: NativePointer, wanted: NativePointer, also: NativePointer, whose: () => string[]): void {
  if (subjects.length >= room) {
    grow();
  }
  const row = rows.add(subjects.length * ROW_BYTES);
  row.add(ROW.entry).writePointer(id.add(at.entry));
  row.add(ROW.wanted).writePointer(wanted);
  row.add(ROW.also).writePointer(also);
  row.add(ROW.flags).writePointer(id.add(FLAGS_OFFSET));
  row.add(ROW.fast).writePointer(ptr(at.fast));
  want(id, wanted);
  if (also.isNull()) {
    id.add(at.entry).writePointer(wanted);
  }
  // Flags last: ART sets this one only on a method with its own entry point, and may have done so a moment ago.
  auditRows(row, 1, at.alive, at.aliveCount, lost);
  subjects.push(whose);
}

function grow(): void {
  room = Math.max(1024, 2 * room);
  const larger = Memory.alloc(room * ROW_BYTES);
  if (subjects.length > 0) {
    Memory.copy(larger, rows, subjects.length * ROW_BYTES);
  }
  rows = larger;
  lost = Memory.alloc(4 * room);
}

/** Entry points of methods that the interpreter runs. */
function interpreted(api: ArtApi): NativePointer[] {
  const { artClassLinker: linker } = api;
  return [
    api.artQuickToInterpreterBridge, linker.quickToInterpreterBridgeTrampoline, api.artQuickResolutionTrampoline,
    linker.quickResolutionTrampoline, ...(api.artNterpEntryPoint === null ? [] : [api.artNterpEntryPoint]),
  ];
}

/** What is known about this ART's methods; null if this replaced method does not confirm it, as each one must. */
function learn(method: ArtMethod): Known | null {
  const entry = known?.entry ?? entryIn(method);
  if (entry === null || !agrees(method, entry)) {
    if (!isStrange) {
      isStrange = true;
      gap(
        "agent", "install_failed",
        "this ART keeps its methods in a way that the agent does not know: a hook may be lost when the app first uses its "
          + "class, and that is not seen");
    }
    return null;
  }
  return known ??= begin(entry);
}

function entryIn(method: ArtMethod): number | null {
  for (let offset = 2 * POINTER; offset < MOST_METHOD_BYTES; offset += 4) {
    if (agrees(method, offset)) {
      return offset;
    }
  }
  return null;
}

/** Whether the three values that the bridge wrote into the copy of the method are where they should be. */
function agrees({ replacementMethodId: copy, hookedMethodId: id, made, originalMethod: was }: ArtMethod, entry: number): boolean {
  const flags = was.accessFlags & 0xffff;
  return copy.add(entry).readPointer().equals(artApi().artClassLinker.quickGenericJniTrampoline)
    && copy.add(entry - POINTER).readPointer().equals(made)
    && (copy.add(FLAGS_OFFSET).readU32() & 0xffff) === (flags | NATIVE)
    && (id.add(FLAGS_OFFSET).readU32() & 0xffff) === flags;
}

function begin(entry: number): Known {
  const api = artApi();
  const { artClassLinker: linker } = api;
  const entries = [
    api.artQuickToInterpreterBridge, api.artQuickGenericJniTrampoline, api.artQuickResolutionTrampoline,
    linker.quickToInterpreterBridgeTrampoline, linker.quickGenericJniTrampoline, linker.quickResolutionTrampoline,
  ];
  const alive = Memory.alloc(entries.length * POINTER);
  entries.forEach((each, i) => alive.add(i * POINTER).writePointer(each));
  const update = addressOf(api.module, UPDATE);
  if (update !== null) {
    patch(update, { onEnter: core["on_update"] as NativePointer });
    goLive();
  }
  lastGood = micros();
  tick();
  atEnd(audit);
  return {
    api, entry, thunk: makeThunk(api.artQuickToInterpreterBridge), alive, aliveCount: entries.length,
    fast: API_LEVEL <= FAST_INVOKE_LAST_API ? FAST_INVOKE : 0, updates: update !== null,
  };
}

/** Code that jumps to `target`; with `method`, as if that method had been called. */
function makeThunk(target: NativePointer, method: NativePointer | null = null): NativePointer {
  const page = Memory.alloc(Process.pageSize);
  pages.push(page);
  const start = page.add(HEADER_BYTES);
  Memory.patchCode(start, THUNK_BYTES, (code) => {
    switch (Process.arch) {
      case "arm64":
        code.writeU32(0x58000091); // ldr x17, 16
        code.add(4).writeU32(method === null ? 0xd503201f : 0x580000a0); // nop, or ldr x0, 20
        code.add(8).writeU32(0xd61f0220); // br x17
        code.add(16).writePointer(target);
        code.add(24).writePointer(method ?? NULL);
        break;
      case "arm":
        code.writeU32(method === null ? 0xe1a00000 : 0xe59f0004); // nop, or ldr r0, [pc, 4]
        code.add(4).writeU32(0xe59ff004); // ldr pc, [pc, 4]
        code.add(12).writePointer(method ?? NULL);
        code.add(16).writePointer(target);
        break;
      default: {
        const writer = new X86Writer(code, { pc: start });
        if (method !== null) {
          writer.putMovRegAddress(Process.pointerSize === 8 ? "rdi" : "eax", method);
        }
        writer.putJmpAddress(target);
        writer.flush();
      }
    }
  });
  // patchCode does not change the page's protection.
  Memory.protect(page, Process.pageSize, "r-x");
  return start;
}

let lastGood = 0;

function tick(): void {
  after(AUDIT_MS, () => {
    audit();
    tick();
  });
}

/** Restore hooks that were removed, and report them in gaps. */
function audit(): void {
  if (known === null || subjects.length === 0) {
    return;
  }
  const since = lastGood;
  const found = auditRows(rows, subjects.length, known.alive, known.aliveCount, lost);
  lastGood = micros();
  const whose = new Set(Array.from({ length: found }, (_, i) => subjects[lost.add(4 * i).readS32()]?.() ?? []).flat());
  for (const subject of whose) {
    gap(
      subject, "hook_lost",
      "ART had taken its hook away, and the agent put it back: calls in between were not seen", since, lastGood);
  }
}

/** Give all methods back their former entry points. */
export function keepNoMore(): void {
  audit();
  for (let i = 0; i < subjects.length; i++) {
    want(rows.add(i * ROW_BYTES + ROW.entry).readPointer().sub(known?.entry ?? 0), NULL);
  }
  subjects = [];
}
