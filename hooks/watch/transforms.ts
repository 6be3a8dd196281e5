// The app's transforms: calls of digests, MACs, ciphers, compressors and encoders, each as a line with input and
// output.

import type { Transform } from "../event.js";
import type { ClassWrapper, Raw } from "../java/bridge.js";
import { Method, loadClass } from "../java/classes.js";
import { watch, type Call } from "../java/engine.js";
import { eachClass } from "../java/installing.js";
import { arrayLength, byteRegion, inFrame, isInstance, newByteArray, text, type Env } from "../java/jni.js";
import { capture, frames, threadNameOf } from "../java/stack.js";
import { Tracked } from "../java/tracked.js";
import { emit, gap, sendBody } from "../out/emit.js";
import type { PartSpec, StepOfTransform, TransformerSpec, TransformsPlan } from "../plan.js";
import { tryGetter } from "./readers.js";

/** Most bytes that one piece of work may take and give; a gap reports larger ones, which are not kept. */
const MOST_BYTES = 8 * 1024 * 1024;
/** Most bytes that are written in the line itself. */
const INLINE_BYTES = 256;
/** Most lines a second from one place in the code; a loop of thousands says no more than its first. */
const MOST_A_SECOND = 200;
const SECOND_US = 1_000_000;

/** One piece of work of one object. */
interface Work {
  op: Transform["op"];
  taken: ArrayBuffer[];
  given: ArrayBuffer[];
  size: number;
  key: ArrayBuffer | null;
}

const works = new Tracked<Work>();
let notFrom: RegExp[] = [];
let through: RegExp[] = [];

export function watchTransforms(env: Env, plan: TransformsPlan): void {
  notFrom = plan.not_from.map(beginning);
  through = plan.through.map(beginning);
  for (const spec of plan.classes) {
    eachClass(env, spec.cls, (own, wrapper) => { install(own, wrapper, spec); });
  }
}

function beginning(name: string): RegExp {
  return new RegExp(`^${name.replace(/[.$]/g, "\\$&").replace("*", ".*")}`);
}

function install(env: Env, wrapper: ClassWrapper, spec: TransformerSpec): void {
  for (const step of spec.methods) {
    const subject = `${spec.cls}.${step.method}`;
    const done = watch(env, wrapper, step.method, step.overload === null ? null : [step.overload], "api", {
      subject,
      // a call's output may overwrite its input, so buffers are read before
      before: (call) => {
        take(call, spec, step);
      },
      after: (call) => {
        give(call, spec, step);
      },
    });
    if (done.count === 0 && step.expected && spec.optional === null) {
      gap(subject, "method_absent", `(${step.overload?.join(", ") ?? ""}) is not there`);
    }
  }
}

/** The work of a call's object; each call of a static method has its own. */
function workOf(call: Call, spec: TransformerSpec): Work {
  const known = works.get(call.env, call.self);
  if (known !== undefined) {
    return known;
  }
  const work: Work = { op: spec.op, taken: [], given: [], size: 0, key: null };
  if (call.self !== null) {
    works.set(call.env, call.self, work);
  }
  return work;
}

/** call -> work between before and after, and the position of its output buffer before */
const open = new WeakMap<Call, { work: Work; position: number }>();

function take(call: Call, spec: TransformerSpec, step: StepOfTransform): void {
  if (step.takes === null && step.gives === null) {
    return;
  }
  const work = workOf(call, spec);
  const out = step.gives === null || step.gives.of === "return" ? undefined : call.args[step.gives.of];
  open.set(call, { work, position: out instanceof NativePointer ? positionOf(call.env, out) : 0 });
  if (step.takes !== null) {
    add(work, work.taken, inFrame(call.env, () => read(call, step.takes as PartSpec, 0)));
  }
}

