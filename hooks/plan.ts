// What the host asks the agent to watch: catalog/sources/*.yml and catalog/consent.yml as monitor/observe/sources.py sends them.

/** Where in a call a value is, and how it becomes text. */
export interface ValueSpec {
  /** data type code */
  type: string;
  /** `return`, `this` or the index of an argument */
  from: "return" | "this" | number;
  /** getters without arguments, called one after the other */
  get: string[];
  /** `location`: latitude and longitude of an android.location.Location or the like */
  as: "text" | "location";
  /** class that the object must be an instance of; others are no access at all */
  only: string | null;
}

/** One table of a content provider: which column holds which type. */
export interface TableSpec {
  /** regular expression over the content URI */
  uri: string;
  /** column -> type, or MIME type of the row -> type */
  columns: Record<string, string | Record<string, string>>;
}

/** A method of a followed object, and what it gives away. */
export interface StepSpec {
  values: ValueSpec[];
  follow: FollowSpec[];
}

/** An object that gives its values away later: a listener, a callback, a task, a cursor. */
export interface FollowSpec {
  /** `return`: what the framework gave the app; `argument`: what the app gave the framework */
  object: "return" | "argument";
  /** class of the argument, wherever it stands; null for `return` */
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
  /** argument types of the overloads to wrap; null wraps all there are */
  overloads: string[][] | null;
  data: string;
  /** index of the argument that says what was asked */
  target: number | null;
  /** name -> index of an argument that matters */
  args: Record<string, number>;
  /** only calls whose argument, as text, matches one of these regular expressions */
  when: { argument: number; matches: string[] } | null;
  values: ValueSpec[];
  follow: FollowSpec[];
  /** factories (class.method) that return an implementation, for an API that is an interface */
  implementations: string[];
}

/** An SDK call by which the app says that the user agreed. */
export interface SdkCallSpec {
  cls: string;
  method: string;
  /** index of the boolean argument, counted from the end when negative; null: the call itself says so */
  argument: number | null;
}

export interface Plan {
  app: string | null;
  sources: SourceSpec[];
  sdk_calls: SdkCallSpec[];
  /** capture the stack of each access (only benchmarks turn it off) */
  stack: boolean;
  /** milliseconds that lines are collected before they are sent */
  flush_ms: number;
  /** milliseconds within which identical accesses become one line */
  fold_ms: number;
}

export type HookState = "installed" | "class_absent" | "overload_absent" | "failed" | "waiting";

/** How far one hook is. */
export interface Status {
  source: string;
  cls: string;
  method: string;
  state: HookState;
  detail: string | null;
}
