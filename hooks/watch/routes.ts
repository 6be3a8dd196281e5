// How the calls of native functions are read: what each asks for, and what it returned.

import type { Reads } from "../plan.js";
import { REQUESTS, hex, interfaces, requested } from "./addresses.js";
import { descriptorOf, follow } from "./files.js";
import { matching, oneOf } from "./filters.js";
import { valuesIn, type Reader } from "./native_call.js";

const AF_NETLINK = 16;
const MOST_WORDS = 1000;
/** A property's handle consists of a counter, room for the value, and the name. */
const NAME_AT = 4 + 92;

/** Functions that take a folder's descriptor before the path. */
const AT = /^_*(openat|faccessat|fstatat|newfstatat|statx)/;

function textAt(pointer: NativePointer | undefined): string | null {
  return pointer === undefined || pointer.isNull() ? null : pointer.readUtf8String();
}

function pathAt(name: string): number {
  return AT.test(name) ? 1 : 0;
}

function path(args: NativePointer[], name: string): string | null {
  return textAt(args[pathAt(name)]);
}

const findsPath: Reader["finds"] = (name, patterns) => matching(pathAt(name), patterns);

const failed = (result: NativePointer): boolean => result.toInt32() === -1;

let found: { name: string; value: string } | null = null;
/** Lives as long as the agent: the C library calls it with the name and the value behind a handle. */
const tellUs = new NativeCallback((_cookie: NativePointer, name: NativePointer, value: NativePointer) => {
  found = { name: name.readUtf8String() ?? "", value: value.readUtf8String() ?? "" };
}, "void", ["pointer", "pointer", "pointer", "uint32"]);

export const ROUTES: Record<Reads, Reader> = {
  /** (name, value) */
  property: {
    finds: (_name, patterns) => matching(0, patterns),
    asks: (args) => textAt(args[0]),
    gives: (asked, _result, kept) => valuesIn(asked.ask, textAt(kept[1]) ?? ""),
  },
  /** (handle, callback, cookie): called once more with a callback of ours before the app's */
  property_callback: {
    finds: (_name, patterns) => matching(0, patterns, NAME_AT),
    asks: (args) => askWithOurs(args[0] ?? NULL)?.name ?? null,
    gives: (asked, _result, kept) => valuesIn(asked.ask, askWithOurs(kept[0] ?? NULL)?.value ?? ""),
  },
  /** (handle, name, value); the handle's own name comes after the room for its value */
  property_read: {
    finds: (_name, patterns) => matching(0, patterns, NAME_AT),
    asks: (args) => (args[0]?.isNull() === false ? textAt(args[0].add(NAME_AT)) : null),
    gives: (asked, _result, kept) => valuesIn(asked.ask, textAt(kept[2]) ?? ""),
  },
  file: {
    finds: findsPath,
    asks: path,
    gives: (asked, result, _kept, name) => follow(asked, name.startsWith("fopen") ? descriptorOf(result) : result.toInt32(), "text"),
    fails: (result) => result.toInt32() === -1 || result.isNull(),
  },
  folder: { finds: findsPath, asks: path, gives: () => [], names: false, fails: (result) => result.isNull() },
  path: {
    finds: findsPath,
    asks: path,
    gives: (asked) => valuesIn(asked.ask, asked.target),
    fails: failed,
  },
  /** (list) */
  interfaces: {
    asks: () => "",
    gives: (asked, _result, kept) => interfaces(asked, (kept[0] ?? NULL).readPointer()),
    fails: failed,
  },
  /** (descriptor, request, argument) */
  ioctl: {
    finds: () => oneOf(1, Object.keys(REQUESTS).map(Number)),
    asks: (args) => REQUESTS[args[1]?.toUInt32() ?? 0] ?? null,
    gives: (asked, _result, kept) => requested(asked, kept[2] ?? NULL),
    fails: failed,
  },
  /** (domain, type, protocol) */
  netlink: {
    finds: () => oneOf(0, [AF_NETLINK]),
    asks: (args) => (args[0]?.toInt32() === AF_NETLINK && args[2]?.toInt32() === 0 ? "NETLINK_ROUTE" : null),
    gives: (asked, result) => follow(asked, result.toInt32(), "netlink"),
    fails: failed,
  },
  /** popen (command, mode), system (command), posix_spawn (pid, path, actions, attributes, arguments, environment) */
  command: {
    asks: (args, name) => (name.startsWith("posix_spawn") ? line(args[4] ?? NULL) : textAt(args[0])),
    gives: (asked, result, _kept, name) => (name === "popen" ? follow(asked, descriptorOf(result), "text") : []),
    names: false,
    fails: (result) => result.toInt32() === -1,
  },
  call: { asks: () => "", gives: () => [], atOnce: true },
  /** (drm, name, array of bytes) */
  drm_bytes: {
    asks: (args) => textAt(args[1]),
    gives: (asked, _result, kept) => [{ type: asked.ask.data, text: hex((kept[2] ?? NULL).readPointer(), (kept[2] ?? NULL).add(Process.pointerSize).readULong()) }],
    fails: (result) => result.toInt32() !== 0,
  },
};

let readCallback: ((handle: NativePointer, callback: NativePointer, cookie: NativePointer) => void) | null = null;

function askWithOurs(handle: NativePointer): { name: string; value: string } | null {
  if (handle.isNull()) {
    return null;
  }
  if (readCallback === null) {
    const address = Process.findModuleByName("libc.so")?.findExportByName("__system_property_read_callback") ?? null;
    if (address === null) {
      return null;
    }
    readCallback = new NativeFunction(address, "void", ["pointer", "pointer", "pointer"], { exceptions: "propagate" });
  }
  found = null;
  readCallback(handle, tellUs, NULL);
  return found;
}

/** Arguments as one command line. */
function line(argv: NativePointer): string | null {
  if (argv.isNull()) {
    return null;
  }
  const words: string[] = [];
  for (let i = 0; i < MOST_WORDS; i++) {
    const word = argv.add(i * Process.pointerSize).readPointer();
    if (word.isNull()) {
      break;
    }
    words.push(word.readUtf8String() ?? "");
  }
  return words.join(" ");
}
