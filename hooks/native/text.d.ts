// C as text: hatch_build.py puts each file of this folder, with what it includes of it, beside itself as .txt.

declare module "*.txt" {
  const text: string;
  export default text;
}
