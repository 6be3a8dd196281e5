// Localhost as a channel: where the app listens to other apps and web pages on the device, and what they send it there.

import type { Endpoint, Value } from "../event.js";
import { goLive } from "../java/patches.js";
import { here, type Where } from "../java/stack.js";
import { micros } from "../out/clock.js";
import { after } from "../out/doorbell.js";
import { atEnd, emitAccess, gap } from "../out/emit.js";
import { ALL, Descriptors, oneOf, watchCalls } from "./filters.js";
import { latin, utf8 } from "./latin.js";
import { push } from "./native_call.js";
import { endpoint, isLoopback, isOwnPort, plain } from "./sockets.js";

const DATA = "local_channel";
const CAME = "libc.so!accept";
/** The sizes of an IPv4 and an IPv6 address. */
const ADDRESS_SIZES = [16, 28];
/** Most bytes received at once that are looked at; a gap reports more. */
const MOST_BYTES = 64 * 1024;
const MOST_VALUES = 50;
/** What was received is reported after this long, because it may come in parts. */
const PARTS_MS = 200;
/** What may identify a person: letters, digits and the characters of cookies and advertising ids, including a digit. */
const TOKEN = /[\p{L}\p{N}._~@+-]{8,256}/gu;
const STUN_COOKIE = [0x21, 0x12, 0xa4, 0x42];
const STUN_HEADER_BYTES = 20;
const STUN_USERNAME = 6;
const REQUEST = /^[A-Z]{3,7} \S+ HTTP\/1\.[01]\r?\n/;
/** HTTP headers that name the client or the connection, not the user. */
const USUAL = /^(host|user-agent|accept|connection|content|cache|pragma|sec|upgrade|origin|referer|priority|access-control|if|transfer)\b/i;
const SENDER = /^(?:origin|referer): *(\S+)/im;

interface Peer {
  /** where the app listens */
  at: Endpoint;
  /** that socket takes datagrams from anybody */
  datagrams: boolean;
  text: string;
  bytes: number;
  /** when the first of these bytes were received, and by which code; null while there are none */
  began: { micros: number; where: Where } | null;
}

/** Listening sockets, and accepted ones, by descriptor. */
const listening = new Descriptors<Endpoint>();
const peers = new Descriptors<Peer>();
let watching = false;
let truncated = false;

export function watchLoopback(): void {
  watchCalls(Module.getGlobalExportByName("listen"), ALL, {
    leave({ args }, result) {
      const at = result.toInt32() === 0 ? reachable(args[0]?.toInt32() ?? -1) : null;
      if (at !== null) {
        listens(args[0]?.toInt32() ?? -1, at);
      }
    },
  });
  // Name resolution, calls and games bind datagram sockets, too: only what they receive is reported.
  watchCalls(Module.getGlobalExportByName("bind"), oneOf(2, ADDRESS_SIZES), {
    leave({ args }, result) {
      const descriptor = args[0]?.toInt32() ?? -1;
      const at = result.toInt32() === 0 && Socket.type(descriptor)?.startsWith("udp") === true ? reachable(descriptor) : null;
      if (at !== null) {
        watchPeers();
        peers.set(descriptor, newPeer(at, true));
      }
    },
  });
  atEnd(() => {
    for (const peer of peers.values()) {
      tell(peer);
    }
  });
}

/** Where a socket is bound, if others on this device can reach it at localhost; else null. */
function reachable(descriptor: number): Endpoint | null {
  const at = plain(Socket.localAddress(descriptor));
  return at !== null && (isLoopback(at) || at.ip === "0.0.0.0" || at.ip === "::") ? at : null;
}

function newPeer(at: Endpoint, datagrams: boolean): Peer {
  return { at, datagrams, text: "", bytes: 0, began: null };
}

function listens(descriptor: number, at: Endpoint): void {
  watchPeers();
  listening.set(descriptor, at);
  const { stack, thread } = here();
  const target = shown(at);
  emitAccess(micros(), ["listen", target, ...stack].join("\n"), () => ({
    kind: "access", source: "libc.so!listen", target, data: DATA, values: [], outcome: "requested", args: null, stack, thread,
  }));
}

