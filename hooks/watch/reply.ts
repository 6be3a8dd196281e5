// What a service answered, in the bytes of its parcel: headers, then the exception, if any, then the method's result.

import type { Access } from "../event.js";

export interface Answer {
  outcome: Access["outcome"];
  /** the method's result, if it is one text and nothing else */
  text: string | null;
}

const NUMBER_BYTES = 4;
const LONG_BYTES = 8;
/** Header: the app operations that the call was counted as (Android 11 and later); more follows. */
const NOTED_OPERATIONS = -127;
/** Header: StrictMode violations in the service; then there is no exception. */
const STRICT_MODE = -128;
const SECURITY = -1;
const LAST_EXCEPTION = -9;
const TRANSACTION_FAILED = -129;
/** Fewest bytes of noted operations, where their length is written: length, count, one tag and its operations. */
const SHORTEST = 3 * NUMBER_BYTES + LONG_BYTES;

const isException = (code: number): boolean => (code < 0 && code >= LAST_EXCEPTION) || code === TRANSACTION_FAILED;

/** A four-byte number, or null past the end. */
function number(bytes: DataView, at: number): number | null {
  return at >= 0 && at + NUMBER_BYTES <= bytes.byteLength ? bytes.getInt32(at, true) : null;
}

/** Where a text ends: a length in UTF-16 units, -1 for none, then the units and a zero. */
function behindText(bytes: DataView, at: number): number {
  const length = number(bytes, at) ?? 0;
  return at + NUMBER_BYTES + (length < 0 ? 0 : (2 * (length + 1) + 3) & ~3);
}

/** Skip a header that begins with its length, which counts itself. */
function behindLength(bytes: DataView, at: number): number {
  return at + Math.max(number(bytes, at) ?? 0, NUMBER_BYTES);
}

/**
 * Skip a number of tags with two longs each, whose bits are the operations: Android 11 writes them like this, without a
 * length.
 */
function behindTags(bytes: DataView, at: number): number {
  const count = number(bytes, at) ?? 0;
  let end = at + NUMBER_BYTES;
  for (let i = 0; i < count; i++) {
    end = behindText(bytes, end) + 2 * LONG_BYTES;
  }
  return end;
}

/** Where the noted operations end, if a valid code follows them; else null. */
function behindOperations(bytes: DataView, at: number): number | null {
  // A length, where there is one, is at least that of one tag.
  const end = ((number(bytes, at) ?? 0) < SHORTEST ? behindTags : behindLength)(bytes, at);
  const code = number(bytes, end);
  return code === 0 || code === STRICT_MODE || (code !== null && isException(code)) ? end : null;
}

export function answerIn(bytes: DataView): Answer {
  let at: number | null = 0;
  let code = number(bytes, 0) ?? 0;
  if (code === NOTED_OPERATIONS) {
    at = behindOperations(bytes, NUMBER_BYTES);
    code = at === null ? code : (number(bytes, at) ?? 0);
  }
  if (at === null || code === NOTED_OPERATIONS) {
    return { outcome: "returned", text: null };
  }
  if (isException(code)) {
    return { outcome: code === SECURITY ? "denied" : "threw", text: null };
  }
  at += NUMBER_BYTES;
  if (code === STRICT_MODE) {
    at = behindLength(bytes, at);
  }
  if (bytes.byteLength <= at + NUMBER_BYTES) {
    return { outcome: "empty", text: null };
  }
  const length = number(bytes, at) ?? 0;
  if (length <= 0 || behindText(bytes, at) !== bytes.byteLength) {
    return { outcome: "returned", text: null };
  }
  const letters = Array.from({ length }, (_, i) => bytes.getUint16(at + NUMBER_BYTES + 2 * i, true));
  return { outcome: "returned", text: String.fromCharCode(...letters) };
}
