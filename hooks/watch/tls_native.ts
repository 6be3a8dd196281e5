// Libraries that export SSL_write, like OpenSSL and BoringSSL: what the app writes there that the proxy does not
// decrypt.

import { isCovered } from "../java/engine.js";
import { goLive, patch } from "../java/patches.js";
import { micros } from "../out/clock.js";
import { gap, wordsOf } from "../out/emit.js";
import { eachModule } from "../out/leaving.js";
import type { TlsPlan } from "../plan.js";
import { ANSWER_BYTES, answered, ended, isTheProxys, newLink, out, useKey, type About, type Link } from "./plaintext.js";
import { plain } from "./sockets.js";

const ofPointers = new Map<string, Link>();
const hooked = new Set<string>();

/**
 * Watch each library that exports OpenSSL's functions, now or when it is loaded; what Java writes through it is seen in
 * Java.
 */
export function watchNativeTls(plan: TlsPlan): void {
  useKey(plan);
  eachModule((module) => {
    const write = module.findExportByName("SSL_write");
    if (write === null || hooked.has(write.toString())) {
      return;
    }
    hooked.add(write.toString());
    try {
      watchLibrary(module, write);
    } catch (error) {
      gap(`${module.name}!SSL_write`, "install_failed", wordsOf(error));
    }
    goLive();
  });
}

type Ask = (returns: NativeFunctionReturnType, takes: NativeFunctionArgumentType[], ...args: NativeFunctionArgumentValue[]) => unknown;

function watchLibrary(module: Module, write: NativePointer): void {
  const made = new Map<string, Ask | null>();
  /** A function of this library or of the one beneath it; null when there is none. */
  const ask = (name: string): Ask | null => {
    let found = made.get(name);
    if (found === undefined) {
      const address = module.findExportByName(name) ?? Module.findGlobalExportByName(name);
      found = address === null ? null : (returns, takes, ...args) =>
        (new NativeFunction(address, returns, takes, { exceptions: "propagate" }) as (...a: unknown[]) => unknown)(...args);
      made.set(name, found);
    }
    return found;
  };
  const string = (pointer: unknown): string | null =>
    pointer instanceof NativePointer && !pointer.isNull() ? pointer.readCString() : null;

  const wanted = (ssl: NativePointer): boolean => {
    const get = ask("SSL_get1_peer_certificate") ?? ask("SSL_get_peer_certificate");
    const encode = ask("i2d_X509");
    const certificate = get?.("pointer", ["pointer"], ssl) as NativePointer | undefined;
    if (encode === null || certificate === undefined || certificate.isNull()) {
      return true;
    }
    const length = Number(encode("int", ["pointer", "pointer"], certificate, NULL));
    const bytes = Memory.alloc(Math.max(length, 1));
    encode("int", ["pointer", "pointer"], certificate, Memory.alloc(Process.pointerSize).writePointer(bytes));
    ask("X509_free")?.("void", ["pointer"], certificate);
    return !isTheProxys(bytes.readByteArray(length) ?? new ArrayBuffer(0));
  };
  const alpn = (ssl: NativePointer): string | null => {
    const where = Memory.alloc(Process.pointerSize + 4).writePointer(NULL);
    where.add(Process.pointerSize).writeU32(0);
    ask("SSL_get0_alpn_selected")?.("void", ["pointer", "pointer", "pointer"], ssl, where, where.add(Process.pointerSize));
    const length = where.add(Process.pointerSize).readU32();
    return length === 0 ? null : where.readPointer().readUtf8String(length);
  };
  const about = (ssl: NativePointer): About => {
    const fd = Number(ask("SSL_get_fd")?.("int", ["pointer"], ssl) ?? -1);
    return {
      library: module.name,
      local: fd < 0 ? null : plain(Socket.localAddress(fd)),
      remote: fd < 0 ? null : plain(Socket.peerAddress(fd)),
      host: string(ask("SSL_get_servername")?.("pointer", ["pointer", "int"], ssl, 0)),
      version: string(ask("SSL_get_version")?.("pointer", ["pointer"], ssl)),
      alpn: alpn(ssl),
    };
  };

  const wrote = (ssl: NativePointer, buffer: NativePointer, count: number, at: number): void => {
    const id = ssl.toString();
    const link = ofPointers.get(id) ?? newLink();
    ofPointers.set(id, link);
    link.wanted ??= wanted(ssl);
    if (link.wanted) {
      out(link, at, buffer.readByteArray(count) ?? new ArrayBuffer(0), () => about(ssl));
    }
  };
  const read = (ssl: NativePointer, buffer: NativePointer, count: number): void => {
    const link = ofPointers.get(ssl.toString());
    if (link !== undefined) {
      answered(link, micros(), () => buffer.readByteArray(Math.min(count, ANSWER_BYTES)));
    }
  };
  const through = (address: NativePointer | null, counted: boolean, then: typeof wrote | typeof read): void => {
    if (address === null) {
      return;
    }
    patch(address, {
      onEnter(args) {
        this["seen"] = !isCovered();
        [this["ssl"], this["buffer"], this["count"]] = [args[0], args[1], counted ? args[3] : null];
        this["at"] = micros();
      },
      onLeave(result) {
        const done = result.toInt32();
        if (this["seen"] !== true || done <= 0) {
          return;
        }
        const count = counted ? Number((this["count"] as NativePointer).readULong()) : done;
        if (count > 0) {
          then(this["ssl"] as NativePointer, this["buffer"] as NativePointer, count, this["at"] as number);
        }
      },
    });
  };
  through(write, false, wrote);
  through(module.findExportByName("SSL_write_ex"), true, wrote);
  through(module.findExportByName("SSL_read"), false, read);
  through(module.findExportByName("SSL_read_ex"), true, read);
  const free = module.findExportByName("SSL_free");
  if (free !== null) {
    patch(free, {
      onEnter(args) {
        const id = (args[0] ?? NULL).toString();
        const link = ofPointers.get(id);
        if (link !== undefined) {
          ofPointers.delete(id);
          ended(link, micros());
        }
      },
    });
  }
}
