// What the host asks the agent to watch: entries of the catalog, as monitor/appwitness/agent/agent_plan.py sends them.

import type { Transform } from "./event.js";

/** Where a value is in a call, and how it becomes text. */
export interface ValueSpec {
  /** data type code */
  type: string;
  /** `return`, `this` or the index of an argument */
  from: "return" | "this" | number;
  /** getters without arguments, called one after the other; `.name` is a public field */
  get: string[];
  /**
   * `text`: each element of a list, an array, a map or a bundle, a byte[] as UTF-8; `location`: latitude and longitude
   * of an android.location.Location or the like, by getters or public fields; `hex`, `mac`: a byte[] as 0a1b or 0a:1b;
   * `count`: only the number of elements, in `args.elements`
   */
  as: "text" | "location" | "hex" | "mac" | "count";
  /** class that the object must be an instance of; a call with any other object is no access */
  only: string | null;
}

/** One table of a content provider: which column holds which type. */
export interface TableSpec {
  /** regular expression over the content URI */
  uri: string;
  /** column -> type, or MIME type of the row -> type */
  columns: Record<string, string | Record<string, string>>;
}

/** A method of a followed object, and what it delivers. */
export interface StepSpec {
  values: ValueSpec[];
  follow: FollowSpec[];
}

/** An object that delivers its values later: a listener, a callback, a task or a cursor. */
export interface FollowSpec {
  /** `return`: what the framework gave the app; `argument`: what the app gave the framework */
  object: "return" | "argument";
  /** class of the argument, wherever that is in the call; null for `return` */
  type: string | null;
  as: "object" | "cursor";
  tables: TableSpec[];
  methods: Record<string, StepSpec>;
}

/** One API through which an app reads personal data. */
export interface SourceSpec {
  source: string;
  cls: string;
  method: string;
  /** argument types of the overloads to wrap; null wraps all of them */
  overloads: string[][] | null;
  data: string;
  /** index of the argument that says what was asked for; `when`: the text that `when` is matched against */
  target: number | "when" | null;
  /** name -> index of an argument that matters */
  args: Record<string, number>;
  /**
   * only calls for which an argument, or what its getters return, matches one of these as text; `${app}` in them is the
   * package of the app
   */
  when: { argument: number | "this"; get: string[]; matches: string[] } | null;
  values: ValueSpec[];
  follow: FollowSpec[];
  /**
   * factories (class.method, or a static field) that return an implementation, for an API that is an interface or a
   * class of the app
   */
  implementations: string[];
  /** the system calls it on a class of the app: what it passes is read before the app's code runs */
  callback: boolean;
  /** registering is no access; only each delivery is */
  quiet: boolean;
  /** recorded as an access only if it has a value that no source has given recently */
  unseen: boolean;
  /** regular expressions over frames (the caller, and others further out) of calls that are made because of us */
  ours: string[][];
}

/** An SDK call by which the app says that the user agreed. */
export interface SdkCallSpec {
  cls: string;
  method: string;
  /** index of the argument that says so, counted from the end if negative; null: the call itself says so */
  argument: number | null;
  /** only calls that have this text as their first argument */
  key: string | null;
}

/** A class that writes preferences: its methods take key and value. */
export interface StoreSpec {
  cls: string;
  methods: string[];
}

/** Where bytes are in a call: a whole argument, the whole result, or a part of an argument. */
export interface PartSpec {
  of: number | "return";
  /** index of the argument that says where the part begins */
  start: number | null;
  /** index of the argument that says how long it is, `count` (what was returned), or a getter of the object */
  size: number | string | null;
}

/** One method of a class that transforms. */
export interface StepOfTransform {
  method: string;
  overload: string[] | null;
  takes: PartSpec | null;
  gives: PartSpec | null;
  begins: { mode: number | null; key: number | null } | null;
  ends: boolean;
  /** getter that must return true for the work to end */
  when: string | null;
  clears: boolean;
  /** whether the device's Android release has it */
  expected: boolean;
}

