// Hooks on native functions, and the original bytes of these functions, which a copy of the process needs.
//
// After fork, only one thread continues in the copy. Our JavaScript lock may be held by another thread, and then stays
// locked for ever: the first hooked function that the copy calls would hang (3 of 20 copies that were made while four
// threads called). So C code, which takes no lock, restores all functions in the copy before fork returns there.

import { PATCH, PATCHES, PATCHES_BYTES, PATCH_BYTES } from "../native/layouts.js";
import { KEPT_BYTES, MOST_KEPT } from "../native/shared.js";
import { hasLeft, whenLeft } from "../out/leaving.js";

/** What copies of the process restore (native/restore.h). */
const patches = Memory.alloc(PATCHES_BYTES);
patches.add(PATCHES.page).writeU64(Process.pageSize);
let count = 0;

interface Place {
  address: NativePointer;
  /** its first bytes before; null when they cannot be read */
  was: number | null;
}

interface Patched extends Place {
  listener: { detach: () => void };
}

let patched: Patched[] = [];
/** Hooks in C that copies of the process need until all others are removed. */
let lasting: Patched[] = [];

/**
 * Like `Interceptor.attach`; undone in copies of the process and when we leave (with `last`, after all others). `data`
 * is the listener data that C callbacks find.
 */
export function patch(address: NativePointer, callbacks: InvocationListenerCallbacks, last = false, data = NULL): void {
  if (hasLeft()) {
    return;
  }
  remember(address);
  attach(last ? lasting : patched, address, callbacks, data);
}

function remember(address: NativePointer): void {
  const code = codeAt(address);
  const was = beginning(code);
  const kept = unhooked(code);
  if (count < MOST_KEPT && kept !== null) {
    const entry = patches.add(PATCHES.all + count * PATCH_BYTES);
    entry.add(PATCH.at).writeU64(uint64(code.toString()));
    entry.add(PATCH.was).writeByteArray(kept);
    count += 1;
    patches.add(PATCHES.count).writeU64(count);
    if (entry.add(PATCH.was).readU32() === was) {
      fresh.push({ address: code, was });
    }
  }
}

/**
 * Like `Interceptor.replace`, undone as other hooks are. Inside the replacement, a call of the function reaches the
 * original.
 */
export function patchWith(address: NativePointer, replacement: NativePointer): void {
  if (!hasLeft()) {
    replaced(address, () => { Interceptor.replace(address, replacement); });
  }
}

/** The same for a function that nobody else hooks, at nearly no cost; returns the original. */
export function patchAlone(address: NativePointer, replacement: NativePointer): NativePointer {
  return hasLeft() ? address : replaced(address, () => Interceptor.replaceFast(address, replacement));
}

function replaced<T>(address: NativePointer, replace: () => T): T {
  const code = codeAt(address);
  const was = beginning(code);
  remember(address);
  const result = replace();
  patched.push({ address: code, was, listener: { detach: () => { Interceptor.revert(address); } } });
  return result;
}

/** Attach C callbacks that copies of the process need: not undone there. */
export function patchForCopies(address: NativePointer, callbacks: InvocationListenerCallbacks): void {
  attach(lasting, address, callbacks, NULL);
}

function attach(to: Patched[], address: NativePointer, callbacks: InvocationListenerCallbacks, data: NativePointer): void {
  const code = codeAt(address);
  const was = beginning(code);
  to.push({ address: code, was, listener: Interceptor.attach(address, callbacks, data) });
}

/** The address of a function's code: on 32-bit ARM, the lowest bit of its address only selects the instruction set. */
export function codeAt(address: NativePointer, arch: string = Process.arch): NativePointer {
  return arch === "arm" ? address.sub(address.and(1)) : address;
}

/** The first bytes of a function; null when they cannot be read. */
function beginning(code: NativePointer): number | null {
  return isReadable(code) ? code.readU32() : null;
}

/**
 * Remove all hooks from the functions. Threads may be inside: Frida keeps the code that they run until they have left
 * it.
 */
