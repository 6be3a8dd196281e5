// Objects that give values away later (listeners, tasks, cursors), known by identity and never kept alive by us.

import { Method } from "./classes.js";
import { deleteWeak, isSame, weakRef, type Env } from "./jni.js";

const identityHashCode = new Method("java.lang.System", "identityHashCode", "(Ljava/lang/Object;)I", true);
const SWEEP_EVERY = 256;

interface Entry<T> {
  weak: NativePointer;
  what: T;
}

/** A map with Java objects as keys, by identity, weakly. */
export class Tracked<T> {
  private readonly byHash = new Map<number, Entry<T>[]>();
  private added = 0;

  get(env: Env, object: NativePointer | null): T | undefined {
    if (object === null || object.isNull() || this.byHash.size === 0) {
      return undefined;
    }
    const entries = this.byHash.get(identityHashCode.number(env, null, object));
    return entries?.find((entry) => isSame(env, entry.weak, object))?.what;
  }

  set(env: Env, object: NativePointer, what: T): void {
    this.added += 1;
    if (this.added % SWEEP_EVERY === 0) {
      this.sweep(env);
    }
    const hash = identityHashCode.number(env, null, object);
    const entries = this.byHash.get(hash) ?? [];
    const same = entries.find((entry) => isSame(env, entry.weak, object));
    if (same !== undefined) {
      same.what = what;
      return;
    }
    entries.push({ weak: weakRef(env, object), what });
    this.byHash.set(hash, entries);
  }

  delete(env: Env, object: NativePointer): void {
    const hash = identityHashCode.number(env, null, object);
    const entries = this.byHash.get(hash) ?? [];
    const gone = entries.find((entry) => isSame(env, entry.weak, object));
    if (gone !== undefined) {
      deleteWeak(env, gone.weak);
      this.keep(hash, entries.filter((entry) => entry !== gone));
    }
  }

  private sweep(env: Env): void {
    for (const [hash, entries] of this.byHash) {
      const dead = entries.filter((entry) => isSame(env, entry.weak, NULL));
      for (const entry of dead) {
        deleteWeak(env, entry.weak);
      }
      if (dead.length > 0) {
        this.keep(hash, entries.filter((entry) => !dead.includes(entry)));
      }
    }
  }

  private keep(hash: number, entries: Entry<T>[]): void {
    if (entries.length === 0) {
      this.byHash.delete(hash);
    } else {
      this.byHash.set(hash, entries);
    }
  }
}
