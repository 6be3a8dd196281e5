// Detects whether an agent of ours has been in this process before: on ART, its changes to the runtime's own code stay,
// and a second agent cannot be loaded beside them.
//
// An earlier run's agent shares nothing with this one, not even Frida's own state: the mark is a page at an address of
// our own, which an app can see only in its memory map.

const MARK = "an agent of appwitness was here";
const PLACE = ptr(Process.pointerSize === 8 ? "0x5a17000000" : "0x5a170000");
const PROT_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS = 0x22;

function marked(): boolean {
  const range = Process.findRangeByAddress(PLACE);
  return range?.protection.startsWith("r") === true && PLACE.readCString(MARK.length) === MARK;
}

export function isOnArt(): boolean {
  return Process.findModuleByName("libart.so") !== null;
}

/** Leave the mark, if this is ART. */
export function enterOnce(): void {
  if (!isOnArt()) {
    return;
  }
  const mmap = new NativeFunction(
    Module.getGlobalExportByName("mmap"), "pointer", ["pointer", "size_t", "int", "int", "int", "long"]);
  const page = mmap(PLACE, Process.pageSize, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);
  if (page.equals(PLACE)) { // else something else is there, and no mark is left
    page.writeUtf8String(MARK);
  }
}

// Before the bridge is loaded: it would learn about the runtime from code that an earlier bridge has overwritten.
if (isOnArt() && marked()) {
  const refuse = (): never => {
    throw new Error("an earlier run has been in this process");
  };
  rpc.exports = { install: refuse, finish: () => undefined };
  refuse();
}
