// Plaintext at the TLS libraries: what the app writes on connections that the proxy does not decrypt. The host makes
// uploads of it; here are only the bytes, their connection, and the code that wrote them.

import type { Endpoint } from "../event.js";
import { here } from "../java/stack.js";
import { ownersIn, settle } from "../out/emit.js";
import type { TlsPlan } from "../plan.js";
import { send } from "../out/numbered.js";

/** A write after a pause this long counts as new: its stack is captured again. */
const PAUSE_US = 5_000;
/** How many bytes of an answer are looked at: its status is at the beginning. */
export const ANSWER_BYTES = 64;

/** `HTTP/1.1 200` */
const STATUS_BYTES = 12;

/** What is known about a connection when its first bytes go out. */
export interface About {
  library: string;
  local: Endpoint | null;
  remote: Endpoint | null;
  host: string | null;
  version: string | null;
  alpn: string | null;
}

export interface Link {
  id: number;
  /** null: not known yet; false: the proxy decrypts the connection, and has everything */
  wanted: boolean | null;
  told: boolean;
  /** something went out since the last answer */
  asked: boolean;
  lastOut: number;
  /** the bytes so far of an answer that the app reads byte by byte */
  begun: number[];
}

let key: Uint8Array | null = null;
let links = 0;

export function newLink(): Link {
  links += 1;
  return { id: links, wanted: null, told: false, asked: false, lastOut: 0, begun: [] };
}

/** Whether a certificate contains the key identifier of the proxy's CA, and so names this CA as its issuer. */
export function isTheProxys(certificate: ArrayBuffer): boolean {
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

export function out(link: Link, at: number, bytes: ArrayBuffer, about: () => About): void {
  if (bytes.byteLength === 0) {
    return;
  }
  if (link.begun.length > 0) {
    tellAnswer(link, at);
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
    const { stack } = here();
    Object.assign(message, { stack, ...ownersIn(stack) });
  }
  send(message, bytes);
}

/** `single`: the app reads byte by byte; the beginning of the answer is reported as soon as it holds a status. */
export function answered(link: Link, at: number, bytes: () => ArrayBuffer | null, single = false): void {
  if (!link.asked || link.wanted !== true) {
    return;
  }
  const got = new Uint8Array(bytes() ?? new ArrayBuffer(0));
  link.begun.push(...got);
  if (link.begun.length >= STATUS_BYTES || (!single && link.begun.length === got.length)) {
    tellAnswer(link, at);
  }
}

function tellAnswer(link: Link, at: number): void {
  const bytes = Uint8Array.from(link.begun).buffer;
  link.begun = [];
  link.asked = false;
  send({ type: "plain", id: link.id, at, way: "in" }, bytes);
}

export function ended(link: Link, at: number): void {
  if (link.told) {
    link.told = false;
    send({ type: "plain", id: link.id, at, way: "end" });
  }
}

/** Set the key identifier of the proxy's CA, by which the proxy's certificates are recognized. */
export function useKey(plan: TlsPlan): void {
  key = plan.proxy_key === null ? null : Uint8Array.from(plan.proxy_key.match(/../g) ?? [], (two) => parseInt(two, 16));
}