function give(call: Call, spec: TransformerSpec, step: StepOfTransform): void {
  const { env } = call;
  if (!call.thrown.isNull()) {
    if (call.self !== null) {
      forget(workOf(call, spec));
    }
    return;
  }
  if (step.begins !== null) {
    const work = workOf(call, spec);
    forget(work);
    const mode = step.begins.mode === null ? 1 : Number(call.args[step.begins.mode]);
    work.op = spec.op === "encrypt" && (mode === 2 || mode === 4) ? "decrypt" : spec.op;
    const { key } = step.begins;
    work.key = key === null ? null : inFrame(env, () => bytesOf(env, call.args[key]));
    return;
  }
  const opened = open.get(call);
  const work = opened?.work ?? workOf(call, spec);
  if (step.clears) {
    forget(work);
    return;
  }
  if (step.gives !== null) {
    add(work, work.given, inFrame(env, () => read(call, step.gives as PartSpec, opened?.position ?? 0)));
  }
  if (step.ends && (step.when === null || tryGetter(env, call.self ?? NULL, step.when) === 1)) {
    tell(call, spec, work);
    forget(work);
  }
}

function forget(work: Work): void {
  work.taken = [];
  work.given = [];
  work.size = 0;
}

function add(work: Work, to: ArrayBuffer[], bytes: ArrayBuffer | null): void {
  if (bytes === null || bytes.byteLength === 0) {
    return;
  }
  work.size += bytes.byteLength;
  if (work.size <= MOST_BYTES) {
    to.push(bytes);
  }
}

/** Bytes of a part of a call; null when there are none. `position`: where a buffer that is written to was before. */
function read(call: Call, part: PartSpec, position: number): ArrayBuffer | null {
  const { env } = call;
  const raw = part.of === "return" ? call.result : call.args[part.of];
  if (typeof raw === "number") {
    return new Uint8Array([raw & 0xff]).buffer;
  }
  if (!(raw instanceof NativePointer) || raw.isNull()) {
    return null;
  }
  const buffer = loadClass(env, "java.nio.ByteBuffer");
  if (buffer !== null && isInstance(env, raw, buffer)) {
    // a buffer that is read from is taken before the call, from its position; one that is written to, after it
    return call.result === undefined ? buffered(env, raw, positionOf(env, raw), -1) : buffered(env, raw, position, 0);
  }
  if (part.start === null && part.size === null) {
    return bytesOf(env, raw);
  }
  const from = part.start === null ? 0 : Number(call.args[part.start]);
  return byteRegion(env, raw, from, sizeOf(call, part, arrayLength(env, raw) - from));
}

function sizeOf(call: Call, part: PartSpec, rest: number): number {
  if (part.size === null) {
    return rest;
  }
  if (typeof part.size === "number") {
    return Number(call.args[part.size]);
  }
  return Number(part.size === "count" ? call.result : tryGetter(call.env, call.self ?? NULL, part.size));
}

/**
 * The bytes of a byte[], of a base64 string, or of a key; null when it has none, such as a key that stays in hardware.
 */
function bytesOf(env: Env, raw: Raw): ArrayBuffer | null {
  if (!(raw instanceof NativePointer) || raw.isNull()) {
    return null;
  }
  const bytes = loadClass(env, "[B");
  if (bytes !== null && isInstance(env, raw, bytes)) {
    return byteRegion(env, raw, 0, arrayLength(env, raw));
  }
  const string = loadClass(env, "java.lang.String");
  if (string !== null && isInstance(env, raw, string)) {
    return Uint8Array.from(text(env, raw) ?? "", (letter) => letter.charCodeAt(0)).buffer;
  }
  const encoded = tryGetter(env, raw, "getEncoded");
  return encoded instanceof NativePointer && !encoded.isNull() ? byteRegion(env, encoded, 0, arrayLength(env, encoded)) : null;
}

const position = new Method("java.nio.Buffer", "position", "()I");
const limit = new Method("java.nio.Buffer", "limit", "()I");
const setPosition = new Method("java.nio.Buffer", "position", "(I)Ljava/nio/Buffer;");
const setLimit = new Method("java.nio.Buffer", "limit", "(I)Ljava/nio/Buffer;");
const duplicate = new Method("java.nio.ByteBuffer", "duplicate", "()Ljava/nio/ByteBuffer;");
const getAll = new Method("java.nio.ByteBuffer", "get", "([B)Ljava/nio/ByteBuffer;");

export function positionOf(env: Env, object: NativePointer): number {
  const buffer = loadClass(env, "java.nio.ByteBuffer");
  return !object.isNull() && buffer !== null && isInstance(env, object, buffer) ? position.number(env, object) : 0;
}

