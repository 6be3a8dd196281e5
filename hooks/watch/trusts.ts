// Asks the app's own default TrustManager whether it accepts a certificate for a host: without network or recording.

import Java from "frida-java-bridge";
import { currentEnv, isArt } from "../java/bridge.js";
import { Method, loadClass } from "../java/classes.js";
import { setInside } from "../java/folding.js";
import { JavaError, arrayElement, arrayLength, inFrame, isInstance, newString, text, type Env } from "../java/jni.js";
import { newArray } from "./readers.js";

/**
 * `pinned`: the authority is trusted, but the app's network security configuration requires other keys for this host.
 */
export interface Answer {
  answer: "trusted" | "pinned" | "refused" | "unknown";
  /** the text of the exception */
  said: string;
}

let asker: number | null = null;

/** Whether the calling thread is ours and is asking: the app has no part in this call. */
export function isAsking(): boolean {
  return asker !== null && asker === Process.getCurrentThreadId();
}

/** `pem`: the host's certificate, then those above it. */
export function trusts(pem: string, host: string): Promise<Answer> {
  return new Promise((resolve) => {
    Java.perform(() => {
      asker = Process.getCurrentThreadId();
      setInside(true);
      try {
        const env = currentEnv();
        resolve(inFrame(env, () => ask(env, pem, host)));
      } catch (error) {
        resolve({ answer: "unknown", said: String(error) });
      } finally {
        setInside(false);
        asker = null;
      }
    });
  });
}

const X509 = "java.security.cert.X509Certificate";
const MANAGER = "javax.net.ssl.X509TrustManager";
const FACTORY = "javax.net.ssl.TrustManagerFactory";
const EXTENSIONS = "android.net.http.X509TrustManagerExtensions";
const CERTIFICATES = "java.security.cert.CertificateFactory";

const getBytes = new Method("java.lang.String", "getBytes", "()[B");
const toText = new Method("java.lang.Object", "toString", "()Ljava/lang/String;");
const stream = new Method("java.io.ByteArrayInputStream", "<init>", "([B)V");
const certificates = new Method(CERTIFICATES, "getInstance", `(Ljava/lang/String;)L${slashed(CERTIFICATES)};`, true);
const parse = new Method(CERTIFICATES, "generateCertificates", "(Ljava/io/InputStream;)Ljava/util/Collection;");
const toArray = new Method("java.util.Collection", "toArray", "([Ljava/lang/Object;)[Ljava/lang/Object;");
const algorithm = new Method(FACTORY, "getDefaultAlgorithm", "()Ljava/lang/String;", true);
const factory = new Method(FACTORY, "getInstance", `(Ljava/lang/String;)L${slashed(FACTORY)};`, true);
const init = new Method(FACTORY, "init", "(Ljava/security/KeyStore;)V");
const managers = new Method(FACTORY, "getTrustManagers", "()[Ljavax/net/ssl/TrustManager;");
const check = new Method(MANAGER, "checkServerTrusted", `([L${slashed(X509)};Ljava/lang/String;)V`);
const extended = new Method(EXTENSIONS, "<init>", `(L${slashed(MANAGER)};)V`);
const checkFor = new Method(
  EXTENSIONS, "checkServerTrusted", `([L${slashed(X509)};Ljava/lang/String;Ljava/lang/String;)Ljava/util/List;`);

function slashed(name: string): string {
  return name.replaceAll(".", "/");
}

function ask(env: Env, pem: string, host: string): Answer {
  const chain = chainOf(env, pem);
  const manager = defaultManager(env);
  const kind = newString(env, "RSA");
  try {
    if (isArt()) {
      checkFor.object(env, extended.create(env, manager), chain, kind, newString(env, host));
    } else {
      check.call(env, manager, chain, kind);
    }
    return { answer: "trusted", said: "" };
  } catch (error) {
    const thrown = error instanceof JavaError ? error.thrown : null;
    const refusal = loadClass(env, "java.security.cert.CertificateException");
    if (thrown === null || refusal === null || !isInstance(env, thrown, refusal)) {
      return { answer: "unknown", said: said(env, thrown) ?? String(error) };
    }
    const words = said(env, thrown) ?? "";
    // AOSP, NetworkSecurityTrustManager.checkPins: the only way to tell a pin from an authority that is not trusted.
    return { answer: words.includes("Pin verification failed") ? "pinned" : "refused", said: words };
  }
}

function said(env: Env, thrown: NativePointer | null): string | null {
  return thrown === null ? null : text(env, toText.object(env, thrown));
}

function chainOf(env: Env, pem: string): NativePointer {
  const bytes = getBytes.object(env, newString(env, pem));
  const parser = certificates.object(env, null, newString(env, "X.509"));
  const list = parse.object(env, parser, stream.create(env, bytes));
  const cls = loadClass(env, X509) ?? NULL;
  return toArray.object(env, list, newArray.object(env, null, cls, 0));
}

function defaultManager(env: Env): NativePointer {
  const made = factory.object(env, null, algorithm.object(env, null));
  init.call(env, made, NULL);
  const all = managers.object(env, made);
  const wanted = loadClass(env, MANAGER);
  for (let i = 0; i < arrayLength(env, all); i++) {
    const each = arrayElement(env, all, i);
    if (wanted !== null && isInstance(env, each, wanted)) {
      return each;
    }
  }
  throw new JavaError("the app has no X509TrustManager");
}
