// Attaches the agent's own thread to a JVM as a daemon, and detaches it at the end.
//
// The bridge would attach it as an ordinary thread. A JVM waits for those when the app's main method returns, so it
// would never end. This module does not use the bridge, so that it can be loaded before it.

export const JVM = /jvm\.(so|dll|dylib)$/;

const DETACH = 5;
const ATTACH_AS_DAEMON = 7;
const options = { exceptions: "propagate" } as const;

/** Lives as long as the script. */
const script = {};
let attached = false;

/** `none`: there is no JVM in this process; `later`: it has not been created yet. Call it on the agent's own thread. */
export function attachAsDaemon(): "none" | "later" | "attached" {
  const jvm = Process.enumerateModules().find((module) => JVM.test(module.name));
  if (jvm === undefined) {
    return "none";
  }
  if (attached) {
    return "attached";
  }
  const created = new NativeFunction(
    jvm.getExportByName("JNI_GetCreatedJavaVMs"), "int", ["pointer", "int", "pointer"], options);
  const vms = Memory.alloc(Process.pointerSize);
  const count = Memory.alloc(4);
  if (created(vms, 1, count) !== 0 || count.readS32() === 0) {
    return "later";
  }
  const vm = vms.readPointer();
  const entry = (index: number): NativePointer => vm.readPointer().add(index * Process.pointerSize).readPointer();
  const attach = new NativeFunction(entry(ATTACH_AS_DAEMON), "int", ["pointer", "pointer", "pointer"], options);
  const detach = new NativeFunction(entry(DETACH), "int", ["pointer"], options);
  const result = attach(vm, Memory.alloc(Process.pointerSize), NULL);
  if (result !== 0) {
    throw new Error(`the JVM refused the agent's thread (${result})`);
  }
  attached = true;
  // The bridge detaches only threads that it attached itself; it removes its hooks two ticks after the end.
  Script.bindWeak(script, () => {
    Script.nextTick(() => {
      Script.nextTick(() => {
        Script.nextTick(() => {
          detach(vm);
        });
      });
    });
  });
  return "attached";
}

attachAsDaemon();
