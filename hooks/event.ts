// The recording contract, version 1. Generated from monitor/appwitness/events by `make fix`; do not edit.

/** Personal data read through an API (accesses.jsonl, by the agent). */
export interface Access {
  kind: "access";
  /** version of the contract */
  v: 1;
  /** RFC 3339, UTC, microseconds, trailing Z; the producer's own clock */
  at: string;
  /** Android package; null: the producer cannot know it */
  app?: string | null;
  /** process on the device */
  pid?: number | null;
  /** when the line reached the host, on the host's clock (lines of the agent) */
  arrived?: string | null;
  /** milliseconds since the device started, by a clock that cannot be set (lines of the agent) */
  boot_ms?: number | null;
  /** android.telephony.TelephonyManager.getLine1Number; libc.so!__system_property_get */
  source: string;
  /** what was asked for, if the API is general: a URI, a key */
  target?: string | null;
  /** data type code of the source */
  data: string;
  /** what the API returned */
  values?: readonly Value[];
  outcome: "denied" | "empty" | "requested" | "returned" | "threw";
  /** the arguments that matter, shortened */
  args?: Record<string, unknown> | null;
  /** frames, innermost first: package.Class.method(File.java:12) */
  stack?: readonly string[];
  /** why frames are missing: long: only the innermost are kept; thinned: no stack was taken, to save the app's time */
  stack_cut?: "long" | "thinned" | null;
  /** whose code each frame of the stack is, by its class loader or its library's path: app, platform, the package that it came from, or null if unknown; absent: not recorded */
  owners?: readonly (string | null)[];
  thread?: string | null;
  /** identical calls that this line stands for */
  count?: number;
  /** time of the last of them */
  until?: string | null;
}

/** A person's answer to an item of a checklist. */
export interface AnsweredItem {
  /** id of the list: cn-164 */
  checklist: string;
  /** number of the item, as the list has it */
  item: string;
  answer: "fail" | "pass";
  /** who looked at it */
  who?: string | null;
  /** what was seen, in that person's words */
  note?: string | null;
}

/** Bytes: up to 256 in the line itself, more in bodies/ under their digest. */
export interface Blob {
  /** standard base64; absent: see `body` */
  b64?: string | null;
  /** sha256 of the bytes, the name of the file in bodies/; absent: see `b64` */
  body?: string | null;
  /** bytes of the body */
  size?: number | null;
}

/** A checkbox or switch. */
export interface Check {
  text: string;
  checked: boolean;
}

/** A socket that the app opened, used from other code, or closed (connections.jsonl, by the agent). */
export interface Connection {
  kind: "connection";
  /** version of the contract */
  v: 1;
  /** RFC 3339, UTC, microseconds, trailing Z; the producer's own clock */
  at: string;
  /** Android package; null: the producer cannot know it */
  app?: string | null;
  /** process on the device */
  pid?: number | null;
  /** when the line reached the host, on the host's clock (lines of the agent) */
  arrived?: string | null;
  /** milliseconds since the device started, by a clock that cannot be set (lines of the agent) */
  boot_ms?: number | null;
  /** write: code other than what connected starts a request on it; close: it was closed */
  op?: "close" | "connect" | "write";
  local: Endpoint;
  remote: Endpoint;
  host?: string | null;
  transport?: "tcp" | "udp";
  stack?: readonly string[];
  /** whose code each frame of the stack is, by its class loader or its library's path: app, platform, the package that it came from, or null if unknown; absent: not recorded */
  owners?: readonly (string | null)[];
  thread?: string | null;
  /** bytes sent until then; null: not counted */
  sent?: number | null;
  /** name by which the agent redirected it to the proxy; null: it did not */
  announced?: string | null;
}

