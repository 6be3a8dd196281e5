// Plaintext at the TLS libraries: what the app writes on connections that the proxy does not decrypt. The host makes
// uploads of it; here only the bytes, their connection, and the code that wrote them.

import type { Env, Raw } from "./bridge.js";
import { Method, wrapperOf } from "./classes.js";
import { micros } from "./clock.js";
import { emit, settle } from "./emit.js";
import { isCovered, watch, type Call } from "./engine.js";
import type { Endpoint } from "./event.js";
import { byteArray, byteRegion, arrayElement, inFrame, objectField, text } from "./jni.js";
import { whenDefined } from "./late.js";
import type { TlsPlan } from "./plan.js";
import { tryGetter } from "./readers.js";
import { here } from "./stack.js";
import { plain } from "./sockets.js";
import { Tracked } from "./tracked.js";
import { buffered, positionOf } from "./transforms.js";

/** A write after a pause this long begins something new: whose code it is, is asked again. */
const PAUSE_US = 5_000;
/** Of an answer only its beginning matters, where its status is. */
const ANSWER_BYTES = 64;

/** What is known of a connection when its first bytes go out. */
interface About {
  library: string;
  local: Endpoint | null;
  remote: Endpoint | null;
  host: string | null;
  version: string | null;
  alpn: string | null;
}

interface Link {
  id: number;
  /** null: not known yet; false: the proxy decrypts it, and has it all */
  wanted: boolean | null;
  told: boolean;
  /** something went out since the last answer */
  asked: boolean;
  lastOut: number;
}

let key: Uint8Array | null = null;
let links = 0;

function newLink(): Link {
  links += 1;
  return { id: links, wanted: null, told: false, asked: false, lastOut: 0 };
}

/** Whether a certificate names the proxy's authority as its issuer: by the identifier of that authority's key. */
function isTheProxys(certificate: ArrayBuffer): boolean {
  const bytes = new Uint8Array(certificate);
  const wanted = key;
  if (wanted === null) {
    return false;
  }
  for (let at = bytes.indexOf(wanted[0] ?? 0); at >= 0; at = bytes.indexOf(wanted[0] ?? 0, at + 1)) {
    if (wanted.every((byte, i) => bytes[at + i] === byte)) {
      return true;
    }
  }
  return false;
}

function out(link: Link, at: number, bytes: ArrayBuffer, about: () => About): void {
  if (bytes.byteLength === 0) {
    return;
  }
  const begins = !link.asked || at - link.lastOut > PAUSE_US;
  link.lastOut = at;
  link.asked = true;
  const message: Record<string, unknown> = { type: "plain", id: link.id, at, way: "out" };
  if (!link.told) {
    link.told = true;
    message["about"] = about();
  }
  if (begins) {
    settle();
    message["stack"] = here().stack;
  }
  send(message, bytes);
}

function answered(link: Link, at: number, bytes: () => ArrayBuffer | null): void {
  if (!link.asked || link.wanted !== true) {
    return;
  }
  link.asked = false;
  send({ type: "plain", id: link.id, at, way: "in" }, bytes() ?? new ArrayBuffer(0));
}

function ended(link: Link, at: number): void {
  if (link.told) {
    link.told = false;
    send({ type: "plain", id: link.id, at, way: "end" });
  }
}

/** Begin to watch the TLS libraries of Java and those that export the calls of OpenSSL. */
export function watchTls(env: Env, plan: TlsPlan): void {
  useKey(plan);
  for (const spec of plan.sockets) {
    whenThere(env, spec.out, (own) => {
      watchStreams(own, spec);
    });
  }
  for (const spec of plan.engines) {
    whenThere(env, spec.cls, (own) => {
      watchEngine(own, spec);
    });
  }
}

function useKey(plan: TlsPlan): void {
  key = plan.proxy_key === null ? null : Uint8Array.from(plan.proxy_key.match(/../g) ?? [], (two) => parseInt(two, 16));
}

function whenThere(env: Env, cls: string, work: (env: Env) => void): void {
  if (wrapperOf(env, cls) === null) {
    whenDefined(cls, (own) => {
      whenThere(own, cls, work);
    });
    return;
  }
  try {
    work(env);
  } catch (error) {
    emit(micros(), {
      kind: "gap", where: "hook", subject: cls, why: "install_failed",
      detail: error instanceof Error ? error.message : String(error),
    });
  }
}

// Sockets and engines of Java.

const ofObjects = new Tracked<Link>();

function linkOf(env: Env, object: NativePointer): Link {
  let link = ofObjects.get(env, object);
  if (link === undefined) {
    link = newLink();
    ofObjects.set(env, object, link);
  }
  return link;
}

const getPeerCertificates = new Method(
  "javax.net.ssl.SSLSession", "getPeerCertificates", "()[Ljava/security/cert/Certificate;");
