package com.example.torch;

import android.app.Application;

/** A flashlight that wants everything. */
public final class TorchApplication extends Application {
}
