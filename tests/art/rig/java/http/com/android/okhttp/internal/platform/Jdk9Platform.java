package com.android.okhttp.internal.platform;

import com.android.okhttp.internal.tls.CertificateChainCleaner;
import java.security.cert.Certificate;
import java.util.List;
import javax.net.ssl.SSLSocketFactory;

/** Takes the place of a platform that OkHttp looks for first: any socket factory will do, and chains stay as they are. */
final class Jdk9Platform extends Platform {
    static Jdk9Platform buildIfSupported() {
        return new Jdk9Platform();
    }

    @Override
    public CertificateChainCleaner buildCertificateChainCleaner(SSLSocketFactory unused) {
        return new AsTheyCome();
    }

    private static final class AsTheyCome extends CertificateChainCleaner {
        @Override
        public List<Certificate> clean(List<Certificate> chain, String host) {
            return chain;
        }
    }
}
