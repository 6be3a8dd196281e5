// Regular expressions as a table of states that C can run over the bytes of a text, one look-up a byte.

/** States at most: patterns that need more are left to JavaScript. */
const MOST_STATES = 4000;
const BYTES = 256;
/** Letters that are no ASCII are of several bytes: a text with one is left to JavaScript, as found. */
const FOREIGN = 0x80;
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
const KINDS: Record<string, Set<number>> = {
  d: set((byte) => byte >= 48 && byte <= 57),
  w: set((byte) => /\w/.test(String.fromCharCode(byte))),
  s: set((byte) => byte !== END && /\s/.test(String.fromCharCode(byte))),
};

function set(has: (byte: number) => boolean): Set<number> {
  return new Set(Array.from({ length: FOREIGN }, (_, byte) => byte).filter(has));
}

function others(bytes: Set<number>): Set<number> {
  return new Set([...ANY].filter((byte) => !bytes.has(byte)));
}

/** A pattern as a graph; a text is found when the last node is reached. */
class Graph {
  readonly nodes: Node[] = [];
  readonly first = this.node();
  readonly last = this.node();
  private at = 0;

  constructor(private readonly text: string) {
    do {
      const from = this.node();
      this.go(this.first, from);
      if (!this.eats("^")) {
        this.on(from, ANY, from);
      }
      this.go(this.sequence(from), this.last);
    } while (this.eats("|"));
    if (this.at !== text.length) {
      throw new Unknown(text);
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
 * A table that finds the texts which a pattern matches, as 16-bit numbers: how many kinds of bytes there are, the kind of
 * each byte, then for each state where it goes on each kind. A search begins in state 2; state 1 has found, state 0 never
 * will. Of texts that are not all ASCII it may find more than the pattern, never fewer. Null when it cannot be made.
 */
export function tableOf(pattern: string): Uint16Array | null {
  let graph: Graph;
  try {
    graph = new Graph(pattern);
  } catch (error) {
    if (error instanceof Unknown) {
      return null;
    }
    throw error;
  }
  const sets = [...new Set(graph.nodes.map(({ on }) => on?.bytes).filter((bytes) => bytes !== undefined))];
  const [kindOf, kindsIn] = kinds(sets);
  const count = Math.max(...kindOf) + 1;
  const states = new Map<string, number>([["never", NEVER], ["found", FOUND]]);
  const rows: number[][] = [Array<number>(count).fill(NEVER), Array<number>(count).fill(FOUND)];
  const waiting: number[][] = [];
  const stateOf = (nodes: Set<number>): number => {
    const key = nodes.has(graph.last) ? "found" : nodes.size === 0 ? "never" : [...nodes].sort((a, b) => a - b).join(" ");
    let state = states.get(key);
    if (state === undefined) {
      state = states.size;
      states.set(key, state);
      waiting.push([...nodes]);
    }
    return state;
  };
  const behind = graph.nodes.map((_, node) => reached(graph, node));
  if (stateOf(new Set(behind[graph.first])) === FOUND) {
    return null;
  }
  for (let all = waiting.shift(); all !== undefined && states.size < MOST_STATES; all = waiting.shift()) {
    const next = Array.from({ length: count }, () => new Set<number>());
    for (const node of all) {
      const { bytes, to } = graph.nodes[node]?.on ?? { bytes: new Set<number>(), to: 0 };
      for (const kind of kindsIn.get(bytes) ?? []) {
        for (const each of behind[to] ?? []) {
          next[kind]?.add(each);
        }
      }
    }
    rows.push(next.map((nodes, kind) => (kind === kindOf[FOREIGN] ? FOUND : stateOf(nodes))));
  }
  return rows.length === states.size ? new Uint16Array([count, ...kindOf, ...rows.flat()]) : null;
}

/** Those that matter of all nodes that are reached from one without a byte. */
function reached(graph: Graph, from: number): number[] {
  const found = new Set([from]);
  for (const node of found) {
    for (const also of graph.nodes[node]?.also ?? []) {
      found.add(also);
    }
  }
  return [...found].filter((node) => node === graph.last || graph.nodes[node]?.on !== null);
}

/** Bytes that no set tells apart are of one kind: the kind of each byte, and the kinds in each set. */
function kinds(sets: Set<number>[]): [number[], Map<Set<number>, number[]>] {
  const known = new Map<string, number>([["foreign", 0]]);
  const kindsIn = new Map(sets.map((bytes) => [bytes, new Set<number>()]));
  const kindOf = Array.from({ length: BYTES }, (_, byte) => {
    const within = sets.filter((bytes) => bytes.has(byte));
    const key = byte >= FOREIGN ? "foreign" : within.map((bytes) => sets.indexOf(bytes)).join(" ");
    const kind = known.get(key) ?? known.size;
    known.set(key, kind);
    within.forEach((bytes) => kindsIn.get(bytes)?.add(kind));
    return kind;
  });
  return [kindOf, new Map([...kindsIn].map(([bytes, some]) => [bytes, [...some]]))];
}
