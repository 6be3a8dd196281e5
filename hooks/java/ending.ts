// What our own thread does in the virtual machine, and the end of that: a call into a virtual machine that has ended never
// returns, and Frida would wait for our thread before the process can end.

import Java from "frida-java-bridge";
import { waitUntil } from "../out/clock.js";

const CLOSE_S = 10;
const STEP_S = 0.001;

let busy = 0;
let closing = false;

/** Begin what `end` ends. False: the virtual machine is about to end, and nothing may begin. */
export function begin(): boolean {
  if (closing) {
    return false;
  }
  busy += 1;
  return true;
}

export function end(): void {
  busy -= 1;
}

/** Run `work` on the agent's own thread, in the virtual machine, unless that is about to end. */
export function inVm(work: () => void): void {
  if (begin()) {
    try {
      Java.vm.perform(work);
    } finally {
      end();
    }
  }
}

/** Called when the virtual machine is about to end: wait for what has begun, and begin nothing more. */
export function close(): void {
  closing = true;
  waitUntil(() => busy === 0, CLOSE_S, STEP_S);
}

/** The same on the agent's own thread, and begin one last thing, which `end` ends. */
export async function closed(): Promise<void> {
  closing = true;
  for (let waited = 0; waited < CLOSE_S && busy > 0; waited += STEP_S) {
    await new Promise((resolve) => { setTimeout(resolve, 1000 * STEP_S); });
  }
  busy += 1;
}
