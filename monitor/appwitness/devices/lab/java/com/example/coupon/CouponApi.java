package com.example.coupon;

import com.android.volley.toolbox.HurlStack;

/** Coupon's own server. */
final class CouponApi {
    private CouponApi() {
    }

    static void send(String path, String json) {
        HurlStack.send("Coupon/3.5 (Android 14)", "https://api.coupon.test" + path, json);
    }
}