function shown({ ip, port }: Endpoint): string {
  return ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`;
}

/** Accepting and reading are watched only once the app listens, because they are what a process does most. */
function watchPeers(): void {
  if (watching) {
    return;
  }
  watching = true;
  const seen = new Set<string>();
  const exported = (name: string): NativePointer | null => {
    const address = Module.findGlobalExportByName(name);
    if (address === null || seen.has(address.toString())) {
      return null;
    }
    seen.add(address.toString());
    return address;
  };
  for (const name of ["accept", "accept4"]) {
    const address = exported(name);
    if (address !== null) {
      watchCalls(address, listening.at(0), {
        leave({ args }, result) {
          const at = listening.get(args[0]?.toInt32() ?? -1);
          if (at !== undefined && result.toInt32() >= 0) {
            peers.set(result.toInt32(), newPeer(at, false));
          }
        },
      });
    }
  }
  // Some of these functions call one another: only the outermost call is looked at.
  const inside = new Set<number>();
  const reads = (name: string, buffer: (args: NativePointer[]) => NativePointer, sender: (args: NativePointer[]) => NativePointer): void => {
    const address = exported(name);
    if (address === null) {
      return;
    }
    watchCalls(address, peers.at(0), {
      enter({ threadId }) {
        return inside.has(threadId) ? false : inside.add(threadId);
      },
      leave({ args, threadId }, result) {
        inside.delete(threadId);
        if (result.toInt32() > 0) {
          came(args[0]?.toInt32() ?? -1, buffer(args), result.toInt32(), sender(args));
        }
      },
    });
  };
  const second = (args: NativePointer[]): NativePointer => args[1] ?? NULL;
  const nobody = (): NativePointer => NULL;
  for (const name of ["read", "recv", "__read_chk"]) {
    reads(name, second, nobody);
  }
  reads("recvfrom", second, (args) => args[4] ?? NULL);
  reads("readv", (args) => second(args).readPointer(), nobody);
  reads("recvmsg", (args) => second(args).add(2 * Process.pointerSize).readPointer().readPointer(), (args) => second(args).readPointer());
  for (const [name, at] of [["close", 0], ["dup2", 1], ["dup3", 1]] as const) {
    const address = exported(name);
    if (address === null) {
      continue;
    }
    watchCalls(address, listening.at(at), {
      enter({ args }) {
        listening.delete(args[at]?.toInt32() ?? -1);
      },
    });
    watchCalls(address, peers.at(at), {
      enter({ args }) {
        const peer = peers.get(args[at]?.toInt32() ?? -1);
        peers.delete(args[at]?.toInt32() ?? -1);
        if (peer !== undefined) {
          tell(peer);
        }
      },
    });
  }
  goLive();
}

function came(descriptor: number, buffer: NativePointer, size: number, sender: NativePointer): void {
  const peer = peers.get(descriptor);
  if (peer === undefined || buffer.isNull()) {
    return;
  }
  const from = (sender.isNull() ? null : endpoint(sender)) ?? plain(Socket.peerAddress(descriptor));
  const local = from === null || from.port === 0 ? isLoopback(peer.at) : isLoopback(from);
  if (!local || (from !== null && isOwnPort(from.port))) {
    if (!peer.datagrams) {
      peers.delete(descriptor);
    }
    return;
  }
  if (peer.began === null) {
    peer.began = { micros: micros(), where: here() };
    after(PARTS_MS, () => {
      tell(peer);
    });
  }
  const kept = Math.max(0, Math.min(size, MOST_BYTES - peer.bytes));
  peer.bytes += size;
  const bytes = new Uint8Array(buffer.readByteArray(kept) ?? new ArrayBuffer(0));
  peer.text += utf8(latin((peer.datagrams ? stunUser(bytes) : null) ?? bytes));
  if (peer.bytes > MOST_BYTES && !truncated) {
    truncated = true;
    gap(CAME, "overflow", `more than ${MOST_BYTES} bytes came at once through ${shown(peer.at)}; the first ${MOST_BYTES} are looked at`);
  }
}

/** The user name in a STUN request (RFC 8489), which a page can choose freely through WebRTC; null: there is none. */
function stunUser(bytes: Uint8Array): Uint8Array | null {
  if (!STUN_COOKIE.every((byte, i) => bytes[4 + i] === byte)) {
    return null;
  }
  const number = (at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  for (let at = STUN_HEADER_BYTES; at + 4 <= bytes.length; at += 4 + ((number(at + 2) + 3) & ~3)) {
    if (number(at) === STUN_USERNAME) {
      return bytes.subarray(at + 4, at + 4 + number(at + 2));
    }
  }
  return null;
}

/** Queue the line for what was received since the last one. */
function tell(peer: Peer): void {
  const { began, text } = peer;
  if (began === null) {
    return;
  }
  [peer.text, peer.bytes, peer.began] = ["", 0, null];
  const values = handed(text);
  const target = shown(peer.at);
  const { stack, thread } = began.where;
  const from = SENDER.exec(text)?.[1] ?? null;
  const args = { bytes: text.length, ...(from === null || !REQUEST.test(text) ? {} : { page: from.slice(0, 256) }) };
  emitAccess(began.micros, [CAME, target, JSON.stringify(values), JSON.stringify(args), ...stack].join("\n"), () => ({
    kind: "access", source: CAME, target, data: DATA, values, outcome: values.length > 0 ? "returned" : "empty", args, stack, thread,
  }));
}

/** What may identify a person in a message: in an HTTP request, outside the headers that every client sends. */
function handed(text: string): Value[] {
  const values: Value[] = [];
  const lines = REQUEST.test(text) ? text.split(/\r?\n/).filter((line) => !USUAL.test(line)) : [text];
  for (const [found] of lines.map(decoded).join("\n").matchAll(TOKEN)) {
    if (/\d/.test(found) && values.length < MOST_VALUES) {
      push(values, DATA, found);
    }
  }
  return values;
}

function decoded(line: string): string {
  try {
    return decodeURIComponent(line);
  } catch {
    return line;
  }
}
