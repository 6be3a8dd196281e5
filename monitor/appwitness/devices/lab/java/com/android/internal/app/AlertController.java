package com.android.internal.app;

import android.content.Context;
import android.content.DialogInterface;
import android.os.Handler;
import android.os.Message;
import android.view.View;
import android.view.Window;
import android.widget.Button;
import android.widget.LinearLayout;
import android.widget.TextView;
import java.lang.ref.WeakReference;

/** Lays out title, message and buttons of an alert dialog. */
public class AlertController {
    private final Context mContext;
    private final DialogInterface mDialogInterface;
    private final Window mWindow;
    private final Handler mHandler;
    private final Button[] mButtons = new Button[3];
    private final DialogInterface.OnClickListener[] mListeners = new DialogInterface.OnClickListener[3];
    private final CharSequence[] mTexts = new CharSequence[3];
    private CharSequence mMessage;
    private TextView mMessageView;
    private View mView;

    private final View.OnClickListener mButtonHandler = new View.OnClickListener() {
        @Override
        public void onClick(View v) {
            for (int i = 0; i < mButtons.length; i++) {
                if (mButtons[i] == v && mListeners[i] != null) {
                    mHandler.obtainMessage(-1 - i, mListeners[i]).sendToTarget();
                }
            }
            mHandler.obtainMessage(ButtonHandler.MSG_DISMISS_DIALOG, mDialogInterface).sendToTarget();
        }
    };

    private static final class ButtonHandler extends Handler {
        private static final int MSG_DISMISS_DIALOG = 1;
        private final WeakReference<DialogInterface> mDialog;

        ButtonHandler(DialogInterface dialog) {
            mDialog = new WeakReference<>(dialog);
        }

        @Override
        public void handleMessage(Message msg) {
            if (msg.what == MSG_DISMISS_DIALOG) {
                ((DialogInterface) msg.obj).dismiss();
            } else {
                ((DialogInterface.OnClickListener) msg.obj).onClick(mDialog.get(), msg.what);
            }
        }
    }

    public AlertController(Context context, DialogInterface di, Window window) {
        mContext = context;
        mDialogInterface = di;
        mWindow = window;
        mHandler = new ButtonHandler(di);
    }

    public void setTitle(CharSequence title) {
        mWindow.setTitle(title);
    }

    public void setMessage(CharSequence message) {
        mMessage = message;
        if (mMessageView != null) {
            mMessageView.setText(message);
        }
    }

    public void setView(View view) {
        mView = view;
    }

    public void setButton(int which, CharSequence text, DialogInterface.OnClickListener listener) {
        mTexts[-1 - which] = text;
        mListeners[-1 - which] = listener;
    }

    public void installContent() {
        LinearLayout panel = new LinearLayout(mContext);
        panel.setOrientation(LinearLayout.VERTICAL);
        if (mMessage != null) {
            mMessageView = new TextView(mContext);
            mMessageView.setText(mMessage);
            panel.addView(mMessageView);
        }
        if (mView != null) {
            panel.addView(mView);
        }
        LinearLayout bar = new LinearLayout(mContext);
        for (int i = mTexts.length - 1; i >= 0; i--) {
            if (mTexts[i] != null) {
                mButtons[i] = new Button(mContext);
                mButtons[i].setText(mTexts[i]);
                mButtons[i].setOnClickListener(mButtonHandler);
                bar.addView(mButtons[i]);
            }
        }
        panel.addView(bar);
        mWindow.setContentView(panel);
    }
}
