// What the agent is replaced by in tests of its filters: it tells which calls JavaScript is entered for, and reads bytes.

import { codeAt, goLive, patch, unpatch } from "./java/patches.js";
import FITS from "./native/fits.txt";
import { resolved } from "./watch/addresses.js";
import { Descriptors, matching, ofFamily, oneOf, spare, watchCalls, type Filter, type Options } from "./watch/filters.js";
import { answerIn, type Answer } from "./watch/reply.js";
import { shapeOf } from "./watch/shapes.js";

const taken: string[] = [];
const descriptors = new Descriptors<true>();
const AT_FIRST = ["read", "write", "writev", "send", "sendmsg", "recv", "close"];

function on(name: string, filter: Filter, options: Options = {}): void {
  watchCalls(Module.getGlobalExportByName(name), filter, {
    enter() {
      taken.push(name);
      return true;
    },
    leave(call, result) {
      taken.push(`${name} ${result.toInt32() === -1 ? call.errno : "ok"}`);
    },
  }, options);
}

const inC = new CModule(FITS);
const fits = new NativeFunction(inC["fits"] as NativePointer, "int", ["pointer", "pointer"]);

rpc.exports = {
  watch(files: string[], paths: string[], folders: string[], requests: number[], followed: number[]): void {
    on("open", matching(0, files));
    spare(/^libspared/);
    on("openat", matching(1, files), { spares: true });
    on("fopen", matching(0, files));
    on("stat", matching(0, paths));
    on("access", matching(0, paths));
    on("opendir", matching(0, folders));
    on("ioctl", oneOf(1, requests));
    on("socket", oneOf(0, [16]));
    on("connect", ofFamily(1, [2, 10]));
    for (const name of AT_FIRST) {
      on(name, descriptors.at(0));
    }
    on("dup2", descriptors.at(1));
    on("fclose", descriptors.ofStreamAt(0));
    for (const descriptor of followed) {
      descriptors.set(descriptor, true);
    }
    Interceptor.flush();
  },
  /** Calls since the last time. */
  taken: () => taken.splice(0),
  /** No more of a descriptor. */
  forget(descriptor: number): void {
    descriptors.delete(descriptor);
  },
  /** The agent's own calls, from its own thread. */
  own(path: string): number {
    const open = new NativeFunction(Module.getGlobalExportByName("open"), "int", ["pointer", "int"]);
    const descriptor = open(Memory.allocUtf8String(path), 0);
    File.readAllBytes(path);
    descriptors.set(descriptor, true);
    new NativeFunction(Module.getGlobalExportByName("close"), "int", ["int"])(descriptor);
    return descriptor;
  },
  /**
   * A function of x86-64 that gives 42, in a page that is for running alone: how the page is protected, what the function
   * gives with a hook that makes it 7, how the page is protected then, and what the function gives without the hook.
   */
  executeOnly(): [string, number, string, number] {
    const protection = (): string => Process.getRangeByAddress(page).protection;
    const page = Memory.alloc(Process.pageSize);
    page.writeByteArray([0xb8, 42, 0, 0, 0, 0xc3, ...Array<number>(32).fill(0x90)]);
    const mprotect = new NativeFunction(Module.getGlobalExportByName("mprotect"), "int", ["pointer", "size_t", "int"]);
    mprotect(page, Process.pageSize, 4);
    const before = protection();
    const call = new NativeFunction(page, "int", []);
    patch(page, {
      onLeave(result) {
        result.replace(ptr(7));
      },
    });
    goLive();
    const hooked = call();
    const after = protection();
    unpatch();
    return [before, hooked, after, call()];
  },
  /** Where the code of a function is. */
  codeAt: (address: string, arch: string): string => codeAt(ptr(address), arch).toString(),
  /** Families in a list that getaddrinfo made in a process of so many bytes a pointer. */
  families(entries: number[], bsd: boolean, pointerSize: number): number[] {
    const each = 5 * 4 + 4 + 3 * pointerSize;
    const low = { near: ptr(0x20000000), maxDistance: 0x20000000 };
    const list = Memory.alloc(Process.pageSize, low);
    const write = (at: NativePointer, value: NativePointer): void => {
      if (pointerSize === 4) {
        at.writeU32(value.toUInt32());
      } else {
        at.writePointer(value);
      }
    };
    entries.forEach((family, i) => {
      const [info, address] = [list.add(i * each), list.add(2048 + i * 16)];
      address.writeU16(family);
      [0, family, 1, 6, 16].forEach((number, at) => info.add(4 * at).writeU32(number));
      const pointers = pointerSize === 4 ? 20 : 24;
      write(info.add(pointers + (bsd ? pointerSize : 0)), address);
      write(info.add(pointers + 2 * pointerSize), i + 1 < entries.length ? list.add((i + 1) * each) : NULL);
    });
    return resolved(list, bsd, pointerSize).map((at) => at.readU16());
  },
  /** What a service answered. */
  answer: (bytes: number[]): Answer => answerIn(new DataView(new Uint8Array(bytes).buffer)),
  /** For each text, whether the regular expression matches, and whether its shape fits; null without a shape. */
  compare(pattern: string, texts: string[]): [boolean, boolean][] | null {
    const shape = shapeOf(pattern);
    if (shape === null) {
      return null;
    }
    const shapeInC = Memory.alloc(shape.length).writeByteArray(shape);
    return texts.map((text) => [new RegExp(pattern).test(text), fits(shapeInC, Memory.allocUtf8String(text)) === 1]);
  },
};