/** Bytes of a ByteBuffer from a position to its limit (`end` -1) or to its current position, without moving that. */
export function buffered(env: Env, buffer: NativePointer, from: number, end: -1 | 0): ArrayBuffer | null {
  const to = end === -1 ? limit.number(env, buffer) : position.number(env, buffer);
  if (to <= from) {
    return null;
  }
  const copy = duplicate.object(env, buffer);
  setLimit.object(env, copy, to);
  setPosition.object(env, copy, from);
  const into = newByteArray(env, to - from);
  getAll.object(env, copy, into);
  return byteRegion(env, into, 0, to - from);
}

/** place in the code -> when its current second began, and how many lines it has written since */
const pace = new Map<string, { begun: number; count: number }>();

/** Whether a place in the code has written too many lines recently; a gap says so once a second. */
export function tooFast(place: string, at: number): boolean {
  const own = pace.get(place);
  if (own === undefined || at - own.begun > SECOND_US) {
    pace.set(place, { begun: at, count: 1 });
    return false;
  }
  own.count += 1;
  if (own.count === MOST_A_SECOND + 1) {
    gap(
      place, "overflow",
      `more than ${MOST_A_SECOND} transforms a second from one place; the others of that second are left out`, at);
  }
  return own.count > MOST_A_SECOND;
}

function tell(call: Call, spec: TransformerSpec, work: Work): void {
  const { env } = call;
  if (work.taken.length === 0 || work.given.length === 0) {
    return;
  }
  const holder = call.overload.holder.$n.replace(/#\d+$/, "");
  const stack = frames(capture(env), `${holder}.${call.method}`);
  const isOthers = (frame: string): boolean => notFrom.some((pattern) => pattern.test(frame));
  const caller = stack.find((frame) => isOthers(frame) || !through.some((pattern) => pattern.test(frame))) ?? "";
  if (isOthers(caller) || tooFast(caller, call.begun)) {
    return;
  }
  if (work.size > MOST_BYTES) {
    gap(spec.cls, "overflow", `a transform of ${work.size} bytes is not kept; ${MOST_BYTES} are`, call.begun);
    return;
  }
  emit(call.begun, {
    kind: "transform",
    op: work.op,
    algorithm: algorithmOf(call, spec),
    input: blob(joined(work.taken)),
    output: blob(joined(work.given)),
    key: work.key === null ? null : blob(work.key),
    iv: ivOf(call, spec),
    stack,
    thread: threadNameOf(env),
  });
}

function algorithmOf(call: Call, spec: TransformerSpec): string {
  const { env, self } = call;
  const named = self === null || !spec.algorithm.startsWith("get") ? null : inFrame(env, () => {
    const got = tryGetter(env, self, spec.algorithm);
    return got instanceof NativePointer ? text(env, got) : null;
  });
  return named ?? spec.algorithm;
}

function ivOf(call: Call, spec: TransformerSpec): Transform["input"] | null {
  const { env, self } = call;
  if (spec.iv === null || self === null) {
    return null;
  }
  const getIv = spec.iv;
  const bytes = inFrame(env, () => {
    const got = tryGetter(env, self, getIv);
    return got instanceof NativePointer ? bytesOf(env, got) : null;
  });
  return bytes === null ? null : blob(bytes);
}

export function joined(parts: ArrayBuffer[]): ArrayBuffer {
  if (parts.length === 1) {
    return parts[0] as ArrayBuffer;
  }
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(new Uint8Array(part), at);
    at += part.byteLength;
  }
  return whole.buffer;
}

export function blob(bytes: ArrayBuffer): Transform["input"] {
  if (bytes.byteLength <= INLINE_BYTES) {
    return { b64: base64(new Uint8Array(bytes)) };
  }
  return { body: sendBody(bytes), size: bytes.byteLength };
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

function base64(bytes: Uint8Array): string {
  let result = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const [a = 0, b = 0, c = 0] = bytes.subarray(i, i + 3);
    const letters = [a >> 2, ((a & 3) << 4) | (b >> 4), ((b & 15) << 2) | (c >> 6), c & 63].map((n) => LETTERS.charAt(n));
    result += letters.slice(0, Math.min(bytes.length - i, 3) + 1).join("").padEnd(4, "=");
  }
  return result;
}
