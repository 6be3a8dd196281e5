import tseslint from "typescript-eslint";

/** Rooms, top first: none imports from one above it. */
const rooms = ["agent.ts", "watch/", "java/", "out/", "native/"];

/** Files of a room, and the rule that says what they may not import. */
function order(files, above) {
  const regex = `^\\.{1,2}/(.*/)?(${above.join("|").replaceAll(".ts", "\\.js$")})`;
  const message = `this room is below; top first: ${rooms.join(" ")}, then plan.ts and event.ts`;
  return { files, rules: { "no-restricted-imports": ["error", { patterns: [{ regex, message }] }] } };
}

export default tseslint.config(
  { ignores: ["node_modules/", "eslint.config.js"] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
    },
  },
  ...rooms.slice(1).map((room, index) => order([`${room}**`], rooms.slice(0, index + 1))),
  order(["plan.ts", "event.ts"], rooms),
);
