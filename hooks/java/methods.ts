// The C functions that JNI calls in place of hooked methods: one for each, generated for the types of its values.

import VALUES from "../native/values.txt";

/** The C type for each kind of Java value, and the member of Value; void has none. */
export const C_KINDS = {
  L: { type: "gpointer", member: "l" },
  Z: { type: "guint8", member: "z" },
  B: { type: "gint8", member: "b" },
  C: { type: "guint16", member: "c" },
  S: { type: "gint16", member: "s" },
  I: { type: "gint32", member: "i" },
  J: { type: "gint64", member: "j" },
  F: { type: "gfloat", member: "f" },
  D: { type: "gdouble", member: "d" },
  V: { type: "void", member: "" },
} as const;
export type Letter = keyof typeof C_KINDS;

/** A hooked method: the addresses of its hook and of the JavaScript that replaces it, and the kinds of its values. */
export interface Method {
  hook: string;
  script: string;
  takes: Letter[];
  gives: Letter;
}

/** C code with a function `method_0`, `method_1` ... for each method, which JNI calls instead of the method. */
export function methods(all: Method[]): string {
  const functions = all.map(({ hook, script, takes, gives }, i) => {
    const { type, member } = C_KINDS[gives];
    const kinds = takes.map((letter) => C_KINDS[letter]);
    const parameters = kinds.map((kind, n) => `, ${kind.type} a${n}`).join("");
    const types = kinds.map((kind) => `, ${kind.type}`).join("");
    const names = kinds.map((_, n) => `, a${n}`).join("");
    const values = kinds.map((kind, n) => `  args[${n}].${kind.member} = a${n};`).join("\n");
    const [give, end] = member === "" ? ["", " return;"] : ["return ", ""];
    return `
${type} method_${i} (gpointer env, gpointer self${parameters});
${type} method_${i} (gpointer env, gpointer self${parameters}) {
  Value args[${Math.max(takes.length, 1)}];
  Hook *hook = (Hook *) (gsize) ${hook}ULL;
  gint way = way_of(hook, env, self);
  if (way == SCRIPT) { ${give}((${type} (*)(gpointer, gpointer${types})) (gsize) ${script}ULL)(env, self${names});${end} }
${values}
  ${give}run(hook, way, env, self, args)${member === "" ? "" : `.${member}`};
}`;
  });
  return `${VALUES}
extern gint way_of(Hook *hook, gpointer env, gpointer self);
extern Value run(Hook *hook, gint way, gpointer env, gpointer self, Value *args);
${functions.join("\n")}
`;
}
