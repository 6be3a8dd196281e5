// Any bytes as text.

/** One character for each byte. */
export function latin(bytes: ArrayBuffer | Uint8Array): string {
  const view = new Uint8Array(bytes);
  let text = "";
  for (let from = 0; from < view.length; from += 4096) {
    text += String.fromCharCode(...view.subarray(from, from + 4096));
  }
  return text;
}

/** Decode such a text as UTF-8, if it is valid UTF-8. */
export function utf8(text: string): string {
  try {
    return decodeURIComponent(text.replace(/[%\x80-\xff]/g, (one) => `%${one.charCodeAt(0).toString(16)}`));
  } catch {
    return text;
  }
}
