// Sockets that the app opens: by which code, from which local port, to which peer, for which host, and how much was
// sent.

import type { Connection, Endpoint } from "../event.js";
import { isPlatform } from "../java/owners.js";
import { patch } from "../java/patches.js";
import { here } from "../java/stack.js";
import { micros } from "../out/clock.js";
import { after } from "../out/doorbell.js";
import { atEnd, emit, settle } from "../out/emit.js";
import { ipv6, resolved } from "./addresses.js";
import { Descriptors, ofFamily, watchCalls } from "./filters.js";
import { FIRST_BYTES, hostIn } from "./greeting.js";
import { type Led, ledFrom } from "./redirect.js";

const AF_INET = 2;
const AF_INET6 = Process.platform === "darwin" ? 30 : 10;
/**
 * What the first 16 bits of an address may be: its family; on a BSD its length, which may be missing, then its family.
 */
const BEGINS = Process.platform === "darwin"
  ? [AF_INET << 8, (AF_INET << 8) | 16, AF_INET6 << 8, (AF_INET6 << 8) | 28] : [AF_INET, AF_INET6];
const SOCK_STREAM = 1;
const SOL_SOCKET = Process.platform === "linux" ? 1 : 0xffff;
const SO_TYPE = Process.platform === "linux" ? 3 : 0x1008;
const EINPROGRESS = Process.platform === "linux" ? 115 : 36;
const ADDRESS_BYTES = 128;
/** A write after a pause this long begins something new, as other code may have taken over the connection. */
const PAUSE_US = 5_000;
const MOST_NAMES = 4096;
/** The first bytes say which host a connection is for: its line waits for them, at most for this long. */
const SILENT_MS = 1_000;
const IPPROTO_TCP = 6;
const TCP_INFO = 11;
/** Linux's struct tcp_info: room for it, and where it counts the bytes sent; those retransmitted follow. */
const INFO_BYTES = 256;
const SENT_AT = 200;
const MOST_FDS = 1024;

const quick = { scheduling: "exclusive", exceptions: "propagate" } as const;
const getsockname = new NativeFunction(
  Module.getGlobalExportByName("getsockname"), "int", ["int", "pointer", "pointer"], quick);
const getsockopt = new NativeFunction(
  Module.getGlobalExportByName("getsockopt"), "int", ["int", "int", "int", "pointer", "pointer"], quick);

/** address -> the name that was last resolved to it */
const names = new Map<string, string>();

interface Socket {
  line: Omit<Connection, "v" | "app" | "pid" | "at">;
  /** when it connected */
  at: number;
  told: boolean;
  caller: string;
  lastWrite: number;
}

const sockets = new Descriptors<Socket>();

atEnd(() => {
  for (const socket of sockets.values()) {
    tell(socket);
  }
});

/** Queue the line that says that it connected. */
function tell(socket: Socket): void {
  if (!socket.told) {
    socket.told = true;
    emit(socket.at, socket.line);
  }
}

/**
 * Where the first bytes are that a call writes: `buffer` is a pointer and a length, `vector` iovecs, `message` a
 * msghdr.
 */
const WRITERS = [
  ["write", "buffer"], ["send", "buffer"], ["sendto", "buffer"], ["writev", "vector"], ["sendmsg", "message"],
] as const;

function firstBytes(kind: (typeof WRITERS)[number][1], args: NativePointer[]): ArrayBuffer | null {
  let [at, length] = [args[1] ?? NULL, args[2]?.toUInt32() ?? 0];
  if (kind !== "buffer") {
    const vector = kind === "vector" ? at : at.add(2 * Process.pointerSize).readPointer();
    if (vector.isNull()) {
      return null;
    }
    [at, length] = [vector.readPointer(), vector.add(Process.pointerSize).readPointer().toUInt32()];
  }
  return at.isNull() || length === 0 ? null : at.readByteArray(Math.min(length, FIRST_BYTES));
}

