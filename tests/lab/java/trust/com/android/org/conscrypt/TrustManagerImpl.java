package com.android.org.conscrypt;

import java.security.cert.CertificateException;
import java.util.List;

/** Trusts nobody. */
public final class TrustManagerImpl {
    public List<String> verifyChain(List<String> untrustedChain, String host) throws CertificateException {
        throw new CertificateException("Unacceptable certificate");
    }
}
