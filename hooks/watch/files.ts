// Descriptors that the app opened to read personal data from: what is read from them until they are closed.

import type { Value } from "../event.js";
import { goLive } from "../java/patches.js";
import { micros } from "../out/clock.js";
import { after } from "../out/doorbell.js";
import { collects } from "../out/emit.js";
import { netlink } from "./addresses.js";
import { Descriptors, watchCalls, type Filter } from "./filters.js";
import { latin } from "./latin.js";
import { push, say, valuesIn, type Asked } from "./native_call.js";

/** A line is written when nothing has been read for this long. */
const IDLE_MS = 200;
/** Only the beginning of a longer file is read; the kernel's files are short. */
const MOST_BYTES = 64 * 1024;

interface Reading {
  asked: Asked;
  as: "text" | "netlink";
  text: string;
  /** addresses received over netlink */
  values: Value[];
  bytes: number;
  lastRead: number;
  waits: boolean;
  /** whether there is something to write: at first, that it was opened */
  due: boolean;
}

const open = new Descriptors<Reading>();

collects(() => {
  for (const reading of open.values()) {
    write(reading);
  }
});

/** Collect what is read from a descriptor. Returns null: the access is written once the data has been read. */
export function follow(asked: Asked, descriptor: number, as: Reading["as"]): null {
  watchReads();
  closed(descriptor);
  const reading = { asked, as, text: "", values: [], bytes: 0, lastRead: micros(), waits: false, due: true };
  open.set(descriptor, reading);
  return null;
}

function wait(descriptor: number, reading: Reading): void {
  if (reading.waits) {
    return;
  }
  reading.waits = true;
  after(IDLE_MS, () => {
    reading.waits = false;
    if (open.get(descriptor) !== reading) {
      return;
    }
    if (micros() - reading.lastRead < IDLE_MS * 1000) {
      wait(descriptor, reading);
    } else {
      write(reading);
    }
  });
}

/** Write one line for what was read since the last one. */
function write(reading: Reading): void {
  if (!reading.due) {
    return;
  }
  const { asked, as, bytes } = reading;
  const values = as === "text" && bytes > 0 ? valuesIn(asked.ask, reading.text) : reading.values;
  say(asked, values.length > 0 ? "returned" : "empty", values, { bytes_read: bytes });
  reading.due = false;
  reading.text = "";
  reading.values = [];
}

function closed(descriptor: number): void {
  const reading = open.get(descriptor);
  if (reading !== undefined) {
    write(reading);
    open.delete(descriptor);
  }
}

function came(descriptor: number, buffer: NativePointer, size: number): void {
  const reading = open.get(descriptor);
  if (reading === undefined) {
    return;
  }
  if (size <= 0) {
    if (reading.as === "text" && size === 0) {
      closed(descriptor);
    }
    return;
  }
  reading.lastRead = micros();
  if (reading.as === "netlink") {
    for (const { type, text } of netlink(reading.asked, buffer, size)) {
      push(reading.values, type, text);
    }
  } else if (reading.bytes < MOST_BYTES) {
    // Only ASCII is searched for, and a read may end inside a character.
    reading.text += latin(buffer.readByteArray(Math.min(size, MOST_BYTES - reading.bytes)) ?? new ArrayBuffer(0));
  }
  reading.bytes += size;
  reading.due = true;
  wait(descriptor, reading);
}

const fileno = new NativeFunction(Module.getGlobalExportByName("fileno"), "int", ["pointer"], { exceptions: "propagate" });

/** The descriptor of a C library stream. */
export function descriptorOf(stream: NativePointer): number {
  return fileno(stream);
}

let watching = false;

/** Reading is watched only once there is something to see, because it is what a process does most. */
function watchReads(): void {
  if (watching) {
    return;
  }
  watching = true;
  const seen = new Set<string>();
  const on = (name: string, buffer: (args: NativePointer) => NativePointer, bufferAt: number): void => {
    const address = Module.findGlobalExportByName(name);
    if (address === null || seen.has(address.toString())) {
      return;
    }
    seen.add(address.toString());
    watchCalls(address, open.at(0), {
      leave({ args }, result) {
        came(args[0]?.toInt32() ?? -1, buffer(args[bufferAt] ?? NULL), result.toInt32());
      },
    });
  };
  for (const name of ["read", "pread", "pread64", "recv", "recvfrom", "__read_chk"]) {
    on(name, (at) => at, 1);
  }
  // Only the first part of a scattered read; the kernel fills it before the others.
  for (const name of ["readv", "preadv"]) {
    on(name, (at) => at.readPointer(), 1);
  }
  on("recvmsg", (message) => message.add(2 * Process.pointerSize).readPointer().readPointer(), 1);
  // The C library closes a stream internally, without calling `close`.
  const ends: [string, Filter, (of: NativePointer) => number][] = [
    ["close", open.at(0), (descriptor) => descriptor.toInt32()],
    ["fclose", open.ofStreamAt(0), descriptorOf],
    ["pclose", open.ofStreamAt(0), descriptorOf],
  ];
  for (const [name, filter, of] of ends) {
    watchCalls(Module.getGlobalExportByName(name), filter, {
      enter({ args }) {
        closed(of(args[0] ?? NULL));
      },
    });
  }
  goLive();
}
