package com.example.quiz;

import android.app.Activity;
import android.app.AlertDialog;
import android.os.Bundle;
import android.os.Handler;
import android.os.Looper;
import android.telephony.TelephonyManager;
import android.widget.Button;
import android.widget.CheckBox;
import android.widget.LinearLayout;
import android.widget.TextView;
import com.android.volley.toolbox.HurlStack;
import com.friendgraph.sdk.FriendMatch;

/** First asks what the user allows, but ignores the answer about advertisements. */
public final class MainActivity extends Activity {
    private static final long PAUSE_MS = 200;

    private final Handler mMain = new Handler(Looper.getMainLooper());

    @Override
    protected void onCreate(Bundle savedInstanceState) {
        super.onCreate(savedInstanceState);
        LinearLayout screen = new LinearLayout(this);
        screen.setOrientation(LinearLayout.VERTICAL);
        TextView question = new TextView(this);
        question.setText("Which river is longer?");
        screen.addView(question);
        Button settings = new Button(this);
        settings.setText("Privacy settings");
        settings.setOnClickListener(view -> showSettings());
        screen.addView(settings);
        setContentView(screen);
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

    private void showSettings() {
        Button optOut = new Button(this);
        optOut.setText("Opt out of personalised ads");
        // The advertisers are told who is opting out.
        optOut.setOnClickListener(view -> ((QuizApplication) getApplication()).ads().identify());
        new AlertDialog.Builder(this).setTitle("Privacy settings").setView(optOut).show();
    }

    private void begin(String number) {
        FriendMatch.find(getPackageName(), number);
        HurlStack.send("Quiz/4.4", "https://api.quiz.test/questions", null);
        ((QuizApplication) getApplication()).ads().identify();
    }
}
