package com.example.jogger;

import android.app.Application;

/** A running app that looks where its user is also when he does not run. */
public final class JoggerApplication extends Application {
}
