// The recording contract, version 1. Generated from monitor/appwitness/events by `make fix`; do not edit.

/** Personal data read through an API (accesses.jsonl, by the agent). */
export interface Access {
  kind: "access";
  /** version of the contract */
  v: 1;
  /** RFC 3339, UTC, microseconds, trailing Z; the producer's own clock */
  at: string;
  /** Android package; null where the producer cannot know */
  app?: string | null;
  /** process on the device */
  pid?: number | null;
  /** when a line of the agent came in, on the host's clock */
  arrived?: string | null;
  /** milliseconds since the device was started, by its clock that nobody sets (lines of the agent) */
  boot_ms?: number | null;
  /** android.telephony.TelephonyManager.getLine1Number; libc.so!__system_property_get */
  source: string;
  /** what was asked where the API is general: a URI, a key */
  target?: string | null;
  /** data type code of the source */
  data: string;
  /** what the API gave */
  values?: readonly Value[];
  outcome: "denied" | "empty" | "requested" | "returned" | "threw";
  /** the arguments that matter, small */
  args?: Record<string, unknown> | null;
  /** frames, innermost first: package.Class.method(File.java:12) */
  stack?: readonly string[];
  /** why frames are missing: the outermost were too many, or all for lack of the thread's time */
  stack_cut?: "long" | "thinned" | null;
  /** whose code each frame of the stack is, by its class loader or the path of its library: app, platform, the package that it came from, or null where nothing tells; absent: nobody said */
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

/** A socket that the app opened, or began to use from other code (connections.jsonl, by the agent). */
export interface Connection {
  kind: "connection";
  /** version of the contract */
  v: 1;
  /** RFC 3339, UTC, microseconds, trailing Z; the producer's own clock */
  at: string;
  /** Android package; null where the producer cannot know */
  app?: string | null;
  /** process on the device */
  pid?: number | null;
  /** when a line of the agent came in, on the host's clock */
  arrived?: string | null;
  /** milliseconds since the device was started, by its clock that nobody sets (lines of the agent) */
  boot_ms?: number | null;
  /** write: other code than the one that connected starts a request on it; close: it is over */
  op?: "close" | "connect" | "write";
  local: Endpoint;
  remote: Endpoint;
  host?: string | null;
  transport?: "tcp" | "udp";
  stack?: readonly string[];
  /** whose code each frame of the stack is, by its class loader or the path of its library: app, platform, the package that it came from, or null where nothing tells; absent: nobody said */
  owners?: readonly (string | null)[];
  thread?: string | null;
  /** bytes that went out until then; null: not counted */
  sent?: number | null;
  /** the name under which the agent led it to the proxy; null: it did not */
  announced?: string | null;
}

/** What the user was asked and decided, and permissions (consents.jsonl, by agent, operator, screen). */
export interface Consent {
  kind: "consent";
  /** version of the contract */
  v: 1;
  /** RFC 3339, UTC, microseconds, trailing Z; the producer's own clock */
  at: string;
  /** Android package; null where the producer cannot know */
  app?: string | null;
  /** process on the device */
  pid?: number | null;
  /** when a line of the agent came in, on the host's clock */
  arrived?: string | null;
  /** milliseconds since the device was started, by its clock that nobody sets (lines of the agent) */
  boot_ms?: number | null;
  signal: "dialog" | "iab_gpp" | "iab_tcf" | "operator" | "permission_prompt" | "permission_result" | "preference" | "sdk_call" | "tap";
  status: "dismissed" | "given" | "gone" | "refused" | "requested" | "withdrawn";
  scope?: "ads_tracking" | "cross_border_separate" | "general_policy" | "minor_guardian" | "sensitive_separate" | "system_permission" | "third_party_separate";
  /** data type codes, or null for all */
  data?: readonly string[] | null;
  /** an app that merely claims consent is `app`; a program that marked it for somebody `assistant` */
  by: "app" | "assistant" | "operator" | "user";
  /** the label touched, the key set, the permission named */
  text?: string | null;
  /** free text for people: nothing is concluded from it */
  note?: string | null;
  /** where an SDK call came from */
  stack?: readonly string[];
  /** whose clock `at` is of; null: the host's for what an operator noted, else the device's */
  clock?: "device" | "host" | null;
  /** the earlier line that this one replaces, whatever its time: a corrected mark */
  corrects?: string | null;
  /** the earlier line that never was: neither it nor this one counts; status as there */
  retracts?: string | null;
  /** the dialog's box was ticked when it appeared, or, for a tap, when it was tapped */
  ticked?: boolean | null;
  /** the entry was in the app's store before this run */
  at_start?: boolean | null;
  /** what an SDK was told; null: an early recording */
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
  /** Android package; null where the producer cannot know */
  app?: string | null;
  /** process on the device */
  pid?: number | null;
  /** when a line of the agent came in, on the host's clock */
  arrived?: string | null;
  /** milliseconds since the device was started, by its clock that nobody sets (lines of the agent) */
  boot_ms?: number | null;
  where: "clock" | "correlate" | "device" | "hook" | "proxy";
  /** a source, a host, a process, a line of the recording */
  subject: string;
  why: "body_truncated" | "class_absent" | "decode_limit" | "detached" | "forgotten" | "hook_error" | "hook_lost" | "install_failed" | "method_absent" | "missed" | "no_clock" | "not_decrypted" | "not_observed" | "overflow" | "process_not_instrumented" | "protocol_unsupported" | "quota" | "refused" | "thinned" | "tls_refused";
  detail?: string | null;
  until?: string | null;
  /** the device's end of the connection that it is about */
  client?: Endpoint | null;
  /** the name that the client asked for in its TLS handshake */
  sni?: string | null;
  /** TLS alert that ended it, in OpenSSL's words: unknown ca */
  alert?: string | null;
  /** the name under which the agent led the connection that it is about to the proxy */
  announced?: string | null;
  /** bytes of the upload that were stored and whose line was lost: in bodies/ */
  body?: string | null;
}

/** A state that the app or the screen entered (phases.jsonl, by agent and device). */
export interface Phase {
  kind: "phase";
  /** version of the contract */
  v: 1;
  /** RFC 3339, UTC, microseconds, trailing Z; the producer's own clock */
  at: string;
  /** Android package; null where the producer cannot know */
  app?: string | null;
  /** process on the device */
  pid?: number | null;
  /** when a line of the agent came in, on the host's clock */
  arrived?: string | null;
  /** milliseconds since the device was started, by its clock that nobody sets (lines of the agent) */
  boot_ms?: number | null;
  state: "background" | "exited" | "foreground" | "mark" | "screen_off" | "screen_on" | "started";
  /** text of a mark */
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
  /** Android package; null where the producer cannot know */
  app?: string | null;
  /** process on the device */
  pid?: number | null;
  /** when a line of the agent came in, on the host's clock */
  arrived?: string | null;
  /** milliseconds since the device was started, by its clock that nobody sets (lines of the agent) */
  boot_ms?: number | null;
  /** look: what is on the screen has changed, or is still there; dialog, page: it came up; touch: of what `touched` says; dismiss: the app took a dialog away; cancel: the back key, or a touch beside it; absent: a picture, from which nothing is concluded */
  what?: "cancel" | "dialog" | "dismiss" | "look" | "page" | "touch" | null;
  /** what was there: of a look all windows, else the one that it is about */
  windows?: readonly Window[];
  touched?: Touch | null;
  /** number of a dialog in its process: its appearance and its end have the same */
  number?: number | null;
  /** when the content of the previous look was last seen */
  since?: string | null;
  /** the code that showed or touched it */
  stack?: readonly string[];
  /** whose code each frame of the stack is, by its class loader or the path of its library: app, platform, the package that it came from, or null where nothing tells; absent: nobody said */
  owners?: readonly (string | null)[];
  /** whose window was on top, where that is known */
  package?: string | null;
  /** its activity, where that is known */
  activity?: string | null;
  /** the window's hierarchy, XML as uiautomator writes it */
  tree?: string | null;
  /** the picture, PNG or JPEG as its first bytes say */
  image?: string | null;
  /** what was on the screen from then on, MP4 */
  film?: string | null;
  /** consent: a question is on it; plan: whoever plays the user touches it or leaves it alone; change: it came up, was touched or went away */
  why: "change" | "consent" | "finding" | "operator" | "plan";
  /** who looked; it tells whose clock `at` is of */
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
  /** name of the element, where it has one */
  id?: string | null;
  /** state of a box or switch before; null: it is neither */
  ticked?: boolean | null;
  /** user: a finger or a key; app: its own code; plan, operator: whoever plays the user */
  by: "app" | "operator" | "plan" | "user";
}

/** A digest, MAC, cipher, compressor or encoder that the app called (transforms.jsonl, by the agent). */
export interface Transform {
  kind: "transform";
  /** version of the contract */
  v: 1;
  /** RFC 3339, UTC, microseconds, trailing Z; the producer's own clock */
  at: string;
  /** Android package; null where the producer cannot know */
  app?: string | null;
  /** process on the device */
  pid?: number | null;
  /** when a line of the agent came in, on the host's clock */
  arrived?: string | null;
  /** milliseconds since the device was started, by its clock that nobody sets (lines of the agent) */
  boot_ms?: number | null;
  op: "compress" | "decrypt" | "digest" | "encode" | "encrypt" | "mac";
  /** SHA-256, AES/CBC/PKCS5Padding, gzip */
  algorithm: string;
  input: Blob;
  output: Blob;
  key?: Blob | null;
  iv?: Blob | null;
  stack?: readonly string[];
  /** whose code each frame of the stack is, by its class loader or the path of its library: app, platform, the package that it came from, or null where nothing tells; absent: nobody said */
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
  /** Android package; null where the producer cannot know */
  app?: string | null;
  /** process on the device */
  pid?: number | null;
  /** when a line of the agent came in, on the host's clock */
  arrived?: string | null;
  /** milliseconds since the device was started, by its clock that nobody sets (lines of the agent) */
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
  /** only where the producer is the agent */
  stack?: readonly string[];
  /** whose code each frame of the stack is, by its class loader or the path of its library: app, platform, the package that it came from, or null where nothing tells; absent: nobody said */
  owners?: readonly (string | null)[];
  /** the name under which the agent led the connection to the proxy (`announced` of its line) */
  announced?: string | null;
  /** whether anything came back, of what has no status; null: nobody looked */
  answered?: boolean | null;
  /** nothing says whether TLS protected it: it may have been decrypted before the capture */
  tls_unknown?: boolean;
}

/** One piece of personal data that an API returned, always as text. */
export interface Value {
  /** data type code; a location is one value `lat,lon`, decimal degrees WGS-84 */
  type: string;
  /** as the API gave it; numbers as text, all digits */
  text: string;
  /** row of a cursor, from 0: values of one row belong together */
  row?: number | null;
  /** contact id of that row: rows with the same are of one person; absent: not asked for */
  contact?: string | null;
}

/** The texts and elements of one window. */
export interface Window {
  /** whose window it is; null: the observed app's */
  package?: string | null;
  /** what is only shown, from top to bottom */
  texts?: readonly string[];
  /** what can be touched */
  labels?: readonly string[];
  /** boxes to tick, and switches */
  checks?: readonly Check[];
  /** names of its elements: the part after `:id/`, of a web page the whole id */
  ids?: readonly string[];
}

/** What the system itself counted for the app (witnesses.jsonl, by the device); times are on the device's clock. */
export interface Witness {
  kind: "witness";
  /** version of the contract */
  v: 1;
  /** RFC 3339, UTC, microseconds, trailing Z; the producer's own clock */
  at: string;
  /** Android package; null where the producer cannot know */
  app?: string | null;
  /** process on the device */
  pid?: number | null;
  /** when a line of the agent came in, on the host's clock */
  arrived?: string | null;
  /** milliseconds since the device was started, by its clock that nobody sets (lines of the agent) */
  boot_ms?: number | null;
  /** which part of the system counted; control: a run without hooks, before this one */
  by: "appops" | "control" | "exit_info" | "location" | "logcat" | "netstats" | "processes";
  /** what it counted: an op of AppOps, a provider of places, an event, a reason, a host */
  subject?: string | null;
  /** data type code that was accessed, where there is one */
  data?: string | null;
  /** how often */
  count?: number | null;
  /** bytes sent */
  size?: number | null;
  /** bytes received */
  received?: number | null;
  /** the first of them, or when counting began */
  from?: string | null;
  /** the last of them, or when counting ended */
  until?: string | null;
  /** the app's own name for the part of it that did it (attribution) */
  tag?: string | null;
  /** the package that asked the system on the app's behalf; null: the app itself */
  on_behalf?: string | null;
  /** what else the system said, for people */
  detail?: string | null;
  /** what the system printed of it */
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