/** A class of digests, MACs, ciphers, compressors or encoders. */
export interface TransformerSpec {
  cls: string;
  op: Transform["op"];
  algorithm: string;
  iv: string | null;
  methods: StepOfTransform[];
  optional: string | null;
}

export interface TransformsPlan {
  /** prefixes of frames (`*` is any text) whose transforms are left out */
  not_from: string[];
  /** prefixes of frames that are skipped when the caller is looked for */
  through: string[];
  classes: TransformerSpec[];
}

/** Which calls of a native route concern personal data. */
export interface AskSpec {
  /** regular expression over what the call names: a property, a path, a command line */
  matches: string;
  data: string;
  /** regular expression for the part of what is read that is a value; null: all of it */
  value: string | null;
}

/** How a call of a native function is read; watch/routes.ts has a reader for each. */
export type Reads =
  | "property" | "property_callback" | "property_read" | "file" | "folder" | "path" | "interfaces" | "ioctl" | "netlink"
  | "command" | "call" | "drm_bytes";

/** One function of a native library, and its other names. */
export interface RouteSpec {
  source: string;
  library: string;
  functions: string[];
  reads: Reads;
  asks: AskSpec[];
}

/** Transactions that the app's own code makes with system services. */
export interface BinderSpec {
  source: string;
  /** interface -> data type */
  interfaces: Record<string, string>;
  /** regular expressions over `interface.method` for calls that give another data type; the first match counts */
  methods: { matches: string; data: string }[];
}

export interface NativePlan {
  routes: RouteSpec[];
  binder: BinderSpec;
}

/** Where an app's plaintext passes through a TLS library. */
export interface TlsPlan {
  sockets: { library: string; out: string; in: string; owner: { field: string; type: string } }[];
  engines: { library: string; cls: string }[];
  /** hex: key identifier of the proxy's CA; connections with a certificate of this CA are recorded by the proxy */
  proxy_key: string | null;
}

/** A certificate check in Java, and what is done instead. */
export interface Unpinning {
  cls: string;
  method: string;
  does: "accept" | "this" | { with: Record<number, null | true> } | { proceed: number };
  given_to: { cls: string; method: string; argument: number } | null;
}

/** A certificate check in a native library: an argument that is replaced, or a result. */
export interface NativeCheck {
  function: string;
  argument: number | null;
  /** what a callback in place of the argument returns; null: no callback */
  callback: number | null;
  gives: number | null;
}

/** Methods that send something out of the app without a connection. */
export interface ExitSpec {
  cls: string;
  methods: string[];
  via: "sms" | "intent" | "bluetooth" | "nfc";
  /** where it goes: an argument or the object, and getters called on it */
  to: number | "this" | null;
  get: string[];
  /** arguments with what goes out; the first one that holds anything counts */
  holds: number[];
  /** getters that give the bytes of such an argument */
  getters: string[];
  /** index of an intent */
  intent: number | null;
}

export interface Plan {
  app: string | null;
  /** whether the process was started to be observed; false when it was already running */
  started: boolean;
  /** the framework's classes are stand-ins, whose loaders do not set them apart from the app's classes */
  stand_ins: boolean;
  sources: SourceSpec[];
  sdk_calls: SdkCallSpec[];
  stores: StoreSpec[];
  /** regular expressions for the keys that concern consent */
  keys: string[];
  transforms: TransformsPlan;
  native: NativePlan;
  exits: ExitSpec[];
  tls: TlsPlan;
  /** empty unless the run was asked to unpin */
  unpinning: { java: Unpinning[]; native: NativeCheck[] };
  /** the proxy that connections are redirected to; null: they go where the app sends them */
  redirect: { ip: string; port: number } | null;
  /** capture the stack of each access (only benchmarks turn it off) */
  stack: boolean;
  /** milliseconds that lines are collected before they are sent */
  flush_ms: number;
  /** milliseconds within which identical accesses become one line */
  fold_ms: number;
}

export type HookState = "installed" | "class_absent" | "overload_absent" | "failed" | "waiting";

/** The state of one hook. */
export interface Status {
  source: string;
  cls: string;
  method: string;
  state: HookState;
  detail: string | null;
}
