// A regular expression as a shape that C can match with a text: letters, `{this,that}`, `#` for all digits at this
// place, `*` for everything up to the next slash or the end, `**` for any text. It fits all texts that the expression
// matches and maybe others, so JavaScript checks again.

/** What each part of an expression becomes; an expression with any other part has no shape. */
const SHAPES = new Map([
  ["(", "{"], ["(?:", "{"], ["|", ","], [")", "}"], [")?", ",}"],
  ["\\.", "."], ["\\.?", "{.,}"], ["/?", "{/,}"],
  [".*", "**"], ["[^/]+", "**"], ["\\d", "**"], ["\\d?", "**"], ["\\d+", "**"],
]);
const PART = /\(\?:|\)\?|\\.[?+]?|\/\?|\.\*|\[\^\/\]\+|./g;
/** Parts that match as many characters as possible, followed by something else. */
const ALL_DIGITS = /^\\d[?+]?(?!\)*\??[\\\d(])/;
const ALL_TO_SLASH = /^\[\^\/\]\+\)*(\/|$)/;

function textOf(pattern: string): string | null {
  const [, begins, inner = "", ends] = /^(\^?)(.*?)(\$?)$/.exec(pattern) ?? [];
  let shape = begins === "" ? "**" : "";
  for (const { 0: part, index } of inner.matchAll(PART)) {
    const rest = inner.slice(index);
    const known = ALL_DIGITS.test(rest) ? "#" : ALL_TO_SLASH.test(rest) ? "*" : SHAPES.get(part);
    const becomes = known ?? (/^[\w/-]$/.test(part) ? part : null);
    if (becomes === null) {
      return null;
    }
    shape += becomes;
  }
  return ends === "" ? `${shape}**` : shape;
}

/**
 * The shape of an expression as bytes with a zero at the end; null when it has none. Each opening brace and each comma
 * is followed by the distance from it to the end of the alternative.
 */
export function shapeOf(pattern: string): number[] | null {
  const bytes: number[] = [];
  const begun: number[] = [];
  for (const letter of textOf(pattern) ?? ",") {
    if (letter === "," || letter === "}") {
      const from = begun.pop();
      const far = bytes.length - (from ?? 0);
      if (from === undefined || far > 255) {
        return null;
      }
      bytes[from + 1] = far;
    }
    if (letter === "{" || letter === ",") {
      begun.push(bytes.length);
    }
    bytes.push(letter.charCodeAt(0), ...(letter === "{" || letter === "," ? [0] : []));
  }
  return [...bytes, 0];
}
