// Java's own TLS: the sockets and engines through which the app writes what the proxy does not decrypt.

import type { Endpoint } from "../event.js";
import { overloadsOf, type ClassWrapper, type Raw } from "../java/bridge.js";
import { Method } from "../java/classes.js";
import { watch, type Call } from "../java/engine.js";
import { eachClass } from "../java/installing.js";
import { arrayLength, byteArray, byteRegion, arrayElement, inFrame, objectField, text, type Env } from "../java/jni.js";
import { Tracked } from "../java/tracked.js";
import { micros } from "../out/clock.js";
import { gap, wordsOf } from "../out/emit.js";
import type { TlsPlan } from "../plan.js";
import { ANSWER_BYTES, answered, ended, isTheProxys, newLink, out, useKey, type About, type Link } from "./plaintext.js";
import { tryGetter } from "./readers.js";
import { buffered, positionOf } from "./transforms.js";

/** Start watching Java's TLS libraries. */
export function watchTls(env: Env, plan: TlsPlan): void {
  useKey(plan);
  const each = (cls: string, work: (env: Env, wrapper: ClassWrapper) => void): void => {
    eachClass(env, cls, (own, wrapper) => {
      try {
        work(own, wrapper);
      } catch (error) {
        gap(cls, "install_failed", wordsOf(error));
      }
    });
  };
  for (const spec of plan.sockets) {
    each(spec.out, (own, writer) => { watchWriter(own, writer, spec); });
    each(spec.in, (own, reader) => { watchReader(own, reader, spec); });
    each(spec.owner.type, (own, closer) => { watchEnd(own, closer, spec.owner.type, "close"); });
  }
  for (const spec of plan.engines) {
    each(spec.cls, (own, wrapper) => { watchEngine(own, wrapper, spec); });
  }
}

// Java's sockets and engines.

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

/** Whether a session's peer is not the proxy. */
function isWanted(env: Env, session: NativePointer): boolean {
  try {
    return inFrame(env, () => {
      const chain = getPeerCertificates.object(env, session);
      const certificate = getEncoded.object(env, arrayElement(env, chain, 0));
      return !isTheProxys(byteArray(env, certificate));
    });
  } catch {
    return true; // without a certificate it is not the proxy's
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

/** A stream's overloads of `write` and `read`; those that it does not declare itself call one that it does. */
const STREAM = ["", "int", "byte[]", "byte[], int, int"];
const TYPES: Record<string, string> = { "[B": "byte[]" };

/** Overloads that a class declares itself: inherited ones belong to all other streams, too. */
function declared(wrapper: ClassWrapper, method: string): string[][] {
  return overloadsOf(wrapper, method).filter(({ holder }) => holder === wrapper)
    .map(({ argumentTypes }) => argumentTypes.map(({ className }) => TYPES[className] ?? className))
    .filter((types) => STREAM.includes(types.join(", ")));
}

/** Bytes that a stream's call wrote or read (`got` of them, at most `most`): one byte, an array, or a part of one. */
function bytesOf(call: Call, got: number | null = null, most = Infinity): ArrayBuffer {
  const [first, from = 0, size] = call.args;
  if (!(first instanceof NativePointer)) {
    return new Uint8Array([Number(got === null ? first : call.result) & 0xff]).buffer;
  }
  const length = got ?? (size === undefined ? arrayLength(call.env, first) : Number(size));
  return byteRegion(call.env, first, Number(from), Math.min(length, most));
}

type SocketSpec = TlsPlan["sockets"][number];

/** A stream's link and socket; the socket is a local reference. */
function ownerOf({ env, self }: Call, { owner }: SocketSpec): [Link, NativePointer] {
  const socket = objectField(env, self ?? NULL, owner.field, `L${owner.type.replace(/\./g, "/")};`);
  return [linkOf(env, socket), socket];
}

function watchWriter(env: Env, writer: ClassWrapper, spec: SocketSpec): void {
  watch(env, writer, "write", declared(writer, "write"), "api", {
    subject: `${spec.out}.write`,
    // Before the write, so that its answer is not seen first. The first write may do the handshake: that is handled
    // after it.
    before: (call) => {
      inFrame(call.env, () => {
        const [link, socket] = ownerOf(call, spec);
        if (link.wanted === true) {
          out(link, call.begun, bytesOf(call), () => aboutSocket(call.env, spec.library, socket));
        }
      });
    },
    after: (call) => {
      inFrame(call.env, () => {
        const [link, socket] = ownerOf(call, spec);
        if (link.wanted !== null || !call.thrown.isNull()) {
          return;
        }
        link.wanted = isWanted(call.env, asSocket.session.object(call.env, socket));
        if (link.wanted) {
          out(link, call.begun, bytesOf(call), () => aboutSocket(call.env, spec.library, socket));
        }
      });
    },
  });
}

function watchReader(env: Env, reader: ClassWrapper, spec: SocketSpec): void {
  watch(env, reader, "read", declared(reader, "read"), "api", {
    subject: `${spec.in}.read`,
    after: (call) => {
      const got = call.args.length > 0 ? Number(call.result) : Number(call.result) < 0 ? 0 : 1;
      if (call.thrown.isNull() && got > 0) {
        inFrame(call.env, () => {
          const [link] = ownerOf(call, spec);
          answered(link, micros(), () => bytesOf(call, got, ANSWER_BYTES), call.args.length === 0);
        });
      }
    },
  });
}

function watchEnd(env: Env, wrapper: ClassWrapper, cls: string, method: string): void {
  watch(env, wrapper, method, [[]], "api", {
    subject: `${cls}.${method}`,
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

const UNWRAPS = [[BUFFER, BUFFERS, "int", "int"], [BUFFERS, "int", "int", BUFFERS, "int", "int"]];

/** For a call of wrap or unwrap: the buffers that hold plaintext, and their positions before the call. */
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

/** What went through the noted buffers, at most `most` bytes. */
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

function watchEngine(env: Env, wrapper: ClassWrapper, spec: TlsPlan["engines"][number]): void {
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
  // The overloads that all others of an engine end up in; Conscrypt also unwraps from several buffers.
  watch(env, wrapper, "unwrap", UNWRAPS, "api", {
    subject: `${spec.cls}.unwrap`,
    before: (call) => {
      if (ofObjects.get(call.env, call.self)?.wanted === true) {
        note(call, call.args.length - 3);
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
  watchEnd(env, wrapper, spec.cls, "closeOutbound");
}
