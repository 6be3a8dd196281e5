// Changes code that the app's threads may be running by a single store, so that no thread runs half of a change.
//
// The bridge redirects three functions of ART, through which nearly every call of a native method goes. It writes them
// from JavaScript, instruction by instruction. A thread that came in between ran the first new instruction and the
// second old one: on arm64 its frame was not set up, and the next exception or return crashed the app.

const LDR = 0x58000000, BR = 0xd61f0000, ADRP = 0x90000000, B = 0x14000000; // arm64, without their operands
/** An instruction that jumps to itself, and its number of bytes. */
const HALT: { bytes: number; code: number } | undefined = {
  arm64: { bytes: 4, code: B }, arm: { bytes: 2, code: 0xe7fe }, x64: { bytes: 2, code: 0xfeeb }, ia32: { bytes: 2, code: 0xfeeb },
}[Process.arch as string];
/** Bytes that one store writes. */
const WORD = Process.arch === "x64" ? 8 : 4;
/** Reach of the instruction `b`, minus a page. */
const NEAR = (1 << 27) - Process.pageSize;
const STEP_BYTES = 16;
/** Seconds that threads have to leave code that is about to be rewritten. */
const LEAVE_S = 0.001;

const write = Memory.patchCode;
/** Memory for intermediate jumps; its pages stay as long as the agent. */
const pages: NativePointer[] = [];
let free: NativePointer[] = [];

/** Replaces `Memory.patchCode`. */
function patchWhole(address: NativePointer, size: number | UInt64, apply: MemoryPatchApplyCallback): void {
  const start = address.and(ptr(WORD - 1).not());
  const before = address.sub(start).toInt32();
  const bytes = (before + Number(size) + WORD - 1) & -WORD;
  if (HALT === undefined || !isUsed(address)) {
    write(address, size, apply);
    return;
  }
  const copy = Memory.dup(start, bytes);
  apply(copy.add(before));
  const old = Memory.dup(start, bytes);
  const changed: number[] = [];
  for (let at = 0; at !== bytes; at += WORD) {
    if (!word(copy, at).equals(word(old, at))) {
      changed.push(at);
    }
  }
  const [first, second] = changed;
  if (first === undefined) {
    return;
  }
  if (second === undefined) {
    store(start.add(first), copy.add(first), WORD);
    return;
  }
  const code = copy.add(before);
  const step = shortJump(address, code);
  if (step === null) {
    halting(address, code, bytes - before, HALT);
  } else {
    write(address, 4, (to) => { to.writeU32(step); });
  }
}

/** Whether there is code at an address: memory for new code is empty. */
function isUsed(address: NativePointer): boolean {
  try {
    return address.readU32() !== 0;
  } catch {
    return false;
  }
}

function word(code: NativePointer, at: number): UInt64 {
  return WORD === 8 ? code.add(at).readU64() : uint64(code.add(at).readU32());
}

function store(to: NativePointer, from: NativePointer, size: number): void {
  write(to, size, (code) => {
    switch (size) {
      case 8:
        code.writeU64(from.readU64());
        break;
      case 4:
        code.writeU32(from.readU32());
        break;
      default:
        code.writeU16(from.readU16());
    }
  });
}

/** arm64: for a jump of two instructions, `b` to an intermediate jump instead; null for any other change. */
function shortJump(address: NativePointer, code: NativePointer): number | null {
  const target = Process.arch === "arm64" ? targetOf(address, code) : null;
  const place = target === null ? null : placeNear(address);
  if (target === null || place === null) {
    return null;
  }
  const register = code.readU32() & 31;
  write(place, STEP_BYTES, (to) => {
    to.writeU32(LDR | 2 << 5 | register);
    to.add(4).writeU32((BR | register << 5) >>> 0);
    to.add(8).writePointer(target);
  });
  return (B | (place.sub(address).toInt32() >> 2 & 0x3ffffff)) >>> 0;
}

/**
 * The target of a jump through a register that was loaded from the code, or with the address of a page; null for other
 * code.
 */
function targetOf(address: NativePointer, code: NativePointer): NativePointer | null {
  const first = code.readU32(), register = first & 31;
  if (code.add(4).readU32() !== (BR | register << 5) >>> 0) {
    return null;
  }
  if ((first & 0xff000000) === LDR) {
    return code.add((first << 8 >> 13) * 4).readPointer();
  }
  if ((first & 0x9f000000) >>> 0 === ADRP) {
    const pagesAway = (first << 8 >> 13) * 4 + (first >>> 29 & 3);
    return address.and(ptr(0xfff).not()).add(int64(pagesAway).shl(12).toString());
  }
  return null;
}

function placeNear(address: NativePointer): NativePointer | null {
  const isNear = (place: NativePointer): boolean => {
    const apart = place.compare(address) > 0 ? place.sub(address) : address.sub(place);
    return apart.compare(NEAR) < 0;
  };
  let place = free.find(isNear);
  if (place === undefined) {
    try {
      const page = Memory.alloc(Process.pageSize, { near: address, maxDistance: NEAR });
      Memory.protect(page, Process.pageSize, "rwx");
      pages.push(page);
      free.push(...Array.from({ length: Process.pageSize / STEP_BYTES }, (_, i) => page.add(i * STEP_BYTES)));
      place = free.find(isNear);
    } catch {
      return null; // no memory is free nearby
    }
  }
  free = free.filter((each) => each !== place);
  return place ?? null;
}

/** Make any other change: meanwhile, threads that arrive wait at its beginning. */
function halting(address: NativePointer, code: NativePointer, bytes: number, halt: { bytes: number; code: number }): void {
  const stop = Memory.alloc(4);
  stop.writeU32(halt.code);
  store(address, stop, halt.bytes);
  Thread.sleep(LEAVE_S);
  const rest = code.add(halt.bytes).readByteArray(bytes - halt.bytes);
  write(address.add(halt.bytes), bytes - halt.bytes, (to) => { to.writeByteArray(rest ?? []); });
  store(address, code, halt.bytes);
}

// The functions of `Memory` are read-only, but the global name can be reassigned.
Object.assign(globalThis, { Memory: Object.create(Memory, { patchCode: { value: patchWhole } }) as typeof Memory });
