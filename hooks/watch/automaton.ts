// Regular expressions as a table of states that C can run over the bytes of a text, one look-up a byte.

/** States at most: patterns that need more are left to JavaScript. */
const MOST_STATES = 4000;
const BYTES = 256;
/** The byte that ends a text in C. */
const END = 0;
/** States of the table that end the search. */
const NEVER = 0;
const FOUND = 1;

/** What a pattern has that is not understood here; the pattern is not wrong, JavaScript may well know it. */
class Unknown extends Error {}

interface Node {
  /** where it goes on a byte of a set */
  on: { bytes: Set<number>; to: number } | null;
  /** where it goes without one */
  also: number[];
}

const ANY = set((byte) => byte !== END);
/** Bytes of letters that are no ASCII, and those of them that only stand behind another. */
const FOREIGN = set((byte) => byte >= 0x80);
const GOES_ON = set((byte) => byte >= 0x80 && byte < 0xc0);
const KINDS: Record<string, Set<number>> = {
  d: set((byte) => byte >= 48 && byte <= 57),
  w: set((byte) => /\w/.test(String.fromCharCode(byte))),
  s: set((byte) => byte >= 0x80 || (byte !== END && /\s/.test(String.fromCharCode(byte)))),
};

function set(has: (byte: number) => boolean): Set<number> {
  return new Set(Array.from({ length: BYTES }, (_, byte) => byte).filter(has));
}

function others(bytes: Set<number>): Set<number> {
  return new Set([...ANY].filter((byte) => byte >= 0x80 || !bytes.has(byte)));
}

/** The patterns as one graph; a text is found when the last node is reached. */
class Graph {
  readonly nodes: Node[] = [];
  readonly first = this.node();
  readonly last = this.node();
  private text = "";
  private at = 0;

  add(pattern: string): void {
    [this.text, this.at] = [pattern, 0];
    do {
      const from = this.node();
      this.go(this.first, from);
      if (!this.eats("^")) {
        this.on(from, ANY, from);
      }
      this.go(this.sequence(from), this.last);
    } while (this.eats("|"));
    if (this.at !== this.text.length) {
      throw new Unknown(pattern);
    }
  }

  private node(): number {
    return this.nodes.push({ on: null, also: [] }) - 1;
  }

  private go(from: number, to: number): void {
    this.nodes[from]?.also.push(to);
  }

  /** A node leads to others on one set of bytes alone: what comes behind it is a new one. */
  private on(from: number, bytes: Set<number>, to = this.node()): number {
    const between = this.node();
    this.go(from, between);
    (this.nodes[between] as Node).on = { bytes, to };
    if (from !== to && [...bytes].some((byte) => FOREIGN.has(byte))) {
      this.on(to, GOES_ON, to);
    }
    return to;
  }

  private eats(letter: string): boolean {
    const there = this.text[this.at] === letter;
    this.at += there ? 1 : 0;
    return there;
  }

  private alternatives(from: number): number {
    const end = this.node();
    do {
      this.go(this.sequence(from), end);
    } while (this.eats("|"));
    return end;
  }

