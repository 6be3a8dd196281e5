// Runs work on the agent's own thread, even while a thread of the app is still inside a hook.
//
// A timer or setImmediate set inside a hook only starts when the hook returns, and a hook returns when the app's method
// does, which may take minutes. A byte in a pipe wakes our thread at once.

import { hasLeft, whenLeft } from "./leaving.js";

const write = new NativeFunction(
  Module.getGlobalExportByName("write"), "long", ["int", "pointer", "size_t"],
  { scheduling: "exclusive", exceptions: "propagate" });

const close = new NativeFunction(
  Module.getGlobalExportByName("close"), "int", ["int"], { scheduling: "exclusive", exceptions: "propagate" });

const queue: (() => void)[] = [];
const byte = Memory.alloc(1);
let bell = -1;

function hang(): void {
  const pipe = new NativeFunction(Module.getGlobalExportByName("pipe"), "int", ["pointer"]);
  const ends = Memory.alloc(8);
  if (pipe(ends) !== 0) {
    throw new Error("no pipe for the agent's own thread");
  }
  bell = ends.add(4).readS32();
  // Our thread's end of the pipe is closed by its listener.
  whenLeft(() => {
    close(bell);
  });
  void listen(new UnixInputStream(ends.readS32(), { autoClose: true }));
}

async function listen(door: UnixInputStream): Promise<void> {
  for (;;) {
    const rung = await door.read(64);
    if (rung.byteLength === 0) {
      await door.close();
      return;
    }
    for (let work = queue.shift(); work !== undefined; work = queue.shift()) {
      setImmediate(work);
    }
  }
}

hang();

/** Run `work` on the agent's own thread, soon. */
export function soon(work: () => void): void {
  // After we leave, nobody reads the pipe, and its number may belong to another file.
  if (hasLeft()) {
    return;
  }
  queue.push(work);
  write(bell, byte, 1);
}

/** Run `work` on the agent's own thread after some milliseconds, unless the returned function is called first. */
export function after(milliseconds: number, work: () => void): () => void {
  let wanted = true;
  soon(() => {
    setTimeout(() => {
      if (wanted && !hasLeft()) {
        work();
      }
    }, milliseconds);
  });
  return () => {
    wanted = false;
  };
}
