// Sockets that the app opens: which code, which local port, which peer, under which name it had been asked for.

import { micros } from "./clock.js";
import { emit, settle } from "./emit.js";
import type { Connection, Endpoint } from "./event.js";
import { here } from "./stack.js";

const AF_INET = 2;
const AF_INET6 = Process.platform === "darwin" ? 30 : 10;
const SOCK_STREAM = 1;
const SOL_SOCKET = Process.platform === "linux" ? 1 : 0xffff;
const SO_TYPE = Process.platform === "linux" ? 3 : 0x1008;
const EINPROGRESS = Process.platform === "linux" ? 115 : 36;
const ADDRESS_BYTES = 128;
/** A write after a pause this long begins something new; other code may have taken the connection over. */
const PAUSE_US = 5_000;
const MOST_NAMES = 4096;

const quick = { scheduling: "exclusive", exceptions: "propagate" } as const;
const getsockname = new NativeFunction(
  Module.getGlobalExportByName("getsockname"), "int", ["int", "pointer", "pointer"], quick);
const getsockopt = new NativeFunction(
  Module.getGlobalExportByName("getsockopt"), "int", ["int", "int", "int", "pointer", "pointer"], quick);

/** address -> the name it was last looked up under */
const names = new Map<string, string>();

interface Socket {
  line: Omit<Connection, "v" | "app" | "pid" | "at">;
  caller: string;
  lastWrite: number;
}

const sockets = new Map<number, Socket>();

export function watchSockets(): void {
  Interceptor.attach(Module.getGlobalExportByName("connect"), {
    onEnter(args) {
      const family = familyOf(args[1] ?? NULL);
      this["fd"] = family === null ? -1 : (args[0]?.toInt32() ?? -1);
      this["remote"] = family === null ? null : endpoint(args[1] ?? NULL);
    },
    onLeave(result) {
      const fd = this["fd"] as number;
      const remote = this["remote"] as Endpoint | null;
      const failed = result.toInt32() !== 0 && (this as UnixInvocationContext).errno !== EINPROGRESS;
      if (fd >= 0 && remote !== null && !failed) {
        connected(fd, remote);
      }
    },
  });
  for (const [name, fdAt] of [["write", 0], ["writev", 0], ["send", 0], ["sendmsg", 0], ["sendto", 0]] as const) {
    Interceptor.attach(Module.getGlobalExportByName(name), {
      onEnter(args) {
        if (sockets.size === 0) {
          return;
        }
        const socket = sockets.get(args[fdAt]?.toInt32() ?? -1);
        if (socket !== undefined) {
          written(socket);
        }
      },
    });
  }
  Interceptor.attach(Module.getGlobalExportByName("close"), {
    onEnter(args) {
      if (sockets.size > 0) {
        sockets.delete(args[0]?.toInt32() ?? -1);
      }
    },
  });
  watchNames();
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
  // Name resolution connects datagram sockets to learn which route an address would take; nothing is sent on them.
  if (local === null || (!stream && (remote.port === 0 || remote.port === 65535))) {
    return;
  }
  settle();
  const captured = here();
  const line: Socket["line"] = {
    kind: "connection",
    op: "connect",
    local,
    remote,
    host: names.get(remote.ip) ?? null,
    transport: stream ? "tcp" : "udp",
    stack: captured.stack,
    thread: captured.thread,
  };
  emit(micros(), line);
  if (stream) {
    sockets.set(fd, { line, caller: caller(captured.stack), lastWrite: micros() });
  }
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
    emit(now, { ...socket.line, op: "write", stack: captured.stack, thread: captured.thread });
  }
}

/** Who is behind a stack: the frames that are not the platform's, by method. The same code on another line is the same. */
function caller(stack: string[]): string {
  const own = stack.filter((frame) => !/^(java|javax|jdk|sun|com\.sun|android|com\.android|dalvik|libcore|kotlin)\./.test(frame));
  return own.map((frame) => frame.replace(/\(.*/, "")).join(" ");
}

function familyOf(address: NativePointer): number | null {
  if (address.isNull()) {
    return null;
  }
  const family = Process.platform === "darwin" ? address.add(1).readU8() : address.readU16();
  return family === AF_INET || family === AF_INET6 ? family : null;
}

function endpoint(address: NativePointer): Endpoint | null {
  const family = familyOf(address);
  if (family === null) {
    return null;
  }
  const port = (address.add(2).readU8() << 8) | address.add(3).readU8();
  const bytes = new Uint8Array(address.add(family === AF_INET ? 4 : 8).readByteArray(family === AF_INET ? 4 : 16) ?? []);
  return { ip: family === AF_INET ? bytes.join(".") : ipv6(bytes), port };
}

/** An IPv6 address in its shortest form; one that wraps an IPv4 address as that. */
function ipv6(bytes: Uint8Array): string {
  if (bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff) {
    return bytes.slice(12).join(".");
  }
  const groups = Array.from({ length: 8 }, (_, i) => (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16));
  const zeros = [...groups.join(":").matchAll(/(?:^|:)(?:0(?::0)+)(?=:|$)/g)].sort((a, b) => b[0].length - a[0].length)[0];
  if (zeros === undefined) {
    return groups.join(":");
  }
  const whole = groups.join(":");
  return `${whole.slice(0, zeros.index)}::${whole.slice(zeros.index + zeros[0].length).replace(/^:/, "")}`;
}

/** Names are known where they are resolved: below every Java and native client alike. */
function watchNames(): void {
  // bionic orders the fields of addrinfo as BSD does, glibc the other way round.
  const bionic = Process.findModuleByName("libc.so") !== null;
  const addressAt = 24 + (bionic || Process.platform === "darwin" ? Process.pointerSize : 0);
  const nextAt = 24 + 2 * Process.pointerSize;
  if (Process.pointerSize !== 8) {
    return;
  }
  const seen = new Set<string>();
  for (const name of ["getaddrinfo", "android_getaddrinfofornet", "android_getaddrinfofornetcontext"]) {
    const address = Module.findGlobalExportByName(name);
    if (address === null || seen.has(address.toString())) {
      continue;
    }
    seen.add(address.toString());
    Interceptor.attach(address, {
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
        let info = (this["list"] as NativePointer).readPointer();
        for (let i = 0; i < 64 && !info.isNull(); i++) {
          const found = endpoint(info.add(addressAt).readPointer());
          if (found !== null && names.size < MOST_NAMES) {
            names.set(found.ip, node);
          }
          info = info.add(nextAt).readPointer();
        }
      },
    });
  }
}