export function watchSockets(): void {
  watchCalls(Module.getGlobalExportByName("connect"), ofFamily(1, BEGINS), {
    enter(call) {
      call["remote"] = endpoint(call.args[1] ?? NULL);
      return true;
    },
    leave(call, result) {
      const remote = call["remote"] as Endpoint | null;
      const failed = result.toInt32() !== 0 && call.errno !== EINPROGRESS;
      if (remote !== null && !failed) {
        connected(call.args[0]?.toInt32() ?? -1, remote);
      }
    },
  });
  for (const [name, kind] of WRITERS) {
    watchCalls(Module.getGlobalExportByName(name), sockets.at(0), {
      enter({ args }) {
        const socket = sockets.get(args[0]?.toInt32() ?? -1);
        if (socket === undefined) {
          return;
        }
        if (!socket.told) {
          greeted(socket, firstBytes(kind, args));
        }
        written(socket);
      },
    });
  }
  // Java first puts another socket in the place of one that it closes.
  for (const [name, at] of [["close", 0], ["dup2", 1], ["dup3", 1]] as const) {
    const address = Module.findGlobalExportByName(name);
    if (address !== null) {
      watchCalls(address, sockets.at(at), {
        enter({ args }) {
          closed(args[at]?.toInt32() ?? -1);
        },
      });
    }
  }
  findOpen();
  watchNames();
}

/** Whether an address can be reached only from this device. */
export function isLoopback({ ip }: Endpoint): boolean {
  return ip.startsWith("127.") || ip === "::1";
}

/** Whether the app itself connected from a port to a loopback address. */
export function isOwnPort(port: number): boolean {
  return [...sockets.values()].some(({ line }) => line.local.port === port && isLoopback(line.remote));
}

/** What the app says first names the host more reliably than a name that was resolved before. */
function greeted(socket: Socket, bytes: ArrayBuffer | null): void {
  socket.line.host = (bytes === null ? null : hostIn(new Uint8Array(bytes))) ?? socket.line.host ?? null;
  tell(socket);
}

function closed(fd: number): void {
  const socket = sockets.get(fd);
  sockets.delete(fd);
  if (socket === undefined) {
    return;
  }
  tell(socket);
  const { local, remote, host, transport } = socket.line;
  emit(micros(), { kind: "connection", op: "close", local, remote, host: host ?? null, transport: transport ?? "tcp", stack: [], thread: null, sent: sentOn(fd, led(local, remote)?.announced ?? 0) });
}

/**
 * Bytes that the system has sent on a connection for the app, without retransmitted bytes and without `ours`; null when
 * the system does not say.
 */
function sentOn(fd: number, ours: number): number | null {
  if (Process.platform !== "linux") {
    return null;
  }
  const info = Memory.alloc(INFO_BYTES);
  const length = Memory.alloc(4);
  length.writeU32(INFO_BYTES);
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, length) !== 0 || length.readU32() < SENT_AT + 16) {
    return null;
  }
  return Number(info.add(SENT_AT).readU64()) - Number(info.add(SENT_AT + 8).readU64()) - ours;
}

/** Record connections that were open before us: which code opened them is unknown. */
function findOpen(): void {
  for (let fd = 0; fd < MOST_FDS; fd++) {
    if (Socket.type(fd) === null) {
      continue;
    }
    const [local, remote] = [plain(Socket.localAddress(fd)), plain(Socket.peerAddress(fd))];
    if (local !== null && remote !== null && remote.port !== 0 && Socket.type(fd)?.startsWith("tcp") === true) {
      const line: Socket["line"] = {
        kind: "connection", op: "connect", local, remote, host: null, transport: "tcp", stack: [], thread: null,
      };
      const now = micros();
      sockets.set(fd, { line, at: now, told: true, caller: "", lastWrite: 0 });
      emit(now, line);
    }
  }
}

/** Convert an endpoint from Frida's form; null if it is not an IP address. */
export function plain(end: SocketEndpointAddress | null): Endpoint | null {
  return end !== null && "ip" in end ? { ip: end.ip.replace(/^::ffff:(?=\d+\.)/, ""), port: end.port } : null;
}

