package com.android.art;

import java.io.FileInputStream;
import java.io.IOException;
import java.security.MessageDigestSpi;
import java.security.Provider;
import java.security.SecureRandomSpi;
import org.bouncycastle.crypto.ExtendedDigest;
import org.bouncycastle.crypto.digests.MD5Digest;
import org.bouncycastle.crypto.digests.SHA1Digest;
import org.bouncycastle.crypto.digests.SHA256Digest;
import org.bouncycastle.crypto.digests.SHA512Digest;
import org.bouncycastle.util.Memoable;

/**
 * The first provider, where a phone has Conscrypt. Its digests are plain service providers, so that what an app holds is
 * an object of java.security, as on a phone; Bouncy Castle's own are subclasses of MessageDigest.
 */
public final class DeviceProvider extends Provider {
    public DeviceProvider() {
        super("AndroidOpenSSL", 1.0, "Random numbers and digests");
        putService(new Service(this, "SecureRandom", "SHA1PRNG", Urandom.class.getName(), null, null) {
            @Override
            public Object newInstance(Object parameter) {
                return new Urandom();
            }
        });
        digest(new MD5Digest(), "MD5");
        digest(new SHA1Digest(), "SHA-1", "SHA1", "SHA");
        digest(new SHA256Digest(), "SHA-256");
        digest(new SHA512Digest(), "SHA-512");
    }

    private void digest(ExtendedDigest digest, String name, String... aliases) {
        putService(new Service(this, "MessageDigest", name, Digest.class.getName(), java.util.Arrays.asList(aliases), null) {
            @Override
            public Object newInstance(Object parameter) {
                return new Digest((ExtendedDigest) ((Memoable) digest).copy());
            }
        });
    }

    static final class Urandom extends SecureRandomSpi {
        @Override
        protected void engineNextBytes(byte[] bytes) {
            try (FileInputStream device = new FileInputStream("/dev/urandom")) {
                for (int have = 0; have < bytes.length; ) {
                    have += device.read(bytes, have, bytes.length - have);
                }
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }

        @Override
        protected byte[] engineGenerateSeed(int size) {
            byte[] seed = new byte[size];
            engineNextBytes(seed);
            return seed;
        }

        @Override
        protected void engineSetSeed(byte[] ignored) {
        }
    }

    static final class Digest extends MessageDigestSpi implements Cloneable {
        private final ExtendedDigest work;

        Digest(ExtendedDigest work) {
            this.work = work;
        }

        @Override
        protected void engineUpdate(byte one) {
            work.update(one);
        }

        @Override
        protected void engineUpdate(byte[] from, int start, int size) {
            work.update(from, start, size);
        }

        @Override
        protected byte[] engineDigest() {
            byte[] result = new byte[work.getDigestSize()];
            work.doFinal(result, 0);
            return result;
        }

        @Override
        protected int engineGetDigestLength() {
            return work.getDigestSize();
        }

        @Override
        protected void engineReset() {
            work.reset();
        }

        @Override
        public Object clone() {
            return new Digest((ExtendedDigest) ((Memoable) work).copy());
        }
    }
}
