package com.example.gems;

import android.app.Activity;
import android.app.AlertDialog;
import android.os.Bundle;
import android.os.Handler;
import android.os.Looper;
import android.widget.CheckBox;
import android.widget.TextView;
import com.android.volley.toolbox.HurlStack;

/** The board, below a notice with a pre-ticked box and only one button, "Got it". */
public final class MainActivity extends Activity {
    private static final long PAUSE_MS = 200;

    private final Handler mMain = new Handler(Looper.getMainLooper());

    @Override
    protected void onCreate(Bundle savedInstanceState) {
        super.onCreate(savedInstanceState);
        TextView board = new TextView(this);
        board.setText("Level 1");
        setContentView(board);
        CheckBox agreed = new CheckBox(this);
        agreed.setText("I have read and agree to the Privacy Policy");
        agreed.setChecked(true);
        new AlertDialog.Builder(this)
                .setTitle("Privacy policy")
                .setMessage("Gems is free because it shows advertisements.")
                .setView(agreed)
                .setPositiveButton("Got it", (dialog, which) -> play())
                .setCancelable(false)
                .show();
    }

    private void play() {
        mMain.postDelayed(() -> new Thread(this::begin, "levels").start(), PAUSE_MS);
    }

    private void begin() {
        HurlStack.send("Gems/12.0", "https://api.gems.test/levels/1", null);
        ((GemsApplication) getApplication()).ads().loadTargeted("level", GemsApplication.TC_STRING);
    }
}
