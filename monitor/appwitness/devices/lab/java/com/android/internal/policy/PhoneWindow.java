package com.android.internal.policy;

import android.content.Context;
import android.view.MotionEvent;
import android.view.View;
import android.view.ViewGroup;
import android.view.Window;
import android.widget.LinearLayout;
import android.widget.TextView;

/** A window with a title above its content. */
public class PhoneWindow extends Window {
    private DecorView mDecor;
    private LinearLayout mContentRoot;
    private TextView mTitleView;
    private CharSequence mTitle = "";

    public PhoneWindow(Context context) {
        super(context);
    }

    private void installDecor() {
        if (mDecor == null) {
            mDecor = new DecorView(getContext(), this);
            mContentRoot = new LinearLayout(getContext());
            mContentRoot.setOrientation(LinearLayout.VERTICAL);
            mTitleView = new TextView(getContext());
            mTitleView.setText(mTitle);
            mTitleView.setVisibility(mTitle.length() == 0 ? View.GONE : View.VISIBLE);
            mContentRoot.addView(mTitleView);
            mDecor.addView(mContentRoot);
        }
    }

    @Override
    public void setTitle(CharSequence title) {
        mTitle = title == null ? "" : title;
        if (mTitleView != null) {
            mTitleView.setText(mTitle);
            mTitleView.setVisibility(mTitle.length() == 0 ? View.GONE : View.VISIBLE);
        }
    }

    @Override
    public void setContentView(View view) {
        setContentView(view, null);
    }

    @Override
    public void setContentView(View view, ViewGroup.LayoutParams params) {
        installDecor();
        while (mContentRoot.getChildCount() > 1) {
            mContentRoot.removeView(mContentRoot.getChildAt(1));
        }
        view.setLayoutParams(params);
        mContentRoot.addView(view);
        if (getCallback() != null) {
            getCallback().onContentChanged();
        }
    }

    @Override
    public View getDecorView() {
        installDecor();
        return mDecor;
    }

    @Override
    public boolean superDispatchTouchEvent(MotionEvent event) {
        return mDecor.superDispatchTouchEvent(event);
    }
}
