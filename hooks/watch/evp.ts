// Transforms that the app's native code makes with OpenSSL or BoringSSL, if the library exports its functions: digests,
// MACs and ciphers, each as one line. What a TLS library or the platform does for itself is left out.

import type { Transform } from "../event.js";
import { goLive } from "../java/patches.js";
import { eachModule } from "../out/leaving.js";
import { AEAD } from "./aead.js";
import { MOST_BYTES, attach, once, read, tell, type Hook, type Work } from "./libcrypto.js";

const LIBRARY = /crypto|boringssl/i;
const MOST_CONTEXTS = 10_000;
const LONGEST_KEY = 64;

const works = new Map<string, Work>();

export function watchEvp(): void {
  const seen = new Set<string>();
  eachModule((module) => {
    if (LIBRARY.test(module.name) && !seen.has(module.path)) {
      seen.add(module.path);
      for (const [name, hook] of Object.entries({ ...FUNCTIONS, ...AEAD })) {
        attach(module, name, hook);
      }
      goLive();
    }
  });
}

function begin(context: NativePointer | undefined, op: Transform["op"], algorithm: string): Work {
  const work: Work = { op, algorithm, key: null, iv: null, taken: [], given: [], size: 0 };
  if (works.size >= MOST_CONTEXTS) {
    works.clear();
  }
  works.set(String(context), work);
  return work;
}

function take(context: NativePointer | undefined, bytes: ArrayBuffer | null, into: "taken" | "given"): void {
  const work = works.get(String(context));
  if (work !== undefined && bytes !== null) {
    work.size += bytes.byteLength;
    if (work.size <= MOST_BYTES) {
      work[into].push(bytes);
    }
  }
}

function end(context: NativePointer | undefined, caller: NativePointer): void {
  const work = works.get(String(context));
  if (work === undefined) {
    return;
  }
  const { taken, given } = work;
  works.set(String(context), { ...work, taken: [], given: [], size: 0 });
  tell({ ...work, taken, given }, caller);
}

// Names and lengths, asked of the library itself: OpenSSL 3 and BoringSSL name these functions differently.

function ask(library: Module, names: string[], of: NativePointer): number {
  const address = names.map((name) => library.findExportByName(name)).find((found) => found !== null);
  return address === undefined || of.isNull() ? 0 : new NativeFunction(address, "int", ["pointer"])(of);
}

function nameOf(library: Module, kind: "MD" | "CIPHER", of: NativePointer): string {
  const number = ask(library, kind === "MD" ? ["EVP_MD_get_type", "EVP_MD_type"] : ["EVP_CIPHER_get_nid", "EVP_CIPHER_nid"], of);
  const short = library.findExportByName("OBJ_nid2sn");
  const name = short === null || number === 0 ? null : new NativeFunction(short, "pointer", ["int"])(number).readCString();
  // The names that Java uses.
  return (name ?? "unknown").toUpperCase().replace(/^SHA(1|224|256|384|512)$/, "SHA-$1");
}

function lengths(library: Module, cipher: NativePointer): { key: number; iv: number } {
  return {
    key: Math.min(ask(library, ["EVP_CIPHER_get_key_length", "EVP_CIPHER_key_length"], cipher), LONGEST_KEY),
    iv: Math.min(ask(library, ["EVP_CIPHER_get_iv_length", "EVP_CIPHER_iv_length"], cipher), LONGEST_KEY),
  };
}

/** (context, cipher, engine, key, iv): may be called again with only the key or the iv. */
function cipherBegins(op: (args: NativePointer[]) => Transform["op"]): Hook {
  return {
    before: (args, library) => {
      const [context, cipher = NULL, , key, iv] = args;
      const known = works.get(String(context));
      const work = cipher.isNull() && known !== undefined ? known : begin(context, op(args), nameOf(library, "CIPHER", cipher));
      const size = cipher.isNull() ? { key: work.key?.byteLength ?? 0, iv: work.iv?.byteLength ?? 16 } : lengths(library, cipher);
      work.key = read(key, size.key) ?? work.key;
      work.iv = read(iv, size.iv) ?? work.iv;
    },
  };
}

/** (context, out, *written, in, size): in may be the same place as out. */
const CIPHER_UPDATE: Hook = {
  before: ([context, out, , from, size]) => {
    // Without an output, the data is only authenticated.
    if (out?.isNull() === false) {
      take(context, read(from, size?.toInt32() ?? 0), "taken");
    }
  },
  after: ([context, out, written]) => {
    if (out?.isNull() === false && written?.isNull() === false) {
      take(context, read(out, written.readS32()), "given");
    }
  },
};

