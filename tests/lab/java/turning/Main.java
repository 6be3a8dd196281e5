package turning;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.HexFormat;
import java.util.zip.GZIPOutputStream;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.SecretKeySpec;

/** Turns values into other things in every way that the agent records, and prints what the app got. */
public final class Main {
    private static final byte[] NUMBER = "+8613800138000".getBytes(StandardCharsets.UTF_8);
    private static final SecretKeySpec KEY = new SecretKeySpec("0123456789abcdef".getBytes(), "AES");

    public static void main(String[] names) throws Exception {
        for (String name : names) {
            byte[] result = run(name);
            System.out.println(name + " " + HexFormat.of().formatHex(result, 0, Math.min(result.length, 64)));
        }
        Runtime.getRuntime().exit(0);
    }

    private static byte[] run(String name) throws Exception {
        return switch (name) {
            case "digest" -> MessageDigest.getInstance("SHA-256").digest(NUMBER);
            case "salted" -> salted();
            case "digest_into" -> digestInto();
            case "reset" -> reset();
            case "cloned_pieces" -> pieces();
            case "mac" -> mac();
            case "gcm" -> gcm();
            case "chunks" -> chunks();
            case "buffers" -> buffers();
            case "in_place" -> inPlace();
            case "decrypt" -> decrypt();
            case "rsa" -> rsa();
            case "wrap" -> wrap();
            case "gzip" -> gzip();
            case "base64" -> Base64.getEncoder().encodeToString(NUMBER).getBytes();
            case "large" -> large();
            case "derived" -> derived();
            case "many" -> many();
            case "throws" -> throwing();
            default -> throw new IllegalArgumentException(name);
        };
    }

    private static byte[] salted() throws Exception {
        MessageDigest digest = MessageDigest.getInstance("MD5");
        digest.update("pepper".getBytes());
        digest.update((byte) ':');
        digest.update(NUMBER, 1, NUMBER.length - 1);
        return digest.digest();
    }

    private static byte[] digestInto() throws Exception {
        MessageDigest digest = MessageDigest.getInstance("SHA-1");
        digest.update(ByteBuffer.wrap(NUMBER));
        byte[] into = new byte[24];
        digest.digest(into, 4, 20);
        return into;
    }

    private static byte[] reset() throws Exception {
        MessageDigest digest = MessageDigest.getInstance("SHA-1");
        digest.update("forgotten".getBytes());
        digest.reset();
        return digest.digest(NUMBER);
    }

    private static byte[] pieces() throws Exception {
        MessageDigest one = MessageDigest.getInstance("MD5");
        MessageDigest two = MessageDigest.getInstance("MD5");
        one.update("a".getBytes());
        two.update("b".getBytes());
        one.digest(NUMBER);
        return two.digest(NUMBER);
    }

    private static byte[] mac() throws Exception {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(KEY);
        mac.update(NUMBER);
        byte[] into = new byte[40];
        mac.doFinal(into, 8);
        return into;
    }

    private static byte[] gcm() throws Exception {
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(Cipher.ENCRYPT_MODE, KEY, new GCMParameterSpec(128, "nonce1234567".getBytes()));
        cipher.updateAAD("header".getBytes());
        return cipher.doFinal(NUMBER);
    }

    private static byte[] chunks() throws Exception {
        Cipher cipher = Cipher.getInstance("AES/CBC/PKCS5Padding");
        cipher.init(Cipher.ENCRYPT_MODE, KEY, new IvParameterSpec(new byte[16]));
        byte[] text = "{\"phone\":\"+8613800138000\",\"more\":\"text than one block\"}".getBytes();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int at = 0; at < text.length; at += 10) {
            byte[] piece = cipher.update(text, at, Math.min(10, text.length - at));
            if (piece != null) {
                out.write(piece);
            }
        }
        out.write(cipher.doFinal());
        return out.toByteArray();
    }

    private static byte[] buffers() throws Exception {
        Cipher cipher = Cipher.getInstance("AES/CTR/NoPadding");
        cipher.init(Cipher.ENCRYPT_MODE, KEY, new IvParameterSpec(new byte[16]));
        ByteBuffer in = ByteBuffer.allocateDirect(32);
        in.put(NUMBER).flip();
        ByteBuffer out = ByteBuffer.allocateDirect(64);
        out.put("head".getBytes());
        cipher.doFinal(in, out);
        byte[] result = new byte[out.flip().remaining()];
        out.get(result);
        return result;
    }

    private static byte[] inPlace() throws Exception {
        Cipher cipher = Cipher.getInstance("AES/CTR/NoPadding");
        cipher.init(Cipher.ENCRYPT_MODE, KEY, new IvParameterSpec(new byte[16]));
        byte[] same = NUMBER.clone();
        cipher.doFinal(same, 0, same.length, same, 0);
        return same;
    }

    private static byte[] decrypt() throws Exception {
        Cipher cipher = Cipher.getInstance("AES/ECB/PKCS5Padding");
        cipher.init(Cipher.ENCRYPT_MODE, KEY);
        byte[] secret = cipher.doFinal(NUMBER);
        cipher.init(Cipher.DECRYPT_MODE, KEY);
        return cipher.doFinal(secret);
    }

    private static byte[] rsa() throws Exception {
        KeyPairGenerator pairs = KeyPairGenerator.getInstance("RSA");
        pairs.initialize(1024);
        Cipher cipher = Cipher.getInstance("RSA/ECB/PKCS1Padding");
        cipher.init(Cipher.ENCRYPT_MODE, pairs.generateKeyPair().getPublic());
        return cipher.doFinal(NUMBER);
    }

    private static byte[] wrap() throws Exception {
        Cipher cipher = Cipher.getInstance("AESWrap");
        cipher.init(Cipher.WRAP_MODE, KEY);
        return cipher.wrap(new SecretKeySpec("fedcba9876543210".getBytes(), "AES"));
    }

    private static byte[] gzip() throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(NUMBER);
            gzip.write(NUMBER);
        }
        return out.toByteArray();
    }

    private static byte[] large() throws Exception {
        byte[] text = new byte[300_000];
        System.arraycopy(NUMBER, 0, text, 200_000, NUMBER.length);
        Cipher cipher = Cipher.getInstance("AES/CTR/NoPadding");
        cipher.init(Cipher.ENCRYPT_MODE, KEY, new IvParameterSpec(new byte[16]));
        return cipher.doFinal(text);
    }

    private static byte[] derived() throws Exception {
        PBEKeySpec spec = new PBEKeySpec("password".toCharArray(), "salt".getBytes(), 5_000, 256);
        return SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256").generateSecret(spec).getEncoded();
    }

    private static byte[] many() throws Exception {
        MessageDigest digest = MessageDigest.getInstance("SHA-1");
        byte[] last = NUMBER;
        for (int i = 0; i < 1_000; i++) {
            last = digest.digest(last);
        }
        return last;
    }

    private static byte[] throwing() {
        try {
            Cipher.getInstance("AES/ECB/NoPadding").doFinal(NUMBER);
            return new byte[0];
        } catch (Exception exception) {
            return exception.getClass().getSimpleName().getBytes();
        }
    }
}
