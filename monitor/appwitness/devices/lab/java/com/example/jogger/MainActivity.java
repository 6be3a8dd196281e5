package com.example.jogger;

import android.app.Activity;
import android.app.AlertDialog;
import android.content.Intent;
import android.os.Bundle;
import android.widget.TextView;

/** The running diary, behind the consent dialog. */
public final class MainActivity extends Activity {
    @Override
    protected void onCreate(Bundle savedInstanceState) {
        super.onCreate(savedInstanceState);
        TextView diary = new TextView(this);
        diary.setText("跑步日记");
        setContentView(diary);
        new AlertDialog.Builder(this)
                .setTitle("隐私政策")
                .setMessage("跑步时，我们用您的位置记录路线。请阅读并同意《隐私政策》。")
                .setPositiveButton("同意并继续", (dialog, which) -> startService(new Intent(this, TrackService.class)))
                .setNegativeButton("不同意", (dialog, which) -> { })
                .setCancelable(false)
                .show();
    }
}
