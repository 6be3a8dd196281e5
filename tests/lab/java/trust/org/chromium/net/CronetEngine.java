package org.chromium.net;

/** Counts pins. */
public class CronetEngine {
    public static class Builder {
        private int mPins;

        public Builder addPublicKeyPins(String host) {
            mPins++;
            return this;
        }

        public Builder enablePublicKeyPinningBypassForLocalTrustAnchors(boolean bypass) {
            mPins = bypass ? mPins : mPins + 10;
            return this;
        }

        public int pins() {
            return mPins;
        }
    }
}
