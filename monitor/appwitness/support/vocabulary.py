"""Decides which foreign text may be shown or copied unmasked: words of our own data files, and names of a harmless
form."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection
from functools import cache
from pathlib import Path

type Hide = Callable[[str], str]
"""Replaces a piece of text that may not be shown."""

PACKAGE = Path(__file__).parent.parent
SHOWN = (
    *("catalog/consent.yml", "catalog/claims.yml", "catalog/data_types.yml", "catalog/devices/dialogs.yml"),
    "catalog/picked.yml",
)
"""Files whose words may be shown anywhere: they hold the words of labels, questions and data types, and what shows
that the user picked something."""
TOLD = ("catalog/*.yml", "catalog/devices/*.yml", "catalog/rules/*.yml", "reports/*.yml", "support/words.txt")
"""Files whose words may be shown in sentences that observers wrote; words.txt has those that otherwise occur only in
code."""
NOT_TOLD = frozenset({"recipients.yml", "app_types.yml"})
"""Files with names of companies and app types, which foreign texts may hold as well."""
LONGEST_LABEL = 24
"""Maximum length of one part of a name, in characters."""
MOST_DIGITS = 5
"""Maximum number of digits in one part of a name; more may be somebody's number."""
TOLD_DIGITS = 8
"""Numbers in a sentence that an observer wrote are kept if they have at most this many digits together."""

