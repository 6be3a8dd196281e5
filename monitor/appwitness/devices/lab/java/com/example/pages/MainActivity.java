package com.example.pages;

import android.app.Activity;
import android.app.AlertDialog;
import android.os.Bundle;
import android.widget.TextView;

/** The bookshelf, behind the consent dialog. */
public final class MainActivity extends Activity {
    @Override
    protected void onCreate(Bundle savedInstanceState) {
        super.onCreate(savedInstanceState);
        TextView shelf = new TextView(this);
        shelf.setText("书架");
        setContentView(shelf);
        new AlertDialog.Builder(this)
                .setTitle("隐私政策")
                .setMessage("请阅读并同意《隐私政策》。我们会收集您的手机号码，用于登录和消息推送。")
                .setPositiveButton("同意", (dialog, which) -> opened(true))
                .setNegativeButton("不同意", (dialog, which) -> opened(false))
                .setCancelable(false)
                .show();
    }

    private void opened(boolean accepted) {
        getSharedPreferences("pages", MODE_PRIVATE).edit().putBoolean("privacy_accepted", accepted).apply();
        // The number is logged on either answer.
        ((PagesApplication) getApplication()).eventLog().opened();
    }
}
