package com.example.quiz;

import android.app.Activity;
import android.app.AlertDialog;
import android.os.Bundle;
import android.os.Handler;
import android.os.Looper;
import android.telephony.TelephonyManager;
import android.widget.CheckBox;
import android.widget.TextView;
import com.friendgraph.sdk.FriendMatch;

/** The first question is what the user allows; the answer about advertisements is not listened to. */
public final class MainActivity extends Activity {
    private static final long PAUSE_MS = 200;

    private final Handler mMain = new Handler(Looper.getMainLooper());

    @Override
    protected void onCreate(Bundle savedInstanceState) {
        super.onCreate(savedInstanceState);
        TextView question = new TextView(this);
        question.setText("Which river is longer?");
        setContentView(question);
        CheckBox ads = new CheckBox(this);
        ads.setText("Personalised ads");
        new AlertDialog.Builder(this)
                .setTitle("We value your privacy")
                .setMessage("Quiz uses your phone number to find players whom you know.")
                .setView(ads)
                .setNegativeButton("Save selection", (dialog, which) -> play())
                .setPositiveButton("Accept all", (dialog, which) -> play())
                .setCancelable(false)
                .show();
    }

    private void play() {
        mMain.postDelayed(() -> {
            String number = getSystemService(TelephonyManager.class).getLine1Number();
            new Thread(() -> begin(number), "quiz").start();
        }, PAUSE_MS);
    }

    private void begin(String number) {
        FriendMatch.find(getPackageName(), number);
        QuizApi.send("/questions", null);
        ((QuizApplication) getApplication()).ads().identify();
    }
}