METHODS = frozenset(
    """
    GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH QUERY PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK REPORT
    SEARCH SUBSCRIBE NOTIFY M-SEARCH PURGE REGISTER INVITE
    """.split()  # noqa: SIM905
)
PROTOCOLS = frozenset(
    ("h2", "h2c", "h3", "http/0.9", "http/1.0", "http/1.1", "spdy/3.1", "mqtt", "dot", "doq", "webrtc")
)
"""Protocols that ALPN may name."""
TLS_VERSIONS = frozenset(
    {
        *("TLSv1", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"),
        *("SSLv2", "SSLv3", "DTLSv1.2", "DTLSv1.3", "QUIC", "QUICv1"),
    }
)
_ALGORITHMS = frozenset(
    """
    aes des desede 3des tripledes rc2 rc4 arcfour blowfish twofish camellia seed idea chacha chacha20 poly1305 salsa20
    sm2 sm3 sm4 zuc rsa dsa dh ec ecdh ecdsa ecies ed25519 x25519 eddsa hmac cmac gmac mac md2 md4 md5 sha sha1 sha2
    sha3 sha224 sha256 sha384 sha512 shake128 shake256 ripemd160 rmd160 whirlpool blake2b blake2s blake3 keccak murmur
    murmur3 murmurhash3 xxhash crc32 adler32 fnv1a siphash pbkdf2 pbkdf2withhmacsha1 pbkdf2withhmacsha256 scrypt bcrypt
    argon2id hkdf hmacmd5 hmacsha1 hmacsha224 hmacsha256 hmacsha384 hmacsha512 hmacsm3 pbewithmd5anddes ecb cbc cfb ofb
    ctr cts gcm ccm eax xts gcmsiv siv wrap pkcs1padding pkcs5padding pkcs7padding iso10126padding nopadding padding
    zeropadding oaeppadding oaepwithsha oaepwithsha1andmgf1padding oaepwithsha256andmgf1padding andmgf1padding mgf1
    gzip zlib deflate zip brotli br zstd lz4 snappy lzma xz bzip2 base64 base64url base32 hex url percent utf 8 1 2 3 16
    32 64 128 192 224 256 384 512 with and none xor bc
    """.split()  # noqa: SIM905
)
_MEDIA = frozenset(
    """
    application audio font image message model multipart text video json xml html plain css csv javascript ecmascript
    octet stream form data x www urlencoded mixed alternative related byteranges protobuf google grpc grpc web proto
    msgpack vnd api cbor pdf zip gzip zstd wasm mp4 mpeg ogg webm png jpeg jpg gif webp svg avif bmp heic event
    ndjson problem ld activity ocsp request response timestamp query reply dns soap atom rss markdown vcard calendar
    flatbuffers thrift binary avro bson sqlite3 oct tar rtf dash hls mpegurl apple amf aac wav flac jose jwt pkcs7
    signature pkix cert java archive android package collector
    """.split()  # noqa: SIM905
)
CHARSETS = frozenset({"utf-8", "utf8", "us-ascii", "iso-8859-1", "gbk", "gb2312", "gb18030", "big5", "utf-16"})
HEADERS = frozenset(
    """
    a-im accept accept-charset accept-encoding accept-language accept-ranges access-control-request-headers
    access-control-request-method age allow alt-used authority authorization baggage cache-control connection
    content-disposition content-encoding content-id content-language content-length content-location content-md5
    content-range content-transfer-encoding content-type cookie date device-memory dnt downlink dpop early-data ect etag
    expect expires forwarded from grpc-encoding grpc-timeout host http2-settings idempotency-key if-match
    if-modified-since if-none-match if-range if-unmodified-since keep-alive last-modified link location max-forwards
    origin pragma prefer priority proxy-authorization proxy-connection range referer referrer-policy rtt save-data
    sec-ch-ua sec-ch-ua-mobile sec-ch-ua-model sec-ch-ua-platform sec-fetch-dest sec-fetch-mode sec-fetch-site
    sec-fetch-user sec-gpc sec-websocket-extensions sec-websocket-key sec-websocket-protocol sec-websocket-version
    server set-cookie soapaction te traceparent tracestate trailer transfer-encoding upgrade upgrade-insecure-requests
    user-agent vary via warning www-authenticate x-api-key x-app-id x-app-name x-app-version x-auth-token x-client-id
    x-client-version x-correlation-id x-csrf-token x-device-id x-forwarded-for x-forwarded-host x-forwarded-proto
    x-goog-api-key x-http-method-override x-real-ip x-request-id x-requested-with x-session-id x-timestamp x-token
    x-user-id :authority :method :path :scheme
    """.split()  # noqa: SIM905
)
OF_THE_WEB = frozenset(
    """
    android java com org net www api http https okhttp app id uid ip url uri json os sdk ads ad v1 v2 v3 lat lng lon tel
    mobile phone phones email mail name user device imei imsi iccid mac ssid bssid oaid gaid idfa adid token session
    sign login register upload collect track tracks events event log logs batch report sync report data query headers
    body cookie cookies params param list items item payload content type time timestamp ts version model brand
    0x true false null node hierarchy rotation index resource class package desc checkable checked clickable enabled
    focusable focused scrollable password selected bounds
    main thread pool dispatcher worker looper handler binder async task executor
    """.split()  # noqa: SIM905
)
"""Names that reveal nothing about anybody: of fields, of parts of URLs, of threads."""
_WORD = re.compile(r"[^\W_]+")
_LETTERS = re.compile(r"[^\W\d_]+")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
_MAILBOX = re.compile(r"(?<![\w.+-])[\w.+-]++(?=@)")  # possessive: a run of characters is scanned once, however long
_COMMENT = re.compile(r"(?m)(?:^|\s)#.*$")
_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_BEFORE_S = re.compile(r"(?:\d |[^\W_]['\u2019])\Z")
"""What precedes the s in `1.9 s` and in `the app's`."""
_REF = re.compile(r"[a-z]+\.jsonl:\d{1,9}|[a-z]+\.jsonl|run\.json|bodies/[0-9a-f]{64}")
_PERMISSION = re.compile(r"(?:android\.permission(?:-group)?\.|com\.android\.[a-z.]*permission\.)?[A-Z]+(?:_[A-Z]+)+")


@cache
def words(*, told: bool = False) -> frozenset[str]:
    """The words of our own data files, casefolded; for Chinese, Japanese and Korean the runs between punctuation
    marks."""
    found = set(OF_THE_WEB)
    for pattern in TOLD if told else SHOWN:
        for file in PACKAGE.glob(pattern):
            if file.name not in NOT_TOLD:
                found.update(_LETTERS.findall(_COMMENT.sub("", file.read_text("utf-8")).casefold()))
    return frozenset(word for word in found if len(word) > 1 or word in ("a", "i"))


@cache
def _longest() -> int:
    return max(len(word) for word in words(told=True) if _CJK.fullmatch(word))


def is_word(text: str, *, told: bool = False) -> bool:
    """Whether it is one of our words, ignoring case."""
    return text.casefold() in words(told=told)


def sifted(text: str, hide: Hide) -> str:
    """A text in which only the words of labels and questions, and the punctuation, are kept."""
    return _sifted(text, hide, told=False)


def told(text: str, hide: Hide) -> str:
    """A sentence that an observer wrote, in which our words are kept, and its numbers if it has at most TOLD_DIGITS
    digits."""
    return _sifted(text, hide, told=True)


def _sifted(text: str, hide: Hide, *, told: bool) -> str:
    numbers = told and sum(map(str.isdigit, text)) <= TOLD_DIGITS

    def piece(found: re.Match[str]) -> str:
        word = found.group()
        if is_word(word, told=told) or (numbers and word.isdigit()):
            return word
        if told and word == "s" and _BEFORE_S.search(found.string, 0, found.start()):
            return word
        if not word.isascii() and _CJK.search(word):
            return _by_phrases(word, hide, told=told)
        return hide(word)

    return "@".join(_WORD.sub(piece, part) for part in _MAILBOX.sub(lambda found: hide(found.group()), text).split("@"))


def _by_phrases(text: str, hide: Hide, *, told: bool) -> str:
    """A text without spaces between words, in which the longest of our phrases are kept."""
    out, unknown, at = [], "", 0
    while at < len(text):
        size = next(
            (size for size in range(min(_longest(), len(text) - at), 1, -1) if is_word(text[at : at + size])), 0
        )
        if size:
            out += [hide(unknown)] * bool(unknown) + [text[at : at + size]]
            unknown, at = "", at + size
        else:
            unknown, at = unknown + text[at], at + 1
    return "".join([*out, *[hide(unknown)] * bool(unknown)])


def name(text: str, hide: Hide) -> str:
    """A name in code or of a field: parts of it that are too long or have too many digits are hidden."""
    return _WORD.sub(lambda found: found.group() if _is_name(found.group()) else hide(found.group()), text)


def _is_name(text: str) -> bool:
    if not text.isascii():
        return is_word(text)
    digits = re.findall(r"\d+", text)
    if len(digits) > (2 if len(text) <= LONGEST_LABEL // 2 else 1) or sum(map(len, digits)) > MOST_DIGITS:
        return False
    return len(text) <= LONGEST_LABEL or all(len(part) <= LONGEST_LABEL for part in _PART.findall(text))


def host(text: str, hide: Hide) -> str:
    """A host name, masked label by label; an IP address is kept."""
    bare, colon, port = text.rpartition(":") if re.fullmatch(r"[^:\[\]]*:\d{1,5}", text) else (text, "", "")
    if is_address(bare.strip("[]")):
        return text
    if not re.fullmatch(r"[\w.*-]*", bare, re.ASCII):
        return sifted(text, hide)
    return ".".join(name(label, hide) for label in bare.split(".")) + colon + port


def is_address(text: str) -> bool:
    """Whether it is an IP address."""
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return "%" not in text


def one_of(text: str, known: Collection[str], hide: Hide) -> str:
    """The text if it is one of these; otherwise it is hidden."""
    return text if text in known else hide(text)


def method(text: str, hide: Hide) -> str:
    """An HTTP method."""
    return one_of(text, METHODS, hide)


def alpn(text: str, hide: Hide) -> str:
    """A protocol named by ALPN."""
    return one_of(text, PROTOCOLS, hide)


def tls_version(text: str, hide: Hide) -> str:
    """A TLS version."""
    return one_of(text, TLS_VERSIONS, hide)


def algorithm(text: str, hide: Hide) -> str:
    """The name of a digest, cipher or compressor, part by part."""
    return _WORD.sub(lambda found: one_of_parts(found.group(), _ALGORITHMS, hide), text)


def step(text: str, hide: Hide) -> str:
    """What a value was turned into or decoded from: our own terms, and names of algorithms."""
    return _WORD.sub(lambda found: one_of_parts(found.group(), _steps(), hide), text)


@cache
def _steps() -> frozenset[str]:
    return frozenset(_ALGORITHMS | words(told=True) | {"e164"})


def one_of_parts(text: str, known: Collection[str], hide: Hide) -> str:
    """Like `one_of`, ignoring case."""
    return text if text.casefold() in known else hide(text)


def header_name(text: str, hide: Hide) -> str:
    """The name of a header, kept if it is in wide use."""
    return text if text.casefold() in HEADERS else hide(text)


def content_type(text: str, hide: Hide) -> str:
    """A media type; of its parameters, only the charset is kept."""
    media, *parameters = text.split(";")
    shown = [_WORD.sub(lambda found: one_of_parts(found.group(), _MEDIA, hide), media)]
    for each in parameters:
        key, equals, value = each.partition("=")
        known = key.strip().casefold() == "charset" and value.strip().strip('"').casefold() in CHARSETS
        shown.append(each if known else f" {hide(key.strip())}{equals}{hide(value) if value else ''}")
    return ";".join(shown)


def reference(text: str, hide: Hide) -> str:
    """The name of a line or file of the recording; any other text is reduced to our words."""
    return text if _REF.fullmatch(text) else sifted(text, hide)


def permission(text: str, hide: Hide) -> str:
    """The name of an Android permission; any other text is reduced to our words."""
    return text if _PERMISSION.fullmatch(text) and _of_words(text) else sifted(text, hide)


def _of_words(text: str) -> bool:
    return all(is_word(word) for word in _LETTERS.findall(text))