function connected(fd: number, remote: Endpoint): void {
  const address = Memory.alloc(ADDRESS_BYTES);
  const length = Memory.alloc(4);
  length.writeU32(ADDRESS_BYTES);
  if (getsockname(fd, address, length) !== 0) {
    return;
  }
  const local = endpoint(address);
  length.writeU32(4);
  const type = Memory.alloc(4);
  const stream = getsockopt(fd, SOL_SOCKET, SO_TYPE, type, length) === 0 && type.readS32() === SOCK_STREAM;
  // Name resolution connects datagram sockets to find the route to an address; nothing is sent on them.
  if (local === null || (!stream && (remote.port === 0 || remote.port === 65535))) {
    return;
  }
  settle();
  const captured = here();
  const announced = stream ? led(local, remote)?.name : undefined;
  const line: Socket["line"] = {
    kind: "connection",
    op: "connect",
    local,
    remote,
    host: names.get(remote.ip) ?? null,
    transport: stream ? "tcp" : "udp",
    stack: captured.stack,
    thread: captured.thread,
    ...(announced === undefined ? {} : { announced }),
  };
  const now = micros();
  if (!stream) {
    emit(now, line);
    return;
  }
  const socket: Socket = { line, at: now, told: false, caller: caller(captured.stack), lastWrite: now };
  sockets.set(fd, socket);
  after(SILENT_MS, () => {
    tell(socket);
  });
}

/** The redirected connection behind these ends, or null; an earlier one from the same local port does not count. */
function led(local: Endpoint, remote: Endpoint): Led | null {
  const last = ledFrom(local.port);
  const asked = last === null ? null : endpoint(last.asked);
  return asked?.ip === remote.ip && asked.port === remote.port ? last : null;
}

function written(socket: Socket): void {
  const now = micros();
  const pause = now - socket.lastWrite;
  socket.lastWrite = now;
  if (pause < PAUSE_US) {
    return;
  }
  settle();
  const captured = here();
  const from = caller(captured.stack);
  if (from !== "" && from !== socket.caller) {
    socket.caller = from;
    emit(now, { ...socket.line, op: "write", host: socket.line.host ?? null, stack: captured.stack, thread: captured.thread });
  }
}

/** The calling code of a stack: its frames outside the platform, as methods without line numbers. */
function caller(stack: string[]): string {
  const own = stack.filter((frame) => !isPlatform(frame));
  return own.map((frame) => frame.replace(/\(.*/, "")).join(" ");
}

function familyOf(address: NativePointer): number | null {
  if (address.isNull()) {
    return null;
  }
  const family = Process.platform === "darwin" ? address.add(1).readU8() : address.readU16();
  return family === AF_INET || family === AF_INET6 ? family : null;
}

/** An address from the C library; null if it is not IP. */
export function endpoint(address: NativePointer): Endpoint | null {
  const family = familyOf(address);
  if (family === null) {
    return null;
  }
  const port = (address.add(2).readU8() << 8) | address.add(3).readU8();
  const bytes = new Uint8Array(address.add(family === AF_INET ? 4 : 8).readByteArray(family === AF_INET ? 4 : 16) ?? []);
  return { ip: family === AF_INET ? bytes.join(".") : ipv6(bytes), port };
}

/** Record names where they are resolved, below every Java and native client. */
function watchNames(): void {
  const bsd = Process.findModuleByName("libc.so") !== null || Process.platform === "darwin";
  const seen = new Set<string>();
  for (const name of ["getaddrinfo", "android_getaddrinfofornet", "android_getaddrinfofornetcontext"]) {
    const address = Module.findGlobalExportByName(name);
    if (address === null || seen.has(address.toString())) {
      continue;
    }
    seen.add(address.toString());
    patch(address, {
      onEnter(args) {
        const node = args[0] ?? NULL;
        this["node"] = node.isNull() ? null : node.readCString();
        this["list"] = args[name === "getaddrinfo" ? 3 : name.endsWith("context") ? 4 : 5];
      },
      onLeave(result) {
        const node = this["node"] as string | null;
        if (node === null || result.toInt32() !== 0 || /^[\d.]+$|:/.test(node)) {
          return;
        }
        for (const at of resolved((this["list"] as NativePointer).readPointer(), bsd)) {
          const found = endpoint(at);
          if (found !== null && names.size < MOST_NAMES) {
            names.set(found.ip, node);
          }
        }
      },
    });
  }
}
