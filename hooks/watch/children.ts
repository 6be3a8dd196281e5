// Processes that the app starts: programs that it runs in a child, and copies of itself that start no program.
//
// Every way to start a program ends in execve, in a process that was just made: a copy of ours, or one that still
// shares our memory and has little stack. So the hook there is in C, takes no lock, and leaves a note in memory that
// all copies share; the agent's own thread reads it. Frida's child gating is not used: it hooks opendir and the agent
// then never sees that call end, so an app that made copies from many threads hung.

import { patch, patchForCopies, RESTORE_SYMBOLS } from "../java/patches.js";
import CHILDREN from "../native/children.txt";
import { ALL_NOTES, ALL_NOTES_BYTES, NOTE, layouts } from "../native/layouts.js";
import { NOTES, NOTE_BYTES } from "../native/shared.js";
import { atEnd } from "../out/emit.js";
import { send } from "../out/numbered.js";
import { latin, utf8 } from "./latin.js";

const LOOK_MS = 50;
/** An attempt to start a program may fail: the last counts once no other has followed for this long. */
const SETTLED_MS = 200;
/** How long a program may take to become another or to load its virtual machine, before it is reported as it is. */
const PATIENCE_MS = 30_000;
/** A copy of the app that starts no program within this time does something itself. */
const COPY_MS = 1_000;
const FORGET_MS = 10_000;

/** Programs that only start another one in their place: a JVM starts others through them. */
const BECOMES_OTHER = /(^|\/)jspawnhelper$/;
/** Programs that may be the app's own code: a virtual machine, and the app's own program again. */
const OWN = new Set(["java", Process.mainModule.name]);
const RUNTIME = /\/(libjvm|libart)\.so/;

const PROT_READ_WRITE = 3;
const MAP_SHARED_ANONYMOUS = 0x21;

/** A process that was just made; kept for a while after it was reported. */
interface Child {
  /** the program it runs, as it was started; null: none yet, it is a copy */
  program: Program | null;
  /** whether it was started through a program that became another */
  helped: boolean;
  /** when it was first seen, and when it last became another program (milliseconds) */
  since: number;
  changed: number;
  told: boolean;
}

interface Program {
  path: string;
  /** the command line, as it would be typed */
  line: string;
}

const children = new Map<number, Child>();
let notes = NULL;
let read = 0;
/** Since when note number `read` has been seen unfinished (milliseconds); 0: it was not. */
let unfinished = 0;
let isWritten: (note: NativePointer, number: number) => number = () => 0;
/** Kept as long as the agent lives: C calls it, and the interceptor calls C. */
const alive: unknown[] = [];

export function watchChildren(): void {
  if (Process.platform !== "linux") {
    return;
  }
  const mmap = new NativeFunction(
    Module.getGlobalExportByName("mmap"), "pointer", ["pointer", "size_t", "int", "int", "int", "long"]);
  notes = mmap(NULL, ALL_NOTES_BYTES, PROT_READ_WRITE, MAP_SHARED_ANONYMOUS, -1, 0);
  const copied = new NativeCallback((pid: number) => {
    seen(pid, null);
  }, "void", ["int"]);
  const code = new CModule(CHILDREN + layouts("children"), {
    ...RESTORE_SYMBOLS, notes, copied,
    getpid: Module.getGlobalExportByName("getpid"), syscall: Module.getGlobalExportByName("syscall"),
  });
  alive.push(copied, code);
  isWritten = new NativeFunction(
    code["is_written"] as NativePointer, "int", ["pointer", "int"], { scheduling: "exclusive", exceptions: "propagate" });
  patch(Module.getGlobalExportByName("fork"), { onLeave: code["fork_leave"] as NativePointer }, true);
  // Not undone in copies: that is where it is needed.
  patchForCopies(Module.getGlobalExportByName("execve"), { onEnter: code["exec_enter"] as NativePointer });
  const looking = setInterval(look, LOOK_MS);
  atEnd(() => {
    clearInterval(looking);
    readNotes(true);
    for (const [pid, child] of children) {
      const { program, helped, told } = child;
      child.told = told || say(pid, program === null ? "copy" : helped ? "helped" : "program", program?.line ?? null);
    }
  });
}

