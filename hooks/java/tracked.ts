// Objects that deliver values later (listeners, tasks, cursors): recognised by identity, and never kept alive by us.

import { Method } from "./classes.js";
import { deleteWeak, isSame, weakRef, type Env } from "./jni.js";

const identityHashCode = new Method("java.lang.System", "identityHashCode", "(Ljava/lang/Object;)I", true);
/**
 * Number of entries at which a map is first searched for dead objects; and of refused objects before all maps are
 * searched again.
 */
const SWEEP_AT = 256;

interface Entry<T> {
  weak: NativePointer;
  what: T;
  /** its reference has been released */
  gone: boolean;
}

/** All maps: when there is no room for a reference, dead objects are removed from all of them. */
const all: Tracked<unknown>[] = [];
let refused = 0;

/** A map with Java objects as weak keys, by identity. While it calls Java, other threads may use it. */
export class Tracked<T> {
  private readonly byHash = new Map<number, Entry<T>[]>();
  private size = 0;
  private sweepAt = SWEEP_AT;

  constructor() {
    all.push(this);
  }

  get(env: Env, object: NativePointer | null): T | undefined {
    if (object === null || object.isNull() || this.byHash.size === 0) {
      return undefined;
    }
    return this.find(env, identityHashCode.number(env, null, object), object)?.what;
  }

  /** Add an object, or replace its value; not if there are too many references, which a gap reports. */
  set(env: Env, object: NativePointer, what: T): void {
    const hash = identityHashCode.number(env, null, object);
    const same = this.find(env, hash, object);
    if (same !== undefined) {
      same.what = what;
      return;
    }
    if (this.size >= this.sweepAt) {
      this.sweep(env);
    }
    let weak = weakRef(env, object);
    if (weak === null && refused++ % SWEEP_AT === 0) {
      for (const map of all) {
        map.sweep(env);
      }
      weak = weakRef(env, object);
    }
    if (weak === null) {
      return;
    }
    const entries = this.byHash.get(hash) ?? [];
    entries.push({ weak, what, gone: false });
    this.byHash.set(hash, entries);
    this.size += 1;
  }

  delete(env: Env, object: NativePointer): void {
    const hash = identityHashCode.number(env, null, object);
    const gone = this.find(env, hash, object);
    if (gone !== undefined) {
      this.remove(env, hash, gone);
    }
  }

  private find(env: Env, hash: number, object: NativePointer): Entry<T> | undefined {
    return this.byHash.get(hash)?.slice().find((entry) => !entry.gone && isSame(env, entry.weak, object));
  }

  private sweep(env: Env): void {
    for (const [hash, entries] of [...this.byHash]) {
      for (const entry of entries.slice()) {
        if (!entry.gone && isSame(env, entry.weak, NULL)) {
          this.remove(env, hash, entry);
        }
      }
    }
    this.sweepAt = Math.max(SWEEP_AT, 2 * this.size);
  }

  private remove(env: Env, hash: number, entry: Entry<T>): void {
    if (entry.gone) {
      return;
    }
    entry.gone = true;
    this.size -= 1;
    const entries = this.byHash.get(hash) ?? [];
    entries.splice(entries.indexOf(entry), 1);
    if (entries.length === 0) {
      this.byHash.delete(hash);
    }
    deleteWeak(env, entry.weak);
  }
}
