package com.example.radio;

import android.app.Application;

/** A radio whose push SDK asks who the device is again and again. */
public final class RadioApplication extends Application {
}
