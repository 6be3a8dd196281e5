package java.util;

/** What the sample apps use of a class that Android got in 14. */
public final class HexFormat {
    private static final String DIGITS = "0123456789abcdef";
    private static final HexFormat LOWER_CASE = new HexFormat();

    private HexFormat() {
    }

    public static HexFormat of() {
        return LOWER_CASE;
    }

    public String formatHex(byte[] bytes) {
        char[] digits = new char[bytes.length * 2];
        for (int at = 0; at < digits.length; at++) {
            int octet = bytes[at / 2] & 0xff;
            digits[at] = DIGITS.charAt(at % 2 == 0 ? octet >>> 4 : octet & 0xf);
        }
        return String.valueOf(digits);
    }
}
