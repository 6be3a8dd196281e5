// Looks up symbols of a library by name. On its own, the bridge would create an object for each symbol (19,000 in
// libart, 58,000 in a JVM) and pick a few; the build has it call these functions instead (`looks_up_symbols` in
// hatch_build.py).

interface Named {
  name: string;
  address: NativePointer;
}

/** The address of a symbol, exported or not; null: there is none. */
export function addressOf(module: Module, name: string): NativePointer | null {
  return module.findExportByName(name) ?? module.findSymbolByName(name);
}

function named(module: Module, name: string): Named | undefined {
  const address = addressOf(module, name);
  return address === null ? undefined : { name, address };
}

function listed(module: Module): Named[] {
  return [...module.enumerateExports(), ...module.enumerateSymbols()];
}

/** The symbols whose whole name matches; quick for a pattern of letters, digits and `[0-1]`. */
export function matching(module: Module, pattern: RegExp): Named[] {
  const found = spelled(pattern.source.slice(1, -1)).flatMap((name) => named(module, name) ?? []);
  return found.length > 0 ? found : listed(module).filter(({ name }) => pattern.test(name));
}

function spelled(pattern: string): string[] {
  return pattern.includes("[0-1]") ? ["0", "1"].flatMap((digit) => spelled(pattern.replace("[0-1]", digit))) : [pattern];
}

/** All symbols by name, for looking up single ones. */
export function symbolsOf(module: Module): Record<string, Named | undefined> {
  if (Process.platform !== "linux") {
    return Object.fromEntries(listed(module).map((symbol) => [symbol.name, symbol]));
  }
  return new Proxy({}, { get: (_, name) => named(module, String(name)) });
}
