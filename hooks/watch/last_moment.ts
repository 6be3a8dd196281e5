// The last moment of the process: sends all lines that are still held before the process ends.

import { close } from "../java/ending.js";
import { watcherOn } from "../java/engine.js";
import { patch } from "../java/patches.js";
import { farewell } from "../out/emit.js";

const watched = new Set<string>();

/** Watch the ways in which a process ends; called again when a virtual machine has been loaded. */
export function watchExit(): void {
  for (const name of ["exit", "_exit", "_Exit", "quick_exit", "abort", "JVM_Halt"]) {
    attach(name, () => name);
  }
  // Process.killProcess and the like: kill with the process's own pid and a signal that ends it.
  attach("kill", (args) => {
    const [pid, signal] = [args[0]?.toInt32() ?? 0, args[1]?.toInt32() ?? 0];
    return pid === Process.id && [6, 9, 15].includes(signal) ? `kill ${signal}` : null;
  });
}

function attach(name: string, how: (args: InvocationArguments) => string | null): void {
  const address = Module.findGlobalExportByName(name);
  if (address === null || watched.has(address.toString())) {
    return;
  }
  watched.add(address.toString());
  try {
    patch(address, {
      onEnter(args) {
        const reason = how(args);
        if (reason !== null) {
          close();
          farewell(reason, watcherOn(this.threadId));
        }
      },
    });
  } catch {
    // Some libc functions are too short to be hooked; the others see the same end.
  }
}