/** (context, out, *written) */
const CIPHER_END: Hook = {
  after: ([context, out, written], result, _library, caller) => {
    if (result.toInt32() === 1 && out !== undefined && written?.isNull() === false) {
      take(context, read(out, written.readS32()), "given");
      end(context, caller);
    }
  },
};

const DIGEST_BEGIN: Hook = {
  before: ([context, type = NULL], library) => {
    begin(context, "digest", nameOf(library, "MD", type));
  },
};

/** (context, out, *size) */
const DIGEST_END: Hook = {
  after: ([context, out, size], _result, _library, caller) => {
    take(context, read(out, size === undefined || size.isNull() ? 0 : size.readU32()), "given");
    end(context, caller);
  },
};

/** (data, size, out) */
function whole(algorithm: string, bytes: number): Hook {
  return {
    after: ([data, size, out], result, _library, caller) => {
      const place = out?.isNull() === false ? out : result;
      once("digest", algorithm, read(data, size?.toInt32() ?? 0), read(place, bytes), null, caller);
    },
  };
}

const GONE: Hook = {
  before: ([context]) => {
    works.delete(String(context));
  },
};

const FUNCTIONS: Record<string, Hook> = {
  EVP_DigestInit: DIGEST_BEGIN,
  EVP_DigestInit_ex: DIGEST_BEGIN,
  EVP_DigestUpdate: { before: ([context, data, size]) => { take(context, read(data, size?.toInt32() ?? 0), "taken"); } },
  EVP_DigestFinal: DIGEST_END,
  EVP_DigestFinal_ex: DIGEST_END,
  EVP_MD_CTX_free: GONE,
  /** (data, size, out, *written, type, engine) */
  EVP_Digest: {
    after: ([data, size, out, written, type = NULL], _result, library, caller) => {
      const bytes = written?.isNull() === false ? written.readU32() : ask(library, ["EVP_MD_get_size", "EVP_MD_size"], type);
      once("digest", nameOf(library, "MD", type), read(data, size?.toInt32() ?? 0), read(out, bytes), null, caller);
    },
  },
  MD5: whole("MD5", 16),
  SHA1: whole("SHA-1", 20),
  SHA256: whole("SHA-256", 32),
  SHA512: whole("SHA-512", 64),
  /** (type, key, size of key, data, size, out, *written) */
  HMAC: {
    after: ([type = NULL, key, keyBytes, data, size, out, written], result, library, caller) => {
      const place = out?.isNull() === false ? out : result;
      const bytes = written?.isNull() === false ? written.readU32() : ask(library, ["EVP_MD_get_size", "EVP_MD_size"], type);
      const name = `Hmac${nameOf(library, "MD", type).replace("-", "")}`;
      once("mac", name, read(data, size?.toInt32() ?? 0), read(place, bytes), read(key, keyBytes?.toInt32() ?? 0), caller);
    },
  },
  /** (context, key, size of key, type, engine) */
  HMAC_Init_ex: {
    before: ([context, key, size, type = NULL], library) => {
      if (!type.isNull()) {
        begin(context, "mac", `Hmac${nameOf(library, "MD", type).replace("-", "")}`).key = read(key, size?.toInt32() ?? 0);
      }
    },
  },
  HMAC_Update: { before: ([context, data, size]) => { take(context, read(data, size?.toInt32() ?? 0), "taken"); } },
  HMAC_Final: DIGEST_END,
  EVP_EncryptInit_ex: cipherBegins(() => "encrypt"),
  EVP_DecryptInit_ex: cipherBegins(() => "decrypt"),
  EVP_CipherInit_ex: cipherBegins((args) => (args[5]?.toInt32() === 0 ? "decrypt" : "encrypt")),
  EVP_EncryptUpdate: CIPHER_UPDATE,
  EVP_DecryptUpdate: CIPHER_UPDATE,
  EVP_CipherUpdate: CIPHER_UPDATE,
  EVP_EncryptFinal_ex: CIPHER_END,
  EVP_DecryptFinal_ex: CIPHER_END,
  EVP_CipherFinal_ex: CIPHER_END,
  EVP_CIPHER_CTX_free: GONE,
};
