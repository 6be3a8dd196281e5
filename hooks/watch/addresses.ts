// Hardware and network addresses as the kernel and the C library lay them out.

import type { Value } from "../event.js";
import { push, type Asked } from "./native_call.js";

const AF_INET = 2;
const AF_INET6 = 10;
const AF_PACKET = 17;
/** How many elements are read from a list that the kernel or a library made. */
const MOST = 1000;

export function hex(at: NativePointer, size: number | UInt64, between = ""): string {
  const bytes = new Uint8Array(at.readByteArray(Number(size)) ?? new ArrayBuffer(0));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(between);
}

/** A hardware address; null for none. */
function mac(at: NativePointer): string | null {
  const text = hex(at, 6, ":");
  return text === "00:00:00:00:00:00" ? null : text;
}

/** An address as text; null for a loopback address and for the unspecified one. */
function ip(family: number, at: NativePointer): string | null {
  const bytes = new Uint8Array(at.readByteArray(family === AF_INET ? 4 : 16) ?? new ArrayBuffer(0));
  if (family === AF_INET) {
    return bytes[0] === 127 || bytes.every((byte) => byte === 0) ? null : bytes.join(".");
  }
  if (bytes.slice(0, 15).every((byte) => byte === 0)) {
    return null;
  }
  return ipv6(bytes);
}

/** An IPv6 address in its shortest form; one that maps an IPv4 address as that address. */
export function ipv6(bytes: Uint8Array): string {
  if (bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff) {
    return bytes.slice(12).join(".");
  }
  const groups = Array.from({ length: 8 }, (_, i) => (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16));
  const whole = groups.join(":");
  const zeros = [...whole.matchAll(/(?:^|:)(?:0(?::0)+)(?=:|$)/g)].sort((a, b) => b[0].length - a[0].length)[0];
  return zeros === undefined ? whole : `${whole.slice(0, zeros.index)}::${whole.slice(zeros.index + zeros[0].length).replace(/^:/, "")}`;
}

/** Read a pointer of a 32-bit or 64-bit process. */
function pointerAt(at: NativePointer, size: number): NativePointer {
  return size === 4 ? ptr(at.readU32()) : at.readPointer();
}

/**
 * The socket addresses in a list from getaddrinfo: five numbers, then pointers. `bsd`: the name comes before the
 * address, as in bionic; in glibc it is the other way round.
 */
export function resolved(list: NativePointer, bsd: boolean, pointerSize = Process.pointerSize): NativePointer[] {
  const pointersAt = (5 * 4 + pointerSize - 1) & ~(pointerSize - 1);
  const found: NativePointer[] = [];
  for (let info = list; !info.isNull() && found.length < MOST; info = pointerAt(info.add(pointersAt + 2 * pointerSize), pointerSize)) {
    found.push(pointerAt(info.add(pointersAt + (bsd ? pointerSize : 0)), pointerSize));
  }
  return found;
}

/** The addresses in a list from getifaddrs. */
export function interfaces(asked: Asked, list: NativePointer): Value[] {
  const values: Value[] = [];
  const size = Process.pointerSize;
  for (let at = list, i = 0; !at.isNull() && i < MOST; at = at.readPointer(), i++) {
    const address = at.add(size * 3).readPointer();
    if (address.isNull()) {
      continue;
    }
    const family = address.readU16();
    if (family === AF_PACKET && address.add(11).readU8() === 6) {
      push(values, asked.ask.data, mac(address.add(12)));
    } else if (family === AF_INET) {
      push(values, "ip_address", ip(family, address.add(4)));
    } else if (family === AF_INET6) {
      push(values, "ip_address", ip(family, address.add(8)));
    }
  }
  return values;
}

/** ioctl's request -> its name */
export const REQUESTS: Record<number, string> = {
  0x8912: "SIOCGIFCONF", 0x8915: "SIOCGIFADDR", 0x8927: "SIOCGIFHWADDR",
};
const NAME_BYTES = 16;
const REQUEST_BYTES = Process.pointerSize === 8 ? 40 : 32;

/** The addresses that the kernel wrote into an ifreq (name, address) or an ifconf (length, array of ifreq). */
export function requested(asked: Asked, at: NativePointer): Value[] {
  const values: Value[] = [];
  const address = at.add(NAME_BYTES);
  if (asked.target === "SIOCGIFHWADDR") {
    push(values, asked.ask.data, mac(address.add(2)));
  } else if (asked.target === "SIOCGIFADDR") {
    push(values, asked.ask.data, ip(AF_INET, address.add(4)));
  } else {
    const [bytes, array] = [at.readS32(), at.add(Process.pointerSize).readPointer()];
    for (let from = 0; !array.isNull() && from + REQUEST_BYTES <= bytes && from < MOST * REQUEST_BYTES; from += REQUEST_BYTES) {
      const each = array.add(from + NAME_BYTES);
      if (each.readU16() === AF_INET) {
        push(values, asked.ask.data, ip(AF_INET, each.add(4)));
      }
    }
  }
  return values;
}

const RTM_NEWLINK = 16;
const RTM_NEWADDR = 20;
const RTM_NEWNEIGH = 28;
const HEADER_BYTES = 16;
/** message -> size of its fixed part in bytes, and the attributes that are addresses */
const MESSAGES: Record<number, { fixed: number; attributes: number[] }> = {
  [RTM_NEWLINK]: { fixed: 16, attributes: [1] },
  [RTM_NEWADDR]: { fixed: 8, attributes: [1, 2] },
  [RTM_NEWNEIGH]: { fixed: 12, attributes: [2] },
};

/** The addresses in what was received on a netlink socket. */
export function netlink(asked: Asked, buffer: NativePointer, size: number): Value[] {
  const values: Value[] = [];
  for (let at = 0; at + HEADER_BYTES <= size; ) {
    const [length, type] = [buffer.add(at).readU32(), buffer.add(at + 4).readU16()];
    const message = MESSAGES[type];
    if (length < HEADER_BYTES || at + length > size) {
      break;
    }
    if (message !== undefined) {
      const family = buffer.add(at + HEADER_BYTES).readU8();
      for (let from = at + HEADER_BYTES + message.fixed; from + 4 <= at + length; ) {
        const [bytes, attribute] = [buffer.add(from).readU16(), buffer.add(from + 2).readU16()];
        if (bytes < 4) {
          break;
        }
        if (message.attributes.includes(attribute)) {
          const value = buffer.add(from + 4);
          if (type === RTM_NEWADDR) {
            push(values, "ip_address", ip(family, value));
          } else if (bytes === 10) {
            push(values, type === RTM_NEWLINK ? asked.ask.data : "nearby_wifi", mac(value));
          }
        }
        from += (bytes + 3) & ~3;
      }
    }
    at += (length + 3) & ~3;
  }
  return values;
}
