// Numbers everything that we send, and keeps the last messages: when the connection to the host is cut, Frida loses
// what was on its way, and the host asks for it by number.

const plain = globalThis.send;
const MOST_KEPT = 64;
const MOST_KEPT_BYTES = 8 << 20;

interface Sent {
  message: object;
  bytes: ArrayBuffer | null;
}

let number = 0;
/** the last messages sent, the newest at the end; its number is `number` */
const kept: Sent[] = [];
let keptBytes = 0;

/** Send the host a message, with bytes if there are any. */
export function send(message: object, bytes: ArrayBuffer | null = null): void {
  number += 1;
  kept.push({ message, bytes });
  keptBytes += bytes?.byteLength ?? 0;
  while (kept.length > MOST_KEPT || keptBytes > MOST_KEPT_BYTES) {
    keptBytes -= kept.shift()?.bytes?.byteLength ?? 0;
  }
  plain({ ...message, n: number }, bytes);
}

/** Send again, by their numbers, the messages that the host did not get. */
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
