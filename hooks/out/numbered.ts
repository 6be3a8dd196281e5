// Numbers all that we send, and keeps the last of it: when the connection to the host was cut, Frida loses what was on its
// way, and the host asks for it by its number.

const plain = globalThis.send;
const MOST_KEPT = 64;
const MOST_KEPT_BYTES = 8 << 20;

interface Sent {
  message: object;
  bytes: ArrayBuffer | null;
}

let number = 0;
/** what was sent last, the newest at the end; its number is `number` */
const kept: Sent[] = [];
let keptBytes = 0;

/** Give the host a message, with bytes. */
export function send(message: object, bytes: ArrayBuffer | null = null): void {
  number += 1;
  kept.push({ message, bytes });
  keptBytes += bytes?.byteLength ?? 0;
  while (kept.length > MOST_KEPT || keptBytes > MOST_KEPT_BYTES) {
    keptBytes -= kept.shift()?.bytes?.byteLength ?? 0;
  }
  plain({ ...message, n: number }, bytes);
}

/** Send messages again that the host did not get, by their numbers. */
function sendAgain(): void {
  recv("again", ({ from, until }: { from: number; until: number }) => {
    const oldest = number - kept.length + 1;
    for (let wanted = Math.max(from, oldest); wanted <= until; wanted += 1) {
      const sent = kept[wanted - oldest];
      if (sent !== undefined) {
        plain({ ...sent.message, n: wanted }, sent.bytes);
      }
    }
    plain({ type: "lost", count: Math.max(0, Math.min(oldest, until + 1) - from) });
    sendAgain();
  });
}

sendAgain();
