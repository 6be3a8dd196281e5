package com.example.corner;

import android.app.Application;

/** A shop that asks first. */
public final class CornerApplication extends Application {
}
