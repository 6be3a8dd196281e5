// Redirects the app's own TCP connections to the proxy, which learns through SOCKS where each was to go, and which one
// it is.
//
// The app notices nothing: errors are those of the connection that it asked for, a socket's peer is the one it named,
// and a non-blocking connect completes when the proxy has connected. Left alone: loopback, the device's own addresses
// and those of its link, and everything but TCP; but UDP to port 443 (QUIC) is refused, so that apps use TCP. Not seen:
// system calls that do not go through the C library (Go, io_uring).

import type { Endpoint } from "../event.js";
import { patchAlone, patchWith } from "../java/patches.js";
import { ADDRESS, LED, LED_BYTES, STATE, STATE_BYTES, WATCHED_BYTES, layouts } from "../native/layouts.js";
import REDIRECT from "../native/redirect.txt";
import { LOCK_BYTES, MOST_WATCHED, NAME_BYTES, PORTS } from "../native/shared.js";
import { atEnd, gap, report } from "../out/emit.js";

/** Functions that only we replace, in the order of their numbers in C; not every C library has each of them. */
const ALONE = [
  "poll", "ppoll", "ppoll64", "select", "pselect", "pselect64", "epoll_wait", "epoll_pwait", "epoll_pwait64", "sendmmsg",
];
/** Functions that have other hooks as well, and those too short to leave a callable original. */
const SHARED = ["connect", "sendto", "sendmsg", "epoll_ctl", "getpeername", "getsockopt"];
/** The system call numbers of the latter, in the order that C uses. */
const CALLS: Record<string, number[]> = { x64: [233, 52, 55], arm64: [21, 205, 209], arm: [251, 287, 295], ia32: [255, 368, 365] };
const CALLED = ["send", "recv", "getsockname", "setsockopt", "shutdown", "socket", "bind", "close", "fcntl", "clock_gettime", "syscall"];

let state = NULL;
let led = NULL;
/** Kept as long as the agent lives: the functions lead here. */
const alive: unknown[] = [];

export function redirect(proxy: Endpoint | null): void {
  if (proxy === null || Process.platform !== "linux" || !state.isNull()) {
    return;
  }
  state = Memory.alloc(STATE_BYTES);
  led = Memory.alloc(PORTS * LED_BYTES);
  const watched = Memory.alloc(MOST_WATCHED * WATCHED_BYTES);
  const was = Memory.alloc(ALONE.length * Process.pointerSize);
  const lock = Memory.alloc(LOCK_BYTES);
  const calls = Memory.alloc(3 * Process.pointerSize);
  for (const [at, number] of (CALLS[Process.arch] ?? []).entries()) {
    calls.add(at * Process.pointerSize).writeLong(number);
  }
  const libc = Process.getModuleByAddress(Module.getGlobalExportByName("connect"));
  const address = state.add(STATE.proxy);
  address.add(ADDRESS.family).writeU16(2);
  address.add(ADDRESS.port).writeByteArray([proxy.port >> 8, proxy.port & 0xff]);
  address.add(ADDRESS.rest).writeByteArray(proxy.ip.split(".").map(Number));
  state.add(STATE.name).writeUtf8String(`${Process.id}.`.slice(0, NAME_BYTES - 1));
  state.add(STATE.libc).writeU64(uint64(libc.base.toString())).add(8).writeU64(uint64(libc.base.add(libc.size).toString()));
  const functions = [...SHARED, ...CALLED].map((name) => [name, Module.getGlobalExportByName(name)]);
  const code = new CModule(REDIRECT + layouts("redirect"), {
    ...Object.fromEntries(functions) as Record<string, NativePointer>,
    state, led, watched, was, lock, calls,
    errno_at: Module.findGlobalExportByName("__errno_location") ?? Module.getGlobalExportByName("__errno"),
  });
  alive.push(code, watched, was, lock, calls);
  for (const [number, name] of ALONE.entries()) {
    const address = Module.findGlobalExportByName(name);
    if (address !== null) {
      was.add(number * Process.pointerSize).writePointer(address);
    }
  }
  const taken = new Set<string>();
  for (const [number, name] of ALONE.entries()) {
    const address = Module.findGlobalExportByName(name);
    if (address === null || taken.has(address.toString())) {
      continue; // the same function under another name
    }
    taken.add(address.toString());
    try {
      was.add(number * Process.pointerSize).writePointer(patchAlone(address, code[`our_${name}`] as NativePointer));
    } catch (error) {
      report(error, `redirecting ${name}`);
    }
  }
  for (const name of SHARED) {
    patchWith(Module.getGlobalExportByName(name), code[`our_${name}`] as NativePointer);
  }
  atEnd(tellMissed);
}

/** A connection that was redirected to the proxy. */
export interface Led {
  /** its name at the proxy */
  name: string;
  /** where the app wanted to connect to, in the system's form */
  asked: NativePointer;
  /** bytes sent to the proxy before the app's own */
  announced: number;
}

/** The last connection from a local port that was redirected to the proxy; null: there was none. */
export function ledFrom(port: number): Led | null {
  const one = led.add(port * LED_BYTES);
  const number = led.isNull() ? 0 : one.add(LED.id).readU32();
  return number === 0 ? null : { name: `${Process.id}.${number}`, asked: one.add(LED.asked), announced: one.add(LED.announced).readU32() };
}

let told = { unreached: 0, quic: 0 };

function tellMissed(): void {
  const now = { unreached: state.add(STATE.unreached).readS32(), quic: state.add(STATE.quic).readS32() };
  const [unreached, quic] = [now.unreached - told.unreached, now.quic - told.quic];
  told = now;
  if (unreached > 0) {
    gap("proxy", "not_observed", `connections that did not reach the proxy, and so failed: ${unreached}`);
  }
  if (quic > 0) {
    gap("QUIC", "not_decrypted", `UDP to port 443, refused so that the app uses TCP: ${quic}`);
  }
}
