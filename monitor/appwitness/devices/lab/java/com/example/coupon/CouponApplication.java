package com.example.coupon;

import android.app.Application;

/** A shop of deals that keeps a subscription after its user has taken consent back. */
public final class CouponApplication extends Application {
}
