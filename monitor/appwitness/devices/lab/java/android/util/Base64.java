package android.util;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** Base64 encoding and decoding with Android's flags. */
public class Base64 {
    public static final int DEFAULT = 0;
    public static final int NO_PADDING = 1;
    public static final int NO_WRAP = 2;
    public static final int CRLF = 4;
    public static final int URL_SAFE = 8;

    private Base64() {
    }

    public static String encodeToString(byte[] input, int flags) {
        return new String(encode(input, flags), StandardCharsets.US_ASCII);
    }

    public static String encodeToString(byte[] input, int offset, int len, int flags) {
        return new String(encode(input, offset, len, flags), StandardCharsets.US_ASCII);
    }

    public static byte[] encode(byte[] input, int flags) {
        return encode(input, 0, input.length, flags);
    }

    public static byte[] encode(byte[] input, int offset, int len, int flags) {
        java.util.Base64.Encoder encoder =
                (flags & URL_SAFE) != 0 ? java.util.Base64.getUrlEncoder() : java.util.Base64.getEncoder();
        if ((flags & NO_PADDING) != 0) {
            encoder = encoder.withoutPadding();
        }
        byte[] plain = encoder.encode(java.util.Arrays.copyOfRange(input, offset, offset + len));
        if ((flags & NO_WRAP) != 0) {
            return plain;
        }
        // Android ends every line of 76 characters with a newline, including the last one.
        byte[] end = (flags & CRLF) != 0 ? new byte[] {'\r', '\n'} : new byte[] {'\n'};
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int at = 0; at < plain.length; at += 76) {
            out.write(plain, at, Math.min(76, plain.length - at));
            out.write(end, 0, end.length);
        }
        return out.toByteArray();
    }

    public static byte[] decode(String str, int flags) {
        return decode(str.getBytes(StandardCharsets.US_ASCII), flags);
    }

    public static byte[] decode(byte[] input, int flags) {
        if ((flags & URL_SAFE) == 0) {
            return java.util.Base64.getMimeDecoder().decode(input);
        }
        String text = new String(input, StandardCharsets.US_ASCII).replaceAll("\\s", "");
        return java.util.Base64.getUrlDecoder().decode(text);
    }
}