function seen(pid: number, program: Program | null): void {
  const now = Date.now();
  const child = children.get(pid);
  if (child === undefined) {
    children.set(pid, { program, helped: false, since: now, changed: now, told: false });
  } else if (program !== null) {
    // A copy that was reported as one may start a program later.
    child.told &&= child.program !== null;
    [child.program, child.changed] = [program, now];
  }
}

function look(): void {
  readNotes(false);
  const now = Date.now();
  for (const [pid, child] of [...children]) {
    if (!child.told) {
      child.told = tell(pid, child, now);
    } else if (now - child.changed > FORGET_MS) {
      children.delete(pid);
    }
  }
}

/** `last`: nothing is waited for. Notes that were overwritten, or whose writer was killed, are reported as lost. */
function readNotes(last: boolean): void {
  const next = notes.add(ALL_NOTES.next).readS32();
  let lost = false;
  if (next - NOTES > read) {
    [read, unfinished, lost] = [next - NOTES, 0, true];
  }
  for (; read < next; read++) {
    if (!readNote(read)) {
      unfinished ||= Date.now();
      if (!last && Date.now() - unfinished < SETTLED_MS) {
        break;
      }
      lost = true;
    }
    unfinished = 0;
  }
  if (lost) {
    say(null, "lost", null);
  }
}

/** False: it is unfinished, or was overwritten meanwhile. */
function readNote(number: number): boolean {
  const note = notes.add(ALL_NOTES.all + (number % NOTES) * NOTE_BYTES);
  if (isWritten(note, number) === 0) {
    return false;
  }
  const pid = note.add(NOTE.pid).readS32();
  const [path = "", ...words] = wordsIn(note.add(NOTE.text).readByteArray(NOTE_BYTES - NOTE.text));
  if (isWritten(note, number) === 0) {
    return false;
  }
  seen(pid, { path, line: words.join(" ") || path });
  return true;
}

/** Report a child to the host once it is clear what it is. False: not yet. */
function tell(pid: number, child: Child, now: number): boolean {
  const { program } = child;
  const age = now - child.changed;
  if (program === null) {
    return age > COPY_MS && say(pid, "copy", null);
  }
  const goesOn = age < PATIENCE_MS && isThere(`/proc/${pid}/exe`);
  if (BECOMES_OTHER.test(program.path)) {
    // Its command line may or may not name it, depending on the virtual machine; it is briefly empty during exec.
    const words = wordsIn(contents(`/proc/${pid}/cmdline`));
    const [path, line] = [words[0], words.join(" ")];
    if (path === undefined || line === program.line || BECOMES_OTHER.test(path)) {
      return !goesOn && age > SETTLED_MS && say(pid, "helped", null);
    }
    [child.program, child.helped, child.changed] = [{ path, line }, true, now];
    return false;
  }
  if (OWN.has(program.path.replace(/.*\//, "")) && goesOn) {
    return RUNTIME.test(latin(contents(`/proc/${pid}/maps`))) && say(pid, "own", program.line);
  }
  return age > SETTLED_MS && say(pid, child.helped ? "helped" : "program", program.line);
}

function say(pid: number | null, how: "copy" | "program" | "helped" | "own" | "lost", line: string | null): true {
  send({ type: "child", pid, how, line });
  return true;
}

const access = new NativeFunction(Module.getGlobalExportByName("access"), "int", ["pointer", "int"]);

function isThere(path: string): boolean {
  return access(Memory.allocUtf8String(path), 0) === 0;
}

/** The contents of a file of the kernel; empty when there is none, or not any more. */
function contents(path: string): ArrayBuffer {
  try {
    return File.readAllBytes(path);
  } catch {
    return new ArrayBuffer(0);
  }
}

/** Zero-terminated words, up to a byte of 1 or the end. */
function wordsIn(bytes: ArrayBuffer | null): string[] {
  const text = latin(bytes ?? new ArrayBuffer(0));
  return text.split("\x01", 1).join("").split("\0").slice(0, -1).map(utf8);
}