const getEncoded = new Method("java.security.cert.Certificate", "getEncoded", "()[B");
const getProtocol = new Method("javax.net.ssl.SSLSession", "getProtocol", "()Ljava/lang/String;");
const getPeerHost = new Method("javax.net.ssl.SSLSession", "getPeerHost", "()Ljava/lang/String;");
const getHostAddress = new Method("java.net.InetAddress", "getHostAddress", "()Ljava/lang/String;");
const asSocket = {
  session: new Method("javax.net.ssl.SSLSocket", "getSession", "()Ljavax/net/ssl/SSLSession;"),
  remote: new Method("java.net.Socket", "getInetAddress", "()Ljava/net/InetAddress;"),
  remotePort: new Method("java.net.Socket", "getPort", "()I"),
  local: new Method("java.net.Socket", "getLocalAddress", "()Ljava/net/InetAddress;"),
  localPort: new Method("java.net.Socket", "getLocalPort", "()I"),
};
const sessionOfEngine = new Method("javax.net.ssl.SSLEngine", "getSession", "()Ljavax/net/ssl/SSLSession;");

/** Whether its session is with somebody else than the proxy. */
function isWanted(env: Env, session: NativePointer): boolean {
  try {
    return inFrame(env, () => {
      const chain = getPeerCertificates.object(env, session);
      const certificate = getEncoded.object(env, arrayElement(env, chain, 0));
      return !isTheProxys(byteArray(env, certificate));
    });
  } catch {
    return true; // it shows no certificate: so it is not the proxy's
  }
}

function textOf(env: Env, raw: Raw | null): string | null {
  return raw instanceof NativePointer && !raw.isNull() ? text(env, raw) : null;
}

function aboutSession(env: Env, library: string, session: NativePointer, object: NativePointer): About {
  return inFrame(env, () => ({
    library,
    local: null,
    remote: null,
    host: textOf(env, getPeerHost.object(env, session)),
    version: textOf(env, getProtocol.object(env, session)),
    alpn: textOf(env, tryGetter(env, object, "getApplicationProtocol") as Raw) ?? null,
  }));
}

function aboutSocket(env: Env, library: string, socket: NativePointer): About {
  const end = (address: Method, port: Method): Endpoint | null => {
    const found = address.object(env, socket);
    const ip = found.isNull() ? null : text(env, getHostAddress.object(env, found));
    return ip === null ? null : { ip: ip.replace(/%.*/, ""), port: port.number(env, socket) };
  };
  return inFrame(env, () => ({
    ...aboutSession(env, library, asSocket.session.object(env, socket), socket),
    local: end(asSocket.local, asSocket.localPort),
    remote: end(asSocket.remote, asSocket.remotePort),
  }));
}

const STREAM = [["byte[]", "int", "int"]];

function watchStreams(env: Env, spec: TlsPlan["sockets"][number]): void {
  const signature = `L${spec.owner.type.replace(/\./g, "/")};`;
  /** link and socket of a stream; the socket is a local reference */
  const owner = (call: Call): [Link, NativePointer] => {
    const socket = objectField(call.env, call.self ?? NULL, spec.owner.field, signature);
    return [linkOf(call.env, socket), socket];
  };
  const written = (call: Call): ArrayBuffer =>
    byteRegion(call.env, call.args[0] as NativePointer, Number(call.args[1]), Number(call.args[2]));
  const writer = wrapperOf(env, spec.out);
  const reader = wrapperOf(env, spec.in);
  const closer = wrapperOf(env, spec.owner.type);
  if (writer === null || reader === null || closer === null) {
    throw new Error(`${spec.in} or ${spec.owner.type} is not there`);
  }
  watch(env, writer, "write", STREAM, "api", {
    subject: `${spec.out}.write`,
    // Before it goes: its answer must not be seen first. The first write may be what makes the handshake: that one after.
    before: (call) => {
      inFrame(call.env, () => {
        const [link, socket] = owner(call);
        if (link.wanted === true) {
          out(link, call.begun, written(call), () => aboutSocket(call.env, spec.library, socket));
        }
      });
    },
    after: (call) => {
      inFrame(call.env, () => {
        const [link, socket] = owner(call);
        if (link.wanted !== null || !call.thrown.isNull()) {
          return;
        }
        link.wanted = isWanted(call.env, asSocket.session.object(call.env, socket));
        if (link.wanted) {
          out(link, call.begun, written(call), () => aboutSocket(call.env, spec.library, socket));
        }
      });
    },
  });
  watch(env, reader, "read", STREAM, "api", {
    subject: `${spec.in}.read`,
    after: (call) => {
      const got = Number(call.result);
      if (call.thrown.isNull() && got > 0) {
        inFrame(call.env, () => {
          const [link] = owner(call);
          answered(link, micros(), () =>
            byteRegion(call.env, call.args[0] as NativePointer, Number(call.args[1]), Math.min(got, ANSWER_BYTES)));
        });
      }
    },
  });
  watch(env, closer, "close", [[]], "api", {
    subject: `${spec.owner.type}.close`,
    after: (call) => {
      const link = ofObjects.get(call.env, call.self);
      if (link !== undefined) {
        ended(link, micros());
      }
    },
  });
}

