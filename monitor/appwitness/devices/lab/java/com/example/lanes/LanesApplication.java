package com.example.lanes;

import android.app.Application;

/** A map that asks for each thing by itself, and stops when it is told to. */
public final class LanesApplication extends Application {
}
