// BoringSSL's own interface for authenticated encryption: a context holds algorithm and key, and each call seals or
// opens one message.

import { once, read, type Hook } from "./libcrypto.js";

/** `EVP_aead_<name>` -> its name in Java. */
const ALGORITHMS = {
  aes_128_gcm: "AES-128-GCM", aes_192_gcm: "AES-192-GCM", aes_256_gcm: "AES-256-GCM",
  aes_128_gcm_siv: "AES-128-GCM-SIV", aes_256_gcm_siv: "AES-256-GCM-SIV",
  chacha20_poly1305: "ChaCha20-Poly1305", xchacha20_poly1305: "XChaCha20-Poly1305",
};
const MOST_CONTEXTS = 10_000;

interface Sealing {
  algorithm: string;
  key: ArrayBuffer | null;
}

const contexts = new Map<string, Sealing>();
const names = new Map<string, string>();

function nameOf(library: Module, aead: NativePointer): string {
  if (names.size === 0) {
    for (const [name, algorithm] of Object.entries(ALGORITHMS)) {
      const address = library.findExportByName(`EVP_aead_${name}`);
      if (address !== null) {
        names.set(String(new NativeFunction(address, "pointer", [])()), algorithm);
      }
    }
  }
  return names.get(String(aead)) ?? "unknown";
}

function begins(library: Module, context: NativePointer, [aead = NULL, key, size]: (NativePointer | undefined)[]): void {
  if (contexts.size >= MOST_CONTEXTS) {
    contexts.clear();
  }
  contexts.set(String(context), { algorithm: nameOf(library, aead), key: read(key, size?.toInt32() ?? 0) });
}

export const AEAD: Record<string, Hook> = {
  /** (aead, key, size of key, size of tag) */
  EVP_AEAD_CTX_new: { after: (args, result, library) => { begins(library, result, args); } },
  /** (context, aead, key, size of key, size of tag, engine) */
  EVP_AEAD_CTX_init: { after: ([context = NULL, ...args], _result, library) => { begins(library, context, args); } },
  EVP_AEAD_CTX_free: { before: ([context]) => { contexts.delete(String(context)); } },
  /** (context, out, *written, room, nonce, size, in, size, ...): in may be the same place as out */
  EVP_AEAD_CTX_seal: message("encrypt"),
  EVP_AEAD_CTX_open: message("decrypt"),
};

function message(op: "encrypt" | "decrypt"): Hook {
  const taken = new Map<number, ArrayBuffer | null>();
  return {
    before: (args) => {
      taken.set(Process.getCurrentThreadId(), read(args[6], args[7]?.toInt32() ?? 0));
    },
    after: (args, result, _library, caller) => {
      const [context, out, written = NULL, , nonce, size] = args;
      const input = taken.get(Process.getCurrentThreadId()) ?? null;
      taken.delete(Process.getCurrentThreadId());
      const known = contexts.get(String(context));
      if (result.toInt32() === 1 && known !== undefined && !written.isNull()) {
        const output = read(out, Number(written.readULong()));
        once(op, known.algorithm, input, output, known.key, caller, read(nonce, size?.toInt32() ?? 0));
      }
    },
  };
}