  private sequence(from: number): number {
    let last = from;
    while (this.at < this.text.length && !/[|)]/.test(this.text[this.at] ?? "")) {
      const begin = this.node();
      this.go(last, begin);
      last = this.node();
      this.go(this.one(begin), last);
      const [once, often] = [this.eats("?"), this.eats("*")];
      if (often || this.eats("+")) {
        this.go(last, begin);
      }
      if (once || often) {
        this.go(begin, last);
      }
    }
    return last;
  }

  private one(from: number): number {
    const letter = this.text[this.at++] ?? "";
    switch (letter) {
      case "(": {
        if (this.text.startsWith("?", this.at) && !this.text.startsWith("?:", this.at)) {
          throw new Unknown(this.text);
        }
        this.at += this.text.startsWith("?:", this.at) ? 2 : 0;
        const end = this.alternatives(from);
        if (!this.eats(")")) {
          throw new Unknown(this.text);
        }
        return end;
      }
      case "[":
        return this.on(from, this.choice());
      case ".":
        return this.on(from, others(new Set([10, 13])));
      case "$":
        return this.on(from, new Set([END]));
      case "\\":
        return this.on(from, this.escaped());
      case "^": case "?": case "*": case "+": case "{": case "}":
        throw new Unknown(this.text);
      default:
        return this.on(from, new Set([this.byteOf(letter)]));
    }
  }

  private byteOf(letter: string): number {
    const code = letter.charCodeAt(0);
    if (!(code > 0 && code < 128)) {
      throw new Unknown(this.text);
    }
    return code;
  }

  private escaped(): Set<number> {
    const letter = this.text[this.at++] ?? "";
    const kind = KINDS[letter.toLowerCase()];
    if (kind !== undefined) {
      return letter === letter.toLowerCase() ? kind : others(kind);
    }
    if (/\w/.test(letter)) {
      throw new Unknown(this.text);
    }
    return new Set([this.byteOf(letter)]);
  }

  /** What stands between brackets. */
  private choice(): Set<number> {
    const not = this.eats("^");
    const found = new Set<number>();
    while (!this.eats("]")) {
      const letter = this.text[this.at++] ?? "";
      const from = letter === "\\" ? this.escaped() : new Set([this.byteOf(letter)]);
      const [first = 0] = from;
      if (from.size === 1 && this.text[this.at] === "-" && this.text[this.at + 1] !== "]") {
        const until = this.byteOf(this.text[this.at + 1] ?? "");
        this.at += 2;
        for (let byte = first; byte <= until; byte++) {
          found.add(byte);
        }
      }
      for (const byte of from) {
        found.add(byte);
      }
    }
    return not ? others(found) : found;
  }
}

/**
 * A table that finds texts which any of the patterns matches, as 16-bit numbers: how many kinds of bytes there are, the
 * kind of each byte, then for each state where it goes on each kind. A search begins in state 2; state 1 has found, state
 * 0 never will. It may find more than the patterns, never less. Null when it cannot be made.
 */
export function tableOf(patterns: string[]): Uint16Array | null {
  const graph = new Graph();
  try {
    patterns.forEach((pattern) => {
      graph.add(pattern);
    });
  } catch (error) {
    if (error instanceof Unknown) {
      return null;
    }
    throw error;
  }
  const [kindOf, examples] = kinds(graph.nodes);
  const states = new Map<string, number>([["never", NEVER], ["found", FOUND]]);
  const rows: number[][] = [examples.map(() => NEVER), examples.map(() => FOUND)];
  const waiting: number[][] = [];
  const stateOf = (nodes: number[]): number => {
    const all = reached(graph.nodes, nodes);
    const key = all.includes(graph.last) ? "found" : all.length === 0 ? "never" : all.join(" ");
    let state = states.get(key);
    if (state === undefined) {
      state = states.size;
      states.set(key, state);
      waiting.push(all);
    }
    return state;
  };
  if (stateOf([graph.first]) === FOUND) {
    return null;
  }
  for (let all = waiting.shift(); all !== undefined && states.size < MOST_STATES; all = waiting.shift()) {
    const ways = all.map((node) => graph.nodes[node]?.on ?? null).filter((on) => on !== null);
    rows.push(examples.map((byte) => stateOf(ways.filter(({ bytes }) => bytes.has(byte)).map(({ to }) => to))));
  }
  return rows.length === states.size ? new Uint16Array([examples.length, ...kindOf, ...rows.flat()]) : null;
}

/** All nodes that are reached from some without a byte; of those only the ones that matter, in order. */
function reached(nodes: Node[], from: number[]): number[] {
  const found = new Set(from);
  for (const node of found) {
    for (const also of nodes[node]?.also ?? []) {
      found.add(also);
    }
  }
  return [...found].filter((node) => node === 1 || nodes[node]?.on !== null).sort((a, b) => a - b);
}

/** Bytes that no pattern tells apart are of one kind: the kind of each byte, and a byte of each kind. */
function kinds(nodes: Node[]): [number[], number[]] {
  const sets = new Set(nodes.map(({ on }) => on?.bytes).filter((bytes) => bytes !== undefined));
  const known = new Map<string, number>();
  const examples: number[] = [];
  const kindOf = Array.from({ length: BYTES }, (_, byte) => {
    const key = [...sets].map((bytes) => (bytes.has(byte) ? "1" : "0")).join("");
    let kind = known.get(key);
    if (kind === undefined) {
      kind = examples.push(byte) - 1;
      known.set(key, kind);
    }
    return kind;
  });
  return [kindOf, examples];
}
