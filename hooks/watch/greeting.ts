// The host that a connection is for, from the first bytes that a client writes on it.

/** How many bytes are usually enough: a TLS ClientHello with its names. */
export const FIRST_BYTES = 2048;

const REQUEST = /^(?:CONNECT ([^ :]+)(?::\d+)? HTTP|[A-Z]+ https?:\/\/([^/ :]+)|[A-Z]+ \/?[^ ]* HTTP\/1\.[01]\r\n(?:[^\r\n]*\r\n)*?host: *([^\r\n:]+))/i;

/** The host that a TLS ClientHello, a request through a proxy or a plain request names; null when it names none. */
export function hostIn(bytes: Uint8Array): string | null {
  if (bytes[0] === 0x16 && bytes[1] === 3) {
    return nameIn(bytes);
  }
  let text = "";
  for (const byte of bytes) {
    text += String.fromCharCode(byte);
  }
  const found = REQUEST.exec(text);
  return found?.[1] ?? found?.[2] ?? found?.[3]?.trim() ?? null;
}

/** The server name of a ClientHello (RFC 8446, 4.1.2; RFC 6066, 3). */
function nameIn(bytes: Uint8Array): string | null {
  const two = (at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  // record (5), handshake (4), version (2), random (32), then lists that each begin with their length
  let at = 5 + 4 + 2 + 32;
  at += 1 + (bytes[at] ?? 0);
  at += 2 + two(at);
  at += 1 + (bytes[at] ?? 0);
  const end = at + 2 + two(at);
  at += 2;
  while (at + 4 <= Math.min(end, bytes.length)) {
    const [kind, length] = [two(at), two(at + 2)];
    if (kind === 0) {
      const size = two(at + 7);
      const name = bytes.subarray(at + 9, at + 9 + size);
      return name.length === size && size > 0 ? String.fromCharCode(...name) : null;
    }
    at += 4 + length;
  }
  return null;
}