/** What the user was asked and decided, and permissions (consents.jsonl, by the agent, the host, or an operator). */
export interface Consent {
  kind: "consent";
  /** version of the contract */
  v: 1;
  /** RFC 3339, UTC, microseconds, trailing Z; the producer's own clock */
  at: string;
  /** Android package; null: the producer cannot know it */
  app?: string | null;
  /** process on the device */
  pid?: number | null;
  /** when the line reached the host, on the host's clock (lines of the agent) */
  arrived?: string | null;
  /** milliseconds since the device started, by a clock that cannot be set (lines of the agent) */
  boot_ms?: number | null;
  signal: "dialog" | "iab_gpp" | "iab_tcf" | "operator" | "permission_prompt" | "permission_result" | "preference" | "sdk_call" | "tap";
  status: "dismissed" | "given" | "gone" | "refused" | "requested" | "withdrawn";
  scope?: "ads_tracking" | "cross_border_separate" | "general_policy" | "minor_guardian" | "sensitive_separate" | "system_permission" | "third_party_separate";
  /** data type codes, or null for all */
  data?: readonly string[] | null;
  /** app: the app merely claims it; assistant: a program marked it for a person */
  by: "app" | "assistant" | "operator" | "user";
  /** the label touched, the key set, or the permission */
  text?: string | null;
  /** free text for people: nothing is concluded from it */
  note?: string | null;
  /** the code that called the SDK */
  stack?: readonly string[];
  /** whose clock `at` is on; null: the host's if an operator noted it, else the device's */
  clock?: "device" | "host" | null;
  /** the earlier line that this one replaces, whatever its time (a corrected mark) */
  corrects?: string | null;
  /** the earlier line that is withdrawn: neither it nor this one counts; same status */
  retracts?: string | null;
  /** whether the dialog's box was ticked when the dialog appeared or, for a tap, at the tap */
  ticked?: boolean | null;
  /** the app had stored the entry before this run */
  at_start?: boolean | null;
  /** what the app told an SDK; null: an early recording */
  value?: string | null;
}

/** One end of a connection. */
export interface Endpoint {
  ip: string;
  port: number;
}

/** What could not be observed, and why (gaps.jsonl, by all producers). */
export interface Gap {
  kind: "gap";
  /** version of the contract */
  v: 1;
  /** RFC 3339, UTC, microseconds, trailing Z; the producer's own clock */
  at: string;
  /** Android package; null: the producer cannot know it */
  app?: string | null;
  /** process on the device */
  pid?: number | null;
  /** when the line reached the host, on the host's clock (lines of the agent) */
  arrived?: string | null;
  /** milliseconds since the device started, by a clock that cannot be set (lines of the agent) */
  boot_ms?: number | null;
  where: "clock" | "correlate" | "device" | "hook" | "proxy";
  /** a source, a host, a process, a line of the recording */
  subject: string;
  why: "body_truncated" | "class_absent" | "decode_limit" | "detached" | "forgotten" | "hook_error" | "hook_lost" | "install_failed" | "method_absent" | "missed" | "no_clock" | "not_decrypted" | "not_observed" | "overflow" | "process_not_instrumented" | "protocol_unsupported" | "quota" | "refused" | "thinned" | "tls_refused";
  detail?: string | null;
  until?: string | null;
  /** the device's end of the connection */
  client?: Endpoint | null;
  /** the name that the client asked for in its TLS handshake */
  sni?: string | null;
  /** TLS alert that ended the connection, in OpenSSL's words: unknown ca */
  alert?: string | null;
  /** name by which the agent redirected the connection to the proxy */
  announced?: string | null;
  /** stored bytes of an upload whose line was lost, in bodies/ */
  body?: string | null;
}

/** A state that the app or the screen entered (phases.jsonl, by the agent, the host, or an operator). */
export interface Phase {
  kind: "phase";
  /** version of the contract */
  v: 1;
  /** RFC 3339, UTC, microseconds, trailing Z; the producer's own clock */
  at: string;
  /** Android package; null: the producer cannot know it */
  app?: string | null;
  /** process on the device */
  pid?: number | null;
  /** when the line reached the host, on the host's clock (lines of the agent) */
  arrived?: string | null;
  /** milliseconds since the device started, by a clock that cannot be set (lines of the agent) */
  boot_ms?: number | null;
  state: "background" | "exited" | "foreground" | "mark" | "screen_off" | "screen_on" | "started";
  /** text of a mark, or how a process ended */
  text?: string | null;
  /** operator: a person typed the text, and nothing is concluded from it */
  by?: "operator" | null;
  /** the checklist item that an operator's mark answers */
  answered?: AnsweredItem | null;
}

