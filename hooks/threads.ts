// Whether the threads of the process have gone on since a moment: asked of the kernel, which counts how often each one ran.

const opendir = new NativeFunction(Module.getGlobalExportByName("opendir"), "pointer", ["pointer"]);
const readdir = new NativeFunction(Module.getGlobalExportByName("readdir"), "pointer", ["pointer"]);
const closedir = new NativeFunction(Module.getGlobalExportByName("closedir"), "int", ["pointer"]);
const TASKS = "/proc/self/task";
/** Of struct dirent, on Linux with 64 bits. */
const NAME_AT = 19;
const PATIENCE_MS = 2_000;
const STEP_MS = 20;

/** Number of each thread that would run if it had a processor -> how often it has had one. Null where the kernel is another. */
function running(): Map<string, number> | null {
  const found = new Map<string, number>();
  const folder = opendir(Memory.allocUtf8String(TASKS));
  if (folder.isNull()) {
    return null;
  }
  for (let entry = readdir(folder); !entry.isNull(); entry = readdir(folder)) {
    const thread = entry.add(NAME_AT).readUtf8String() ?? "";
    try {
      const state = File.readAllText(`${TASKS}/${thread}/stat`).replace(/.*\) /s, "")[0];
      if (state === "R") {
        found.set(thread, Number(File.readAllText(`${TASKS}/${thread}/schedstat`).split(" ")[2]));
      }
    } catch {
      // It has ended.
    }
  }
  closedir(folder);
  return found;
}

/** Wait until each thread has come to rest or has had a processor twice; false when one has not for a while, or nobody knows. */
export async function allWentOn(): Promise<boolean> {
  let waiting = running();
  if (waiting === null) {
    return false;
  }
  waiting.delete(String(Process.getCurrentThreadId()));
  for (let waited = 0; waiting.size > 0 && waited < PATIENCE_MS; waited += STEP_MS) {
    await new Promise((resolve) => { setTimeout(resolve, STEP_MS); });
    const now = running() ?? new Map<string, number>();
    waiting = new Map([...waiting].filter(([thread, times]) => (now.get(thread) ?? Infinity) < times + 2));
  }
  return waiting.size === 0;
}