const bytesConsumed = new Method("javax.net.ssl.SSLEngineResult", "bytesConsumed", "()I");
const bytesProduced = new Method("javax.net.ssl.SSLEngineResult", "bytesProduced", "()I");
const BUFFERS = "java.nio.ByteBuffer[]";
const BUFFER = "java.nio.ByteBuffer";

/** Of a call of wrap or unwrap: the buffers that hold plaintext, and where they stood before. */
const stood = new WeakMap<Call, [NativePointer, number][]>();

function note(call: Call, array: number): void {
  const from = Number(call.args[array + 1]);
  const buffers: [NativePointer, number][] = [];
  for (let i = 0; i < Number(call.args[array + 2]); i++) {
    const buffer = arrayElement(call.env, call.args[array] as NativePointer, from + i);
    buffers.push([buffer, positionOf(call.env, buffer)]);
  }
  stood.set(call, buffers);
}

/** What passed through the noted buffers, at most so much. */
function passed(call: Call, most: number): ArrayBuffer {
  const pieces: Uint8Array[] = [];
  let left = most;
  for (const [buffer, position] of stood.get(call) ?? []) {
    const piece = new Uint8Array(buffered(call.env, buffer, position, 0) ?? []).subarray(0, left);
    pieces.push(piece);
    left -= piece.length;
  }
  const whole = new Uint8Array(most - left);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole.buffer;
}

function watchEngine(env: Env, spec: TlsPlan["engines"][number]): void {
  const wrapper = wrapperOf(env, spec.cls);
  if (wrapper === null) {
    return;
  }
  watch(env, wrapper, "wrap", [[BUFFERS, "int", "int", BUFFER]], "api", {
    subject: `${spec.cls}.wrap`,
    before: (call) => {
      if (ofObjects.get(call.env, call.self)?.wanted !== false) {
        note(call, 0);
      }
    },
    after: (call) => {
      if (!stood.has(call) || !call.thrown.isNull() || call.self === null) {
        return;
      }
      const engine = call.self;
      inFrame(call.env, () => {
        const count = bytesConsumed.number(call.env, call.result as NativePointer);
        if (count === 0) {
          return;
        }
        const link = linkOf(call.env, engine);
        const session = sessionOfEngine.object(call.env, engine);
        link.wanted ??= isWanted(call.env, session);
        if (link.wanted) {
          out(link, call.begun, passed(call, count), () => aboutSession(call.env, spec.library, session, engine));
        }
      });
    },
  });
  watch(env, wrapper, "unwrap", [[BUFFER, BUFFERS, "int", "int"]], "api", {
    subject: `${spec.cls}.unwrap`,
    before: (call) => {
      if (ofObjects.get(call.env, call.self)?.wanted === true) {
        note(call, 1);
      }
    },
    after: (call) => {
      const link = ofObjects.get(call.env, call.self);
      if (link === undefined || !stood.has(call) || !call.thrown.isNull()) {
        return;
      }
      const count = inFrame(call.env, () => bytesProduced.number(call.env, call.result as NativePointer));
      if (count > 0) {
        answered(link, micros(), () => passed(call, Math.min(count, ANSWER_BYTES)));
      }
    },
  });
  watch(env, wrapper, "closeOutbound", [[]], "api", {
    subject: `${spec.cls}.closeOutbound`,
    after: (call) => {
      const link = ofObjects.get(call.env, call.self);
      if (link !== undefined) {
        ended(link, micros());
      }
    },
  });
}

// Libraries that export SSL_write, as OpenSSL and BoringSSL do.

const ofPointers = new Map<string, Link>();
const hooked = new Set<string>();

/** Watch each library with the calls of OpenSSL, now and as they are loaded; what Java writes through it is seen there. */
export function watchNativeTls(plan: TlsPlan): void {
  useKey(plan);
  Process.attachModuleObserver({
    onAdded(module) {
      const write = module.findExportByName("SSL_write");
      if (write === null || hooked.has(write.toString())) {
        return;
      }
      hooked.add(write.toString());
      try {
        watchLibrary(module, write);
      } catch (error) {
        emit(micros(), {
          kind: "gap", where: "hook", subject: `${module.name}!SSL_write`, why: "install_failed",
          detail: error instanceof Error ? error.message : String(error),
        });
      }
    },
  });
}

type Ask = (returns: NativeFunctionReturnType, takes: NativeFunctionArgumentType[], ...args: NativeFunctionArgumentValue[]) => unknown;

function watchLibrary(module: Module, write: NativePointer): void {
  const made = new Map<string, Ask | null>();
  /** A function of this library or of the one that it stands on; null where there is none. */
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
    Interceptor.attach(address, {
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
    Interceptor.attach(free, {
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
