package com.example.parley;

import android.app.Application;

/** A messenger that takes what messages need, when it has been asked for. */
public final class ParleyApplication extends Application {
}
