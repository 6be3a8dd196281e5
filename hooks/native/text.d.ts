// C as text: hatch_build.py writes each file of this folder, with those it includes, beside it as .txt.

declare module "*.txt" {
  const text: string;
  export default text;
}