/** What the user saw and touched: raw facts from which consent is judged (screens.jsonl, by host and agent). */
export interface Screen {
  kind: "screen";
  /** version of the contract */
  v: 1;
  /** RFC 3339, UTC, microseconds, trailing Z; the producer's own clock */
  at: string;
  /** Android package; null: the producer cannot know it */
  app?: string | null;
  /** process on the device */
  pid?: number | null;
  /** when the line reached the host, on the host's clock (lines of the agent) */
  arrived?: string | null;
  /** milliseconds since the device started, by a clock that cannot be set (lines of the agent) */
  boot_ms?: number | null;
  /** look: the screen has changed, or is still the same; dialog, page: it appeared; touch: of what `touched` says; dismiss: the app closed a dialog; cancel: the back key, or a touch beside it; absent: a picture, from which nothing is concluded */
  what?: "cancel" | "dialog" | "dismiss" | "look" | "page" | "touch" | null;
  /** for a look, all windows; otherwise the one that the line is about */
  windows?: readonly Window[];
  touched?: Touch | null;
  /** number of a dialog in its process, the same when it appears and when it ends */
  number?: number | null;
  /** when the content of the previous look was last seen */
  since?: string | null;
  /** the code that showed or touched it */
  stack?: readonly string[];
  /** whose code each frame of the stack is, by its class loader or its library's path: app, platform, the package that it came from, or null if unknown; absent: not recorded */
  owners?: readonly (string | null)[];
  /** package of the topmost window, if known */
  package?: string | null;
  /** its activity, if known */
  activity?: string | null;
  /** the window's hierarchy, XML as uiautomator writes it */
  tree?: string | null;
  /** the picture, PNG or JPEG as its first bytes say */
  image?: string | null;
  /** film of the screen from then on, MP4 */
  film?: string | null;
  /** consent: it asks a question; plan: who acts as the user touches it or leaves it alone; change: it appeared, was touched, or went away */
  why: "change" | "consent" | "finding" | "operator" | "plan";
  /** who looked; `at` is on its clock */
  by: "agent" | "host";
  /** free text for people: what was touched there, and why */
  note?: string | null;
}

/** TLS parameters of an upload, between the device and the proxy. */
export interface Tls {
  version?: string | null;
  sni?: string | null;
  alpn?: string | null;
}

/** The element that was touched. */
export interface Touch {
  label: string;
  /** name of the element, if it has one */
  id?: string | null;
  /** state of a box or switch before the touch; null: it is neither */
  ticked?: boolean | null;
  /** user: a finger or a key; app: its own code; plan, operator: who acts as the user */
  by: "app" | "operator" | "plan" | "user";
}

/** A digest, MAC, cipher, compressor or encoder that the app called (transforms.jsonl, by the agent). */
export interface Transform {
  kind: "transform";
  /** version of the contract */
  v: 1;
  /** RFC 3339, UTC, microseconds, trailing Z; the producer's own clock */
  at: string;
  /** Android package; null: the producer cannot know it */
  app?: string | null;
  /** process on the device */
  pid?: number | null;
  /** when the line reached the host, on the host's clock (lines of the agent) */
  arrived?: string | null;
  /** milliseconds since the device started, by a clock that cannot be set (lines of the agent) */
  boot_ms?: number | null;
  op: "compress" | "decrypt" | "digest" | "encode" | "encrypt" | "mac";
  /** SHA-256, AES/CBC/PKCS5Padding, gzip */
  algorithm: string;
  input: Blob;
  output: Blob;
  key?: Blob | null;
  iv?: Blob | null;
  stack?: readonly string[];
  /** whose code each frame of the stack is, by its class loader or its library's path: app, platform, the package that it came from, or null if unknown; absent: not recorded */
  owners?: readonly (string | null)[];
  thread?: string | null;
}