export function unpatch(): void {
  for (const some of [patched, lasting]) {
    for (const { listener } of some) {
      listener.detach();
    }
    // A function's first hook found the original bytes.
    const places = new Map([...some].reverse().map((one) => [one.address.toString(), one]));
    until([...places.values()], ({ address, was }) => was === null || beginning(address) === was);
    patches.add(PATCHES.count).writeU64(0);
  }
  [patched, lasting] = [[], []];
}

/** Forget the hooks in a library that was unloaded: another one may be loaded there. */
function forget(module: Module): void {
  const [from, to] = [module.base, module.base.add(module.size)];
  const stays = ({ address }: Place): boolean => address.compare(from) < 0 || address.compare(to) >= 0;
  [patched, lasting, fresh] = [patched.filter(stays), lasting.filter(stays), fresh.filter(stays)];
  ranges = [];
  for (let i = 0; i !== count; i++) {
    const at = patches.add(PATCHES.all + i * PATCH_BYTES + PATCH.at);
    if (!stays({ address: at.readPointer(), was: 0 })) {
      at.writeU64(0);
    }
  }
}

const observer = Process.attachModuleObserver({ onRemoved: forget });
whenLeft(() => {
  observer.detach();
});

/** Functions that had no hook before ours. */
let fresh: Place[] = [];
const PATIENCE_S = 0.3;
const STEP_S = 0.0005;

/**
 * Wait until all hooks are really written into the functions: Frida writes them when no thread is creating any, and the
 * app may call a library as soon as it is loaded. (With `Interceptor.flush` alone, 43 of 1,400 such calls were not
 * seen.)
 */
export function goLive(): void {
  until(fresh, ({ address, was }) => beginning(address) !== was);
  fresh = [];
}

function until(places: Place[], isSo: (place: Place) => boolean): void {
  let left = places;
  for (let waited = 0; left.length > 0 && waited < PATIENCE_S; waited += STEP_S) {
    Interceptor.flush();
    left = left.filter((place) => !isSo(place));
    if (left.length > 0) {
      Thread.sleep(STEP_S);
    }
  }
}

let ranges: RangeDetails[] = [];

function rangeOf(code: NativePointer): RangeDetails {
  let range = ranges.find(({ base, size }) => code.compare(base) >= 0 && code.compare(base.add(size)) < 0);
  if (range === undefined) {
    range = Process.getRangeByAddress(code);
    ranges.push(range);
  }
  return range;
}

/** Code may be execute-only, like arm64's system libraries on Android 10: it is made readable if possible. */
function isReadable(code: NativePointer): boolean {
  const range = rangeOf(code);
  if (!range.protection.startsWith("r")) {
    const page = code.sub(code.and(Process.pageSize - 1));
    // A function may begin at the end of a page.
    const size = code.add(KEPT_BYTES).compare(page.add(Process.pageSize)) > 0 ? 2 * Process.pageSize : Process.pageSize;
    return Memory.protect(page, size, "r-x");
  }
  return true;
}

/**
 * The bytes of a function without any hook, from its file, since Frida has hooks of its own; null when they cannot be
 * read.
 */
function unhooked(code: NativePointer): ArrayBuffer | null {
  const { base, file } = rangeOf(code);
  if (file !== undefined) {
    try {
      const library = new File(file.path, "rb");
      library.seek(file.offset + code.sub(base).toInt32());
      const bytes = library.readBytes(KEPT_BYTES);
      library.close();
      if (bytes.byteLength === KEPT_BYTES) {
        return bytes;
      }
    } catch {
      // The file was deleted or cannot be read: use memory.
    }
  }
  return isReadable(code) ? code.readByteArray(KEPT_BYTES) : null;
}


/** The symbols that the C function `restore_all` needs (native/restore.h). */
export const RESTORE_SYMBOLS = { patches, mprotect: Module.getGlobalExportByName("mprotect") };