/** A message that left the device (uploads.jsonl, by the addon; by the agent for SMS and other exits). */
export interface Upload {
  kind: "upload";
  /** version of the contract */
  v: 1;
  /** RFC 3339, UTC, microseconds, trailing Z; the producer's own clock */
  at: string;
  /** Android package; null: the producer cannot know it */
  app?: string | null;
  /** process on the device */
  pid?: number | null;
  /** when the line reached the host, on the host's clock (lines of the agent) */
  arrived?: string | null;
  /** milliseconds since the device started, by a clock that cannot be set (lines of the agent) */
  boot_ms?: number | null;
  via: "bluetooth" | "dns" | "http" | "intent" | "nfc" | "sms" | "tcp" | "udp" | "websocket";
  method?: string | null;
  url?: string | null;
  /** the authority asked for (SNI or Host), not only an address */
  host?: string | null;
  /** [name, value] in the order sent */
  headers?: readonly (readonly [string, string])[];
  /** sha256 of the body as it left the device; null when empty */
  body?: string | null;
  /** bytes of the body */
  size?: number;
  /** Content-Type */
  type?: string | null;
  /** the stored body is only a beginning; a gap says so too */
  truncated?: boolean;
  client?: Endpoint | null;
  server?: Endpoint | null;
  /** null for cleartext */
  tls?: Tls | null;
  /** response status, null when none came */
  status?: number | null;
  /** only in lines of the agent */
  stack?: readonly string[];
  /** whose code each frame of the stack is, by its class loader or its library's path: app, platform, the package that it came from, or null if unknown; absent: not recorded */
  owners?: readonly (string | null)[];
  /** name by which the agent redirected the connection to the proxy (`announced` of its line) */
  announced?: string | null;
  /** for what has no status: whether anything came back; null: nobody looked */
  answered?: boolean | null;
  /** whether TLS protected it is unknown: it may have been decrypted before the capture */
  tls_unknown?: boolean;
}

/** One piece of personal data that an API returned, always as text. */
export interface Value {
  /** data type code; a location is one value `lat,lon`, decimal degrees WGS-84 */
  type: string;
  /** as the API returned it; numbers as text, all digits */
  text: string;
  /** row of a cursor, from 0: values of one row belong together */
  row?: number | null;
  /** contact id of that row: rows with the same id belong to one person; absent: not asked for */
  contact?: string | null;
}

/** The texts and elements of one window. */
export interface Window {
  /** package of the window; null: the observed app */
  package?: string | null;
  /** texts that cannot be touched, from top to bottom */
  texts?: readonly string[];
  /** what can be touched */
  labels?: readonly string[];
  /** boxes to tick, and switches */
  checks?: readonly Check[];
  /** names of its elements: the part after `:id/`; for a web page, the whole id */
  ids?: readonly string[];
}

/** What the system itself counted for the app (witnesses.jsonl, by the device); times are on the device's clock. */
export interface Witness {
  kind: "witness";
  /** version of the contract */
  v: 1;
  /** RFC 3339, UTC, microseconds, trailing Z; the producer's own clock */
  at: string;
  /** Android package; null: the producer cannot know it */
  app?: string | null;
  /** process on the device */
  pid?: number | null;
  /** when the line reached the host, on the host's clock (lines of the agent) */
  arrived?: string | null;
  /** milliseconds since the device started, by a clock that cannot be set (lines of the agent) */
  boot_ms?: number | null;
  /** which part of the system counted; control: a run without hooks, before this one */
  by: "appops" | "control" | "exit_info" | "location" | "logcat" | "netstats" | "processes";
  /** what it counted: an AppOps op, a location provider, an event, a reason, a host */
  subject?: string | null;
  /** data type code that was accessed, if there is one */
  data?: string | null;
  /** how often */
  count?: number | null;
  /** bytes sent */
  size?: number | null;
  /** bytes received */
  received?: number | null;
  /** time of the first, or when counting began */
  from?: string | null;
  /** time of the last, or when counting ended */
  until?: string | null;
  /** attribution tag: the app's own name for its part that did it */
  tag?: string | null;
  /** the package that asked the system on the app's behalf; null: the app itself */
  on_behalf?: string | null;
  /** what else the system reported, for people */
  detail?: string | null;
  /** what the system printed about it */
  raw?: Blob | null;
}

export type Event = Access | Transform | Connection | Upload | Consent | Phase | Screen | Witness | Gap;

export const FILES = {
  access: "accesses.jsonl",
  transform: "transforms.jsonl",
  connection: "connections.jsonl",
  upload: "uploads.jsonl",
  consent: "consents.jsonl",
  phase: "phases.jsonl",
  screen: "screens.jsonl",
  witness: "witnesses.jsonl",
  gap: "gaps.jsonl",
} as const;
